package storage

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
)

// Standing is what a bucket is to an account.
type Standing int

// What a bucket can be: the account's own; one that does not exist; one that is another
// account's, or that the caller may not look at, which S3 answers alike.
const (
	Own Standing = iota
	Absent
	Closed
)

// Look is what a look at a bucket shows.
type Look struct {
	Standing
	// Unseen tells that how the bucket encrypts could not be looked at.
	Unseen bool
	// KMS tells that new objects are encrypted with a key of KMS by default; Key names it,
	// and is empty for the key that AWS manages. What other objects are encrypted with
	// nobody tells.
	KMS bool
	Key string
	// BucketKey tells that a key of the bucket's own stands between that key and objects: KMS
	// is told the bucket then, and not the object.
	BucketKey bool
}

// Look looks what a bucket is to the account and how it encrypts, in one call. A caller
// who may not see the encryption asks for the policy, which whoever opens the bucket may
// read; nobody asks for the bucket itself, which would take the right to list what is
// in it.
func (b Buckets) Look(ctx context.Context, bucket string) (Look, error) {
	out, err := b.Client.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: aws.String(bucket), ExpectedBucketOwner: aws.String(b.Account)})
	switch {
	case err == nil:
		return encryption(out.ServerSideEncryptionConfiguration), nil
	case awserr.Is(err, "NoSuchBucket"):
		return Look{Standing: Absent}, nil
	case awserr.Is(err, "ServerSideEncryptionConfigurationNotFoundError"):
		return Look{}, nil
	case !awserr.Denied(err):
		return Look{}, fmt.Errorf("look at bucket %s: %w", bucket, err)
	}
	standing, err := b.Standing(ctx, bucket)
	return Look{Standing: standing, Unseen: true}, err
}

func encryption(c *types.ServerSideEncryptionConfiguration) Look {
	if c == nil {
		return Look{}
	}
	for _, rule := range c.Rules {
		if by := rule.ApplyServerSideEncryptionByDefault; by != nil && by.SSEAlgorithm != types.ServerSideEncryptionAes256 {
			return Look{KMS: true, Key: aws.ToString(by.KMSMasterKeyID), BucketKey: aws.ToBool(rule.BucketKeyEnabled)}
		}
	}
	return Look{}
}

// Standing looks what a bucket is to the account, by its policy.
func (b Buckets) Standing(ctx context.Context, bucket string) (Standing, error) {
	_, err := b.policy(ctx, bucket)
	switch {
	case errors.Is(err, lakemesh.ErrNotFound):
		return Absent, nil
	case errors.Is(err, lakemesh.ErrAccessDenied):
		return Closed, nil
	case err != nil:
		return Own, fmt.Errorf("look at bucket %s: %w", bucket, err)
	}
	return Own, nil
}
