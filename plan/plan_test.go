package plan_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/printable"
	"github.com/lakemesh/lakemesh/plan"
)

var errStep = errors.New("refused")

func step(name string, run func() error) plan.Step {
	return plan.Step{Kind: plan.Grant, Account: "1", Resource: name, Summary: name, Run: func(context.Context) error { return run() }}
}

func TestStepsRunAfterThoseThatTheyDependOn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := &plan.Plan{Operation: "Test"}
		var mu sync.Mutex
		finished := map[int]bool{}
		n := rapid.IntRange(1, 30).Draw(rt, "steps")
		for i := range n {
			before := rapid.SliceOfN(rapid.IntRange(0, max(i-1, 0)), 0, 3).Draw(rt, "after")
			var after []*plan.Step
			if i > 0 {
				for _, b := range before {
					after = append(after, p.Steps[b])
				}
			} else {
				before = nil
			}
			p.Add(step(fmt.Sprint(i), func() error {
				mu.Lock()
				defer mu.Unlock()
				for _, b := range before {
					if !finished[b] {
						rt.Errorf("step %d ran before step %d", i, b)
					}
				}
				finished[i] = true
				return nil
			}), after...)
		}
		result, err := p.Apply(context.Background(), plan.Settings{Concurrency: rapid.IntRange(1, 5).Draw(rt, "concurrency")})
		if err != nil || len(result.Done) != n {
			rt.Fatalf("%d of %d done: %v", len(result.Done), n, err)
		}
	})
}

func TestNothingNewIsBegunAfterAFailure(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Operation: "Test"}
	ok := p.Add(step("first", func() error { return nil }))
	bad := p.Add(step("second", func() error { return errStep }), ok)
	p.Add(step("third", func() error { t.Error("the third step ran"); return nil }), bad)
	result, err := p.Apply(context.Background(), plan.Settings{})
	var partial *lakemesh.PartialError
	if !errors.As(err, &partial) || !errors.Is(err, lakemesh.ErrPartial) || !errors.Is(err, errStep) {
		t.Fatalf("got %v, want a partial failure with its cause", err)
	}
	if partial.Done != 1 || partial.NotBegun != 1 || len(partial.Failed) != 1 || partial.Failed[0].Step != "second" {
		t.Errorf("got %+v", partial)
	}
	if len(result.NotBegun) != 1 || result.NotBegun[0].Summary != "third" {
		t.Errorf("not begun: %v", result.NotBegun)
	}
}

func TestAPlanThatFailsAtOnceIsNotPartial(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Operation: "Test"}
	p.Add(step("only", func() error { return errStep }))
	_, err := p.Apply(context.Background(), plan.Settings{})
	if errors.Is(err, lakemesh.ErrPartial) || !errors.Is(err, errStep) {
		t.Errorf("got %v, want the step's own error", err)
	}
}

func TestACancelledContextBeginsNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	p := &plan.Plan{Operation: "Test"}
	first := p.Add(step("first", func() error { cancel(); return nil }))
	p.Add(step("second", func() error { t.Error("the second step ran"); return nil }), first)
	_, err := p.Apply(ctx, plan.Settings{})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, lakemesh.ErrPartial) {
		t.Errorf("got %v, want a partial failure by cancellation", err)
	}
}

func TestBatchesAreFilledAndBounded(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 19, 20, 21, 41} {
		p := &plan.Plan{Operation: "Test"}
		var calls []int
		var mu sync.Mutex
		batch := &plan.Batch{Max: 20, Run: func(_ context.Context, steps []*plan.Step) []error {
			mu.Lock()
			defer mu.Unlock()
			calls = append(calls, len(steps))
			return make([]error, len(steps))
		}}
		for i := range n {
			p.Add(plan.Step{Summary: fmt.Sprint(i), Batch: batch})
		}
		if _, err := p.Apply(context.Background(), plan.Settings{}); err != nil {
			t.Fatal(err)
		}
		if want := (n + 19) / 20; len(calls) != want {
			t.Errorf("%d steps took %d calls %v, want %d", n, len(calls), calls, want)
		}
		if len(calls) > 0 && slices.Max(calls) > 20 {
			t.Errorf("a call of %d steps", slices.Max(calls))
		}
	}
}

func TestABatchWaitsForStepsThatCanStillJoinIt(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Operation: "Test"}
	var calls atomic.Int32
	batch := &plan.Batch{Max: 20, Run: func(_ context.Context, steps []*plan.Step) []error {
		calls.Add(1)
		return make([]error, len(steps))
	}}
	for i := range 20 {
		made := p.Add(step(fmt.Sprintf("make %d", i), func() error { return nil }))
		p.Add(plan.Step{Summary: fmt.Sprintf("grant %d", i), Batch: batch}, made)
	}
	if _, err := p.Apply(context.Background(), plan.Settings{Concurrency: 3}); err != nil {
		t.Fatal(err)
	}
	if calls.Load() != 1 {
		t.Errorf("20 grants took %d calls, want one", calls.Load())
	}
}

