package iampolicy

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestMatchAction(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, action string
		want            bool
	}{
		{"*", "glue:GetTable", true},
		{"glue:*", "glue:GetTable", true},
		{"GLUE:gettable", "glue:GetTable", true},
		{"glue:Get*", "glue:GetTable", true},
		{"glue:Get*s", "glue:GetTable", false},
		{"glue:Get?able", "glue:GetTable", true},
		{"glue:GetTable?", "glue:GetTable", false},
		{"iam:*AccessKey*", "iam:CreateAccessKey", true},
		{"s3:GetTable", "glue:GetTable", false},
		{"glue:GetTable", "glue:GetTables", false},
		{"", "glue:GetTable", false},
		{"", "", true},
	} {
		if got := matchAction(tt.pattern, tt.action); got != tt.want {
			t.Errorf("matchAction(%q, %q) = %v", tt.pattern, tt.action, got)
		}
	}
}

func TestMatchResource(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, resource string
		want              bool
	}{
		{"*", "arn:aws:s3:::lake", true},
		{"*", "*", true},
		{"arn:aws:s3:::lake", "*", false},
		{"arn:aws:s3:::lake/*", "arn:aws:s3:::lake/a/b.parquet", true},
		{"arn:aws:s3:::lake/*", "arn:aws:s3:::lake", false},
		{"arn:aws:s3:::lake/A", "arn:aws:s3:::lake/a", false},
		{"arn:aws:s3:::lake/*/test/*", "arn:aws:s3:::lake/1/2/test/3/object.jpg", true},
		{"arn:aws:s3:::lake/*/test/*", "arn:aws:s3:::lake/1/2/tests/object.jpg", false},
		{"arn:aws:s3:::lake/?/x", "arn:aws:s3:::lake/é/x", true},
		{"arn:aws:glue:*:111111111111:table/*/*", "arn:aws:glue:eu-west-1:111111111111:table/sales/orders", true},
		// A star at the end of a segment goes beyond the colon, one within it does not.
		{"arn:aws:glue:*:table/*", "arn:aws:glue:eu-west-1:111111111111:table/sales/orders", true},
		{"arn:aws:glue:eu*1:111111111111:catalog", "arn:aws:glue:eu-west-1:111111111111:catalog", true},
		{"arn:aws:glue:eu*1:catalog", "arn:aws:glue:eu-west-1:111111111111:catalog", false},
		{"arn:aws:glue:eu-west-1?111111111111:catalog", "arn:aws:glue:eu-west-1:111111111111:catalog", false},
		{"arn:aws:s3*", "arn:aws:s3:::lake", true},
		// In the resource part colons are ordinary.
		{"arn:aws:s3:::lake/a*z", "arn:aws:s3:::lake/a:b:z", true},
		{"arn:aws:s3:::lake/a?b", "arn:aws:s3:::lake/a:b", true},
		{"*:b*c", "x:bq:bzc", true},
	} {
		if got := matchResource(tt.pattern, tt.resource); got != tt.want {
			t.Errorf("matchResource(%q, %q) = %v", tt.pattern, tt.resource, got)
		}
	}
}

func TestMatchARN(t *testing.T) {
	t.Parallel()
	const finance = "arn:aws:someservice:*:111122223333:finance/*"
	for _, tt := range []struct {
		pattern, arn string
		want         bool
	}{
		{finance, "arn:aws:someservice:us-east-2:111122223333:finance/document.txt", true},
		{finance, "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt", false},
		{"arn:aws:iam::111111111111:role/*", "arn:aws:iam::111111111111:role/path/Reader", true},
		{"arn:aws:iam::111111111111:role/Reader", "arn:aws:iam::111111111111:role/reader", false},
		{"arn:*:iam::111111111111:*", "arn:aws:iam::111111111111:role/Reader", true},
		{"*", "arn:aws:iam::111111111111:role/Reader", true},
		{"arn:aws:*", "arn:aws:iam::111111111111:role/Reader", false},
		{"arn:aws:iam::111111111111:role/Reader", "Reader", false},
	} {
		if got := matchARN(tt.pattern, tt.arn); got != tt.want {
			t.Errorf("matchARN(%q, %q) = %v", tt.pattern, tt.arn, got)
		}
	}
}

