package tracker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lakemesh/lakemesh"
)

// A history has two chains, one a side. Each entry carries the hash of its side's
// entry before it, and the hash of the other side's newest entry at that time. A side
// can overwrite its own entries, DynamoDB cannot forbid that; but to change one that
// the other side has seen it would have to change the other side's entries, too.

// entry is an entry of one side's history.
type entry struct {
	lakemesh.Event
	key, of    string
	prev, seen string
}

// next makes the next entry of a side's history of a subscription: mine is the end of
// that history, theirs that of the other side's.
func (t *Tracker) next(side Side, id string, mine, theirs chainEnd, e lakemesh.Event) entry {
	return entry{Event: e, key: entryKey(side, id, mine.entries+1), of: id, prev: mine.head, seen: theirs.head}
}

// attributes are the entry's attributes without its key, in one form: what is hashed
// is what is written.
func (e entry) attributes() map[string]any {
	all := map[string]any{attrEntryOf: e.of, attrAt: stamp(e.At), attrBy: e.By, attrAction: string(e.Action), attrTo: string(e.To)}
	for name, value := range map[string]string{attrFrom: string(e.From), attrReason: e.Reason, attrPrev: e.prev, attrSeen: e.seen, attrUntil: lakemesh.FormatTime(e.Until), attrScope: encodeScope(e.Scope)} {
		if value != "" {
			all[name] = value
		}
	}
	for name, values := range map[string][]string{attrPermissions: e.Permissions.Strings(), attrHandOn: e.Grantable.Strings(), attrEntryTables: e.Tables} {
		if len(values) > 0 {
			all[name] = values
		}
	}
	return all
}

