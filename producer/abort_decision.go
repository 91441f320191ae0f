package producer

import (
	"context"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

// AbortInput is the input of [Producer.AbortDecision].
type AbortInput struct {
	// SubscriptionID is the subscription whose decision was left unfinished.
	SubscriptionID string
	// Reason is attached to the subscription.
	Reason string
}

// AbortDecision takes back a decision that was claimed and not finished: the
// grants go back to what the subscription's state justifies, and the claim is
// cleared, so that another decision can be made. A decision whose program still
// gives signs of life cannot be aborted: [lakemesh.ErrClaimed].
func (p *Producer) AbortDecision(ctx context.Context, in AbortInput) error {
	d, err := p.abortion(ctx, in)
	if err != nil {
		return err
	}
	return p.decide(ctx, d)
}

// PlanAbortDecision tells what [Producer.AbortDecision] would do.
func (p *Producer) PlanAbortDecision(ctx context.Context, in AbortInput) (*plan.Plan, error) {
	d, err := p.abortion(ctx, in)
	if err != nil {
		return nil, err
	}
	return p.planDecision(ctx, d)
}

func (p *Producer) abortion(ctx context.Context, in AbortInput) (*decision, error) {
	const op = "AbortDecision"
	r, err := p.load(ctx, op, in.SubscriptionID)
	if err != nil {
		return nil, err
	}
	if r.Claim == nil {
		return nil, &lakemesh.Error{Op: op, Account: p.meshAccount, Resource: "subscription " + r.ID, Kind: lakemesh.ErrIllegalTransition,
			Message: "no decision on it is under way; it is " + string(r.Status)}
	}
	d := &decision{op: op, action: lakemesh.ActionAbort, record: r, notes: in.Reason}
	if r.Status == lakemesh.Active {
		d.permitted, d.grantable = r.Permitted, r.Grantable
	}
	return d, nil
}
