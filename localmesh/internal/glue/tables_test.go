package glue_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lakemesh/lakemesh/localmesh"
)

func (w *world) getTable(c *glue.Client, database, name string) *types.Table {
	w.Helper()
	out, err := c.GetTable(w.ctx, &glue.GetTableInput{DatabaseName: &database, Name: &name})
	w.must(err)
	return out.Table
}

func TestTableIsHandedOutAsItWasGiven(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	in := &types.TableInput{
		Name: aws.String("Orders"), Description: aws.String("d"), Owner: aws.String("o"), Retention: 3, TableType: aws.String("EXTERNAL_TABLE"),
		Parameters: map[string]string{"a": "b"}, PartitionKeys: []types.Column{{Name: aws.String("day"), Type: aws.String("date"), Comment: aws.String("c")}},
		StorageDescriptor: &types.StorageDescriptor{
			Columns:  []types.Column{{Name: aws.String("Id"), Type: aws.String("int"), Comment: aws.String("c"), Parameters: map[string]string{"x": "y"}}},
			Location: aws.String("s3://b/o/"), AdditionalLocations: []string{"s3://b/p"}, InputFormat: aws.String("i"), OutputFormat: aws.String("o"),
			Compressed: true, NumberOfBuckets: 4, BucketColumns: []string{"id"}, StoredAsSubDirectories: true, Parameters: map[string]string{"p": "q"},
			SerdeInfo:   &types.SerDeInfo{Name: aws.String("n"), SerializationLibrary: aws.String("l"), Parameters: map[string]string{"s": "t"}},
			SortColumns: []types.Order{{Column: aws.String("id"), SortOrder: 1}},
			SkewedInfo: &types.SkewedInfo{SkewedColumnNames: []string{"id"}, SkewedColumnValues: []string{"1"},
				SkewedColumnValueLocationMaps: map[string]string{"1": "s3://b/1"}},
			SchemaReference: &types.SchemaReference{SchemaId: &types.SchemaId{SchemaName: aws.String("s"), RegistryName: aws.String("r")}, SchemaVersionNumber: aws.Int64(2)},
		},
	}
	w.table(c, "DB", in)
	got := w.getTable(c, "db", "ORDERS")
	if *got.Name != "orders" || *got.DatabaseName != "db" || *got.CatalogId != owner || *got.CreatedBy != adminARN(owner) || *got.VersionId != "0" ||
		*got.Description != "d" || *got.Owner != "o" || got.Retention != 3 || *got.TableType != "EXTERNAL_TABLE" || got.IsRegisteredWithLakeFormation {
		t.Errorf("got %+v", got)
	}
	unexported := cmpopts.IgnoreUnexported(types.StorageDescriptor{}, types.Column{}, types.SerDeInfo{}, types.Order{}, types.SkewedInfo{}, types.SchemaReference{}, types.SchemaId{})
	if diff := cmp.Diff(in.StorageDescriptor, got.StorageDescriptor, unexported); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(in.PartitionKeys, got.PartitionKeys, unexported); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(in.Parameters, got.Parameters); diff != "" {
		t.Error(diff)
	}
}

func TestTableRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	w.table(c, "db", tableInput("t"))
	create := func(in *types.TableInput) error {
		_, err := c.CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("db"), TableInput: in})
		return err
	}
	update := func(in *glue.UpdateTableInput) error {
		in.DatabaseName = aws.String("db")
		_, err := c.UpdateTable(w.ctx, in)
		return err
	}
	list := func(in *glue.GetTablesInput) error {
		in.DatabaseName = aws.String("db")
		_, err := c.GetTables(w.ctx, in)
		return err
	}
	long := tableInput("x")
	long.StorageDescriptor.Columns[0].Comment = aws.String(strings.Repeat("c", 256))
	nameless := tableInput("x")
	nameless.StorageDescriptor.Columns[0].Name = aws.String("")
	for what, test := range map[string]struct {
		err  error
		code string
	}{
		"the same name folded":  {create(tableInput("T")), "AlreadyExistsException"},
		"empty name":            {create(tableInput("")), "ValidationException"},
		"long name":             {create(tableInput(strings.Repeat("n", 256))), "ValidationException"},
		"long column comment":   {create(long), "ValidationException"},
		"column without a name": {create(nameless), "ValidationException"},
		"negative retention":    {create(&types.TableInput{Name: aws.String("x"), Retention: -1}), "ValidationException"},
		"long parameter key":    {create(&types.TableInput{Name: aws.String("x"), Parameters: map[string]string{strings.Repeat("k", 256): "v"}}), "ValidationException"},
		"no such database": {func() error {
			_, err := c.CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("no"), TableInput: tableInput("x")})
			return err
		}(), "EntityNotFoundException"},
		"update of none":         {update(&glue.UpdateTableInput{TableInput: tableInput("no")}), "EntityNotFoundException"},
		"rename":                 {update(&glue.UpdateTableInput{Name: aws.String("t"), TableInput: tableInput("u")}), "InvalidInputException"},
		"update of old version":  {update(&glue.UpdateTableInput{TableInput: tableInput("t"), VersionId: aws.String("7")}), "ConcurrentModificationException"},
		"page of 0":              {list(&glue.GetTablesInput{MaxResults: aws.Int32(0)}), "ValidationException"},
		"page of 101":            {list(&glue.GetTablesInput{MaxResults: aws.Int32(101)}), "ValidationException"},
		"bad expression":         {list(&glue.GetTablesInput{Expression: aws.String("(")}), "InvalidInputException"},
		"long expression":        {list(&glue.GetTablesInput{Expression: aws.String(strings.Repeat("e", 2049))}), "ValidationException"},
		"attributes without one": {list(&glue.GetTablesInput{AttributesToGet: []types.TableAttributes{types.TableAttributesTableType}}), "InvalidInputException"},
		"no attributes":          {list(&glue.GetTablesInput{AttributesToGet: []types.TableAttributes{}}), "InvalidInputException"},
		"a token of nobody":      {list(&glue.GetTablesInput{NextToken: aws.String("YWJj")}), "InvalidInputException"},
		"delete of none": {func() error {
			_, err := c.DeleteTable(w.ctx, &glue.DeleteTableInput{DatabaseName: aws.String("db"), Name: aws.String("no")})
			return err
		}(), "EntityNotFoundException"},
		"get of none": {func() error {
			_, err := c.GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("db"), Name: aws.String("no")})
			return err
		}(), "EntityNotFoundException"},
	} {
		t.Run(what, func(t *testing.T) { (&world{TB: t}).refused(test.err, test.code) })
	}
	w.must(list(&glue.GetTablesInput{MaxResults: aws.Int32(100), Expression: aws.String(strings.Repeat("e", 2048))}))
}

func TestGetTablesPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	for _, n := range []int{0, 1, 99, 100, 101} {
		db := fmt.Sprint("db", n)
		w.database(c, db)
		var want []string
		for i := range n {
			want = append(want, fmt.Sprintf("t%03d", i))
			w.table(c, db, &types.TableInput{Name: &want[i]})
		}
		w.ResetCounts()
		if diff := cmp.Diff(want, w.tableNames(c, &glue.GetTablesInput{DatabaseName: &db})); diff != "" {
			t.Errorf("%d tables: %s", n, diff)
		}
		if got, wantCalls := w.Calls(), max(1, (n+99)/100); got != wantCalls {
			t.Errorf("%d tables: %d calls, want %d", n, got, wantCalls)
		}
		if diff := cmp.Diff(want, w.tableNames(c, &glue.GetTablesInput{DatabaseName: &db, MaxResults: aws.Int32(1)})); diff != "" {
			t.Errorf("%d tables one by one: %s", n, diff)
		}
	}
}

