package rowfilter

import (
	"math"
	"slices"
	"strings"
)

// Truth is the answer of a condition about a row. SQL has three.
type Truth int

// The answers. A filter lets a row through for True alone.
const (
	False   Truth = -1
	Unknown Truth = 0
	True    Truth = 1
)

// String is TRUE, FALSE or UNKNOWN.
func (t Truth) String() string { return [...]string{"FALSE", "UNKNOWN", "TRUE"}[t+1] }

func truth(is bool) Truth {
	if is {
		return True
	}
	return False
}

// node is an expression made ready to be evaluated.
type node struct {
	op    nodeOp
	terms []node
	test  test
}

type nodeOp int

const (
	allRows nodeOp = iota
	andOf
	orOf
	notOf
	testOf
)

// A test asks one thing of one column.
type test struct {
	column string
	typ    Type
	kind   testKind
	// op is that of compares.
	op Op
	// negated is that of isNull, matches and equals.
	negated bool
	values  []Value
	pattern *pattern
}

type testKind int

const (
	compares testKind = iota
	equals
	matches
	isNull
)

// compile makes a typed expression in normal form ready. What it has no case for is not in one.
func (t types) compile(e Expr) node {
	on := func(p Path, k testKind, negated bool) test {
		return test{column: p.String(), typ: t[p.String()], kind: k, negated: negated}
	}
	n := node{op: testOf}
	switch e := e.(type) {
	case And:
		return node{op: andOf, terms: t.compileAll(e.Terms)}
	case Or:
		return node{op: orOf, terms: t.compileAll(e.Terms)}
	case Not:
		return node{op: notOf, terms: t.compileAll([]Expr{e.Term})}
	case Compare:
		n.test = on(e.Column, compares, false)
		n.test.op, n.test.values = e.Op, []Value{n.test.typ.value(e.Value)}
	case In:
		n.test = on(e.Column, equals, e.Not)
		for _, c := range e.Values {
			n.test.values = append(n.test.values, n.test.typ.value(c))
		}
	case Like:
		n.test = on(e.Column, matches, e.Not)
		n.test.pattern = newPattern(e.Pattern.Text)
	case IsNull:
		n.test = on(e.Column, isNull, e.Not)
	default:
		return node{op: allRows}
	}
	return n
}

func (t types) compileAll(terms []Expr) []node {
	var nodes []node
	for _, e := range terms {
		nodes = append(nodes, t.compile(e))
	}
	return nodes
}

// Eval tells what the condition says of a row. A value that is not of its column's type
// is an [ErrType].
func (c *Condition) Eval(r Row) (Truth, error) {
	for name, t := range c.columns {
		if v := r[name]; !v.is(t) {
			return Unknown, refuse(ErrType, Position{}, "", "%s is no value of the column %s, of the type %s", v, name, t.Name)
		}
	}
	return c.root.eval(r), nil
}

func (n node) eval(r Row) Truth {
	switch n.op {
	case andOf:
		least := True
		for _, t := range n.terms {
			least = min(least, t.eval(r))
		}
		return least
	case orOf:
		most := False
		for _, t := range n.terms {
			most = max(most, t.eval(r))
		}
		return most
	case notOf:
		return -n.terms[0].eval(r)
	case testOf:
		return n.test.eval(r[n.test.column])
	}
	return True
}

func (t test) eval(v Value) Truth {
	if t.kind == isNull {
		return truth(v.IsNull() != t.negated)
	}
	if v.IsNull() {
		return Unknown
	}
	nan := v.kind == floatValue && math.IsNaN(v.float)
	switch t.kind {
	case compares:
		if nan {
			return truth(t.op == NotEqual)
		}
		return truth(t.op.holds(t.typ.compare(v, t.values[0])))
	case equals:
		in := slices.ContainsFunc(t.values, func(w Value) bool { return !nan && t.typ.compare(v, w) == 0 })
		return truth(in != t.negated)
	}
	text := v.text
	if t.typ.Kind == Char {
		text = strings.TrimRight(text, " ")
	}
	return truth(t.pattern.matches(text) != t.negated)
}
