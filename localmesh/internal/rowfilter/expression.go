package rowfilter

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Column is a column of the table that rows are chosen from.
type Column struct {
	Name, Type string
	// Partition is set for a partition key.
	Partition bool
}

// Expression chooses rows of a table.
type Expression struct{ root node }

// Parse reads an expression for a table with these columns, as
// https://docs.aws.amazon.com/lake-formation/latest/dg/partiql-support.html describes
// them: comparisons of a column with constants of its type, joined with AND, OR and
// NOT. TRUE alone chooses every row.
func Parse(text string, columns []Column) (*Expression, error) {
	if All(text) {
		return &Expression{constant(yes)}, nil
	}
	tokens, err := scan(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, columns: columns}
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != end {
		return nil, fmt.Errorf("unexpected %v", t)
	}
	return &Expression{root}, nil
}

// All reports whether an expression is TRUE, which chooses every row.
func All(text string) bool { return strings.EqualFold(strings.TrimSpace(text), "true") }

// Row is a row of a table: the text of the value at a path, or false for NULL.
type Row func(path Path) (string, bool)

// Chooses reports whether the expression chooses the row. What is neither true nor
// false, because a value is NULL, does not choose it.
func (e *Expression) Chooses(row Row) bool { return e.root.eval(row) == yes }

// Paths are the columns, and the fields of them, that the expression asks for.
func (e *Expression) Paths() []Path { return pathsOf(e.root, nil) }

func pathsOf(n node, all []Path) []Path {
	switch n := n.(type) {
	case both:
		return pathsOf(n.right, pathsOf(n.left, all))
	case either:
		return pathsOf(n.right, pathsOf(n.left, all))
	case not:
		return pathsOf(n.of, all)
	case isNull:
		return append(all, n.path)
	case compared:
		return append(all, n.path)
	case likeness:
		return append(all, n.path)
	}
	return all
}

// truth is SQL's: true, false or neither.
type truth int

