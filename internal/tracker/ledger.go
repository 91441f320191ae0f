package tracker

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
)

// Attributes of ledgers and of the directory.
const (
	// attrActive are a pair's subscriptions that have grants, or may have.
	attrActive = "Active"
	// attrEnded counts those that have ended, attrIDs are their ids, so many an item.
	attrEnded = "Ended"
	attrIDs   = "Ids"
	// attrSubscribers are the accounts in a directory.
	attrSubscribers = "Subscribers"
)

// Bounds of what a consumer reads of ledgers, which their owners write in any number. An
// owner reads its own to the end.
const (
	mostActive = 1000
	mostEnded  = 5 * endedPerItem
)

// endedPerItem is how many ids of subscriptions that have ended stand in one item: half
// of what fits.
const endedPerItem = 4000

// mostEndedItems is how many items with ids of a pair there can be at most.
const mostEndedItems = 5000

// endedRun is how many items of a pair are read at once.
const endedRun = 10

// Ledger is what the owner keeps of a pair of accounts.
type Ledger struct {
	active []string
	ended  int
}

// Ledger reads the ledger of a pair, consistently.
func (t *Tracker) Ledger(ctx context.Context, owner, subscriber string) (Ledger, error) {
	i, err := t.getItem(ctx, lakemesh.DecisionsTable, ledgerKey(owner, subscriber))
	if err != nil {
		return Ledger{}, t.explain("GetSubscriptions", "", err)
	}
	return readLedger(owner, subscriber, i), nil
}

func readLedger(owner, subscriber string, i item) Ledger {
	return Ledger{active: ofPair(owner, subscriber, known(i, attrActive)), ended: count(i, attrEnded)}
}

// ledgers reads the ledgers of pairs, and calls fn for each that there is.
func (t *Tracker) ledgers(ctx context.Context, pairs []pair, fn func(pair, Ledger)) error {
	of := map[string]pair{}
	keys := make([]string, len(pairs))
	for n, p := range pairs {
		keys[n] = ledgerKey(p.owner, p.subscriber)
		of[keys[n]] = p
	}
	return t.eachItem(ctx, lakemesh.DecisionsTable, keys, batchGetMax, func(key string, i item) error {
		fn(of[key], readLedger(of[key].owner, of[key].subscriber, i))
		return nil
	})
}

// bounded is as much of the ledger as its other side reads, and tells whether that is
// all of it.
func (l Ledger) bounded() (_ Ledger, whole bool) {
	whole = len(l.active) <= mostActive && l.ended <= mostEnded
	return Ledger{active: l.active[:min(len(l.active), mostActive)], ended: min(l.ended, mostEnded)}, whole
}

// pair is an owner and a subscriber.
type pair struct{ owner, subscriber string }

// end moves a subscription from those that are active to those that have ended.
func (l Ledger) end(r *Record, wasActive bool) []*update {
	ledger := inDecisions(ledgerKey(r.Owner, r.Subscriber))
	if wasActive {
		ledger.TakeFrom(attrActive, r.ID)
	}
	ledger.Count(attrEnded, 1)
	ids := inDecisions(endedKey(r.Owner, r.Subscriber, l.ended/endedPerItem))
	ids.AddTo(attrIDs, r.ID)
	return []*update{ledger, ids}
}

// endedItems is how many items with the ids of subscriptions that have ended there are. The
// count is of transactions; a repetition of one can have counted twice.
func (l Ledger) endedItems() int {
	if l.ended == 0 {
		return 0
	}
	// One more than could have been counted by twenty million would be a mistake.
	return min((l.ended-1)/endedPerItem+1, mostEndedItems)
}

// Justifying returns the pair's subscriptions in the ledger that are active or being
// approved, other than the one given.
func (t *Tracker) Justifying(ctx context.Context, l Ledger, except string) ([]*Record, error) {
	return t.decided(ctx, slices.DeleteFunc(slices.Clone(l.active), func(id string) bool { return id == except }))
}

