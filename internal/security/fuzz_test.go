package security_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/internal/storage"
)

// FuzzEvaluate decides by arbitrary policies on arbitrary requests: a policy that
// denies everything always wins, and nothing is allowed without a policy.
func FuzzEvaluate(f *testing.F) {
	f.Add(everything, "s3:GetObject", "arn:aws:s3:::b/k", "aws:SourceIp", "10.0.0.1")
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":"iam:*","NotResource":"arn:aws:s3:::${aws:username}/*","Condition":{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["?-*"]},"Null":{"dynamodb:LeadingKeys":"false"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"},"NumericEqualsIfExists":{"s3:max-keys":"1e1"},"BinaryEquals":{"k":"AA=="},"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}}]}`,
		"dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:1:table/t", "dynamodb:LeadingKeys", "a-b")
	f.Add(`{"Statement":{"Effect":"Deny","Action":"`+strings.Repeat("*a", 50)+`","Resource":"`+strings.Repeat("*", 100)+`"}}`, "a:a", strings.Repeat("a", 500), "", "")
	denying, err := iampolicy.Parse([]byte(strings.ReplaceAll(everything, "Allow", "Deny")))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, policy, action, resource, key, value string) {
		d, err := iampolicy.Parse([]byte(policy))
		if err != nil {
			t.Skip("not a policy: it is refused before anything is decided by it")
		}
		request := iampolicy.Request{Action: action, Resource: resource, Keys: map[string][]string{key: strings.Split(value, ",")},
			Principal: iampolicy.PrincipalInfo{Account: producerAccount, ARN: "arn:aws:iam::" + producerAccount + ":role/R"}}
		own := []iampolicy.Named{{Name: "own", Document: d}}
		decision := iampolicy.Evaluate(request, iampolicy.Policies{Identity: own})
		if decision.Allowed && !slices.ContainsFunc(d.Statements, func(s iampolicy.Statement) bool { return s.Effect == iampolicy.Allow }) {
			t.Errorf("allowed by a policy that allows nothing: %+v", decision)
		}
		if strings.Contains(action, ":") {
			with := append(slices.Clone(own), iampolicy.Named{Name: "deny", Document: denying})
			if decision := iampolicy.Evaluate(request, iampolicy.Policies{Identity: with}); decision.Allowed {
				t.Errorf("allowed although everything is denied: %+v", decision)
			}
		}
		if decision := iampolicy.Evaluate(request, iampolicy.Policies{}); decision.Allowed {
			t.Errorf("allowed without a policy: %+v", decision)
		}
	})
}

// FuzzPlace takes locations apart: what was read is written the same, and a place
// covers itself and nothing in another bucket.
func FuzzPlace(f *testing.F) {
	for _, seed := range []string{"s3://b/a/", "s3a://b", "s3n://b//a//", "s3://", "hdfs://h/a", "s3://b/a b/*?${x}", "s3://b/../c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, location string) {
		p, ok := storage.ParsePlace(location)
		if !ok {
			return
		}
		again, ok := storage.ParsePlace(p.String())
		if !ok || again != p {
			t.Errorf("%q is %+v, and written and read again %+v", location, p, again)
		}
		if !p.Covers(p) || p.Covers(storage.Place{Bucket: p.Bucket + "x", Prefix: p.Prefix}) {
			t.Errorf("%+v covers too little or too much", p)
		}
		if other := (storage.Place{Bucket: p.Bucket, Prefix: strings.TrimSuffix(p.Prefix, "/") + "x/"}); p.Prefix != "" && p.Covers(other) {
			t.Errorf("%+v covers its neighbour %+v", p, other)
		}
	})
}

// FuzzOpenPrefixes opens a prefix in an arbitrary bucket policy: it is open then and
// nothing else is, and after it is closed nothing of ours is left.
func FuzzOpenPrefixes(f *testing.F) {
	f.Add("", "weather/")
	f.Add(everything, "a b/${aws:username}/*?/")
	f.Add(`{"Version":"2012-10-17","Statement":[{"Sid":"LakemeshReadObjects","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}`, "x/")
	role := lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole)
	f.Fuzz(func(t *testing.T, policy, prefix string) {
		before, err := storage.Prefixes(policy, bucket, role)
		// The catalog's locations come as JSON, which is always UTF-8.
		if err != nil || len(before) > 0 || prefix == "" || !utf8.ValidString(prefix) {
			t.Skip("not a policy without prefixes of ours, or not a prefix that can be opened")
		}
		opened, err := storage.Merge(policy, bucket, role, []string{prefix}, nil)
		if err != nil {
			// Too long, or not to be written.
			return
		}
		open, err := storage.Prefixes(opened, bucket, role)
		if err != nil || !slices.Equal(open, []string{prefix}) {
			t.Errorf("%q is to be open, and %q is: %v in %s", prefix, open, err, opened)
		}
		closed, err := storage.Merge(opened, bucket, role, nil, []string{prefix})
		if err != nil {
			t.Fatal(err)
		}
		if open, err := storage.Prefixes(closed, bucket, role); err != nil || len(open) > 0 {
			t.Errorf("%q are still open: %v", open, err)
		}
	})
}

// FuzzParsePermissions reads permissions: what is read is written and read the same.
func FuzzParsePermissions(f *testing.F) {
	for _, seed := range []string{"select", " Super ", "ALL,DROP", "GRANT", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set, err := lakemesh.ParsePermissions(strings.Split(text, ",")...)
		if err != nil {
			if !errors.Is(err, lakemesh.ErrInvalidInput) {
				t.Errorf("untyped error %v", err)
			}
			return
		}
		again, err := lakemesh.ParsePermissions(set.Strings()...)
		if err != nil || !again.Equal(set) || !set.SubsetOf(lakemesh.NewPermissions(lakemesh.TablePermissions()...)) {
			t.Errorf("%q is %s, and again %s: %v", text, set, again, err)
		}
	})
}
