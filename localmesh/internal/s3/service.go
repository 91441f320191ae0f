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
	s := engine.Service{
		Name:           "s3",
		Title:          "Amazon S3",
		Protocol:       wire.RestXML,
		Resolve:        resolve,
		HostPath:       func(r *http.Request) string { return hostBucket(host(r)) },
		DeniedCode:     "AccessDenied",
		DeniedStatus:   http.StatusForbidden,
		ThrottleCode:   "SlowDown",
		ThrottleStatus: http.StatusServiceUnavailable,
		Operations: []engine.Operation{
			op("ListBuckets", engine.Read, "s3:ListAllMyBuckets; pages", listBuckets),
			op("CreateBucket", engine.Write, "s3:CreateBucket; names; one owner in the whole mesh; location constraint", createBucket),
			op("HeadBucket", engine.Read, "s3:ListBucket", headBucket),
			op("DeleteBucket", engine.Write, "s3:DeleteBucket; BucketNotEmpty; uploads under way end", deleteBucket),
			op("GetBucketLocation", engine.Read, "s3:GetBucketLocation", getBucketLocation),
			op("GetBucketVersioning", engine.Read, "s3:GetBucketVersioning", getBucketVersioning),
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
			op("DeleteObject", engine.Write, "s3:DeleteObject; If-Match, which needs s3:GetObject", deleteObject),
			op("DeleteObjects", engine.Write, "s3:DeleteObject for each key; ETags; 1,000 keys", deleteObjects),
			op("CopyObject", engine.Write, "s3:GetObject and kms:Decrypt on the source, s3:PutObject and kms:GenerateDataKey on the destination, of tags s3:GetObjectTagging and s3:PutObjectTagging; conditions of both", copyObject),
			op("GetObjectTagging", engine.Read, "s3:GetObjectTagging", getObjectTagging),
			op("PutObjectTagging", engine.Write, "s3:PutObjectTagging; 10 tags", putObjectTagging),
			op("DeleteObjectTagging", engine.Write, "s3:DeleteObjectTagging", deleteObjectTagging),
			op("CreateMultipartUpload", engine.Write, "s3:PutObject", createMultipartUpload),
			op("UploadPart", engine.Write, "s3:PutObject; part numbers", uploadPart),
			op("CompleteMultipartUpload", engine.Write, "s3:PutObject; order, size, ETags and checksums of the parts; conditions; again with the same parts", completeMultipartUpload),
			op("AbortMultipartUpload", engine.Write, "s3:AbortMultipartUpload", abortMultipartUpload),
			op("ListParts", engine.Read, "s3:ListMultipartUploadParts", listParts),
			op("ListMultipartUploads", engine.Read, "s3:ListBucketMultipartUploads", listMultipartUploads),
			op("UploadPartCopy", engine.Write, "s3:GetObject and kms:Decrypt on the source, s3:PutObject on the destination; ranges and conditions of the source", uploadPartCopy),
			op("ListObjectVersions", engine.Read, "s3:ListBucketVersions with s3:prefix, s3:delimiter and s3:max-keys; pages; delete markers", listObjectVersions),
			op("PutBucketVersioning", engine.Write, "s3:PutBucketVersioning; Enabled and Suspended, not MFA delete", putBucketVersioning),
			op("GetObjectAttributes", engine.Read, "s3:GetObject and s3:GetObjectAttributes; kms:Decrypt", getObjectAttributes),
			op("GetBucketAcl", engine.Read, "s3:GetBucketAcl; the owner's alone", getBucketACL),
			op("GetObjectAcl", engine.Read, "s3:GetObjectAcl; the bucket's owner's alone", getObjectACL),
			op("PutBucketAcl", engine.Write, "s3:PutBucketAcl; AccessControlListNotSupported", putBucketACL),
			op("PutObjectAcl", engine.Write, "s3:PutObjectAcl; AccessControlListNotSupported", putObjectACL),
			engine.RawOp(postObjectName, engine.Write, "https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html",
				"the signature of the form's policy, of version 4 or 2, its end and its conditions; s3:PutObject of who signed it", postObject),
		},
	}
	s.Operations = append(s.Operations, settingOperations()...)
	return s
}

func op(name string, mode engine.Mode, enforced string, handle func(*engine.Call, *engine.Request) (*engine.Response, error)) engine.Operation {
	return engine.RawOp(name, mode, "https://docs.aws.amazon.com/AmazonS3/latest/API/API_"+name+".html", enforced, guarded(name, handle))
}
