package glue

// https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html

import (
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// nullPartition is how Hive and Spark write a partition value that is NULL.
const nullPartition = "__HIVE_DEFAULT_PARTITION__"

// truth is SQL's three-valued logic: what is compared with NULL is unknown, and
// only what is true is selected.
type truth int8

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

// A filter is a parsed partition expression: the part of SQL's WHERE that
// GetPartitions takes.
type filter struct {
	root node
	keys int
}

// matches tells whether a partition with these values is selected.
func (f *filter) matches(values []string) bool {
	return len(values) == f.keys && f.root.eval(values) == yes
}

// span is a range of values of the first partition key.
type span struct {
	low, high string
	// bounded is set when there is an upper bound.
	bounded bool
}

// both is what is in both spans.
func (a span) both(b span) span {
	a.low = max(a.low, b.low)
	if b.bounded && (!a.bounded || b.high < a.high) {
		a.high, a.bounded = b.high, true
	}
	return a
}

// span is a range in which the first key of all that is selected lies, so that what
// is outside of it need not be looked at. Partitions are in the order of texts,
// which is that of numbers and dates only by chance.
func (f *filter) span() span { return spanOf(f.root) }

func spanOf(n node) span {
	switch n := n.(type) {
	case andNode:
		return spanOf(n.left).both(spanOf(n.right))
	case rangeNode:
		return spanOf(n.low).both(spanOf(n.high))
	case compareNode:
		if n.key != 0 || n.typ != typeString {
			return span{}
		}
		text := n.literal.text
		switch n.op {
		case "=":
			return span{low: text, high: text, bounded: true}
		case ">", ">=":
			return span{low: text}
		case "<", "<=":
			return span{high: text, bounded: true}
		}
	}
	return span{}
}

// node is a condition of the expression.
type node interface{ eval(values []string) truth }

type (
	andNode  struct{ left, right node }
	orNode   struct{ left, right node }
	notNode  struct{ of node }
	nullNode struct{ key int }
	inNode   struct{ compares []compareNode } // any of them: IN
	likeNode struct {
		key     int
		pattern string
	}
	rangeNode   struct{ low, high compareNode } // both of them: BETWEEN
	compareNode struct {
		key     int
		typ     keyType
		op      string
		literal value
	}
)

func (n andNode) eval(v []string) truth { return min(n.left.eval(v), n.right.eval(v)) }
func (n orNode) eval(v []string) truth  { return max(n.left.eval(v), n.right.eval(v)) }
func (n notNode) eval(v []string) truth { return yes - n.of.eval(v) }

func (n nullNode) eval(v []string) truth { return truthOf(v[n.key] == nullPartition) }

func (n inNode) eval(v []string) truth {
	result := no
	for _, c := range n.compares {
		result = max(result, c.eval(v))
	}
	return result
}

func (n rangeNode) eval(v []string) truth { return min(n.low.eval(v), n.high.eval(v)) }

func (n likeNode) eval(v []string) truth {
	if v[n.key] == nullPartition {
		return unknown
	}
	return truthOf(like(n.pattern, v[n.key]))
}

func (n compareNode) eval(v []string) truth {
	if v[n.key] == nullPartition {
		return unknown
	}
	left, ok := n.typ.parse(v[n.key])
	if !ok {
		// A stored value that is not of its key's type is no value.
		return unknown
	}
	order := left.compare(n.literal)
	switch n.op {
	case "=":
		return truthOf(order == 0)
	case "<>":
		return truthOf(order != 0)
	case "<":
		return truthOf(order < 0)
	case "<=":
		return truthOf(order <= 0)
	case ">":
		return truthOf(order > 0)
	default:
		return truthOf(order >= 0)
	}
}

// like matches SQL's LIKE: % stands for any text, _ for any character.
func like(pattern, text string) bool {
	star, from := -1, 0
	p, t := 0, 0
	for t < len(text) {
		if p < len(pattern) && pattern[p] == '%' {
			star, from = p, t
			p++
			continue
		}
		if p < len(pattern) {
			pr, pn := utf8.DecodeRuneInString(pattern[p:])
			tr, tn := utf8.DecodeRuneInString(text[t:])
			if pr == '_' || pr == tr {
				p, t = p+pn, t+tn
				continue
			}
		}
		if star < 0 {
			return false
		}
		_, n := utf8.DecodeRuneInString(text[from:])
		from += n
		p, t = star+1, from
	}
	for p < len(pattern) && pattern[p] == '%' {
		p++
	}
	return p == len(pattern)
}

// keyType is how the values of a partition key compare.
type keyType int

const (
	typeString keyType = iota
	typeNumber
	typeDate
	typeTimestamp
)

// typeOf finds the type of a partition key. AWS refuses an expression when any of
// the table's keys, not only those it names, has a type that is not in its list.
func typeOf(column state.Column) (keyType, error) {
	name, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(column.Type)), "(")
	switch strings.TrimSpace(name) {
	case "string", "char", "varchar":
		return typeString, nil
	case "int", "integer", "bigint", "long", "tinyint", "smallint", "decimal":
		return typeNumber, nil
	case "date":
		return typeDate, nil
	case "timestamp":
		return typeTimestamp, nil
	}
	return 0, fmt.Errorf("unsupported expression: the type %q of the partition key %s cannot be filtered on", column.Type, column.Name)
}

