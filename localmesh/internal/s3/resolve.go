package s3

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// address tells which bucket and key a request is about: from the host name
// (bucket.localhost, bucket.s3.eu-west-1.amazonaws.com) or from the path.
func address(r *http.Request) (bucket, key string) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if bucket = hostBucket(host(r)); bucket != "" {
		return bucket, path
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}

func host(r *http.Request) string {
	h := r.Host
	if h == "" {
		h = r.URL.Host
	}
	if name, _, err := net.SplitHostPort(h); err == nil {
		h = name
	}
	return strings.ToLower(h)
}

// hostBucket returns the bucket in front of a host name, or nothing.
func hostBucket(host string) string {
	for _, base := range []string{"localhost", "127.0.0.1"} {
		if prefix, ok := strings.CutSuffix(host, "."+base); ok {
			return withoutService(prefix)
		}
	}
	prefix, ok := strings.CutSuffix(host, ".amazonaws.com")
	if !ok {
		return ""
	}
	// bucket.s3, bucket.s3.region, and the same without a bucket.
	labels := strings.Split(prefix, ".")
	for i := len(labels) - 1; i >= max(0, len(labels)-3); i-- {
		if labels[i] == "s3" || strings.HasPrefix(labels[i], "s3-") {
			return strings.Join(labels[:i], ".")
		}
	}
	return ""
}

func withoutService(prefix string) string {
	if prefix == "s3" {
		return ""
	}
	return strings.TrimSuffix(prefix, ".s3")
}

// resolve finds the operation from the method, the path and the query string.
func resolve(r *http.Request) string {
	bucket, key := address(r)
	q := r.URL.Query()
	switch {
	case bucket == "":
		if r.Method == http.MethodGet {
			return "ListBuckets"
		}
	case key == "":
		return bucketOperation(r.Method, q)
	default:
		return objectOperation(r, q)
	}
	return r.Method + " /"
}

// subresource finds the first of names that the query string has.
func subresource(q url.Values, names ...string) string {
	i := slices.IndexFunc(names, q.Has)
	if i < 0 {
		return ""
	}
	return names[i]
}

// bucketSubresources are the parameters that make another operation of a request
// for a bucket; those without an operation here are answered as unknown instead
// of being taken for a listing.
func bucketSubresources() map[string]string {
	return map[string]string{
		"policy": "BucketPolicy", "policyStatus": "BucketPolicyStatus", "location": "BucketLocation", "versioning": "BucketVersioning",
		"tagging": "BucketTagging", "publicAccessBlock": "PublicAccessBlock", "acl": "BucketAcl", "cors": "BucketCors",
		"lifecycle": "BucketLifecycleConfiguration", "encryption": "BucketEncryption", "notification": "BucketNotificationConfiguration",
		"ownershipControls": "BucketOwnershipControls", "website": "BucketWebsite", "logging": "BucketLogging",
		"replication": "BucketReplication", "object-lock": "ObjectLockConfiguration", "accelerate": "BucketAccelerateConfiguration",
		"requestPayment": "BucketRequestPayment", "inventory": "BucketInventoryConfiguration", "metrics": "BucketMetricsConfiguration",
		"analytics": "BucketAnalyticsConfiguration", "intelligent-tiering": "BucketIntelligentTieringConfiguration",
	}
}

func bucketOperation(method string, q url.Values) string {
	for name, operation := range bucketSubresources() {
		if !q.Has(name) {
			continue
		}
		switch method {
		case http.MethodGet:
			return "Get" + operation
		case http.MethodPut:
			return "Put" + operation
		case http.MethodDelete:
			return "Delete" + operation
		}
	}
	switch method {
	case http.MethodGet:
		switch subresource(q, "uploads", "versions", "list-type") {
		case "uploads":
			return "ListMultipartUploads"
		case "versions":
			return "ListObjectVersions"
		case "list-type":
			return "ListObjectsV2"
		}
		return "ListObjects"
	case http.MethodHead:
		return "HeadBucket"
	case http.MethodPut:
		return "CreateBucket"
	case http.MethodDelete:
		return "DeleteBucket"
	case http.MethodPost:
		if q.Has("delete") {
			return "DeleteObjects"
		}
	}
	return method + " bucket"
}

func objectOperation(r *http.Request, q url.Values) string {
	name := subresource(q, "tagging", "acl", "attributes", "retention", "legal-hold", "torrent", "restore", "select", "uploads", "uploadId")
	switch r.Method + " " + name {
	case "GET tagging":
		return "GetObjectTagging"
	case "PUT tagging":
		return "PutObjectTagging"
	case "DELETE tagging":
		return "DeleteObjectTagging"
	case "GET acl":
		return "GetObjectAcl"
	case "PUT acl":
		return "PutObjectAcl"
	case "GET attributes":
		return "GetObjectAttributes"
	case "POST uploads":
		return "CreateMultipartUpload"
	case "PUT uploadId":
		if r.Header.Get("X-Amz-Copy-Source") != "" {
			return "UploadPartCopy"
		}
		return "UploadPart"
	case "POST uploadId":
		return "CompleteMultipartUpload"
	case "DELETE uploadId":
		return "AbortMultipartUpload"
	case "GET uploadId":
		return "ListParts"
	case "GET ":
		return "GetObject"
	case "HEAD ":
		return "HeadObject"
	case "DELETE ":
		return "DeleteObject"
	case "PUT ":
		if r.Header.Get("X-Amz-Copy-Source") != "" {
			return "CopyObject"
		}
		return "PutObject"
	}
	return strings.TrimSpace(r.Method + " object " + name)
}
