package acceptance_test

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// The accounts.
const (
	meshAccount     = meshtest.MeshAccount
	producerAccount = meshtest.ProducerAccount
	otherProducer   = meshtest.OtherProducer
	consumerAccount = meshtest.ConsumerAccount
	otherConsumer   = meshtest.OtherConsumer
)

// The product: three tables whose names are easily mixed up, in one bucket. orders
// is partitioned by year.
const (
	region    = "us-east-1"
	source    = "sales"
	product   = source + "-" + producerAccount
	bucket    = "sales-data"
	orders    = "orders"
	ordersEU  = "orders_eu"
	customers = "customers"
)

func tables() []string { return []string{customers, orders, ordersEU} }

// world is a mesh with a producer that has published its tables, and a consumer.
type world struct {
	*meshtest.Mesh
	t        *testing.T
	producer *producer.Producer
	consumer *consumer.Consumer
	// producers and consumers are all that were opened, by account; what each of them is to
	// find at the end of the test stands in left, by account.
	producers map[string]*producer.Producer
	consumers map[string]*consumer.Consumer
	left      map[string][]string
	// breaks tells that the test breaks the chain on purpose, and looks at that itself.
	breaks bool
}

// published is what the worlds begin with: the tables, and the product that they are.
var published = meshtest.Once(func(m *meshtest.Mesh) {
	offer(m)
	m.Publish(producerAccount, source)
})

func newWorld(t *testing.T, opts ...localmesh.Option) *world {
	t.Helper()
	w := worldOn(t, published(t, opts...))
	w.producer, w.consumer = w.openProducer(producerAccount), w.openConsumer(consumerAccount)
	w.ResetCounts()
	return w
}

// worldOn is the world of a mesh, whose chain is looked at when the test ends.
func worldOn(t *testing.T, m *meshtest.Mesh) *world {
	w := &world{Mesh: m, t: t, producers: map[string]*producer.Producer{}, consumers: map[string]*consumer.Consumer{}, left: map[string][]string{}}
	t.Cleanup(w.chainHolds)
	return w
}

// offer makes the producer's bucket, rows and source tables.
func offer(m *meshtest.Mesh) {
	m.Bucket(producerAccount, bucket)
	m.Database(producerAccount, source)
	for _, table := range tables() {
		in := meshtest.CSV(table, location(table))
		if table == orders {
			in = meshtest.CSV(table, location(table), "year")
		}
		m.Table(producerAccount, source, in)
		m.Put(producerAccount, bucket, table+"/rows.csv", rowsOf(table))
	}
	m.Partitions(producerAccount, source, orders, strings.TrimSuffix(location(orders), "/"), 2024, 2)
	for _, part := range []string{"02024", "02025"} {
		m.Put(producerAccount, bucket, orders+"/part="+part+"/rows.csv", rowsOf(part))
	}
}

func location(table string) string { return "s3://" + bucket + "/" + table + "/" }

// rowsOf are the rows of a table's file, or of a partition's.
func rowsOf(name string) string { return "id,value\n1," + name + "\n" }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) openProducer(account string) *producer.Producer {
	w.t.Helper()
	p, err := producer.New(w.t.Context(), w.Options(account))
	w.must(err)
	w.producers[account] = p
	return p
}

func (w *world) openConsumer(account string) *consumer.Consumer {
	w.t.Helper()
	c, err := consumer.New(w.t.Context(), w.Options(account))
	w.must(err)
	w.consumers[account] = c
	return c
}

func (w *world) publish(p *producer.Producer, database string) *producer.CreateDataProductsOutput {
	w.t.Helper()
	out, err := p.CreateDataProducts(w.t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: database})
	w.must(err)
	return out
}

// request asks for the permissions on tables of the product; no table stands for
// the whole database.
func (w *world) request(names []string, wanted ...string) string {
	w.t.Helper()
	return w.requestAs(w.consumer, names, wanted...)
}

func (w *world) requestAs(c *consumer.Consumer, names []string, wanted ...string) string {
	w.t.Helper()
	out, err := c.RequestAccessToProduct(w.t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product,
		Tables: names, RequestPermissions: wanted})
	w.must(err)
	return out.SubscriptionID
}

