package acceptance_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// TestTheListOfAccessTellsColumnsAndRows is also true of the past, and of identities that were
// granted access themselves.
func TestTheListOfAccessTellsColumnsAndRows(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	meshtest.Without(t, w.Mesh.Mesh, "what others hold cannot be seen", func(r localmesh.Readings) bool { return r.ListingsShowOwnRows })
	analyst := w.Reader(consumerAccount, "Analyst")
	part := w.asksAs(w.consumer, lakemesh.Scope{ExceptColumns: []string{"name"}, Rows: "amount > 100"})
	w.approve(part)
	w.importsAs(w.consumer, part, analyst)
	direct := w.asksAs(w.consumer, lakemesh.Scope{Columns: []string{"id"}, Principals: []string{analyst}})
	w.approve(direct)
	lines := func(at *time.Time) (all []string) {
		list, err := w.producer.AccessList(t.Context(), producer.AccessListInput{ListFilter: access.ListFilter{Principal: consumerAccount, Table: people}, At: at})
		w.must(err)
		for _, e := range list.Entries {
			all = append(all, fmt.Sprintf("%s %s [%s] [%s] [%s] %s %s", e.Principal, e.Kind, strings.Join(e.Columns, ","), strings.Join(e.ExceptColumns, ","), e.Rows, e.Origin, strings.Join(e.Through, ",")))
		}
		slices.Sort(all)
		return all
	}
	account := consumerAccount + " filter [] [name] [amount > 100] subscription " + part
	role := analyst + " filter [id] [] [] subscription " + direct
	if diff := cmp.Diff([]string{account, role}, lines(nil)); diff != "" {
		t.Errorf("now (-want +got):\n%s", diff)
	}
	now := time.Now()
	w.narrows(part, producer.ScopeInput{Columns: []string{"id"}})
	if diff := cmp.Diff([]string{account, role}, lines(&now)); diff != "" {
		t.Errorf("as it was (-want +got):\n%s", diff)
	}
	w.end(part)
	w.end(direct)
}
