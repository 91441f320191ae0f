package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/smithy-go/middleware"
)

// maxDepth bounds how deep a request may nest, whatever its size.
const maxDepth = 200

// A Codec decodes and encodes the structs of one service. It remembers what it
// learned about each type, so a service keeps one and uses it for every request.
// It may be used by several goroutines at once.
type Codec struct {
	naming  Naming
	refused map[string][]string // the type's name -> Field or Field=value
	plans   sync.Map            // reflect.Type -> *plan
}

// NewCodec returns a codec for structs whose members are named by naming. It refuses
// to decode the members that are named Type.Field, unless they have the value that
// says nothing: an empty one, or what stands behind a "=".
func NewCodec(naming Naming, refused ...string) *Codec {
	c := &Codec{naming: naming, refused: map[string][]string{}}
	for _, r := range refused {
		typ, field, _ := strings.Cut(r, ".")
		c.refused[typ] = append(c.refused[typ], field)
	}
	return c
}

type kind int

const (
	kindSkip kind = iota // interfaces, functions, channels: unions and documents are not carried
	kindRaw              // the type reads and writes its own JSON
	kindString
	kindBool
	kindInt
	kindUint
	kindFloat
	kindTime
	kindBytes
	kindPointer
	kindSlice
	kindMap
	kindStruct
)

// A plan is what a codec knows about one type.
type plan struct {
	kind   kind
	typ    reflect.Type
	elem   *plan // of a pointer, slice or map
	key    reflect.Type
	fields []field
	byName map[string]int // index in fields
	// refused are the names of members that are not honoured, with the value that may
	// be given; nil where there are none.
	refused map[string]string
	// encoded is about how long the struct was when it was written last.
	encoded atomic.Int64
}

type field struct {
	index int
	name  string // on the wire
	enum  bool   // a named string type: an empty one is absent
	plan  *plan
}

var (
	timeType        = reflect.TypeFor[time.Time]()
	metadataType    = reflect.TypeFor[middleware.Metadata]()
	marshalerType   = reflect.TypeFor[json.Marshaler]()
	unmarshalerType = reflect.TypeFor[json.Unmarshaler]()
)

// planFor returns the plan of t. A plan is published only when all that it
// refers to is complete, so that two goroutines may at worst do the work twice.
func (c *Codec) planFor(t reflect.Type) *plan {
	if p, ok := c.plans.Load(t); ok {
		return p.(*plan)
	}
	building := make(map[reflect.Type]*plan)
	c.build(t, building)
	for typ, p := range building {
		c.plans.LoadOrStore(typ, p)
	}
	return building[t]
}

func (c *Codec) build(t reflect.Type, building map[reflect.Type]*plan) *plan {
	if p, ok := building[t]; ok {
		return p // a type that refers to itself
	}
	p := &plan{typ: t}
	building[t] = p

	switch {
	case t == timeType:
		p.kind = kindTime
		return p
	case t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface &&
		(reflect.PointerTo(t).Implements(unmarshalerType) || reflect.PointerTo(t).Implements(marshalerType)):
		p.kind = kindRaw
		return p
	}

	switch t.Kind() {
	case reflect.String:
		p.kind = kindString
	case reflect.Bool:
		p.kind = kindBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		p.kind = kindInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		p.kind = kindUint
	case reflect.Float32, reflect.Float64:
		p.kind = kindFloat
	case reflect.Pointer:
		p.kind, p.elem = kindPointer, c.build(t.Elem(), building)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			p.kind = kindBytes
			break
		}
		p.kind, p.elem = kindSlice, c.build(t.Elem(), building)
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			p.kind, p.key, p.elem = kindMap, t.Key(), c.build(t.Elem(), building)
		}
	case reflect.Struct:
		p.kind, p.byName = kindStruct, make(map[string]int)
		for _, r := range c.refused[t.Name()] {
			if p.refused == nil {
				p.refused = map[string]string{}
			}
			field, value, _ := strings.Cut(r, "=")
			p.refused[c.naming(t.Name(), field)] = value
		}
		for i := range t.NumField() {
			f := t.Field(i)
			if !f.IsExported() || f.Type == metadataType || f.Type.Kind() == reflect.Interface {
				continue
			}
			fp := c.build(f.Type, building)
			name := c.naming(t.Name(), f.Name)
			p.byName[name] = len(p.fields)
			p.fields = append(p.fields, field{
				index: i,
				name:  name,
				enum:  f.Type.Kind() == reflect.String && f.Type.PkgPath() != "",
				plan:  fp,
			})
		}
	}
	return p
}

// target checks that dst is a pointer that can be decoded into.
func target(dst any) (reflect.Value, error) {
	v := reflect.ValueOf(dst)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return reflect.Value{}, fmt.Errorf("wire: cannot decode into %T: not a pointer to a value", dst)
	}
	return v.Elem(), nil
}

// A SerializationError tells that a request's body does not fit the operation's input.
type SerializationError struct {
	// Member is the path of the member at fault, such as
	// "TableInput.StorageDescriptor.Columns[3].Name". It is empty for the whole body.
	Member string
	// Problem says what is wrong with it.
	Problem string
	// NotHonoured tells that there is nothing wrong with it, but that it would be dropped.
	NotHonoured bool
}

// Error implements error.
func (e *SerializationError) Error() string {
	if e.Member == "" {
		return "the request body could not be read: " + e.Problem
	}
	return "member " + e.Member + " could not be read: " + e.Problem
}

// notHonoured refuses a member that would be dropped.
func notHonoured(name string) error {
	return &SerializationError{Member: name, Problem: "it is not honoured here", NotHonoured: true}
}

// Fault returns what AWS answers to such a request.
func (e *SerializationError) Fault() *Fault {
	return &Fault{Code: "SerializationException", Message: e.Error(), Status: 400}
}

// within puts an outer member's name in front of an inner error's path.
func within(err error, name string) error {
	var e *SerializationError
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Member == "":
		e.Member = name
	case e.Member[0] == '[':
		e.Member = name + e.Member
	default:
		e.Member = name + "." + e.Member
	}
	return err
}

func problem(format string, args ...any) *SerializationError {
	return &SerializationError{Problem: fmt.Sprintf(format, args...)}
}
