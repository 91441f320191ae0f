package bound_test

import (
	"testing"

	"github.com/lakemesh/lakemesh/bench/internal/bound"
)

func TestBoundsAtTheirEdges(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		got  bound.Bound
		want int
	}{
		{"nothing but what is done once, and a batch of grants", bound.Publish(0, 0), 31},
		{"a table without partitions", bound.Publish(1, 0), 35},
		{"a full page and batch", bound.Publish(1, 100), 38},
		{"one partition more", bound.Publish(1, 101), 39},
		{"one page of partitions more", bound.Publish(1, 1001), 1 + 2 + 1 + 11 + 1 + 1 + 1 + 1 + 25 + 4 + 1},
		{"the original's example", bound.Publish(20, 100), 1 + 20 + 20 + 20 + 20 + 20 + 20 + 4 + 25 + 4 + 1},
		{"two pages of tables", bound.Publish(101, 0), 2 + 3*101 + 16 + 25 + 4 + 1},
		{"again", bound.Again(20, 100), 1 + 20 + 1 + 1 + 1 + 1 + 25 + 1},
		{"approval of one table", bound.Approve(1, 2, 1), 7 + 1 + 1 + 2 + 1 + 1 + 3 + 3 + 1 + 2 + 1 + 1},
		{"approval of ten tables of ten", bound.Approve(10, 10, 1), 7 + 1 + 1 + 2 + 2 + 1 + 3 + 3 + 1 + 2 + 1 + 1},
		{"update in two buckets", bound.Update(500, 500, 2), 7 + 5 + 4 + 2 + 25 + 1 + 2 + 3 + 2},
		{"deletion in two buckets", bound.Delete(500, 500, 2), 7 + 5 + 4 + 2 + 51 + 1 + 6 + 6 + 2},
		{"a request and a consumer more than a page", bound.ListPending(101, 101), 2 + 2 + 2 + 2*2},
		{"verification of a product that nobody subscribes to", bound.Verify(bound.Verified{Tables: 100, Buckets: 1}), 1 + 3 + 1 + 1 + 2 + 3},
		{"verification of a table and a consumer more than a page", bound.Verify(bound.Verified{Tables: 101, Partitions: 1001, Subscriptions: 101, Consumers: 101, Each: 1, Buckets: 2}),
			1 + 2 + 2*2 + 3*2 + 2*101*2 + 1 + 2*101 + 1 + 2*2 + 3},
		{"opening", bound.Open(2), 3},
	} {
		if got := test.got.Calls(); got != test.want {
			t.Errorf("%s: got %d, want %d: %+v", test.name, got, test.want, test.got)
		}
	}
}
