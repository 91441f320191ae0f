package s3

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html

import (
	"net/http"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

const standard = "STANDARD"

// storageClass is the class that a write asks for; empty for STANDARD, as no answer
// names it.
func storageClass(h http.Header) (string, error) {
	switch class := h.Get("X-Amz-Storage-Class"); class {
	case "", standard:
		return "", nil
	case "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR":
		return class, nil
	default:
		return "", failure(http.StatusBadRequest, "InvalidStorageClass", "The storage class you specified is not valid").with("StorageClassRequested", class).APIError
	}
}

func shownClass(class string) string {
	if class == "" {
		return standard
	}
	return class
}

// readable refuses to read what is archived, and would have to be restored first.
func readable(o state.Object) error {
	if !slices.Contains([]string{"GLACIER", "DEEP_ARCHIVE"}, o.StorageClass) {
		return nil
	}
	return failure(http.StatusForbidden, "InvalidObjectState", "The operation is not valid for the object's storage class").
		with("StorageClass", o.StorageClass).APIError
}

// redirect is where a website is to send those who ask for the object
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html). No
// bucket here is a website: it is kept and told.
func redirect(h http.Header) (string, error) {
	to := h.Get("X-Amz-Website-Redirect-Location")
	if to == "" || strings.HasPrefix(to, "/") || strings.HasPrefix(to, "http://") || strings.HasPrefix(to, "https://") {
		return to, nil
	}
	return "", invalidArgument("The website redirect location must have a prefix of 'http://' or 'https://' or '/'.", "x-amz-website-redirect-location", to)
}

// refuseLock refuses to lock an object: no bucket here has object lock
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html).
func refuseLock(r *engine.Request) error {
	for _, name := range []string{"X-Amz-Object-Lock-Mode", "X-Amz-Object-Lock-Retain-Until-Date", "X-Amz-Object-Lock-Legal-Hold"} {
		if r.Header.Get(name) != "" {
			return failure(http.StatusBadRequest, "InvalidRequest", "Bucket is missing Object Lock Configuration").APIError
		}
	}
	return refuseBypass(r)
}

// refuseBypass refuses to delete what is locked.
func refuseBypass(r *engine.Request) error {
	if v := r.Header.Get("X-Amz-Bypass-Governance-Retention"); v != "" && !strings.EqualFold(v, "false") {
		return invalidArgument("x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.", "x-amz-bypass-governance-retention", v)
	}
	return nil
}

// refuseLockedBucket refuses to make a bucket whose objects can be locked.
func refuseLockedBucket(r *engine.Request) error {
	if strings.EqualFold(r.Header.Get("X-Amz-Bucket-Object-Lock-Enabled"), "true") {
		return notImplemented("Header", "x-amz-bucket-object-lock-enabled")
	}
	return nil
}

// notImplemented refuses a value that the mesh does not do what it asks for.
func notImplemented(kind, name string) error {
	return failure(http.StatusNotImplemented, "NotImplemented", "A "+strings.ToLower(kind)+" you provided implies functionality that is not implemented").with(kind, name).APIError
}
