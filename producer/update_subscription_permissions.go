package producer

import (
	"context"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// UpdateInput is the input of [Producer.UpdateSubscriptionPermissions].
type UpdateInput struct {
	// SubscriptionID is the subscription to change.
	SubscriptionID string
	// GrantPermissions are the permissions that hold afterwards; at least one. Nil means
	// those that hold.
	GrantPermissions []string
	// GrantablePermissions are what the consumer may grant on afterwards. Nil means
	// all of GrantPermissions, or if these are nil what it may grant on; empty means none.
	GrantablePermissions []string
	// Until is when access ends, to the second. Nil means as before; the zero time means
	// never.
	Until *time.Time
	// Scope narrows the subscription to columns, rows or principals, or widens it; what is nil
	// in it stays as it is.
	Scope ScopeInput
	// Notes is attached to the subscription.
	Notes string
	// Expect is the digest of the plan that was shown; the decision is made only if the
	// plan is still the same. Empty means that whatever the plan is by then will do.
	Expect string
}

// UpdateSubscriptionPermissions sets the permissions of an active subscription:
// what is missing is granted, what is not named any more is revoked unless another
// active subscription of the consumer justifies it. Revoking at the account's level
// ends what the consumer had handed on, so the consumer has to finalize the
// subscription again.
//
// An update to what holds already mends what fell out of it by other means: grants,
// resource shares, and prefixes in the policies of its tables' buckets. If nothing did,
// it writes nothing.
//
// It fails like [Producer.ApproveAccessRequest].
func (p *Producer) UpdateSubscriptionPermissions(ctx context.Context, in UpdateInput) error {
	d, err := p.update(in)
	if err != nil {
		return err
	}
	return p.decide(ctx, d)
}

// PlanUpdateSubscriptionPermissions tells what
// [Producer.UpdateSubscriptionPermissions] would do. What it returns cannot be applied.
func (p *Producer) PlanUpdateSubscriptionPermissions(ctx context.Context, in UpdateInput) (*plan.Plan, error) {
	d, err := p.update(in)
	if err != nil {
		return nil, err
	}
	return p.preview(ctx, d)
}

func (p *Producer) update(in UpdateInput) (*decision, error) {
	const op = "UpdateSubscriptionPermissions"
	var t terms
	var err error
	if t.permitted, t.grantable, err = parseGrants(in.GrantPermissions, in.GrantablePermissions); err != nil {
		return nil, err
	}
	if len(t.permitted) == 0 && in.GrantPermissions != nil {
		return nil, lakemesh.Invalid("GrantPermissions", "name at least one permission; to end the subscription, delete it")
	}
	grantable := t.grantable
	if in.GrantPermissions != nil {
		if _, err = subset(t.permitted, grantable, in.GrantablePermissions); err != nil {
			return nil, err
		}
	}
	d := &decision{op: op, action: lakemesh.ActionUpdate, id: in.SubscriptionID, notes: in.Notes, expect: in.Expect}
	d.terms = func(r *tracker.Record) (terms, error) {
		t := t
		if in.GrantPermissions == nil {
			t.permitted = r.Permitted
		}
		switch {
		case r.Fault != "":
			return terms{}, tampered(op, p.meshAccount, r)
		case r.Leaving && !t.permitted.SubsetOf(r.Permitted):
			// It is the consumer's word: it keeps nobody from taking access away.
			return terms{}, p.left(op, r, "it is given no more permissions")
		}
		var err error
		if t.scope, err = in.Scope.on(p.partition, r, r.Scope, t.permitted); err != nil {
			return terms{}, err
		}
		if t.grantable, err = grantableOf(t, grantable, in.GrantablePermissions); err != nil {
			return terms{}, err
		}
		if in.GrantPermissions == nil && in.GrantablePermissions == nil && !t.scope.Direct() && !r.Scope.Direct() {
			t.grantable = r.Grantable
		}
		if len(t.permitted) == 0 {
			return terms{}, lakemesh.Invalid("GrantPermissions", "it has no permissions that could stay: name them")
		}
		if r.Leaving && !within(t.scope, r.Scope) {
			return terms{}, p.left(op, r, "it is given no other columns, rows or principals")
		}
		t.until = r.Until
		if in.Until != nil {
			t.until = second(*in.Until)
		}
		if r.Leaving && !r.Until.IsZero() && (t.until.IsZero() || t.until.After(r.Until)) {
			return terms{}, p.left(op, r, "it is given no more time")
		}
		if err := p.inFuture("Until", t.until); err != nil {
			return terms{}, err
		}
		return t, nil
	}
	return d, nil
}

// left is the error of a decision that gives more to a consumer which has left.
func (p *Producer) left(op string, r *tracker.Record, what string) error {
	return &lakemesh.Error{Op: op, Account: p.meshAccount, Resource: "subscription " + r.ID, Kind: lakemesh.ErrIllegalTransition,
		Message: "the consumer has left it: " + what, Hint: "delete it, which ends the consumer's grants", Do: []lakemesh.Call{lakemesh.Do("producer.DeleteSubscription", "SubscriptionID", r.ID)}}
}
