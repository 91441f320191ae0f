package producer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// The accounts of the tests of publishing, and where the sample is published.
const (
	theMesh     = meshtest.MeshAccount
	publisherID = meshtest.ProducerAccount
	published   = meshtest.SampleDatabase + "-" + publisherID
)

// publishing is a mesh with a producer that publishes.
type publishing struct {
	*meshtest.Mesh
	t *testing.T
}

func newPublishing(t *testing.T, opts ...localmesh.Option) publishing {
	t.Helper()
	return publishing{meshtest.Accounts(t, opts...), t}
}

// sampled is a mesh with the sample tables.
func sampled(t *testing.T) publishing {
	t.Helper()
	m := newPublishing(t)
	m.Sample()
	return m
}

func (m publishing) open(options ...func(*lakemesh.Options)) *producer.Producer {
	m.t.Helper()
	o := m.Options(publisherID)
	for _, set := range options {
		set(&o)
	}
	p, err := producer.New(m.t.Context(), o)
	if err != nil {
		m.t.Fatal(err)
	}
	m.ResetCounts()
	return p
}

func (m publishing) publish(in producer.CreateDataProductsInput) *producer.CreateDataProductsOutput {
	m.t.Helper()
	out, err := m.open().CreateDataProducts(m.t.Context(), in)
	if err != nil {
		m.t.Fatal(err)
	}
	return out
}

// manager is a configuration of the mesh's data lake administrator.
func (m publishing) manager() *permissions.Lake {
	m.t.Helper()
	cfg := m.Config(lakemesh.RoleARN(theMesh, lakemesh.ManagerRole))
	return &permissions.Lake{Client: lakeformation.NewFromConfig(cfg), Account: theMesh}
}

// meshGlue is the mesh's catalog as its data lake administrator sees it.
func (m publishing) meshGlue() *glue.Client {
	return glue.NewFromConfig(m.Config(lakemesh.RoleARN(theMesh, lakemesh.ManagerRole)))
}

// roleGlue is the mesh's catalog as the producer's role there sees it: it made the
// tables, and may read their partitions.
func (m publishing) roleGlue() *glue.Client {
	return glue.NewFromConfig(m.Config(lakemesh.RoleARN(theMesh, lakemesh.MeshProducerRole(publisherID))))
}

// ownGlue is the producer's catalog as its data lake administrator sees it.
func (m publishing) ownGlue() *glue.Client {
	return glue.NewFromConfig(m.Config(lakemesh.RoleARN(publisherID, lakemesh.ProducerRole)))
}

func (m publishing) table(client *glue.Client, account, database, name string) *types.Table {
	m.t.Helper()
	out, err := client.GetTable(m.t.Context(), &glue.GetTableInput{CatalogId: aws.String(account), DatabaseName: aws.String(database), Name: aws.String(name)})
	if err != nil {
		m.t.Fatal(err)
	}
	return out.Table
}

