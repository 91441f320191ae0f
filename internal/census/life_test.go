package census_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/census"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// The accounts, and what they have before there is a mesh.
const (
	mesh          = meshtest.MeshAccount
	airline       = meshtest.ProducerAccount
	shipping      = meshtest.OtherProducer
	reader        = meshtest.ConsumerAccount
	other         = meshtest.OtherConsumer
	flights       = meshtest.SampleDatabase
	hangar        = "hangar"
	vault         = "vault"
	harbour       = "harbour"
	vaultBucket   = "vault-data"
	harbourBucket = "harbour-data"
	// far is the region besides the mesh's in which consumers link.
	far = "eu-central-1"
)

// world is what the accounts have, and who acts in them.
type world struct {
	*meshtest.Mesh
	t   *testing.T
	key string
	// keyPolicy is the key's policy before it was told of the mesh.
	keyPolicy string
}

// before is what there is before the mesh.
func before(t *testing.T) *world {
	t.Helper()
	// What is planted, and the key's administrator, go by the readings that most of the
	// evidence is for, and on a mesh that knows everything at once.
	w := &world{Mesh: meshtest.On(t, localmesh.Run(t, localmesh.WithReadings(localmesh.Readings{}), localmesh.WithEventualConsistency(0))), t: t}
	meshtest.Before(w.Mesh.Mesh, func() {
		w.Sample()
		w.Database(airline, hangar)
		w.Table(airline, hangar, meshtest.CSV("planes", "s3://"+meshtest.SampleBucket+"/planes", "part"))
		w.Partitions(airline, hangar, "planes", "s3://"+meshtest.SampleBucket+"/planes", 0, 3)
		key, err := kms.NewFromConfig(w.Config(meshtest.Administrator(airline))).CreateKey(t.Context(), &kms.CreateKeyInput{})
		w.must(err)
		w.key = aws.ToString(key.KeyMetadata.Arn)
		w.Bucket(airline, vaultBucket)
		w.Database(airline, vault)
		w.Table(airline, vault, meshtest.CSV("salaries", "s3://"+vaultBucket+"/salaries/"))
		w.Bucket(shipping, harbourBucket)
		w.Database(shipping, harbour)
		w.Table(shipping, harbour, meshtest.CSV("ships", "s3://"+harbourBucket+"/ships/"))
		_, err = w.S3(airline).PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{Bucket: aws.String(vaultBucket), ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{
			Rules: []s3types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAwsKms, KMSMasterKeyID: &w.key}}}}})
		w.must(err)
		w.plant()
	})
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// take counts what there is.
func (w *world) take() []string {
	w.t.Helper()
	o := census.Options{Accounts: map[string]string{}, Regions: []string{far}, Keys: map[string][]string{airline: {w.key}}}
	for _, account := range []string{mesh, airline, shipping, reader, other} {
		o.Accounts[account] = meshtest.Administrator(account)
	}
	lines, err := census.Take(w.t.Context(), w.Mesh.Mesh.Mesh, o)
	w.must(err)
	return lines
}

// cannotBePutBack are the differences that a whole life leaves. docs/leaving.md says them,
// with why.
func cannotBePutBack() []census.Exception {
	return []census.Exception{
		{Why: "RAM shows shares for a while after they were deleted, and invitations longer than that; nobody can delete either", Is: func(line string, appeared bool) bool {
			gone := strings.Contains(line, " ram: share ") && strings.Contains(line, `"Status":"DELETED"`)
			parted := strings.Contains(line, " ram: association ") && strings.Contains(line, `"Status":"DISASSOCIATED"`)
			return appeared && (gone || parted || strings.Contains(line, " ram: invitation ") && strings.Contains(line, `"ResourceShareName":"LakeFormation`))
		}},
		{Why: "a table that was migrated and restored is made anew: its times, maker, owner and versions are new", Is: func(line string, _ bool) bool {
			return strings.HasPrefix(line, airline+" glue: ") && strings.Contains(line, "table "+hangar+".planes ")
		}},
		{Why: "a migration hands neither DROP nor ALL on: who held them on a table that was migrated has the rest again", Is: func(line string, _ bool) bool {
			return strings.HasPrefix(line, airline+" lakeformation: grant ") && strings.Contains(line, `"Name":"planes"`) &&
				strings.Contains(line, meshtest.Administrator(airline)) && strings.Contains(line, `"ALTER","DELETE","DESCRIBE"`)
		}},
	}
}

