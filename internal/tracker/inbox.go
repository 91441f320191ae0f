package tracker

import (
	"context"
	"slices"

	"github.com/lakemesh/lakemesh"
)

// inbox are the ids that a consumer wrote down for an owner, where the owner finds
// what waits for it, and the consumer what it holds.
type inbox struct {
	open, withdrawn, joined []string
}

func readInbox(p pair, i item) inbox {
	of := func(attribute string) []string { return ofPair(p.owner, p.subscriber, known(i, attribute)) }
	return inbox{open: of(attrOpen), withdrawn: of(attrWithdrawn), joined: of(attrJoined)}
}

// inboxes reads the inboxes of pairs, and calls fn for each that there is.
func (t *Tracker) inboxes(ctx context.Context, pairs []pair, fn func(pair, inbox)) error {
	of := map[string]pair{}
	keys := make([]string, len(pairs))
	for n, p := range pairs {
		keys[n] = inboxKey(p.owner, p.subscriber)
		of[keys[n]] = p
	}
	return t.eachItem(ctx, lakemesh.SubscriptionsTable, keys, batchGetMax, func(key string, i item) error {
		fn(of[key], readInbox(of[key], i))
		return nil
	}, attrID, attrOpen, attrWithdrawn, attrJoined)
}

// inInboxes are the ids in the inboxes of pairs that can be in a state. own tells that
// the inboxes are the reader's own: then those that it imported are among them, and
// there is no bound.
func (t *Tracker) inInboxes(ctx context.Context, pairs []pair, state lakemesh.Status, own bool) (map[pair][]string, error) {
	ids := map[pair][]string{}
	err := t.inboxes(ctx, pairs, func(p pair, in inbox) {
		var mine []string
		if state != lakemesh.Deleted || own {
			mine = in.open
		}
		if state != lakemesh.Pending {
			mine = append(mine, in.withdrawn...)
		}
		if own {
			mine = append(mine, in.joined...)
		}
		if len(mine) > mostOpen && !own {
			t.log.WarnContext(ctx, "an account has asked for more than is listed", "subscriber", p.subscriber, "owner", p.owner, "requests", len(mine), "listed", mostOpen)
			mine = mine[:mostOpen]
		}
		ids[p] = slices.Clip(mine)
	})
	return ids, err
}

// inbox reads the inbox of one pair.
func (t *Tracker) inbox(ctx context.Context, p pair) (found inbox, err error) {
	err = t.inboxes(ctx, []pair{p}, func(_ pair, in inbox) { found = in })
	return found, err
}