// A recursive matcher would not come back from these.
func TestMatchIsNotExponential(t *testing.T) {
	t.Parallel()
	pattern := strings.Repeat("*a", 200) + "b"
	text := strings.Repeat("a", 4000)
	if matchText(pattern, text, true) {
		t.Error("matchText matched")
	}
	if matchResource(pattern, text) {
		t.Error("matchResource matched")
	}
	pattern = strings.Repeat("*:a*a", 4) + "b"
	text = strings.Repeat(":aa", 1000)
	if matchResource(pattern, text) {
		t.Error("matchResource matched between colons")
	}
}

// referenceMatch says what the wildcards mean, trying everything.
func referenceMatch(pattern, text string, crosses func(at int) bool) bool {
	type state struct{ p, t int }
	seen := map[state]bool{}
	var match func(p, t int) bool
	match = func(p, t int) (result bool) {
		if r, ok := seen[state{p, t}]; ok {
			return r
		}
		defer func() { seen[state{p, t}] = result }()
		if p == len(pattern) {
			return t == len(text)
		}
		if pattern[p] == '*' && match(p+1, t) {
			return true
		}
		if t == len(text) {
			return false
		}
		_, n := utf8.DecodeRuneInString(text[t:])
		stays := text[t] == ':' && !crosses(p)
		switch pattern[p] {
		case '*':
			return !stays && match(p, t+n)
		case '?':
			return !stays && match(p+1, t+n)
		default:
			return pattern[p] == text[t] && match(p+1, t+1)
		}
	}
	return match(0, 0)
}

func TestMatchAgainstReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("ab:é")), 0, 16, -1).Draw(t, "text")
		pattern := rapid.StringOfN(rapid.SampledFrom([]rune("ab::é**?")), 0, 16, -1).Draw(t, "pattern")
		want := referenceMatch(pattern, text, func(int) bool { return true })
		if got := matchText(pattern, text, false); got != want {
			t.Fatalf("matchText(%q, %q) = %v", pattern, text, got)
		}
		rest := resourcePart(pattern)
		want = referenceMatch(pattern, text, func(at int) bool {
			atEnd := at+1 == len(pattern) || pattern[at+1] == ':'
			return at >= rest || pattern[at] == '*' && atEnd
		})
		if got := matchResource(pattern, text); got != want {
			t.Fatalf("matchResource(%q, %q) = %v", pattern, text, got)
		}
	})
}

func FuzzMatch(f *testing.F) {
	f.Add("arn:aws:s3:::lake/*", "arn:aws:s3:::lake/a")
	f.Add("*:b*c", "x:bq:bzc")
	f.Add("a?\xff*", "aé\x80")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 2048 || len(text) > 2048 {
			t.Skip("longer than any ARN")
		}
		matchText(pattern, text, true)
		matchARN(pattern, text)
		if matchResource(pattern, text) && !matchText(pattern, text, false) {
			t.Errorf("%q matches %q as a resource only", pattern, text)
		}
		if !strings.ContainsAny(pattern, "*?") && utf8.ValidString(pattern) && utf8.ValidString(text) && matchText(pattern, text, false) != (pattern == text) {
			t.Errorf("%q without wildcards, and %q", pattern, text)
		}
		if !matchResource("*", text) || !matchText("*"+escape(text)+"*", text, false) {
			t.Errorf("%q is not matched by all", text)
		}
	})
}

// escape turns text into a pattern of itself.
func escape(text string) string {
	var b strings.Builder
	writeLiteral(&b, text, true)
	return b.String()
}
