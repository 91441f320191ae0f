package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/localmesh"
)

func TestWhatWasMeasuredIsPutBetweenTheMarks(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	page := filepath.Join(folder, "page.md")
	if err := os.WriteFile(page, []byte("before\n<!-- table -->\nold\n<!-- end of table -->\nbetween\n<!-- throttle -->\nkept\n<!-- end of throttle -->\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	report := tableReport{LatencyMS: 30, Concurrency: 16, Rows: []result{
		{Row: "publish", Calls: 25, Least: 30, Ratio: 25. / 30, Seconds: 0.345, PeakBytes: 26 << 20, Allocations: 10,
			ByOperation: []localmesh.Count{{Service: "glue", Operation: "CreateTable", Calls: 25}}, Targets: []target{{"few calls", true, "0.83"}, {"quick", false, "slow"}}},
		{Row: "approve", Failed: "too large"},
	}}
	if err := writeJSON(filepath.Join(folder, "table.json"), report); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	args := []string{"document", "-page", page, "-reports", folder}
	for range 2 {
		if err := run(t.Context(), args, &out); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	got := string(data)
	for _, want := range []string{"before\n<!-- table -->\nMeasured on", "| publish | 25 | 30 | 0.83 | 0.34 s | 26 MB | 10 | few calls: 0.83, met<br>quick: slow, not met |",
		"| approve | | | | | | | failed: too large |", "- publish: glue: CreateTable 25\n", "<!-- end of table -->\nbetween\n<!-- throttle -->\nkept\n<!-- end of throttle -->\nafter\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "old") || strings.Count(got, "| publish |") != 1 {
		t.Errorf("what stood there is not replaced:\n%s", got)
	}
	if !strings.Contains(out.String(), "throttle was not measured") {
		t.Errorf("said %q", &out)
	}
	if err := os.WriteFile(page, []byte("<!-- table -->\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), args, &out); err == nil || !strings.Contains(err.Error(), "end of table") {
		t.Errorf("without an end: %v", err)
	}
}

// The page of the documentation has a place for every report.
func TestTheDocumentationHasTheMarks(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("..", "docs", "performance.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"table", "side-by-side", "throttle", "sweep"} {
		if _, err := between(string(data), name, ""); err != nil {
			t.Error(err)
		}
	}
}