func TestGetTablesExpressionIsOverTheWholeName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	for i := range 1500 { // more than one page looks at
		w.table(c, "db", &types.TableInput{Name: aws.String(fmt.Sprintf("filler%04d", i))})
	}
	for _, n := range []string{"orders", "orders_eu", "zorders"} {
		w.table(c, "db", &types.TableInput{Name: &n, TableType: aws.String("EXTERNAL_TABLE")})
	}
	for expression, want := range map[string][]string{
		"orders":   {"orders"},
		"orders*":  {"orders", "orders_eu"},
		"*orders":  {"orders", "zorders"},
		"^orders$": {"orders"},
		"orders_*": {"orders_eu"},
		"^z*":      {"zorders"},
		"nothing":  nil,
	} {
		if diff := cmp.Diff(want, w.tableNames(c, &glue.GetTablesInput{DatabaseName: aws.String("db"), Expression: &expression})); diff != "" {
			t.Errorf("%s: %s", expression, diff)
		}
	}
	out, err := c.GetTables(w.ctx, &glue.GetTablesInput{DatabaseName: aws.String("db"), Expression: aws.String("^orders$"),
		AttributesToGet: []types.TableAttributes{types.TableAttributesName}})
	w.must(err)
	if out.NextToken == nil {
		t.Error("a page that looks at 1000 tables at most must have a token behind it")
	}
	out, err = c.GetTables(w.ctx, &glue.GetTablesInput{DatabaseName: aws.String("db"), NextToken: out.NextToken, Expression: aws.String("^orders$"),
		AttributesToGet: []types.TableAttributes{types.TableAttributesName}})
	w.must(err)
	if len(out.TableList) != 1 || out.TableList[0].TableType != nil || out.TableList[0].StorageDescriptor != nil || *out.TableList[0].Name != "orders" {
		t.Errorf("got %+v", out.TableList)
	}
}

func TestBatchDeleteTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	w.table(c, "db", tableInput("a"))
	w.table(c, "db", tableInput("b"))
	out, err := c.BatchDeleteTable(w.ctx, &glue.BatchDeleteTableInput{DatabaseName: aws.String("db"), TablesToDelete: []string{"A", "no", "b"}})
	w.must(err)
	if len(out.Errors) != 1 || *out.Errors[0].TableName != "no" || *out.Errors[0].ErrorDetail.ErrorCode != "EntityNotFoundException" {
		t.Errorf("errors are %+v", out.Errors)
	}
	if names := w.tableNames(c, &glue.GetTablesInput{DatabaseName: aws.String("db")}); len(names) != 0 {
		t.Errorf("%v are left", names)
	}
	_, err = c.BatchDeleteTable(w.ctx, &glue.BatchDeleteTableInput{DatabaseName: aws.String("db"), TablesToDelete: make([]string, 101)})
	w.refused(err, "ValidationException")
}

func TestVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	w.table(c, "db", tableInput("t"))
	update := func(skip bool, description string) {
		t.Helper()
		in := tableInput("t")
		in.Description = &description
		_, err := c.UpdateTable(w.ctx, &glue.UpdateTableInput{DatabaseName: aws.String("db"), TableInput: in, SkipArchive: &skip})
		w.must(err)
	}
	list := func(size int32) []string {
		t.Helper()
		var got []string
		pages := glue.NewGetTableVersionsPaginator(c, &glue.GetTableVersionsInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), MaxResults: &size})
		for pages.HasMorePages() {
			page, err := pages.NextPage(w.ctx)
			w.must(err)
			if len(page.TableVersions) > int(size) {
				t.Errorf("a page of %d versions", len(page.TableVersions))
			}
			for _, v := range page.TableVersions {
				got = append(got, *v.VersionId+":"+aws.ToString(v.Table.Description))
			}
		}
		return got
	}
	update(false, "one")
	update(true, "two")
	update(false, "three")
	want := []string{"3:three", "2:two", "0:"} // version 1 was not archived
	for _, size := range []int32{1, 2, 3, 100} {
		if diff := cmp.Diff(want, list(size)); diff != "" {
			t.Errorf("pages of %d: %s", size, diff)
		}
	}
	get := func(version string) (string, error) {
		out, err := c.GetTableVersion(w.ctx, &glue.GetTableVersionInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), VersionId: &version})
		if err != nil {
			return "", err
		}
		return aws.ToString(out.TableVersion.Table.Description), nil
	}
	for version, want := range map[string]string{"3": "three", "2": "two", "0": ""} {
		got, err := get(version)
		w.must(err)
		if got != want {
			t.Errorf("version %s is %q, want %q", version, got, want)
		}
	}
	_, err := get("1")
	w.refused(err, "EntityNotFoundException")
	_, err = get("x")
	w.refused(err, "InvalidInputException")
	out, err := c.BatchDeleteTableVersion(w.ctx, &glue.BatchDeleteTableVersionInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), VersionIds: []string{"2", "1", "3", "-1"}})
	w.must(err)
	var codes []string
	for _, e := range out.Errors {
		codes = append(codes, *e.VersionId+" "+*e.ErrorDetail.ErrorCode)
	}
	if diff := cmp.Diff([]string{"1 EntityNotFoundException", "3 InvalidInputException", "-1 InvalidInputException"}, codes); diff != "" {
		t.Error(diff)
	}
	_, err = c.DeleteTableVersion(w.ctx, &glue.DeleteTableVersionInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), VersionId: aws.String("0")})
	w.must(err)
	if diff := cmp.Diff([]string{"3:three"}, list(100)); diff != "" {
		t.Error(diff)
	}
}

func TestSearchTables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "sales")
	w.database(c, "hr")
	for db, names := range map[string][]string{"sales": {"customer-link", "xx-link-yy", "xxlinkyy"}, "hr": {"staff"}} {
		for _, n := range names {
			in := tableInput(n)
			in.Description = aws.String("about " + n)
			w.table(c, db, in)
		}
	}
	search := func(in *glue.SearchTablesInput) []string {
		t.Helper()
		var got []string
		pages := glue.NewSearchTablesPaginator(c, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(w.ctx)
			w.must(err)
			for _, x := range page.TableList {
				got = append(got, *x.Name)
			}
		}
		return got
	}
	filter := func(key, value string) []types.PropertyPredicate {
		return []types.PropertyPredicate{{Key: &key, Value: &value}}
	}
	all := []string{"staff", "customer-link", "xx-link-yy", "xxlinkyy"}
	for what, test := range map[string]struct {
		in   *glue.SearchTablesInput
		want []string
	}{
		"everything":       {&glue.SearchTablesInput{}, all},
		"one by one":       {&glue.SearchTablesInput{MaxResults: aws.Int32(1)}, all},
		"piece of a name":  {&glue.SearchTablesInput{Filters: filter("Name", "link")}, []string{"customer-link", "xx-link-yy"}},
		"database":         {&glue.SearchTablesInput{Filters: filter("DatabaseName", "hr")}, []string{"staff"}},
		"parameter":        {&glue.SearchTablesInput{Filters: filter("classification", "csv")}, nil},
		"text":             {&glue.SearchTablesInput{SearchText: aws.String("ABOUT xx")}, []string{"xx-link-yy", "xxlinkyy"}},
		"exact text":       {&glue.SearchTablesInput{SearchText: aws.String(`"link"`)}, nil},
		"exact name":       {&glue.SearchTablesInput{SearchText: aws.String(`"xxlinkyy"`)}, []string{"xxlinkyy"}},
		"shared only":      {&glue.SearchTablesInput{ResourceShareType: types.ResourceShareTypeForeign}, nil},
		"sorted backwards": {&glue.SearchTablesInput{SortCriteria: []types.SortCriterion{{FieldName: aws.String("Name"), Sort: types.SortDescending}}}, []string{"xxlinkyy", "xx-link-yy", "staff", "customer-link"}},
	} {
		if diff := cmp.Diff(test.want, search(test.in)); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
}

func TestSearchTablesByTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	w := newWorld(t, localmesh.WithClock(func() time.Time { return now }))
	c := w.admin(owner)
	w.database(c, "db")
	w.table(c, "db", tableInput("t"))
	for comparator, found := range map[types.Comparator][3]bool{ // before, at and after the moment
		types.ComparatorEquals:            {false, true, false},
		types.ComparatorGreaterThan:       {true, false, false},
		types.ComparatorGreaterThanEquals: {true, true, false},
		types.ComparatorLessThan:          {false, false, true},
		types.ComparatorLessThanEquals:    {false, true, true},
	} {
		for i, want := range found {
			value := now.Add(time.Duration(i-1) * time.Minute).Format(time.RFC3339)
			for _, key := range []string{"CreateTime", "UpdateTime"} {
				out, err := c.SearchTables(w.ctx, &glue.SearchTablesInput{Filters: []types.PropertyPredicate{{Key: &key, Value: &value, Comparator: comparator}},
					SortCriteria: []types.SortCriterion{{FieldName: &key}}})
				w.must(err)
				if got := len(out.TableList) == 1; got != want {
					t.Errorf("%s %s %s: found %v, want %v", key, comparator, value, got, want)
				}
			}
		}
	}
	_, err := c.SearchTables(w.ctx, &glue.SearchTablesInput{SortCriteria: []types.SortCriterion{{FieldName: aws.String("Colour")}}})
	w.refused(err, "InvalidInputException")
	_, err = c.SearchTables(w.ctx, &glue.SearchTablesInput{MaxResults: aws.Int32(1001)})
	w.refused(err, "ValidationException")
}

func TestTags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	w.table(c, "db", tableInput("t"))
	arn := "arn:aws:glue:us-east-1:" + owner + ":table/db/t"
	tag := func(arn string, tags map[string]string) error {
		_, err := c.TagResource(w.ctx, &glue.TagResourceInput{ResourceArn: &arn, TagsToAdd: tags})
		return err
	}
	w.must(tag(arn, map[string]string{"a": "1", "b": "2"}))
	w.must(tag(arn, map[string]string{"b": "3"}))
	_, err := c.UntagResource(w.ctx, &glue.UntagResourceInput{ResourceArn: &arn, TagsToRemove: []string{"a", "none"}})
	w.must(err)
	out, err := c.GetTags(w.ctx, &glue.GetTagsInput{ResourceArn: &arn})
	w.must(err)
	if diff := cmp.Diff(map[string]string{"b": "3"}, out.Tags); diff != "" {
		t.Error(diff)
	}
	many := map[string]string{}
	for i := range 50 {
		many[fmt.Sprint("k", i)] = "v"
	}
	w.refused(tag(arn, many), "InvalidInputException")
	many["one more"] = "v"
	w.refused(tag(arn, many), "ValidationException")
	w.refused(tag(arn, map[string]string{"aws:x": "v"}), "InvalidInputException")
	w.refused(tag(arn+"x", map[string]string{"a": "v"}), "EntityNotFoundException")
	w.refused(tag("arn:aws:s3:::b", map[string]string{"a": "v"}), "InvalidInputException")
	w.refused(tag("arn:aws:glue:us-east-1:"+owner+":job/j", map[string]string{"a": "v"}), "InvalidInputException")
	w.refused(tag(strings.Replace(arn, owner, guest, 1), map[string]string{"a": "v"}), "AccessDeniedException")
	reader := w.as(w.user(owner, "Reader", []string{"glue:GetTags"}, []string{"*"}))
	_, err = reader.TagResource(w.ctx, &glue.TagResourceInput{ResourceArn: &arn, TagsToAdd: map[string]string{"a": "1"}})
	w.refused(err, "AccessDeniedException")
}

func TestRegionsAreApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	_, err := c.GetDatabase(w.ctx, &glue.GetDatabaseInput{Name: aws.String("db")}, func(o *glue.Options) { o.Region = "eu-west-1" })
	w.refused(err, "EntityNotFoundException")
}

