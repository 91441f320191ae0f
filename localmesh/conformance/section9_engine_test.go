package conformance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/localmesh/internal/rowfilter"
)

// filteredWorld is a world whose owner trusts query engines of both accounts to filter.
func filteredWorld(t testing.TB, opts ...localmesh.Option) *world {
	t.Helper()
	w := newWorld(t, opts...)
	w.settings(owner, func(s *types.DataLakeSettings) {
		s.AllowExternalDataFiltering, s.ExternalDataFilteringAllowList = aws.Bool(true), principals(owner, recipient)
		s.AuthorizedSessionTagValueList = []string{"engine"}
	})
	return w
}

// reader makes a role that a query engine can read as.
func (w *world) reader(account, name string) string {
	w.Helper()
	arn := w.person(account, name)
	trust := policyOf(`{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":["sts:AssumeRole","sts:TagSession"]}`)
	w.must2(w.iam(adminOf(account)).UpdateAssumeRolePolicy(w.ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: &trust}))
	return arn
}

// engine is a query engine that reads as a role; tag is what it shows of itself.
func (w *world) engine(role, tag string) aws.Config {
	w.Helper()
	account := strings.Split(role, ":")[4]
	out, err := sts.NewFromConfig(w.mesh.Config(adminOf(account))).AssumeRole(w.ctx, &sts.AssumeRoleInput{
		RoleArn: &role, RoleSessionName: aws.String("query"), Tags: []ststypes.Tag{{Key: aws.String("LakeFormationAuthorizedCaller"), Value: &tag}},
	})
	w.must(err)
	return w.mesh.ConfigWith(credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken))
}

// unfiltered asks for the metadata of a table as an engine does.
func (w *world) unfiltered(cfg aws.Config, account, database, table string, able ...gluetypes.PermissionType) (*glue.GetUnfilteredTableMetadataOutput, error) {
	if able == nil {
		able = gluetypes.PermissionType("").Values()
	}
	return glue.NewFromConfig(cfg).GetUnfilteredTableMetadata(w.ctx, &glue.GetUnfilteredTableMetadataInput{
		CatalogId: &account, DatabaseName: &database, Name: &table, SupportedPermissionTypes: able,
	})
}

// view is what an engine may show of sales.orders to a role, in short: the columns, the
// condition of the rows, and the cells whose condition is another one.
func (w *world) view(role string) string {
	w.Helper()
	out, err := w.unfiltered(w.engine(role, "engine"), owner, "sales", "orders")
	if err != nil {
		return errorCode(err)
	}
	return brief(out)
}

func brief(out *glue.GetUnfilteredTableMetadataOutput) string {
	rows := aws.ToString(out.RowFilter)
	s := strings.Join(out.AuthorizedColumns, " ")
	if rows != "" {
		s += " where " + rows
	}
	conditions := map[string]string{}
	for _, c := range out.CellFilters {
		conditions[*c.ColumnName] = *c.RowFilterExpression
	}
	for _, c := range out.AuthorizedColumns {
		if conditions[c] != rows {
			s += "; " + c + " where " + conditions[c]
		}
	}
	return s
}

func errorCode(err error) string {
	for _, code := range []string{denied, invalidInput, notFound, "PermissionTypeMismatchException", "ConcurrentModificationException"} {
		if strings.Contains(err.Error(), code) {
			return code
		}
	}
	return err.Error()
}

// filter is the definition of a data cells filter of sales.orders: columns that are
// included, or with "-" excluded, and a condition, or "" for all rows.
func filter(name, columns, rows string) *types.DataCellsFilter {
	f := &types.DataCellsFilter{
		TableCatalogId: aws.String(owner), DatabaseName: aws.String("sales"), TableName: aws.String("orders"), Name: &name,
		RowFilter: &types.RowFilter{AllRowsWildcard: &types.AllRowsWildcard{}},
	}
	if excluded, ok := strings.CutPrefix(columns, "-"); ok {
		f.ColumnWildcard = &types.ColumnWildcard{ExcludedColumnNames: strings.Fields(excluded)}
	} else {
		f.ColumnNames = strings.Fields(columns)
	}
	if rows != "" {
		f.RowFilter = &types.RowFilter{FilterExpression: &rows}
	}
	return f
}

