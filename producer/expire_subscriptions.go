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
// One whose end was moved in the meantime is left alone. The error joins those of the
// subscriptions that could not be ended; the others are ended.
func (p *Producer) ExpireSubscriptions(ctx context.Context) (*ExpireOutput, error) {
	due, err := p.overdue(ctx)
	if err != nil {
		return nil, err
	}
	out := &ExpireOutput{Subscriptions: []string{}}
	var failed []error
	for _, d := range due {
		switch err := p.decide(ctx, d); {
		case errors.Is(err, lakemesh.ErrIllegalTransition):
			// Somebody else has ended it.
		case err != nil:
			failed = append(failed, err)
		default:
			out.Subscriptions = append(out.Subscriptions, d.id)
		}
	}
	return out, errors.Join(failed...)
}

// PlanExpireSubscriptions tells what [Producer.ExpireSubscriptions] would do. What it
// returns cannot be applied.
func (p *Producer) PlanExpireSubscriptions(ctx context.Context) (*plan.Plan, error) {
	due, err := p.overdue(ctx)
	if err != nil {
		return nil, err
	}
	all := &plan.Plan{Operation: "ExpireSubscriptions"}
	for _, d := range due {
		one, err := p.preview(ctx, d)
		if err != nil {
			return nil, err
		}
		all.Append(one)
	}
	return all, nil
}

// overdue are the decisions that end what is over.
func (p *Producer) overdue(ctx context.Context) ([]*decision, error) {
	records, err := p.records.OwnedActive(ctx, p.account, func(r *tracker.Record) bool { return r.Over })
	if err != nil {
		return nil, err
	}
	all := make([]*decision, len(records))
	for i, r := range records {
		all[i] = expiry(r)
	}
	return all, nil
}

// expiry is the decision that ends a subscription which is over, unless its end was moved.
func expiry(r *tracker.Record) *decision {
	d := deletion(DeleteInput{SubscriptionID: r.ID, Reason: "it ended on " + lakemesh.FormatTime(r.Until) + " (UTC)"})
	d.terms = func(now *tracker.Record) (terms, error) {
		if now.Claim == nil && now.Status == lakemesh.Active && !now.Over {
			return terms{}, errNothingToDecide
		}
		return terms{}, nil
	}
	return d
}
