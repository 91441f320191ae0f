package conformance_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh"
)

// retype changes the type of a column of sales.orders, or adds one.
func (w *world) retype(name, typ string) {
	w.Helper()
	out, err := w.glue(adminOf(owner)).GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("sales"), Name: aws.String("orders")})
	w.must(err)
	in := tableInput("sales", "orders")
	in.StorageDescriptor.Columns = out.Table.StorageDescriptor.Columns
	i := slices.IndexFunc(in.StorageDescriptor.Columns, func(c gluetypes.Column) bool { return *c.Name == name })
	if i < 0 {
		in.StorageDescriptor.Columns = append(in.StorageDescriptor.Columns, gluetypes.Column{Name: &name})
		i = len(in.StorageDescriptor.Columns) - 1
	}
	in.StorageDescriptor.Columns[i].Type = &typ
	w.must2(w.glue(adminOf(owner)).UpdateTable(w.ctx, &glue.UpdateTableInput{DatabaseName: aws.String("sales"), TableInput: in}))
}

func TestDataCellsFilters(t *testing.T) {
	t.Parallel()

	holds(t, "9.1.1", "a filter has a name of 1 to 255 printable characters", func(t *testing.T) {
		w := newWorld(t)
		for _, name := range []string{"a", "Größe & Farbe\t(neu)", strings.Repeat("é", 255)} {
			w.must(w.makeFilter(adminOf(owner), filter(name, "id", "")))
			_, err := w.getFilter(adminOf(owner), name)
			w.must(err)
		}
		for _, name := range []string{"", "a\nb", "a\x00", strings.Repeat("é", 256)} {
			w.refused(w.makeFilter(adminOf(owner), filter(name, "id", "")), invalidInput)
		}
	})

	holds(t, "9.1.1", "and a table that is there, no link and no view", func(t *testing.T) {
		w, _ := matrixWorld(t)
		for table, code := range map[string]string{"none": notFound, "summary": invalidInput, "orders_link": invalidInput} {
			f := filter("f", "-", "")
			f.TableName = aws.String(table)
			w.refused(w.makeFilter(adminOf(owner), f), code)
		}
	})

	holds(t, "9.1.2", "it lists columns, or all but some", func(t *testing.T) {
		w := newWorld(t)
		for i, columns := range []string{"id", "ID Price", "id day", "-", "-id", "-id customer"} {
			w.must(w.makeFilter(adminOf(owner), filter(fmt.Sprint("f", i), columns, "")))
		}
		for _, columns := range []string{"", "none", "id none", "-none", "-day", "-id customer price", `"id"."x"`} {
			w.refused(w.makeFilter(adminOf(owner), filter("x", columns, "")), invalidInput)
		}
		both := filter("x", "id", "")
		both.ColumnWildcard = &types.ColumnWildcard{}
		w.refused(w.makeFilter(adminOf(owner), both), invalidInput)
	})

	holds(t, "9.1.3", "all rows are a wildcard or TRUE, and are listed as both", func(t *testing.T) {
		w := newWorld(t)
		w.must(w.makeFilter(adminOf(owner), filter("a", "-", "")))
		w.must(w.makeFilter(adminOf(owner), filter("b", "-", "true")))
		for _, name := range []string{"a", "b"} {
			f, err := w.getFilter(adminOf(owner), name)
			w.must(err)
			if f.RowFilter.AllRowsWildcard == nil || aws.ToString(f.RowFilter.FilterExpression) != "TRUE" || f.ColumnWildcard == nil || len(f.ColumnNames) > 0 {
				t.Errorf("%s", pretty(f))
			}
		}
		neither, both := filter("x", "-", ""), filter("x", "-", "id = 'x'")
		neither.RowFilter, both.RowFilter.AllRowsWildcard = &types.RowFilter{}, &types.AllRowsWildcard{}
		for _, f := range []*types.DataCellsFilter{neither, both} {
			w.refused(w.makeFilter(adminOf(owner), f), invalidInput)
		}
		neither.RowFilter = nil
		w.refused(w.makeFilter(adminOf(owner), neither), invalidInput)
	})

	holds(t, "9.1.4", "a filter is made once, and changed in the version that was read", func(t *testing.T) {
		w := newWorld(t)
		admin := adminOf(owner)
		w.refused(w.changeFilter(admin, filter("f", "id", "")), notFound)
		w.refused(w.deleteFilter(admin, "f"), notFound)
		_, err := w.getFilter(admin, "f")
		w.refused(err, notFound)
		w.must(w.makeFilter(admin, filter("f", "id", "")))
		w.refused(w.makeFilter(admin, filter("f", "id", "")), "AlreadyExistsException")
		first, err := w.getFilter(admin, "f")
		w.must(err)
		change := filter("f", "customer", "")
		change.VersionId = first.VersionId
		w.must(w.changeFilter(admin, change))
		second, err := w.getFilter(admin, "f")
		w.must(err)
		if aws.ToString(first.VersionId) == aws.ToString(second.VersionId) || second.ColumnNames[0] != "customer" {
			t.Errorf("before %s, after %s", pretty(first), pretty(second))
		}
		w.refused(w.changeFilter(admin, change), "ConcurrentModificationException")
		w.must(w.changeFilter(admin, filter("f", "price", "")))
		w.must(w.deleteFilter(admin, "f"))
		w.refused(w.deleteFilter(admin, "f"), notFound)
	})

	holds(t, "9.1.5", "filters are made by administrators and by whoever has SELECT on the whole table with the grant option", func(t *testing.T) {
		w := newWorld(t)
		maker, reader, narrow := w.person(owner, "Maker"), w.person(owner, "Reader"), w.person(owner, "Narrow")
		w.must(w.grant(adminOf(owner), maker, onTable("orders"), "SELECT | SELECT"))
		w.must(w.grant(adminOf(owner), reader, onTable("orders"), "SELECT"))
		w.granted(narrow, filter("n", "id", ""), "SELECT | SELECT")
		w.must(w.makeFilter(maker, filter("m", "id", "")))
		for _, as := range []string{reader, narrow, w.person(owner, "Nobody"), adminOf(recipient), adminOf(stranger)} {
			w.refused(w.makeFilter(as, filter("x", "id", "")), denied)
			w.refused(w.changeFilter(as, filter("n", "id customer", "")), denied)
			w.refused(w.deleteFilter(as, "n"), denied)
		}
		w.must(w.grant(maker, reader, onFilter("orders", "m"), "SELECT"))
		w.must(w.deleteFilter(maker, "m"))
	})

	holds(t, "9.1.6", "an account with SELECT and the grant option makes filters of its own on what is shared with it, and changes no others", func(t *testing.T) {
		w := newWorld(t)
		analyst := w.person(recipient, "Analyst")
		w.granted(recipient, filter("theirs", "id", "customer = 'a'"), "SELECT | SELECT")
		w.refused(w.makeFilter(adminOf(recipient), filter("own", "id", "")), denied)
		w.accept(recipient)
		w.must(w.makeFilter(adminOf(recipient), filter("own", "id", "price = '1'")))
		w.refused(w.makeFilter(analyst, filter("x", "id", "")), denied)
		w.must(w.grant(adminOf(recipient), analyst, onFilter("orders", "own"), "SELECT"))
		w.refused(w.grant(adminOf(owner), w.person(owner, "Someone"), onFilter("orders", "own"), "SELECT"), denied)
		// It would widen what it was given.
		w.refused(w.changeFilter(adminOf(recipient), filter("theirs", "-", "")), denied)
		w.refused(w.deleteFilter(adminOf(recipient), "theirs"), denied)
		w.refused(w.changeFilter(adminOf(owner), filter("own", "-", "")), denied)
		w.refused(w.deleteFilter(adminOf(owner), "own"), denied)
		w.must(w.changeFilter(adminOf(recipient), filter("own", "customer", "")))
		w.must(w.deleteFilter(adminOf(recipient), "own"))
		w.must(w.revoke(adminOf(owner), recipient, onFilter("orders", "theirs"), "SELECT"))
		w.refused(w.makeFilter(adminOf(recipient), filter("late", "id", "")), denied)
	})

	holds(t, "9.1.7", "a filter is seen by its maker, its account's administrators, and who was granted DESCRIBE, DROP or SELECT with the option", func(t *testing.T) {
		w := newWorld(t)
		maker, other := w.person(owner, "Maker"), w.person(owner, "Other")
		for _, p := range []string{maker, other} {
			w.must(w.grant(adminOf(owner), p, onTable("orders"), "SELECT | SELECT"))
		}
		w.must(w.makeFilter(maker, filter("m", "id", "")))
		w.same(w.listFilters(maker), "m")
		w.same(w.listFilters(adminOf(owner)), "m")
		w.same(w.listFilters(other), "")
		_, err := w.getFilter(other, "m")
		w.refused(err, denied)
		w.refused(w.changeFilter(other, filter("m", "id", "")), denied)
		for list, seen := range map[string]bool{"SELECT": false, "SELECT | SELECT": true, "DESCRIBE": true, "DROP": true} {
			p := w.fresh(owner)
			w.must(w.grant(adminOf(owner), p, onFilter("orders", "m"), list))
			if got := w.listFilters(p) == "m"; got != seen {
				t.Errorf("with %s: seen %v", list, got)
			}
			if err := w.deleteFilter(p, "m"); list != "DROP" {
				w.refused(err, denied)
			} else {
				w.must(err)
				w.must(w.makeFilter(maker, filter("m", "id", "")))
			}
		}
		w.must(w.grant(adminOf(owner), recipient, onFilter("orders", "m"), "SELECT | SELECT"))
		w.same(w.listFilters(adminOf(recipient)), "")
		w.accept(recipient)
		w.same(w.listFilters(adminOf(recipient)), "m")
		w.must(w.makeFilter(adminOf(recipient), filter("own", "id", "")))
		w.same(w.listFilters(adminOf(recipient)), "m own")
		w.same(w.listFilters(adminOf(owner)), "m")
	})

	holds(t, "9.1.8", "its maker is listed with all permissions on it, without the grant option", func(t *testing.T) {
		w := newWorld(t)
		maker := w.person(owner, "Maker")
		w.must(w.grant(adminOf(owner), maker, onTable("orders"), "SELECT | SELECT"))
		w.must(w.makeFilter(maker, filter("m", "id", "")))
		rows := w.listed(adminOf(owner), onFilter("orders", "m"))
		if len(rows) != 1 || short(rows[0]) != "Maker:filter/m:DESCRIBE,DROP,SELECT" {
			t.Errorf("rows %s", pretty(rows))
		}
	})

	holds(t, "9.1.9", "a filter that is deleted, or whose table is, ends its grants, and made again has none", func(t *testing.T) {
		w := filteredWorld(t)
		someone := w.reader(owner, "Someone")
		w.granted(someone, filter("f", "id", ""), "SELECT")
		w.must(w.deleteFilter(adminOf(owner), "f"))
		w.same(w.view(someone), denied)
		w.must(w.makeFilter(adminOf(owner), filter("f", "id", "")))
		w.same(w.view(someone), denied)
		w.refused(w.revoke(adminOf(owner), someone, onFilter("orders", "f"), "SELECT"), invalidInput)
		w.must2(w.glue(adminOf(owner)).DeleteTable(w.ctx, &glue.DeleteTableInput{DatabaseName: aws.String("sales"), Name: aws.String("orders")}))
		w.table(owner, "sales", "orders")
		w.same(w.listFilters(adminOf(owner)), "")
	})

	holds(t, "9.1.10", "nested columns are named by their parts, each in double quotes, five levels deep at most", func(t *testing.T) {
		w := filteredWorld(t)
		w.retype("price", `struct<net:double,tax:struct<rate:int,a:struct<b:struct<c:struct<d:int>>>>,list:array<struct<x:int>>>`)
		for i, tt := range []struct{ columns, want string }{
			{`"price"."net"`, `"price"."net" day`},
			{`"Price"."TAX"."rate" "price"."net"`, `"price"."net" "price"."tax"."rate" day`},
			{`"price"."tax" "price"."tax"."rate"`, `"price"."tax" day`},
			{`price "price"."net"`, `price day`},
			{`-"price"."tax"`, `id customer "price"."net" "price"."list" day`},
			{`"price"."tax"."a"."b"."c"`, `"price"."tax"."a"."b"."c" day`},
		} {
			role := w.reader(owner, "Reader"+string(rune('A'+i)))
			w.granted(role, filter(fmt.Sprint("f", i), tt.columns, ""), "SELECT")
			w.same(w.view(role), tt.want)
		}
		for _, columns := range []string{`"price"."none"`, `"price"."list"."x"`, `"none"."net"`, `"price"."tax"."a"."b"."c"."d"`, `"day"."x"`} {
			w.refused(w.makeFilter(adminOf(owner), filter("x", columns, "")), invalidInput)
		}
	})

	holds(t, "9.1.11", "what is excluded is open to new columns and new names, what is included is not", func(t *testing.T) {
		w := filteredWorld(t)
		open, closed, columns := w.reader(owner, "Open"), w.reader(owner, "Closed"), w.reader(owner, "Columns")
		w.granted(open, filter("open", "-customer", ""), "SELECT")
		w.granted(closed, filter("closed", "id customer", ""), "SELECT")
		w.must(w.grant(adminOf(owner), columns, onColumnsBut("orders", "customer"), "SELECT"))
		in := tableInput("sales", "orders")
		in.StorageDescriptor.Columns[1].Name = aws.String("client")
		in.StorageDescriptor.Columns = append(in.StorageDescriptor.Columns, gluetypes.Column{Name: aws.String("note"), Type: aws.String("string")})
		w.must2(w.glue(adminOf(owner)).UpdateTable(w.ctx, &glue.UpdateTableInput{DatabaseName: aws.String("sales"), TableInput: in}))
		w.same(w.view(open), "id client price note day")
		w.same(w.view(columns), "id client price note day")
		w.same(w.view(closed), "id day")
	})
}

