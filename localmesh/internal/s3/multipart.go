package s3

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html

import (
	"crypto/md5" // The ETag of an upload is made of the MD5 of its parts.
	"encoding/hex"
	"encoding/xml"
	"fmt"
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
	tags, err := requestTags(c, r, t)
	if err != nil {
		return nil, err
	}
	if err := refuseACL(r); err != nil {
		return nil, err
	}
	encryption, err := encrypt(c, r.Header, t)
	if err != nil {
		return nil, err
	}
	system, user, err := metadata(r.Header)
	if err != nil {
		return nil, err
	}
	u := state.Upload{ID: c.Mesh.Secret(64), Bucket: t.bucket.Name, Key: t.key, Initiated: c.Now, Initiator: c.Caller.ARN,
		Headers: system, Metadata: user, Tags: tags, Parts: map[int]state.Part{}, Encryption: encryption}
	if err := state.Uploads.Put(c.Tx, u, u.Bucket, u.Key, u.ID); err != nil {
		return nil, err
	}
	return answerXML(initiateMultipartUploadResult{XMLNS: namespace, Bucket: u.Bucket, Key: u.Key, UploadId: u.ID})
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
	given := r.URL.Query().Get("partNumber")
	n, err := strconv.Atoi(given)
	if err != nil || n < 1 || n > maxPart {
		return nil, invalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", given)
	}
	if err := checkMD5(r); err != nil {
		return nil, err
	}
	sums, err := checksums(r.Header, r.Payload)
	if err != nil {
		return nil, err
	}
	part := state.Part{Size: int64(len(r.Payload)), ETag: etagOf(r.Payload), Modified: c.Now.Truncate(time.Second)}
	if u.Parts == nil {
		u.Parts = map[int]state.Part{}
	}
	u.Parts[n] = part
	if err := c.Tx.Put(state.PartBodies, partKey(u.ID, n), r.Payload); err != nil {
		return nil, err
	}
	if err := state.Uploads.Put(c.Tx, u, u.Bucket, u.Key, u.ID); err != nil {
		return nil, err
	}
	h := http.Header{"Etag": {quote(part.ETag)}}
	showEncryption(h, u.Encryption)
	for name, v := range sums {
		h.Set(name, v)
	}
	return &engine.Response{Status: http.StatusOK, Header: h}, nil
}

type completeMultipartUploadResult struct {
	XMLName                     xml.Name `xml:"CompleteMultipartUploadResult"`
	XMLNS                       string   `xml:"xmlns,attr"`
	Location, Bucket, Key, ETag string
}

func completeMultipartUpload(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, u, err := openUpload(c, r, "s3:PutObject")
	if err != nil {
		return nil, err
	}
	if err := checkWriteConditions(c, r, t); err != nil {
		return nil, err
	}
	var in struct {
		XMLName xml.Name `xml:"CompleteMultipartUpload"`
		Part    []struct {
			PartNumber int
			ETag       string
		}
	}
	if err := readXML(r, &in); err != nil {
		return nil, err
	}
	if len(in.Part) == 0 {
		return nil, failure(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema").APIError
	}
	for i, p := range in.Part[1:] {
		if p.PartNumber <= in.Part[i].PartNumber {
			return nil, failure(http.StatusBadRequest, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.").APIError
		}
	}
	var body []byte
	digests := md5.New()
	for i, p := range in.Part {
		part, ok := u.Parts[p.PartNumber]
		switch {
		case !ok || strings.Trim(p.ETag, `"`) != part.ETag:
			return nil, failure(http.StatusBadRequest, "InvalidPart",
				"One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.").
				with("PartNumber", p.PartNumber).APIError
		case i < len(in.Part)-1 && part.Size < minPartSize:
			return nil, failure(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size").
				with("PartNumber", p.PartNumber).with("MinSizeAllowed", minPartSize).APIError
		}
		bytes, _ := c.Tx.Get(state.PartBodies, partKey(u.ID, p.PartNumber))
		body = append(body, bytes...)
		digest, err := hex.DecodeString(part.ETag)
		if err != nil {
			return nil, fmt.Errorf("digest of part %d: %w", p.PartNumber, err)
		}
		// A hash does not fail.
		_, _ = digests.Write(digest)
	}
	o := state.Object{Key: u.Key, Size: int64(len(body)), ETag: fmt.Sprintf("%x-%d", digests.Sum(nil), len(in.Part)),
		Modified: c.Now.Truncate(time.Second), Headers: u.Headers, Metadata: u.Metadata, Tags: u.Tags, Encryption: u.Encryption}
	if err := putContent(c, u.Bucket, o, body); err != nil {
		return nil, err
	}
	if err := removeUpload(c, u); err != nil {
		return nil, err
	}
	return answerXML(completeMultipartUploadResult{XMLNS: namespace, Location: "/" + u.Bucket + "/" + u.Key, Bucket: u.Bucket, Key: u.Key, ETag: quote(o.ETag)})
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
	StorageClass          string
}

type listedPart struct {
	PartNumber   int
	LastModified string
	ETag         string
	Size         int64
}

func listParts(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	_, u, err := openUpload(c, r, "s3:ListMultipartUploadParts")
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	out := listPartsResult{XMLNS: namespace, Bucket: u.Bucket, Key: u.Key, UploadId: u.ID, MaxParts: maxPage, StorageClass: "STANDARD"}
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
		out.Part = append(out.Part, listedPart{n, xmlTime(p.Modified), quote(p.ETag), p.Size})
		out.NextPartNumberMarker = n
	}
	return answerXML(out)
}

type listMultipartUploadsResult struct {
	XMLName            xml.Name `xml:"ListMultipartUploadsResult"`
	XMLNS              string   `xml:"xmlns,attr"`
	Bucket             string
	Prefix             string
	KeyMarker          string
	UploadIdMarker     string
	NextKeyMarker      string `xml:",omitempty"`
	NextUploadIdMarker string `xml:",omitempty"`
	MaxUploads         int
	IsTruncated        bool
	Upload             []listedUpload
}

type listedUpload struct{ Key, UploadId, Initiated, StorageClass string }

func listMultipartUploads(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:ListBucketMultipartUploads", nil)
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	out := listMultipartUploadsResult{XMLNS: namespace, Bucket: t.bucket.Name, Prefix: q.Get("prefix"), MaxUploads: maxPage,
		KeyMarker: q.Get("key-marker"), UploadIdMarker: q.Get("upload-id-marker")}
	if s := q.Get("max-uploads"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return nil, invalidArgument("Argument max-uploads must be an integer between 1 and 2147483647", "max-uploads", s)
		}
		out.MaxUploads = min(n, maxPage)
	}
	err = state.Uploads.Scan(c.Tx, []string{t.bucket.Name}, "", func(_ string, u state.Upload) bool {
		// Without an upload's id the marker stands for all uploads of its key.
		behind := u.Key > out.KeyMarker || (u.Key == out.KeyMarker && out.UploadIdMarker != "" && u.ID > out.UploadIdMarker)
		if !behind || !strings.HasPrefix(u.Key, out.Prefix) {
			return true
		}
		if len(out.Upload) == out.MaxUploads {
			last := out.Upload[len(out.Upload)-1]
			out.IsTruncated, out.NextKeyMarker, out.NextUploadIdMarker = true, last.Key, last.UploadId
			return false
		}
		out.Upload = append(out.Upload, listedUpload{u.Key, u.ID, xmlTime(u.Initiated), "STANDARD"})
		return true
	})
	if err != nil {
		return nil, err
	}
	return answerXML(out)
}
