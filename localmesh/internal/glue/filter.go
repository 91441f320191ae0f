package glue

// https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// nullPartition is how Hive and Spark write a partition value that is NULL. To the
// catalog it is a text: IS NULL never finds it, and a string key is compared with it
// (https://github.com/trinodb/trino/issues/13150, https://github.com/aws/aws-sdk/issues/670).
// A key of another type is not comparable where it stands; that this is no error, as
// another text that is not of the key's type is one, is a reading.
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

// matches tells whether a partition with these values is selected. A value that is
// looked at has to be of its key's type.
func (f *filter) matches(values []string) (bool, error) {
	if len(values) != f.keys {
		return false, nil
	}
	t, err := f.root.eval(values)
	return t == yes, err
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
type node interface {
	eval(values []string) (truth, error)
}

type (
	andNode  struct{ left, right node }
	orNode   struct{ left, right node }
	notNode  struct{ of node }
	nullNode struct{}                         // IS NULL
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

func (n andNode) eval(v []string) (truth, error) {
	left, err := n.left.eval(v)
	if err != nil || left == no {
		return no, err
	}
	right, err := n.right.eval(v)
	return min(left, right), err
}

func (n orNode) eval(v []string) (truth, error) {
	left, err := n.left.eval(v)
	if err != nil || left == yes {
		return left, err
	}
	right, err := n.right.eval(v)
	return max(left, right), err
}

func (n notNode) eval(v []string) (truth, error) {
	of, err := n.of.eval(v)
	return yes - of, err
}

// No value of a partition is NULL.
func (nullNode) eval([]string) (truth, error) { return no, nil }

func (n inNode) eval(v []string) (truth, error) {
	result := no
	for _, c := range n.compares {
		t, err := c.eval(v)
		if err != nil {
			return no, err
		}
		result = max(result, t)
	}
	return result, nil
}

func (n rangeNode) eval(v []string) (truth, error) { return andNode{n.low, n.high}.eval(v) }

func (n likeNode) eval(v []string) (truth, error) { return truthOf(like(n.pattern, v[n.key])), nil }

func (n compareNode) eval(v []string) (truth, error) {
	left, why := n.typ.parse(v[n.key])
	if why != "" {
		if v[n.key] == nullPartition {
			return unknown, nil
		}
		return no, engine.Errorf("InvalidStateException", "%s", why)
	}
	order := left.compare(n.literal)
	switch n.op {
	case "=":
		return truthOf(order == 0), nil
	case "<>":
		return truthOf(order != 0), nil
	case "<":
		return truthOf(order < 0), nil
	case "<=":
		return truthOf(order <= 0), nil
	case ">":
		return truthOf(order > 0), nil
	default:
		return truthOf(order >= 0), nil
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
	typeInteger
	typeDecimal
	typeDate
	typeTimestamp
)

func (t keyType) String() string {
	return [...]string{"String", "Integral", "Decimal", "Date", "Timestamp"}[t]
}

// typeOf finds the type of a partition key. AWS compares keys of few types.
func typeOf(column state.Column) (keyType, error) {
	name, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(column.Type)), "(")
	switch strings.TrimSpace(name) {
	case "string", "char", "varchar":
		return typeString, nil
	case "int", "integer", "bigint", "long", "tinyint", "smallint":
		return typeInteger, nil
	case "decimal":
		return typeDecimal, nil
	case "date":
		return typeDate, nil
	case "timestamp":
		return typeTimestamp, nil
	}
	return 0, invalid("Unknown type : '%s'", column.Type)
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
	case typeInteger, typeDecimal:
		return a.number.Cmp(b.number)
	case typeDate, typeTimestamp:
		return a.time.Compare(b.time)
	}
	return strings.Compare(a.text, b.text)
}

