package s3_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestBuckets(t *testing.T) {
	w := newWorld(t)
	lake := aws.String("lake")
	_, err := w.owner.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: lake})
	succeeded(t, err) // us-east-1 answers the owner's second creation with success
	_, err = w.other.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: lake})
	refused(t, err, "BucketAlreadyExists", http.StatusConflict)
	for _, name := range []string{"Lake", "lake_1", "xn--lake", "lake..1", "192.168.1.1", "-lake"} {
		_, err = w.owner.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(name)})
		refused(t, err, "InvalidBucketName", http.StatusBadRequest)
	}
	in := func(location string) *types.CreateBucketConfiguration {
		return &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(location)}
	}
	europe := func(o *s3.Options) { o.Region = "eu-west-1" }
	_, err = w.owner.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("pond"), CreateBucketConfiguration: in("us-east-1")})
	refused(t, err, "InvalidLocationConstraint", http.StatusBadRequest)
	_, err = w.owner.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("pond")}, europe)
	refused(t, err, "IllegalLocationConstraintException", http.StatusBadRequest)
	_, err = w.owner.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("pond"), CreateBucketConfiguration: in("eu-west-1")}, europe)
	succeeded(t, err)
	_, err = w.owner.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("pond"), CreateBucketConfiguration: in("eu-west-1")}, europe)
	refused(t, err, "BucketAlreadyOwnedByYou", http.StatusConflict)
	_, err = w.owner.GetBucketTagging(t.Context(), &s3.GetBucketTaggingInput{Bucket: aws.String("pond")})
	refused(t, err, "AuthorizationHeaderMalformed", http.StatusBadRequest)
	location, err := w.owner.GetBucketLocation(t.Context(), &s3.GetBucketLocationInput{Bucket: aws.String("pond")})
	succeeded(t, err)
	if location.LocationConstraint != "eu-west-1" {
		t.Errorf("location is %q", location.LocationConstraint)
	}
	_, err = w.owner.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("nowhere")})
	refused(t, err, "NotFound", http.StatusNotFound)
	_, err = w.other.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: lake})
	refused(t, err, "Forbidden", http.StatusForbidden)
	_, err = w.owner.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("nowhere")})
	refused(t, err, "NoSuchBucket", http.StatusNotFound)

	w.put("k", "v")
	_, err = w.owner.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: lake})
	refused(t, err, "BucketNotEmpty", http.StatusConflict)
	_, err = w.owner.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: lake, Key: aws.String("k")})
	succeeded(t, err)
	_, err = w.other.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: lake})
	refused(t, err, "AccessDenied", http.StatusForbidden)
	_, err = w.owner.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: lake})
	succeeded(t, err)
	left, err := w.owner.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	succeeded(t, err)
	if len(left.Buckets) != 1 || *left.Buckets[0].Name != "pond" {
		t.Errorf("buckets are %v", left.Buckets)
	}
}

