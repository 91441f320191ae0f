package consumer_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// Who may alter a table may write another account there. Whose a product is stands at the
// database.
func TestWhoseATableIsTheDatabaseSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mesh := glue.NewFromConfig(w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount))))
	out, err := mesh.GetTable(t.Context(), &glue.GetTableInput{DatabaseName: aws.String(database), Name: aws.String("orders")})
	w.must(err)
	_, err = mesh.UpdateTable(t.Context(), &glue.UpdateTableInput{DatabaseName: aws.String(database), TableInput: &gluetypes.TableInput{Name: out.Table.Name,
		Owner: aws.String(otherAccount), Parameters: out.Table.Parameters, StorageDescriptor: out.Table.StorageDescriptor, TableType: out.Table.TableType}})
	w.must(err)
	asks := func(owner string) error {
		_, err := w.consumer.PlanRequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: owner, DatabaseName: database, Tables: []string{"orders"}, RequestPermissions: []string{"SELECT"}})
		return err
	}
	var late error
	if !meshtest.Soon(w.mesh.Mesh, func() bool { late = asks(otherAccount); return errors.Is(late, lakemesh.ErrWrongAccount) }) {
		t.Errorf("asking whom the table names: %v, want ErrWrongAccount", late)
	}
	w.must(asks(producerAccount))
	list, err := w.consumer.ListProducts(t.Context(), consumer.ListProductsInput{DatabaseName: database})
	w.must(err)
	for _, p := range list.Products {
		if p.Owner != producerAccount {
			t.Errorf("%s is listed as of account %s", p.TableName, p.Owner)
		}
	}
	info, err := w.consumer.GetTableInfo(t.Context(), consumer.TableInfoInput{DatabaseName: database, TableName: "orders"})
	w.must(err)
	if info.Owner != producerAccount {
		t.Errorf("the table is shown as of account %s", info.Owner)
	}
}

// A name that ends in the account's number makes a database of another owner no product of
// the account's own.
func TestANameMakesNoOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	named := "named-" + consumerAccount
	w.publish(producer.CreateDataProductsInput{SourceDatabaseName: "sales", ExposeDataMeshDBName: named})
	out, err := w.consumer.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: named, Tables: []string{"orders"}, RequestPermissions: []string{"SELECT"}})
	w.must(err)
	w.approve(out.SubscriptionID)
	w.finalize(out.SubscriptionID)
	w.chainHolds()
	w.grantByHand(meshAccount, consumerAccount, &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(meshAccount), DatabaseName: &named, Name: aws.String("orders")}}, lftypes.PermissionInsert, false)
	if _, diff := w.verify(consumer.VerifyInput{}, []string{on(chain.Undecided, chain.Grant, "table "+named+".orders", consumerAccount)}); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}
