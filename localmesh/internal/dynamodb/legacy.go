// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html

package dynamodb

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/expr"
	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
)

// Parameters from before expressions say the same in structures. They become
// what expressions become, so that the rules and IAM's questions are the same.

const badParameter = "One or more parameter values were invalid: "

// single is a value alone in a request. Like attributes, a value that DynamoDB
// refuses is refused when it is used.
type single struct {
	value   value.Value
	refused error
}

// UnmarshalJSON reads the wire form.
func (s *single) UnmarshalJSON(data []byte) error {
	err := s.value.UnmarshalJSON(data)
	var bad *value.Error
	if errors.As(err, &bad) {
		s.refused = err
		return nil
	}
	return err
}

// MarshalJSON gives the wire form.
func (s single) MarshalJSON() ([]byte, error) { return s.value.MarshalJSON() }

func (s single) given() bool { return !s.value.IsZero() || s.refused != nil }

// comparison is an entry of KeyConditions, QueryFilter and ScanFilter.
type comparison struct {
	AttributeValueList []single
	ComparisonOperator enum
}

// expectation is an entry of Expected.
type expectation struct {
	AttributeValueList []single
	ComparisonOperator enum
	Exists             *bool
	Value              single
}

// attributeUpdate is an entry of AttributeUpdates.
type attributeUpdate struct {
	Action enum
	Value  single
}

// parameter is a parameter of a request that may be there.
type parameter struct {
	name  string
	given bool
}

// checkMixing refuses expressions beside parameters from before them. DynamoDB
// names both in an order of its own.
func checkMixing(old, expressions []parameter) error {
	names := func(list []parameter) string {
		var given []string
		for _, p := range list {
			if p.given {
				given = append(given, p.name)
			}
		}
		return strings.Join(given, ", ")
	}
	before, now := names(old), names(expressions)
	if before == "" || now == "" {
		return nil
	}
	return invalid("Can not use both expression and non-expression parameters in the same request: "+
		"Non-expression parameters: {%s} Expression parameters: {%s}", before, now)
}

// checkOperator refuses a ConditionalOperator that has nothing to join.
func checkOperator(operator enum, conditions int) error {
	if err := operator.oneOf("conditionalOperator", "[OR, AND]", "OR", "AND"); err != nil {
		return err
	}
	switch {
	case operator != "" && conditions == 0:
		return invalid("ConditionalOperator cannot be used without Filter or Expected")
	case operator != "" && conditions == 1:
		return invalid("ConditionalOperator can only be used when Filter or Expected has two or more elements")
	}
	return nil
}