// A whole life of a mesh, of two producers and two consumers, leaves the accounts as they
// were, what was planted like ours among it.
func TestAWholeLifeLeavesNothing(t *testing.T) {
	t.Parallel()
	w := before(t)
	first := w.take()
	planes := w.planes()
	w.live()
	w.leave()
	if diff := census.Difference(first, w.take(), cannotBePutBack()...); diff != "" {
		t.Errorf("before the mesh (-), and after it (+):\n%s", diff)
	}
	restored := w.planes()
	planes.Owner = restored.Owner
	if !catalog.SameDefinition(catalog.Definition(planes), catalog.Definition(restored)) {
		t.Errorf("the table that was migrated and restored was %+v, and is %+v", planes, restored)
	}
	w.tryRepetitions()
}

// planes is the table that is migrated.
func (w *world) planes() *types.Table {
	w.t.Helper()
	out, err := w.Glue(airline).GetTable(w.t.Context(), &glue.GetTableInput{DatabaseName: aws.String(hangar), Name: aws.String("planes")})
	w.must(err)
	return out.Table
}

// An empty life: a census sees no difference where nothing was done, and each of ours where
// something was left.
func TestACensusSeesWhatIsLeft(t *testing.T) {
	t.Parallel()
	w := before(t)
	first := w.take()
	if diff := census.Difference(first, w.take()); diff != "" {
		t.Errorf("a census changes something:\n%s", diff)
	}
	w.live()
	w.schedule()
	seen := census.Difference(first, w.take(), cannotBePutBack()...)
	for _, what := range []string{
		mesh + " iam: role DataMeshManager ", mesh + " iam: role DataMeshAdminProducer-" + airline, airline + " iam: role DataMeshProducer ", reader + " iam: role DataMeshConsumer ",
		mesh + " lakeformation: settings", mesh + " lakeformation: grant", mesh + " lakeformation: tag ", mesh + " lakeformation: location", airline + " lakeformation: settings",
		mesh + " glue: database " + hangar, mesh + " glue: partition of table", mesh + " glue: policy", airline + " glue: crawler", reader + " glue: database",
		mesh + " ram: share", reader + " ram: ", airline + " s3: policy of bucket", airline + " kms: policy of key",
		mesh + " dynamodb: table " + lakemesh.DecisionsTable, mesh + " dynamodb: item of table " + lakemesh.SubscriptionsTable, mesh + " dynamodb: recovery of table",
		mesh + " scheduler: group ends", mesh + " scheduler: schedule ends/orders",
	} {
		if !strings.Contains(seen, "+ "+what) {
			t.Errorf("not seen: %s", what)
		}
	}
}

