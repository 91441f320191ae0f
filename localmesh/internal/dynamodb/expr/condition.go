package expr

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
)

// Condition is a condition or a filter: something an item meets or does not.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
type Condition struct {
	root  node
	paths []Path
}

// Condition parses a condition or a filter.
func (s *Scope) Condition(kind Kind, text string) (*Condition, error) {
	p, err := s.parser(kind, text)
	if err != nil {
		return nil, err
	}
	root, err := p.condition()
	if err != nil {
		return nil, p.wrap(err)
	}
	c := &Condition{root: root}
	root.visit(func(o operand) {
		if path, ok := o.(pathOperand); ok {
			c.paths = append(c.paths, path.path)
		}
	})
	return c, nil
}

// Meets says whether the item meets the condition. An item that does not
// exist is an item without attributes.
func (c *Condition) Meets(item value.Item) bool { return c.root.meets(item) }

// Attributes gives the top-level attributes that the condition reads.
func (c *Condition) Attributes() []string {
	names := make([]string, len(c.paths))
	for i, path := range c.paths {
		names[i] = path.Attribute()
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// node is a part of a condition.
type node interface {
	meets(item value.Item) bool
	// visit calls see for the operands below, in the order of the text.
	visit(see func(operand))
}

type and struct{ left, right node }

func (n and) meets(item value.Item) bool { return n.left.meets(item) && n.right.meets(item) }
func (n and) visit(see func(operand))    { n.left.visit(see); n.right.visit(see) }

type or struct{ left, right node }

func (n or) meets(item value.Item) bool { return n.left.meets(item) || n.right.meets(item) }
func (n or) visit(see func(operand))    { n.left.visit(see); n.right.visit(see) }

type not struct{ inner node }

func (n not) meets(item value.Item) bool { return !n.inner.meets(item) }
func (n not) visit(see func(operand))    { n.inner.visit(see) }

// Operators and functions, as errors name them.
const (
	opEqual          = "="
	opNotEqual       = "<>"
	opLess           = "<"
	opLessOrEqual    = "<="
	opGreater        = ">"
	opGreaterOrEqual = ">="
	opBetween        = "BETWEEN"
	opIn             = "IN"
	fnExists         = "attribute_exists"
	fnNotExists      = "attribute_not_exists"
	fnType           = "attribute_type"
	fnBeginsWith     = "begins_with"
	fnContains       = "contains"
	fnSize           = "size"
)

// test is a comparison, or a function that is true or false.
type test struct {
	operator string
	operands []operand
}

func (n test) visit(see func(operand)) {
	for _, o := range n.operands {
		for {
			size, ok := o.(sizeOperand)
			if !ok {
				break
			}
			o = size.of
		}
		see(o)
	}
}

func (n test) meets(item value.Item) bool {
	first, ok := n.operands[0].eval(item)
	switch n.operator {
	case fnExists:
		return ok
	case fnNotExists:
		return !ok
	}
	second, has := n.operands[1].eval(item)
	if n.operator == opNotEqual {
		// What is missing differs from everything.
		return !ok || !has || !first.Equal(second)
	}
	if !ok {
		return false
	}
	if n.operator == opIn {
		return slices.ContainsFunc(n.operands[1:], func(o operand) bool {
			v, ok := o.eval(item)
			return ok && v.Equal(first)
		})
	}
	if !has {
		return false
	}
	switch n.operator {
	case opEqual:
		return first.Equal(second)
	case opBetween:
		upper, ok := n.operands[2].eval(item)
		return ok && ordered(second, opLessOrEqual, first) && ordered(first, opLessOrEqual, upper)
	case fnType:
		return string(first.Type()) == second.Text()
	case fnBeginsWith:
		return first.Type() == second.Type() && (first.Type() == value.String || first.Type() == value.Binary) &&
			strings.HasPrefix(first.Text(), second.Text())
	case fnContains:
		return first.Contains(second)
	}
	return ordered(first, n.operator, second)
}

func ordered(v value.Value, operator string, w value.Value) bool {
	c, ok := v.Compare(w)
	if !ok {
		return false
	}
	switch operator {
	case opLess:
		return c < 0
	case opLessOrEqual:
		return c <= 0
	case opGreater:
		return c > 0
	default:
		return c >= 0
	}
}

// sizeOperand is the function size, which has a value rather than a truth.
type sizeOperand struct{ of operand }

func (o sizeOperand) eval(item value.Item) (value.Value, bool) {
	v, ok := o.of.eval(item)
	if !ok || !sizable(v.Type()) {
		return value.Value{}, false
	}
	size := v.Len()
	switch v.Type() {
	case value.String:
		size = codeUnits(v.Text())
	case value.Binary:
		size = len(v.Text())
	}
	n, err := value.ParseNumber(strconv.Itoa(size))
	return value.OfNumber(n), err == nil
}

// codeUnits is the length of a text as DynamoDB's size counts it: in units of UTF-16,
// in which a character beyond the basic plane is two.
func codeUnits(text string) int {
	n := 0
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}

func sizable(t value.Type) bool {
	return t != value.Numeric && t != value.Bool && t != value.Null
}

// condition reads a whole condition.
func (p *parser) condition() (node, error) {
	n, err := p.disjunction()
	if err != nil {
		return nil, err
	}
	return n, p.end()
}

func (p *parser) disjunction() (node, error) {
	n, err := p.conjunction()
	for err == nil && p.acceptWord("OR") {
		var right node
		right, err = p.conjunction()
		n = or{n, right}
	}
	return n, err
}

func (p *parser) conjunction() (node, error) {
	n, err := p.negation()
	for err == nil && p.acceptWord("AND") {
		var right node
		right, err = p.negation()
		n = and{n, right}
	}
	return n, err
}

func (p *parser) negation() (node, error) {
	if p.acceptWord("NOT") {
		inner, err := p.negation()
		return not{inner}, err
	}
	if !p.isMark("(") || p.bracketsOperand() {
		return p.test()
	}
	p.at++
	if p.isMark("(") && !p.bracketsOperand() && p.closing(p.at)+1 == p.closing(p.at-1) {
		p.note(redundantBrackets())
	}
	n, err := p.disjunction()
	if err != nil {
		return nil, err
	}
	return n, p.expectMark(")")
}

// bracketsOperand says whether the bracket that comes next holds an operand
// alone, as in (a) = :b, rather than a condition.
func (p *parser) bracketsOperand() bool {
	closing := p.closing(p.at)
	if closing+1 >= len(p.tokens) {
		return false
	}
	switch after := p.tokens[closing+1]; after.kind {
	case tokenMark:
		return isComparator(after)
	case tokenWord:
		return strings.EqualFold(after.text, opBetween) || strings.EqualFold(after.text, opIn)
	}
	return false
}

func isComparator(t token) bool { return t.kind == tokenMark && strings.ContainsAny(t.text, "=<>") }

// closing finds the bracket that closes the one at the token; without one it
// is beyond the last token.
func (p *parser) closing(opening int) int {
	depth := 0
	for i := opening; i < len(p.tokens); i++ {
		if p.tokens[i].kind != tokenMark {
			continue
		}
		switch p.tokens[i].text {
		case "(":
			depth++
		case ")":
			depth--
			if depth == 0 {
				return i
			}
		}
	}
	return len(p.tokens)
}

// test reads a comparison, or a function that is true or false.
func (p *parser) test() (node, error) {
	first, err := p.anyOperand()
	if err != nil {
		return nil, err
	}
	n := test{}
	switch {
	case isComparator(p.peek()):
		n.operator = p.next().text
		n.operands, err = p.operands(first, 1)
	case p.acceptWord(opBetween):
		n.operator = opBetween
		n.operands, err = p.operands(first, 2)
	case p.acceptWord(opIn):
		n.operator = opIn
		var list []operand
		list, err = arguments(p, p.valueOperand)
		n.operands = append([]operand{p.asValue(first)}, list...)
	default:
		c, ok := first.(call)
		if !ok {
			return nil, p.syntaxError()
		}
		return p.function(c), nil
	}
	if err != nil {
		return nil, err
	}
	p.operator()
	if err := n.check(); err != nil {
		p.note(err)
	}
	return n, nil
}

// operands reads the operands that follow the first, with AND between them.
func (p *parser) operands(first operand, more int) ([]operand, error) {
	list := []operand{p.asValue(first)}
	for i := range more {
		if i > 0 && !p.acceptWord("AND") {
			return nil, p.syntaxError()
		}
		o, err := p.valueOperand()
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

// call is a function before it is known whether it is one that may stand there.
type call struct {
	name string
	args []operand
}

func (call) eval(value.Item) (value.Value, bool) { return value.Value{}, false }

// anyOperand reads a path, a value or a function.
func (p *parser) anyOperand() (operand, error) {
	if p.acceptMark("(") {
		return bracketed(p, p.anyOperand)
	}
	if !p.atFunction() {
		return p.simpleOperand()
	}
	c := call{name: p.next().text}
	var err error
	c.args, err = arguments(p, p.valueOperand)
	return c, err
}

// valueOperand reads an operand that has a value: a path, a value or a size.
func (p *parser) valueOperand() (operand, error) {
	o, err := p.anyOperand()
	if err != nil {
		return nil, err
	}
	return p.asValue(o), nil
}

// asValue takes a function for an operand, which only size may be.
func (p *parser) asValue(o operand) operand {
	c, ok := o.(call)
	if !ok {
		return o
	}
	p.operator()
	switch {
	case c.name != fnSize:
		p.note(c.misplaced())
	case len(c.args) != 1:
		p.note(wrongCount(fnSize, len(c.args)))
	default:
		switch of := c.args[0].(type) {
		case sizeOperand:
			p.note(wrongType(fnSize, value.Numeric))
		case literal:
			if !sizable(of.value.Type()) {
				p.note(wrongType(fnSize, of.value.Type()))
			}
		}
	}
	return sizeOperand{c.args[0]}
}

// misplaced is the error of a function that may not stand where it does.
func (c call) misplaced() error {
	switch c.name {
	case fnExists, fnNotExists, fnType, fnBeginsWith, fnContains, fnSize:
		return refuse("The function is not allowed to be used this way in an expression; function: %s", c.name)
	case fnIfNotExists, fnListAppend:
		return refuse("The function is not allowed in a condition expression; function: %s", c.name)
	}
	return refuse("Invalid function name; function: %s", c.name)
}

// function takes a function for a test.
func (p *parser) function(c call) node {
	count := 2
	p.operator()
	n := test{operator: c.name, operands: c.args}
	switch c.name {
	case fnExists, fnNotExists:
		count = 1
	case fnType, fnBeginsWith, fnContains:
	default:
		p.note(c.misplaced())
		return n
	}
	if len(c.args) != count {
		p.note(wrongCount(c.name, len(c.args)))
		return n
	}
	if err := n.check(); err != nil {
		p.note(err)
	}
	return n
}

// check refuses operands that can be seen to be wrong without an item.
func (n test) check() error {
	if err := n.checkPaths(); err != nil {
		return err
	}
	for i, o := range n.operands {
		t, ok := knownType(o)
		if !ok {
			continue
		}
		switch n.operator {
		case opLess, opLessOrEqual, opGreater, opGreaterOrEqual, opBetween:
			if !t.Ordered() {
				return wrongType(n.operator, t)
			}
		case fnBeginsWith:
			if t != value.String && t != value.Binary {
				return wrongType(n.operator, t)
			}
		case fnType:
			if i == 1 && t != value.String {
				return wrongType(n.operator, t)
			}
		}
	}
	switch n.operator {
	case fnType:
		return n.checkTypeName()
	case opBetween:
		return n.checkBounds()
	case opIn:
		if len(n.operands)-1 > maxInOperands {
			return refuse("The IN operator is provided with too many operands; number of operands: %d", len(n.operands)-1)
		}
	}
	return nil
}

// knownType is the type that an operand has on every item.
func knownType(o operand) (value.Type, bool) {
	switch o := o.(type) {
	case literal:
		return o.value.Type(), true
	case sizeOperand:
		return value.Numeric, true
	}
	return "", false
}

func (n test) checkPaths() error {
	first, isPath := n.operands[0].(pathOperand)
	switch n.operator {
	case fnExists, fnNotExists, fnType:
		if !isPath {
			return refuse("Operator or function requires a document path; operator or function: %s", n.operator)
		}
	}
	for _, o := range n.operands[1:] {
		if other, ok := o.(pathOperand); ok && isPath && first.path.equal(other.path) {
			return refuse("The first operand must be distinct from the remaining operands for this operator or function; "+
				"operator: %s, first operand: %s", n.operator, first.path)
		}
	}
	return nil
}

func (n test) checkTypeName() error {
	l, ok := n.operands[1].(literal)
	if ok && !value.Type(l.value.Text()).Valid() {
		return refuse("Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
			l.value.Text())
	}
	return nil
}

func (n test) checkBounds() error {
	lower, ok := n.operands[1].(literal)
	upper, both := n.operands[2].(literal)
	if !ok || !both {
		return nil
	}
	c, comparable := lower.value.Compare(upper.value)
	if !comparable {
		return refuse("The BETWEEN operator requires same data type for lower and upper bounds; "+
			"lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s",
			describe(lower.value), describe(upper.value))
	}
	if c > 0 {
		return refuse("The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "+
			"lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s",
			describe(lower.value), describe(upper.value))
	}
	return nil
}

// describe prints a value in the way of DynamoDB's errors: {S:text}.
func describe(v value.Value) string { return "{" + string(v.Type()) + ":" + v.Text() + "}" }
