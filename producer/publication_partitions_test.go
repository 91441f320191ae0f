package producer_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// change changes a partition of the source, and returns it.
func (m publishing) change(part string, change func(p *types.PartitionInput)) *types.PartitionInput {
	m.t.Helper()
	read, err := m.Glue(publisherID).GetPartition(m.t.Context(), &glue.GetPartitionInput{DatabaseName: aws.String(meshtest.SampleDatabase), TableName: aws.String("weather"), PartitionValues: []string{part}})
	if err != nil {
		m.t.Fatal(err)
	}
	in := meshtest.Moved(read.Partition, aws.ToString(read.Partition.StorageDescriptor.Location))
	change(in)
	if _, err := m.Glue(publisherID).UpdatePartition(m.t.Context(), &glue.UpdatePartitionInput{DatabaseName: aws.String(meshtest.SampleDatabase), TableName: aws.String("weather"),
		PartitionValueList: in.Values, PartitionInput: in}); err != nil {
		m.t.Fatal(err)
	}
	return in
}

// changes are ways in which a partition can say something else than before, though its
// data stays where it is.
func changes() map[string]func(p *types.PartitionInput) {
	return map[string]func(p *types.PartitionInput){
		"columns": func(p *types.PartitionInput) {
			p.StorageDescriptor.Columns = append(p.StorageDescriptor.Columns, types.Column{Name: aws.String("wind"), Type: aws.String("int")})
		},
		"a column's type": func(p *types.PartitionInput) {
			p.StorageDescriptor.Columns = []types.Column{{Name: aws.String("id"), Type: aws.String("int")}, p.StorageDescriptor.Columns[1]}
		},
		"parameters": func(p *types.PartitionInput) { p.Parameters = map[string]string{"rows": "2"} },
		"the serde": func(p *types.PartitionInput) {
			p.StorageDescriptor.SerdeInfo = &types.SerDeInfo{SerializationLibrary: aws.String("other")}
		},
		"the serde's delimiter": func(p *types.PartitionInput) {
			p.StorageDescriptor.SerdeInfo.Parameters = map[string]string{"field.delim": ";"}
		},
		"the storage's parameters": func(p *types.PartitionInput) {
			p.StorageDescriptor.Parameters = map[string]string{"compressionType": "gzip"}
		},
		"compression": func(p *types.PartitionInput) { p.StorageDescriptor.Compressed = true },
		"buckets": func(p *types.PartitionInput) {
			p.StorageDescriptor.BucketColumns, p.StorageDescriptor.NumberOfBuckets = []string{"id"}, 4
		},
		"order": func(p *types.PartitionInput) {
			p.StorageDescriptor.SortColumns = []types.Order{{Column: aws.String("id"), SortOrder: 1}}
		},
	}
}

func TestWhateverAPartitionSaysIsFollowed(t *testing.T) {
	t.Parallel()
	for name, change := range changes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := sampled(t)
			in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
			m.publish(in)
			want := m.change("00001", change)
			todo, err := m.open().PlanCreateDataProducts(t.Context(), in)
			if err != nil || !strings.Contains(todo.String(), "copy 1 partition of table "+published+".weather (1 changed)") {
				t.Errorf("planned, %v:\n%s", err, todo)
			}
			m.publish(in)
			got := m.partition(published, "weather", "00001")
			if diff := cmp.Diff(fmt.Sprint(describe(want.StorageDescriptor), want.Parameters), fmt.Sprint(describe(got.StorageDescriptor), got.Parameters)); diff != "" {
				t.Errorf("the copy differs (-source +copy):\n%s", diff)
			}
			m.publish(in)
			m.noWrites("the third time")
		})
	}
}

func describe(d *types.StorageDescriptor) string {
	var columns []string
	for _, c := range d.Columns {
		columns = append(columns, aws.ToString(c.Name)+" "+aws.ToString(c.Type))
	}
	return fmt.Sprint(columns, aws.ToString(d.Location), aws.ToString(d.SerdeInfo.SerializationLibrary), d.SerdeInfo.Parameters, d.Parameters, d.Compressed, d.BucketColumns, d.NumberOfBuckets, len(d.SortColumns))
}

