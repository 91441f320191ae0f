package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakemesh/lakemesh/bench/internal/lab"
	"github.com/lakemesh/lakemesh/localmesh"
)

func TestUnknownCommandsAreRefused(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"tables"}} {
		if err := run(t.Context(), args, &strings.Builder{}); !errors.Is(err, errUsage) {
			t.Errorf("%q: got %v", args, err)
		}
	}
	if err := run(t.Context(), []string{"table", "-rows", "("}, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), "-rows") {
		t.Errorf("got %v", err)
	}
}

func TestThePeerThatIsNotInstalledIsSaidToBeSo(t *testing.T) {
	t.Setenv("LAKEMESH_INTEROP", t.TempDir())
	var out strings.Builder
	if err := run(t.Context(), []string{"side-by-side"}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "not installed; interop/install") {
		t.Errorf("said %q", out.String())
	}
}

func TestASweepIsWrittenAsTableAndPictures(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := sweepReport{LatencyMS: 30, Concurrency: 16, Sizes: []swept{{Tables: 1, Calls: 25, Least: 30, Seconds: 0.5, PeakBytes: 1 << 20},
		{Tables: 10, Calls: 55, Least: 60, Seconds: 0.75, PeakBytes: 2 << 20}, {Tables: 1, Partitions: 100, Calls: 28, Least: 32, Seconds: 1, PeakBytes: 3 << 20}}}
	if err := r.write(folder); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"sweep.csv":  "tables,partitions,calls,least,seconds,peak_bytes\n1,0,25,30,0.500,1048576\n10,0,55,60,0.750,2097152\n1,100,28,32,1.000,3145728\n",
		"sweep.json": `"latencyMilliseconds": 30`, "calls.svg": "100 partitions each", "time.svg": "seconds", "memory.svg": "megabytes",
	} {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(got), want) {
			t.Errorf("%s lacks %q:\n%s", name, want, got)
		}
	}
	series := r.series("bound", func(s swept) float64 { return float64(s.Calls) }, func(s swept) float64 { return float64(s.Least) })
	if len(series) != 4 || len(series[0].Points) != 2 || series[0].Points[1].Y != 55 || !series[1].Dashed || series[1].Points[0].Y != 30 || series[2].Points[0].Y != 28 {
		t.Errorf("%+v", series)
	}
}

func TestTheShareOfALimitCountsItsBeginning(t *testing.T) {
	t.Parallel()
	// Twenty at once, and twenty a second for four seconds.
	if got := reached(lab.Traffic{Admitted: 90, Throttled: 50, Lasted: 4 * time.Second}, 20); got != 0.9 {
		t.Errorf("got %v", got)
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	for want, of := range map[float64][]float64{1: {1}, 2: {1, 2, 9}, 3: {1, 2, 4, 9}} {
		if got := median(of); got != want {
			t.Errorf("of %v: got %v", of, got)
		}
	}
}

func TestWhatWritesIsKnownByItsName(t *testing.T) {
	t.Parallel()
	counts := []localmesh.Count{{Service: "glue", Operation: "BatchCreatePartition", Calls: 2}, {Service: "glue", Operation: "BatchGetPartition", Calls: 3},
		{Service: "glue", Operation: "GetTables", Calls: 4}, {Service: "sts", Operation: "AssumeRole", Calls: 5}}
	if n := writes(counts); n != 2 {
		t.Errorf("got %d", n)
	}
	want := "glue: BatchCreatePartition 2, BatchGetPartition 3, GetTables 4; sts: AssumeRole 5"
	if got := byService(counts); got != want {
		t.Errorf("got %s", got)
	}
	if n := total(slices.Concat(counts, counts)); n != 28 {
		t.Errorf("got %d", n)
	}
}
