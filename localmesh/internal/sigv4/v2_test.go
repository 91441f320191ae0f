package sigv4_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/sigv4"
)

const exampleSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

// The example of AWS's documentation
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html#RESTAuthenticationQueryStringAuth),
// and what is done to it.
func TestVersion2(t *testing.T) {
	t.Parallel()
	const query = "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620"
	before := time.Unix(1175139600, 0)
	for _, tt := range []struct {
		name, method, path, bucket, query string
		header                            http.Header
		now                               time.Time
		want                              error
	}{
		{"with the bucket in the path", "GET", "/johnsmith/photos/puppy.jpg", "", query, nil, before, nil},
		{"with the bucket in the host", "GET", "/photos/puppy.jpg", "johnsmith", query, nil, before, nil},
		{"with a page of a listing", "GET", "/photos/puppy.jpg", "johnsmith", query + "&prefix=a", nil, before, nil},
		{"another bucket", "GET", "/photos/puppy.jpg", "smith", query, nil, before, sigv4.ErrMismatch},
		{"another method", "PUT", "/photos/puppy.jpg", "johnsmith", query, nil, before, sigv4.ErrMismatch},
		{"another end", "GET", "/photos/puppy.jpg", "johnsmith", strings.Replace(query, "1175139620", "1175139621", 1), nil, before, sigv4.ErrMismatch},
		{"a subresource", "GET", "/photos/puppy.jpg", "johnsmith", query + "&acl", nil, before, sigv4.ErrMismatch},
		{"a version", "GET", "/photos/puppy.jpg", "johnsmith", query + "&versionId=1", nil, before, sigv4.ErrMismatch},
		{"a header of AWS", "GET", "/photos/puppy.jpg", "johnsmith", query, http.Header{"X-Amz-Meta-A": {"b"}}, before, sigv4.ErrMismatch},
		{"a type", "GET", "/photos/puppy.jpg", "johnsmith", query, http.Header{"Content-Type": {"text/x"}}, before, sigv4.ErrMismatch},
		{"another header", "GET", "/photos/puppy.jpg", "johnsmith", query, http.Header{"Range": {"bytes=0-1"}}, before, nil},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, "https://s3.amazonaws.com"+tt.path+"?"+tt.query, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if tt.header != nil {
			r.Header = tt.header
		}
		c, err := sigv4.Parse(r)
		if err != nil || !c.V2 || c.AccessKeyID != "AKIAIOSFODNN7EXAMPLE" {
			t.Fatalf("%s: %+v, %v", tt.name, c, err)
		}
		if err := sigv4.VerifyV2(r, c, exampleSecret, tt.bucket, tt.now); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://s3.amazonaws.com/johnsmith/photos/puppy.jpg?"+query, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	c, err := sigv4.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	var expired *sigv4.ExpiredError
	if err := sigv4.VerifyV2(r, c, exampleSecret, "", time.Unix(1175139621, 0)); !errors.As(err, &expired) {
		t.Errorf("after its end: %v", err)
	}
	var uncovered *sigv4.NotCoveredError
	r.URL.RawQuery = query + "&publicAccessBlock"
	if err := sigv4.VerifyV2(r, c, exampleSecret, "", before); !errors.As(err, &uncovered) || uncovered.Parameter != "publicAccessBlock" {
		t.Errorf("with a parameter that is not covered: %v", err)
	}
	var malformed *sigv4.MalformedError
	for _, q := range []string{"AWSAccessKeyId=a&Signature=b", "AWSAccessKeyId=a&Expires=1", "Signature=b&Expires=1", query + "&Expires=1", query + "&X-Amz-Signature=a", "AWSAccessKeyId=a&Signature=b&Expires=-1"} {
		r.URL.RawQuery = q
		if _, err := sigv4.Parse(r); !errors.As(err, &malformed) {
			t.Errorf("%s: %v", q, err)
		}
	}
}

// Forms that cannot be read are malformed, whatever is in them.
func FuzzReadForm(f *testing.F) {
	f.Add("--x\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nrows\r\n--x--\r\n")
	f.Add("--x\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n--x\r\nContent-Disposition: form-data; name=\"Key\"\r\n\r\nk\r\n--x--\r\n")
	f.Add("--x--")
	f.Fuzz(func(t *testing.T, body string) {
		r := &http.Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {"multipart/form-data; boundary=x"}}}
		form, err := sigv4.ReadForm(r, []byte(body))
		var malformed *sigv4.MalformedError
		if err != nil && !errors.As(err, &malformed) || err == nil && form == nil {
			t.Fatalf("%v, %v", form, err)
		}
		if err != nil {
			return
		}
		if _, err := sigv4.ParseForm(form); err != nil && !errors.Is(err, sigv4.ErrMissing) && !errors.As(err, &malformed) {
			t.Fatal(err)
		}
	})
}
