package producer

import (
	"context"

	"github.com/lakemesh/lakemesh"
)

// GetSubscription reads one subscription to a product of this producer, with its
// history, and says whether that is whole. It fails with [lakemesh.ErrNotFound] and [lakemesh.ErrWrongAccount].
func (p *Producer) GetSubscription(ctx context.Context, id string) (*lakemesh.Subscription, error) {
	r, err := p.load(ctx, "GetSubscription", id)
	if err != nil {
		return nil, err
	}
	s := r.Subscription
	if s.History, s.HistoryFault, err = p.records.History(ctx, r.Record); err != nil {
		return nil, err
	}
	return &s, nil
}
