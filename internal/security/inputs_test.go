package security_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
)

// operation is an operation of a client, found by reflection.
type operation struct {
	name  string
	input reflect.Type
	call  func(client reflect.Value, in reflect.Value) error
}

// clients are clients of all services that check nothing before they send.
func clients(cfg aws.Config) []any {
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), func(s *middleware.Stack) error {
		// It is not there where nothing is required.
		_, _ = s.Initialize.Remove("OperationInputValidation")
		return nil
	})
	return []any{glue.NewFromConfig(cfg), lakeformation.NewFromConfig(cfg), ram.NewFromConfig(cfg), iam.NewFromConfig(cfg), sts.NewFromConfig(cfg),
		dynamodb.NewFromConfig(cfg), s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })}
}

// operationsOf are the operations of a client.
func operationsOf(client any) []operation {
	var all []operation
	t := reflect.TypeOf(client)
	ctx := reflect.TypeFor[context.Context]()
	for i := range t.NumMethod() {
		m := t.Method(i)
		if m.Type.NumIn() != 4 || m.Type.In(1) != ctx || m.Type.NumOut() != 2 || m.Type.In(2).Kind() != reflect.Pointer {
			continue
		}
		all = append(all, operation{t.Elem().PkgPath() + "." + m.Name, m.Type.In(2).Elem(), func(client, in reflect.Value) (err error) {
			defer func() {
				// Some inputs are too strange for the client itself.
				if p := recover(); p != nil {
					err = fmt.Errorf("the client panicked: %v", p)
				}
			}()
			out := client.Method(i).Call([]reflect.Value{reflect.ValueOf(context.Background()), in})
			err, _ = out[1].Interface().(error)
			return err
		}})
	}
	return all
}

// strange makes inputs of operations that are partly right and partly wrong.
type strange struct{ *rand.Rand }

var (
	arns = []string{"arn:aws:iam::111111111111:role/Admin", lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole), lakemesh.TableARN(region, meshAccount, product, "weather"),
		"arn:aws:s3:::" + bucket, "arn:aws:s3:::" + bucket + "/weather", "arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:ram:us-east-1:555555555555:resource-share/x",
		"arn:aws:glue:us-east-1:555555555555:database/" + product, "arn:aws:glue:::", "arn:", "arn:aws:dynamodb:us-east-1:555555555555:table/AwsDataMeshSubscriptions"}
	names = []string{source, product, "routes", "weather", "airports", "domain", "dataproduct", "travel", bucket, "weather/part=00001/rows.csv", "00001", "Admin", lakemesh.ManagerRole,
		lakemesh.SubscriptionsTable, lakemesh.OwnerIndex, "SubscriptionId", "lakemesh", "lakemesh-" + product}
	accounts = []string{meshAccount, producerAccount, consumerAccount, "000000000000", "12345", "IAM_ALLOWED_PRINCIPALS", meshAccount + ":IAMPrincipals"}
	policies = []string{everything, everybody, "{}", "[]", "null", `{"Version":"2012-10-17"}`, `{"Statement":{"Effect":"Allow"}}`, strings.Repeat(`{"Statement":`, 300),
		`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["s3:*","` + strings.Repeat("*?", 200) + `"],"Resource":"` + strings.Repeat("*a", 200) + `","Condition":{"StringLike":{"aws:PrincipalArn":["` +
			strings.Repeat("*a", 100) + `"]},"NumericLessThan":{"x":"y"},"IpAddress":{"aws:SourceIp":"::/999"},"DateGreaterThan":{"aws:CurrentTime":"never"}}}]}`}
	expressions = []string{"p = 1", "part >= '00001' AND part < '9'", "#k = :k", "SET #k = :k, a.b[0].c = if_not_exists(#k, :k) REMOVE x ADD y :n DELETE z :s", "attribute_exists(a) AND (NOT contains(b, :k) OR size(c) > :n)",
		"SubscriptionId = :k", "OwnerPrincipal = :k AND begins_with(SubscriberPrincipal, :k)", strings.Repeat("(", 300), strings.Repeat("NOT ", 300) + "a = :k", "a BETWEEN :k AND :n", "a IN (:k, :n)", "(a+)+$", ".*", "[", "*"}
	oddities = []string{"", " ", "*", "\x00", "é", "\U0001F600", "../..", "a/b", "%", "'", `"`, "<a>&amp;", strings.Repeat("a", 300), strings.Repeat("é", 3000), "s3://" + bucket + "/weather", "s3://", "-1", "0", "1e400",
		"9999999999999999999999999999999999999999", "true", "TRUE", "2026-01-01T00:00:00Z", "eA", "MXxhfGI", "cron(0 * * * ? *)", "ALL", "SELECT", "S", "HASH", ":k", "#k"}
)