func TestGrantsOnDataCellsFilters(t *testing.T) {
	t.Parallel()

	holds(t, "9.2.1", "SELECT on a filter reads what it shows; DESCRIBE and DROP are about the filter alone", func(t *testing.T) {
		w := filteredWorld(t)
		w.must(w.makeFilter(adminOf(owner), filter("f", "id", "")))
		for _, list := range []string{"DESCRIBE", "DROP", "DESCRIBE DROP"} {
			p := w.fresh(owner)
			w.must(w.grant(adminOf(owner), p, onFilter("orders", "f"), list))
			w.refused(w.sees(p, "orders"), denied)
			w.refused(w.drop(p, "orders"), denied)
			w.refused(w.seesDatabase(p, "sales"), denied)
		}
		someone := w.reader(owner, "Someone")
		w.must(w.grant(adminOf(owner), someone, onFilter("orders", "f"), "SELECT"))
		w.must(w.sees(someone, "orders"))
		w.must(w.seesDatabase(someone, "sales"))
		w.same(w.view(someone), "id day")
	})

	holds(t, "9.2.2", "other accounts are granted SELECT, with the grant option, and their principals without", func(t *testing.T) {
		w := filteredWorld(t)
		analyst := w.reader(recipient, "Analyst")
		w.must(w.makeFilter(adminOf(owner), filter("f", "id", "")))
		on := onFilter("orders", "f")
		for _, list := range []string{"DESCRIBE | DESCRIBE", "DROP | DROP", "SELECT DESCRIBE | SELECT", "SELECT"} {
			w.refused(w.grant(adminOf(owner), recipient, on, list), invalidInput)
		}
		for _, list := range []string{"DESCRIBE", "DROP", "SELECT | SELECT"} {
			w.refused(w.grant(adminOf(owner), analyst, on, list), invalidInput)
		}
		w.must(w.grant(adminOf(owner), analyst, on, "SELECT"))
		w.accept(recipient)
		w.same(w.view(analyst), "id day")
		w.must(w.grant(adminOf(owner), recipient, on, "SELECT | SELECT"))
	})

	holds(t, "9.2.3", "a recipient hands on the filter, the whole table or columns, and never DESCRIBE on the filter", func(t *testing.T) {
		w := filteredWorld(t)
		w.must(w.makeFilter(adminOf(owner), filter("hidden", "price", "")))
		w.granted(recipient, filter("f", "id customer", ""), "SELECT | SELECT")
		w.accept(recipient)
		for i, tt := range []struct {
			on   *types.Resource
			want string
		}{
			{onFilter("orders", "f"), "id customer day"}, {onTable("orders"), "id customer day"}, {onColumns("orders", "id", "price"), "id day"},
		} {
			analyst := w.reader(recipient, "Analyst"+string(rune('A'+i)))
			w.must(w.grant(adminOf(recipient), analyst, tt.on, "SELECT"))
			w.same(w.view(analyst), tt.want)
		}
		analyst := w.person(recipient, "Analyst")
		for on, list := range map[*types.Resource]string{
			onFilter("orders", "f"): "DESCRIBE", onFilter("orders", "hidden"): "SELECT", onAllTables(): "SELECT", onTable("items"): "SELECT", onTable("orders"): "DESCRIBE",
		} {
			w.refused(w.grant(adminOf(recipient), analyst, on, list), denied)
		}
		w.refused(w.grant(adminOf(recipient), analyst, onFilter("orders", "f"), "DROP"), denied)
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "DESCRIBE | DESCRIBE"))
		w.refused(w.grant(adminOf(recipient), analyst, onFilter("orders", "f"), "DESCRIBE"), denied)
	})

	holds(t, "9.2.4", "within an account, the option on a filter lets its holder hand on the filter and no more", func(t *testing.T) {
		w := filteredWorld(t)
		holder, friend := w.person(owner, "Holder"), w.reader(owner, "Friend")
		w.must(w.makeFilter(adminOf(owner), filter("wide", "-", "")))
		w.granted(holder, filter("f", "id", "customer = 'a'"), "SELECT | SELECT")
		for _, on := range []*types.Resource{onTable("orders"), onAllTables(), onColumns("orders", "id"), onColumnsBut("orders"), onFilter("orders", "wide")} {
			w.refused(w.grant(holder, friend, on, "SELECT"), denied)
		}
		w.refused(w.grant(holder, friend, onFilter("orders", "f"), "DESCRIBE"), denied)
		w.must(w.grant(holder, friend, onFilter("orders", "f"), "SELECT"))
		w.same(w.view(friend), "id day where customer = 'a'")
		// So it is with what an administrator of a recipient handed on.
		w.granted(recipient, filter("theirs", "id price", ""), "SELECT | SELECT")
		w.accept(recipient)
		w.must(w.makeFilter(adminOf(recipient), filter("own", "id", "")))
		deputy, analyst := w.person(recipient, "Deputy"), w.person(recipient, "Analyst")
		w.must(w.grant(adminOf(recipient), deputy, onFilter("orders", "own"), "SELECT | SELECT"))
		for _, on := range []*types.Resource{onTable("orders"), onColumns("orders", "id"), onFilter("orders", "theirs")} {
			w.refused(w.grant(deputy, analyst, on, "SELECT"), denied)
		}
		w.must(w.grant(deputy, analyst, onFilter("orders", "own"), "SELECT"))
	})

	holds(t, "9.2.5", "columns are listed, and not excluded, in grants to other accounts", func(t *testing.T) {
		w := newWorld(t)
		analyst := w.person(recipient, "Analyst")
		for _, to := range []string{recipient, analyst} {
			w.refused(w.grant(adminOf(owner), to, onColumnsBut("orders", "id"), "SELECT"), invalidInput)
			w.must(w.grant(adminOf(owner), to, onColumns("orders", "id"), "SELECT"))
		}
		w.must(w.grant(adminOf(owner), w.person(owner, "Someone"), onColumnsBut("orders", "id"), "SELECT"))
	})

	holds(t, "9.2.6", "a principal has SELECT on up to 100 filters of a table", func(t *testing.T) {
		w := newWorld(t)
		someone := w.person(owner, "Someone")
		for i := range 101 {
			name := fmt.Sprintf("f%03d", i)
			w.must(w.makeFilter(adminOf(owner), filter(name, "id", "")))
			err := w.grant(adminOf(owner), someone, onFilter("orders", name), "SELECT")
			if i == 100 {
				w.refused(err, invalidInput)
			} else {
				w.must(err)
			}
		}
		w.must(w.grant(adminOf(owner), someone, onFilter("orders", "f007"), "SELECT DESCRIBE | SELECT"))
		w.must(w.grant(adminOf(owner), someone, onFilter("orders", "f100"), "DESCRIBE"))
		w.must(w.revoke(adminOf(owner), someone, onFilter("orders", "f007"), "SELECT"))
		w.must(w.grant(adminOf(owner), someone, onFilter("orders", "f100"), "SELECT"))
	})

	holds(t, "9.2.7", "a change of a filter is a change of all that was granted on it", func(t *testing.T) {
		w := filteredWorld(t)
		analyst := w.reader(recipient, "Analyst")
		w.granted(recipient, filter("f", "id", "customer = 'a'"), "SELECT | SELECT")
		w.accept(recipient)
		w.must(w.grant(adminOf(recipient), analyst, onFilter("orders", "f"), "SELECT"))
		w.must(w.changeFilter(adminOf(owner), filter("f", "price", "")))
		w.same(w.view(analyst), "price day")
	})
}

