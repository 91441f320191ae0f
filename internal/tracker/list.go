package tracker

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
)

// Bounds of what is listed. Each consumer writes its inboxes and requests itself, in
// any number and size that DynamoDB takes; none of them shall fill the memory of
// who lists, or hide those of others.
const (
	// mostOpen is how many requests of one pair that wait are listed.
	mostOpen = 1000
	// mostOfPair and mostInAll are how many bytes of words are listed of one pair and of
	// all. Requests beyond that are listed without their words.
	mostOfPair = 8 << 20
	mostInAll  = 128 << 20
)

// Owned calls fn for each subscription of the owner in the state, pair by pair, until
// fn returns false. What was decided is found through the owner's own directory and
// ledgers, requests through the inboxes of the accounts that are enabled: nothing
// that others write decides what the owner sees, but each its own requests. All of it
// is read consistently.
func (t *Tracker) Owned(ctx context.Context, owner string, state lakemesh.Status, fn func(*Record) bool) error {
	var decided, enabled []pair
	group, within := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		decided, err = t.directory(within, owner)
		return err
	})
	if waits(state) {
		group.Go(func() error {
			_, consumers, err := t.members(within)
			enabled = pairsOf(consumers, func(account string) pair { return pair{owner, account} })
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return t.list(ctx, decided, enabled, state, true, fn)
}

// Subscribed calls fn for each subscription of the subscriber in the state, pair by
// pair, until fn returns false, read consistently.
func (t *Tracker) Subscribed(ctx context.Context, subscriber string, state lakemesh.Status, fn func(*Record) bool) error {
	producers, _, err := t.members(ctx)
	if err != nil {
		return err
	}
	pairs := pairsOf(producers, func(account string) pair { return pair{account, subscriber} })
	return t.list(ctx, pairs, pairs, state, false, fn)
}

// SubscribedTo calls fn for each subscription of the subscriber to products of one owner, in
// whichever state, until fn returns false, read consistently.
func (t *Tracker) SubscribedTo(ctx context.Context, subscriber, owner string, fn func(*Record) bool) error {
	pairs := []pair{{owner, subscriber}}
	return t.list(ctx, pairs, pairs, "", false, fn)
}

// waits reports whether subscriptions in a state may be known by a request alone.
func waits(state lakemesh.Status) bool {
	return state == "" || state == lakemesh.Pending || state == lakemesh.Deleted
}

// list finds the subscriptions of pairs in their ledgers and inboxes, and reads them.
// own tells that the ledgers are the reader's own.
func (t *Tracker) list(ctx context.Context, decided, enabled []pair, state lakemesh.Status, own bool, fn func(*Record) bool) error {
	var ledgers, inboxes map[pair][]string
	group, within := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		ledgers, err = t.inLedgers(within, decided, state, own)
		return err
	})
	// A consumer looks into its own inboxes for what it imported, too: an owner cannot hide
	// that from it.
	if waits(state) || !own {
		group.Go(func() (err error) {
			inboxes, err = t.inInboxes(within, enabled, state, !own)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	left := budget{all: mostInAll, ofPair: map[pair]int{}}
	var ids []string
	for _, of := range []map[pair][]string{ledgers, inboxes} {
		for _, more := range of {
			ids = append(ids, more...)
		}
	}
	return t.recordsWithin(ctx, ids, &left, func(r *Record) bool {
		return state != "" && r.Status != state || fn(r)
	})
}

// inLedgers are the ids that the owners' ledgers have of pairs.
func (t *Tracker) inLedgers(ctx context.Context, pairs []pair, state lakemesh.Status, own bool) (map[pair][]string, error) {
	ids, unread := map[pair][]string{}, map[pair]int{}
	err := t.ledgers(ctx, pairs, func(p pair, l Ledger) {
		if !own {
			var whole bool
			if l, whole = l.bounded(); !whole {
				t.log.WarnContext(ctx, "an owner names more subscriptions than are listed", "owner", p.owner, "subscriber", p.subscriber, "active", mostActive, "ended", mostEnded)
			}
		}
		// One that is being approved for the first time stands among the active ones.
		if state != lakemesh.Denied && state != lakemesh.Deleted {
			ids[p] = l.active
		}
		if items := l.endedItems(); items > 0 && state != lakemesh.Active && state != lakemesh.Pending {
			unread[p] = items
		}
	})
	if err != nil {
		return nil, err
	}
	// An owner can count what it never wrote: where a run of items is missing there are no more.
	for first := 0; len(unread) > 0; first += endedRun {
		of, there := map[string]pair{}, map[pair]bool{}
		for p, items := range unread {
			for n := first; n < min(items, first+endedRun); n++ {
				of[endedKey(p.owner, p.subscriber, n)] = p
			}
		}
		err = t.eachItem(ctx, lakemesh.DecisionsTable, slices.Collect(maps.Keys(of)), batchGetMax, func(key string, i item) error {
			p := of[key]
			ended := ofPair(p.owner, p.subscriber, known(i, attrIDs))
			if !own {
				ended = ended[:min(len(ended), endedPerItem)]
			}
			ids[p], there[p] = append(ids[p], ended...), true
			return nil
		})
		if err != nil {
			return nil, err
		}
		maps.DeleteFunc(unread, func(p pair, items int) bool { return !there[p] || items <= first+endedRun })
	}
	return ids, nil
}

// budget is how many bytes of words may still be read of requests.
type budget struct {
	all    int
	ofPair map[pair]int
}

// read reads a record, and takes the words of a request that waits from the budget; if
// there is not enough left, they are not unpacked, or taken out. What was decided is
// always read: an owner decides how many of those there are. A nil budget has no bounds.
func (b *budget) read(id string, request, decision item, now time.Time) *Record {
	if b == nil || decision != nil {
		return read(id, request, decision, now)
	}
	owner, subscriber, _, _ := lakemesh.ParseSubscriptionID(id)
	p := pair{owner, subscriber}
	_, packed := request[attrTables].(*types.AttributeValueMemberB)
	before := b.left(p)
	if packed && before <= 0 {
		packed = false
		request[attrTables] = &types.AttributeValueMemberNULL{Value: true}
	}
	r := read(id, request, decision, now)
	cost := 16*(len(r.Tables)+len(r.Expressions)) + size(r.Tables) + size(r.Expressions) + len(r.Words.Note)
	if packed && len(r.Tables) == 0 {
		// Whatever it was, it was unpacked.
		cost = mostUnpacked
	}
	b.all -= cost
	b.ofPair[p] += cost
	if cost > before {
		r.Words = Words{Asked: r.Words.Asked}
		r.Tables, r.Expressions, r.Notes, r.TablesUnknown = nil, nil, nil, true
		r.Fault = "it is too large to be listed with the others of account " + r.Subscriber
		r.Tampered = r.Fault
	}
	return r
}

// left is how much may still be read of a pair.
func (b *budget) left(p pair) int { return min(b.all, mostOfPair-b.ofPair[p]) }
