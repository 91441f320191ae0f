package s3_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"pgregory.net/rapid"
)

func (w *world) versioning(status types.BucketVersioningStatus) {
	w.t.Helper()
	_, err := w.owner.PutBucketVersioning(w.t.Context(), &s3.PutBucketVersioningInput{Bucket: aws.String("lake"),
		VersioningConfiguration: &types.VersioningConfiguration{Status: status}})
	if err != nil {
		w.t.Fatal(err)
	}
}

// write writes an object and returns the id of its version.
func (w *world) write(key, content string) string {
	w.t.Helper()
	out, err := w.owner.PutObject(w.t.Context(), &s3.PutObjectInput{Bucket: aws.String("lake"), Key: &key, Body: strings.NewReader(content)})
	if err != nil {
		w.t.Fatal(err)
	}
	return aws.ToString(out.VersionId)
}

func (w *world) remove(key, version string) (*s3.DeleteObjectOutput, error) {
	w.t.Helper()
	in := &s3.DeleteObjectInput{Bucket: aws.String("lake"), Key: &key}
	if version != "" {
		in.VersionId = &version
	}
	return w.owner.DeleteObject(w.t.Context(), in)
}

func (w *world) version(c *s3.Client, key, version string) (string, error) {
	w.t.Helper()
	out, err := c.GetObject(w.t.Context(), &s3.GetObjectInput{Bucket: aws.String("lake"), Key: &key, VersionId: &version})
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(out.Body)
	return string(content), err
}

// versions are all versions and markers of a key, newest first, as id and whether it is
// the latest; markers have a star.
func (w *world) versions(key string, page int32) []string {
	w.t.Helper()
	var all []string
	p := s3.NewListObjectVersionsPaginator(w.owner, &s3.ListObjectVersionsInput{Bucket: aws.String("lake"), Prefix: &key, MaxKeys: &page})
	for p.HasMorePages() {
		out, err := p.NextPage(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		for _, v := range out.Versions {
			all = append(all, fmt.Sprint(*v.VersionId, *v.IsLatest))
		}
		for _, m := range out.DeleteMarkers {
			all = append(all, fmt.Sprint("*", *m.VersionId, *m.IsLatest))
		}
	}
	return all
}

func TestVersions(t *testing.T) {
	w := newWorld(t)
	w.put("k", "before")
	status, err := w.owner.GetBucketVersioning(t.Context(), &s3.GetBucketVersioningInput{Bucket: aws.String("lake")})
	succeeded(t, err)
	if status.Status != "" {
		t.Errorf("status is %s", status.Status)
	}
	w.versioning(types.BucketVersioningStatusEnabled)
	first, second := w.write("k", "one"), w.write("k", "two")
	w.has("k", "two")
	for version, want := range map[string]string{"null": "before", first: "one", second: "two"} {
		if got, err := w.version(w.owner, "k", version); err != nil || got != want {
			t.Errorf("%s is %q, %v", version, got, err)
		}
	}
	for _, page := range []int32{1, 2, 1000} {
		if got := w.versions("k", page); !slices.Equal(got, []string{second + "true", first + "false", "nullfalse"}) {
			t.Errorf("versions are %v", got)
		}
	}
	_, err = w.version(w.owner, "k", "none")
	refused(t, err, "NoSuchVersion", http.StatusNotFound)

	// Deleting it leaves a marker, and the versions.
	gone, err := w.remove("k", "")
	succeeded(t, err)
	if !aws.ToBool(gone.DeleteMarker) || gone.VersionId == nil {
		t.Errorf("deleted: %+v", gone)
	}
	_, err = w.get(w.owner, "k")
	refused(t, err, "NoSuchKey", http.StatusNotFound)
	_, err = w.version(w.owner, "k", *gone.VersionId)
	refused(t, err, "MethodNotAllowed", http.StatusMethodNotAllowed)
	if listed, err := w.owner.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("lake")}); err != nil || len(listed.Contents) != 0 {
		t.Errorf("listed: %v, %v", listed.Contents, err)
	}
	_, err = w.owner.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String("lake")})
	refused(t, err, "BucketNotEmpty", http.StatusConflict)

	// Deleting the marker brings it back, and deleting a version for good the one before.
	_, err = w.remove("k", *gone.VersionId)
	succeeded(t, err)
	w.has("k", "two")
	_, err = w.remove("k", second)
	succeeded(t, err)
	w.has("k", "one")
	_, err = w.version(w.owner, "k", second)
	refused(t, err, "NoSuchVersion", http.StatusNotFound)
	// An older version is made the current one by copying it.
	_, err = w.owner.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String("lake"), Key: aws.String("k"), CopySource: aws.String("lake/k?versionId=null")})
	succeeded(t, err)
	w.has("k", "before")
	// Tags belong to a version.
	_, err = w.owner.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{Bucket: aws.String("lake"), Key: aws.String("k"), VersionId: &first,
		Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}})
	succeeded(t, err)
	tags, err := w.owner.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: aws.String("lake"), Key: aws.String("k")})
	succeeded(t, err)
	old, err := w.owner.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: aws.String("lake"), Key: aws.String("k"), VersionId: &first})
	succeeded(t, err)
	if len(tags.TagSet) != 0 || len(old.TagSet) != 1 {
		t.Errorf("tags are %v and %v", tags.TagSet, old.TagSet)
	}
	// Several at once, by their versions and by their keys.
	out, err := w.owner.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: aws.String("lake"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: aws.String("k"), VersionId: &first}, {Key: aws.String("k")},
	}}})
	succeeded(t, err)
	if len(out.Deleted) != 2 || aws.ToBool(out.Deleted[0].DeleteMarker) || !aws.ToBool(out.Deleted[1].DeleteMarker) || out.Deleted[1].DeleteMarkerVersionId == nil {
		t.Errorf("deleted: %+v", out.Deleted)
	}
}

