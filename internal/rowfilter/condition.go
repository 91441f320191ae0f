package rowfilter

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// A Column is a column of a table, with its type as Glue has it.
type Column struct{ Name, Type string }

// A Table is what a condition is typed against.
type Table struct {
	// Database and Name name it; errors know by them a condition that names the table.
	Database, Name string
	Columns        []Column
	PartitionKeys  []Column
	// Past are the names of columns of earlier schemas: nothing can be asked of them.
	Past []string
}

// A Condition is a condition on rows of a table: typed, and in its normal form. Two
// conditions that differ in the case of keywords and columns, parentheses, the order of
// what AND, OR and IN list, repetitions, BETWEEN or two comparisons, IN or several
// equalities, and where NOT stands, have the same normal form. Others can let through the
// same rows: ask [Narrower] both ways.
type Condition struct {
	expr Expr
	root node
	// columns are the types of the columns that it names.
	columns map[string]Type
}

// Read reads a condition and types it against a table.
func Read(s string, table Table) (*Condition, error) {
	e, err := Parse(s)
	if err != nil {
		return nil, err
	}
	for _, c := range slices.Concat(table.Columns, table.PartitionKeys) {
		if _, ok := e.(All); !ok && systemColumns[strings.ToLower(c.Name)] {
			return nil, refuse(ErrTable, Position{}, "", "the table has a column %s, and AWS allows no row filter on it then", c.Name)
		}
	}
	b := binder{table: table, columns: map[string]Type{}}
	e, err = b.bind(e)
	if err != nil {
		return nil, err
	}
	return b.columns.condition(e)
}

// types are those of columns, by how a path is printed.
type types map[string]Type

// condition makes a condition of a typed expression.
func (t types) condition(e Expr) (*Condition, error) {
	e = t.normal(e, false)
	if n := len(e.String()); n > maxLength {
		return nil, refuse(ErrTooLong, Position{}, "", "its normal form has %d bytes, and AWS takes less than %d", n, maxLength+1)
	}
	return &Condition{e, t.compile(e), t}, nil
}

// And is the condition that lets through what both do: what is left of what was asked for
// after an approver narrowed it. Both must be on one table.
func (c *Condition) And(o *Condition) (*Condition, error) {
	all := types(maps.Clone(c.columns))
	for name, t := range o.columns {
		if has, ok := all[name]; ok && !has.same(t) {
			return nil, refuse(ErrType, Position{}, "", "the column %s is of the type %s in one condition, and %s in the other", name, has.Name, t.Name)
		}
		all[name] = t
	}
	for _, one := range [][2]*Condition{{c, o}, {o, c}} {
		if (one[0].expr == All{}) {
			return one[1], nil
		}
	}
	return all.condition(And{[]Expr{c.expr, o.expr}})
}

// String prints the normal form. It is what a filter should be made with, and what
// people should read.
func (c *Condition) String() string { return c.expr.String() }

// Expr is the normal form.
func (c *Condition) Expr() Expr { return c.expr }

// Equal reports whether two conditions have the same normal form and types.
func (c *Condition) Equal(o *Condition) bool {
	return reflect.DeepEqual(c.expr, o.expr) && maps.EqualFunc(c.columns, o.columns, Type.same)
}

// Columns are the columns that the condition names, and their types.
func (c *Condition) Columns() map[string]Type { return maps.Clone(c.columns) }
