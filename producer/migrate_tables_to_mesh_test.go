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
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

func (m publishing) migrate(in producer.MigrateInput) *producer.CreateDataProductsOutput {
	m.t.Helper()
	out, err := m.open().MigrateTablesToMesh(m.t.Context(), in)
	if err != nil {
		m.t.Fatal(err)
	}
	return out
}

func TestMigrateTablesToMeshPutsLinksInPlaceOfTheOriginals(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	const db = meshtest.SampleDatabase
	before := catalog.Definition(m.table(m.ownGlue(), publisherID, db, "weather"))
	partitions := m.partitionValues(m.ownGlue(), publisherID, db, "weather")
	out := m.migrate(producer.MigrateInput{SourceDatabaseName: db, Domain: "transport"})
	want := []producer.ProductTable{{SourceTable: "airports", LinkTable: "airports"}, {SourceTable: "routes", LinkTable: "routes"}, {SourceTable: "weather", LinkTable: "weather"}}
	if out.DatabaseName != db || !slices.Equal(out.Tables, want) {
		t.Errorf("output %+v", out)
	}
	for _, name := range []string{"airports", "routes", "weather"} {
		if !catalog.IsLinkTo(m.table(m.ownGlue(), publisherID, db, name), theMesh, db, name) {
			t.Errorf("%s is no link", name)
		}
	}
	after := catalog.Definition(m.table(m.meshGlue(), theMesh, db, "weather"))
	before.Owner = after.Owner
	if !catalog.SameDefinition(before, after) {
		t.Error("the definition was changed")
	}
	if got := m.partitionValues(m.roleGlue(), theMesh, db, "weather"); !slices.Equal(got, partitions) || len(got) != 3 {
		t.Errorf("partitions %q, want %q", got, partitions)
	}
	again := m.migrate(producer.MigrateInput{SourceDatabaseName: db, Domain: "transport"})
	m.noWrites("the second time")
	if diff := cmp.Diff(out.Tables, again.Tables); diff != "" {
		t.Errorf("the second output differs (-first +second):\n%s", diff)
	}
	m.migrate(producer.MigrateInput{SourceDatabaseName: db, TableNameRegex: "routes"})
	m.noWrites("for one table that was migrated")
}

func TestPlanMigrateTablesToMeshChangesNothing(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	p := m.open()
	todo, err := p.PlanMigrateTablesToMesh(t.Context(), producer.MigrateInput{SourceDatabaseName: meshtest.SampleDatabase})
	if err != nil {
		t.Fatal(err)
	}
	m.noWrites("planning")
	if todo.Count(plan.DeleteTable) != 3 || todo.Count(plan.CreateLink) != 3 {
		t.Errorf("planned:\n%s", todo)
	}
}

func TestMigrateTablesToMeshOfGuardedTables(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	const db = meshtest.SampleDatabase
	m.guard("airports", "routes", "weather")
	analyst := meshtest.Administrator(publisherID)
	reader := "arn:aws:iam::111111111111:role/Crawler"
	lake := m.lakeAdministrator()
	m.grant(lake, permissions.Entry{Principal: reader, Resource: permissions.Table(publisherID, db, "weather"), Permissions: lakemesh.NewPermissions(lakemesh.Select, lakemesh.Describe)})
	m.migrate(producer.MigrateInput{SourceDatabaseName: db})
	own := &permissions.Lake{Client: lakeformation.NewFromConfig(m.Config(lakemesh.RoleARN(publisherID, lakemesh.ProducerRole))), Account: publisherID}
	copied, link := permissions.Table(theMesh, db, "weather"), permissions.Table(publisherID, db, "weather")
	held, err := own.Observe(t.Context(), copied, link)
	if err != nil {
		t.Fatal(err)
	}
	if got := held.Of(reader, copied).Permissions; !got.Equal(lakemesh.NewPermissions(lakemesh.Select, lakemesh.Describe)) {
		t.Errorf("the reader of the original holds %s on the copy", got)
	}
	if got := held.Of(analyst, copied).Permissions; !got.Has(lakemesh.Insert) {
		t.Errorf("who held ALL on the original holds %s on the copy", got)
	}
	for _, principal := range []string{reader, analyst} {
		if !held.Of(principal, link).Permissions.Has(lakemesh.Describe) {
			t.Errorf("%s cannot see the link", principal)
		}
	}
	m.migrate(producer.MigrateInput{SourceDatabaseName: db})
	m.noWrites("the second time")
}

