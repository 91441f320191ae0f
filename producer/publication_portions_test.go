package producer_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// openInPortions opens a producer that publishes so many tables at once.
func (m publishing) openInPortions(of int, options ...func(*lakemesh.Options)) *producer.Producer {
	m.t.Helper()
	p := m.open(options...)
	producer.InPortionsOf(p, of)
	return p
}

// state is what a publication of the sample leaves in the two catalogs.
func (m publishing) state() map[string]any {
	m.t.Helper()
	state := map[string]any{}
	for _, name := range m.tableNames(m.meshGlue(), theMesh, published) {
		state["table "+name] = catalog.DigestOf(catalog.Definition(m.table(m.meshGlue(), theMesh, published, name)))
		state["tags of "+name] = m.tagsOf(name)
	}
	state["links"] = m.tableNames(m.ownGlue(), publisherID, published)
	state["partitions"] = m.partitionValues(m.roleGlue(), theMesh, published, "weather")
	for account, lake := range map[string]*permissions.Lake{theMesh: m.manager(), publisherID: m.lakeAdministrator()} {
		for _, kind := range []types.DataLakeResourceType{types.DataLakeResourceTypeDatabase, types.DataLakeResourceTypeTable} {
			granted, err := lake.ObserveKind(m.t.Context(), kind)
			if err != nil {
				m.t.Fatal(err)
			}
			state[fmt.Sprint("grants ", account, kind)] = granted.Entries()
		}
	}
	return state
}

func TestCreateDataProductsInPortionsLeavesTheSame(t *testing.T) {
	t.Parallel()
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, Domain: "Transport", SyncMeshCrawlerRoleARN: meshtest.CrawlerRole}
	whole := sampled(t)
	want := whole.publish(in)
	for _, of := range []int{1, 2} {
		t.Run(fmt.Sprintf("of %d", of), func(t *testing.T) {
			t.Parallel()
			m := sampled(t)
			var seen []lakemesh.Progress
			p := m.openInPortions(of, func(o *lakemesh.Options) { o.Progress = func(now lakemesh.Progress) { seen = append(seen, now) } })
			got, err := p.CreateDataProducts(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("output (-whole +portions):\n%s", diff)
			}
			if diff := cmp.Diff(whole.state(), m.state()); diff != "" {
				t.Errorf("state (-whole +portions):\n%s", diff)
			}
			for i, now := range seen {
				if now.Done != i+1 || now.Total < now.Done {
					t.Fatalf("progress %d is %+v", i, now)
				}
			}
			if last := seen[len(seen)-1]; last.Done != last.Total {
				t.Errorf("progress ends with %+v", last)
			}
			p = m.openInPortions(of)
			if _, err := p.CreateDataProducts(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			m.noWrites("the second time")
		})
	}
}

func TestCreateDataProductsChecksAllPortionsBeforeTheFirst(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.Database(publisherID, published)
	m.Table(publisherID, published, meshtest.CSV("weather_link", "s3://"+meshtest.SampleBucket+"/other/"))
	p := m.openInPortions(1)
	_, err := p.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
	if !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("%v", err)
	}
	m.noWrites("a publication whose last table is unfit")
}