func (w *world) makeFilter(as string, f *types.DataCellsFilter) error {
	_, err := w.lake(as).CreateDataCellsFilter(w.ctx, &lakeformation.CreateDataCellsFilterInput{TableData: f})
	return err
}

func (w *world) changeFilter(as string, f *types.DataCellsFilter) error {
	_, err := w.lake(as).UpdateDataCellsFilter(w.ctx, &lakeformation.UpdateDataCellsFilterInput{TableData: f})
	return err
}

func (w *world) deleteFilter(as, name string) error {
	_, err := w.lake(as).DeleteDataCellsFilter(w.ctx, &lakeformation.DeleteDataCellsFilterInput{
		TableCatalogId: aws.String(owner), DatabaseName: aws.String("sales"), TableName: aws.String("orders"), Name: &name,
	})
	return err
}

func (w *world) getFilter(as, name string) (*types.DataCellsFilter, error) {
	out, err := w.lake(as).GetDataCellsFilter(w.ctx, &lakeformation.GetDataCellsFilterInput{
		TableCatalogId: aws.String(owner), DatabaseName: aws.String("sales"), TableName: aws.String("orders"), Name: &name,
	})
	if err != nil {
		return nil, err
	}
	return out.DataCellsFilter, nil
}

// listFilters are the names of the filters of sales.orders that somebody is shown.
func (w *world) listFilters(as string) string {
	w.Helper()
	out, err := w.lake(as).ListDataCellsFilter(w.ctx, &lakeformation.ListDataCellsFilterInput{Table: onTable("orders").Table})
	w.must(err)
	var names []string
	for _, f := range out.DataCellsFilters {
		names = append(names, *f.Name)
	}
	return strings.Join(names, " ")
}

// granted makes a filter and grants it.
func (w *world) granted(to string, f *types.DataCellsFilter, list string) {
	w.Helper()
	w.must(w.makeFilter(adminOf(owner), f))
	w.must(w.grant(adminOf(owner), to, onFilter("orders", *f.Name), list))
}

func (w *world) same(got, want string) {
	w.Helper()
	if got != want {
		w.Errorf("got  %s\nwant %s", got, want)
	}
}

const wide = "id customer price day"

