package access_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
)

var (
	selects   = lakemesh.NewPermissions(lakemesh.Select)
	describes = lakemesh.NewPermissions(lakemesh.Describe)
	all       = lakemesh.NewPermissions(lakemesh.All)
)

func terms(scope access.Scope, set lakemesh.Permissions) access.Terms {
	if scope.Account == "" {
		scope.Account = mesh
	}
	return access.Terms{ID: "s", Owner: owner, Scope: scope, Grantees: []access.Grantee{reader}, Permissions: set}
}

func TestWhatAScopeGrantsOn(t *testing.T) {
	t.Parallel()
	sales := access.OnDatabase(mesh, "sales")
	for name, c := range map[string]struct {
		scope access.Scope
		set   lakemesh.Permissions
		on    []access.Object
	}{
		"nothing said":               {access.Scope{}, all, nil},
		"a database alone":           {access.Scope{Database: "sales"}, all, nil},
		"columns alone":              {access.Scope{Database: "sales", Columns: []string{"id"}}, selects, nil},
		"tables":                     {access.Scope{Database: "Sales", Tables: []string{"Orders", "orders"}}, selects, []access.Object{sales, access.OnTable(mesh, "sales", "orders")}},
		"a table that is not there":  {access.Scope{Database: "sales", Tables: []string{"gone"}}, selects, []access.Object{sales}},
		"all tables, one by one":     {access.Scope{Database: "sales", AllTables: true}, selects, []access.Object{sales, access.OnTable(mesh, "sales", "all_tables"), access.OnTable(mesh, "sales", "items"), access.OnTable(mesh, "sales", "orders")}},
		"all tables at once":         {access.Scope{Database: "whole", AllTables: true}, selects, []access.Object{access.OnDatabase(mesh, "whole"), access.OnAllTables(mesh, "whole")}},
		"columns":                    {access.Scope{Database: "sales", Tables: []string{"orders"}, Columns: []string{"ID", "name"}}, selects.Union(describes), []access.Object{sales, access.OnFilter(mesh, "sales", "orders", access.FilterName(access.Scope{Columns: []string{"name", "id"}}))}},
		"all columns but some":       {access.Scope{Database: "sales", Tables: []string{"orders"}, ExceptColumns: []string{"age"}}, selects, []access.Object{sales, access.OnFilter(mesh, "sales", "orders", access.FilterName(access.Scope{ExceptColumns: []string{"age"}}))}},
		"but a column that is gone":  {access.Scope{Database: "sales", Tables: []string{"orders"}, ExceptColumns: []string{"salary"}}, selects, []access.Object{sales, access.OnFilter(mesh, "sales", "orders", access.FilterName(access.Scope{ExceptColumns: []string{"salary"}}))}},
		"but every column":           {access.Scope{Database: "sales", Tables: []string{"orders"}, ExceptColumns: []string{"id", "name", "age"}}, selects, []access.Object{sales, access.OnFilter(mesh, "sales", "orders", access.FilterName(access.Scope{ExceptColumns: []string{"id", "name", "age"}}))}},
		"only columns that are gone": {access.Scope{Database: "sales", Tables: []string{"orders"}, Columns: []string{"salary"}}, selects, []access.Object{sales, access.OnFilter(mesh, "sales", "orders", access.FilterName(access.Scope{Columns: []string{"salary"}}))}},
		"rows":                       {access.Scope{Database: "sales", Tables: []string{"orders"}, Rows: "id > 1"}, selects, []access.Object{sales, access.OnFilter(mesh, "sales", "orders", access.FilterName(access.Scope{Rows: "id > 1"}))}},
		"tags": {access.Scope{Tags: access.Tags{"Level": {"open"}}}, selects, []access.Object{
			access.OnTaggedTables(mesh, access.Tags{"level": {"OPEN"}}), sales, access.OnDatabase(mesh, "whole")}},
		"tags of no table": {access.Scope{Tags: access.Tags{"level": {"closed"}}}, selects, []access.Object{access.OnTaggedTables(mesh, access.Tags{"level": {"closed"}})}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := want(t, []access.Terms{terms(c.scope, c.set)}, start)
			var on []access.Object
			for _, k := range w.Grants.Keys() {
				on = append(on, k.Object)
			}
			slices.SortFunc(c.on, func(a, b access.Object) int { return access.Compare(access.Key{Object: a}, access.Key{Object: b}) })
			if !slices.Equal(on, c.on) {
				t.Errorf("grants on %v, want %v", on, c.on)
			}
			for object := range w.Filters {
				if slices.ContainsFunc(w.Unmet, func(u access.Unmet) bool { return u.Stays }) {
					t.Errorf("%s is to show something, and what cannot be told: %v", object, w.Unmet)
				}
			}
		})
	}
}

func TestContradictionsAreRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*access.Terms){
		"no id":                     func(t *access.Terms) { t.ID = "" },
		"no catalog":                func(t *access.Terms) { t.Scope.Account = "" },
		"all tables and some":       func(t *access.Terms) { t.Scope.AllTables = true },
		"tables and tags":           func(t *access.Terms) { t.Scope.Tags = access.Tags{"a": {"b"}} },
		"no database":               func(t *access.Terms) { t.Scope.Database = "" },
		"columns of all tables":     func(t *access.Terms) { t.Scope.Tables, t.Scope.AllTables, t.Scope.Columns = nil, true, []string{"id"} },
		"these columns, and others": func(t *access.Terms) { t.Scope.Columns, t.Scope.ExceptColumns = []string{"id"}, []string{"age"} },
		"writing to some columns": func(t *access.Terms) {
			t.Scope.Columns, t.Permissions = []string{"id"}, lakemesh.NewPermissions(lakemesh.Select, lakemesh.Insert)
		},
		"describing some columns":   func(t *access.Terms) { t.Scope.Columns, t.Permissions = []string{"id"}, describes },
		"everything on some rows":   func(t *access.Terms) { t.Scope.Rows, t.Permissions = "id > 1", all },
		"handing on what is not":    func(t *access.Terms) { t.Grantable = describes },
		"a role that hands on":      func(t *access.Terms) { t.Grantees, t.Grantable = []access.Grantee{role}, selects },
		"everybody":                 func(t *access.Terms) { t.Grantees = []access.Grantee{"*"} },
		"everybody whom IAM allows": func(t *access.Terms) { t.Grantees = []access.Grantee{access.AllowedByIAM} },
		"a role by a pattern": func(t *access.Terms) {
			t.Grantees = []access.Grantee{"arn:aws:iam::*:role/x"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := terms(access.Scope{Database: "sales", Tables: []string{"orders"}}, selects)
			change(&bad)
			good := terms(access.Scope{Database: "sales", Tables: []string{"items"}}, selects)
			good.ID = "good"
			if w, err := access.Want([]access.Terms{good, bad}, shop(), start); !errors.Is(err, lakemesh.ErrInvalidInput) || len(w.Grants) > 0 {
				t.Errorf("wanted %v, error %v", w.Grants, err)
			}
		})
	}
}