// compared checks comparisons, in the order of their attributes.
func compared(parameter string, conditions map[string]comparison) ([]expr.Comparison, error) {
	var list []expr.Comparison
	for _, name := range slices.Sorted(maps.Keys(conditions)) {
		c, err := conditions[name].read(parameter, name)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

const comparisonOperators = "[IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]"

func (c comparison) read(parameter, attribute string) (expr.Comparison, error) {
	out := expr.Comparison{Attribute: attribute, Operator: string(c.ComparisonOperator)}
	at := parameter + "." + attribute + ".member.comparisonOperator"
	if c.ComparisonOperator == "" {
		return out, broken("null", at, "Member must not be null")
	}
	if err := c.ComparisonOperator.oneOf(at, comparisonOperators, "IN", "NULL", "BETWEEN", "LT", "NOT_CONTAINS", "EQ", "GT", "NOT_NULL",
		"NE", "LE", "BEGINS_WITH", "GE", "CONTAINS"); err != nil {
		return out, err
	}
	for _, v := range c.AttributeValueList {
		if v.refused != nil {
			return out, answerable(v.refused)
		}
		out.Values = append(out.Values, v.value)
	}
	return out, checkValues(out.Operator, out.Values)
}

// checkValues refuses values that the operator cannot be used with.
func checkValues(operator string, values []value.Value) error {
	right := len(values) == 1
	switch operator {
	case "NULL", "NOT_NULL":
		right = len(values) == 0
	case "BETWEEN":
		right = len(values) == 2
	case "IN":
		right = len(values) > 0
	}
	if !right {
		return invalid(badParameter+"Invalid number of argument(s) for the %s ComparisonOperator", operator)
	}
	for _, v := range values {
		if v.Type() != values[0].Type() {
			return invalid(badParameter + "AttributeValues inside AttributeValueList must be of same type")
		}
		if !comparable(operator, v.Type()) {
			return invalid(badParameter+"ComparisonOperator %s is not valid for %s AttributeValue type", operator, v.Type())
		}
	}
	if operator == "BETWEEN" {
		if c, ok := values[0].Compare(values[1]); ok && c > 0 {
			return invalid("The BETWEEN condition was provided a range where the lower bound is greater than the upper bound")
		}
	}
	return nil
}

func comparable(operator string, t value.Type) bool {
	switch operator {
	case "EQ", "NE":
		return true
	case "BEGINS_WITH":
		return t == value.String || t == value.Binary
	case "CONTAINS", "NOT_CONTAINS":
		return t.Ordered() || t == value.Bool || t == value.Null
	}
	return t.Ordered()
}

// expected checks what a write expects of the item, in the order of the attributes.
func expected(conditions map[string]expectation) ([]expr.Comparison, error) {
	var list []expr.Comparison
	for _, name := range slices.Sorted(maps.Keys(conditions)) {
		c, err := conditions[name].read(name)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

func (e expectation) read(attribute string) (expr.Comparison, error) {
	out := expr.Comparison{Attribute: attribute}
	of := " for Attribute: " + attribute
	operator, hasValue := e.ComparisonOperator, e.Value.given()
	switch {
	case e.AttributeValueList != nil && hasValue:
		return out, invalid(badParameter+"Value and AttributeValueList cannot be used together%s", of)
	case operator != "" && e.Exists != nil:
		return out, invalid(badParameter+"Exists and ComparisonOperator cannot be used together%s", of)
	case operator == "" && e.AttributeValueList != nil:
		return out, invalid(badParameter+"AttributeValueList can only be used with a ComparisonOperator%s", of)
	case operator != "" && operator != "NULL" && operator != "NOT_NULL" && e.AttributeValueList == nil && !hasValue:
		return out, invalid(badParameter+"Value or AttributeValueList must be used with ComparisonOperator: %s%s", operator, of)
	case operator == "" && e.Exists != nil && !*e.Exists && hasValue:
		return out, invalid(badParameter+"Value cannot be used when Exists is false%s", of)
	case operator == "" && e.Exists != nil && !*e.Exists:
		operator = "NULL"
	case operator == "" && !hasValue && e.Exists == nil:
		return out, invalid(badParameter+"Value must be provided when Exists is null%s", of)
	case operator == "" && !hasValue:
		return out, invalid(badParameter+"Value must be provided when Exists is true%s", of)
	case operator == "":
		operator = "EQ"
	}
	values := e.AttributeValueList
	if hasValue {
		values = []single{e.Value}
	}
	return comparison{values, operator}.read("expected", attribute)
}

// changed checks the updates of attributes.
func changed(updates map[string]attributeUpdate) ([]expr.Change, error) {
	var list []expr.Change
	for _, name := range slices.Sorted(maps.Keys(updates)) {
		u := updates[name]
		if err := u.Action.oneOf("attributeUpdates."+name+".member.action", "[ADD, PUT, DELETE]", "ADD", "PUT", "DELETE"); err != nil {
			return nil, err
		}
		if u.Value.refused != nil {
			return nil, answerable(u.Value.refused)
		}
		switch t := u.Value.value.Type(); {
		case !u.Value.given() && u.Action != "DELETE":
			return nil, invalid(badParameter + "Only DELETE action is allowed when no attribute value is specified")
		case u.Value.given() && u.Action == "DELETE" && !t.IsSet():
			return nil, invalid(badParameter+"DELETE action with value is not supported for the type %s", t)
		case u.Action == "ADD" && !t.IsSet() && t != value.Numeric && t != value.List:
			return nil, invalid(badParameter+"ADD action is not supported for the type %s", t)
		}
		list = append(list, expr.Change{Attribute: name, Action: string(u.Action), Value: u.Value.value})
	}
	return list, nil
}

// checkNames refuses AttributesToGet that names nothing, or something twice.
func checkNames(attributes []string) error {
	if attributes != nil && len(attributes) == 0 {
		return broken("'[]'", "attributesToGet", "Member must have length greater than or equal to 1")
	}
	seen := map[string]bool{}
	for _, name := range attributes {
		if seen[name] {
			return invalid(badParameter+"Duplicate value in attribute name: %s", name)
		}
		seen[name] = true
	}
	return nil
}
