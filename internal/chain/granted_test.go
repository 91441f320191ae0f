package chain_test

import (
	"slices"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// Each table has one filter for each thing that is said, however often it is said.
func TestEachTableHasAFilterForEachScope(t *testing.T) {
	t.Parallel()
	r := &tracker.Record{Subscription: lakemesh.Subscription{Database: "sales", Tables: []string{"a", "b", "c"}}}
	one, two := lakemesh.Scope{Columns: []string{"id"}}, lakemesh.Scope{Rows: "id > 1"}
	got := chain.Possible("555555555555", r, nil, one, two, one, lakemesh.Scope{}, two)
	var want []permissions.Resource
	for _, table := range r.Tables {
		names := []string{chain.FilterOf(one), chain.FilterOf(two)}
		slices.Sort(names)
		want = append(want, permissions.Table("555555555555", "sales", table))
		for _, name := range names {
			want = append(want, permissions.Filter("555555555555", "sales", table, name))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("possible are\n%v, want\n%v", got, want)
	}
}
