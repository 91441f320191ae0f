// Package places tells where the data of a table is. A table has places, not a
// location: what the definition calls its location can hold nothing but manifests or
// pointers, or stand for nothing at all, and partitions lie where they were put.
//
// It asks nothing and changes nothing. What a definition does not tell it says, so that
// nobody takes silence for completeness. An Iceberg table's properties stand in its
// metadata, and in the catalog only if the engine that wrote them copies them there
// (https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-alter-table-set-properties.html):
// a path that only the metadata names is not known here.
package places

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/internal/storage"
)

// From is what names a place, in words for a reader.
type From string

// What names places.
const (
	Location   From = "Location"
	Additional From = "AdditionalLocations"
	SerdePath  From = "path of the serde"
	Template   From = "storage.location.template"
	Metadata   From = "metadata_location"
	Manifests  From = "the manifests in its location"
	Provider   From = "write.location-provider.impl"
	Partition  From = "partition"
)

// icebergPaths are the properties of an Iceberg table that put files elsewhere. The
// second and the third are older names of the first
// (https://iceberg.apache.org/docs/latest/aws/#object-store-file-layout).
var icebergPaths = []From{"write.data.path", "write.object-storage.path", "write.folder-storage.path", "write.metadata.path"}

// Place is a place of a table.
type Place struct {
	storage.Place
	// From is what names it, Written how it is written there.
	From    From
	Written string
	// Values are those of the partition, if that names it.
	Values []string
}

// Unknown is a place that cannot be told.
type Unknown struct {
	// From is what would have to name it, Written what it says.
	From    From
	Written string
	// Why says why it cannot be told.
	Why string
}

// String is a sentence without a subject: "its ... ".
func (u Unknown) String() string {
	if u.Written == "" {
		return fmt.Sprintf("%s: %s", u.From, u.Why)
	}
	return fmt.Sprintf("%s (%s): %s", u.From, u.Written, u.Why)
}

// Table is where the data of a table is.
type Table struct {
	// Places are the table's places, none below another: the location first, if it is
	// one, then what the definition names besides.
	Places []Place
	// Unknown are those that the definition does not tell.
	Unknown []Unknown
}

// Of tells the places that a table's definition names: its storage descriptor, which
// may be nil, and its parameters.
func Of(d *types.StorageDescriptor, parameters map[string]string) Table {
	var t Table
	if d == nil {
		d = &types.StorageDescriptor{}
	}
	serdePath := serdePath(d)
	location := aws.ToString(d.Location)
	switch {
	case !isPlaceholder(location):
		t.add(Location, location)
		if provider(parameters) && serdePath != "" {
			// Spark reads a table of its own there, whatever the location is.
			t.add(SerdePath, serdePath)
		}
	case serdePath != "":
		t.add(SerdePath, serdePath)
	default:
		t.unknown(Location, location, "it stands for no place, and the serde has no path")
	}
	for _, additional := range d.AdditionalLocations {
		t.add(Additional, additional)
	}
	if strings.HasSuffix(aws.ToString(d.InputFormat), "SymlinkTextInputFormat") && len(d.AdditionalLocations) == 0 {
		t.unknown(Manifests, "", "the table is a list of files elsewhere, and has no AdditionalLocations that say where")
	}
	t.addTemplate(parameters)
	if strings.EqualFold(parameters["table_type"], "ICEBERG") {
		t.addIceberg(parameters)
	}
	return t
}

// addTemplate adds the place below which projected partitions are
// (https://docs.aws.amazon.com/athena/latest/ug/partition-projection-setting-up.html).
func (t *Table) addTemplate(parameters map[string]string) {
	template := parameters[string(Template)]
	if template == "" || strings.EqualFold(parameters["projection.enabled"], "false") {
		return
	}
	fixed, _, variable := strings.Cut(template, "${")
	if !variable {
		t.add(Template, template)
		return
	}
	// What is fixed may end within a folder's name.
	folder := fixed[:strings.LastIndexByte(fixed, '/')+1]
	if p, ok := storage.ParsePlace(folder); ok && p.Prefix == "" {
		if !t.Covers(p) {
			t.unknown(Template, template, "it begins with a variable, so that it could be anywhere in the bucket")
		}
		return
	}
	t.addWritten(Template, folder, template)
}

