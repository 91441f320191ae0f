package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// DecodeJSON reads a JSON object into the struct that dst points to. An empty
// body is an empty object. Unknown members are ignored, a null is an absent
// member, and member names are matched exactly, as AWS does.
func (c *Codec) DecodeJSON(data []byte, dst any) error {
	v, err := target(dst)
	if err != nil {
		return err
	}
	d := jsonDecoder{data: data}
	d.space()
	if d.pos == len(d.data) {
		return nil
	}
	if err := d.value(c.planFor(v.Type()), v, 0); err != nil {
		return err
	}
	d.space()
	if d.pos != len(d.data) {
		return problem("data after the end at offset %d", d.pos)
	}
	return nil
}

// A jsonDecoder walks over data once, from left to right.
type jsonDecoder struct {
	data []byte
	pos  int
}

func (d *jsonDecoder) space() {
	for d.pos < len(d.data) {
		switch d.data[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return
		}
	}
}

// peek returns the first byte of the next token, or 0 at the end.
func (d *jsonDecoder) peek() byte {
	d.space()
	if d.pos == len(d.data) {
		return 0
	}
	return d.data[d.pos]
}

func (d *jsonDecoder) syntax() error {
	if d.pos >= len(d.data) {
		return problem("the body ends too early")
	}
	return problem("unexpected %q at offset %d", d.data[d.pos], d.pos)
}

func (d *jsonDecoder) literal(s string) error {
	if !strings.HasPrefix(string(d.data[d.pos:min(len(d.data), d.pos+len(s))]), s) {
		return d.syntax()
	}
	d.pos += len(s)
	return nil
}

// typeName names the kind of the next value, for messages.
func (d *jsonDecoder) typeName() string {
	switch b := d.peek(); {
	case b == '{':
		return "an object"
	case b == '[':
		return "a list"
	case b == '"':
		return "a string"
	case b == 't' || b == 'f':
		return "a boolean"
	case b == '-' || b >= '0' && b <= '9':
		return "a number"
	default:
		return "something else"
	}
}

func (d *jsonDecoder) want(what string) error {
	return problem("expected %s, found %s", what, d.typeName())
}

// value decodes the next value into v.
func (d *jsonDecoder) value(p *plan, v reflect.Value, depth int) error {
	if depth > maxDepth {
		return problem("nested deeper than %d", maxDepth)
	}
	if d.peek() == 'n' {
		return d.literal("null")
	}
	switch p.kind {
	case kindSkip:
		return d.skip(depth)
	case kindRaw:
		return d.raw(v, depth)
	case kindPointer:
		// No allocation for a value that is wrong.
		n := reflect.New(p.typ.Elem())
		if err := d.value(p.elem, n.Elem(), depth); err != nil {
			return err
		}
		v.Set(n)
		return nil
	case kindStruct:
		return d.object(p, v, depth)
	case kindMap:
		return d.mapping(p, v, depth)
	case kindSlice:
		return d.list(p, v, depth)
	case kindString, kindBytes:
		return d.text(p, v)
	case kindBool:
		return d.boolean(v)
	case kindInt, kindUint, kindFloat, kindTime:
		return d.number(p, v)
	}
	return problem("a member of type %s is not supported", p.typ)
}

// each calls member with each member name of the next object, which is valid until
// member returns; member must consume the value.
func (d *jsonDecoder) each(member func(name []byte) error) error {
	if d.peek() != '{' {
		return d.want("an object")
	}
	d.pos++
	if d.peek() == '}' {
		d.pos++
		return nil
	}
	for {
		if d.peek() != '"' {
			return d.syntax()
		}
		name, err := d.quoted()
		if err != nil {
			return err
		}
		if d.peek() != ':' {
			return d.syntax()
		}
		d.pos++
		if err := member(name); err != nil {
			return err
		}
		switch d.peek() {
		case ',':
			d.pos++
		case '}':
			d.pos++
			return nil
		default:
			return d.syntax()
		}
	}
}

