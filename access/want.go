package access

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lakemesh/lakemesh"
)

// Wanted is what shall be there, of the terms that it was computed from.
type Wanted struct {
	// Grants are what everybody shall hold.
	Grants Grants
	// Why are the subscriptions that justify each grant, in order.
	Why map[Key][]Reason
	// Filters are the data cells filters that grants are on.
	Filters map[Object]Filter
	// Unmet is what terms say and the catalog cannot give.
	Unmet []Unmet
}

// Reason is a subscription and what it justifies.
type Reason struct {
	ID   string
	Held Held
}

// Filter is the definition of a data cells filter: these columns of the rows that meet
// the condition. No columns are all of them, no condition is all rows.
type Filter struct {
	Columns []string
	// Except are columns that are left out of all of them. Lakemesh makes no such filter.
	Except []string
	Rows   string
}

// LongestListed is how many characters the name of a column has at most that a filter lists
// (https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_DataCellsFilter.html).
const LongestListed = 255

// Listable reports whether a column can be named in a filter's list. One that is named as a field
// of a struct is, "a"."b", would be taken for that field
// (https://docs.aws.amazon.com/lake-formation/latest/dg/data-filtering-notes.html).
func Listable(column string) bool {
	field := len(column) > 1 && strings.HasPrefix(column, `"`) && strings.HasSuffix(column, `"`) && strings.Contains(column, `"."`)
	return !field && utf8.RuneCountInString(column) <= LongestListed
}

// Equal reports whether two filters show the same. Case does not count in names of columns.
func (f Filter) Equal(o Filter) bool {
	return slices.EqualFunc(f.Columns, o.Columns, strings.EqualFold) && slices.EqualFunc(f.Except, o.Except, strings.EqualFold) && f.Rows == o.Rows
}

// Unmet is what a subscription says and cannot get.
type Unmet struct {
	// ID is the subscription, Object what it is about, Message why.
	ID      string
	Object  Object
	Message string
	// Stays tells of a part of a table that what carries it cannot be computed: a filter that is
	// there stays as it is, and none is made.
	Stays bool
}

// FilterPrefix is how the names of all filters begin that carry subscriptions.
const FilterPrefix = "lakemesh-"

// FilterName is the name of the filter that carries a scope on each of its tables. It is made
// of what is said of columns and rows: subscriptions that say the same share a filter, and
// the name stays when the columns of a table change.
func FilterName(s Scope) string {
	h := sha256.New()
	for _, list := range [][]string{folded(s.Columns), folded(s.ExceptColumns), {s.Rows}} {
		// A hash takes every byte. The number and the lengths tell two lists apart.
		_, _ = fmt.Fprintf(h, "%d;", len(list))
		for _, text := range list {
			_, _ = fmt.Fprintf(h, "%d:%s", len(text), text)
		}
	}
	return FilterPrefix + hex.EncodeToString(h.Sum(nil))[:32]
}

// Want computes what the terms justify together. Their order does not matter, and
// whoever is named twice holds the union. It fails if any of them contradict themselves;
// see [Terms.Check].
func Want(terms []Terms, catalog Catalog, now time.Time) (Wanted, error) {
	w := Wanted{Grants: Grants{}, Why: map[Key][]Reason{}, Filters: map[Object]Filter{}}
	for _, t := range terms {
		if err := t.Check(); err != nil {
			return Wanted{}, err
		}
		if t.grantsNothing() || t.Ended(now) {
			continue
		}
		w.add(t, catalog)
	}
	for k, reasons := range w.Why {
		slices.SortFunc(reasons, func(a, b Reason) int { return cmp.Compare(a.ID, b.ID) })
		w.Why[k] = reasons
	}
	slices.SortFunc(w.Unmet, func(a, b Unmet) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), Compare(Key{Object: a.Object}, Key{Object: b.Object}), cmp.Compare(a.Message, b.Message))
	})
	return w, nil
}

// add adds what one subscription wants.
func (w *Wanted) add(t Terms, catalog Catalog) {
	s := t.Scope
	describe := Held{Permissions: lakemesh.NewPermissions(lakemesh.Describe)}
	if len(t.Grantable) > 0 {
		// Who may hand the tables on has to be able to hand the database on.
		describe.Grantable = describe.Permissions
	}
	all := Held{t.Permissions, t.Grantable}
	if len(s.Tags) > 0 {
		w.hold(t, OnTaggedTables(s.Account, s.Tags), all)
		// A policy on tables gives nothing on their databases
		// (https://docs.aws.amazon.com/lake-formation/latest/dg/granting-catalog-perms-TBAC.html).
		// They are granted by name: a database that carried the tags would give them to each
		// of its tables that has none of its own, whosever product that is
		// (docs/decisions/0029-products-that-grow.md).
		for _, name := range folded(append(catalog.Tagged(s.Tags), s.TaggedIn...)) {
			w.hold(t, OnDatabase(s.Account, name), describe)
		}
		return
	}
	// In another account a grant on tables does not imply DESCRIBE on the database.
	w.hold(t, OnDatabase(s.Account, s.Database), describe)
	database := catalog.Databases[fold(s.Database)]
	if s.AllTables && (t.Permissions.SubsetOf(database.Wildcard) || database.Wildcard.Has(lakemesh.All)) {
		w.hold(t, OnAllTables(s.Account, s.Database), all)
		return
	}
	tables := folded(s.Tables)
	if s.AllTables {
		tables = slices.Sorted(maps.Keys(database.Tables))
	}
	for _, name := range tables {
		table, ok := database.Tables[name]
		on := OnTable(s.Account, s.Database, name)
		switch {
		case name == AnyValue:
			w.unmet(t, on, "a table of this name cannot be granted on by itself: AWS takes it for all tables")
		case !ok:
			w.unmet(t, on, "the table is not in the catalog")
		case len(s.Columns) > 0 || len(s.ExceptColumns) > 0 || s.Rows != "":
			w.part(t, name, table)
		default:
			w.hold(t, on, all)
		}
	}
}

