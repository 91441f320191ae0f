package consumer_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// The accounts of the tests.
const (
	meshAccount     = "555555555555"
	producerAccount = "111111111111"
	consumerAccount = "999999999999"
	otherAccount    = "888888888888"
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
	mesh     *localmesh.Mesh
	producer *producer.Producer
	consumer *consumer.Consumer
}

// options open a persona as a principal.
func (w *world) options(arn string) lakemesh.Options {
	cfg := w.mesh.Config(arn)
	return lakemesh.Options{MeshAccountID: meshAccount, Config: &cfg}
}

func administrator(account string) string { return "arn:aws:iam::" + account + ":role/Admin" }

func newWorld(t *testing.T, opts ...localmesh.Option) *world {
	t.Helper()
	w := &world{t: t, mesh: localmesh.Run(t, opts...)}
	m := w.admin(meshAccount)
	_, err := m.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{AllowFullTableExternalDataAccess: true})
	w.must(err)
	_, err = w.admin(producerAccount).InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{})
	w.must(err)
	_, err = m.EnableAccountAsProducer(t.Context(), admin.EnableProducerInput{AccountID: producerAccount})
	w.must(err)
	w.publish()
	w.producer, err = producer.New(t.Context(), w.options(administrator(producerAccount)))
	w.must(err)
	w.consumer = w.enable(consumerAccount)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) admin(account string) *admin.Admin {
	w.t.Helper()
	a, err := admin.New(w.t.Context(), w.options(administrator(account)))
	w.must(err)
	return a
}

// enable makes an account a consumer and opens it.
func (w *world) enable(account string) *consumer.Consumer {
	w.t.Helper()
	_, err := w.admin(account).InitializeConsumerAccount(w.t.Context(), admin.InitializeConsumerInput{})
	w.must(err)
	_, err = w.admin(meshAccount).EnableAccountAsConsumer(w.t.Context(), admin.EnableConsumerInput{AccountID: account})
	w.must(err)
	w.mayRead(account)
	return w.open(account)
}

// mayRead lets DataMeshConsumer itself ask for credentials, as a query engine does
// for its users.
func (w *world) mayRead(account string) {
	w.t.Helper()
	_, err := iam.NewFromConfig(w.mesh.Config(administrator(account))).PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{
		RoleName: aws.String(lakemesh.ConsumerRole), PolicyName: aws.String("read"), PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lakeformation:GetTemporaryGlueTableCredentials","glue:DeleteDatabase"],"Resource":"*"}]}`)})
	w.must(err)
}

func (w *world) open(account string) *consumer.Consumer {
	w.t.Helper()
	c, err := consumer.New(w.t.Context(), w.options(administrator(account)))
	w.must(err)
	return c
}

// publish makes the product as the producer's role in the mesh account.
func (w *world) publish() {
	w.t.Helper()
	ctx := w.t.Context()
	objects := s3.NewFromConfig(w.mesh.Config(administrator(producerAccount)))
	_, err := objects.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket)})
	w.must(err)
	role := w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)))
	catalog, lake := glue.NewFromConfig(role), lakeformation.NewFromConfig(role)
	_, err = catalog.CreateDatabase(ctx, &glue.CreateDatabaseInput{CatalogId: aws.String(meshAccount), DatabaseInput: &gluetypes.DatabaseInput{
		Name: aws.String(database), CreateTableDefaultPermissions: []gluetypes.PrincipalPermissions{}}})
	w.must(err)
	// Who makes a database may not grant on all of its tables: that is for an
	// administrator to permit.
	manager := lakeformation.NewFromConfig(w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole)))
	everything := []lftypes.Permission{lftypes.PermissionAll}
	_, err = manager.GrantPermissions(ctx, &lakeformation.GrantPermissionsInput{Permissions: everything, PermissionsWithGrantOption: everything,
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)))},
		Resource: &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(database),
			TableWildcard: &lftypes.TableWildcard{}}}})
	w.must(err)
	w.showPublicly(lake, &lftypes.Resource{Database: &lftypes.DatabaseResource{CatalogId: aws.String(meshAccount), Name: aws.String(database)}})
	for _, table := range productTables() {
		_, err := objects.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(table + "/rows.csv"), Body: strings.NewReader(ordersRow)})
		w.must(err)
		_, err = lake.RegisterResource(ctx, &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::" + bucket + "/" + table),
			RoleArn: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole)), WithPrivilegedAccess: true})
		w.must(err)
		w.createTable(table)
	}
}

