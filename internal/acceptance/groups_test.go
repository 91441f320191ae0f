package acceptance_test

import (
	"testing"

	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// groups are products of a producer in two databases: "flights" of domain transport in both,
// "fares" of domain money in one.
type groups struct{ *world }

const other = "stations"

func newGroups(t *testing.T) *groups {
	t.Helper()
	w := &groups{newWorld(t)}
	w.Database(producerAccount, other)
	for _, table := range []string{"buses", "trains", "fares"} {
		w.Table(producerAccount, other, meshtest.CSV(table, location(table)))
		w.Put(producerAccount, bucket, table+"/rows.csv", rowsOf(table))
	}
	w.offers(source, orders, "Transport", "Flights")
	w.offers(other, "buses", "Transport", "Flights")
	w.offers(other, "fares", "Money", "Fares")
	return w
}

func (w *groups) offers(database, table, domain, product string) {
	w.t.Helper()
	_, err := w.producer.CreateDataProducts(w.t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: database, TableNameRegex: table, Domain: domain, DataProductName: product})
	w.must(err)
}

func (w *groups) asks(domain, dataProduct string) string {
	w.t.Helper()
	out, err := w.consumer.RequestAccessToProduct(w.t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, Domain: domain, DataProduct: dataProduct, RequestPermissions: []string{"SELECT", "DESCRIBE"}})
	w.must(err)
	return out.SubscriptionID
}

func (w *groups) inMesh(database string) string { return database + "-" + producerAccount }

// reads checks what a role can read, table by table of each database of the mesh.
func (w *groups) reads(role string, want ...string) {
	w.t.Helper()
	can := map[string]bool{}
	for _, name := range want {
		can[name] = true
	}
	for database, names := range map[string][]string{source: tables(), other: {"buses", "trains", "fares"}} {
		for _, table := range names {
			var err error
			if ok := w.inTheEnd(func() bool {
				_, _, err = w.Query(w.ctx(), role, w.inMesh(database), table)
				return (err == nil) == can[table]
			}); !ok {
				w.t.Errorf("%s reads %s.%s: %v; want %t", role, database, table, err, can[table])
			}
		}
	}
}

func TestASubscriptionToADataProductGrowsWithIt(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.asks("", "Flights")
	w.reads(analyst)
	w.approve(id)
	out := w.finalize(id, analyst)
	t.Log(out.Links, out.Permissions)
	w.reads(analyst, orders, "buses")
	w.offers(other, "trains", "Transport", "Flights")
	w.reads(analyst, orders, "buses", "trains")
	w.offers(other, "buses", "Transport", "Buses")
	w.reads(analyst, orders, "trains")
	w.end(id)
	w.reads(analyst)
}
