package producer_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

const restoredDatabase = meshtest.SampleDatabase

func (m publishing) restore(tables string) *producer.RestoreOutput {
	m.t.Helper()
	out, err := m.open().RestoreTables(m.t.Context(), producer.RestoreInput{SourceDatabaseName: restoredDatabase, TableNameRegex: tables})
	if err != nil {
		m.t.Fatal(err)
	}
	return out
}

// inMesh changes a table in the mesh, as the producer may by its share.
func (m publishing) inMesh(change func(t *types.TableInput)) {
	m.t.Helper()
	found := m.table(m.roleGlue(), theMesh, restoredDatabase, "weather")
	in := catalog.Definition(found)
	change(in)
	_, err := m.roleGlue().UpdateTable(m.t.Context(), &glue.UpdateTableInput{CatalogId: aws.String(theMesh), DatabaseName: aws.String(restoredDatabase), TableInput: in})
	if err != nil {
		m.t.Fatal(err)
	}
}

// addPartition adds a partition to a table.
func addPartition(t *testing.T, client *glue.Client, account, table, value string) {
	t.Helper()
	const location = "s3://" + meshtest.SampleBucket + "/weather"
	sd := meshtest.CSV(table, location+"/part="+value).StorageDescriptor
	out, err := client.BatchCreatePartition(t.Context(), &glue.BatchCreatePartitionInput{CatalogId: aws.String(account), DatabaseName: aws.String(restoredDatabase), TableName: aws.String(table),
		PartitionInputList: []types.PartitionInput{{Values: []string{value}, StorageDescriptor: sd}}})
	if err != nil || len(out.Errors) > 0 {
		t.Fatal(err, out)
	}
}

// asOwner is Glue as DataMeshProducer.
func (m publishing) asOwner() *glue.Client {
	return glue.NewFromConfig(m.Config(lakemesh.RoleARN(publisherID, lakemesh.ProducerRole)))
}

func TestRestoreMakesTablesAgainAsTheMeshHasThem(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.migrate(producer.MigrateInput{SourceDatabaseName: restoredDatabase, Domain: "transport"})
	// The mesh has the only metadata, and goes on.
	m.inMesh(func(t *types.TableInput) {
		t.Description = aws.String("as it is measured now")
		t.StorageDescriptor.Columns = append(t.StorageDescriptor.Columns, types.Column{Name: aws.String("wind"), Type: aws.String("double")})
	})
	addPartition(t, m.roleGlue(), theMesh, "weather", "00009")
	newest := catalog.Definition(m.table(m.roleGlue(), theMesh, restoredDatabase, "weather"))
	out := m.restore("")
	if !slices.Equal(out.Tables, []string{"airports", "routes", "weather"}) || out.DatabaseName != restoredDatabase {
		t.Errorf("restored %+v", out)
	}
	for _, name := range out.Tables {
		if table := m.table(m.asOwner(), publisherID, restoredDatabase, name); catalog.IsLink(table) {
			t.Errorf("%s is a link", name)
		}
	}
	if made := m.table(m.asOwner(), publisherID, restoredDatabase, "weather"); !catalog.SameDefinition(newest, catalog.Definition(made)) {
		t.Errorf("it is %+v, and the mesh has %+v", catalog.Definition(made), newest)
	}
	want := m.partitionValues(m.roleGlue(), theMesh, restoredDatabase, "weather")
	if got := m.partitionValues(m.asOwner(), publisherID, restoredDatabase, "weather"); !slices.Equal(got, want) || len(got) != 4 {
		t.Errorf("partitions %q, the mesh has %q", got, want)
	}
	for key := range m.table(m.asOwner(), publisherID, restoredDatabase, "weather").Parameters {
		if strings.HasPrefix(key, "lakemesh.") {
			t.Errorf("it has the parameter %s", key)
		}
	}
	m.restore("")
	m.noWrites("the second time")
	// The product follows its source again: nothing to do, and then what is new.
	todo, err := m.open().PlanSyncProducts(t.Context(), producer.SyncInput{})
	if err != nil || !todo.Empty() {
		t.Errorf("syncing after it: %v\n%s", err, todo)
	}
	addPartition(t, m.asOwner(), publisherID, "weather", "00010")
	if _, err := m.open().SyncProducts(t.Context(), producer.SyncInput{}); err != nil {
		t.Fatal(err)
	}
	if got := m.partitionValues(m.roleGlue(), theMesh, restoredDatabase, "weather"); len(got) != 5 {
		t.Errorf("the mesh follows with %q", got)
	}
	unpublished, err := m.open().UnpublishDataProducts(t.Context(), producer.UnpublishInput{SourceDatabaseName: restoredDatabase, ExposeDataMeshDBName: restoredDatabase})
	if err != nil || len(unpublished.Tables) != 3 {
		t.Errorf("unpublished after it: %+v, %v", unpublished, err)
	}
}

