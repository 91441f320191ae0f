package iampolicy_test

import (
	"testing"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

func TestConditions(t *testing.T) {
	t.Parallel()
	type keys = map[string][]string
	for _, tt := range []struct {
		name     string
		operator string
		key      string
		values   []string
		keys     keys
		want     bool
	}{
		{"equals", "StringEquals", "a:k", []string{"x", "y"}, keys{"a:k": {"y"}}, true},
		{"equals, case", "StringEquals", "a:k", []string{"x"}, keys{"a:k": {"X"}}, false},
		{"equals, no wildcard", "StringEquals", "a:k", []string{"*"}, keys{"a:k": {"x"}}, false},
		{"equals, missing", "StringEquals", "a:k", []string{"x"}, nil, false},
		{"case of the key", "StringEquals", "AWS:SourceVPC", []string{"x"}, keys{"aws:sourcevpc": {"x"}}, true},
		{"not equals", "StringNotEquals", "a:k", []string{"x"}, keys{"a:k": {"y"}}, true},
		{"not equals, none of several", "StringNotEquals", "a:k", []string{"x", "y"}, keys{"a:k": {"y"}}, false},
		{"not equals, missing", "StringNotEquals", "a:k", []string{"x"}, nil, true},
		{"ignore case", "StringEqualsIgnoreCase", "a:k", []string{"x"}, keys{"a:k": {"X"}}, true},
		{"not ignore case", "StringNotEqualsIgnoreCase", "a:k", []string{"x"}, keys{"a:k": {"X"}}, false},
		{"like", "StringLike", "a:k", []string{"t1.*", "t2.?"}, keys{"a:k": {"t2.x"}}, true},
		{"like, case", "StringLike", "a:k", []string{"T*"}, keys{"a:k": {"t2.x"}}, false},
		{"like, empty", "StringLike", "s3:prefix", []string{"", "home/"}, keys{"s3:prefix": {""}}, true},
		{"not like", "StringNotLike", "a:k", []string{"t1.*"}, keys{"a:k": {"t2.x"}}, true},
		{"like if exists, missing", "StringLikeIfExists", "a:k", []string{"t1.*"}, nil, true},
		{"like if exists, other", "StringLikeIfExists", "a:k", []string{"t1.*"}, keys{"a:k": {"t2.x"}}, false},
		{"not equals if exists, missing", "StringNotEqualsIfExists", "a:k", []string{"x"}, nil, true},

		{"number", "NumericEquals", "a:k", []string{"10"}, keys{"a:k": {"10.0"}}, true},
		{"number, exact", "NumericEquals", "a:k", []string{"9007199254740993"}, keys{"a:k": {"9007199254740992"}}, false},
		{"not number", "NumericNotEquals", "a:k", []string{"10"}, keys{"a:k": {"11"}}, true},
		{"less", "NumericLessThan", "a:k", []string{"10"}, keys{"a:k": {"10"}}, false},
		{"less or equal", "NumericLessThanEquals", "s3:max-keys", []string{"10"}, keys{"s3:max-keys": {"10"}}, true},
		{"greater", "NumericGreaterThan", "a:k", []string{"10"}, keys{"a:k": {"10.5"}}, true},
		{"greater or equal", "NumericGreaterThanEquals", "a:k", []string{"10"}, keys{"a:k": {"9"}}, false},
		{"text for a number", "NumericLessThan", "a:k", []string{"10"}, keys{"a:k": {"few"}}, false},

		{"date", "DateEquals", "a:k", []string{"2020-01-01T00:00:00Z"}, keys{"a:k": {"1577836800"}}, true},
		{"date of a year", "DateEquals", "a:k", []string{"2020"}, keys{"a:k": {"2020-01-01"}}, true},
		{"date with an offset", "DateEquals", "a:k", []string{"2020-01-01T02:00+02:00"}, keys{"a:k": {"2020-01-01T00:00:00Z"}}, true},
		{"not date", "DateNotEquals", "a:k", []string{"2020-01-01"}, keys{"a:k": {"2020-01-02"}}, true},
		{"before", "DateLessThan", "aws:CurrentTime", []string{"2020-07-01T00:00:00Z"}, keys{"aws:CurrentTime": {"2020-06-30T23:59:59.9Z"}}, true},
		{"before or at", "DateLessThanEquals", "a:k", []string{"2020-07"}, keys{"a:k": {"2020-07-01T00:00:00Z"}}, true},
		{"after", "DateGreaterThan", "a:k", []string{"2020-01-01T00:00:01Z"}, keys{"a:k": {"2020-01-01T00:00:01Z"}}, false},
		{"after or at", "DateGreaterThanEquals", "a:k", []string{"2020-01-01T00:00:01Z"}, keys{"a:k": {"2020-01-01T00:00:01Z"}}, true},
		{"after, missing", "DateGreaterThan", "aws:TokenIssueTime", []string{"2020-01-01"}, nil, false},

		{"Boolean", "Bool", "aws:SecureTransport", []string{"false"}, keys{"aws:SecureTransport": {"False"}}, true},
		{"Boolean, other", "Bool", "aws:SecureTransport", []string{"false"}, keys{"aws:SecureTransport": {"true"}}, false},
		{"Boolean if exists", "BoolIfExists", "aws:MultiFactorAuthPresent", []string{"true"}, nil, true},
		{"binary", "BinaryEquals", "a:k", []string{"QmluYXJ5VmFsdWVJbkJhc2U2NA=="}, keys{"a:k": {"BinaryValueInBase64"}}, true},
		{"binary, other", "BinaryEquals", "a:k", []string{"QmluYXJ5VmFsdWVJbkJhc2U2NA=="}, keys{"a:k": {"binary"}}, false},

		{"address", "IpAddress", "aws:SourceIp", []string{"203.0.113.0/24", "2001:DB8:1234:5678::/64"}, keys{"aws:SourceIp": {"203.0.113.7"}}, true},
		{"address, IPv6", "IpAddress", "aws:SourceIp", []string{"203.0.113.0/24", "2001:DB8:1234:5678::/64"}, keys{"aws:SourceIp": {"2001:db8:1234:5678::1"}}, true},
		{"address, one", "IpAddress", "aws:SourceIp", []string{"203.0.113.7"}, keys{"aws:SourceIp": {"203.0.113.8"}}, false},
		{"not address", "NotIpAddress", "aws:SourceIp", []string{"203.0.113.0/24"}, keys{"aws:SourceIp": {"203.0.114.1"}}, true},
		{"not address, missing", "NotIpAddress", "aws:SourceIp", []string{"203.0.113.0/24"}, nil, true},

		{"ARN", "ArnEquals", "aws:SourceArn", []string{"arn:aws:sns:*:111111111111:*"}, keys{"aws:SourceArn": {"arn:aws:sns:eu-west-1:111111111111:t"}}, true},
		{"ARN like", "ArnLike", "aws:SourceArn", []string{"arn:aws:sns:*:t"}, keys{"aws:SourceArn": {"arn:aws:sns:eu-west-1:111111111111:t"}}, false},
		{"ARN not equals", "ArnNotEquals", "aws:SourceArn", []string{"arn:aws:sns:*:111111111111:*"}, keys{"aws:SourceArn": {"arn:aws:sns:eu-west-1:222222222222:t"}}, true},
		{"ARN not like, missing", "ArnNotLike", "aws:SourceArn", []string{"arn:aws:sns:*:111111111111:*"}, nil, true},

		{"null", "Null", "aws:TokenIssueTime", []string{"true"}, nil, true},
		{"null, there", "Null", "aws:TokenIssueTime", []string{"true"}, keys{"aws:TokenIssueTime": {"2020-01-01"}}, false},
		{"not null", "Null", "aws:TokenIssueTime", []string{"false"}, keys{"aws:TokenIssueTime": {"2020-01-01"}}, true},
		{"not null, missing", "Null", "aws:TokenIssueTime", []string{"false"}, nil, false},
		{"null, no values", "Null", "aws:TagKeys", []string{"true"}, keys{"aws:TagKeys": {}}, true},

		{"all", "ForAllValues:StringEquals", "aws:TagKeys", []string{"a", "b"}, keys{"aws:TagKeys": {"a", "b"}}, true},
		{"all, one too many", "ForAllValues:StringEquals", "aws:TagKeys", []string{"a", "b"}, keys{"aws:TagKeys": {"a", "c"}}, false},
		{"all, missing", "ForAllValues:StringEquals", "aws:TagKeys", []string{"a"}, nil, true},
		{"all, empty text", "ForAllValues:StringEquals", "aws:TagKeys", []string{"a"}, keys{"aws:TagKeys": {""}}, true},
		{"all not", "ForAllValues:StringNotEquals", "aws:TagKeys", []string{"a", "b"}, keys{"aws:TagKeys": {"c", "d"}}, true},
		{"all not, one", "ForAllValues:StringNotEquals", "aws:TagKeys", []string{"a", "b"}, keys{"aws:TagKeys": {"c", "b"}}, false},
		{"any", "ForAnyValue:StringLike", "aws:TagKeys", []string{"env*"}, keys{"aws:TagKeys": {"x", "environment"}}, true},
		{"any, none", "ForAnyValue:StringLike", "aws:TagKeys", []string{"env*"}, keys{"aws:TagKeys": {"x"}}, false},
		{"any, missing", "ForAnyValue:StringEquals", "aws:TagKeys", []string{"a"}, nil, false},
		{"any not, missing", "ForAnyValue:StringNotEquals", "aws:TagKeys", []string{"a"}, nil, false},
		{"any not", "ForAnyValue:StringNotEquals", "aws:TagKeys", []string{"a"}, keys{"aws:TagKeys": {"a", "b"}}, true},
		{"any not, all are", "ForAnyValue:StringNotEquals", "aws:TagKeys", []string{"a", "b"}, keys{"aws:TagKeys": {"a", "b"}}, false},
		{"any if exists, missing", "ForAnyValue:StringEqualsIfExists", "aws:TagKeys", []string{"a"}, nil, true},
		{"several values without a set operator", "StringNotEquals", "aws:TagKeys", []string{"a"}, keys{"aws:TagKeys": {"a", "b"}}, false},

		{"variable", "StringEquals", "a:k", []string{"${aws:PrincipalTag/team}"}, keys{"a:k": {"x"}, "aws:PrincipalTag/team": {"x"}}, true},
		{"variable in a pattern", "StringLike", "s3:prefix", []string{"home/${aws:username}/*"}, keys{"s3:prefix": {"home/ann/2020"}}, true},
		{"variable in an ARN", "ArnLike", "a:k", []string{"arn:aws:iam::*:user/${aws:username}"}, keys{"a:k": {"arn:aws:iam::1:user/ann"}}, true},
		{"value of a variable is no wildcard", "StringLike", "a:k", []string{"${a:v}"}, keys{"a:k": {"x"}, "a:v": {"*"}}, false},
		{"value of a variable as text", "StringLike", "a:k", []string{"${a:v}"}, keys{"a:k": {"*?"}, "a:v": {"*?"}}, true},
		{"star as text", "StringLike", "a:k", []string{"${*}${?}${$}"}, keys{"a:k": {"*?$"}}, true},
		{"star as text, other", "StringLike", "a:k", []string{"${*}"}, keys{"a:k": {"x"}}, false},
		{"star as text, equals", "StringEquals", "a:k", []string{"a${*}"}, keys{"a:k": {"a*"}}, true},
		{"unknown variable", "StringEquals", "a:k", []string{"x", "${a:v}"}, keys{"a:k": {"x"}}, false},
		{"unknown variable, negated", "StringNotEquals", "a:k", []string{"${a:v}"}, keys{"a:k": {"x"}}, false},
		{"variable of many values", "StringEquals", "a:k", []string{"${a:v}"}, keys{"a:k": {"x"}, "a:v": {"x", "y"}}, false},
		{"default", "StringEquals", "a:k", []string{"${a:v, 'anonymous'}"}, keys{"a:k": {"anonymous"}}, true},
		{"default not needed", "StringEquals", "a:k", []string{"${a:v, 'anonymous'}"}, keys{"a:k": {"x"}, "a:v": {"x"}}, true},
		{"not closed", "StringEquals", "a:k", []string{"${a:v"}, keys{"a:k": {"${a:v"}}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := iampolicy.New(iampolicy.Statement{
				Effect: iampolicy.Allow, Actions: []string{"*"}, Resources: []string{"*"},
				Conditions: iampolicy.Conditions{tt.operator: {tt.key: tt.values}},
			})
			if err := d.Validate(iampolicy.IdentityBased); err != nil {
				t.Fatal(err)
			}
			got := iampolicy.Evaluate(
				iampolicy.Request{Action: "s3:GetObject", Principal: ann, Keys: tt.keys},
				iampolicy.Policies{Identity: []iampolicy.Named{{Document: &d}}},
			)
			if got.Allowed != tt.want {
				t.Errorf("%s %s %q with %q: %v", tt.operator, tt.key, tt.values, tt.keys, got.Allowed)
			}
			asked := iampolicy.Evaluate(
				iampolicy.Request{Action: "s3:GetObject", Principal: ann, KeysWhenAsked: func() map[string][]string { return tt.keys }},
				iampolicy.Policies{Identity: []iampolicy.Named{{Document: &d}}},
			)
			if asked.Allowed != got.Allowed {
				t.Errorf("with the keys when asked: %v", asked.Allowed)
			}
		})
	}
}

