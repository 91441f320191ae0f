package consumer_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/producer"
)

// links are the account's links to the product.
func (w *world) links() []string {
	w.t.Helper()
	out, err := w.mesh.Glue(consumerAccount).GetDatabases(w.t.Context(), &glue.GetDatabasesInput{})
	w.must(err)
	var names []string
	for _, d := range out.DatabaseList {
		if d.TargetDatabase != nil {
			names = append(names, aws.ToString(d.Name))
		}
	}
	return names
}

// After the owner's end nobody but the consumer may remove the link, and what has ended
// cannot be left.
func TestLinksThatLeadNowhereAreRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request("orders")
	w.approve(id)
	w.finalize(id, w.analyst())
	if got := w.links(); len(got) != 1 {
		t.Fatalf("links %q", got)
	}
	other := w.request("customers")
	w.approve(other)
	elsewhere := &types.DatabaseIdentifier{CatalogId: aws.String("333333333333"), DatabaseName: aws.String("elsewhere")}
	_, err := w.mesh.Glue(consumerAccount).CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String("foreign"), TargetDatabase: elsewhere}})
	w.must(err)
	remove := func() {
		t.Helper()
		w.must(w.consumer.RemoveDeadLinks(t.Context(), consumer.RemoveDeadLinksInput{}))
	}
	w.must(w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id}))
	w.silent("removing links while another subscription needs them", remove)
	w.must(w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: other}))
	if err := w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id}); !errors.Is(err, lakemesh.ErrIllegalTransition) {
		t.Errorf("what has ended was left: %v", err)
	}
	if got := w.links(); len(got) != 2 {
		t.Fatalf("links %q", got)
	}
	w.silent("the plan", func() {
		todo, err := w.consumer.PlanRemoveDeadLinks(t.Context(), consumer.RemoveDeadLinksInput{DatabaseName: database})
		if err != nil || todo.Empty() {
			t.Errorf("planned %v, %v", todo, err)
		}
	})
	w.must(w.consumer.RemoveDeadLinks(t.Context(), consumer.RemoveDeadLinksInput{DatabaseName: "another"}))
	if got := w.links(); len(got) != 2 {
		t.Errorf("links %q", got)
	}
	remove()
	if got := w.links(); len(got) != 1 || got[0] != "foreign" {
		t.Errorf("links %q, want the one that is nobody's of the mesh", got)
	}
	w.silent("again", remove)
	if _, err := w.mesh.Glue(consumerAccount).GetDatabase(t.Context(), &glue.GetDatabaseInput{Name: aws.String(database)}); !awserr.NotFound(err) {
		t.Errorf("the link is there: %v", err)
	}
}

// A request that waits does not make a link lead anywhere: it is told of, and left, because
// an approval makes it lead there again.
func TestADeadLinkIsFoundWhileARequestWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.active("orders")
	w.must(w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id}))
	again := w.request("orders", "customers")
	v, diff := w.verify(consumer.VerifyInput{}, []string{"too much, resource link, link database " + database + ", "})
	if diff != "" {
		t.Fatalf("found (-want +got):\n%s", diff)
	}
	if f := v.Findings[0]; !slices.Contains(f.Subscriptions, again) || !strings.Contains(f.What, "waits") || f.Repairs != chain.Owner {
		t.Errorf("it says %+v", f)
	}
	w.silent("a repair", func() {
		_, err := w.consumer.Repair(t.Context(), v)
		w.must(err)
		w.must(w.consumer.RemoveDeadLinks(t.Context(), consumer.RemoveDeadLinksInput{}))
	})
	w.approve(again)
	w.finalize(again)
	w.chainHolds()
}
