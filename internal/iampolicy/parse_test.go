package iampolicy_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		want       iampolicy.Document
		print      string
	}{
		{
			name: "one statement without a list",
			text: `{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}`,
			want: iampolicy.Document{Statements: []iampolicy.Statement{
				{Effect: iampolicy.Allow, Actions: []string{"s3:*"}, Resources: []string{"*"}},
			}},
			print: `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`,
		},
		{
			name: "every element, in an order of its own",
			text: `{
				"Statement": [
					{"Resource": ["*"], "Action": ["s3:GetObject", "s3:PutObject"], "Effect": "Allow", "Principal": "*", "Sid": "One",
					 "Condition": {"StringLike": {"s3:prefix": ["", "home/"]}, "Bool": {"aws:SecureTransport": true}, "NumericLessThan": {"s3:max-keys": 10}}},
					{"NotResource": "arn:aws:s3:::lake/*", "NotAction": ["s3:*"], "Effect": "Deny", "Sid": "Two",
					 "NotPrincipal": {"CanonicalUser": "79a5", "Service": "glue.amazonaws.com", "AWS": ["111111111111", "222222222222"], "Federated": "www.amazon.com"}}
				],
				"Id": "x & <y>", "Version": "2012-10-17"}`,
			want: iampolicy.Document{
				Version: iampolicy.Version2012,
				ID:      "x & <y>",
				Statements: []iampolicy.Statement{
					{
						SID: "One", Effect: iampolicy.Allow, Principal: iampolicy.Everyone(),
						Actions: []string{"s3:GetObject", "s3:PutObject"}, Resources: []string{"*"},
						Conditions: iampolicy.Conditions{
							"StringLike":      {"s3:prefix": {"", "home/"}},
							"Bool":            {"aws:SecureTransport": {"true"}},
							"NumericLessThan": {"s3:max-keys": {"10"}},
						},
					},
					{
						SID: "Two", Effect: iampolicy.Deny,
						NotPrincipal: &iampolicy.Principal{
							AWS:           []string{"111111111111", "222222222222"},
							Service:       []string{"glue.amazonaws.com"},
							Federated:     []string{"www.amazon.com"},
							CanonicalUser: []string{"79a5"},
						},
						NotActions: []string{"s3:*"}, NotResources: []string{"arn:aws:s3:::lake/*"},
					},
				},
			},
			print: `{"Version":"2012-10-17","Id":"x & <y>","Statement":[` +
				`{"Sid":"One","Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:PutObject"],"Resource":"*",` +
				`"Condition":{"Bool":{"aws:SecureTransport":"true"},"NumericLessThan":{"s3:max-keys":"10"},"StringLike":{"s3:prefix":["","home/"]}}},` +
				`{"Sid":"Two","Effect":"Deny","NotPrincipal":{"AWS":["111111111111","222222222222"],"Service":"glue.amazonaws.com",` +
				`"Federated":"www.amazon.com","CanonicalUser":"79a5"},"NotAction":"s3:*","NotResource":"arn:aws:s3:::lake/*"}]}`,
		},
		{
			name: "conditions that say nothing",
			text: `{"Version": "2008-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringEquals": {}}}]}`,
			want: iampolicy.Document{Version: iampolicy.Version2008, Statements: []iampolicy.Statement{
				{Effect: iampolicy.Allow, Actions: []string{"s3:*"}, Resources: []string{"*"}},
			}},
			print: `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := iampolicy.Parse([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Errorf("Parse (-want +got):\n%s", diff)
			}
			if got.String() != tt.print {
				t.Errorf("String:\n%s\nwant\n%s", got, tt.print)
			}
			again, err := iampolicy.Parse([]byte(got.String()))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, again); diff != "" {
				t.Errorf("Parse of the print (-first +second):\n%s", diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	// with puts members into a statement that is fine otherwise.
	with := func(members string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"Bad",` + members + `}]}`
	}
	ok := func(members string) string { return with(`"Effect":"Allow","Action":"s3:*","Resource":"*",` + members) }
	for _, tt := range []struct {
		name, text string
		err        error
		statement  int
		sid        string
		element    string
	}{
		{"nothing", ``, iampolicy.ErrSyntax, -1, "", ""},
		{"broken", `{"Version":`, iampolicy.ErrSyntax, -1, "", ""},
		{"a comma too many", `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},]}`, iampolicy.ErrSyntax, -1, "", ""},
		{"two documents", `{} {}`, iampolicy.ErrSyntax, -1, "", ""},
		{"too deep", `{"Statement":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`, iampolicy.ErrSyntax, -1, "", ""},
		{"a list", `[]`, iampolicy.ErrInvalidValue, -1, "", ""},
		{"null", `null`, iampolicy.ErrInvalidValue, -1, "", ""},
		{"no statement", `{"Version":"2012-10-17"}`, iampolicy.ErrMissingElement, -1, "", "Statement"},
		{"empty statements", `{"Version":"2012-10-17","Statement":[]}`, iampolicy.ErrMissingElement, -1, "", "Statement"},
		{"version", `{"Version":"2012-10-18","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, iampolicy.ErrInvalidValue, -1, "", "Version"},
		{"empty version", `{"Version":"","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, iampolicy.ErrInvalidValue, -1, "", "Version"},
		{"version as number", `{"Version":2012,"Statement":{}}`, iampolicy.ErrInvalidValue, -1, "", "Version"},
		{"unknown in document", `{"version":"2012-10-17"}`, iampolicy.ErrUnknownElement, -1, "", "version"},
		{"twice in document", `{"Version":"2012-10-17","Version":"2012-10-17"}`, iampolicy.ErrDuplicateElement, -1, "", "Version"},
		{"statement is text", `{"Statement":"Allow"}`, iampolicy.ErrInvalidValue, 0, "", ""},
		{"unknown in statement", ok(`"Actions":"s3:*"`), iampolicy.ErrUnknownElement, 1, "Bad", "Actions"},
		{"twice in statement", ok(`"Effect":"Deny"`), iampolicy.ErrDuplicateElement, 1, "Bad", "Effect"},
		{"no effect", with(`"Action":"s3:*","Resource":"*"`), iampolicy.ErrMissingElement, 1, "Bad", "Effect"},
		{"effect", with(`"Effect":"allow","Action":"s3:*","Resource":"*"`), iampolicy.ErrInvalidValue, 1, "Bad", "Effect"},
		{"no action", with(`"Effect":"Allow","Resource":"*"`), iampolicy.ErrMissingElement, 1, "Bad", "Action"},
		{"empty action", with(`"Effect":"Allow","Action":[],"Resource":"*"`), iampolicy.ErrInvalidValue, 1, "Bad", "Action"},
		{"number as action", with(`"Effect":"Allow","Action":1,"Resource":"*"`), iampolicy.ErrInvalidValue, 1, "Bad", "Action"},
		{"null in actions", with(`"Effect":"Allow","Action":["s3:*",null],"Resource":"*"`), iampolicy.ErrInvalidValue, 1, "Bad", "Action"},
		{"action without service", with(`"Effect":"Allow","Action":"GetObject","Resource":"*"`), iampolicy.ErrInvalidValue, 1, "Bad", "Action"},
		{"action and not action", ok(`"NotAction":"s3:*"`), iampolicy.ErrConflictingElements, 1, "Bad", "NotAction"},
		{"resource and not resource", ok(`"NotResource":"*"`), iampolicy.ErrConflictingElements, 1, "Bad", "NotResource"},
		{"resource is no ARN", with(`"Effect":"Allow","Action":"s3:*","Resource":"lake"`), iampolicy.ErrInvalidValue, 1, "Bad", "Resource"},
		{"resource is half an ARN", with(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:lake"`), iampolicy.ErrInvalidValue, 1, "Bad", "Resource"},
		{"variable as account", with(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:iam::${aws:PrincipalAccount}:role/x"`), iampolicy.ErrInvalidValue, 1, "Bad", "Resource"},
		{"principal and not principal", ok(`"Principal":"*","NotPrincipal":"*"`), iampolicy.ErrConflictingElements, 1, "Bad", "NotPrincipal"},
		{"principal as text", ok(`"Principal":"111111111111"`), iampolicy.ErrInvalidValue, 1, "Bad", "Principal"},
		{"no principal", ok(`"Principal":{}`), iampolicy.ErrMissingElement, 1, "Bad", "Principal"},
		{"unknown principal", ok(`"Principal":{"Aws":"*"}`), iampolicy.ErrUnknownElement, 1, "Bad", "Principal.Aws"},
		{"wildcard in principal", ok(`"Principal":{"AWS":"arn:aws:iam::111111111111:role/*"}`), iampolicy.ErrInvalidValue, 1, "Bad", "Principal.AWS"},
		{"name as principal", ok(`"NotPrincipal":{"AWS":"ann"}`), iampolicy.ErrInvalidValue, 1, "Bad", "NotPrincipal.AWS"},
		{"wildcard service", ok(`"Principal":{"Service":"*"}`), iampolicy.ErrInvalidValue, 1, "Bad", "Principal.Service"},
		{"condition as text", ok(`"Condition":"x"`), iampolicy.ErrInvalidValue, 1, "Bad", "Condition"},
		{"operator as text", ok(`"Condition":{"StringEquals":"x"}`), iampolicy.ErrInvalidValue, 1, "Bad", "Condition.StringEquals"},
		{"unknown operator", ok(`"Condition":{"StringMatches":{"aws:username":"x"}}`), iampolicy.ErrInvalidValue, 1, "Bad", "Condition.StringMatches"},
		{"null if exists", ok(`"Condition":{"NullIfExists":{"aws:username":"true"}}`), iampolicy.ErrInvalidValue, 1, "Bad", "Condition.NullIfExists"},
		{"key without prefix", ok(`"Condition":{"StringEquals":{"username":"x"}}`), iampolicy.ErrInvalidValue, 1, "Bad", "Condition.StringEquals"},
		{"key twice", ok(`"Condition":{"StringEquals":{"aws:username":"x","aws:username":"y"}}`), iampolicy.ErrDuplicateElement, 1, "Bad", "Condition.StringEquals.aws:username"},
		{"no values", ok(`"Condition":{"StringEquals":{"aws:username":[]}}`), iampolicy.ErrInvalidValue, 1, "Bad", "Condition.StringEquals.aws:username"},
		{"object as value", ok(`"Condition":{"StringEquals":{"aws:username":{}}}`), iampolicy.ErrInvalidValue, 1, "Bad", "Condition.StringEquals.aws:username"},
		{"no number", ok(`"Condition":{"NumericEquals":{"s3:max-keys":"ten"}}`), iampolicy.ErrInvalidValue, 1, "Bad", "Condition.NumericEquals.s3:max-keys"},
		{"no date", ok(`"Condition":{"DateLessThan":{"aws:CurrentTime":"soon"}}`), iampolicy.ErrInvalidValue, 1, "Bad", "Condition.DateLessThan.aws:CurrentTime"},
		{"no Boolean", ok(`"Condition":{"Bool":{"aws:SecureTransport":"yes"}}`), iampolicy.ErrInvalidValue, 1, "Bad", "Condition.Bool.aws:SecureTransport"},
		{"no network", ok(`"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}}`), iampolicy.ErrInvalidValue, 1, "Bad", "Condition.IpAddress.aws:SourceIp"},
		{"no base 64", ok(`"Condition":{"BinaryEquals":{"x:y":"%"}}`), iampolicy.ErrInvalidValue, 1, "Bad", "Condition.BinaryEquals.x:y"},
		{"id used twice", `{"Statement":[{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"A","Effect":"Deny","Action":"*","Resource":"*"}]}`, iampolicy.ErrDuplicateSID, 1, "A", "Sid"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := iampolicy.Parse([]byte(tt.text))
			var problem *iampolicy.Error
			if !errors.As(err, &problem) {
				t.Fatalf("Parse: %v", err)
			}
			if !errors.Is(err, tt.err) || problem.Statement != tt.statement || problem.SID != tt.sid || problem.Element != tt.element {
				t.Errorf("Parse: %v; want %v of statement %d (%q), element %q", err, tt.err, tt.statement, tt.sid, tt.element)
			}
		})
	}
}

func TestErrorNamesThePlace(t *testing.T) {
	t.Parallel()
	_, err := iampolicy.Parse([]byte(`{"Statement":{"Sid":"Read","Effect":"allow","Action":"*"}}`))
	const want = `policy document: statement 0 ("Read"): Effect: invalid value: must be Allow or Deny, not "allow"`
	if err == nil || err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	base := iampolicy.Statement{Effect: iampolicy.Allow, Actions: []string{"sts:AssumeRole"}}
	change := func(f func(*iampolicy.Statement)) iampolicy.Document {
		s := base
		f(&s)
		return iampolicy.New(s)
	}
	identity := change(func(s *iampolicy.Statement) { s.Resources = []string{"*"} })
	trust := change(func(s *iampolicy.Statement) { s.Principal = iampolicy.AWSPrincipal("111111111111") })
	bucket := change(func(s *iampolicy.Statement) { s.Principal, s.Resources = iampolicy.Everyone(), []string{"*"} })
	withID := identity
	withID.ID = "x"
	for _, tt := range []struct {
		name     string
		document iampolicy.Document
		kind     iampolicy.PolicyKind
		err      error
	}{
		{"identity", identity, iampolicy.IdentityBased, nil},
		{"trust", trust, iampolicy.TrustPolicy, nil},
		{"bucket", bucket, iampolicy.ResourceBased, nil},
		{"boundary", identity, iampolicy.PermissionsBoundary, nil},
		{"session", identity, iampolicy.SessionPolicy, nil},
		{"id of an identity policy", withID, iampolicy.IdentityBased, iampolicy.ErrMisplacedElement},
		{"principal in identity", bucket, iampolicy.IdentityBased, iampolicy.ErrMisplacedElement},
		{"no resource in identity", change(func(*iampolicy.Statement) {}), iampolicy.IdentityBased, iampolicy.ErrMissingElement},
		{"no principal in bucket", identity, iampolicy.ResourceBased, iampolicy.ErrMissingElement},
		{"no resource in bucket", trust, iampolicy.ResourceBased, iampolicy.ErrMissingElement},
		{"resource in trust", bucket, iampolicy.TrustPolicy, iampolicy.ErrMisplacedElement},
		{"not principal in trust", change(func(s *iampolicy.Statement) { s.NotPrincipal = iampolicy.AWSPrincipal("111111111111") }), iampolicy.TrustPolicy, iampolicy.ErrMisplacedElement},
		{"no principal in trust", identity, iampolicy.TrustPolicy, iampolicy.ErrMissingElement},
		{"other service in trust", change(func(s *iampolicy.Statement) {
			s.Principal, s.Actions = iampolicy.Everyone(), []string{"s3:GetObject"}
		}), iampolicy.TrustPolicy, iampolicy.ErrInvalidValue},
		{"space in id", change(func(s *iampolicy.Statement) { s.SID, s.Resources = "a b", []string{"*"} }), iampolicy.IdentityBased, iampolicy.ErrInvalidValue},
		{"space in id of bucket", change(func(s *iampolicy.Statement) {
			s.SID, s.Principal, s.Resources = "a b", iampolicy.Everyone(), []string{"*"}
		}), iampolicy.ResourceBased, nil},
		{"made badly", iampolicy.New(), iampolicy.IdentityBased, iampolicy.ErrMissingElement},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := tt.document.Validate(tt.kind); !errors.Is(err, tt.err) {
				t.Errorf("Validate: %v, want %v", err, tt.err)
			}
		})
	}
}

func TestUnmarshal(t *testing.T) {
	t.Parallel()
	var holder struct{ Policy iampolicy.Document }
	const text = `{"Policy":{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}}`
	if err := json.Unmarshal([]byte(text), &holder); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(holder)
	if err != nil || string(out) != text {
		t.Errorf("Marshal: %s, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`{"Policy":{}}`), &holder); !errors.Is(err, iampolicy.ErrMissingElement) {
		t.Errorf("Unmarshal: %v", err)
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	d := iampolicy.New(iampolicy.Statement{SID: "A b é", Effect: iampolicy.Allow, Actions: []string{"s3:*"}, Resources: []string{"*"}})
	const spaces, extraByteOfE = 2, 1
	if want := len(d.String()) - spaces - extraByteOfE; d.Size() != want {
		t.Errorf("Size = %d, want %d", d.Size(), want)
	}
	if got := iampolicy.Size("{ \"a\":\t\"b c\"\n}"); got != len(`{"a":"bc"}`) {
		t.Errorf("Size of text = %d", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"a:b":true}}}}`))
	f.Add([]byte(`{"Statement":[{"Sid":"x","Effect":"Deny","NotAction":["s3:*","a:b"],"NotPrincipal":{"AWS":["*"],"Service":"x"}}]}`))
	f.Add([]byte(`{"Statement":[{"Effect":"Allow","Action":"a:b","Resource":"arn:aws:s3:::${aws:username, 'x'}/${*}","Condition":{"ForAllValues:NumericLessThanIfExists":{"a:b":[1,2e3]}}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := iampolicy.Parse(data)
		if err != nil {
			var problem *iampolicy.Error
			if !errors.As(err, &problem) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		again, err := iampolicy.Parse([]byte(d.String()))
		if err != nil {
			t.Fatalf("print is not parsed: %v\n%s", err, d)
		}
		if diff := cmp.Diff(d, again); diff != "" {
			t.Fatalf("print is another document (-first +second):\n%s", diff)
		}
		iampolicy.Evaluate(iampolicy.Request{Action: "a:b", Resource: "arn:aws:s3:::x/y"},
			iampolicy.Policies{Identity: []iampolicy.Named{{Document: d}}, Resource: &iampolicy.Named{Document: d}})
	})
}