// part adds what is wanted of columns and rows of a table. SELECT alone can be granted
// on them. DESCRIBE on the table excludes it, and is not needed: who may select some
// columns sees the table with these
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html).
func (w *Wanted) part(t Terms, name string, table Table) {
	s := t.Scope
	reads := lakemesh.NewPermissions(lakemesh.Select)
	held := Held{reads, t.Grantable.Intersect(reads)}
	if table.ColumnsUnknown {
		w.hold(t, OnFilter(s.Account, s.Database, name, FilterName(s)), held)
		return
	}
	on := OnTable(s.Account, s.Database, name)
	filter := OnFilter(s.Account, s.Database, name, FilterName(s))
	// What was granted stays granted if it cannot be told any more what the filter has to
	// show: then that is what it showed before.
	w.hold(t, filter, held)
	has := folded(table.Columns)
	lost := func(of []string) []string {
		return slices.DeleteFunc(folded(of), func(c string) bool { return slices.Contains(has, c) })
	}
	unmet := func(stays bool, messages ...string) {
		for _, message := range messages {
			w.Unmet = append(w.Unmet, Unmet{ID: t.ID, Object: on, Message: message, Stays: stays})
		}
	}
	var columns, gone []string
	isKey := func(c string) bool { return slices.Contains(folded(table.Keys), c) }
	switch {
	case len(s.Columns) > 0:
		// Partition keys are seen by whoever selects anything, and are named in no filter
		// (https://docs.aws.amazon.com/lake-formation/latest/dg/data-filtering-notes.html).
		named := slices.DeleteFunc(folded(s.Columns), isKey)
		for _, c := range lost(named) {
			gone = append(gone, "the table has no column "+c)
		}
		columns = slices.DeleteFunc(named, func(c string) bool { return !slices.Contains(has, c) })
	case len(s.ExceptColumns) > 0:
		if i := slices.IndexFunc(folded(s.ExceptColumns), isKey); i >= 0 {
			unmet(true, "column "+folded(s.ExceptColumns)[i]+" is a partition key, which Lake Formation hides from nobody who selects anything of the table")
			return
		}
		for _, c := range lost(s.ExceptColumns) {
			// It may have been renamed, and would be open under its new name.
			unmet(true, "the table has no column "+c)
			gone = append(gone, c)
		}
		if len(gone) > 0 {
			return
		}
		// What is named stays closed for columns that come. And external accounts cannot be
		// granted all columns but some
		// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-notes.html).
		except := folded(s.ExceptColumns)
		columns = slices.DeleteFunc(slices.Clone(has), func(c string) bool { return slices.Contains(except, c) })
	}
	partly := len(s.Columns) > 0 || len(s.ExceptColumns) > 0
	columns = slices.DeleteFunc(columns, func(c string) bool { return isKey(c) || !Listable(c) })
	if partly && len(columns) == 0 {
		unmet(true, append(gone, "no column is left")...)
		return
	}
	unmet(false, gone...)
	// Columns alone are carried by a filter, too, of all rows: whether the grant option on a
	// list of columns is accepted two pages say differently, and of filters it is documented
	// (https://docs.aws.amazon.com/lake-formation/latest/dg/granting-filter-perms.html).
	w.Filters[filter] = Filter{Columns: columns, Rows: s.Rows}
}

func (w *Wanted) hold(t Terms, on Object, h Held) {
	for _, g := range t.Grantees {
		k := Key{g, on}
		w.Grants.Add(k, h)
		i := slices.IndexFunc(w.Why[k], func(r Reason) bool { return r.ID == t.ID })
		if i < 0 {
			w.Why[k] = append(w.Why[k], Reason{t.ID, h})
		} else {
			w.Why[k][i].Held = w.Why[k][i].Held.Union(h)
		}
	}
}

func (w *Wanted) unmet(t Terms, on Object, message string) {
	w.Unmet = append(w.Unmet, Unmet{ID: t.ID, Object: on, Message: message})
}
