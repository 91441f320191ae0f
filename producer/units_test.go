package producer_test

import (
	"testing"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// A schedule that ends what a unit holds is for the last of all consumers' subscriptions to it.
func TestAScheduleOfAUnitIsForTheLastOfAllConsumers(t *testing.T) {
	t.Parallel()
	w := newScheduledWorld(t)
	org := w.accounts.Organization(consumerAccount)
	ask := func(c *consumer.Consumer, until time.Time) string {
		t.Helper()
		out, err := c.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: meshDatabase, Tables: []string{"orders"},
			RequestPermissions: []string{"SELECT"}, Until: until, Scope: lakemesh.Scope{Principals: []string{org.ARN}}})
		if err != nil {
			t.Fatal(err)
		}
		w.approve(t, producer.ApproveInput{RequestID: out.SubscriptionID})
		return out.SubscriptionID
	}
	w.accounts.AddConsumer(meshtest.OtherConsumer)
	other, err := consumer.New(t.Context(), w.accounts.Options(meshtest.OtherConsumer))
	if err != nil {
		t.Fatal(err)
	}
	first, last := w.in(10*day), w.in(30*day)
	b := ask(other, last)
	w.scheduled(t, "database DESCRIBE "+minute(last), "orders SELECT "+minute(last))
	// One that ends sooner moves nothing, and neither does its end.
	a := ask(w.asking[consumerAccount], first)
	w.scheduled(t, "database DESCRIBE "+minute(last), "orders SELECT "+minute(last))
	w.comes(t, 11*day)
	w.expire(t, a)
	w.holds(t, org.ARN, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})
	w.scheduled(t, "database DESCRIBE "+minute(last), "orders SELECT "+minute(last))
	w.comes(t, 20*day)
	w.holds(t, org.ARN, nil)
	w.noLetters(t)
	w.expire(t, b)
}
