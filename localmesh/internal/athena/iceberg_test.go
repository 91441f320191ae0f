package athena_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// things is an Iceberg table that pyiceberg has written: three rows, then a column renamed from
// name to label, one added and one removed, then a fourth row.
func (w *world) things() {
	w.t.Helper()
	files, err := filepath.Glob("testdata/things/*/*")
	w.must(nil, err)
	metadata := ""
	for _, f := range files {
		content, err := os.ReadFile(f)
		w.must(nil, err)
		w.put(strings.TrimPrefix(filepath.ToSlash(f), "testdata/"), string(content))
		if strings.HasSuffix(f, ".metadata.json") && f > metadata {
			metadata = f
		}
	}
	w.table("things", "id bigint, label string, ts timestamp, price decimal(10,2), extra string, name string, gone string", "", func(in *gluetypes.TableInput) {
		in.StorageDescriptor.SerdeInfo = nil
		in.Parameters = map[string]string{"table_type": "ICEBERG", "metadata_location": "s3://data/" + strings.TrimPrefix(filepath.ToSlash(metadata), "testdata/")}
	})
}

func TestIceberg(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.governed()
	w.things()
	role := w.role("Analyst", analyst...)
	w.grant(role, table("things"), sel)
	for sql, want := range map[string]string{
		"SELECT * FROM things ORDER BY id":          "1|ann|2024-01-01 01:02:03.456789|1.50|∅\n2|bob|2024-01-01 01:02:03.456789|1.50|∅\n3|∅|2024-01-01 01:02:03.456789|1.50|∅\n4|eve|∅|∅|new",
		"SELECT count(*), sum(price) FROM things":   "4|4.50",
		"SELECT id FROM things WHERE label = 'bob'": "2",
		"SELECT gone FROM things":                   "COLUMN_NOT_FOUND: line 1:8: Column 'gone' cannot be resolved or requester is not authorized to access requested resources",
	} {
		if got := w.askAs(role, sql); got != want {
			t.Errorf("%s\n got %q\nwant %q", sql, got, want)
		}
	}
	w.revoke(role, table("things"), sel)
	w.grant(role, onColumns("things", "id"), sel)
	if got := w.askAs(role, "SELECT * FROM things ORDER BY id LIMIT 1"); got != "1" {
		t.Errorf("one column: %s", got)
	}
	if got := w.askAs(role, "SELECT label FROM things"); !strings.HasPrefix(got, "COLUMN_NOT_FOUND") {
		t.Errorf("another column: %s", got)
	}
}

// Files that are cut off or of another kind fail the query, and nothing else.
func TestBrokenFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	parquetFile, err := filepath.Glob("testdata/things/data/*.parquet")
	w.must(nil, err)
	content, err := os.ReadFile(parquetFile[0])
	w.must(nil, err)
	w.table("broken", "id bigint, name string", parq)
	for _, text := range []string{"PAR1", string(content[:len(content)/2]), "PAR1" + string(content[len(content)-300:]), strings.Repeat("x", 1000)} {
		w.put("broken/a.parquet", text)
		if got := w.ask("SELECT * FROM broken"); !strings.Contains(got, ": ") || strings.Contains(got, "panic") {
			t.Errorf("%.20q: %s", text, got)
		}
	}
	// A number is not read as a text.
	w.table("mistyped", "id string", parq)
	w.put("mistyped/a.parquet", string(content))
	if got := w.ask("SELECT * FROM mistyped"); !strings.Contains(got, "HIVE_BAD_DATA: Field id's type") {
		t.Errorf("another type: %s", got)
	}
	w.table("zipped", "id bigint", text)
	w.put("zipped/a.gz", "no gzip")
	if got := w.ask("SELECT * FROM zipped"); !strings.Contains(got, "not packed with gzip") {
		t.Errorf("no gzip: %s", got)
	}
	w.table("things", "id bigint", "", func(in *gluetypes.TableInput) {
		in.Parameters = map[string]string{"table_type": "ICEBERG", "metadata_location": "s3://data/things/m.json"}
	})
	for _, text := range []string{"", "{", `{"format-version":3}`, `{"format-version":2,"current-snapshot-id":1,"schema":{"fields":[{"id":1,"name":"id","type":"long"}]}}`} {
		w.put("things/m.json", text)
		if got := w.ask("SELECT * FROM things"); !strings.Contains(got, "ICEBERG_INVALID_METADATA") && !strings.Contains(got, "not in the local mesh") {
			t.Errorf("%q: %s", text, got)
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.table("events", "id int, tags array<string>, at struct<lat:double,lon:double>, counts map<string,int>, note string", lines)
	w.put("events/a.json", `{"ID": 1, "tags": ["a","b"], "at": {"lat": 1, "lon": 2.5}, "counts": {"x": 1}, "note": "n"}`+"\n\n"+`{"id": 2, "tags": [], "at": null, "other": true}`+"\n")
	for sql, want := range map[string]string{
		"SELECT * FROM events ORDER BY id":                                                             "1|[a, b]|{lat=1.0, lon=2.5}|{x=1}|n\n2|[]|∅|∅|∅",
		"SELECT at.lat, tags[1], counts['x'], element_at(tags, 3) FROM events WHERE id = 1":            "1.0|a|1|∅",
		"SELECT e.id, t.tag FROM events e CROSS JOIN UNNEST(e.tags) AS t(tag) ORDER BY 2":              "1|a\n1|b",
		"SELECT k, v FROM events CROSS JOIN UNNEST(counts) AS t(k, v)":                                 "x|1",
		"SELECT cardinality(tags), contains(tags, 'b'), array_join(tags, '-') FROM events ORDER BY id": "2|true|a-b\n0|false|",
		"SELECT tags[3] FROM events WHERE id = 1":                                                      "INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: 3 > 2",
	} {
		if got := w.ask(sql); got != want {
			t.Errorf("%s\n got %q\nwant %q", sql, got, want)
		}
	}
	w.put("events/b.json", `{"id": "no number"}`)
	if got := w.ask("SELECT id FROM events"); !strings.Contains(got, "HIVE_BAD_DATA") {
		t.Errorf("no number: %s", got)
	}
}