// Who may read the current version may not read the others by that.
func TestVersionsTakeTheirOwnPermissions(t *testing.T) {
	w := newWorld(t)
	w.versioning(types.BucketVersioningStatusEnabled)
	first := w.write("k", "one")
	w.write("k", "two")
	reader := w.as(w.role(owner, "Reader", document(`{"Effect":"Allow","Action":["s3:GetObject","s3:DeleteObject","s3:ListBucket","s3:PutObject","s3:GetObjectTagging"],"Resource":"*"}`)))
	_, err := w.version(reader, "k", first)
	refused(t, err, "AccessDenied", http.StatusForbidden)
	_, err = reader.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String("lake"), Key: aws.String("c"), CopySource: aws.String("lake/k?versionId=" + first)})
	refused(t, err, "AccessDenied", http.StatusForbidden)
	_, err = reader.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: aws.String("lake"), Key: aws.String("k"), VersionId: &first})
	refused(t, err, "AccessDenied", http.StatusForbidden)
	_, err = reader.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("lake"), Key: aws.String("k"), VersionId: &first})
	refused(t, err, "AccessDenied", http.StatusForbidden)
	out, err := reader.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: aws.String("lake"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("k"), VersionId: &first}}}})
	succeeded(t, err)
	if len(out.Errors) != 1 || *out.Errors[0].Code != "AccessDenied" {
		t.Errorf("errors are %v", out.Errors)
	}
	if got, err := w.version(w.owner, "k", first); err != nil || got != "one" {
		t.Errorf("%q, %v", got, err)
	}
}

// Whatever is written and deleted, with versions kept, suspended or neither: each version
// that was not deleted for good has its content, and the current one is the newest.
func TestVersionsAgainstAModel(t *testing.T) {
	type version struct {
		id, content string
		marker      bool
	}
	w := newWorld(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		key, state := fmt.Sprint("key-", n), ""
		bucket := fmt.Sprint("versions-", n)
		if _, err := w.owner.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
			t.Fatal(err)
		}
		var model []version // newest last
		dropNull := func() { model = slices.DeleteFunc(model, func(v version) bool { return v.id == "null" }) }
		add := func(id *string, v version) {
			if v.id = "null"; state == "Enabled" {
				v.id = aws.ToString(id)
			} else {
				dropNull()
			}
			model = append(model, v)
		}
		for step := range rapid.IntRange(1, 12).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"put", "put", "delete", "delete version", "enable", "suspend"}).Draw(t, "step") {
			case "put":
				content := fmt.Sprint("content ", step)
				out, err := w.owner.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader([]byte(content))})
				if err != nil {
					t.Fatal(err)
				}
				add(out.VersionId, version{content: content})
			case "delete":
				out, err := w.owner.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: &key})
				if err != nil {
					t.Fatal(err)
				}
				if state == "" {
					model = nil
				} else {
					add(out.VersionId, version{marker: true})
				}
			case "delete version":
				if len(model) == 0 {
					continue
				}
				i := rapid.IntRange(0, len(model)-1).Draw(t, "version")
				if _, err := w.owner.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: &key, VersionId: &model[i].id}); err != nil {
					t.Fatal(err)
				}
				model = slices.Delete(model, i, i+1)
			case "enable", "suspend":
				state = "Enabled"
				if rapid.Bool().Draw(t, "suspended") {
					state = "Suspended"
				}
				if _, err := w.owner.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: &bucket,
					VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatus(state)}}); err != nil {
					t.Fatal(err)
				}
			}
		}
		listed, err := w.owner.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &bucket})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(listed.Versions) + len(listed.DeleteMarkers); got != len(model) {
			t.Fatalf("%d versions, want %v", got, model)
		}
		for i, v := range model {
			latest := i == len(model)-1
			if v.marker {
				if !slices.ContainsFunc(listed.DeleteMarkers, func(m types.DeleteMarkerEntry) bool { return *m.VersionId == v.id && *m.IsLatest == latest }) {
					t.Errorf("the marker %v is not among %v", v, listed.DeleteMarkers)
				}
				continue
			}
			if !slices.ContainsFunc(listed.Versions, func(o types.ObjectVersion) bool { return *o.VersionId == v.id && *o.IsLatest == latest }) {
				t.Errorf("the version %v is not among %v", v, listed.Versions)
			}
			out, err := w.owner.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key, VersionId: &v.id})
			if err != nil {
				t.Fatal(err)
			}
			if content, err := io.ReadAll(out.Body); err != nil || string(content) != v.content {
				t.Errorf("%v is %q, %v", v, content, err)
			}
		}
		out, err := w.owner.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
		if hidden := len(model) == 0 || model[len(model)-1].marker; hidden != (err != nil) {
			t.Fatalf("current: %v, want %v", err, model)
		}
		if err == nil {
			if content, err := io.ReadAll(out.Body); err != nil || string(content) != model[len(model)-1].content {
				t.Errorf("current is %q, %v, want %v", content, err, model)
			}
		}
	})
}