func (m publishing) tableNames(client *glue.Client, account, database string) []string {
	m.t.Helper()
	var names []string
	pages := glue.NewGetTablesPaginator(client, &glue.GetTablesInput{CatalogId: aws.String(account), DatabaseName: aws.String(database)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(m.t.Context())
		if err != nil {
			m.t.Fatal(err)
		}
		for _, t := range page.TableList {
			names = append(names, aws.ToString(t.Name))
		}
	}
	slices.Sort(names)
	return names
}

func (m publishing) partitionValues(client *glue.Client, account, database, name string) []string {
	m.t.Helper()
	var values []string
	pages := glue.NewGetPartitionsPaginator(client, &glue.GetPartitionsInput{CatalogId: aws.String(account), DatabaseName: aws.String(database), TableName: aws.String(name)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(m.t.Context())
		if err != nil {
			m.t.Fatal(err)
		}
		for _, p := range page.Partitions {
			values = append(values, strings.Join(p.Values, "/"))
		}
	}
	slices.Sort(values)
	return values
}

// partition is one partition of a table in the mesh, as its owner's role reads it.
func (m publishing) partition(database, name, part string) types.Partition {
	m.t.Helper()
	out, err := m.roleGlue().GetPartitions(m.t.Context(), &glue.GetPartitionsInput{DatabaseName: aws.String(database), TableName: aws.String(name),
		Expression: aws.String("part = '" + part + "'")})
	if err != nil || len(out.Partitions) != 1 {
		m.t.Fatalf("partition %s: %v, %v", part, out, err)
	}
	return out.Partitions[0]
}

// noWrites fails the test if anything was written since the counts began.
func (m publishing) noWrites(when string) {
	m.t.Helper()
	if w := m.Writes(); len(w) > 0 {
		m.t.Errorf("%s, it writes: %v", when, w)
	}
}

func TestCreateDataProductsTellsWhatWasPublished(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	got := m.publish(producer.CreateDataProductsInput{SourceDatabaseName: "Aviation", Domain: "Transport", DataProductName: "us-aviation"})
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"DatabaseName":"aviation-111111111111","Tables":[` +
		`{"SourceTable":"airports","LinkTable":"airports_link"},{"SourceTable":"routes","LinkTable":"routes_link"},{"SourceTable":"weather","LinkTable":"weather_link"}]}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}

func TestCreateDataProductsCopiesMetadataAndPartitions(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
	for _, name := range []string{"airports", "routes", "weather"} {
		source := catalog.Definition(m.table(m.ownGlue(), publisherID, meshtest.SampleDatabase, name))
		copied := m.table(m.meshGlue(), theMesh, published, name)
		if aws.ToString(copied.Owner) != publisherID {
			t.Errorf("the owner of %s is %q", name, aws.ToString(copied.Owner))
		}
		source.Owner = copied.Owner
		if !catalog.SameDefinition(source, catalog.Definition(copied)) {
			t.Errorf("%s differs from its source:\n%s", name, cmp.Diff(source.StorageDescriptor, copied.StorageDescriptor, cmp.AllowUnexported()))
		}
	}
	want := m.partitionValues(m.ownGlue(), publisherID, meshtest.SampleDatabase, "weather")
	if got := m.partitionValues(m.roleGlue(), theMesh, published, "weather"); !slices.Equal(got, want) || len(got) != 3 {
		t.Errorf("partitions %q, want %q", got, want)
	}
	if sd := m.partition(published, "weather", "00001").StorageDescriptor; aws.ToString(sd.Location) != "s3://flights/weather/part=00001" || len(sd.Columns) != 2 {
		t.Errorf("the partition was not copied whole: %+v", sd)
	}
	database, err := m.meshGlue().GetDatabase(t.Context(), &glue.GetDatabaseInput{Name: aws.String(published)})
	if err != nil {
		t.Fatal(err)
	}
	if len(database.Database.CreateTableDefaultPermissions) != 0 {
		t.Error("new tables of the mesh database are open by default")
	}
}

func TestCreateDataProductsLinksBack(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
	link := m.table(m.ownGlue(), publisherID, published, "weather_link")
	if !catalog.IsLinkTo(link, theMesh, published, "weather") {
		t.Errorf("the link points at %+v", link.TargetTable)
	}
	// The producer sees the schema through the link: the share was accepted.
	if link.StorageDescriptor == nil || len(link.StorageDescriptor.Columns) != 2 {
		t.Error("the link shows nothing of its target")
	}
}

func TestCreateDataProductsGrants(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
	database, table := permissions.Database(theMesh, published), permissions.Table(theMesh, published, "weather")
	granted, err := m.manager().Observe(t.Context(), database, table)
	if err != nil {
		t.Fatal(err)
	}
	all := lakemesh.NewPermissions(lakemesh.Alter, lakemesh.Delete, lakemesh.Describe, lakemesh.Insert, lakemesh.Select)
	describe := lakemesh.NewPermissions(lakemesh.Describe)
	reader := lakemesh.RoleARN(theMesh, lakemesh.ReadOnlyRole)
	for _, want := range []permissions.Entry{
		{Principal: publisherID, Resource: database, Permissions: describe, Grantable: describe},
		{Principal: publisherID, Resource: table, Permissions: all, Grantable: all},
		{Principal: reader, Resource: database, Permissions: describe},
		{Principal: reader, Resource: table, Permissions: describe},
	} {
		if diff := cmp.Diff(want, granted.Of(want.Principal, want.Resource)); diff != "" {
			t.Errorf("granted (-want +got):\n%s", diff)
		}
	}
	for _, e := range granted.Entries() {
		if e.Principal == permissions.AllowedByIAM {
			t.Errorf("open to everybody: %v", e)
		}
	}
}

func TestCreateDataProductsAgainWritesNothing(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, Domain: "Transport", DataProductName: "us-aviation",
		SyncMeshCrawlerRoleARN: meshtest.CrawlerRole}
	first := m.publish(in)
	p := m.open()
	todo, err := p.PlanCreateDataProducts(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if !todo.Empty() {
		t.Errorf("there is more to do:\n%s", todo)
	}
	second, err := p.CreateDataProducts(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	m.noWrites("the second time")
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the second output differs (-first +second):\n%s", diff)
	}
}

func TestPlanCreateDataProductsChangesNothing(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	p := m.open()
	todo, err := p.PlanCreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, Domain: "Transport"})
	if err != nil {
		t.Fatal(err)
	}
	m.noWrites("planning")
	for kind, want := range map[plan.Kind]int{plan.CreateDatabase: 2, plan.CreateTable: 3, plan.CopyPartitions: 1, plan.RegisterLocation: 1,
		plan.CreateTag: 2, plan.AssignTag: 3, plan.AcceptShare: 1, plan.CreateLink: 3, plan.Grant: 12} {
		if got := todo.Count(kind); got != want {
			t.Errorf("%d steps %s, want %d in\n%s", got, kind, want, todo)
		}
	}
	if _, err := json.Marshal(todo); err != nil {
		t.Error(err)
	}
}

