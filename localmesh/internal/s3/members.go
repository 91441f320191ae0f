package s3

import (
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/awsmodel"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/sigv4"
)

// Members that several operations have in common.
const (
	contents = " CacheControl ContentDisposition ContentEncoding ContentLanguage ContentType Expires Metadata"
	sums     = " ChecksumAlgorithm ChecksumCRC32 ChecksumCRC32C ChecksumCRC64NVME ChecksumMD5 ChecksumSHA1 ChecksumSHA256 ChecksumSHA512"
	grants   = " ACL GrantFullControl GrantRead GrantReadACP GrantWriteACP GrantWrite"
	keys     = " ServerSideEncryption SSEKMSKeyId BucketKeyEnabled"
	locks    = " ObjectLockLegalHoldStatus ObjectLockMode ObjectLockRetainUntilDate"
	ifs      = " IfMatch IfNoneMatch IfModifiedSince IfUnmodifiedSince"
	sourceIf = " CopySource CopySourceIfMatch CopySourceIfModifiedSince CopySourceIfNoneMatch CopySourceIfUnmodifiedSince ExpectedSourceBucketOwner"
	answers  = " ResponseCacheControl ResponseContentDisposition ResponseContentEncoding ResponseContentLanguage ResponseContentType ResponseExpires"
	body     = " ChecksumAlgorithm ContentMD5"
)

// honoured are the members of each operation's input that are honoured: what they ask
// for is done, or refused where it cannot be. All others are refused by [checkMembers].
// Those of every operation are in [common].
var honoured = map[string]string{
	"ListBuckets":             "BucketRegion ContinuationToken MaxBuckets Prefix",
	"CreateBucket":            "CreateBucketConfiguration ObjectLockEnabledForBucket ObjectOwnership" + grants,
	"PutBucketPolicy":         "Policy ConfirmRemoveSelfBucketAccess" + body,
	"PutBucketEncryption":     "ServerSideEncryptionConfiguration" + body,
	"PutPublicAccessBlock":    "PublicAccessBlockConfiguration" + body,
	"PutBucketTagging":        "Tagging" + body,
	"ListObjects":             "Delimiter EncodingType Marker MaxKeys Prefix OptionalObjectAttributes",
	"ListObjectsV2":           "ContinuationToken Delimiter EncodingType FetchOwner MaxKeys Prefix StartAfter OptionalObjectAttributes",
	"PutObject":               "Body ContentLength ContentMD5 IfMatch IfNoneMatch StorageClass Tagging WebsiteRedirectLocation" + contents + sums + grants + keys + locks,
	"GetObject":               "ChecksumMode PartNumber Range VersionId" + ifs + answers,
	"HeadObject":              "ChecksumMode PartNumber Range VersionId" + ifs + answers,
	"DeleteObject":            "BypassGovernanceRetention IfMatch VersionId",
	"DeleteObjects":           "BypassGovernanceRetention Delete" + body,
	"CopyObject":              "ChecksumAlgorithm IfMatch IfNoneMatch MetadataDirective StorageClass Tagging TaggingDirective WebsiteRedirectLocation" + contents + grants + keys + locks + sourceIf,
	"GetObjectTagging":        "VersionId",
	"PutObjectTagging":        "Tagging VersionId" + body,
	"DeleteObjectTagging":     "VersionId",
	"CreateMultipartUpload":   "ChecksumAlgorithm ChecksumType StorageClass Tagging WebsiteRedirectLocation" + contents + grants + keys + locks,
	"UploadPart":              "Body ContentLength ContentMD5 PartNumber UploadId" + sums,
	"UploadPartCopy":          "CopySourceRange PartNumber UploadId" + sourceIf,
	"CompleteMultipartUpload": "ChecksumType IfMatch IfNoneMatch MpuObjectSize MultipartUpload UploadId" + sums,
	"AbortMultipartUpload":    "UploadId",
	"ListParts":               "MaxParts PartNumberMarker UploadId",
	"ListMultipartUploads":    "Delimiter EncodingType KeyMarker MaxUploads Prefix UploadIdMarker",
	"ListObjectVersions":      "Delimiter EncodingType KeyMarker MaxKeys Prefix VersionIdMarker OptionalObjectAttributes",
	"GetObjectAttributes":     "MaxParts ObjectAttributes PartNumberMarker VersionId",
	"GetObjectAcl":            "VersionId",
	"PutBucketAcl":            "AccessControlPolicy" + body + grants,
	"PutObjectAcl":            "AccessControlPolicy VersionId" + body + grants,
	"PutBucketVersioning":     "VersioningConfiguration" + body,

	"PutBucketLifecycleConfiguration":    "LifecycleConfiguration TransitionDefaultMinimumObjectSize" + body,
	"PutBucketOwnershipControls":         "OwnershipControls" + body,
	"PutBucketNotificationConfiguration": "NotificationConfiguration",
	"PutBucketLogging":                   "BucketLoggingStatus" + body,
	"PutBucketRequestPayment":            "RequestPaymentConfiguration" + body,
	"PutBucketAccelerateConfiguration":   "AccelerateConfiguration ChecksumAlgorithm",
}

