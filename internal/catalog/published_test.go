package catalog_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/internal/catalog"
)

// What was written down at a copy is compared by later versions: the digest of a
// definition stays what it is.
func TestDigestsStayWhatTheyAre(t *testing.T) {
	t.Parallel()
	in := partitioned()
	in.Parameters = map[string]string{"classification": "csv", "metadata_location": "s3://lake/1.json"}
	const want = "ee7c20600aeb7ea3835880e46fa09e43"
	if got := catalog.DigestOf(in).String(); got != want {
		t.Errorf("the digest of a definition became %s, and was %s: all copies would count as changed in the mesh", got, want)
	}
	noted := catalog.PublishedAs(in, "2:ab", "db")
	at := noted.At(in)
	if catalog.DigestOf(at).String() != want || len(in.Parameters) != 2 {
		t.Error("what is noted changes the definition")
	}
	back := catalog.PublishedAt(&types.Table{Parameters: at.Parameters})
	if back != noted || back.Pointer != "s3://lake/1.json" {
		t.Errorf("noted %+v, read %+v", noted, back)
	}
	if d := catalog.Definition(&types.Table{Name: in.Name, Parameters: at.Parameters}); len(d.Parameters) != 2 {
		t.Errorf("a definition has what was noted: %v", d.Parameters)
	}
}

func TestRemovePartitions(t *testing.T) {
	t.Parallel()
	mesh, from, to := catalogs(t)
	for _, c := range []*catalog.Catalog{from, to} {
		if err := c.CreateTable(t.Context(), "db", partitioned()); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, from, 0, 10)
	fill(t, to, 5, 65)
	drift, err := catalog.ComparePartitions(t.Context(), from, name, to, name, nil)
	if err != nil || drift.Missing != 5 || drift.Surplus != 60 || drift.Odd(1) != 0 || drift.Odd(2) != 65 {
		t.Fatalf("drift %+v, %v", drift, err)
	}
	if n, err := catalog.RemovePartitions(t.Context(), to, name, drift, 1); n != 0 || err != nil {
		t.Errorf("%d removed of those with other keys, %v", n, err)
	}
	mesh.ResetCounts()
	n, err := catalog.RemovePartitions(t.Context(), to, name, drift, 0)
	if n != 60 || err != nil || count(mesh, "BatchDeletePartition") != 3 {
		t.Errorf("%d removed in %d batches, %v; want 60 in 3", n, count(mesh, "BatchDeletePartition"), err)
	}
	if _, set, err := catalog.CopyPartitions(t.Context(), from, name, to, name, drift, nil); err != nil || set != drift.Source {
		t.Errorf("copied %s, %v; want %s", set, err, drift.Source)
	}
	listed, err := to.List(t.Context(), name, nil)
	if err != nil || listed.Set != drift.Source || !listed.Whole() {
		t.Errorf("the copy is %s, %v; want %s", listed.Set, err, drift.Source)
	}
	// What was listed before is not read again.
	mesh.ResetCounts()
	before, err := from.List(t.Context(), name, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := catalog.ComparePartitions(t.Context(), from, name, to, name, nil, before)
	if err != nil || again.Count() != 0 || again.Surplus != 0 || count(mesh, "GetPartitions") != 2 {
		t.Errorf("again %+v, %v, %d pages", again, err, count(mesh, "GetPartitions"))
	}
}

func TestSetsDoNotDependOnTheOrder(t *testing.T) {
	t.Parallel()
	_, from, to := catalogs(t)
	for i, c := range []*catalog.Catalog{from, to} {
		if err := c.CreateTable(t.Context(), "db", partitioned()); err != nil {
			t.Fatal(err)
		}
		fill(t, c, 100*i, 100)
		fill(t, c, 100*(1-i), 100)
	}
	a, errA := from.List(t.Context(), name, nil)
	b, errB := to.List(t.Context(), name, nil)
	if errA != nil || errB != nil || a.Set != b.Set || fmt.Sprint(a.Set)[:4] != "200:" {
		t.Errorf("%s and %s, %v, %v", a.Set, b.Set, errA, errB)
	}
	if a.Set == (catalog.Set{}) {
		t.Error("the set is empty")
	}
}
