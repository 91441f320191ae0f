package conformance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
)

// The rules of permissions on catalog objects
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html).
func TestRulesOfPermissions(t *testing.T) {
	t.Parallel()

	holds(t, "1.6.2", "the grant option is for permissions of the same entry", func(t *testing.T) {
		w := newWorld(t)
		someone := w.person(owner, "Someone")
		for _, list := range []string{"SELECT | INSERT", "SELECT | SELECT INSERT", "| SELECT", "ALL | SELECT"} {
			w.refused(w.grant(adminOf(owner), someone, onTable("orders"), list), invalidInput)
		}
		// What was granted before does not count: each entry stands for itself.
		w.must(w.grant(adminOf(owner), someone, onTable("orders"), "INSERT"))
		w.refused(w.grant(adminOf(owner), someone, onTable("orders"), "SELECT | INSERT"), invalidInput, "subset")
		out, err := w.lake(adminOf(owner)).BatchGrantPermissions(w.ctx, &lakeformation.BatchGrantPermissionsInput{Entries: []types.BatchPermissionsRequestEntry{
			{Id: aws.String("a"), Principal: &principals(someone)[0], Resource: onTable("items"), Permissions: []types.Permission{"SELECT"}, PermissionsWithGrantOption: []types.Permission{"INSERT"}},
			{Id: aws.String("b"), Principal: &principals(someone)[0], Resource: onTable("items"), Permissions: []types.Permission{"INSERT"}},
		}})
		w.must(err)
		if len(out.Failures) != 1 || *out.Failures[0].RequestEntry.Id != "a" || *out.Failures[0].Error.ErrorCode != invalidInput {
			t.Errorf("failures %s", pretty(out.Failures))
		}
		if diff := cmp.Diff([]string{"Someone:table/items:INSERT", "Someone:table/orders:INSERT"}, w.rowsOf(someone)); diff != "" {
			t.Error(diff)
		}
	})

	holds(t, "1.6.3", "SELECT on some columns has no grant option", func(t *testing.T) {
		w := newWorld(t)
		someone := w.person(owner, "Someone")
		w.refused(w.grant(adminOf(owner), someone, onColumns("orders", "id"), "SELECT | SELECT"), invalidInput)
		w.refused(w.grant(adminOf(owner), someone, onColumnsBut("orders", "id"), "SELECT | SELECT"), invalidInput)
		w.refused(w.grant(adminOf(owner), recipient, onColumns("orders", "id"), "SELECT | SELECT"), invalidInput)
		w.must(w.grant(adminOf(owner), someone, onColumnsBut("orders"), "SELECT | SELECT"))
		w.must(w.grant(someone, w.person(owner, "Other"), onTable("orders"), "SELECT"))
	})

	holds(t, "1.6.4", "SELECT on some columns and what is about the whole table exclude each other", func(t *testing.T) {
		w := newWorld(t)
		for _, whole := range []string{"ALTER", "DROP", "DELETE", "INSERT", "DESCRIBE", "ALL"} {
			for _, some := range []*types.Resource{onColumns("orders", "id"), onColumnsBut("orders", "id")} {
				for _, all := range []*types.Resource{onTable("orders"), onAllTables()} {
					first, second := w.fresh(owner), w.fresh(owner)
					w.must(w.grant(adminOf(owner), first, some, "SELECT"))
					w.refused(w.grant(adminOf(owner), first, all, whole), invalidInput, "Permissions modification is invalid")
					w.must(w.grant(adminOf(owner), second, all, whole))
					w.refused(w.grant(adminOf(owner), second, some, "SELECT"), invalidInput, "Permissions modification is invalid")
					// Another table is another matter.
					w.must(w.grant(adminOf(owner), first, onTable("items"), whole))
					w.must(w.revoke(adminOf(owner), first, some, "SELECT"))
					w.must(w.grant(adminOf(owner), first, all, whole))
				}
			}
		}
	})

	holds(t, "1.6.4", "an administrator, who describes every table, is not limited to columns", func(t *testing.T) {
		w := newWorld(t)
		second := w.person(owner, "Second")
		w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), second) })
		w.refused(w.grant(adminOf(owner), second, onColumns("orders", "id"), "SELECT"), invalidInput, "Permissions modification is invalid")
		w.must(w.grant(adminOf(owner), second, onColumnsBut("orders"), "SELECT"))
	})

	holds(t, "1.6.4", "partition keys are not filtered", func(t *testing.T) {
		w := newWorld(t)
		someone := w.person(owner, "Someone")
		w.refused(w.grant(adminOf(owner), someone, onColumnsBut("orders", "day"), "SELECT"), invalidInput, "day")
		w.must(w.grant(adminOf(owner), someone, onColumns("orders", "id"), "SELECT"))
		out, err := w.glue(someone).GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("sales"), Name: aws.String("orders")})
		w.must(err)
		if len(out.Table.PartitionKeys) != 1 || *out.Table.PartitionKeys[0].Name != "day" {
			t.Errorf("partition keys %s", pretty(out.Table.PartitionKeys))
		}
	})

	holds(t, "1.6.5", "any permission on a database, a table or a link lets its holder describe it", func(t *testing.T) {
		w := newWorld(t)
		w.must2(w.glue(adminOf(owner)).CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("sales"), TableInput: &gluetypes.TableInput{
			Name: aws.String("orders_link"), TargetTable: &gluetypes.TableIdentifier{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Name: aws.String("orders")},
		}}))
		for _, p := range []string{"ALL", "ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"} {
			someone := w.fresh(owner)
			w.refused(w.sees(someone, "orders"), denied)
			w.must(w.grant(adminOf(owner), someone, onTable("orders"), p))
			w.must(w.sees(someone, "orders"))
		}
		for _, p := range []string{"ALL", "ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"} {
			someone := w.fresh(owner)
			w.refused(w.seesDatabase(someone, "sales"), denied)
			w.must(w.grant(adminOf(owner), someone, onDatabase("sales"), p))
			w.must(w.seesDatabase(someone, "sales"))
		}
		for _, p := range []string{"DESCRIBE", "DROP"} {
			someone := w.fresh(owner)
			w.refused(w.sees(someone, "orders_link"), denied)
			w.must(w.grant(adminOf(owner), someone, onTable("orders_link"), p))
			w.must(w.sees(someone, "orders_link"))
		}
	})

	holds(t, "1.6.5", "no permission on a database shows its tables", func(t *testing.T) {
		w := newWorld(t)
		for _, p := range []string{"ALL", "ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"} {
			someone := w.fresh(owner)
			w.must(w.grant(adminOf(owner), someone, onDatabase("sales"), p))
			w.refused(w.sees(someone, "orders"), denied)
			out, err := w.glue(someone).GetTables(w.ctx, &glue.GetTablesInput{DatabaseName: aws.String("sales")})
			w.must(err)
			if len(out.TableList) > 0 {
				t.Errorf("%s on the database lists %d tables", p, len(out.TableList))
			}
		}
	})

	holds(t, "1.6.5", "ASSOCIATE on a tag's value lets its holder describe it", func(t *testing.T) {
		w := newWorld(t)
		w.tag("domain", "sales", "stock")
		someone := w.person(owner, "Someone")
		see := func() ([]string, error) {
			out, err := w.lake(someone).GetLFTag(w.ctx, &lakeformation.GetLFTagInput{TagKey: aws.String("domain")})
			if err != nil {
				return nil, err
			}
			return out.TagValues, nil
		}
		_, err := see()
		w.refused(err, denied)
		w.must(w.grant(adminOf(owner), someone, onTag("domain", "sales"), "ASSOCIATE"))
		values, err := see()
		w.must(err)
		if !slices.Equal(values, []string{"sales"}) {
			t.Errorf("values %v", values)
		}
	})

	holds(t, "1.6.6", "INSERT or DELETE reads the data too", func(t *testing.T) {
		w := newWorld(t)
		w.settings(owner, func(s *types.DataLakeSettings) { s.AllowFullTableExternalDataAccess = aws.Bool(true) })
		w.must2(w.s3(adminOf(owner)).CreateBucket(w.ctx, &s3.CreateBucketInput{Bucket: aws.String("lake")}))
		w.must2(w.s3(adminOf(owner)).PutObject(w.ctx, &s3.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String("sales/orders/1"), Body: strings.NewReader("row")}))
		write := func(who string, p types.Permission) error {
			config, err := w.vended(who, "orders", p)
			w.must(err)
			_, err = s3.NewFromConfig(config).PutObject(w.ctx, &s3.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String("sales/orders/2"), Body: strings.NewReader("row")})
			return err
		}
		for _, p := range []types.Permission{"INSERT", "DELETE"} {
			someone := w.fresh(owner)
			w.must(w.grant(adminOf(owner), someone, onTable("orders"), string(p)))
			if text, err := w.readObject(someone, "orders", "sales/orders/1", p); err != nil || text != "row" {
				t.Errorf("%s: read %q, %v", p, text, err)
			}
			_, err := w.readObject(someone, "orders", "sales/items/1", p)
			w.refused(err, "AccessDenied")
		}
		someone := w.fresh(owner)
		w.must(w.grant(adminOf(owner), someone, onTable("orders"), "SELECT INSERT"))
		w.refused(write(someone, "SELECT"), "AccessDenied")
		w.must(write(someone, "INSERT"))
		_, err := w.vended(someone, "orders", "DELETE")
		w.refused(err, denied)
	})

	holds(t, "1.6.7", "who makes a table holds everything on it, with the grant option", func(t *testing.T) {
		w := newWorld(t)
		maker, other := w.person(owner, "Maker"), w.person(owner, "Other")
		w.refused(w.create(maker, "made"), denied, "Create Table")
		w.must(w.grant(adminOf(owner), maker, onDatabase("sales"), "CREATE_TABLE"))
		w.must(w.create(maker, "made"))
		for _, p := range []string{"ALL", "ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"} {
			w.must(w.grant(maker, other, onTable("made"), p+" | "+p))
			w.must(w.grant(maker, recipient, onTable("made"), p+" | "+p))
		}
		w.refused(w.grant(maker, other, onTable("orders"), "SELECT"), denied)
		w.refused(w.grant(maker, other, onDatabase("sales"), "CREATE_TABLE"), denied)
	})

	holds(t, "1.6.7", "who makes a database may alter, drop and fill it, and let others", func(t *testing.T) {
		w := newWorld(t)
		w.must(w.revoke(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onCatalog(), "CREATE_DATABASE"))
		maker, other := w.person(owner, "Maker"), w.person(owner, "Other")
		create := func() error {
			_, err := w.glue(maker).CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("made")}})
			return err
		}
		w.refused(create(), denied, "Create Database")
		w.must(w.grant(adminOf(owner), maker, onCatalog(), "CREATE_DATABASE"))
		w.must(create())
		for _, p := range []string{"CREATE_TABLE", "ALTER", "DROP"} {
			w.must(w.grant(maker, other, onDatabase("made"), p+" | "+p))
		}
		w.must(w.grant(maker, recipient, onDatabase("made"), "CREATE_TABLE DESCRIBE | CREATE_TABLE DESCRIBE"))
		w.refused(w.grant(maker, other, onDatabase("sales"), "DESCRIBE"), denied)
		w.refused(w.grant(maker, other, onCatalog(), "CREATE_DATABASE"), denied)
		// What others make in it is theirs.
		w.must2(w.glue(other).CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("made"), TableInput: &gluetypes.TableInput{Name: aws.String("theirs")}}))
		_, err := w.glue(maker).GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("made"), Name: aws.String("theirs")})
		w.refused(err, denied)
	})

	holds(t, "1.6.8", "a table made in a shared database belongs to its maker and its account's administrators", func(t *testing.T) {
		w := newWorld(t)
		maker, other, local := w.person(recipient, "Maker"), w.person(recipient, "Other"), w.person(owner, "Local")
		w.must(w.grant(adminOf(owner), recipient, onDatabase("sales"), "CREATE_TABLE DESCRIBE | CREATE_TABLE"))
		w.accept(recipient)
		w.refused(w.create(maker, "theirs"), denied)
		w.must(w.grant(adminOf(recipient), maker, onDatabase("sales"), "CREATE_TABLE"))
		w.must(w.create(maker, "theirs"))
		for _, p := range []string{"ALL", "ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"} {
			w.must(w.grant(maker, other, onTable("theirs"), p))
			w.must(w.grant(adminOf(recipient), other, onTable("theirs"), p))
			w.must(w.grant(adminOf(owner), local, onTable("theirs"), p))
		}
		for _, by := range []string{maker, adminOf(recipient)} {
			w.refused(w.grant(by, stranger, onTable("theirs"), "SELECT"), denied)
			w.refused(w.grant(by, local, onTable("theirs"), "SELECT"), denied)
		}
		w.refused(w.grant(adminOf(owner), stranger, onTable("theirs"), "SELECT"), denied)
		w.must(w.drop(other, "theirs"))
	})

	holds(t, "1.6.9", "ALL is a permission of its own", func(t *testing.T) {
		w := newWorld(t)
		someone := w.person(owner, "Someone")
		w.must(w.grant(adminOf(owner), someone, onTable("orders"), "ALL SELECT INSERT"))
		w.must(w.revoke(adminOf(owner), someone, onTable("orders"), "ALL"))
		if diff := cmp.Diff([]string{"Someone:columns/orders/*-:SELECT", "Someone:table/orders:INSERT"}, w.rowsOf(someone)); diff != "" {
			t.Error(diff)
		}
		w.refused(w.drop(someone, "orders"), denied)
		w.must(w.grant(adminOf(owner), someone, onTable("items"), "ALL"))
		w.refused(w.revoke(adminOf(owner), someone, onTable("items"), "SELECT"), invalidInput, "No permissions revoked")
		w.must(w.drop(someone, "items"))
	})

	holds(t, "1.6.10", "IAM and Lake Formation both have to allow", func(t *testing.T) {
		w := newWorld(t)
		iamAlone := w.person(owner, "IAMAlone")
		lakeAlone := w.limited(owner, "LakeAlone", allowing("lakeformation:*", "*"))
		both := w.limited(owner, "Both", allowing("glue:*", "*"))
		for _, who := range []string{lakeAlone, both} {
			w.must(w.grant(adminOf(owner), who, onTable("orders"), "SELECT ALTER DROP"))
		}
		w.refused(w.sees(iamAlone, "orders"), denied, "Lake Formation")
		w.refused(w.sees(lakeAlone, "orders"), denied, "glue:GetTable")
		w.must(w.sees(both, "orders"))
		w.refused(w.drop(iamAlone, "orders"), denied, "Lake Formation")
		w.refused(w.drop(lakeAlone, "orders"), denied, "glue:DeleteTable")
		w.must(w.drop(both, "orders"))
	})

	holds(t, "1.6.10", "GetTable shows the columns that may be selected", func(t *testing.T) {
		w := newWorld(t)
		for name, tt := range map[string]struct {
			on   *types.Resource
			want []string
		}{
			"some":    {onColumns("orders", "id", "price"), []string{"id", "price"}},
			"all but": {onColumnsBut("orders", "id"), []string{"customer", "price"}},
			"all":     {onTable("orders"), []string{"id", "customer", "price"}},
		} {
			someone := w.fresh(owner)
			w.must(w.grant(adminOf(owner), someone, tt.on, "SELECT"))
			if diff := cmp.Diff(tt.want, w.columns(someone, "orders")); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})

	holds(t, "1.6.11", "where a tag is on some columns only, a tag policy shrinks to reading them", func(t *testing.T) {
		w := newWorld(t)
		w.tag("domain", "sales", "stock")
		w.attach(onColumns("orders", "id"), "domain", "sales")
		w.attach(onTable("items"), "domain", "sales")
		for _, tt := range []struct {
			list    string
			selects bool
		}{{"ALTER", false}, {"DROP", false}, {"INSERT", false}, {"DELETE", false}, {"DESCRIBE", false}, {"SELECT", true}, {"ALL", true}} {
			someone := w.fresh(owner)
			w.must(w.grant(adminOf(owner), someone, onPolicy(types.ResourceTypeTable, "domain", "sales"), tt.list))
			w.must(w.sees(someone, "orders"))
			w.refused(w.drop(someone, "orders"), denied)
			w.refused(w.alter(someone, "orders"), denied)
			for _, p := range []types.Permission{"INSERT", "DELETE"} {
				_, err := w.vended(someone, "orders", p)
				w.refused(err, denied, "Lake Formation")
			}
			if diff := cmp.Diff([]string{"id"}, w.columns(someone, "orders")); diff != "" {
				t.Errorf("%s: %s", tt.list, diff)
			}
			_, err := w.vended(someone, "orders", "SELECT")
			if tt.selects {
				// What is missing is the owner's trust in engines, which comes after the permission.
				w.refused(err, denied, "full table external data access")
			} else {
				w.refused(err, denied, "Required Select")
			}
		}
		someone := w.fresh(owner)
		w.must(w.grant(adminOf(owner), someone, onPolicy(types.ResourceTypeTable, "domain", "sales"), "ALTER DROP"))
		w.must(w.alter(someone, "items"))
		w.must(w.drop(someone, "items"))
	})

	holds(t, "1.6.12", "grants on names and on LF-tags add up", func(t *testing.T) {
		w := newWorld(t)
		someone := w.person(owner, "Someone")
		w.tag("domain", "sales")
		w.attach(onTable("orders"), "domain", "sales")
		w.must(w.grant(adminOf(owner), someone, onTable("orders"), "ALTER"))
		w.refused(w.drop(someone, "orders"), denied)
		w.must(w.grant(adminOf(owner), someone, onPolicy(types.ResourceTypeTable, "domain", "sales"), "DROP"))
		w.must(w.alter(someone, "orders"))
		w.must(w.revoke(adminOf(owner), someone, onTable("orders"), "ALTER"))
		w.refused(w.alter(someone, "orders"), denied)
		w.must(w.drop(someone, "orders"))
	})
}

// create makes a table without a location in the owner's database "sales".
func (w *world) create(principal, table string) error {
	_, err := w.glue(principal).CreateTable(w.ctx, &glue.CreateTableInput{
		CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), TableInput: &gluetypes.TableInput{Name: &table},
	})
	return err
}

// drop deletes a table of the owner's database "sales".
func (w *world) drop(principal, table string) error {
	_, err := w.glue(principal).DeleteTable(w.ctx, &glue.DeleteTableInput{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Name: &table})
	return err
}

// alter changes a table of the owner's database "sales", and nothing about its location.
func (w *world) alter(principal, table string) error {
	in := tableInput("sales", table)
	in.Description = aws.String("altered")
	_, err := w.glue(principal).UpdateTable(w.ctx, &glue.UpdateTableInput{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), TableInput: in})
	return err
}

// columns are the columns of a table of the owner's database "sales" that a
// principal is shown.
func (w *world) columns(principal, table string) []string {
	w.Helper()
	out, err := w.glue(principal).GetTable(w.ctx, &glue.GetTableInput{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Name: &table})
	w.must(err)
	var names []string
	for _, c := range out.Table.StorageDescriptor.Columns {
		names = append(names, *c.Name)
	}
	return names
}
