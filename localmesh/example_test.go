package localmesh_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh"
)

func Example() {
	mesh := localmesh.New()
	defer func() { _ = mesh.Close() }()
	ctx := context.Background()

	owner := s3.NewFromConfig(mesh.Config("arn:aws:iam::111111111111:role/Admin"))
	if _, err := owner.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("rows")}); err != nil {
		fmt.Println(err)
	}
	stranger := s3.NewFromConfig(mesh.Config("arn:aws:iam::999999999999:role/Admin"))
	_, err := stranger.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("rows")})
	var refused smithy.APIError
	if errors.As(err, &refused) {
		fmt.Println(refused.ErrorCode())
	}
	// Output: AccessDenied
}
