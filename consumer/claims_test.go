package consumer_test

import (
	"errors"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// halted makes the producer's next grant or revocation fail, so that the decision
// is left unfinished.
func (w *world) halted(operation string, decide func() error) {
	w.t.Helper()
	w.mesh.Fail(localmesh.Fault{Service: "lakeformation", Operation: operation, Code: "InvalidInputException", Message: "planned", Status: 400})
	if err := decide(); err == nil {
		w.t.Fatal("the decision was carried out in spite of the fault")
	}
}

func TestARequestThatIsBeingDecidedCannotBeCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request("orders")
	w.halted("BatchGrantPermissions", func() error {
		return w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
	})
	err := w.consumer.CancelAccessRequest(t.Context(), consumer.CancelInput{SubscriptionID: id})
	claimed, ok := errors.AsType[*lakemesh.ClaimedError](err)
	if !ok || claimed.Claim.Action != lakemesh.ActionApprove {
		t.Fatalf("cancel: %v; want a claimed error that names the approval", err)
	}
	w.approve(id)
	w.finalize(id)
	w.reads(self(), "orders")
}

func TestASubscriptionThatIsBeingChangedIsNotImported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.active("orders")
	update := func() error {
		return w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"DESCRIBE"}})
	}
	w.halted("BatchRevokePermissions", update)
	w.silent("import during a change", func() {
		_, err := w.consumer.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id})
		if !errors.Is(err, lakemesh.ErrClaimed) {
			t.Errorf("import: %v; want ErrClaimed", err)
		}
	})
	w.must(update())
	w.finalize(id)
	w.refused(self(), "orders")
}