// All operators and all keys must hold.
func TestConditionsAreJoined(t *testing.T) {
	t.Parallel()
	d := iampolicy.New(iampolicy.Statement{
		Effect: iampolicy.Allow, Actions: []string{"*"}, Resources: []string{"*"},
		Conditions: iampolicy.Conditions{"StringEquals": {"a:x": {"1"}, "a:y": {"2"}}, "Bool": {"a:z": {"true"}}},
	})
	for _, tt := range []struct {
		x, y, z string
		want    bool
	}{
		{"1", "2", "true", true},
		{"0", "2", "true", false},
		{"1", "0", "true", false},
		{"1", "2", "false", false},
	} {
		got := iampolicy.Evaluate(
			iampolicy.Request{Action: "s3:GetObject", Principal: ann, Keys: map[string][]string{"a:x": {tt.x}, "a:y": {tt.y}, "a:z": {tt.z}}},
			iampolicy.Policies{Identity: []iampolicy.Named{{Document: &d}}},
		)
		if got.Allowed != tt.want {
			t.Errorf("x=%s y=%s z=%s: %v", tt.x, tt.y, tt.z, got.Allowed)
		}
	}
}

// Variables are a feature of the newer version of the language.
func TestVariablesNeedTheVersion(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"", iampolicy.Version2008, iampolicy.Version2012} {
		d := iampolicy.Document{Version: version, Statements: []iampolicy.Statement{
			{Effect: iampolicy.Allow, Actions: []string{"s3:*"}, Resources: []string{"arn:aws:s3:::lake/${aws:username}/*"}},
		}}
		allowed := func(resource string) bool {
			return iampolicy.Evaluate(
				iampolicy.Request{Action: "s3:GetObject", Resource: resource, Principal: ann},
				iampolicy.Policies{Identity: []iampolicy.Named{{Document: &d}}},
			).Allowed
		}
		if got, want := allowed("arn:aws:s3:::lake/ann/x"), version == iampolicy.Version2012; got != want {
			t.Errorf("version %q, expanded: %v", version, got)
		}
		if got, want := allowed("arn:aws:s3:::lake/${aws:username}/x"), version != iampolicy.Version2012; got != want {
			t.Errorf("version %q, as text: %v", version, got)
		}
	}
}

