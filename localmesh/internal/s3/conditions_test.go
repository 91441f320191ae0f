package s3_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func (w *world) etag(key string) string {
	w.t.Helper()
	head, err := w.owner.HeadObject(w.t.Context(), &s3.HeadObjectInput{Bucket: aws.String("lake"), Key: &key})
	if err != nil {
		w.t.Fatal(err)
	}
	return *head.ETag
}

func (w *world) has(key, content string) {
	w.t.Helper()
	if got, err := w.get(w.owner, key); err != nil || got != content {
		w.t.Errorf("%s is %q, %v, want %q", key, got, err, content)
	}
}

func TestConditionalDelete(t *testing.T) {
	w := newWorld(t)
	w.put("k", "rows")
	lake := aws.String("lake")
	remove := func(c *s3.Client, key, match string) error {
		_, err := c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: lake, Key: &key, IfMatch: &match})
		return err
	}
	refused(t, remove(w.owner, "k", `"0123456789abcdef0123456789abcdef"`), "PreconditionFailed", http.StatusPreconditionFailed)
	refused(t, remove(w.owner, "none", "*"), "NoSuchKey", http.StatusNotFound)
	refused(t, remove(w.owner, "none", `"0123456789abcdef0123456789abcdef"`), "NoSuchKey", http.StatusNotFound)
	w.has("k", "rows")

	// Who names an ETag learns something of the object, and must be allowed to read it.
	blind := w.as(w.role(owner, "Blind", document(`{"Effect":"Allow","Action":["s3:DeleteObject","s3:ListBucket"],"Resource":"*"}`)))
	refused(t, remove(blind, "k", w.etag("k")), "AccessDenied", http.StatusForbidden)
	w.has("k", "rows")
	succeeded(t, remove(blind, "k", "*"))
	w.put("k", "rows")
	succeeded(t, remove(w.owner, "k", w.etag("k")))
	if _, err := w.get(w.owner, "k"); err == nil {
		t.Error("it is still there")
	}
}

func TestConditionalDeleteOfMany(t *testing.T) {
	w := newWorld(t)
	for _, k := range []string{"a", "b", "c"} {
		w.put(k, k)
	}
	wrong := aws.String(`"0123456789abcdef0123456789abcdef"`)
	out, err := w.owner.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: aws.String("lake"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: aws.String("a"), ETag: wrong}, {Key: aws.String("b"), ETag: aws.String(w.etag("b"))}, {Key: aws.String("none"), ETag: wrong}, {Key: aws.String("c")},
	}}})
	succeeded(t, err)
	codes := map[string]string{}
	for _, e := range out.Errors {
		codes[*e.Key] = *e.Code
	}
	if len(codes) != 2 || codes["a"] != "PreconditionFailed" || codes["none"] != "NoSuchKey" || len(out.Deleted) != 2 {
		t.Errorf("errors are %v, deleted %d", codes, len(out.Deleted))
	}
	w.has("a", "a")
}

// A policy can insist on conditions.
func TestPoliciesThatAskForConditions(t *testing.T) {
	w := newWorld(t)
	w.put("k", "rows")
	w.policy(`{"Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::lake/*","Condition":{"Null":{"s3:if-match":"true"}}}`,
		`{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::lake/*","Condition":{"StringNotEqualsIfExists":{"s3:x-amz-storage-class":"STANDARD"},"StringEquals":{"s3:x-amz-server-side-encryption":"AES256"}}}`)
	_, err := w.owner.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("lake"), Key: aws.String("k")})
	refused(t, err, "AccessDenied", http.StatusForbidden)
	out, err := w.owner.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: aws.String("lake"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("k")}}}})
	succeeded(t, err)
	if len(out.Errors) != 1 {
		t.Errorf("errors are %v", out.Errors)
	}
	put := func(class types.StorageClass) error {
		_, err := w.owner.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String("n"), StorageClass: class, ServerSideEncryption: types.ServerSideEncryptionAes256})
		return err
	}
	refused(t, put(types.StorageClassGlacier), "AccessDenied", http.StatusForbidden)
	succeeded(t, put(types.StorageClassStandard))
	_, err = w.owner.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("lake"), Key: aws.String("k"), IfMatch: aws.String("*")})
	succeeded(t, err)
}

