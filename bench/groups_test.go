package main

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// TestGroupsCost counts what a subscription to a data product costs, and what it adds to
// publishing another table: it does not depend on how many tables there are, but for their
// listings.
func TestGroupsCost(t *testing.T) {
	t.Parallel()
	// As for whole tables, and three for finding the tables: a search for the LF-tags, the
	// listing of their databases, and of what is closed the search for what others read.
	const most = 15
	for _, tables := range []int{1, 20} {
		t.Run(fmt.Sprintf("%d tables", tables), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := began(t, meshtest.Accounts(t))
				c.load(tables+1, 0)
				p, asking := c.producer(), c.consumer()
				offer := func(regex string) func() error {
					return func() error {
						_, err := p.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: "bench", TableNameRegex: regex, DataProductName: "bench"})
						return err
					}
				}
				last := fmt.Sprintf("table_%05d", tables)
				// All but the last.
				c.count("publish", offer(fmt.Sprintf("table_(%s)", numbers(tables))))
				var id string
				c.count("request", func() error {
					out, err := asking.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: meshtest.ProducerAccount, DataProduct: "bench", RequestPermissions: []string{"SELECT"}})
					if err == nil {
						id = out.SubscriptionID
					}
					return err
				})
				c.deep("approve", most, func() error { return p.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id}) })
				c.count("import", func() error {
					_, err := asking.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id})
					return err
				})
				c.deep("same again", most, func() error {
					return p.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id})
				})
				c.count("publish one more", offer(last))
				c.count("publish nothing more", offer(last))
				c.deep("end", most, func() error { return p.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id}) })
				c.golden(fmt.Sprintf("group-%d", tables))
			})
		})
	}
}

// numbers are the numbers of so many tables, as an expression has them.
func numbers(n int) string {
	text := ""
	for i := range n {
		if i > 0 {
			text += "|"
		}
		text += fmt.Sprintf("%05d", i)
	}
	return text
}
