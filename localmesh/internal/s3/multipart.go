package s3

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html

import (
	"crypto/md5" // The ETag of an upload is made of the MD5 of its parts.
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

const (
	maxPart = 10000
	// minPartSize is the size of every part but the last.
	minPartSize = 5 << 20
)

func partKey(upload string, number int) string { return store.Key(upload, fmt.Sprintf("%05d", number)) }

type initiateMultipartUploadResult struct {
	XMLName               xml.Name `xml:"InitiateMultipartUploadResult"`
	XMLNS                 string   `xml:"xmlns,attr"`
	Bucket, Key, UploadId string
}

func createMultipartUpload(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:PutObject", nil)
	if err != nil {
		return nil, err
	}
	u := state.Upload{ID: c.Mesh.Secret(64), Bucket: t.bucket.Name, Key: t.key, Initiated: c.Now, Initiator: c.Caller.ARN, Parts: map[int]state.Part{}}
	if u.Tags, err = requestTags(c, r, t); err != nil {
		return nil, err
	}
	for _, check := range []error{refuseACL(r), refuseLock(r)} {
		if check != nil {
			return nil, check
		}
	}
	if u.Encryption, err = encrypt(c, r.Header, t); err != nil {
		return nil, err
	}
	if u.Headers, u.Metadata, err = metadata(r.Header); err != nil {
		return nil, err
	}
	if u.StorageClass, err = storageClass(r.Header); err != nil {
		return nil, err
	}
	if u.Redirect, err = redirect(r.Header); err != nil {
		return nil, err
	}
	if u.Checksum, u.Composite, err = uploadChecksum(r.Header); err != nil {
		return nil, err
	}
	if err := state.Uploads.Put(c.Tx, u, u.Bucket, u.Key, u.ID); err != nil {
		return nil, err
	}
	resp, err := answerXML(initiateMultipartUploadResult{XMLNS: namespace, Bucket: u.Bucket, Key: u.Key, UploadId: u.ID})
	if err == nil {
		showEncryption(resp.Header, u.Encryption)
		if u.Checksum != "" {
			resp.Header.Set("X-Amz-Checksum-Algorithm", strings.ToUpper(u.Checksum))
			resp.Header.Set("X-Amz-Checksum-Type", checksumType(u.Composite))
		}
	}
	return resp, err
}

// uploadChecksum is the algorithm of an upload's checksums, and whether that of the
// object is one of those of its parts
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html#Full-object-and-composite-checksums).
func uploadChecksum(h http.Header) (algorithm string, composite bool, err error) {
	algorithm, kind := strings.ToLower(h.Get("X-Amz-Checksum-Algorithm")), strings.ToUpper(h.Get("X-Amz-Checksum-Type"))
	if algorithm != "" && newChecksum(algorithm) == nil {
		return "", false, unsupportedChecksum()
	}
	mismatch := failure(http.StatusBadRequest, "InvalidRequest", "The "+kind+" checksum type cannot be used with the "+algorithm+" checksum algorithm.").APIError
	switch kind {
	case "":
		return algorithm, algorithm != "" && algorithm != defaultAlgorithm, nil
	case "COMPOSITE":
		if algorithm == "" || algorithm == defaultAlgorithm {
			return "", false, mismatch
		}
		return algorithm, true, nil
	case "FULL_OBJECT":
		if algorithm == "" || !strings.HasPrefix(algorithm, "crc") {
			return "", false, mismatch
		}
		return algorithm, false, nil
	}
	return "", false, invalidArgument("Value for x-amz-checksum-type header is invalid.", "x-amz-checksum-type", kind)
}

// openUpload finds an upload under way and asks for permission on its object.
func openUpload(c *engine.Call, r *engine.Request, action string) (target, state.Upload, error) {
	t, err := open(c, r, action, nil)
	if err != nil {
		return t, state.Upload{}, err
	}
	u, ok, err := state.Uploads.Get(c.Tx, t.bucket.Name, t.key, r.URL.Query().Get("uploadId"))
	if err == nil && !ok {
		err = failure(http.StatusNotFound, "NoSuchUpload",
			"The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.").
			with("UploadId", r.URL.Query().Get("uploadId")).APIError
	}
	return t, u, err
}

func uploadPart(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	_, u, err := openUpload(c, r, "s3:PutObject")
	if err != nil {
		return nil, err
	}
	n, err := partNumber(r)
	if err != nil {
		return nil, err
	}
	if err := checkMD5(r); err != nil {
		return nil, err
	}
	sums, err := checksums(r.Header, r.Payload)
	if err != nil {
		return nil, err
	}
	part, err := putPart(c, u, n, r.Payload, sums)
	if err != nil {
		return nil, err
	}
	h := http.Header{"Etag": {quote(part.ETag)}}
	showEncryption(h, u.Encryption)
	for name, v := range sums {
		h.Set(name, v)
	}
	return &engine.Response{Status: http.StatusOK, Header: h}, nil
}

func partNumber(r *engine.Request) (int, error) {
	given := r.URL.Query().Get("partNumber")
	n, err := strconv.Atoi(given)
	if err != nil || n < 1 || n > maxPart {
		return 0, invalidPartNumber(given)
	}
	return n, nil
}

// putPart keeps a part. Its checksum is of the upload's algorithm, if that was named.
func putPart(c *engine.Call, u state.Upload, n int, content []byte, sums map[string]string) (state.Part, error) {
	if u.Checksum != "" {
		name := checksumHeader + u.Checksum
		for other := range sums {
			if other != name {
				return state.Part{}, failure(http.StatusBadRequest, "InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: "+u.Checksum+
					", actual checksum Type: "+strings.TrimPrefix(other, checksumHeader)).APIError
			}
		}
		if sums[name] == "" {
			sums = map[string]string{name: checksumOf(u.Checksum, content)}
		}
	}
	part := state.Part{Size: int64(len(content)), ETag: etagOf(content), Modified: c.Now.Truncate(time.Second), Checksums: sums}
	parts := maps.Clone(u.Parts)
	if parts == nil {
		parts = map[int]state.Part{}
	}
	parts[n], u.Parts = part, parts
	if err := c.Tx.Put(state.PartBodies, partKey(u.ID, n), content); err != nil {
		return part, err
	}
	return part, state.Uploads.Put(c.Tx, u, u.Bucket, u.Key, u.ID)
}

type copyPartResult struct {
	XMLName      xml.Name `xml:"CopyPartResult"`
	XMLNS        string   `xml:"xmlns,attr"`
	LastModified string
	ETag         string
	checksumElements
}

// uploadPartCopy makes a part of an object, or of a range of it.
func uploadPartCopy(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	_, u, err := openUpload(c, r, "s3:PutObject")
	if err != nil {
		return nil, err
	}
	n, err := partNumber(r)
	if err != nil {
		return nil, err
	}
	from, f, err := source(c, r)
	if err != nil {
		return nil, err
	}
	o := f.Object
	for _, check := range []error{decrypt(c, from, o), copyable(o), checkCopyConditions(r.Header, o)} {
		if check != nil {
			return nil, check
		}
	}
	first, end, err := copyRange(r.Header.Get("X-Amz-Copy-Source-Range"), o.Size)
	if err != nil {
		return nil, err
	}
	part, err := putPart(c, u, n, slices.Clone(f.body(c, from)[first:end]), nil)
	if err != nil {
		return nil, err
	}
	resp, err := answerXML(copyPartResult{XMLNS: namespace, LastModified: xmlTime(part.Modified), ETag: quote(part.ETag), checksumElements: elementsOf(part.Checksums)})
	if err == nil {
		showEncryption(resp.Header, u.Encryption)
		showSource(resp.Header, from, versionID(o))
	}
	return resp, err
}

// copyRange reads a range of the source, which must say both its ends and be within it
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html).
func copyRange(header string, size int64) (from, end int64, err error) {
	if header == "" {
		return 0, size, nil
	}
	spec, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	from, err1 := strconv.ParseInt(first, 10, 64)
	to, err2 := strconv.ParseInt(last, 10, 64)
	switch {
	case !ok || !dash || err1 != nil || err2 != nil || from < 0 || to < from:
		return 0, 0, invalidArgument("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
			"x-amz-copy-source-range", header)
	case to >= size:
		return 0, 0, invalidArgument(fmt.Sprintf("Range specified is not valid for source object of size: %d", size), "x-amz-copy-source-range", header)
	}
	return from, to + 1, nil
}