// A lake can have tables with the names that AWS uses for all tables.
func TestNoNameIsASentinel(t *testing.T) {
	t.Parallel()
	everything := access.OnAllTables(mesh, "sales")
	for _, name := range []string{"*", "ALL_TABLES", "all_tables", ""} {
		if access.OnTable(mesh, "sales", name) == everything {
			t.Errorf("a table %q is all tables", name)
		}
	}
	if access.OnColumns(mesh, "sales", "orders", "a,b") == access.OnColumns(mesh, "sales", "orders", "a", "b") {
		t.Error("a column with a comma in its name is two columns")
	}
	if access.OnTaggedTables(mesh, access.Tags{"a": {"b,c"}}) == access.OnTaggedTables(mesh, access.Tags{"a": {"b", "c"}}) {
		t.Error("a value with a comma is two values")
	}
	catalog := shop()
	catalog.Databases["sales"].Tables["*"] = access.Table{Places: []access.Place{{Bucket: "lake", Prefix: "star/"}}}
	w, err := access.Want([]access.Terms{terms(access.Scope{Database: "sales", AllTables: true}, selects)}, catalog, start)
	if err != nil {
		t.Fatal(err)
	}
	for k := range w.Grants {
		if k.Object.Table == "*" || k.Object.Kind == access.KindAllTables {
			t.Errorf("grants on %v", k.Object)
		}
	}
	if len(w.Unmet) != 1 || w.Unmet[0].Object.Table != "*" {
		t.Errorf("unmet is %v", w.Unmet)
	}
	named := terms(access.Scope{Database: "sales", Tables: []string{"*"}}, selects)
	if w, err := access.Want([]access.Terms{named}, catalog, start); err != nil || len(w.Grants) != 1 || len(w.Unmet) != 1 {
		t.Errorf("named, it grants %v, unmet %v, %v", w.Grants, w.Unmet, err)
	}
	// A grant on a table of that name opens no other table.
	hand := access.Grants{{Grantee: reader, Object: access.OnTable(mesh, "sales", "*")}: {Permissions: selects}}
	o := access.Prefixes(access.Wanted{}, hand, catalog, []access.Location{{Place: access.Place{Bucket: "lake"}, Role: "r"}})
	if got, want := o.Open, (map[access.Door][]access.Place{{Bucket: "lake", Role: "r"}: {{Bucket: "lake", Prefix: "star/"}}}); !reflect.DeepEqual(got, want) {
		t.Errorf("open is %v, want %v", got, want)
	}
}

func TestTermsEnd(t *testing.T) {
	t.Parallel()
	s := terms(access.Scope{Database: "sales", Tables: []string{"orders"}}, selects)
	s.Until = start
	for moment, n := range map[time.Duration]int{-time.Nanosecond: 2, 0: 0, time.Hour: 0} {
		if w := want(t, []access.Terms{s}, start.Add(moment)); len(w.Grants) != n {
			t.Errorf("%s from the end it grants %v", moment, w.Grants)
		}
	}
}

// Who holds ALL is listed with each single permission as well, or is not.
func TestAllCoversEachPermission(t *testing.T) {
	t.Parallel()
	k := access.Key{Grantee: reader, Object: access.OnTable(mesh, "sales", "orders")}
	of := func(set lakemesh.Permissions) access.Grants { return access.Grants{k: {Permissions: set}} }
	listed := lakemesh.NewPermissions(lakemesh.TablePermissions()...)
	for name, c := range map[string]struct {
		made, wanted, there, grant, revoke, foreign lakemesh.Permissions
	}{
		"held with all others":               {all, all, listed, nil, nil, nil},
		"one wanted, and all held by hand":   {nil, selects, listed, nil, nil, listed.Minus(selects)},
		"one wanted, and ALL held":           {nil, selects, all, nil, nil, all},
		"narrowed":                           {all, selects, all, selects, all, nil},
		"narrowed, with the others listed":   {all, selects, listed, selects, all, nil},
		"ended beside one that was by hand":  {all, nil, all.Union(selects), nil, all, nil},
		"a single one ends under ALL":        {all.Union(selects), all, all.Union(selects), nil, selects, nil},
		"ended, and taken away by hand":      {selects, nil, nil, nil, nil, nil},
		"taken away by hand, and wanted":     {selects, selects, nil, selects, nil, nil},
		"wanted, and by hand there was more": {nil, selects, selects.Union(describes), nil, nil, describes},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := access.Diff(of(c.made), of(c.wanted), of(c.there))
			if !d.Grant[k].Permissions.Equal(c.grant) || !d.Revoke[k].Permissions.Equal(c.revoke) || !d.Foreign[k].Permissions.Equal(c.foreign) {
				t.Errorf("grants %v, revokes %v, foreign %v", d.Grant[k], d.Revoke[k], d.Foreign[k])
			}
		})
	}
}

