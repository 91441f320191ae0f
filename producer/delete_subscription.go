package producer

import (
	"context"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// DeleteInput is the input of [Producer.DeleteSubscription].
type DeleteInput struct {
	// SubscriptionID is the subscription to end.
	SubscriptionID string
	// Reason is attached to the subscription.
	Reason string
	// Expect is the digest of the plan that was shown; the decision is made only if the
	// plan is still the same. Empty means that whatever the plan is by then will do.
	Expect string
}

// DeleteSubscription ends an active subscription: it revokes every grant that this
// subscription alone justified, closes the bucket prefixes that nobody may read any
// more, and records the subscription as Deleted. The record stays, with its history.
// RAM shares are left to Lake Formation: they belong to the pair of accounts.
//
// Whatever the consumer made of its request, its subscription can be ended. It fails
// like [Producer.ApproveAccessRequest].
func (p *Producer) DeleteSubscription(ctx context.Context, in DeleteInput) error {
	return p.decide(ctx, deletion(in))
}

// PlanDeleteSubscription tells what [Producer.DeleteSubscription] would do. What it
// returns cannot be applied.
func (p *Producer) PlanDeleteSubscription(ctx context.Context, in DeleteInput) (*plan.Plan, error) {
	return p.preview(ctx, deletion(in))
}

func deletion(in DeleteInput) *decision {
	return &decision{op: "DeleteSubscription", action: lakemesh.ActionDelete, id: in.SubscriptionID, notes: in.Reason, expect: in.Expect,
		terms: func(*tracker.Record) (terms, error) { return terms{}, nil }}
}