func TestCreateDataProductsCountsCalls(t *testing.T) {
	t.Parallel()
	m := newPublishing(t)
	meshtest.Prompt(t, m.Mesh.Mesh, "waiting for what is late takes further calls")
	meshtest.Without(t, m.Mesh.Mesh, "what is hidden or refused takes further calls", func(r localmesh.Readings) bool {
		return r.ListingsShowOwnRows || r.PrivilegedAccessGrantsNothing || r.UnreachableLocationsRefused
	})
	m.Bucket(publisherID, "lake")
	m.Database(publisherID, "many")
	const tables, partitions = 25, 101
	for i := range tables {
		name := fmt.Sprintf("t%03d", i)
		location := "s3://lake/many/" + name
		m.Table(publisherID, "many", meshtest.CSV(name, location, "part"))
		m.Partitions(publisherID, "many", name, location, 0, partitions)
	}
	in := producer.CreateDataProductsInput{SourceDatabaseName: "many", Domain: "d", DataProductName: "p"}
	m.publish(in)
	for operation, want := range map[string]int{
		"glue:CreateTable": 2 * tables, "glue:GetPartitions": tables, "glue:BatchCreatePartition": 2 * tables,
		"glue:UpdateTable":                  tables, // which partitions were copied is noted
		"lakeformation:AddLFTagsToResource": tables, "lakeformation:RegisterResource": 1,
		"lakeformation:BatchGrantPermissions": 4 + 1, // 77 entries by 20, and 2 on LF-tags
		"lakeformation:CreateLFTag":           0,
		"lakeformation:UpdateLFTag":           4,
		"lakeformation:GrantPermissions":      0, "glue:CreatePartition": 0, "sts:GetCallerIdentity": 0,
	} {
		if got := m.Count(operation); got != want {
			t.Errorf("%s was called %d times, want %d", operation, got, want)
		}
	}
	// What does not grow with the tables, besides one page of tables. The bucket is looked
	// at once.
	fixed := m.Calls() - 2*tables - tables - 2*tables - tables - tables - 4
	if fixed > 33 {
		t.Errorf("%d calls that do not grow with the tables: %v", fixed, m.Counts())
	}
	p := m.open()
	if _, err := p.CreateDataProducts(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	m.noWrites("the second time")
	if most := tables + 25; m.Calls() > most {
		t.Errorf("the second time it makes %d calls, more than %d: %v", m.Calls(), most, m.Counts())
	}
}

func TestCreateDataProductsCopiesAnyNumberOfPartitions(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 99, 100, 101, 1000, 1001} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			m := newPublishing(t)
			m.Bucket(publisherID, "lake")
			m.Database(publisherID, "db")
			m.Table(publisherID, "db", meshtest.CSV("t", "s3://lake/t", "part"))
			m.Partitions(publisherID, "db", "t", "s3://lake/t", 0, n)
			m.publish(producer.CreateDataProductsInput{SourceDatabaseName: "db"})
			if got, want := m.Count("glue:BatchCreatePartition"), (n+99)/100; got != want {
				t.Errorf("%d batches, want %d", got, want)
			}
			if got, want := m.Count("glue:GetPartitions"), max(1, (n+999)/1000); got != want {
				t.Errorf("%d pages, want %d", got, want)
			}
			got := m.partitionValues(m.roleGlue(), theMesh, "db-"+publisherID, "t")
			if want := m.partitionValues(m.ownGlue(), publisherID, "db", "t"); !slices.Equal(got, want) || len(got) != n {
				t.Errorf("%d partitions were copied, want %d", len(got), len(want))
			}
		})
	}
}

func TestCreateDataProductsAgainCopiesOnlyNewPartitions(t *testing.T) {
	t.Parallel()
	m := newPublishing(t)
	m.Bucket(publisherID, "lake")
	m.Database(publisherID, "db")
	m.Table(publisherID, "db", meshtest.CSV("t", "s3://lake/t", "part"))
	m.Partitions(publisherID, "db", "t", "s3://lake/t", 0, 250)
	in := producer.CreateDataProductsInput{SourceDatabaseName: "db"}
	m.publish(in)
	m.Partitions(publisherID, "db", "t", "s3://lake/t", 250, 101)
	p := m.open()
	todo, err := p.PlanCreateDataProducts(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(todo.Steps) != 1 || !strings.Contains(todo.String(), "copy 101 partitions of table db-111111111111.t") {
		t.Errorf("planned:\n%s", todo)
	}
	m.ResetCounts()
	if _, err := p.CreateDataProducts(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"glue:BatchCreatePartition 2", "glue:UpdateTable 1"}, m.Writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	if got := m.partitionValues(m.roleGlue(), theMesh, "db-"+publisherID, "t"); len(got) != 351 {
		t.Errorf("%d partitions, want 351", len(got))
	}
	if len(m.partition("db-"+publisherID, "t", "00350").StorageDescriptor.Columns) != 2 {
		t.Error("the partition was copied without its columns")
	}
}

func TestCreateDataProductsFollowsChangesOfTheSource(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
	m.publish(in)
	changed := meshtest.CSV("airports", "s3://flights/airports/")
	changed.StorageDescriptor.Columns = append(changed.StorageDescriptor.Columns, types.Column{Name: aws.String("elevation"), Type: aws.String("int")})
	if _, err := m.Glue(publisherID).UpdateTable(t.Context(), &glue.UpdateTableInput{DatabaseName: aws.String(meshtest.SampleDatabase), TableInput: changed}); err != nil {
		t.Fatal(err)
	}
	m.Table(publisherID, meshtest.SampleDatabase, meshtest.CSV("carriers", "s3://flights/carriers/"))
	out := m.publish(in)
	if len(out.Tables) != 4 {
		t.Errorf("published %v", out.Tables)
	}
	if got := m.Count("glue:UpdateTable"); got != 1 {
		t.Errorf("UpdateTable was called %d times", got)
	}
	if got := m.table(m.meshGlue(), theMesh, published, "airports"); len(got.StorageDescriptor.Columns) != 3 {
		t.Error("the change did not arrive")
	}
}

func TestCreateDataProductsByExpression(t *testing.T) {
	t.Parallel()
	m := newPublishing(t)
	m.Bucket(publisherID, "lake")
	m.Database(publisherID, "shop")
	for _, name := range []string{"orders", "orders_eu", "my_orders", "customers"} {
		m.Table(publisherID, "shop", meshtest.CSV(name, "s3://lake/"+name))
	}
	for expression, want := range map[string]string{
		"orders":              "orders",
		"ORDERS":              "orders",
		"orders_.*":           "orders_eu",
		"orders.*":            "orders orders_eu",
		"orders|customers":    "customers orders",
		".*orders":            "my_orders orders",
		"":                    "customers my_orders orders orders_eu",
		"[a-z]+":              "customers orders",
		"(?:my_)?orders(_x)?": "my_orders orders",
	} {
		p := m.open()
		todo, err := p.PlanCreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: "shop", TableNameRegex: expression})
		if err != nil {
			t.Errorf("%q: %v", expression, err)
			continue
		}
		var got []string
		for _, s := range todo.Steps {
			if s.Kind == plan.CreateTable {
				got = append(got, strings.TrimPrefix(s.Resource, "table shop-111111111111."))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q means %q, want %q", expression, got, want)
		}
	}
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: "shop", TableNameRegex: "orders"})
	if n := m.Count("glue:GetTables"); n != 0 {
		t.Errorf("one table was named, and whole databases were listed %d times", n)
	}
	if got := m.tableNames(m.meshGlue(), theMesh, "shop-"+publisherID); !slices.Equal(got, []string{"orders"}) {
		t.Errorf("published %q", got)
	}
}

