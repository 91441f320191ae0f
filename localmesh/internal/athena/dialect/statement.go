package dialect

import (
	"strings"
)

// Asked is a statement that is no query.
type Asked struct {
	// Kind is "SHOW DATABASES", "SHOW TABLES", "SHOW COLUMNS", "SHOW PARTITIONS", "DESCRIBE".
	Kind string
	// Catalog, Database and Table are what it names, as far as it does.
	Catalog, Database, Table string
	// Pattern is a text that names have to fit, with * for any text and | between several.
	Pattern string
}

// Statement is what kind of statement a query is, as Athena tells it.
type Statement string

// The kinds of statements.
const (
	DML     Statement = "DML"
	DDL     Statement = "DDL"
	Utility Statement = "UTILITY"
)

// KindOf tells what kind of statement a text is, whether or not it can be run.
func KindOf(sql string) (kind Statement, sub string) {
	tokens, err := scan(strings.ReplaceAll(sql, "`", `"`))
	if err != nil || tokens[0].kind == end {
		return DML, ""
	}
	first := tokens[0].text
	switch first {
	case "create", "drop", "alter", "msck", "grant", "revoke":
		what := tokens[min(1, len(tokens)-1):]
		if len(what) > 2 && first == "create" && what[0].text == "or" {
			what = what[2:]
		}
		for _, t := range tokens {
			if t.kind == word && t.text == "select" && first == "create" && what[0].text == "table" {
				return DDL, "CREATE_TABLE_AS_SELECT"
			}
		}
		second := ""
		if what[0].kind != end {
			second = "_" + strings.ToUpper(what[0].text)
		}
		return DDL, strings.ToUpper(first) + second
	case "show":
		return Utility, "SHOW_" + strings.ToUpper(tokens[min(1, len(tokens)-1)].text)
	case "describe", "desc":
		return Utility, "DESCRIBE_TABLE"
	case "explain":
		return Utility, "EXPLAIN"
	case "with", "(", "values":
		return DML, "SELECT"
	}
	return DML, strings.ToUpper(first)
}

// Read reads a statement. parameters are the values of its question marks, as SQL has them.
func Read(sql string, parameters []string) (*Query, error) {
	if kind, sub := KindOf(sql); kind == Utility || kind == DDL && sub != "CREATE_TABLE_AS_SELECT" && sub != "CREATE_VIEW" {
		// These are Hive's, whose names stand in backquotes.
		sql = strings.ReplaceAll(sql, "`", `"`)
	}
	tokens, err := scan(sql)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, parameters: parameters}
	q := &Query{}
	t := p.peek()
	switch {
	case p.opensQuery():
		if q.root, err = p.query(); err != nil {
			return nil, err
		}
	case p.writes():
		if q.Write, q.root, err = p.writing(sql); err != nil {
			return nil, err
		}
	case p.is("show"), p.is("describe"), p.is("desc"):
		if q.Asked, err = p.asked(); err != nil {
			return nil, err
		}
	case t.kind == end:
		return nil, t.fail(CodeSyntax, "mismatched input '<EOF>'. Expecting: a statement")
	default:
		return nil, refused(t, p)
	}
	p.takeSymbol(";")
	if p.peek().kind != end {
		if p.isSymbol(";") || len(p.tokens) > 1 && tokens[len(tokens)-len(p.tokens)-1].text == ";" {
			return nil, p.peek().fail(CodeSyntax, "Only one sql statement is allowed")
		}
		return nil, p.unexpected("<EOF>")
	}
	if p.used < len(parameters) {
		return nil, place{}.fail("INVALID_PARAMETER_USAGE", "Incorrect number of parameters: expected %d but found %d", p.used, len(parameters))
	}
	return q, nil
}

// refused is the error for a statement that is none of those that are there.
func refused(t token, p *parser) error {
	switch t.text {
	case "explain", "insert", "delete", "update", "merge", "unload", "create", "drop", "alter", "msck", "prepare", "execute", "deallocate",
		"optimize", "vacuum", "call", "use", "set", "analyze", "table", "grant", "revoke", "using", "start", "commit", "rollback", "refresh", "truncate":
		return t.lacking("the statement %s", strings.ToUpper(t.text))
	}
	return p.unexpected("a statement such as 'SELECT', 'WITH', 'VALUES', 'SHOW', 'DESCRIBE'")
}

func (p *parser) asked() (*Asked, error) {
	t := p.next()
	if t.text != "show" {
		p.take("table")
		p.take("extended")
		if p.is("formatted") {
			return nil, p.peek().lacking("DESCRIBE FORMATTED")
		}
		a := &Asked{Kind: "DESCRIBE"}
		return a, p.tableOf(a)
	}
	a := &Asked{}
	switch {
	case p.take("databases"), p.take("schemas"):
		a.Kind = "SHOW DATABASES"
	case p.take("tables"):
		a.Kind = "SHOW TABLES"
		if p.take("in") || p.take("from") {
			parts, err := p.dotted()
			if err != nil {
				return nil, err
			}
			a.Database = parts[len(parts)-1]
			if len(parts) > 1 {
				a.Catalog = parts[0]
			}
		}
	case p.take("columns"):
		a.Kind = "SHOW COLUMNS"
		if !p.take("in") {
			if err := p.expect("from"); err != nil {
				return nil, err
			}
		}
		if err := p.tableOf(a); err != nil {
			return nil, err
		}
		if p.take("in") || p.take("from") {
			n, err := p.identifier()
			a.Database = n
			return a, err
		}
		return a, nil
	case p.take("partitions"):
		a.Kind = "SHOW PARTITIONS"
		return a, p.tableOf(a)
	default:
		return nil, p.peek().lacking("SHOW %s", strings.ToUpper(p.peek().text))
	}
	like := p.take("like")
	if v := p.peek(); v.kind == text {
		a.Pattern = p.next().text
	} else if like {
		return nil, p.unexpected("<string>")
	}
	return a, nil
}

func (p *parser) tableOf(a *Asked) error {
	parts, err := p.dotted()
	if err != nil {
		return err
	}
	a.Table = parts[len(parts)-1]
	if len(parts) > 1 {
		a.Database = parts[len(parts)-2]
	}
	if len(parts) > 2 {
		a.Catalog = parts[len(parts)-3]
	}
	return nil
}
