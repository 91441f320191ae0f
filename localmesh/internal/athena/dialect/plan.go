// Package dialect reads Athena's SQL (Trino's) and writes it as SQLite's. What is written
// consists of the package's own names and of literals: no word of a query gets through. Each
// expression has a type, so that what Athena refuses is refused, and what the engine would
// answer otherwise than Athena is written another way. What is not there is refused with
// NOT_SUPPORTED, and says so.
package dialect

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Column is a column of a table or of a result.
type Column struct {
	Name string
	Type Type
	// Fault is why the column cannot be read, or nil.
	Fault error
	// weight is how many columns it is computed of, each as often as it is asked for: the engine
	// puts expressions of subqueries into those around.
	weight int
}

// Table is a table as the catalog shows it to whoever asks: the columns that they may see.
type Table struct {
	// Key tells tables apart.
	Key     string
	Columns []Column
	// View is set for a view, of which Columns are the names alone.
	View *View
}

// Catalog finds tables.
type Catalog interface {
	// Table finds a table. It returns ErrNoDatabase or ErrNoTable where there is none.
	Table(ctx context.Context, catalog, database, table string) (*Table, error)
}

// Source is a table that a plan reads, under the name that the engine has to give it.
type Source struct {
	Name  string
	Table *Table
	// Used tells which of its columns are read.
	Used []bool
	// Where are conditions that all rows which matter fulfil; Grouping and Top are nil, or what
	// the table does with these rows.
	Where    []Comparison
	Grouping *Grouping
	Top      *Top
	// Join is set for tables that are joined, of which Table has the columns alone.
	Join *Join
}

// Plan is a query as the engine runs it.
type Plan struct {
	SQL     string
	Columns []Column
	Sources []*Source
	// Tries is set where some of what fails is NULL.
	Tries bool
}

// Session is what a query is read in.
type Session struct {
	Catalog    Catalog
	Database   string
	Now        time.Time
	Parameters []string
}

// Query is a query that was read.
type Query struct {
	root *query
	// Asked is set instead of a query for SHOW and DESCRIBE.
	Asked *Asked
	// Write is set for what writes, beside the query that it writes the rows of, if it does.
	Write *Writing
}

// Selects reports whether the statement has a query.
func (q *Query) Selects() bool { return q.root != nil }

// Plan types a query against the catalog, and writes it as the engine's.
func (q *Query) Plan(ctx context.Context, s Session) (*Plan, error) {
	a := analyzer{ctx: ctx, session: s}
	out, err := a.query(q.root, nil, true)
	if err != nil {
		return nil, err
	}
	var with []string
	for _, b := range a.sources {
		if b.materialized {
			var columns []string
			for i, used := range b.Used {
				if used {
					columns = append(columns, fmt.Sprintf("c%d", i))
				}
			}
			if len(columns) == 0 {
				columns = []string{"1"}
			}
			with = append(with, fmt.Sprintf("m%s AS MATERIALIZED (SELECT %s FROM %s)", b.Name, strings.Join(columns, ", "), b.Name))
		}
	}
	p := &Plan{SQL: out.sql, Columns: out.columns, Tries: a.tries}
	if with = append(with, out.with...); len(with) > 0 {
		p.SQL = "WITH " + strings.Join(with, ", ") + " " + p.SQL
	}
	for _, b := range a.sources {
		p.Sources = append(p.Sources, b.Source)
	}
	if len(p.SQL) > maxSQL {
		return nil, place{}.fail(CodeNotSupported, "a query that is this long when it is written for the engine is not in the local mesh")
	}
	return p, nil
}

const maxSQL = 4 << 20

// source is a table that is read.
type source struct {
	*Source
	// materialized is set if its rows are kept for joins.
	materialized bool
}

type analyzer struct {
	ctx     context.Context
	session Session
	sources []*source
	aliases int
	// queries counts the queries that were written; tries is set where TRY stands in one.
	queries int
	tries   bool
	// views counts those that are being written, one within the other.
	views int
	// written counts the expressions that were written: some are written several times.
	written int
	// weight adds up that of the columns that were read.
	weight int
}

// maxWeight bounds what a column is computed of.
const maxWeight = 20_000

// maxWritten bounds what a query is written as.
const maxWritten = 500_000

// output is a query that was written.
type output struct {
	// with are definitions that go before, where the caller writes them.
	with    []string
	sql     string
	columns []Column
}

// whole is the query with its definitions.
func (o output) whole() string {
	if len(o.with) == 0 {
		return o.sql
	}
	return "WITH " + strings.Join(o.with, ", ") + " " + o.sql
}

