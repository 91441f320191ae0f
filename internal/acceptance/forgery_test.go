package acceptance_test

import (
	"errors"
	"slices"
	"strings"
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
			// It can be changed as what it is.
			w.update(id, "DESCRIBE")
			w.holds(consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", orders: "DESCRIBE / DESCRIBE"})
			w.update(id, "SELECT", "DESCRIBE")
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

func TestARequestThatIsRewrittenWhileItsApprovalIsUnfinishedIsGrantedAsItWasClaimed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request([]string{orders}, "SELECT")
	w.Fail(localmesh.Fault{Service: "s3", Operation: "PutBucketPolicy", Code: "AccessDenied", Status: 403})
	if err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id}); !errors.Is(err, lakemesh.ErrPartial) {
		t.Fatalf("got %v, want a partial failure", err)
	}
	w.must(w.set(w.meshConsumer(), id, item{"TableName": list(customers)}))
	// What is carried on is what was claimed.
	w.approve(id)
	w.holds(consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", orders: "SELECT / SELECT"})
	w.end(id)
	w.holds(consumerAccount, nil)
}

func TestAConsumerCannotHideWhatItWasGranted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.active(orders)
	w.must(w.set(w.meshConsumer(), id, item{"Status": str("Deleted"), "Entries": str("0"), "OwnerPrincipal": str(otherProducer), "CreatedBy": str("nobody")}))
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
	// Upserts by raw calls: without words, for another owner's queue, and under no id.
	for _, id := range []string{lakemesh.NewSubscriptionID(producerAccount, consumerAccount), lakemesh.NewSubscriptionID(otherProducer, consumerAccount)} {
		w.must(w.set(w.meshConsumer(), id, item{"OwnerPrincipal": str(producerAccount), "Status": str("Pending")}))
		inbox := strings.Join(strings.Split(id, "-")[:2], "-") + "#inbox"
		w.must(w.set(w.meshConsumer(), inbox, item{"Open": &dynamotypes.AttributeValueMemberSS{Value: []string{id, "x", lakemesh.NewShortID()}}}))
	}
	for _, id := range []string{lakemesh.NewShortID(), lakemesh.NewSubscriptionID(producerAccount, otherConsumer)} {
		if err := w.set(w.meshConsumer(), id, item{"OwnerPrincipal": str(producerAccount), "Status": str("Active")}); err == nil {
			t.Errorf("a consumer wrote %s", id)
		}
	}
	id := w.active(orders)
	pending := w.pending(w.producer)
	if len(pending) != 1 || pending[0].Tampered == "" {
		t.Errorf("pending are %+v, want the request without words", pending)
	}
	for _, s := range pending {
		if err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: s.SubscriptionID}); !errors.Is(err, lakemesh.ErrTampered) {
			t.Errorf("an empty request: %v, want tampered: %+v", err, s)
		}
		w.must(w.producer.DenyAccessRequest(t.Context(), producer.DenyInput{RequestID: s.SubscriptionID}))
	}
	w.end(id)
	w.holds(consumerAccount, nil)
}
