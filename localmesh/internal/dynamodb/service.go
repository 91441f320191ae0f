// Package dynamodb is the local mesh's Amazon DynamoDB: tables with their
// indexes, items, queries, batches and transactions.
//
// Values are in the package value below it, expressions in expr; here is what
// knows of tables, of permissions and of the store. An operation parses what it
// is asked, asks IAM with DynamoDB's condition keys, and only then says whether
// the table exists.
package dynamodb

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/expr"
	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// Service returns the service.
func Service() engine.Service {
	var operations []engine.Operation
	for _, group := range [][]engine.Operation{
		tableOperations(), tagOperations(), settingOperations(), itemOperations(), queryOperations(),
		batchOperations(), transactionOperations(), statementOperations(), accountOperations(),
	} {
		operations = append(operations, group...)
	}
	return engine.Service{
		Name: "dynamodb", Title: "Amazon DynamoDB", Protocol: wire.AWSJSON10, Naming: wire.AsIs, Operations: operations,
		Alarm:      &engine.Alarm{Next: nextExpiry, Ring: removeExpired},
		DeniedCode: "AccessDeniedException", DeniedStatus: 400, InvalidCode: "ValidationException", ThrottleCode: "ThrottlingException", ThrottleStatus: 400,
	}
}

// docs is where AWS describes the operations.
const docs = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_"

// Error codes of the service.
const (
	validation      = "ValidationException"
	notFound        = "ResourceNotFoundException"
	inUse           = "ResourceInUseException"
	conditionFailed = "ConditionalCheckFailedException"
	duplicateItem   = "DuplicateItemException"
)

// The wordings that more than one operation uses.
const (
	requestFailed   = "The conditional request failed"
	noSuchTable     = "Requested resource not found"
	keyMismatch     = "The provided key element does not match the schema"
	duplicateKeys   = "Provided list of item keys contains duplicates"
	tooLarge        = "Item size has exceeded the maximum allowed size"
	tooLargeUpdated = "Item size to update has exceeded the maximum allowed size"
	constraintText  = "1 validation error detected: Value %s at '%s' failed to satisfy constraint: %s"
)

func invalid(format string, args ...any) error { return engine.Errorf(validation, format, args...) }

// broken refuses a parameter that does not satisfy a constraint of the API's model.
func broken(shown, parameter, constraint string) error {
	return invalid(constraintText, shown, parameter, constraint)
}

// joined joins refusals of parameters that do not satisfy constraints into one, as
// DynamoDB reports them; nil ones are none.
func joined(refusals ...error) error {
	var texts []string
	var first error
	for _, err := range refusals {
		var refused *engine.APIError
		if !errors.As(err, &refused) {
			continue
		}
		if first == nil {
			first = err
		}
		texts = append(texts, strings.TrimPrefix(refused.Message, "1 validation error detected: "))
	}
	if len(texts) < 2 {
		return first
	}
	return invalid("%d validation errors detected: %s", len(texts), strings.Join(texts, "; "))
}

func quoted(text string) string { return "'" + text + "'" }

// answerable turns the errors of values and expressions into the service's own.
func answerable(err error) error {
	var bad *value.Error
	var refused *expr.Error
	var malformed *value.WireError
	switch {
	case errors.As(err, &bad):
		return invalid("%s", bad.Message)
	case errors.As(err, &refused):
		return invalid("%s", refused.Message)
	case errors.As(err, &malformed):
		return engine.Errorf("SerializationException", "%s", malformed.Message)
	}
	return err
}

// enum is a member with a closed set of values; the empty one is absent.
type enum string

// oneOf refuses a value that is not in the set; an absent one is no error.
func (e enum) oneOf(parameter, set string, allowed ...enum) error {
	if e == "" {
		return nil
	}
	for _, a := range allowed {
		if e == a {
			return nil
		}
	}
	return broken(quoted(string(e)), parameter, "Member must satisfy enum value set: "+set)
}

// attributes is an item or a key in a request. A value that DynamoDB refuses
// does not make the request unreadable: it is refused when the item is used.
type attributes struct {
	item    value.Item
	given   bool
	refused error
}

// UnmarshalJSON reads the wire form.
func (a *attributes) UnmarshalJSON(data []byte) error {
	a.given = true
	err := a.item.UnmarshalJSON(data)
	var bad *value.Error
	if errors.As(err, &bad) {
		a.refused = err
		return nil
	}
	return err
}

// MarshalJSON gives the wire form.
func (a attributes) MarshalJSON() ([]byte, error) { return a.item.MarshalJSON() }

// get gives the item, or refuses it.
func (a attributes) get(parameter string) (value.Item, error) {
	if !a.given {
		return nil, broken("null", parameter, "Member must not be null")
	}
	return a.item, answerable(a.refused)
}

// placeholders is ExpressionAttributeValues.
type placeholders struct {
	values  value.Item
	refused error
}

// UnmarshalJSON reads the wire form.
func (p *placeholders) UnmarshalJSON(data []byte) error {
	err := p.values.UnmarshalJSON(data)
	var bad *value.Error
	if !errors.As(err, &bad) {
		return err
	}
	// The error is to name the placeholder.
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	p.refused = err
	for key, content := range raw {
		var v value.Value
		if err := v.UnmarshalJSON(content); err != nil {
			p.refused = &value.Error{Message: "ExpressionAttributeValues contains invalid value: " + err.Error() +
				" for key " + key}
			break
		}
	}
	return nil
}

// MarshalJSON gives the wire form.
func (p placeholders) MarshalJSON() ([]byte, error) { return p.values.MarshalJSON() }

// names is ExpressionAttributeNames.
type names = map[string]string

// newScope makes the scope of a request's expressions. When placeholders are
// given, one of the expressions has to be: their names are in the wording.
func newScope(n names, p placeholders, expressions string, given ...*string) (*expr.Scope, error) {
	none := true
	for _, e := range given {
		none = none && e == nil
	}
	if none && n != nil {
		return nil, invalid("ExpressionAttributeNames can only be specified when using expressions")
	}
	if none && (p.values != nil || p.refused != nil) {
		return nil, invalid("ExpressionAttributeValues can only be specified when using expressions: %s", expressions)
	}
	if p.refused != nil {
		return nil, answerable(p.refused)
	}
	s, err := expr.NewScope(n, p.values)
	return s, answerable(err)
}