func (a *analyzer) alias(prefix string) string {
	a.aliases++
	return fmt.Sprintf("%s%d", prefix, a.aliases)
}

// mode is what an expression may consist of.
type mode int

const (
	rows      mode = iota // columns
	groups                // what is grouped by, and aggregates
	aggregate             // columns, within an aggregate
)

// scope is what names mean.
type scope struct {
	parent    *scope
	relations []*placed
	// definitions are those of WITH.
	definitions map[string]*definition
	mode        mode
	// keys are what is grouped by, as it is written.
	keys map[string]bool
	// windows is set where window functions may stand.
	windows bool
	// pushed is set where the table makes the groups.
	pushed *pushed
	// clause is where aggregates may not stand, for errors.
	clause string
}

type definition struct {
	sql     string
	columns []Column
}

// placed is a relation of FROM.
type placed struct {
	// alias is the name in the query, database the database's of a table without one.
	alias, database string
	columns         []placedColumn
}

type placedColumn struct {
	Column
	sql string
	// merged is set for a column that USING has put into another one.
	merged bool
	source *source
	index  int
}

func (c placedColumn) use() {
	if c.source != nil {
		c.source.Used[c.index] = true
	}
}

func (a *analyzer) define(sc *scope, n string) *definition {
	for ; sc != nil; sc = sc.parent {
		if d := sc.definitions[n]; d != nil {
			return d
		}
	}
	return nil
}

// query writes a query.
func (a *analyzer) query(q *query, parent *scope, top bool) (output, error) {
	if err := a.ctx.Err(); err != nil {
		return output{}, err
	}
	a.queries++
	inner := &scope{parent: parent, definitions: map[string]*definition{}}
	var with []string
	for _, n := range q.with {
		if inner.definitions[n.name] != nil {
			return output{}, n.fail(CodeSyntax, "WITH query name '%s' specified more than once", n.name)
		}
		o, err := a.query(n.query, inner, false)
		if err != nil {
			return output{}, err
		}
		columns, err := renamed(n.place, o.columns, n.columns)
		if err != nil {
			return output{}, err
		}
		d := &definition{sql: a.alias("w"), columns: columns}
		inner.definitions[n.name] = d
		with = append(with, d.sql+" AS ("+o.whole()+")")
	}
	var o output
	var err error
	if s, ok := q.body.(selection); ok {
		var sc *scope
		if o, sc, err = a.selection(s, q.order, inner); err == nil && top {
			a.top(q, sc)
		}
	} else {
		if o, err = a.body(q.body, inner); err != nil {
			return o, err
		}
		if len(q.order) > 0 || q.limit != nil || q.offset != nil {
			o, err = a.ordered(o, q.order, inner)
		}
	}
	if err != nil {
		return o, err
	}
	if o.sql, err = a.cut(q, o.sql); err != nil {
		return o, err
	}
	o.with = append(with, o.with...)
	if !top && len(q.order) > 0 && q.limit == nil && q.offset == nil {
		// Trino, too, does not keep the order of a subquery; nothing is changed here.
		return o, nil
	}
	return o, nil
}

// cut writes LIMIT and OFFSET.
func (a *analyzer) cut(q *query, sql string) (string, error) {
	count := func(e expression) (string, error) {
		l, ok := e.(literal)
		if !ok || l.kind != "number" || l.minus || strings.Trim(l.text, "0123456789") != "" || len(l.text) > 18 {
			return "", e.at().fail(CodeSyntax, "a number of rows is expected")
		}
		return l.text, nil
	}
	if q.limit == nil && q.offset == nil {
		return sql, nil
	}
	limit := "-1"
	var err error
	if q.limit != nil {
		if limit, err = count(q.limit); err != nil {
			return "", err
		}
	}
	sql += " LIMIT " + limit
	if q.offset != nil {
		offset, err := count(q.offset)
		if err != nil {
			return "", err
		}
		sql += " OFFSET " + offset
	}
	return sql, nil
}

func renamed(at place, columns []Column, names []string) ([]Column, error) {
	if names == nil {
		return columns, nil
	}
	if len(names) != len(columns) {
		return nil, at.fail("MISMATCHED_COLUMN_ALIASES", "Column alias list has %d entries but relation has %d columns", len(names), len(columns))
	}
	out := make([]Column, len(columns))
	for i, c := range columns {
		c.Name = names[i]
		out[i] = c
	}
	return out, nil
}