type completeMultipartUploadResult struct {
	XMLName                     xml.Name `xml:"CompleteMultipartUploadResult"`
	XMLNS                       string   `xml:"xmlns,attr"`
	Location, Bucket, Key, ETag string
	ChecksumType                string `xml:",omitempty"`
	checksumElements
}

// completedPart is a part as it is named when the upload is completed.
type completedPart struct {
	PartNumber        int
	ETag              string
	ChecksumCRC32     string
	ChecksumCRC32C    string
	ChecksumCRC64NVME string
	ChecksumSHA1      string
	ChecksumSHA256    string
	ChecksumSHA512    string
	ChecksumMD5       string
}

func (p completedPart) checksums() map[string]string {
	e := checksumElements{ChecksumCRC32: p.ChecksumCRC32, ChecksumCRC32C: p.ChecksumCRC32C, ChecksumCRC64NVME: p.ChecksumCRC64NVME,
		ChecksumSHA1: p.ChecksumSHA1, ChecksumSHA256: p.ChecksumSHA256, ChecksumSHA512: p.ChecksumSHA512, ChecksumMD5: p.ChecksumMD5}
	given := map[string]string{}
	for algorithm, v := range e.by() {
		if *v != "" {
			given[checksumHeader+algorithm] = *v
		}
	}
	return given
}

