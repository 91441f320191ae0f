package acceptance_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// Who may alter one table says that its data is where another one is, which others read: bringing
// the first one back opens nothing that nobody reads.
func TestBringingATableBackOpensNothingThatNobodyReads(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"buses", customers} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			w := newGroups(t)
			w.breaks = true
			id := w.request([]string{ordersEU}, "ALTER", "DESCRIBE")
			w.approve(id)
			admin := meshtest.Administrator(consumerAccount)
			w.finalize(id, admin)
			database := source
			if where == "buses" {
				database = other
			}
			w.AddConsumer(otherConsumer)
			w.TrustEngines(otherConsumer)
			c := w.openConsumer(otherConsumer)
			req, err := c.RequestAccessToProduct(w.ctx(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: w.inMesh(database), Tables: []string{where}, RequestPermissions: []string{"SELECT", "DESCRIBE"}})
			w.must(err)
			client := glue.NewFromConfig(w.Config(admin))
			out, err := client.GetTable(w.ctx(), &glue.GetTableInput{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), Name: aws.String(ordersEU)})
			w.must(err)
			in := gluetypes.TableInput{Name: out.Table.Name, Parameters: out.Table.Parameters, StorageDescriptor: out.Table.StorageDescriptor, TableType: out.Table.TableType, Owner: out.Table.Owner}
			in.Parameters["table_type"], in.Parameters["metadata_location"] = "ICEBERG", location(where)+"metadata.json"
			_, err = client.UpdateTable(w.ctx(), &glue.UpdateTableInput{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), TableInput: &in})
			w.must(err)
			w.approve(req.SubscriptionID)
			w.opens(where)
			_, err = w.producer.SyncProducts(w.ctx(), producer.SyncInput{DatabaseName: product, Overwrite: true})
			w.must(err)
			w.opens(where)
		})
	}
}