func TestRowFilterExpressions(t *testing.T) {
	t.Parallel()
	typed := func(t *testing.T, opts ...localmesh.Option) *world {
		w := newWorld(t, opts...)
		for _, c := range [][2]string{{"price", "decimal(10,2)"}, {"n", "int"}, {"big", "bigint"}, {"ok", "boolean"}, {"ratio", "double"}, {"who", "struct<id:int,name:struct<first:string>>"}} {
			w.retype(c[0], c[1])
		}
		return w
	}
	check := func(t *testing.T, w *world, good, bad []string) {
		t.Helper()
		for i, rows := range good {
			if err := w.makeFilter(adminOf(owner), filter(fmt.Sprint("good", i), "-", rows)); err != nil {
				t.Errorf("%s: %v", rows, err)
			}
		}
		for _, rows := range bad {
			err := w.makeFilter(adminOf(owner), filter("bad", "-", rows))
			if err == nil {
				t.Errorf("%s was accepted", rows)
				w.must(w.deleteFilter(adminOf(owner), "bad"))
				continue
			}
			w.refused(err, invalidInput)
		}
	}

	holds(t, "9.3.1", "a condition compares columns with constants, joined with AND, OR, NOT and parentheses", func(t *testing.T) {
		check(t, typed(t), []string{
			"customer = 'a'", "CUSTOMER='it''s'", "n <> 1 and n != 2 or not (n > 3)", "n >= -1", "price < 10.50", "customer between 'Z' and 'U'", "n not in (1, 2)",
			"customer like 'a%' AND customer NOT LIKE '_b'", "customer is null", "customer IS NOT NULL", "ok = true", "((n = 1))", "customer = 'a'\r\n OR n = 1",
		}, []string{
			"customer", "ok", "customer = id", "'a' = customer", "1 = 1", "upper(customer) = 'A'", "n + 1 = 2", "customer = 'a", "(n = 1", "n = 1)", "n = 1 n = 2", "n = 1 AND",
			"n in (select 1)", "n in ()", "none = 1", "n IS 1", "customer == 'a'", "customer = NULL", "customer like customer", "n = 1; drop", "FALSE", "n = 1 OR TRUE",
		})
	})

	holds(t, "9.3.2", "constants are of the column's type", func(t *testing.T) {
		check(t, typed(t), []string{"n = 1", "big in (1, 2)", "price = 1", "ratio between 0.5 and 1", "ok <> FALSE"},
			[]string{"n = '1'", "n = 1.5", "customer = 1", "ok = 'true'", "ok = 1", "ratio = 'x'", "customer = true", "n like '1%'", `customer = "a"`})
	})

	holds(t, "9.3.3", "only some types can be compared", func(t *testing.T) {
		w := typed(t)
		for i, typ := range []string{"date", "timestamp", "binary", "array<int>", "map<string,int>", "smallint", "tinyint"} {
			column := fmt.Sprint("odd", i)
			w.retype(column, typ)
			check(t, w, nil, []string{column + " = '1'", column + " = 1", column + " is null"})
		}
		check(t, w, []string{"n = 1"}, nil)
		// Columns of any type are shown or hidden.
		w.must(w.makeFilter(adminOf(owner), filter("columns", "odd0 odd3", "")))
	})

	holds(t, "9.3.4", "partition keys can be compared, and are never asked for NULL", func(t *testing.T) {
		check(t, typed(t), []string{`"day" = 'mon'`, `"day" in ('mon', 'tue')`}, []string{`"day" is null`, `"day" is not null`, `"day"."x" = 'mon'`})
	})

	holds(t, "9.3.5", "fields of structs are named with dots", func(t *testing.T) {
		check(t, typed(t), []string{"who.id <> 1", `who.name."first" = 'a'`, "who is not null", "WHO.Id = 1"}, []string{"who = 1", "who.none = 1", "who.id = 'a'", "n.id = 1", "who. = 1"})
	})

	holds(t, "9.3.6", "keywords are names in double quotes only", func(t *testing.T) {
		w := typed(t)
		for _, column := range []string{"first", "asc", "missing", "value", "order"} {
			w.retype(column, "string")
			check(t, w, nil, []string{column + " = 'a'", strings.ToUpper(column) + " = 'a'"})
			w.must(w.makeFilter(adminOf(owner), filter(column, "-", `"`+column+`" = 'a'`)))
		}
		// The examples of Lake Formation's guide have these without quotes.
		for _, column := range []string{"year", "month"} {
			w.retype(column, "int")
			w.must(w.makeFilter(adminOf(owner), filter(column, "-", column+" >= 7")))
		}
	})

	holds(t, "9.3.7", "it has less than 2048 characters", func(t *testing.T) {
		long := func(n int) string { return "customer = '" + strings.Repeat("é", n-len("customer = ''")) + "'" }
		check(t, typed(t), []string{long(2047)}, []string{long(2048), "customer = 'a\x01'"})
	})

	holds(t, "9.3.8", "a table with a column that is named as an engine's own has no row filters", func(t *testing.T) {
		w := newWorld(t)
		w.retype("xmin", "string")
		check(t, w, nil, []string{"customer = 'a'"})
		w.must(w.makeFilter(adminOf(owner), filter("columns", "id", "")))
	})

	holds(t, "8.19", "a column of another type is in the way of the expression that names it, or of any", func(t *testing.T) {
		for strict, r := range map[bool]localmesh.Readings{false: {}, true: {RowFiltersNeedPlainTables: true}} {
			w := typed(t, localmesh.WithReadings(r))
			w.retype("made", "timestamp")
			if err := w.makeFilter(adminOf(owner), filter("f", "-", "n = 1")); strict {
				w.refused(err, invalidInput)
			} else {
				w.must(err)
			}
			w.must(w.makeFilter(adminOf(owner), filter("columns", "n", "")))
		}
	})
}

