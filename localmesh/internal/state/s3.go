package state

import (
	"fmt"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// Buckets of S3. Names of S3 buckets are unique in the whole mesh, as in a
// partition of AWS. The bytes of an object are in a bucket of the store of their
// own, so that a listing does not read them.
var (
	S3Buckets = store.Table[Bucket]{Bucket: "s3.bucket"} // bucket
	Objects   = store.Table[Object]{Bucket: "s3.object"} // bucket, key
	Uploads   = store.Table[Upload]{Bucket: "s3.upload"} // bucket, key, upload id
	// Versions are the versions of objects that are not the current one, and delete
	// markers, newest first.
	Versions = store.Table[Version]{Bucket: "s3.version"} // bucket, key, order
	// Completed are uploads that were completed, for those who complete them again.
	Completed = store.Table[CompletedUpload]{Bucket: "s3.completed"} // bucket, key, upload id
)

// The buckets of the store with raw bytes.
const (
	ObjectBodies = "s3.body" // bucket, key
	PartBodies   = "s3.part" // upload id, part number with five digits
	// VersionBodies are those of the versions that are not the current one.
	VersionBodies = "s3.versionbody" // bucket, key, version id
)

// Bucket is an S3 bucket.
type Bucket struct {
	Name, Account, Region string
	Created               time.Time
	// Policy is the bucket policy, or empty. Principals in it are kept as unique
	// ids, as S3 keeps them; Principals has the ARN that each was named by.
	Policy     string            `json:",omitempty"`
	Principals map[string]string `json:",omitempty"`
	Tags       map[string]string `json:",omitempty"`
	// Encryption is how objects are encrypted by default; nil means with S3's own key.
	Encryption *Encryption `json:",omitempty"`
	// PublicAccessBlock is nil until it is configured.
	PublicAccessBlock *PublicAccessBlock `json:",omitempty"`
	// Settings are configurations that are kept as they were put, by their subresource:
	// "lifecycle", "cors".
	Settings map[string]string `json:",omitempty"`
	// Versioning is "Enabled" or "Suspended", or empty as long as nobody set it.
	Versioning string `json:",omitempty"`
	// NoOwnershipControls tells that they were deleted. Until then there are those of a
	// new bucket.
	NoOwnershipControls bool `json:",omitempty"`
}

// ARN returns the bucket's ARN.
func (b Bucket) ARN() string { return "arn:aws:s3:::" + b.Name }

// ObjectARN returns the ARN of an object in the bucket.
func (b Bucket) ObjectARN(key string) string { return fmt.Sprintf("arn:aws:s3:::%s/%s", b.Name, key) }

// PublicAccessBlock is a bucket's configuration of the same name.
type PublicAccessBlock struct {
	BlockPublicACLs, IgnorePublicACLs, BlockPublicPolicy, RestrictPublicBuckets bool
}

// Object is the metadata of an S3 object.
type Object struct {
	Key      string
	Size     int64
	ETag     string // without quotation marks
	Modified time.Time
	// Headers are the system metadata by canonical name: Content-Type, ...
	Headers map[string]string `json:",omitempty"`
	// Metadata is the user's, by lower-case name without x-amz-meta-.
	Metadata map[string]string `json:",omitempty"`
	// Checksums are by lower-case header name: x-amz-checksum-crc32.
	Checksums map[string]string `json:",omitempty"`
	Tags      map[string]string `json:",omitempty"`
	// Encryption is nil if the object is encrypted with S3's own key.
	Encryption *Encryption `json:",omitempty"`
	// StorageClass is empty for STANDARD.
	StorageClass string `json:",omitempty"`
	// Redirect is where a website sends those who ask for the object.
	Redirect string `json:",omitempty"`
	// Composite tells that the checksum is one of the checksums of the parts.
	Composite bool `json:",omitempty"`
	// Parts are those that the object was uploaded in, in their order.
	Parts []ObjectPart `json:",omitempty"`
	// Version is its id; empty for the one that is called "null".
	Version string `json:",omitempty"`
}

// Version is a version of an object that is not the current one, or a delete marker.
type Version struct {
	Object
	// Order counts the versions of a key.
	Order int
	// Marker tells that it is a delete marker.
	Marker bool `json:",omitempty"`
}

// ObjectPart is a part of an object that was uploaded in parts.
type ObjectPart struct {
	Number    int
	Size      int64
	Checksums map[string]string `json:",omitempty"`
}

// Upload is a multipart upload under way.
type Upload struct {
	ID, Bucket, Key string
	Initiated       time.Time
	// Initiator is the ARN of who began it.
	Initiator string
	Headers   map[string]string `json:",omitempty"`
	Metadata  map[string]string `json:",omitempty"`
	Tags      map[string]string `json:",omitempty"`
	Parts     map[int]Part      `json:",omitempty"`
	// Encryption, StorageClass and Redirect are those of the object.
	Encryption   *Encryption `json:",omitempty"`
	StorageClass string      `json:",omitempty"`
	Redirect     string      `json:",omitempty"`
	// Checksum is the algorithm that the parts' checksums are made with: "sha256". It is
	// empty if none was named. Composite tells how that of the object is made of them.
	Checksum  string `json:",omitempty"`
	Composite bool   `json:",omitempty"`
}

// CompletedUpload is how a multipart upload ended.
type CompletedUpload struct {
	// Parts tells which parts were named, Answer is what was answered.
	Parts, Answer string
	Headers       map[string]string `json:",omitempty"`
}

// Part is a part of a multipart upload.
type Part struct {
	Size     int64
	ETag     string
	Modified time.Time
	// Checksums are by lower-case header name.
	Checksums map[string]string `json:",omitempty"`
}
