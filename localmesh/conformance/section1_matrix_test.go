package conformance_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
)

// securable is a row of the table of what can be granted on what.
type securable struct {
	name string
	on   *types.Resource
	// may are the permissions that can be granted, abroad those of them that can be
	// granted to another account.
	may, abroad string
}

// matrixWorld is a world with everything that there are permissions on
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html).
func matrixWorld(t testing.TB) (*world, []securable) {
	w := newWorld(t)
	w.tag("domain", "sales", "stock")
	w.must2(w.lake(adminOf(owner)).CreateLFTagExpression(w.ctx, &lakeformation.CreateLFTagExpressionInput{
		Name: aws.String("saved"), Expression: []types.LFTag{{TagKey: aws.String("domain"), TagValues: []string{"sales"}}},
	}))
	w.cellFilter("orders", "first")
	w.must2(w.glue(adminOf(owner)).CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("sales"), TableInput: &gluetypes.TableInput{
		Name: aws.String("summary"), TableType: aws.String("VIRTUAL_VIEW"), ViewOriginalText: aws.String("select 1"),
	}}))
	w.must2(w.glue(adminOf(owner)).CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("sales"), TableInput: &gluetypes.TableInput{
		Name: aws.String("orders_link"), TargetTable: &gluetypes.TableIdentifier{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Name: aws.String("orders")},
	}}))
	w.must2(w.glue(adminOf(owner)).CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{
		Name: aws.String("sales_link"), TargetDatabase: &gluetypes.DatabaseIdentifier{CatalogId: aws.String(owner), DatabaseName: aws.String("sales")},
	}}))
	const tables, databases = "ALL ALTER DELETE DESCRIBE DROP INSERT SELECT", "ALL ALTER CREATE_TABLE DESCRIBE DROP"
	const shared = "ALTER CREATE_TABLE DESCRIBE"
	return w, []securable{
		{"the catalog", onCatalog(), "CREATE_DATABASE CREATE_LF_TAG CREATE_LF_TAG_EXPRESSION", ""},
		{"a database", onDatabase("sales"), databases, shared},
		{"a table", onTable("orders"), tables, tables},
		{"all tables", onAllTables(), tables, tables},
		{"some columns", onColumns("items", "id"), "SELECT", "SELECT"},
		{"all columns but one", onColumnsBut("items", "id"), "SELECT", ""},
		{"all columns", onColumnsBut("items"), "SELECT", "SELECT"},
		{"a data cells filter", onFilter("orders", "first"), "DESCRIBE DROP SELECT", "SELECT"},
		{"a view", onTable("summary"), "ALL DESCRIBE DROP SELECT", "ALL DESCRIBE DROP SELECT"},
		{"a link to a table", onTable("orders_link"), "DESCRIBE DROP", "DESCRIBE DROP"},
		{"a link to a database", onDatabase("sales_link"), "DESCRIBE DROP", "DESCRIBE"},
		{"a location", onLocation("lake/sales"), "DATA_LOCATION_ACCESS", "DATA_LOCATION_ACCESS"},
		{"an LF-tag and a value", onTag("domain", "sales"), "ALTER DROP ASSOCIATE DESCRIBE GRANT_WITH_LF_TAG_EXPRESSION", "ASSOCIATE DESCRIBE"},
		{"a saved expression", &types.Resource{LFTagExpression: &types.LFTagExpressionResource{CatalogId: aws.String(owner), Name: aws.String("saved")}},
			"ALTER DESCRIBE DROP GRANT_WITH_LF_TAG_EXPRESSION", ""},
		{"databases by LF-tag", onPolicy(types.ResourceTypeDatabase, "domain", "sales"), databases, shared},
		{"tables by LF-tag", onPolicy(types.ResourceTypeTable, "domain", "sales"), tables, tables},
		{"databases by a saved expression", onSaved(types.ResourceTypeDatabase, "saved"), databases, shared},
		{"tables by a saved expression", onSaved(types.ResourceTypeTable, "saved"), tables, tables},
	}
}