// What Lake Formation keeps to itself: a database whose tables have no default
// grants.
func TestWithoutALakeFormationGrantATableCannotBeSeenOrTouched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	maker := w.admin(owner)
	w.closed(maker, "db")
	w.table(maker, "db", tableInput("t", col("day", "string")))
	w.must(addPartitions(w, maker, "db", "t", "1"))
	other := w.as(w.user(owner, "Other", []string{"*"}, []string{"*"}))

	db, name := aws.String("db"), aws.String("t")
	calls := map[string]func(*glue.Client) error{
		"GetTable": func(c *glue.Client) error {
			_, err := c.GetTable(w.ctx, &glue.GetTableInput{DatabaseName: db, Name: name})
			return err
		},
		"GetTableVersions": func(c *glue.Client) error {
			_, err := c.GetTableVersions(w.ctx, &glue.GetTableVersionsInput{DatabaseName: db, TableName: name})
			return err
		},
		"UpdateTable": func(c *glue.Client) error {
			_, err := c.UpdateTable(w.ctx, &glue.UpdateTableInput{DatabaseName: db, TableInput: tableInput("t", col("day", "string"))})
			return err
		},
		"GetPartitions": func(c *glue.Client) error {
			_, err := c.GetPartitions(w.ctx, &glue.GetPartitionsInput{DatabaseName: db, TableName: name})
			return err
		},
		"GetPartition": func(c *glue.Client) error {
			_, err := c.GetPartition(w.ctx, &glue.GetPartitionInput{DatabaseName: db, TableName: name, PartitionValues: []string{"1"}})
			return err
		},
		"BatchGetPartition": func(c *glue.Client) error {
			_, err := c.BatchGetPartition(w.ctx, &glue.BatchGetPartitionInput{DatabaseName: db, TableName: name, PartitionsToGet: []types.PartitionValueList{{Values: []string{"1"}}}})
			return err
		},
		"BatchCreatePartition": func(c *glue.Client) error { return addPartitions(w, c, "db", "t", "2") },
		"UpdatePartition": func(c *glue.Client) error {
			_, err := c.UpdatePartition(w.ctx, &glue.UpdatePartitionInput{DatabaseName: db, TableName: name, PartitionValueList: []string{"1"}, PartitionInput: &types.PartitionInput{Values: []string{"1"}}})
			return err
		},
		"BatchDeletePartition": func(c *glue.Client) error {
			_, err := c.BatchDeletePartition(w.ctx, &glue.BatchDeletePartitionInput{DatabaseName: db, TableName: name, PartitionsToDelete: []types.PartitionValueList{{Values: []string{"3"}}}})
			return err
		},
		"DeleteTable": func(c *glue.Client) error {
			_, err := c.DeleteTable(w.ctx, &glue.DeleteTableInput{DatabaseName: db, Name: name})
			return err
		},
	}
	names := make([]string, 0, len(calls))
	for n := range calls {
		names = append(names, n)
	}
	slices.Sort(names) // DeleteTable is not the last, so it is left to the end
	names = append(slices.DeleteFunc(names, func(n string) bool { return n == "DeleteTable" }), "DeleteTable")
	for _, n := range names {
		t.Run(n, func(t *testing.T) { (&world{TB: t}).refused(calls[n](other), "AccessDeniedException") })
	}
	if names := w.tableNames(other, &glue.GetTablesInput{DatabaseName: db}); len(names) != 0 {
		t.Errorf("%v are listed for a caller without a grant", names)
	}
	found, err := other.SearchTables(w.ctx, &glue.SearchTablesInput{})
	w.must(err)
	if len(found.TableList) != 0 {
		t.Error("a table is found by a caller without a grant")
	}
	for _, n := range names {
		t.Run("maker "+n, func(t *testing.T) { (&world{TB: t}).must(calls[n](maker)) })
	}
}
