package s3

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html

import (
	"crypto/md5" // The ETag of an object is the MD5 of its content.
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

const (
	maxKey      = 1024
	maxMetadata = 2 * 1024
)

func quote(etag string) string { return `"` + etag + `"` }

// systemHeaders are the headers that are kept with an object.
func systemHeaders() []string {
	return []string{"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires"}
}

// metadata takes an object's headers and the user's metadata out of a request.
func metadata(h http.Header) (system, user map[string]string, err error) {
	system, user = map[string]string{}, map[string]string{}
	for _, name := range systemHeaders() {
		if v := h.Get(name); v != "" {
			system[name] = v
		}
	}
	// The chunks of an upload are not part of the object.
	if e, ok := system["Content-Encoding"]; ok {
		left := slices.DeleteFunc(strings.Split(e, ","), func(s string) bool { return strings.TrimSpace(s) == "aws-chunked" })
		if system["Content-Encoding"] = strings.Join(left, ","); len(left) == 0 {
			delete(system, "Content-Encoding")
		}
	}
	if system["Content-Type"] == "" {
		system["Content-Type"] = "binary/octet-stream"
	}
	size := 0
	for name, values := range h {
		if n, ok := strings.CutPrefix(strings.ToLower(name), "x-amz-meta-"); ok {
			user[n] = strings.Join(values, ",")
			size += len(n) + len(user[n])
		}
	}
	if size > maxMetadata {
		return nil, nil, failure(http.StatusBadRequest, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size").
			with("Size", size).with("MaxSizeAllowed", maxMetadata).APIError
	}
	return system, user, nil
}

// refuseACL refuses access control lists: new buckets have them disabled
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html).
func refuseACL(r *engine.Request) error {
	acl := r.Header.Get("X-Amz-Acl")
	grants := false
	for name := range r.Header {
		grants = grants || strings.HasPrefix(name, "X-Amz-Grant-")
	}
	if grants || (acl != "" && acl != "bucket-owner-full-control" && acl != "private") {
		return noACL()
	}
	return nil
}

// checkVersion refuses what cannot be the id of a version.
func checkVersion(b state.Bucket, q url.Values) error {
	switch v := q.Get("versionId"); {
	case !q.Has("versionId"), v == nullVersion:
		return nil
	case v == "":
		return invalidArgument("Version id cannot be the empty string", "versionId", v)
	case b.Versioning == "":
		return invalidArgument("Invalid version id specified", "versionId", v)
	}
	return nil
}

// versionAction is the permission that an action on a named version needs.
func versionAction(action string, q url.Values) string {
	if !q.Has("versionId") {
		return action
	}
	return strings.Replace(action, "Object", "ObjectVersion", 1)
}

func etagOf(content []byte) string {
	sum := md5.Sum(content)
	return hex.EncodeToString(sum[:])
}

func checkMD5(r *engine.Request) error {
	given := r.Header.Get("Content-Md5")
	if given == "" {
		return nil
	}
	want, err := base64.StdEncoding.DecodeString(given)
	if err != nil || len(want) != md5.Size {
		return failure(http.StatusBadRequest, "InvalidDigest", "The Content-MD5 you specified was invalid.").APIError
	}
	if hex.EncodeToString(want) != etagOf(r.Payload) {
		return failure(http.StatusBadRequest, "BadDigest", "The Content-MD5 you specified did not match what we received.").APIError
	}
	return nil
}

// object reads the record of an object.
func object(c *engine.Call, t target) (state.Object, bool, error) {
	return state.Objects.Get(c.Tx, t.bucket.Name, t.key)
}

// content reads the bytes of an object. They must be copied before the
// transaction ends.
func content(c *engine.Call, bucket, key string) []byte {
	body, _ := c.Tx.Get(state.ObjectBodies, store.Key(bucket, key))
	return body
}

// putContent makes an object the current version of its key, and returns it with its id.
func putContent(c *engine.Call, t target, o state.Object, body []byte) (state.Object, error) {
	var err error
	if o.Version, err = newVersion(c, t); err != nil {
		return o, err
	}
	return o, putBytes(c, t.bucket.Name, o, body)
}

func putBytes(c *engine.Call, bucket string, o state.Object, body []byte) error {
	if err := c.Tx.Put(state.ObjectBodies, store.Key(bucket, o.Key), body); err != nil {
		return err
	}
	return state.Objects.Put(c.Tx, o, bucket, o.Key)
}

// checkWriteConditions checks If-None-Match: * and If-Match of a write
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
func checkWriteConditions(c *engine.Call, r *engine.Request, t target) error {
	match, noneMatch := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	if match == "" && noneMatch == "" {
		return nil
	}
	o, exists, err := object(c, t)
	if err != nil {
		return err
	}
	switch {
	case noneMatch != "" && noneMatch != "*":
		return failure(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented").with("Header", "If-None-Match").APIError
	case noneMatch == "*" && exists:
		return failure(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold").with("Condition", "If-None-Match").APIError
	case match != "" && !exists:
		return failure(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.").with("Key", t.key).APIError
	case match != "" && strings.Trim(match, `"`) != o.ETag:
		return failure(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold").with("Condition", "If-Match").APIError
	}
	return nil
}

func putObject(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:PutObject", nil)
	if err != nil {
		return nil, err
	}
	o, err := writeObject(c, r, t)
	if err != nil {
		return nil, err
	}
	h := http.Header{"Etag": {quote(o.ETag)}}
	showEncryption(h, o.Encryption)
	showChecksums(h, o)
	showVersion(h, t.bucket, versionID(o))
	return &engine.Response{Status: http.StatusOK, Header: h}, nil
}

// writeObject writes the object that a request's headers and payload are.
func writeObject(c *engine.Call, r *engine.Request, t target) (state.Object, error) {
	tags, err := requestTags(c, r, t)
	if err != nil {
		return state.Object{}, err
	}
	for _, check := range []error{refuseACL(r), refuseLock(r), checkMD5(r), checkWriteConditions(c, r, t)} {
		if check != nil {
			return state.Object{}, check
		}
	}
	o := state.Object{Key: t.key, Size: int64(len(r.Payload)), ETag: etagOf(r.Payload), Modified: c.Now.Truncate(time.Second), Tags: tags}
	if o.Encryption, err = encrypt(c, r.Header, t); err != nil {
		return o, err
	}
	if o.Checksums, err = checksums(r.Header, r.Payload); err != nil {
		return o, err
	}
	if len(o.Checksums) == 0 {
		o.Checksums = map[string]string{checksumHeader + defaultAlgorithm: checksumOf(defaultAlgorithm, r.Payload)}
	}
	if o.Headers, o.Metadata, err = metadata(r.Header); err != nil {
		return o, err
	}
	if o.StorageClass, err = storageClass(r.Header); err != nil {
		return o, err
	}
	if o.Redirect, err = redirect(r.Header); err != nil {
		return o, err
	}
	return putContent(c, t, o, r.Payload)
}

// openObject finds an object and asks for permission to read it. Whether it
// exists is told only to those who may list the bucket.
func openObject(c *engine.Call, r *engine.Request, action string) (target, found, error) {
	q := r.URL.Query()
	t, err := open(c, r, versionAction(action, q), nil)
	if err != nil {
		return t, found{}, err
	}
	if err := checkVersion(t.bucket, q); err != nil {
		return t, found{}, err
	}
	f, ok, err := findVersion(c, t, q)
	switch {
	case err != nil:
		return t, f, err
	case !ok && q.Has("versionId"):
		err = noSuchVersion(c, t, q.Get("versionId"))
	case !ok:
		err = noSuchKey(c, t)
	case f.version != nil && f.version.Marker:
		err = failure(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.").
			with("Method", r.Method).with("ResourceType", "DeleteMarker").APIError
	}
	return t, f, err
}

func noSuchVersion(c *engine.Call, t target, id string) error {
	if err := noSuchKey(c, t); !isCode(err, "NoSuchKey") {
		return err
	}
	return failure(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.").with("Key", t.key).with("VersionId", id).APIError
}

func isCode(err error, code string) bool {
	var refused *engine.APIError
	return errors.As(err, &refused) && refused.Code == code
}

func noSuchKey(c *engine.Call, t target) error {
	d, err := decide(c, t.bucket, "s3:ListBucket", t.bucket.ARN(), nil)
	if err != nil {
		return err
	}
	if !d.Allowed {
		return c.Denied(d.Reason)
	}
	return failure(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.").with("Key", t.key).APIError
}

// checkReadConditions checks the conditional headers of a read. A condition that
// says "not modified" is an answer without a body.
func checkReadConditions(h http.Header, o state.Object) (*engine.Response, error) {
	failed := failure(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold").APIError
	same := func(list string) bool {
		return slices.ContainsFunc(strings.Split(list, ","), func(e string) bool {
			e = strings.TrimSpace(e)
			return e == "*" || strings.Trim(strings.TrimPrefix(e, "W/"), `"`) == o.ETag
		})
	}
	if m := h.Get("If-Match"); m != "" {
		if !same(m) {
			return nil, failed
		}
	} else if since, err := http.ParseTime(h.Get("If-Unmodified-Since")); err == nil && o.Modified.After(since) {
		return nil, failed
	}
	unmodified := false
	if m := h.Get("If-None-Match"); m != "" {
		unmodified = same(m)
	} else if since, err := http.ParseTime(h.Get("If-Modified-Since")); err == nil {
		unmodified = !o.Modified.After(since)
	}
	if unmodified {
		return &engine.Response{Status: http.StatusNotModified, Header: http.Header{"Etag": {quote(o.ETag)}, "Last-Modified": {httpTime(o.Modified)}}}, nil
	}
	return nil, nil
}

func httpTime(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

// byteRange reads a Range header of one range; any other is ignored, as S3 does.
func byteRange(header string, size int64) (from, to int64, partial bool, err error) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	if !ok || !dash || strings.Contains(spec, ",") {
		return 0, size, false, nil
	}
	unsatisfiable := failure(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable").
		with("RangeRequested", header).with("ActualObjectSize", size).APIError
	if first == "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil {
			return 0, size, false, nil
		}
		if n <= 0 || size == 0 {
			return 0, 0, false, unsatisfiable
		}
		return max(0, size-n), size, true, nil
	}
	from, err = strconv.ParseInt(first, 10, 64)
	if err != nil {
		return 0, size, false, nil
	}
	to = size
	if last != "" {
		end, err := strconv.ParseInt(last, 10, 64)
		if err != nil || end < from {
			return 0, size, false, nil
		}
		to = min(end+1, size)
	}
	if from >= size {
		return 0, 0, false, unsatisfiable
	}
	return from, to, true, nil
}

// objectHeaders are the headers of an answer with an object.
func objectHeaders(r *engine.Request, o state.Object, partial bool) http.Header {
	h := http.Header{}
	for name, v := range o.Headers {
		h.Set(name, v)
	}
	for name, v := range o.Metadata {
		// In small letters, as S3 sends it: some clients keep the letters of the name.
		h["x-amz-meta-"+name] = []string{v}
	}
	h.Set("Etag", quote(o.ETag))
	h.Set("Last-Modified", httpTime(o.Modified))
	h.Set("Accept-Ranges", "bytes")
	showEncryption(h, o.Encryption)
	if len(o.Tags) > 0 {
		h.Set("X-Amz-Tagging-Count", strconv.Itoa(len(o.Tags)))
	}
	if o.StorageClass != "" {
		h.Set("X-Amz-Storage-Class", o.StorageClass)
	}
	if o.Redirect != "" {
		h.Set("X-Amz-Website-Redirect-Location", o.Redirect)
	}
	if checksumsAsked(r) && !partial {
		showChecksums(h, o)
	}
	q := r.URL.Query()
	for _, name := range systemHeaders() {
		if v := q.Get("response-" + strings.ToLower(name)); v != "" {
			h.Set(name, v)
		}
	}
	return h
}

func checksumsAsked(r *engine.Request) bool {
	return strings.EqualFold(r.Header.Get("X-Amz-Checksum-Mode"), "ENABLED")
}

// checkAnswerHeaders refuses to let somebody who is not known choose an answer's
// headers (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html).
func checkAnswerHeaders(c *engine.Call, q url.Values) error {
	for name := range q {
		if strings.HasPrefix(name, "response-") && c.Caller.Anonymous() {
			return failure(http.StatusBadRequest, "InvalidRequest", "Request specific response headers cannot be used for anonymous GET requests.").APIError
		}
	}
	return nil
}

// piece is what of an object is read: all, a range or a part.
type piece struct {
	from, to int64
	partial  bool
	// part is set if a part was asked for.
	part *state.ObjectPart
}

// pieceOf reads which piece of an object a request asks for.
func pieceOf(r *engine.Request, o state.Object) (piece, error) {
	q := r.URL.Query()
	if !q.Has("partNumber") {
		from, to, partial, err := byteRange(r.Header.Get("Range"), o.Size)
		return piece{from: from, to: to, partial: partial}, err
	}
	given := q.Get("partNumber")
	n, err := strconv.Atoi(given)
	switch {
	case err != nil || n < 1 || n > maxPart:
		return piece{}, invalidPartNumber(given)
	case r.Header.Get("Range") != "":
		return piece{}, failure(http.StatusBadRequest, "InvalidRequest", "Cannot specify both Range header and partNumber query parameter").APIError
	}
	// What was not uploaded in parts is one part.
	parts := o.Parts
	if len(parts) == 0 {
		parts = []state.ObjectPart{{Number: 1, Size: o.Size, Checksums: o.Checksums}}
	}
	at := int64(0)
	for i, p := range parts {
		if p.Number == n {
			return piece{from: at, to: at + p.Size, partial: p.Size > 0, part: &parts[i]}, nil
		}
		at += p.Size
	}
	return piece{}, failure(http.StatusRequestedRangeNotSatisfiable, "InvalidPartNumber", "The requested partnumber is not satisfiable").
		with("PartNumberRequested", n).with("ActualPartCount", len(parts)).APIError
}

func invalidPartNumber(given string) error {
	return invalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", given)
}

// answerPiece is the answer with a piece of an object, without the content.
func answerPiece(r *engine.Request, o state.Object, p piece) *engine.Response {
	resp := &engine.Response{Status: http.StatusOK, Header: objectHeaders(r, o, p.partial)}
	if p.partial {
		resp.Status = http.StatusPartialContent
		resp.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", p.from, p.to-1, o.Size))
	}
	if p.part != nil {
		if len(o.Parts) > 0 {
			resp.Header.Set("X-Amz-Mp-Parts-Count", strconv.Itoa(len(o.Parts)))
		}
		if checksumsAsked(r) {
			showChecksums(resp.Header, state.Object{Checksums: p.part.Checksums, Composite: o.Composite})
		}
	}
	return resp
}

func getObject(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, f, err := openObject(c, r, "s3:GetObject")
	if err != nil {
		return nil, err
	}
	o := f.Object
	for _, check := range []error{decrypt(c, t, o), readable(o), checkAnswerHeaders(c, r.URL.Query())} {
		if check != nil {
			return nil, check
		}
	}
	if unmodified, err := checkReadConditions(r.Header, o); unmodified != nil || err != nil {
		return unmodified, err
	}
	p, err := pieceOf(r, o)
	if err != nil {
		return nil, err
	}
	resp := answerPiece(r, o, p)
	showVersion(resp.Header, t.bucket, versionID(o))
	resp.Body = slices.Clone(f.body(c, t)[p.from:p.to])
	return resp, nil
}

func headObject(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, f, err := openObject(c, r, "s3:GetObject")
	if err != nil {
		return nil, err
	}
	o := f.Object
	if err := checkAnswerHeaders(c, r.URL.Query()); err != nil {
		return nil, err
	}
	if unmodified, err := checkReadConditions(r.Header, o); unmodified != nil || err != nil {
		return unmodified, err
	}
	p, err := pieceOf(r, o)
	if err != nil {
		return nil, err
	}
	resp := answerPiece(r, o, p)
	showVersion(resp.Header, t.bucket, versionID(o))
	resp.Header.Set("Content-Length", strconv.FormatInt(p.to-p.from, 10))
	return resp, nil
}

func removeObject(c *engine.Call, bucket, key string) error {
	if err := c.Tx.Delete(state.ObjectBodies, store.Key(bucket, key)); err != nil {
		return err
	}
	return state.Objects.Delete(c.Tx, bucket, key)
}

// checkDeleteCondition checks the ETag that an object must have to be deleted; "*" is any.
// Who names an ETag must be allowed to read the object
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html).
func checkDeleteCondition(c *engine.Call, t target, match string) error {
	if match == "" {
		return nil
	}
	if match != "*" {
		if err := authorize(c, t.bucket, "s3:GetObject", t.arn(), nil); err != nil {
			return err
		}
	}
	o, exists, err := object(c, t)
	switch {
	case err != nil:
		return err
	case !exists:
		return noSuchKey(c, t)
	case match != "*" && strings.Trim(match, `"`) != o.ETag:
		return failure(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold").with("Condition", "If-Match").APIError
	}
	return nil
}

// deleteObject succeeds whether the object exists or not.
func deleteObject(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, versionAction("s3:DeleteObject", r.URL.Query()), nil)
	if err != nil {
		return nil, err
	}
	for _, check := range []error{checkVersion(t.bucket, r.URL.Query()), refuseBypass(r), checkDeleteCondition(c, t, r.Header.Get("If-Match"))} {
		if check != nil {
			return nil, check
		}
	}
	done, err := deleted(c, t, r.URL.Query().Get("versionId"))
	if err != nil {
		return nil, err
	}
	h := http.Header{}
	showVersion(h, t.bucket, done.Version)
	if done.Marker {
		h.Set("X-Amz-Delete-Marker", "true")
	}
	return &engine.Response{Status: http.StatusNoContent, Header: h}, nil
}

// deleted deletes a version, or the current one if none is named.
func deleted(c *engine.Call, t target, id string) (deletion, error) {
	if id == "" {
		return remove(c, t)
	}
	return removeVersion(c, t, id)
}

type deleteResult struct {
	XMLName xml.Name `xml:"DeleteResult"`
	XMLNS   string   `xml:"xmlns,attr"`
	Deleted []deletedObject
	Error   []deleteError
}

type deletedObject struct {
	Key                   string
	VersionId             string `xml:",omitempty"`
	DeleteMarker          bool   `xml:",omitempty"`
	DeleteMarkerVersionId string `xml:",omitempty"`
}

type deleteError struct{ Key, Code, Message string }

// maxDelete is how many keys DeleteObjects takes.
const maxDelete = 1000

// deleteObjects decides for each key on its own: the call as a whole needs no
// permission.
func deleteObjects(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	c.Authorized()
	t, err := find(c, r, "s3:DeleteObject")
	if err != nil {
		return nil, err
	}
	if err := refuseBypass(r); err != nil {
		return nil, err
	}
	var in struct {
		XMLName xml.Name `xml:"Delete"`
		Quiet   bool
		Object  []struct{ Key, VersionId, ETag string }
	}
	if err := readXML(c, r, &in); err != nil {
		return nil, err
	}
	if len(in.Object) == 0 || len(in.Object) > maxDelete {
		return nil, malformedXML()
	}
	out := deleteResult{XMLNS: namespace}
	for _, o := range in.Object {
		if o.Key == "" || len(o.Key) > maxKey || !isKey(o.Key) {
			return nil, failure(http.StatusBadRequest, "UserKeyMustBeSpecified", "The bucket POST must contain the specified field name. If it is specified, please check the order of the fields.").APIError
		}
		one, keys := target{bucket: t.bucket, key: o.Key}, conditions{}
		action := "s3:DeleteObject"
		if o.VersionId != "" {
			action, keys["s3:VersionId"] = "s3:DeleteObjectVersion", []string{o.VersionId}
		}
		if o.ETag != "" {
			keys["s3:if-match"] = []string{o.ETag}
		}
		d, err := decide(c, t.bucket, action, one.arn(), keys)
		if err != nil {
			return nil, err
		}
		if !d.Allowed {
			out.Error = append(out.Error, deleteError{o.Key, "AccessDenied", c.Exchange(d.Reason)})
			continue
		}
		if o.VersionId != "" && o.VersionId != nullVersion && t.bucket.Versioning == "" {
			out.Error = append(out.Error, deleteError{o.Key, "NoSuchVersion", "The specified version does not exist."})
			continue
		}
		var refused *engine.APIError
		if err := checkDeleteCondition(c, one, o.ETag); errors.As(err, &refused) {
			out.Error = append(out.Error, deleteError{o.Key, refused.Code, c.Exchange(refused.Message)})
			continue
		} else if err != nil {
			return nil, err
		}
		done, err := deleted(c, one, o.VersionId)
		if err != nil {
			return nil, err
		}
		if !in.Quiet {
			item := deletedObject{Key: o.Key, VersionId: o.VersionId, DeleteMarker: done.Marker}
			if done.Marker {
				item.DeleteMarkerVersionId = done.Version
			}
			out.Deleted = append(out.Deleted, item)
		}
	}
	return answerXML(out)
}
