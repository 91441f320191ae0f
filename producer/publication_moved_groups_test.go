package producer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// A table of a group that moves, from a folder that is open in place of many, is read where it is
// then: that it is read by LF-tags counts as well as that it was granted by its name.
func TestATableOfAGroupThatMovesOutOfAFoldedFolderIsOpenedWhereItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := strings.Repeat("x", 120)
	for i := range 80 {
		w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV(fmt.Sprintf("t%03d", i), fmt.Sprintf("s3://%s/lake/curated/%s=%03d/", bucket, long, i)))
	}
	in := producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase, TableNameRegex: "t.*", DataProductName: "Curated"}
	if _, err := w.producer.CreateDataProducts(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	asked, err := w.asking[consumerAccount].RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DataProduct: "Curated", RequestPermissions: []string{"SELECT"}})
	if err != nil {
		t.Fatal(err)
	}
	w.approve(t, producer.ApproveInput{RequestID: asked.SubscriptionID})
	if got := w.openPrefixes(t); !slices.Equal(got, []string{"lake/curated/"}) {
		t.Fatalf("open are %q", got)
	}
	w.relocate(t, map[string]string{"t007": "run-2/", "orders": "run-3/"})
	if _, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase}); err != nil {
		t.Fatal(err)
	}
	if got := w.openPrefixes(t); !slices.Equal(got, []string{"lake/curated/", "run-2/"}) {
		t.Errorf("open are %q", got)
	}
	w.end(t, asked.SubscriptionID)
	if got := w.openPrefixes(t); len(got) > 0 {
		t.Errorf("ended, and %q are open", got)
	}
}