// The grant option goes, and the permission that somebody had granted by hand stays.
func TestAGrantOptionGoesAlone(t *testing.T) {
	t.Parallel()
	k := access.Key{Grantee: reader, Object: access.OnTable(mesh, "sales", "orders")}
	there := access.Grants{k: {Permissions: selects}}
	begun := access.Diff(nil, access.Grants{k: {Permissions: selects, Grantable: selects}}, there)
	if got := begun.Made[k]; len(got.Permissions) > 0 || !got.Grantable.Equal(selects) {
		t.Errorf("made %v, want the grant option alone", got)
	}
	ended := access.Diff(begun.Made, nil, begun.After)
	if !ended.After.Equal(there) || len(ended.Made) > 0 {
		t.Errorf("after the end there is %v, made %v", ended.After, ended.Made)
	}
}

func TestWhatWasFoundIsWantedAndNotOurs(t *testing.T) {
	t.Parallel()
	k := access.Key{Grantee: reader, Object: access.OnTable(mesh, "sales", "orders")}
	there := access.Grants{k: {Permissions: selects.Union(describes).Union(lakemesh.NewPermissions(lakemesh.Insert)), Grantable: describes}}
	wanted := access.Grants{k: {Permissions: selects.Union(describes), Grantable: selects}}
	d := access.Diff(access.Grants{k: {Permissions: selects}}, wanted, there)
	if found, foreign := d.Found[k], d.Foreign[k]; !found.Equal(access.Held{Permissions: describes}) ||
		!foreign.Equal(access.Held{Permissions: lakemesh.NewPermissions(lakemesh.Insert), Grantable: describes}) {
		t.Errorf("found %v, foreign %v", found, foreign)
	}
}

