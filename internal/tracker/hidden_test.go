package tracker

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
)

// subscribed are the ids of the consumer's subscriptions in a state.
func (w *world) subscribed(t *Tracker, state lakemesh.Status) []string {
	w.Helper()
	var ids []string
	w.must(t.Subscribed(w.Context(), subscriber, state, func(r *Record) bool {
		ids = append(ids, r.ID)
		return true
	}))
	return ids
}

// An owner writes values of every type into what it keeps of a pair. Its consumer sees
// all the same what it imported, and that it can leave it.
func TestAnOwnerCannotHideASubscriptionFromItsConsumer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tr := w.tracker(Options{})
	id := w.request(tr, "please", "orders").ID
	active := w.decide(tr, id, lakemesh.ActionApprove, lakemesh.Select)
	w.must(tr.Imported(t.Context(), active, nil))
	kept := map[string]item{}
	for _, key := range []string{id, ledgerKey(owner, subscriber)} {
		kept[key] = w.item(lakemesh.DecisionsTable, key)
	}
	for key, attributes := range map[string][]string{
		ledgerKey(owner, subscriber): {attrActive, attrEnded},
		id:                           {attrStatus, attrClaim, attrDatabase, attrTables, attrWhole, attrPermitted, attrRevision, attrVersion, attrEntries, attrDigest},
	} {
		for _, name := range attributes {
			for _, v := range values() {
				switch s, _ := v.(*types.AttributeValueMemberS); {
				case name == attrStatus && (v == nil || s != nil && s.Value == string(lakemesh.Deleted)):
					// So an owner says that it has ended it, or has not decided: it is its word.
					continue
				case weight(v) > 200_000:
					continue
				}
				forged := maps.Clone(kept[key])
				if forged[name] = v; v == nil {
					delete(forged, name)
				}
				w.put(lakemesh.DecisionsTable, forged)
				what := fmt.Sprintf("%s is %T %.20v", name, v, v)
				if got := w.subscribed(tr, lakemesh.Active); !slices.Equal(got, []string{id}) {
					t.Errorf("%s: the consumer's active subscriptions are %q", what, got)
				}
				if got := w.subscribed(tr, ""); !slices.Equal(got, []string{id}) {
					t.Errorf("%s: the consumer's subscriptions are %q", what, got)
				}
				r := w.get(tr, id)
				if err := transition(r, lakemesh.ActionLeave); err != nil {
					t.Errorf("%s: leave: %v", what, err)
				}
				if r.Asked == nil || !slices.Equal(r.Asked.Tables, []string{"orders"}) {
					t.Errorf("%s: the consumer does not know what it asked for: %+v", what, r.Asked)
				}
				all, err := tr.SubscribedActive(t.Context(), subscriber, owner)
				if err != nil || len(all) != 1 {
					t.Errorf("%s: other decisions of the consumer see %d: %v", what, len(all), err)
				}
			}
		}
		w.put(lakemesh.DecisionsTable, kept[key])
	}
}

// An owner may write the attributes of a request that it mirrors. They keep nobody from
// taking the request back, and make nothing of it that it is not.
func TestWhatAnOwnerMirrorsDecidesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tr := w.tracker(Options{})
	for n, v := range values() {
		for _, name := range MirrorAttributes() {
			if name == attrID || v == nil && name == attrStatus || weight(v) > 200_000 {
				continue
			}
			id := w.request(tr, fmt.Sprint(name, n), "orders").ID
			forged := w.item(lakemesh.SubscriptionsTable, id)
			if forged[name] = v; v == nil {
				delete(forged, name)
			}
			w.put(lakemesh.SubscriptionsTable, forged)
			what := fmt.Sprintf("%s is %T %.20v", name, v, v)
			r := w.get(tr, id)
			if r.Status != lakemesh.Pending || len(r.Permitted) > 0 {
				t.Errorf("%s: it is %s with %s", what, r.Status, r.Permitted)
			}
			if err := tr.Cancel(t.Context(), r, ""); err != nil {
				t.Errorf("%s: cancel: %v", what, err)
			}
			if r := w.get(tr, id); r.Status != lakemesh.Deleted {
				t.Errorf("%s: after it was taken back it is %s", what, r.Status)
			}
		}
	}
}