func TestKeysOfThePrincipal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		who  iampolicy.PrincipalInfo
		want map[string]string // "" is a key that is not there.
	}{
		{"user", iampolicy.PrincipalInfo{Account: "111111111111", ARN: "arn:aws:iam::111111111111:user/team/ann", UserID: "AIDAANN"}, map[string]string{
			"aws:PrincipalArn": "arn:aws:iam::111111111111:user/team/ann", "aws:PrincipalAccount": "111111111111", "aws:PrincipalType": "User",
			"aws:userid": "AIDAANN", "aws:username": "ann", "aws:PrincipalIsAWSService": "false", "aws:PrincipalServiceName": "",
		}},
		{"session", reader, map[string]string{
			"aws:PrincipalArn": "arn:aws:iam::111111111111:role/Reader", "aws:PrincipalType": "AssumedRole", "aws:userid": "AROAREADEREXAMPLE:job", "aws:username": "",
		}},
		{"root", root, map[string]string{"aws:PrincipalType": "Account", "aws:userid": "111111111111", "aws:username": ""}},
		{"service", iampolicy.PrincipalInfo{Service: "ram.amazonaws.com"}, map[string]string{
			"aws:PrincipalIsAWSService": "true", "aws:PrincipalServiceName": "ram.amazonaws.com", "aws:PrincipalType": "",
		}},
		{"anonymous", iampolicy.PrincipalInfo{Anonymous: true}, map[string]string{
			"aws:PrincipalType": "Anonymous", "aws:PrincipalArn": "", "aws:userid": "", "aws:PrincipalIsAWSService": "",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for key, want := range tt.want {
				conditions := iampolicy.Conditions{"StringEquals": {key: {want}}}
				if want == "" {
					conditions = iampolicy.Conditions{"Null": {key: {"true"}}}
				}
				d := iampolicy.New(iampolicy.Statement{
					Effect: iampolicy.Allow, Principal: iampolicy.Everyone(), Actions: []string{"*"}, Resources: []string{"*"}, Conditions: conditions,
				})
				got := iampolicy.Evaluate(
					iampolicy.Request{Action: "s3:GetObject", Principal: tt.who},
					iampolicy.Policies{Resource: &iampolicy.Named{Document: &d}, ResourceAccount: tt.who.Account, ResourceRequired: true},
				)
				if !got.Allowed {
					t.Errorf("%s is not %q", key, want)
				}
			}
		})
	}
}
