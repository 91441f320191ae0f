package sigv4

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-UsingHTTPPOST.html

import (
	"bytes"
	"crypto/hmac"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
)

// A Form is an upload of a browser.
type Form struct {
	// Fields are those before the file, by their names in lower case.
	Fields map[string]string
	// Has tells whether there was a file; File is its content, Name its name.
	Has  bool
	File []byte
	Name string
}

// maxFields bounds what a form has beside its file.
const (
	maxFields = 200
	maxField  = 20 << 10
)

// IsForm tells whether r is an upload by a form.
func IsForm(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "multipart/form-data" && r.Method == http.MethodPost
}

// ReadForm reads the fields and the file of an upload. What comes behind the file is
// not looked at, as S3 does not.
func ReadForm(r *http.Request, body []byte) (*Form, error) {
	_, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || parameters["boundary"] == "" {
		return nil, &MalformedError{Part: "form", Problem: "without a boundary"}
	}
	f := &Form{Fields: map[string]string{}}
	parts := multipart.NewReader(bytes.NewReader(body), parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return nil, &MalformedError{Part: "form", Problem: "not well-formed"}
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return nil, &MalformedError{Part: "form", Problem: "not well-formed"}
		}
		name := strings.ToLower(part.FormName())
		if name == "file" {
			f.Has, f.File, f.Name = true, content, part.FileName()
			return f, nil
		}
		if _, twice := f.Fields[name]; twice {
			return nil, &MalformedError{Part: name, Problem: "given more than once"}
		}
		if len(f.Fields) == maxFields || len(content) > maxField {
			return nil, &MalformedError{Part: "form", Problem: "too large"}
		}
		f.Fields[name] = string(content)
	}
}

// ParseForm reads the signature of a form, of Version 4 or 2. A form without one is
// [ErrMissing].
func ParseForm(f *Form) (*Credential, error) {
	c := &Credential{Service: "s3", SecurityToken: f.Fields["x-amz-security-token"]}
	switch {
	case has(f, "x-amz-signature", "x-amz-algorithm", "x-amz-credential"):
		if f.Fields["x-amz-algorithm"] != algorithm {
			return nil, &MalformedError{Part: "x-amz-algorithm", Problem: "not " + algorithm}
		}
		if err := c.setParts(f.Fields["x-amz-credential"], "host", f.Fields["x-amz-signature"]); err != nil {
			return nil, err
		}
		if err := c.setTime(f.Fields["x-amz-date"]); err != nil {
			return nil, err
		}
		if c.Service != "s3" {
			return nil, &MalformedError{Part: "x-amz-credential", Problem: "not of s3"}
		}
	case has(f, "awsaccesskeyid", "signature"):
		c.V2, c.AccessKeyID, c.Signature = true, f.Fields["awsaccesskeyid"], f.Fields["signature"]
		if c.AccessKeyID == "" || c.Signature == "" {
			return nil, &MalformedError{Part: "form", Problem: "AWSAccessKeyId and signature belong together"}
		}
	default:
		return nil, ErrMissing
	}
	if f.Fields["policy"] == "" {
		return nil, &MalformedError{Part: "policy", Problem: "missing"}
	}
	return c, nil
}

func has(f *Form, names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { _, ok := f.Fields[n]; return ok })
}

// VerifyForm checks that the policy of a form was signed by the holder of secret. How
// long it holds the policy says itself.
func VerifyForm(f *Form, c *Credential, secret string) error {
	want := signV2(secret, f.Fields["policy"])
	if !c.V2 {
		want = sign(signingKey(c, secret), f.Fields["policy"])
	}
	if !hmac.Equal([]byte(want), []byte(c.Signature)) {
		return ErrMismatch
	}
	return nil
}
