package acceptance_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// Whoever may alter a copy may write another account at it as its owner. Whose the table is
// stands at the database: the owner goes on seeing it and bringing it up to date, and others
// go on asking for it.
func TestWhoMayAlterATableDoesNotChooseItsOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(customers)
	g := glue.NewFromConfig(w.meshProducer())
	var got *glue.GetTableOutput
	w.must(meshtest.Try(w.Mesh.Mesh, func() (err error) {
		got, err = g.GetTable(w.ctx(), &glue.GetTableInput{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), Name: aws.String(customers)})
		return err
	}))
	_, err := g.UpdateTable(w.ctx(), &glue.UpdateTableInput{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), TableInput: &gluetypes.TableInput{
		Name: got.Table.Name, Owner: aws.String(otherProducer), Parameters: got.Table.Parameters, PartitionKeys: got.Table.PartitionKeys,
		StorageDescriptor: got.Table.StorageDescriptor, TableType: got.Table.TableType}})
	w.must(err)

	v, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(w.ctx(), producer.VerifyInput{}) })
	w.must(err)
	var said []string
	for _, f := range v.Findings {
		said = append(said, f.What)
	}
	if v.Tables != 3 || !strings.Contains(strings.Join(said, "\n"), "changed its definition") {
		t.Errorf("verify counts %d tables and finds %q", v.Tables, said)
	}
	w.AddConsumer(otherConsumer)
	w.requestAs(w.openConsumer(otherConsumer), []string{customers}, "SELECT", "DESCRIBE")
	if _, err := w.producer.SyncProducts(w.ctx(), producer.SyncInput{Overwrite: true}); err != nil {
		t.Fatal(err)
	}
	got, err = g.GetTable(w.ctx(), &glue.GetTableInput{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), Name: aws.String(customers)})
	w.must(err)
	if owner := aws.ToString(got.Table.Owner); owner != producerAccount {
		t.Errorf("the owner at the table is %s after it was brought up to date", owner)
	}
}
