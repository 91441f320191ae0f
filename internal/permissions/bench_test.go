package permissions_test

import (
	"fmt"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/permissions"
)

// BenchmarkDifference compares what is held on 1,000 tables with what is wanted, of
// which every tenth misses something and every tenth holds too much.
func BenchmarkDifference(b *testing.B) {
	var have, want []permissions.Entry
	for i := range 1000 {
		table := permissions.Table("555555555555", "aviation", fmt.Sprintf("t%04d", i))
		held := set(lakemesh.Select, lakemesh.Describe)
		switch i % 10 {
		case 0:
			held = set(lakemesh.Describe)
		case 1:
			held = set(lakemesh.Select, lakemesh.Describe, lakemesh.Insert)
		}
		have = append(have, entry(table, held, nil))
		want = append(want, entry(table, set(lakemesh.Select, lakemesh.Describe), nil))
	}
	b.ReportAllocs()
	for range b.N {
		grant, revoke := permissions.Difference(permissions.NewGrants(have...), want)
		if len(grant) != 100 || len(revoke) != 100 {
			b.Fatalf("%d grants, %d revocations", len(grant), len(revoke))
		}
	}
}
