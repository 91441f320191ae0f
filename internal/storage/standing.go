package storage

import (
	"context"
	"errors"
	"fmt"

	"github.com/lakemesh/lakemesh"
)

// Standing is what a bucket is to an account.
type Standing int

// What a bucket can be: the account's own; one that does not exist; one that is another
// account's, or whose policy the caller may not read, which S3 answers alike.
const (
	Own Standing = iota
	Absent
	Closed
)

// Standing looks what a bucket is to the account, in one call. It asks for the policy,
// which whoever opens the bucket may read, and not for the bucket, which would take the
// right to list what is in it.
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
