package acceptance_test

import (
	"errors"
	"slices"
	"testing"

	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// A consumer's role may write the attributes of its requests with raw calls, at any
// time. These tests write there what would be of advantage to the consumer.

func TestAConsumerThatRewritesItsRequestAfterwardsGainsNothing(t *testing.T) {
	t.Parallel()
	for name, forged := range map[string]item{
		"other tables":       {"TableName": list(customers)},
		"more tables":        {"TableName": list(orders, customers)},
		"the whole database": {"TableName": nil},
		"no table":           {"TableName": list()},
		"another database":   {"DatabaseName": str("elsewhere")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			granted := map[string]string{"database": "DESCRIBE / DESCRIBE", orders: "DESCRIBE, SELECT / DESCRIBE, SELECT"}
			id := w.active(orders)
			w.must(w.set(w.meshConsumer(), id, forged))
			s := w.get(id)
			if s.Database != product || !slices.Equal(s.Tables, []string{orders}) || s.Tampered == "" || s.Status != lakemesh.Active {
				t.Errorf("it is read as %s on %s.%v, tampered %q", s.Status, s.Database, s.Tables, s.Tampered)
			}
			err := w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT", "INSERT"}})
			if !errors.Is(err, lakemesh.ErrTampered) {
				t.Errorf("a change of it: %v, want tampered", err)
			}
			// Publishing another table extends subscriptions to the whole database only.
			w.Table(producerAccount, source, meshtest.CSV("returns", location("returns")))
			w.publish(w.producer, source)
			w.holds(consumerAccount, granted)
			// It justifies what was granted with it, and nothing else.
			other := w.request([]string{orders, customers}, "SELECT", "DESCRIBE")
			w.approve(other)
			w.end(other)
			w.holds(consumerAccount, granted)
			w.end(id)
			w.holds(consumerAccount, nil)
			w.refused(self(), orders, customers)
			w.opens()
		})
	}
}

func TestARequestThatIsRewrittenWhileItsApprovalIsUnfinishedIsTakenBackWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request([]string{orders}, "SELECT")
	w.Fail(localmesh.Fault{Service: "s3", Operation: "PutBucketPolicy", Code: "AccessDenied", Status: 403})
	if err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id}); !errors.Is(err, lakemesh.ErrPartial) {
		t.Fatalf("got %v, want a partial failure", err)
	}
	w.must(w.set(w.meshConsumer(), id, item{"TableName": list(customers)}))
	if err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id}); !errors.Is(err, lakemesh.ErrTampered) {
		t.Errorf("going on with it: %v, want tampered", err)
	}
	w.must(w.producer.AbortDecision(t.Context(), producer.AbortInput{SubscriptionID: id}))
	w.holds(consumerAccount, nil)
}

func TestAConsumerCannotHideWhatItWasGranted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.active(orders)
	w.must(w.set(w.meshConsumer(), id, item{"Status": str("Deleted"), "History": list(), "OwnerPrincipal": str(otherProducer), "CreatedBy": str("nobody")}))
	w.must(w.set(w.meshConsumer(), id, item{"OwnerPrincipal": str(producerAccount)}))
	active := w.owned(w.producer, producer.ListSubscriptionsInput{Status: lakemesh.Active})
	if len(active) != 1 || active[0].ID != id || active[0].Tampered == "" {
		t.Errorf("active are %+v, want the subscription that its consumer marked as deleted", active)
	}
	var actions []lakemesh.Action
	for _, e := range w.get(id).History {
		actions = append(actions, e.Action)
	}
	if !slices.Contains(actions, lakemesh.ActionApprove) {
		t.Errorf("the history is %v, want the approval in it", actions)
	}
	w.end(id)
	w.holds(consumerAccount, nil)
}

func TestARecordOfNobodyDoesNotStopTheWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.openLegacy()
	// An upsert by raw calls, without a subscriber, and one for another owner's queue.
	w.must(w.set(w.meshConsumer(), lakemesh.NewSubscriptionID(producerAccount, consumerAccount), item{"OwnerPrincipal": str(producerAccount), "Status": str("Pending")}))
	w.must(w.set(w.meshConsumer(), lakemesh.NewSubscriptionID(otherProducer, consumerAccount), item{"OwnerPrincipal": str(producerAccount), "Status": str("Pending")}))
	w.must(w.set(w.meshConsumer(), lakemesh.NewShortID(), item{"OwnerPrincipal": str(producerAccount), "Status": str("Active")}))
	w.must(w.set(w.meshConsumer(), lakemesh.NewShortID(), item{"OwnerPrincipal": str(producerAccount), "Status": str("Pending"),
		"TableName": &dynamotypes.AttributeValueMemberN{Value: "1"}}))
	id := w.active(orders)
	for _, s := range w.pending(w.producer) {
		if err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: s.SubscriptionID}); err == nil {
			t.Errorf("an empty request was approved: %+v", s)
		}
		w.must(w.producer.DenyAccessRequest(t.Context(), producer.DenyInput{RequestID: s.SubscriptionID}))
	}
	w.end(id)
	w.holds(consumerAccount, nil)
}
