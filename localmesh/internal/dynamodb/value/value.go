package value

import (
	"slices"
	"strings"
)

// Type is the type of an attribute value, named as on the wire.
type Type string

// The types of attribute values.
const (
	String    Type = "S"
	Numeric   Type = "N"
	Binary    Type = "B"
	Bool      Type = "BOOL"
	Null      Type = "NULL"
	Map       Type = "M"
	List      Type = "L"
	StringSet Type = "SS"
	NumberSet Type = "NS"
	BinarySet Type = "BS"
)

// Valid says whether t is one of the types.
func (t Type) Valid() bool {
	switch t {
	case String, Numeric, Binary, Bool, Null, Map, List, StringSet, NumberSet, BinarySet:
		return true
	}
	return false
}

// IsSet says whether t is a set type.
func (t Type) IsSet() bool { return t == StringSet || t == NumberSet || t == BinarySet }

// Ordered says whether values of the type can be compared with < and >.
func (t Type) Ordered() bool { return t == String || t == Numeric || t == Binary }

// Value is an attribute value. It is not changed once made: whoever needs
// another value makes one. The zero Value is no value at all.
type Value struct {
	kind Type
	// text is the string, the canonical number, or the bytes.
	text string
	flag bool
	list []Value
	item Item
	// set holds the elements of a set, in order, without duplicates.
	set []string
}

// Item is the attributes of an item, or of a map, by name.
type Item map[string]Value

// Of makes a string value.
func Of(text string) Value { return Value{kind: String, text: text} }

// OfNumber makes a number value.
func OfNumber(n Number) Value { return Value{kind: Numeric, text: n.String()} }

// OfBytes makes a binary value.
func OfBytes(b []byte) Value { return Value{kind: Binary, text: string(b)} }

// OfBool makes a boolean value.
func OfBool(b bool) Value { return Value{kind: Bool, flag: b} }

// OfNull makes the null value.
func OfNull() Value { return Value{kind: Null, flag: true} }

// OfList makes a list of the values, which it keeps.
func OfList(values []Value) Value { return Value{kind: List, list: values} }

// OfMap makes a map of the attributes, which it keeps.
func OfMap(item Item) Value { return Value{kind: Map, item: item} }

// OfStrings makes a string set.
func OfStrings(elements ...string) (Value, error) { return newSet(StringSet, elements) }

// OfElements makes the set of the values, which are all strings, all numbers or all
// binaries.
func OfElements(values []Value) (Value, error) {
	elements := make([]string, len(values))
	for i, v := range values {
		elements[i] = v.text
	}
	return newSet(values[0].kind+"S", elements)
}

// Type gives the type; the zero Value has none.
func (v Value) Type() Type { return v.kind }

// IsZero says whether v is no value at all.
func (v Value) IsZero() bool { return v.kind == "" }

// Text gives the string, the printed number, or the bytes, of an S, N or B.
func (v Value) Text() string { return v.text }

// Number gives the number of an N; of another value it is zero.
func (v Value) Number() Number {
	if v.kind != Numeric {
		return Number{}
	}
	return numberOf(v.text)
}

// Bool gives the truth of a BOOL.
func (v Value) Bool() bool { return v.flag }

// List gives the elements of an L, which are not to be changed.
func (v Value) List() []Value { return v.list }

// Map gives the attributes of an M, which are not to be changed.
func (v Value) Map() Item { return v.item }

// Elements gives the elements of a set as values.
func (v Value) Elements() []Value {
	values := make([]Value, len(v.set))
	for i, text := range v.set {
		values[i] = Value{kind: v.kind.element(), text: text}
	}
	return values
}

// Len is the number of elements of a list, map or set.
func (v Value) Len() int { return len(v.list) + len(v.item) + len(v.set) }

// element is the type of the elements of a set.
func (t Type) element() Type { return t[:1] }

// numberOf reads a number that ParseNumber printed, and which it hence accepts.
func numberOf(canonical string) Number {
	n, _ := ParseNumber(canonical)
	return n
}

