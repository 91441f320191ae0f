package s3

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html

import (
	"encoding/xml"
	"slices"
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

type objectAttributes struct {
	XMLName      xml.Name           `xml:"GetObjectAttributesResponse"`
	XMLNS        string             `xml:"xmlns,attr"`
	ETag         string             `xml:",omitempty"`
	Checksum     *attributeChecksum `xml:",omitempty"`
	ObjectParts  *attributeParts    `xml:",omitempty"`
	StorageClass string             `xml:",omitempty"`
	ObjectSize   *int64             `xml:",omitempty"`
}

type attributeChecksum struct {
	checksumElements
	ChecksumType string
}

type attributeParts struct {
	IsTruncated          *bool `xml:",omitempty"`
	MaxParts             *int  `xml:",omitempty"`
	NextPartNumberMarker *int  `xml:",omitempty"`
	PartNumberMarker     *int  `xml:",omitempty"`
	Part                 []attributePart
	PartsCount           int
}

type attributePart struct {
	PartNumber int
	Size       int64
	checksumElements
}

func getObjectAttributes(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, f, err := openObject(c, r, "s3:GetObject")
	if err != nil {
		return nil, err
	}
	o := f.Object
	if err := authorize(c, t.bucket, versionAction("s3:GetObjectAttributes", r.URL.Query()), t.arn(), nil); err != nil {
		return nil, err
	}
	if err := decrypt(c, t, o); err != nil {
		return nil, err
	}
	asked, err := attributesAsked(r)
	if err != nil {
		return nil, err
	}
	out := objectAttributes{XMLNS: namespace}
	for _, a := range asked {
		switch a {
		case "ETag":
			out.ETag = o.ETag
		case "Checksum":
			if len(o.Checksums) > 0 {
				out.Checksum = &attributeChecksum{elementsOf(o.Checksums), checksumType(o.Composite)}
			}
		case "ObjectParts":
			if out.ObjectParts, err = partsOf(r, o); err != nil {
				return nil, err
			}
		case "StorageClass":
			out.StorageClass = shownClass(o.StorageClass)
		case "ObjectSize":
			out.ObjectSize = &o.Size
		}
	}
	resp, err := answerXML(out)
	if err == nil {
		resp.Header.Set("Last-Modified", httpTime(o.Modified))
		showVersion(resp.Header, t.bucket, versionID(o))
	}
	return resp, err
}

func attributesAsked(r *engine.Request) ([]string, error) {
	var asked []string
	for _, line := range r.Header.Values("X-Amz-Object-Attributes") {
		for name := range strings.SplitSeq(line, ",") {
			asked = append(asked, strings.TrimSpace(name))
		}
	}
	for _, name := range asked {
		if !slices.Contains([]string{"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"}, name) {
			return nil, invalidArgument("Invalid attribute name specified.", "x-amz-object-attributes", name)
		}
	}
	if len(asked) == 0 {
		return nil, invalidArgument("The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty", "x-amz-object-attributes", "")
	}
	return asked, nil
}

// partsOf tells the parts of an object that was uploaded in parts. Which they are is
// told if they have checksums of their own
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html#API_GetObjectAttributes_RequestSyntax).
func partsOf(r *engine.Request, o state.Object) (*attributeParts, error) {
	if len(o.Parts) == 0 {
		return nil, nil
	}
	out := &attributeParts{PartsCount: len(o.Parts)}
	if !o.Composite {
		return out, nil
	}
	limit, after := maxPage, 0
	for name, into := range map[string]*int{"X-Amz-Max-Parts": &limit, "X-Amz-Part-Number-Marker": &after} {
		if s := r.Header.Get(name); s != "" {
			n, err := strconv.Atoi(s)
			if err != nil || n < 0 {
				return nil, invalidArgument("Argument must be an integer that is not negative", strings.ToLower(name), s)
			}
			*into = n
		}
	}
	limit = min(limit, maxPage)
	truncated, next := false, 0
	for _, p := range o.Parts {
		if p.Number <= after {
			continue
		}
		if len(out.Part) == limit {
			truncated = true
			break
		}
		out.Part = append(out.Part, attributePart{p.Number, p.Size, elementsOf(p.Checksums)})
		next = p.Number
	}
	out.IsTruncated, out.MaxParts, out.PartNumberMarker, out.NextPartNumberMarker = &truncated, &limit, &after, &next
	return out, nil
}