// Whether an object exists is told only to those who may list the bucket.
func TestMissingObject(t *testing.T) {
	w := newWorld(t)
	const getOnly = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}`
	_, err := w.get(w.as(w.role(owner, "Getter", getOnly)), "missing")
	refused(t, err, "AccessDenied", http.StatusForbidden)
	_, err = w.get(w.as(w.role(owner, "Lister", readLake)), "missing")
	refused(t, err, "NoSuchKey", http.StatusNotFound)
	_, err = w.owner.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("lake"), Key: aws.String("missing")})
	refused(t, err, "NotFound", http.StatusNotFound)
	_, err = w.owner.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("lake"), Key: aws.String("k"), VersionId: aws.String("3")})
	refused(t, err, "InvalidArgument", http.StatusBadRequest)
}

func TestRangesAndConditions(t *testing.T) {
	w := newWorld(t)
	w.put("k", "0123456789")
	const etag = `"781e5e245d69b566979b86e28d23f2c7"`
	for _, tt := range []struct {
		name, header, value string
		want                string
		code                string
		status              int
	}{
		{"first bytes", "Range", "bytes=0-3", "0123", "", 0},
		{"from the middle", "Range", "bytes=7-", "789", "", 0},
		{"last bytes", "Range", "bytes=-2", "89", "", 0},
		{"beyond the end", "Range", "bytes=8-100", "89", "", 0},
		{"behind the end", "Range", "bytes=10-", "", "InvalidRange", 416},
		{"same", "If-Match", etag, "0123456789", "", 0},
		{"different", "If-Match", `"x"`, "", "PreconditionFailed", 412},
		{"not different", "If-None-Match", etag, "", "NotModified", 304},
		{"not newer", "If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT", "", "NotModified", 304},
		{"changed since", "If-Unmodified-Since", "Sat, 01 Jan 2000 00:00:00 GMT", "", "PreconditionFailed", 412},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := w.owner.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("lake"), Key: aws.String("k")}, header(tt.header, tt.value))
			if tt.status == http.StatusNotModified {
				var response *awshttp.ResponseError
				if !errors.As(err, &response) || response.HTTPStatusCode() != tt.status {
					t.Errorf("error is %v", err)
				}
				return
			}
			if tt.code != "" {
				refused(t, err, tt.code, tt.status)
				return
			}
			succeeded(t, err)
			var b bytes.Buffer
			if _, err := b.ReadFrom(out.Body); err != nil || b.String() != tt.want {
				t.Errorf("content is %q, %v, want %q", b.String(), err, tt.want)
			}
		})
	}
}

func TestMetadataAndTags(t *testing.T) {
	w := newWorld(t)
	lake, k := aws.String("lake"), aws.String("dir/ä +b")
	put, err := w.owner.PutObject(t.Context(), &s3.PutObjectInput{Bucket: lake, Key: k, Body: strings.NewReader("x"), ContentType: aws.String("text/csv"),
		Metadata: map[string]string{"origin": "here"}, Tagging: aws.String("a=1&b=2")})
	succeeded(t, err)
	head, err := w.owner.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: lake, Key: k})
	succeeded(t, err)
	if *head.ContentType != "text/csv" || head.Metadata["origin"] != "here" || *head.ContentLength != 1 || *head.ETag != *put.ETag || *head.TagCount != 2 {
		t.Errorf("head is %+v", head)
	}
	tags, err := w.owner.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: lake, Key: k})
	succeeded(t, err)
	if len(tags.TagSet) != 2 || *tags.TagSet[0].Key != "a" {
		t.Errorf("tags are %v", tags.TagSet)
	}
	// Tags are a permission of their own.
	writer := w.as(w.role(owner, "Writer", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}}`))
	_, err = writer.PutObject(t.Context(), &s3.PutObjectInput{Bucket: lake, Key: k, Tagging: aws.String("a=1")})
	refused(t, err, "AccessDenied", http.StatusForbidden)
	_, err = writer.PutObject(t.Context(), &s3.PutObjectInput{Bucket: lake, Key: k})
	succeeded(t, err)
	_, err = w.owner.PutObject(t.Context(), &s3.PutObjectInput{Bucket: lake, Key: k, ACL: types.ObjectCannedACLPublicRead})
	refused(t, err, "AccessControlListNotSupported", http.StatusBadRequest)
	_, err = w.owner.PutObject(t.Context(), &s3.PutObjectInput{Bucket: lake, Key: k, IfNoneMatch: aws.String("*")})
	refused(t, err, "PreconditionFailed", http.StatusPreconditionFailed)
	_, err = w.owner.PutObject(t.Context(), &s3.PutObjectInput{Bucket: lake, Key: k, ContentMD5: aws.String("AAAAAAAAAAAAAAAAAAAAAA==")})
	refused(t, err, "BadDigest", http.StatusBadRequest)
	_, err = w.owner.PutObject(t.Context(), &s3.PutObjectInput{Bucket: lake, Key: aws.String(strings.Repeat("k", 1025))})
	refused(t, err, "KeyTooLongError", http.StatusBadRequest)
}

func TestCopy(t *testing.T) {
	w := newWorld(t)
	w.put("a b", "rows")
	lake := aws.String("lake")
	_, err := w.owner.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: lake, Key: aws.String("c"), CopySource: aws.String("lake/a%20b")})
	succeeded(t, err)
	if got, err := w.get(w.owner, "c"); err != nil || got != "rows" {
		t.Errorf("copy is %q, %v", got, err)
	}
	_, err = w.owner.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: lake, Key: aws.String("c"), CopySource: aws.String("lake/c")})
	refused(t, err, "InvalidRequest", http.StatusBadRequest)
	_, err = w.owner.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: lake, Key: aws.String("d"), CopySource: aws.String("lake/nothing")})
	refused(t, err, "NoSuchKey", http.StatusNotFound)
	_, err = w.other.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("theirs")})
	succeeded(t, err)
	_, err = w.other.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String("theirs"), Key: aws.String("d"), CopySource: aws.String("lake/c")})
	refused(t, err, "AccessDenied", http.StatusForbidden)
}

