package producer_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/producer"
)

// Nobody loses access by a migration without being named.
func TestMigratingLeavesATableWhoseGrantsCannotBeHandedOn(t *testing.T) {
	t.Parallel()
	const db = meshtest.SampleDatabase
	reader := "arn:aws:iam::" + publisherID + ":role/Crawler"
	one := func(s string) []string { return []string{s} }
	for name, c := range map[string]struct {
		principal string
		on        func(lake *lakeformation.Client) *lftypes.Resource
		says      string
	}{
		"columns": {reader, func(*lakeformation.Client) *lftypes.Resource {
			return &lftypes.Resource{TableWithColumns: &lftypes.TableWithColumnsResource{DatabaseName: aws.String(db), Name: aws.String("weather"), ColumnNames: one("id")}}
		}, "columns id"},
		"all columns but one": {reader, func(*lakeformation.Client) *lftypes.Resource {
			return &lftypes.Resource{TableWithColumns: &lftypes.TableWithColumnsResource{DatabaseName: aws.String(db), Name: aws.String("weather"),
				ColumnWildcard: &lftypes.ColumnWildcard{ExcludedColumnNames: one("id")}}}
		}, "all columns but id"},
		"a filter": {reader, func(lake *lakeformation.Client) *lftypes.Resource {
			if _, err := lake.CreateDataCellsFilter(t.Context(), &lakeformation.CreateDataCellsFilterInput{TableData: &lftypes.DataCellsFilter{TableCatalogId: aws.String(publisherID),
				DatabaseName: aws.String(db), TableName: aws.String("weather"), Name: aws.String("few"), ColumnNames: one("id"), RowFilter: &lftypes.RowFilter{FilterExpression: aws.String("id = 1")}}}); err != nil {
				t.Error(err)
			}
			return &lftypes.Resource{DataCellsFilter: &lftypes.DataCellsFilterResource{TableCatalogId: aws.String(publisherID), DatabaseName: aws.String(db), TableName: aws.String("weather"), Name: aws.String("few")}}
		}, "data filter few"},
		"LF-tags of the table": {reader, func(lake *lakeformation.Client) *lftypes.Resource {
			return tagged(t, lake, &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(db), Name: aws.String("weather")}})
		}, "LF-tags tier=gold"},
		"LF-tags of a column": {reader, func(lake *lakeformation.Client) *lftypes.Resource {
			return tagged(t, lake, &lftypes.Resource{TableWithColumns: &lftypes.TableWithColumnsResource{DatabaseName: aws.String(db), Name: aws.String("weather"), ColumnNames: one("id")}})
		}, "LF-tags tier=gold"},
		"another account": {meshtest.ConsumerAccount, func(*lakeformation.Client) *lftypes.Resource {
			return &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(db), Name: aws.String("weather")}}
		}, meshtest.ConsumerAccount + " holds SELECT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := sampled(t)
			m.guard("airports", "routes", "weather")
			lake := m.lakeAdministrator().Client
			_, err := lake.GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(c.principal)},
				Resource: c.on(lake), Permissions: []lftypes.Permission{lftypes.PermissionSelect}})
			if err != nil {
				t.Fatal(err)
			}
			in := producer.MigrateInput{SourceDatabaseName: db}
			todo, err := m.open().PlanMigrateTablesToMesh(t.Context(), in)
			if err != nil || !strings.Contains(todo.String(), c.says) || !strings.Contains(todo.String(), "which would be lost") {
				t.Errorf("planned, %v:\n%s", err, todo)
			}
			if _, err := m.open().MigrateTablesToMesh(t.Context(), in); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.principal) {
				t.Errorf("migrated: %v", err)
			}
			for _, table := range []string{"routes", "weather"} {
				if got := catalog.IsLink(m.table(m.ownGlue(), publisherID, db, table)); got != (table == "routes") {
					t.Errorf("%s is a link: %v", table, got)
				}
			}
			in.LoseGrants = true
			out := m.migrate(in)
			if !slices.ContainsFunc(out.Warnings, func(w string) bool { return strings.Contains(w, c.says) && strings.Contains(w, "which is lost") }) {
				t.Errorf("warned of %q", out.Warnings)
			}
			if !catalog.IsLink(m.table(m.ownGlue(), publisherID, db, "weather")) {
				t.Error("weather was not migrated")
			}
		})
	}
}

// tagged assigns an LF-tag, and returns the tables that have it.
func tagged(t *testing.T, lake *lakeformation.Client, on *lftypes.Resource) *lftypes.Resource {
	t.Helper()
	pair := lftypes.LFTagPair{TagKey: aws.String("tier"), TagValues: []string{"gold"}}
	if _, err := lake.CreateLFTag(t.Context(), &lakeformation.CreateLFTagInput{TagKey: pair.TagKey, TagValues: pair.TagValues}); err != nil {
		t.Error(err)
	}
	if _, err := lake.AddLFTagsToResource(t.Context(), &lakeformation.AddLFTagsToResourceInput{Resource: on, LFTags: []lftypes.LFTagPair{pair}}); err != nil {
		t.Error(err)
	}
	return &lftypes.Resource{LFTagPolicy: &lftypes.LFTagPolicyResource{ResourceType: lftypes.ResourceTypeTable, Expression: []lftypes.LFTag{{TagKey: aws.String("tier"), TagValues: []string{"gold"}}}}}
}

func TestMigratingHandsOnWhatIsHeldOnAllTables(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	const db = meshtest.SampleDatabase
	m.guard("airports", "routes", "weather")
	reader := "arn:aws:iam::" + publisherID + ":role/Crawler"
	reading := lakemesh.NewPermissions(lakemesh.Select, lakemesh.Describe)
	m.grant(m.lakeAdministrator(), permissions.Entry{Principal: reader, Resource: permissions.AllTables(publisherID, db), Permissions: reading})
	m.migrate(producer.MigrateInput{SourceDatabaseName: db})
	own := &permissions.Lake{Client: lakeformation.NewFromConfig(m.Config(lakemesh.RoleARN(publisherID, lakemesh.ProducerRole))), Account: publisherID}
	for _, table := range []string{"airports", "routes", "weather"} {
		copied := permissions.Table(theMesh, db, table)
		held, err := own.Observe(t.Context(), copied)
		if err != nil {
			t.Fatal(err)
		}
		if got := held.Of(reader, copied).Permissions; !got.Equal(reading) {
			t.Errorf("the reader of all tables holds %q on the copy of %s", got, table)
		}
	}
	m.migrate(producer.MigrateInput{SourceDatabaseName: db})
	m.noWrites("the second time")
}
