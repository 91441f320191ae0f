package producer_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	meshAccount     = meshtest.MeshAccount
	producerAccount = meshtest.ProducerAccount
	consumerAccount = meshtest.ConsumerAccount
	otherConsumer   = meshtest.OtherConsumer

	sourceDatabase = "sales"
	meshDatabase   = sourceDatabase + "-" + producerAccount
	bucket         = "sales-data"
)

// world is a mesh with one producer, which has published three tables with names
// that are easily mixed up, and two consumers.
type world struct {
	mesh     *localmesh.Mesh
	accounts *meshtest.Mesh
	producer *producer.Producer
	asking   map[string]*consumer.Consumer
}

// publishedWorld is what the worlds begin with: the tables, and the product that they are.
var publishedWorld = meshtest.Once(func(m *meshtest.Mesh) {
	m.AddConsumer(otherConsumer)
	m.Bucket(producerAccount, bucket)
	m.Database(producerAccount, sourceDatabase)
	for _, table := range []string{"orders", "orders_eu", "customers"} {
		m.Table(producerAccount, sourceDatabase, meshtest.CSV(table, "s3://"+bucket+"/"+table+"/"))
		m.Put(producerAccount, bucket, table+"/rows.csv", "1,"+table+"\n")
	}
	m.Publish(producerAccount, sourceDatabase)
})

func newWorld(t *testing.T, opts ...localmesh.Option) *world {
	t.Helper()
	accounts := publishedWorld(t, opts...)
	w := &world{mesh: accounts.Mesh.Mesh, accounts: accounts, asking: map[string]*consumer.Consumer{}}
	w.producer = w.openProducer(t)
	for _, account := range []string{consumerAccount, otherConsumer} {
		c, err := consumer.New(t.Context(), accounts.Options(account))
		if err != nil {
			t.Fatal(err)
		}
		w.asking[account] = c
	}
	return w
}

// openProducer opens the producer anew, as another program would.
func (w *world) openProducer(t *testing.T) *producer.Producer {
	t.Helper()
	p, err := producer.New(t.Context(), w.accounts.Options(producerAccount))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// request asks for tables of the published database, as a consumer.
func (w *world) request(t *testing.T, account string, tables []string, permissions ...string) string {
	t.Helper()
	out, err := w.asking[account].RequestAccessToProduct(t.Context(), consumer.RequestInput{
		OwnerAccountID: producerAccount, DatabaseName: meshDatabase, Tables: tables, RequestPermissions: permissions})
	if err != nil {
		t.Fatal(err)
	}
	return out.SubscriptionID
}

func (w *world) approve(t *testing.T, in producer.ApproveInput) {
	t.Helper()
	if err := w.producer.ApproveAccessRequest(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// end brings a subscription to its end, whatever its state.
func (w *world) end(t *testing.T, id string) {
	t.Helper()
	var err error
	switch w.get(t, id).Status {
	case lakemesh.Pending:
		err = w.producer.DenyAccessRequest(t.Context(), producer.DenyInput{RequestID: id})
	case lakemesh.Active:
		err = w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) get(t *testing.T, id string) *lakemesh.Subscription {
	t.Helper()
	s, err := w.producer.GetSubscription(context.WithoutCancel(t.Context()), id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// pending checks which requests are pending.
func (w *world) pending(t *testing.T, want ...string) {
	t.Helper()
	ids := []string{}
	for _, s := range w.listPending(t) {
		ids = append(ids, s.SubscriptionID)
	}
	slices.Sort(ids)
	slices.Sort(want)
	if !slices.Equal(ids, want) {
		t.Errorf("pending are %v, want %v", ids, want)
	}
}

// listPending are the requests that the producer is shown as pending.
func (w *world) listPending(t *testing.T) []producer.PendingRequest {
	t.Helper()
	out, err := meshtest.Known(w.mesh, func() (*producer.ListPendingOutput, error) { return w.producer.ListPendingAccessRequests(t.Context()) })
	if err != nil {
		t.Fatal(err)
	}
	return out.Subscriptions
}

// manager is the mesh account's data lake administrator, who sees all grants.
func (w *world) manager() aws.Config {
	return w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole))
}

// holds checks everything that an account holds in the mesh: "database", "*" for
// all tables, or a table's name, to "permissions / grantable".
func (w *world) holds(t *testing.T, account string, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	lake := &permissions.Lake{Client: lakeformation.NewFromConfig(w.manager()), Account: meshAccount}
	for _, kind := range []lftypes.DataLakeResourceType{lftypes.DataLakeResourceTypeDatabase, lftypes.DataLakeResourceTypeTable} {
		all, err := lake.ObserveKind(t.Context(), kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all.Entries() {
			if e.Principal != account {
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
	if want == nil {
		want = map[string]string{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("account %s holds (-want +got):\n%s", account, diff)
	}
}

// openPrefixes are the prefixes of the bucket that the mesh's role may read.
func (w *world) openPrefixes(t *testing.T) []string {
	t.Helper()
	client := identity.S3(w.mesh.Config(meshtest.Administrator(producerAccount)))
	policy, err := meshtest.Known(w.mesh, func() (string, error) {
		out, err := client.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String(bucket)})
		if awserr.Is(err, "NoSuchBucketPolicy") {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		return aws.ToString(out.Policy), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if policy == "" {
		return nil
	}
	if !json.Valid([]byte(policy)) {
		t.Fatalf("the policy is no JSON: %s", policy)
	}
	prefixes, err := storage.Prefixes(policy, bucket, lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount)))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(prefixes)
	return prefixes
}

// dropMeshTable removes a table from the mesh's catalog by other means.
func (w *world) dropMeshTable(t *testing.T, name string) {
	t.Helper()
	client := lakeformation.NewFromConfig(w.manager())
	_, err := client.GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{
		Principal:   &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(meshtest.Administrator(meshAccount))},
		Resource:    &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(meshDatabase), Name: aws.String(name)}},
		Permissions: []lftypes.Permission{lftypes.PermissionDrop},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.accounts.Glue(meshAccount).DeleteTable(t.Context(), &glue.DeleteTableInput{DatabaseName: aws.String(meshDatabase), Name: aws.String(name)})
	if err != nil {
		t.Fatal(err)
	}
}

// writes are the calls since the last reset that changed something, or tried to.
func writes(mesh *localmesh.Mesh) []string {
	var all []string
	for _, c := range mesh.Counts() {
		reads := slices.ContainsFunc([]string{"Get", "List", "Describe", "Head", "AssumeRole", "BatchGetItem", "TransactGetItems", "Query"}, func(prefix string) bool {
			return strings.HasPrefix(c.Operation, prefix)
		})
		if !reads {
			all = append(all, c.Service+":"+c.Operation)
		}
	}
	return all
}
