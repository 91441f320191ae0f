package s3

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

type copyObjectResult struct {
	XMLName      xml.Name `xml:"CopyObjectResult"`
	XMLNS        string   `xml:"xmlns,attr"`
	LastModified string
	ETag         string
}

// source finds the object that is copied, and asks for permission to read it.
func source(c *engine.Call, r *engine.Request) (target, state.Object, error) {
	header := r.Header.Get("X-Amz-Copy-Source")
	path, query, _ := strings.Cut(header, "?")
	decoded, err := url.PathUnescape(path)
	name, key, ok := strings.Cut(strings.TrimPrefix(decoded, "/"), "/")
	if err != nil || !ok || name == "" || key == "" {
		return target{}, state.Object{}, invalidArgument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey", "x-amz-copy-source", header)
	}
	if q, err := url.ParseQuery(query); err == nil {
		if err := refuseVersion(q); err != nil {
			return target{}, state.Object{}, err
		}
	}
	b, ok, err := state.S3Buckets.Get(c.Tx, name)
	if err != nil {
		return target{}, state.Object{}, err
	}
	if !ok {
		return target{}, state.Object{}, failure(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist").with("BucketName", name).APIError
	}
	if owner := r.Header.Get("X-Amz-Source-Expected-Bucket-Owner"); owner != "" && owner != b.Account {
		return target{}, state.Object{}, c.Denied("Access Denied")
	}
	t := target{bucket: b, key: key}
	if err := authorize(c, b, "s3:GetObject", t.arn(), nil); err != nil {
		return t, state.Object{}, err
	}
	o, ok, err := object(c, t)
	if err == nil && !ok {
		err = noSuchKey(c, t)
	}
	return t, o, err
}

func copyObject(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:PutObject", nil)
	if err != nil {
		return nil, err
	}
	from, o, err := source(c, r)
	if err != nil {
		return nil, err
	}
	for _, check := range []error{refuseACL(r), decrypt(c, from, o), checkCopyConditions(r.Header, o)} {
		if check != nil {
			return nil, check
		}
	}
	replace := r.Header.Get("X-Amz-Metadata-Directive") == "REPLACE"
	if from.bucket.Name == t.bucket.Name && from.key == t.key && !replace {
		return nil, failure(http.StatusBadRequest, "InvalidRequest",
			"This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.").APIError
	}
	if replace {
		if o.Headers, o.Metadata, err = metadata(r.Header); err != nil {
			return nil, err
		}
	}
	if r.Header.Get("X-Amz-Tagging-Directive") == "REPLACE" {
		if o.Tags, err = requestTags(c, r, t); err != nil {
			return nil, err
		}
	}
	if o.Encryption, err = encrypt(c, r.Header, t); err != nil {
		return nil, err
	}
	o.Key, o.Modified = t.key, c.Now.Truncate(time.Second)
	body := slices.Clone(content(c, from.bucket.Name, from.key))
	// The copy of a multipart upload has the digest of its content.
	o.ETag = etagOf(body)
	if err := putContent(c, t.bucket.Name, o, body); err != nil {
		return nil, err
	}
	return answerXML(copyObjectResult{XMLNS: namespace, LastModified: xmlTime(o.Modified), ETag: quote(o.ETag)})
}

// checkCopyConditions checks the conditions on the source.
func checkCopyConditions(h http.Header, o state.Object) error {
	conditions := http.Header{}
	for _, name := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		if v := h.Get("X-Amz-Copy-Source-" + name); v != "" {
			conditions.Set(name, v)
		}
	}
	unmodified, err := checkReadConditions(conditions, o)
	if err == nil && unmodified != nil {
		err = failure(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold").APIError
	}
	return err
}
