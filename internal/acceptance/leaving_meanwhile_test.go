package acceptance_test

import (
	"sync/atomic"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
)

// What an import hands on while the account leaves another subscription to the same table is not
// taken back by leaving.
func TestLeavingTakesNothingThatIsImportedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	w.breaks = true
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.request([]string{orders}, "SELECT", "DESCRIBE")
	w.approve(id)
	w.finalize(id, analyst)
	again := w.asksFor([]string{orders}, lakemesh.Scope{})
	var begun, armed atomic.Bool
	o := w.Options(consumerAccount)
	cfg := meshtest.Answering(*o.Config, func(operation string, _, _ any) {
		if operation != "ListPermissions" || !armed.Load() || !begun.CompareAndSwap(false, true) {
			return
		}
		// What else there is was looked at.
		w.approve(again)
		w.finalize(again, analyst)
	})
	o.Config = &cfg
	c, err := consumer.New(w.ctx(), o)
	w.must(err)
	armed.Store(true)
	w.must(c.DeleteSubscription(w.ctx(), consumer.LeaveInput{SubscriptionID: id}))
	if !begun.Load() {
		t.Fatal("nothing was imported in between")
	}
	w.reads(analyst, orders)
	w.consumerFinds("afterwards")
}
