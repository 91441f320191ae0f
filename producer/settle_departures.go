package producer

import (
	"context"
	"errors"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// SettleOutput is the output of [Producer.SettleDepartures].
type SettleOutput struct {
	// Subscriptions are the ids of the subscriptions that were ended.
	Subscriptions []string `json:"Subscriptions"`
}

// SettleDepartures ends the subscriptions that their consumers have left. AWS lets
// nobody but the grantor's side revoke a grant to an account, so a consumer that
// leaves takes the access from the principals of its own account, and this ends the
// grant to the account itself. The error joins those of the subscriptions that
// could not be ended; the others are ended.
func (p *Producer) SettleDepartures(ctx context.Context) (*SettleOutput, error) {
	departed, err := p.records.OwnedActive(ctx, p.account, func(r *tracker.Record) bool { return r.Leaving })
	if err != nil {
		return nil, err
	}
	out := &SettleOutput{Subscriptions: []string{}}
	var failed []error
	for _, r := range departed {
		switch err := p.DeleteSubscription(ctx, DeleteInput{SubscriptionID: r.ID, Reason: "the consumer has left"}); {
		case errors.Is(err, lakemesh.ErrIllegalTransition):
			// Somebody else has ended it.
		case err != nil:
			failed = append(failed, err)
		default:
			out.Subscriptions = append(out.Subscriptions, r.ID)
		}
	}
	return out, errors.Join(failed...)
}
