package athena

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
	"github.com/lakemesh/lakemesh/localmesh/internal/athena/files"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// An Iceberg table is read through its metadata: the current snapshot, its list of manifests,
// and their data files (https://iceberg.apache.org/spec/). Deletes are not applied, so a table
// that has some is refused.

func isIceberg(t state.Table) bool { return strings.EqualFold(t.Parameters["table_type"], "iceberg") }

// icebergMetadata is what of a table's metadata is needed.
type icebergMetadata struct {
	Version  int             `json:"format-version"`
	Snapshot *int64          `json:"current-snapshot-id"`
	Schema   *icebergSchema  `json:"schema"`
	Schemas  []icebergSchema `json:"schemas"`
	Current  int             `json:"current-schema-id"`
	Specs    []struct {
		Fields []struct {
			Source    int    `json:"source-id"`
			Transform string `json:"transform"`
		} `json:"fields"`
	} `json:"partition-specs"`
	Snapshots []struct {
		ID        int64    `json:"snapshot-id"`
		List      string   `json:"manifest-list"`
		Manifests []string `json:"manifests"`
	} `json:"snapshots"`
}

type icebergSchema struct {
	ID     int `json:"schema-id"`
	Fields []struct {
		ID   int             `json:"id"`
		Name string          `json:"name"`
		Type json.RawMessage `json:"type"`
	} `json:"fields"`
}

// fetch reads a file of the table.
func (t *table) fetch(location string) ([]byte, error) {
	bucket, key, ok := split(location)
	if !ok || key == "" {
		return nil, &dialect.Error{Code: "ICEBERG_BAD_DATA", Message: "a file of the table " + t.reading.Table.Name + " is not in Amazon S3"}
	}
	client, err := t.client(location)
	if err != nil {
		return nil, err
	}
	return t.gate.get(client, bucket, key)
}

// metadata reads the table's metadata.
func (t *table) metadata() (icebergMetadata, error) {
	var m icebergMetadata
	location := t.reading.Table.Parameters["metadata_location"]
	if location == "" {
		return m, &dialect.Error{Code: "ICEBERG_INVALID_METADATA", Message: "Table is missing [metadata_location] property: " + t.reading.Table.Name}
	}
	content, err := t.fetch(location)
	if err != nil {
		return m, err
	}
	if bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(content))
		if err == nil {
			content, err = io.ReadAll(io.LimitReader(z, files.MaxUnpacked))
		}
		if err != nil {
			return m, badIceberg(t)
		}
	}
	if err := json.Unmarshal(content, &m); err != nil {
		return m, badIceberg(t)
	}
	if m.Version > 2 {
		return m, lacking("Iceberg's format version %d", m.Version)
	}
	return m, nil
}

func badIceberg(t *table) error {
	return &dialect.Error{Code: "ICEBERG_INVALID_METADATA", Message: "the metadata of the table " + t.reading.Table.Name + " cannot be read"}
}

// schema is the current one.
func (m icebergMetadata) schema() *icebergSchema {
	for i := range m.Schemas {
		if m.Schemas[i].ID == m.Current {
			return &m.Schemas[i]
		}
	}
	return m.Schema
}

// columns are the table's columns, with their ids and types in Iceberg. A column that the
// current schema has not is none.
func (t *table) icebergColumns(m icebergMetadata) ([]files.Column, error) {
	schema := m.schema()
	if schema == nil {
		return nil, badIceberg(t)
	}
	identity := map[int]bool{}
	for _, s := range m.Specs {
		for _, f := range s.Fields {
			identity[f.Source] = identity[f.Source] || f.Transform == "identity"
		}
	}
	out := slices.Clone(t.all[:t.keys])
	for i := range out {
		out[i].Gone = true
		for _, f := range schema.Fields {
			if !strings.EqualFold(f.Name, out[i].Name) {
				continue
			}
			out[i].Gone, out[i].ID, out[i].InFile = false, f.ID, identity[f.ID]
			if out[i].Type.Kind >= dialect.Array && len(m.Schemas) > 1 {
				// Fields are found by their names, which may have been others.
				out[i].Renamed = true
			}
			if text := string(f.Type); out[i].Type.Kind == dialect.Timestamp || out[i].Type.Kind == dialect.TimestampTZ {
				out[i].Type = icebergTime(text)
			}
		}
	}
	return out, nil
}

