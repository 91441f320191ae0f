package consumer_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// A consumer asks for a table, imports it once the owner has approved, and leaves
// it again, on a local mesh of three accounts.
func Example() {
	ctx := context.Background()
	mesh := localmesh.New()
	defer mesh.Close()
	as := func(account string) lakemesh.Options {
		cfg := mesh.Config("arn:aws:iam::" + account + ":role/Admin")
		return lakemesh.Options{MeshAccountID: "555555555555", Config: &cfg}
	}
	owner := prepare(ctx, as)

	c, err := consumer.New(ctx, as("999999999999"))
	check(err)
	request, err := c.RequestAccessToProduct(ctx, consumer.RequestInput{OwnerAccountID: "111111111111", DatabaseName: "sales-111111111111",
		Tables: []string{"order.*"}, RequestPermissions: []string{"SELECT", "DESCRIBE"}, Notes: "for the report"})
	check(err)
	fmt.Println("asked for", request.TableName)

	check(owner.ApproveAccessRequest(ctx, producer.ApproveInput{RequestID: request.SubscriptionID}))

	imported, err := c.FinalizeSubscription(ctx, consumer.FinalizeInput{SubscriptionID: request.SubscriptionID})
	check(err)
	fmt.Println(imported.Permissions, "on", imported.Tables, "through", imported.LinkDatabase, "for", imported.Principals)

	check(c.DeleteSubscription(ctx, consumer.LeaveInput{SubscriptionID: request.SubscriptionID, Reason: "the report is written"}))
	s, err := c.GetSubscription(ctx, request.SubscriptionID)
	check(err)
	for _, e := range s.History {
		fmt.Println("-", e.Action)
	}
	// Output:
	// asked for [orders]
	// [DESCRIBE SELECT] on [orders] through sales-111111111111 for [arn:aws:iam::999999999999:role/AwsDataMesh/DataMeshConsumer]
	// - request
	// - approve
	// - import
	// - leave
}

// prepare sets the accounts up and publishes a table.
func prepare(ctx context.Context, as func(account string) lakemesh.Options) *producer.Producer {
	m, err := admin.New(ctx, as("555555555555"))
	check(err)
	_, err = m.InitializeMeshAccount(ctx, admin.InitializeMeshInput{})
	check(err)
	for account, kind := range map[string]admin.AccountType{"111111111111": admin.Producer, "999999999999": admin.Consumer} {
		_, err := admin.BootstrapAccount(ctx, admin.BootstrapInput{Type: kind, Mesh: as("555555555555"), Account: as(account)})
		check(err)
	}
	catalog := glue.NewFromConfig(*as("111111111111").Config)
	_, err = catalog.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String("sales")}})
	check(err)
	_, err = catalog.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: aws.String("sales"), TableInput: &types.TableInput{Name: aws.String("orders"),
		StorageDescriptor: &types.StorageDescriptor{Columns: []types.Column{{Name: aws.String("id"), Type: aws.String("int")}}}}})
	check(err)
	p, err := producer.New(ctx, as("111111111111"))
	check(err)
	_, err = p.CreateDataProducts(ctx, producer.CreateDataProductsInput{SourceDatabaseName: "sales"})
	check(err)
	return p
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
