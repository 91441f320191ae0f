package consumer

import (
	"cmp"
	"context"
	"slices"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// ListInput says which subscriptions are listed.
type ListInput struct {
	// Statuses are the states that are listed; nil or empty means Active alone.
	Statuses []lakemesh.Status
}

// ListOutput are subscriptions of this consumer, in the order of their creation.
type ListOutput struct {
	// Subscriptions are whole records, without their history.
	Subscriptions []lakemesh.Subscription `json:"Subscriptions"`
}

// AllStatuses are all states of a subscription, for [ListInput].
func AllStatuses() []lakemesh.Status {
	return []lakemesh.Status{lakemesh.Pending, lakemesh.Active, lakemesh.Denied, lakemesh.Deleted}
}

// ListProductAccess lists this consumer's subscriptions, all pages: what it has
// access to, or with other states, what it has asked for and what became of it. A
// state that does not exist is [lakemesh.ErrInvalidInput].
func (c *Consumer) ListProductAccess(ctx context.Context, in ListInput) (*ListOutput, error) {
	statuses := in.Statuses
	if len(statuses) == 0 {
		statuses = []lakemesh.Status{lakemesh.Active}
	}
	for _, s := range statuses {
		if !slices.Contains(AllStatuses(), s) {
			return nil, lakemesh.Invalid("Statuses", "%q is not a state of a subscription; the states are %v", s, AllStatuses())
		}
	}
	out := &ListOutput{Subscriptions: []lakemesh.Subscription{}}
	// One state can be found with fewer reads than all of them.
	one := lakemesh.Status("")
	if len(statuses) == 1 {
		one = statuses[0]
	}
	err := c.tracker.Subscribed(ctx, c.account, one, func(r *tracker.Record) bool {
		if slices.Contains(statuses, r.Status) {
			out.Subscriptions = append(out.Subscriptions, r.Subscription)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out.Subscriptions, func(a, b lakemesh.Subscription) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}
