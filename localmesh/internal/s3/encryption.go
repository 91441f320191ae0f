package s3

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html

import (
	"encoding/xml"
	"errors"
	"net/http"
	"slices"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/kms"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

const (
	encryptionHeader    = "X-Amz-Server-Side-Encryption"
	encryptionKeyHeader = "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"
	bucketKeyHeader     = "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled"
	ownKey              = "AES256"
)

func kmsAlgorithms() []string { return []string{"aws:kms", "aws:kms:dsse"} }

type serverSideEncryptionConfiguration struct {
	XMLName xml.Name             `xml:"ServerSideEncryptionConfiguration"`
	XMLNS   string               `xml:"xmlns,attr"`
	Rules   []encryptionRuleInto `xml:"Rule"`
}

type encryptionRuleInto struct {
	Default          encryptionByDefault `xml:"ApplyServerSideEncryptionByDefault"`
	BucketKeyEnabled bool
}

type encryptionByDefault struct {
	SSEAlgorithm   string
	KMSMasterKeyID string `xml:",omitempty"`
}

func getBucketEncryption(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:GetEncryptionConfiguration", nil)
	if err != nil {
		return nil, err
	}
	// Every bucket has a default (https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html).
	rule := encryptionRuleInto{Default: encryptionByDefault{SSEAlgorithm: ownKey}}
	if e := t.bucket.Encryption; e != nil {
		rule = encryptionRuleInto{Default: encryptionByDefault{SSEAlgorithm: e.Algorithm, KMSMasterKeyID: e.Key}, BucketKeyEnabled: e.BucketKey}
	}
	return answerXML(serverSideEncryptionConfiguration{XMLNS: namespace, Rules: []encryptionRuleInto{rule}})
}

func putBucketEncryption(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:PutEncryptionConfiguration", nil)
	if err != nil {
		return nil, err
	}
	var in struct {
		XMLName xml.Name `xml:"ServerSideEncryptionConfiguration"`
		Rule    []encryptionRuleInto
	}
	if err := readXML(c, r, &in); err != nil {
		return nil, err
	}
	if len(in.Rule) != 1 {
		return nil, malformedXML()
	}
	wanted := in.Rule[0]
	switch algorithm := wanted.Default.SSEAlgorithm; {
	case algorithm == ownKey && wanted.Default.KMSMasterKeyID != "":
		return nil, failure(http.StatusBadRequest, "InvalidArgument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse").APIError
	case algorithm == ownKey:
		t.bucket.Encryption = nil
	case slices.Contains(kmsAlgorithms(), algorithm):
		t.bucket.Encryption = &state.Encryption{Algorithm: algorithm, Key: wanted.Default.KMSMasterKeyID, BucketKey: wanted.BucketKeyEnabled}
	default:
		return nil, failure(http.StatusBadRequest, "InvalidEncryptionAlgorithmError", "The encryption request you specified is not valid.").APIError
	}
	if err := state.S3Buckets.Put(c.Tx, t.bucket, t.bucket.Name); err != nil {
		return nil, err
	}
	return answerEmpty(http.StatusOK)
}

func deleteBucketEncryption(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:PutEncryptionConfiguration", nil)
	if err != nil {
		return nil, err
	}
	t.bucket.Encryption = nil
	if err := state.S3Buckets.Put(c.Tx, t.bucket, t.bucket.Name); err != nil {
		return nil, err
	}
	return answerEmpty(http.StatusNoContent)
}

// encrypt tells how an object that is written is encrypted: as the request says, else as
// its bucket does. The writer must be able to have a data key made.
func encrypt(c *engine.Call, h http.Header, t target) (*state.Encryption, error) {
	e := t.bucket.Encryption
	algorithm := h.Get(encryptionHeader)
	if h.Get(encryptionKeyHeader) != "" && !slices.Contains(kmsAlgorithms(), algorithm) {
		return nil, failure(http.StatusBadRequest, "InvalidArgument",
			"Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms").APIError
	}
	if algorithm == ownKey {
		e = nil
	} else if slices.Contains(kmsAlgorithms(), algorithm) {
		e = &state.Encryption{Algorithm: algorithm, Key: c.Exchange(h.Get(encryptionKeyHeader)), BucketKey: h.Get(bucketKeyHeader) == "true"}
		if e.Key == "" && t.bucket.Encryption != nil {
			e.Key = t.bucket.Encryption.Key
		}
	} else if algorithm != "" {
		return nil, failure(http.StatusBadRequest, "InvalidArgument", "The encryption method specified is not supported").APIError
	}
	if e == nil {
		return nil, nil
	}
	if v := h.Get(bucketKeyHeader); v != "" {
		// The request decides, whatever the bucket has.
		own := *e
		own.BucketKey = v == "true"
		e = &own
	}
	// An object keeps the key itself, by which it is found from whatever account.
	key, err := kms.Resolve(c, e.Key)
	if errors.Is(err, kms.ErrNoKey) {
		return nil, noKey(e)
	}
	if err != nil {
		return nil, err
	}
	written := *e
	written.Key = key
	return &written, useKey(c, t, &written, "kms:GenerateDataKey")
}

// decrypt asks for the right to read what is encrypted.
func decrypt(c *engine.Call, t target, o state.Object) error {
	if o.Encryption == nil {
		return nil
	}
	return useKey(c, t, o.Encryption, "kms:Decrypt")
}

// useKey asks whether the caller may use a key for an object. With a bucket key the
// context is the bucket (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html).
func useKey(c *engine.Call, t target, e *state.Encryption, action string) error {
	if c.Caller.Anonymous() {
		return failure(http.StatusBadRequest, "InvalidArgument", "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.").APIError
	}
	about := t.bucket.ObjectARN(t.key)
	if e.BucketKey {
		about = t.bucket.ARN()
	}
	d, err := kms.ForS3(c, t.bucket.Account, e.Key, action, about)
	switch {
	case errors.Is(err, kms.ErrNoKey):
		return noKey(e)
	case errors.Is(err, kms.ErrUnusable):
		return failure(http.StatusBadRequest, "KMS.DisabledException", err.Error()).APIError
	case err != nil:
		return err
	}
	if !d.Allowed {
		return c.Denied(d.Reason)
	}
	return nil
}

func noKey(e *state.Encryption) error {
	return failure(http.StatusBadRequest, "KMS.NotFoundException", "Key '"+e.Key+"' does not exist").APIError
}

// showEncryption tells in an answer how an object is encrypted.
func showEncryption(h http.Header, e *state.Encryption) {
	if e == nil {
		h.Set(encryptionHeader, ownKey)
		return
	}
	h.Set(encryptionHeader, e.Algorithm)
	if e.Key != "" {
		h.Set(encryptionKeyHeader, e.Key)
	}
	if e.BucketKey {
		h.Set(bucketKeyHeader, "true")
	}
}
