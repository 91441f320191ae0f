package producer_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

func (m publishing) sync(in producer.SyncInput) *producer.SyncOutput {
	m.t.Helper()
	out, err := m.open().SyncProducts(m.t.Context(), in)
	if err != nil {
		m.t.Fatal(err)
	}
	return out
}

func TestSyncFollowsWhatIsPublishedAndNothingElse(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	const db = meshtest.SampleDatabase
	m.Table(publisherID, db, iceberg("1"))
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: db, ExposeDataMeshDBName: "flights-eu", TableNameRegex: "events|weather"})
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: db, TableNameRegex: "routes"})

	m.commit(m.Glue(publisherID), publisherID, db, "2")
	m.Partitions(publisherID, db, "weather", "s3://flights/weather", 3, 1)
	changed := meshtest.CSV("routes", "s3://flights/routes/")
	changed.Description = aws.String("changed")
	if _, err := m.Glue(publisherID).UpdateTable(t.Context(), &glue.UpdateTableInput{DatabaseName: aws.String(db), TableInput: changed}); err != nil {
		t.Fatal(err)
	}
	todo, err := m.open().PlanSyncProducts(t.Context(), producer.SyncInput{})
	if err != nil || len(todo.Steps) != 3 {
		t.Errorf("planned, %v:\n%s", err, todo)
	}
	m.noWrites("the plan")
	out := m.sync(producer.SyncInput{TableNameRegex: "events", SourceDatabaseName: strings.ToUpper(db)})
	if diff := cmp.Diff([]producer.SyncedProduct{{DatabaseName: "flights-eu", SourceDatabaseName: db, Tables: 1, Steps: 1}}, out.Products); diff != "" {
		t.Errorf("one table (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"glue:UpdateTable 1"}, m.Writes()); diff != "" {
		t.Errorf("writes for one table (-want +got):\n%s", diff)
	}
	out = m.sync(producer.SyncInput{})
	want := []producer.SyncedProduct{{DatabaseName: published, SourceDatabaseName: db, Tables: 1, Steps: 1}, {DatabaseName: "flights-eu", SourceDatabaseName: db, Tables: 2, Steps: 1}}
	if diff := cmp.Diff(want, out.Products); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if current, _ := catalog.Pointer(m.table(m.meshGlue(), theMesh, "flights-eu", "events")); !strings.HasSuffix(current, "/2.json") {
		t.Errorf("the copy is at %s", current)
	}
	if got := m.partitionValues(m.roleGlue(), theMesh, "flights-eu", "weather"); len(got) != 4 {
		t.Errorf("partitions %q", got)
	}
	if got := m.table(m.meshGlue(), theMesh, published, "routes"); aws.ToString(got.Description) != "changed" {
		t.Errorf("routes is described as %q", aws.ToString(got.Description))
	}
	if got := m.tableNames(m.meshGlue(), theMesh, published); fmt.Sprint(got) != "[routes]" {
		t.Errorf("published are %q", got)
	}
	m.sync(producer.SyncInput{})
	m.noWrites("when nothing changed")
	m.open()
	m.sync(producer.SyncInput{DatabaseName: published})
	calls := map[string]int{}
	for _, c := range m.Counts() {
		calls[c.Operation] = c.Calls
	}
	// Where the copies come from, the copy, its source, and whether the source has LF-tags.
	if diff := cmp.Diff(map[string]int{"GetDatabase": 1, "GetTables": 1, "GetTable": 1, "ListLFTags": 1}, calls); diff != "" {
		t.Errorf("calls for a database of one table without partitions (-want +got):\n%s", diff)
	}
}

func TestSyncLeavesConflictsAndGoesOn(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	const db = meshtest.SampleDatabase
	m.Table(publisherID, db, iceberg("1"))
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: db})
	m.commit(m.roleGlue(), theMesh, published, "by-a-consumer")
	m.commit(m.Glue(publisherID), publisherID, db, "2")
	m.Partitions(publisherID, db, "weather", "s3://flights/weather", 3, 1)
	out, err := m.open().SyncProducts(t.Context(), producer.SyncInput{})
	if !errors.Is(err, lakemesh.ErrConflict) || out == nil {
		t.Fatalf("got %+v, %v", out, err)
	}
	if got := m.pointer(); got != "by-a-consumer" {
		t.Errorf("the copy is at %s", got)
	}
	if got := m.partitionValues(m.roleGlue(), theMesh, published, "weather"); len(got) != 4 {
		t.Errorf("partitions %q", got)
	}
	m.sync(producer.SyncInput{Overwrite: true})
	if got := m.pointer(); got != "2" {
		t.Errorf("overwritten, the copy is at %s", got)
	}
}

