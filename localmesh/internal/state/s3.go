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
)

// The buckets of the store with raw bytes.
const (
	ObjectBodies = "s3.body" // bucket, key
	PartBodies   = "s3.part" // upload id, part number with five digits
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
	// Encryption is that of the object.
	Encryption *Encryption `json:",omitempty"`
}

// Part is a part of a multipart upload.
type Part struct {
	Size     int64
	ETag     string
	Modified time.Time
}