// Numbers and times as AWS reads them. The length of numbers is bounded, and so is
// what an exponent may ask for.
var (
	integerText   = regexp.MustCompile(`^[+-]?[0-9]{1,64}$`)
	decimalText   = regexp.MustCompile(`^[+-]?([0-9]{1,64}\.?[0-9]{0,64}|\.[0-9]{1,64})([eE][+-]?[0-9]{1,3})?$`)
	timestampText = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?$`)
)

// parse reads a value of the type, or says in AWS's words why it is none.
func (t keyType) parse(text string) (v value, why string) {
	v = value{text: text, typ: t}
	var ok bool
	var err error
	switch t {
	case typeInteger:
		if integerText.MatchString(text) {
			v.number, ok = new(big.Rat).SetString(text)
		}
		if !ok {
			return v, fmt.Sprintf("For input string: \"%s\" is not an integer.", text)
		}
	case typeDecimal:
		if decimalText.MatchString(text) {
			v.number, ok = new(big.Rat).SetString(text)
		}
		if !ok {
			return v, text + " is not a decimal."
		}
	case typeDate:
		if v.time, err = time.Parse(time.DateOnly, text); err != nil {
			return v, text + " is not a date."
		}
	case typeTimestamp:
		v.time, err = time.Parse(time.DateTime, text)
		if err != nil || !timestampText.MatchString(text) {
			return v, "Timestamp format must be yyyy-mm-dd hh:mm:ss[.fffffffff] " + text + " is not a timestamp."
		}
	case typeString:
	}
	return v, ""
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
			i += exponent(expression[i:])
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

// exponent is how long the exponent is that a text begins with.
func exponent(text string) int {
	n := 1
	if text == "" || text[0] != 'e' && text[0] != 'E' {
		return 0
	}
	if n < len(text) && (text[n] == '+' || text[n] == '-') {
		n++
	}
	digits := n
	for n < len(text) && digit(text[n]) {
		n++
	}
	if n == digits {
		return 0
	}
	return n
}

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
	root, err := (&filterParser{keys: keys}).parse(expression)
	var refusal *engine.APIError
	if err != nil && !errors.As(err, &refusal) {
		err = invalid("Unsupported expression '%s': %v", expression, err)
	}
	return &filter{root: root, keys: len(keys)}, err
}

type filterParser struct {
	tokens []token
	keys   []state.Column
}

func (p *filterParser) parse(expression string) (node, error) {
	var err error
	if p.tokens, err = scan(expression); err != nil {
		return nil, err
	}
	root, err := p.or()
	if t := p.peek(); err == nil && t.kind != tokenEnd {
		err = fmt.Errorf("unexpected %v", t)
	}
	return root, err
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

// enclosed tells how many parentheses are around the token that comes next, if each
// is closed right after it: any operand may stand in them, and so may AND and OR.
func (p *filterParser) enclosed() int {
	n := 0
	for p.tokens[n].kind == tokenSign && p.tokens[n].text == "(" {
		n++
	}
	for i := range n {
		// The last token is the end.
		at := n + 1 + i
		if at >= len(p.tokens) || p.tokens[at].kind != tokenSign || p.tokens[at].text != ")" {
			return 0
		}
	}
	return n
}

// bare is the next token without parentheses around it.
func (p *filterParser) bare() token {
	n := p.enclosed()
	t := p.tokens[n]
	if t.kind == tokenEnd {
		return t
	}
	p.tokens = p.tokens[2*n+1:]
	return t
}

// joint takes AND or OR if it is next.
func (p *filterParser) joint(keyword string) bool {
	if t := p.tokens[p.enclosed()]; t.kind == tokenWord && strings.EqualFold(t.text, keyword) {
		p.bare()
		return true
	}
	return false
}

func (p *filterParser) or() (node, error) {
	left, err := p.and()
	for err == nil && p.joint("or") {
		var right node
		right, err = p.and()
		left = orNode{left, right}
	}
	return left, err
}

func (p *filterParser) and() (node, error) {
	left, err := p.not()
	for err == nil && p.joint("and") {
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
	if p.enclosed() == 0 && p.sign("(") {
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
	if t := p.tokens[p.enclosed()]; t.kind == tokenText || t.kind == tokenNumber {
		literal := p.bare()
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
		return negate(nullNode{}, negated), nil
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
		t := p.bare()
		if t.kind != tokenText {
			return nil, fmt.Errorf("expected a quoted pattern, not %v", t)
		}
		if key.typ != typeString {
			return nil, invalid("%v data type doesn't support operation 'LIKE'", key.typ)
		}
		return negate(likeNode{key.at, t.text}, negated), nil
	case negated:
		return nil, fmt.Errorf("expected IN, BETWEEN or LIKE before %v", p.peek())
	}
	op, err := p.operator()
	if err != nil {
		return nil, err
	}
	return p.compare(key, op, p.bare())
}

func negate(n node, negated bool) node {
	if negated {
		return notNode{n}
	}
	return n
}

func (p *filterParser) in(key keyed) (node, error) {
	if !p.sign("(") {
		return nil, fmt.Errorf("expected ( before %v", p.peek())
	}
	var list inNode
	for {
		c, err := p.compare(key, "=", p.bare())
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

func (p *filterParser) between(key keyed) (node, error) {
	low, err := p.compare(key, ">=", p.bare())
	if err != nil {
		return nil, err
	}
	if !p.joint("and") {
		return nil, fmt.Errorf("expected AND before %v", p.peek())
	}
	high, err := p.compare(key, "<=", p.bare())
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

// keyed is a partition key as it is compared.
type keyed struct {
	at  int
	typ keyType
}

// key reads the name of a partition key.
func (p *filterParser) key() (keyed, error) {
	t := p.bare()
	if t.kind != tokenWord && t.kind != tokenName {
		return keyed{}, fmt.Errorf("expected the name of a partition key, not %v", t)
	}
	name := state.Fold(t.text)
	i := slices.IndexFunc(p.keys, func(k state.Column) bool { return state.Fold(k.Name) == name })
	if i < 0 {
		return keyed{}, invalid("Invalid partition expression!")
	}
	typ, err := typeOf(p.keys[i])
	return keyed{i, typ}, err
}

// compare makes the comparison of a key with a literal, which is read by the key's
// type, quoted or not.
func (p *filterParser) compare(key keyed, op string, literal token) (compareNode, error) {
	typ := key.typ
	if literal.kind == tokenWord && (strings.EqualFold(literal.text, "date") && typ == typeDate ||
		strings.EqualFold(literal.text, "timestamp") && typ == typeTimestamp) {
		if literal = p.next(); literal.kind != tokenText {
			return compareNode{}, fmt.Errorf("expected a quoted text, not %v", literal)
		}
	}
	if literal.kind != tokenText && literal.kind != tokenNumber {
		return compareNode{}, fmt.Errorf("%v is no value", literal)
	}
	v, why := typ.parse(literal.text)
	if why != "" {
		return compareNode{}, invalid("%s", why)
	}
	return compareNode{key: key.at, typ: typ, op: op, literal: v}, nil
}