// elements calls element for each element of the next list; element must consume the value.
func (d *jsonDecoder) elements(element func(i int) error) error {
	if d.peek() != '[' {
		return d.want("a list")
	}
	d.pos++
	if d.peek() == ']' {
		d.pos++
		return nil
	}
	for i := 0; ; i++ {
		if err := element(i); err != nil {
			return err
		}
		switch d.peek() {
		case ',':
			d.pos++
		case ']':
			d.pos++
			return nil
		default:
			return d.syntax()
		}
	}
}

func (d *jsonDecoder) object(p *plan, v reflect.Value, depth int) error {
	return d.each(func(name []byte) error {
		if p.refused != nil {
			if value, ok := p.refused[string(name)]; ok {
				return d.nothing(string(name), value, depth+1)
			}
		}
		i, ok := p.byName[string(name)]
		if !ok {
			return d.skip(depth + 1)
		}
		f := &p.fields[i]
		if err := d.value(f.plan, v.Field(f.index), depth+1); err != nil {
			return within(err, string(name))
		}
		return nil
	})
}

// nothing skips a member that is not honoured, if it says nothing.
func (d *jsonDecoder) nothing(name, allowed string, depth int) error {
	d.space()
	start := d.pos
	if err := d.skip(depth); err != nil {
		return err
	}
	switch given := string(bytes.Join(bytes.Fields(d.data[start:d.pos]), nil)); given {
	case "null", "false", "0", `""`, "[]", "{}":
		return nil
	default:
		if allowed != "" && (given == allowed || given == strconv.Quote(allowed)) {
			return nil
		}
		return notHonoured(name)
	}
}

func (d *jsonDecoder) mapping(p *plan, v reflect.Value, depth int) error {
	m := reflect.MakeMap(p.typ)
	err := d.each(func(written []byte) error {
		if d.peek() == 'n' { // neither a dense nor a sparse map of these services carries nulls
			return d.literal("null")
		}
		name := string(written)
		e := reflect.New(p.typ.Elem()).Elem()
		if err := d.value(p.elem, e, depth+1); err != nil {
			return within(err, "["+strconv.Quote(name)+"]")
		}
		m.SetMapIndex(reflect.ValueOf(name).Convert(p.key), e)
		return nil
	})
	if err != nil {
		return err
	}
	v.Set(m)
	return nil
}

func (d *jsonDecoder) list(p *plan, v reflect.Value, depth int) error {
	v.Set(reflect.MakeSlice(p.typ, 0, 0))
	n := 0
	return d.elements(func(i int) error {
		if d.peek() == 'n' {
			return d.literal("null")
		}
		if n == v.Cap() {
			v.Grow(1)
		}
		n++
		v.SetLen(n)
		if err := d.value(p.elem, v.Index(n-1), depth+1); err != nil {
			return within(err, "["+strconv.Itoa(i)+"]")
		}
		return nil
	})
}

func (d *jsonDecoder) text(p *plan, v reflect.Value) error {
	if d.peek() != '"' {
		return d.want("a string")
	}
	s, err := d.str()
	if err != nil {
		return err
	}
	if p.kind == kindString {
		v.SetString(s)
		return nil
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return problem("not base64")
	}
	v.SetBytes(b)
	return nil
}

func (d *jsonDecoder) boolean(v reflect.Value) error {
	switch d.peek() {
	case 't':
		v.SetBool(true)
		return d.literal("true")
	case 'f':
		v.SetBool(false)
		return d.literal("false")
	}
	return d.want("a boolean")
}

func (d *jsonDecoder) number(p *plan, v reflect.Value) error {
	if d.peek() == '"' {
		// The three floats that JSON cannot write come as strings.
		// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
		if p.kind != kindFloat {
			return d.want("a number")
		}
		s, err := d.str()
		if err != nil {
			return err
		}
		switch s {
		case "NaN":
			v.SetFloat(math.NaN())
		case "Infinity":
			v.SetFloat(math.Inf(1))
		case "-Infinity":
			v.SetFloat(math.Inf(-1))
		default:
			return problem("expected a number, found a string")
		}
		return nil
	}
	s, err := d.num()
	if err != nil {
		return err
	}
	return setNumber(p.kind, v, s)
}