func (t *Table) addIceberg(parameters map[string]string) {
	for _, property := range icebergPaths {
		if p := parameters[string(property)]; p != "" {
			t.add(property, p)
		}
	}
	if pointer := parameters[string(Metadata)]; pointer != "" {
		t.addWritten(Metadata, pointer[:strings.LastIndexByte(pointer, '/')+1], pointer)
	}
	if class := parameters[string(Provider)]; class != "" {
		t.unknown(Provider, class, "a program of the table's own decides where files are")
	}
}

// Elsewhere is where a partition lies, if that is none of the table's places. Its
// Bucket is empty if it is not in S3.
func (t *Table) Elsewhere(p *types.Partition) (_ Place, ok bool) {
	if p.StorageDescriptor == nil || aws.ToString(p.StorageDescriptor.Location) == "" {
		return Place{}, false
	}
	stray := Place{From: Partition, Written: aws.ToString(p.StorageDescriptor.Location), Values: p.Values}
	where, ok := storage.ParsePlace(stray.Written)
	if ok && t.Covers(where) {
		return Place{}, false
	}
	stray.Place = where
	return stray, true
}

// AddPartition adds the place of a partition, unless it lies in one that is known, and
// reports whether it lies elsewhere.
func (t *Table) AddPartition(p *types.Partition) bool {
	stray, ok := t.Elsewhere(p)
	switch {
	case !ok:
	case stray.Bucket == "":
		t.unknown(Partition, stray.Written, "it is not a place in S3")
	default:
		t.put(stray)
	}
	return ok
}

// Covers reports whether a place is one of the table's, or lies below one.
func (t *Table) Covers(p storage.Place) bool {
	return slices.ContainsFunc(t.Places, func(have Place) bool { return have.Covers(p) })
}

// Location is the place that the table's location is. ok is false if it is none.
func (t *Table) Location() (_ storage.Place, ok bool) {
	for _, p := range t.Places {
		if p.From == Location {
			return p.Place, true
		}
	}
	return storage.Place{}, false
}

func (t *Table) add(from From, written string) { t.addWritten(from, written, written) }

// addWritten adds what is at a location, which stands for what is written.
func (t *Table) addWritten(from From, location, written string) {
	if location == "" && from == Location {
		return
	}
	folder, ok := storage.ParsePlace(location)
	if !ok {
		t.unknown(from, written, "it is not a place in S3")
		return
	}
	t.put(Place{Place: folder, From: from, Written: written})
	if file, ok := asFile(folder, location); ok {
		t.put(Place{Place: file, From: from, Written: written})
	}
}

// put adds a place unless another covers it. The location is never left out, since a
// table is registered by it.
func (t *Table) put(p Place) {
	if t.Covers(p.Place) {
		return
	}
	t.Places = slices.DeleteFunc(t.Places, func(have Place) bool { return have.From != Location && p.Covers(have.Place) })
	t.Places = append(t.Places, p)
}

func (t *Table) unknown(from From, written, why string) {
	t.Unknown = append(t.Unknown, Unknown{From: from, Written: written, Why: why})
}

// serdePath is where Spark has noted where a table of its own is.
func serdePath(d *types.StorageDescriptor) string {
	if d.SerdeInfo == nil {
		return ""
	}
	for _, key := range []string{"path", "Path", "PATH"} {
		if p := d.SerdeInfo.Parameters[key]; p != "" {
			return p
		}
	}
	return ""
}

// provider reports whether Spark made the table for one of its data sources.
func provider(parameters map[string]string) bool {
	return parameters["spark.sql.sources.provider"] != ""
}

// isPlaceholder reports whether a location is what Spark writes where Hive asks for one.
func isPlaceholder(location string) bool {
	return strings.HasSuffix(strings.TrimRight(location, "/"), "__PLACEHOLDER__")
}

// dataFiles are the endings of files with data. Nothing else tells a file from a folder,
// and Spark gives such names to folders as well: both are the table's places.
var dataFiles = []string{".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".xml", ".parquet", ".orc", ".avro",
	".gz", ".bz2", ".zip", ".zst", ".snappy", ".lz4", ".lzo", ".deflate"}

// asFile is the one object that a location names, if it may name one.
func asFile(folder storage.Place, location string) (storage.Place, bool) {
	if strings.HasSuffix(location, "/") || !slices.Contains(dataFiles, strings.ToLower(path.Ext(location))) || folder.Prefix == "" {
		return storage.Place{}, false
	}
	return storage.Place{Bucket: folder.Bucket, Prefix: strings.TrimSuffix(folder.Prefix, "/")}, true
}
