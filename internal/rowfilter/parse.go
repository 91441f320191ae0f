package rowfilter

import "strings"

// maxDepth is how deep parentheses and NOTs may be nested. AWS says nothing of it; nobody
// reads deeper ones.
const maxDepth = 32

// maxNames is how many names a column may have: five levels, as AWS says of nested columns
// in a filter's list (https://docs.aws.amazon.com/lake-formation/latest/dg/data-filtering.html).
const maxNames = 5

// Parse reads a condition as it is written. It knows no table: see [Read].
func Parse(s string) (Expr, error) {
	tokens, err := lex(s)
	if err != nil {
		return nil, err
	}
	p := parser{tokens: tokens}
	if tokens[0].kind == end {
		return nil, refuse(ErrSyntax, tokens[0].at, "all rows are TRUE", "it is empty")
	}
	if tokens[0].is("TRUE") && tokens[1].kind == end {
		return All{}, nil
	}
	e, err := p.or(0)
	if err != nil {
		return nil, err
	}
	switch t := p.peek(); {
	case t.kind == end:
		return e, nil
	case t.kind == symbol && t.text == "," && tokens[p.next-1].kind == number:
		return nil, refuse(ErrSyntax, t.at, "digits have a point before a fraction, and nothing between thousands", "a comma, expected AND, OR or the end")
	}
	return nil, p.unexpected("AND, OR or the end")
}

type parser struct {
	tokens []token
	next   int
}

func (p *parser) peek() token { return p.tokens[p.next] }

// accept passes a keyword, if it is the next token.
func (p *parser) accept(keyword string) bool {
	if !p.peek().is(keyword) {
		return false
	}
	p.next++
	return true
}

func (p *parser) acceptSymbol(s string) bool {
	if t := p.peek(); t.kind != symbol || t.text != s {
		return false
	}
	p.next++
	return true
}

func (p *parser) unexpected(expected string) error {
	return refuse(ErrSyntax, p.peek().at, "", "%s, expected %s", p.peek(), expected)
}

func (p *parser) or(depth int) (Expr, error) {
	terms, err := p.terms("OR", func() (Expr, error) {
		terms, err := p.terms("AND", func() (Expr, error) { return p.not(depth) })
		if err != nil || len(terms) > 1 {
			return And{terms}, err
		}
		return terms[0], nil
	})
	if err != nil || len(terms) > 1 {
		return Or{terms}, err
	}
	return terms[0], nil
}

func (p *parser) terms(with string, term func() (Expr, error)) ([]Expr, error) {
	var terms []Expr
	for {
		e, err := term()
		if err != nil {
			return nil, err
		}
		if terms = append(terms, e); !p.accept(with) {
			return terms, nil
		}
	}
}

func (p *parser) not(depth int) (Expr, error) {
	at := p.peek().at
	if depth > maxDepth {
		return nil, refuse(ErrTooLong, at, "", "nested more than %d deep", maxDepth)
	}
	if p.accept("NOT") {
		e, err := p.not(depth + 1)
		return Not{e}, err
	}
	if !p.acceptSymbol("(") {
		return p.simple()
	}
	e, err := p.or(depth + 1)
	if err != nil {
		return nil, err
	}
	if !p.acceptSymbol(")") {
		return nil, p.unexpected("AND, OR or )")
	}
	return e, nil
}

func (p *parser) simple() (Expr, error) {
	column, err := p.column()
	if err != nil {
		return nil, err
	}
	operator := p.peek()
	if operator.kind == symbol {
		if op, ok := operators[operator.text]; ok {
			p.next++
			v, err := p.constant()
			return Compare{column, op, v}, err
		}
	}
	switch {
	case p.accept("IS"):
		negated := p.accept("NOT")
		if !p.accept("NULL") {
			return nil, p.unexpected("NULL")
		}
		return IsNull{column, negated}, nil
	default:
		negated := p.accept("NOT")
		switch {
		case p.accept("BETWEEN"):
			return p.between(column, negated)
		case p.accept("IN"):
			return p.in(column, negated)
		case p.accept("LIKE"):
			return p.like(column, negated)
		case negated:
			return nil, p.unexpected("BETWEEN, IN or LIKE")
		case operator.kind == symbol && operator.text == "(":
			return nil, refuse(ErrSyntax, column.At, "there are no functions", "%s is not a column", column)
		}
		return nil, p.unexpected("a comparison, such as = or IN, after the column " + column.String())
	}
}

var operators = map[string]Op{
	"=": Equal, "<>": NotEqual, "!=": NotEqual, "<": Less, "<=": LessOrEqual, ">": Greater, ">=": GreaterOrEqual,
}