func pick[T any](s strange, from []T) T { return from[s.IntN(len(from))] }

func (s strange) text(member string) string {
	if s.IntN(4) == 0 {
		return pick(s, slices.Concat(arns, names, accounts, policies, expressions, oddities))
	}
	m := strings.ToLower(member)
	switch {
	case strings.Contains(m, "policydocument"), strings.HasSuffix(m, "policy"), strings.Contains(m, "policyinjson"):
		return pick(s, policies)
	case strings.Contains(m, "arn"), strings.Contains(m, "principal"):
		return pick(s, slices.Concat(arns, accounts))
	case strings.Contains(m, "catalog"), strings.Contains(m, "account"):
		return pick(s, accounts)
	case strings.Contains(m, "expression"), strings.Contains(m, "filter"):
		return pick(s, expressions)
	}
	return pick(s, slices.Concat(names, oddities))
}

const deepest = 7

// value makes a value of a type; member is the name of the member that it is for.
func (s strange) value(t reflect.Type, member string, depth int) reflect.Value {
	v := reflect.New(t).Elem()
	if depth > deepest {
		return v
	}
	switch t.Kind() {
	case reflect.Pointer:
		if s.IntN(3) > 0 {
			v.Set(reflect.New(t.Elem()))
			v.Elem().Set(s.value(t.Elem(), member, depth))
		}
	case reflect.String:
		if values, ok := v.Interface().(interface{ Values() []string }); ok && s.IntN(4) > 0 {
			v.SetString(pick(s, values.Values()))
			return v
		}
		if m := v.MethodByName("Values"); m.IsValid() && s.IntN(4) > 0 {
			if list := m.Call(nil)[0]; list.Len() > 0 {
				v.Set(list.Index(s.IntN(list.Len())))
				return v
			}
		}
		v.SetString(s.text(member))
	case reflect.Bool:
		v.SetBool(s.IntN(2) == 0)
	case reflect.Int32, reflect.Int64, reflect.Int:
		v.SetInt(pick(s, []int64{-1, 0, 1, 2, 10, 100, 1000, 1001, 3600, 43200, math.MaxInt32, math.MinInt32}))
	case reflect.Float64:
		v.SetFloat(pick(s, []float64{-1, 0, 0.5, math.MaxFloat64}))
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(s.text(member)))
			return v
		}
		n := pick(s, []int{0, 1, 1, 2, 3, 3, 30})
		for range min(n, 30>>depth+1) {
			v = reflect.Append(v, s.value(t.Elem(), member, depth+1))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(t))
		for range s.IntN(3) {
			key := reflect.New(t.Key()).Elem()
			key.SetString(pick(s, []string{"#k", ":k", ":n", "k", "SubscriptionId", lakemesh.SubscriptionsTable, "classification", ""}))
			v.SetMapIndex(key, s.value(t.Elem(), member, depth+1))
		}
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(pick(s, []time.Time{{}, time.Unix(0, 0), time.Unix(1<<40, 0), time.Now()})))
			return v
		}
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && f.Name != "ResultMetadata" && s.IntN(5) > 0 {
				v.Field(i).Set(s.value(f.Type, f.Name, depth+1))
			}
		}
	case reflect.Interface:
		switch {
		case t == reflect.TypeFor[dynamotypes.AttributeValue]():
			v.Set(reflect.ValueOf(s.attribute(depth)))
		case t == reflect.TypeFor[io.Reader]():
			v.Set(reflect.ValueOf(strings.NewReader(s.text(member))))
		}
	}
	return v
}

