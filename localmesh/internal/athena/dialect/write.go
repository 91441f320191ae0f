package dialect

import (
	"errors"
	"slices"
	"strings"
)

// Writing is a statement that changes the catalog or writes data.
type Writing struct {
	// Kind is "CREATE TABLE AS", "CREATE VIEW", "UNLOAD", "CREATE DATABASE", "DROP DATABASE",
	// "DROP TABLE", "DROP VIEW" or "SET TBLPROPERTIES".
	Kind string
	// Catalog, Database and Name are what it names, as far as it does.
	Catalog, Database, Name string
	// Replace is OR REPLACE; Lenient is IF EXISTS or IF NOT EXISTS.
	Replace, Lenient bool
	// Cascade is that of DROP DATABASE.
	Cascade bool
	// Empty is set for WITH NO DATA.
	Empty bool
	// Properties are those of WITH and of TBLPROPERTIES, in lower case for WITH. A list has several values.
	Properties map[string][]string
	// To is the location of UNLOAD and of CREATE DATABASE.
	To string
	// Comment is that of a database or a view.
	Comment string
	// Text is a view's query.
	Text string
}

// writes reports whether a statement that writes follows, of those that are there.
func (p *parser) writes() bool {
	switch {
	case p.is("unload"), p.is("drop", "table"), p.is("drop", "view"), p.is("alter", "table"):
		return true
	case p.is("create", "database"), p.is("create", "schema"), p.is("drop", "database"), p.is("drop", "schema"):
		return true
	case p.is("create", "view"), p.is("create", "or", "replace", "view"), p.is("create", "table"):
		return true
	}
	return false
}

// writing reads a statement that writes. sql is the whole text, of which a view keeps its query.
func (p *parser) writing(sql string) (*Writing, *query, error) {
	w := &Writing{}
	t := p.next()
	switch t.text {
	case "unload":
		return p.unload(w)
	case "alter":
		return w, nil, p.alter(w)
	case "drop":
		kind := p.next().text
		w.Kind = "DROP " + strings.ToUpper(kind)
		w.Lenient = p.take("if", "exists")
		if kind == "database" || kind == "schema" {
			w.Kind = "DROP DATABASE"
			if err := p.databaseOf(w); err != nil {
				return nil, nil, err
			}
			if w.Cascade = p.take("cascade"); !w.Cascade {
				p.take("restrict")
			}
			return w, nil, nil
		}
		return w, nil, p.named(w)
	}
	switch w.Replace = p.take("or", "replace"); p.next().text {
	case "database", "schema":
		return w, nil, p.createDatabase(w)
	case "view":
		q, err := p.createView(w, sql)
		return w, q, err
	}
	q, err := p.createTable(w)
	return w, q, err
}

func (p *parser) named(w *Writing) error {
	a := &Asked{}
	err := p.tableOf(a)
	w.Catalog, w.Database, w.Name = a.Catalog, a.Database, a.Table
	return err
}

func (p *parser) databaseOf(w *Writing) error {
	parts, err := p.dotted()
	if err != nil {
		return err
	}
	if w.Database = parts[len(parts)-1]; len(parts) > 1 {
		w.Catalog = parts[0]
	}
	return nil
}

func (p *parser) createDatabase(w *Writing) error {
	w.Kind = "CREATE DATABASE"
	w.Lenient = p.take("if", "not", "exists")
	if err := p.databaseOf(w); err != nil {
		return err
	}
	var err error
	if p.take("comment") {
		if w.Comment, err = p.text(); err != nil {
			return err
		}
	}
	if p.take("location") {
		if w.To, err = p.text(); err != nil {
			return err
		}
	}
	if p.is("with") {
		return p.peek().lacking("WITH DBPROPERTIES")
	}
	return nil
}

func (p *parser) text() (string, error) {
	if p.peek().kind != text {
		return "", p.unexpected("<string>")
	}
	return p.next().text, nil
}

