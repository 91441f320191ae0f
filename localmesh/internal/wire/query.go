package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DecodeQuery reads the parameters of an awsQuery request into the struct that
// dst points to: Name=v, List.member.N=v, Struct.Member=v and
// Map.entry.N.key=k with Map.entry.N.value=v. Flattened lists (List.N) are read
// too. Unknown parameters, Action and Version among them, are ignored. List
// members come in the order of their numbers, which may have gaps.
//
// Scalars in the query string of a restJson request (RAM's deletions and
// PromoteResourceShareCreatedFromPolicy) have the same form, so they are read
// by it as well.
//
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
func (c *Codec) DecodeQuery(form url.Values, dst any) error {
	v, err := target(dst)
	if err != nil {
		return err
	}
	root := &param{}
	for _, key := range sortedStrings(form) {
		values := form[key]
		if len(values) == 0 {
			continue
		}
		if err := root.put(key, values[0]); err != nil {
			return err
		}
	}
	return decodeParam(c.planFor(v.Type()), v, root)
}

func sortedStrings(form url.Values) []string {
	keys := make([]string, 0, len(form))
	for k := range form {
		keys = append(keys, k)
	}
	slices.Sort(keys) // so that the same request always gives the same error
	return keys
}

// A param is a node of the tree that dotted parameter names make up.
type param struct {
	value string
	set   bool
	sub   map[string]*param
}

func (p *param) put(key, value string) error {
	rest, depth := key, 0
	for more := true; more; depth++ {
		if depth > maxDepth {
			return problem("a parameter name nests deeper than %d", maxDepth)
		}
		var name string
		name, rest, more = strings.Cut(rest, ".")
		next := p.sub[name]
		if next == nil {
			next = &param{}
			if p.sub == nil {
				p.sub = make(map[string]*param)
			}
			p.sub[name] = next
		}
		p = next
	}
	p.value, p.set = value, true
	return nil
}

// numbered returns the sub-parameters whose names are numbers, in their order.
func (p *param) numbered() ([]*param, error) {
	type item struct {
		n int
		p *param
	}
	items := make([]item, 0, len(p.sub))
	for name, sub := range p.sub {
		n, err := strconv.Atoi(name)
		if err != nil || n < 0 || strconv.Itoa(n) != name {
			return nil, problem("%q is not the number of a list member", name)
		}
		items = append(items, item{n, sub})
	}
	slices.SortFunc(items, func(a, b item) int { return a.n - b.n })
	params := make([]*param, len(items))
	for i, it := range items {
		params[i] = it.p
	}
	return params, nil
}

// nothing tells whether a parameter says nothing.
func (p *param) nothing(allowed string) bool {
	if len(p.sub) > 0 {
		return false
	}
	return p.value == "" || p.value == "false" || p.value == "0" || p.value == allowed
}

func decodeParam(p *plan, v reflect.Value, from *param) error {
	switch p.kind {
	case kindSkip, kindRaw:
		return nil
	case kindPointer:
		n := reflect.New(p.typ.Elem())
		if err := decodeParam(p.elem, n.Elem(), from); err != nil {
			return err
		}
		v.Set(n)
		return nil
	case kindStruct:
		for name, allowed := range p.refused {
			if sub := from.sub[name]; sub != nil && !sub.nothing(allowed) {
				return notHonoured(name)
			}
		}
		for i := range p.fields {
			f := &p.fields[i]
			sub := from.sub[f.name]
			if sub == nil {
				continue
			}
			if err := decodeParam(f.plan, v.Field(f.index), sub); err != nil {
				return within(err, f.name)
			}
		}
		return nil
	case kindSlice:
		return decodeParamList(p, v, from)
	case kindMap:
		return decodeParamMap(p, v, from)
	}

	if !from.set {
		return problem("expected a value, found a structure")
	}
	switch p.kind {
	case kindString:
		v.SetString(from.value)
	case kindBool:
		switch from.value {
		case "true":
			v.SetBool(true)
		case "false":
			v.SetBool(false)
		default:
			return problem("%q is neither true nor false", from.value)
		}
	case kindBytes:
		b, err := base64.StdEncoding.DecodeString(from.value)
		if err != nil {
			return problem("not base64")
		}
		v.SetBytes(b)
	case kindInt, kindUint, kindFloat:
		return setNumber(p.kind, v, from.value)
	case kindTime:
		t, err := time.Parse(time.RFC3339Nano, from.value)
		if err != nil {
			return problem("%q is not an ISO 8601 time", from.value)
		}
		v.Set(reflect.ValueOf(t.UTC()))
	}
	return nil
}

