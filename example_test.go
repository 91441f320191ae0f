package lakemesh_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// The whole life of a data product on a local mesh. On AWS, leave Config out and
// let the SDK find credentials, or set Credentials.
func Example() {
	ctx := context.Background()
	mesh := localmesh.New()
	defer func() { _ = mesh.Close() }()
	options := func(account string) lakemesh.Options {
		cfg := mesh.Config("arn:aws:iam::" + account + ":role/Admin")
		return lakemesh.Options{MeshAccountID: "555555555555", Config: &cfg}
	}
	must(try(admin.New(ctx, options("555555555555"))).InitializeMeshAccount(ctx, admin.InitializeMeshInput{}))
	for account, kind := range map[string]admin.AccountType{"111111111111": admin.Producer, "999999999999": admin.Consumer} {
		must(admin.BootstrapAccount(ctx, admin.BootstrapInput{Type: kind, Mesh: options("555555555555"), Account: options(account)}))
	}
	check(weather(ctx, mesh.Config("arn:aws:iam::111111111111:role/Admin")))

	owner := try(producer.New(ctx, options("111111111111")))
	product := try(owner.CreateDataProducts(ctx, producer.CreateDataProductsInput{SourceDatabaseName: "aviation", DataProductName: "us-aviation"}))
	asker := try(consumer.New(ctx, options("999999999999")))
	request := try(asker.RequestAccessToProduct(ctx, consumer.RequestInput{
		OwnerAccountID: "111111111111", DatabaseName: product.DatabaseName, Tables: []string{"weather"}, RequestPermissions: []string{"SELECT"}}))
	check(owner.ApproveAccessRequest(ctx, producer.ApproveInput{RequestID: request.SubscriptionID}))
	must(asker.FinalizeSubscription(ctx, consumer.FinalizeInput{SubscriptionID: request.SubscriptionID}))
	check(owner.DeleteSubscription(ctx, producer.DeleteInput{SubscriptionID: request.SubscriptionID, Reason: "done"}))
	for _, event := range try(owner.GetSubscription(ctx, request.SubscriptionID)).History {
		fmt.Println(event.Action, event.To)
	}
	// Output:
	// request Pending
	// approve Active
	// import Active
	// delete Deleted
}

// weather makes the producer's own table, as any program would.
func weather(ctx context.Context, cfg aws.Config) error {
	if _, err := s3.NewFromConfig(cfg).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("us-aviation")}); err != nil {
		return err
	}
	catalog := glue.NewFromConfig(cfg)
	if _, err := catalog.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String("aviation")}}); err != nil {
		return err
	}
	_, err := catalog.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: aws.String("aviation"), TableInput: &types.TableInput{
		Name: aws.String("weather"), StorageDescriptor: &types.StorageDescriptor{Location: aws.String("s3://us-aviation/weather/"),
			Columns: []types.Column{{Name: aws.String("date"), Type: aws.String("date")}}}}})
	return err
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func try[T any](value T, err error) T {
	check(err)
	return value
}

func must[T any](_ T, err error) { check(err) }
