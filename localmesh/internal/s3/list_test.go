package s3_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh/localmesh"
)

// Whatever the keys, the prefix, the delimiter and the size of the pages are: the
// pages together are what a plain reading of the rules gives.
func TestListingIsComplete(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	c := s3.NewFromConfig(mesh.Config(admin(owner)))
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		bucket := aws.String(fmt.Sprintf("lake-%d", n))
		if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket}); err != nil {
			rt.Fatal(err)
		}
		keys := rapid.SliceOfNDistinct(rapid.StringMatching(`[ab/ ä%+]{1,5}`), 0, 12, rapid.ID).Draw(rt, "keys")
		for _, k := range keys {
			if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: &k}); err != nil {
				rt.Fatal(err)
			}
		}
		prefix := rapid.StringMatching(`[ab/]{0,2}`).Draw(rt, "prefix")
		delimiter := rapid.SampledFrom([]string{"", "/", "a", "b/"}).Draw(rt, "delimiter")
		after := rapid.StringMatching(`[ab/]{0,3}`).Draw(rt, "after")
		size := int32(rapid.IntRange(1, 5).Draw(rt, "size"))

		var got []string
		pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: &prefix, Delimiter: &delimiter, StartAfter: &after, MaxKeys: &size})
		for pages.HasMorePages() {
			out, err := pages.NextPage(t.Context())
			if err != nil {
				rt.Fatal(err)
			}
			got = append(got, names(out.Contents, out.CommonPrefixes)...)
		}
		slices.Sort(got)
		if want := plainListing(keys, prefix, delimiter, after); !slices.Equal(got, want) {
			rt.Fatalf("listing is %q, want %q", got, want)
		}
	})
}

func plainListing(keys []string, prefix, delimiter, after string) []string {
	found := map[string]bool{}
	for _, k := range keys {
		if !strings.HasPrefix(k, prefix) || k <= after {
			continue
		}
		if delimiter != "" {
			if i := strings.Index(k[len(prefix):], delimiter); i >= 0 {
				k = k[:len(prefix)+i+len(delimiter)]
			}
		}
		if k != after {
			found[k] = true
		}
	}
	var all []string
	for k := range found {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

func TestUploadsArePaged(t *testing.T) {
	w := newWorld(t)
	lake := aws.String("lake")
	for _, k := range []string{"a", "a", "b", "c"} {
		_, err := w.owner.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: lake, Key: aws.String(k)})
		succeeded(t, err)
	}
	var got []string
	pages := s3.NewListMultipartUploadsPaginator(w.owner, &s3.ListMultipartUploadsInput{Bucket: lake, MaxUploads: aws.Int32(1)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range out.Uploads {
			got = append(got, *u.Key)
		}
	}
	if !slices.Equal(got, []string{"a", "a", "b", "c"}) {
		t.Errorf("uploads are %v", got)
	}
	_, err := w.owner.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: lake})
	succeeded(t, err)
	// They have ended with the bucket.
	_, err = w.owner.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: lake})
	succeeded(t, err)
	out, err := w.owner.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: lake})
	succeeded(t, err)
	if len(out.Uploads) != 0 {
		t.Errorf("uploads are %v", out.Uploads)
	}
}
