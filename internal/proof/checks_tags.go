package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/internal/awserr"
)

// making makes an LF-tag as somebody.
func (t *Try) making(by aws.Config, key string, values ...string) func() error {
	return func() error {
		if err := t.journal.make(Thing{Kind: kindTag, In: Mesh, Name: strings.ToLower(key)}); err != nil {
			return err
		}
		return only(lake(by).CreateLFTag(t.ctx, &lakeformation.CreateLFTagInput{TagKey: &key, TagValues: values}))
	}
}

// valuesOf are the values of a tag that somebody is shown.
func (t *Try) valuesOf(who aws.Config, key string) func() (string, error) {
	return func() (string, error) {
		out, err := lake(who).GetLFTag(t.ctx, &lakeformation.GetLFTagInput{CatalogId: aws.String(t.owner().ID), TagKey: &key})
		if err != nil {
			return "", err
		}
		values := slices.Clone(out.TagValues)
		slices.Sort(values)
		return strings.Join(values, " "), nil
	}
}

func tagChecks() []Check {
	return []Check{
		{Name: "making LF-tags", Rules: []string{"4.1", "4.2", "4.7", "4.4"}, Run: func(t *Try) {
			key := t.tag("yes", "no")
			upper := strings.ToUpper(key)
			t.equal("keys are found in any case", t.valuesOf(t.admin(), upper), "no yes")
			t.about("4.7")
			t.refused("a key that is there is made", t.making(t.admin(), key, "x"), invalidInput, "Tag key already exists")
			t.refused("a tag that is not there is changed", func() error {
				return only(lake(t.admin()).UpdateLFTag(t.ctx, &lakeformation.UpdateLFTagInput{TagKey: aws.String(t.next("none")), TagValuesToAdd: []string{"x"}}))
			}, notFoundCode)
			t.need(t.tagged(t.admin(), t.onTable("orders"), key, "yes"))
			t.refused("a value that is attached is deleted", func() error {
				return only(lake(t.admin()).UpdateLFTag(t.ctx, &lakeformation.UpdateLFTagInput{TagKey: &key, TagValuesToDelete: []string{"yes"}}))
			}, invalidInput, "Update not allowed")
			t.about("4.2")
			t.refused("a value has 51 characters", func() error {
				return only(lake(t.admin()).UpdateLFTag(t.ctx, &lakeformation.UpdateLFTagInput{TagKey: &key, TagValuesToAdd: []string{strings.Repeat("v", 51)}}))
			}, invalidInput)
			t.about("4.4")
			var many []string
			for i := range 51 {
				many = append(many, fmt.Sprint("v", i))
			}
			t.refused("51 values are added at once", func() error {
				return only(lake(t.admin()).UpdateLFTag(t.ctx, &lakeformation.UpdateLFTagInput{TagKey: &key, TagValuesToAdd: many}))
			}, invalidInput)
		}},
		{Name: "LF-tags of roles that are no administrators", Rules: []string{"4.7", "4.10"}, Doubt: "A role that is no administrator makes, extends and puts on LF-tags with the grants that set-up gives it.", Run: func(t *Try) {
			bob, arn := t.people["bob"], t.arns["bob"]
			key := t.next("tag")
			t.refused("a tag is made without the right", t.making(bob, key, "x"), deniedCode, "Required create tag on catalog")
			t.need(t.journal.make(Thing{Kind: kindGrant, In: Mesh, Name: "of " + t.run}))
			t.given(arn, &types.Resource{Catalog: &types.CatalogResource{}}, "CREATE_LF_TAG")
			t.done("a tag is made with CREATE_LF_TAG", t.making(bob, key, "x", "y"))
			t.done("its maker extends it", func() error {
				return only(lake(bob).UpdateLFTag(t.ctx, &lakeformation.UpdateLFTagInput{TagKey: &key, TagValuesToAdd: []string{"z"}}))
			})
			t.about("4.10")
			other := t.tag("yes")
			t.refused("a tag is read without DESCRIBE on it", func() error { return only(t.valuesOf(bob, other)()) }, deniedCode)
			t.given(arn, t.onTag(other, "yes"), "DESCRIBE")
			t.equal("a tag is read with DESCRIBE on it", t.valuesOf(bob, other), "yes")
			t.given(arn, t.onTable("items"), "ALL | ALL")
			t.refused("a tag is put on with DESCRIBE on it", func() error { return t.tagged(bob, t.onTable("items"), other, "yes") }, deniedCode)
			t.given(arn, t.onTag(other, "yes"), "ASSOCIATE")
			t.done("a tag is put on with ASSOCIATE on it", func() error { return t.tagged(bob, t.onTable("items"), other, "yes") })
		}},
		{Name: "what carries LF-tags", Rules: []string{"4.3", "4.8", "4.9", "5.2.4"}, Run: func(t *Try) {
			key := t.tag("yes", "no")
			db := t.free()
			table := &types.Resource{Table: tableOn(t.owner().ID, db, "free")}
			t.refused("a table that is not there is tagged", func() error {
				return t.tagged(t.admin(), &types.Resource{Table: tableOn(t.owner().ID, db, "none")}, key, "yes")
			}, notFoundCode)
			t.need(t.tagged(t.admin(), t.onDatabase(db), key, "no"))
			seen := func(assigned bool) func() (string, error) {
				return func() (string, error) {
					out, err := lake(t.admin()).GetResourceLFTags(t.ctx, &lakeformation.GetResourceLFTagsInput{Resource: table, ShowAssignedLFTags: &assigned})
					if err != nil {
						return "", err
					}
					var values []string
					for _, tag := range out.LFTagsOnTable {
						values = append(values, tag.TagValues...)
					}
					return strings.Join(values, " "), nil
				}
			}
			t.equal("a table inherits from its database", seen(false), "no")
			t.need(t.tagged(t.admin(), table, key, "yes"))
			t.equal("and overrides it", seen(false), "yes")
			t.about("4.9")
			t.equal("GetResourceLFTags answers with what is assigned alone, if wanted", seen(true), "yes")
			t.about("4.8")
			t.equal("a tag that fails is in the answer", func() (string, error) {
				out, err := lake(t.admin()).AddLFTagsToResource(t.ctx, &lakeformation.AddLFTagsToResourceInput{Resource: table, LFTags: []types.LFTagPair{
					{TagKey: &key, TagValues: []string{"yes"}}, {TagKey: aws.String(t.name("none")), TagValues: []string{"x"}}}})
				if err != nil {
					return "", err
				}
				if len(out.Failures) != 1 {
					return fmt.Sprint(len(out.Failures), " failures"), nil
				}
				return aws.ToString(out.Failures[0].Error.ErrorCode), nil
			}, notFoundCode)
			t.about("5.2.4")
			t.refused("no tag is put on", func() error {
				return only(lake(t.admin()).AddLFTagsToResource(t.ctx, &lakeformation.AddLFTagsToResourceInput{Resource: table, LFTags: []types.LFTagPair{}}))
			}, invalidInput)
		}},
		{Name: "policies of LF-tags", Rules: []string{"4.5", "1.6.11", "1.6.12"}, Run: func(t *Try) {
			floor, wet := t.tag("ground", "upper"), t.tag("yes", "no")
			db := t.free()
			bob := t.people["bob"]
			table := &types.Resource{Table: tableOn(t.owner().ID, db, "free")}
			sees := func() error {
				return only(glueOf(bob).GetTable(t.ctx, &glue.GetTableInput{DatabaseName: &db, Name: aws.String("free")}))
			}
			t.given(t.arns["bob"], t.onPolicy(lfTag(floor, "ground", "upper"), lfTag(wet, "yes")), "SELECT")
			t.need(t.tagged(t.admin(), table, floor, "upper"))
			t.refused("one key of two matches", sees, deniedCode)
			t.need(t.tagged(t.admin(), table, wet, "yes"))
			t.done("one value of each key matches", sees)
			t.need(t.tagged(t.admin(), table, wet, "no"))
			t.refused("what loses a tag is closed", sees, deniedCode)
			t.refused("a policy names a key twice", t.granting(t.arns["bob"], t.onPolicy(lfTag(floor, "ground"), lfTag(floor, "upper")), "SELECT"), invalidInput)
			t.about("1.6.12")
			t.given(t.arns["bob"], table, "DESCRIBE")
			t.done("a grant on the name adds to it", sees)
			t.about("1.6.11")
			column := &types.Resource{TableWithColumns: &types.TableWithColumnsResource{CatalogId: aws.String(t.owner().ID), DatabaseName: &db, Name: aws.String("free"), ColumnNames: []string{"id"}}}
			part := t.tag("yes")
			t.need(t.tagged(t.admin(), column, part, "yes"))
			t.given(t.arns["ann"], t.onPolicy(lfTag(part, "yes")), "ALTER")
			t.done("where a tag is on a column, ALTER by it shows the table", func() error {
				return only(glueOf(t.people["ann"]).GetTable(t.ctx, &glue.GetTableInput{DatabaseName: &db, Name: aws.String("free")}))
			})
			t.refused("and does not alter it", func() error {
				return only(glueOf(t.people["ann"]).UpdateTable(t.ctx, &glue.UpdateTableInput{DatabaseName: &db, TableInput: t.tableAt("free", t.path("free"), "id", "what")}))
			}, deniedCode)
		}},
	}
}

