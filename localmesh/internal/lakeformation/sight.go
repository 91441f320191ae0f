package lakeformation

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/rowfilter"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// sight is what of a table's data somebody may read: each cell that lies in one of
// its pieces. What several grants of one account give is united, and what a recipient
// account hands on is cut down to what it has itself
// (https://docs.aws.amazon.com/lake-formation/latest/dg/data-filtering-notes.html).
type sight []piece

// piece is the rows that fulfil some conditions, in some columns.
type piece struct {
	// all is set if it has all columns; columns are those that it has otherwise, as
	// rowfilter.Path writes them.
	all     bool
	columns []string
	// rows are expressions, all of which a row must fulfil.
	rows []string
}

// everything is the sight of whoever may read the whole table. It is not changed.
var everything = sight{{all: true}}

// full reports whether nothing is hidden. A sight of all columns one by one is not
// full: the next column that the table gets is not in it.
func (s sight) full() bool {
	return slices.ContainsFunc(s, func(p piece) bool { return p.all && len(p.rows) == 0 })
}

func (p piece) equal(o piece) bool {
	return p.all == o.all && slices.Equal(p.columns, o.columns) && slices.Equal(p.rows, o.rows)
}

// join is what is in one of the two.
func (s sight) join(o sight) sight {
	switch {
	case len(o) == 0 || s.full():
		return s
	case len(s) == 0 || o.full():
		return o
	}
	out := slices.Clone(s)
	for _, p := range o {
		if !slices.ContainsFunc(out, p.equal) {
			out = append(out, p)
		}
	}
	return out
}

// limit is what is in both.
func (s sight) limit(o sight) sight {
	switch {
	case s.full():
		return o
	case o.full():
		return s
	}
	var out sight
	for _, a := range s {
		for _, b := range o {
			p := piece{rows: union(a.rows, b.rows)}
			switch {
			case a.all && b.all:
				p.all = true
			case a.all:
				p.columns = b.columns
			case b.all:
				p.columns = a.columns
			default:
				p.columns = common(a.columns, b.columns)
			}
			if (p.all || len(p.columns) > 0) && !slices.ContainsFunc(out, p.equal) {
				out = append(out, p)
			}
		}
	}
	return out
}

// common are the columns that both lists cover. A column covers what is nested in it.
func common(a, b []string) []string {
	var out []string
	for _, x := range a {
		for _, y := range b {
			px, py := rowfilter.ParsePath(x), rowfilter.ParsePath(y)
			switch {
			case px.Covers(py):
				out = append(out, y)
			case py.Covers(px):
				out = append(out, x)
			}
		}
	}
	return sorted(out)
}

// covers reports whether the piece has a column, or what is nested in it.
func (p piece) covers(column rowfilter.Path) bool {
	return p.all || slices.ContainsFunc(p.columns, func(c string) bool { return rowfilter.ParsePath(c).Covers(column) })
}

// rowFilter is the condition of the rows in which a cell of the column is shown; with
// nil, in which any is. It is empty if that is so in all rows.
func (s sight) rowFilter(column rowfilter.Path) string {
	var conditions []string
	for _, p := range s {
		if column != nil && !p.covers(column) {
			continue
		}
		if len(p.rows) == 0 {
			return ""
		}
		conditions = append(conditions, joined(p.rows, " AND "))
	}
	return joined(sorted(conditions), " OR ")
}

// joined joins expressions.
func joined(expressions []string, with string) string {
	switch len(expressions) {
	case 0:
		return ""
	case 1:
		return expressions[0]
	}
	return "(" + strings.Join(expressions, ")"+with+"(") + ")"
}

// seen are the columns of the table of which something is shown, in the table's order,
// with the parts of a column of which not all is. Partition keys are always among
// them, as they cannot be filtered.
func (s sight) seen(t state.Table) []rowfilter.Path {
	if len(s) == 0 {
		return nil
	}
	var out []rowfilter.Path
	add := func(path rowfilter.Path) {
		if !slices.ContainsFunc(out, func(p rowfilter.Path) bool { return p.Covers(path) }) {
			out = append(slices.DeleteFunc(out, path.Covers), path)
		}
	}
	for _, column := range t.Columns() {
		at := rowfilter.Path{state.Fold(column.Name)}
		for _, p := range s {
			if p.covers(at) {
				add(at)
				continue
			}
			for _, c := range p.columns {
				if path := rowfilter.ParsePath(c); at.Covers(path) {
					add(path)
				}
			}
		}
	}
	for _, key := range t.PartitionKeys {
		add(rowfilter.Path{state.Fold(key.Name)})
	}
	return out
}

// needs is the kind of permission that an engine must be able to enforce so as to show
// no more than this, or "" if all is shown.
func (s sight) needs(t state.Table) types.PermissionType {
	if len(s) == 0 || s.full() {
		return ""
	}
	nested, conditions := false, map[string]bool{}
	for _, path := range s.seen(t) {
		nested = nested || len(path) > 1
		conditions[s.rowFilter(path)] = true
	}
	switch {
	case nested && len(conditions) > 1:
		return types.PermissionTypeNestedCellPermission
	case nested:
		return types.PermissionTypeNestedPermission
	case len(conditions) > 1 || !conditions[""]:
		return types.PermissionTypeCellFilterPermission
	}
	return types.PermissionTypeColumnPermission
}
