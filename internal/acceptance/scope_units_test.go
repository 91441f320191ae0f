package acceptance_test

import (
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
)

// unitWorld is a narrow world whose mesh account and consumers are in an organization; the
// consumers are in its unit "retail".
type unitWorld struct {
	*world
	org *meshtest.Organization
}

func newUnitWorld(t *testing.T, opts ...localmesh.Option) *unitWorld {
	t.Helper()
	w := &unitWorld{world: newNarrowWorld(t, opts...)}
	meshtest.Before(w.Mesh.Mesh, func() {
		w.org = w.Organization(consumerAccount, otherConsumer)
		w.org.Move(consumerAccount, w.org.Retail)
		w.org.Move(otherConsumer, w.org.Retail)
		w.AddConsumer(otherConsumer)
	})
	w.TrustEngines(consumerAccount, otherConsumer)
	return w
}

func TestAUnitIsGrantedAccess(t *testing.T) {
	t.Parallel()
	w := newUnitWorld(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	id, err := w.asks(lakemesh.Scope{Principals: []string{w.org.Lines}, Rows: "amount > 100"})
	w.must(err)
	w.approve(id)
	w.sees(analyst)
	w.finalize(id, analyst)
	w.sees(analyst, "id=2 name=Bob country=FR amount=200", "id=3 name=Cleo country=DE amount=300")
	w.end(id)
	w.sees(analyst)
	w.opens()
	if left := w.filters(); len(left) > 0 {
		t.Errorf("filters stay: %v", left)
	}
}
