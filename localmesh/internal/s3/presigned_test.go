package s3_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/lakemesh/lakemesh/localmesh"
)

// fetch sends a request as somebody without keys would.
func (w *world) fetch(method, address, body string, headers ...string) (status int, text string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := w.Config(admin(owner)).HTTPClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// keys are the keys of a principal.
func (w *world) keys(principal string) aws.Credentials {
	w.t.Helper()
	c, err := w.Config(principal).Credentials.Retrieve(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// signV2 makes an address that is signed with Version 2 by hand: resource is the path
// with the parameters that it covers.
func signV2(c aws.Credentials, method, resource string, expires time.Time, extra url.Values) string {
	lines := []string{method, "", extra.Get("content-type"), fmt.Sprint(expires.Unix())}
	q := url.Values{"AWSAccessKeyId": {c.AccessKeyID}, "Expires": {fmt.Sprint(expires.Unix())}}
	for name, v := range extra {
		q[name] = v
	}
	if c.SessionToken != "" {
		q.Set("x-amz-security-token", c.SessionToken)
	}
	for _, name := range []string{"x-amz-meta-a", "x-amz-security-token", "x-amz-storage-class"} {
		if q.Has(name) {
			lines = append(lines, name+":"+q.Get(name))
		}
	}
	h := hmac.New(sha1.New, []byte(c.SecretAccessKey))
	h.Write([]byte(strings.Join(append(lines, resource), "\n")))
	q.Set("Signature", base64.StdEncoding.EncodeToString(h.Sum(nil)))
	path, query, _ := strings.Cut(resource, "?")
	if query != "" {
		query += "&"
	}
	return localmesh.Endpoint + path + "?" + query + q.Encode()
}

func TestAddressesOfVersion2(t *testing.T) {
	w := newWorld(t)
	w.put("a b/k+.txt", "rows")
	admins, later := w.keys(admin(owner)), time.Now().Add(time.Minute)
	const k = "/lake/a%20b/k%2B.txt"
	for _, tt := range []struct {
		name, method, address string
		status                int
		text                  string
	}{
		{"right", "GET", signV2(admins, "GET", k, later, nil), 200, "rows"},
		{"expired", "GET", signV2(admins, "GET", k, time.Now().Add(-time.Second), nil), 403, "Request has expired"},
		{"another key", "GET", strings.Replace(signV2(admins, "GET", k, later, nil), "k%2B", "other", 1), 403, "SignatureDoesNotMatch"},
		{"another method", "DELETE", signV2(admins, "GET", k, later, nil), 403, "SignatureDoesNotMatch"},
		{"prolonged", "GET", strings.Replace(signV2(admins, "GET", k, later, nil), "Expires=", "Expires=1", 1), 403, "SignatureDoesNotMatch"},
		{"a covered parameter added", "GET", signV2(admins, "GET", k, later, nil) + "&acl", 403, "SignatureDoesNotMatch"},
		{"a covered parameter taken away", "GET", strings.Replace(signV2(admins, "GET", "/lake?policy", later, nil), "?policy&", "?", 1), 403, "SignatureDoesNotMatch"},
		{"a covered parameter", "GET", signV2(admins, "GET", "/lake?location", later, nil), 200, "LocationConstraint"},
		{"a parameter of an operation that is not covered", "GET", signV2(admins, "GET", "/lake", later, nil) + "&publicAccessBlock", 400, "AWS4-HMAC-SHA256"},
		{"the same on a bucket to delete", "DELETE", signV2(admins, "DELETE", "/lake", later, nil) + "&encryption", 400, "AWS4-HMAC-SHA256"},
		{"a page of a listing", "GET", signV2(admins, "GET", "/lake", later, nil) + "&list-type=2&prefix=a", 200, "ListBucketResult"},
		{"a bucket's path with a slash", "GET", strings.Replace(signV2(admins, "GET", "/lake/", later, nil), "/lake/?", "/lake?", 1), 200, "ListBucketResult"},
		{"a header added", "GET", signV2(admins, "GET", k, later, nil) + "&x-amz-meta-b=c", 403, "SignatureDoesNotMatch"},
		{"without an end", "GET", strings.Replace(signV2(admins, "GET", k, later, nil), "Expires", "x-Expires", 1), 400, "AuthorizationQueryParametersError"},
		{"of two versions", "GET", signV2(admins, "GET", k, later, nil) + "&X-Amz-Signature=1", 400, "AuthorizationQueryParametersError"},
		{"of a key that is not", "GET", signV2(aws.Credentials{AccessKeyID: "AKIANOTTHERE", SecretAccessKey: "x"}, "GET", k, later, nil), 403, "InvalidAccessKeyId"},
		{"of another's secret", "GET", signV2(aws.Credentials{AccessKeyID: admins.AccessKeyID, SecretAccessKey: "x", SessionToken: admins.SessionToken}, "GET", k, later, nil), 403, "SignatureDoesNotMatch"},
	} {
		status, text := w.fetch(tt.method, tt.address, "")
		if status != tt.status || !strings.Contains(text, tt.text) {
			t.Errorf("%s: %d %s, want %d %s", tt.name, status, text, tt.status, tt.text)
		}
	}
	// Who signs may no more than without an address.
	weak := w.keys(w.role(owner, "Weak", document(`{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":"*"}`)))
	if status, text := w.fetch("GET", signV2(weak, "GET", k, later, nil), ""); status != 403 || !strings.Contains(text, "AccessDenied") {
		t.Errorf("without the right: %d %s", status, text)
	}
	w.has("a b/k+.txt", "rows")
}

// What stands for headers in an address is honoured as headers are.
func TestHeadersInAddresses(t *testing.T) {
	w := newWorld(t)
	later := time.Now().Add(time.Minute)
	address := signV2(w.keys(admin(owner)), "PUT", "/lake/k", later, url.Values{"x-amz-meta-a": {"b"}, "x-amz-storage-class": {"STANDARD_IA"}, "content-type": {"text/x"}})
	if status, text := w.fetch("PUT", address, "rows"); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	check := func() {
		t.Helper()
		head, err := w.owner.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("lake"), Key: aws.String("k")})
		succeeded(t, err)
		if head.Metadata["a"] != "b" || head.StorageClass != types.StorageClassStandardIa || aws.ToString(head.ContentType) != "text/x" {
			t.Errorf("head is %v %s %s", head.Metadata, head.StorageClass, aws.ToString(head.ContentType))
		}
	}
	check()
	signed, err := s3.NewPresignClient(w.owner).PresignPutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String("k"),
		StorageClass: types.StorageClassStandardIa, Metadata: map[string]string{"a": "b"}, ContentType: aws.String("text/x")})
	succeeded(t, err)
	var headers []string
	for name, v := range signed.SignedHeader {
		if name != "Host" && name != "Content-Length" {
			headers = append(headers, name, v[0])
		}
	}
	if status, text := w.fetch("PUT", signed.URL, "", headers...); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	check()
	// What is not done is refused there, too.
	address = signV2(w.keys(admin(owner)), "PUT", "/lake/k", later, url.Values{"x-amz-storage-class": {"BOGUS"}})
	if status, text := w.fetch("PUT", address, "other"); status != 400 || !strings.Contains(text, "InvalidStorageClass") {
		t.Errorf("%d %s", status, text)
	}
	w.has("k", "")
}