const (
	no truth = iota
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

type node interface{ eval(row Row) truth }

type (
	constant truth
	both     struct{ left, right node }
	either   struct{ left, right node }
	not      struct{ of node }
	isNull   struct{ path Path }
	compared struct {
		path    Path
		numbers bool
		op      string
		with    string
	}
	likeness struct {
		path    Path
		pattern string
	}
)

func (n constant) eval(Row) truth { return truth(n) }
func (n both) eval(r Row) truth   { return min(n.left.eval(r), n.right.eval(r)) }
func (n either) eval(r Row) truth { return max(n.left.eval(r), n.right.eval(r)) }
func (n not) eval(r Row) truth    { return yes - n.of.eval(r) }

func (n isNull) eval(r Row) truth {
	_, ok := r(n.path)
	return truthOf(!ok)
}

func (n compared) eval(r Row) truth {
	v, ok := r(n.path)
	if !ok {
		return unknown
	}
	c := strings.Compare(v, n.with)
	if n.numbers {
		a, isNumber := new(big.Rat).SetString(v)
		b, alsoNumber := new(big.Rat).SetString(n.with)
		if !isNumber || !alsoNumber {
			return unknown
		}
		c = a.Cmp(b)
	}
	switch n.op {
	case "=":
		return truthOf(c == 0)
	case "<":
		return truthOf(c < 0)
	case "<=":
		return truthOf(c <= 0)
	case ">":
		return truthOf(c > 0)
	case ">=":
		return truthOf(c >= 0)
	}
	return truthOf(c != 0)
}

func (n likeness) eval(r Row) truth {
	v, ok := r(n.path)
	if !ok {
		return unknown
	}
	return truthOf(like(n.pattern, v))
}

// like matches SQL's patterns: % is any text, _ any character.
func like(pattern, text string) bool {
	if pattern == "" {
		return text == ""
	}
	p, n := utf8.DecodeRuneInString(pattern)
	if p == '%' {
		for i := range text {
			if like(pattern[n:], text[i:]) {
				return true
			}
		}
		return like(pattern[n:], "")
	}
	t, m := utf8.DecodeRuneInString(text)
	return m > 0 && (p == '_' || p == t) && like(pattern[n:], text[m:])
}

type tokenKind int

const (
	end tokenKind = iota
	word
	name
	text
	number
	sign
)

type token struct {
	kind tokenKind
	text string
	at   int
}

// String is the token as errors name it.
func (t token) String() string {
	if t.kind == end {
		return "the end"
	}
	return fmt.Sprintf("%q at %d", t.text, t.at)
}

// scan cuts an expression into tokens.
func scan(expression string) ([]token, error) {
	var tokens []token
	for i := 0; i < len(expression); {
		rest := expression[i:]
		r, size := utf8.DecodeRuneInString(rest)
		kind, length := sign, size
		content := ""
		switch {
		case unicode.IsSpace(r):
			i += size
			continue
		case r == '\'' || r == '"':
			inner, after, ok := quoted(rest)
			if !ok {
				return nil, fmt.Errorf("a quote at %d that is not closed", i)
			}
			kind, length, content = name, len(rest)-len(after), inner
			if r == '\'' {
				kind = text
			}
		case r >= '0' && r <= '9' || (r == '-' || r == '+') && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9':
			kind = number
			length = 1 + strings.IndexFunc(rest[1:]+" ", func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
			content = rest[:length]
		case r == '_' || unicode.IsLetter(r):
			kind = word
			length = strings.IndexFunc(rest+" ", func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
			content = rest[:length]
		case strings.ContainsRune("(),.", r):
			content = rest[:1]
		case strings.ContainsRune("=<>!", r):
			length = strings.IndexFunc(rest+" ", func(r rune) bool { return !strings.ContainsRune("=<>!", r) })
			content = rest[:length]
		default:
			return nil, fmt.Errorf("unexpected %q at %d", r, i)
		}
		tokens = append(tokens, token{kind, content, i})
		i += length
	}
	return append(tokens, token{kind: end, at: len(expression)}), nil
}

type parser struct {
	tokens  []token
	columns []Column
}

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) next() token {
	t := p.tokens[0]
	if t.kind != end {
		p.tokens = p.tokens[1:]
	}
	return t
}

// is takes a keyword or a sign if it comes next.
func (p *parser) is(kind tokenKind, what string) bool {
	if t := p.peek(); t.kind != kind || !strings.EqualFold(t.text, what) {
		return false
	}
	p.next()
	return true
}

func (p *parser) or() (node, error) {
	left, err := p.and()
	for err == nil && p.is(word, "or") {
		var right node
		right, err = p.and()
		left = either{left, right}
	}
	return left, err
}

func (p *parser) and() (node, error) {
	left, err := p.not()
	for err == nil && p.is(word, "and") {
		var right node
		right, err = p.not()
		left = both{left, right}
	}
	return left, err
}

func (p *parser) not() (node, error) {
	if p.is(word, "not") {
		n, err := p.not()
		return not{n}, err
	}
	if p.is(sign, "(") {
		n, err := p.or()
		if err == nil && !p.is(sign, ")") {
			err = fmt.Errorf("want a closing parenthesis before %v", p.peek())
		}
		return n, err
	}
	return p.predicate()
}

// operand is the column on the left of an operator.
type operand struct {
	path      Path
	kind      kind
	typ       string
	partition bool
}

func (p *parser) predicate() (node, error) {
	o, err := p.operand()
	if err != nil {
		return nil, err
	}
	if p.is(word, "is") {
		negated := p.is(word, "not")
		if !p.is(word, "null") {
			return nil, fmt.Errorf("want NULL instead of %v", p.peek())
		}
		if o.partition {
			return nil, fmt.Errorf("IS NULL is not supported for the partition key %s", o.path)
		}
		return negate(isNull{o.path}, negated), nil
	}
	if o.kind == composite {
		return nil, fmt.Errorf("the struct %s cannot be compared, its fields can", o.path)
	}
	negated := p.is(word, "not")
	var n node
	switch {
	case p.is(word, "between"):
		n, err = p.between(o)
	case p.is(word, "in"):
		n, err = p.in(o)
	case p.is(word, "like"):
		n, err = p.like(o)
	case negated:
		return nil, fmt.Errorf("want BETWEEN, IN or LIKE instead of %v", p.peek())
	default:
		t := p.next()
		if t.kind != sign || !slices.Contains([]string{"=", "<", ">", "<=", ">=", "<>", "!="}, t.text) {
			return nil, fmt.Errorf("want an operator instead of %v", t)
		}
		n, err = p.comparison(o, t.text)
	}
	if err != nil {
		return nil, err
	}
	return negate(n, negated), nil
}

func negate(n node, negated bool) node {
	if negated {
		return not{n}
	}
	return n
}

func (p *parser) between(o operand) (node, error) {
	low, err := p.comparison(o, ">=")
	if err != nil {
		return nil, err
	}
	if !p.is(word, "and") {
		return nil, fmt.Errorf("want AND instead of %v", p.peek())
	}
	high, err := p.comparison(o, "<=")
	return both{low, high}, err
}

func (p *parser) in(o operand) (node, error) {
	if !p.is(sign, "(") {
		return nil, fmt.Errorf("want a parenthesis instead of %v", p.peek())
	}
	list, err := p.comparison(o, "=")
	for err == nil && p.is(sign, ",") {
		var one node
		one, err = p.comparison(o, "=")
		list = either{list, one}
	}
	if err == nil && !p.is(sign, ")") {
		err = fmt.Errorf("want a closing parenthesis before %v", p.peek())
	}
	return list, err
}

func (p *parser) like(o operand) (node, error) {
	t := p.next()
	if o.kind != characters || t.kind != text {
		return nil, fmt.Errorf("LIKE compares text with a pattern in single quotes, at %d", t.at)
	}
	return likeness{o.path, t.text}, nil
}

// comparison reads a constant of the operand's type.
func (p *parser) comparison(o operand, op string) (node, error) {
	t := p.next()
	fits := false
	switch o.kind {
	case characters:
		fits = t.kind == text
	case integer:
		fits = t.kind == number && !strings.Contains(t.text, ".")
	case fraction:
		fits = t.kind == number
	case truthValue:
		fits = t.kind == word && (strings.EqualFold(t.text, "true") || strings.EqualFold(t.text, "false"))
		t.text = strings.ToLower(t.text)
	}
	if !fits {
		return nil, fmt.Errorf("the column %s of the type %s is not compared with %v", o.path, o.typ, t)
	}
	if t.kind == number {
		if _, ok := new(big.Rat).SetString(t.text); !ok {
			return nil, fmt.Errorf("%v is no number", t)
		}
	}
	return compared{path: o.path, numbers: t.kind == number, op: op, with: t.text}, nil
}

// operand reads a column, or a field of one, and what can be done with it.
func (p *parser) operand() (operand, error) {
	var path Path
	first := p.peek()
	for {
		t := p.next()
		switch {
		case t.kind == word && slices.Contains(keywords, strings.ToLower(t.text)):
			return operand{}, fmt.Errorf("%v is a keyword, and as a column's name needs double quotes", t)
		case t.kind != word && t.kind != name:
			return operand{}, fmt.Errorf("want a column instead of %v", t)
		}
		path = append(path, strings.ToLower(t.text))
		if !p.is(sign, ".") {
			break
		}
	}
	i := slices.IndexFunc(p.columns, func(c Column) bool { return strings.EqualFold(c.Name, path[0]) })
	if i < 0 {
		return operand{}, fmt.Errorf("there is no column %v", first)
	}
	c := p.columns[i]
	if c.Partition && len(path) > 1 {
		return operand{}, fmt.Errorf("fields of the partition key %s cannot be used", c.Name)
	}
	t, ok := ParseType(c.Type).Find(path[1:])
	if !ok {
		return operand{}, fmt.Errorf("there is no field %s", path)
	}
	k := kindOf(t)
	if k == unsupported {
		return operand{}, fmt.Errorf("the type %s of %s is not supported in row filters", t.Text, path)
	}
	return operand{path: path, kind: k, typ: t.Text, partition: c.Partition}, nil
}

type kind int

const (
	unsupported kind = iota
	characters
	integer
	fraction
	truthValue
	composite
)

// kindOf is what of the documented types a type is. Dates, times, binaries, arrays and
// maps are not among them, nor are the integers that are smaller than INT.
func kindOf(t Type) kind {
	base, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(t.Text)), "(")
	switch base {
	case "string", "char", "varchar":
		return characters
	case "int", "long", "bigint":
		return integer
	case "float", "double", "decimal":
		return fraction
	case "boolean":
		return truthValue
	}
	if strings.HasPrefix(base, "struct<") {
		return composite
	}
	return unsupported
}

// Supports reports whether rows can be chosen by a column of the type.
func Supports(typ string) bool { return kindOf(ParseType(typ)) != unsupported }
