package producer_test

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
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// publishAndLook publishes a database, and shows what approving each pending
// request would do. It is the code of the README.
func publishAndLook(ctx context.Context, options lakemesh.Options) error {
	p, err := producer.New(ctx, options)
	if err != nil {
		return err
	}
	product, err := p.CreateDataProducts(ctx, producer.CreateDataProductsInput{
		SourceDatabaseName: "aviation", Domain: "transport", DataProductName: "us-aviation"})
	if err != nil {
		return err
	}
	fmt.Println("published in", product.DatabaseName)
	pending, err := p.ListPendingAccessRequests(ctx)
	if err != nil {
		return err
	}
	for _, request := range pending.Subscriptions {
		todo, err := p.PlanApproveAccessRequest(ctx, producer.ApproveInput{RequestID: request.SubscriptionID})
		if err != nil {
			return err
		}
		fmt.Print(todo)
	}
	return nil
}

func Example() {
	ctx := context.Background()
	mesh := localmesh.New()
	defer func() { _ = mesh.Close() }()
	options, err := exampleAccounts(ctx, mesh)
	if err == nil {
		err = publishAndLook(ctx, options)
	}
	if err != nil {
		log.Fatal(err)
	}
	// Output: published in aviation-111111111111
}

// exampleAccounts sets a mesh account and a producer with one table up.
func exampleAccounts(ctx context.Context, mesh *localmesh.Mesh) (lakemesh.Options, error) {
	options := func(account string) lakemesh.Options {
		cfg := mesh.Config("arn:aws:iam::" + account + ":role/Admin")
		return lakemesh.Options{MeshAccountID: meshtest.MeshAccount, Config: &cfg}
	}
	owner := options(meshtest.ProducerAccount)
	a, err := admin.New(ctx, options(meshtest.MeshAccount))
	if err != nil {
		return owner, err
	}
	if _, err := a.InitializeMeshAccount(ctx, admin.InitializeMeshInput{}); err != nil {
		return owner, err
	}
	_, err = admin.BootstrapAccount(ctx, admin.BootstrapInput{Type: admin.Producer, Mesh: options(meshtest.MeshAccount), Account: owner})
	if err != nil {
		return owner, err
	}
	if _, err := identity.S3(*owner.Config).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("us-aviation")}); err != nil {
		return owner, err
	}
	catalog := glue.NewFromConfig(*owner.Config)
	_, err = catalog.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String("aviation")}})
	if err != nil {
		return owner, err
	}
	_, err = catalog.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: aws.String("aviation"), TableInput: meshtest.CSV("weather", "s3://us-aviation/weather/")})
	return owner, err
}