func TestCreateDataProductsTellsWhatEarlierPortionsDid(t *testing.T) {
	t.Parallel()
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
	for _, fault := range []localmesh.Fault{
		{Service: "glue", Operation: "CreateTable", Nth: 5, Code: "OutOfOrderException", Message: "a planned fault", Status: 400},
		{Service: "glue", Operation: "GetTables", Nth: 2, Code: "OutOfOrderException", Message: "a planned fault", Status: 400},
	} {
		t.Run(fmt.Sprintf("%s %d", fault.Operation, fault.Nth), func(t *testing.T) {
			t.Parallel()
			m := sampled(t)
			p := m.openInPortions(2)
			m.Fail(fault)
			_, err := p.CreateDataProducts(t.Context(), in)
			if fault.Operation == "GetTables" {
				// The definitions are read again before anything is written.
				if partial, ok := errors.AsType[*lakemesh.PartialError](err); err == nil || ok {
					t.Errorf("the error is %v", partial)
				}
				m.noWrites("a publication whose tables cannot be read again")
			} else if partial, ok := errors.AsType[*lakemesh.PartialError](err); !ok || partial.Done < 8 || len(partial.Failed) != 1 {
				t.Errorf("the error is %v", err)
			}
			p = m.openInPortions(2)
			if _, err := p.CreateDataProducts(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			p = m.openInPortions(2)
			if _, err := p.CreateDataProducts(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			m.noWrites("the third time")
		})
	}
}

// TestCreateDataProductsReadsDefinitionsAgain looks how they are read: by pages for
// portions that are new, one by one where few tables of a portion changed.
func TestCreateDataProductsReadsDefinitionsAgain(t *testing.T) {
	t.Parallel()
	const tables, of = 203, 100
	m := newPublishing(t)
	meshtest.Without(t, m.Mesh.Mesh, "hundreds of folders are registered, and enabled, one by one", func(r localmesh.Readings) bool { return r.UnreachableLocationsRefused })
	m.Bucket(publisherID, "lake")
	m.Database(publisherID, "many")
	for i := range tables {
		name := fmt.Sprintf("t%03d", i)
		m.Table(publisherID, "many", meshtest.CSV(name, "s3://lake/many/"+name))
	}
	in := producer.CreateDataProductsInput{SourceDatabaseName: "many"}
	p := m.openInPortions(of)
	if _, err := p.CreateDataProducts(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	// Three pages for the survey, three to read again, and one where what is shared is late.
	if pages, single := m.Count("glue:GetTables"), m.Count("glue:GetTable"); (pages != 6 && m.EventualConsistency() == 0) || single != 0 {
		t.Errorf("%d pages of tables and %d tables were read", pages, single)
	}
	if got := m.tableNames(m.meshGlue(), theMesh, "many-"+publisherID); len(got) != tables {
		t.Errorf("%d tables were published", len(got))
	}
	changed := meshtest.CSV("t150", "s3://lake/many/t150")
	changed.Description = aws.String("changed")
	if _, err := m.Glue(publisherID).UpdateTable(t.Context(), &glue.UpdateTableInput{DatabaseName: aws.String("many"), TableInput: changed}); err != nil {
		t.Fatal(err)
	}
	p = m.openInPortions(of)
	if _, err := p.CreateDataProducts(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	// Three pages each for the source, the mesh and the links.
	if pages, single := m.Count("glue:GetTables"), m.Count("glue:GetTable"); pages != 9 || single != 1 {
		t.Errorf("%d pages of tables and %d tables were read for one change", pages, single)
	}
	if diff := cmp.Diff([]string{"glue:UpdateTable 1"}, m.Writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	if got := m.table(m.meshGlue(), theMesh, "many-"+publisherID, "t150"); aws.ToString(got.Description) != "changed" {
		t.Errorf("the mesh has %q", aws.ToString(got.Description))
	}
}

func TestCreateDataProductsFollowsPartitionsThatMoved(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
	m.publish(in)
	read, err := m.Glue(publisherID).GetPartition(t.Context(), &glue.GetPartitionInput{DatabaseName: aws.String(meshtest.SampleDatabase), TableName: aws.String("weather"), PartitionValues: []string{"00001"}})
	if err != nil {
		t.Fatal(err)
	}
	moved := meshtest.Moved(read.Partition, "s3://"+meshtest.SampleBucket+"/weather/corrected/00001/")
	if _, err := m.Glue(publisherID).UpdatePartition(t.Context(), &glue.UpdatePartitionInput{DatabaseName: aws.String(meshtest.SampleDatabase), TableName: aws.String("weather"),
		PartitionValueList: moved.Values, PartitionInput: moved}); err != nil {
		t.Fatal(err)
	}
	p := m.open()
	todo, err := p.PlanCreateDataProducts(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(todo.Steps) != 1 || todo.Steps[0].Summary != "copy 1 partition of table "+published+".weather (1 changed)" {
		t.Errorf("planned:\n%s", todo)
	}
	m.publish(in)
	if diff := cmp.Diff([]string{"glue:BatchUpdatePartition 1", "glue:UpdateTable 1"}, m.Writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	got := m.partition(published, "weather", "00001").StorageDescriptor
	if aws.ToString(got.Location) != aws.ToString(moved.StorageDescriptor.Location) || len(got.Columns) != len(moved.StorageDescriptor.Columns) {
		t.Errorf("the mesh has %v", got)
	}
	if values := m.partitionValues(m.roleGlue(), theMesh, published, "weather"); !slices.Equal(values, []string{"00000", "00001", "00002"}) {
		t.Errorf("partitions %v", values)
	}
	m.publish(in)
	m.noWrites("the third time")
}