// An original is removed only if its copy says the same in everything.
func TestMigratingDoesNotRemoveWhatDiffers(t *testing.T) {
	t.Parallel()
	for name, change := range changes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := sampled(t)
			m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, ExposeDataMeshDBName: meshtest.SampleDatabase})
			want := m.change("00001", change)
			m.migrate(producer.MigrateInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "weather"})
			got := m.partition(meshtest.SampleDatabase, "weather", "00001")
			if diff := cmp.Diff(fmt.Sprint(describe(want.StorageDescriptor), want.Parameters), fmt.Sprint(describe(got.StorageDescriptor), got.Parameters)); diff != "" {
				t.Errorf("the original was removed, and the copy differs (-original +copy):\n%s", diff)
			}
		})
	}
}

// remake drops a table of the source and makes it again.
func (m publishing) remake(in *types.TableInput) {
	m.t.Helper()
	if _, err := m.Glue(publisherID).DeleteTable(m.t.Context(), &glue.DeleteTableInput{DatabaseName: aws.String(meshtest.SampleDatabase), Name: in.Name}); err != nil {
		m.t.Fatal(err)
	}
	m.Table(publisherID, meshtest.SampleDatabase, in)
}

func TestATableThatWasMadeAgainIsFollowed(t *testing.T) {
	t.Parallel()
	for _, guarded := range []bool{false, true} {
		m := sampled(t)
		if guarded {
			// New tables are open to nobody, not even to the producer's role.
			m.guard("airports", "routes", "weather")
			_, err := m.Glue(publisherID).UpdateDatabase(t.Context(), &glue.UpdateDatabaseInput{Name: aws.String(meshtest.SampleDatabase), DatabaseInput: &types.DatabaseInput{
				Name: aws.String(meshtest.SampleDatabase), CreateTableDefaultPermissions: []types.PrincipalPermissions{}}})
			if err != nil {
				t.Fatal(err)
			}
		}
		in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
		m.publish(in)
		m.remake(meshtest.CSV("weather", "s3://flights/weather", "part"))
		m.Partitions(publisherID, meshtest.SampleDatabase, "weather", "s3://flights/weather/again", 0, 2)
		m.publish(in)
		for _, part := range []string{"00000", "00001"} {
			if got := aws.ToString(m.partition(published, "weather", part).StorageDescriptor.Location); got != "s3://flights/weather/again/part="+part {
				t.Errorf("guarded %v: partition %s of the copy is at %s", guarded, part, got)
			}
		}
		if got := m.partitionValues(m.roleGlue(), theMesh, published, "weather"); !slices.Equal(got, []string{"00000", "00001"}) {
			t.Errorf("guarded %v: the copy has %q", guarded, got)
		}
		m.publish(in)
		m.noWrites("the third time")
	}
}

func TestOtherPartitionKeysLeaveNothingOfTheOld(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string][]string{"more": {"region", "part"}, "others": {"day"}, "none": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := sampled(t)
			in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
			m.publish(in)
			m.remake(meshtest.CSV("weather", "s3://flights/weather", keys...))
			var want []string
			if len(keys) > 0 {
				values := []string{"eu", "2026"}[2-len(keys):]
				sd := meshtest.CSV("weather", "s3://flights/weather/eu").StorageDescriptor
				if _, err := m.Glue(publisherID).CreatePartition(t.Context(), &glue.CreatePartitionInput{DatabaseName: aws.String(meshtest.SampleDatabase), TableName: aws.String("weather"),
					PartitionInput: &types.PartitionInput{Values: values, StorageDescriptor: sd}}); err != nil {
					t.Fatal(err)
				}
				want = []string{strings.Join(values, "/")}
			}
			todo, err := m.open().PlanCreateDataProducts(t.Context(), in)
			if err != nil || !strings.Contains(todo.String(), "remove 3 partitions of table "+published+".weather") {
				t.Errorf("planned, %v:\n%s", err, todo)
			}
			m.publish(in)
			if got := m.partitionValues(m.roleGlue(), theMesh, published, "weather"); !slices.Equal(got, want) {
				t.Errorf("the copy has %q, want %q", got, want)
			}
			if got := m.table(m.roleGlue(), theMesh, published, "weather"); len(got.PartitionKeys) != len(keys) {
				t.Errorf("the copy's keys are %v", got.PartitionKeys)
			}
			m.publish(in)
			m.noWrites("the third time")
		})
	}
}

