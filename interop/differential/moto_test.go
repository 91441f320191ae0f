package differential

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

const (
	meshAccount     = meshtest.MeshAccount
	producerAccount = meshtest.ProducerAccount
	consumerAccount = meshtest.ConsumerAccount
	sourceBucket    = "moto-flights"
	product         = "aviation-" + producerAccount
)

// life is the personas' life, each call of which goes to both servers.
type life struct {
	*tee
	t *testing.T
}

func TestMoto(t *testing.T) {
	t.Parallel()
	known := newMotoList()
	x := newTee(t, known)
	t.Run("the personas' life", func(t *testing.T) {
		x.t = t
		l := life{x, t}
		l.accounts()
		l.source()
		l.publish()
		l.subscriptions()
	})
	for _, part := range []struct {
		name string
		run  func(*tee, *rand.Rand)
	}{
		{"iam", iamCalls}, {"sts", stsCalls}, {"s3", s3Calls}, {"glue", glueCalls}, {"dynamodb", dynamodbCalls},
	} {
		t.Run("generated calls to "+part.name, func(t *testing.T) {
			x.t = t
			part.run(x, rand.New(rand.NewPCG(20120810, uint64(len(part.name)))))
		})
	}
	calls := 0
	for _, operation := range slices.Sorted(maps.Keys(x.compared)) {
		calls += x.compared[operation]
		t.Logf("%5d %s", x.compared[operation], operation)
	}
	t.Logf("%5d calls in all", calls)
	known.stillThere(t)
}

func (l life) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l life) options(account string) lakemesh.Options {
	cfg := l.config(account, "Admin")
	// One call at a time is easier to compare.
	return lakemesh.Options{MeshAccountID: meshAccount, Config: &cfg, Concurrency: 1}
}

func (l life) admin(account string) *admin.Admin {
	a, err := admin.New(l.t.Context(), l.options(account))
	l.must(err)
	return a
}

func (l life) accounts() {
	ctx := l.t.Context()
	mesh, prod, cons := l.admin(meshAccount), l.admin(producerAccount), l.admin(consumerAccount)
	// Everything twice: the second time finds what the first one made.
	for range 2 {
		_, err := mesh.InitializeMeshAccount(ctx, admin.InitializeMeshInput{AllowFullTableExternalDataAccess: new(true)})
		l.must(err)
		_, err = prod.InitializeProducerAccount(ctx, admin.InitializeProducerInput{Buckets: []string{sourceBucket}})
		l.must(err)
		_, err = cons.InitializeConsumerAccount(ctx, admin.InitializeConsumerInput{})
		l.must(err)
		_, err = mesh.EnableAccountAsProducer(ctx, admin.EnableProducerInput{AccountID: producerAccount})
		l.must(err)
		_, err = mesh.EnableAccountAsConsumer(ctx, admin.EnableConsumerInput{AccountID: consumerAccount})
		l.must(err)
	}
	for _, a := range []*admin.Admin{mesh, prod, cons} {
		_, err := a.Status(ctx)
		l.must(err)
	}
}

// source makes the producer's tables.
func (l life) source() {
	ctx := l.t.Context()
	cfg := l.config(producerAccount, "Admin")
	_, err := identity.S3(cfg).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(sourceBucket)})
	l.must(err)
	g := glue.NewFromConfig(cfg)
	_, err = g.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String("aviation"), Description: aws.String("flights")}})
	l.must(err)
	for _, name := range []string{"airports", "routes"} {
		_, err = g.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: aws.String("aviation"), TableInput: meshtest.CSV(name, "s3://"+sourceBucket+"/"+name+"/")})
		l.must(err)
	}
	_, err = g.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: aws.String("aviation"), TableInput: meshtest.CSV("weather", "s3://"+sourceBucket+"/weather/", "part")})
	l.must(err)
	var partitions []types.PartitionInput
	for _, day := range []string{"1", "2", "3"} {
		sd := meshtest.CSV("weather", "s3://"+sourceBucket+"/weather/part="+day).StorageDescriptor
		partitions = append(partitions, types.PartitionInput{Values: []string{day}, StorageDescriptor: sd})
	}
	_, err = g.BatchCreatePartition(ctx, &glue.BatchCreatePartitionInput{DatabaseName: aws.String("aviation"), TableName: aws.String("weather"), PartitionInputList: partitions})
	l.must(err)
}

func (l life) publish() {
	ctx := l.t.Context()
	p := l.producer()
	for range 2 {
		_, err := p.CreateDataProducts(ctx, producer.CreateDataProductsInput{SourceDatabaseName: "aviation", Domain: "travel", DataProductName: "flights"})
		l.must(err)
	}
	_, err := p.GetDataProduct(ctx, producer.GetDataProductInput{DatabaseName: product})
	l.must(err)
}

func (l life) producer() *producer.Producer {
	p, err := producer.New(l.t.Context(), l.options(producerAccount))
	l.must(err)
	return p
}

func (l life) subscriptions() {
	ctx := l.t.Context()
	p := l.producer()
	c, err := consumer.New(ctx, l.options(consumerAccount))
	l.must(err)
	request := func(tables ...string) string {
		out, err := c.RequestAccessToProduct(ctx, consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product, Tables: tables,
			RequestPermissions: []string{"SELECT", "DESCRIBE"}, Notes: "please"})
		l.must(err)
		return out.SubscriptionID
	}
	_, err = c.ListProducts(ctx, consumer.ListProductsInput{})
	l.must(err)
	first, second, third, fourth := request("airports"), request("airports", "weather"), request("routes"), request("weather")
	_, err = p.ListPendingAccessRequests(ctx)
	l.must(err)
	l.must(p.ApproveAccessRequest(ctx, producer.ApproveInput{RequestID: first}))
	l.must(p.ApproveAccessRequest(ctx, producer.ApproveInput{RequestID: second, DecisionNotes: "welcome"}))
	l.must(p.DenyAccessRequest(ctx, producer.DenyInput{RequestID: third, DecisionNotes: "no"}))
	l.must(c.CancelAccessRequest(ctx, consumer.CancelInput{SubscriptionID: fourth, Reason: "not needed"}))
	if err := p.ApproveAccessRequest(ctx, producer.ApproveInput{RequestID: fourth}); err == nil {
		l.t.Error("a cancelled request was approved")
	}
	for _, id := range []string{first, second} {
		_, err := c.FinalizeSubscription(ctx, consumer.FinalizeInput{SubscriptionID: id})
		l.must(err)
	}
	_, err = c.GetTableInfo(ctx, consumer.TableInfoInput{DatabaseName: product, TableName: "weather"})
	l.must(err)
	_, err = c.ListProductAccess(ctx, consumer.ListInput{})
	l.must(err)
	l.must(p.UpdateSubscriptionPermissions(ctx, producer.UpdateInput{SubscriptionID: first, GrantPermissions: []string{"SELECT"}}))
	_, err = p.ListSubscriptions(ctx, producer.ListSubscriptionsInput{})
	l.must(err)
	_, err = p.GetSubscription(ctx, first)
	l.must(err)
	l.must(p.DeleteSubscription(ctx, producer.DeleteInput{SubscriptionID: first, Reason: "over"}))
	l.must(c.DeleteSubscription(ctx, consumer.LeaveInput{SubscriptionID: second, Reason: "moved"}))
	_, err = p.SettleDepartures(ctx)
	l.must(err)
	_, err = c.GetSubscription(ctx, second)
	l.must(err)
}