// filter makes a data cells filter on a table of the owner's database; columns begin with "-" where
// they are those that are left out.
func (t *Try) filter(table, name, columns, rows string) {
	t.need(t.filtering(t.admin(), table, name, columns, rows)())
	t.undo(t.deletingFilter(table, name))
}

func (t *Try) filterInput(table, name, columns, rows string) *types.DataCellsFilter {
	f := &types.DataCellsFilter{TableCatalogId: aws.String(t.owner().ID), DatabaseName: aws.String(t.database()), TableName: &table, Name: &name}
	if but, ok := strings.CutPrefix(columns, "-"); ok {
		f.ColumnWildcard = &types.ColumnWildcard{ExcludedColumnNames: strings.Fields(but)}
	} else {
		f.ColumnNames = strings.Fields(columns)
	}
	f.RowFilter = &types.RowFilter{FilterExpression: &rows}
	if rows == "" {
		f.RowFilter = &types.RowFilter{AllRowsWildcard: &types.AllRowsWildcard{}}
	}
	return f
}

func (t *Try) filtering(by aws.Config, table, name, columns, rows string) func() error {
	return func() error {
		return only(lake(by).CreateDataCellsFilter(t.ctx, &lakeformation.CreateDataCellsFilterInput{TableData: t.filterInput(table, name, columns, rows)}))
	}
}

