package s3

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html

import (
	"encoding/xml"
	"net/http"
	"strconv"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// nullVersion is the id of the one version that an object of a bucket without
// versions has.
const nullVersion = "null"

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
	CommonPrefixes      []commonPrefix
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
	l := &listing{Prefix: q.Get("prefix"), Delimiter: q.Get("delimiter"), After: q.Get("key-marker"), Max: maxPage}
	if s := q.Get("max-keys"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return nil, invalidArgument("Argument maxKeys must be an integer between 0 and 2147483647", "maxKeys", s)
		}
		l.Max = min(n, maxPage)
	}
	switch v := q.Get("version-id-marker"); {
	case q.Has("version-id-marker") && q.Get("key-marker") == "":
		return nil, invalidArgument("A version-id marker cannot be specified without a key marker.", "version-id-marker", v)
	case v != "" && v != nullVersion:
		return nil, invalidArgument("Invalid version id specified", "version-id-marker", v)
	}
	encode, err := encoding(q)
	if err != nil {
		return nil, err
	}
	if err := l.read(c.Tx, t.bucket.Name); err != nil {
		return nil, err
	}
	out := listVersionsResult{XMLNS: namespace, Name: t.bucket.Name, Prefix: encode(l.Prefix), KeyMarker: encode(l.After), VersionIdMarker: q.Get("version-id-marker"),
		MaxKeys: l.Max, Delimiter: encode(l.Delimiter), IsTruncated: l.Truncated, EncodingType: q.Get("encoding-type")}
	for _, o := range l.Objects {
		v := listedVersion{ETag: quote(o.ETag), ChecksumAlgorithm: algorithmsOf(o.Checksums), Size: o.Size, StorageClass: shownClass(o.StorageClass),
			Key: encode(o.Key), VersionId: nullVersion, IsLatest: true, LastModified: xmlTime(o.Modified), Owner: ownerOf(t.bucket.Account)}
		if len(o.Checksums) > 0 {
			v.ChecksumType = checksumType(o.Composite)
		}
		out.Version = append(out.Version, v)
	}
	for _, p := range l.Prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, commonPrefix{encode(p)})
	}
	if l.Truncated {
		out.NextKeyMarker = encode(l.Last)
		// Behind a common prefix there is no version.
		if len(l.Prefixes) == 0 || l.Prefixes[len(l.Prefixes)-1] != l.Last {
			out.NextVersionIdMarker = nullVersion
		}
	}
	return answerXML(out)
}

type versioningConfiguration struct {
	XMLName   xml.Name `xml:"VersioningConfiguration"`
	XMLNS     string   `xml:"xmlns,attr,omitempty"`
	Status    string   `xml:",omitempty"`
	MfaDelete string   `xml:",omitempty"`
}

func getBucketVersioning(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:GetBucketVersioning", nil)
	if err != nil {
		return nil, err
	}
	out := versioningConfiguration{XMLNS: namespace}
	if t.bucket.Suspended {
		out.Status = "Suspended"
	}
	return answerXML(out)
}

// putBucketVersioning refuses to keep versions, which the mesh does not: a program that
// relies on getting back what it has overwritten would find out too late.
func putBucketVersioning(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:PutBucketVersioning", nil)
	if err != nil {
		return nil, err
	}
	var in versioningConfiguration
	if err := readXML(c, r, &in); err != nil {
		return nil, err
	}
	if in.MfaDelete == "Enabled" {
		return nil, notImplemented("Element", "MfaDelete")
	}
	switch in.Status {
	case "Suspended":
		t.bucket.Suspended = true
	case "Enabled":
		return nil, notImplemented("Element", "Status")
	default:
		return nil, failure(http.StatusBadRequest, "IllegalVersioningConfigurationException", "The Versioning element must be specified").APIError
	}
	if err := state.S3Buckets.Put(c.Tx, t.bucket, t.bucket.Name); err != nil {
		return nil, err
	}
	return answerEmpty(http.StatusOK)
}