// form is an upload by a form.
type form struct {
	fields [][2]string
	file   string
}

func (f form) send(w *world, bucket string) (status int, text string) {
	w.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for _, field := range f.fields {
		if err := m.WriteField(field[0], field[1]); err != nil {
			w.t.Fatal(err)
		}
	}
	if f.file != "-" {
		part, err := m.CreateFormFile("file", "name.csv")
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := part.Write([]byte(f.file)); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		w.t.Fatal(err)
	}
	return w.fetch(http.MethodPost, localmesh.Endpoint+"/"+bucket, b.String(), "Content-Type", m.FormDataContentType())
}

// signedForm makes a form whose policy has these conditions, signed with Version 2 or 4.
func signedForm(c aws.Credentials, v2 bool, end time.Time, fields map[string]string, conditions ...any) form {
	now := time.Now().UTC()
	day, stamp := now.Format("20060102"), now.Format("20060102T150405Z")
	scope := c.AccessKeyID + "/" + day + "/us-east-1/s3/aws4_request"
	var f form
	add := func(name, value string) {
		f.fields = append(f.fields, [2]string{name, value})
		conditions = append(conditions, map[string]string{name: value})
	}
	if c.SessionToken != "" {
		add("x-amz-security-token", c.SessionToken)
	}
	if !v2 {
		add("x-amz-algorithm", "AWS4-HMAC-SHA256")
		add("x-amz-credential", scope)
		add("x-amz-date", stamp)
	}
	text, err := json.Marshal(map[string]any{"expiration": end.UTC().Format("2006-01-02T15:04:05.000Z"), "conditions": conditions})
	if err != nil {
		panic(err)
	}
	policy := base64.StdEncoding.EncodeToString(text)
	f.fields = append(f.fields, [2]string{"policy", policy})
	if v2 {
		h := hmac.New(sha1.New, []byte(c.SecretAccessKey))
		h.Write([]byte(policy))
		f.fields = append(f.fields, [2]string{"AWSAccessKeyId", c.AccessKeyID}, [2]string{"signature", base64.StdEncoding.EncodeToString(h.Sum(nil))})
	} else {
		key := []byte("AWS4" + c.SecretAccessKey)
		for _, part := range []string{day, "us-east-1", "s3", "aws4_request", policy} {
			h := hmac.New(sha256.New, key)
			h.Write([]byte(part))
			key = h.Sum(nil)
		}
		f.fields = append(f.fields, [2]string{"x-amz-signature", hex.EncodeToString(key)})
	}
	for name, v := range fields {
		f.fields = append(f.fields, [2]string{name, v})
	}
	f.file = "rows"
	return f
}

