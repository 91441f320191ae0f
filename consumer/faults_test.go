package consumer_test

import (
	"fmt"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/localmesh"
)

// operation is an operation whose calls are made to fail one after the other.
type operation struct {
	name string
	// prepare makes the state that the operation begins with.
	prepare func(*world) string
	// run is the operation.
	run func(w *world, id string) error
	// check looks at the state that it must lead to.
	check func(w *world, id string)
}

func operations() []operation {
	return []operation{
		{
			name:    "request",
			prepare: func(*world) string { return "" },
			run: func(w *world, _ string) error {
				_, err := w.consumer.RequestAccessToProduct(w.t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: database,
					Tables: []string{"orders.*"}, RequestPermissions: []string{"SELECT"}})
				return err
			},
			check: func(w *world, _ string) {
				all := w.list(consumer.ListInput{Statuses: consumer.AllStatuses()})
				if len(all) != 1 || all[0].Status != lakemesh.Pending {
					w.t.Errorf("subscriptions: %+v; want one, pending", all)
				}
			},
		},
		{
			name: "finalize",
			prepare: func(w *world) string {
				id := w.request("orders")
				w.approve(id)
				return id
			},
			run: func(w *world, id string) error {
				_, err := w.consumer.FinalizeSubscription(w.t.Context(), consumer.FinalizeInput{SubscriptionID: id})
				return err
			},
			check: func(w *world, id string) {
				w.reads(self(), "orders")
				s, err := w.consumer.GetSubscription(w.t.Context(), id)
				w.must(err)
				if !s.Imported || len(s.History) != 3 {
					w.t.Errorf("imported %t, history %+v", s.Imported, s.History)
				}
				w.silent("a repetition", func() { w.finalize(id) })
			},
		},
		{
			name:    "leave",
			prepare: func(w *world) string { return w.active("orders") },
			run: func(w *world, id string) error {
				return w.consumer.DeleteSubscription(w.t.Context(), consumer.LeaveInput{SubscriptionID: id})
			},
			check: func(w *world, id string) {
				w.refused(self(), "orders")
				s, err := w.consumer.GetSubscription(w.t.Context(), id)
				w.must(err)
				if !s.Leaving || len(s.History) != 4 {
					w.t.Errorf("leaving %t, history %+v", s.Leaving, s.History)
				}
			},
		},
	}
}

// maxCalls is more calls than any of the operations makes.
const maxCalls = 60

// A call that fails leaves a state that the same operation completes.
func TestRepeatingCompletesWhateverFailed(t *testing.T) {
	t.Parallel()
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				w := newWorld(t)
				id := op.prepare(w)
				fault := w.mesh.Fail(localmesh.Fault{Nth: n, Code: "InvalidInputException", Message: "planned", Status: 400})
				err := op.run(w, id)
				if fault.Hits() == 0 {
					w.mesh.ClearFaults()
					w.must(err)
					return
				}
				if err != nil {
					w.must(op.run(w, id))
				}
				op.check(w, id)
				if t.Failed() || n > maxCalls {
					t.Fatalf("call %d failed", n)
				}
			}
		})
	}
}

// A call that took effect and whose answer was lost is tried again, and does no
// harm the second time.
func TestLostAnswersDoNoHarm(t *testing.T) {
	t.Parallel()
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				w := newWorld(t)
				id := op.prepare(w)
				fault := w.mesh.Fail(localmesh.Fault{Nth: n, Moment: localmesh.After})
				err := op.run(w, id)
				if fault.Hits() == 0 {
					w.mesh.ClearFaults()
				}
				if err != nil {
					t.Fatal(fmt.Errorf("lost answer %d: %w", n, err))
				}
				if fault.Hits() == 0 {
					return
				}
				op.check(w, id)
				if t.Failed() || n > maxCalls {
					t.Fatalf("lost answer %d", n)
				}
			}
		})
	}
}
