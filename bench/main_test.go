package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

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
