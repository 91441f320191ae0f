package dialect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// What a table can do by itself, before rows come to the engine: leave out rows that a condition
// refuses, group them, and keep the first of an order. It is done for queries of one table whose
// conditions are comparisons of columns with constants, and changes no answer: interop and a test
// compare both ways.

// Comparison is a condition on a column. A NULL fulfils none but "null".
type Comparison struct {
	Column int
	// Operator is =, <>, <, <=, >, >=, in, null or not null.
	Operator string
	// Values are constants of the column's type, as the engine has them.
	Values []any
}

// Aggregate is computed of a column over a group.
type Aggregate struct {
	// Function is count (of rows, if Column is -1), distinct, sum, min or max.
	Function string
	Column   int
}

// Grouping makes one row of each group: its keys k0, k1, ... and its aggregates a0, a1, ... Without
// keys there is one group.
type Grouping struct {
	Keys       []int
	Aggregates []Aggregate
}

// Top keeps the rows that can be among the first of an order by a column.
type Top struct {
	Column                 int
	Descending, NullsFirst bool
	Rows                   int
}

// pushed is a grouping under construction.
type pushed struct {
	*Grouping
	alias  string
	keys   map[string]string
	failed bool
}

// pushable finds the one table of a selection, or those that are joined before rows come to the
// engine, if its rows need nothing that is not in it.
func (a *analyzer) pushable(s selection, sc *scope) *source {
	switch s.from.(type) {
	case tableName, join:
	default:
		return nil
	}
	if sc.within() {
		return nil
	}
	var b *source
	for _, r := range sc.relations {
		for _, c := range r.columns {
			if c.source == nil || b != nil && c.source != b {
				return nil
			}
			b = c.source
		}
	}
	if b == nil || b.materialized {
		return nil
	}
	return b
}

// comparisons are those which a condition demands; all is set if it demands nothing else.
func (a *analyzer) comparisons(e expression, sc *scope) (list []Comparison, all bool) {
	if e == nil {
		return nil, true
	}
	if b, ok := e.(binary); ok && b.operator == "AND" {
		left, allLeft := a.comparisons(b.left, sc)
		right, allRight := a.comparisons(b.right, sc)
		return append(left, right...), allLeft && allRight
	}
	if list, all = a.comparison(e, sc); !all {
		return nil, false
	}
	return list, true
}