func TestMigrateTablesToMeshWarnsOfAccessByIAM(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	out := m.migrate(producer.MigrateInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "routes"})
	if len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], permissions.AllowedByIAM) {
		t.Errorf("warnings %q", out.Warnings)
	}
}

func TestMigrateTablesToMeshKeepsAnOriginalThatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	const db = meshtest.SampleDatabase
	changed := false
	p := m.open(func(o *lakemesh.Options) {
		o.Concurrency = 1
		o.Progress = func(now lakemesh.Progress) {
			if !changed && strings.HasPrefix(now.Step, "copy the partitions") {
				changed = true
				m.Partitions(publisherID, db, "weather", "s3://flights/weather", 3, 1)
			}
		}
	})
	_, err := p.MigrateTablesToMesh(t.Context(), producer.MigrateInput{SourceDatabaseName: db, TableNameRegex: "weather"})
	if !errors.Is(err, lakemesh.ErrPartial) || !strings.Contains(err.Error(), "was not removed") {
		t.Errorf("%v", err)
	}
	if catalog.IsLink(m.table(m.ownGlue(), publisherID, db, "weather")) {
		t.Error("the original was removed")
	}
	m.migrate(producer.MigrateInput{SourceDatabaseName: db, TableNameRegex: "weather"})
	if got := m.partitionValues(m.roleGlue(), theMesh, db, "weather"); len(got) != 4 {
		t.Errorf("partitions %q", got)
	}
}

func TestMigrateTablesToMeshLeavesOtherThingsAlone(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	const db = meshtest.SampleDatabase
	m.Table(publisherID, db, &types.TableInput{Name: aws.String("a_view"), TableType: aws.String("VIRTUAL_VIEW"), ViewOriginalText: aws.String("select 1")})
	out := m.migrate(producer.MigrateInput{SourceDatabaseName: db})
	if len(out.Tables) != 3 || !slices.ContainsFunc(out.Warnings, func(w string) bool { return strings.Contains(w, "a_view") }) {
		t.Errorf("output %+v", out)
	}
	if catalog.IsLink(m.table(m.ownGlue(), publisherID, db, "a_view")) {
		t.Error("the view became a link")
	}
	// A link that somebody removed is made again; a table that took its place is not
	// replaced.
	for _, name := range []string{"routes", "airports"} {
		if _, err := m.ownGlue().DeleteTable(t.Context(), &glue.DeleteTableInput{DatabaseName: aws.String(db), Name: aws.String(name)}); err != nil {
			t.Fatal(err)
		}
	}
	m.Table(publisherID, db, &types.TableInput{Name: aws.String("airports"), TableType: aws.String("VIRTUAL_VIEW"), ViewOriginalText: aws.String("select 2")})
	m.migrate(producer.MigrateInput{SourceDatabaseName: db})
	if !catalog.IsLinkTo(m.table(m.ownGlue(), publisherID, db, "routes"), theMesh, db, "routes") {
		t.Error("the link was not made again")
	}
	if catalog.IsLink(m.table(m.ownGlue(), publisherID, db, "airports")) {
		t.Error("the view was replaced by a link")
	}
}

func TestMigrateTablesToMeshRefusesBadInput(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	p := m.open()
	for name, test := range map[string]struct {
		in   producer.MigrateInput
		kind error
	}{
		"no database":      {producer.MigrateInput{}, lakemesh.ErrInvalidInput},
		"unknown database": {producer.MigrateInput{SourceDatabaseName: "nowhere"}, lakemesh.ErrNotFound},
		"unknown table":    {producer.MigrateInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "trains"}, lakemesh.ErrNotFound},
		"bad expression":   {producer.MigrateInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "("}, lakemesh.ErrInvalidInput},
		"a schedule alone": {producer.MigrateInput{SourceDatabaseName: meshtest.SampleDatabase, SyncMeshCatalogSchedule: "cron(0 1 * * ? *)"}, lakemesh.ErrInvalidInput},
	} {
		if _, err := p.MigrateTablesToMesh(t.Context(), test.in); !errors.Is(err, test.kind) {
			t.Errorf("%s: %v; want %v", name, err, test.kind)
		}
	}
	m.noWrites("with bad input")
}