func icebergTime(text string) dialect.Type {
	if text == `"timestamptz"` {
		return dialect.Type{Kind: dialect.TimestampTZ, Precision: 6}
	}
	return dialect.Type{Kind: dialect.Timestamp, Precision: 6}
}

// openIceberg looks at the metadata before the query is typed: the columns are those of the
// current schema.
func (t *table) openIceberg() error {
	if len(t.places) == 0 {
		// Nothing of it may be shown, and nothing is read.
		return nil
	}
	m, err := t.metadata()
	if err != nil {
		return err
	}
	t.snapshot = &m
	columns, err := t.icebergColumns(m)
	if err != nil {
		return err
	}
	var shown []dialect.Column
	var places []int
	var cells []*condition
	for i, place := range t.places {
		if place < t.keys && columns[place].Gone {
			continue
		}
		c := t.shown.Columns[i]
		if place < t.keys {
			if c.Type.Kind == dialect.Timestamp {
				c.Type = columns[place].Type
			}
			if columns[place].Renamed {
				c.Fault = fmt.Errorf("a nested column of an Iceberg table whose schema has changed is not in the local mesh")
			}
		}
		shown, places, cells = append(shown, c), append(places, place), append(cells, t.cells[i])
	}
	t.shown.Columns, t.places, t.cells = shown, places, cells
	copy(t.all, columns)
	return nil
}

// iceberg finds the data files of the current snapshot.
func (t *table) iceberg() ([]file, error) {
	m := t.snapshot
	if m.Snapshot == nil || *m.Snapshot < 0 {
		return nil, nil
	}
	for _, s := range m.Snapshots {
		if s.ID != *m.Snapshot {
			continue
		}
		manifests := s.Manifests
		if s.List != "" {
			records, err := t.avro(s.List)
			if err != nil {
				return nil, err
			}
			for _, r := range records {
				path, _ := r["manifest_path"].(string)
				manifests = append(manifests, path)
			}
		}
		return t.dataFiles(manifests)
	}
	return nil, badIceberg(t)
}

func (t *table) avro(location string) ([]map[string]any, error) {
	content, err := t.fetch(location)
	if err != nil {
		return nil, err
	}
	records, err := files.Avro(content)
	if err != nil {
		if own := (*dialect.Error)(nil); errors.As(err, &own) {
			return nil, own
		}
		return nil, badIceberg(t)
	}
	return records, nil
}

// dataFiles are those of manifests that were not removed.
func (t *table) dataFiles(manifests []string) ([]file, error) {
	var all []file
	layout := files.Layout{Library: "ParquetHiveSerDe", Columns: t.all[:t.keys]}
	for _, location := range manifests {
		records, err := t.avro(location)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			if status, _ := r["status"].(int64); status == 2 {
				continue
			}
			data, ok := r["data_file"].(map[string]any)
			if !ok {
				return nil, badIceberg(t)
			}
			if content, _ := data["content"].(int64); content != 0 {
				return nil, lacking("reading an Iceberg table with deletes (%s)", t.reading.Table.Name)
			}
			if format, _ := data["file_format"].(string); !strings.EqualFold(format, "parquet") {
				return nil, lacking("an Iceberg table with files of the format %s", format)
			}
			path, _ := data["file_path"].(string)
			bucket, key, ok := split(path)
			if !ok || key == "" {
				return nil, badIceberg(t)
			}
			client, err := t.client(path)
			if err != nil {
				return nil, err
			}
			all = append(all, file{client: client, bucket: bucket, key: key, layout: layout})
		}
	}
	return all, nil
}