func TestCreateDataProductsUnderOtherNames(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	out := m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "routes",
		ExposeDataMeshDBName: "Flights-EU", ExposeTableReferencesWithSuffix: aws.String("")})
	want := []producer.ProductTable{{SourceTable: "routes", LinkTable: "routes"}}
	if out.DatabaseName != "flights-eu" || !slices.Equal(out.Tables, want) {
		t.Errorf("output %+v", out)
	}
	if !catalog.IsLinkTo(m.table(m.ownGlue(), publisherID, "flights-eu", "routes"), theMesh, "flights-eu", "routes") {
		t.Error("no link")
	}
	// The links can stand beside the originals as well.
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, ExposeDataMeshDBName: meshtest.SampleDatabase})
	again := m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, ExposeDataMeshDBName: meshtest.SampleDatabase})
	if len(again.Tables) != 3 || len(again.Warnings) != 0 {
		t.Errorf("the links were taken for tables: %+v", again)
	}
	m.noWrites("the second time")
}

func TestCreateDataProductsWithPrivateMetadata(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	reader := lakemesh.RoleARN(theMesh, lakemesh.ReadOnlyRole)
	held := func() []permissions.Entry {
		granted, err := m.manager().Observe(t.Context(), permissions.Database(theMesh, published), permissions.Table(theMesh, published, "routes"))
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(granted.Entries(), func(e permissions.Entry) bool { return e.Principal != reader })
	}
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, CreatePublicMetadata: aws.Bool(false)}
	m.publish(in)
	if got := held(); len(got) != 0 {
		t.Errorf("the read-only role holds %v", got)
	}
	// What is not said stays as it was, also of a table that comes later.
	in.CreatePublicMetadata = nil
	m.publish(in)
	m.Table(publisherID, meshtest.SampleDatabase, meshtest.CSV("later", ""))
	m.publish(in)
	if got := held(); len(got) != 0 {
		t.Errorf("nobody said so, and the read-only role holds %v", got)
	}
	later, err := m.manager().Observe(t.Context(), permissions.Table(theMesh, published, "later"))
	if err != nil {
		t.Fatal(err)
	}
	if got := later.Of(reader, permissions.Table(theMesh, published, "later")).Permissions; len(got) != 0 {
		t.Errorf("a new table of a private product: the read-only role holds %v", got)
	}
	in.CreatePublicMetadata = aws.Bool(true)
	m.publish(in)
	if got := held(); len(got) != 2 {
		t.Errorf("the read-only role holds %v", got)
	}
	in.CreatePublicMetadata = nil
	m.publish(in)
	if got := held(); len(got) != 2 {
		t.Errorf("it was public, and the read-only role holds %v", got)
	}
	in.CreatePublicMetadata = aws.Bool(false)
	m.publish(in)
	if got := held(); len(got) != 0 {
		t.Errorf("the read-only role still holds %v", got)
	}
}