func (t *Try) deletingFilter(table, name string) func() error {
	return func() error {
		return only(lake(t.admin()).DeleteDataCellsFilter(t.ctx, &lakeformation.DeleteDataCellsFilterInput{TableCatalogId: aws.String(t.owner().ID), DatabaseName: aws.String(t.database()),
			TableName: &table, Name: &name}))
	}
}

func (t *Try) getFilter(table, name string) (*types.DataCellsFilter, error) {
	out, err := lake(t.admin()).GetDataCellsFilter(t.ctx, &lakeformation.GetDataCellsFilterInput{TableCatalogId: aws.String(t.owner().ID), DatabaseName: aws.String(t.database()), TableName: &table, Name: &name})
	if err != nil {
		return nil, err
	}
	return out.DataCellsFilter, nil
}

func filterChecks() []Check {
	// accepted finds that a filter of rows is made, and removes it.
	accepted := func(t *Try, question, table, columns, rows string) {
		name := t.next("f")
		defer func() { _ = t.deletingFilter(table, name)() }() // The tables go with the stage.
		t.done(question, t.filtering(t.admin(), table, name, columns, rows))
	}
	refused := func(t *Try, question, table, columns, rows string, code string) {
		name := t.next("f")
		if !t.refused(question, t.filtering(t.admin(), table, name, columns, rows), code) {
			_ = t.deletingFilter(table, name)() // The tables go with the stage.
		}
	}
	return []Check{
		{Name: "data cells filters", Rules: []string{"9.1.1", "9.1.2", "9.1.3", "9.1.5"}, Run: func(t *Try) {
			refused(t, "a filter on a table that is not there", "none", "id", "", notFoundCode)
			t.about("9.1.2")
			accepted(t, "some columns", "orders", "id price", "")
			accepted(t, "all columns but some", "orders", "-id", "")
			refused(t, "a column that is not there", "orders", "none", "", invalidInput)
			refused(t, "a partition key is left out", "orders", "-day", "", invalidInput)
			t.about("9.1.3")
			t.filter("orders", "all", "-", "")
			t.equal("all rows are listed as the wildcard and as TRUE", func() (string, error) {
				f, err := t.getFilter("orders", "all")
				if err != nil {
					return "", err
				}
				return fmt.Sprint(f.RowFilter.AllRowsWildcard != nil, " ", aws.ToString(f.RowFilter.FilterExpression)), nil
			}, "true TRUE")
			t.about("9.1.5")
			t.refused("a filter is made by who may do everything by IAM alone", t.filtering(t.people["ann"], "orders", t.next("f"), "id", ""), deniedCode)
			t.given(t.arns["ann"], t.onTable("orders"), "SELECT | SELECT")
			name := t.next("f")
			t.undo(t.deletingFilter("orders", name))
			t.done("a filter is made by who has SELECT with the grant option on the table", t.filtering(t.people["ann"], "orders", name, "id", ""))
		}},
		{Name: "versions of filters", Rules: []string{"9.1.4"}, Doubt: "A change of a filter names the version that was read, and is refused where it is another by now: two deciders cannot undo each other.", Run: func(t *Try) {
			t.filter("orders", "versioned", "id", "")
			t.refused("a filter that is there is made", t.filtering(t.admin(), "orders", "versioned", "id", ""), "AlreadyExistsException")
			first, err := t.getFilter("orders", "versioned")
			t.need(err)
			change := t.filterInput("orders", "versioned", "customer", "")
			change.VersionId = first.VersionId
			update := func() error {
				return only(lake(t.admin()).UpdateDataCellsFilter(t.ctx, &lakeformation.UpdateDataCellsFilterInput{TableData: change}))
			}
			t.need(update())
			t.refused("a filter is changed in a version that is not its own any more", update, "ConcurrentModificationException")
		}},
		{Name: "deleting a filter that is granted", Rules: []string{"8.20", "9.1.9"}, Doubt: "The grants on a filter end with it, and do not come back with a filter of the same name.", Run: func(t *Try) {
			name := t.next("f")
			t.need(t.filtering(t.admin(), "orders", name, "id", "")())
			t.given(t.arns["bob"], t.onFilter("orders", name), "SELECT")
			if !t.done("a filter that is granted is deleted", t.deletingFilter("orders", name)) {
				t.reads("granted-filters-stay")
				t.undo(t.deletingFilter("orders", name))
				return
			}
			t.about("9.1.9")
			t.refused("whoever was granted it sees the table", t.sees(t.people["bob"], "orders"), deniedCode)
			t.need(t.filtering(t.admin(), "orders", name, "id", "")())
			t.undo(t.deletingFilter("orders", name))
			t.refused("a filter of the same name brings the grant back", t.sees(t.people["bob"], "orders"), deniedCode)
		}},
		{Name: "grants on filters", Rules: []string{"9.2.1", "9.2.2", "9.2.4", "9.2.5"}, Run: func(t *Try) {
			t.filter("orders", "part", "id", "customer = 'a'")
			on := t.onFilter("orders", "part")
			t.given(t.arns["ann"], on, "DESCRIBE")
			t.refused("DESCRIBE on a filter shows the table", t.sees(t.people["ann"], "orders"), deniedCode)
			t.given(t.arns["bob"], on, "SELECT | SELECT")
			t.done("SELECT on a filter shows the table", t.sees(t.people["bob"], "orders"))
			t.about("9.2.4")
			t.refused("the grant option on a filter hands the table on", func() error { return t.grant(t.people["bob"], t.arns["ann"], t.onTable("orders"), "SELECT") }, deniedCode)
			t.done("it hands the filter on", func() error { return t.grant(t.people["bob"], t.arns["ann"], on, "SELECT") })
			t.about("9.2.2")
			t.refused("DESCRIBE on a filter is granted to another account", t.granting(t.third().ID, on, "DESCRIBE | DESCRIBE"), invalidInput)
			t.refused("SELECT on a filter is granted to another account without the grant option", t.granting(t.third().ID, on, "SELECT"), invalidInput)
			t.done("SELECT on a filter is granted to another account with the grant option", t.granting(t.third().ID, on, "SELECT | SELECT"))
			t.about("9.2.5")
			t.refused("all columns but some are granted to another account", t.granting(t.third().ID, t.onColumnsBut("items", "id"), "SELECT"), invalidInput)
		}},
		{Name: "conditions on rows", Rules: []string{"9.3.1", "9.3.2", "9.3.3", "9.3.4", "9.3.6", "9.3.7", "8.19"}, Doubt: "A column of a type that row filters cannot compare is in the way only where the condition names it; a condition has less than 2,048 characters.", Run: func(t *Try) {
			in := t.tableAt("typed", t.path("sales/typed"), "id", "customer", "timestamp")
			in.StorageDescriptor.Columns[1].Type = aws.String("int")
			in.StorageDescriptor.Columns[2].Type = aws.String("string")
			dated := t.tableAt("dated", t.path("sales/dated"), "id", "born")
			dated.StorageDescriptor.Columns[1].Type = aws.String("date")
			for _, table := range []string{"typed", "dated"} {
				t.undo(func() error {
					return only(glueOf(t.admin()).DeleteTable(t.ctx, &glue.DeleteTableInput{DatabaseName: aws.String(t.database()), Name: &table}))
				})
			}
			t.need(t.makeTable(t.ctx, t.database(), in))
			t.need(t.makeTable(t.ctx, t.database(), dated))
			accepted(t, "comparisons, IN, LIKE and AND", "typed", "-", "id LIKE 'a%' AND (customer IN (1, 2) OR customer BETWEEN 5 AND 9)")
			refused(t, "a function", "typed", "-", "lower(id) = 'a'", invalidInput)
			refused(t, "a column on the right", "typed", "-", "id = customer", invalidInput)
			t.about("9.3.2")
			refused(t, "a number is compared with a text", "typed", "-", "customer = 'x'", invalidInput)
			t.about("9.3.4")
			accepted(t, "a partition key is compared", "typed", "-", `"day" = '1'`)
			refused(t, "a partition key is asked for NULL", "typed", "-", `"day" IS NULL`, invalidInput)
			t.about("9.3.6")
			refused(t, "a keyword is a name", "typed", "-", "timestamp = 'a'", invalidInput)
			accepted(t, "a keyword in double quotes is a name", "typed", "-", `"timestamp" = 'a'`)
			t.about("9.3.7")
			long := func(n int) string { return "id = '" + strings.Repeat("x", n-len("id = ''")) + "'" }
			accepted(t, "a condition of 2,047 characters", "typed", "-", long(2047))
			refused(t, "a condition of 2,048 characters", "typed", "-", long(2048), invalidInput)
			t.about("9.3.3")
			refused(t, "a date is compared", "dated", "-", "born = '2020-01-01'", invalidInput)
			t.about("8.19")
			accepted(t, "a condition on another column of a table with a date", "dated", "-", "id = 'a'")
			t.reads("row-filters-need-plain-tables")
		}},
		{Name: "included and excluded columns", Rules: []string{"9.1.11"}, Run: func(t *Try) {
			in := t.table("growing")
			t.need(t.makeTable(t.ctx, t.database(), in))
			t.undo(func() error {
				return only(glueOf(t.admin()).DeleteTable(t.ctx, &glue.DeleteTableInput{DatabaseName: aws.String(t.database()), Name: aws.String("growing")}))
			})
			t.given(t.arns["ann"], t.onColumnsBut("growing", "customer"), "SELECT")
			t.given(t.arns["bob"], t.onColumns("growing", "id"), "SELECT")
			grown := t.tableAt("growing", t.path("sales/growing"), "id", "customer", "price", "note")
			t.need(only(glueOf(t.admin()).UpdateTable(t.ctx, &glue.UpdateTableInput{DatabaseName: aws.String(t.database()), TableInput: grown})))
			t.equal("all columns but some are open to a new one", t.columns(t.people["ann"], "growing"), "id price note")
			t.equal("a list of columns is not", t.columns(t.people["bob"], "growing"), "id")
		}},
	}
}

// already drops the answer that something is there.
func already(err error) error {
	if awserr.Is(err, "AlreadyExistsException") {
		return nil
	}
	return err
}
