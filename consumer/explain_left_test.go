package consumer_test

import (
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
)

// What ends what was left does not give access back: it is said what comes after it.
func TestWhatWasLeftIsNotSaidToBeRestored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request("orders")
	w.approve(id)
	w.finalize(id, w.analyst())
	w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id}))
	e, err := w.consumer.Explain(t.Context(), consumer.ExplainInput{Principal: analystARN, Database: database, Table: "orders"})
	w.must(err)
	settles := 0
	for _, s := range e.Ways[0].Steps {
		if s.State != chain.Broken || s.Do == nil || s.Do.Operation != "producer.SettleDepartures" {
			continue
		}
		settles++
		if !strings.Contains(s.What, "ask for it anew") {
			t.Errorf("of the %s it says %q", s.Link, s.What)
		}
	}
	if settles == 0 {
		t.Errorf("nothing is to be settled: %+v", e.Ways[0])
	}
}
