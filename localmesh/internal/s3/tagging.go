package s3

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html

import (
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

const (
	maxBucketTags = 50
	maxObjectTags = 10
)

type xmlTag struct{ Key, Value string }

type tagging struct {
	XMLName xml.Name `xml:"Tagging"`
	XMLNS   string   `xml:"xmlns,attr,omitempty"`
	TagSet  struct{ Tag []xmlTag }
}

func showTags(tags map[string]string) tagging {
	t := tagging{XMLNS: namespace}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		t.TagSet.Tag = append(t.TagSet.Tag, xmlTag{k, tags[k]})
	}
	return t
}

func checkTags(list []xmlTag, limit int) (map[string]string, error) {
	if len(list) > limit {
		return nil, failure(http.StatusBadRequest, "BadRequest", "The number of tags is over the limit").APIError
	}
	tags := map[string]string{}
	for _, t := range list {
		if t.Key == "" || len(t.Key) > 128 || len(t.Value) > 256 || strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return nil, failure(http.StatusBadRequest, "InvalidTag", "The TagKey or TagValue you have provided is invalid").with("TagKey", t.Key).APIError
		}
		if _, twice := tags[t.Key]; twice {
			return nil, failure(http.StatusBadRequest, "InvalidTag", "Cannot provide multiple Tags with the same key").with("TagKey", t.Key).APIError
		}
		tags[t.Key] = t.Value
	}
	return tags, nil
}

func readTags(c *engine.Call, r *engine.Request, limit int) (map[string]string, error) {
	var in tagging
	if err := readXML(c, r, &in); err != nil {
		return nil, err
	}
	return checkTags(in.TagSet.Tag, limit)
}

// requestTags reads the tags in a request's header, which are a permission of
// their own.
func requestTags(c *engine.Call, r *engine.Request, t target) (map[string]string, error) {
	header := r.Header.Get("X-Amz-Tagging")
	if header == "" {
		return nil, nil
	}
	values, err := url.ParseQuery(header)
	if err != nil {
		return nil, invalidArgument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.", "x-amz-tagging", header)
	}
	var list []xmlTag
	keys := conditions{"s3:RequestObjectTagKeys": slices.Sorted(maps.Keys(values))}
	for k, v := range values {
		list = append(list, xmlTag{k, v[0]})
		keys["s3:RequestObjectTag/"+k] = v[:1]
	}
	if err := authorize(c, t.bucket, "s3:PutObjectTagging", t.arn(), keys); err != nil {
		return nil, err
	}
	return checkTags(list, maxObjectTags)
}

func getBucketTagging(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:GetBucketTagging", nil)
	if err != nil {
		return nil, err
	}
	if len(t.bucket.Tags) == 0 {
		return nil, failure(http.StatusNotFound, "NoSuchTagSet", "The TagSet does not exist").with("BucketName", t.bucket.Name).APIError
	}
	return answerXML(showTags(t.bucket.Tags))
}

func putBucketTagging(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:PutBucketTagging", nil)
	if err != nil {
		return nil, err
	}
	tags, err := readTags(c, r, maxBucketTags)
	if err != nil {
		return nil, err
	}
	t.bucket.Tags = tags
	if err := state.S3Buckets.Put(c.Tx, t.bucket, t.bucket.Name); err != nil {
		return nil, err
	}
	return answerEmpty(http.StatusNoContent)
}

func deleteBucketTagging(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:PutBucketTagging", nil)
	if err != nil {
		return nil, err
	}
	t.bucket.Tags = nil
	if err := state.S3Buckets.Put(c.Tx, t.bucket, t.bucket.Name); err != nil {
		return nil, err
	}
	return answerEmpty(http.StatusNoContent)
}

func getObjectTagging(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, o, err := openObject(c, r, "s3:GetObjectTagging")
	if err != nil {
		return nil, err
	}
	resp, err := answerXML(showTags(o.Tags))
	if err == nil {
		showVersion(resp.Header, t.bucket, versionID(o.Object))
	}
	return resp, err
}

func putObjectTagging(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, o, err := openObject(c, r, "s3:PutObjectTagging")
	if err != nil {
		return nil, err
	}
	if o.Tags, err = readTags(c, r, maxObjectTags); err != nil {
		return nil, err
	}
	if err := o.put(c, t); err != nil {
		return nil, err
	}
	return answerEmpty(http.StatusOK)
}

func deleteObjectTagging(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, o, err := openObject(c, r, "s3:DeleteObjectTagging")
	if err != nil {
		return nil, err
	}
	o.Tags = nil
	if err := o.put(c, t); err != nil {
		return nil, err
	}
	return answerEmpty(http.StatusNoContent)
}
