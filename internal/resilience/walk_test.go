package resilience_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/producer"
)

// long tells that all cases run, not a sample.
func long() bool { return os.Getenv("LAKEMESH_LONG") != "" }

// stride is how many cases of an operation there are for each one that runs by
// default.
const stride = 101

// A failure at any call of any operation of a product's life.
func TestEveryFailureAtEveryCall(t *testing.T) {
	t.Parallel()
	all := shapes()
	for i, sh := range all {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			operations := newLife(sh).operations()
			if !long() {
				// Each operation on one of the shapes.
				var some []operation
				for n, op := range operations {
					if n%len(all) == i {
						some = append(some, op)
					}
				}
				operations = some
			}
			walk(t, operations)
		})
	}
}

// A failure at any call of any operation of an administrator.
func TestEveryFailureAtEveryCallOfAnAdministrator(t *testing.T) {
	t.Parallel()
	walk(t, administration())
}

// walk runs each operation without a failure, and then with each failure at each of
// its calls. By default a sample of the cases runs, of which each operation, each
// kind of failure and each part of an operation gets its share.
func walk(t *testing.T, all []operation) {
	t.Helper()
	number := 0
	for _, op := range all {
		whole := op.undisturbed(t)
		from, ran := op.from(t), 0
		for n := 1; n <= whole.calls; n++ {
			for _, k := range kinds() {
				number++
				if !long() && number%stride != 0 {
					continue
				}
				ran++
				d := disturbance{kind: k, nth: n, same: number/2%2 == 0, abreast: number%3 == 0}
				t.Run(fmt.Sprintf("%s/%s/%d", op.name, k, n), func(t *testing.T) {
					t.Parallel()
					from.in(t, func(t *testing.T, w *world) { op.disturbed(t, w, whole, d) })
				})
			}
		}
		t.Logf("%s: %d calls, %d of %d cases", op.name, whole.calls, ran, whole.calls*len(kinds()))
	}
}

// undisturbed is what becomes of an operation without a failure.
type undisturbed struct {
	calls         int
	before, after *sight
}

func (op *operation) undisturbed(t *testing.T) *undisturbed {
	t.Helper()
	u := &undisturbed{}
	from := op.from(t)
	from.in(t, func(t *testing.T, w *world) {
		if from.sight == nil {
			from.sight = w.look(t)
		}
		u.before = from.sight
		w.wire = newWire(w, "", 0, nil)
		if err := op.run(t.Context(), w); err != nil {
			t.Fatalf("%s: %v", op.name, err)
		}
		u.calls, u.after = w.wire.calls, w.look(t)
		op.checkChain(t, w)
	})
	if u.calls < 3 {
		t.Fatalf("%s took %d calls", op.name, u.calls)
	}
	return u
}

// checkChain checks that after an operation nobody finds anything wrong that it did not say
// it leaves. With a failure in between there is the same in the end as without.
func (op *operation) checkChain(t *testing.T, w *world) {
	t.Helper()
	if op.leaves == nil {
		return
	}
	w.wire = nil
	w.another()
	found := []string{}
	note := func(v *chain.Verification, err error) {
		t.Helper()
		must(t, err)
		for _, f := range v.Findings {
			found = append(found, fmt.Sprintf("%s, %s", f.Kind, f.Link))
		}
	}
	p, err := w.producer(t.Context())
	must(t, err)
	note(p.Verify(t.Context(), producer.VerifyInput{}))
	if op.ofConsumer {
		c, err := w.consumer(t.Context(), consumerAccount)
		must(t, err)
		note(c.Verify(t.Context(), consumer.VerifyInput{}))
	}
	if !slices.Equal(found, op.leaves) {
		t.Errorf("%s: found %q in the chain, want %q", op.name, found, op.leaves)
	}
}

