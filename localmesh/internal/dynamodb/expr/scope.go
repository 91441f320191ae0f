package expr

import (
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
)

// Scope is what the expressions of one request share: the placeholders for
// names and values, of which each has to be used by one of the expressions.
type Scope struct {
	names      map[string]string
	values     map[string]value.Value
	usedNames  map[string]bool
	usedValues map[string]bool
	attributes map[string]bool
	// nested are the attributes of which a part is spoken of.
	nested map[string]bool
}

// NewScope makes the scope of a request's ExpressionAttributeNames and
// ExpressionAttributeValues, either of which may be nil when it was not given.
func NewScope(names map[string]string, values map[string]value.Value) (*Scope, error) {
	if names != nil && len(names) == 0 {
		return nil, refuse("ExpressionAttributeNames must not be empty")
	}
	if values != nil && len(values) == 0 {
		return nil, refuse("ExpressionAttributeValues must not be empty")
	}
	for _, key := range slices.Sorted(maps.Keys(names)) {
		if !isPlaceholder(key, '#') {
			return nil, refuse("ExpressionAttributeNames contains invalid key: Syntax error; key: %q", key)
		}
		if names[key] == "" {
			return nil, refuse("ExpressionAttributeNames contains invalid value: Empty attribute name for key %s", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !isPlaceholder(key, ':') {
			return nil, refuse("ExpressionAttributeValues contains invalid key: Syntax error; key: %q", key)
		}
	}
	size := 0
	for placeholder, name := range names {
		size += len(placeholder) + len(name)
	}
	for placeholder, v := range values {
		size += len(placeholder) + v.Size()
	}
	if size > maxPlaceholders {
		return nil, refuse("The size of expression attribute names and values has exceeded the maximum allowed size; size: %d", size)
	}
	return &Scope{
		names:      names,
		values:     values,
		usedNames:  make(map[string]bool, len(names)),
		usedValues: make(map[string]bool, len(values)),
		attributes: map[string]bool{},
		nested:     map[string]bool{},
	}, nil
}

func isPlaceholder(key string, mark byte) bool {
	if len(key) < 2 || key[0] != mark {
		return false
	}
	for i := 1; i < len(key); i++ {
		if !isWordByte(key[i]) {
			return false
		}
	}
	return true
}

// CheckUsed refuses placeholders that none of the expressions parsed so far
// has used.
func (s *Scope) CheckUsed() error {
	if unused := missing(s.names, s.usedNames); unused != "" {
		return refuse("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", unused)
	}
	if unused := missing(s.values, s.usedValues); unused != "" {
		return refuse("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", unused)
	}
	return nil
}

func missing[V any](given map[string]V, used map[string]bool) string {
	if len(given) == len(used) {
		return ""
	}
	var unused []string
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if !used[key] {
			unused = append(unused, key)
		}
	}
	return strings.Join(unused, ", ")
}

// Attributes gives the names of the top-level attributes that the expressions
// parsed so far speak of, sorted.
func (s *Scope) Attributes() []string { return slices.Sorted(maps.Keys(s.attributes)) }

// HasParts says whether the expressions parsed so far speak of a part of the
// attribute, as in a.b or a[0].
func (s *Scope) HasParts(attribute string) bool { return s.nested[attribute] }

func (s *Scope) see(path Path) {
	s.attributes[path.Attribute()] = true
	if len(path) > 1 {
		s.nested[path.Attribute()] = true
	}
}

func (s *Scope) name(placeholder string) (string, error) {
	name, ok := s.names[placeholder]
	if !ok {
		return placeholder, refuse("An expression attribute name used in the document path is not defined; "+
			"attribute name: %s", placeholder)
	}
	s.usedNames[placeholder] = true
	return name, nil
}

func (s *Scope) value(placeholder string) (value.Value, error) {
	v, ok := s.values[placeholder]
	if !ok {
		return value.Value{}, refuse("An expression attribute value used in expression is not defined; "+
			"attribute value: %s", placeholder)
	}
	s.usedValues[placeholder] = true
	return v, nil
}
