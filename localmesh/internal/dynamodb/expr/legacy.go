package expr

import (
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
)

// Comparison is a condition in the form from before expressions: of one
// attribute, whose name is taken as it is, dots included.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.Conditions.html
type Comparison struct {
	Attribute string
	// Operator is EQ, NE, LT, LE, GT, GE, BETWEEN, IN, BEGINS_WITH, CONTAINS,
	// NOT_CONTAINS, NULL or NOT_NULL.
	Operator string
	Values   []value.Value
}

// Compare joins comparisons into a condition, with AND or, if any is enough, with OR.
func (s *Scope) Compare(any bool, comparisons ...Comparison) *Condition {
	c := &Condition{}
	for _, one := range comparisons {
		path := s.attribute(one.Attribute)
		c.paths = append(c.paths, path)
		switch n := one.node(path); {
		case c.root == nil:
			c.root = n
		case any:
			c.root = or{c.root, n}
		default:
			c.root = and{c.root, n}
		}
	}
	return c
}

// attribute is the path of a top-level attribute that a request names.
func (s *Scope) attribute(name string) Path {
	path := Path{{name: name}}
	s.see(path)
	return path
}

func (c Comparison) node(path Path) node {
	operands := []operand{pathOperand{path}}
	for _, v := range c.Values {
		operands = append(operands, literal{v})
	}
	exists := test{fnExists, operands[:1]}
	switch c.Operator {
	case "NULL":
		return test{fnNotExists, operands}
	case "NOT_NULL":
		return exists
	case "NOT_CONTAINS":
		// That an attribute that is not there does not contain anything is not enough:
		// the documentation leaves it open, and this is the reading that lets less through.
		return and{exists, not{test{fnContains, operands}}}
	}
	return test{expressed[c.Operator], operands}
}

// expressed are the operators of comparisons, as expressions write them.
var expressed = map[string]string{
	"EQ": opEqual, "NE": opNotEqual, "LT": opLess, "LE": opLessOrEqual, "GT": opGreater, "GE": opGreaterOrEqual,
	"BETWEEN": opBetween, "IN": opIn, "BEGINS_WITH": fnBeginsWith, "CONTAINS": fnContains,
}

// KeyNotIndexed is an operator that no range of keys answers.
const KeyNotIndexed KeyOperator = ""

// Key takes comparisons for the conditions of a query on its key.
func (s *Scope) Key(comparisons ...Comparison) []KeyCondition {
	keys := make([]KeyCondition, len(comparisons))
	for i, c := range comparisons {
		s.attribute(c.Attribute)
		keys[i] = KeyCondition{Attribute: c.Attribute, Values: c.Values}
		switch c.Operator {
		case "EQ", "LT", "LE", "GT", "GE", "BETWEEN", "BEGINS_WITH":
			keys[i].Operator = KeyOperator(expressed[c.Operator])
		}
	}
	return keys
}

// Names is the projection on top-level attributes.
func (s *Scope) Names(attributes ...string) *Projection {
	p := &Projection{}
	for _, name := range attributes {
		p.paths = append(p.paths, s.attribute(name))
	}
	return p
}

// Change is an update of one attribute in the form from before expressions.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.AttributeUpdates.html
type Change struct {
	Attribute string
	// Action is PUT, ADD or DELETE.
	Action string
	// Value is the zero Value in a DELETE of the whole attribute.
	Value value.Value
}

// Changes joins changes into an update.
func (s *Scope) Changes(changes ...Change) *Update {
	u := &Update{plain: true}
	for _, c := range changes {
		a := action{clause: clauseSet, path: s.attribute(c.Attribute), operand: c.Value}
		switch {
		case c.Action == "ADD":
			a.clause = clauseAdd
		case c.Action == "DELETE" && c.Value.IsZero():
			a.clause = clauseRemove
		case c.Action == "DELETE":
			a.clause = clauseDelete
		default:
			a.result = given{literal{c.Value}}
		}
		u.actions = append(u.actions, a)
	}
	slices.SortFunc(u.actions, func(a, b action) int { return strings.Compare(a.path.Attribute(), b.path.Attribute()) })
	return u
}

// Makes reports whether the update makes an item that does not exist. One in the
// form from before expressions that takes away alone does not.
func (u *Update) Makes() bool {
	return !u.plain || len(u.actions) == 0 || slices.ContainsFunc(u.actions, func(a action) bool {
		return a.clause == clauseSet || a.clause == clauseAdd
	})
}
