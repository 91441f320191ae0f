package producer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/producer"
)

// A lake in one bucket: what has to be open of a whole database does not fit into the
// bucket's policy folder by folder.
func TestAWholeLakeInOneBucketIsFoldedAndUnfolded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const many = 80
	// The longer the names are, the fewer fit.
	long := strings.Repeat("x", 120)
	for i := range many {
		w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV(fmt.Sprintf("t%03d", i), fmt.Sprintf("s3://%s/lake/curated/%s=%03d/", bucket, long, i)))
	}
	if _, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase}); err != nil {
		t.Fatal(err)
	}
	one := w.request(t, otherConsumer, []string{"t007", "orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: one})
	few := []string{"lake/curated/" + long + "=007/", "orders/"}
	whole := w.request(t, consumerAccount, nil, "SELECT")
	todo, err := w.producer.PlanApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: whole})
	if err != nil {
		t.Fatal(err)
	}
	if said := strings.Join(todo.Warnings, "\n"); !strings.Contains(said, "s3://"+bucket+"/lake/curated/ is opened to "+ours+" in place of 80 folders") {
		t.Errorf("the plan says %q", said)
	}
	w.approve(t, producer.ApproveInput{RequestID: whole})
	folded := []string{"customers/", "lake/curated/", "orders/", "orders_eu/"}
	w.opens(t, ours, folded...)
	if got := len(w.bucketPolicy(t)); got > storage.MaxPolicy {
		t.Errorf("the policy has %d bytes", got)
	}
	w.whole(t, whole)
	w.whole(t, one)
	// Decisions on others change nothing of that.
	other := w.request(t, otherConsumer, []string{"t008"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: other})
	w.end(t, other)
	w.opens(t, ours, folded...)
	w.end(t, whole)
	w.opens(t, ours, few...)
	w.end(t, one)
	w.opens(t, ours)
}
