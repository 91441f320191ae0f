// Package expr is DynamoDB's expression language: conditions, filters, key
// conditions, projections and updates. It is pure: it reads and makes values
// and knows nothing of tables.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
package expr

import "fmt"

// Error is an expression that DynamoDB refuses, or that cannot be applied to
// an item, with a ValidationException.
type Error struct {
	// Message is the text of the exception.
	Message string
}

// Error gives the text of the exception.
func (e *Error) Error() string { return e.Message }

func refuse(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Kind is the parameter of a request that an expression is given in. Errors name it.
type Kind string

// The parameters that hold expressions.
const (
	ConditionExpression    Kind = "ConditionExpression"
	FilterExpression       Kind = "FilterExpression"
	KeyConditionExpression Kind = "KeyConditionExpression"
	ProjectionExpression   Kind = "ProjectionExpression"
	UpdateExpression       Kind = "UpdateExpression"
)

// Limits of expressions.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#limits-expression-parameters
const (
	maxLength     = 4096
	maxOperators  = 300
	maxInOperands = 100
	maxPathDepth  = 32
	// maxPlaceholders bounds what all placeholders of a request stand for, in bytes.
	maxPlaceholders = 2 << 20
)