func TestReadingsOfFilters(t *testing.T) {
	t.Parallel()

	holds(t, "8.20", "a filter that is granted is deleted with its grants, or stays", func(t *testing.T) {
		w := newWorld(t, localmesh.WithReadings(localmesh.Readings{GrantedFiltersStay: true}))
		someone := w.person(owner, "Someone")
		w.granted(someone, filter("f", "id", ""), "SELECT")
		w.refused(w.deleteFilter(adminOf(owner), "f"), invalidInput)
		w.must(w.sees(someone, "orders"))
		w.must(w.revoke(adminOf(owner), someone, onFilter("orders", "f"), "SELECT"))
		w.must(w.deleteFilter(adminOf(owner), "f"))
	})

	holds(t, "8.21", "an engine that enforces nested permissions enforces the simpler ones, or has to say so", func(t *testing.T) {
		for _, r := range []localmesh.Readings{{}, {PermissionTypesSingly: true}} {
			w := filteredWorld(t, localmesh.WithReadings(r))
			someone := w.reader(owner, "Someone")
			w.granted(someone, filter("f", "id", ""), "SELECT")
			cfg := w.engine(someone, "engine")
			for _, kind := range gluetypes.PermissionType("").Values() {
				_, err := w.unfiltered(cfg, owner, "sales", "orders", kind)
				if r.PermissionTypesSingly && kind != gluetypes.PermissionTypeColumnPermission {
					w.refused(err, "PermissionTypeMismatchException")
				} else {
					w.must(err)
				}
			}
			w.same(w.view(someone), "id day")
		}
	})

	holds(t, "8.22", "SELECT on a list of columns has no grant option, or is handed on as far as it goes", func(t *testing.T) {
		usual := newWorld(t)
		usual.refused(usual.grant(adminOf(owner), usual.person(owner, "Someone"), onColumns("orders", "id"), "SELECT | SELECT"), invalidInput)
		w := filteredWorld(t, localmesh.WithReadings(localmesh.Readings{ColumnsHandedOn: true}))
		someone, friend := w.person(owner, "Someone"), w.reader(owner, "Friend")
		w.refused(w.grant(adminOf(owner), someone, onColumnsBut("orders", "id"), "SELECT | SELECT"), invalidInput)
		w.must(w.grant(adminOf(owner), someone, onColumns("orders", "id", "price"), "SELECT | SELECT"))
		for _, on := range []*types.Resource{onTable("orders"), onColumns("orders", "id", "customer"), onColumnsBut("orders", "customer")} {
			w.refused(w.grant(someone, friend, on, "SELECT"), denied)
		}
		w.must(w.grant(someone, friend, onColumns("orders", "id"), "SELECT"))
		w.same(w.view(friend), "id day")
		analyst := w.reader(recipient, "Analyst")
		w.must(w.grant(adminOf(owner), recipient, onColumns("orders", "id"), "SELECT | SELECT"))
		w.accept(recipient)
		w.must(w.grant(adminOf(recipient), analyst, onTable("orders"), "SELECT"))
		w.same(w.view(analyst), "id day")
	})
}