// What was decided and not mirrored yet, or cannot be, has not been tampered with.
func TestADecisionThatIsNotMirroredIsNotTamperedWith(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tr := w.tracker(Options{})
	r := w.decide(tr, w.request(tr, "", "orders").ID, lakemesh.ActionApprove, lakemesh.Select)
	if r.Tampered != "" || r.Mirrored() {
		t.Errorf("tampered %q, mirrored %t", r.Tampered, r.Mirrored())
	}
	request := w.item(lakemesh.SubscriptionsTable, r.ID)
	request[attrStatus] = str(string(lakemesh.Denied))
	w.put(lakemesh.SubscriptionsTable, request)
	if r = w.get(tr, r.ID); !strings.Contains(r.Tampered, "Denied") {
		t.Errorf("the mirror says something else, and the record says %q", r.Tampered)
	}
}

// What ended goes from a consumer's inbox as it asks for more; what it holds stays.
func TestInboxesAreTidiedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tr := w.tracker(Options{})
	var ended []string
	for n := range tidyFrom {
		r := w.decide(tr, w.request(tr, fmt.Sprint(n), "orders").ID, lakemesh.ActionApprove, lakemesh.Select)
		w.must(tr.Imported(t.Context(), r, nil))
		ended = append(ended, w.decide(tr, r.ID, lakemesh.ActionDelete).ID)
	}
	held := w.decide(tr, w.request(tr, "held", "orders").ID, lakemesh.ActionApprove, lakemesh.Select)
	w.must(tr.Imported(t.Context(), held, nil))
	w.request(tr, "one more", "orders")
	if in := known(w.item(lakemesh.SubscriptionsTable, inboxKey(owner, subscriber)), attrJoined); len(in) >= len(ended) || !slices.Contains(in, held.ID) {
		t.Errorf("the inbox has %d of %d that have ended, and what is held or not", len(in), len(ended))
	}
	if got := w.subscribed(tr, lakemesh.Active); !slices.Equal(got, []string{held.ID}) {
		t.Errorf("active: %q", got)
	}
	if got := w.subscribed(tr, lakemesh.Deleted); len(got) != len(ended) {
		t.Errorf("%d have ended", len(got))
	}
}

// A consumer that counts entries which it never wrote costs its owner one call.
func TestEntriesThatWereNeverWrittenAreNotLookedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tr := w.tracker(Options{})
	id := w.request(tr, "", "orders").ID
	request := w.item(lakemesh.SubscriptionsTable, id)
	request[attrEntries] = number(mostEntries)
	w.put(lakemesh.SubscriptionsTable, request)
	calls := w.mesh.Calls()
	_, fault, err := tr.History(t.Context(), w.get(tr, id))
	if err != nil || fault == nil || fault.Side != "consumer" || fault.Entry != 2 {
		t.Errorf("fault %+v, %v", fault, err)
	}
	// The record, and two pages of the history.
	if n := w.mesh.Calls() - calls; n > 4 {
		t.Errorf("%d calls", n)
	}
}

// Requests with lists of hundreds of thousands of names take long to unpack. Of one
// consumer's, a few are.
func TestWhatIsUnpackedOfRequestsIsBounded(t *testing.T) {
	t.Parallel()
	bomb := &types.AttributeValueMemberB{Value: pack(slices.Repeat([]string{"a"}, mostUnpacked/4-1))}
	left := &budget{all: mostInAll, ofPair: map[pair]int{}}
	unpacked := 0
	for n := range 1000 {
		id := Words{Database: "sales", Whole: true, Asked: n}.ID(owner, subscriber)
		before := left.all
		r := left.read(id, item{attrID: str(id), attrStatus: str("Pending"), attrDatabase: str("sales"), attrTables: bomb}, nil, time.Now())
		if r.Fault == "" || len(r.Tables) > 0 {
			t.Fatal("it is believed")
		}
		if left.all != before {
			unpacked++
		}
	}
	if unpacked > mostOfPair/mostUnpacked {
		t.Errorf("%d requests were unpacked", unpacked)
	}
}
