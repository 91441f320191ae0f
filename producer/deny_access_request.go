package producer

import (
	"context"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

// DenyInput is the input of [Producer.DenyAccessRequest].
type DenyInput struct {
	// RequestID is the request to deny.
	RequestID string
	// DecisionNotes is attached to the subscription.
	DecisionNotes string
}

// DenyAccessRequest closes a pending request as Denied. No grant is made and
// nothing is shared; the record stays.
//
// It fails with [lakemesh.ErrNotFound], [lakemesh.ErrWrongAccount],
// [lakemesh.ErrIllegalTransition] if the request is not pending any more, and
// [lakemesh.ErrClaimed] if somebody else is deciding on it.
func (p *Producer) DenyAccessRequest(ctx context.Context, in DenyInput) error {
	todo, err := p.PlanDenyAccessRequest(ctx, in)
	if err != nil {
		return err
	}
	return p.apply(ctx, todo)
}

// PlanDenyAccessRequest tells what [Producer.DenyAccessRequest] would do: it
// writes the record, in one step.
func (p *Producer) PlanDenyAccessRequest(ctx context.Context, in DenyInput) (*plan.Plan, error) {
	const op = "DenyAccessRequest"
	r, err := p.load(ctx, op, in.RequestID)
	if err != nil {
		return nil, err
	}
	if err := p.records.Claimable(r, lakemesh.Claim{Action: lakemesh.ActionDeny}); err != nil {
		return nil, err
	}
	todo := &plan.Plan{Operation: op}
	todo.Add(plan.Step{Kind: plan.Record, Account: p.meshAccount, Resource: "subscription " + r.ID,
		Summary: "record that the request of account " + r.Subscriber + " is denied",
		Run:     func(ctx context.Context) error { return p.records.Deny(ctx, r, in.DecisionNotes) }})
	return todo, nil
}
