package catalog_test

import (
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/internal/catalog"
)

func TestWhichTablesAreHybridTheOwnerSaysAtTheDatabase(t *testing.T) {
	t.Parallel()
	const owner, other = "111111111111", "222222222222"
	from := catalog.SourceParameters(nil, map[string]string{"lakemesh.hybrid.copied": owner}, "sales", owner)
	hybrid := catalog.HybridParameters(from, owner, []string{"Orders", "customers"}, true)
	for name, tt := range map[string]struct {
		has  map[string]string
		want map[string]bool
	}{
		"nothing is said, nor copied from the source": {from, map[string]bool{}},
		"tables are":              {hybrid, map[string]bool{"orders": true, "customers": true}},
		"one is taken out again":  {catalog.HybridParameters(hybrid, owner, []string{"ORDERS"}, false), map[string]bool{"customers": true}},
		"another account says so": {map[string]string{"lakemesh.from.sales": owner, "lakemesh.hybrid.orders": other}, map[string]bool{}},
		"it is nobody's database": {map[string]string{"lakemesh.hybrid.orders": owner}, map[string]bool{}},
		"two say it is theirs":    {map[string]string{"lakemesh.from.sales": owner, "lakemesh.from.stock": other, "lakemesh.hybrid.orders": owner}, map[string]bool{}},
	} {
		if got := catalog.HybridTables(&types.Database{Parameters: tt.has}); !maps.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
	if got := catalog.HybridTables(nil); len(got) > 0 {
		t.Errorf("of no database: %v", got)
	}
	// Publishing from another database keeps what is said.
	if got := catalog.SourceParameters(hybrid, nil, "stock", owner); got["lakemesh.hybrid.orders"] != owner {
		t.Errorf("publishing from another source lost it: %v", got)
	}
}