// schedule makes a schedule in a group of its own, in the account of the mesh.
func (w *world) schedule() {
	w.t.Helper()
	administrator := w.Config(meshtest.Administrator(mesh))
	role, err := iam.NewFromConfig(administrator).CreateRole(w.t.Context(), &iam.CreateRoleInput{RoleName: aws.String("Ender"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"scheduler.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	w.must(err)
	client := scheduler.NewFromConfig(administrator)
	_, err = client.CreateScheduleGroup(w.t.Context(), &scheduler.CreateScheduleGroupInput{Name: aws.String("ends")})
	w.must(err)
	_, err = client.CreateSchedule(w.t.Context(), &scheduler.CreateScheduleInput{
		GroupName: aws.String("ends"), Name: aws.String("orders"), ScheduleExpression: aws.String("at(2199-12-31T00:00:00)"),
		FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff},
		Target:             &schedulertypes.Target{Arn: aws.String("arn:aws:scheduler:::aws-sdk:lakeformation:revokePermissions"), RoleArn: role.Role.Arn, Input: aws.String("{}")},
	})
	w.must(err)
}

func (w *world) admin(account string) *admin.Admin {
	w.t.Helper()
	a, err := admin.New(w.t.Context(), w.Options(account))
	w.must(err)
	return a
}

func (w *world) producer(account string) *producer.Producer {
	w.t.Helper()
	p, err := producer.New(w.t.Context(), w.Options(account))
	w.must(err)
	return p
}

func (w *world) consumer(account string) *consumer.Consumer {
	w.t.Helper()
	c, err := consumer.New(w.t.Context(), w.Options(account))
	w.must(err)
	return c
}

// live sets the mesh up and uses it.
func (w *world) live() {
	w.t.Helper()
	ctx := w.t.Context()
	_, err := w.admin(mesh).InitializeMeshAccount(ctx, admin.InitializeMeshInput{AllowFullTableExternalDataAccess: new(true)})
	w.must(err)
	_, err = admin.BootstrapAccount(ctx, admin.BootstrapInput{Type: admin.Producer, Mesh: w.Options(mesh), Account: w.Options(airline), CrawlerRoleARN: meshtest.CrawlerRole, KMSKeys: []string{w.key}})
	w.must(err)
	_, err = admin.BootstrapAccount(ctx, admin.BootstrapInput{Type: admin.Producer, Mesh: w.Options(mesh), Account: w.Options(shipping), Buckets: []string{harbourBucket}})
	w.must(err)
	for _, account := range []string{reader, other} {
		_, err = admin.BootstrapAccount(ctx, admin.BootstrapInput{Type: admin.Consumer, Mesh: w.Options(mesh), Account: w.Options(account), LinkRegions: []string{far}})
		w.must(err)
	}
	w.letDecrypt()

	owner, sailor := w.producer(airline), w.producer(shipping)
	for _, in := range []producer.CreateDataProductsInput{
		{SourceDatabaseName: flights, Domain: "Transport", DataProductName: "Flights", SyncMeshCrawlerRoleARN: meshtest.CrawlerRole},
		{SourceDatabaseName: vault, Domain: "People"},
	} {
		_, err = owner.CreateDataProducts(ctx, in)
		w.must(err)
	}
	_, err = owner.MigrateTablesToMesh(ctx, producer.MigrateInput{SourceDatabaseName: hangar, Domain: "Transport"})
	w.must(err)
	_, err = sailor.CreateDataProducts(ctx, producer.CreateDataProductsInput{SourceDatabaseName: harbour, Domain: "Transport"})
	w.must(err)

	first := w.subscribe(reader, owner, lakemesh.MeshDatabaseName(flights, airline), []string{"weather"}, "SELECT", "DESCRIBE")
	w.must(owner.UpdateSubscriptionPermissions(ctx, producer.UpdateInput{SubscriptionID: first, GrantPermissions: []string{"SELECT", "INSERT", "DESCRIBE"}, Notes: "more"}))
	w.link(reader, first)
	w.subscribe(other, owner, hangar, []string{"planes"}, "SELECT", "DESCRIBE")
	w.subscribe(reader, owner, lakemesh.MeshDatabaseName(vault, airline), nil, "SELECT", "DESCRIBE")
	left := w.subscribe(other, sailor, lakemesh.MeshDatabaseName(harbour, shipping), nil, "SELECT", "DESCRIBE")
	w.link(other, left)
	w.must(w.consumer(other).DeleteSubscription(ctx, consumer.LeaveInput{SubscriptionID: left, Reason: "enough"}))
	_, err = sailor.SettleDepartures(ctx)
	w.must(err)
	cancelled := w.request(other, shipping, lakemesh.MeshDatabaseName(harbour, shipping), nil, "DESCRIBE")
	w.must(w.consumer(other).CancelAccessRequest(ctx, consumer.CancelInput{SubscriptionID: cancelled, Reason: "no"}))
	denied := w.request(reader, shipping, lakemesh.MeshDatabaseName(harbour, shipping), []string{"ships"}, "SELECT")
	w.must(sailor.DenyAccessRequest(ctx, producer.DenyInput{RequestID: denied, DecisionNotes: "no"}))
	ended := w.subscribe(reader, sailor, lakemesh.MeshDatabaseName(harbour, shipping), []string{"ships"}, "SELECT", "DESCRIBE")
	w.must(sailor.DeleteSubscription(ctx, producer.DeleteInput{SubscriptionID: ended, Reason: "over"}))
}

func (w *world) request(account, owner, database string, tables []string, permissions ...string) string {
	w.t.Helper()
	out, err := w.consumer(account).RequestAccessToProduct(w.t.Context(), consumer.RequestInput{OwnerAccountID: owner, DatabaseName: database, Tables: tables, RequestPermissions: permissions})
	w.must(err)
	return out.SubscriptionID
}

// subscribe asks, approves and imports.
func (w *world) subscribe(account string, owner *producer.Producer, database string, tables []string, permissions ...string) string {
	w.t.Helper()
	id := w.request(account, owner.Account(), database, tables, permissions...)
	w.must(owner.ApproveAccessRequest(w.t.Context(), producer.ApproveInput{RequestID: id}))
	_, err := w.consumer(account).FinalizeSubscription(w.t.Context(), consumer.FinalizeInput{SubscriptionID: id})
	w.must(err)
	return id
}

// link imports a subscription once more, for a link in the other region.
func (w *world) link(account, id string) {
	w.t.Helper()
	_, err := w.consumer(account).FinalizeSubscription(w.t.Context(), consumer.FinalizeInput{SubscriptionID: id, LinkRegion: far})
	w.must(err)
}

// letDecrypt does what the key's administrator is told to, and returns what the key's
// policy was.
func (w *world) letDecrypt() {
	w.t.Helper()
	client := kms.NewFromConfig(w.Config(meshtest.Administrator(airline)))
	out, err := client.GetKeyPolicy(w.t.Context(), &kms.GetKeyPolicyInput{KeyId: &w.key})
	w.must(err)
	policy := strings.Replace(aws.ToString(out.Policy), `"Statement":{`, `"Statement":[{`, 1)
	policy = strings.TrimSuffix(strings.TrimSuffix(policy, "}"), "]") + "," + storage.KeyStatement(lakemesh.RoleARN(mesh, lakemesh.DataAccessRole(airline)), w.key) + "]}"
	_, err = client.PutKeyPolicy(w.t.Context(), &kms.PutKeyPolicyInput{KeyId: &w.key, Policy: &policy})
	w.must(err)
	w.keyPolicy = aws.ToString(out.Policy)
}

// leave ends everything, step by step, and tries at each that it is refused too early.
func (w *world) leave() {
	w.t.Helper()
	ctx := w.t.Context()
	refused := func(what string, err error, kind error) {
		w.t.Helper()
		if !errors.Is(err, kind) {
			w.t.Errorf("%s: %v, want %v", what, err, kind)
		}
	}
	m := w.admin(mesh)
	_, err := m.DestroyMesh(ctx, admin.DestroyMeshInput{Confirm: mesh})
	refused("destroying a mesh with accounts", err, lakemesh.ErrIllegalTransition)
	_, err = m.DestroyMesh(ctx, admin.DestroyMeshInput{Confirm: airline})
	refused("destroying without a confirmation", err, lakemesh.ErrInvalidInput)
	_, err = m.DisableAccount(ctx, admin.DisableInput{AccountID: airline, Type: admin.Producer})
	refused("disabling a producer with subscriptions", err, lakemesh.ErrIllegalTransition)
	_, err = m.DisableAccount(ctx, admin.DisableInput{AccountID: shipping, Type: admin.Producer})
	refused("disabling a producer with a product", err, lakemesh.ErrIllegalTransition)
	_, err = m.DisableAccount(ctx, admin.DisableInput{AccountID: reader, Type: admin.Consumer})
	refused("disabling a consumer with subscriptions", err, lakemesh.ErrIllegalTransition)
	_, err = w.admin(airline).ClearAccount(ctx, admin.ClearInput{Type: admin.Producer})
	refused("clearing an account that is enabled", err, lakemesh.ErrIllegalTransition)

	owner, sailor := w.producer(airline), w.producer(shipping)
	_, err = owner.UnpublishDataProducts(ctx, producer.UnpublishInput{SourceDatabaseName: hangar, ExposeDataMeshDBName: hangar, EndSubscriptions: true})
	refused("unpublishing what was migrated", err, lakemesh.ErrIllegalTransition)
	_, err = owner.RestoreTables(ctx, producer.RestoreInput{SourceDatabaseName: hangar})
	w.must(err)
	for _, in := range []producer.UnpublishInput{{SourceDatabaseName: hangar, ExposeDataMeshDBName: hangar}, {SourceDatabaseName: flights}, {SourceDatabaseName: vault}} {
		in.EndSubscriptions = true
		_, err = owner.UnpublishDataProducts(ctx, in)
		w.must(err)
	}
	_, err = sailor.UnpublishDataProducts(ctx, producer.UnpublishInput{SourceDatabaseName: harbour})
	w.must(err)
	for _, account := range []string{reader, other} {
		w.must(w.consumer(account).RemoveDeadLinks(ctx, consumer.RemoveDeadLinksInput{}))
	}
	_, err = kms.NewFromConfig(w.Config(meshtest.Administrator(airline))).PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &w.key, Policy: &w.keyPolicy})
	w.must(err)

	w.retire(airline, admin.Producer)
	_, err = m.DisableAccount(ctx, admin.DisableInput{AccountID: shipping, Type: admin.Producer})
	w.must(err)
	_, err = w.admin(shipping).ClearAccount(ctx, admin.ClearInput{Type: admin.Producer})
	w.must(err)
	for _, account := range []string{reader, other} {
		w.retire(account, admin.Consumer)
	}
	_, err = m.DestroyMesh(ctx, admin.DestroyMeshInput{Confirm: mesh})
	w.must(err)
}

