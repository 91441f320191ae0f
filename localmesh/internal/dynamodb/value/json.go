package value

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxDepth is how many levels of lists and maps an attribute may have.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const MaxDepth = 32

const (
	noType    = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
	manyTypes = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
	tooDeep   = "Nesting Levels have exceeded supported limits"
	noName    = "Empty attribute name"
)

func base64Of(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// MarshalJSON gives the wire form, {"S": "text"} for example.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// MarshalJSON gives the wire form, with the attributes in the order of their names.
func (item Item) MarshalJSON() ([]byte, error) {
	if item == nil {
		return []byte("null"), nil
	}
	return item.AppendJSON(nil), nil
}

// AppendJSON appends the wire form to dst.
func (item Item) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	for i, name := range slices.Sorted(maps.Keys(item)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, name)
		dst = append(dst, ':')
		dst = item[name].AppendJSON(dst)
	}
	return append(dst, '}')
}

// AppendJSON appends the wire form to dst.
func (v Value) AppendJSON(dst []byte) []byte {
	if v.kind == "" {
		return append(dst, "null"...)
	}
	dst = append(dst, '{', '"')
	dst = append(dst, v.kind...)
	dst = append(dst, '"', ':')
	switch v.kind {
	case Bool, Null:
		dst = strconv.AppendBool(dst, v.flag)
	case List:
		dst = append(dst, '[')
		for i, element := range v.list {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = element.AppendJSON(dst)
		}
		dst = append(dst, ']')
	case Map:
		dst = v.item.AppendJSON(dst)
	case StringSet, NumberSet, BinarySet:
		dst = append(dst, '[')
		for i, element := range v.set {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendText(dst, v.kind.element(), element)
		}
		dst = append(dst, ']')
	default:
		dst = appendText(dst, v.kind, v.text)
	}
	return append(dst, '}')
}

func appendText(dst []byte, kind Type, text string) []byte {
	if kind != Binary {
		return appendString(dst, text)
	}
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, []byte(text))
	return append(dst, '"')
}

const hexDigits = "0123456789abcdef"

func appendString(dst []byte, text string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	dst = append(dst, text[start:]...)
	return append(dst, '"')
}

// UnmarshalJSON reads the wire form. A value that DynamoDB refuses is an
// *Error, one that is not of the wire form a *WireError.
func (v *Value) UnmarshalJSON(data []byte) error {
	r := reader{data: data}
	if r.isNull() {
		*v = Value{}
		return nil
	}
	got, err := r.value(0)
	if err != nil {
		return err
	}
	if err := r.end(); err != nil {
		return err
	}
	*v = got
	return nil
}

// UnmarshalJSON reads the wire form, as that of a Value is read.
func (item *Item) UnmarshalJSON(data []byte) error {
	r := reader{data: data}
	if r.isNull() {
		*item = nil
		return nil
	}
	got, err := r.item(0)
	if err != nil {
		return err
	}
	if err := r.end(); err != nil {
		return err
	}
	*item = got
	return nil
}

// reader reads the wire form in one pass: a generic decoder would look at each
// byte once for every level that the value is nested.
type reader struct {
	data []byte
	at   int
}

