package proof

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// days are partitions of a table outside of the registered location.
func (t *Try) days(n int) []types.PartitionInput {
	all := []types.PartitionInput{}
	for i := range n {
		all = append(all, types.PartitionInput{Values: []string{fmt.Sprint("d", i)}, StorageDescriptor: descriptor(fmt.Sprintf("s3://%s/free/d%d", t.bucket(), i), "id")})
	}
	return all
}

// free makes a database with a table "free", outside of the registered location.
func (t *Try) free() (database string) {
	database = t.scratch()
	t.need(t.makeTable(t.ctx, database, t.tableAt("free", t.path("free"), "id", "what")))
	return database
}

func glueChecks() []Check {
	return []Check{
		{Name: "making what is there", Rules: []string{"6.2.1", "6.2.3", "5.1.11"}, Run: func(t *Try) {
			db, c := t.free(), glueOf(t.admin())
			create := func(name string) func() error {
				return func() error {
					return only(c.CreateDatabase(t.ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: &name}}))
				}
			}
			t.refused("a database that is there is made", create(db), "AlreadyExistsException")
			t.refused("a table that is there is made", func() error {
				return only(c.CreateTable(t.ctx, &glue.CreateTableInput{DatabaseName: &db, TableInput: t.tableAt("free", t.path("free"), "id")}))
			}, "AlreadyExistsException")
			t.about("6.2.3")
			t.refused("an administrator gets a table that is not there", func() error {
				return only(c.GetTable(t.ctx, &glue.GetTableInput{DatabaseName: &db, Name: aws.String("none")}))
			}, "EntityNotFoundException")
			t.refused("somebody without rights gets a table that is not there", func() error {
				return only(glueOf(t.people["ann"]).GetTable(t.ctx, &glue.GetTableInput{DatabaseName: &db, Name: aws.String("none")}))
			}, "AccessDeniedException")
			t.about("5.1.11")
			t.refused("a name has 256 characters", create(prefix(t.run)+strings.Repeat("x", 256-len(prefix(t.run)))), "ValidationException")
			t.equal("names are kept in lower case", func() (string, error) {
				out, err := c.GetDatabase(t.ctx, &glue.GetDatabaseInput{Name: aws.String(strings.ToUpper(db))})
				if err != nil {
					return "", err
				}
				return aws.ToString(out.Database.Name), nil
			}, db)
		}},
		{Name: "batches of partitions", Rules: []string{"5.1.1", "6.2.2", "5.1.2", "5.1.3", "5.1.4", "5.1.9"}, Run: func(t *Try) {
			db, c := t.free(), glueOf(t.admin())
			database, table := &db, aws.String("free")
			create := func(n int) func() error {
				return func() error {
					return only(c.BatchCreatePartition(t.ctx, &glue.BatchCreatePartitionInput{DatabaseName: database, TableName: table, PartitionInputList: t.days(n)}))
				}
			}
			t.refused("101 partitions are made at once", create(101), "ValidationException")
			t.done("100 partitions are made at once", create(100))
			t.about("6.2.2")
			t.equal("partitions that are there are listed as errors", func() (string, error) {
				out, err := c.BatchCreatePartition(t.ctx, &glue.BatchCreatePartitionInput{DatabaseName: database, TableName: table, PartitionInputList: t.days(2)})
				if err != nil {
					return "", err
				}
				codes := []string{}
				for _, e := range out.Errors {
					codes = append(codes, aws.ToString(e.ErrorDetail.ErrorCode))
				}
				return strings.Join(codes, " "), nil
			}, "AlreadyExistsException AlreadyExistsException")
			t.about("5.1.2")
			update := func(n int) func() error {
				return func() error {
					var entries []types.BatchUpdatePartitionRequestEntry
					for _, in := range t.days(n) {
						entries = append(entries, types.BatchUpdatePartitionRequestEntry{PartitionValueList: in.Values, PartitionInput: &in})
					}
					return only(c.BatchUpdatePartition(t.ctx, &glue.BatchUpdatePartitionInput{DatabaseName: database, TableName: table, Entries: entries}))
				}
			}
			t.refused("101 partitions are changed at once", update(101), "ValidationException")
			t.done("100 partitions are changed at once", update(100))
			values := func(n int) []types.PartitionValueList {
				var all []types.PartitionValueList
				for i := range n {
					all = append(all, types.PartitionValueList{Values: []string{fmt.Sprint("d", i)}})
				}
				return all
			}
			t.about("5.1.4")
			t.refused("1,001 partitions are asked for", func() error {
				return only(c.BatchGetPartition(t.ctx, &glue.BatchGetPartitionInput{DatabaseName: database, TableName: table, PartitionsToGet: values(1001)}))
			}, "ValidationException")
			t.equal("those that are not there are handed back", func() (string, error) {
				out, err := c.BatchGetPartition(t.ctx, &glue.BatchGetPartitionInput{DatabaseName: database, TableName: table, PartitionsToGet: values(1000)})
				if err != nil {
					return "", err
				}
				return fmt.Sprint(len(out.Partitions), " ", len(out.UnprocessedKeys)), nil
			}, "100 900")
			t.about("5.1.9")
			t.equal("ExcludeColumnSchema leaves the columns out", func() (string, error) {
				out, err := c.GetPartitions(t.ctx, &glue.GetPartitionsInput{DatabaseName: database, TableName: table, ExcludeColumnSchema: aws.Bool(true), MaxResults: aws.Int32(1)})
				if err != nil {
					return "", err
				}
				if len(out.Partitions) == 0 {
					return "", ownError{"no partition is listed"}
				}
				return fmt.Sprint(len(out.Partitions[0].StorageDescriptor.Columns)), nil
			}, "0")
			t.about("5.1.3")
			remove := func(n int) func() error {
				return func() error {
					return only(c.BatchDeletePartition(t.ctx, &glue.BatchDeletePartitionInput{DatabaseName: database, TableName: table, PartitionsToDelete: values(n)}))
				}
			}
			t.refused("26 partitions are deleted at once", remove(26), "ValidationException")
			t.done("25 partitions are deleted at once", remove(25))
		}},
		{Name: "pages and segments of Glue", Rules: []string{"5.1.5", "5.1.6", "5.1.7", "5.1.8", "5.1.10"}, Run: func(t *Try) {
			db, c := t.free(), glueOf(t.admin())
			var missing []string
			for i := range 101 {
				missing = append(missing, fmt.Sprint("none", i))
			}
			remove := func(n int) func() error {
				return func() error {
					return only(c.BatchDeleteTable(t.ctx, &glue.BatchDeleteTableInput{DatabaseName: &db, TablesToDelete: missing[:n]}))
				}
			}
			t.refused("101 tables are deleted at once", remove(101), "ValidationException")
			t.done("100 tables that are not there are deleted at once, each failing by itself", remove(100))
			t.about("5.1.6")
			tables := func(size int32) func() error {
				return func() error {
					return only(c.GetTables(t.ctx, &glue.GetTablesInput{DatabaseName: &db, MaxResults: &size}))
				}
			}
			t.done("a page has 100 tables", tables(100))
			t.refused("a page has 101 tables", tables(101), "ValidationException")
			t.about("5.1.7")
			partitions := func(size int32) func() error {
				return func() error {
					return only(c.GetPartitions(t.ctx, &glue.GetPartitionsInput{DatabaseName: &db, TableName: aws.String("free"), MaxResults: &size}))
				}
			}
			t.done("a page has 1,000 partitions", partitions(1000))
			t.refused("a page has 1,001 partitions", partitions(1001), "ValidationException")
			t.about("5.1.8")
			segment := func(number, total int32) func() error {
				return func() error {
					return only(c.GetPartitions(t.ctx, &glue.GetPartitionsInput{DatabaseName: &db, TableName: aws.String("free"), Segment: &types.Segment{SegmentNumber: number, TotalSegments: &total}}))
				}
			}
			t.done("the last of ten segments", segment(9, 10))
			t.refused("eleven segments", segment(0, 11), "ValidationException")
			t.about("5.1.10")
			expression := func(n int) func() error {
				return func() error {
					return only(c.GetTables(t.ctx, &glue.GetTablesInput{DatabaseName: &db, Expression: aws.String(strings.Repeat("x", n))}))
				}
			}
			t.done("an expression of 2,048 characters", expression(2048))
			t.refused("an expression of 2,049 characters", expression(2049), "ValidationException")
		}},
		{Name: "expressions of Glue", Rules: []string{"5.1.17", "5.1.18", "5.1.19"}, Run: func(t *Try) {
			db, c := t.scratch(), glueOf(t.admin())
			for _, name := range []string{"orders", "orders_eu", "myorders"} {
				t.need(t.makeTable(t.ctx, db, t.tableAt(name, t.path("free/"+name), "id")))
			}
			listed := func(expression string) func() (string, error) {
				return func() (string, error) {
					out, err := c.GetTables(t.ctx, &glue.GetTablesInput{DatabaseName: &db, Expression: &expression})
					if err != nil {
						return "", err
					}
					var names []string
					for _, found := range out.TableList {
						names = append(names, aws.ToString(found.Name))
					}
					slices.Sort(names)
					return strings.Join(names, " "), nil
				}
			}
			t.equal("the whole name has to match", listed("orders"), "orders")
			t.equal("a star works as in a glob", listed("orders*"), "orders orders_eu")
			t.equal("a dot is any character", listed("ord.rs"), "orders")
			in := t.tableAt("typed", t.path("free/typed"), "id")
			in.PartitionKeys = []types.Column{{Name: aws.String("s"), Type: aws.String("string")}, {Name: aws.String("i"), Type: aws.String("int")}, {Name: aws.String("f"), Type: aws.String("float")}}
			t.need(t.makeTable(t.ctx, db, in))
			for _, values := range [][]string{{"2", "1", "1.0"}, {"two", "20", "1.0"}} {
				t.need(only(c.CreatePartition(t.ctx, &glue.CreatePartitionInput{DatabaseName: &db, TableName: aws.String("typed"), PartitionInput: &types.PartitionInput{Values: values,
					StorageDescriptor: descriptor(t.path("free/typed/"+values[0]), "id")}})))
			}
			selected := func(expression string) func() (string, error) {
				return func() (string, error) {
					out, err := c.GetPartitions(t.ctx, &glue.GetPartitionsInput{DatabaseName: &db, TableName: aws.String("typed"), Expression: &expression})
					if err != nil {
						return "", err
					}
					var names []string
					for _, found := range out.Partitions {
						names = append(names, found.Values[0])
					}
					slices.Sort(names)
					return strings.Join(names, " "), nil
				}
			}
			t.about("5.1.18")
			t.equal("a text is compared without quotes", selected("s = 2"), "2")
			t.equal("a number is compared with quotes", selected("i > '3'"), "two")
			t.equal("LIKE has its wildcards", selected("s like 't_o'"), "two")
			t.refused("a key of type float is compared", func() error { return only(selected("f = 1.5")()) }, "InvalidInputException", "Unknown type")
			t.refused("a number is compared with a text", func() error { return only(selected("i = 'x'")()) }, "InvalidInputException")
			t.refused("an unknown key is compared", func() error { return only(selected("unknown = 1")()) }, "InvalidInputException")
			t.about("5.1.19")
			t.equal("IS NULL finds nothing", selected("s is null"), "")
		}},
		{Name: "what Glue keeps of a definition", Rules: []string{"5.1.12", "5.1.20", "1.7.3", "1.7.4"}, Run: func(t *Try) {
			db, c := t.scratch(), glueOf(t.admin())
			tags := map[string]string{}
			for i := range 51 {
				tags[fmt.Sprint(i)] = "v"
			}
			t.refused("51 tags are put on", func() error {
				return only(c.TagResource(t.ctx, &glue.TagResourceInput{ResourceArn: aws.String(t.catalogARN(t.owner(), "database/"+db)), TagsToAdd: tags}))
			}, "ValidationException")
			t.about("5.1.20")
			in := t.tableAt("empty", t.path("free/empty"), "id")
			in.Parameters, in.StorageDescriptor.BucketColumns = map[string]string{}, []string{}
			t.need(t.makeTable(t.ctx, db, in))
			t.equal("what is given empty is handed out empty", func() (string, error) {
				out, err := c.GetTable(t.ctx, &glue.GetTableInput{DatabaseName: &db, Name: aws.String("empty")})
				if err != nil {
					return "", err
				}
				return fmt.Sprint(out.Table.Parameters != nil, out.Table.StorageDescriptor.BucketColumns != nil, out.Table.StorageDescriptor.SortColumns != nil), nil
			}, "true true false")
			t.about("1.7.3")
			t.refused("a database with an empty list of defaults leaves its new table to IAM", func() error {
				return only(glueOf(t.people["ann"]).GetTable(t.ctx, &glue.GetTableInput{DatabaseName: &db, Name: aws.String("empty")}))
			}, "AccessDeniedException")
			t.about("1.7.4")
			update := func(in types.DatabaseInput) {
				in.Name = &db
				t.need(only(c.UpdateDatabase(t.ctx, &glue.UpdateDatabaseInput{Name: &db, DatabaseInput: &in})))
			}
			update(types.DatabaseInput{Description: aws.String("one"), Parameters: map[string]string{"a": "b"}, CreateTableDefaultPermissions: []types.PrincipalPermissions{}})
			update(types.DatabaseInput{Description: aws.String("two"), CreateTableDefaultPermissions: []types.PrincipalPermissions{}})
			t.equal("what UpdateDatabase is not given again is gone", func() (string, error) {
				out, err := c.GetDatabase(t.ctx, &glue.GetDatabaseInput{Name: &db})
				if err != nil {
					return "", err
				}
				return fmt.Sprint(aws.ToString(out.Database.Description), " ", len(out.Database.Parameters)), nil
			}, "two 0")
		}},
		{Name: "functions, statistics, indexes and the catalog", Rules: []string{"5.1.21", "5.1.22", "5.1.23", "5.1.24"}, Run: func(t *Try) {
			db, c := t.free(), glueOf(t.admin())
			create := func(name string) func() error {
				return func() error {
					return only(c.CreateUserDefinedFunction(t.ctx, &glue.CreateUserDefinedFunctionInput{DatabaseName: &db,
						FunctionInput: &types.UserDefinedFunctionInput{FunctionName: &name, ClassName: aws.String("org.example.Upper"), OwnerType: types.PrincipalTypeUser, OwnerName: aws.String("someone")}}))
				}
			}
			t.need(create("Upper")())
			t.refused("a function that is there is made", create("Upper"), "AlreadyExistsException")
			t.refused("the name of a function is folded", func() error {
				return only(c.GetUserDefinedFunction(t.ctx, &glue.GetUserDefinedFunctionInput{DatabaseName: &db, FunctionName: aws.String("upper")}))
			}, "EntityNotFoundException")
			t.about("5.1.22")
			put := func(n int) func() error {
				return func() error {
					in := &glue.UpdateColumnStatisticsForTableInput{DatabaseName: &db, TableName: aws.String("free")}
					for range n {
						in.ColumnStatisticsList = append(in.ColumnStatisticsList, types.ColumnStatistics{ColumnName: aws.String("id"), ColumnType: aws.String("bigint"), AnalyzedTime: aws.Time(time.Unix(1, 0)),
							StatisticsData: &types.ColumnStatisticsData{Type: types.ColumnStatisticsTypeLong, LongColumnStatisticsData: &types.LongColumnStatisticsData{MaximumValue: 7}}})
					}
					return only(c.UpdateColumnStatisticsForTable(t.ctx, in))
				}
			}
			t.done("statistics of a column are written", put(1))
			t.refused("statistics of 26 columns are written at once", put(26), "ValidationException")
			t.about("5.1.23")
			t.refused("an index is made over a column that is no partition key", func() error {
				return only(c.CreatePartitionIndex(t.ctx, &glue.CreatePartitionIndexInput{DatabaseName: &db, TableName: aws.String("free"), PartitionIndex: &types.PartitionIndex{IndexName: aws.String("bad"), Keys: []string{"id"}}}))
			}, "InvalidInputException")
			t.about("5.1.24")
			t.equal("GetCatalogs lists the default catalog only with IncludeRoot", func() (string, error) {
				without, err := c.GetCatalogs(t.ctx, &glue.GetCatalogsInput{})
				if err != nil {
					return "", err
				}
				with, err := c.GetCatalogs(t.ctx, &glue.GetCatalogsInput{IncludeRoot: aws.Bool(true)})
				if err != nil {
					return "", err
				}
				return fmt.Sprint(len(with.CatalogList) - len(without.CatalogList)), nil
			}, "1")
		}},
		{Name: "an old version of a table", Rules: []string{"6.2.4"}, Run: func(t *Try) {
			db, c := t.free(), glueOf(t.admin())
			out, err := c.GetTable(t.ctx, &glue.GetTableInput{DatabaseName: &db, Name: aws.String("free")})
			t.need(err)
			version := out.Table.VersionId
			if version == nil {
				t.cannot("GetTable tells no version")
			}
			update := func() error {
				return only(c.UpdateTable(t.ctx, &glue.UpdateTableInput{DatabaseName: &db, TableInput: t.tableAt("free", t.path("free"), "id", "what", "more"), VersionId: version}))
			}
			t.need(update())
			t.refused("a table is changed in a version that is not its own any more", update, "ConcurrentModificationException")
		}},
	}
}

