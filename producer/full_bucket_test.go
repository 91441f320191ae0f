package producer_test

import (
	"fmt"
	"testing"

	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// What one subscription opens fits into a bucket's policy, and what the next one opens does
// not: a folder takes the place of all of it, also of what was open before. Each ends, in
// any order, and the others go on.
func TestDecisionsGoOnWhenABucketsPolicyIsFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const tables = 200
	var first, second []string
	for i := range tables {
		name := fmt.Sprintf("a_rather_long_name_of_a_table_number_%05d", i)
		w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV(name, "s3://"+bucket+"/"+name+"/"))
		if i < 140 {
			first = append(first, name)
		} else {
			second = append(second, name)
		}
	}
	if _, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase}); err != nil {
		t.Fatal(err)
	}
	one := w.request(t, consumerAccount, first, "SELECT", "DESCRIBE")
	w.approve(t, producer.ApproveInput{RequestID: one})
	if open := w.openPrefixes(t); len(open) != len(first) {
		t.Fatalf("%d prefixes are open, want %d", len(open), len(first))
	}
	two := w.request(t, consumerAccount, second, "SELECT", "DESCRIBE")
	w.approve(t, producer.ApproveInput{RequestID: two})
	if open := w.openPrefixes(t); len(open) != 1 {
		t.Fatalf("%d prefixes are open, want one in place of all", len(open))
	}
	w.chainHolds(t)
	if err := w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: one}); err != nil {
		t.Fatal(err)
	}
	w.chainHolds(t)
	if err := w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: two}); err != nil {
		t.Fatal(err)
	}
	if open := w.openPrefixes(t); len(open) != 0 {
		t.Errorf("%q stay open", open)
	}
}
