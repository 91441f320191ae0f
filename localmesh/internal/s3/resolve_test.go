package s3

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAddress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ method, url, bucket, key, operation string }{
		{"GET", "http://127.0.0.1:4577/", "", "", "ListBuckets"},
		{"GET", "http://localhost:4577/lake", "lake", "", "ListObjects"},
		{"GET", "http://localhost:4577/lake?list-type=2", "lake", "", "ListObjectsV2"},
		{"GET", "http://lake.localhost:4577/?list-type=2", "lake", "", "ListObjectsV2"},
		{"GET", "http://lake.2.localhost/a//b", "lake.2", "a//b", "GetObject"},
		{"GET", "http://s3.localhost/lake/a", "lake", "a", "GetObject"},
		{"GET", "http://lake.s3.localhost/a", "lake", "a", "GetObject"},
		{"GET", "https://lake.s3.eu-west-1.amazonaws.com/lake", "lake", "lake", "GetObject"},
		{"GET", "https://lake.1.s3.amazonaws.com/a", "lake.1", "a", "GetObject"},
		{"GET", "https://s3.amazonaws.com/lake/a", "lake", "a", "GetObject"},
		{"GET", "https://s3.eu-west-1.amazonaws.com/lake/a%2Fb%20c", "lake", "a/b c", "GetObject"},
		{"PUT", "http://localhost/lake?policy", "lake", "", "PutBucketPolicy"},
		{"GET", "http://localhost/lake?policyStatus", "lake", "", "GetBucketPolicyStatus"},
		{"PUT", "http://localhost/lake/", "lake", "", "CreateBucket"},
		{"GET", "http://localhost/lake?acl", "lake", "", "GetBucketAcl"},
		{"POST", "http://localhost/lake?delete", "lake", "", "DeleteObjects"},
		{"POST", "http://localhost/lake/k?uploads", "lake", "k", "CreateMultipartUpload"},
		{"PUT", "http://localhost/lake/k?partNumber=1&uploadId=u", "lake", "k", "UploadPart"},
		{"GET", "http://localhost/lake/k?attributes", "lake", "k", "GetObjectAttributes"},
		{"POST", "http://localhost/lake/k?select", "lake", "k", "POST on an object with select"},
		{"DELETE", "http://localhost/", "", "", "DELETE on the service"},
	} {
		r := httptest.NewRequest(tt.method, tt.url, http.NoBody)
		if bucket, key := address(r); bucket != tt.bucket || key != tt.key {
			t.Errorf("%s is bucket %q, key %q", tt.url, bucket, key)
		}
		if got := resolve(r); got != tt.operation {
			t.Errorf("%s %s is %s, want %s", tt.method, tt.url, got, tt.operation)
		}
	}
}

func FuzzByteRange(f *testing.F) {
	for _, s := range []string{"bytes=0-3", "bytes=-1", "bytes=5-", "bytes=9-2", "bytes=1-2,4-5", "lines=1-2", "bytes=99999999999999999999-"} {
		f.Add(s, int64(10))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		from, to, partial, err := byteRange(header, size)
		if err != nil {
			return
		}
		if from < 0 || to > size || from > to || (partial && from == to) || (!partial && (from != 0 || to != size)) {
			t.Errorf("%q of %d bytes is %d to %d", header, size, from, to)
		}
	})
}

func FuzzHostBucket(f *testing.F) {
	for _, s := range []string{"localhost", ".localhost", "a.b.localhost", "s3.amazonaws.com", "x.s3-eu-west-1.amazonaws.com", "127.0.0.1", "a.127.0.0.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if bucket := hostBucket(host); bucket != "" && !strings.HasPrefix(host, bucket) {
			t.Errorf("the bucket of %q is %q", host, bucket)
		}
	})
}
