package s3

// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-policy-keys

import (
	"strconv"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

// keyedHeaders are the headers that policies can ask for, under the same name.
func keyedHeaders() []string {
	return []string{
		"if-match", "if-none-match", "x-amz-acl", "x-amz-content-sha256", "x-amz-copy-source", "x-amz-grant-full-control", "x-amz-grant-read",
		"x-amz-grant-read-acp", "x-amz-grant-write", "x-amz-grant-write-acp", "x-amz-metadata-directive", "x-amz-object-ownership",
		"x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-storage-class", "x-amz-website-redirect-location",
	}
}

// requestKeys are the condition keys that come from how a request is signed and from
// its headers.
func requestKeys(r *engine.Request) conditions {
	all := conditions{}
	for _, name := range keyedHeaders() {
		if v := r.Header.Get(name); v != "" {
			all["s3:"+name] = []string{v}
		}
	}
	if s := r.Signature; s != nil {
		version, kind := "AWS4-HMAC-SHA256", "REST-HEADER"
		if s.V2 {
			version = "AWS"
		}
		switch {
		case r.Form != nil:
			kind = "POST"
		case s.Presigned:
			kind = "REST-QUERY-STRING"
		}
		all["s3:signatureversion"], all["s3:authType"] = []string{version}, []string{kind}
		if !s.V2 {
			// In milliseconds. Signatures are made by the real time.
			all["s3:signatureAge"] = []string{strconv.FormatInt(max(0, r.Received.Sub(s.Time).Milliseconds()), 10)}
		}
	}
	if v := r.URL.Query().Get("versionId"); v != "" {
		all["s3:VersionId"] = []string{v}
	}
	return all
}