func (a *analyzer) comparison(e expression, sc *scope) (list []Comparison, ok bool) {
	switch e := e.(type) {
	case binary:
		operator := e.operator
		if operator == "!=" {
			operator = "<>"
		}
		turned := map[string]string{"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
		if turned[operator] == "" {
			return nil, false
		}
		if c, ok := a.compareWith(e.left, operator, sc, e.right); ok {
			return []Comparison{c}, true
		}
		c, ok := a.compareWith(e.right, turned[operator], sc, e.left)
		return []Comparison{c}, ok
	case between:
		if e.not {
			return nil, false
		}
		low, ok := a.compareWith(e.value, ">=", sc, e.low)
		if !ok {
			return nil, false
		}
		high, ok := a.compareWith(e.value, "<=", sc, e.high)
		return []Comparison{low, high}, ok
	case inList:
		if e.not || e.query != nil {
			return nil, false
		}
		c, ok := a.compareWith(e.value, "in", sc, e.list...)
		return []Comparison{c}, ok
	case isNull:
		i, _, ok := a.plainColumn(e.value, sc)
		operator := "null"
		if e.not {
			operator = "not null"
		}
		return []Comparison{{Column: i, Operator: operator}}, ok
	}
	return nil, false
}

func (a *analyzer) compareWith(left expression, operator string, sc *scope, right ...expression) (c Comparison, ok bool) {
	i, t, ok := a.plainColumn(left, sc)
	if !ok {
		return c, false
	}
	c = Comparison{Column: i, Operator: operator}
	for _, e := range right {
		v, ok := constant(e, t)
		if !ok {
			return c, false
		}
		c.Values = append(c.Values, v)
	}
	return c, true
}

// plainColumn is the place of a column of the one table that an expression is.
func (a *analyzer) plainColumn(e expression, sc *scope) (int, Type, bool) {
	switch e := e.(type) {
	case name:
		if c, used, err := sc.find(e); err == nil && used == len(e.parts) && c.source != nil && c.Fault == nil {
			return c.index, c.Type, true
		}
	case column:
		return e.of.index, e.of.Type, e.of.source != nil && e.of.Fault == nil
	}
	return 0, Type{}, false
}

// constant is a literal as a value of a column's type, where that is what both are compared as.
func constant(e expression, t Type) (any, bool) {
	l, ok := e.(literal)
	if !ok {
		return nil, false
	}
	x, err := l.write()
	if err != nil {
		return nil, false
	}
	both, ok := common(t, x.t)
	if !ok || x.t.Kind == Unknown {
		return nil, false
	}
	switch {
	case t.Kind == Varchar && x.t.Kind == Varchar:
		return l.text, true
	case t.Kind == Double && x.t.isNumber():
		f, err := strconv.ParseFloat(strings.TrimSuffix(sign(l)+l.text, "."), 64)
		return f, err == nil
	case t.isInteger() && x.t.isInteger(), t.Kind == x.t.Kind && (t.Kind == Date || t.Kind == Boolean), t.Kind == Timestamp && x.t.Kind == Timestamp,
		t.Kind == Decimal && both.Kind == Decimal && both.Scale == t.Scale && x.t.Scale == t.Scale:
		n, err := strconv.ParseInt(x.sql, 10, 64)
		return n, err == nil
	}
	return nil, false
}

func sign(l literal) string {
	if l.minus {
		return "-"
	}
	return ""
}

// grouping tries to write a selection with groups so that the table makes them.
func (a *analyzer) grouping(s selection, items []selectItem, order []sortItem, sc *scope) (output, bool) {
	b := a.pushable(s, sc)
	if b == nil || s.distinct || len(sc.keys) != len(s.group) {
		return output{}, false
	}
	where, ok := a.comparisons(s.where, sc)
	if !ok {
		return output{}, false
	}
	used := slices.Clone(b.Used)
	p := &pushed{Grouping: &Grouping{}, alias: a.alias("r"), keys: map[string]string{}}
	probe := *sc
	probe.mode, probe.keys = rows, nil
	for _, e := range s.group {
		if l, ok := e.(literal); ok && l.kind == "number" {
			n, _ := strconv.Atoi(l.text)
			e = items[n-1].value
		}
		i, t, ok := a.plainColumn(e, &probe)
		x, err := a.write(e, &probe)
		if !ok || err != nil || t.isFloat() || t.Kind == Char || t.isNested() || t.Kind == Varbinary {
			b.Used = used
			return output{}, false
		}
		p.keys[x.sql] = fmt.Sprintf("%s.k%d", p.alias, len(p.Keys))
		p.Keys = append(p.Keys, i)
	}
	inner := *sc
	inner.pushed, inner.clause, inner.windows = p, "", false
	out, err := a.projected(s, items, order, &inner, " FROM "+b.Name+" AS "+p.alias)
	if err != nil || p.failed {
		b.Used = used
		return output{}, false
	}
	clear(b.Used)
	for _, i := range p.Keys {
		b.Used[i] = true
	}
	for _, g := range p.Aggregates {
		if g.Column >= 0 {
			b.Used[g.Column] = true
		}
	}
	for _, c := range where {
		b.Used[c.Column] = true
	}
	b.Grouping, b.Where = p.Grouping, where
	return out, true
}

// projected writes a selection whose groups the table has made: HAVING is a condition on rows then.
func (a *analyzer) projected(s selection, items []selectItem, order []sortItem, sc *scope, from string) (output, error) {
	var out output
	var written []typed
	var words []string
	for i, item := range items {
		x, err := a.expression(item.value, sc)
		if err != nil {
			return out, err
		}
		written = append(written, x)
		words = append(words, fmt.Sprintf("%s AS c%d", x.sql, i))
		out.columns = append(out.columns, Column{Name: item.alias, Type: x.t})
	}
	out.sql = "SELECT " + strings.Join(words, ", ") + from
	if s.having != nil {
		x, err := a.condition(s.having, sc, "HAVING")
		if err != nil {
			return out, err
		}
		out.sql += " WHERE " + x
	}
	by, err := a.orderBy(order, out.columns, written, false, sc)
	out.sql += by
	return out, err
}

// aggregate is a call of an aggregation that the table computes.
func (p *pushed) aggregate(a *analyzer, c call, sc *scope) (typed, bool) {
	add := func(function string, column int) string {
		g := Aggregate{function, column}
		i := slices.Index(p.Aggregates, g)
		if i < 0 {
			i = len(p.Aggregates)
			p.Aggregates = append(p.Aggregates, g)
		}
		return fmt.Sprintf("%s.a%d", p.alias, i)
	}
	bigint := Type{Kind: Bigint}
	if c.filter != nil || len(c.args) > 1 {
		return typed{}, false
	}
	if c.name == "count" && (c.star || len(c.args) == 0) {
		return typed{add("count", -1), bigint}, true
	}
	if len(c.args) != 1 {
		return typed{}, false
	}
	i, t, ok := a.plainColumn(c.args[0], sc)
	if !ok || t.isNested() || t.Kind == Char || t.Kind == Real || t.Kind == Varbinary {
		return typed{}, false
	}
	switch {
	case c.name == "count" && !c.distinct:
		return typed{add("count", i), bigint}, true
	case (c.name == "count" && c.distinct || c.name == "approx_distinct") && t.Kind != Double:
		return typed{add("distinct", i), bigint}, true
	case c.distinct:
		return typed{}, false
	case c.name == "min" || c.name == "max":
		return typed{add(c.name, i), t}, true
	case c.name == "sum" && t.isInteger():
		return typed{add("sum", i), bigint}, true
	case c.name == "sum" && t.Kind == Double:
		return typed{add("sum", i), t}, true
	case c.name == "sum" && t.Kind == Decimal:
		return typed{add("sum", i), Type{Kind: Decimal, Precision: 38, Scale: t.Scale}}, true
	case c.name == "avg" && (t.isInteger() || t.Kind == Double):
		return typed{"(CAST(" + add("sum", i) + " AS REAL) / nullif(" + add("count", i) + ", 0))", Type{Kind: Double}}, true
	}
	return typed{}, false
}

// top tells the table of the one order that the query has and of how many rows it shows.
func (a *analyzer) top(q *query, sc *scope) {
	s, ok := q.body.(selection)
	if !ok || q.limit == nil || s.distinct || s.group != nil || s.having != nil || sc.mode != rows {
		return
	}
	b := a.pushable(s, sc)
	if b == nil || b.Grouping != nil {
		return
	}
	where, ok := a.comparisons(s.where, sc)
	if !ok || slices.ContainsFunc(s.items, func(i selectItem) bool { return !i.star && hasWindow(i.value) }) {
		return
	}
	count := 0
	for _, e := range []expression{q.limit, q.offset} {
		if e == nil {
			continue
		}
		l, ok := e.(literal)
		n, err := strconv.Atoi(l.text)
		if !ok || err != nil || n > 10_000 {
			return
		}
		count += n
	}
	b.Where = where
	if len(q.order) == 0 {
		return
	}
	first := q.order[0]
	n, ok := first.value.(name)
	if !ok {
		return
	}
	i, t, ok := a.plainColumn(n, sc)
	if !ok || t.isNested() || t.Kind == Char || slices.ContainsFunc(q.order[1:], func(o sortItem) bool { return hasWindow(o.value) }) {
		return
	}
	// The name of a result goes before that of a column.
	for _, item := range s.items {
		if item.star || len(n.parts) > 1 {
			continue
		}
		shown := item.alias
		switch e := item.value.(type) {
		case name:
			if shown == "" {
				shown = e.parts[len(e.parts)-1]
			}
		case field:
			if shown == "" {
				shown = e.name
			}
		}
		if j, _, ok := a.plainColumn(item.value, sc); shown == n.parts[0] && (!ok || j != i) {
			return
		}
	}
	b.Top = &Top{Column: i, Descending: first.descending, NullsFirst: first.nullsFirst, Rows: count}
}

// hasWindow reports whether there is perhaps a window function in an expression.
func hasWindow(e expression) bool {
	switch e := e.(type) {
	case name, column, literal, nil:
		return false
	case cast:
		return hasWindow(e.value)
	case binary:
		return hasWindow(e.left) || hasWindow(e.right)
	case call:
		return e.over != nil || slices.ContainsFunc(e.args, hasWindow)
	}
	return true
}
