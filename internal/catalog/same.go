package catalog

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// Digest stands for a definition, so that two catalogs can be compared without
// holding either.
type Digest [16]byte

// DigestOf is the digest of a table's definition, but for the times at which the
// table was last used. What is absent is the same as what is empty: a definition
// that was written as nil is read back as "" or as an empty list.
func DigestOf(t *types.TableInput) Digest {
	d := *t
	d.LastAccessTime, d.LastAnalyzedTime = nil, nil
	d.Parameters = unrecorded(t.Parameters)
	d.Name = aws.String(strings.ToLower(aws.ToString(t.Name)))
	return digest(d)
}

// SameDefinition reports whether two definitions have the same digest.
func SameDefinition(a, b *types.TableInput) bool { return DigestOf(a) == DigestOf(b) }

// digest is the digest of a value that is made of the SDK's types.
func digest(v any) Digest {
	w := digester{sha256.New()}
	w.value(reflect.ValueOf(v))
	return Digest(w.hash.Sum(nil)[:len(Digest{})])
}

type digester struct{ hash hash.Hash }

// value writes a value so that no two different ones are written alike. Of a struct the
// fields that hold something are written with their names, so that a digest that was
// written down stands when the SDK comes to know more fields.
func (w digester) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if isEmpty(v) {
			w.number(0)
			return
		}
		w.number(1)
		w.value(v.Elem())
	case reflect.Slice:
		w.number(v.Len())
		for i := range v.Len() {
			w.value(v.Index(i))
		}
	case reflect.Map:
		w.number(v.Len())
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			w.value(k)
			w.value(v.MapIndex(k))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !isEmpty(v.Field(i)) {
				w.text(f.Name)
				w.value(v.Field(i))
			}
		}
		w.text("")
	case reflect.String:
		w.text(v.String())
	default:
		w.text(fmt.Sprint(v.Interface()))
	}
}

func (w digester) number(n int) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	_, _ = w.hash.Write(b[:]) // a hash takes everything
}

func (w digester) text(s string) {
	w.number(len(s))
	_, _ = w.hash.Write([]byte(s))
}

// isEmpty reports whether a value is nil, zero, or holds nothing but such values.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return v.IsNil() || isEmpty(v.Elem())
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && !isEmpty(v.Field(i)) {
				return false
			}
		}
		return true
	}
	return v.IsZero()
}
