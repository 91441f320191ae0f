// Package sample makes inputs of the SDK's operations with valid-looking values in
// them: for the generator of package awsmodel, and for tests that try every member of
// every operation.
package sample

import (
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Clients are the clients of the services by signing name.
func Clients() map[string]reflect.Type {
	return map[string]reflect.Type{
		"athena": reflect.TypeFor[*athena.Client](), "dynamodbstreams": reflect.TypeFor[*dynamodbstreams.Client](),
		"dynamodb": reflect.TypeFor[*dynamodb.Client](), "glue": reflect.TypeFor[*glue.Client](), "iam": reflect.TypeFor[*iam.Client](),
		"kms": reflect.TypeFor[*kms.Client](), "lakeformation": reflect.TypeFor[*lakeformation.Client](),
		"organizations": reflect.TypeFor[*organizations.Client](), "ram": reflect.TypeFor[*ram.Client](), "s3": reflect.TypeFor[*s3.Client](),
		"scheduler": reflect.TypeFor[*scheduler.Client](), "sqs": reflect.TypeFor[*sqs.Client](), "sts": reflect.TypeFor[*sts.Client](),
	}
}

// NewClient makes a client of a service, by its signing name.
func NewClient(service string, cfg aws.Config) any {
	switch service {
	case "athena":
		return athena.NewFromConfig(cfg)
	case "dynamodbstreams":
		return dynamodbstreams.NewFromConfig(cfg)
	case "dynamodb":
		return dynamodb.NewFromConfig(cfg)
	case "glue":
		return glue.NewFromConfig(cfg)
	case "iam":
		return iam.NewFromConfig(cfg)
	case "kms":
		return kms.NewFromConfig(cfg)
	case "lakeformation":
		return lakeformation.NewFromConfig(cfg)
	case "organizations":
		return organizations.NewFromConfig(cfg)
	case "ram":
		return ram.NewFromConfig(cfg)
	case "s3":
		return s3.NewFromConfig(cfg)
	case "scheduler":
		return scheduler.NewFromConfig(cfg)
	case "sqs":
		return sqs.NewFromConfig(cfg)
	case "sts":
		return sts.NewFromConfig(cfg)
	}
	return nil
}

// Operations are the methods of a client that take an input, with its type.
func Operations(client reflect.Type) map[string]reflect.Type {
	inputs := map[string]reflect.Type{}
	for i := range client.NumMethod() {
		m := client.Method(i)
		// Receiver, context, input, options.
		if m.Type.NumIn() != 4 || m.Type.In(2).Kind() != reflect.Pointer || !strings.HasSuffix(m.Type.In(2).Elem().Name(), "Input") {
			continue
		}
		inputs[m.Name] = m.Type.In(2).Elem()
	}
	return inputs
}

// With is an input with the named members set.
func With(in reflect.Type, names ...string) reflect.Value {
	full, some := Filled(in), reflect.New(in)
	for _, name := range names {
		some.Elem().FieldByName(name).Set(full.Elem().FieldByName(name))
	}
	return some
}

// Filled is an input with all members set, to the depth that a client checks.
func Filled(in reflect.Type) reflect.Value {
	v := reflect.New(in)
	fill(v.Elem(), 0)
	for name, value := range map[string]string{"Bucket": "bucket", "Key": "key", "CopySource": "other/source", "RenameSource": "other/source"} {
		if f := v.Elem().FieldByName(name); f.IsValid() && f.Kind() == reflect.Pointer {
			f.Set(reflect.ValueOf(&value))
		}
	}
	return v
}

// kinds are types of which one stands for each interface in an input.
func kinds() []reflect.Type {
	return []reflect.Type{
		reflect.TypeFor[*strings.Reader](), reflect.TypeFor[*types.AnalyticsFilterMemberPrefix](),
		reflect.TypeFor[*types.MetricsFilterMemberPrefix](), reflect.TypeFor[*types.ObjectEncryptionMemberSSEKMS](),
		reflect.TypeFor[*ddbtypes.AttributeValueMemberS](), reflect.TypeFor[*gluetypes.SearchFilterClauseMemberAttributeFilter](),
		reflect.TypeFor[*gluetypes.SearchFilterValueMemberStringValue](), reflect.TypeFor[*gluetypes.SearchMapFilterValueMemberStringValue](),
		reflect.TypeFor[*gluetypes.TableOptimizerVpcConfigurationMemberGlueConnectionName](), reflect.TypeFor[*iamtypes.PolicyIdentifierMemberPolicyArn](),
		reflect.TypeFor[*lftypes.ServiceIntegrationUnionMemberRedshift](), reflect.TypeFor[*lftypes.RedshiftScopeUnionMemberRedshiftConnect](),
	}
}

const deepest = 16

func fill(v reflect.Value, depth int) {
	if depth > deepest {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		n := reflect.New(v.Type().Elem())
		fill(n.Elem(), depth+1)
		v.Set(n)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1700000000, 0)))
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				fill(v.Field(i), depth+1)
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
		fill(s.Index(0), depth+1)
		v.Set(s)
	case reflect.Uint8:
		v.SetUint('x')
	case reflect.Map:
		e := reflect.New(v.Type().Elem()).Elem()
		fill(e, depth+1)
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
					fill(n.Elem(), depth+1)
				}
				v.Set(n)
				return
			}
		}
	}
}

// Change gives a member another value of its kind.
func Change(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		n := reflect.New(v.Type().Elem())
		n.Elem().Set(v.Elem())
		Change(n.Elem())
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
		Change(n.Elem())
		v.Set(n)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				Change(v.Field(i))
			}
		}
	case reflect.Slice:
		s := reflect.MakeSlice(v.Type(), 2, 2)
		s.Index(0).Set(v.Index(0))
		s.Index(1).Set(v.Index(0))
		v.Set(s)
	}
}