// readParts reads the parts that an upload is completed of.
func readParts(c *engine.Call, r *engine.Request) ([]completedPart, error) {
	var in struct {
		XMLName xml.Name        `xml:"CompleteMultipartUpload"`
		Part    []completedPart `xml:"Part"`
	}
	if err := readXML(c, r, &in); err != nil {
		return nil, err
	}
	if len(in.Part) == 0 || len(in.Part) > maxPart {
		return nil, malformedXML()
	}
	for i, p := range in.Part[1:] {
		if p.PartNumber <= in.Part[i].PartNumber {
			return nil, failure(http.StatusBadRequest, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.").APIError
		}
	}
	return in.Part, nil
}

func completeMultipartUpload(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, u, err := openUpload(c, r, "s3:PutObject")
	var refused *engine.APIError
	if errors.As(err, &refused) && refused.Code == "NoSuchUpload" {
		return completedBefore(c, r, t, err)
	}
	if err != nil {
		return nil, err
	}
	if err := checkWriteConditions(c, r, t); err != nil {
		return nil, err
	}
	parts, err := readParts(c, r)
	if err != nil {
		return nil, err
	}
	o, body, err := assemble(c, u, parts)
	if err != nil {
		return nil, err
	}
	if err := checkCompletion(r, u, o, body); err != nil {
		return nil, err
	}
	if o, err = putContent(c, t, o, body); err != nil {
		return nil, err
	}
	if err := removeUpload(c, u); err != nil {
		return nil, err
	}
	answer := completeMultipartUploadResult{XMLNS: namespace, Location: location(r.Request, u.Bucket, u.Key), Bucket: u.Bucket, Key: u.Key, ETag: quote(o.ETag)}
	if len(o.Checksums) > 0 {
		answer.checksumElements, answer.ChecksumType = elementsOf(o.Checksums), checksumType(o.Composite)
	}
	resp, err := answerXML(answer)
	if err != nil {
		return nil, err
	}
	showEncryption(resp.Header, o.Encryption)
	showVersion(resp.Header, t.bucket, versionID(o))
	done := state.CompletedUpload{Parts: fmt.Sprint(parts), Answer: string(resp.Body), Headers: map[string]string{}}
	for name := range resp.Header {
		done.Headers[name] = resp.Header.Get(name)
	}
	return resp, state.Completed.Put(c.Tx, done, u.Bucket, u.Key, u.ID)
}

// completedBefore answers a completion once more, as whoever has lost the answer asks
// again. Nothing is written by it.
func completedBefore(c *engine.Call, r *engine.Request, t target, unknown error) (*engine.Response, error) {
	done, ok, err := state.Completed.Get(c.Tx, t.bucket.Name, t.key, r.URL.Query().Get("uploadId"))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, unknown
	}
	parts, err := readParts(c, r)
	if err != nil {
		return nil, err
	}
	if fmt.Sprint(parts) != done.Parts {
		return nil, unknown
	}
	h := http.Header{}
	for name, v := range done.Headers {
		h.Set(name, v)
	}
	return &engine.Response{Status: http.StatusOK, Header: h, Body: []byte(done.Answer)}, nil
}