func (r *reader) space() {
	for r.at < len(r.data) {
		switch r.data[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

func (r *reader) peek() byte {
	r.space()
	if r.at == len(r.data) {
		return 0
	}
	return r.data[r.at]
}

func (r *reader) expect(c byte) error {
	if r.peek() != c {
		return r.unexpected("'" + string(c) + "'")
	}
	r.at++
	return nil
}

func (r *reader) unexpected(wanted string) error {
	met := "the end of the value"
	if c := r.peek(); c != 0 {
		met = strconv.QuoteRune(rune(c))
	}
	return &WireError{"Unexpected " + met + " where " + wanted + " was expected in an AttributeValue"}
}

func (r *reader) end() error {
	if r.peek() != 0 {
		return r.unexpected("the end")
	}
	return nil
}

func (r *reader) isNull() bool { return r.word("null") }

func (r *reader) word(word string) bool {
	r.space()
	if !strings.HasPrefix(string(r.data[r.at:min(len(r.data), r.at+len(word))]), word) {
		return false
	}
	r.at += len(word)
	return true
}

// members calls each for every member of an object.
func (r *reader) members(each func(name string) error) error {
	if err := r.expect('{'); err != nil {
		return err
	}
	if r.peek() == '}' {
		r.at++
		return nil
	}
	for {
		name, err := r.string()
		if err != nil {
			return err
		}
		if err := r.expect(':'); err != nil {
			return err
		}
		if err := each(name); err != nil {
			return err
		}
		if r.peek() != ',' {
			return r.expect('}')
		}
		r.at++
	}
}

// elements calls each for every element of an array.
func (r *reader) elements(each func() error) error {
	if err := r.expect('['); err != nil {
		return err
	}
	if r.peek() == ']' {
		r.at++
		return nil
	}
	for {
		if err := each(); err != nil {
			return err
		}
		if r.peek() != ',' {
			return r.expect(']')
		}
		r.at++
	}
}

func (r *reader) item(depth int) (Item, error) {
	item := Item{}
	err := r.members(func(name string) error {
		if name == "" {
			return &Error{noName}
		}
		v, err := r.value(depth)
		item[name] = v
		return err
	})
	return item, err
}

func (r *reader) value(depth int) (Value, error) {
	var v Value
	if r.peek() != '{' {
		return v, r.unexpected("'{'")
	}
	err := r.members(func(name string) error {
		kind := Type(name)
		if r.isNull() {
			return nil
		}
		if !kind.Valid() {
			return r.skip(depth)
		}
		if v.kind != "" {
			return &Error{manyTypes}
		}
		got, err := r.content(kind, depth)
		v = got
		return err
	})
	if err == nil && v.kind == "" {
		err = &Error{noType}
	}
	return v, err
}

func (r *reader) content(kind Type, depth int) (Value, error) {
	switch kind {
	case String, Numeric, Binary:
		text, err := r.scalar(kind)
		return Value{kind: kind, text: text}, err
	case Bool, Null:
		flag := r.word("true")
		if !flag && !r.word("false") {
			return Value{}, r.unexpected("true or false")
		}
		// DynamoDB takes a null that is false, which it refused until the middle of 2026, for
		// one that is true.
		return Value{kind: kind, flag: flag || kind == Null}, nil
	case List:
		if depth == MaxDepth {
			return Value{}, &Error{tooDeep}
		}
		list := []Value{}
		err := r.elements(func() error {
			v, err := r.value(depth + 1)
			list = append(list, v)
			return err
		})
		return Value{kind: List, list: list}, err
	case Map:
		if depth == MaxDepth {
			return Value{}, &Error{tooDeep}
		}
		item, err := r.item(depth + 1)
		return Value{kind: Map, item: item}, err
	}
	var elements []string
	err := r.elements(func() error {
		text, err := r.scalar(kind.element())
		elements = append(elements, text)
		return err
	})
	if err != nil {
		return Value{}, err
	}
	return newSet(kind, elements)
}

// scalar reads the text of an S, N or B, numbers in their canonical form.
func (r *reader) scalar(kind Type) (string, error) {
	text, err := r.string()
	if err != nil {
		return "", err
	}
	switch kind {
	case Numeric:
		n, err := ParseNumber(text)
		if err != nil {
			return "", err
		}
		return n.String(), nil
	case Binary:
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return "", &WireError{"Invalid base64 in an AttributeValue"}
		}
		return string(b), nil
	}
	return text, nil
}

func (r *reader) string() (string, error) {
	if r.peek() != '"' {
		return "", r.unexpected("a string")
	}
	plain := true
	for i := r.at + 1; i < len(r.data); i++ {
		switch c := r.data[i]; {
		case c == '\\':
			plain = false
			i++
		case c == '"':
			raw := r.data[r.at : i+1]
			r.at = i + 1
			if plain && utf8.Valid(raw) {
				return string(raw[1 : len(raw)-1]), nil
			}
			var text string
			if err := json.Unmarshal(raw, &text); err != nil {
				return "", &WireError{"Invalid string in an AttributeValue"}
			}
			return text, nil
		case c < ' ':
			return "", &WireError{"Invalid string in an AttributeValue"}
		}
	}
	return "", &WireError{"Unterminated string in an AttributeValue"}
}

// skip passes over any JSON value, nested no deeper than values may be.
func (r *reader) skip(depth int) error {
	if depth > 2*MaxDepth {
		return &Error{tooDeep}
	}
	switch r.peek() {
	case '{':
		return r.members(func(string) error { return r.skip(depth + 1) })
	case '[':
		return r.elements(func() error { return r.skip(depth + 1) })
	case '"':
		_, err := r.string()
		return err
	}
	start := r.at
	for r.at < len(r.data) && !strings.ContainsRune(",]} \t\r\n", rune(r.data[r.at])) {
		r.at++
	}
	if !json.Valid(r.data[start:r.at]) {
		return r.unexpected("a value")
	}
	return nil
}