func (p *parser) createView(w *Writing, sql string) (*query, error) {
	w.Kind = "CREATE VIEW"
	if err := p.named(w); err != nil {
		return nil, err
	}
	if p.take("comment") {
		var err error
		if w.Comment, err = p.text(); err != nil {
			return nil, err
		}
	}
	if p.is("security") {
		return nil, p.peek().lacking("SECURITY of a view")
	}
	if err := p.expect("as"); err != nil {
		return nil, err
	}
	w.Text = strings.TrimSuffix(strings.TrimSpace(after(sql, p.peek().place)), ";")
	if len(p.parameters) > 0 {
		return nil, p.peek().fail(CodeNotSupported, "a view has no parameters")
	}
	return p.query()
}

// after is the text from a place on.
func after(sql string, from place) string {
	line, column := 1, 1
	for i, r := range sql {
		if line == from.line && column == from.column {
			return sql[i:]
		}
		if column++; r == '\n' {
			line, column = line+1, 1
		}
	}
	return ""
}

func (p *parser) createTable(w *Writing) (*query, error) {
	w.Kind = "CREATE TABLE AS"
	w.Lenient = p.take("if", "not", "exists")
	if err := p.named(w); err != nil {
		return nil, err
	}
	if p.isSymbol("(") {
		return nil, p.peek().lacking("CREATE TABLE with columns")
	}
	if p.take("with") {
		var err error
		if w.Properties, err = p.properties(); err != nil {
			return nil, err
		}
	}
	if err := p.expect("as"); err != nil {
		return nil, err
	}
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	if p.take("with", "no", "data") {
		w.Empty = true
	} else {
		p.take("with", "data")
	}
	return q, nil
}

// properties reads WITH's, in brackets.
func (p *parser) properties() (map[string][]string, error) {
	if err := p.expectSymbol("("); err != nil {
		return nil, err
	}
	all := map[string][]string{}
	for {
		n, err := p.identifier()
		if err != nil {
			return nil, err
		}
		if err := p.expectSymbol("="); err != nil {
			return nil, err
		}
		if _, again := all[n]; again {
			return nil, p.peek().fail("DUPLICATE_PROPERTY", "Duplicate property: %s", n)
		}
		if all[n], err = p.propertyValue(); err != nil {
			return nil, err
		}
		if !p.takeSymbol(",") {
			return all, p.expectSymbol(")")
		}
	}
}

func (p *parser) propertyValue() ([]string, error) {
	one := func() (string, error) {
		switch t := p.peek(); {
		case t.kind == text, t.kind == number, t.kind == word && (t.text == "true" || t.text == "false"):
			return p.next().text, nil
		}
		return "", p.unexpected("a value")
	}
	if !p.is("array") {
		v, err := one()
		return []string{v}, err
	}
	p.next()
	if err := p.expectSymbol("["); err != nil {
		return nil, err
	}
	list := []string{}
	for !p.takeSymbol("]") {
		v, err := one()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if !p.takeSymbol(",") {
			return list, p.expectSymbol("]")
		}
	}
	return list, nil
}

func (p *parser) unload(w *Writing) (*Writing, *query, error) {
	w.Kind = "UNLOAD"
	if err := p.expectSymbol("("); err != nil {
		return nil, nil, err
	}
	q, err := p.query()
	if err != nil {
		return nil, nil, err
	}
	if err := p.expectSymbol(")"); err != nil {
		return nil, nil, err
	}
	if err := p.expect("to"); err != nil {
		return nil, nil, err
	}
	if w.To, err = p.text(); err != nil {
		return nil, nil, err
	}
	if p.take("with") {
		w.Properties, err = p.properties()
	}
	return w, q, err
}