func TestSyncLeavesWhatHasNoSourceAnyMore(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	const db = meshtest.SampleDatabase
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: db})
	m.migrate(producer.MigrateInput{SourceDatabaseName: db, TableNameRegex: "routes"})
	if _, err := m.Glue(publisherID).DeleteTable(t.Context(), &glue.DeleteTableInput{DatabaseName: aws.String(db), Name: aws.String("airports")}); err != nil {
		t.Fatal(err)
	}
	m.open()
	out := m.sync(producer.SyncInput{})
	m.noWrites("sync")
	if len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], published+".airports stays as it is") {
		t.Errorf("warned of %q", out.Warnings)
	}
	for _, in := range []producer.SyncInput{{DatabaseName: "nothing"}, {TableNameRegex: "nothing"}, {SourceDatabaseName: "nothing"}} {
		if _, err := m.open().SyncProducts(t.Context(), in); !errors.Is(err, lakemesh.ErrNotFound) {
			t.Errorf("%+v: %v", in, err)
		}
	}
	if err := m.open().SyncProductsEvery(t.Context(), producer.SyncInput{}, 0, nil); !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("an interval of nothing: %v", err)
	}
}

// A consumer that may alter a copy can write what stands there. It does not decide from
// which database of the owner the copy is made.
func TestWhoMayAlterACopyDoesNotChooseItsSource(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		exposed string
		// source is what is written at the copy; nil takes it out.
		source *string
		secret string
	}{
		"another database": {"", aws.String("secrets"), "secrets"},
		"no database":      {"secrets", nil, "secrets"},
		"that of the name": {"secrets-" + publisherID, nil, "secrets"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := sampled(t)
			target := c.exposed
			if target == "" {
				target = published
			}
			m.Database(publisherID, c.secret)
			m.Table(publisherID, c.secret, meshtest.CSV("routes", "s3://flights/secrets/"))
			m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "routes", ExposeDataMeshDBName: c.exposed})
			copied := m.table(m.meshGlue(), theMesh, target, "routes")
			in := catalog.Definition(copied)
			in.Parameters = maps.Clone(copied.Parameters)
			if delete(in.Parameters, "lakemesh.source"); c.source != nil {
				in.Parameters["lakemesh.source"] = *c.source
			}
			if _, err := m.roleGlue().UpdateTable(t.Context(), &glue.UpdateTableInput{CatalogId: aws.String(theMesh), DatabaseName: aws.String(target), TableInput: in}); err != nil {
				t.Fatal(err)
			}
			p := m.open()
			if _, err := p.SyncProducts(t.Context(), producer.SyncInput{Overwrite: true}); err != nil {
				t.Error(err)
			}
			v, err := p.Verify(t.Context(), producer.VerifyInput{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Repair(t.Context(), v); err != nil {
				t.Error(err)
			}
			if at := catalog.StoredAt(m.table(m.meshGlue(), theMesh, target, "routes")); strings.Contains(at, "secrets") {
				t.Errorf("the copy shows %s", at)
			}
		})
	}
}

// A partition outside of its table's place is no reason to register its bucket again each
// time: what is registered is looked at then.
func TestSyncIsDoneWhereAPartitionLiesElsewhere(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
	m.PartitionAt(publisherID, meshtest.SampleDatabase, "weather", "s3://flights/elsewhere/2030", "2030")
	m.sync(producer.SyncInput{})
	for range 2 {
		todo, err := m.open().PlanSyncProducts(t.Context(), producer.SyncInput{})
		if err != nil || !todo.Empty() {
			t.Errorf("planned again, %v:\n%s", err, todo)
		}
		m.sync(producer.SyncInput{})
		m.noWrites("a sync of what is up to date")
	}
}
