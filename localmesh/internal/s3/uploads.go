package s3

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html

import (
	"encoding/xml"
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

type listMultipartUploadsResult struct {
	XMLName            xml.Name `xml:"ListMultipartUploadsResult"`
	XMLNS              string   `xml:"xmlns,attr"`
	Bucket             string
	Prefix             string
	Delimiter          string `xml:",omitempty"`
	KeyMarker          string
	UploadIdMarker     string
	NextKeyMarker      string `xml:",omitempty"`
	NextUploadIdMarker string `xml:",omitempty"`
	MaxUploads         int
	EncodingType       string `xml:",omitempty"`
	IsTruncated        bool
	Upload             []listedUpload
	CommonPrefixes     []commonPrefix
}

type listedUpload struct {
	Key, UploadId, Initiated, StorageClass string
	Initiator                              initiator
	Owner                                  *owner
	ChecksumAlgorithm                      string `xml:",omitempty"`
	ChecksumType                           string `xml:",omitempty"`
}

func listMultipartUploads(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:ListBucketMultipartUploads", nil)
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	encode, err := encoding(q)
	if err != nil {
		return nil, err
	}
	keyMarker, idMarker, prefix, delimiter := q.Get("key-marker"), q.Get("upload-id-marker"), q.Get("prefix"), q.Get("delimiter")
	out := listMultipartUploadsResult{XMLNS: namespace, Bucket: t.bucket.Name, Prefix: encode(prefix), Delimiter: encode(delimiter), MaxUploads: maxPage,
		KeyMarker: encode(keyMarker), UploadIdMarker: idMarker, EncodingType: q.Get("encoding-type")}
	if s := q.Get("max-uploads"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return nil, invalidArgument("Argument max-uploads must be an integer between 1 and 2147483647", "max-uploads", s)
		}
		out.MaxUploads = min(n, maxPage)
	}
	lastKey, lastID := "", ""
	err = state.Uploads.Scan(c.Tx, []string{t.bucket.Name}, "", func(_ string, u state.Upload) bool {
		// Without an upload's id the marker stands for all uploads of its key.
		behind := u.Key > keyMarker || (u.Key == keyMarker && idMarker != "" && u.ID > idMarker)
		if !behind || !strings.HasPrefix(u.Key, prefix) {
			return true
		}
		common := ""
		if i := strings.Index(u.Key[len(prefix):], delimiter); delimiter != "" && i >= 0 {
			common = u.Key[:len(prefix)+i+len(delimiter)]
		}
		if common != "" && (common == lastKey && lastID == "" || strings.HasPrefix(keyMarker, common)) {
			return true
		}
		if len(out.Upload)+len(out.CommonPrefixes) == out.MaxUploads {
			out.IsTruncated, out.NextKeyMarker, out.NextUploadIdMarker = true, encode(lastKey), lastID
			return false
		}
		if common != "" {
			out.CommonPrefixes = append(out.CommonPrefixes, commonPrefix{encode(common)})
			lastKey, lastID = common, ""
			return true
		}
		item := listedUpload{Key: encode(u.Key), UploadId: u.ID, Initiated: xmlTime(u.Initiated), StorageClass: shownClass(u.StorageClass),
			Initiator: initiator{c.Exchange(u.Initiator), c.Exchange(u.Initiator)}, Owner: ownerOf(t.bucket.Account)}
		if u.Checksum != "" {
			item.ChecksumAlgorithm, item.ChecksumType = strings.ToUpper(u.Checksum), checksumType(u.Composite)
		}
		out.Upload = append(out.Upload, item)
		lastKey, lastID = u.Key, u.ID
		return true
	})
	if err != nil {
		return nil, err
	}
	return answerXML(out)
}