func (p *parser) between(column Path, negated bool) (Expr, error) {
	low, err := p.constant()
	if err != nil {
		return nil, err
	}
	if !p.accept("AND") {
		return nil, p.unexpected("AND and the other end of BETWEEN")
	}
	high, err := p.constant()
	return Between{column, negated, low, high}, err
}

func (p *parser) in(column Path, negated bool) (Expr, error) {
	if !p.acceptSymbol("(") {
		return nil, p.unexpected("( and constants")
	}
	e := In{Column: column, Not: negated}
	for {
		v, err := p.constant()
		if err != nil {
			return nil, err
		}
		e.Values = append(e.Values, v)
		if p.acceptSymbol(")") {
			return e, nil
		}
		if !p.acceptSymbol(",") {
			return nil, p.unexpected("a comma or )")
		}
	}
}

func (p *parser) like(column Path, negated bool) (Expr, error) {
	t := p.peek()
	if t.kind != text {
		return nil, p.unexpected("a pattern in single quotes")
	}
	p.next++
	if strings.Contains(t.text, `\`) {
		return nil, refuse(ErrSyntax, t.at, `Redshift takes \ for an escape, and Athena for a character`, "a pattern with a backslash")
	}
	if next := p.peek(); next.is("ESCAPE") {
		return nil, refuse(ErrSyntax, next.at, "", "Lake Formation documents no ESCAPE")
	}
	return Like{column, negated, Constant{Text, t.text, t.at}}, nil
}

// column reads the name of a column, with those of its fields.
func (p *parser) column() (Path, error) {
	path := Path{At: p.peek().at}
	for {
		t := p.peek()
		switch {
		case t.kind == quotedName:
			path.Names = append(path.Names, Name{t.text, true})
		case t.kind == word && !keywords[strings.ToLower(t.text)]:
			path.Names = append(path.Names, Name{t.text, false})
		default:
			return path, p.noColumn(t)
		}
		p.next++
		if len(path.Names) > maxNames {
			return path, refuse(ErrTooLong, path.At, "", "a column nested more than %d deep", maxNames)
		}
		if !p.acceptSymbol(".") {
			return path, nil
		}
	}
}

// noColumn tells why a token is not the name of a column, in the words that help.
func (p *parser) noColumn(t token) error {
	next := p.tokens[min(p.next+1, len(p.tokens)-1)]
	switch {
	case t.is("TRUE") || t.is("FALSE"):
		return refuse(ErrSyntax, t.at, "TRUE is a condition by itself; a boolean column is compared: active = TRUE", "%s, expected a column", t)
	case t.kind == text || t.kind == number:
		return refuse(ErrSyntax, t.at, "the column stands before the operator, and a name in double quotes", "%s, expected a column", t)
	case t.kind == word && next.kind == symbol && next.text == "(":
		return refuse(ErrSyntax, t.at, "there are no functions", "%s, expected a column", t)
	case t.kind == word:
		return refuse(ErrSyntax, t.at, `a column of this name is "`+strings.ToLower(t.text)+`"`, "the keyword %s, expected a column", strings.ToUpper(t.text))
	}
	return p.unexpected("a column")
}

// constant reads a constant.
func (p *parser) constant() (Constant, error) {
	t := p.peek()
	c := Constant{Text: t.text, At: t.at}
	switch {
	case t.kind == text:
	case t.kind == number:
		c.Kind = Number
	case t.is("TRUE") || t.is("FALSE"):
		c.Kind, c.Text = Boolean, strings.ToUpper(t.text)
	case t.is("NULL") || t.is("MISSING"):
		return c, refuse(ErrSyntax, t.at, "IS NULL, IS NOT NULL", "nothing equals %s", strings.ToUpper(t.text))
	case t.is("DATE") || t.is("TIME") || t.is("TIMESTAMP"):
		return c, refuse(ErrType, t.at, "", "Lake Formation supports no %s in row filters", strings.ToUpper(t.text))
	case t.kind == quotedName:
		return c, refuse(ErrSyntax, t.at, "a string stands in single quotes", "%s is a name, expected a constant", t)
	case t.kind == word:
		return c, refuse(ErrSyntax, t.at, "a string stands in single quotes; there are no functions, and columns are not compared with columns",
			"%s, expected a constant", t)
	case t.kind == symbol && t.text == "." && p.tokens[min(p.next+1, len(p.tokens)-1)].kind == number:
		return c, refuse(ErrSyntax, t.at, "write 0."+p.tokens[p.next+1].text, "a number without a digit before the point")
	default:
		return c, p.unexpected("a constant")
	}
	p.next++
	if after := p.peek(); after.kind == number && strings.HasPrefix(after.text, "-") {
		return c, refuse(ErrSyntax, after.at, "there is no arithmetic", "a second number")
	}
	return c, nil
}