// setNumber stores the number written as s, refusing one that does not fit.
func setNumber(k kind, v reflect.Value, s string) error {
	switch k {
	case kindInt:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			f, ferr := strconv.ParseFloat(s, 64) // 1e3 and 5.0 are integers too
			if ferr != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
				return problem("%s is not an integer that fits", s)
			}
			n = int64(f)
		}
		if v.OverflowInt(n) {
			return problem("%s is not an integer that fits", s)
		}
		v.SetInt(n)
	case kindUint:
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil || v.OverflowUint(n) {
			return problem("%s is not an integer that fits", s)
		}
		v.SetUint(n)
	case kindFloat:
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || v.OverflowFloat(f) {
			return problem("%s is not a number that fits", s)
		}
		v.SetFloat(f)
	case kindTime:
		f, err := strconv.ParseFloat(s, 64)
		// From year 1 to year 9999.
		if err != nil || f < -62135596800 || f >= 253402300800 {
			return problem("%s is not a time in seconds", s)
		}
		v.Set(reflect.ValueOf(time.UnixMilli(int64(math.Round(f * 1000))).UTC()))
	}
	return nil
}

func (d *jsonDecoder) raw(v reflect.Value, depth int) error {
	d.space()
	start := d.pos
	if err := d.skip(depth); err != nil {
		return err
	}
	u, ok := v.Addr().Interface().(json.Unmarshaler)
	if !ok {
		return problem("a member of type %s cannot be read", v.Type())
	}
	if err := u.UnmarshalJSON(d.data[start:d.pos:d.pos]); err != nil {
		return problem("%v", err)
	}
	return nil
}

// skip passes over the next value, checking that it is well formed.
func (d *jsonDecoder) skip(depth int) error {
	if depth > maxDepth {
		return problem("nested deeper than %d", maxDepth)
	}
	var err error
	switch d.peek() {
	case '{':
		return d.each(func([]byte) error { return d.skip(depth + 1) })
	case '[':
		return d.elements(func(int) error { return d.skip(depth + 1) })
	case '"':
		_, err = d.str()
	case 't':
		err = d.literal("true")
	case 'f':
		err = d.literal("false")
	case 'n':
		err = d.literal("null")
	default:
		_, err = d.num()
	}
	return err
}

// str reads the string that starts at pos.
func (d *jsonDecoder) str() (string, error) {
	s, err := d.quoted()
	return string(s), err
}

// quoted is str without a copy, where the string is written as it is.
func (d *jsonDecoder) quoted() ([]byte, error) {
	start := d.pos
	d.pos++
	plain := true
	for d.pos < len(d.data) {
		switch b := d.data[d.pos]; {
		case b == '"':
			d.pos++
			lit := d.data[start:d.pos]
			if plain && utf8.Valid(lit) {
				return lit[1 : len(lit)-1], nil
			}
			var s string
			if err := json.Unmarshal(lit, &s); err != nil {
				return nil, problem("a malformed string at offset %d", start)
			}
			return []byte(s), nil
		case b == '\\':
			plain = false
			d.pos += 2
		case b < 0x20:
			return nil, d.syntax()
		default:
			d.pos++
		}
	}
	d.pos = len(d.data)
	return nil, d.syntax()
}

// num reads a number by JSON's grammar, which is narrower than Go's.
func (d *jsonDecoder) num() (string, error) {
	start := d.pos
	digits := func() int {
		n := 0
		for d.pos < len(d.data) && d.data[d.pos] >= '0' && d.data[d.pos] <= '9' {
			d.pos++
			n++
		}
		return n
	}
	at := func(set string) bool {
		return d.pos < len(d.data) && strings.IndexByte(set, d.data[d.pos]) >= 0
	}
	if at("-") {
		d.pos++
	}
	if at("0") {
		d.pos++
	} else if digits() == 0 {
		return "", d.syntax()
	}
	if at(".") {
		d.pos++
		if digits() == 0 {
			return "", d.syntax()
		}
	}
	if at("eE") {
		d.pos++
		if at("+-") {
			d.pos++
		}
		if digits() == 0 {
			return "", d.syntax()
		}
	}
	return string(d.data[start:d.pos]), nil
}