func (w *world) approve(id string) {
	w.t.Helper()
	w.must(w.producer.ApproveAccessRequest(w.t.Context(), producer.ApproveInput{RequestID: id}))
}

func (w *world) update(id string, to ...string) {
	w.t.Helper()
	w.must(w.producer.UpdateSubscriptionPermissions(w.t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: to}))
}

func (w *world) end(id string) {
	w.t.Helper()
	w.must(w.producer.DeleteSubscription(w.t.Context(), producer.DeleteInput{SubscriptionID: id, Reason: "it is over"}))
}

func (w *world) finalize(id string, principals ...string) *consumer.FinalizeOutput {
	w.t.Helper()
	out, err := w.consumer.FinalizeSubscription(w.t.Context(), consumer.FinalizeInput{SubscriptionID: id, Principals: principals})
	w.must(err)
	return out
}

// active brings a subscription to life, up to the consumer's import.
func (w *world) active(names ...string) string {
	w.t.Helper()
	id := w.request(names, "SELECT", "DESCRIBE")
	w.approve(id)
	w.finalize(id)
	return id
}

func (w *world) get(id string) *lakemesh.Subscription {
	w.t.Helper()
	s, err := w.producer.GetSubscription(w.t.Context(), id)
	w.must(err)
	return s
}

// silent fails if do makes a writing call.
func (w *world) silent(what string, do func()) {
	w.t.Helper()
	w.ResetCounts()
	do()
	if calls := w.Writes(); len(calls) > 0 {
		w.t.Errorf("%s made writing calls: %v", what, calls)
	}
}

// inTheEnd tells whether something holds once everything is known.
func (w *world) inTheEnd(holds func() bool) bool { return meshtest.Soon(w.Mesh.Mesh, holds) }

// known is a verification to which everything that was done before it is known.
func (w *world) known(look func() (*chain.Verification, error)) (*chain.Verification, error) {
	return meshtest.Known(w.Mesh.Mesh, look)
}

// as is a configuration of a role of the mesh, which the roles of its account
// open as they do in the personas.
func (w *world) as(account, role string) aws.Config {
	return w.Config(lakemesh.RoleARN(account, role))
}

func (w *world) manager() aws.Config { return w.as(meshAccount, lakemesh.ManagerRole) }

func (w *world) meshProducer() aws.Config {
	return w.as(meshAccount, lakemesh.MeshProducerRole(producerAccount))
}

func (w *world) meshConsumer() aws.Config {
	return w.as(meshAccount, lakemesh.MeshConsumerRole(consumerAccount))
}

// self is the consumer's own role, to which access is handed on by default.
func self() string { return lakemesh.RoleARN(consumerAccount, lakemesh.ConsumerRole) }

// reader makes a role of an account that may query what Lake Formation lets it,
// and nothing else.
func (w *world) reader(account, name string) string {
	w.t.Helper()
	client := iam.NewFromConfig(w.Config(meshtest.Administrator(account)))
	out, err := client.CreateRole(w.t.Context(), &iam.CreateRoleInput{RoleName: aws.String(name), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"sts:AssumeRole"}]}`)})
	w.must(err)
	w.must(meshtest.Try(w.Mesh.Mesh, func() error {
		_, err := client.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String("query"), PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["glue:Get*","lakeformation:Get*","s3:Get*","s3:List*"],"Resource":"*"}]}`)})
		return err
	}))
	return aws.ToString(out.Role.Arn)
}

// vend asks Lake Formation for credentials to read a table as a principal.
func (w *world) vend(principal, table string) (*s3.Client, error) {
	out, err := lakeformation.NewFromConfig(w.Config(principal)).GetTemporaryGlueTableCredentials(w.ctx(), &lakeformation.GetTemporaryGlueTableCredentialsInput{
		TableArn: aws.String(lakemesh.TableARN(region, meshAccount, product, table)), Permissions: []lftypes.Permission{lftypes.PermissionSelect},
		SupportedPermissionTypes: []lftypes.PermissionType{lftypes.PermissionTypeColumnPermission}})
	if err != nil {
		return nil, err
	}
	return w.withKeys(out.AccessKeyId, out.SecretAccessKey, out.SessionToken), nil
}

