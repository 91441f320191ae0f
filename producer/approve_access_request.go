package producer

import (
	"context"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/tracker"
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
	// Until is when access ends, to the second. Nil means when the request says, which may
	// be never; the zero time means never.
	Until *time.Time
	// Scope narrows the subscription to columns, rows or principals; what is nil in it stays
	// as it was requested.
	Scope ScopeInput
	// DecisionNotes is attached to the subscription.
	DecisionNotes string
	// Expect is the digest of the plan that was shown; the decision is made only if the
	// plan is still the same. Empty means that whatever the plan is by then will do.
	Expect string
}

// ApproveAccessRequest approves a pending request: it claims the decision, grants
// the permissions on the requested tables (and DESCRIBE on their database) to the
// consumer's account, opens the tables' prefixes in bucket policies, and records
// the subscription as Active.
//
// What is granted is what the request said when it was made: its id is made of its
// words. A request that says something else by now is a [lakemesh.ErrTampered], and can
// only be denied. More than was asked for can be granted; the plan says so.
//
// It fails with [lakemesh.ErrNotFound], [lakemesh.ErrWrongAccount],
// [lakemesh.ErrInvalidInput] and [lakemesh.ErrQuota] before anything changes; with
// [lakemesh.ErrChanged] if the plan is not the expected one; with
// [lakemesh.ErrIllegalTransition] if the request is not pending any more, and with
// [lakemesh.ErrClaimed] if somebody else is deciding on it. After any other error the
// same call carries on where this one ended.
func (p *Producer) ApproveAccessRequest(ctx context.Context, in ApproveInput) error {
	d, err := p.approval(in)
	if err != nil {
		return err
	}
	return p.decide(ctx, d)
}

// PlanApproveAccessRequest tells what [Producer.ApproveAccessRequest] would do. What it
// returns cannot be applied.
func (p *Producer) PlanApproveAccessRequest(ctx context.Context, in ApproveInput) (*plan.Plan, error) {
	d, err := p.approval(in)
	if err != nil {
		return nil, err
	}
	return p.preview(ctx, d)
}

func (p *Producer) approval(in ApproveInput) (*decision, error) {
	const op = "ApproveAccessRequest"
	permitted, grantable, err := parseGrants(in.GrantPermissions, in.GrantablePermissions)
	if err != nil {
		return nil, err
	}
	d := &decision{op: op, action: lakemesh.ActionApprove, id: in.RequestID, notes: in.DecisionNotes, expect: in.Expect}
	d.terms = func(r *tracker.Record) (terms, error) {
		if r.Fault != "" || !r.Believable() {
			return terms{}, tampered(op, p.meshAccount, r)
		}
		t := terms{permitted: permitted, until: r.Words.Until}
		if in.Until != nil {
			t.until = second(*in.Until)
		}
		if err := p.inFuture("Until", t.until); err != nil {
			return terms{}, err
		}
		if len(permitted) == 0 {
			// What the consumer asked for was checked when it asked, but the record can be
			// written by other means.
			if t.permitted, err = lakemesh.ParsePermissions(r.Requested.Strings()...); err != nil {
				return terms{}, err
			}
			if len(t.permitted) == 0 {
				return terms{}, lakemesh.Invalid("GrantPermissions", "the request names no permissions: say which to grant")
			}
		}
		if t.scope, err = in.Scope.on(p.partition, r, r.Words.Scope, t.permitted); err != nil {
			return terms{}, err
		}
		t.grantable, err = grantableOf(t, grantable, in.GrantablePermissions)
		return t, err
	}
	return d, nil
}