func (w *world) retire(account string, kind admin.AccountType) {
	w.t.Helper()
	out, err := admin.RetireAccount(w.t.Context(), admin.RetireInput{Type: kind, Mesh: w.Options(mesh), Account: w.Options(account)})
	w.must(err)
	if len(out.Removed) == 0 {
		w.t.Errorf("nothing of account %s was removed", account)
	}
}

// tryRepetitions does what was done once more: nothing is left to do.
func (w *world) tryRepetitions() {
	w.t.Helper()
	w.ResetCounts()
	out, err := w.admin(mesh).DestroyMesh(w.t.Context(), admin.DestroyMeshInput{Confirm: mesh})
	w.must(err)
	if len(out.Removed) > 0 {
		w.t.Errorf("destroying once more removed %q", out.Removed)
	}
	for account, kind := range map[string]admin.AccountType{airline: admin.Producer, reader: admin.Consumer} {
		cleared, err := w.admin(account).ClearAccount(w.t.Context(), admin.ClearInput{Type: kind})
		w.must(err)
		if len(cleared.Removed) > 0 {
			w.t.Errorf("clearing account %s once more removed %q", account, cleared.Removed)
		}
	}
	if writes := w.Writes(); len(writes) > 0 {
		w.t.Errorf("repetitions write %q", writes)
	}
}