// assemble puts the object together of the named parts.
func assemble(c *engine.Call, u state.Upload, named []completedPart) (state.Object, []byte, error) {
	var body []byte
	digests, sums := md5.New(), []byte{}
	o := state.Object{Key: u.Key, Modified: c.Now.Truncate(time.Second), Headers: u.Headers, Metadata: u.Metadata, Tags: u.Tags, Encryption: u.Encryption,
		StorageClass: u.StorageClass, Redirect: u.Redirect, Composite: u.Composite}
	for i, p := range named {
		part, ok := u.Parts[p.PartNumber]
		switch {
		case !ok || strings.Trim(p.ETag, `"`) != part.ETag || !sameChecksums(p.checksums(), part.Checksums):
			return o, nil, failure(http.StatusBadRequest, "InvalidPart",
				"One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.").
				with("PartNumber", p.PartNumber).APIError
		case u.Composite && len(p.checksums()) == 0:
			return o, nil, failure(http.StatusBadRequest, "InvalidRequest", fmt.Sprintf(
				"The upload was created using a %s checksum. The complete request must include the checksum for each part. It was missing for part %d in the request.",
				u.Checksum, p.PartNumber)).APIError
		case i < len(named)-1 && part.Size < minPartSize:
			return o, nil, failure(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size").
				with("PartNumber", p.PartNumber).with("MinSizeAllowed", minPartSize).APIError
		}
		bytes, _ := c.Tx.Get(state.PartBodies, partKey(u.ID, p.PartNumber))
		body = append(body, bytes...)
		digest, err := hex.DecodeString(part.ETag)
		if err != nil {
			return o, nil, fmt.Errorf("digest of part %d: %w", p.PartNumber, err)
		}
		// A hash does not fail.
		_, _ = digests.Write(digest)
		kept := state.ObjectPart{Number: p.PartNumber, Size: part.Size}
		if u.Composite {
			kept.Checksums = part.Checksums
			sum, err := base64.StdEncoding.DecodeString(part.Checksums[checksumHeader+u.Checksum])
			if err != nil {
				return o, nil, fmt.Errorf("checksum of part %d: %w", p.PartNumber, err)
			}
			sums = append(sums, sum...)
		}
		o.Parts = append(o.Parts, kept)
	}
	o.Size, o.ETag = int64(len(body)), fmt.Sprintf("%x-%d", digests.Sum(nil), len(named))
	algorithm := u.Checksum
	if algorithm == "" {
		algorithm = defaultAlgorithm
	}
	sum := ""
	if u.Composite {
		sum = fmt.Sprintf("%s-%d", checksumOf(algorithm, sums), len(named))
	} else {
		sum = checksumOf(algorithm, body)
	}
	o.Checksums = map[string]string{checksumHeader + algorithm: sum}
	return o, body, nil
}

// sameChecksums tells whether those that are given are those of the part.
func sameChecksums(given, are map[string]string) bool {
	for name, v := range given {
		if are[name] != v {
			return false
		}
	}
	return true
}

// checkCompletion checks what the completion says of the object as a whole.
func checkCompletion(r *engine.Request, u state.Upload, o state.Object, body []byte) error {
	if v := r.Header.Get("X-Amz-Mp-Object-Size"); v != "" && v != strconv.FormatInt(o.Size, 10) {
		return failure(http.StatusBadRequest, "InvalidRequest", "The provided 'x-amz-mp-object-size' header value does not match what was computed: "+strconv.FormatInt(o.Size, 10)).APIError
	}
	if v := r.Header.Get("X-Amz-Checksum-Type"); v != "" && !strings.EqualFold(v, checksumType(u.Composite)) {
		return failure(http.StatusBadRequest, "InvalidRequest", "The upload was created using the "+checksumType(u.Composite)+
			" checksum mode. The complete request must use the same checksum mode.").APIError
	}
	for _, algorithm := range algorithms() {
		given := r.Header.Get(checksumHeader + algorithm)
		if given == "" {
			continue
		}
		is, kept := o.Checksums[checksumHeader+algorithm]
		if !kept {
			is = checksumOf(algorithm, body)
		}
		if given != is {
			return badChecksum(algorithm)
		}
	}
	return nil
}

// removeUploads removes what is left of uploads into a bucket.
func removeUploads(c *engine.Call, bucket string) error {
	uploads, err := state.Uploads.All(c.Tx, bucket)
	if err != nil {
		return err
	}
	for _, u := range uploads {
		if err := removeUpload(c, u); err != nil {
			return err
		}
	}
	var keys []string
	c.Tx.Scan(state.Completed.Bucket, bucket+store.Separator, "", func(key string, _ []byte) bool {
		keys = append(keys, key)
		return true
	})
	for _, key := range keys {
		if err := c.Tx.Delete(state.Completed.Bucket, key); err != nil {
			return err
		}
	}
	return nil
}

func removeUpload(c *engine.Call, u state.Upload) error {
	for n := range u.Parts {
		if err := c.Tx.Delete(state.PartBodies, partKey(u.ID, n)); err != nil {
			return err
		}
	}
	return state.Uploads.Delete(c.Tx, u.Bucket, u.Key, u.ID)
}

func abortMultipartUpload(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	_, u, err := openUpload(c, r, "s3:AbortMultipartUpload")
	if err != nil {
		return nil, err
	}
	if err := removeUpload(c, u); err != nil {
		return nil, err
	}
	return answerEmpty(http.StatusNoContent)
}

type listPartsResult struct {
	XMLName               xml.Name `xml:"ListPartsResult"`
	XMLNS                 string   `xml:"xmlns,attr"`
	Bucket, Key, UploadId string
	PartNumberMarker      int
	NextPartNumberMarker  int
	MaxParts              int
	IsTruncated           bool
	Part                  []listedPart
	Initiator             initiator
	Owner                 *owner
	StorageClass          string
	ChecksumAlgorithm     string `xml:",omitempty"`
	ChecksumType          string `xml:",omitempty"`
}

type initiator struct{ ID, DisplayName string }

type listedPart struct {
	PartNumber   int
	LastModified string
	ETag         string
	Size         int64
	checksumElements
}

func listParts(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, u, err := openUpload(c, r, "s3:ListMultipartUploadParts")
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	out := listPartsResult{XMLNS: namespace, Bucket: u.Bucket, Key: u.Key, UploadId: u.ID, MaxParts: maxPage, StorageClass: shownClass(u.StorageClass),
		Initiator: initiator{c.Exchange(u.Initiator), c.Exchange(u.Initiator)}, Owner: ownerOf(t.bucket.Account)}
	if u.Checksum != "" {
		out.ChecksumAlgorithm, out.ChecksumType = strings.ToUpper(u.Checksum), checksumType(u.Composite)
	}
	for name, into := range map[string]*int{"max-parts": &out.MaxParts, "part-number-marker": &out.PartNumberMarker} {
		if s := q.Get(name); s != "" {
			n, err := strconv.Atoi(s)
			if err != nil || n < 0 {
				return nil, invalidArgument("Argument must be an integer that is not negative", name, s)
			}
			*into = n
		}
	}
	out.MaxParts = min(out.MaxParts, maxPage)
	numbers := make([]int, 0, len(u.Parts))
	for n := range u.Parts {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		if n <= out.PartNumberMarker {
			continue
		}
		if len(out.Part) == out.MaxParts {
			out.IsTruncated = true
			break
		}
		p := u.Parts[n]
		out.Part = append(out.Part, listedPart{n, xmlTime(p.Modified), quote(p.ETag), p.Size, elementsOf(p.Checksums)})
		out.NextPartNumberMarker = n
	}
	return answerXML(out)
}
