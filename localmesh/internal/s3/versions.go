package s3

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

type listVersionsResult struct {
	XMLName             xml.Name `xml:"ListVersionsResult"`
	XMLNS               string   `xml:"xmlns,attr"`
	Name                string
	Prefix              string
	KeyMarker           string
	VersionIdMarker     string
	NextKeyMarker       string `xml:",omitempty"`
	NextVersionIdMarker string `xml:",omitempty"`
	MaxKeys             int
	Delimiter           string `xml:",omitempty"`
	IsTruncated         bool
	EncodingType        string `xml:",omitempty"`
	Version             []listedVersion
	DeleteMarker        []listedMarker
	CommonPrefixes      []commonPrefix
}

type listedMarker struct {
	Key          string
	VersionId    string
	IsLatest     bool
	LastModified string
	Owner        *owner
}

type listedVersion struct {
	ETag              string
	ChecksumAlgorithm []string `xml:",omitempty"`
	ChecksumType      string   `xml:",omitempty"`
	Size              int64
	StorageClass      string
	Key               string
	VersionId         string
	IsLatest          bool
	LastModified      string
	Owner             *owner
}

func listObjectVersions(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	q := r.URL.Query()
	t, err := open(c, r, "s3:ListBucketVersions", listKeys(q))
	if err != nil {
		return nil, err
	}
	limit := maxPage
	if s := q.Get("max-keys"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return nil, invalidArgument("Argument maxKeys must be an integer between 0 and 2147483647", "maxKeys", s)
		}
		limit = min(n, maxPage)
	}
	keyMarker, idMarker := q.Get("key-marker"), q.Get("version-id-marker")
	if q.Has("version-id-marker") && (keyMarker == "" || idMarker == "") {
		return nil, invalidArgument("A version-id marker cannot be specified without a key marker.", "version-id-marker", idMarker)
	}
	encode, err := encoding(q)
	if err != nil {
		return nil, err
	}
	all, err := everyVersion(c, t.bucket.Name, q.Get("prefix"))
	if err != nil {
		return nil, err
	}
	prefix, delimiter := q.Get("prefix"), q.Get("delimiter")
	out := listVersionsResult{XMLNS: namespace, Name: t.bucket.Name, Prefix: encode(prefix), KeyMarker: encode(keyMarker), VersionIdMarker: idMarker,
		MaxKeys: limit, Delimiter: encode(delimiter), EncodingType: q.Get("encoding-type")}
	// Behind the marker's version of its key, or behind all of them.
	passed, n, lastKey, lastID := idMarker == "", 0, "", ""
	for _, v := range all {
		if v.Key < keyMarker || v.Key == keyMarker && idMarker == "" {
			continue
		}
		if v.Key == keyMarker && !passed {
			passed = versionID(v.Object) == idMarker
			continue
		}
		common := ""
		if i := strings.Index(v.Key[len(prefix):], delimiter); delimiter != "" && i >= 0 {
			common = v.Key[:len(prefix)+i+len(delimiter)]
		}
		if common != "" && (common == lastKey && lastID == "" || common == keyMarker) {
			continue
		}
		if n == limit {
			out.IsTruncated = limit > 0
			out.NextKeyMarker, out.NextVersionIdMarker = encode(lastKey), lastID
			break
		}
		n++
		if common != "" {
			out.CommonPrefixes = append(out.CommonPrefixes, commonPrefix{encode(common)})
			lastKey, lastID = common, ""
			continue
		}
		out.add(v, encode, t.bucket.Account)
		lastKey, lastID = v.Key, versionID(v.Object)
	}
	return answerXML(out)
}

// add lists a version, or a delete marker.
func (out *listVersionsResult) add(v listable, encode func(string) string, account string) {
	if v.Marker {
		out.DeleteMarker = append(out.DeleteMarker, listedMarker{Key: encode(v.Key), VersionId: versionID(v.Object), IsLatest: v.latest,
			LastModified: xmlTime(v.Modified), Owner: ownerOf(account)})
		return
	}
	item := listedVersion{ETag: quote(v.ETag), ChecksumAlgorithm: algorithmsOf(v.Checksums), Size: v.Size, StorageClass: shownClass(v.StorageClass),
		Key: encode(v.Key), VersionId: versionID(v.Object), IsLatest: v.latest, LastModified: xmlTime(v.Modified), Owner: ownerOf(account)}
	if len(v.Checksums) > 0 {
		item.ChecksumType = checksumType(v.Composite)
	}
	out.Version = append(out.Version, item)
}

// listable is a version as it is listed.
type listable struct {
	state.Version
	latest bool
}

// everyVersion are all versions of the keys with a prefix: by key, newest first.
func everyVersion(c *engine.Call, bucket, prefix string) ([]listable, error) {
	var all []listable
	var failed error
	base := bucket + store.Separator
	c.Tx.Scan(state.Objects.Bucket, base+prefix, "", func(_ string, value []byte) bool {
		var o state.Object
		if failed = json.Unmarshal(value, &o); failed == nil {
			all = append(all, listable{state.Version{Object: o, Order: maxOrder}, true})
		}
		return failed == nil
	})
	current := len(all)
	c.Tx.Scan(state.Versions.Bucket, base+prefix, "", func(_ string, value []byte) bool {
		var v state.Version
		if failed = json.Unmarshal(value, &v); failed == nil {
			all = append(all, listable{v, false})
		}
		return failed == nil
	})
	if failed != nil {
		return nil, fmt.Errorf("versions in %s: %w", bucket, failed)
	}
	if current < len(all) {
		slices.SortStableFunc(all, func(a, b listable) int { return cmp.Or(strings.Compare(a.Key, b.Key), b.Order-a.Order) })
	}
	for i := range all {
		all[i].latest = i == 0 || all[i-1].Key != all[i].Key
	}
	return all, nil
}
