package expr

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
)

func (p *statementParser) disjunction() (node, error) {
	n, err := p.conjunction()
	for err == nil && p.acceptWord("OR") {
		var right node
		right, err = p.conjunction()
		n = or{n, right}
	}
	return n, err
}

func (p *statementParser) conjunction() (node, error) {
	n, err := p.negation()
	for err == nil && p.acceptWord("AND") {
		var right node
		right, err = p.negation()
		n = and{n, right}
	}
	return n, err
}

func (p *statementParser) negation() (node, error) {
	if p.acceptWord("NOT") {
		inner, err := p.negation()
		return not{inner}, err
	}
	if p.isMark("(") && !p.bracketsOperand() {
		p.at++
		n, err := p.disjunction()
		if err != nil {
			return nil, err
		}
		return n, p.mark(")")
	}
	return p.test()
}

// truth is a condition as the value of an operand.
type truth struct{ of node }

func (o truth) eval(item value.Item) (value.Value, bool) { return value.OfBool(o.of.meets(item)), true }

// test reads a comparison, a function or an IS.
func (p *statementParser) test() (node, error) {
	first, n, err := p.compared()
	if err != nil {
		return nil, err
	}
	if err := p.like(); err != nil {
		return nil, err
	}
	negated := p.isWord("NOT") && p.at+1 < len(p.tokens) && strings.EqualFold(p.tokens[p.at+1].text, "IN")
	if negated {
		p.at++
	}
	t := test{operands: []operand{first}}
	switch next := p.peek(); {
	case next.kind == tokenMark && isCompared(next.text):
		if t.operator = p.next().text; t.operator == "!=" {
			t.operator = opNotEqual
		}
		if err := p.more(&t, 1); err != nil {
			return nil, err
		}
	case p.acceptWord(opBetween):
		t.operator = opBetween
		if err := p.more(&t, 2); err != nil {
			return nil, err
		}
	case p.acceptWord(opIn):
		t.operator = opIn
		if err := p.choices(&t); err != nil {
			return nil, err
		}
	case p.acceptWord("IS"):
		return p.is(first)
	case n != nil:
		return n, nil
	default:
		return nil, p.unexpected()
	}
	p.check(t)
	if negated {
		return not{t}, nil
	}
	return t, nil
}

func isCompared(mark string) bool {
	switch mark {
	case opEqual, opNotEqual, "!=", opLess, opLessOrEqual, opGreater, opGreaterOrEqual:
		return true
	}
	return false
}

// check notes what is wrong with the operands. A path may stand on both sides here.
func (p *statementParser) check(t test) {
	if err := t.check(); err != nil {
		p.note(err)
	}
}

func (p *statementParser) more(t *test, count int) error {
	for i := range count {
		if i > 0 && !p.acceptWord("AND") {
			return p.unexpected()
		}
		o, _, err := p.compared()
		if err != nil {
			return err
		}
		t.operands = append(t.operands, o)
	}
	return nil
}

// choices reads the list of an IN, in brackets of either kind.
func (p *statementParser) choices(t *test) error {
	closing := "]"
	if p.acceptMark("(") {
		closing = ")"
	} else if err := p.mark("["); err != nil {
		return err
	}
	if p.isWord("SELECT") {
		return refuse("IN operator must have a left hand argument of type Variable Reference and right hand argument of type Seq with at least one member")
	}
	for !p.acceptMark(closing) {
		if len(t.operands) > 1 {
			if err := p.mark(","); err != nil {
				return err
			}
		}
		o, _, err := p.compared()
		if err != nil {
			return err
		}
		t.operands = append(t.operands, o)
	}
	if len(t.operands) == 1 {
		return p.unexpected()
	}
	return nil
}