// common are the members of all operations that are taken without asking which: the
// expected owner is held against the bucket's. Who pays for a request makes no
// difference to its answer, as no bucket here lets its requester pay.
const common = "ExpectedBucketOwner RequestPayer"

// aboutTheRequest are the headers that belong to every request, whatever it asks for.
func aboutTheRequest(name string) bool {
	switch name {
	case "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-amz-trailer", "x-amz-decoded-content-length", "x-amz-user-agent",
		"x-amz-sdk-checksum-algorithm", "x-amz-te", "x-amz-api-version":
		return true
	}
	return false
}

// guarded makes a handler of an operation refuse all that its input has and the
// handler does not honour, and gives it the headers of a presigned request.
func guarded(name string, handle func(*engine.Call, *engine.Request) (*engine.Response, error)) func(*engine.Call, *engine.Request) (*engine.Response, error) {
	model, known := awsmodel.S3Named(name)
	taken := strings.Fields(honoured[name] + " " + common)
	return func(c *engine.Call, r *engine.Request) (*engine.Response, error) {
		if known {
			copied := r.WithContext(r.Context())
			copied.Header = headers(r.Request)
			r = &engine.Request{Request: copied, Payload: r.Payload, Form: r.Form, Signature: r.Signature, Received: r.Received}
			if err := checkMembers(model, taken, r); err != nil {
				c.Authorized()
				return nil, err
			}
			if err := checkBody(model, r); err != nil {
				c.Authorized()
				return nil, err
			}
			c.Conditions = requestKeys(r)
		}
		if !speaksOfARNs(name) {
			return handle(c, r)
		}
		r.Payload = []byte(c.Exchange(string(r.Payload)))
		answer, err := handle(c, r)
		if err == nil {
			answer.Body = []byte(c.Exchange(string(answer.Body)))
		}
		return answer, err
	}
}

// speaksOfARNs reports whether the body of an operation's request or answer is about ARNs. All
// others have names of objects in it, and objects.
func speaksOfARNs(name string) bool {
	switch name {
	case "PutBucketPolicy", "GetBucketPolicy", "PutBucketEncryption", "GetBucketEncryption":
		return true
	}
	return false
}

// headers are a request's headers with those that a presigned address carries in its
// query string.
func headers(r *http.Request) http.Header {
	q := r.URL.Query()
	all := r.Header
	for name, values := range q {
		if !strings.HasPrefix(strings.ToLower(name), "x-amz-") || sigv4.OfSignature(name) || r.Header.Get(name) != "" {
			continue
		}
		if len(all) == len(r.Header) {
			all = r.Header.Clone()
		}
		all[http.CanonicalHeaderKey(name)] = values
	}
	if sigv4.SignedV2(q) {
		for _, name := range []string{"content-type", "content-md5"} {
			if q.Has(name) && r.Header.Get(name) == "" {
				all = all.Clone()
				all.Set(name, q.Get(name))
			}
		}
	}
	return all
}

// checkMembers refuses what a request sets and its operation does not honour, in the
// words that S3 has for what it does not do.
func checkMembers(o awsmodel.S3Operation, honoured []string, r *engine.Request) error {
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		lower := strings.ToLower(name)
		i := slices.IndexFunc(o.Members, func(m awsmodel.Member) bool {
			return m.Place == awsmodel.InHeader && m.At == lower || m.Place == awsmodel.InPrefixedHeaders && strings.HasPrefix(lower, m.At)
		})
		switch {
		case i >= 0 && slices.Contains(honoured, o.Members[i].Name), strings.Join(r.Header[name], "") == "":
		case i < 0 && verified(lower) && slices.Contains(honoured, "ChecksumAlgorithm"):
		case i >= 0 || changing(r.Method, lower), strings.HasPrefix(lower, "x-amz-") && !aboutTheRequest(lower):
			return failure(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented").
				with("Header", lower).APIError
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.URL.Query())) {
		i := slices.IndexFunc(o.Members, func(m awsmodel.Member) bool { return m.Place == awsmodel.InQuery && m.At == name })
		if i >= 0 && !slices.Contains(honoured, o.Members[i].Name) && !slices.Contains(o.Query, name) {
			return failure(http.StatusNotImplemented, "NotImplemented", "A parameter you provided implies functionality that is not implemented").
				with("Parameter", name).APIError
		}
	}
	return nil
}

