package s3

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// maxPage is how many keys a page has at most.
const maxPage = 1000

// listing is one page of a bucket.
type listing struct {
	Prefix, Delimiter, After string
	Max                      int

	Objects   []state.Object
	Prefixes  []string
	Truncated bool
	// Last is the last key or common prefix of the page.
	Last string
}

// read fills the page. Keys come in the order of their bytes; those that have the
// delimiter behind the prefix are rolled up, and the scan jumps over them.
func (l *listing) read(tx store.Tx, bucket string) error {
	base := bucket + store.Separator
	from := ""
	if l.After != "" {
		from = base + l.After
	}
	for {
		jump, err := l.scan(tx, base, from)
		if err != nil || jump == "" {
			return err
		}
		from = base + jump
	}
}

// scan reads on until the page is full, or until a common prefix is to be jumped
// over: then it returns where to go on.
func (l *listing) scan(tx store.Tx, base, from string) (jump string, err error) {
	tx.Scan(state.Objects.Bucket, base+l.Prefix, from, func(k string, value []byte) bool {
		key := k[len(base):]
		if l.After != "" && key <= l.After {
			return true
		}
		if l.Delimiter != "" {
			if i := strings.Index(key[len(l.Prefix):], l.Delimiter); i >= 0 {
				common := key[:len(l.Prefix)+i+len(l.Delimiter)]
				if common != l.After && !l.take(common) {
					return false
				}
				if common != l.After {
					l.Prefixes = append(l.Prefixes, common)
				}
				// No key has this byte, which UTF-8 does not use.
				jump = common + "\xff"
				return false
			}
		}
		if !l.take(key) {
			return false
		}
		var o state.Object
		if err = json.Unmarshal(value, &o); err != nil {
			err = fmt.Errorf("object %q: %w", key, err)
			return false
		}
		l.Objects = append(l.Objects, o)
		return true
	})
	return jump, err
}

// take counts an item in, or finds the page full.
func (l *listing) take(name string) bool {
	if len(l.Objects)+len(l.Prefixes) >= l.Max {
		l.Truncated = l.Max > 0
		return false
	}
	l.Last = name
	return true
}

type listedObject struct {
	Key               string
	LastModified      string
	ETag              string
	ChecksumAlgorithm []string `xml:",omitempty"`
	ChecksumType      string   `xml:",omitempty"`
	Size              int64
	StorageClass      string
	Owner             *owner `xml:",omitempty"`
}

type commonPrefix struct{ Prefix string }

type listBucketResult struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	XMLNS                 string   `xml:"xmlns,attr"`
	Name                  string
	Prefix                string
	Marker                *string `xml:",omitempty"`
	NextMarker            string  `xml:",omitempty"`
	KeyCount              *int    `xml:",omitempty"`
	MaxKeys               int
	Delimiter             string `xml:",omitempty"`
	IsTruncated           bool
	EncodingType          string `xml:",omitempty"`
	ContinuationToken     string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
	StartAfter            string `xml:",omitempty"`
	Contents              []listedObject
	CommonPrefixes        []commonPrefix
}

// encoding writes keys as the caller asked for: as they are, or percent-encoded.
func encoding(q url.Values) (func(string) string, error) {
	switch t := q.Get("encoding-type"); t {
	case "":
		return func(s string) string { return s }, nil
	case "url":
		return func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "%2F", "/") }, nil
	default:
		return nil, invalidArgument("Invalid Encoding Method specified in Request", "encoding-type", t)
	}
}

// listKeys are the condition keys of a listing.
func listKeys(q url.Values) conditions {
	keys := conditions{}
	for _, name := range []string{"prefix", "delimiter", "max-keys"} {
		if q.Has(name) {
			keys["s3:"+name] = []string{q.Get(name)}
		}
	}
	return keys
}

// list answers the part that both versions have in common.
func list(c *engine.Call, r *engine.Request, after func(url.Values) (string, error)) (*listing, *listBucketResult, error) {
	q := r.URL.Query()
	t, err := open(c, r, "s3:ListBucket", listKeys(q))
	if err != nil {
		return nil, nil, err
	}
	l := &listing{Prefix: q.Get("prefix"), Delimiter: q.Get("delimiter"), Max: maxPage}
	if s := q.Get("max-keys"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return nil, nil, invalidArgument("Argument maxKeys must be an integer between 0 and 2147483647", "maxKeys", s)
		}
		l.Max = min(n, maxPage)
	}
	if l.After, err = after(q); err != nil {
		return nil, nil, err
	}
	encode, err := encoding(q)
	if err != nil {
		return nil, nil, err
	}
	if err := l.read(c.Tx, t.bucket.Name); err != nil {
		return nil, nil, err
	}
	out := &listBucketResult{XMLNS: namespace, Name: t.bucket.Name, Prefix: encode(l.Prefix), MaxKeys: l.Max, Delimiter: encode(l.Delimiter),
		IsTruncated: l.Truncated, EncodingType: q.Get("encoding-type")}
	for _, o := range l.Objects {
		item := listedObject{Key: encode(o.Key), LastModified: xmlTime(o.Modified), ETag: quote(o.ETag), Size: o.Size, StorageClass: shownClass(o.StorageClass), ChecksumAlgorithm: algorithmsOf(o.Checksums)}
		if len(o.Checksums) > 0 {
			item.ChecksumType = checksumType(o.Composite)
		}
		if q.Get("list-type") != "2" || q.Get("fetch-owner") == "true" {
			item.Owner = ownerOf(t.bucket.Account)
		}
		out.Contents = append(out.Contents, item)
	}
	for _, p := range l.Prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, commonPrefix{encode(p)})
	}
	return l, out, nil
}

func listObjects(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	l, out, err := list(c, r, func(q url.Values) (string, error) { return q.Get("marker"), nil })
	if err != nil {
		return nil, err
	}
	encode, err := encoding(r.URL.Query())
	if err != nil {
		return nil, err
	}
	marker := encode(l.After)
	out.Marker = &marker
	// Without a delimiter the client goes on behind the last key.
	if l.Truncated && l.Delimiter != "" {
		out.NextMarker = encode(l.Last)
	}
	return answerXML(out)
}

func listObjectsV2(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	q := r.URL.Query()
	l, out, err := list(c, r, func(q url.Values) (string, error) {
		token := q.Get("continuation-token")
		if !q.Has("continuation-token") {
			return q.Get("start-after"), nil
		}
		after, err := base64.StdEncoding.DecodeString(token)
		if err != nil || len(after) == 0 {
			return "", invalidArgument("The continuation token provided is incorrect", "continuation-token", token)
		}
		return string(after), nil
	})
	if err != nil {
		return nil, err
	}
	encode, err := encoding(q)
	if err != nil {
		return nil, err
	}
	n := len(out.Contents) + len(out.CommonPrefixes)
	out.KeyCount = &n
	out.ContinuationToken = q.Get("continuation-token")
	out.StartAfter = encode(q.Get("start-after"))
	if l.Truncated {
		out.NextContinuationToken = base64.StdEncoding.EncodeToString([]byte(l.Last))
	}
	return answerXML(out)
}