func TestCreateDataProductsOfUnusualTables(t *testing.T) {
	t.Parallel()
	m := newPublishing(t)
	m.Bucket(publisherID, "lake")
	m.Database(publisherID, "odd")
	m.Table(publisherID, "odd", &types.TableInput{Name: aws.String("a_view"), TableType: aws.String("VIRTUAL_VIEW"), ViewOriginalText: aws.String("/* Presto View: e30= */")})
	m.Table(publisherID, "odd", meshtest.CSV("nowhere", ""))
	m.Table(publisherID, "odd", meshtest.CSV("hdfs", "hdfs://namenode/warehouse/hdfs"))
	iceberg := meshtest.CSV("iceberg", "s3://lake/iceberg")
	iceberg.Parameters = map[string]string{"table_type": "ICEBERG", "metadata_location": "s3://lake/iceberg/metadata/00001.json"}
	m.Table(publisherID, "odd", iceberg)
	bare := &types.TableInput{Name: aws.String("bare")}
	m.Table(publisherID, "odd", bare)
	m.Table(publisherID, "odd", catalog.Link("elsewhere", "333333333333", "db", "t"))

	out := m.publish(producer.CreateDataProductsInput{SourceDatabaseName: "odd"})
	var names []string
	for _, table := range out.Tables {
		names = append(names, table.SourceTable)
	}
	if !slices.Equal(names, []string{"bare", "hdfs", "iceberg", "nowhere"}) {
		t.Errorf("published %q", names)
	}
	for i, says := range []string{"odd.bare has no location", "odd.hdfs is not stored in S3", "odd.iceberg is an Iceberg table", "odd.nowhere has no location", "skipped odd.a_view: it is a view", "skipped odd.elsewhere: it is a resource link"} {
		if i >= len(out.Warnings) || !strings.Contains(out.Warnings[i], says) {
			t.Errorf("no warning that %s: %q", says, out.Warnings)
		}
	}
	got := m.table(m.meshGlue(), theMesh, "odd-"+publisherID, "iceberg")
	if diff := cmp.Diff(iceberg.Parameters, catalog.Definition(got).Parameters); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: "odd"})
	m.noWrites("the second time")
}

func TestCreateDataProductsWithACrawler(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "routes", SyncMeshCrawlerRoleARN: meshtest.CrawlerRole}
	m.publish(in)
	get := func() *types.Crawler {
		out, err := m.ownGlue().GetCrawler(t.Context(), &glue.GetCrawlerInput{Name: aws.String("lakemesh-" + published)})
		if err != nil {
			t.Fatal(err)
		}
		return out.Crawler
	}
	crawler := get()
	if aws.ToString(crawler.Role) != "Crawler" || aws.ToString(crawler.Schedule.ScheduleExpression) != producer.DefaultSchedule {
		t.Errorf("crawler %+v", crawler)
	}
	targets := crawler.Targets.CatalogTargets
	if len(targets) != 1 || aws.ToString(targets[0].DatabaseName) != published || !slices.Equal(targets[0].Tables, []string{"routes_link"}) {
		t.Errorf("targets %+v", targets)
	}
	in.TableNameRegex, in.SyncMeshCatalogSchedule = "airports", "cron(0 12 * * ? *)"
	m.publish(in)
	crawler = get()
	if got := crawler.Targets.CatalogTargets[0].Tables; !slices.Equal(got, []string{"airports_link", "routes_link"}) {
		t.Errorf("targets %q", got)
	}
	if got := aws.ToString(crawler.Schedule.ScheduleExpression); got != "cron(0 12 * * ? *)" {
		t.Errorf("schedule %q", got)
	}
	lake := &permissions.Lake{Client: lakeformation.NewFromConfig(m.Config(lakemesh.RoleARN(publisherID, lakemesh.ProducerRole))), Account: publisherID}
	granted, err := lake.Observe(t.Context(), permissions.Table(theMesh, published, "routes"), permissions.Table(publisherID, published, "routes_link"))
	if err != nil {
		t.Fatal(err)
	}
	if !granted.Of(meshtest.CrawlerRole, permissions.Table(theMesh, published, "routes")).Permissions.Has(lakemesh.Alter) {
		t.Error("the crawler may not change the table in the mesh")
	}
	if !granted.Of(meshtest.CrawlerRole, permissions.Table(publisherID, published, "routes_link")).Permissions.Has(lakemesh.Describe) {
		t.Error("the crawler may not see the link")
	}
	m.publish(in)
	m.noWrites("the third time")
}

func TestCreateDataProductsWithoutACrawlerRoleMakesNone(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
	if n := m.Count("glue:CreateCrawler", "glue:GetCrawler"); n != 0 {
		t.Errorf("%d calls about crawlers", n)
	}
}

// lakeAdministrator makes the administrator of the producer's account one of its
// data lake as well.
func (m publishing) lakeAdministrator() *permissions.Lake {
	m.t.Helper()
	client := lakeformation.NewFromConfig(m.Config(meshtest.Administrator(publisherID)))
	out, err := client.GetDataLakeSettings(m.t.Context(), &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		m.t.Fatal(err)
	}
	settings := out.DataLakeSettings
	settings.DataLakeAdmins = append(settings.DataLakeAdmins, lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(meshtest.Administrator(publisherID))})
	if _, err := client.PutDataLakeSettings(m.t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: settings}); err != nil {
		m.t.Fatal(err)
	}
	return &permissions.Lake{Client: client, Account: publisherID}
}

func (m publishing) tagsOf(table string) map[string]string {
	m.t.Helper()
	tags, err := m.manager().TableTags(m.t.Context(), published, table)
	if err != nil {
		m.t.Fatal(err)
	}
	return tags
}

func TestCreateDataProductsTags(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, Domain: "Transport", DataProductName: "US Aviation"})
	want := map[string]string{"domain": "transport", "dataproduct": "us aviation", "domain-" + publisherID: "transport", "dataproduct-" + publisherID: "us aviation"}
	for _, table := range []string{"airports", "routes", "weather"} {
		if diff := cmp.Diff(want, m.tagsOf(table)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", table, diff)
		}
	}
	if n := m.Count("lakeformation:AddLFTagsToResource"); n != 3 {
		t.Errorf("tags were assigned in %d calls", n)
	}
	// In another case it is the same.
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, Domain: "TRANSPORT", DataProductName: "us aviation"})
	m.noWrites("in another case")
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "routes", Domain: "maps"})
	if got := m.tagsOf("routes"); got["domain"] != "maps" || got["domain-"+publisherID] != "maps" || got["dataproduct-"+publisherID] != "us aviation" {
		t.Errorf("routes has %v", got)
	}
	if n := m.Count("lakeformation:AddLFTagsToResource"); n != 1 {
		t.Errorf("tags were assigned in %d calls", n)
	}
}