func TestPartitionsThatTheSourceHasNoMoreGo(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
	m.publish(in)
	if _, err := m.Glue(publisherID).DeletePartition(t.Context(), &glue.DeletePartitionInput{DatabaseName: aws.String(meshtest.SampleDatabase), TableName: aws.String("weather"), PartitionValues: []string{"00001"}}); err != nil {
		t.Fatal(err)
	}
	todo, err := m.open().PlanCreateDataProducts(t.Context(), in)
	if err != nil || !strings.Contains(todo.String(), "remove 1 partition of table "+published+".weather, which the source has no more") {
		t.Errorf("planned, %v:\n%s", err, todo)
	}
	m.publish(in)
	if got := m.partitionValues(m.roleGlue(), theMesh, published, "weather"); !slices.Equal(got, []string{"00000", "00002"}) {
		t.Errorf("the copy has %q", got)
	}
	m.publish(in)
	m.noWrites("the third time")
}

// insert makes a partition in the mesh, as a consumer does that may insert.
func (m publishing) insert(database, part string) {
	m.t.Helper()
	sd := meshtest.CSV("weather", "s3://flights/weather/inserted").StorageDescriptor
	if _, err := m.roleGlue().BatchCreatePartition(m.t.Context(), &glue.BatchCreatePartitionInput{CatalogId: aws.String(theMesh), DatabaseName: aws.String(database), TableName: aws.String("weather"),
		PartitionInputList: []types.PartitionInput{{Values: []string{part}, StorageDescriptor: sd}}}); err != nil {
		m.t.Fatal(err)
	}
}

func TestPartitionsThatSomebodyMadeInTheMeshStay(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
	m.publish(in)
	m.insert(published, "inserted")
	m.Partitions(publisherID, meshtest.SampleDatabase, "weather", "s3://flights/weather", 3, 1)
	for range 2 {
		out := m.publish(in)
		if got := m.partitionValues(m.roleGlue(), theMesh, published, "weather"); !slices.Equal(got, []string{"00000", "00001", "00002", "00003", "inserted"}) {
			t.Errorf("the copy has %q", got)
		}
		if !slices.ContainsFunc(out.Warnings, func(w string) bool { return strings.Contains(w, "1 partition that the source does not have") }) {
			t.Errorf("warned of %q", out.Warnings)
		}
	}
	m.noWrites("the third time")
	in.Overwrite = true
	m.publish(in)
	if got := m.partitionValues(m.roleGlue(), theMesh, published, "weather"); !slices.Equal(got, []string{"00000", "00001", "00002", "00003"}) {
		t.Errorf("overwritten, the copy has %q", got)
	}
	in.Overwrite = false
	m.publish(in)
	m.noWrites("after it was overwritten")
}

func TestMigratingStopsAtPartitionsThatOnlyTheCopyHas(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, ExposeDataMeshDBName: meshtest.SampleDatabase})
	m.insert(meshtest.SampleDatabase, "inserted")
	in := producer.MigrateInput{SourceDatabaseName: meshtest.SampleDatabase}
	out, err := m.open().MigrateTablesToMesh(t.Context(), in)
	if !errors.Is(err, lakemesh.ErrConflict) || out == nil {
		t.Fatalf("migrated: %+v, %v", out, err)
	}
	if m.table(m.ownGlue(), publisherID, meshtest.SampleDatabase, "weather").TargetTable != nil || m.table(m.ownGlue(), publisherID, meshtest.SampleDatabase, "routes").TargetTable == nil {
		t.Error("weather is to stay, and routes to be migrated")
	}
	in.Overwrite = true
	m.migrate(in)
	if m.table(m.ownGlue(), publisherID, meshtest.SampleDatabase, "weather").TargetTable == nil {
		t.Error("weather was not migrated")
	}
}

// What stands at the copy saves reading the copy, and is not believed by who looks deep.
func TestPublishingAgainReadsTheSourceOnly(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
	m.publish(in)
	m.publish(in)
	if got := m.Count("glue:GetPartitions"); got != 1 {
		t.Errorf("%d pages of partitions were read, want the source's one", got)
	}
	if _, err := m.roleGlue().BatchDeletePartition(t.Context(), &glue.BatchDeletePartitionInput{CatalogId: aws.String(theMesh), DatabaseName: aws.String(published), TableName: aws.String("weather"),
		PartitionsToDelete: []types.PartitionValueList{{Values: []string{"00001"}}}}); err != nil {
		t.Fatal(err)
	}
	in.Deep = true
	m.publish(in)
	if got := m.partitionValues(m.roleGlue(), theMesh, published, "weather"); len(got) != 3 {
		t.Errorf("the copy has %q", got)
	}
}
