package tracker

import (
	"maps"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh"
)

// lived is a subscription with a history of both sides.
func lived(t *testing.T) (*world, *Tracker, string) {
	t.Helper()
	w := newWorld(t)
	tr := w.tracker(Options{})
	id := w.request(tr, "for the study", "orders").ID
	w.decide(tr, id, lakemesh.ActionApprove, lakemesh.Select)
	w.must(tr.Imported(t.Context(), w.get(tr, id), []string{"analyst"}))
	w.decide(tr, id, lakemesh.ActionUpdate, lakemesh.Describe)
	w.must(tr.Left(t.Context(), w.get(tr, id), "done"))
	w.decide(tr, id, lakemesh.ActionDelete)
	return w, tr, id
}

func TestAHistoryThatNobodyTouchedHolds(t *testing.T) {
	t.Parallel()
	w, tr, id := lived(t)
	events, fault, err := tr.History(t.Context(), w.get(tr, id))
	w.must(err)
	var actions []string
	for _, e := range events {
		actions = append(actions, string(e.Action))
	}
	if got := strings.Join(actions, " "); got != "request approve import update leave delete" || fault != nil {
		t.Errorf("the history is %s, %v", got, fault)
	}
}

// TestWhateverASideChangesOfWhatTheOtherHasSeenShows changes, removes, exchanges and
// cuts off entries of each side. The newest entry of a side that the other has not
// answered yet is the only one that can be changed unseen.
func TestWhateverASideChangesOfWhatTheOtherHasSeenShows(t *testing.T) {
	t.Parallel()
	type change struct {
		side Side
		// first is the first entry that does not hold.
		first int
		do    func(w *world, id string)
	}
	table := map[Side]string{ProducerSide: lakemesh.DecisionsTable, ConsumerSide: lakemesh.SubscriptionsTable}
	edit := func(side Side, n int, do func(item)) func(*world, string) {
		return func(w *world, id string) {
			i := w.item(table[side], entryKey(side, id, n))
			do(i)
			w.put(table[side], i)
		}
	}
	// rewrite changes an entry, and makes all that follow of the same side fit again, as a
	// side can that knows how.
	rewrite := func(side Side, n int, do func(item)) func(*world, string) {
		return func(w *world, id string) {
			end := w.item(table[side], id)
			head := ""
			for k := 1; k <= count(end, attrEntries); k++ {
				i := w.item(table[side], entryKey(side, id, k))
				if k == n {
					do(i)
				}
				if head != "" {
					i[attrPrev] = str(head)
				}
				w.put(table[side], i)
				head = readEntry(entryKey(side, id, k), i).hash()
			}
			end[attrHead] = str(head)
			w.put(table[side], end)
		}
	}
	cut := func(side Side, n int) func(*world, string) {
		return func(w *world, id string) {
			end := w.item(table[side], id)
			end[attrEntries] = digits(n)
			end[attrHead] = str(readEntry(entryKey(side, id, n), w.item(table[side], entryKey(side, id, n))).hash())
			w.put(table[side], end)
		}
	}
	reason := func(i item) { i[attrReason] = str("something else") }
	for name, c := range map[string]change{
		"the owner's first entry":               {ProducerSide, 2, edit(ProducerSide, 1, reason)},
		"the consumer's second entry":           {ConsumerSide, 3, edit(ConsumerSide, 2, reason)},
		"permissions of an approval":            {ProducerSide, 1, rewrite(ProducerSide, 1, func(i item) { i[attrPermissions] = list([]string{"DESCRIBE"}) })},
		"the request, with all that follows":    {ConsumerSide, 1, rewrite(ConsumerSide, 1, reason)},
		"an update, with all that follows":      {ProducerSide, 2, rewrite(ProducerSide, 2, reason)},
		"a time":                                {ConsumerSide, 1, rewrite(ConsumerSide, 1, func(i item) { i[attrAt] = str("2020-01-01T00:00:00.000000Z") })},
		"what was seen":                         {ProducerSide, 2, edit(ProducerSide, 1, func(i item) { delete(i, attrSeen) })},
		"the consumer's newest entries cut off": {ConsumerSide, 1, cut(ConsumerSide, 1)},
		"the owner's newest entries cut off":    {ProducerSide, 1, cut(ProducerSide, 1)},
		"two entries exchanged": {ConsumerSide, 2, func(w *world, id string) {
			a, b := w.item(lakemesh.SubscriptionsTable, entryKey(ConsumerSide, id, 2)), w.item(lakemesh.SubscriptionsTable, entryKey(ConsumerSide, id, 3))
			x, y := maps.Clone(b), maps.Clone(a)
			x[attrID], y[attrID] = a[attrID], b[attrID]
			w.put(lakemesh.SubscriptionsTable, x)
			w.put(lakemesh.SubscriptionsTable, y)
		}},
		"an entry that is another subscription's": {ConsumerSide, 1, edit(ConsumerSide, 1, func(i item) { i[attrEntryOf] = str("another") })},
		"many more than there are":                {ConsumerSide, 4, editEnd(func(i item) { i[attrEntries] = number(900) })},
		"a head of nothing":                       {ConsumerSide, 3, editEnd(func(i item) { i[attrHead] = str("x") })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, tr, id := lived(t)
			c.do(w, id)
			_, fault, err := tr.History(t.Context(), w.get(tr, id))
			w.must(err)
			if fault == nil || fault.Side != sideName(c.side) || fault.Entry != c.first {
				t.Errorf("got %+v, want entry %d of the %s", fault, c.first, sideName(c.side))
			}
		})
	}
}

// editEnd changes the end of the consumer's history.
func editEnd(do func(item)) func(*world, string) {
	return func(w *world, id string) {
		i := w.item(lakemesh.SubscriptionsTable, id)
		do(i)
		w.put(lakemesh.SubscriptionsTable, i)
	}
}
