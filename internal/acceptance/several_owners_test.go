package acceptance_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// secondProducer sets another producer up, which publishes a database of the same
// name, with a table of the same name.
func (w *world) secondProducer() *producer.Producer {
	w.t.Helper()
	w.AddProducer(otherProducer)
	w.Bucket(otherProducer, "other-data")
	w.Database(otherProducer, source)
	w.Table(otherProducer, source, meshtest.CSV(orders, "s3://other-data/orders/"))
	p := w.openProducer(otherProducer)
	w.publish(p, source)
	return p
}

func TestProducersOfOneMeshDoNotSeeOrDecideEachOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.secondProducer()
	mine := w.request([]string{orders}, "SELECT")
	theirs, err := w.consumer.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: otherProducer,
		DatabaseName: lakemesh.MeshDatabaseName(source, otherProducer), Tables: []string{orders}, RequestPermissions: []string{"SELECT"}})
	w.must(err)

	for p, want := range map[*producer.Producer]string{w.producer: mine, other: theirs.SubscriptionID} {
		pending, all := w.pending(p), w.owned(p, producer.ListSubscriptionsInput{})
		if len(pending) != 1 || pending[0].SubscriptionID != want || len(all) != 1 || all[0].ID != want {
			t.Errorf("a producer lists %v and %v, want %s alone", pending, all, want)
		}
	}
	w.silent("decisions of a foreign producer", func() {
		for name, err := range map[string]error{
			"read":    second(other.GetSubscription(t.Context(), mine)),
			"approve": other.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: mine}),
			"deny":    other.DenyAccessRequest(t.Context(), producer.DenyInput{RequestID: mine}),
			"change":  other.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: mine, GrantPermissions: []string{"SELECT"}}),
			"end":     other.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: mine}),
			"abort":   other.AbortDecision(t.Context(), producer.AbortInput{SubscriptionID: mine}),
		} {
			if !errors.Is(err, lakemesh.ErrWrongAccount) {
				t.Errorf("%s: %v, want wrong account", name, err)
			}
		}
	})
	w.must(other.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: theirs.SubscriptionID}))
	w.holds(consumerAccount, nil)
	w.opens()
	w.approve(mine)
	w.holds(consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", orders: "SELECT / SELECT"})
	// The shares are the same for both; the end of one leaves the other.
	w.finalize(mine)
	w.finalize(theirs.SubscriptionID)
	w.must(other.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: theirs.SubscriptionID}))
	w.reads(self(), orders)
	info, err := w.consumer.GetTableInfo(t.Context(), consumer.TableInfoInput{DatabaseName: product, TableName: orders})
	if err != nil || info.Owner != producerAccount || info.Visibility != consumer.SeenAsShared {
		t.Errorf("the table that is still shared: %+v, %v", info, err)
	}
}

func TestAnAccountIsProducerAndConsumerAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const both = otherProducer
	w.Bucket(both, "other-data")
	w.Database(both, "plans")
	w.Table(both, "plans", meshtest.CSV("budget", "s3://other-data/budget/"))
	out, err := admin.BootstrapAccount(t.Context(), admin.BootstrapInput{Type: admin.Both, Mesh: w.Options(meshAccount), Account: w.Options(both)})
	w.must(err)
	if out.Producer == nil || out.Consumer == nil {
		t.Fatalf("both halves are wanted: %+v", out)
	}
	asProducer, asConsumer := w.openProducer(both), w.openConsumer(both)
	published := w.publish(asProducer, "plans")

	// It uses another's product.
	id := w.requestAs(asConsumer, []string{orders}, "SELECT", "DESCRIBE")
	w.approve(id)
	_, err = asConsumer.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id})
	w.must(err)
	w.reads(lakemesh.RoleARN(both, lakemesh.ConsumerRole), orders)
	w.refused(self(), orders)
	// Its own are used by another, and not by itself.
	if _, err := asConsumer.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: both, DatabaseName: published.DatabaseName,
		RequestPermissions: []string{"SELECT"}}); !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("a request for its own product: %v, want invalid input", err)
	}
	theirs, err := w.consumer.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: both, DatabaseName: published.DatabaseName,
		Tables: []string{"budget"}, RequestPermissions: []string{"SELECT"}})
	w.must(err)
	w.must(asProducer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: theirs.SubscriptionID}))

	// Each hat sees its own side.
	owned, used := w.owned(asProducer, producer.ListSubscriptionsInput{}), w.used(asConsumer, consumer.ListInput{Statuses: consumer.AllStatuses()})
	if len(owned) != 1 || owned[0].ID != theirs.SubscriptionID || len(used) != 1 || used[0].ID != id {
		t.Errorf("it owns %v and uses %v", owned, used)
	}
	// Leaving with one hat takes nothing from the other.
	w.must(asConsumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id}))
	w.leaves(producerAccount, hasLeft(id, both))
	w.refused(lakemesh.RoleARN(both, lakemesh.ConsumerRole), orders)
	found, err := asProducer.GetDataProduct(t.Context(), producer.GetDataProductInput{DatabaseName: published.DatabaseName})
	w.must(err)
	if !slices.ContainsFunc(found, func(p producer.ProductLocation) bool { return p.TableName == "budget" }) {
		t.Errorf("its product is %v", found)
	}
	w.must(asProducer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: theirs.SubscriptionID}))
}
