package acceptance_test

import (
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
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

// allPeople are the rows of people as they are shown.
func allPeople() []string {
	names := strings.Split(peopleRows[0], ",")
	var all []string
	for _, line := range peopleRows[1:] {
		var words []string
		for i, value := range strings.Split(line, ",") {
			words = append(words, names[i]+"="+value)
		}
		all = append(all, strings.Join(words, " "))
	}
	return all
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

// Two accounts ask for the same unit. What both justify stands in one row of Lake Formation,
// and ends with the last of them.
func TestWhatAnotherConsumersSubscriptionGivesAUnitStays(t *testing.T) {
	t.Parallel()
	w := newUnitWorld(t)
	analyst, foreign := w.Reader(consumerAccount, "Analyst"), w.Reader(otherConsumer, "Analyst")
	other := w.openConsumer(otherConsumer)
	for name, s := range map[string]lakemesh.Scope{"whole": {}, "a part": {Rows: "amount > 100"}} {
		s.Principals = []string{w.org.Retail}
		rows := []string{"id=2 name=Bob country=FR amount=200", "id=3 name=Cleo country=DE amount=300"}
		if name == "whole" {
			rows = allPeople()
		}
		one := w.asksAs(w.consumer, s)
		two := w.asksAs(other, s)
		w.approve(one)
		w.finalize(one, analyst)
		w.approve(two)
		_, err := other.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: two, Principals: []string{foreign}})
		w.must(err)
		w.sees(analyst, rows...)
		w.sees(foreign, rows...)
		w.end(one)
		w.sees(foreign, rows...)
		w.opens(people)
		w.end(two)
		w.sees(foreign)
		w.sees(analyst)
		w.opens()
		if left := w.filters(); len(left) > 0 {
			t.Errorf("%s: filters stay: %v", name, left)
		}
	}
}
