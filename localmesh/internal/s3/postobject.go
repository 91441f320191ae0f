package s3

// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/awsmodel"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/sigv4"
)

// postObjectName is the name of an upload by a form, which no SDK has as an operation.
const postObjectName = "PostObject"

// isPostForm tells whether a request is an upload by a form.
func isPostForm(r *http.Request) bool { return sigv4.IsForm(r) }

type postResponse struct {
	XMLName                     xml.Name `xml:"PostResponse"`
	Location, Bucket, Key, ETag string
}

// postObject writes the file of a form. Who signed its policy has allowed all that the
// policy says, as far as he may himself.
func postObject(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	f := r.Form
	if f == nil {
		c.Authorized()
		return nil, failure(http.StatusPreconditionFailed, "PreconditionFailed", "Bucket POST must be of the enclosure-type multipart/form-data").APIError
	}
	bucket, _ := address(r.Request)
	key, given := f.Fields["key"]
	if !given || key == "" {
		c.Authorized()
		return nil, invalidArgument("Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.", "key", "")
	}
	if !f.Has {
		c.Authorized()
		return nil, invalidArgument("POST requires exactly one file upload per request.", "file", "0")
	}
	if err := checkPolicy(r, bucket); err != nil {
		c.Authorized()
		return nil, err
	}
	key = strings.ReplaceAll(key, "${filename}", f.Name)
	put, err := putOf(r, bucket, key)
	if err != nil {
		c.Authorized()
		return nil, err
	}
	c.Conditions = requestKeys(put)
	t, err := open(c, put, "s3:PutObject", nil)
	if err != nil {
		return nil, err
	}
	o, err := writeObject(c, put, t)
	if err != nil {
		return nil, err
	}
	return posted(r, t, quote(o.ETag))
}

// posted answers as the form asks for.
func posted(r *engine.Request, t target, etag string) (*engine.Response, error) {
	h := http.Header{"Etag": {etag}, "Location": {location(r.Request, t.bucket.Name, t.key)}}
	to := r.Form.Fields["success_action_redirect"]
	if to == "" {
		to = r.Form.Fields["redirect"]
	}
	if u, err := url.Parse(to); err == nil && to != "" && (u.Scheme == "http" || u.Scheme == "https") {
		q := u.Query()
		q.Set("bucket", t.bucket.Name)
		q.Set("key", t.key)
		q.Set("etag", etag)
		u.RawQuery = q.Encode()
		h.Set("Location", u.String())
		return &engine.Response{Status: http.StatusSeeOther, Header: h}, nil
	}
	switch r.Form.Fields["success_action_status"] {
	case "200":
		return &engine.Response{Status: http.StatusOK, Header: h}, nil
	case "201":
		resp, err := answerXML(postResponse{Location: h.Get("Location"), Bucket: t.bucket.Name, Key: t.key, ETag: etag})
		if err == nil {
			resp.Status = http.StatusCreated
			resp.Header.Set("Etag", etag)
			resp.Header.Set("Location", h.Get("Location"))
		}
		return resp, err
	}
	return &engine.Response{Status: http.StatusNoContent, Header: h}, nil
}

// putOf is the request that would write the same object: fields are headers.
func putOf(r *engine.Request, bucket, key string) (*engine.Request, error) {
	put, err := http.NewRequestWithContext(r.Context(), http.MethodPut, "http://localhost/", http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("upload by a form: %w", err)
	}
	put.URL.Path, put.Host = "/"+bucket+"/"+key, ""
	for name, v := range r.Form.Fields {
		switch {
		case ofPolicy(name):
		case name == "acl":
			put.Header.Set("X-Amz-Acl", v)
		case name == "tagging":
			tags, err := taggingHeader(v)
			if err != nil {
				return nil, err
			}
			put.Header.Set("X-Amz-Tagging", tags)
		case strings.HasPrefix(name, "x-amz-"), slices.Contains(systemHeaders(), http.CanonicalHeaderKey(name)), name == "content-md5":
			put.Header.Set(name, v)
		}
	}
	model, _ := awsmodel.S3Named("PutObject")
	out := &engine.Request{Request: put, Payload: r.Form.File, Form: r.Form, Signature: r.Signature, Received: r.Received}
	return out, checkMembers(model, strings.Fields(honoured["PutObject"]+" "+common), out)
}

// taggingHeader turns the tags of a form, which are XML, into those of a header.
func taggingHeader(field string) (string, error) {
	var in tagging
	if err := xml.Unmarshal([]byte(field), &in); err != nil {
		return "", malformedXML()
	}
	tags := url.Values{}
	for _, t := range in.TagSet.Tag {
		if tags.Has(t.Key) {
			return "", failure(http.StatusBadRequest, "InvalidTag", "Cannot provide multiple Tags with the same key").with("TagKey", t.Key).APIError
		}
		tags.Set(t.Key, t.Value)
	}
	return tags.Encode(), nil
}

// ofPolicy tells whether a field is of the policy and its signature, and not of the object.
func ofPolicy(name string) bool {
	switch name {
	case "policy", "signature", "awsaccesskeyid", "x-amz-signature", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token",
		"key", "file", "success_action_redirect", "success_action_status", "redirect", "bucket":
		return true
	}
	return strings.HasPrefix(name, "x-ignore-")
}

// uncovered tells whether a field needs no condition of the policy.
func uncovered(name string) bool {
	switch name {
	case "policy", "signature", "awsaccesskeyid", "x-amz-signature", "file", "":
		return true
	}
	return strings.HasPrefix(name, "x-ignore-")
}

