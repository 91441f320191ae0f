package producer

import (
	"context"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

// DeleteInput is the input of [Producer.DeleteSubscription].
type DeleteInput struct {
	// SubscriptionID is the subscription to end.
	SubscriptionID string
	// Reason is attached to the subscription.
	Reason string
}

// DeleteSubscription ends an active subscription: it revokes every grant that this
// subscription alone justified, closes the bucket prefixes that nobody may read any
// more, and records the subscription as Deleted. The record stays, with its history.
// RAM shares are left to Lake Formation: they belong to the pair of accounts.
//
// It fails like [Producer.ApproveAccessRequest].
func (p *Producer) DeleteSubscription(ctx context.Context, in DeleteInput) error {
	d, err := p.deletion(ctx, in)
	if err != nil {
		return err
	}
	return p.decide(ctx, d)
}

// PlanDeleteSubscription tells what [Producer.DeleteSubscription] would do.
func (p *Producer) PlanDeleteSubscription(ctx context.Context, in DeleteInput) (*plan.Plan, error) {
	d, err := p.deletion(ctx, in)
	if err != nil {
		return nil, err
	}
	return p.planDecision(ctx, d)
}

func (p *Producer) deletion(ctx context.Context, in DeleteInput) (*decision, error) {
	const op = "DeleteSubscription"
	r, err := p.load(ctx, op, in.SubscriptionID)
	if err != nil {
		return nil, err
	}
	return &decision{op: op, action: lakemesh.ActionDelete, record: r, notes: in.Reason}, nil
}
