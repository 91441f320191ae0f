package access

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind is the kind of what Lake Formation grants on.
type Kind string

// The kinds of what Lake Formation grants on.
const (
	KindDatabase        Kind = "database"
	KindTable           Kind = "table"
	KindAllTables       Kind = "all tables"
	KindColumns         Kind = "columns"
	KindFilter          Kind = "filter"
	KindTaggedTables    Kind = "tagged tables"
	KindTaggedDatabases Kind = "tagged databases"
	KindLink            Kind = "link"
	// KindUnknown is what was found and is none of these. Nothing is granted on it, and
	// who may read by it is taken for somebody who may read.
	KindUnknown Kind = "unknown"
)

// Object is what a grant is on. Objects can be compared, and two are the same only if
// they are of one kind: a table of any name is never all tables. Make them by the
// functions whose names begin with On.
type Object struct {
	// Kind tells which of the other fields count.
	Kind Kind
	// Account owns the Data Catalog.
	Account string
	// Database and Table are names as Glue keeps them: in lower case.
	Database, Table string
	// Part is the name of a filter, or columns or tags in one form; see [Object.Columns]
	// and [Object.Tags].
	Part string
}

// OnDatabase is a database.
func OnDatabase(account, database string) Object {
	return Object{Kind: KindDatabase, Account: account, Database: fold(database)}
}

// OnTable is one table.
func OnTable(account, database, table string) Object {
	return Object{Kind: KindTable, Account: account, Database: fold(database), Table: fold(table)}
}

// OnAllTables are all tables of a database, those that will be made among them.
func OnAllTables(account, database string) Object {
	return Object{Kind: KindAllTables, Account: account, Database: fold(database)}
}

// OnColumns are some columns of a table; their order does not matter.
func OnColumns(account, database, table string, columns ...string) Object {
	return Object{Kind: KindColumns, Account: account, Database: fold(database), Table: fold(table), Part: written(folded(columns))}
}

// OnFilter is a data cells filter of a table. Lake Formation keeps its name as it is.
func OnFilter(account, database, table, name string) Object {
	return Object{Kind: KindFilter, Account: account, Database: fold(database), Table: fold(table), Part: name}
}

// OnTaggedTables are all tables of a catalog, or their columns, that carry the tags.
func OnTaggedTables(account string, tags Tags) Object {
	return Object{Kind: KindTaggedTables, Account: account, Part: written(tags.folded())}
}

// OnTaggedDatabases are all databases of a catalog that carry the tags.
func OnTaggedDatabases(account string, tags Tags) Object {
	return Object{Kind: KindTaggedDatabases, Account: account, Part: written(tags.folded())}
}

// OnLink is a resource link: to a table, or without one to a database.
func OnLink(account, database, table string) Object {
	return Object{Kind: KindLink, Account: account, Database: fold(database), Table: fold(table)}
}

// Columns are the columns of an object of that kind, in order.
func (o Object) Columns() []string {
	var columns []string
	if o.Kind == KindColumns && json.Unmarshal([]byte(o.Part), &columns) != nil {
		return nil
	}
	return columns
}

// Tags are the tags of an object that is granted by tags; ok is false if it is not, or
// if they cannot be read.
func (o Object) Tags() (_ Tags, ok bool) {
	if o.Kind != KindTaggedTables && o.Kind != KindTaggedDatabases {
		return nil, false
	}
	var tags Tags
	err := json.Unmarshal([]byte(o.Part), &tags)
	return tags, err == nil && len(tags) > 0
}

// String names the object.
func (o Object) String() string {
	switch o.Kind {
	case KindDatabase:
		return "database " + o.Database
	case KindTable:
		return fmt.Sprintf("table %s.%s", o.Database, o.Table)
	case KindAllTables:
		return "all tables of database " + o.Database
	case KindColumns:
		return fmt.Sprintf("columns %s of table %s.%s", strings.Join(o.Columns(), ", "), o.Database, o.Table)
	case KindFilter:
		return fmt.Sprintf("filter %s of table %s.%s", o.Part, o.Database, o.Table)
	case KindTaggedTables, KindTaggedDatabases:
		tags, _ := o.Tags()
		return fmt.Sprintf("%s %s", o.Kind, tags)
	case KindLink:
		if o.Table == "" {
			return "resource link " + o.Database
		}
		return fmt.Sprintf("resource link %s.%s", o.Database, o.Table)
	}
	return fmt.Sprintf("%s %s %s %s", o.Kind, o.Database, o.Table, o.Part)
}

// Tags is an expression on LF-tags: each key with the values of which one is asked for.
// All keys have to match. The value "*" stands for any, as in Lake Formation.
type Tags map[string][]string

// AnyValue stands for any value of a key. No value can be called so: of LF-tags' values
// it is reserved.
const AnyValue = "*"

// Match reports whether what carries these tags matches the expression. No expression
// matches nothing.
func (t Tags) Match(carried map[string]string) bool {
	for key, values := range t.folded() {
		value, ok := carried[key]
		if !ok || !slices.Contains(values, fold(value)) && !slices.Contains(values, AnyValue) {
			return false
		}
	}
	return len(t) > 0
}

// String writes the expression.
func (t Tags) String() string {
	var terms []string
	for _, key := range slices.Sorted(maps.Keys(t)) {
		terms = append(terms, key+"="+strings.Join(t[key], ","))
	}
	return strings.Join(terms, " and ")
}

// folded is the expression in its one form: Lake Formation keeps tags in lower case.
func (t Tags) folded() Tags {
	one := Tags{}
	for key, values := range t {
		one[fold(key)] = folded(append(slices.Clone(one[fold(key)]), values...))
	}
	return one
}

func fold(name string) string { return strings.ToLower(name) }

// folded are names without repetition, in order and in lower case.
func folded(names []string) []string {
	one := make([]string, len(names))
	for i, n := range names {
		one[i] = fold(n)
	}
	slices.Sort(one)
	return slices.Compact(one)
}

// written is a list or an expression in one form, which no name can be mistaken in.
func written(v any) string {
	// Strings, lists and maps of them can always be written.
	text, _ := json.Marshal(v)
	return string(text)
}