func policyFailed(format string, args ...any) error {
	return failure(http.StatusForbidden, "AccessDenied", "Invalid according to Policy: "+fmt.Sprintf(format, args...)).APIError
}

func invalidPolicy(problem string) error {
	return failure(http.StatusBadRequest, "InvalidPolicyDocument", "Invalid Policy: "+problem).APIError
}

// checkPolicy checks a form against the policy in it. A form that nobody signed has none.
func checkPolicy(r *engine.Request, bucket string) error {
	f := r.Form
	if r.Signature == nil {
		if f.Fields["policy"] != "" {
			return invalidArgument("Bucket POST must contain a field named 'AWSAccessKeyId'.  If it is specified, please check the order of the fields.", "AWSAccessKeyId", "")
		}
		return nil
	}
	text, err := base64.StdEncoding.DecodeString(f.Fields["policy"])
	if err != nil {
		return invalidPolicy("Invalid Base64.")
	}
	var p struct {
		Expiration string            `json:"expiration"`
		Conditions []json.RawMessage `json:"conditions"`
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return invalidPolicy("Invalid JSON.")
	}
	expires, err := time.Parse(time.RFC3339, p.Expiration)
	if err != nil {
		return invalidPolicy("Invalid 'expiration' value: '" + p.Expiration + "'")
	}
	if p.Conditions == nil {
		return invalidPolicy("Policy missing conditions.")
	}
	// Signed with the real time, like every signature.
	if !r.Received.Before(expires) {
		return policyFailed("Policy expired.")
	}
	covered := map[string]bool{}
	for _, raw := range p.Conditions {
		if err := checkCondition(f, bucket, raw, covered); err != nil {
			return err
		}
	}
	// The bucket is a field as well, which stands in the address.
	var extra []string
	if !covered["bucket"] {
		extra = append(extra, "bucket")
	}
	for name := range f.Fields {
		if !uncovered(name) && !covered[name] && name != "bucket" {
			extra = append(extra, name)
		}
	}
	if len(extra) > 0 {
		slices.Sort(extra)
		return policyFailed("Extra input fields: %s", strings.Join(extra, ", "))
	}
	return nil
}

// checkCondition checks one condition, and notes the field that it is about.
func checkCondition(f *sigv4.Form, bucket string, raw json.RawMessage, covered map[string]bool) error {
	var exact map[string]any
	if json.Unmarshal(raw, &exact) == nil {
		if len(exact) != 1 {
			return invalidPolicy("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
		}
		for name, v := range exact {
			want, ok := v.(string)
			if !ok {
				return invalidPolicy("Invalid Simple-Condition: value must be a string.")
			}
			return checkField(f, bucket, "eq", strings.ToLower(name), want, raw, covered)
		}
	}
	var list []any
	if json.Unmarshal(raw, &list) != nil || len(list) != 3 {
		return invalidPolicy("Invalid Condition.")
	}
	kind, ok := list[0].(string)
	if !ok {
		return invalidPolicy("Invalid Condition.")
	}
	if kind = strings.ToLower(kind); kind == "content-length-range" {
		return checkLength(f, list[1], list[2])
	}
	name, isName := list[1].(string)
	want, isText := list[2].(string)
	if !isName || !isText || !strings.HasPrefix(name, "$") {
		return invalidPolicy("Invalid Condition.")
	}
	return checkField(f, bucket, kind, strings.ToLower(name[1:]), want, raw, covered)
}

func checkField(f *sigv4.Form, bucket, kind, name, want string, raw json.RawMessage, covered map[string]bool) error {
	covered[name] = true
	is := f.Fields[name]
	if name == "bucket" {
		is = bucket
	}
	ok := false
	switch kind {
	case "eq":
		ok = is == want
	case "starts-with":
		ok = strings.HasPrefix(is, want)
		if name == "content-type" {
			// A list of types must start so, each of them.
			ok = !slices.ContainsFunc(strings.Split(is, ","), func(t string) bool { return !strings.HasPrefix(strings.TrimSpace(t), want) })
		}
	default:
		return invalidPolicy("Invalid Condition: unknown operation '" + kind + "'.")
	}
	if !ok {
		return policyFailed("Policy Condition failed: %s", raw)
	}
	return nil
}

func checkLength(f *sigv4.Form, least, most any) error {
	from, ok1 := number(least)
	to, ok2 := number(most)
	if !ok1 || !ok2 || from < 0 || to < from {
		return invalidPolicy("Invalid content-length-range.")
	}
	switch size := int64(len(f.File)); {
	case size < from:
		return failure(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size").
			with("ProposedSize", size).with("MinSizeAllowed", from).APIError
	case size > to:
		return failure(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size").
			with("ProposedSize", size).with("MaxSizeAllowed", to).APIError
	}
	return nil
}

// number reads a bound, which is a number or a text that is one.
func number(v any) (int64, bool) {
	switch n := v.(type) {
	case float64:
		return int64(n), n == float64(int64(n))
	case string:
		var i int64
		_, err := fmt.Sscanf(n, "%d", &i)
		return i, err == nil && fmt.Sprint(i) == n
	}
	return 0, false
}

// location is the address of an object, in the form of the request.
func location(r *http.Request, bucket, key string) string {
	u := url.URL{Scheme: "http", Host: r.Host}
	if u.Host == "" {
		u.Host = r.URL.Host
	}
	if r.TLS != nil || r.URL.Scheme == "https" {
		u.Scheme = "https"
	}
	u.Path = "/" + bucket + "/" + key
	if hostBucket(host(r)) != "" {
		u.Path = "/" + key
	}
	return u.String()
}