func TestUploadsByForms(t *testing.T) {
	w := newWorld(t)
	admins, later := w.keys(admin(owner)), time.Now().Add(time.Minute)
	bucket := map[string]string{"bucket": "lake"}
	key := func(k string) map[string]string { return map[string]string{"key": k} }
	prefix := []any{"starts-with", "$key", "in/"}
	for _, v2 := range []bool{true, false} {
		for _, tt := range []struct {
			name   string
			form   form
			status int
			text   string
		}{
			{"right", signedForm(admins, v2, later, key("in/k"), bucket, prefix), 204, ""},
			{"by the file's name", signedForm(admins, v2, later, key("in/${filename}"), bucket, prefix), 204, ""},
			{"another key", signedForm(admins, v2, later, key("out/k"), bucket, prefix), 403, "Policy Condition failed"},
			{"another bucket", signedForm(admins, v2, later, key("in/k"), map[string]string{"bucket": "other"}, prefix), 403, "Policy Condition failed"},
			{"expired", signedForm(admins, v2, time.Now().Add(-time.Second), key("in/k"), bucket, prefix), 403, "Policy expired"},
			{"a field of nobody", signedForm(admins, v2, later, map[string]string{"key": "in/k", "x-amz-meta-a": "b"}, bucket, prefix), 403, "Extra input fields: x-amz-meta-a"},
			{"a field that is ignored", signedForm(admins, v2, later, map[string]string{"key": "in/k", "x-ignore-a": "b"}, bucket, prefix), 204, ""},
			{"the key without a condition", signedForm(admins, v2, later, key("in/k"), bucket), 403, "Extra input fields: key"},
			{"any bucket", signedForm(admins, v2, later, key("in/k"), prefix), 403, "Extra input fields: bucket"},
			{"too large", signedForm(admins, v2, later, key("in/k"), bucket, prefix, []any{"content-length-range", 0, 3}), 400, "EntityTooLarge"},
			{"too small", signedForm(admins, v2, later, key("in/k"), bucket, prefix, []any{"content-length-range", 5, 9}), 400, "EntityTooSmall"},
			{"of the right size", signedForm(admins, v2, later, key("in/k"), bucket, prefix, []any{"content-length-range", 4, 4}), 204, ""},
			{"a condition that nobody knows", signedForm(admins, v2, later, key("in/k"), bucket, prefix, []any{"ends-with", "$key", "k"}), 400, "InvalidPolicyDocument"},
			{"status 201", signedForm(admins, v2, later, map[string]string{"key": "in/k", "success_action_status": "201"}, bucket, prefix, map[string]string{"success_action_status": "201"}), 201, "<Key>in/k</Key>"},
			{"redirected", signedForm(admins, v2, later, map[string]string{"key": "in/k", "success_action_redirect": "http://localhost/x"}, bucket, prefix, []any{"eq", "$success_action_redirect", "http://localhost/x"}), 303, ""},
			{"a class that is not", signedForm(admins, v2, later, map[string]string{"key": "in/k", "x-amz-storage-class": "BOGUS"}, bucket, prefix, []any{"starts-with", "$x-amz-storage-class", ""}), 400, "InvalidStorageClass"},
			{"what is not done", signedForm(admins, v2, later, map[string]string{"key": "in/k", "x-amz-server-side-encryption-customer-key": "x"}, bucket, prefix, []any{"starts-with", "$x-amz-server-side-encryption-customer-key", ""}), 501, "NotImplemented"},
			{"a list of access", signedForm(admins, v2, later, map[string]string{"key": "in/k", "acl": "public-read"}, bucket, prefix, map[string]string{"acl": "public-read"}), 400, "AccessControlListNotSupported"},
			{"another secret", signedForm(aws.Credentials{AccessKeyID: admins.AccessKeyID, SecretAccessKey: "x", SessionToken: admins.SessionToken}, v2, later, key("in/k"), bucket, prefix), 403, "SignatureDoesNotMatch"},
			{"a key that is not", signedForm(aws.Credentials{AccessKeyID: "AKIANOTTHERE", SecretAccessKey: "x"}, v2, later, key("in/k"), bucket, prefix), 403, "InvalidAccessKeyId"},
		} {
			status, text := tt.form.send(w, "lake")
			if status != tt.status || !strings.Contains(text, tt.text) {
				t.Errorf("version 2 %v, %s: %d %s, want %d %s", v2, tt.name, status, text, tt.status, tt.text)
			}
		}
		tampered := signedForm(admins, v2, later, key("in/k"), bucket, prefix)
		for i := range tampered.fields {
			if tampered.fields[i][0] == "policy" {
				tampered.fields[i][1] = base64.StdEncoding.EncodeToString([]byte(`{"expiration":"2100-01-01T00:00:00Z","conditions":[["starts-with","$key",""]]}`))
			}
		}
		if status, text := tampered.send(w, "lake"); status != 403 || !strings.Contains(text, "SignatureDoesNotMatch") {
			t.Errorf("another policy: %d %s", status, text)
		}
		without := signedForm(admins, v2, later, key("in/k"), bucket, prefix)
		without.file = "-"
		if status, text := without.send(w, "lake"); status != 400 || !strings.Contains(text, "InvalidArgument") {
			t.Errorf("without a file: %d %s", status, text)
		}
		weak := w.keys(w.role(owner, fmt.Sprint("Weak", v2), document(`{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":"*"}`)))
		if status, text := signedForm(weak, v2, later, key("in/weak"), bucket, prefix).send(w, "lake"); status != 403 || !strings.Contains(text, "AccessDenied") {
			t.Errorf("who may not write: %d %s", status, text)
		}
	}
	w.has("in/k", "rows")
	w.has("in/name.csv", "rows")
	if _, err := w.get(w.owner, "in/weak"); err == nil {
		t.Error("it was written without the right")
	}
	// A form that nobody signed is an anonymous write.
	if status, text := (form{fields: [][2]string{{"key", "in/k"}}, file: "x"}).send(w, "lake"); status != 403 || !strings.Contains(text, "AccessDenied") {
		t.Errorf("unsigned: %d %s", status, text)
	}
	w.has("in/k", "rows")
}

