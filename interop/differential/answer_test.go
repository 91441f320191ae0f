package differential

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	streams "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// answer is what a server answered, in a form that can be compared.
type answer struct {
	// Code and Message are those of an error; Code is empty for a result.
	Code    string `json:",omitempty"`
	Message string `json:",omitempty"`
	// Output is the result, or what the error carries besides.
	Output any `json:",omitempty"`
}

// answered makes an answer of what a client returned.
func answered(output any, err error) answer {
	if err == nil {
		return answer{Output: tree(output)}
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return answer{Code: "(not an answer of AWS)", Message: err.Error()}
	}
	a := answer{Code: api.ErrorCode(), Message: api.ErrorMessage()}
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) && failed.Item != nil {
		a.Output = tree(failed.Item)
	}
	var canceled *types.TransactionCanceledException
	if errors.As(err, &canceled) {
		// The message repeats the reasons.
		for i, r := range canceled.CancellationReasons {
			// DynamoDB Local ends some of these messages with a full stop.
			message := strings.TrimSuffix(aws.ToString(r.Message), ".")
			if r.Message != nil {
				canceled.CancellationReasons[i].Message = &message
			}
		}
		a.Output, a.Message = tree(canceled.CancellationReasons), ""
	}
	return a
}

func (a answer) String() string { return printed(a) }

// printed is a value as JSON, with the same text for equal values.
func printed(v any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Sprintf("%+v (%v)", v, err)
	}
	return strings.TrimSpace(text.String())
}

// kind is a message without what it quotes from the request.
func kind(message string) string {
	message, _, _ = strings.Cut(message, ";")
	message, _, _ = strings.Cut(message, ": [")
	if at := strings.IndexAny(message, `'"{`); at >= 0 {
		message = message[:at]
	}
	digits := func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}
	return strings.TrimSpace(strings.Map(digits, message))
}

// tree makes plain maps, lists and scalars of an SDK's value. Members that are
// not there are left out, sets are sorted.
func tree(v any) any { return branch(reflect.ValueOf(v)) }

func branch(v reflect.Value) any {
	if !v.IsValid() {
		return nil
	}
	if set, ok := sortedSet(v); ok {
		return set
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		if v.Kind() == reflect.Interface {
			return member(v.Elem())
		}
		return branch(v.Elem())
	case reflect.Struct:
		if at, ok := v.Interface().(fmt.Stringer); ok && v.Type().PkgPath() == "time" {
			return at.String()
		}
		fields := map[string]any{}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() || f.Type == reflect.TypeFor[middleware.Metadata]() {
				continue
			}
			if b := branch(v.Field(i)); b != nil {
				fields[f.Name] = b
			}
		}
		return fields
	case reflect.Map:
		if v.IsNil() {
			return nil
		}
		entries := map[string]any{}
		for _, key := range v.MapKeys() {
			entries[key.String()] = branch(v.MapIndex(key))
		}
		return entries
	case reflect.Slice:
		if v.IsNil() {
			return nil
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return fmt.Sprintf("%x", v.Bytes())
		}
		list := []any{}
		for i := range v.Len() {
			list = append(list, branch(v.Index(i)))
		}
		return list
	default:
		if v.Kind() == reflect.String && v.Type() != reflect.TypeFor[string]() && v.Len() == 0 {
			return nil // An enumeration that is not set.
		}
		return v.Interface()
	}
}

// member is a value of a union, under its name: {"S": "text"}.
func member(v reflect.Value) any {
	_, name, union := strings.Cut(reflect.Indirect(v).Type().Name(), "Member")
	b := branch(v)
	fields, ok := b.(map[string]any)
	if !union || !ok {
		return b
	}
	if value, ok := fields["Value"]; ok {
		if text, ok := value.(string); ok && name == "N" {
			value = canonical(text)
		}
		return map[string]any{name: value}
	}
	return map[string]any{name: nil}
}

func sortedSet(v reflect.Value) (any, bool) {
	switch s := v.Interface().(type) {
	case streams.AttributeValueMemberSS:
		return sortedSet(reflect.ValueOf(types.AttributeValueMemberSS{Value: s.Value}))
	case streams.AttributeValueMemberNS:
		return sortedSet(reflect.ValueOf(types.AttributeValueMemberNS{Value: s.Value}))
	case streams.AttributeValueMemberBS:
		return sortedSet(reflect.ValueOf(types.AttributeValueMemberBS{Value: s.Value}))
	case types.AttributeValueMemberSS:
		return map[string]any{"Value": slices.Sorted(slices.Values(s.Value))}, true
	case types.AttributeValueMemberNS:
		var texts []string
		for _, text := range s.Value {
			texts = append(texts, canonical(text))
		}
		slices.Sort(texts)
		return map[string]any{"Value": texts}, true
	case types.AttributeValueMemberBS:
		var texts []string
		for _, b := range s.Value {
			texts = append(texts, fmt.Sprintf("%x", b))
		}
		slices.Sort(texts)
		return map[string]any{"Value": texts}, true
	}
	return nil, false
}

// canonical is one text for every way to write a number down. What is none stays
// as it is.
func canonical(text string) string {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return text
	}
	const digits = 170 // More than the smallest and the largest number of DynamoDB have.
	decimal := r.FloatString(digits)
	return strings.TrimSuffix(strings.TrimRight(decimal, "0"), ".")
}
