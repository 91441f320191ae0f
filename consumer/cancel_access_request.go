package consumer

import (
	"context"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

// CancelInput names the request that is taken back.
type CancelInput struct {
	// SubscriptionID is the request.
	SubscriptionID string
	// Reason goes into the notes and the history; it may be empty.
	Reason string
}

// PlanCancelAccessRequest tells what [Consumer.CancelAccessRequest] would do.
func (c *Consumer) PlanCancelAccessRequest(ctx context.Context, in CancelInput) (*plan.Plan, error) {
	const op = "CancelAccessRequest"
	r, err := c.subscription(ctx, op, in.SubscriptionID)
	if err != nil {
		return nil, err
	}
	if err := legal(op, r, lakemesh.ActionCancel); err != nil {
		return nil, err
	}
	p := &plan.Plan{Operation: op}
	p.Add(plan.Step{
		Kind: plan.Record, Account: c.meshAccount, Resource: "subscription " + r.ID,
		Summary: "take the pending request " + r.ID + " back: record it as " + string(lakemesh.Deleted),
		Run:     func(ctx context.Context) error { return c.tracker.Cancel(ctx, r, in.Reason) },
	})
	return p, nil
}

// CancelAccessRequest takes a request back that nobody has decided on yet. The
// record stays, as Deleted. One that was decided is a
// [lakemesh.TransitionError], one that is being decided at this moment a
// [lakemesh.ClaimedError].
func (c *Consumer) CancelAccessRequest(ctx context.Context, in CancelInput) error {
	p, err := c.PlanCancelAccessRequest(ctx, in)
	if err != nil {
		return err
	}
	return c.apply(ctx, p)
}
