package home

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/lakemesh/lakemesh/internal/identity"
)

// QueryResults is where an account of the local mesh keeps the results of queries that say nothing
// else. Its bucket is made when it is needed, by an administrator of the account.
func QueryResults(ctx context.Context, administrator aws.Config, account string) (location string, err error) {
	bucket := "lakemesh-query-results-" + account
	_, err = identity.S3(administrator).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket), CreateBucketConfiguration: identity.BucketIn(administrator.Region)})
	if owned := (*s3types.BucketAlreadyOwnedByYou)(nil); err != nil && !errors.As(err, &owned) {
		return "", fmt.Errorf("make the bucket %s for results of queries: %w", bucket, err)
	}
	return "s3://" + bucket + "/", nil
}