func (p *parser) alter(w *Writing) error {
	w.Kind = "SET TBLPROPERTIES"
	p.next()
	if err := p.named(w); err != nil {
		return err
	}
	if !p.take("set", "tblproperties") {
		return p.peek().lacking("ALTER TABLE %s", strings.ToUpper(p.peek().text))
	}
	if err := p.expectSymbol("("); err != nil {
		return err
	}
	w.Properties = map[string][]string{}
	for {
		key, err := p.text()
		if err != nil {
			return err
		}
		if err := p.expectSymbol("="); err != nil {
			return err
		}
		value, err := p.text()
		if err != nil {
			return err
		}
		w.Properties[key] = []string{value}
		if !p.takeSymbol(",") {
			return p.expectSymbol(")")
		}
	}
}

// Property is the one value of a property, or what stands for it.
func (w *Writing) Property(name, otherwise string) string {
	if v := w.Properties[name]; len(v) == 1 {
		return v[0]
	}
	return otherwise
}

// Unknown are the properties that are none of those named.
func (w *Writing) Unknown(known ...string) []string {
	var all []string
	for n := range w.Properties {
		if !slices.Contains(known, n) {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// Hive is the type as the Data Catalog has it, and whether it is one there.
func (t Type) Hive() (string, bool) {
	switch t.Kind {
	case Boolean, Tinyint, Smallint, Bigint, Double, Date, Decimal, Char:
		return t.String(), true
	case Integer:
		return "int", true
	case Real:
		return "float", true
	case Varchar:
		if t.Precision > 0 {
			return t.String(), true
		}
		return "string", true
	case Varbinary:
		return "binary", true
	case Timestamp:
		return "timestamp", true
	case Array, Map:
		var of []string
		for _, o := range t.Of {
			h, ok := o.Hive()
			if !ok {
				return "", false
			}
			of = append(of, h)
		}
		return strings.ToLower(t.Name()) + "<" + strings.Join(of, ",") + ">", true
	case Row:
		var fields []string
		for i, o := range t.Of {
			h, ok := o.Hive()
			if !ok || t.Names[i] == "" {
				return "", false
			}
			fields = append(fields, t.Names[i]+":"+h)
		}
		return "struct<" + strings.Join(fields, ",") + ">", true
	}
	return "", false
}

// View is a view's query, and what it is read in.
type View struct {
	Text     string
	Database string
	// Columns are the names that it had when it was made.
	Columns []string
}

// maxViews bounds how many views stand one behind the other.
const maxViews = 16

// view writes a view as its query, read with the rights of whoever asks
// (https://docs.aws.amazon.com/athena/latest/ug/lf-athena-limitations.html#lf-athena-limitations-permissions-to-views).
func (a *analyzer) view(n tableName, t *Table) (output, error) {
	shown := strings.Join(n.parts, ".")
	read, err := Read(t.View.Text, nil)
	if err != nil || read.root == nil || read.Write != nil {
		return output{}, n.fail("INVALID_VIEW", "Failed parsing stored view '%s', or it is not in the local mesh: %v", shown, err)
	}
	if a.views++; a.views > maxViews {
		return output{}, n.fail("INVALID_VIEW", "the view '%s' is defined by itself, or views stand more than %d deep", shown, maxViews)
	}
	outer := a.session.Database
	a.session.Database = t.View.Database
	o, err := a.query(read.root, nil, false)
	a.session.Database = outer
	a.views--
	if err != nil {
		var own *Error
		if errors.As(err, &own) && own.Code != CodeNotSupported {
			return o, n.fail(own.Code, "Failed analyzing stored view '%s': %s", shown, own.Message)
		}
		return o, err
	}
	if len(o.columns) != len(t.View.Columns) {
		return o, n.fail("VIEW_IS_STALE", "View '%s' is stale or in invalid state: it has %d columns, and its query %d", shown, len(t.View.Columns), len(o.columns))
	}
	for i, c := range o.columns {
		if !strings.EqualFold(c.Name, t.View.Columns[i]) {
			return o, n.fail("VIEW_IS_STALE", "View '%s' is stale or in invalid state: column [%s] of its query is named %s", shown, t.View.Columns[i], c.Name)
		}
	}
	return o, nil
}