func TestDeletingManyDecidesForEach(t *testing.T) {
	w := newWorld(t)
	for _, k := range []string{"mine/a", "mine/b", "theirs/a"} {
		w.put(k, "x")
	}
	c := w.as(w.role(owner, "Cleaner", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::lake/mine/*"}}`))
	var ids []types.ObjectIdentifier
	for _, k := range []string{"mine/a", "mine/none", "theirs/a"} {
		ids = append(ids, types.ObjectIdentifier{Key: aws.String(k)})
	}
	out, err := c.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: aws.String("lake"), Delete: &types.Delete{Objects: ids}})
	succeeded(t, err)
	if len(out.Deleted) != 2 || len(out.Errors) != 1 || *out.Errors[0].Key != "theirs/a" || *out.Errors[0].Code != "AccessDenied" {
		t.Errorf("deleted %v, errors %v", out.Deleted, out.Errors)
	}
	left, err := w.owner.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("lake")})
	succeeded(t, err)
	if *left.KeyCount != 2 {
		t.Errorf("%d objects are left", *left.KeyCount)
	}
}

func TestListing(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		for _, dir := range []string{"a/", "b/", "b/c/", ""} {
			w.put(fmt.Sprintf("%sf%d", dir, i), "x")
		}
	}
	lake := aws.String("lake")
	for _, tt := range []struct {
		prefix, delimiter string
		page              int32
		want              []string
	}{
		{"", "/", 1, []string{"a/", "b/", "f0", "f1", "f2", "f3", "f4"}},
		{"", "/", 3, []string{"a/", "b/", "f0", "f1", "f2", "f3", "f4"}},
		{"b/", "/", 2, []string{"b/c/", "b/f0", "b/f1", "b/f2", "b/f3", "b/f4"}},
		{"b/c", "", 2, []string{"b/c/f0", "b/c/f1", "b/c/f2", "b/c/f3", "b/c/f4"}},
		{"nothing", "/", 2, nil},
	} {
		var got []string
		pages := s3.NewListObjectsV2Paginator(w.owner, &s3.ListObjectsV2Input{Bucket: lake, Prefix: &tt.prefix, Delimiter: &tt.delimiter, MaxKeys: &tt.page})
		for pages.HasMorePages() {
			out, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n := len(out.Contents) + len(out.CommonPrefixes); n > int(tt.page) || n != int(*out.KeyCount) {
				t.Errorf("a page of %d items, KeyCount %d", n, *out.KeyCount)
			}
			got = append(got, names(out.Contents, out.CommonPrefixes)...)
		}
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("prefix %q delimiter %q: %q, want %q", tt.prefix, tt.delimiter, got, tt.want)
		}
		got = nil
		for marker := aws.String(""); marker != nil; {
			out, err := w.owner.ListObjects(t.Context(), &s3.ListObjectsInput{Bucket: lake, Prefix: &tt.prefix, Delimiter: &tt.delimiter, MaxKeys: &tt.page, Marker: marker})
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, names(out.Contents, out.CommonPrefixes)...)
			marker = nil
			if aws.ToBool(out.IsTruncated) {
				if marker = out.NextMarker; marker == nil {
					marker = out.Contents[len(out.Contents)-1].Key
				}
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("version 1, prefix %q delimiter %q: %q, want %q", tt.prefix, tt.delimiter, got, tt.want)
		}
	}
	_, err := w.owner.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: lake, ContinuationToken: aws.String("!")})
	refused(t, err, "InvalidArgument", http.StatusBadRequest)
	_, err = w.owner.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: lake, MaxKeys: aws.Int32(-1)})
	refused(t, err, "InvalidArgument", http.StatusBadRequest)
}

func names(objects []types.Object, prefixes []types.CommonPrefix) []string {
	var all []string
	for _, o := range objects {
		all = append(all, *o.Key)
	}
	for _, p := range prefixes {
		all = append(all, *p.Prefix)
	}
	return all
}

func TestOnlyTheLastPartMayBeSmall(t *testing.T) {
	w := newWorld(t)
	lake, k := aws.String("lake"), aws.String("small")
	up, err := w.owner.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: lake, Key: k})
	succeeded(t, err)
	var parts []types.CompletedPart
	for n := range int32(2) {
		out, err := w.owner.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: lake, Key: k, UploadId: up.UploadId, PartNumber: aws.Int32(n + 1), Body: bytes.NewReader([]byte("a"))})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{PartNumber: aws.Int32(n + 1), ETag: out.ETag})
	}
	_, err = w.owner.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{Bucket: lake, Key: k, UploadId: up.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	refused(t, err, "EntityTooSmall", http.StatusBadRequest)
}

func TestMultipart(t *testing.T) {
	w := newWorld(t)
	lake, k := aws.String("lake"), aws.String("big")
	_, err := w.other.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: lake, Key: k})
	refused(t, err, "AccessDenied", http.StatusForbidden)
	up, err := w.owner.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: lake, Key: k})
	succeeded(t, err)
	first := bytes.Repeat([]byte("a"), 5<<20)
	var parts []types.CompletedPart
	for i, body := range [][]byte{first, []byte("b")} {
		n := aws.Int32(int32(i + 1))
		out, err := w.owner.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: lake, Key: k, UploadId: up.UploadId, PartNumber: n, Body: bytes.NewReader(body)})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{PartNumber: n, ETag: out.ETag})
	}
	_, err = w.owner.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: lake, Key: k, UploadId: aws.String("none"), PartNumber: aws.Int32(1)})
	refused(t, err, "NoSuchUpload", http.StatusNotFound)
	complete := func(parts ...types.CompletedPart) error {
		_, err := w.owner.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{Bucket: lake, Key: k, UploadId: up.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
		return err
	}
	refused(t, complete(parts[1], parts[0]), "InvalidPartOrder", http.StatusBadRequest)
	refused(t, complete(parts[0], parts[0]), "InvalidPartOrder", http.StatusBadRequest)
	refused(t, complete(types.CompletedPart{PartNumber: aws.Int32(9), ETag: parts[0].ETag}), "InvalidPart", http.StatusBadRequest)
	listed, err := w.owner.ListParts(t.Context(), &s3.ListPartsInput{Bucket: lake, Key: k, UploadId: up.UploadId})
	succeeded(t, err)
	if len(listed.Parts) != 2 {
		t.Errorf("parts are %v", listed.Parts)
	}
	succeeded(t, complete(parts...))
	head, err := w.owner.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: lake, Key: k})
	succeeded(t, err)
	if *head.ContentLength != int64(len(first)+1) || !strings.HasSuffix(*head.ETag, `-2"`) {
		t.Errorf("head is %d, %s", *head.ContentLength, *head.ETag)
	}
	// Whoever has lost the answer asks again; whoever asks for something else is refused.
	succeeded(t, complete(parts...))
	refused(t, complete(parts[0]), "NoSuchUpload", http.StatusNotFound)
	uploads, err := w.owner.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: lake})
	succeeded(t, err)
	if len(uploads.Uploads) != 0 {
		t.Errorf("uploads are %v", uploads.Uploads)
	}
}

func TestBucketTagging(t *testing.T) {
	w := newWorld(t)
	lake := aws.String("lake")
	_, err := w.owner.GetBucketTagging(t.Context(), &s3.GetBucketTaggingInput{Bucket: lake})
	refused(t, err, "NoSuchTagSet", http.StatusNotFound)
	tag := func(k string) types.Tag { return types.Tag{Key: aws.String(k), Value: aws.String("v")} }
	_, err = w.owner.PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: lake, Tagging: &types.Tagging{TagSet: []types.Tag{tag("aws:x")}}})
	refused(t, err, "InvalidTag", http.StatusBadRequest)
	_, err = w.owner.PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: lake, Tagging: &types.Tagging{TagSet: []types.Tag{tag("team")}}})
	succeeded(t, err)
	out, err := w.owner.GetBucketTagging(t.Context(), &s3.GetBucketTaggingInput{Bucket: lake})
	succeeded(t, err)
	if len(out.TagSet) != 1 || *out.TagSet[0].Key != "team" {
		t.Errorf("tags are %v", out.TagSet)
	}
	_, err = w.owner.GetBucketAbac(t.Context(), &s3.GetBucketAbacInput{Bucket: lake})
	refused(t, err, "NotImplemented", http.StatusNotImplemented)
}