func TestCreateDataProductsCopiesTagsOfTheSource(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	own := m.lakeAdministrator().Client
	mesh := m.manager()
	keys := []string{"confidentiality", "guarded", "unknown"}
	for _, key := range keys {
		if _, err := own.CreateLFTag(t.Context(), &lakeformation.CreateLFTagInput{TagKey: aws.String(key), TagValues: []string{"public", "secret"}}); err != nil {
			t.Fatal(err)
		}
	}
	// The mesh has two of the keys, and its producers may use one of them. They make none.
	for _, key := range keys[:2] {
		if err := mesh.CreateTag(t.Context(), key, "public"); err != nil {
			t.Fatal(err)
		}
	}
	m.grant(mesh, permissions.Entry{Principal: lakemesh.RoleARN(theMesh, lakemesh.MeshProducerRole(publisherID)), Resource: permissions.Tag(theMesh, keys[0]),
		Permissions: lakemesh.NewPermissions(lakemesh.Alter, permissions.Associate, lakemesh.Describe)})
	if _, err := own.AddLFTagsToResource(t.Context(), &lakeformation.AddLFTagsToResourceInput{
		Resource: &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(meshtest.SampleDatabase), Name: aws.String("routes")}},
		LFTags: []lftypes.LFTagPair{{TagKey: &keys[0], TagValues: []string{"secret"}}, {TagKey: &keys[1], TagValues: []string{"secret"}},
			{TagKey: &keys[2], TagValues: []string{"secret"}}},
	}); err != nil {
		t.Fatal(err)
	}
	out := m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, Domain: "transport"})
	if diff := cmp.Diff(map[string]string{"domain": "transport", "domain-" + publisherID: "transport", "confidentiality": "secret"}, m.tagsOf("routes")); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"domain": "transport", "domain-" + publisherID: "transport"}, m.tagsOf("airports")); diff != "" {
		t.Errorf("airports (-want +got):\n%s", diff)
	}
	if len(out.Warnings) != 2 || !strings.Contains(out.Warnings[0], "guarded is not assigned") || !strings.Contains(out.Warnings[1], "unknown is not assigned") {
		t.Errorf("warnings %q", out.Warnings)
	}
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, Domain: "transport"})
	m.noWrites("the second time")
}

func TestCreateDataProductsRefusesBadInputBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.Table(publisherID, meshtest.SampleDatabase, &types.TableInput{Name: aws.String("a_view"), TableType: aws.String("VIRTUAL_VIEW"), ViewOriginalText: aws.String("select 1")})
	m.Table(publisherID, meshtest.SampleDatabase, catalog.Link("a_link", "333333333333", "db", "t"))
	m.Table(publisherID, meshtest.SampleDatabase, meshtest.CSV(strings.Repeat("n", 252), "s3://flights/n"))
	const db = meshtest.SampleDatabase
	longSuffix := strings.Repeat("s", 300)
	p := m.open()
	for name, test := range map[string]struct {
		in   producer.CreateDataProductsInput
		kind error
		says string
	}{
		"no database":            {producer.CreateDataProductsInput{}, lakemesh.ErrInvalidInput, "SourceDatabaseName"},
		"unknown database":       {producer.CreateDataProductsInput{SourceDatabaseName: "nowhere"}, lakemesh.ErrNotFound, "nowhere"},
		"a path for a database":  {producer.CreateDataProductsInput{SourceDatabaseName: "a/b"}, lakemesh.ErrInvalidInput, "a/b"},
		"unknown table":          {producer.CreateDataProductsInput{SourceDatabaseName: db, TableNameRegex: "trains"}, lakemesh.ErrNotFound, "trains"},
		"nothing matches":        {producer.CreateDataProductsInput{SourceDatabaseName: db, TableNameRegex: "rout[e]"}, lakemesh.ErrNotFound, "rout[e]"},
		"does not compile":       {producer.CreateDataProductsInput{SourceDatabaseName: db, TableNameRegex: "rout(es"}, lakemesh.ErrInvalidInput, "rout(es"},
		"a view":                 {producer.CreateDataProductsInput{SourceDatabaseName: db, TableNameRegex: "a_view"}, lakemesh.ErrInvalidInput, "view"},
		"only a view":            {producer.CreateDataProductsInput{SourceDatabaseName: db, TableNameRegex: "a_v.*"}, lakemesh.ErrNotFound, "view"},
		"a link":                 {producer.CreateDataProductsInput{SourceDatabaseName: db, TableNameRegex: "a_link"}, lakemesh.ErrInvalidInput, "resource link"},
		"a schedule alone":       {producer.CreateDataProductsInput{SourceDatabaseName: db, SyncMeshCatalogSchedule: "cron(0 1 * * ? *)"}, lakemesh.ErrInvalidInput, "SyncMeshCrawlerRoleARN"},
		"a bad schedule":         {producer.CreateDataProductsInput{SourceDatabaseName: db, SyncMeshCatalogSchedule: "cron(0 1 * * * *)", SyncMeshCrawlerRoleARN: meshtest.CrawlerRole}, lakemesh.ErrInvalidInput, "day-of-month"},
		"a bad role":             {producer.CreateDataProductsInput{SourceDatabaseName: db, SyncMeshCrawlerRoleARN: "Crawler"}, lakemesh.ErrInvalidInput, "ARN"},
		"a role elsewhere":       {producer.CreateDataProductsInput{SourceDatabaseName: db, SyncMeshCrawlerRoleARN: "arn:aws:iam::999999999999:role/Crawler"}, lakemesh.ErrInvalidInput, "999999999999"},
		"a suffix with a space":  {producer.CreateDataProductsInput{SourceDatabaseName: db, ExposeTableReferencesWithSuffix: aws.String(" link")}, lakemesh.ErrInvalidInput, "Suffix"},
		"a suffix with a slash":  {producer.CreateDataProductsInput{SourceDatabaseName: db, ExposeTableReferencesWithSuffix: aws.String("/x")}, lakemesh.ErrInvalidInput, "Suffix"},
		"too long a suffix":      {producer.CreateDataProductsInput{SourceDatabaseName: db, ExposeTableReferencesWithSuffix: &longSuffix}, lakemesh.ErrInvalidInput, "255"},
		"too long a link":        {producer.CreateDataProductsInput{SourceDatabaseName: db, TableNameRegex: "n+"}, lakemesh.ErrInvalidInput, "257"},
		"too long a database":    {producer.CreateDataProductsInput{SourceDatabaseName: strings.Repeat("d", 250)}, lakemesh.ErrInvalidInput, "263"},
		"too long an expression": {producer.CreateDataProductsInput{SourceDatabaseName: db, TableNameRegex: strings.Repeat("x", 256)}, lakemesh.ErrInvalidInput, "255"},
		"too long a domain":      {producer.CreateDataProductsInput{SourceDatabaseName: db, Domain: strings.Repeat("x", 51)}, lakemesh.ErrInvalidInput, "Domain"},
		"a bad product name":     {producer.CreateDataProductsInput{SourceDatabaseName: db, DataProductName: "a\nb"}, lakemesh.ErrInvalidInput, "DataProductName"},
	} {
		_, err := p.CreateDataProducts(t.Context(), test.in)
		if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v; want %v that says %q", name, err, test.kind, test.says)
		}
		if _, err := p.PlanCreateDataProducts(t.Context(), test.in); !errors.Is(err, test.kind) {
			t.Errorf("planning, %s: %v; want %v", name, err, test.kind)
		}
	}
	m.noWrites("with bad input")
}

func TestCreateDataProductsRefusesToReplaceWhatIsNoLink(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.Database(publisherID, published)
	m.Table(publisherID, published, meshtest.CSV("routes_link", "s3://flights/x"))
	p := m.open()
	_, err := p.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
	if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), "routes_link") {
		t.Errorf("%v", err)
	}
	m.noWrites("with a table in the way")
}

func TestCreateDataProductsRefusesAnotherProducersDatabase(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.AddProducer(meshtest.OtherProducer)
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, ExposeDataMeshDBName: "shared"})
	m.Bucket(meshtest.OtherProducer, "others")
	m.Database(meshtest.OtherProducer, "db")
	m.Table(meshtest.OtherProducer, "db", meshtest.CSV("t", "s3://others/t"))
	other, err := producer.New(t.Context(), m.Options(meshtest.OtherProducer))
	if err != nil {
		t.Fatal(err)
	}
	_, err = other.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: "db", ExposeDataMeshDBName: "shared"})
	if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "belongs to another producer") {
		t.Errorf("%v", err)
	}
	if got := m.tableNames(m.meshGlue(), theMesh, "shared"); slices.Contains(got, "t") {
		t.Errorf("the other producer's table is in the database: %q", got)
	}
}

func TestCreateDataProductsNamesWhoMayUseALocation(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.AddProducer(meshtest.OtherProducer)
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
	m.Database(meshtest.OtherProducer, "db")
	m.Table(meshtest.OtherProducer, "db", meshtest.CSV("stolen", "s3://flights/weather/part=00000"))
	other, err := producer.New(t.Context(), m.Options(meshtest.OtherProducer))
	if err != nil {
		t.Fatal(err)
	}
	_, err = other.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: "db"})
	if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "DATA_LOCATION_ACCESS") {
		t.Errorf("%v", err)
	}
}

func TestCreateDataProductsUsesARegisteredAncestor(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "weather"})
	m.Table(publisherID, meshtest.SampleDatabase, meshtest.CSV("weather_raw", "s3://flights/weather/raw/"))
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "weather.*"})
	if n := m.Count("lakeformation:RegisterResource"); n != 0 {
		t.Errorf("%d locations were registered below one that is", n)
	}
}

func TestCreateDataProductsFindsWhatIAMOpensBeforeItGrants(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "routes"}
	m.publish(in)
	open := permissions.Entry{Principal: permissions.AllowedByIAM, Resource: permissions.Database(theMesh, published), Permissions: lakemesh.NewPermissions(lakemesh.All)}
	m.grant(m.manager(), open)
	p := m.open()
	in.TableNameRegex = ""
	_, err := p.CreateDataProducts(t.Context(), in)
	if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "IAM_ALLOWED_PRINCIPALS") {
		t.Errorf("%v", err)
	}
	m.noWrites("with a database that is open to IAM")
}

