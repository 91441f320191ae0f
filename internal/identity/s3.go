package identity

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// S3 makes an S3 client. With an endpoint of its own the bucket goes into the
// path: the names of buckets in front of such a host are seldom resolved, and never
// those with dots.
func S3(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		if o.BaseEndpoint != nil {
			o.UsePathStyle = true
		}
	})
}

// BucketIn says in which region a bucket is made: S3 wants it said again, but for us-east-1,
// for which it is left out
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html).
func BucketIn(region string) *types.CreateBucketConfiguration {
	if region == "us-east-1" {
		return nil
	}
	return &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(region)}
}