// value is a literal, or a partition's value read by its key's type.
type value struct {
	text   string
	number *big.Rat
	time   time.Time
	typ    keyType
}

func (a value) compare(b value) int {
	switch a.typ {
	case typeNumber:
		return a.number.Cmp(b.number)
	case typeDate, typeTimestamp:
		return a.time.Compare(b.time)
	}
	return strings.Compare(a.text, b.text)
}

// parse reads a value of the type.
func (t keyType) parse(text string) (value, bool) {
	switch t {
	case typeNumber:
		n, ok := parseNumber(text)
		return value{number: n, typ: t}, ok
	case typeDate:
		d, err := time.Parse("2006-01-02", text)
		return value{time: d, typ: t}, err == nil
	case typeTimestamp:
		for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02"} {
			if d, err := time.Parse(layout, text); err == nil {
				return value{time: d, typ: t}, true
			}
		}
		return value{}, false
	}
	return value{text: text}, true
}

// maxDigits bounds a number: decimals have at most 38 digits.
const maxDigits = 64

// parseNumber reads an integer or a decimal without exponent, which could ask for
// any amount of memory.
func parseNumber(text string) (*big.Rat, bool) {
	if len(text) > maxDigits || text == "" || strings.Trim(text, "+-.0123456789") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// token is a word, a sign or a literal of an expression.
type token struct {
	kind tokenKind
	text string
	at   int
}

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenWord
	tokenName // a quoted identifier
	tokenText
	tokenNumber
	tokenSign
)

func (t token) String() string {
	if t.kind == tokenEnd {
		return "the end"
	}
	return fmt.Sprintf("%q at %d", t.text, t.at)
}