func TestPartOfABatchCanFail(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Operation: "Test"}
	batch := &plan.Batch{Max: 20, Run: func(_ context.Context, steps []*plan.Step) []error {
		errs := make([]error, len(steps))
		errs[1] = errStep
		return errs
	}}
	for i := range 3 {
		p.Add(plan.Step{Summary: fmt.Sprint(i), Batch: batch})
	}
	_, err := p.Apply(context.Background(), plan.Settings{})
	var partial *lakemesh.PartialError
	if !errors.As(err, &partial) || partial.Done != 2 || len(partial.Failed) != 1 || partial.Failed[0].Step != "1" {
		t.Errorf("got %v", err)
	}
}

func TestConcurrencyIsBounded(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Operation: "Test"}
	var now, most atomic.Int32
	for i := range 50 {
		p.Add(step(fmt.Sprint(i), func() error {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			now.Add(-1)
			return nil
		}))
	}
	if _, err := p.Apply(context.Background(), plan.Settings{Concurrency: 4}); err != nil {
		t.Fatal(err)
	}
	if most.Load() > 4 {
		t.Errorf("%d steps at once, want at most 4", most.Load())
	}
}

func TestAPlanIsPrintedAndEncoded(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Operation: "ApproveAccessRequest"}
	a := p.Add(plan.Step{Kind: plan.Grant, Account: "555555555555", Resource: "database d", Summary: "grant DESCRIBE on database d to 999999999999"})
	p.Add(plan.Step{Kind: plan.OpenBucket, Account: "111111111111", Resource: "bucket b", Summary: "open s3://b/p/"}, a, nil)
	p.Warn("table %s has no location", "t")
	want := `ApproveAccessRequest: 2 steps
  1. [555555555555] grant DESCRIBE on database d to 999999999999
  2. [111111111111] open s3://b/p/
  warning: table t has no location
`
	if diff := cmp.Diff(want, p.String()); diff != "" {
		t.Error(diff)
	}
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	wantJSON := `{"Operation":"ApproveAccessRequest","Steps":[{"Step":1,"Kind":"grant","Account":"555555555555","Resource":"database d","Summary":"grant DESCRIBE on database d to 999999999999"},{"Step":2,"Kind":"open-bucket","Account":"111111111111","Resource":"bucket b","Summary":"open s3://b/p/","After":[1]}],"Warnings":["table t has no location"]}`
	if diff := cmp.Diff(wantJSON, string(data)); diff != "" {
		t.Error(diff)
	}
	if got := (&plan.Plan{Operation: "X"}).String(); got != "X: nothing to do\n" {
		t.Errorf("an empty plan prints %q", got)
	}
}

func TestAPrintedPlanHasNoStepsButItsOwn(t *testing.T) {
	t.Parallel()
	const hostile = "x\r\n  2. [555555555555] grant ALL\x1b]52;c;aGk=\x07\u009b\u202e\u200b\xff"
	p := &plan.Plan{Operation: hostile}
	p.Add(plan.Step{Account: hostile, Summary: hostile})
	p.Warn("%s", hostile)
	text := p.String() + (&plan.Plan{Operation: hostile}).String()
	const lines = 4
	if printable.Text(text) != text || strings.Count(text, "\n") != lines || !strings.Contains(text, `\r\n  2. [555555555555] grant ALL\u001b]52`) {
		t.Errorf("%q", text)
	}
}

func ExamplePlan() {
	p := &plan.Plan{Operation: "Example"}
	made := p.Add(plan.Step{Kind: plan.CreateDatabase, Account: "555555555555", Resource: "database d", Summary: "create database d",
		Run: func(context.Context) error { return nil }})
	p.Add(plan.Step{Kind: plan.Grant, Account: "555555555555", Resource: "database d", Summary: "grant DESCRIBE on database d to 999999999999",
		Run: func(context.Context) error { return nil }}, made)
	fmt.Print(p)
	result, err := p.Apply(context.Background(), plan.Settings{})
	fmt.Println(len(result.Done), "done,", "error:", err)
	// Output:
	// Example: 2 steps
	//   1. [555555555555] create database d
	//   2. [555555555555] grant DESCRIBE on database d to 999999999999
	// 2 done, error: <nil>
}

func TestEarlyStepsAreBegunBeforeOthersThatAreReady(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Operation: "Test"}
	first := p.Add(step("first", func() error { return nil }))
	for i := range 3 {
		p.Add(step(fmt.Sprint("other ", i), func() error { return nil }), first)
	}
	early := step("early", func() error { return nil })
	early.Early = true
	p.Add(early, first)
	result, err := p.Apply(t.Context(), plan.Settings{Concurrency: 1})
	if err != nil || len(result.Done) != 5 || result.Done[1].Summary != "early" {
		t.Errorf("done %v, %v", result.Done, err)
	}
}

// BenchmarkApply applies a plan of the form of a large publication, without calls.
func BenchmarkApply(b *testing.B) {
	none := func() error { return nil }
	batch := &plan.Batch{Max: 20, Run: func(_ context.Context, steps []*plan.Step) []error { return make([]error, len(steps)) }}
	p := &plan.Plan{Operation: "Benchmark"}
	database := p.Add(step("database", none))
	for range 1000 {
		table := p.Add(step("table", none), database)
		p.Add(step("partitions", none), table)
		p.Add(step("tags", none), table)
		p.Add(step("link", none))
		for range 3 {
			grant := step("grant", nil)
			grant.Run, grant.Batch = nil, batch
			p.Add(grant, table)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Apply(b.Context(), plan.Settings{}); err != nil {
			b.Fatal(err)
		}
	}
}
