package dialect

import (
	"fmt"
	"slices"
)

// Join is two tables that are joined by equal columns before rows come to the engine, whose own
// joins go row by row. The columns are the left table's, and then the right one's.
type Join struct {
	Left, Right *Source
	// Outer keeps the rows of the left table that have no partner.
	Outer bool
	// LeftKeys and RightKeys are columns of each table that must be equal, in pairs; they are texts
	// or whole numbers in the engine.
	LeftKeys, RightKeys []int
}

// maxJoined bounds how many columns joined tables have together: the engine has a bound, too.
const maxJoined = 1500

// fuse makes one source of tables that are joined by equal columns. What else stands in ON must be
// comparisons with constants. ok is false for all other joins, and for what is wrong: the engine's
// join is written then, or the error found.
func (a *analyzer) fuse(r relation, sc *scope, to *source, alias string) (*Source, []*placed, bool) {
	n, ok := r.(tableName)
	if !ok {
		j, ok := r.(join)
		if !ok {
			return nil, nil, false
		}
		return a.fuseJoin(j, sc, to, alias)
	}
	if len(n.parts) == 1 && a.define(sc, n.parts[0]) != nil {
		return nil, nil, false
	}
	t, database, err := a.find(n)
	if err != nil || t.View != nil {
		return nil, nil, false
	}
	columns, err := renamed(n.place, t.Columns, n.columns)
	if err != nil {
		return nil, nil, false
	}
	p := &placed{alias: n.alias}
	if n.alias == "" {
		p.alias, p.database = n.parts[len(n.parts)-1], database
	}
	for i, c := range columns {
		p.columns = append(p.columns, placedColumn{Column: c, sql: fmt.Sprintf("%s.c%d", alias, i), source: to, index: i})
	}
	return &Source{Table: t, Used: make([]bool, len(t.Columns))}, []*placed{p}, true
}

func (a *analyzer) fuseJoin(j join, sc *scope, to *source, alias string) (*Source, []*placed, bool) {
	if _, table := j.right.(tableName); !table || j.kind != "INNER" && j.kind != "LEFT" {
		return nil, nil, false
	}
	left, leftPlaced, ok := a.fuse(j.left, sc, to, alias)
	if !ok {
		return nil, nil, false
	}
	right, rightPlaced, ok := a.fuse(j.right, sc, to, alias)
	width := len(left.Table.Columns)
	if !ok || width+len(right.Table.Columns) > maxJoined {
		return nil, nil, false
	}
	for i := range rightPlaced[0].columns {
		c := &rightPlaced[0].columns[i]
		c.index += width
		c.sql = fmt.Sprintf("%s.c%d", alias, c.index)
	}
	out := &Source{Join: &Join{Left: left, Right: right, Outer: j.kind == "LEFT"}, Table: &Table{Columns: slices.Concat(left.Table.Columns, right.Table.Columns)}}
	out.Used = make([]bool, len(out.Table.Columns))
	both := slices.Concat(leftPlaced, rightPlaced)
	if j.using != nil {
		merged, ok := out.Join.usingKeys(j, leftPlaced, rightPlaced, width)
		return out, append([]*placed{merged}, both...), ok
	}
	on := *sc
	on.relations, on.parent = both, nil
	return out, both, a.joinedOn(j.on, out.Join, &on, width) && len(out.Join.LeftKeys) > 0
}

// usingKeys are the pairs of USING, each one column from then on.
func (j *Join) usingKeys(of join, left, right []*placed, width int) (*placed, bool) {
	merged := &placed{}
	for _, n := range of.using {
		l, err := one(of.place, n, left)
		if err != nil {
			return nil, false
		}
		r, err := one(of.place, n, right)
		if err != nil || !l.Type.equal(r.Type) || !j.pair(*l, *r, width) {
			return nil, false
		}
		c := *l
		c.merged = false
		merged.columns = append(merged.columns, c)
		l.merged, r.merged = true, true
	}
	return merged, true
}

// joinedOn takes the conditions of ON apart.
func (a *analyzer) joinedOn(e expression, j *Join, sc *scope, width int) bool {
	b, ok := e.(binary)
	if ok && b.operator == "AND" {
		return a.joinedOn(b.left, j, sc, width) && a.joinedOn(b.right, j, sc, width)
	}
	if ok && b.operator == "=" {
		l, found := a.columnOf(b.left, sc)
		r, also := a.columnOf(b.right, sc)
		if found && also {
			return j.pair(l, r, width)
		}
	}
	list, ok := a.comparison(e, sc)
	for _, c := range list {
		switch {
		case c.Column >= width:
			c.Column -= width
			j.Right.Where = append(j.Right.Where, c)
		case j.Outer:
			return false
		default:
			j.Left.Where = append(j.Left.Where, c)
		}
	}
	return ok
}

// columnOf is the column that a name is.
func (a *analyzer) columnOf(e expression, sc *scope) (placedColumn, bool) {
	n, ok := e.(name)
	if !ok {
		return placedColumn{}, false
	}
	c, used, err := sc.find(n)
	return c, err == nil && used == len(n.parts) && c.source != nil && c.Fault == nil
}

// pair adds two columns that must be equal, one of each side.
func (j *Join) pair(l, r placedColumn, width int) bool {
	if l.index >= width {
		l, r = r, l
	}
	if l.index >= width || r.index < width || l.Fault != nil || r.Fault != nil {
		return false
	}
	x, y := l.Type, r.Type
	same := x.isInteger() && y.isInteger() || x.Kind == Varchar && y.Kind == Varchar ||
		x.Kind == y.Kind && (x.Kind == Date || x.Kind == Timestamp || x.Kind == TimestampTZ || x.Kind == Decimal && x.Scale == y.Scale)
	if same {
		j.LeftKeys, j.RightKeys = append(j.LeftKeys, l.index), append(j.RightKeys, r.index-width)
	}
	return same
}