func TestConditionalCopy(t *testing.T) {
	w := newWorld(t)
	w.put("from", "new")
	w.put("to", "old")
	wrong := `"0123456789abcdef0123456789abcdef"`
	for _, tt := range []struct {
		name        string
		key         string
		match, none string
		code        string
		status      int
	}{
		{"another ETag of the target", "to", wrong, "", "PreconditionFailed", 412},
		{"an ETag where there is no target", "none", wrong, "", "NoSuchKey", 404},
		{"nothing where there is a target", "to", "", "*", "PreconditionFailed", 412},
		{"an ETag that must not be", "to", "", wrong, "NotImplemented", 501},
		{"the target's ETag", "to", w.etag("to"), "", "", 0},
		{"nothing where there is nothing", "fresh", "", "*", "", 0},
	} {
		in := &s3.CopyObjectInput{Bucket: aws.String("lake"), Key: &tt.key, CopySource: aws.String("lake/from")}
		if tt.match != "" {
			in.IfMatch = &tt.match
		}
		if tt.none != "" {
			in.IfNoneMatch = &tt.none
		}
		_, err := w.owner.CopyObject(t.Context(), in)
		if tt.code == "" {
			succeeded(t, err)
			w.has(tt.key, "new")
			continue
		}
		refused(t, err, tt.code, tt.status)
		w.has("to", "old")
	}
}

func TestStorageClasses(t *testing.T) {
	w := newWorld(t)
	lake := aws.String("lake")
	for _, class := range types.StorageClass("").Values() {
		key := "k" + string(class)
		_, err := w.owner.PutObject(t.Context(), &s3.PutObjectInput{Bucket: lake, Key: &key, Body: strings.NewReader("x"), StorageClass: class})
		switch class {
		case types.StorageClassOutposts, types.StorageClassSnow, types.StorageClassExpressOnezone, types.StorageClassFsxOpenzfs, types.StorageClassFsxOntap,
			types.StorageClassAwsBackupWarm, types.StorageClassAwsBackupLowCostWarm:
			refused(t, err, "InvalidStorageClass", http.StatusBadRequest)
			continue
		}
		succeeded(t, err)
		head, err := w.owner.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: lake, Key: &key})
		succeeded(t, err)
		want := class
		if class == types.StorageClassStandard {
			want = "" // It is not told.
		}
		if head.StorageClass != want {
			t.Errorf("%s: head tells %q", class, head.StorageClass)
		}
		_, err = w.get(w.owner, key)
		if class == types.StorageClassGlacier || class == types.StorageClassDeepArchive {
			refused(t, err, "InvalidObjectState", http.StatusForbidden)
			_, err = w.owner.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: lake, Key: aws.String("copy"), CopySource: aws.String("lake/" + key)})
			refused(t, err, "ObjectNotInActiveTierError", http.StatusForbidden)
		} else {
			succeeded(t, err)
		}
	}
	_, err := w.owner.PutObject(t.Context(), &s3.PutObjectInput{Bucket: lake, Key: aws.String("x"), StorageClass: "BOGUS"})
	refused(t, err, "InvalidStorageClass", http.StatusBadRequest)
	_, err = w.owner.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: lake, Key: aws.String("x"), StorageClass: "BOGUS"})
	refused(t, err, "InvalidStorageClass", http.StatusBadRequest)
	// An object is moved by copying it onto itself.
	w.put("mine", "x")
	_, err = w.owner.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: lake, Key: aws.String("mine"), CopySource: aws.String("lake/mine"), StorageClass: types.StorageClassStandardIa})
	succeeded(t, err)
	out, err := w.owner.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: lake, Prefix: aws.String("mine")})
	succeeded(t, err)
	if len(out.Contents) != 1 || out.Contents[0].StorageClass != types.ObjectStorageClassStandardIa {
		t.Errorf("listed: %v", out.Contents)
	}
}