// databaseLink makes a resource link to a database of the owner.
func (t *Try) databaseLink(by aws.Config, in Part, target string) string {
	name := t.next("link")
	t.need(t.journal.make(Thing{Kind: kindDatabase, In: in, Name: name}))
	t.need(only(glueOf(by).CreateDatabase(t.ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: &name,
		TargetDatabase: &types.DatabaseIdentifier{CatalogId: aws.String(t.owner().ID), DatabaseName: &target}}})))
	return name
}

// tableLink makes a resource link to a table of the owner's database.
func (t *Try) tableLink(by aws.Config, database, name, target string) error {
	return only(glueOf(by).CreateTable(t.ctx, &glue.CreateTableInput{DatabaseName: &database, TableInput: &types.TableInput{Name: &name,
		TargetTable: &types.TableIdentifier{CatalogId: aws.String(t.owner().ID), DatabaseName: aws.String(t.database()), Name: &target}}}))
}

func (t *Try) get(who aws.Config, database, table string) (*types.Table, error) {
	out, err := glueOf(who).GetTable(t.ctx, &glue.GetTableInput{DatabaseName: &database, Name: &table})
	if err != nil {
		return nil, err
	}
	if out.Table == nil {
		return nil, errors.New("GetTable answered without a table")
	}
	return out.Table, nil
}

