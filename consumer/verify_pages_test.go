package consumer_test

import (
	"fmt"
	"testing"

	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// Of many tables a verification reads pages, not each table.
func TestAConsumersVerificationReadsPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const many = 40
	w.mesh.Database(producerAccount, "wide")
	for i := range many {
		w.mesh.Table(producerAccount, "wide", meshtest.CSV(fmt.Sprintf("t%02d", i), fmt.Sprintf("s3://%s/wide/t%02d/", bucket, i)))
	}
	w.publish(producer.CreateDataProductsInput{SourceDatabaseName: "wide"})
	out, err := w.consumer.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: "wide-" + producerAccount,
		Tables: []string{"t.*"}, RequestPermissions: []string{"SELECT"}})
	w.must(err)
	w.approve(out.SubscriptionID)
	w.finalize(out.SubscriptionID)
	w.chainHolds()
	meshtest.Prompt(t, w.mesh.Mesh, "it counts calls")
	w.mesh.ResetCounts()
	v, err := w.consumer.Verify(t.Context(), consumer.VerifyInput{})
	w.must(err)
	calls := 0
	for _, n := range w.mesh.Counts() {
		calls += n.Calls
	}
	if calls > 20 {
		t.Errorf("%d tables take %d calls: %v", v.Tables, calls, w.mesh.Counts())
	}
}
