package producer

import (
	"context"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

// ApproveInput is the input of [Producer.ApproveAccessRequest].
type ApproveInput struct {
	// RequestID is the request to approve.
	RequestID string
	// GrantPermissions are granted; nil or empty means all that were requested.
	GrantPermissions []string
	// GrantablePermissions are what the consumer may grant on to principals of its
	// own account: a subset of what is granted. Nil means all of it; empty means
	// none, and then nobody but the consumer's data lake administrators can use the
	// product.
	GrantablePermissions []string
	// DecisionNotes is attached to the subscription.
	DecisionNotes string
}

// ApproveAccessRequest approves a pending request: it claims the decision, grants
// the permissions on the requested tables (and DESCRIBE on their database) to the
// consumer's account, opens the tables' prefixes in bucket policies, and records
// the subscription as Active.
//
// It fails with [lakemesh.ErrNotFound], [lakemesh.ErrWrongAccount],
// [lakemesh.ErrInvalidInput] and [lakemesh.ErrQuota] before anything changes; with
// [lakemesh.ErrIllegalTransition] if the request is not pending any more, and with
// [lakemesh.ErrClaimed] if somebody else is deciding on it. After any other error the
// same call carries on where this one ended.
func (p *Producer) ApproveAccessRequest(ctx context.Context, in ApproveInput) error {
	d, err := p.approval(ctx, in)
	if err != nil {
		return err
	}
	return p.decide(ctx, d)
}

// PlanApproveAccessRequest tells what [Producer.ApproveAccessRequest] would do.
func (p *Producer) PlanApproveAccessRequest(ctx context.Context, in ApproveInput) (*plan.Plan, error) {
	d, err := p.approval(ctx, in)
	if err != nil {
		return nil, err
	}
	return p.planDecision(ctx, d)
}

func (p *Producer) approval(ctx context.Context, in ApproveInput) (*decision, error) {
	const op = "ApproveAccessRequest"
	permitted, grantable, err := parseGrants(in.GrantPermissions, in.GrantablePermissions)
	if err != nil {
		return nil, err
	}
	r, err := p.load(ctx, op, in.RequestID)
	if err != nil {
		return nil, err
	}
	if r.Tampered != "" {
		return nil, tampered(op, p.meshAccount, r)
	}
	if len(permitted) == 0 {
		// What the consumer asked for was checked when it asked, but the record can be
		// written by other means.
		if permitted, err = lakemesh.ParsePermissions(r.Requested.Strings()...); err != nil {
			return nil, err
		}
		if len(permitted) == 0 {
			return nil, lakemesh.Invalid("GrantPermissions", "the request names no permissions: say which to grant")
		}
	}
	if grantable, err = subset(permitted, grantable, in.GrantablePermissions); err != nil {
		return nil, err
	}
	return &decision{op: op, action: lakemesh.ActionApprove, record: r, permitted: permitted, grantable: grantable, notes: in.DecisionNotes}, nil
}