// newSet makes a set, whose numbers are canonical already.
func newSet(kind Type, elements []string) (Value, error) {
	if len(elements) == 0 {
		return Value{}, emptySet(kind)
	}
	sorted := slices.Clone(elements)
	sortElements(kind, sorted)
	if len(slices.Compact(slices.Clone(sorted))) != len(sorted) {
		return Value{}, duplicates(kind, elements)
	}
	return Value{kind: kind, set: sorted}, nil
}

func sortElements(kind Type, elements []string) {
	slices.SortFunc(elements, func(a, b string) int { return compareText(kind.element(), a, b) })
}

func compareText(kind Type, a, b string) int {
	if kind == Numeric {
		if a == b {
			return 0
		}
		return numberOf(a).Compare(numberOf(b))
	}
	return strings.Compare(a, b)
}

func emptySet(kind Type) error {
	text := "An string set  may not be empty"
	switch kind {
	case NumberSet:
		text = "An number set  may not be empty"
	case BinarySet:
		text = "Binary sets should not be empty"
	}
	return &Error{"One or more parameter values were invalid: " + text}
}

func duplicates(kind Type, elements []string) error {
	if kind == NumberSet {
		return &Error{"Input collection contains duplicates"}
	}
	shown := elements
	if kind == BinarySet {
		shown = make([]string, len(elements))
		for i, text := range elements {
			shown[i] = base64Of(text)
		}
	}
	after := "]"
	if kind == BinarySet {
		after = "]of type BS"
	}
	return &Error{"One or more parameter values were invalid: Input collection [" + strings.Join(shown, ", ") + after + " contains duplicates."}
}

// Equal says whether the values are of one type and the same.
func (v Value) Equal(w Value) bool {
	if v.kind != w.kind {
		return false
	}
	switch v.kind {
	case List:
		return slices.EqualFunc(v.list, w.list, Value.Equal)
	case Map:
		return v.item.Equal(w.item)
	case StringSet, NumberSet, BinarySet:
		return slices.Equal(v.set, w.set)
	}
	return v.text == w.text && v.flag == w.flag
}

// Equal says whether the items have the same attributes.
func (item Item) Equal(other Item) bool {
	if len(item) != len(other) {
		return false
	}
	for name, v := range item {
		w, ok := other[name]
		if !ok || !v.Equal(w) {
			return false
		}
	}
	return true
}

// Compare orders two values of the same ordered type: strings and binaries by
// bytes, numbers by magnitude. It says false when the values have no order.
func (v Value) Compare(w Value) (int, bool) {
	if v.kind != w.kind || !v.kind.Ordered() {
		return 0, false
	}
	return compareText(v.kind, v.text, w.text), true
}

// Contains says whether a string has the substring, a binary the bytes, a set
// the element, or a list an equal element.
func (v Value) Contains(w Value) bool {
	switch v.kind {
	case String, Binary:
		return w.kind == v.kind && strings.Contains(v.text, w.text)
	case StringSet, NumberSet, BinarySet:
		return w.kind == v.kind.element() && v.has(w.text)
	case List:
		return slices.ContainsFunc(v.list, w.Equal)
	}
	return false
}

func (v Value) has(element string) bool {
	_, found := slices.BinarySearchFunc(v.set, element, func(a, b string) int {
		return compareText(v.kind.element(), a, b)
	})
	return found
}

// Union gives the set of the elements of both sets, which are of one type.
func (v Value) Union(w Value) Value {
	elements := append(slices.Clone(v.set), w.set...)
	sortElements(v.kind, elements)
	return Value{kind: v.kind, set: slices.Compact(elements)}
}

// Without gives the set of the elements of v that w does not have. It may be
// empty, in which case it is not to be stored.
func (v Value) Without(w Value) Value {
	var left []string
	for _, element := range v.set {
		if !w.has(element) {
			left = append(left, element)
		}
	}
	return Value{kind: v.kind, set: left}
}