func TestRedirectsAndLocks(t *testing.T) {
	w := newWorld(t)
	lake, k := aws.String("lake"), aws.String("k")
	_, err := w.owner.PutObject(t.Context(), &s3.PutObjectInput{Bucket: lake, Key: k, WebsiteRedirectLocation: aws.String("/elsewhere")})
	succeeded(t, err)
	head, err := w.owner.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: lake, Key: k})
	succeeded(t, err)
	if aws.ToString(head.WebsiteRedirectLocation) != "/elsewhere" {
		t.Errorf("redirect is %v", head.WebsiteRedirectLocation)
	}
	_, err = w.owner.PutObject(t.Context(), &s3.PutObjectInput{Bucket: lake, Key: k, WebsiteRedirectLocation: aws.String("elsewhere")})
	refused(t, err, "InvalidArgument", http.StatusBadRequest)
	// It does not go with a copy.
	_, err = w.owner.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: lake, Key: aws.String("copy"), CopySource: aws.String("lake/k")})
	succeeded(t, err)
	head, err = w.owner.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: lake, Key: aws.String("copy")})
	succeeded(t, err)
	if head.WebsiteRedirectLocation != nil {
		t.Errorf("redirect of the copy is %s", *head.WebsiteRedirectLocation)
	}
	for _, in := range []*s3.PutObjectInput{
		{ObjectLockMode: types.ObjectLockModeGovernance}, {ObjectLockLegalHoldStatus: types.ObjectLockLegalHoldStatusOn},
	} {
		in.Bucket, in.Key = lake, k
		_, err = w.owner.PutObject(t.Context(), in)
		refused(t, err, "InvalidRequest", http.StatusBadRequest)
	}
	_, err = w.owner.PutObject(t.Context(), &s3.PutObjectInput{Bucket: lake, Key: k, WriteOffsetBytes: aws.Int64(3)})
	refused(t, err, "NotImplemented", http.StatusNotImplemented)
	_, err = w.owner.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: lake, Key: k, BypassGovernanceRetention: aws.Bool(true)})
	refused(t, err, "InvalidArgument", http.StatusBadRequest)
	_, err = w.owner.GetObjectRetention(t.Context(), &s3.GetObjectRetentionInput{Bucket: lake, Key: k})
	refused(t, err, "InvalidRequest", http.StatusBadRequest)
	_, err = w.owner.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("locked"), ObjectLockEnabledForBucket: aws.Bool(true)})
	refused(t, err, "NotImplemented", http.StatusNotImplemented)
	_, err = w.owner.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("locked")})
	refused(t, err, "NotFound", http.StatusNotFound)
}

// Tags of a source that the caller may not read are not copied past that.
func TestTagsOfACopyNeedTheirPermissions(t *testing.T) {
	w := newWorld(t)
	lake := aws.String("lake")
	_, err := w.owner.PutObject(t.Context(), &s3.PutObjectInput{Bucket: lake, Key: aws.String("tagged"), Tagging: aws.String("a=b")})
	succeeded(t, err)
	copier := w.as(w.role(owner, "Copier", document(`{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"}`)))
	in := &s3.CopyObjectInput{Bucket: lake, Key: aws.String("copy"), CopySource: aws.String("lake/tagged")}
	_, err = copier.CopyObject(t.Context(), in)
	refused(t, err, "AccessDenied", http.StatusForbidden)
	in.TaggingDirective = types.TaggingDirectiveReplace
	_, err = copier.CopyObject(t.Context(), in)
	succeeded(t, err)
	in.TaggingDirective = "OTHER"
	_, err = copier.CopyObject(t.Context(), in)
	refused(t, err, "InvalidArgument", http.StatusBadRequest)
}

// A version is named by a permission of its own.
func TestNamingTheVersionTakesItsOwnPermission(t *testing.T) {
	w := newWorld(t)
	w.put("k", "rows")
	lake, k, null := aws.String("lake"), aws.String("k"), aws.String("null")
	reader := w.as(w.role(owner, "Reader", document(`{"Effect":"Allow","Action":["s3:GetObject","s3:DeleteObject"],"Resource":"*"}`)))
	_, err := reader.GetObject(t.Context(), &s3.GetObjectInput{Bucket: lake, Key: k})
	succeeded(t, err)
	_, err = reader.GetObject(t.Context(), &s3.GetObjectInput{Bucket: lake, Key: k, VersionId: null})
	refused(t, err, "AccessDenied", http.StatusForbidden)
	_, err = reader.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: lake, Key: k, VersionId: null})
	refused(t, err, "AccessDenied", http.StatusForbidden)
	_, err = w.owner.GetObject(t.Context(), &s3.GetObjectInput{Bucket: lake, Key: k, VersionId: null})
	succeeded(t, err)
	_, err = w.owner.GetObject(t.Context(), &s3.GetObjectInput{Bucket: lake, Key: k, VersionId: aws.String("other")})
	refused(t, err, "InvalidArgument", http.StatusBadRequest)
}