// scan cuts an expression into tokens.
func scan(expression string) ([]token, error) {
	var tokens []token
	for i := 0; i < len(expression); {
		c := expression[i]
		start := i
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case c == '\'' || c == '"' || c == '`':
			text, next, ok := quoted(expression, i)
			if !ok {
				return nil, fmt.Errorf("a quote at %d that is not closed", i)
			}
			kind := tokenName
			if c == '\'' {
				kind = tokenText
			}
			tokens = append(tokens, token{kind, text, start})
			i = next
			continue
		case c >= '0' && c <= '9' || c == '.' || (c == '-' || c == '+') && i+1 < len(expression) && digit(expression[i+1]):
			i++
			for i < len(expression) && (digit(expression[i]) || expression[i] == '.') {
				i++
			}
			tokens = append(tokens, token{tokenNumber, expression[start:i], start})
			continue
		case strings.IndexByte("(),", c) >= 0:
			i++
		case strings.IndexByte("=<>!", c) >= 0:
			i++
			for i < len(expression) && strings.IndexByte("=<>", expression[i]) >= 0 {
				i++
			}
		default:
			r, n := utf8.DecodeRuneInString(expression[i:])
			if r != '_' && !unicode.IsLetter(r) {
				return nil, fmt.Errorf("unexpected %q at %d", r, i)
			}
			for i < len(expression) && (r == '_' || r == '-' || r == '$' || unicode.IsLetter(r) || unicode.IsDigit(r)) {
				i += n
				r, n = utf8.DecodeRuneInString(expression[i:])
			}
			tokens = append(tokens, token{tokenWord, expression[start:i], start})
			continue
		}
		tokens = append(tokens, token{tokenSign, expression[start:i], start})
	}
	return append(tokens, token{kind: tokenEnd, at: len(expression)}), nil
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// quoted reads a quoted text from i on; the quote doubled stands for itself.
func quoted(expression string, i int) (text string, next int, ok bool) {
	quote := expression[i]
	var b strings.Builder
	for i++; i < len(expression); i++ {
		if expression[i] != quote {
			b.WriteByte(expression[i])
			continue
		}
		if i+1 < len(expression) && expression[i+1] == quote {
			b.WriteByte(quote)
			i++
			continue
		}
		return b.String(), i + 1, true
	}
	return "", 0, false
}

// parseFilter reads a partition expression for a table with these partition keys.
func parseFilter(expression string, keys []state.Column) (*filter, error) {
	types := make([]keyType, len(keys))
	names := make(map[string]int, len(keys))
	for i, k := range keys {
		t, err := typeOf(k)
		if err != nil {
			return nil, err
		}
		types[i], names[state.Fold(k.Name)] = t, i
	}
	tokens, err := scan(expression)
	if err != nil {
		return nil, err
	}
	p := &filterParser{tokens: tokens, types: types, names: names}
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokenEnd {
		return nil, fmt.Errorf("unexpected %v", t)
	}
	return &filter{root: root, keys: len(keys)}, nil
}

type filterParser struct {
	tokens []token
	types  []keyType
	names  map[string]int
}

func (p *filterParser) peek() token { return p.tokens[0] }

func (p *filterParser) next() token {
	t := p.tokens[0]
	if t.kind != tokenEnd {
		p.tokens = p.tokens[1:]
	}
	return t
}

// word takes the keyword if it is next.
func (p *filterParser) word(keyword string) bool {
	if t := p.peek(); t.kind == tokenWord && strings.EqualFold(t.text, keyword) {
		p.next()
		return true
	}
	return false
}

// sign takes the sign if it is next.
func (p *filterParser) sign(sign string) bool {
	if t := p.peek(); t.kind == tokenSign && t.text == sign {
		p.next()
		return true
	}
	return false
}

func (p *filterParser) or() (node, error) {
	left, err := p.and()
	for err == nil && p.word("or") {
		var right node
		right, err = p.and()
		left = orNode{left, right}
	}
	return left, err
}

func (p *filterParser) and() (node, error) {
	left, err := p.not()
	for err == nil && p.word("and") {
		var right node
		right, err = p.not()
		left = andNode{left, right}
	}
	return left, err
}

func (p *filterParser) not() (node, error) {
	if p.word("not") {
		of, err := p.not()
		return notNode{of}, err
	}
	if p.sign("(") {
		inner, err := p.or()
		if err != nil {
			return nil, err
		}
		if !p.sign(")") {
			return nil, fmt.Errorf("expected ) before %v", p.peek())
		}
		return inner, nil
	}
	return p.predicate()
}

// flipped are the comparisons with their sides exchanged.
func flipped(op string) string {
	switch op {
	case "<":
		return ">"
	case "<=":
		return ">="
	case ">":
		return "<"
	case ">=":
		return "<="
	}
	return op
}