// decodeParamList reads List.member.N, or List.N. An empty list is sent as "List=".
func decodeParamList(p *plan, v reflect.Value, from *param) error {
	if m := from.sub["member"]; m != nil {
		from = m
	}
	items, err := from.numbered()
	if err != nil {
		return err
	}
	s := reflect.MakeSlice(p.typ, len(items), len(items))
	for i, item := range items {
		if err := decodeParam(p.elem, s.Index(i), item); err != nil {
			return within(err, "["+strconv.Itoa(i)+"]")
		}
	}
	v.Set(s)
	return nil
}

// decodeParamMap reads Map.entry.N.key and .value, or Map.N.key and .value.
func decodeParamMap(p *plan, v reflect.Value, from *param) error {
	if m := from.sub["entry"]; m != nil {
		from = m
	}
	entries, err := from.numbered()
	if err != nil {
		return err
	}
	m := reflect.MakeMap(p.typ)
	for i, entry := range entries {
		key, value := entry.sub["key"], entry.sub["value"]
		if key == nil || !key.set || value == nil {
			return within(problem("a map entry needs a key and a value"), "["+strconv.Itoa(i)+"]")
		}
		e := reflect.New(p.typ.Elem()).Elem()
		if err := decodeParam(p.elem, e, value); err != nil {
			return within(err, "["+strconv.Quote(key.value)+"]")
		}
		m.SetMapIndex(reflect.ValueOf(key.value).Convert(p.key), e)
	}
	v.Set(m)
	return nil
}

// EncodeQuery writes the answer to an awsQuery request: an OpResponse element
// with the OpResult and the request id. A nil out has no result element.
func (c *Codec) EncodeQuery(operation, xmlns, requestID string, out any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("<" + operation + `Response xmlns="`)
	escape(&b, xmlns)
	b.WriteString(`">`)
	rv := reflect.ValueOf(out)
	for rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	if rv.IsValid() && rv.Kind() != reflect.Pointer {
		if err := writeXML(&b, operation+"Result", c.planFor(rv.Type()), rv, 0); err != nil {
			return nil, err
		}
	}
	b.WriteString("<ResponseMetadata><RequestId>")
	escape(&b, requestID)
	b.WriteString("</RequestId></ResponseMetadata></" + operation + "Response>")
	return b.Bytes(), nil
}

func escape(b *bytes.Buffer, s string) {
	// A bytes.Buffer does not fail.
	_ = xml.EscapeText(b, []byte(s))
}

// writeXML writes v as an element of the given name.
func writeXML(b *bytes.Buffer, name string, p *plan, v reflect.Value, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("wire: %s is nested deeper than %d", v.Type(), maxDepth)
	}
	if p.kind == kindPointer {
		if v.IsNil() {
			return nil
		}
		return writeXML(b, name, p.elem, v.Elem(), depth+1)
	}
	b.WriteString("<" + name + ">")
	switch p.kind {
	case kindStruct:
		for i := range p.fields {
			f := &p.fields[i]
			fv := v.Field(f.index)
			if absent(f, fv) {
				continue
			}
			if err := writeXML(b, f.name, f.plan, fv, depth+1); err != nil {
				return err
			}
		}
	case kindSlice:
		for i := range v.Len() {
			if err := writeXML(b, "member", p.elem, v.Index(i), depth+1); err != nil {
				return err
			}
		}
	case kindMap:
		for _, k := range sortedKeys(v) {
			b.WriteString("<entry><key>")
			escape(b, k.String())
			b.WriteString("</key>")
			if err := writeXML(b, "value", p.elem, v.MapIndex(k), depth+1); err != nil {
				return err
			}
			b.WriteString("</entry>")
		}
	case kindBytes:
		b.WriteString(base64.StdEncoding.EncodeToString(v.Bytes()))
	case kindString:
		escape(b, v.String())
	case kindBool:
		b.WriteString(strconv.FormatBool(v.Bool()))
	case kindInt:
		b.WriteString(strconv.FormatInt(v.Int(), 10))
	case kindUint:
		b.WriteString(strconv.FormatUint(v.Uint(), 10))
	case kindFloat:
		b.WriteString(formatFloatXML(v.Float()))
	case kindTime:
		b.WriteString(FormatTime(v.Interface().(time.Time)))
	default:
		return fmt.Errorf("wire: %s cannot be written as XML", v.Type())
	}
	b.WriteString("</" + name + ">")
	return nil
}

func formatFloatXML(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// FormatTime writes t in ISO 8601 and UTC, as the XML protocols do, with
// milliseconds when there are any.
func FormatTime(t time.Time) string {
	return t.UTC().Truncate(time.Millisecond).Format("2006-01-02T15:04:05.999Z")
}
