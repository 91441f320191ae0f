package s3

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingBucket.html

import (
	"encoding/base64"
	"encoding/xml"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// timeFormat is how S3 writes times in XML.
const timeFormat = "2006-01-02T15:04:05.000Z"

func xmlTime(t time.Time) string { return t.UTC().Format(timeFormat) }

type owner struct {
	ID          string
	DisplayName string `xml:",omitempty"`
}

// ownerOf is the canonical user of an account, which here is the account.
func ownerOf(account string) *owner { return &owner{ID: account} }

type listAllMyBucketsResult struct {
	XMLName xml.Name `xml:"ListAllMyBucketsResult"`
	XMLNS   string   `xml:"xmlns,attr"`
	Owner   *owner
	Buckets struct {
		Bucket []listedBucket
	}
	ContinuationToken string `xml:",omitempty"`
	Prefix            string `xml:",omitempty"`
}

type listedBucket struct {
	Name         string
	CreationDate string
	BucketRegion string
}

func listBuckets(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	if err := c.Authorize(authz.Question{Action: "s3:ListAllMyBuckets", Resources: []string{"arn:aws:s3:::*"}}); err != nil {
		return nil, err
	}
	q := r.URL.Query()
	limit := 10000
	if s := q.Get("max-buckets"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 10000 {
			return nil, invalidArgument("max-buckets must be between 1 and 10000", "max-buckets", s)
		}
		limit = n
	}
	after, err := base64.RawURLEncoding.DecodeString(q.Get("continuation-token"))
	if err != nil {
		return nil, invalidArgument("The continuation token provided is incorrect", "continuation-token", q.Get("continuation-token"))
	}
	out := listAllMyBucketsResult{XMLNS: namespace, Owner: ownerOf(c.Account()), Prefix: q.Get("prefix")}
	err = state.S3Buckets.Scan(c.Tx, nil, string(after), func(_ string, b state.Bucket) bool {
		if b.Account != c.Account() || !strings.HasPrefix(b.Name, out.Prefix) || (q.Has("bucket-region") && b.Region != q.Get("bucket-region")) {
			return true
		}
		if len(out.Buckets.Bucket) == limit {
			out.ContinuationToken = base64.RawURLEncoding.EncodeToString([]byte(out.Buckets.Bucket[limit-1].Name))
			return false
		}
		out.Buckets.Bucket = append(out.Buckets.Bucket, listedBucket{b.Name, xmlTime(b.Created), b.Region})
		return true
	})
	if err != nil {
		return nil, err
	}
	return answerXML(out)
}

// checkBucketName checks a new bucket's name
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
func checkBucketName(name string) error {
	ok := len(name) >= 3 && len(name) <= 63 && net.ParseIP(name) == nil && !strings.Contains(name, "..")
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		ok = ok && (letter || (i > 0 && i < len(name)-1 && (c == '-' || c == '.')))
	}
	for _, p := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		ok = ok && !strings.HasPrefix(name, p)
	}
	for _, s := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		ok = ok && !strings.HasSuffix(name, s)
	}
	if !ok {
		return failure(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.").with("BucketName", name).APIError
	}
	return nil
}

// usEast1 is the region whose buckets have no location constraint.
const usEast1 = "us-east-1"

