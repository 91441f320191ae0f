package consumer_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// The accounts of the tests.
const (
	meshAccount     = meshtest.MeshAccount
	producerAccount = meshtest.ProducerAccount
	consumerAccount = meshtest.ConsumerAccount
	otherAccount    = meshtest.OtherConsumer
)

// The product of the tests: three tables with near names in one database.
const (
	database   = "sales-" + producerAccount
	bucket     = "sales-data"
	ordersRow  = "4711,umbrella"
	region     = "us-east-1"
	analystARN = "arn:aws:iam::" + consumerAccount + ":role/team/Analyst"
)

func productTables() []string { return []string{"orders", "orders_eu", "customers"} }

// world is a mesh with one producer, its product, and consumers.
type world struct {
	t        *testing.T
	mesh     *meshtest.Mesh
	producer *producer.Producer
	consumer *consumer.Consumer
}

// published is what the worlds begin with: the tables, and the product that they are.
var published = meshtest.Once(func(m *meshtest.Mesh) {
	m.Bucket(producerAccount, bucket)
	m.Database(producerAccount, "sales")
	for _, table := range productTables() {
		m.Table(producerAccount, "sales", meshtest.CSV(table, "s3://"+bucket+"/"+table+"/"))
		m.Put(producerAccount, bucket, table+"/rows.csv", ordersRow)
	}
	m.Publish(producerAccount, "sales")
})

func newWorld(t *testing.T, opts ...localmesh.Option) *world {
	t.Helper()
	w := &world{t: t, mesh: published(t, opts...)}
	var err error
	w.producer, err = producer.New(t.Context(), w.mesh.Options(producerAccount))
	w.must(err)
	w.consumer = w.open(consumerAccount)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) publish(in producer.CreateDataProductsInput) {
	w.t.Helper()
	_, err := w.producer.CreateDataProducts(w.t.Context(), in)
	w.must(err)
}

func (w *world) open(account string) *consumer.Consumer {
	w.t.Helper()
	c, err := consumer.New(w.t.Context(), w.mesh.Options(account))
	w.must(err)
	return c
}

// analyst makes a role of the consumer's account that may query, and nothing else.
func (w *world) analyst() string {
	w.t.Helper()
	client := iam.NewFromConfig(w.mesh.Config(meshtest.Administrator(consumerAccount)))
	_, err := client.CreateRole(w.t.Context(), &iam.CreateRoleInput{RoleName: aws.String("Analyst"), Path: aws.String("/team/"),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + consumerAccount + `:root"},"Action":"sts:AssumeRole"}]}`)})
	w.must(err)
	w.must(meshtest.Try(w.mesh.Mesh, func() error {
		_, err := client.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("Analyst"), PolicyName: aws.String("query"),
			PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["glue:Get*","lakeformation:GetDataAccess","lakeformation:GetTemporaryGlueTableCredentials"],"Resource":"*"}]}`)})
		return err
	}))
	return analystARN
}

func self() string { return lakemesh.RoleARN(consumerAccount, lakemesh.ConsumerRole) }

// read reads the rows of a table as a principal: it asks Lake Formation for
// credentials for the table, and S3 for the object with them.
func (w *world) read(principal, table string) (string, error) {
	ctx := context.WithoutCancel(w.t.Context())
	out, err := lakeformation.NewFromConfig(w.mesh.Config(principal)).GetTemporaryGlueTableCredentials(ctx, &lakeformation.GetTemporaryGlueTableCredentialsInput{
		TableArn: aws.String(lakemesh.TableARN(region, meshAccount, database, table)), Permissions: []lftypes.Permission{lftypes.PermissionSelect},
		SupportedPermissionTypes: []lftypes.PermissionType{lftypes.PermissionTypeColumnPermission}})
	if err != nil {
		return "", err
	}
	vended := credentials.NewStaticCredentialsProvider(aws.ToString(out.AccessKeyId), aws.ToString(out.SecretAccessKey), aws.ToString(out.SessionToken))
	object, err := s3.NewFromConfig(w.mesh.ConfigWith(vended)).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(table + "/rows.csv")})
	if err != nil {
		return "", err
	}
	defer object.Body.Close()
	rows, err := io.ReadAll(object.Body)
	return string(rows), err
}

func (w *world) reads(principal, table string) {
	w.t.Helper()
	var rows string
	var err error
	if !meshtest.Soon(w.mesh.Mesh, func() bool { rows, err = w.read(principal, table); return err == nil && rows == ordersRow }) {
		w.t.Errorf("%s reads %s: %q, %v; want the rows", principal, table, rows, err)
	}
}

func (w *world) refused(principal, table string) {
	w.t.Helper()
	var rows string
	var err error
	denied := func() bool {
		rows, err = w.read(principal, table)
		return err != nil && strings.Contains(err.Error(), "AccessDenied")
	}
	if !meshtest.Soon(w.mesh.Mesh, denied) {
		w.t.Errorf("%s reads %s: %q, %v; want AccessDenied", principal, table, rows, err)
	}
}

// request asks for SELECT and DESCRIBE on tables.
func (w *world) request(tables ...string) string {
	w.t.Helper()
	out, err := w.consumer.RequestAccessToProduct(w.t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: database,
		Tables: tables, RequestPermissions: []string{"SELECT", "DESCRIBE"}})
	w.must(err)
	return out.SubscriptionID
}

func (w *world) approve(id string) {
	w.t.Helper()
	w.must(w.producer.ApproveAccessRequest(w.t.Context(), producer.ApproveInput{RequestID: id}))
}

func (w *world) finalize(id string, principals ...string) *consumer.FinalizeOutput {
	w.t.Helper()
	out, err := w.consumer.FinalizeSubscription(w.t.Context(), consumer.FinalizeInput{SubscriptionID: id, Principals: principals})
	w.must(err)
	return out
}

// list are the subscriptions that the consumer is shown.
func (w *world) list(in consumer.ListInput) []lakemesh.Subscription {
	w.t.Helper()
	out, err := meshtest.Known(w.mesh.Mesh, func() (*consumer.ListOutput, error) { return w.consumer.ListProductAccess(w.t.Context(), in) })
	w.must(err)
	return out.Subscriptions
}

// active asks for tables, has it approved and imports it.
func (w *world) active(tables ...string) string {
	w.t.Helper()
	id := w.request(tables...)
	w.approve(id)
	w.finalize(id)
	return id
}

// silent fails if do makes a writing call.
func (w *world) silent(what string, do func()) {
	w.t.Helper()
	w.mesh.ResetCounts()
	do()
	if calls := w.mesh.Writes(); len(calls) > 0 {
		w.t.Errorf("%s made writing calls: %v", what, calls)
	}
}