// Unsigned requests to S3 are answered in S3's form, with a body and without.
func TestUnsignedRequests(t *testing.T) {
	w := newWorld(t)
	w.put("k", "rows")
	for _, tt := range []struct{ method, path, body, code string }{
		{"GET", "/lake/k", "", "AccessDenied"}, {"PUT", "/lake/k", "other", "AccessDenied"}, {"DELETE", "/lake/k", "", "AccessDenied"},
		{"POST", "/lake?delete", "<Delete><Object><Key>k</Key></Object></Delete>", "AccessDenied"}, {"POST", "/lake/k?uploads", "", "AccessDenied"},
		{"PUT", "/lake?policy", "{}", "AccessDenied"}, {"GET", "/", "", "AccessDenied"}, {"PUT", "/new", "", "AccessDenied"},
		{"PUT", "/lake?website", "<x/>", "NotImplemented"}, {"GET", "/none/k", "", "NoSuchBucket"},
	} {
		status, text := w.fetch(tt.method, localmesh.Endpoint+tt.path, tt.body)
		if !strings.HasPrefix(text, "<?xml") || !strings.Contains(text, "<Code>"+tt.code+"</Code>") {
			t.Errorf("%s %s: %d %s, want %s", tt.method, tt.path, status, text, tt.code)
		}
	}
	for authorization, code := range map[string]string{
		"AWS AKIDEXAMPLE:c2lnbmF0dXJl": "InvalidRequest", "Basic eDp5": "AuthorizationHeaderMalformed", "AWS4-HMAC-SHA256 Credential=x": "AuthorizationHeaderMalformed",
	} {
		status, text := w.fetch("GET", localmesh.Endpoint+"/lake/k", "", "Authorization", authorization)
		if status != 400 || !strings.Contains(text, "<Code>"+code+"</Code>") {
			t.Errorf("%s: %d %s, want %s", authorization, status, text, code)
		}
	}
	w.has("k", "rows")
}
