package producer

import (
	"context"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

// UpdateInput is the input of [Producer.UpdateSubscriptionPermissions].
type UpdateInput struct {
	// SubscriptionID is the subscription to change.
	SubscriptionID string
	// GrantPermissions are the permissions that hold afterwards; at least one.
	GrantPermissions []string
	// GrantablePermissions are what the consumer may grant on afterwards. Nil means
	// all of GrantPermissions; empty means none.
	GrantablePermissions []string
	// Notes is attached to the subscription.
	Notes string
}

// UpdateSubscriptionPermissions sets the permissions of an active subscription:
// what is missing is granted, what is not named any more is revoked unless another
// active subscription of the consumer justifies it. Revoking at the account's level
// ends what the consumer had handed on, so the consumer has to finalize the
// subscription again.
//
// It fails like [Producer.ApproveAccessRequest].
func (p *Producer) UpdateSubscriptionPermissions(ctx context.Context, in UpdateInput) error {
	d, err := p.update(ctx, in)
	if err != nil {
		return err
	}
	return p.decide(ctx, d)
}

// PlanUpdateSubscriptionPermissions tells what
// [Producer.UpdateSubscriptionPermissions] would do.
func (p *Producer) PlanUpdateSubscriptionPermissions(ctx context.Context, in UpdateInput) (*plan.Plan, error) {
	d, err := p.update(ctx, in)
	if err != nil {
		return nil, err
	}
	return p.planDecision(ctx, d)
}

func (p *Producer) update(ctx context.Context, in UpdateInput) (*decision, error) {
	const op = "UpdateSubscriptionPermissions"
	permitted, grantable, err := parseGrants(in.GrantPermissions, in.GrantablePermissions)
	if err != nil {
		return nil, err
	}
	if len(permitted) == 0 {
		return nil, lakemesh.Invalid("GrantPermissions", "name at least one permission; to end the subscription, delete it")
	}
	if grantable, err = subset(permitted, grantable, in.GrantablePermissions); err != nil {
		return nil, err
	}
	r, err := p.load(ctx, op, in.SubscriptionID)
	if err != nil {
		return nil, err
	}
	if r.Tampered != "" {
		return nil, tampered(op, p.meshAccount, r)
	}
	if r.Leaving {
		return nil, &lakemesh.Error{Op: op, Account: p.meshAccount, Resource: "subscription " + r.ID, Kind: lakemesh.ErrIllegalTransition,
			Message: "the consumer has left it", Hint: "delete it, which ends the consumer's grants: lakemesh subscription delete"}
	}
	return &decision{op: op, action: lakemesh.ActionUpdate, record: r, permitted: permitted, grantable: grantable, notes: in.Notes}, nil
}