// disturbance is a failure of an operation.
type disturbance struct {
	kind kind
	nth  int
	// same says that the same program runs the operation again, if it still can.
	same bool
	// abreast says that calls are made at the same time: others are under way when
	// one fails, and which one is the nth differs from time to time.
	abreast bool
}

// killed tells that the program does not survive it.
func (d disturbance) killed() bool { return d.kind == killed || d.kind == killedLater }

// manyAbreast is how many calls are made at the same time.
const manyAbreast = 8

// disturbed runs the operation with a failure, looks what it left, runs it again
// and compares.
func (op *operation) disturbed(t *testing.T, w *world, whole *undisturbed, d disturbance) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if d.abreast {
		w.concurrency = manyAbreast
	}
	w.wire = newWire(w, d.kind, d.nth, cancel)
	first := op.run(ctx, w)
	if !w.wire.reached() && (!d.abreast || first != nil) {
		// What is done at the same time shares batches in other ways, and may need fewer
		// calls.
		t.Errorf("call %d was not made; %d were, and %d without a failure; the operation gave %v", d.nth, w.wire.calls, whole.calls, first)
	}
	w.wire.mend()
	left := w.look(t)
	op.checkLeft(t, whole, left, first)
	if op.holds != nil {
		op.holds(t, w)
	}
	if !d.same || d.killed() {
		w.another()
	}
	if first == nil {
		return
	}
	begun := time.Now()
	second := op.again(t, w, d)
	if took := time.Since(begun); took >= tracker.DefaultLease && !d.killed() {
		t.Errorf("the same command again took %s: it waited for the first one, which had failed", took)
	}
	done := slices.Equal(decisions(left), decisions(whole.after))
	if second != nil && (!done || !errors.Is(second, lakemesh.ErrIllegalTransition)) {
		t.Errorf("the same command again: %v\nafter: %v", second, first)
	}
	if diff := difference(whole.after.withoutLeases().lines(), w.look(t).withoutLeases().lines()); diff != "" {
		t.Errorf("the first time: %v\nthe second time: %v\nwithout a failure (-), and with one (+):\n%s", first, second, diff)
	}
}

// again runs the same command again. What a killed program had claimed can be taken
// over when it has given no sign of life for some time; all else at once.
func (op *operation) again(t *testing.T, w *world, d disturbance) error {
	const patience = 2 * time.Minute
	for begun := time.Now(); ; {
		err := op.run(t.Context(), w)
		waits := d.killed() && errors.Is(err, lakemesh.ErrClaimed)
		if !waits || time.Since(begun) > patience {
			return err
		}
		// The bubble's time.
		<-time.After(5 * time.Second)
	}
}

// checkLeft looks at what a failed operation left.
func (op *operation) checkLeft(t *testing.T, whole *undisturbed, left *sight, first error) {
	t.Helper()
	for _, line := range left.access {
		decided := slices.Contains(whole.before.access, line) || slices.Contains(whole.after.access, line)
		if !decided && (op.passing == nil || !op.passing(line)) {
			t.Errorf("access that nobody decided on: %s", line)
		}
	}
	if first == nil {
		if diff := difference(whole.after.withoutLeases().lines(), left.withoutLeases().lines()); diff != "" {
			t.Errorf("it says that all is well; without a failure (-), and with one (+):\n%s", diff)
		}
		return
	}
	changed := !slices.Equal(decisions(whole.before), decisions(whole.after))
	if changed && !op.halves && slices.Equal(decisions(left), decisions(whole.after)) {
		if diff := difference(whole.after.access, left.access); diff != "" {
			t.Errorf("recorded as done; without a failure (-), and with one (+):\n%s", diff)
		}
	}
	if op.decision && slices.Equal(decisions(left), decisions(whole.before)) {
		if diff := difference(whole.before.access, left.access); diff != "" {
			t.Errorf("access has changed without a record; before (-), and after (+):\n%s", diff)
		}
	}
}

// decisions are the records without leases.
func decisions(s *sight) []string { return s.withoutLeases().records }