func (w *world) withKeys(id, secret, token *string) *s3.Client {
	keys := credentials.NewStaticCredentialsProvider(aws.ToString(id), aws.ToString(secret), aws.ToString(token))
	return identity.S3(w.ConfigWith(keys))
}

// ctx outlives the test's own, for helpers that clean up.
func (w *world) ctx() context.Context { return context.WithoutCancel(w.t.Context()) }

// fetch reads an object.
func (w *world) fetch(client *s3.Client, key string) (string, error) {
	out, err := client.GetObject(w.ctx(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	rows, err := io.ReadAll(out.Body)
	return string(rows), err
}

// read reads a table's rows as a principal, by credentials that Lake Formation vends.
func (w *world) read(principal, table string) (string, error) {
	client, err := w.vend(principal, table)
	if err != nil {
		return "", err
	}
	return w.fetch(client, table+"/rows.csv")
}

func (w *world) reads(principal string, names ...string) {
	w.t.Helper()
	for _, table := range names {
		var rows string
		var err error
		if !w.inTheEnd(func() bool { rows, err = w.read(principal, table); return err == nil && rows == rowsOf(table) }) {
			w.t.Errorf("%s reads %s: %q, %v; want its rows", principal, table, rows, err)
		}
	}
}

// refused checks that AWS itself refuses a principal the rows of tables.
func (w *world) refused(principal string, names ...string) {
	w.t.Helper()
	for _, table := range names {
		var rows string
		var err error
		if !w.inTheEnd(func() bool { rows, err = w.read(principal, table); return awserr.Denied(err) }) {
			w.t.Errorf("%s reads %s: %q, %v; want AWS to deny it", principal, table, rows, err)
		}
	}
}

// denied checks that AWS denied an attempt.
func (w *world) denied(what string, err error) {
	w.t.Helper()
	if !awserr.Denied(err) {
		w.t.Errorf("%s: %v; want AWS to deny it", what, err)
	}
}

// lake is the mesh's Lake Formation, as its administrator.
func (w *world) lake() *permissions.Lake {
	return &permissions.Lake{Client: lakeformation.NewFromConfig(w.manager()), Account: meshAccount}
}

// grants are what an account holds in the mesh on the product: "database", "*" for
// all tables, or a table's name, to "permissions / grantable".
func (w *world) grants(account string) map[string]string {
	w.t.Helper()
	got := map[string]string{}
	for _, kind := range []lftypes.DataLakeResourceType{lftypes.DataLakeResourceTypeDatabase, lftypes.DataLakeResourceTypeTable} {
		all, err := w.lake().ObserveKind(w.ctx(), kind)
		w.must(err)
		for _, e := range all.Entries() {
			if e.Principal != account || e.Resource.Database != product {
				continue
			}
			name := e.Resource.Table
			switch e.Resource.Kind {
			case permissions.KindDatabase:
				name = "database"
			case permissions.KindAllTables:
				name = "*"
			}
			got[name] = e.Permissions.String() + " / " + e.Grantable.String()
		}
	}
	return got
}

// holds checks everything that an account holds in the mesh.
func (w *world) holds(account string, want map[string]string) {
	w.t.Helper()
	if want == nil {
		want = map[string]string{}
	}
	if diff := cmp.Diff(want, w.grants(account)); diff != "" {
		w.t.Errorf("account %s holds (-want +got):\n%s", account, diff)
	}
}

// bucketPolicy is the bucket's policy; empty if it has none.
func (w *world) bucketPolicy() string {
	w.t.Helper()
	client := w.S3(producerAccount)
	policy, err := meshtest.Known(w.Mesh.Mesh, func() (string, error) {
		out, err := client.GetBucketPolicy(w.ctx(), &s3.GetBucketPolicyInput{Bucket: aws.String(bucket)})
		if awserr.Is(err, "NoSuchBucketPolicy") {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		return aws.ToString(out.Policy), nil
	})
	w.must(err)
	return policy
}

// pending are the requests that a producer is shown as pending.
func (w *world) pending(p *producer.Producer) []producer.PendingRequest {
	w.t.Helper()
	out, err := meshtest.Known(w.Mesh.Mesh, func() (*producer.ListPendingOutput, error) { return p.ListPendingAccessRequests(w.ctx()) })
	w.must(err)
	return out.Subscriptions
}

// owned are the subscriptions that a producer is shown.
func (w *world) owned(p *producer.Producer, in producer.ListSubscriptionsInput) []lakemesh.Subscription {
	w.t.Helper()
	out, err := meshtest.Known(w.Mesh.Mesh, func() (*producer.ListSubscriptionsOutput, error) { return p.ListSubscriptions(w.ctx(), in) })
	w.must(err)
	return out.Subscriptions
}

// used are the subscriptions that a consumer is shown.
func (w *world) used(c *consumer.Consumer, in consumer.ListInput) []lakemesh.Subscription {
	w.t.Helper()
	out, err := meshtest.Known(w.Mesh.Mesh, func() (*consumer.ListOutput, error) { return c.ListProductAccess(w.ctx(), in) })
	w.must(err)
	return out.Subscriptions
}

// open are the prefixes of the bucket that the mesh's role may read.
func (w *world) open() []string {
	w.t.Helper()
	policy := w.bucketPolicy()
	if policy == "" {
		return nil
	}
	if !json.Valid([]byte(policy)) {
		w.t.Fatalf("the bucket's policy is no JSON: %s", policy)
	}
	prefixes, err := storage.Prefixes(policy, bucket, lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount)))
	w.must(err)
	slices.Sort(prefixes)
	return prefixes
}

// opens checks which prefixes are open.
func (w *world) opens(names ...string) {
	w.t.Helper()
	want := []string{}
	for _, table := range names {
		want = append(want, table+"/")
	}
	slices.Sort(want)
	if got := w.open(); !slices.Equal(got, want) {
		w.t.Errorf("open prefixes are %v, want %v", got, want)
	}
}

type item = map[string]dynamotypes.AttributeValue

func str(s string) dynamotypes.AttributeValue { return &dynamotypes.AttributeValueMemberS{Value: s} }

func list(all ...string) dynamotypes.AttributeValue {
	l := &dynamotypes.AttributeValueMemberL{Value: []dynamotypes.AttributeValue{}}
	for _, s := range all {
		l.Value = append(l.Value, str(s))
	}
	return l
}

func keyOf(id string) item { return item{"SubscriptionId": str(id)} }

// raw reads a record as it stands, as the mesh's administrator.
func (w *world) raw(id string) item {
	w.t.Helper()
	out, err := dynamodb.NewFromConfig(w.Config(meshtest.Administrator(meshAccount))).GetItem(w.ctx(), &dynamodb.GetItemInput{
		TableName: aws.String(lakemesh.SubscriptionsTable), Key: keyOf(id), ConsistentRead: aws.Bool(true)})
	w.must(err)
	return out.Item
}

// put writes an item as the mesh's administrator.
func (w *world) put(i item) {
	w.t.Helper()
	_, err := dynamodb.NewFromConfig(w.Config(meshtest.Administrator(meshAccount))).PutItem(w.ctx(), &dynamodb.PutItemInput{
		TableName: aws.String(lakemesh.SubscriptionsTable), Item: i})
	w.must(err)
}

// set sets attributes of an item; a nil value removes one.
func (w *world) set(cfg aws.Config, id string, values item) error {
	in := &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.SubscriptionsTable), Key: keyOf(id),
		ExpressionAttributeNames: map[string]string{}, ExpressionAttributeValues: item{}}
	var sets, removes []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		in.ExpressionAttributeNames["#"+name] = name
		if values[name] == nil {
			removes = append(removes, "#"+name)
			continue
		}
		in.ExpressionAttributeValues[":"+name] = values[name]
		sets = append(sets, "#"+name+" = :"+name)
	}
	var clauses []string
	if len(sets) > 0 {
		clauses = append(clauses, "SET "+strings.Join(sets, ", "))
	} else {
		in.ExpressionAttributeValues = nil
	}
	if len(removes) > 0 {
		clauses = append(clauses, "REMOVE "+strings.Join(removes, ", "))
	}
	in.UpdateExpression = aws.String(strings.Join(clauses, " "))
	_, err := dynamodb.NewFromConfig(cfg).UpdateItem(w.ctx(), in)
	return err
}