// directory are the accounts that the owner has decided about, read consistently.
func (t *Tracker) directory(ctx context.Context, owner string) ([]pair, error) {
	i, err := t.getItem(ctx, lakemesh.DecisionsTable, directoryKey(owner))
	if err != nil {
		return nil, t.explain("ListSubscriptions", "", err)
	}
	return pairsOf(known(i, attrSubscribers), func(account string) pair { return pair{owner, account} }), nil
}

func pairsOf(accounts []string, of func(string) pair) []pair {
	var pairs []pair
	for _, account := range compact(accounts) {
		if lakemesh.CheckAccountID("account", account) == nil {
			pairs = append(pairs, of(account))
		}
	}
	return pairs
}

// OwnedActive returns those of the owner's subscriptions that are active or being
// approved and wanted, read consistently.
func (t *Tracker) OwnedActive(ctx context.Context, owner string, wanted func(*Record) bool) ([]*Record, error) {
	pairs, err := t.directory(ctx, owner)
	if err != nil {
		return nil, err
	}
	var ids []string
	if err := t.ledgers(ctx, pairs, func(_ pair, l Ledger) { ids = append(ids, l.active...) }); err != nil {
		return nil, err
	}
	var all []*Record
	err = t.records(ctx, ids, func(r *Record) bool {
		if wanted(r) {
			all = append(all, r)
		}
		return true
	})
	return all, err
}

// SubscribedActive returns the pair's subscriptions that are active or being approved,
// read consistently: those in the owner's ledger, and those that the subscriber
// imported. What another owner says about the same is no concern of theirs.
func (t *Tracker) SubscribedActive(ctx context.Context, subscriber, owner string) ([]*Record, error) {
	var l Ledger
	var in inbox
	group, within := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		l, err = t.Ledger(within, owner, subscriber)
		return err
	})
	group.Go(func() (err error) {
		in, err = t.inbox(within, pair{owner, subscriber})
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	l, _ = l.bounded()
	var all []*Record
	err := t.records(ctx, append(l.active, in.joined...), func(r *Record) bool {
		if r.Status == lakemesh.Active || r.Claim != nil {
			all = append(all, r)
		}
		return true
	})
	return all, err
}

// Attributes of the item of members, which the mesh's administrator writes.
const (
	attrProducers = "Producers"
	attrConsumers = "Consumers"
	// attrEnding are the producers whose grants are ended by schedules.
	attrEnding = "EndingProducers"
)

var errNoMembers = errors.New("no item " + membersKey)

// members are the accounts that are enabled as producers and as consumers.
func (t *Tracker) members(ctx context.Context) (producers, consumers []string, err error) {
	i, err := t.getItem(ctx, lakemesh.DecisionsTable, membersKey)
	if err != nil {
		return nil, nil, t.explain("ListSubscriptions", "", err)
	}
	if i == nil {
		// Nobody would be asked, and nothing would be found.
		return nil, nil, &lakemesh.Error{Op: "ListSubscriptions", Account: t.mesh, Resource: "table " + lakemesh.DecisionsTable, Kind: lakemesh.ErrNotFound,
			Message: "the mesh does not say which accounts are enabled", Hint: "let its administrator enable the accounts again", Do: []lakemesh.Call{lakemesh.Do("admin.EnableAccountAsProducer"), lakemesh.Do("admin.EnableAccountAsConsumer")}, Err: errNoMembers}
	}
	return known(i, attrProducers), known(i, attrConsumers), nil
}

// EndsScheduled reports whether the mesh has schedules end what an owner grants until a day.
func (t *Tracker) EndsScheduled(ctx context.Context, owner string) (bool, error) {
	i, err := t.getItem(ctx, lakemesh.DecisionsTable, membersKey)
	if err != nil {
		return false, t.explain("GetSubscriptions", "", err)
	}
	return slices.Contains(known(i, attrEnding), owner), nil
}
