package consumer_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// answering opens the consumer with the answers of AWS changed.
func (w *world) answering(change func(in, out any)) *consumer.Consumer {
	w.t.Helper()
	o := w.mesh.Options(consumerAccount)
	cfg := meshtest.Answering(w.mesh.Config(meshtest.Administrator(consumerAccount)), func(_ string, in, out any) { change(in, out) })
	o.Config = &cfg
	c, err := consumer.New(w.t.Context(), o)
	w.must(err)
	return c
}

// forget takes what a record says of its shares.
func forget(item map[string]dynamotypes.AttributeValue) { delete(item, "RamShares") }

func TestImportGoesByWhatCanBeSeen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		tables  []string
		opts    []localmesh.Option
		change  func(in, out any)
		invites bool
	}{
		"within an organization": {
			tables: []string{"orders"}, opts: []localmesh.Option{localmesh.WithReadings(localmesh.Readings{SharingNeedsNoInvitation: true})}, change: func(_, _ any) {},
		},
		"the record names no share": {
			tables: []string{"orders"}, invites: true,
			change: func(_, out any) {
				switch out := out.(type) {
				case *dynamodb.GetItemOutput:
					forget(out.Item)
				case *dynamodb.BatchGetItemOutput:
					for _, items := range out.Responses {
						for _, item := range items {
							forget(item)
						}
					}
				}
			},
		},
		"a listing that is late, of one table": {tables: []string{"orders"}, invites: true, change: withoutListing},
		"a listing that is late, of many":      {tables: []string{"orders", "orders_eu", "customers", "returns"}, invites: true, change: withoutListing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, test.opts...)
			w.mesh.Table(producerAccount, "sales", meshtest.CSV("returns", "s3://"+bucket+"/returns/"))
			w.publish(producer.CreateDataProductsInput{SourceDatabaseName: "sales"})
			id := w.request(test.tables...)
			w.approve(id)
			out, err := w.answering(test.change).FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id})
			w.must(err)
			if len(out.AcceptedShares) > 0 != (test.invites && !w.mesh.Readings().SharingNeedsNoInvitation) {
				t.Errorf("it accepted %q", out.AcceptedShares)
			}
			w.reads(self(), "orders")
		})
	}
}

// withoutListing empties the listings of the mesh's tables.
func withoutListing(in, out any) {
	asked, ok := in.(*glue.GetTablesInput)
	if listed, is := out.(*glue.GetTablesOutput); ok && is && aws.ToString(asked.CatalogId) == meshAccount {
		listed.TableList = nil
	}
}

// What another account offers, and what of the mesh's is not Lake Formation's, is not
// accepted on the way.
func TestWithoutNamedSharesOnlyThoseOfLakeFormationAreAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request("orders")
	w.approve(id)
	planted, err := ram.NewFromConfig(w.mesh.Config(meshtest.Administrator(meshAccount))).CreateResourceShare(t.Context(), &ram.CreateResourceShareInput{
		Name: aws.String("planted"), Principals: []string{consumerAccount}, ResourceArns: []string{lakemesh.DatabaseARN(region, meshAccount, database)}})
	w.must(err)
	out, err := w.answering(func(_, out any) {
		if out, ok := out.(*dynamodb.BatchGetItemOutput); ok {
			for _, items := range out.Responses {
				for _, item := range items {
					forget(item)
				}
			}
		}
		if out, ok := out.(*dynamodb.GetItemOutput); ok {
			forget(out.Item)
		}
	}).FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id})
	w.must(err)
	if strings.Contains(strings.Join(out.AcceptedShares, " "), aws.ToString(planted.ResourceShare.ResourceShareArn)) {
		t.Errorf("it accepted %q", out.AcceptedShares)
	}
}
