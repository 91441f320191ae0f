package acceptance_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// statement is a statement of a bucket's policy, as far as it matters here.
type statement struct {
	Sid       string
	Effect    string
	Principal any
	Action    any
	Resource  any
	Condition any `json:",omitempty"`
}

func (w *world) bucketStatements() []statement {
	w.t.Helper()
	var policy struct{ Statement []statement }
	w.must(json.Unmarshal([]byte(w.bucketPolicy()), &policy))
	return policy.Statement
}

func TestABucketIsOpenedByPrefixToOneRoleAndClosedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	meshtest.Before(w.Mesh.Mesh, func() {
		_, err := w.S3(producerAccount).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String(bucket), Policy: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + consumerAccount + `:root"},"Action":["s3:GetObject"],` +
				`"Resource":"arn:aws:s3:::sales-data/public/*","Condition":{"Bool":{"aws:SecureTransport":"true"}}},` +
				`{"Sid":"NoPlainHTTP","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":["arn:aws:s3:::sales-data","arn:aws:s3:::sales-data/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`)})
		w.must(err)
	})
	before := w.bucketStatements()
	id := w.request([]string{orders, customers}, "SELECT")
	w.ResetCounts()
	w.approve(id)
	if n := w.Count("s3:PutBucketPolicy"); n != 1 {
		t.Errorf("two prefixes of a bucket were opened in %d writes, want one", n)
	}
	reader := lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount))
	for _, s := range w.bucketStatements() {
		if s.Sid == "Theirs" || s.Sid == "NoPlainHTTP" {
			continue
		}
		text, err := json.Marshal(s)
		w.must(err)
		principal, err := json.Marshal(s.Principal)
		w.must(err)
		if string(principal) != `{"AWS":"`+reader+`"}` {
			t.Errorf("%s is for %s, want the role that the location is registered with alone", s.Sid, principal)
		}
		for _, wide := range []string{`"arn:aws:s3:::sales-data/*"`, "orders_eu", "orders*", "s3:*", "s3:Get*", "s3:Put", "s3:Delete", consumerAccount, "AWSServiceRole"} {
			if strings.Contains(string(text), wide) {
				t.Errorf("%s opens %s: %s", s.Sid, wide, text)
			}
		}
	}
	w.opens(orders, customers)
	w.ResetCounts()
	w.end(id)
	if n := w.Count("s3:PutBucketPolicy"); n != 1 {
		t.Errorf("two prefixes of a bucket were closed in %d writes, want one", n)
	}
	if diff := cmp.Diff(before, w.bucketStatements()); diff != "" {
		t.Errorf("the statements of others (-before +after):\n%s", diff)
	}
}

func TestTheMeshsCatalogIsTheAuthorityOnWhatIsGranted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// The same source under another name; then the source is gone.
	out, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: source, ExposeDataMeshDBName: "renamed"})
	w.must(err)
	for _, table := range tables() {
		_, err := w.Glue(producerAccount).DeleteTable(t.Context(), &glue.DeleteTableInput{DatabaseName: aws.String(source), Name: aws.String(table)})
		w.must(err)
	}
	asked, err := w.consumer.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: out.DatabaseName,
		Tables: []string{"orders.*"}, RequestPermissions: []string{"SELECT"}})
	w.must(err)
	id := asked.SubscriptionID
	w.approve(id)
	s := w.get(id)
	if want := []string{lakemesh.TableARN(region, meshAccount, "renamed", orders), lakemesh.TableARN(region, meshAccount, "renamed", ordersEU)}; !cmp.Equal(s.TableARNs, want) {
		t.Errorf("granted are %v, want %v", s.TableARNs, want)
	}
	w.opens(orders, ordersEU)
	w.holds(consumerAccount, nil) // Nothing in the database of the usual name.
	w.finalize(id)
	w.end(id)
	w.opens()
}

func TestAMigratedProductIsApprovedAndRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	out, err := w.producer.MigrateTablesToMesh(t.Context(), producer.MigrateInput{SourceDatabaseName: source})
	w.must(err)
	asked, err := w.consumer.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: out.DatabaseName,
		Tables: []string{customers}, RequestPermissions: []string{"SELECT", "DESCRIBE"}})
	w.must(err)
	w.approve(asked.SubscriptionID)
	w.finalize(asked.SubscriptionID)
	if s := w.get(asked.SubscriptionID); s.Status != lakemesh.Active || len(s.TableARNs) != 1 || !strings.HasSuffix(s.TableARNs[0], "table/"+out.DatabaseName+"/"+customers) {
		t.Errorf("the subscription is %+v", s)
	}
	w.opens(customers)
}

func TestNoLifeLeavesUsersKeysOrPoliciesBehind(t *testing.T) {
	t.Parallel()
	w, id, others := bustling(t)
	w.end(id)
	w.end(others)
	for _, account := range []string{meshAccount, producerAccount, consumerAccount, otherConsumer, otherProducer} {
		client := iam.NewFromConfig(w.Config(meshtest.Administrator(account)))
		users, err := client.ListUsers(t.Context(), &iam.ListUsersInput{})
		w.must(err)
		groups, err := client.ListGroups(t.Context(), &iam.ListGroupsInput{})
		w.must(err)
		policies, err := client.ListPolicies(t.Context(), &iam.ListPoliciesInput{Scope: "Local"})
		w.must(err)
		if len(users.Users)+len(groups.Groups)+len(policies.Policies) > 0 {
			t.Errorf("account %s has %d users, %d groups and %d policies", account, len(users.Users), len(groups.Groups), len(policies.Policies))
		}
	}
	if _, err := glue.NewFromConfig(w.Config(meshtest.Administrator(meshAccount))).GetResourcePolicy(t.Context(), &glue.GetResourcePolicyInput{}); err == nil {
		t.Error("the mesh's catalog has a resource policy")
	}
	w.holds(consumerAccount, nil)
	w.holds(otherConsumer, nil)
	w.opens()
}

func TestNamesInAnyCaseMeanTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := producer.CreateDataProductsInput{SourceDatabaseName: "Sales", TableNameRegex: "ORDERS", Domain: "Retail Trade", DataProductName: "OrderBook"}
	_, err := w.producer.CreateDataProducts(t.Context(), in)
	w.must(err)
	w.silent("publishing again", func() {
		_, err := w.producer.CreateDataProducts(t.Context(), in)
		w.must(err)
	})
	in.Domain, in.DataProductName, in.TableNameRegex = "RETAIL TRADE", "orderbook", "orders"
	w.silent("publishing again in another case", func() {
		_, err := w.producer.CreateDataProducts(t.Context(), in)
		w.must(err)
	})
	first, err := w.consumer.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: strings.ToUpper(product),
		Tables: []string{"Orders"}, RequestPermissions: []string{"select"}})
	w.must(err)
	if again := w.request([]string{orders}, "SELECT"); again != first.SubscriptionID {
		t.Errorf("the same in another case is another request: %s and %s", first.SubscriptionID, again)
	}
	w.approve(first.SubscriptionID)
	w.holds(consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", orders: "SELECT / SELECT"})
	products, err := w.consumer.ListProducts(t.Context(), consumer.ListProductsInput{Domain: "retail TRADE"})
	w.must(err)
	if len(products.Products) == 0 {
		t.Error("the domain in another case finds nothing")
	}
}