func list(columns []Column) string {
	var all []string
	for i := range columns {
		all = append(all, fmt.Sprintf("c%d", i))
	}
	return strings.Join(all, ", ")
}

// body writes what is no selection, or one in a set operation.
func (a *analyzer) body(b body, sc *scope) (output, error) {
	switch b := b.(type) {
	case selection:
		o, _, err := a.selection(b, nil, sc)
		return o, err
	case bracketed:
		o, err := a.query(b.query, sc, false)
		return output{sql: "SELECT " + list(o.columns) + " FROM (" + o.whole() + ")", columns: o.columns}, err
	case values:
		return a.values(b, sc)
	}
	op := b.(setOperation)
	if op.all && op.operator != "UNION" {
		return output{}, op.lacking("%s ALL", op.operator)
	}
	left, err := a.body(op.left, sc)
	if err != nil {
		return left, err
	}
	right, err := a.body(op.right, sc)
	if err != nil {
		return right, err
	}
	if len(left.columns) != len(right.columns) {
		return output{}, op.fail(CodeMismatch, "%s query has different number of fields: %d, %d", op.operator, len(left.columns), len(right.columns))
	}
	var out output
	for i, l := range left.columns {
		t, ok := common(l.Type, right.columns[i].Type)
		if !ok {
			return out, op.fail(CodeMismatch, "column %d in %s query has incompatible types: %s, %s", i+1, op.operator, l.Type, right.columns[i].Type)
		}
		out.columns = append(out.columns, Column{Name: l.Name, Type: t, weight: max(l.weight, right.columns[i].weight)})
	}
	operator := op.operator
	if op.all {
		operator += " ALL"
	}
	out.sql = a.converted(left, out.columns) + " " + operator + " " + a.converted(right, out.columns)
	// What follows must see one selection.
	out.sql = "SELECT " + list(out.columns) + " FROM (" + out.sql + ")"
	return out, nil
}

