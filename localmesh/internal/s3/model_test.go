package s3

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/localmesh/internal/awsmodel"
)

// requestOf is a request for an operation of the model, with what it always has.
func requestOf(o awsmodel.S3Operation) *http.Request {
	path := [...]string{"/", "/lake", "/lake/k"}[o.Level]
	r := httptest.NewRequest(o.Method, "http://localhost"+path, http.NoBody)
	var query []string
	for _, p := range o.Query {
		if !strings.Contains(p, "=") {
			p += "=1"
		}
		query = append(query, p)
	}
	r.URL.RawQuery = strings.Join(query, "&")
	for _, name := range o.Header {
		r.Header.Set(name, "other/source")
	}
	return r
}

// Each operation of the model is found by what it always has, and by nothing less.
func TestEveryOperationIsToldFromTheOthers(t *testing.T) {
	t.Parallel()
	for _, o := range awsmodel.S3() {
		r := requestOf(o)
		if o.Name == "ListDirectoryBuckets" {
			// It is sent to another host, signed for another service.
			r.URL.RawQuery = "x-id=ListDirectoryBuckets"
		}
		if got := resolve(r); got != o.Name {
			t.Errorf("%s %s %v is %s, want %s", r.Method, r.URL, r.Header, got, o.Name)
		}
	}
}

// A request that has something of another operation in its query string is for none: on
// each level, with each method, and each parameter by itself.
func TestNoParameterIsLeftOver(t *testing.T) {
	t.Parallel()
	names := map[string]bool{"somethingNew": true, "id": true, "website": true, "policy2": true}
	for _, o := range awsmodel.S3() {
		for _, p := range o.Query {
			name, _, _ := strings.Cut(p, "=")
			names[name] = true
		}
		for _, m := range o.Members {
			if m.Place == awsmodel.InQuery {
				names[m.At] = true
			}
		}
	}
	for _, path := range []string{"/", "/lake", "/lake/k"} {
		for _, method := range []string{"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"} {
			plain := resolve(httptest.NewRequest(method, "http://localhost"+path, http.NoBody))
			for _, name := range slices.Sorted(maps.Keys(names)) {
				for _, value := range []string{"", "=", "=1", "=2"} {
					r := httptest.NewRequest(method, "http://localhost"+path+"?"+name+value, http.NoBody)
					got := resolve(r)
					if got != plain {
						continue
					}
					o, known := awsmodel.S3Named(plain)
					takes := known && slices.ContainsFunc(o.Members, func(m awsmodel.Member) bool { return m.Place == awsmodel.InQuery && m.At == name })
					if known && !takes {
						t.Errorf("%s %s is taken for %s", method, r.URL, got)
					}
				}
			}
		}
	}
}

// Nothing is both offered and unknown, and what is honoured is in the model.
func TestWhatIsHonouredIsInTheModel(t *testing.T) {
	t.Parallel()
	offered := map[string]bool{}
	for _, o := range Service().Operations {
		offered[o.Name] = true
		if _, ok := awsmodel.S3Named(o.Name); !ok && o.Name != postObjectName {
			t.Errorf("%s is offered and not in the model", o.Name)
		}
	}
	groups := strings.Fields(contents + sums + grants + keys + locks + ifs + sourceIf + answers + body)
	for name, list := range honoured {
		o, ok := awsmodel.S3Named(name)
		if !ok || !offered[name] {
			t.Errorf("%s is not offered", name)
		}
		for _, member := range strings.Fields(list) {
			has := slices.ContainsFunc(o.Members, func(m awsmodel.Member) bool { return m.Name == member })
			if !has && !slices.Contains(groups, member) {
				t.Errorf("%s has no member %s", name, member)
			}
		}
	}
}

// What is said to be honoured is read somewhere: a header or a parameter by its name.
func TestWhatIsHonouredIsRead(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") || f == "members.go" || f == "conditionkeys.go" {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		code.WriteString(strings.ToLower(string(text)))
	}
	for name, list := range honoured {
		o, _ := awsmodel.S3Named(name)
		for _, m := range o.Members {
			if !slices.Contains(strings.Fields(list), m.Name) || m.Place == awsmodel.InBody || m.Place == awsmodel.InPrefixedHeaders {
				continue
			}
			// Those of a family are read with the name put together.
			at := strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(m.At, "x-amz-copy-source-"), "response-"))
			if strings.HasPrefix(at, "x-amz-grant-") {
				at = "x-amz-grant-"
			}
			if newChecksum(strings.TrimPrefix(at, checksumHeader)) != nil {
				at = strings.TrimPrefix(at, checksumHeader)
			}
			if _, why := withoutEffect()[name+"."+m.Name]; !why && !strings.Contains(code.String(), `"`+at+`"`) {
				t.Errorf("%s of %s is never read", m.At, name)
			}
		}
	}
}