func TestMatrixOfPermissions(t *testing.T) {
	t.Parallel()

	holds(t, "1.6.0", "each permission on each kind of resource is accepted or refused", func(t *testing.T) {
		w, all := matrixWorld(t)
		someone := w.person(owner, "Someone")
		for _, s := range all {
			for _, p := range types.Permission("").Values() {
				err := w.grant(adminOf(owner), someone, s.on, string(p))
				revoked := w.revoke(adminOf(owner), someone, s.on, string(p))
				if !slices.Contains(strings.Fields(s.may), string(p)) {
					w.refused(err, invalidInput, "Permissions modification is invalid")
					w.refused(revoked, invalidInput)
					continue
				}
				if err != nil || revoked != nil {
					t.Errorf("%s on %s: %v, %v", p, s.name, err, revoked)
				}
			}
			for _, p := range []string{"READ", "select", "WRITE", ""} {
				w.refused(w.grant(adminOf(owner), adminOf(owner), s.on, p), invalidInput)
			}
		}
	})

	holds(t, "1.6.0", "no permission comes with one that is not of the resource", func(t *testing.T) {
		w, all := matrixWorld(t)
		someone := w.person(owner, "Someone")
		for _, s := range all {
			w.refused(w.grant(adminOf(owner), someone, s.on, s.may+" SUPER_USER"), invalidInput)
			w.refused(w.revoke(adminOf(owner), someone, s.on, strings.Fields(s.may)[0]), invalidInput, "No permissions revoked")
		}
	})

	holds(t, "1.6.1", "DROP, ALL and SUPER_USER on databases are not granted to another account, all of a table is", func(t *testing.T) {
		w, all := matrixWorld(t)
		for _, to := range []string{recipient, w.person(recipient, "Someone")} {
			for _, s := range all {
				for _, p := range types.Permission("").Values() {
					list := string(p)
					if s.on.DataCellsFilter != nil && to == recipient {
						list += " | " + list // an account is granted filters with the option
					}
					err := w.grant(adminOf(owner), to, s.on, list)
					if !slices.Contains(strings.Fields(s.abroad), string(p)) {
						w.refused(err, invalidInput, "Permissions modification is invalid")
						continue
					}
					if err != nil {
						t.Errorf("%s on %s: %v", p, s.name, err)
						continue
					}
					w.must(w.revoke(adminOf(owner), to, s.on, string(p)))
				}
			}
		}
		if n := len(w.shares()); n != 0 {
			t.Errorf("%d shares are left", n)
		}
		for _, p := range []string{"DROP", "ALL", "SUPER_USER"} {
			w.refused(w.grant(adminOf(owner), recipient, onDatabase("sales"), p), invalidInput)
		}
		for _, p := range []string{"DROP", "ALTER", "INSERT", "DELETE", "ALL"} {
			w.must(w.grant(adminOf(owner), recipient, onTable("orders"), p))
		}
	})
}

// fresh makes a role that was granted nothing yet.
func (w *world) fresh(account string) string {
	w.Helper()
	w.made++
	return w.limited(account, "Fresh"+strconv.Itoa(w.made), allowing("*", "*"))
}

// cellFilter makes a data cells filter that shows the column id of all rows.
func (w *world) cellFilter(table, name string) {
	w.Helper()
	w.must2(w.lake(adminOf(owner)).CreateDataCellsFilter(w.ctx, &lakeformation.CreateDataCellsFilterInput{TableData: &types.DataCellsFilter{
		TableCatalogId: aws.String(owner), DatabaseName: aws.String("sales"), TableName: &table, Name: &name, ColumnNames: []string{"id"},
		RowFilter: &types.RowFilter{AllRowsWildcard: &types.AllRowsWildcard{}},
	}}))
}

func onFilter(table, name string) *types.Resource {
	return &types.Resource{DataCellsFilter: &types.DataCellsFilterResource{
		TableCatalogId: aws.String(owner), DatabaseName: aws.String("sales"), TableName: &table, Name: &name,
	}}
}

// onSaved is an LF-tag policy of a saved expression.
func onSaved(kind types.ResourceType, name string) *types.Resource {
	return &types.Resource{LFTagPolicy: &types.LFTagPolicyResource{CatalogId: aws.String(owner), ResourceType: kind, ExpressionName: &name}}
}
