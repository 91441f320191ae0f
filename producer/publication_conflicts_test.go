package producer_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

const events = "s3://flights/events"

// iceberg is the definition of an Iceberg table after a commit.
func iceberg(commit string) *types.TableInput {
	in := meshtest.CSV("events", events)
	in.Parameters = map[string]string{"table_type": "ICEBERG", "metadata_location": events + "/metadata/" + commit + ".json"}
	return in
}

// commit commits to an Iceberg table as engines do: with the version that was read.
func (m publishing) commit(client *glue.Client, account, database, commit string) {
	m.t.Helper()
	t := m.table(client, account, database, "events")
	in := catalog.Definition(t)
	in.Parameters = map[string]string{}
	for k, v := range t.Parameters {
		in.Parameters[k] = v
	}
	in.Parameters["previous_metadata_location"], in.Parameters["metadata_location"] = t.Parameters["metadata_location"], events+"/metadata/"+commit+".json"
	if _, err := client.UpdateTable(m.t.Context(), &glue.UpdateTableInput{CatalogId: aws.String(account), DatabaseName: aws.String(database), TableInput: in, VersionId: t.VersionId}); err != nil {
		m.t.Fatal(err)
	}
}

func (m publishing) pointer() string {
	m.t.Helper()
	current, _ := catalog.Pointer(m.table(m.meshGlue(), theMesh, published, "events"))
	return strings.TrimSuffix(strings.TrimPrefix(current, events+"/metadata/"), ".json")
}

func TestACopyOfAnIcebergTableFollowsTheSource(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.Table(publisherID, meshtest.SampleDatabase, iceberg("1"))
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
	out := m.publish(in)
	if !slices.ContainsFunc(out.Warnings, func(w string) bool {
		return strings.Contains(w, "events is an Iceberg table") && strings.Contains(w, "snapshot")
	}) {
		t.Errorf("warned of %q", out.Warnings)
	}
	for _, commit := range []string{"2", "3"} {
		m.commit(m.Glue(publisherID), publisherID, meshtest.SampleDatabase, commit)
	}
	m.publish(in)
	if got := m.pointer(); got != "3" {
		t.Errorf("the copy is at %s", got)
	}
	m.publish(in)
	m.noWrites("the third time")
}

func TestACommitInTheMeshIsNotRolledBack(t *testing.T) {
	t.Parallel()
	for name, sourceMoves := range map[string]bool{"the source is as it was": false, "the source has moved on": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := sampled(t)
			m.Table(publisherID, meshtest.SampleDatabase, iceberg("1"))
			in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
			m.publish(in)
			m.commit(m.roleGlue(), theMesh, published, "by-a-consumer")
			if sourceMoves {
				m.commit(m.Glue(publisherID), publisherID, meshtest.SampleDatabase, "2")
			}
			m.Partitions(publisherID, meshtest.SampleDatabase, "weather", "s3://flights/weather", 3, 1)
			m.Table(publisherID, meshtest.SampleDatabase, meshtest.CSV("trains", "s3://flights/trains"))
			p := m.open()
			todo, err := p.PlanCreateDataProducts(t.Context(), in)
			if err != nil || !strings.Contains(todo.String(), "leave table "+published+".events as it is: somebody committed") {
				t.Errorf("planned, %v:\n%s", err, todo)
			}
			for range 2 {
				out, err := p.CreateDataProducts(t.Context(), in)
				if !errors.Is(err, lakemesh.ErrConflict) || strings.Contains(err.Error(), "run the same command again") {
					t.Errorf("published over a commit: %v", err)
				}
				if out == nil || len(out.Tables) != 5 {
					t.Errorf("published %+v", out)
				}
				if got := m.pointer(); got != "by-a-consumer" {
					t.Errorf("the copy is at %s", got)
				}
			}
			// Nothing else is lost.
			if got := m.partitionValues(m.roleGlue(), theMesh, published, "weather"); len(got) != 4 {
				t.Errorf("weather has partitions %q", got)
			}
			if got := m.tableNames(m.ownGlue(), publisherID, published); !slices.Contains(got, "trains_link") {
				t.Errorf("linked are %q", got)
			}
			in.Overwrite = true
			m.publish(in)
			if got := m.pointer(); got == "by-a-consumer" {
				t.Errorf("overwritten, the copy is at %s", got)
			}
			in.Overwrite = false
			m.publish(in)
			m.noWrites("after it was overwritten")
		})
	}
}

