package s3

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-s3-evaluates-access-control.html

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// target is the bucket, and perhaps the key, that a request is about.
type target struct {
	bucket state.Bucket
	key    string
}

// conditions are condition keys of S3.
type conditions = map[string][]string

// question is what is asked about a resource of the bucket.
func question(b state.Bucket, action, resource string, keys conditions) authz.Question {
	all := conditions{"s3:ResourceAccount": {b.Account}}
	maps.Copy(all, keys)
	return authz.Question{
		Action: action, Resources: []string{resource}, Keys: all,
		ResourcePolicy: b.Policy, ResourcePolicyName: "policy of bucket " + b.Name, ResourceAccount: b.Account,
	}
}

func decide(c *engine.Call, b state.Bucket, action, resource string, keys conditions) (authz.Decision, error) {
	b = known(c, b)
	return answer(c, b, question(b, action, resource, keys))
}

// answer asks the caller's policies and the bucket's. A public policy does not
// reach beyond the owner's account while RestrictPublicBuckets is on.
func answer(c *engine.Call, b state.Bucket, q authz.Question) (authz.Decision, error) {
	d, err := c.Decide(q)
	if err != nil || !d.Allowed {
		return d, err
	}
	if b.PublicAccessBlock != nil && b.PublicAccessBlock.RestrictPublicBuckets && c.Account() != b.Account && c.Caller.Service == "" {
		public, err := isPublic(c, b.Policy)
		if err != nil {
			return d, err
		}
		if public {
			return authz.Decision{Reason: "Access Denied"}, nil
		}
	}
	return d, nil
}

func authorize(c *engine.Call, b state.Bucket, action, resource string, keys conditions) error {
	d, err := decide(c, b, action, resource, keys)
	if err != nil {
		return err
	}
	if !d.Allowed {
		return c.Denied(d.Reason)
	}
	return nil
}

// find looks the request's bucket up. Where there is none, only a caller whose
// own policies allow the action learns about it.
func find(c *engine.Call, r *engine.Request, action string) (target, error) {
	name, key := address(r.Request)
	if len(key) > maxKey {
		c.Authorized()
		return target{}, failure(http.StatusBadRequest, "KeyTooLongError", "Your key is too long").with("MaxSizeAllowed", maxKey).APIError
	}
	if !isKey(key) {
		c.Authorized()
		return target{}, failure(http.StatusBadRequest, "InvalidURI", "Couldn't parse the specified URI.").APIError
	}
	b, ok, err := state.S3Buckets.Get(c.Tx, name)
	if err != nil {
		return target{}, err
	}
	t := target{bucket: b, key: key}
	if !ok {
		t.bucket = state.Bucket{Name: name, Account: c.Account()}
		if c.Caller.Anonymous() {
			c.Authorized()
		} else if err := c.Authorize(authz.Question{Action: action, Resources: []string{t.arn()}, IdentityOnly: true}); err != nil {
			return t, err
		}
		return t, failure(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist").with("BucketName", name).APIError
	}
	if owner := r.Header.Get("X-Amz-Expected-Bucket-Owner"); owner != "" && owner != b.Account {
		c.Authorized()
		return t, c.Denied("Access Denied")
	}
	if c.Region == "" {
		// A signature of Version 2 names no region.
		c.Region = b.Region
	}
	if c.Region != b.Region && !c.Caller.Anonymous() && c.Operation != "GetBucketLocation" {
		c.Authorized()
		return t, failure(http.StatusBadRequest, "AuthorizationHeaderMalformed",
			fmt.Sprintf("The authorization header is malformed; the region '%s' is wrong; expecting '%s'", c.Region, b.Region)).with("Region", b.Region).APIError
	}
	return t, nil
}

// isKey tells whether a key is text that the mesh can keep: UTF-8 without the
// byte that separates keys in the store.
func isKey(key string) bool { return utf8.ValidString(key) && !strings.Contains(key, store.Separator) }

// arn is the ARN of the object, or of the bucket if there is no key.
func (t target) arn() string {
	if t.key == "" {
		return t.bucket.ARN()
	}
	return t.bucket.ObjectARN(t.key)
}

// open finds the bucket and asks for permission on it, or on the object.
func open(c *engine.Call, r *engine.Request, action string, keys conditions) (target, error) {
	t, err := find(c, r, action)
	if err != nil {
		return t, err
	}
	return t, authorize(c, t.bucket, action, t.arn(), keys)
}

// fault is an error under construction.
type fault struct{ *engine.APIError }

func failure(status int, code, message string) fault {
	return fault{&engine.APIError{Code: code, Message: message, Status: status, Fields: map[string]any{}}}
}

func (f fault) with(name string, value any) fault {
	f.Fields[name] = value
	return f
}

func invalidArgument(message, name, value string) error {
	return failure(http.StatusBadRequest, "InvalidArgument", message).with("ArgumentName", name).with("ArgumentValue", value).APIError
}

// answerXML is an answer with a body.
func answerXML(v any) (*engine.Response, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).Encode(v); err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return &engine.Response{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/xml"}}, Body: b.Bytes()}, nil
}

func answerEmpty(status int) (*engine.Response, error) {
	return &engine.Response{Status: status, Header: http.Header{}}, nil
}

// namespace is the XML name space of S3's answers.
const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
