package state_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func TestAPackedPartitionIsReadAsItWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := state.Partition{
			Layout: rapid.String().Draw(t, "layout"), Place: state.Place(rapid.IntRange(0, 2).Draw(t, "place")), Location: rapid.String().Draw(t, "location"),
			Created: rapid.Int64().Draw(t, "created"), LastAccess: rapid.Int64().Draw(t, "access"), LastAnalyzed: rapid.Int64().Draw(t, "analyzed"),
		}
		if rapid.Bool().Draw(t, "given") {
			p.Parameters = rapid.MapOfN(rapid.String(), rapid.String(), 0, 4).Draw(t, "parameters")
		}
		packed := p.Pack(nil)
		var got state.Partition
		if err := got.Unpack(packed); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, got); diff != "" {
			t.Error(diff)
		}
		plain, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var old state.Partition
		if err := old.Unpack(plain); err != nil || !cmp.Equal(p, old) {
			t.Errorf("as JSON: %v, %v", old, err)
		}
		for n := range packed {
			if err := new(state.Partition).Unpack(packed[:n]); err == nil {
				t.Errorf("%d of %d bytes are read", n, len(packed))
			}
		}
	})
}