// is reads what an operand IS: MISSING, NULL or a type.
func (p *statementParser) is(of operand) (node, error) {
	negated := p.acceptWord("NOT")
	t := p.next()
	if t.kind != tokenWord {
		p.at--
		return nil, p.unexpected()
	}
	var n node
	word := strings.ToUpper(t.text)
	if word == "MISSING" {
		n = test{fnNotExists, []operand{of}}
	} else {
		kind, ok := typeNames[word]
		if !ok {
			return nil, refuse("Unsupported type in IS: %s at %s", t.text, place(p.text, t))
		}
		n = test{fnType, []operand{of, literal{value.Of(string(kind))}}}
	}
	p.check(n.(test))
	if negated {
		n = not{n}
	}
	return n, nil
}

// typeNames are the types that IS knows.
var typeNames = map[string]value.Type{
	"NULL": value.Null, "BOOL": value.Bool, "BOOLEAN": value.Bool, "STRING": value.String, "NUMBER": value.Numeric, "NUMERIC": value.Numeric,
	"DECIMAL": value.Numeric, "BINARY": value.Binary, "BLOB": value.Binary, "LIST": value.List, "MAP": value.Map, "STRUCT": value.Map, "TUPLE": value.Map,
}

// compared reads an operand. A function that is true or false is also a condition.
func (p *statementParser) compared() (operand, node, error) {
	if err := p.query(); err != nil {
		return nil, nil, err
	}
	if sign, ok := p.atSign(); ok {
		return nil, nil, wrongOperator(sign)
	}
	o, n, err := p.term()
	if operator, ok := p.atOperator(); ok && err == nil {
		return nil, nil, wrongOperator(operator)
	}
	return o, n, err
}

func (p *statementParser) term() (operand, node, error) {
	if p.acceptMark("(") {
		o, n, err := p.compared()
		if err != nil {
			return nil, nil, err
		}
		return o, n, p.mark(")")
	}
	if !p.atFunction() {
		o, err := p.operand()
		return o, nil, err
	}
	if err := p.aggregate(); err != nil {
		return nil, nil, err
	}
	name := p.next()
	p.at++
	var args []operand
	for !p.acceptMark(")") {
		if len(args) > 0 {
			if err := p.mark(","); err != nil {
				return nil, nil, err
			}
		}
		o, _, err := p.compared()
		if err != nil {
			return nil, nil, err
		}
		args = append(args, o)
	}
	return p.function(name, args)
}

func (p *statementParser) function(name token, args []operand) (operand, node, error) {
	function, count := strings.ToLower(name.text), 2
	switch function {
	case fnExists, fnNotExists, fnSize:
		count = 1
	case fnType, fnBeginsWith, fnContains:
	default:
		return nil, nil, refuse("Unrecognized function: %s at %s", function, place(p.text, name))
	}
	if len(args) != count {
		return nil, nil, wrongCount(function, len(args))
	}
	if function == fnSize {
		return sizeOperand{args[0]}, nil, nil
	}
	n := test{function, args}
	p.check(n)
	return truth{n}, n, nil
}

// Filter is the whole condition of the statement, or nil.
func (s *Statement) Filter() *Condition {
	if s.where == nil {
		return nil
	}
	return conditionOf(s.where)
}

func conditionOf(root node) *Condition {
	c := &Condition{root: root}
	root.visit(func(o operand) { c.paths = appendPaths(c.paths, o) })
	return c
}

func appendPaths(paths []Path, o operand) []Path {
	switch o := o.(type) {
	case pathOperand:
		return append(paths, o.path)
	case truth:
		o.of.visit(func(inner operand) { paths = appendPaths(paths, inner) })
	}
	return paths
}

// conjuncts are the conditions that all have to be met.
func conjuncts(n node) []node {
	if n == nil {
		return nil
	}
	if a, ok := n.(and); ok {
		return append(conjuncts(a.left), conjuncts(a.right)...)
	}
	return []node{n}
}

