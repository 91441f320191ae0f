package dialect

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrNoDatabase and ErrNoTable are what a [Catalog] answers where there is none.
var (
	ErrNoCatalog  = errors.New("no such catalog")
	ErrNoDatabase = errors.New("no such database")
	ErrNoTable    = errors.New("no such table")
)

// from writes FROM, and puts its relations into the scope.
func (a *analyzer) from(r relation, sc *scope) (string, error) {
	_, several := r.(join)
	if several && !sc.within() {
		to, alias := &source{}, a.alias("r")
		if s, relations, ok := a.fuse(r, sc, to, alias); ok {
			s.Name, to.Source = fmt.Sprintf("t%d", len(a.sources)), s
			a.sources = append(a.sources, to)
			sc.relations = append(sc.relations, relations...)
			return " FROM " + s.Name + " AS " + alias, nil
		}
	}
	sql, err := a.relation(r, sc, several || sc.within())
	return " FROM " + sql, err
}

// within reports whether a scope is in another one of relations: what stands there is perhaps
// read again for each row.
func (sc *scope) within() bool {
	for sc = sc.parent; sc != nil; sc = sc.parent {
		if len(sc.relations) > 0 {
			return true
		}
	}
	return false
}

func (a *analyzer) relation(r relation, sc *scope, again bool) (string, error) {
	switch r := r.(type) {
	case tableName:
		return a.table(r, sc, again)
	case derived:
		o, err := a.query(r.query, sc.outside(), false)
		if err != nil {
			return "", err
		}
		columns, err := renamed(r.place, o.columns, r.columns)
		if err != nil {
			return "", err
		}
		alias := a.alias("r")
		sc.put(alias, r.alias, columns)
		return once("("+o.whole()+")", again) + " AS " + alias, nil
	case unnest:
		return a.unnest(r, sc)
	}
	return a.join(r.(join), sc)
}

// outside is the scope around FROM: what stands in it does not see its neighbours.
func (sc *scope) outside() *scope { return &scope{parent: sc.parent, definitions: sc.definitions} }

// put makes columns of a query that was written known.
func (sc *scope) put(alias, name string, columns []Column) {
	p := &placed{alias: name}
	for i, c := range columns {
		p.columns = append(p.columns, placedColumn{Column: c, sql: fmt.Sprintf("%s.c%d", alias, i)})
	}
	sc.relations = append(sc.relations, p)
}

func (a *analyzer) table(n tableName, sc *scope, again bool) (string, error) {
	alias, shown := a.alias("r"), n.alias
	if shown == "" {
		shown = n.parts[len(n.parts)-1]
	}
	if d := a.define(sc, n.parts[0]); d != nil && len(n.parts) == 1 {
		columns, err := renamed(n.place, d.columns, n.columns)
		if err != nil {
			return "", err
		}
		sc.put(alias, shown, columns)
		return once(d.sql, again) + " AS " + alias, nil
	}
	t, database, err := a.find(n)
	if err != nil {
		return "", err
	}
	if t.View != nil {
		return a.viewed(n, t, alias, shown, database, again, sc)
	}
	s := &source{Source: &Source{Name: fmt.Sprintf("t%d", len(a.sources)), Table: t, Used: make([]bool, len(t.Columns))}}
	a.sources = append(a.sources, s)
	columns, err := renamed(n.place, s.Table.Columns, n.columns)
	if err != nil {
		return "", err
	}
	p := &placed{alias: shown}
	if n.alias == "" {
		p.database = database
	}
	for i, c := range columns {
		p.columns = append(p.columns, placedColumn{Column: c, sql: fmt.Sprintf("%s.c%d", alias, i), source: s, index: i})
	}
	sc.relations = append(sc.relations, p)
	if again {
		s.materialized = true
		return "m" + s.Name + " AS " + alias, nil
	}
	return s.Name + " AS " + alias, nil
}

// viewed puts a view into a scope, with the columns of it that are shown.
func (a *analyzer) viewed(n tableName, t *Table, alias, shown, database string, again bool, sc *scope) (string, error) {
	o, err := a.view(n, t)
	if err != nil {
		return "", err
	}
	p := &placed{alias: shown}
	if n.alias == "" {
		p.database = database
	}
	var columns []Column
	for i, c := range o.columns {
		if !slices.ContainsFunc(t.Columns, func(s Column) bool { return s.Name == c.Name }) {
			continue
		}
		columns = append(columns, c)
		p.columns = append(p.columns, placedColumn{Column: c, sql: fmt.Sprintf("%s.c%d", alias, i)})
	}
	if columns, err = renamed(n.place, columns, n.columns); err != nil {
		return "", err
	}
	for i, c := range columns {
		p.columns[i].Name = c.Name
	}
	sc.relations = append(sc.relations, p)
	return once("("+o.whole()+")", again) + " AS " + alias, nil
}

// once is a query that is computed once where what stands beside it asks for it again for each row:
// the engine would put its tables into the join, and read their files as often.
func once(sql string, again bool) string {
	if !again {
		return sql
	}
	return "(SELECT * FROM " + sql + " LIMIT -1)"
}