func TestPlanRestoreChangesNothing(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.migrate(producer.MigrateInput{SourceDatabaseName: restoredDatabase})
	p := m.open()
	m.ResetCounts()
	todo, err := p.PlanRestoreTables(t.Context(), producer.RestoreInput{SourceDatabaseName: restoredDatabase, TableNameRegex: "weather|routes"})
	if err != nil || todo.Count(plan.DeleteLink) != 2 || todo.Count(plan.CreateTable) != 2 || todo.Count(plan.CopyPartitions) != 1 {
		t.Errorf("planned: %v\n%s", err, todo)
	}
	m.noWrites("planning")
	if _, err := todo.Apply(t.Context(), plan.Settings{}); !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("the plan by itself: %v", err)
	}
}

// Principals of the account have on the table what they had on the mesh's, and nothing
// there any more.
func TestRestoreHandsGrantsBack(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.guard("airports", "routes", "weather")
	analyst := "arn:aws:iam::" + publisherID + ":role/Crawler"
	own, copied := permissions.Table(publisherID, restoredDatabase, "weather"), permissions.Table(theMesh, restoredDatabase, "weather")
	m.grant(m.lakeAdministrator(), permissions.Entry{Principal: analyst, Resource: own, Permissions: lakemesh.NewPermissions(lakemesh.Select, lakemesh.Describe)})
	m.migrate(producer.MigrateInput{SourceDatabaseName: restoredDatabase})
	m.restore("")
	lake := &permissions.Lake{Client: lakeformation.NewFromConfig(m.Config(lakemesh.RoleARN(publisherID, lakemesh.ProducerRole))), Account: publisherID}
	held, err := lake.Observe(t.Context(), own, copied)
	if err != nil {
		t.Fatal(err)
	}
	if got := held.Of(analyst, own).Permissions; !got.Equal(lakemesh.NewPermissions(lakemesh.Select, lakemesh.Describe)) {
		t.Errorf("the analyst holds %s on the table", got)
	}
	if got := held.Of(analyst, copied).Permissions; len(got) > 0 {
		t.Errorf("the analyst holds %s on the mesh's", got)
	}
}

// Who reads goes on reading; who may write keeps the table in the mesh.
func TestRestoreAndSubscriptions(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.migrate(producer.MigrateInput{SourceDatabaseName: restoredDatabase})
	c, err := consumer.New(t.Context(), m.Options(meshtest.ConsumerAccount))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(tables []string, permissions ...string) string {
		t.Helper()
		out, err := c.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: publisherID, DatabaseName: restoredDatabase, Tables: tables, RequestPermissions: permissions})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.open().ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: out.SubscriptionID}); err != nil {
			t.Fatal(err)
		}
		return out.SubscriptionID
	}
	ask([]string{"weather"}, "SELECT", "DESCRIBE")
	writes := ask([]string{"routes"}, "SELECT", "INSERT")
	_, err = m.open().RestoreTables(t.Context(), producer.RestoreInput{SourceDatabaseName: restoredDatabase})
	var refused *lakemesh.Error
	if !errors.Is(err, lakemesh.ErrIllegalTransition) || !errors.As(err, &refused) || len(refused.Do) != 2 || refused.Do[0].Arguments[0].Value != writes {
		t.Errorf("with a subscription that may write: %v", err)
	}
	if !catalog.IsLink(m.table(m.ownGlue(), publisherID, restoredDatabase, "weather")) {
		t.Error("a table was restored beside one that is refused")
	}
	m.restore("weather")
	if _, err := c.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: writes}); err != nil {
		t.Errorf("a subscription goes on: %v", err)
	}
	if err := m.open().UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: writes, GrantPermissions: []string{"SELECT", "DESCRIBE"}}); err != nil {
		t.Fatal(err)
	}
	if out := m.restore(""); !slices.Equal(out.Tables, []string{"airports", "routes"}) {
		t.Errorf("restored %+v", out)
	}
}