func createBucket(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	name, _ := address(r.Request)
	b := state.Bucket{Name: name, Account: c.Account(), Region: c.Region, Created: c.Now,
		PublicAccessBlock: &state.PublicAccessBlock{BlockPublicACLs: true, IgnorePublicACLs: true, BlockPublicPolicy: true, RestrictPublicBuckets: true}}
	if c.Caller.Anonymous() {
		c.Authorized()
		return nil, c.Denied("Access Denied")
	}
	if c.Region == "" {
		// A signature of Version 2 names no region.
		c.Region, b.Region = usEast1, usEast1
	}
	var in struct {
		LocationConstraint string
		Tags               struct{ Tag []xmlTag }
	}
	if len(r.Payload) > 0 {
		if err := readXML(c, r, &in); err != nil {
			c.Authorized()
			return nil, err
		}
	}
	keys := conditions{}
	if in.LocationConstraint != "" {
		keys["s3:locationconstraint"] = []string{in.LocationConstraint}
	}
	if err := c.Authorize(authz.Question{Action: "s3:CreateBucket", Resources: []string{b.ARN()}, Keys: keys}); err != nil {
		return nil, err
	}
	if err := checkBucketName(name); err != nil {
		return nil, err
	}
	for _, check := range []error{refuseACL(r), checkOwnership(r.Header.Get("X-Amz-Object-Ownership")), refuseLockedBucket(r)} {
		if check != nil {
			return nil, check
		}
	}
	switch l := in.LocationConstraint; {
	case l == "" && c.Region != usEast1:
		return nil, failure(http.StatusBadRequest, "IllegalLocationConstraintException",
			"The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.").APIError
	case l == usEast1:
		return nil, failure(http.StatusBadRequest, "InvalidLocationConstraint", "The specified location-constraint is not valid").
			with("LocationConstraint", l).APIError
	case l != "" && l != c.Region && c.Region != usEast1:
		return nil, failure(http.StatusBadRequest, "IllegalLocationConstraintException",
			"The "+l+" location constraint is incompatible for the region specific endpoint this request was sent to.").APIError
	case l != "":
		b.Region = l
	}
	tags, err := checkTags(in.Tags.Tag, 50)
	if err != nil {
		return nil, err
	}
	b.Tags = tags
	have, ok, err := state.S3Buckets.Get(c.Tx, name)
	if err != nil {
		return nil, err
	}
	switch {
	case ok && have.Account != c.Account():
		return nil, failure(http.StatusConflict, "BucketAlreadyExists",
			"The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.").
			with("BucketName", name).APIError
	case ok && (have.Region != usEast1 || b.Region != usEast1):
		return nil, failure(http.StatusConflict, "BucketAlreadyOwnedByYou",
			"Your previous request to create the named bucket succeeded and you already own it.").with("BucketName", name).APIError
	case !ok:
		if err := state.S3Buckets.Put(c.Tx, b, name); err != nil {
			return nil, err
		}
	}
	// In us-east-1 creating one's own bucket again succeeds and changes nothing.
	return &engine.Response{Status: http.StatusOK, Header: http.Header{"Location": {"/" + name}}}, nil
}

func headBucket(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:ListBucket", nil)
	if err != nil {
		return nil, err
	}
	return &engine.Response{Status: http.StatusOK, Header: http.Header{"X-Amz-Bucket-Region": {t.bucket.Region}}}, nil
}

func deleteBucket(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:DeleteBucket", nil)
	if err != nil {
		return nil, err
	}
	empty := true
	for _, table := range []string{state.Objects.Bucket, state.Versions.Bucket} {
		c.Tx.Scan(table, t.bucket.Name+store.Separator, "", func(string, []byte) bool {
			empty = false
			return false
		})
	}
	if !empty {
		return nil, failure(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty").
			with("BucketName", t.bucket.Name).APIError
	}
	// Uploads under way do not keep a bucket; they end with it.
	if err := removeUploads(c, t.bucket.Name); err != nil {
		return nil, err
	}
	if err := state.S3Buckets.Delete(c.Tx, t.bucket.Name); err != nil {
		return nil, err
	}
	return answerEmpty(http.StatusNoContent)
}

type locationConstraint struct {
	XMLName xml.Name `xml:"LocationConstraint"`
	XMLNS   string   `xml:"xmlns,attr"`
	Region  string   `xml:",chardata"`
}

func getBucketLocation(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:GetBucketLocation", nil)
	if err != nil {
		return nil, err
	}
	region := t.bucket.Region
	if region == usEast1 {
		region = ""
	}
	return answerXML(locationConstraint{XMLNS: namespace, Region: region})
}
