package ready

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/producer"
)

// Publish publishes a database of a producer, with the tables that match the expressions, or
// all of them. It returns the name of the product's database in the mesh.
func (m *Mesh) Publish(account, database string, tables ...string) string {
	m.t.Helper()
	p := m.Producer(account)
	in := producer.CreateDataProductsInput{SourceDatabaseName: database}
	if len(tables) == 0 {
		tables = []string{""}
	}
	for _, in.TableNameRegex = range tables {
		_, err := p.CreateDataProducts(m.t.Context(), in)
		m.must(err)
	}
	return database + "-" + account
}

// Subscription is one that [Mesh.Subscribe] brings to life. The zero value is the consumer's, to
// the whole sample database.
type Subscription struct {
	// Consumer and Producer are the accounts; empty means [ConsumerAccount] and [ProducerAccount].
	Consumer, Producer string
	// Database is the product's in the mesh; empty means that of the sample.
	Database string
	// Tables are as in [consumer.RequestInput]; none means the whole database.
	Tables []string
	// Permissions are asked for; none means SELECT and DESCRIBE.
	Permissions []string
	// Scope narrows it.
	Scope lakemesh.Scope
	// Readers are the principals of the consumer that it is imported for; none means the
	// consumer's own role.
	Readers []string
}

// Subscribe has a consumer ask, the producer approve, and the consumer import. It returns the
// subscription's id.
func (m *Mesh) Subscribe(s Subscription) string {
	m.t.Helper()
	or := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	owner := or(s.Producer, ProducerAccount)
	c := m.Consumer(or(s.Consumer, ConsumerAccount))
	if len(s.Permissions) == 0 {
		s.Permissions = []string{"SELECT", "DESCRIBE"}
	}
	out, err := c.RequestAccessToProduct(m.t.Context(), consumer.RequestInput{OwnerAccountID: owner, DatabaseName: or(s.Database, SampleDatabase+"-"+owner),
		Tables: s.Tables, RequestPermissions: s.Permissions, Scope: s.Scope})
	m.must(err)
	m.must(m.Producer(owner).ApproveAccessRequest(m.t.Context(), producer.ApproveInput{RequestID: out.SubscriptionID}))
	_, err = c.FinalizeSubscription(m.t.Context(), consumer.FinalizeInput{SubscriptionID: out.SubscriptionID, Principals: s.Readers})
	m.must(err)
	return out.SubscriptionID
}

// End has the producer end a subscription.
func (m *Mesh) End(account, subscription string) {
	m.t.Helper()
	m.must(m.Producer(account).DeleteSubscription(m.t.Context(), producer.DeleteInput{SubscriptionID: subscription, Reason: "the test ends it"}))
}