// attribute makes a value of DynamoDB.
func (s strange) attribute(depth int) dynamotypes.AttributeValue {
	texts := func() []string { return []string{s.text(""), s.text("")}[:s.IntN(3)] }
	switch kind := s.IntN(11); {
	case kind == 0 && depth < deepest:
		return &dynamotypes.AttributeValueMemberL{Value: []dynamotypes.AttributeValue{s.attribute(depth + 1)}}
	case kind == 1 && depth < deepest:
		return &dynamotypes.AttributeValueMemberM{Value: map[string]dynamotypes.AttributeValue{s.text(""): s.attribute(depth + 1)}}
	case kind == 2:
		return &dynamotypes.AttributeValueMemberSS{Value: texts()}
	case kind == 3:
		return &dynamotypes.AttributeValueMemberNS{Value: texts()}
	case kind == 4:
		return &dynamotypes.AttributeValueMemberN{Value: s.text("")}
	case kind == 5:
		return &dynamotypes.AttributeValueMemberB{Value: []byte(s.text(""))}
	case kind == 6:
		return &dynamotypes.AttributeValueMemberBS{Value: [][]byte{[]byte(s.text(""))}}
	case kind == 7:
		return &dynamotypes.AttributeValueMemberBOOL{Value: true}
	case kind == 8:
		return &dynamotypes.AttributeValueMemberNULL{Value: true}
	}
	return &dynamotypes.AttributeValueMemberS{Value: pick(s, []string{"k", producerAccount, "", s.text("")})}
}

// TestNoInputBreaksTheMesh calls every operation of every service with inputs that
// no client would let through. Whatever comes is an answer of AWS's kind, soon.
func TestNoInputBreaksTheMesh(t *testing.T) {
	t.Parallel()
	l := newLife(t)
	if err := l.live(l.middle()); err != nil {
		t.Fatal(err)
	}
	calls := 2000
	if long() {
		calls = 300_000
	}
	const (
		generation = 250
		soon       = 10 * time.Second
	)
	seed := rand.Uint64()
	s := strange{rand.New(rand.NewPCG(seed, seed))}
	t.Logf("seed %d", seed)
	absent, answered, refused := map[string]bool{}, 0, map[string]int{}
	var mesh *localmesh.Mesh
	var targets []struct {
		client reflect.Value
		operation
	}
	for i := range calls {
		if i%generation == 0 {
			var err error
			if mesh != nil {
				err = mesh.Close()
			}
			fresh, cloning := l.Clone()
			if err = errors.Join(err, cloning); err != nil {
				t.Fatal(err)
			}
			mesh, targets = fresh, targets[:0]
			account := pick(s, []string{meshAccount, producerAccount, consumerAccount})
			who := meshtest.Administrator(account)
			if s.IntN(2) == 0 {
				// Data lake administrators get further.
				who = map[string]string{meshAccount: lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole), producerAccount: lakemesh.RoleARN(producerAccount, lakemesh.ProducerRole),
					consumerAccount: lakemesh.RoleARN(consumerAccount, lakemesh.ConsumerRole)}[account]
			}
			for _, client := range clients(mesh.Config(who)) {
				for _, o := range operationsOf(client) {
					if !absent[o.name] {
						targets = append(targets, struct {
							client reflect.Value
							operation
						}{reflect.ValueOf(client), o})
					}
				}
			}
		}
		target := pick(s, targets)
		in := reflect.New(target.input)
		in.Elem().Set(s.value(target.input, "", 0))
		begun := time.Now()
		err := target.call(target.client, in)
		if took := time.Since(begun); took > soon {
			t.Errorf("%s took %v: %+v", target.name, took, in.Interface())
		}
		var answer *awshttp.ResponseError
		switch {
		case err == nil:
			answered++
		case !errors.As(err, &answer):
		case answer.HTTPStatusCode() == 501:
			absent[target.name] = true
		case answer.HTTPStatusCode() >= 500:
			t.Errorf("%s: %v\n%s", target.name, err, shown100(in))
		default:
			refused[target.name]++
		}
	}
	if err := mesh.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("%d calls: %d answered, %d operations refused something, %d are not there", calls, answered, len(refused), len(absent))
}

// shown100 is an input, as far as it is worth showing.
func shown100(in reflect.Value) string {
	text := fmt.Sprintf("%+v", in.Elem().Interface())
	for i := range in.Elem().NumField() {
		f := in.Elem().Field(i)
		if f.Kind() == reflect.Pointer && !f.IsNil() && f.CanInterface() {
			text += fmt.Sprintf("\n%s: %+v", in.Elem().Type().Field(i).Name, f.Elem().Interface())
		}
	}
	const most = 2000
	return text[:min(len(text), most)]
}