func (w *world) createTable(table string) {
	w.t.Helper()
	role := w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)))
	_, err := glue.NewFromConfig(role).CreateTable(w.t.Context(), &glue.CreateTableInput{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(database),
		TableInput: &gluetypes.TableInput{Name: aws.String(table), Owner: aws.String(producerAccount), TableType: aws.String("EXTERNAL_TABLE"),
			Description: aws.String("the " + table),
			PartitionKeys: []gluetypes.Column{
				{Name: aws.String("year"), Type: aws.String("int")},
			},
			StorageDescriptor: &gluetypes.StorageDescriptor{Location: aws.String("s3://" + bucket + "/" + table + "/"), Columns: []gluetypes.Column{
				{Name: aws.String("id"), Type: aws.String("int"), Comment: aws.String("the number")},
				{Name: aws.String("item"), Type: aws.String("string")},
			}}}})
	w.must(err)
	w.showPublicly(lakeformation.NewFromConfig(role), &lftypes.Resource{Table: &lftypes.TableResource{
		CatalogId: aws.String(meshAccount), DatabaseName: aws.String(database), Name: aws.String(table)}})
}

// showPublicly lets the mesh's read-only role describe an object.
func (w *world) showPublicly(lake *lakeformation.Client, r *lftypes.Resource) {
	w.t.Helper()
	_, err := lake.GrantPermissions(w.t.Context(), &lakeformation.GrantPermissionsInput{
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.ReadOnlyRole))},
		Resource:  r, Permissions: []lftypes.Permission{lftypes.PermissionDescribe}})
	w.must(err)
}

// analyst makes a role of the consumer's account that may query, and nothing else.
func (w *world) analyst() string {
	w.t.Helper()
	client := iam.NewFromConfig(w.mesh.Config(administrator(consumerAccount)))
	_, err := client.CreateRole(w.t.Context(), &iam.CreateRoleInput{RoleName: aws.String("Analyst"), Path: aws.String("/team/"),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + consumerAccount + `:root"},"Action":"sts:AssumeRole"}]}`)})
	w.must(err)
	_, err = client.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("Analyst"), PolicyName: aws.String("query"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["glue:Get*","lakeformation:GetDataAccess","lakeformation:GetTemporaryGlueTableCredentials"],"Resource":"*"}]}`)})
	w.must(err)
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
	if rows, err := w.read(principal, table); err != nil || rows != ordersRow {
		w.t.Errorf("%s reads %s: %q, %v; want the rows", principal, table, rows, err)
	}
}

func (w *world) refused(principal, table string) {
	w.t.Helper()
	if rows, err := w.read(principal, table); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
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

// active asks for tables, has it approved and imports it.
func (w *world) active(tables ...string) string {
	w.t.Helper()
	id := w.request(tables...)
	w.approve(id)
	w.finalize(id)
	return id
}

// writes are the writing calls since the counts were reset.
func (w *world) writes() []string {
	var found []string
	for _, c := range w.mesh.Counts() {
		reading := false
		for _, prefix := range []string{"Get", "List", "Describe", "Query", "BatchGet", "AssumeRole", "Search"} {
			reading = reading || strings.HasPrefix(c.Operation, prefix)
		}
		if !reading {
			found = append(found, c.Service+":"+c.Operation)
		}
	}
	return found
}

// silent fails if do makes a writing call.
func (w *world) silent(what string, do func()) {
	w.t.Helper()
	w.mesh.ResetCounts()
	do()
	if calls := w.writes(); len(calls) > 0 {
		w.t.Errorf("%s made writing calls: %v", what, calls)
	}
}
