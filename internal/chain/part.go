package chain

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/internal/rowfilter"
)

// Others stands for all columns of a table that are not named, where its columns are not
// known.
const Others = "*"

// Part is what of some columns can be read.
type Part struct {
	// Columns are the columns, in order; [Others] stands for all that no part names.
	Columns []string `json:"Columns"`
	// Rows is the condition that rows meet in which they are shown; empty for all rows.
	Rows string `json:"Rows,omitempty"`
	// NotSeen are data cells filters that were not seen. What the record of a subscription
	// says that they show is in the part; one that no record says anything of may show
	// anything.
	NotSeen []string `json:"NotSeen,omitempty"`
}

// Cells are what can be read of a table, by column: what is granted by several filters
// unites cell by cell
// (https://docs.aws.amazon.com/lake-formation/latest/dg/creating-data-filters.html).
type Cells map[string]Seen

// Seen tells in which rows a column is shown.
type Seen struct {
	// All is in all of them; else where one of the conditions holds.
	All  bool
	Rows []string
	// NotSeen are filters that may show more, and were not seen.
	NotSeen []string
}

// Nothing reports whether a column is shown in no row.
func (s Seen) Nothing() bool { return !s.All && len(s.Rows) == 0 && len(s.NotSeen) == 0 }

// Or is what two show together.
func (s Seen) Or(o Seen) Seen {
	if s.All && len(s.NotSeen) == 0 || o.All && len(o.NotSeen) == 0 {
		return Seen{All: true}
	}
	return Seen{All: s.All || o.All, Rows: sorted(slices.Concat(s.Rows, o.Rows)), NotSeen: sorted(slices.Concat(s.NotSeen, o.NotSeen))}
}

// And is what both show: what an account hands on is worth what it has
// (https://docs.aws.amazon.com/lake-formation/latest/dg/data-filtering-notes.html).
func (s Seen) And(o Seen) Seen {
	both := Seen{NotSeen: sorted(slices.Concat(s.NotSeen, o.NotSeen))}
	switch {
	case s.Nothing() || o.Nothing():
		return Seen{}
	case s.All:
		both.All, both.Rows = o.All, o.Rows
	case o.All:
		both.Rows = s.Rows
	case len(s.Rows) > 0 && len(o.Rows) > 0:
		both.Rows = []string{s.condition() + " AND " + o.condition()}
		if slices.Equal(s.Rows, o.Rows) {
			both.Rows = s.Rows
		}
	}
	return both
}

func (s Seen) condition() string {
	if len(s.Rows) == 1 {
		return "(" + s.Rows[0] + ")"
	}
	return "((" + strings.Join(s.Rows, ") OR (") + "))"
}

// Of is what is told of a column.
func (c Cells) Of(column string) Seen {
	if s, ok := c[column]; ok {
		return s
	}
	return c[Others]
}

// join joins what two say of each column.
func (c Cells) join(o Cells, how func(a, b Seen) Seen) Cells {
	all := Cells{}
	for column := range maps.Keys(c) {
		all[column] = how(c[column], o.Of(column))
	}
	for column := range maps.Keys(o) {
		all[column] = how(c.Of(column), o[column])
	}
	return all
}

// Or is what two show together.
func (c Cells) Or(o Cells) Cells { return c.join(o, Seen.Or) }

// And is what both show.
func (c Cells) And(o Cells) Cells { return c.join(o, Seen.And) }

// Nothing reports whether nothing is shown.
func (c Cells) Nothing() bool {
	for _, s := range c {
		if !s.Nothing() {
			return false
		}
	}
	return true
}

// Complete reports whether all of what is asked about is shown: of a column, or of the table.
func (c Cells) Complete(schema rowfilter.Table, column string) bool {
	names := []string{column}
	if column == "" {
		names = slices.Collect(maps.Keys(c))
		for _, one := range schema.Columns {
			names = append(names, strings.ToLower(one.Name))
		}
		if len(schema.Columns) == 0 {
			names = append(names, Others)
		}
	}
	for _, name := range names {
		parts := Cells{name: c.Of(name)}.Parts(schema)
		if len(parts) == 0 || parts[0].Rows != "" || len(parts[0].NotSeen) > 0 {
			return false
		}
	}
	return true
}

// Any is in which rows anything is shown, and with it partition keys, which are hidden from
// nobody.
func (c Cells) Any() Seen {
	var any Seen
	for _, s := range c {
		any = any.Or(s)
	}
	return any
}

// CellsOf are the cells of parts.
func CellsOf(parts []Part) Cells {
	c := Cells{}
	for _, p := range parts {
		for _, column := range p.Columns {
			s := Seen{NotSeen: p.NotSeen}
			switch {
			case p.Rows == unknown:
			case p.Rows == "":
				s.All = true
			default:
				s.Rows = []string{p.Rows}
			}
			c[column] = c[column].Or(s)
		}
	}
	return c
}

// unknown are the rows of a part of which only filters tell that were not seen.
const unknown = "?"

// Parts are the cells as a list: columns that are shown in the same rows together. Conditions
// are in their normal form as far as the types of the columns are known.
func (c Cells) Parts(schema rowfilter.Table) []Part {
	var all []Part
	for _, column := range slices.Sorted(maps.Keys(c)) {
		s := c[column]
		if s.Nothing() {
			continue
		}
		p := Part{NotSeen: s.NotSeen}
		switch {
		case s.All:
		case len(s.Rows) == 0:
			p.Rows = unknown
		default:
			p.Rows = normal(s, schema)
		}
		i := slices.IndexFunc(all, func(o Part) bool { return o.Rows == p.Rows && slices.Equal(o.NotSeen, p.NotSeen) })
		if i < 0 {
			i, all = len(all), append(all, p)
		}
		all[i].Columns = append(all[i].Columns, column)
	}
	return all
}

// normal is the condition of what is shown; empty where it lets all rows through.
func normal(s Seen, schema rowfilter.Table) string {
	text := s.Rows[0]
	if len(s.Rows) > 1 {
		text = "(" + strings.Join(s.Rows, ") OR (") + ")"
	}
	read, err := rowfilter.Read(text, schema)
	if err != nil {
		// It is shown as it was said.
		return text
	}
	if every, err := rowfilter.Read(rowfilter.All{}.String(), schema); err == nil && rowfilter.Narrower(every, read).Answer == rowfilter.Yes {
		return ""
	}
	return read.String()
}

// String says a part in words.
func (p Part) String() string {
	names := strings.Join(p.Columns, ", ")
	text := "columns " + names
	switch {
	case slices.Equal(p.Columns, []string{Others}):
		text = "all other columns"
	case len(p.Columns) == 1:
		text = "column " + names
	case slices.Contains(p.Columns, Others):
		text = "columns " + strings.Join(slices.DeleteFunc(slices.Clone(p.Columns), func(c string) bool { return c == Others }), ", ") + " and all others"
	}
	switch p.Rows {
	case "":
	case unknown:
		return text + " as far as " + filters(p.NotSeen) + " shows them, which was not seen"
	default:
		text += " of rows where " + p.Rows
	}
	if len(p.NotSeen) > 0 {
		text += " (" + filters(p.NotSeen) + " was not seen: it goes by the record)"
	}
	return text
}

func filters(names []string) string { return fmt.Sprintf("filter %s", strings.Join(names, ", ")) }

// Said says parts in words.
func Said(parts []Part) string {
	var words []string
	for _, p := range parts {
		words = append(words, p.String())
	}
	return strings.Join(words, "; ")
}
