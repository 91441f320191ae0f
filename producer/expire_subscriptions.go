package producer

import (
	"context"
	"errors"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// ExpireOutput is the output of [Producer.ExpireSubscriptions].
type ExpireOutput struct {
	// Subscriptions are the ids of the subscriptions that were ended.
	Subscriptions []string `json:"Subscriptions"`
}

// ExpireSubscriptions ends the subscriptions of this owner whose end has passed, each as
// [Producer.DeleteSubscription] does. Lake Formation's grants have no end
// (https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GrantPermissions.html),
// so somebody has to take them away: this is what a schedule runs. A subscription that
// is over justifies nothing from its end on, whether or not this was run yet: whatever
// is decided next about what it is on takes it away, and [Producer.Verify] tells of it.
//
// A decision that was left unfinished and whose own end has passed is not carried on: an
// approval is taken back, as [Producer.AbortDecision] does, and an active subscription ended.
// One whose end was moved in the meantime, or is being moved, is left alone. The error joins those of the
// subscriptions that could not be ended; the others are ended.
func (p *Producer) ExpireSubscriptions(ctx context.Context) (*ExpireOutput, error) {
	due, err := p.overdue(ctx)
	if err != nil {
		return nil, err
	}
	out := &ExpireOutput{Subscriptions: []string{}}
	var failed []error
	for _, r := range due {
		done, err := p.expire(ctx, r)
		switch {
		case err != nil:
			failed = append(failed, err)
		case done:
			out.Subscriptions = append(out.Subscriptions, r.ID)
		}
	}
	return out, errors.Join(failed...)
}

// expire ends what is over. An approval that was under way when it was read can be done
// when this one's turn has come, so that it has to be ended.
func (p *Producer) expire(ctx context.Context, r *tracker.Record) (done bool, _ error) {
	for r.Over || r.Lapsed {
		d := p.expiry(r)
		err := p.decide(ctx, d.decision)
		if err != nil && !errors.Is(err, lakemesh.ErrIllegalTransition) {
			return false, err
		}
		if err == nil && !d.nothing {
			return true, nil
		}
		was := r
		if r, err = p.records.Get(ctx, r.ID); err != nil {
			return false, err
		}
		if r.Status == was.Status {
			break
		}
	}
	return false, nil
}

// PlanExpireSubscriptions tells what [Producer.ExpireSubscriptions] would do. What it
// returns cannot be applied.
func (p *Producer) PlanExpireSubscriptions(ctx context.Context) (*plan.Plan, error) {
	due, err := p.overdue(ctx)
	if err != nil {
		return nil, err
	}
	all := &plan.Plan{Operation: "ExpireSubscriptions"}
	for _, r := range due {
		one, err := p.preview(ctx, p.expiry(r).decision)
		if errors.Is(err, errNothingToDecide) || errors.Is(err, lakemesh.ErrIllegalTransition) {
			// Somebody else has decided in the meantime.
			continue
		}
		if err != nil {
			return nil, err
		}
		all.Append(one)
	}
	return all, nil
}

// overdue are the subscriptions that are over, and approvals that were left unfinished
// until their end.
func (p *Producer) overdue(ctx context.Context) ([]*tracker.Record, error) {
	return p.records.OwnedActive(ctx, p.account, func(r *tracker.Record) bool { return r.Over || r.Status == lakemesh.Pending && r.Lapsed })
}

// expiration is a decision by which what is over ends. nothing tells that, when its turn
// came, there was nothing to be ended any more.
type expiration struct {
	*decision

	nothing bool
}

// expiry is the decision that ends a subscription which is over, or takes an approval
// back, unless the end was moved.
func (p *Producer) expiry(r *tracker.Record) *expiration {
	x := &expiration{}
	approving := r.Status == lakemesh.Pending
	if approving {
		x.decision = p.abortion(AbortInput{SubscriptionID: r.ID, Reason: "it was not approved before its end"})
	} else {
		x.decision = deletion(DeleteInput{SubscriptionID: r.ID, Reason: "it ended on " + lakemesh.FormatTime(r.EndedAt()) + " (UTC)"})
	}
	x.terms = func(now *tracker.Record) (terms, error) {
		x.nothing = !now.Over
		if approving {
			x.nothing = now.Status != lakemesh.Pending || !now.Lapsed
		}
		if x.nothing && (approving || now.Status == lakemesh.Active) {
			return terms{}, errNothingToDecide
		}
		return terms{}, nil
	}
	return x
}
