package s3

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html

import (
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

type copyObjectResult struct {
	XMLName      xml.Name `xml:"CopyObjectResult"`
	XMLNS        string   `xml:"xmlns,attr"`
	LastModified string
	ETag         string
	ChecksumType string `xml:",omitempty"`
	checksumElements
}

// source finds the object that is copied, and asks for permission to read it.
func source(c *engine.Call, r *engine.Request) (target, found, error) {
	header := r.Header.Get("X-Amz-Copy-Source")
	path, query, _ := strings.Cut(header, "?")
	decoded, err := url.PathUnescape(path)
	name, key, ok := strings.Cut(strings.TrimPrefix(decoded, "/"), "/")
	if err != nil || !ok || name == "" || key == "" {
		return target{}, found{}, invalidArgument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey", "x-amz-copy-source", header)
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return target{}, found{}, invalidArgument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey", "x-amz-copy-source", header)
	}
	b, ok, err := state.S3Buckets.Get(c.Tx, name)
	if err != nil {
		return target{}, found{}, err
	}
	if !ok {
		return target{}, found{}, failure(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist").with("BucketName", name).APIError
	}
	if owner := r.Header.Get("X-Amz-Source-Expected-Bucket-Owner"); owner != "" && owner != b.Account {
		return target{}, found{}, c.Denied("Access Denied")
	}
	t := target{bucket: b, key: key}
	if err := authorize(c, b, versionAction("s3:GetObject", q), t.arn(), nil); err != nil {
		return t, found{}, err
	}
	if err := checkVersion(b, q); err != nil {
		return t, found{}, err
	}
	f, ok, err := findVersion(c, t, q)
	switch {
	case err != nil:
	case !ok && q.Has("versionId"):
		err = noSuchVersion(c, t, q.Get("versionId"))
	case !ok:
		err = noSuchKey(c, t)
	case f.version != nil && f.version.Marker:
		err = failure(http.StatusBadRequest, "InvalidRequest", "The source of a copy request may not specifically refer to a delete marker by version id.").APIError
	}
	return t, f, err
}

func copyObject(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:PutObject", nil)
	if err != nil {
		return nil, err
	}
	from, f, err := source(c, r)
	if err != nil {
		return nil, err
	}
	o := f.Object
	replaceMetadata, err := directive(r, "X-Amz-Metadata-Directive")
	if err != nil {
		return nil, err
	}
	replaceTags, err := directive(r, "X-Amz-Tagging-Directive")
	if err != nil {
		return nil, err
	}
	for _, check := range []error{refuseACL(r), refuseLock(r), decrypt(c, from, o), copyable(o), checkCopyConditions(r.Header, o), checkWriteConditions(c, r, t)} {
		if check != nil {
			return nil, check
		}
	}
	changes := replaceMetadata || r.Header.Get("X-Amz-Storage-Class") != "" || r.Header.Get("X-Amz-Website-Redirect-Location") != "" || r.Header.Get(encryptionHeader) != ""
	// An older version is made the current one again in this way.
	if from.bucket.Name == t.bucket.Name && from.key == t.key && !changes && f.version == nil {
		return nil, failure(http.StatusBadRequest, "InvalidRequest",
			"This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.").APIError
	}
	if replaceMetadata {
		if o.Headers, o.Metadata, err = metadata(r.Header); err != nil {
			return nil, err
		}
	}
	if o.Tags, err = copyTags(c, r, from, t, o, replaceTags); err != nil {
		return nil, err
	}
	if o.Encryption, err = encrypt(c, r.Header, t); err != nil {
		return nil, err
	}
	// Neither of them is copied.
	if o.StorageClass, err = storageClass(r.Header); err != nil {
		return nil, err
	}
	if o.Redirect, err = redirect(r.Header); err != nil {
		return nil, err
	}
	body := slices.Clone(f.body(c, from))
	if o.Checksums, err = copyChecksums(r, o, body); err != nil {
		return nil, err
	}
	// The copy of a multipart upload has the digest of its content.
	o.Key, o.Modified, o.ETag, o.Composite, o.Parts = t.key, c.Now.Truncate(time.Second), etagOf(body), false, nil
	copied := versionID(f.Object)
	if o, err = putContent(c, t, o, body); err != nil {
		return nil, err
	}
	resp, err := answerXML(copyObjectResult{XMLNS: namespace, LastModified: xmlTime(o.Modified), ETag: quote(o.ETag),
		ChecksumType: checksumType(false), checksumElements: elementsOf(o.Checksums)})
	if err == nil {
		showEncryption(resp.Header, o.Encryption)
		showVersion(resp.Header, t.bucket, versionID(o))
		showSource(resp.Header, from, copied)
	}
	return resp, err
}

// showSource tells which version was copied.
func showSource(h http.Header, from target, id string) {
	if from.bucket.Versioning != "" {
		h.Set("X-Amz-Copy-Source-Version-Id", id)
	}
}

// directive reads whether something is replaced by what the request says.
func directive(r *engine.Request, header string) (replace bool, err error) {
	switch v := r.Header.Get(header); v {
	case "", "COPY":
		return false, nil
	case "REPLACE":
		return true, nil
	default:
		return false, invalidArgument("Unknown metadata directive.", strings.ToLower(header), v)
	}
}

// copyTags are the tags of a copy: those of the request, or those of the source, which
// the caller must be allowed to read and to write
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html).
func copyTags(c *engine.Call, r *engine.Request, from, to target, o state.Object, replace bool) (map[string]string, error) {
	if replace {
		return requestTags(c, r, to)
	}
	if len(o.Tags) == 0 {
		return nil, nil
	}
	if err := authorize(c, from.bucket, "s3:GetObjectTagging", from.arn(), nil); err != nil {
		return nil, err
	}
	keys := conditions{"s3:RequestObjectTagKeys": slices.Sorted(maps.Keys(o.Tags))}
	for k, v := range o.Tags {
		keys["s3:RequestObjectTag/"+k] = []string{v}
	}
	return o.Tags, authorize(c, to.bucket, "s3:PutObjectTagging", to.arn(), keys)
}

// copyChecksums are the checksums of a copy: of the algorithm that is asked for, or of
// that which the source has.
func copyChecksums(r *engine.Request, o state.Object, body []byte) (map[string]string, error) {
	asked := strings.ToLower(r.Header.Get("X-Amz-Checksum-Algorithm"))
	if asked != "" && newChecksum(asked) == nil {
		return nil, unsupportedChecksum()
	}
	for name := range o.Checksums {
		if asked == "" {
			asked = strings.TrimPrefix(name, checksumHeader)
		}
	}
	if asked == "" {
		asked = defaultAlgorithm
	}
	return map[string]string{checksumHeader + asked: checksumOf(asked, body)}, nil
}

// copyable refuses to copy what is archived.
func copyable(o state.Object) error {
	if readable(o) == nil {
		return nil
	}
	return failure(http.StatusForbidden, "ObjectNotInActiveTierError", "The source object of the COPY operation is not in the active tier and is only stored in Amazon Glacier.").APIError
}

// checkCopyConditions checks the conditions on the source.
func checkCopyConditions(h http.Header, o state.Object) error {
	conditions := http.Header{}
	for _, name := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		if v := h.Get("X-Amz-Copy-Source-" + name); v != "" {
			conditions.Set(name, v)
		}
	}
	unmodified, err := checkReadConditions(conditions, o)
	if err == nil && unmodified != nil {
		err = failure(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold").APIError
	}
	return err
}
