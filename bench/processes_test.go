package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/bench/internal/lab"
	"github.com/lakemesh/lakemesh/internal/meshtest"
)

// TestMain lets the test's program be the benchmark's other processes.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == lab.MeshCommand || os.Args[1] == lab.WorkCommand) {
		main()
		return
	}
	os.Exit(meshtest.Run(m))
}

// measured runs a command that writes JSON, and reads it.
func measured(t *testing.T, into any, args ...string) (printed string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	var out strings.Builder
	if err := run(t.Context(), append(args, "-json", file), &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTheTableIsMeasured(t *testing.T) {
	t.Parallel()
	var report tableReport
	printed := measured(t, &report, "table", "-latency", "0", "-rows", "open a producer|N=1 P=100$|, 1 tables")
	names := []string{"open a producer", "publish N=1 P=100", "publish again N=1 P=100", "approve, 1 tables", "update, 1 tables", "delete, 1 tables"}
	if len(report.Rows) != len(names) {
		t.Fatalf("%d rows, want %q:\n%s", len(report.Rows), names, printed)
	}
	for i, r := range report.Rows {
		if r.Row != names[i] || r.Failed != "" || r.Calls == 0 || r.Least == 0 || r.Seconds == 0 || r.PeakBytes == 0 {
			t.Errorf("%+v", r)
		}
		for _, target := range r.Targets {
			if !target.Met {
				t.Errorf("%s: %s: %s", r.Row, target.What, target.Reached)
			}
		}
	}
	if want := fmt.Sprintf("%d calls", report.Rows[1].Calls); !strings.Contains(printed, want) {
		t.Errorf("lacks %q:\n%s", want, printed)
	}
}

func TestARateLimitIsKeptTo(t *testing.T) {
	t.Parallel()
	var report throttleReport
	measured(t, &report, "throttle", "-latency", "0", "-rate", "20", "-calls", "30")
	for _, w := range report.Ways {
		if w.Done+w.Errors != 30 || w.Left != 0 || w.Reached <= 0 {
			t.Errorf("%+v", w)
		}
	}
	if len(report.Ways) != 4 || report.Ways[0].Errors != 0 {
		t.Errorf("%+v", report.Ways)
	}
}

// Both programs publish on one local mesh.
func TestTheOriginalIsMeasured(t *testing.T) {
	t.Chdir("..")
	if _, err := lab.FindOriginal(); err != nil {
		if os.Getenv("CI") == "true" || !errors.Is(err, lab.ErrNotInstalled) {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	var report sideBySideReport
	printed := measured(t, &report, "side-by-side", "-latency", "0", "-rounds", "1", "-tables", "1", "-partitions", "2")
	if len(report.Rounds) != 1 || report.Rounds[0].Original.Calls == 0 || report.Rounds[0].Lakemesh.Calls == 0 || report.Median <= 1 {
		t.Errorf("%+v", report)
	}
	if !strings.Contains(printed, "CreatePartition 2") {
		t.Errorf("the original's calls are not told:\n%s", printed)
	}
}
