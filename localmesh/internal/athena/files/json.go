package files

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
)

// openJSON reads an object a line, whose names are matched whatever their case
// (https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html).
func openJSON(l Layout, content []byte, used []bool) Reader {
	wanted := map[string]int{}
	for i, c := range l.Columns {
		if !used[i] {
			continue
		}
		n := c.Name
		if m, ok := l.Parameters["mapping."+n]; ok {
			n = m
		}
		wanted[strings.ToLower(n)] = i
	}
	ignore := l.Parameters["ignore.malformed.json"] == "true"
	b := newByLine(content, used)
	b.read = func(line []byte, row int) (bool, error) {
		if len(bytes.TrimSpace(line)) == 0 {
			return false, nil
		}
		for _, i := range wanted {
			b.batch.Columns[i][row] = nil
		}
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		var object map[string]any
		if err := d.Decode(&object); err != nil {
			if ignore {
				return true, nil
			}
			return false, Fault("HIVE_BAD_DATA", "a line is no JSON object")
		}
		for n, v := range object {
			i, ok := wanted[strings.ToLower(n)]
			if !ok {
				continue
			}
			value, err := ofJSON(l.Columns[i].Type, v)
			if err != nil {
				return false, Fault("HIVE_BAD_DATA", "Error parsing field %s: it is no %s", l.Columns[i].Name, l.Columns[i].Type)
			}
			b.batch.Columns[i][row] = value
		}
		return true, nil
	}
	return b
}

// ofJSON is a value of JSON as one of a type.
func ofJSON(t dialect.Type, v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	if t.Kind >= dialect.Array {
		inner, err := nestedOfJSON(t, v)
		if err != nil {
			return nil, err
		}
		return Nested(inner)
	}
	switch x := v.(type) {
	case string:
		if t.Kind == dialect.Varchar || t.Kind == dialect.Char {
			return bounded(t, x), nil
		}
		return dialect.Cast(dialect.Type{Kind: dialect.Varchar}, t, x)
	case json.Number:
		if t.Kind == dialect.Varchar || t.Kind == dialect.Char {
			return x.String(), nil
		}
		return dialect.Cast(dialect.Type{Kind: dialect.Varchar}, t, x.String())
	case bool:
		switch t.Kind {
		case dialect.Boolean:
			return map[bool]int64{true: 1, false: 0}[x], nil
		case dialect.Varchar:
			return strconv.FormatBool(x), nil
		}
	default:
		if t.Kind == dialect.Varchar {
			text, err := json.Marshal(v)
			return string(text), err
		}
	}
	return nil, fmt.Errorf("a value of JSON is no %s", t)
}

// nestedOfJSON is a value as it stands in the engine's JSON: rows by the place of their fields,
// maps as pairs.
func nestedOfJSON(t dialect.Type, v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	bad := fmt.Errorf("a value of JSON is no %s", t)
	switch t.Kind {
	case dialect.Array:
		list, ok := v.([]any)
		if !ok {
			return nil, bad
		}
		out := make([]any, len(list))
		for i, e := range list {
			var err error
			if out[i], err = nestedOfJSON(t.Of[0], e); err != nil {
				return nil, err
			}
		}
		return out, nil
	case dialect.Map, dialect.Row:
		object, ok := v.(map[string]any)
		if !ok {
			return nil, bad
		}
		if t.Kind == dialect.Map {
			return pairs(t, object)
		}
		out := make([]any, len(t.Of))
		for n, e := range object {
			for i, field := range t.Names {
				if !strings.EqualFold(n, field) {
					continue
				}
				var err error
				if out[i], err = nestedOfJSON(t.Of[i], e); err != nil {
					return nil, err
				}
			}
		}
		return out, nil
	}
	return ofJSON(t, v)
}

func pairs(t dialect.Type, object map[string]any) (any, error) {
	out := make([]any, 0, len(object))
	for _, n := range sortedKeys(object) {
		key, err := ofJSON(t.Of[0], n)
		if err != nil {
			return nil, err
		}
		value, err := nestedOfJSON(t.Of[1], object[n])
		if err != nil {
			return nil, err
		}
		out = append(out, []any{key, value})
	}
	return out, nil
}

// Nested writes a nested value as the engine has it.
func Nested(v any) (any, error) {
	b, err := appendNested(nil, v)
	return string(b), err
}

func appendNested(b []byte, v any) ([]byte, error) {
	switch x := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case int64:
		return strconv.AppendInt(b, x, 10), nil
	case float64:
		// A number with a point stays one.
		s := strconv.FormatFloat(x, 'g', -1, 64)
		if _, ok := new(big.Int).SetString(s, 10); ok {
			s += ".0"
		}
		return append(b, s...), nil
	case []any:
		b = append(b, '[')
		var err error
		for i, e := range x {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendNested(b, e); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case string:
		text, err := json.Marshal(x)
		return append(b, text...), err
	}
	return nil, fmt.Errorf("a nested value of the unexpected type %T", v)
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
