package tracker

import (
	"context"
	"errors"
	"slices"

	"github.com/lakemesh/lakemesh"
)

// attrActive is the set of subscriptions in a pair's ledger.
const attrActive = "Active"

func ledgerKey(owner, subscriber string) string { return owner + "-" + subscriber }

// Justifying returns the owner's subscriptions of the subscriber that are active or
// being approved, other than the one given. The ledger is read consistently,
// because the index can be late; the index adds what the original library approved.
func (t *Tracker) Justifying(ctx context.Context, owner, subscriber, except string) ([]*Record, error) {
	return t.ownedActive(ctx, owner, []string{subscriber}, except, func(r *Record) bool { return r.Subscriber == subscriber })
}

// OwnedActive returns those of the owner's subscriptions that are active or being
// approved and wanted, read consistently. Those of the subscribers that are named
// are found even if they were approved a moment ago; for others it depends on the
// index, which can be late.
func (t *Tracker) OwnedActive(ctx context.Context, owner string, subscribers []string, wanted func(*Record) bool) ([]*Record, error) {
	return t.ownedActive(ctx, owner, subscribers, "", wanted)
}

func (t *Tracker) ownedActive(ctx context.Context, owner string, subscribers []string, except string, wanted func(*Record) bool) ([]*Record, error) {
	ids, err := t.ledgers(ctx, owner, subscribers)
	if err != nil {
		return nil, err
	}
	err = t.Owned(ctx, owner, lakemesh.Active, func(r *Record) bool {
		if wanted(r) {
			ids = append(ids, r.ID)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	records, err := t.records(ctx, slices.DeleteFunc(ids, func(id string) bool { return id == except }))
	return slices.DeleteFunc(records, func(r *Record) bool { return r.Owner != owner || !wanted(r) }), err
}

// SubscribedActive returns the subscriber's subscriptions that are active, being
// approved or were so a moment ago, read consistently: those to products of the
// owner even if they were approved a moment ago; for other owners it depends on the
// index, which can be late.
func (t *Tracker) SubscribedActive(ctx context.Context, subscriber, owner string) ([]*Record, error) {
	ids, err := t.ledgers(ctx, owner, []string{subscriber})
	if errors.Is(err, lakemesh.ErrAccessDenied) {
		// The account was enabled when consumers could not read the ledger.
		t.log.WarnContext(ctx, "only the index tells of this account's subscriptions, and it can be late; let the mesh's administrator enable the account again", "error", err)
	} else if err != nil {
		return nil, err
	}
	err = t.Subscribed(ctx, subscriber, func(r *Record) bool {
		if r.Status == lakemesh.Active {
			ids = append(ids, r.ID)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	records, err := t.records(ctx, ids)
	return slices.DeleteFunc(records, func(r *Record) bool { return r.Subscriber != subscriber }), err
}

// ledgers are the ids in the ledgers of an owner's pairs.
func (t *Tracker) ledgers(ctx context.Context, owner string, subscribers []string) ([]string, error) {
	keys := make([]string, len(subscribers))
	for i, subscriber := range subscribers {
		keys[i] = ledgerKey(owner, subscriber)
	}
	items, err := t.getItems(ctx, compact(keys))
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, item := range items {
		ids = append(ids, texts(item, attrActive)...)
	}
	return ids, nil
}

// records reads the records of the ids, consistently.
func (t *Tracker) records(ctx context.Context, ids []string) ([]*Record, error) {
	items, err := t.getItems(ctx, compact(ids))
	if err != nil {
		return nil, err
	}
	var records []*Record
	for _, item := range items {
		r, err := decode(item)
		if err != nil {
			// It names no accounts, so it justifies nothing to anybody.
			t.log.WarnContext(ctx, "a record that names no accounts is left out", "error", err)
			continue
		}
		records = append(records, r)
	}
	return records, nil
}

// Justified returns what a record justifies for its consumer: what was permitted
// while it is active. A decision that is under way counts only for what it and
// the state before it agree on, so that nothing which is being taken away is
// counted on.
func (r *Record) Justified() (permitted, grantable lakemesh.Permissions) {
	if r.Status != lakemesh.Active || r.Leaving {
		return nil, nil
	}
	if r.Claim == nil {
		return r.Permitted, r.Grantable
	}
	if r.Claim.Action == lakemesh.ActionUpdate {
		return r.Permitted.Intersect(r.Claim.Permissions), r.Grantable.Intersect(r.Claim.Grantable)
	}
	return nil, nil
}
