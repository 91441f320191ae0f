package acceptance_test

import (
	"slices"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/producer"
)

// holdsFor checks that no party finds anything but what consumers still have to do.
func (w *world) holdsFor(when string) {
	w.t.Helper()
	a, err := admin.New(w.ctx(), w.Options(meshAccount))
	w.must(err)
	w.finds(when+": the owner", nil, func() (*chain.Verification, error) { return w.producer.Verify(w.ctx(), producer.VerifyInput{}) })
	w.finds(when+": the administrator", nil, func() (*chain.Verification, error) { return a.Verify(w.ctx(), admin.VerifyInput{}) })
	for account, c := range w.consumers {
		w.finds(when+": consumer "+account, nil, func() (*chain.Verification, error) {
			v, err := c.Verify(w.ctx(), consumer.VerifyInput{})
			if v != nil {
				v.Findings = slices.DeleteFunc(v.Findings, w.remains)
			}
			return v, err
		})
	}
}

// asksAs makes a consumer's request for SELECT on people, narrowed.
func (w *world) asksAs(c *consumer.Consumer, s lakemesh.Scope) string {
	w.t.Helper()
	out, err := c.RequestAccessToProduct(w.t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product,
		Tables: []string{people}, RequestPermissions: []string{"SELECT", "DESCRIBE"}, Scope: s})
	w.must(err)
	return out.SubscriptionID
}

// importsAs has a consumer import a subscription.
func (w *world) importsAs(c *consumer.Consumer, id string, principals ...string) {
	w.t.Helper()
	_, err := c.FinalizeSubscription(w.t.Context(), consumer.FinalizeInput{SubscriptionID: id, Principals: principals})
	w.must(err)
}

// consumerRepairs has a consumer repair what it can.
func (w *world) consumerRepairs(c *consumer.Consumer) {
	w.t.Helper()
	v, err := w.known(func() (*chain.Verification, error) { return c.Verify(w.ctx(), consumer.VerifyInput{}) })
	w.must(err)
	_, err = c.Repair(w.ctx(), v)
	w.must(err)
}

// narrows updates what a subscription is narrowed to.
func (w *world) narrows(id string, in producer.ScopeInput) {
	w.t.Helper()
	w.must(w.producer.UpdateSubscriptionPermissions(w.t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT", "DESCRIBE"}, Scope: in}))
}

// TestVerifyFindsNothingInTheLivesOfNarrowedSubscriptions is true of all parties, after each
// step.
func TestVerifyFindsNothingInTheLivesOfNarrowedSubscriptions(t *testing.T) {
	t.Parallel()
	direct := []string{"arn:aws:iam::" + consumerAccount + ":role/Analyst"}
	for name, scope := range map[string]lakemesh.Scope{
		"columns":    {Columns: []string{"id", "name"}},
		"rows":       {Rows: "country = 'DE'"},
		"cells":      {Columns: []string{"id"}, Rows: "amount > 100"},
		"except":     {ExceptColumns: []string{"name"}},
		"principals": {Principals: direct},
		"all of it":  {Columns: []string{"id"}, Rows: "amount > 100", Principals: direct},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newNarrowWorld(t)
			analyst := w.Reader(consumerAccount, "Analyst")
			id := w.asksAs(w.consumer, scope)
			w.holdsFor("requested")
			w.approve(id)
			w.holdsFor("approved")
			w.importsAs(w.consumer, id, analyst)
			w.holdsFor("imported")
			w.narrows(id, producer.ScopeInput{Columns: []string{"id", "country"}})
			// What carries it is another filter now, which the consumer alone can hand on.
			w.consumerRepairs(w.consumer)
			w.holdsFor("updated")
			w.end(id)
			w.holdsFor("ended")
		})
	}
}

// TestVerifyFindsNothingWhereSubscriptionsOverlap is about two consumers who are given the
// same part, and a part beside all of it in another account.
func TestVerifyFindsNothingWhereSubscriptionsOverlap(t *testing.T) {
	t.Parallel()
	part := lakemesh.Scope{Columns: []string{"id"}, Rows: "amount > 100"}
	for name, others := range map[string]lakemesh.Scope{"equal": part, "all of it": {}, "another part": {ExceptColumns: []string{"name"}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newNarrowWorld(t)
			w.AddConsumer(otherConsumer)
			other := w.openConsumer(otherConsumer)
			first, second := w.asksAs(w.consumer, part), w.asksAs(other, others)
			w.approve(first)
			w.approve(second)
			w.holdsFor("approved")
			w.importsAs(w.consumer, first, w.Reader(consumerAccount, "Analyst"))
			w.importsAs(other, second, w.Reader(otherConsumer, "Analyst"))
			w.holdsFor("imported")
			w.end(first)
			w.holdsFor("one has ended")
			w.end(second)
			w.holdsFor("both have ended")
		})
	}
}
