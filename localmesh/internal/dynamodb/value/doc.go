// Package value is DynamoDB's data model: attribute values in their wire form,
// exact decimal numbers, sets, sizes, equality, and an encoding of keys whose
// byte order is the order of the keys.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
package value

// Error is a value that DynamoDB refuses with a ValidationException.
type Error struct {
	// Message is the text of the exception.
	Message string
}

// Error gives the text of the exception.
func (e *Error) Error() string { return e.Message }

// WireError is a value that is not of DynamoDB's wire form at all, which the
// service answers with a SerializationException.
type WireError struct {
	// Message says what was met.
	Message string
}

// Error gives the text of the exception.
func (e *WireError) Error() string { return e.Message }
