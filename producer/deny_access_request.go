package producer

import (
	"context"
	"errors"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// DenyInput is the input of [Producer.DenyAccessRequest].
type DenyInput struct {
	// RequestID is the request to deny.
	RequestID string
	// DecisionNotes is attached to the subscription.
	DecisionNotes string
	// Expect is the digest of the plan that was shown; the decision is made only if the
	// plan is still the same. Empty means that whatever the plan is by then will do.
	Expect string
}

// DenyAccessRequest closes a pending request as Denied. No grant is made and
// nothing is shared; the record stays.
//
// It fails with [lakemesh.ErrNotFound], [lakemesh.ErrWrongAccount],
// [lakemesh.ErrIllegalTransition] if the request is not pending any more, and
// [lakemesh.ErrClaimed] if somebody else is deciding on it.
//
// Whatever the consumer made of its request, it can be denied.
func (p *Producer) DenyAccessRequest(ctx context.Context, in DenyInput) error {
	todo, record, err := p.denial(ctx, in)
	if err != nil {
		if record != nil && errors.Is(err, lakemesh.ErrIllegalTransition) {
			p.mirrorOf(ctx, record)
		}
		return err
	}
	if err := p.apply(ctx, todo); err != nil {
		return err
	}
	p.mirror(ctx, record, tracker.Outcome{Status: lakemesh.Denied})
	return nil
}

// PlanDenyAccessRequest tells what [Producer.DenyAccessRequest] would do: it
// writes the record, in one step. What it returns cannot be applied.
func (p *Producer) PlanDenyAccessRequest(ctx context.Context, in DenyInput) (*plan.Plan, error) {
	todo, _, err := p.denial(ctx, in)
	if err != nil {
		return nil, err
	}
	return todo.Preview(), nil
}

func (p *Producer) denial(ctx context.Context, in DenyInput) (*plan.Plan, *tracker.Record, error) {
	const op = "DenyAccessRequest"
	loaded, err := p.load(ctx, op, in.RequestID)
	if err != nil {
		return nil, nil, err
	}
	r, ledger := loaded.Record, loaded.Ledger
	if err := tracker.Claimable(r, lakemesh.Claim{Action: lakemesh.ActionDeny}); err != nil {
		return nil, r, p.atWork(ctx, err)
	}
	todo := &plan.Plan{Operation: op}
	todo.Add(plan.Step{Kind: plan.Record, Account: p.meshAccount, Resource: "subscription " + r.ID,
		Summary: "record that the request of account " + r.Subscriber + " is denied",
		Run:     func(ctx context.Context) error { return p.records.Deny(ctx, r, ledger, in.DecisionNotes) }})
	todo.Digest = todo.ComputeDigest(append(r.Digest(), in.DecisionNotes)...)
	return todo, r, expected(&decision{op: op, id: r.ID, expect: in.Expect}, todo)
}
