package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// What schedules cost: of each decision on a subscription that ends the calls, and how many
// of them come one after the other. A table has two schedules and its database one; each is
// read, and each that changes is written by one call. The role that ends is granted what it
// needs in one call more.
func TestSchedulesCost(t *testing.T) {
	t.Parallel()
	// One for reading the schedules, two for making them before anything is granted, of which
	// one is the role's, or for moving them after all else.
	const most, most20 = 14, 18
	for _, size := range []struct {
		name   string
		tables int
		most   float64
	}{{"ends-1-table", 1, most}, {"ends-20-tables", 20, most20}} {
		t.Run(size.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := began(t, meshtest.Accounts(t))
				c.load(size.tables, 0)
				c.ScheduleEnds()
				p, asking := c.producer(), c.consumer()
				c.count("publish", c.publish(p))
				begun := time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)
				later := begun.AddDate(1, 0, 0)
				var id string
				c.count("request", func() error {
					out, err := asking.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: meshtest.ProducerAccount,
						DatabaseName: "bench-" + meshtest.ProducerAccount, Tables: []string{"table_.*"}, RequestPermissions: []string{"SELECT", "DESCRIBE"}, Until: begun})
					if err == nil {
						id = out.SubscriptionID
					}
					return err
				})
				c.deep("approve until", size.most, func() error { return p.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id}) })
				in := producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT", "DESCRIBE"}, Until: &later}
				c.deep("extend", size.most, func() error { return p.UpdateSubscriptionPermissions(t.Context(), in) })
				c.deep("extend again", size.most, func() error { return p.UpdateSubscriptionPermissions(t.Context(), in) })
				c.count("verify", func() error {
					_, err := p.Verify(t.Context(), producer.VerifyInput{})
					return err
				})
				c.deep("end early", size.most, func() error {
					return p.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id})
				})
				c.golden(size.name)
			})
		})
	}
}