func TestWhatAnEngineGets(t *testing.T) {
	t.Parallel()

	holds(t, "9.4.1", "an engine gets the whole schema, and what of it may be shown", func(t *testing.T) {
		w := filteredWorld(t)
		someone := w.reader(owner, "Someone")
		w.granted(someone, filter("f", "id price", "customer = 'x'"), "SELECT")
		out, err := w.unfiltered(w.engine(someone, "engine"), owner, "sales", "orders")
		w.must(err)
		w.same(brief(out), "id price day where customer = 'x'")
		if n := len(out.Table.StorageDescriptor.Columns); n != 3 || len(out.CellFilters) != 3 {
			t.Errorf("%d columns, %d conditions of cells", n, len(out.CellFilters))
		}
		if !out.IsRegisteredWithLakeFormation || out.IsProtected || out.IsMultiDialectView || aws.ToString(out.QueryAuthorizationId) == "" {
			t.Errorf("got %s", pretty(out))
		}
		w.same(aws.ToString(out.ResourceArn), "arn:aws:glue:"+w.mesh.Config(someone).Region+":"+owner+":table/sales/orders")
		if !slices.Contains(out.Permissions, gluetypes.PermissionSelect) {
			t.Errorf("permissions %v", out.Permissions)
		}
	})

	holds(t, "9.4.1", "whoever reads everything has no conditions; whoever only describes has no columns", func(t *testing.T) {
		w := filteredWorld(t)
		all, describes, nobody := w.reader(owner, "All"), w.reader(owner, "Describes"), w.reader(owner, "Nobody")
		w.must(w.grant(adminOf(owner), all, onTable("orders"), "SELECT"))
		w.must(w.grant(adminOf(owner), describes, onTable("orders"), "DESCRIBE"))
		w.same(w.view(all), wide)
		w.same(w.view(describes), "")
		w.same(w.view(nobody), denied)
	})

	holds(t, "9.4.2", "IAM is asked for GetTable, GetPartition and GetPartitions; Lake Formation for the permissions that are named", func(t *testing.T) {
		w := filteredWorld(t)
		someone := w.reader(owner, "Someone")
		w.must(w.grant(adminOf(owner), someone, onTable("orders"), "SELECT"))
		c := glue.NewFromConfig(w.engine(someone, "engine"))
		call := func(perms ...gluetypes.Permission) error {
			_, err := c.GetUnfilteredTableMetadata(w.ctx, &glue.GetUnfilteredTableMetadataInput{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"),
				Name: aws.String("orders"), SupportedPermissionTypes: gluetypes.PermissionType("").Values(), Permissions: perms})
			return err
		}
		w.must(call(gluetypes.PermissionSelect))
		w.refused(call(gluetypes.PermissionSelect, gluetypes.PermissionInsert), denied)
		policy := policyOf(`{"Effect":"Allow","Action":["glue:GetPartition*","lakeformation:*"],"Resource":"*"}`)
		w.must2(w.iam(adminOf(owner)).PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{RoleName: aws.String("Someone"), PolicyName: aws.String("p"), PolicyDocument: &policy}))
		w.refused(call(), denied, "glue:GetTable")
	})

	holds(t, "9.4.3", "what an engine cannot enforce is refused, after what the caller may not have", func(t *testing.T) {
		w := filteredWorld(t)
		nested := tableInput("sales", "orders")
		nested.StorageDescriptor.Columns[2].Type = aws.String("struct<net:double,tax:double>")
		w.must2(w.glue(adminOf(owner)).UpdateTable(w.ctx, &glue.UpdateTableInput{DatabaseName: aws.String("sales"), TableInput: nested}))
		kinds := gluetypes.PermissionType("").Values()
		for i, tt := range []struct {
			filters [][2]string
			needs   int
		}{
			{[][2]string{{"-", ""}}, -1},
			{[][2]string{{"id", ""}}, 0},
			{[][2]string{{"-id", ""}}, 0},
			{[][2]string{{"-", "id = 'x'"}}, 1},
			{[][2]string{{"id", ""}, {"customer", "id = 'x'"}}, 1},
			{[][2]string{{`id "price"."net"`, ""}}, 2},
			{[][2]string{{`id "price"."net"`, "id = 'x'"}}, 2},
			{[][2]string{{`id "price"."net"`, "id = 'x'"}, {`"price"."tax"`, "id = 'y'"}}, 3},
		} {
			name := "Reader" + string(rune('A'+i))
			role := w.reader(owner, name)
			for j, f := range tt.filters {
				w.granted(role, filter(name+string(rune('a'+j)), f[0], f[1]), "SELECT")
			}
			cfg := w.engine(role, "engine")
			for k, kind := range kinds {
				_, err := w.unfiltered(cfg, owner, "sales", "orders", kind)
				_, vended := lakeformation.NewFromConfig(cfg).GetTemporaryGlueTableCredentials(w.ctx, &lakeformation.GetTemporaryGlueTableCredentialsInput{
					TableArn: aws.String("arn:aws:glue:" + cfg.Region + ":" + owner + ":table/sales/orders"), SupportedPermissionTypes: []types.PermissionType{types.PermissionType(kind)},
				})
				for _, err := range []error{err, vended} {
					if k >= tt.needs {
						w.must(err)
					} else {
						w.refused(err, "PermissionTypeMismatchException")
					}
				}
			}
		}
		_, err := w.unfiltered(w.engine(w.reader(owner, "Nobody"), "engine"), owner, "sales", "orders", kinds[0])
		w.refused(err, denied)
		_, err = w.unfiltered(w.engine(w.reader(owner, "Somebody"), "engine"), owner, "sales", "orders", "OTHER")
		w.refused(err, invalidInput)
	})

	holds(t, "9.4.4", "engines that the owner does not trust get what is read as a whole, where the owner allows it", func(t *testing.T) {
		w := filteredWorld(t)
		full, some := w.reader(owner, "Full"), w.reader(owner, "Some")
		w.must(w.grant(adminOf(owner), full, onTable("orders"), "SELECT"))
		w.granted(some, filter("f", "id", ""), "SELECT")
		// Permission to describe the table is not permission to read it.
		w.must(w.grant(adminOf(owner), some, onTable("orders"), "DESCRIBE"))
		ask := func(cfg aws.Config) [2]error {
			_, metadata := w.unfiltered(cfg, owner, "sales", "orders")
			_, vended := lakeformation.NewFromConfig(cfg).GetTemporaryGlueTableCredentials(w.ctx, &lakeformation.GetTemporaryGlueTableCredentialsInput{
				TableArn: aws.String("arn:aws:glue:" + cfg.Region + ":" + owner + ":table/sales/orders"), SupportedPermissionTypes: types.PermissionType("").Values(),
			})
			return [2]error{metadata, vended}
		}
		for _, err := range slices.Concat(asSlice(ask(w.mesh.Config(full))), asSlice(ask(w.engine(full, "other"))), asSlice(ask(w.mesh.Config(some)))) {
			w.refused(err, denied)
		}
		w.settings(owner, func(s *types.DataLakeSettings) { s.AllowFullTableExternalDataAccess = aws.Bool(true) })
		for _, err := range ask(w.mesh.Config(full)) {
			w.must(err)
		}
		for _, err := range ask(w.mesh.Config(some)) {
			w.refused(err, denied)
		}
		for _, err := range ask(w.engine(some, "engine")) {
			w.must(err)
		}
		w.settings(owner, func(s *types.DataLakeSettings) { s.ExternalDataFilteringAllowList = principals(recipient) })
		for _, err := range ask(w.engine(some, "engine")) {
			w.refused(err, denied)
		}
	})

	holds(t, "9.4.4", "an administrator reads no more than it was granted", func(t *testing.T) {
		w := filteredWorld(t)
		second := w.reader(owner, "Second")
		w.settings(owner, func(s *types.DataLakeSettings) {
			s.DataLakeAdmins = append(s.DataLakeAdmins, principals(second)...)
			s.AllowFullTableExternalDataAccess = aws.Bool(true)
		})
		w.granted(second, filter("f", "id", ""), "SELECT")
		w.same(w.view(second), "id day")
		_, err := w.unfiltered(w.mesh.Config(second), owner, "sales", "orders")
		w.refused(err, denied)
	})

	holds(t, "9.4.5", "filters of one account are united, cell by cell", func(t *testing.T) {
		w := filteredWorld(t)
		someone := w.reader(owner, "Someone")
		w.granted(someone, filter("names", "customer", ""), "SELECT")
		w.granted(someone, filter("ids", "id", "id <> '5'"), "SELECT")
		w.same(w.view(someone), "id customer day; id where id <> '5'")
		w.granted(someone, filter("prices", "price", "id = '1' OR id = '2'"), "SELECT")
		w.same(w.view(someone), "id customer price day; id where id <> '5'; price where id = '1' OR id = '2'")
		// An engine shows all rows, and NULL for the cells that are hidden.
		out, err := w.unfiltered(w.engine(someone, "engine"), owner, "sales", "orders")
		w.must(err)
		got := ""
		for _, row := range []map[string]string{{"id": "1", "customer": "a", "price": "10"}, {"id": "5", "customer": "b", "price": "20"}} {
			got += w.cells(out, row) + "; "
		}
		w.same(got, "id=1 customer=a price=10; id=NULL customer=b price=NULL; ")
	})

	holds(t, "9.4.5", "rows that no filter chooses are left out, also where a value is NULL", func(t *testing.T) {
		w := filteredWorld(t)
		someone := w.reader(owner, "Someone")
		w.granted(someone, filter("a", "id", "customer = 'a'"), "SELECT")
		w.granted(someone, filter("b", "price", "NOT customer = 'a' AND id LIKE '1%'"), "SELECT")
		w.same(w.view(someone), "id price day where (NOT customer = 'a' AND id LIKE '1%') OR (customer = 'a'); id where customer = 'a'; price where NOT customer = 'a' AND id LIKE '1%'")
		out, err := w.unfiltered(w.engine(someone, "engine"), owner, "sales", "orders")
		w.must(err)
		got := ""
		for _, row := range []map[string]string{
			{"id": "1", "customer": "a", "price": "10"}, {"id": "12", "customer": "b", "price": "20"}, {"id": "2", "customer": "b", "price": "30"}, {"id": "1", "price": "40"},
		} {
			got += w.cells(out, row) + "; "
		}
		w.same(got, "id=1 price=NULL; id=NULL price=20; ; ; ")
	})

	holds(t, "9.4.5", "a wide grant beside a narrow one makes the narrow one worthless", func(t *testing.T) {
		w := filteredWorld(t)
		w.tag("domain", "sales")
		w.attach(onTable("orders"), "domain", "sales")
		w.must(w.makeFilter(adminOf(owner), filter("narrow", "id", "id = '1'")))
		w.must(w.makeFilter(adminOf(owner), filter("all", "-", "TRUE")))
		w.must(w.makeFilter(adminOf(owner), filter("rows", "id", "")))
		for i, tt := range []struct {
			on   *types.Resource
			want string
		}{
			{onTable("orders"), wide},
			{onAllTables(), wide},
			{onColumnsBut("orders"), wide},
			{onFilter("orders", "all"), wide},
			{onPolicy(types.ResourceTypeTable, "domain", "sales"), wide},
			{onFilter("orders", "rows"), "id day"},
			{onColumns("orders", "customer"), "id customer day; id where id = '1'"},
		} {
			role := w.reader(owner, "Reader"+string(rune('A'+i)))
			w.must(w.grant(adminOf(owner), role, onFilter("orders", "narrow"), "SELECT"))
			w.same(w.view(role), "id day where id = '1'")
			w.must(w.grant(adminOf(owner), role, tt.on, "SELECT"))
			w.same(w.view(role), tt.want)
			w.must(w.revoke(adminOf(owner), role, tt.on, "SELECT"))
			w.same(w.view(role), "id day where id = '1'")
		}
		everyone := w.reader(owner, "Everyone")
		w.must(w.grant(adminOf(owner), everyone, onFilter("orders", "narrow"), "SELECT"))
		w.must(w.grant(adminOf(owner), owner+":IAMPrincipals", onTable("orders"), "SELECT"))
		w.same(w.view(everyone), wide)
	})

	holds(t, "9.4.6", "what an account hands on is cut down to what it has, in columns and rows", func(t *testing.T) {
		w := filteredWorld(t)
		analyst, other := w.reader(recipient, "Analyst"), w.reader(recipient, "Other")
		w.granted(recipient, filter("theirs", "id price", "customer = 'a'"), "SELECT | SELECT")
		w.accept(recipient)
		w.same(w.view(analyst), denied)
		// The whole table is handed on, and is worth the filter.
		w.must(w.grant(adminOf(recipient), analyst, onTable("orders"), "SELECT"))
		w.same(w.view(analyst), "id price day where customer = 'a'")
		w.must(w.makeFilter(adminOf(recipient), filter("own", "price customer", "id = '1'")))
		w.must(w.grant(adminOf(recipient), other, onFilter("orders", "own"), "SELECT"))
		w.same(w.view(other), "price day where (customer = 'a') AND (id = '1')")
		w.must(w.grant(adminOf(recipient), other, onFilter("orders", "theirs"), "SELECT"))
		w.same(w.view(other), "id price day where ((customer = 'a') AND (id = '1')) OR (customer = 'a'); id where customer = 'a'")
		// What the owner granted a principal directly is added, and nobody cuts it down.
		w.must(w.grant(adminOf(owner), other, onColumns("orders", "customer"), "SELECT"))
		w.accept(recipient)
		w.same(w.view(other), "id customer price day; id where customer = 'a'; price where ((customer = 'a') AND (id = '1')) OR (customer = 'a')")
		w.must(w.revoke(adminOf(owner), recipient, onFilter("orders", "theirs"), "SELECT"))
		w.same(w.view(analyst), denied)
		w.same(w.view(other), "customer day")
	})

	holds(t, "9.4.6", "an account with two filters has both, and without any nothing", func(t *testing.T) {
		w := filteredWorld(t)
		analyst := w.reader(recipient, "Analyst")
		w.granted(recipient, filter("a", "id", "customer = 'a'"), "SELECT | SELECT")
		w.granted(recipient, filter("b", "price", ""), "SELECT | SELECT")
		w.accept(recipient)
		w.must(w.grant(adminOf(recipient), analyst, onTable("orders"), "SELECT"))
		w.same(w.view(analyst), "id price day; id where customer = 'a'")
		w.must(w.revoke(adminOf(owner), recipient, onFilter("orders", "b"), "SELECT"))
		w.same(w.view(analyst), "id day where customer = 'a'")
	})

	holds(t, "9.4.7", "through a resource link it is the same, and the answer tells what the link points at", func(t *testing.T) {
		w := filteredWorld(t)
		analyst := w.reader(recipient, "Analyst")
		w.must(w.grant(adminOf(owner), recipient, onDatabase("sales"), "DESCRIBE | DESCRIBE"))
		w.granted(recipient, filter("f", "id", "customer = 'a'"), "SELECT | SELECT")
		w.accept(recipient)
		w.must(w.grant(adminOf(recipient), analyst, onTable("orders"), "SELECT"))
		w.database(recipient, "local")
		w.must2(w.glue(adminOf(recipient)).CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("local"), TableInput: &gluetypes.TableInput{
			Name: aws.String("link"), TargetTable: &gluetypes.TableIdentifier{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Name: aws.String("orders")},
		}}))
		w.must2(w.glue(adminOf(recipient)).CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{
			Name: aws.String("linked"), TargetDatabase: &gluetypes.DatabaseIdentifier{CatalogId: aws.String(owner), DatabaseName: aws.String("sales")},
		}}))
		cfg := w.engine(analyst, "engine")
		for _, at := range [][2]string{{"local", "link"}, {"linked", "orders"}} {
			_, err := w.unfiltered(cfg, recipient, at[0], at[1])
			w.refused(err, denied)
		}
		link := func(database, table string) *types.Resource {
			if table == "" {
				return &types.Resource{Database: &types.DatabaseResource{CatalogId: aws.String(recipient), Name: &database}}
			}
			return &types.Resource{Table: &types.TableResource{CatalogId: aws.String(recipient), DatabaseName: &database, Name: &table}}
		}
		w.must(w.grant(adminOf(recipient), analyst, link("local", "link"), "DESCRIBE"))
		w.must(w.grant(adminOf(recipient), analyst, link("linked", ""), "DESCRIBE"))
		for _, at := range [][3]string{{recipient, "local", "link"}, {recipient, "linked", "orders"}, {owner, "sales", "orders"}} {
			out, err := w.unfiltered(cfg, at[0], at[1], at[2])
			w.must(err)
			w.same(brief(out), "id day where customer = 'a'")
			w.same(*out.ResourceArn, "arn:aws:glue:"+cfg.Region+":"+owner+":table/sales/orders")
			w.same(*out.Table.Name, at[2])
			if len(out.Table.StorageDescriptor.Columns) != 3 || !out.IsRegisteredWithLakeFormation {
				t.Errorf("through %v: %s", at, pretty(out))
			}
		}
	})

	holds(t, "9.4.8", "what is left to IAM is read as a whole", func(t *testing.T) {
		w := filteredWorld(t)
		someone := w.reader(owner, "Someone")
		w.granted(someone, filter("f", "id", ""), "SELECT")
		w.same(w.view(someone), "id day")
		w.must(w.grant(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onTable("orders"), "ALL"))
		w.same(w.view(someone), wide)
	})

	holds(t, "9.4.9", "partitions come whole, each with the columns that may be shown", func(t *testing.T) {
		w := filteredWorld(t)
		someone, describes := w.reader(owner, "Someone"), w.reader(owner, "Describes")
		w.granted(someone, filter("f", "id", "customer = 'a'"), "SELECT")
		w.must(w.grant(adminOf(owner), describes, onTable("orders"), "DESCRIBE"))
		// Who makes a table may alter it; the registered location is the administrator's.
		for _, day := range []string{"mon", "tue"} {
			storage := *tableInput("sales", "orders").StorageDescriptor
			storage.Location = aws.String("s3://lake/sales/orders/day=" + day)
			w.must2(w.glue(adminOf(owner)).CreatePartition(w.ctx, &glue.CreatePartitionInput{DatabaseName: aws.String("sales"), TableName: aws.String("orders"),
				PartitionInput: &gluetypes.PartitionInput{Values: []string{day}, StorageDescriptor: &storage}}))
		}
		call := func(role string, able ...gluetypes.PermissionType) (*glue.GetUnfilteredPartitionMetadataOutput, *glue.GetUnfilteredPartitionsMetadataOutput, [2]error) {
			c := glue.NewFromConfig(w.engine(role, "engine"))
			one, first := c.GetUnfilteredPartitionMetadata(w.ctx, &glue.GetUnfilteredPartitionMetadataInput{CatalogId: aws.String(owner),
				DatabaseName: aws.String("sales"), TableName: aws.String("orders"), PartitionValues: []string{"mon"}, SupportedPermissionTypes: able})
			all, second := c.GetUnfilteredPartitionsMetadata(w.ctx, &glue.GetUnfilteredPartitionsMetadataInput{CatalogId: aws.String(owner),
				DatabaseName: aws.String("sales"), TableName: aws.String("orders"), Expression: aws.String("day >= 'mon'"), SupportedPermissionTypes: able})
			return one, all, [2]error{first, second}
		}
		one, all, errs := call(someone, gluetypes.PermissionTypeCellFilterPermission)
		for _, err := range errs {
			w.must(err)
		}
		if !slices.Equal(one.AuthorizedColumns, []string{"id", "day"}) || len(one.Partition.StorageDescriptor.Columns) != 3 || !one.IsRegisteredWithLakeFormation {
			t.Errorf("one: %s", pretty(one))
		}
		if p := all.UnfilteredPartitions; len(p) != 2 || !slices.Equal(p[1].AuthorizedColumns, []string{"id", "day"}) || len(p[1].Partition.StorageDescriptor.Columns) != 3 {
			t.Errorf("all: %s", pretty(all))
		}
		_, _, errs = call(someone, gluetypes.PermissionTypeColumnPermission)
		for _, err := range errs {
			w.refused(err, "PermissionTypeMismatchException")
		}
		_, _, errs = call(describes, gluetypes.PermissionTypeCellFilterPermission)
		for _, err := range errs {
			w.refused(err, denied)
		}
	})

	holds(t, "9.4.10", "GetTable shows the columns and fields that may be read, and hides Spark's copy of the schema", func(t *testing.T) {
		w := filteredWorld(t)
		some, whole := w.reader(owner, "Some"), w.reader(owner, "Whole")
		in := tableInput("sales", "orders")
		in.StorageDescriptor.Columns[2].Type = aws.String("struct<net:double,tax:struct<rate:int,name:string>>")
		in.Parameters = map[string]string{"spark.sql.sources.schema.part.0": "{}", "avro.schema.literal": "{}"}
		w.must2(w.glue(adminOf(owner)).UpdateTable(w.ctx, &glue.UpdateTableInput{DatabaseName: aws.String("sales"), TableInput: in}))
		w.granted(some, filter("f", `id "price"."tax"."rate"`, "customer = 'a'"), "SELECT")
		w.must(w.grant(adminOf(owner), whole, onTable("orders"), "SELECT"))
		schema := func(role string) string {
			out, err := w.glue(role).GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("sales"), Name: aws.String("orders")})
			w.must(err)
			s := ""
			for _, c := range out.Table.StorageDescriptor.Columns {
				s += *c.Name + " " + *c.Type + ", "
			}
			for _, p := range []string{"spark.sql.sources.schema.part.0", "avro.schema.literal"} {
				if _, ok := out.Table.Parameters[p]; ok {
					s += p + ", "
				}
			}
			return s
		}
		w.same(schema(some), "id string, price struct<tax:struct<rate:int>>, avro.schema.literal, ")
		w.same(schema(whole), "id string, customer string, price struct<net:double,tax:struct<rate:int,name:string>>, spark.sql.sources.schema.part.0, avro.schema.literal, ")
		w.same(w.view(some), `id "price"."tax"."rate" day where customer = 'a'`)
		fields := w.person(owner, "Fields")
		w.granted(fields, filter("g", `-"price"."tax"`, ""), "SELECT")
		w.same(schema(fields), "id string, customer string, price struct<net:double>, avro.schema.literal, ")
	})

	holds(t, "9.4.10", "SELECT that was handed on shows what the account may read, also where the account describes everything", func(t *testing.T) {
		w := newWorld(t)
		analyst := w.person(recipient, "Analyst")
		w.granted(recipient, filter("f", "id", ""), "SELECT | SELECT")
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "DESCRIBE | DESCRIBE"))
		w.accept(recipient)
		w.must(w.grant(adminOf(recipient), analyst, onTable("orders"), "SELECT"))
		columns := func() int {
			out, err := w.glue(analyst).GetTable(w.ctx, &glue.GetTableInput{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Name: aws.String("orders")})
			w.must(err)
			return len(out.Table.StorageDescriptor.Columns)
		}
		if n := columns(); n != 1 {
			t.Errorf("%d columns, want 1", n)
		}
		w.must(w.grant(adminOf(recipient), analyst, onTable("orders"), "DESCRIBE"))
		if n := columns(); n != 3 {
			t.Errorf("%d columns with DESCRIBE, want 3", n)
		}
	})

	holds(t, "9.4.11", "a location that is not registered is read with one's own credentials", func(t *testing.T) {
		w := filteredWorld(t)
		someone := w.reader(owner, "Someone")
		w.granted(someone, filter("f", "id", ""), "SELECT")
		w.must2(w.lake(adminOf(owner)).DeregisterResource(w.ctx, &lakeformation.DeregisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::lake/sales")}))
		out, err := w.unfiltered(w.engine(someone, "engine"), owner, "sales", "orders")
		w.must(err)
		if out.IsRegisteredWithLakeFormation || brief(out) != "id day" {
			t.Errorf("got %s", pretty(out))
		}
	})
}

func asSlice(errs [2]error) []error { return errs[:] }

// cells is what an engine shows of a row: nothing if the row is not chosen, and NULL in
// the cells that are hidden.
func (w *world) cells(out *glue.GetUnfilteredTableMetadataOutput, row map[string]string) string {
	w.Helper()
	var columns []rowfilter.Column
	for _, c := range out.Table.StorageDescriptor.Columns {
		columns = append(columns, rowfilter.Column{Name: *c.Name, Type: *c.Type})
	}
	chosen := func(condition *string) bool {
		if condition == nil {
			return true
		}
		e, err := rowfilter.Parse(*condition, columns)
		w.must(err)
		return e.Chooses(func(path rowfilter.Path) (string, bool) {
			v, ok := row[path.String()]
			return v, ok
		})
	}
	if !chosen(out.RowFilter) {
		return ""
	}
	conditions := map[string]*string{}
	for _, c := range out.CellFilters {
		conditions[*c.ColumnName] = c.RowFilterExpression
	}
	var shown []string
	for _, c := range out.AuthorizedColumns {
		if v, ok := row[c]; ok && chosen(conditions[c]) {
			shown = append(shown, c+"="+v)
		} else if c != "day" {
			shown = append(shown, c+"=NULL")
		}
	}
	return strings.Join(shown, " ")
}