// shows tells what a link shows of its target.
func shows(table *types.Table, err error) (string, error) {
	switch {
	case err != nil:
		return "", err
	case table.StorageDescriptor == nil || len(table.StorageDescriptor.Columns) == 0:
		return "nothing of its target", nil
	}
	return "its target", nil
}

func linkChecks() []Check {
	return []Check{
		{Name: "links to tables", Rules: []string{"2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.8"}, Run: func(t *Try) {
			db, ann := t.scratch(), t.people["ann"]
			t.done("a link names catalog, database and table", func() error { return t.tableLink(t.admin(), db, "link", "orders") })
			t.about("2.5")
			t.equal("it shows its target's properties", func() (string, error) { return shows(t.get(t.admin(), db, "link")) }, "its target")
			t.about("2.2")
			t.done("a link has the name of its target", func() error { return t.tableLink(t.admin(), db, "orders", "orders") })
			t.about("2.3")
			t.done("a link is made to what is not there", func() error { return t.tableLink(t.admin(), db, "dangling", "none") })
			t.refused("a link is made without CREATE_TABLE on its database", func() error { return t.tableLink(ann, db, "anns", "orders") }, "AccessDeniedException")
			t.about("2.8")
			t.equal("a link to what is not there shows its own", func() (string, error) { return shows(t.get(t.admin(), db, "dangling")) }, "nothing of its target")
			t.about("2.6")
			other := func(name, target string) error {
				return only(glueOf(t.admin()).CreateTable(t.ctx, &glue.CreateTableInput{DatabaseName: &db, TableInput: &types.TableInput{Name: &name,
					TargetTable: &types.TableIdentifier{CatalogId: aws.String(t.owner().ID), DatabaseName: &db, Name: &target}}}))
			}
			t.need(other("second", "link"))
			t.equal("a link to a link shows nothing of the last target", func() (string, error) { return shows(t.get(t.admin(), db, "second")) }, "nothing of its target")
			t.about("2.4")
			on := t.onDatabase(db)
			on.Database, on.Table = nil, tableOn(t.owner().ID, db, "link")
			t.refused("others see a link without DESCRIBE", func() error { return only(t.get(ann, db, "link")) }, "AccessDeniedException")
			t.refused("SELECT is granted on a link", func() error { return t.grant(t.admin(), t.arns["ann"], on, "SELECT") }, "InvalidInputException")
			t.given(t.arns["ann"], on, "DESCRIBE")
			t.equal("DESCRIBE on the link says nothing about its target", func() (string, error) { return shows(t.get(ann, db, "link")) }, "nothing of its target")
			t.given(t.arns["ann"], t.onTable("orders"), "SELECT")
			t.equal("with SELECT on the target the link shows it", func() (string, error) { return shows(t.get(ann, db, "link")) }, "its target")
		}},
		{Name: "links to databases", Rules: []string{"2.7", "2.9"}, Run: func(t *Try) {
			db := t.free()
			link := t.databaseLink(t.admin(), Mesh, db)
			t.need(t.makeTable(t.ctx, link, t.tableAt("through", t.path("free/through"), "id")))
			t.equal("a table that is made through the link is in its target", func() (string, error) {
				table, err := t.get(t.admin(), db, "through")
				if err != nil {
					return "", err
				}
				return aws.ToString(table.DatabaseName), nil
			}, db)
			t.refused("a link to a table is made through it", func() error { return t.tableLink(t.admin(), link, "x", "orders") }, "InvalidInputException")
			t.about("2.9")
			t.done("the owner's catalog is named instead of a link", t.sees(t.admin(), "orders"))
		}},
	}
}