// verified tells whether a header is a checksum that is held against the body.
func verified(name string) bool {
	algorithm, ok := strings.CutPrefix(name, checksumHeader)
	return ok && newChecksum(algorithm) != nil
}

// checkBody holds the digest and the checksum of a body that is a configuration against
// it. Those of objects are kept with them, by their operations.
func checkBody(o awsmodel.S3Operation, r *engine.Request) error {
	if slices.ContainsFunc(o.Members, func(m awsmodel.Member) bool { return m.Name == "ChecksumCRC32" }) || r.Form != nil {
		return nil
	}
	if err := checkMD5(r); err != nil {
		return err
	}
	if slices.ContainsFunc(o.Members, func(m awsmodel.Member) bool { return m.Name == "CopySource" || m.At == "x-amz-checksum-algorithm" }) {
		// They have no body; the algorithm is that of what is written.
		return nil
	}
	_, err := checksums(r.Header, r.Payload)
	return err
}

// changing tells whether a header of HTTP itself changes what a request does that
// changes something. Answers to reads may go without what they ask for.
func changing(method, name string) bool {
	if method == http.MethodGet || method == http.MethodHead {
		return false
	}
	switch name {
	case "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "content-range":
		return true
	}
	return false
}

func malformedXML() error {
	return failure(http.StatusBadRequest, "MalformedXML",
		"The XML you provided was not well-formed or did not validate against our published schema").APIError
}

// readXML reads a request's body. An element that v has no place for is refused:
// either S3 does not know it, or the mesh does not do what it says.
func readXML(c *engine.Call, r *engine.Request, v any) error {
	if err := xml.Unmarshal(r.Payload, v); err != nil {
		return malformedXML()
	}
	d := xml.NewDecoder(strings.NewReader(string(r.Payload)))
	stray, err := strayElement(d, reflect.TypeOf(v))
	if err != nil {
		return malformedXML()
	}
	if stray == "" {
		return nil
	}
	if o, ok := awsmodel.S3Named(c.Operation); ok && slices.Contains(o.Elements, stray) {
		return failure(http.StatusNotImplemented, "NotImplemented", "An element you provided implies functionality that is not implemented").
			with("Element", stray).APIError
	}
	return malformedXML()
}

// strayElement finds the first element of a document that a type has no field for.
func strayElement(d *xml.Decoder, t reflect.Type) (string, error) {
	types := []reflect.Type{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		switch e := token.(type) {
		case xml.StartElement:
			in := t
			if len(types) > 0 {
				if in = fieldType(types[len(types)-1], e.Name.Local); in == nil {
					return e.Name.Local, nil
				}
			}
			types = append(types, in)
		case xml.EndElement:
			types = types[:len(types)-1]
		}
	}
}

// fieldType is the type of what an element of that name becomes in a struct; nil if
// there is no place for it.
func fieldType(t reflect.Type, name string) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("xml"), ",")
		if f.Name == "XMLName" || options == "attr" || strings.HasPrefix(options, "attr,") {
			continue
		}
		if tag == name || tag == "" && f.Name == name {
			return f.Type
		}
	}
	return nil
}

// withoutEffect are members that are taken and change nothing, and why that is right.
func withoutEffect() map[string]string {
	return map[string]string{
		"ListObjects.OptionalObjectAttributes":          "asks for the state of restored objects, and none is",
		"ListObjectsV2.OptionalObjectAttributes":        "asks for the state of restored objects, and none is",
		"ListObjectVersions.OptionalObjectAttributes":   "asks for the state of restored objects, and none is",
		"PutBucketPolicy.ConfirmRemoveSelfBucketAccess": "confirms what is not asked: a policy that shuts its author out is taken",
		"PutObject.ContentLength":                       "is that of the body, or the connection breaks",
		"UploadPart.ContentLength":                      "is that of the body, or the connection breaks",
	}
}