func TestPagesOfFilters(t *testing.T) {
	t.Parallel()
	holds(t, "9.1.7", "they are listed in pages of 1 to 1000, of one table, of a database's, or of the catalog's", func(t *testing.T) {
		w := newWorld(t)
		for _, name := range []string{"a", "b", "c"} {
			w.must(w.makeFilter(adminOf(owner), filter(name, "id", "")))
		}
		w.cellFilter("items", "d")
		list := func(on *types.TableResource) string {
			names := ""
			pages := lakeformation.NewListDataCellsFilterPaginator(w.lake(adminOf(owner)), &lakeformation.ListDataCellsFilterInput{Table: on, MaxResults: aws.Int32(2)})
			for pages.HasMorePages() {
				page, err := pages.NextPage(w.ctx)
				w.must(err)
				for _, f := range page.DataCellsFilters {
					names += *f.Name
				}
			}
			return names
		}
		w.same(list(onTable("orders").Table), "abc")
		w.same(list(onAllTables().Table), "dabc")
		w.same(list(nil), "dabc")
		for _, size := range []int32{0, 1001} {
			_, err := w.lake(adminOf(owner)).ListDataCellsFilter(w.ctx, &lakeformation.ListDataCellsFilterInput{MaxResults: &size})
			w.refused(err, invalidInput)
		}
	})
}