// Whoever commits while a copy is brought up to date is not overwritten either.
func TestACommitWhileTheCopyFollowsIsNotRolledBack(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.Table(publisherID, meshtest.SampleDatabase, iceberg("1"))
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
	m.publish(in)
	m.commit(m.Glue(publisherID), publisherID, meshtest.SampleDatabase, "2")
	// Grants are listed by several calls at once.
	var once sync.Once
	p := m.answering(func(operation string, _, _ any) {
		// The survey has read the copy; its grants are read after that.
		if operation == "ListPermissions" {
			once.Do(func() { m.commit(m.roleGlue(), theMesh, published, "by-a-consumer") })
		}
	})
	if _, err := p.CreateDataProducts(t.Context(), in); !errors.Is(err, lakemesh.ErrConflict) {
		t.Errorf("published over a commit: %v", err)
	}
	if got := m.pointer(); got != "by-a-consumer" {
		t.Errorf("the copy is at %s", got)
	}
}

// An engine may write the table without what was noted there.
func TestACopyWithoutANoteIsNotRolledBack(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.Table(publisherID, meshtest.SampleDatabase, iceberg("1"))
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "events"}
	m.publish(in)
	forget := func(commit string) {
		t.Helper()
		bare := iceberg(commit)
		bare.Owner = aws.String(publisherID)
		if _, err := m.roleGlue().UpdateTable(t.Context(), &glue.UpdateTableInput{CatalogId: aws.String(theMesh), DatabaseName: aws.String(published), TableInput: bare}); err != nil {
			t.Fatal(err)
		}
	}
	forget("by-a-consumer")
	if _, err := m.open().CreateDataProducts(t.Context(), in); !errors.Is(err, lakemesh.ErrConflict) {
		t.Errorf("published over a commit: %v", err)
	}
	// What the source names as its last snapshot is older than the source.
	forget("1")
	m.commit(m.Glue(publisherID), publisherID, meshtest.SampleDatabase, "2")
	m.publish(in)
	if got := m.pointer(); got != "2" {
		t.Errorf("the copy is at %s", got)
	}
}

func TestADefinitionThatWasAlteredInTheMeshIsAConflict(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
	m.publish(in)
	altered := m.table(m.roleGlue(), theMesh, published, "routes")
	def := catalog.Definition(altered)
	def.Description, def.Parameters = aws.String("altered"), altered.Parameters
	if _, err := m.roleGlue().UpdateTable(t.Context(), &glue.UpdateTableInput{CatalogId: aws.String(theMesh), DatabaseName: aws.String(published), TableInput: def}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.open().CreateDataProducts(t.Context(), in); !errors.Is(err, lakemesh.ErrConflict) {
		t.Errorf("published over it: %v", err)
	}
	if got := m.table(m.roleGlue(), theMesh, published, "routes"); aws.ToString(got.Description) != "altered" {
		t.Errorf("it became %q", aws.ToString(got.Description))
	}
	in.Overwrite = true
	m.publish(in)
	if got := m.table(m.roleGlue(), theMesh, published, "routes"); aws.ToString(got.Description) == "altered" {
		t.Error("it was not overwritten")
	}
}

func TestMigratingLeavesAnOriginalWhoseCopyIsInConflict(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.Table(publisherID, meshtest.SampleDatabase, iceberg("1"))
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, ExposeDataMeshDBName: meshtest.SampleDatabase})
	m.commit(m.roleGlue(), theMesh, meshtest.SampleDatabase, "by-a-consumer")
	if _, err := m.open().MigrateTablesToMesh(t.Context(), producer.MigrateInput{SourceDatabaseName: meshtest.SampleDatabase}); !errors.Is(err, lakemesh.ErrConflict) {
		t.Errorf("migrated: %v", err)
	}
	for name, link := range map[string]bool{"events": false, "routes": true, "weather": true, "airports": true} {
		if got := m.table(m.ownGlue(), publisherID, meshtest.SampleDatabase, name); catalog.IsLink(got) != link {
			t.Errorf("%s is a link: %v", name, catalog.IsLink(got))
		}
	}
}

func TestATableThatFailsKeepsNoOtherFromBeingPublished(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	p := m.open()
	// The database of the links is made apart; the first table in the mesh is refused.
	m.Fail(localmesh.Fault{Service: "glue", Operation: "CreateTable", Nth: 1, Code: "AccessDeniedException", Message: "a planned fault", Status: 400})
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
	out, err := p.CreateDataProducts(t.Context(), in)
	var partial *lakemesh.PartialError
	if !errors.As(err, &partial) || len(partial.Failed) != 1 || !strings.Contains(partial.Failed[0].Step, "create table") {
		t.Fatalf("got %v", err)
	}
	if out == nil || len(out.Tables) != 2 {
		t.Fatalf("published %+v", out)
	}
	var links []string
	for _, table := range out.Tables {
		links = append(links, table.LinkTable)
		if link := m.table(m.ownGlue(), publisherID, published, table.LinkTable); link.StorageDescriptor == nil {
			t.Errorf("the share of %s was not accepted", table.SourceTable)
		}
	}
	if got := m.tableNames(m.ownGlue(), publisherID, published); !slices.Equal(got, links) {
		t.Errorf("linked are %q, want %q", got, links)
	}
	if got := m.publish(in); len(got.Tables) != 3 {
		t.Errorf("published again: %+v", got)
	}
}
