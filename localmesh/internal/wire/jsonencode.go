package wire

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// maxExpected bounds the memory that is set aside for an answer before it is written.
const maxExpected = 1 << 20

// EncodeJSON writes a struct as a JSON object. Absent members (nil pointers,
// slices and maps, empty enums) are left out; an empty list that is not nil is
// written as one. Times are seconds since the epoch. A nil v is an empty object.
func (c *Codec) EncodeJSON(v any) ([]byte, error) {
	rv := reflect.ValueOf(v)
	for rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	if !rv.IsValid() || rv.Kind() == reflect.Pointer {
		return []byte("{}"), nil
	}
	p := c.planFor(rv.Type())
	// Answers of an operation are mostly about as long as the one before.
	last := p.encoded.Load()
	b, err := appendJSON(make([]byte, 0, last+last/16+512), p, rv, 0)
	p.encoded.Store(min(max(int64(len(b)), last/2), maxExpected))
	return b, err
}

// absent tells whether a member is left out.
func absent(f *field, v reflect.Value) bool {
	switch f.plan.kind {
	case kindPointer, kindSlice, kindMap, kindBytes:
		return v.IsNil()
	case kindString:
		return f.enum && v.Len() == 0
	case kindTime:
		return v.IsZero()
	case kindSkip:
		return true
	case kindRaw:
		switch v.Kind() {
		case reflect.Map, reflect.Slice:
			return v.IsNil()
		}
	}
	return false
}

func appendJSON(b []byte, p *plan, v reflect.Value, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("wire: %s is nested deeper than %d", v.Type(), maxDepth)
	}
	var err error
	switch p.kind {
	case kindRaw:
		return appendRaw(b, v)
	case kindPointer:
		if v.IsNil() {
			return append(b, "null"...), nil
		}
		return appendJSON(b, p.elem, v.Elem(), depth+1)
	case kindStruct:
		b = append(b, '{')
		first := true
		for i := range p.fields {
			f := &p.fields[i]
			fv := v.Field(f.index)
			if absent(f, fv) {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			first = false
			b = appendString(b, f.name)
			b = append(b, ':')
			if b, err = appendJSON(b, f.plan, fv, depth+1); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	case kindMap:
		b = append(b, '{')
		for i, k := range sortedKeys(v) {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, k.String())
			b = append(b, ':')
			if b, err = appendJSON(b, p.elem, v.MapIndex(k), depth+1); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	case kindSlice:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendJSON(b, p.elem, v.Index(i), depth+1); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case kindBytes:
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, v.Bytes())
		return append(b, '"'), nil
	case kindString:
		return appendString(b, v.String()), nil
	case kindBool:
		return strconv.AppendBool(b, v.Bool()), nil
	case kindInt:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case kindUint:
		return strconv.AppendUint(b, v.Uint(), 10), nil
	case kindFloat:
		return appendFloat(b, v.Float()), nil
	case kindTime:
		return appendEpoch(b, v.Interface().(time.Time)), nil
	}
	return append(b, "null"...), nil
}

func sortedKeys(m reflect.Value) []reflect.Value {
	keys := m.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		switch {
		case a.String() < b.String():
			return -1
		case a.String() > b.String():
			return 1
		}
		return 0
	})
	return keys
}

func appendRaw(b []byte, v reflect.Value) ([]byte, error) {
	m, ok := v.Interface().(json.Marshaler)
	if !ok {
		if !v.CanAddr() {
			n := reflect.New(v.Type()).Elem()
			n.Set(v)
			v = n
		}
		if m, ok = v.Addr().Interface().(json.Marshaler); !ok {
			return nil, fmt.Errorf("wire: %s reads its own JSON but does not write it", v.Type())
		}
	}
	raw, err := m.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("wire: encode %s: %w", v.Type(), err)
	}
	return append(b, raw...), nil
}

func appendFloat(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(b, `"-Infinity"`...)
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

// appendEpoch writes seconds since the epoch, with milliseconds when there are any.
func appendEpoch(b []byte, t time.Time) []byte {
	ms := t.UnixMilli()
	if ms < 0 {
		b = append(b, '-')
		ms = -ms
	}
	b = strconv.AppendInt(b, ms/1000, 10)
	if frac := ms % 1000; frac != 0 {
		b = append(b, '.', byte('0'+frac/100), byte('0'+frac/10%10), byte('0'+frac%10))
	}
	return b
}

const hexDigits = "0123456789abcdef"

// appendString writes s as a JSON string; bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(append(b, s[start:i]...), '\\', c)
			i++
			start = i
		case c < 0x20:
			b = append(append(b, s[start:i]...), '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			i++
			start = i
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += n
		}
	}
	return append(append(b, s[start:]...), '"')
}