func TestPrefixes(t *testing.T) {
	t.Parallel()
	at := func(prefix string) access.Place { return access.Place{Bucket: "lake", Prefix: prefix} }
	database := func(tables map[string]access.Table) access.Catalog {
		return access.Catalog{Account: mesh, Owner: owner, Databases: map[string]access.Database{"sales": {Tables: tables}}}
	}
	whole := []access.Location{{Place: at(""), Role: "r"}}
	table := func(name string) access.Object { return access.OnTable(mesh, "sales", name) }
	tags := access.OnTaggedTables(mesh, access.Tags{"level": {"open"}})
	unknown := tags
	unknown.Part = "a saved expression"
	carries := map[string]string{"level": "open"}
	one := func(prefix string, tags map[string]string) access.Catalog {
		return database(map[string]access.Table{"orders": {Places: []access.Place{at(prefix)}, Tags: tags}})
	}
	nested := database(map[string]access.Table{"outer": {Places: []access.Place{at("data/")}}, "inner": {Places: []access.Place{at("data/inner/")}}})
	for name, c := range map[string]struct {
		catalog    access.Catalog
		locations  []access.Location
		reader     access.Grantee
		on         access.Object
		set        lakemesh.Permissions
		open, keep []access.Place
		role       string
		lost       int
	}{
		"the outer of two":             {nested, whole, reader, table("outer"), selects, []access.Place{at("data/")}, nil, "r", 0},
		"the inner of two":             {nested, whole, reader, table("inner"), selects, []access.Place{at("data/inner/")}, nil, "r", 0},
		"columns":                      {one("o/", nil), whole, reader, access.OnColumns(mesh, "sales", "orders", "id"), selects, []access.Place{at("o/")}, nil, "r", 0},
		"a filter":                     {one("o/", nil), whole, reader, access.OnFilter(mesh, "sales", "orders", "f"), selects, []access.Place{at("o/")}, nil, "r", 0},
		"all tables":                   {one("o/", nil), whole, reader, access.OnAllTables(mesh, "sales"), selects, []access.Place{at("o/")}, nil, "r", 0},
		"tags that match":              {one("o/", carries), whole, reader, tags, selects, []access.Place{at("o/")}, nil, "r", 0},
		"tags that do not match":       {one("o/", map[string]string{"level": "secret"}), whole, reader, tags, selects, nil, nil, "r", 0},
		"tags that are not known":      {one("o/", nil), whole, reader, tags, selects, nil, []access.Place{at("o/")}, "r", 0},
		"an expression not known":      {one("o/", carries), whole, reader, unknown, selects, nil, []access.Place{at("o/")}, "r", 0},
		"a grant of an unknown kind":   {one("o/", carries), whole, reader, access.Object{Kind: access.KindUnknown, Account: mesh}, selects, nil, []access.Place{at("o/")}, "r", 0},
		"unknown, of the table":        {one("o/", nil), whole, reader, access.Object{Kind: access.KindUnknown, Account: mesh, Database: "sales", Table: "orders"}, selects, []access.Place{at("o/")}, nil, "r", 0},
		"writing":                      {one("o/", nil), whole, reader, table("orders"), lakemesh.NewPermissions(lakemesh.Insert), []access.Place{at("o/")}, nil, "r", 0},
		"describing":                   {one("o/", nil), whole, reader, table("orders"), describes, nil, nil, "r", 0},
		"the owner":                    {one("o/", nil), whole, owner, table("orders"), selects, nil, nil, "r", 0},
		"a role of the mesh":           {one("o/", nil), whole, "arn:aws:iam::" + mesh + ":role/x", table("orders"), selects, nil, nil, "r", 0},
		"whom IAM allows":              {one("o/", nil), whole, access.AllowedByIAM, table("orders"), selects, nil, nil, "r", 0},
		"a role of another account":    {one("o/", nil), whole, role, table("orders"), selects, []access.Place{at("o/")}, nil, "r", 0},
		"the mesh's own organization":  {one("o/", nil), whole, "arn:aws:organizations::" + mesh + ":organization/o-abcdefghij", table("orders"), selects, []access.Place{at("o/")}, nil, "r", 0},
		"everybody of another account": {one("o/", nil), whole, "333333333333:IAMPrincipals", table("orders"), selects, []access.Place{at("o/")}, nil, "r", 0},
		"another catalog's table":      {one("o/", nil), whole, reader, access.OnTable("999999999999", "sales", "orders"), selects, nil, nil, "r", 0},
		"a slash at the beginning":     {one("/raw/", nil), whole, reader, table("orders"), selects, []access.Place{at("/raw/")}, nil, "r", 0},
		"slashes as they are":          {one("/", nil), whole, reader, table("orders"), selects, []access.Place{at("/")}, nil, "r", 0},
		"a file": {one("o/one.csv", nil), []access.Location{{Place: at("o/one.csv"), Role: "r"}}, reader, table("orders"), selects,
			[]access.Place{at("o/one.csv")}, nil, "r", 0},
		"the nearest of its locations": {one("a/b/c/", nil), []access.Location{{Place: at("a/b"), Role: "near"}, {Place: at(""), Role: "far"}, {Place: at("a/b/c/d"), Role: "below"}},
			reader, table("orders"), selects, []access.Place{at("a/b/c/")}, nil, "near", 0},
		"a location that begins alike": {one("orders2/", nil), []access.Location{{Place: at("orders"), Role: "r"}}, reader, table("orders"), selects, nil, nil, "r", 1},
		"a slash is no whole bucket":   {one("", nil), []access.Location{{Place: at("/"), Role: "r"}}, reader, table("orders"), selects, nil, nil, "r", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			observed := access.Grants{{Grantee: c.reader, Object: c.on}: {Permissions: c.set}}
			o := access.Prefixes(access.Wanted{}, observed, c.catalog, c.locations)
			door := access.Door{Bucket: "lake", Role: c.role}
			if !slices.Equal(o.Open[door], c.open) || !slices.Equal(o.Keep[door], c.keep) || len(o.Unregistered) != c.lost {
				t.Errorf("open %v, kept %v, not registered %v", o.Open, o.Keep, o.Unregistered)
			}
		})
	}
}
