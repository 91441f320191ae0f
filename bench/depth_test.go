package main

import (
	"testing"
	"testing/synctest"

	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// TestDecisionsAreNotDeep measures how many calls of a decision on one table come one
// after the other.
func TestDecisionsAreNotDeep(t *testing.T) {
	t.Parallel()
	const most = 12
	synctest.Test(t, func(t *testing.T) {
		c := began(t, meshtest.Accounts(t))
		c.load(1, 0)
		p, asking := c.producer(), c.consumer()
		c.count("publish", c.publish(p))
		ask := func() string {
			out, err := asking.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: meshtest.ProducerAccount,
				DatabaseName: "bench-" + meshtest.ProducerAccount, Tables: []string{"table_00000"}, RequestPermissions: []string{"SELECT", "DESCRIBE"}})
			if err != nil {
				t.Fatal(err)
			}
			return out.SubscriptionID
		}
		id := ask()
		for _, decision := range []struct {
			name string
			do   func() error
		}{
			{"approve", func() error {
				return p.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
			}},
			{"update", func() error {
				return p.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT", "DESCRIBE", "INSERT"}})
			}},
			{"narrow", func() error {
				return p.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"DESCRIBE"}})
			}},
			{"delete what reads no data", func() error {
				return p.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id, Reason: "over"})
			}},
			{"approve again", func() error {
				return p.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
			}},
			// The bucket is closed as well.
			{"delete", func() error {
				return p.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id, Reason: "over"})
			}},
		} {
			if decision.name == "approve again" {
				id = ask()
			}
			c.deep(decision.name, most, decision.do)
		}
	})
}
