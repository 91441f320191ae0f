package expr

import "github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"

// KeyOperator is how a key condition compares a key attribute.
type KeyOperator string

// The operators of key conditions.
const (
	KeyEqual          KeyOperator = opEqual
	KeyLess           KeyOperator = opLess
	KeyLessOrEqual    KeyOperator = opLessOrEqual
	KeyGreater        KeyOperator = opGreater
	KeyGreaterOrEqual KeyOperator = opGreaterOrEqual
	KeyBetween        KeyOperator = opBetween
	KeyBeginsWith     KeyOperator = fnBeginsWith
)

// KeyCondition is what a query asks of one key attribute.
type KeyCondition struct {
	// Attribute is the name of the key attribute.
	Attribute string
	// Operator compares the attribute with the values.
	Operator KeyOperator
	// Values is one value, or the two bounds of KeyBetween.
	Values []value.Value
}

// KeyConditions parses a KeyConditionExpression into the conditions that it
// joins with AND.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html
func (s *Scope) KeyConditions(text string) ([]KeyCondition, error) {
	p, err := s.parser(KeyConditionExpression, text)
	if err != nil {
		return nil, err
	}
	root, err := p.condition()
	if err != nil {
		return nil, p.wrap(err)
	}
	return keyConditions(root, nil)
}

func keyConditions(n node, found []KeyCondition) ([]KeyCondition, error) {
	switch n := n.(type) {
	case and:
		found, err := keyConditions(n.left, found)
		if err != nil {
			return nil, err
		}
		return keyConditions(n.right, found)
	case test:
		c, err := n.keyCondition()
		if err != nil {
			return nil, err
		}
		for _, other := range found {
			if other.Attribute == c.Attribute {
				return nil, refuse("KeyConditionExpressions must only contain one condition per key")
			}
		}
		return append(found, c), nil
	case or:
		return nil, badKeyOperator("OR")
	default:
		return nil, badKeyOperator("NOT")
	}
}

func badKeyOperator(operator string) error {
	return refuse("Invalid operator used in KeyConditionExpression: %s", operator)
}

func (n test) keyCondition() (KeyCondition, error) {
	var c KeyCondition
	switch n.operator {
	case opNotEqual, opIn, fnExists, fnNotExists, fnType, fnContains:
		return c, badKeyOperator(n.operator)
	}
	c.Operator = KeyOperator(n.operator)
	operands := n.operands
	if _, ok := operands[0].(literal); ok && len(operands) == 2 && n.operator != fnBeginsWith {
		// :v < a is a > :v.
		operands = []operand{operands[1], operands[0]}
		c.Operator = c.Operator.turned()
	}
	for i, o := range operands {
		switch o := o.(type) {
		case sizeOperand:
			return c, refuse("KeyConditionExpressions cannot contain nested operations")
		case literal:
			if i == 0 {
				return c, refuse("Invalid condition in KeyConditionExpression: No key attribute specified")
			}
			c.Values = append(c.Values, o.value)
		case pathOperand:
			if i > 0 {
				return c, refuse("Invalid condition in KeyConditionExpression: " +
					"Multiple attribute names used in one condition")
			}
			if len(o.path) > 1 {
				return c, refuse("KeyConditionExpressions cannot have conditions on nested attributes")
			}
			c.Attribute = o.path.Attribute()
		}
	}
	return c, nil
}

func (o KeyOperator) turned() KeyOperator {
	switch o {
	case KeyLess:
		return KeyGreater
	case KeyLessOrEqual:
		return KeyGreaterOrEqual
	case KeyGreater:
		return KeyLess
	case KeyGreaterOrEqual:
		return KeyLessOrEqual
	}
	return o
}
