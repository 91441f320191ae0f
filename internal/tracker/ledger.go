package tracker

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/lakemesh/lakemesh"
)

// attrActive is the set of subscriptions in a pair's ledger.
const attrActive = "Active"

func ledgerKey(owner, subscriber string) string { return owner + "-" + subscriber }

// Justifying returns the owner's subscriptions of the subscriber that are active or
// being approved, other than the one given. The ledger is read consistently,
// because the index can be late; the index adds what the original library approved.
func (t *Tracker) Justifying(ctx context.Context, owner, subscriber, except string) ([]*Record, error) {
	out, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: t.table(), Key: key(ledgerKey(owner, subscriber)), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, t.explain("ListSubscriptions", "", err)
	}
	ids := texts(out.Item, attrActive)
	err = t.Owned(ctx, owner, lakemesh.Active, func(r *Record) bool {
		if r.Subscriber == subscriber {
			ids = append(ids, r.ID)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	ids = slices.DeleteFunc(compact(ids), func(id string) bool { return id == except })
	items, err := t.getItems(ctx, ids)
	if err != nil {
		return nil, err
	}
	var records []*Record
	for _, item := range items {
		r, err := decode(item)
		if err != nil {
			// It names no accounts, so it justifies nothing to this one.
			t.log.WarnContext(ctx, "a record that names no accounts is left out", "error", err)
			continue
		}
		if r.Owner == owner && r.Subscriber == subscriber {
			records = append(records, r)
		}
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
