package dialect

import (
	"slices"
	"strconv"
	"strings"
)

// reserved are the words that no name is without quotation marks
// (https://docs.aws.amazon.com/athena/latest/ug/reserved-words.html).
var reserved = strings.Fields(`alter and as between by case cast constraint create cross cube current_date current_time current_timestamp
	current_user deallocate delete describe distinct drop else end escape except execute exists extract false for from full group
	grouping having in inner insert intersect into is join last left like listagg localtime localtimestamp natural normalize not null on
	or order outer prepare recursive right rollup select skip table then trim true uescape union unnest using values when where with`)

// notAlias are words that follow a relation or an expression and are not its alias.
var notAlias = strings.Fields(`limit offset fetch window filter over tablesample asc desc nulls`)

type parser struct {
	tokens []token
	// parameters are what question marks stand for.
	parameters []string
	used       int
	depth      int
}

const maxNesting = 200

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) next() token {
	t := p.tokens[0]
	if len(p.tokens) > 1 {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *parser) ahead(n int) token {
	if n < len(p.tokens) {
		return p.tokens[n]
	}
	return p.tokens[len(p.tokens)-1]
}

// is reports whether the next tokens are these words.
func (p *parser) is(words ...string) bool {
	for i, w := range words {
		if t := p.ahead(i); t.kind != word || t.text != w {
			return false
		}
	}
	return true
}

func (p *parser) isSymbol(s string) bool { t := p.peek(); return t.kind == symbol && t.text == s }

func (p *parser) take(words ...string) bool {
	if !p.is(words...) {
		return false
	}
	for range words {
		p.next()
	}
	return true
}

func (p *parser) takeSymbol(s string) bool {
	if !p.isSymbol(s) {
		return false
	}
	p.next()
	return true
}

func (p *parser) unexpected(expecting string) error {
	t := p.peek()
	shown := t.text
	if t.kind == end {
		shown = "<EOF>"
	}
	return t.fail(CodeSyntax, "mismatched input '%s'. Expecting: %s (what else Athena may read here is not in the local mesh)", shown, expecting)
}

func (p *parser) expect(words ...string) error {
	if !p.take(words...) {
		return p.unexpected("'" + strings.ToUpper(strings.Join(words, " ")) + "'")
	}
	return nil
}

func (p *parser) expectSymbol(s string) error {
	if !p.takeSymbol(s) {
		return p.unexpected("'" + s + "'")
	}
	return nil
}

func (p *parser) enter() error {
	p.depth++
	if p.depth > maxNesting {
		return p.peek().fail(CodeNotSupported, "a query that is nested this deep is not in the local mesh")
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// identifier reads a name.
func (p *parser) identifier() (string, error) {
	t := p.peek()
	if t.kind == quotedWord || t.kind == word && !slices.Contains(reserved, t.text) {
		p.next()
		return t.text, nil
	}
	return "", p.unexpected("<identifier>")
}

func (p *parser) identifiers() ([]string, error) {
	var all []string
	for {
		n, err := p.identifier()
		if err != nil {
			return nil, err
		}
		if all = append(all, n); !p.takeSymbol(",") {
			return all, nil
		}
	}
}

// inBrackets reads identifiers in brackets.
func (p *parser) inBrackets() ([]string, error) {
	if err := p.expectSymbol("("); err != nil {
		return nil, err
	}
	all, err := p.identifiers()
	if err != nil {
		return nil, err
	}
	return all, p.expectSymbol(")")
}

func (p *parser) dotted() ([]string, error) {
	var parts []string
	for {
		n, err := p.identifier()
		if err != nil {
			return nil, err
		}
		if parts = append(parts, n); !p.takeSymbol(".") {
			return parts, nil
		}
	}
}

// query reads a query with what it defines before, and how it is ordered and cut after.
func (p *parser) query() (*query, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	q := &query{place: p.peek().place}
	if p.take("with") {
		if p.is("recursive") {
			return nil, p.peek().lacking("WITH RECURSIVE")
		}
		for {
			n := named{place: p.peek().place}
			var err error
			if n.name, err = p.identifier(); err != nil {
				return nil, err
			}
			if p.isSymbol("(") {
				if n.columns, err = p.inBrackets(); err != nil {
					return nil, err
				}
			}
			if err = p.expect("as"); err != nil {
				return nil, err
			}
			if err = p.expectSymbol("("); err != nil {
				return nil, err
			}
			if n.query, err = p.query(); err != nil {
				return nil, err
			}
			if err = p.expectSymbol(")"); err != nil {
				return nil, err
			}
			q.with = append(q.with, n)
			if !p.takeSymbol(",") {
				break
			}
		}
	}
	var err error
	if q.body, err = p.union(); err != nil {
		return nil, err
	}
	if p.take("order", "by") {
		if q.order, err = p.sortItems(); err != nil {
			return nil, err
		}
	}
	return q, p.cut(q)
}

// cut reads OFFSET, and LIMIT or FETCH FIRST.
func (p *parser) cut(q *query) (err error) {
	if p.take("offset") {
		if q.offset, err = p.rowCount(); err != nil {
			return err
		}
		if !p.take("rows") {
			p.take("row")
		}
	}
	switch {
	case p.take("limit"):
		if p.take("all") {
			return nil
		}
		if q.limit, err = p.rowCount(); err != nil {
			return err
		}
	case p.take("fetch"):
		if !p.take("first") {
			if err := p.expect("next"); err != nil {
				return err
			}
		}
		q.limit = literal{place: p.peek().place, kind: "number", text: "1"}
		if !p.is("row") && !p.is("rows") {
			if q.limit, err = p.rowCount(); err != nil {
				return err
			}
		}
		if !p.take("rows") {
			if err := p.expect("row"); err != nil {
				return err
			}
		}
		if p.is("with") {
			return p.peek().lacking("FETCH FIRST WITH TIES")
		}
		return p.expect("only")
	}
	return nil
}

func (p *parser) rowCount() (expression, error) {
	t := p.peek()
	if p.isSymbol("?") {
		return p.parameter()
	}
	if t.kind != number || strings.Trim(t.text, "0123456789") != "" {
		return nil, p.unexpected("<integer>")
	}
	p.next()
	return literal{place: t.place, kind: "number", text: t.text}, nil
}

func (p *parser) sortItems() ([]sortItem, error) {
	var all []sortItem
	for {
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		s := sortItem{value: e}
		if p.take("desc") {
			s.descending = true
		} else {
			p.take("asc")
		}
		if p.take("nulls") {
			if p.take("first") {
				s.nullsFirst = true
			} else if err := p.expect("last"); err != nil {
				return nil, err
			}
		}
		if all = append(all, s); !p.takeSymbol(",") {
			return all, nil
		}
	}
}

// union reads what UNION and EXCEPT join; INTERSECT binds tighter.
func (p *parser) union() (body, error) {
	return p.operations(p.intersection, "union", "except")
}

func (p *parser) intersection() (body, error) { return p.operations(p.primaryBody, "intersect") }

func (p *parser) operations(operand func() (body, error), operators ...string) (body, error) {
	left, err := operand()
	if err != nil {
		return nil, err
	}
	for {
		t := p.peek()
		if t.kind != word || !slices.Contains(operators, t.text) {
			return left, nil
		}
		p.next()
		op := setOperation{place: t.place, operator: strings.ToUpper(t.text), left: left}
		if p.take("all") {
			op.all = true
		} else {
			p.take("distinct")
		}
		if op.right, err = operand(); err != nil {
			return nil, err
		}
		left = op
	}
}

func (p *parser) primaryBody() (body, error) {
	t := p.peek()
	switch {
	case p.takeSymbol("("):
		q, err := p.query()
		if err != nil {
			return nil, err
		}
		return bracketed{t.place, q}, p.expectSymbol(")")
	case p.is("table"):
		return nil, t.lacking("TABLE as a query")
	case p.take("values"):
		v := values{place: t.place}
		for {
			row, err := p.valuesRow()
			if err != nil {
				return nil, err
			}
			if v.rows = append(v.rows, row); !p.takeSymbol(",") {
				return v, nil
			}
		}
	case p.is("select"):
		return p.selection()
	}
	return nil, p.unexpected("'(', 'SELECT', 'TABLE', 'VALUES'")
}

func (p *parser) valuesRow() ([]expression, error) {
	if p.is("row") && p.ahead(1).kind == symbol && p.ahead(1).text == "(" {
		p.next()
	}
	if !p.takeSymbol("(") {
		e, err := p.expression()
		return []expression{e}, err
	}
	row, err := p.expressions()
	if err != nil {
		return nil, err
	}
	return row, p.expectSymbol(")")
}

func (p *parser) expressions() ([]expression, error) {
	var all []expression
	for {
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		if all = append(all, e); !p.takeSymbol(",") {
			return all, nil
		}
	}
}

func (p *parser) selection() (body, error) {
	s := selection{place: p.next().place}
	if p.take("distinct") {
		s.distinct = true
	} else {
		p.take("all")
	}
	for {
		item, err := p.selectItem()
		if err != nil {
			return nil, err
		}
		if s.items = append(s.items, item); !p.takeSymbol(",") {
			break
		}
	}
	var err error
	if p.take("from") {
		if s.from, err = p.relations(); err != nil {
			return nil, err
		}
	}
	if p.take("where") {
		if s.where, err = p.expression(); err != nil {
			return nil, err
		}
	}
	if p.take("group", "by") {
		if p.is("rollup") || p.is("cube") || p.is("grouping", "sets") {
			return nil, p.peek().lacking("GROUP BY %s", strings.ToUpper(p.peek().text))
		}
		p.take("all")
		if p.is("distinct") || p.is("auto") {
			return nil, p.peek().lacking("GROUP BY %s", strings.ToUpper(p.peek().text))
		}
		if s.group, err = p.expressions(); err != nil {
			return nil, err
		}
	}
	if p.take("having") {
		if s.having, err = p.expression(); err != nil {
			return nil, err
		}
	}
	if p.is("window") {
		return nil, p.peek().lacking("WINDOW")
	}
	return s, nil
}

func (p *parser) selectItem() (selectItem, error) {
	item := selectItem{place: p.peek().place}
	if p.takeSymbol("*") {
		item.star = true
		return item, nil
	}
	// r.* and s.r.*
	for n := 0; ; n += 2 {
		t := p.ahead(n)
		if t.kind != word && t.kind != quotedWord || p.ahead(n+1).text != "." || p.ahead(n+1).kind != symbol {
			break
		}
		if after := p.ahead(n + 2); after.kind == symbol && after.text == "*" {
			for range n/2 + 1 {
				item.qualifier = append(item.qualifier, p.next().text)
				p.next()
			}
			p.next()
			item.star = true
			return item, nil
		}
	}
	var err error
	if item.value, err = p.expression(); err != nil {
		return item, err
	}
	item.alias, err = p.alias()
	return item, err
}

// alias reads a name after something, if there is one.
func (p *parser) alias() (string, error) {
	if p.take("as") {
		return p.identifier()
	}
	t := p.peek()
	if t.kind == quotedWord || t.kind == word && !slices.Contains(reserved, t.text) && !slices.Contains(notAlias, t.text) {
		p.next()
		return t.text, nil
	}
	return "", nil
}

func (p *parser) relations() (relation, error) {
	left, err := p.joined()
	if err != nil {
		return nil, err
	}
	for p.isSymbol(",") {
		j := join{place: p.next().place, kind: "CROSS", left: left}
		if j.right, err = p.joined(); err != nil {
			return nil, err
		}
		left = j
	}
	return left, nil
}

func (p *parser) joined() (relation, error) {
	left, err := p.primaryRelation()
	if err != nil {
		return nil, err
	}
	for {
		j := join{place: p.peek().place, left: left}
		switch {
		case p.is("natural"):
			return nil, p.peek().lacking("NATURAL JOIN")
		case p.take("cross", "join"):
			j.kind = "CROSS"
		case p.take("inner", "join"), p.take("join"):
			j.kind = "INNER"
		case p.take("left", "outer", "join"), p.take("left", "join"):
			j.kind = "LEFT"
		case p.take("right", "outer", "join"), p.take("right", "join"):
			j.kind = "RIGHT"
		case p.take("full", "outer", "join"), p.take("full", "join"):
			j.kind = "FULL"
		default:
			return left, nil
		}
		if j.right, err = p.primaryRelation(); err != nil {
			return nil, err
		}
		switch {
		case j.kind == "CROSS":
		case p.take("on"):
			if j.on, err = p.expression(); err != nil {
				return nil, err
			}
		case p.take("using"):
			if j.using, err = p.inBrackets(); err != nil {
				return nil, err
			}
		default:
			return nil, p.unexpected("'ON', 'USING'")
		}
		left = j
	}
}

func (p *parser) primaryRelation() (relation, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	t := p.peek()
	switch {
	case p.is("lateral"):
		return nil, t.lacking("LATERAL")
	case p.is("unnest"):
		return p.unnest()
	case p.isSymbol("("):
		return p.inner()
	}
	parts, err := p.dotted()
	if err != nil {
		return nil, err
	}
	if len(parts) > 3 {
		return nil, t.fail(CodeSyntax, "Too many dots in table name")
	}
	if p.isSymbol("(") {
		return nil, t.lacking("a table function")
	}
	if p.is("for") {
		return nil, p.peek().lacking("FOR VERSION or FOR TIMESTAMP (time travel)")
	}
	n := tableName{place: t.place, parts: parts}
	if n.alias, n.columns, err = p.relationAlias(); err != nil {
		return nil, err
	}
	if p.is("tablesample") {
		return nil, p.peek().lacking("TABLESAMPLE")
	}
	return n, nil
}

// inner reads a query, or relations, in brackets.
func (p *parser) inner() (relation, error) {
	t := p.next()
	if p.opensQuery() {
		q, err := p.query()
		if err != nil {
			return nil, err
		}
		if err := p.expectSymbol(")"); err != nil {
			return nil, err
		}
		d := derived{place: t.place, query: q}
		d.alias, d.columns, err = p.relationAlias()
		return d, err
	}
	r, err := p.relations()
	if err != nil {
		return nil, err
	}
	return r, p.expectSymbol(")")
}

// opensQuery reports whether a query follows, perhaps after brackets.
func (p *parser) opensQuery() bool {
	n := 0
	for p.ahead(n).kind == symbol && p.ahead(n).text == "(" {
		n++
	}
	t := p.ahead(n)
	return t.kind == word && (t.text == "select" || t.text == "with" || t.text == "values")
}

func (p *parser) relationAlias() (alias string, columns []string, err error) {
	if alias, err = p.alias(); err != nil || alias == "" || !p.isSymbol("(") {
		return alias, nil, err
	}
	columns, err = p.inBrackets()
	return alias, columns, err
}

func (p *parser) unnest() (relation, error) {
	u := unnest{place: p.next().place}
	if err := p.expectSymbol("("); err != nil {
		return nil, err
	}
	var err error
	if u.values, err = p.expressions(); err != nil {
		return nil, err
	}
	if err := p.expectSymbol(")"); err != nil {
		return nil, err
	}
	u.ordinality = p.take("with", "ordinality")
	u.alias, u.columns, err = p.relationAlias()
	return u, err
}

// parameter reads a question mark.
func (p *parser) parameter() (expression, error) {
	t := p.next()
	if p.used >= len(p.parameters) {
		return nil, t.fail("INVALID_PARAMETER_USAGE", "Incorrect number of parameters: expected at least %d but found %d", p.used+1, len(p.parameters))
	}
	tokens, err := scan(p.parameters[p.used])
	if err != nil {
		return nil, err
	}
	p.used++
	inner := parser{tokens: tokens}
	e, err := inner.primary()
	if err != nil {
		return nil, err
	}
	if inner.peek().kind != end {
		return nil, t.fail("INVALID_PARAMETER_USAGE", "a parameter is more than one value")
	}
	switch e.(type) {
	case literal, cast:
		return e, nil
	}
	return nil, t.fail("INVALID_PARAMETER_USAGE", "a parameter is not a value")
}

func (p *parser) integer() (int, error) {
	t := p.peek()
	n, err := strconv.Atoi(t.text)
	if t.kind != number || err != nil {
		return 0, p.unexpected("<integer>")
	}
	p.next()
	return n, nil
}