// converted is a query whose columns get other types.
func (a *analyzer) converted(o output, to []Column) string {
	var items []string
	for i, c := range o.columns {
		items = append(items, fmt.Sprintf("%s AS c%d", convert(typed{fmt.Sprintf("c%d", i), c.Type}, to[i].Type), i))
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM (" + o.whole() + ")"
}

func (a *analyzer) values(v values, sc *scope) (output, error) {
	var table [][]typed
	var out output
	for n, row := range v.rows {
		if n > 0 && len(row) != len(v.rows[0]) {
			return out, v.fail(CodeMismatch, "Values rows have mismatched sizes: %d vs %d", len(v.rows[0]), len(row))
		}
		var cells []typed
		for i, e := range row {
			x, err := a.expression(e, &scope{parent: sc, clause: "VALUES"})
			if err != nil {
				return out, err
			}
			cells = append(cells, x)
			if n == 0 {
				out.columns = append(out.columns, Column{Name: fmt.Sprintf("_col%d", i), Type: x.t})
				continue
			}
			t, ok := common(out.columns[i].Type, x.t)
			if !ok {
				return out, e.at().fail(CodeMismatch, "Values rows have mismatched types: %s vs %s", out.columns[i].Type, x.t)
			}
			out.columns[i].Type = t
		}
		table = append(table, cells)
	}
	var rows, names []string
	for _, cells := range table {
		var one []string
		for i, x := range cells {
			one = append(one, convert(x, out.columns[i].Type))
		}
		rows = append(rows, "("+strings.Join(one, ", ")+")")
	}
	for i := range out.columns {
		names = append(names, fmt.Sprintf("column%d AS c%d", i+1, i))
	}
	out.sql = "SELECT " + strings.Join(names, ", ") + " FROM (VALUES " + strings.Join(rows, ", ") + ")"
	return out, nil
}

// ordered writes a query again so that its order can be said.
func (a *analyzer) ordered(o output, order []sortItem, sc *scope) (output, error) {
	alias := a.alias("r")
	r := &placed{}
	var items []string
	for i, c := range o.columns {
		r.columns = append(r.columns, placedColumn{Column: c, sql: fmt.Sprintf("%s.c%d", alias, i)})
		items = append(items, fmt.Sprintf("%s.c%d AS c%d", alias, i, i))
	}
	inner := &scope{parent: sc, relations: []*placed{r}, clause: "ORDER BY"}
	out := output{columns: o.columns, sql: "SELECT " + strings.Join(items, ", ") + " FROM (" + o.whole() + ") AS " + alias}
	by, err := a.orderBy(order, o.columns, nil, false, inner)
	if err != nil {
		return out, err
	}
	out.sql += by
	return out, nil
}

// orderBy writes ORDER BY. items are the selected expressions as they are written.
func (a *analyzer) orderBy(order []sortItem, columns []Column, items []typed, distinct bool, sc *scope) (string, error) {
	if len(order) == 0 {
		return "", nil
	}
	var all []string
	for _, s := range order {
		sql := ""
		switch e := s.value.(type) {
		case literal:
			if e.kind != "number" {
				break
			}
			n := 0
			if _, err := fmt.Sscanf(e.text, "%d", &n); err != nil || n < 1 || n > len(columns) || e.minus || strings.Trim(e.text, "0123456789") != "" {
				return "", e.fail("INVALID_COLUMN_REFERENCE", "ORDER BY position %s is not in select list", e.text)
			}
			sql = fmt.Sprint(n)
			if columns[n-1].Type.isNested() {
				return "", e.lacking("ORDER BY a column of type %s", columns[n-1].Type)
			}
		case name:
			if len(e.parts) != 1 {
				break
			}
			found := 0
			for i, c := range columns {
				if c.Name == e.parts[0] {
					if found > 0 && (items == nil || items[i].sql != items[found-1].sql) {
						return "", e.fail(CodeAmbiguous, "Column '%s' is ambiguous", e.parts[0])
					}
					if found == 0 {
						found = i + 1
					}
				}
			}
			if found > 0 {
				sql = fmt.Sprint(found)
				if columns[found-1].Type.isNested() {
					return "", e.lacking("ORDER BY a column of type %s", columns[found-1].Type)
				}
			}
		}
		if sql == "" {
			x, err := a.expression(s.value, sc)
			if err != nil {
				return "", err
			}
			if x.t.isNested() {
				return "", s.value.at().lacking("ORDER BY a value of type %s", x.t)
			}
			sql = x.sql
			found := false
			for i := range items {
				if items[i].sql == x.sql {
					sql, found = fmt.Sprint(i+1), true
				}
			}
			if distinct && !found {
				return "", s.value.at().fail(CodeSyntax, "For SELECT DISTINCT, ORDER BY expressions must appear in select list")
			}
			if !found && strings.Trim(sql, "0123456789") == "" {
				sql = "(" + sql + "+0)"
			}
		}
		all = append(all, sql+direction(s))
	}
	return " ORDER BY " + strings.Join(all, ", "), nil
}

func direction(s sortItem) string {
	d := " ASC"
	if s.descending {
		d = " DESC"
	}
	// NULLs are last, whatever the direction
	// (https://trino.io/docs/current/sql/select.html#order-by-clause).
	if s.nullsFirst {
		return d + " NULLS FIRST"
	}
	return d + " NULLS LAST"
}

// selection writes SELECT with its order.
func (a *analyzer) selection(s selection, order []sortItem, outer *scope) (output, *scope, error) {
	sc := &scope{parent: outer}
	o, err := a.select_(s, order, sc)
	return o, sc, err
}

func (a *analyzer) select_(s selection, order []sortItem, sc *scope) (output, error) {
	from := ""
	if s.from != nil {
		var err error
		if from, err = a.from(s.from, sc); err != nil {
			return output{}, err
		}
	}
	if b := a.pushable(s, sc); b != nil && s.where != nil {
		b.Where, _ = a.comparisons(s.where, sc)
		for _, c := range b.Where {
			b.Used[c.Column] = true
		}
	}
	where := ""
	if s.where != nil {
		sc.clause = "WHERE"
		x, err := a.condition(s.where, sc, "WHERE")
		if err != nil {
			return output{}, err
		}
		where = " WHERE " + x
	}
	items, err := a.items(s, sc)
	if err != nil {
		return output{}, err
	}
	group, err := a.group(s, items, order, sc)
	if err != nil {
		return output{}, err
	}
	if sc.mode == groups {
		if out, ok := a.grouping(s, items, order, sc); ok {
			return out, nil
		}
	}
	sc.clause, sc.windows = "", true
	var out output
	var written []typed
	var words []string
	for i, item := range items {
		before := a.weight
		x, err := a.expression(item.value, sc)
		if err != nil {
			return out, err
		}
		if a.weight-before > maxWeight {
			return out, item.lacking("a column that is computed of more than %d others", maxWeight)
		}
		if s.distinct && x.t.Kind == Map {
			return out, item.lacking("DISTINCT on a column of type %s", x.t)
		}
		written = append(written, x)
		words = append(words, fmt.Sprintf("%s AS c%d", x.sql, i))
		out.columns = append(out.columns, Column{Name: item.alias, Type: x.t, weight: a.weight - before})
	}
	out.sql = "SELECT "
	if s.distinct {
		out.sql += "DISTINCT "
	}
	out.sql += strings.Join(words, ", ") + from + where + group
	if s.having != nil {
		sc.windows, sc.clause = false, "HAVING"
		x, err := a.condition(s.having, sc, "HAVING")
		if err != nil {
			return out, err
		}
		out.sql += " HAVING " + x
		sc.windows = true
	}
	sc.clause = ""
	by, err := a.orderBy(order, out.columns, written, s.distinct, sc)
	out.sql += by
	return out, err
}

// items are what is selected, with * written out, and each with its name.
func (a *analyzer) items(s selection, sc *scope) ([]selectItem, error) {
	var all []selectItem
	for _, item := range s.items {
		if !item.star {
			if item.alias == "" {
				item.alias = fmt.Sprintf("_col%d", len(all))
				switch e := item.value.(type) {
				case name:
					item.alias = e.parts[len(e.parts)-1]
				case field:
					item.alias = e.name
				}
			}
			all = append(all, item)
			continue
		}
		found := 0
		for _, r := range sc.relations {
			if len(item.qualifier) > 0 && !r.named(item.qualifier) {
				continue
			}
			found++
			for i := range r.columns {
				if c := r.columns[i]; !c.merged || len(item.qualifier) > 0 {
					all = append(all, selectItem{place: item.place, value: column{item.place, c}, alias: c.Name})
				}
			}
		}
		switch {
		case s.from == nil:
			return nil, item.fail(CodeSyntax, "SELECT * not allowed in queries without FROM clause")
		case found == 0:
			return nil, item.fail(CodeTable, "Unable to resolve reference %s", strings.Join(item.qualifier, "."))
		}
	}
	if len(all) == 0 {
		return nil, s.fail(CodeColumn, "Relation contains no accessible columns")
	}
	return all, nil
}

// named reports whether a relation is meant by a qualifier.
func (r *placed) named(qualifier []string) bool {
	if qualifier[len(qualifier)-1] != r.alias || r.alias == "" {
		return false
	}
	return len(qualifier) == 1 || r.database != "" && qualifier[len(qualifier)-2] == r.database
}

// column is a column that was found already.
type column struct {
	place
	of placedColumn
}

// group writes GROUP BY, and lets nothing but groups and aggregates be selected after it.
func (a *analyzer) group(s selection, items []selectItem, order []sortItem, sc *scope) (string, error) {
	aggregates := s.having != nil
	for _, item := range items {
		aggregates = aggregates || hasAggregate(item.value)
	}
	for _, o := range order {
		aggregates = aggregates || hasAggregate(o.value)
	}
	if len(s.group) == 0 && !aggregates {
		return "", nil
	}
	sc.clause = "GROUP BY"
	keys := map[string]bool{}
	var words []string
	for _, e := range s.group {
		if l, ok := e.(literal); ok && l.kind == "number" {
			n := 0
			if _, err := fmt.Sscanf(l.text, "%d", &n); err != nil || n < 1 || n > len(items) || l.minus {
				return "", l.fail("INVALID_COLUMN_REFERENCE", "GROUP BY position %s is not in select list", l.text)
			}
			e = items[n-1].value
		}
		x, err := a.expression(e, sc)
		if err != nil {
			return "", err
		}
		if x.t.Kind == Map {
			return "", e.at().fail(CodeMismatch, "%s is not comparable, and therefore cannot be used in GROUP BY", x.t)
		}
		keys[x.sql] = true
		sql := x.sql
		if strings.Trim(sql, "0123456789") == "" {
			sql = "(" + sql + "+0)"
		}
		words = append(words, sql)
	}
	sc.mode, sc.keys = groups, keys
	if len(words) == 0 {
		return "", nil
	}
	return " GROUP BY " + strings.Join(words, ", "), nil
}

// condition writes an expression that must be BOOLEAN.
func (a *analyzer) condition(e expression, sc *scope, where string) (string, error) {
	x, err := a.expression(e, sc)
	if err != nil {
		return "", err
	}
	if x.t.Kind != Boolean && x.t.Kind != Unknown {
		return "", e.at().fail(CodeMismatch, "%s clause must evaluate to a boolean: actual type %s", where, x.t)
	}
	return x.sql, nil
}
