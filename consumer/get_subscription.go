package consumer

import (
	"context"

	"github.com/lakemesh/lakemesh"
)

// GetSubscription reads a subscription of this consumer with its whole history,
// and says whether that holds.
// An unknown id is [lakemesh.ErrNotFound], one of another account
// [lakemesh.ErrWrongAccount].
func (c *Consumer) GetSubscription(ctx context.Context, subscriptionID string) (*lakemesh.Subscription, error) {
	r, err := c.subscription(ctx, "GetSubscription", subscriptionID)
	if err != nil {
		return nil, err
	}
	if r.History, r.HistoryFault, err = c.tracker.History(ctx, r); err != nil {
		return nil, err
	}
	return &r.Subscription, nil
}
