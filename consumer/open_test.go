package consumer_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

func TestOpening(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mesh.ResetCounts()
	w.open(consumerAccount)
	if got := w.mesh.Count("sts:GetCallerIdentity", "sts:AssumeRole"); got != 3 || w.mesh.Calls() != 3 {
		t.Errorf("%d calls of STS of %d; want 1 GetCallerIdentity and 2 AssumeRole", got, w.mesh.Calls())
	}
	w.mesh.Glue(otherAccount)
	keys := w.mesh.Options(consumerAccount)
	retrieved, err := keys.Config.Credentials.Retrieve(t.Context())
	w.must(err)
	keys.Credentials = lakemesh.Credentials{AccountID: otherAccount, AccessKeyID: retrieved.AccessKeyID,
		SecretAccessKey: lakemesh.Secret(retrieved.SecretAccessKey), SessionToken: lakemesh.Secret(retrieved.SessionToken)}
	malformed := w.mesh.Options(consumerAccount)
	malformed.MeshAccountID = "mesh"
	for name, c := range map[string]struct {
		options lakemesh.Options
		kind    error
	}{
		"the mesh account itself":            {w.mesh.Options(meshAccount), lakemesh.ErrWrongAccount},
		"keys of another account":            {keys, lakemesh.ErrWrongAccount},
		"an account that is not set up":      {w.mesh.Options(otherAccount), lakemesh.ErrAccessDenied},
		"an account that is only a producer": {w.mesh.Options(producerAccount), lakemesh.ErrAccessDenied},
		"a malformed mesh account":           {malformed, lakemesh.ErrInvalidInput},
	} {
		if _, err := consumer.New(t.Context(), c.options); !errors.Is(err, c.kind) {
			t.Errorf("%s: %v; want %v", name, err, c.kind)
		}
	}
}

func TestPrivateMetadataCannotBeAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mesh.Database(producerAccount, "secret")
	w.mesh.Table(producerAccount, "secret", meshtest.CSV("plans", "s3://"+bucket+"/plans/"))
	public := false
	w.publish(producer.CreateDataProductsInput{SourceDatabaseName: "secret", CreatePublicMetadata: &public})
	hidden := lakemesh.MeshDatabaseName("secret", producerAccount)
	_, err := w.consumer.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: hidden,
		Tables: []string{"plans"}, RequestPermissions: []string{"SELECT"}})
	if !errors.Is(err, lakemesh.ErrNotFound) {
		t.Errorf("a request for what is not public: %v; want ErrNotFound", err)
	}
	out, err := w.consumer.ListProducts(t.Context(), consumer.ListProductsInput{})
	w.must(err)
	if slices.ContainsFunc(out.Products, func(p consumer.Product) bool { return p.DatabaseName == hidden }) {
		t.Error("what is not public is listed")
	}
}

func TestAWholeDatabaseGrowsWithWhatIsPublished(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.active()
	w.mesh.Table(producerAccount, "sales", meshtest.CSV("returns", "s3://"+bucket+"/returns/"))
	w.mesh.Put(producerAccount, bucket, "returns/rows.csv", ordersRow)
	w.publish(producer.CreateDataProductsInput{SourceDatabaseName: "sales"})
	w.finalize(id)
	w.reads(self(), "returns")
	w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id}))
	w.refused(self(), "returns")
	w.refused(self(), "orders")
}

func TestRecordsOfTheOriginalLibrary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	m, err := admin.New(ctx, w.mesh.Options(meshAccount))
	w.must(err)
	_, err = m.InitializeMeshAccount(ctx, admin.InitializeMeshInput{})
	w.must(err)
	_, err = m.EnableAccountAsProducer(ctx, admin.EnableProducerInput{AccountID: producerAccount})
	w.must(err)
	_, err = m.EnableAccountAsConsumer(ctx, admin.EnableConsumerInput{AccountID: consumerAccount})
	w.must(err)
	id := lakemesh.NewShortID()
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	list := func(all ...string) types.AttributeValue {
		l := &types.AttributeValueMemberL{}
		for _, s := range all {
			l.Value = append(l.Value, text(s))
		}
		return l
	}
	meshtest.Before(w.mesh.Mesh, func() {
		_, err = dynamodb.NewFromConfig(w.mesh.Config(meshtest.Administrator(meshAccount))).PutItem(ctx, &dynamodb.PutItemInput{
			TableName: aws.String(lakemesh.SubscriptionsTable), Item: map[string]types.AttributeValue{
				"SubscriptionId": text(id), "OwnerPrincipal": text(producerAccount), "SubscriberPrincipal": text(consumerAccount), "Status": text("Pending"),
				"DatabaseName": text(database), "TableName": list("orders"), "RequestedGrants": list("SELECT", "DESCRIBE"),
				"CreationDate": text("2022-03-04 05:06:07"), "CreatedBy": text("arn:aws:iam::" + consumerAccount + ":user/DataMeshConsumer"),
			}})
		w.must(err)
	})
	s, err := w.consumer.GetSubscription(ctx, id)
	w.must(err)
	if s.Status != lakemesh.Pending || len(s.History) != 1 || !strings.HasSuffix(s.CreatedBy, "user/DataMeshConsumer") {
		t.Errorf("the old record: %+v", s)
	}
	if again := w.request("orders"); again != id {
		t.Errorf("asking for the same made %s beside the old record", again)
	}
	w.approve(id)
	w.finalize(id)
	w.reads(self(), "orders")
	w.must(w.consumer.DeleteSubscription(ctx, consumer.LeaveInput{SubscriptionID: id}))
	w.refused(self(), "orders")
}

func TestAClosedReadOnlyRoleIsNotMistakenForAnUnknownDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	meshtest.Before(w.mesh.Mesh, func() {
		_, err := iam.NewFromConfig(w.mesh.Config(meshtest.Administrator(meshAccount))).UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
			RoleName: aws.String(lakemesh.ReadOnlyRole), PolicyDocument: aws.String(
				`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + meshtest.Administrator(meshAccount) + `"},"Action":"sts:AssumeRole"}]}`)})
		w.must(err)
	})
	_, err := w.consumer.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: database,
		RequestPermissions: []string{"SELECT"}})
	if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), lakemesh.ReadOnlyRole) {
		t.Errorf("a request without the read-only role: %v; want access denied that names the role", err)
	}
}
