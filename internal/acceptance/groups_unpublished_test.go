package acceptance_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// heldBy are the resources on which an account, or somebody of it, holds something in the
// mesh account.
func (w *groups) heldBy(account string) []string {
	w.t.Helper()
	found := map[string]bool{}
	for line := range strings.Lines(w.allGrants()) {
		if who, rest, _ := strings.Cut(line, " "); who == account || strings.Contains(who, "::"+account+":") {
			found[strings.TrimSpace(rest)] = true
		}
	}
	have, err := w.lake().ObserveOf(w.ctx(), account)
	w.must(err)
	for _, e := range have.Entries() {
		found[e.Resource.String()] = true
	}
	var all []string
	for what := range found {
		all = append(all, what)
	}
	slices.Sort(all)
	return all
}

// says checks the warnings of a plan that have to do with subscriptions.
func (w *groups) says(p *plan.Plan, want ...string) {
	w.t.Helper()
	var got []string
	for _, warning := range p.Warnings {
		if strings.Contains(warning, "subscription") {
			got = append(got, warning)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Error(diff)
	}
}

// TestWhatALastTableLeavesIsOpenAndSaid takes all tables of a product out of the mesh: a
// subscription to it stays as it was decided, which is said, and gives nothing meanwhile.
func TestWhatALastTableLeavesIsOpenAndSaid(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.asks("", "Fares")
	w.approve(id)
	w.finalize(id, analyst)
	w.reads(analyst, "fares")
	// Of the database nothing else is published: it goes, too.
	in := producer.UnpublishInput{SourceDatabaseName: other, TableNameRegex: "fares|buses"}
	p, err := w.producer.PlanUnpublishDataProducts(t.Context(), in)
	w.must(err)
	stays := "subscription " + id + " of account " + consumerAccount + " to all tables of data product fares stays, with no table to read: what is published into it later, account " +
		consumerAccount + " reads at once. To end it: " + lakemesh.Do("producer.DeleteSubscription", "SubscriptionID", id).String()
	w.says(p, stays)
	out, err := w.producer.UnpublishDataProducts(t.Context(), in)
	w.must(err)
	if !slices.Contains(out.Warnings, stays) || len(out.Subscriptions) > 0 {
		t.Errorf("%+v", out)
	}
	w.reads(analyst)
	if s := w.get(id); s.Status != lakemesh.Active || len(s.TableARNs) > 0 {
		t.Errorf("it is %s, and names %v", s.Status, s.TableARNs)
	}
	for _, what := range w.heldBy(consumerAccount) {
		if strings.Contains(what, w.inMesh(other)) {
			t.Errorf("the consumer still holds something on %s", what)
		}
	}

	// Neither account can be disabled, and the refusal names what there is.
	a := w.administers()
	for kind, account := range map[admin.AccountType]string{admin.Producer: producerAccount, admin.Consumer: consumerAccount} {
		_, err := a.DisableAccount(t.Context(), admin.DisableInput{AccountID: account, Type: kind})
		var refused *lakemesh.Error
		if !errors.As(err, &refused) || !strings.Contains(refused.Message, "to data product fares") && !strings.Contains(refused.Message, "to its data product fares") {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		for _, call := range refused.Do {
			for _, argument := range call.Arguments {
				if argument.Value == "" {
					t.Errorf("%s: %s has no %s", kind, call, argument.Name)
				}
			}
		}
	}

	w.offers(other, "fares", "Money", "Fares")
	w.finalize(id, analyst)
	w.reads(analyst, "fares")
	w.end(id)
	w.reads(analyst)
}

// TestALastTableCanEndWhatItLeaves ends a subscription that has no table any more, and no
// other.
func TestALastTableCanEndWhatItLeaves(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	fares, flights := w.asks("", "Fares"), w.asks("", "Flights")
	for _, id := range []string{fares, flights} {
		w.approve(id)
		w.finalize(id, analyst)
	}
	w.reads(analyst, "fares", "buses", orders)
	in := producer.UnpublishInput{SourceDatabaseName: other, EndSubscriptions: true, Reason: "it moved"}
	p, err := w.producer.PlanUnpublishDataProducts(t.Context(), in)
	w.must(err)
	w.says(p, "subscription "+fares+" of account "+consumerAccount+" ends",
		"subscription "+flights+" of account "+consumerAccount+" to all tables of data product flights goes on without buses")
	out, err := w.producer.UnpublishDataProducts(t.Context(), in)
	w.must(err)
	if !slices.Equal(out.Subscriptions, []string{fares}) {
		t.Errorf("%v ended", out.Subscriptions)
	}
	w.reads(analyst, orders)
	if s := w.get(fares); s.Status != lakemesh.Deleted {
		t.Errorf("it is %s", s.Status)
	}
	for _, what := range w.heldBy(consumerAccount) {
		if strings.Contains(what, "fares") || strings.Contains(what, w.inMesh(other)) {
			t.Errorf("the consumer still holds something on %s", what)
		}
	}
	w.offers(other, "fares", "Money", "Fares")
	w.reads(analyst, orders)
	w.end(flights)
	w.reads(analyst)
}

// TestAPlanToUnpublishTellsWhatWasGrantedByHand keeps the warning where it is due: DESCRIBE on
// a database that no subscription of its holder reaches.
func TestAPlanToUnpublishTellsWhatWasGrantedByHand(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	if w.Readings().ListingsShowOwnRows {
		t.Skip("under this reading nothing shows an owner what others were granted by hand")
	}
	w.breaks = true
	id := w.asks("", "Flights")
	w.approve(id)
	w.must(w.gives(meshAccount, otherConsumer, onDatabase(meshAccount, w.inMesh(other)), "DESCRIBE"))
	p, err := w.producer.PlanUnpublishDataProducts(t.Context(), producer.UnpublishInput{SourceDatabaseName: other})
	w.must(err)
	w.says(p, "subscription "+id+" of account "+consumerAccount+" to all tables of data product flights goes on without buses",
		otherConsumer+" holds DESCRIBE on database "+w.inMesh(other)+", which no subscription gives it: it ends with it")
}
