package consumer_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/awserr"
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