// hash is the hash of the entry: of its key and its attributes as JSON, which orders
// the keys of an object.
func (e entry) hash() string {
	// Texts and lists of texts can always be encoded.
	text, _ := json.Marshal(map[string]any{"key": e.key, "entry": e.attributes()})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// write makes the entry, where there is none.
func (e entry) write(table string) *update {
	u := newUpdate(table, e.key)
	for _, name := range []string{attrEntryOf, attrAt, attrBy, attrAction, attrFrom, attrTo, attrReason, attrPrev, attrSeen, attrUntil, attrScope} {
		if v, ok := e.attributes()[name].(string); ok {
			u.Set(name, str(v))
		}
	}
	if len(e.Permissions) > 0 {
		u.Set(attrPermissions, list(e.Permissions.Strings()))
	}
	if len(e.Grantable) > 0 {
		u.Set(attrHandOn, list(e.Grantable.Strings()))
	}
	if len(e.Tables) > 0 {
		u.Set(attrEntryTables, names(e.Tables))
	}
	u.IfAbsent(attrEntryOf)
	return u
}

// close writes to the item that ends the chain that it has one entry more.
func (e entry) close(u *update, mine chainEnd) {
	u.Set(attrEntries, digits(mine.entries+1))
	u.Set(attrHead, str(e.hash()))
}

func readEntry(key string, i item) entry {
	e := entry{key: key, of: text(i, attrEntryOf), prev: text(i, attrPrev), seen: text(i, attrSeen)}
	e.Event = lakemesh.Event{
		At: moment(text(i, attrAt)), By: text(i, attrBy), Action: lakemesh.Action(text(i, attrAction)),
		From: lakemesh.Status(text(i, attrFrom)), To: lakemesh.Status(text(i, attrTo)), Reason: text(i, attrReason),
		Permissions: permissions(known(i, attrPermissions)), Grantable: permissions(known(i, attrHandOn)), Tables: known(i, attrEntryTables), Until: moment(text(i, attrUntil)),
	}
	// One that cannot be read shows in the hash.
	e.Scope, _ = readScope(i, attrScope)
	return e
}

// Bounds of what is read of a history. The owner counts its entries itself; the
// consumer can write any number, and entries of any size.
const (
	mostEntries     = 1000
	mostEntryBytes  = 4 << 20
	entriesPerCall  = 10
	mostEntryReason = mostNote
)

var errEnough = errors.New("enough")

// chain reads one side's entries, oldest first. What is wrong with the chain is told
// in fault, and which entry is the first that does not hold; 0 is none.
func (t *Tracker) chain(ctx context.Context, side Side, id string, end chainEnd) (entries []entry, fault *lakemesh.HistoryFault, err error) {
	broken := func(n int, format string, args ...any) {
		if fault == nil {
			fault = &lakemesh.HistoryFault{Side: sideName(side), Entry: n, Message: fmt.Sprintf(format, args...)}
		}
	}
	most := end.entries
	if most > mostEntries {
		broken(mostEntries+1, "it says that it has %d entries; %d are read", end.entries, mostEntries)
		most = mostEntries
	}
	table := lakemesh.DecisionsTable
	if side == ConsumerSide {
		table = lakemesh.SubscriptionsTable
	}
	keys := make([]string, most)
	for n := range most {
		keys[n] = entryKey(side, id, n+1)
	}
	read, bytes := map[string]entry{}, 0
	for page := range slices.Chunk(keys, entriesPerCall) {
		before := len(read)
		err = t.eachItem(ctx, table, page, entriesPerCall, func(key string, i item) error {
			e := readEntry(key, i)
			bytes += len(e.Reason) + len(e.By) + size(e.Tables)
			if bytes > mostEntryBytes || len(e.Reason) > mostEntryReason {
				return errEnough
			}
			read[key] = e
			return nil
		})
		if err != nil || len(read) == before {
			// A consumer can count entries that it never wrote.
			break
		}
	}
	if errors.Is(err, errEnough) {
		broken(len(read)+1, "its entries are too large to be read")
	} else if err != nil {
		return nil, nil, err
	}
	head := ""
	for n, key := range keys {
		e, ok := read[key]
		if !ok {
			broken(n+1, "the entry is missing")
			continue
		}
		if e.of != id || e.prev != head {
			broken(n+1, "it does not follow the entry before it: one of the two was changed")
		}
		if !side.does(e.Action) {
			broken(n+1, "it says that this side did what only the other one does")
		}
		head = e.hash()
		entries = append(entries, e)
	}
	if head != end.head {
		broken(max(most, 1), "the newest entry is not the one that was written")
	}
	return entries, fault, nil
}

// does reports whether an action is one of the side's.
func (s Side) does(a lakemesh.Action) bool {
	switch a {
	case lakemesh.ActionRequest, lakemesh.ActionCancel, lakemesh.ActionImport, lakemesh.ActionLeave:
		return s == ConsumerSide
	case lakemesh.ActionApprove, lakemesh.ActionDeny, lakemesh.ActionUpdate, lakemesh.ActionDelete, lakemesh.ActionAbort, lakemesh.ActionAdopt:
		return s == ProducerSide
	}
	// Another version's, of which nothing is made.
	return true
}

// deeds are the entries that tell what the side itself did. What it says of the other one's
// is not true because it stands there.
func deeds(entries []entry, side Side) []entry {
	return slices.DeleteFunc(slices.Clone(entries), func(e entry) bool { return !side.does(e.Action) })
}

func sideName(s Side) string {
	if s == ConsumerSide {
		return "consumer"
	}
	return "owner"
}

// History reads what happened to a subscription, oldest first, and says whether the
// chains of both sides hold: fault is nil if they do, or else the first entry that
// does not.
func (t *Tracker) History(ctx context.Context, r *Record) (events []lakemesh.Event, fault *lakemesh.HistoryFault, err error) {
	owners, ownerFault, err := t.chain(ctx, ProducerSide, r.ID, r.owner)
	if err != nil {
		return nil, nil, err
	}
	consumers, consumerFault, err := t.chain(ctx, ConsumerSide, r.ID, r.consumer)
	if err != nil {
		return nil, nil, err
	}
	fault = ownerFault
	if fault == nil {
		fault = consumerFault
	}
	if fault == nil {
		fault = unseen(owners, consumers, ConsumerSide)
	}
	if fault == nil {
		fault = unseen(consumers, owners, ProducerSide)
	}
	for _, e := range merge(deeds(owners, ProducerSide), deeds(consumers, ConsumerSide)) {
		events = append(events, e.Event)
	}
	if !slices.ContainsFunc(events, func(e lakemesh.Event) bool { return e.Action == lakemesh.ActionRequest }) && !r.Created.IsZero() && !r.Unasked {
		// A record of the original library begins with what its own attributes tell.
		asked := lakemesh.Event{At: r.Created, By: r.CreatedBy, Action: lakemesh.ActionRequest, To: lakemesh.Pending, Permissions: r.Requested, Tables: r.Tables}
		events = slices.Insert(events, 0, asked)
	}
	return events, fault, nil
}

// unseen finds the first entry of the other side that one side has seen, and that is
// not there any more as it was.
func unseen(entries, others []entry, side Side) *lakemesh.HistoryFault {
	there := map[string]int{}
	for n, o := range others {
		there[o.hash()] = n + 1
	}
	last := 0
	for _, e := range entries {
		if e.seen == "" {
			continue
		}
		n, ok := there[e.seen]
		if !ok {
			return &lakemesh.HistoryFault{Side: sideName(side), Entry: min(last+1, max(len(others), 1)),
				Message: fmt.Sprintf("the other side saw an entry on %s that is not there any more", lakemesh.FormatTime(e.At))}
		}
		last = max(last, n)
	}
	return nil
}

// merge puts two histories together. An entry comes after what its side had seen of
// the other; beyond that their times decide, which two clocks gave.
func merge(a, b []entry) []entry {
	var all []entry
	emitted := map[string]bool{}
	pending := func(rest []entry, hash string) bool {
		return hash != "" && !emitted[hash] && slices.ContainsFunc(rest, func(e entry) bool { return e.hash() == hash })
	}
	take := func(from *[]entry) {
		emitted[(*from)[0].hash()] = true
		all = append(all, (*from)[0])
		*from = (*from)[1:]
	}
	for len(a) > 0 && len(b) > 0 {
		switch {
		case pending(b, a[0].seen):
			take(&b)
		case pending(a, b[0].seen):
			take(&a)
		case b[0].At.Before(a[0].At):
			take(&b)
		default:
			take(&a)
		}
	}
	return append(append(all, a...), b...)
}

// event is an entry about a record.
func (t *Tracker) event(r *Record, a lakemesh.Action, to lakemesh.Status, reason string) lakemesh.Event {
	// To the microsecond, as it is written: what is hashed is what is read again.
	return lakemesh.Event{At: t.now().UTC().Truncate(time.Microsecond), By: t.by, Action: a, From: r.Status, To: to, Reason: reason, Tables: r.Tables}
}
