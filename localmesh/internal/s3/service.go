// Package s3 is Amazon S3 of the local mesh: buckets, bucket policies, objects.
//
// What is enforced: every operation asks the caller's policies and the bucket's
// policy, both of them across accounts; anonymous requests are allowed by bucket
// policies alone, and only where the public access block was lifted. A missing
// object is a 404 only for those who may list the bucket.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
package s3

import (
	"net/http"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// Service returns S3.
func Service() engine.Service {
	return engine.Service{
		Name:           "s3",
		Title:          "Amazon S3",
		Protocol:       wire.RestXML,
		Resolve:        resolve,
		DeniedCode:     "AccessDenied",
		DeniedStatus:   http.StatusForbidden,
		ThrottleCode:   "SlowDown",
		ThrottleStatus: http.StatusServiceUnavailable,
		Operations: []engine.Operation{
			op("ListBuckets", engine.Read, "s3:ListAllMyBuckets; pages", listBuckets),
			op("CreateBucket", engine.Write, "s3:CreateBucket; names; one owner in the whole mesh; location constraint", createBucket),
			op("HeadBucket", engine.Read, "s3:ListBucket", headBucket),
			op("DeleteBucket", engine.Write, "s3:DeleteBucket; BucketNotEmpty", deleteBucket),
			op("GetBucketLocation", engine.Read, "s3:GetBucketLocation", getBucketLocation),
			op("GetBucketVersioning", engine.Read, "s3:GetBucketVersioning; always unversioned", getBucketVersioning),
			op("GetBucketPolicy", engine.Read, "s3:GetBucketPolicy; deleted principals are shown as unique ids", getBucketPolicy),
			op("PutBucketPolicy", engine.Write, "s3:PutBucketPolicy, by the owner's account only; form, size of 20 KB, principals and resources; public access block", putBucketPolicy),
			op("DeleteBucketPolicy", engine.Write, "s3:DeleteBucketPolicy, by the owner's account only", deleteBucketPolicy),
			op("GetBucketEncryption", engine.Read, "s3:GetEncryptionConfiguration; every bucket has a default", getBucketEncryption),
			op("PutBucketEncryption", engine.Write, "s3:PutEncryptionConfiguration; AES256, aws:kms with a key or the one that AWS manages", putBucketEncryption),
			op("DeleteBucketEncryption", engine.Write, "s3:PutEncryptionConfiguration", deleteBucketEncryption),
			op("GetBucketPolicyStatus", engine.Read, "s3:GetBucketPolicyStatus", getBucketPolicyStatus),
			op("GetPublicAccessBlock", engine.Read, "s3:GetBucketPublicAccessBlock", getPublicAccessBlock),
			op("PutPublicAccessBlock", engine.Write, "s3:PutBucketPublicAccessBlock", putPublicAccessBlock),
			op("DeletePublicAccessBlock", engine.Write, "s3:PutBucketPublicAccessBlock", deletePublicAccessBlock),
			op("GetBucketTagging", engine.Read, "s3:GetBucketTagging; NoSuchTagSet", getBucketTagging),
			op("PutBucketTagging", engine.Write, "s3:PutBucketTagging; 50 tags", putBucketTagging),
			op("DeleteBucketTagging", engine.Write, "s3:PutBucketTagging", deleteBucketTagging),
			op("ListObjects", engine.Read, "s3:ListBucket with s3:prefix, s3:delimiter and s3:max-keys; pages", listObjects),
			op("ListObjectsV2", engine.Read, "s3:ListBucket with s3:prefix, s3:delimiter and s3:max-keys; pages", listObjectsV2),
			op("PutObject", engine.Write, "s3:PutObject, s3:PutObjectTagging; kms:GenerateDataKey through S3 under a key of KMS; digests; conditions; no ACLs", putObject),
			op("GetObject", engine.Read, "s3:GetObject; kms:Decrypt through S3 under a key of KMS, by the key's policy and the caller's; NoSuchKey needs s3:ListBucket; ranges and conditions", getObject),
			op("HeadObject", engine.Read, "s3:GetObject; 404 needs s3:ListBucket; conditions", headObject),
			op("DeleteObject", engine.Write, "s3:DeleteObject", deleteObject),
			op("DeleteObjects", engine.Write, "s3:DeleteObject for each key; 1,000 keys", deleteObjects),
			op("CopyObject", engine.Write, "s3:GetObject and kms:Decrypt on the source, s3:PutObject and kms:GenerateDataKey on the destination", copyObject),
			op("GetObjectTagging", engine.Read, "s3:GetObjectTagging", getObjectTagging),
			op("PutObjectTagging", engine.Write, "s3:PutObjectTagging; 10 tags", putObjectTagging),
			op("DeleteObjectTagging", engine.Write, "s3:DeleteObjectTagging", deleteObjectTagging),
			op("CreateMultipartUpload", engine.Write, "s3:PutObject", createMultipartUpload),
			op("UploadPart", engine.Write, "s3:PutObject; part numbers", uploadPart),
			op("CompleteMultipartUpload", engine.Write, "s3:PutObject; order, size and ETags of the parts", completeMultipartUpload),
			op("AbortMultipartUpload", engine.Write, "s3:AbortMultipartUpload", abortMultipartUpload),
			op("ListParts", engine.Read, "s3:ListMultipartUploadParts", listParts),
			op("ListMultipartUploads", engine.Read, "s3:ListBucketMultipartUploads", listMultipartUploads),
		},
	}
}

func op(name string, mode engine.Mode, enforced string, handle func(*engine.Call, *engine.Request) (*engine.Response, error)) engine.Operation {
	return engine.RawOp(name, mode, "https://docs.aws.amazon.com/AmazonS3/latest/API/API_"+name+".html", enforced, handle)
}