// What stands in the way of carrying a table back is told before anything changes.
func TestRestoreRefusals(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.migrate(producer.MigrateInput{SourceDatabaseName: restoredDatabase})
	for _, c := range []struct {
		name   string
		in     producer.RestoreInput
		change func(t *types.TableInput)
		want   error
	}{
		{"no database", producer.RestoreInput{}, nil, lakemesh.ErrInvalidInput},
		{"a database that is not there", producer.RestoreInput{SourceDatabaseName: "nothing"}, nil, lakemesh.ErrNotFound},
		{"a table that is not there", producer.RestoreInput{SourceDatabaseName: restoredDatabase, TableNameRegex: "trains"}, nil, lakemesh.ErrNotFound},
		{"a broken expression", producer.RestoreInput{SourceDatabaseName: restoredDatabase, TableNameRegex: "("}, nil, lakemesh.ErrInvalidInput},
		{"a view by now", producer.RestoreInput{SourceDatabaseName: restoredDatabase}, func(t *types.TableInput) { t.TableType = aws.String("VIRTUAL_VIEW") }, lakemesh.ErrInvalidInput},
	} {
		if c.change != nil {
			m.inMesh(c.change)
		}
		p := m.open()
		m.ResetCounts()
		if _, err := p.RestoreTables(t.Context(), c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		m.noWrites(c.name)
	}
	// Whoever may alter a table may write another account there: that takes the way back from nobody.
	m.inMesh(func(t *types.TableInput) {
		t.TableType, t.Owner = aws.String("EXTERNAL_TABLE"), aws.String("999999999999")
	})
	if _, err := m.open().RestoreTables(t.Context(), producer.RestoreInput{SourceDatabaseName: restoredDatabase}); err != nil {
		t.Errorf("another owner at the table: %v", err)
	}
}

// While a restoring has not ended the mesh's table is the one that is whole: nothing
// follows, or takes out of the mesh, what is not there yet.
func TestAHalfRestoredTableTakesNothingFromTheMesh(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.migrate(producer.MigrateInput{SourceDatabaseName: restoredDatabase, TableNameRegex: "weather"})
	half := m.open()
	m.Fail(localmesh.Fault{Service: "glue", Operation: "BatchCreatePartition", Code: "AccessDeniedException", Message: "a planned fault", Status: 400})
	if _, err := half.RestoreTables(t.Context(), producer.RestoreInput{SourceDatabaseName: restoredDatabase, TableNameRegex: "weather"}); err == nil {
		t.Fatal("it was to fail")
	}
	m.ClearFaults()
	if got := m.partitionValues(m.asOwner(), publisherID, restoredDatabase, "weather"); len(got) != 0 {
		t.Fatalf("half restored with %q", got)
	}
	p := m.open()
	_, err := p.UnpublishDataProducts(t.Context(), producer.UnpublishInput{SourceDatabaseName: restoredDatabase, ExposeDataMeshDBName: restoredDatabase})
	if !errors.Is(err, lakemesh.ErrIllegalTransition) {
		t.Errorf("unpublished: %v", err)
	}
	if _, err := p.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: restoredDatabase, TableNameRegex: "weather", ExposeDataMeshDBName: restoredDatabase,
		ExposeTableReferencesWithSuffix: aws.String("_link"), Overwrite: true}); !errors.Is(err, lakemesh.ErrConflict) {
		t.Errorf("published over it: %v", err)
	}
	if _, err := p.SyncProducts(t.Context(), producer.SyncInput{}); err == nil {
		t.Error("synced")
	}
	if got := m.partitionValues(m.roleGlue(), theMesh, restoredDatabase, "weather"); len(got) != 3 {
		t.Fatalf("the mesh has %q left", got)
	}
	// The mesh has gone on meanwhile.
	addPartition(t, m.roleGlue(), theMesh, "weather", "00011")
	m.inMesh(func(t *types.TableInput) { t.Description = aws.String("later") })
	m.restore("weather")
	made := m.table(m.asOwner(), publisherID, restoredDatabase, "weather")
	if got := m.partitionValues(m.asOwner(), publisherID, restoredDatabase, "weather"); len(got) != 4 || aws.ToString(made.Description) != "later" {
		t.Errorf("restored with %q, %s", got, aws.ToString(made.Description))
	}
}

// What others do to a table that is half restored is not undone.
func TestAHalfRestoredTableThatOthersChangedIsLeft(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.migrate(producer.MigrateInput{SourceDatabaseName: restoredDatabase, TableNameRegex: "weather"})
	m.Fail(localmesh.Fault{Service: "glue", Operation: "BatchCreatePartition", Code: "AccessDeniedException", Message: "a planned fault", Status: 400})
	in := producer.RestoreInput{SourceDatabaseName: restoredDatabase, TableNameRegex: "weather"}
	if _, err := m.open().RestoreTables(t.Context(), in); err == nil {
		t.Fatal("it was to fail")
	}
	m.ClearFaults()
	addPartition(t, m.asOwner(), publisherID, "weather", "mine")
	if _, err := m.open().RestoreTables(t.Context(), in); !errors.Is(err, lakemesh.ErrConflict) {
		t.Errorf("with a partition of somebody's: %v", err)
	}
	m.inMesh(func(t *types.TableInput) { t.Description = aws.String("later") })
	if _, err := m.open().RestoreTables(t.Context(), in); !errors.Is(err, lakemesh.ErrConflict) {
		t.Errorf("with a partition of somebody's, and another definition in the mesh: %v", err)
	}
	if got := m.partitionValues(m.asOwner(), publisherID, restoredDatabase, "weather"); !slices.Contains(got, "mine") {
		t.Errorf("somebody's partition is gone: %q", got)
	}
}