// find finds a table of the catalog.
func (a *analyzer) find(n tableName) (*Table, string, error) {
	catalog, database, table := "awsdatacatalog", a.session.Database, n.parts[len(n.parts)-1]
	if len(n.parts) > 1 {
		database = n.parts[len(n.parts)-2]
	}
	if len(n.parts) > 2 {
		catalog = n.parts[0]
	}
	if database == "" {
		return nil, "", n.fail("MISSING_SCHEMA_NAME", "Schema must be specified when session schema is not set")
	}
	if database == "information_schema" {
		return nil, "", n.lacking("information_schema")
	}
	if strings.Contains(table, "$") {
		return nil, "", n.lacking("the metadata table %s", table)
	}
	t, err := a.session.Catalog.Table(a.ctx, catalog, database, table)
	switch {
	case errors.Is(err, ErrNoCatalog):
		return nil, "", n.fail(CodeCatalog, "Catalog '%s' does not exist", catalog)
	case errors.Is(err, ErrNoDatabase):
		return nil, "", n.fail(CodeSchema, "Schema '%s' does not exist", database)
	case errors.Is(err, ErrNoTable):
		return nil, "", n.fail(CodeTable, "Table '%s.%s.%s' does not exist", catalog, database, table)
	case err != nil:
		return nil, "", err
	}
	if len(t.Columns) == 0 {
		// Not even its rows can be counted.
		return nil, "", n.fail(CodeColumn, "Relation contains no accessible columns")
	}
	return t, database, nil
}

func (a *analyzer) join(j join, sc *scope) (string, error) {
	first := len(sc.relations)
	left, err := a.relation(j.left, sc, true)
	if err != nil {
		return "", err
	}
	middle := len(sc.relations)
	if _, ok := j.right.(unnest); ok && j.kind != "CROSS" {
		return "", j.lacking("UNNEST in a %s JOIN", j.kind)
	}
	right, err := a.relation(j.right, sc, true)
	if err != nil {
		return "", err
	}
	if _, nested := j.right.(join); nested {
		right = "(" + right + ")"
	}
	if j.kind == "CROSS" {
		return left + " CROSS JOIN " + right, nil
	}
	sql := left + " " + j.kind + " JOIN " + right + " ON "
	both := *sc
	both.relations = sc.relations[first:]
	both.clause = "JOIN"
	if j.using == nil {
		on, err := a.condition(j.on, &both, "JOIN ON")
		return sql + on, err
	}
	on, err := a.using(j, sc, sc.relations[first:middle], sc.relations[middle:])
	return sql + on, err
}

// using writes USING: each of its columns is one column from then on.
func (a *analyzer) using(j join, sc *scope, left, right []*placed) (string, error) {
	var on []string
	merged := &placed{}
	for _, n := range j.using {
		l, err := one(j.place, n, left)
		if err != nil {
			return "", err
		}
		r, err := one(j.place, n, right)
		if err != nil {
			return "", err
		}
		l.use()
		r.use()
		x, y, t, err := compared(j.place, "=", typed{l.sql, l.Type}, typed{r.sql, r.Type})
		if err != nil {
			return "", err
		}
		on = append(on, x+" = "+y)
		c := placedColumn{Column: Column{Name: n, Type: t}, sql: x}
		switch j.kind {
		case "RIGHT":
			c.sql = y
		case "FULL":
			c.sql = "coalesce(" + x + ", " + y + ")"
		}
		merged.columns = append(merged.columns, c)
		l.merged, r.merged = true, true
	}
	// They stand first.
	at := len(sc.relations) - len(left) - len(right)
	rest := append([]*placed{merged}, sc.relations[at:]...)
	sc.relations = append(sc.relations[:at:at], rest...)
	return strings.Join(on, " AND "), nil
}

// one finds a column that USING names.
func one(at place, n string, in []*placed) (*placedColumn, error) {
	var found *placedColumn
	for _, r := range in {
		for i := range r.columns {
			if c := &r.columns[i]; c.Name == n && !c.merged {
				if found != nil {
					return nil, at.fail(CodeAmbiguous, "Column '%s' is ambiguous", n)
				}
				found = c
			}
		}
	}
	if found == nil {
		return nil, at.fail(CodeColumn, "Column '%s' is missing from one side of join", n)
	}
	return found, nil
}

func (a *analyzer) unnest(u unnest, sc *scope) (string, error) {
	if len(u.values) != 1 {
		return "", u.lacking("UNNEST of several values")
	}
	seen := *sc
	seen.clause = "UNNEST"
	x, err := a.expression(u.values[0], &seen)
	if err != nil {
		return "", err
	}
	alias := a.alias("r")
	value := alias + ".value"
	p := &placed{alias: u.alias}
	add := func(name, sql string, t Type) {
		p.columns = append(p.columns, placedColumn{Column: Column{Name: name, Type: t}, sql: sql})
	}
	switch {
	case x.t.Kind == Array && x.t.Of[0].Kind == Row:
		for i, of := range x.t.Of[0].Of {
			add(x.t.Of[0].Names[i], fmt.Sprintf("json_extract(%s, '$[%d]')", value, i), of)
		}
	case x.t.Kind == Array:
		add("_col0", value, x.t.Of[0])
	case x.t.Kind == Map:
		add("_col0", "json_extract("+value+", '$[0]')", x.t.Of[0])
		add("_col1", "json_extract("+value+", '$[1]')", x.t.Of[1])
	default:
		return "", u.fail(CodeMismatch, "Cannot unnest type: %s", x.t)
	}
	if u.ordinality {
		add("ordinality", "("+alias+".key + 1)", Type{Kind: Bigint})
	}
	if u.columns != nil {
		if len(u.columns) != len(p.columns) {
			return "", u.fail("MISMATCHED_COLUMN_ALIASES", "Column alias list has %d entries but '%s' has %d columns available", len(u.columns), u.alias, len(p.columns))
		}
		for i := range p.columns {
			p.columns[i].Name = u.columns[i]
		}
	}
	sc.relations = append(sc.relations, p)
	return "json_each(coalesce(" + x.sql + ", '[]')) AS " + alias, nil
}
