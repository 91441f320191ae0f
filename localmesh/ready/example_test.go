package ready_test

import (
	"testing"

	"github.com/lakemesh/lakemesh/localmesh/ready"
)

// The first example of docs/testing.md, as it stands there.
func TestASubscriptionEnds(t *testing.T) {
	t.Parallel()
	m := published(t)
	analyst := m.Reader(ready.ConsumerAccount, "Analyst")
	id := m.Subscribe(ready.Subscription{Tables: []string{"airports"}, Readers: []string{analyst}})
	m.CanRead(analyst, "aviation-111111111111", "airports", "id=1 value=airports")
	m.Holds(ready.MeshAccount, ready.ConsumerAccount,
		"database aviation-111111111111: DESCRIBE, may grant DESCRIBE",
		"table aviation-111111111111.airports: DESCRIBE, SELECT, may grant DESCRIBE, SELECT")
	m.Open(ready.ProducerAccount, ready.SampleBucket, "airports/")
	m.End(ready.ProducerAccount, id)
	m.CannotRead(analyst, "aviation-111111111111", "airports")
	m.Holds(ready.MeshAccount, ready.ConsumerAccount) // nothing
}
