package producer

import (
	"context"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// AbortInput is the input of [Producer.AbortDecision].
type AbortInput struct {
	// SubscriptionID is the subscription whose decision was left unfinished.
	SubscriptionID string
	// Reason is attached to the subscription.
	Reason string
	// Expect is the digest of the plan that was shown; the decision is made only if the
	// plan is still the same. Empty means that whatever the plan is by then will do.
	Expect string
}

// AbortDecision takes back a decision that was claimed and not finished: the
// grants go back to what the subscription's state justifies, and the claim is
// cleared, so that another decision can be made. A decision whose program still
// gives signs of life cannot be aborted: [lakemesh.ErrClaimed].
func (p *Producer) AbortDecision(ctx context.Context, in AbortInput) error {
	return p.decide(ctx, p.abortion(in))
}

// PlanAbortDecision tells what [Producer.AbortDecision] would do. What it returns
// cannot be applied.
func (p *Producer) PlanAbortDecision(ctx context.Context, in AbortInput) (*plan.Plan, error) {
	return p.preview(ctx, p.abortion(in))
}

func (p *Producer) abortion(in AbortInput) *decision {
	const op = "AbortDecision"
	d := &decision{op: op, action: lakemesh.ActionAbort, id: in.SubscriptionID, notes: in.Reason, expect: in.Expect}
	d.terms = func(r *tracker.Record) (terms, error) {
		if r.Claim == nil {
			return terms{}, &lakemesh.Error{Op: op, Account: p.meshAccount, Resource: "subscription " + r.ID, Kind: lakemesh.ErrIllegalTransition,
				Message: "no decision on it is under way; it is " + string(r.Status)}
		}
		if r.Status == lakemesh.Active {
			return asDecided(r), nil
		}
		return terms{}, nil
	}
	return d
}
