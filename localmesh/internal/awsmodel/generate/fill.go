package main

import (
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// filled is an input with all members set, to the depth that a client checks.
func filled(in reflect.Type) reflect.Value {
	v := reflect.New(in)
	fill(v.Elem(), "", 0)
	for name, value := range map[string]string{"Bucket": "bucket", "Key": "key", "CopySource": "other/source", "RenameSource": "other/source"} {
		if f := v.Elem().FieldByName(name); f.IsValid() && f.Kind() == reflect.Pointer {
			f.Set(reflect.ValueOf(&value))
		}
	}
	return v
}

// kinds are types of which one stands for each interface in an input of S3.
func kinds() []reflect.Type {
	return []reflect.Type{
		reflect.TypeFor[*strings.Reader](), reflect.TypeFor[*types.AnalyticsFilterMemberPrefix](),
		reflect.TypeFor[*types.MetricsFilterMemberPrefix](), reflect.TypeFor[*types.ObjectEncryptionMemberSSEKMS](),
	}
}

const deepest = 16

func fill(v reflect.Value, name string, depth int) {
	if depth > deepest {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		n := reflect.New(v.Type().Elem())
		fill(n.Elem(), name, depth+1)
		v.Set(n)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1700000000, 0)))
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				fill(v.Field(i), f.Name, depth+1)
			}
		}
	case reflect.String:
		v.SetString("value")
		// An enumeration has its values.
		if values := v.MethodByName("Values"); values.IsValid() {
			v.Set(values.Call(nil)[0].Index(0))
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(1)
	case reflect.Slice:
		s := reflect.MakeSlice(v.Type(), 1, 1)
		fill(s.Index(0), name, depth+1)
		v.Set(s)
	case reflect.Uint8:
		v.SetUint('x')
	case reflect.Map:
		e := reflect.New(v.Type().Elem()).Elem()
		fill(e, name, depth+1)
		m := reflect.MakeMap(v.Type())
		m.SetMapIndex(reflect.ValueOf("entry").Convert(v.Type().Key()), e)
		v.Set(m)
	case reflect.Interface:
		for _, of := range kinds() {
			if of.Implements(v.Type()) {
				n := reflect.New(of.Elem())
				if of == reflect.TypeFor[*strings.Reader]() {
					n = reflect.ValueOf(strings.NewReader("body"))
				} else {
					fill(n.Elem(), name, depth+1)
				}
				v.Set(n)
				return
			}
		}
	}
}

// change gives a member another value of its kind.
func change(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		n := reflect.New(v.Type().Elem())
		n.Elem().Set(v.Elem())
		change(n.Elem())
		v.Set(n)
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Int32, reflect.Int64:
		v.SetInt(2)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Interface:
		if _, ok := v.Interface().(*strings.Reader); ok {
			v.Set(reflect.ValueOf(strings.NewReader("another body")))
			return
		}
		n := reflect.New(v.Elem().Type().Elem())
		n.Elem().Set(v.Elem().Elem())
		change(n.Elem())
		v.Set(n)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				change(v.Field(i))
			}
		}
	case reflect.Slice:
		s := reflect.MakeSlice(v.Type(), 2, 2)
		s.Index(0).Set(v.Index(0))
		s.Index(1).Set(v.Index(0))
		v.Set(s)
	}
}