func (p *filterParser) predicate() (node, error) {
	if t := p.peek(); t.kind == tokenText || t.kind == tokenNumber {
		literal := p.next()
		op, err := p.operator()
		if err != nil {
			return nil, err
		}
		key, err := p.key()
		if err != nil {
			return nil, err
		}
		return p.compare(key, flipped(op), literal)
	}
	key, err := p.key()
	if err != nil {
		return nil, err
	}
	if p.word("is") {
		negated := p.word("not")
		if !p.word("null") {
			return nil, fmt.Errorf("expected NULL before %v", p.peek())
		}
		return negate(nullNode{key}, negated), nil
	}
	negated := p.word("not")
	switch {
	case p.word("in"):
		n, err := p.in(key)
		return negate(n, negated), err
	case p.word("between"):
		n, err := p.between(key)
		return negate(n, negated), err
	case p.word("like"):
		t := p.next()
		if t.kind != tokenText {
			return nil, fmt.Errorf("expected a quoted pattern, not %v", t)
		}
		if p.types[key] != typeString {
			return nil, fmt.Errorf("LIKE is for keys of type string")
		}
		return negate(likeNode{key, t.text}, negated), nil
	case negated:
		return nil, fmt.Errorf("expected IN, BETWEEN or LIKE before %v", p.peek())
	}
	op, err := p.operator()
	if err != nil {
		return nil, err
	}
	return p.compare(key, op, p.next())
}

func negate(n node, negated bool) node {
	if negated {
		return notNode{n}
	}
	return n
}

func (p *filterParser) in(key int) (node, error) {
	if !p.sign("(") {
		return nil, fmt.Errorf("expected ( before %v", p.peek())
	}
	var list inNode
	for {
		c, err := p.compare(key, "=", p.next())
		if err != nil {
			return nil, err
		}
		list.compares = append(list.compares, c)
		if p.sign(",") {
			continue
		}
		if !p.sign(")") {
			return nil, fmt.Errorf("expected ) before %v", p.peek())
		}
		return list, nil
	}
}

func (p *filterParser) between(key int) (node, error) {
	low, err := p.compare(key, ">=", p.next())
	if err != nil {
		return nil, err
	}
	if !p.word("and") {
		return nil, fmt.Errorf("expected AND before %v", p.peek())
	}
	high, err := p.compare(key, "<=", p.next())
	if err != nil {
		return nil, err
	}
	return rangeNode{low, high}, nil
}

// operator reads a comparison, which may have spaces inside as in "< >".
func (p *filterParser) operator() (string, error) {
	t := p.next()
	op := t.text
	if t.kind == tokenSign && (op == "<" || op == ">" || op == "!") {
		if n := p.peek(); n.kind == tokenSign && (n.text == "=" || n.text == ">") {
			op += p.next().text
		}
	}
	switch {
	case t.kind != tokenSign:
	case op == "!=":
		return "<>", nil
	case op == "=", op == "<>", op == "<", op == "<=", op == ">", op == ">=":
		return op, nil
	}
	return "", fmt.Errorf("expected a comparison, not %v", t)
}

// key reads the name of a partition key.
func (p *filterParser) key() (int, error) {
	t := p.next()
	if t.kind != tokenWord && t.kind != tokenName {
		return 0, fmt.Errorf("expected the name of a partition key, not %v", t)
	}
	i, ok := p.names[state.Fold(t.text)]
	if !ok {
		return 0, fmt.Errorf("%q is not a partition key", t.text)
	}
	return i, nil
}

// compare makes the comparison of a key with a literal. A string key takes only
// quoted literals: what AWS makes of an unquoted one is not documented.
func (p *filterParser) compare(key int, op string, literal token) (compareNode, error) {
	typ := p.types[key]
	if literal.kind == tokenWord && (strings.EqualFold(literal.text, "date") && typ == typeDate ||
		strings.EqualFold(literal.text, "timestamp") && typ == typeTimestamp) {
		literal = p.next()
		if literal.kind != tokenText {
			return compareNode{}, fmt.Errorf("expected a quoted text, not %v", literal)
		}
	}
	if literal.kind != tokenText && (literal.kind != tokenNumber || typ != typeNumber) {
		return compareNode{}, fmt.Errorf("%v is not a value of the key's type", literal)
	}
	v, ok := typ.parse(literal.text)
	if !ok {
		return compareNode{}, fmt.Errorf("%v is not a value of the key's type", literal)
	}
	return compareNode{key: key, typ: typ, op: op, literal: v}, nil
}