// grant grants an entry as somebody.
func (m publishing) grant(lake *permissions.Lake, entries ...permissions.Entry) {
	m.t.Helper()
	todo := &plan.Plan{Operation: "test"}
	b := lake.Batches()
	for _, e := range entries {
		b.Grant(todo, e)
	}
	if _, err := todo.Apply(m.t.Context(), plan.Settings{}); err != nil {
		m.t.Fatal(err)
	}
}

func TestCreateDataProductsClearsTheDefaultsOfAnOlderDatabase(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "routes"})
	// As the original library leaves it.
	if _, err := m.roleGlue().UpdateDatabase(t.Context(), &glue.UpdateDatabaseInput{Name: aws.String(published), DatabaseInput: &types.DatabaseInput{
		Name: aws.String(published), Description: aws.String("kept"), Parameters: map[string]string{"kept": "too"},
		CreateTableDefaultPermissions: []types.PrincipalPermissions{{Permissions: []types.Permission{types.PermissionAll},
			Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(permissions.AllowedByIAM)}}}}}); err != nil {
		t.Fatal(err)
	}
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
	out, err := m.meshGlue().GetDatabase(t.Context(), &glue.GetDatabaseInput{Name: aws.String(published)})
	if err != nil {
		t.Fatal(err)
	}
	if d := out.Database; len(d.CreateTableDefaultPermissions) != 0 || aws.ToString(d.Description) != "kept" || d.Parameters["kept"] != "too" {
		t.Errorf("the database became %+v", d)
	}
}

func TestCreateDataProductsOfTablesThatLakeFormationGuards(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.guard("airports", "routes", "weather")
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
	m.publish(in)
	if got := m.partitionValues(m.roleGlue(), theMesh, published, "weather"); len(got) != 3 {
		t.Errorf("partitions %q", got)
	}
	for _, name := range []string{"routes", "weather"} {
		if got := m.table(m.roleGlue(), theMesh, published, name); len(got.StorageDescriptor.Columns) != 2 {
			t.Errorf("%s was published with %d columns", name, len(got.StorageDescriptor.Columns))
		}
	}
	m.publish(in)
	m.noWrites("the second time")
	// Somebody takes the producer's role the right to read partitions.
	b, todo := m.lakeAdministrator().Batches(), &plan.Plan{}
	b.Revoke(todo, permissions.Entry{Principal: lakemesh.RoleARN(publisherID, lakemesh.ProducerRole),
		Resource: permissions.Table(publisherID, meshtest.SampleDatabase, "weather"), Permissions: lakemesh.NewPermissions(lakemesh.Select)})
	if _, err := todo.Apply(t.Context(), plan.Settings{}); err != nil {
		t.Fatal(err)
	}
	m.Partitions(publisherID, meshtest.SampleDatabase, "weather", "s3://flights/weather", 3, 1)
	m.publish(in)
	if got := m.partitionValues(m.roleGlue(), theMesh, published, "weather"); len(got) != 4 {
		t.Errorf("partitions %q", got)
	}
}

// guard takes the sample's tables from those whom IAM lets through, but for the
// account's administrator.
func (m publishing) guard(tables ...string) {
	m.t.Helper()
	lake := m.lakeAdministrator()
	b, todo := lake.Batches(), &plan.Plan{}
	all := lakemesh.NewPermissions(lakemesh.All)
	for _, name := range tables {
		table := permissions.Table(publisherID, meshtest.SampleDatabase, name)
		b.Grant(todo, permissions.Entry{Principal: meshtest.Administrator(publisherID), Resource: table, Permissions: all})
		b.Revoke(todo, permissions.Entry{Principal: permissions.AllowedByIAM, Resource: table, Permissions: all})
	}
	b.Revoke(todo, permissions.Entry{Principal: permissions.AllowedByIAM, Resource: permissions.Database(publisherID, meshtest.SampleDatabase), Permissions: all})
	if _, err := todo.Apply(m.t.Context(), plan.Settings{}); err != nil {
		m.t.Fatal(err)
	}
}

func TestCreateDataProductsUnderThrottling(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	p := m.open()
	m.SetRate("glue", "CreateTable", 10)
	if _, err := p.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}); err != nil {
		t.Fatal(err)
	}
}

func TestCreateDataProductsReportsProgress(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	var seen []lakemesh.Progress
	p := m.open(func(o *lakemesh.Options) { o.Progress = func(now lakemesh.Progress) { seen = append(seen, now) } })
	if _, err := p.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}); err != nil {
		t.Fatal(err)
	}
	if len(seen) == 0 || seen[len(seen)-1].Done != seen[len(seen)-1].Total || seen[0].Operation != "CreateDataProducts" {
		t.Errorf("progress %v", seen)
	}
}

func TestCreateDataProductsCanBeCancelled(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	p := m.open(func(o *lakemesh.Options) {
		o.Concurrency = 1
		o.Progress = func(now lakemesh.Progress) {
			if now.Done == 4 {
				cancel(enough)
			}
		}
	})
	_, err := p.CreateDataProducts(ctx, producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
	if !errors.Is(err, lakemesh.ErrPartial) || !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
	m.noWrites("the third time")
}