// equality gives the value that the condition wants the attribute to be equal to.
func equality(n node, attribute string) (value.Value, bool) {
	t, ok := n.(test)
	if !ok || t.operator != opEqual {
		return value.Value{}, false
	}
	for i := range 2 {
		path, isPath := t.operands[i].(pathOperand)
		l, isLiteral := t.operands[1-i].(literal)
		if isPath && isLiteral && len(path.path) == 1 && path.path.Attribute() == attribute {
			return l.value, true
		}
	}
	return value.Value{}, false
}

// Key gives the item that the condition names by an equality on each of the
// attributes, and what else the condition asks, or nil.
func (s *Statement) Key(attributes ...string) (key value.Item, rest *Condition, ok bool) {
	key = value.Item{}
	var others node
	for _, n := range conjuncts(s.where) {
		taken := false
		for _, name := range attributes {
			if v, is := equality(n, name); is && key[name].IsZero() {
				key[name], taken = v, true
				break
			}
		}
		switch {
		case taken:
		case others == nil:
			others = n
		default:
			others = and{others, n}
		}
	}
	if len(key) != len(attributes) {
		return nil, nil, false
	}
	if others == nil {
		return key, nil, true
	}
	return key, conditionOf(others), true
}

// Partitions gives the values of the attribute outside of which no item meets the
// condition, if it names them. It is direct unless it names them in an OR.
func (s *Statement) Partitions(attribute string) (values []value.Value, direct, ok bool) {
	for _, n := range conjuncts(s.where) {
		if _, isOr := n.(or); !isOr {
			if values := partitions(n, attribute); values != nil {
				return values, true, true
			}
		}
	}
	values = partitions(s.where, attribute)
	return values, false, values != nil
}

func partitions(n node, attribute string) []value.Value {
	var all []value.Value
	switch n := n.(type) {
	case test:
		if v, ok := equality(n, attribute); ok {
			return []value.Value{v}
		}
		path, ok := n.operands[0].(pathOperand)
		if n.operator != opIn || !ok || len(path.path) != 1 || path.path.Attribute() != attribute {
			return nil
		}
		for _, o := range n.operands[1:] {
			l, ok := o.(literal)
			if !ok {
				return nil
			}
			all = append(all, l.value)
		}
	case and:
		if left := partitions(n.left, attribute); left != nil {
			return left
		}
		return partitions(n.right, attribute)
	case or:
		left, right := partitions(n.left, attribute), partitions(n.right, attribute)
		if left == nil || right == nil {
			return nil
		}
		all = slices.Concat(left, right)
	}
	var distinct []value.Value
	for _, v := range all {
		if !slices.ContainsFunc(distinct, v.Equal) {
			distinct = append(distinct, v)
		}
	}
	return distinct
}

// Range is what the condition asks of the attribute in a form that a range of keys
// answers, if it does.
func (s *Statement) Range(attribute string) (KeyCondition, bool) {
	for _, n := range conjuncts(s.where) {
		t, ok := n.(test)
		if !ok {
			continue
		}
		if c, err := t.keyCondition(); err == nil && c.Attribute == attribute && len(c.Values) > 0 {
			return c, true
		}
	}
	return KeyCondition{}, false
}

// Columns are what a SELECT returns of each item.
type Columns struct{ paths []Path }

// Attributes gives the top-level attributes that are returned, in the statement's order.
func (c *Columns) Attributes() []string {
	var names []string
	for _, path := range c.paths {
		if name := path.Attribute(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Of gives the row of an item. A part of an attribute has the name of its last step.
func (c *Columns) Of(item value.Item) value.Item {
	row := value.Item{}
	for _, path := range c.paths {
		if v, ok := path.get(item); ok {
			row[path.column()] = v
		}
	}
	return row
}

func (p Path) column() string {
	name := ""
	for i := len(p) - 1; i >= 0; i-- {
		if !p[i].isIndex {
			return p[i].name + name
		}
		name = "[" + strconv.Itoa(p[i].index) + "]" + name
	}
	return name
}
