package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/producer"
)

// The ends of the second subscription: the one that is asked for, and the one that is
// given, which comes while somebody watches.
const (
	askedFor = 90 * 24 * time.Hour
	givenFor = 3 * time.Second
)

// requestForAWhile asks for the same once more, with an end.
func (s *story) requestForAWhile(ctx context.Context) (outcome, error) {
	until := time.Now().Add(askedFor)
	out, err := s.consumer.RequestAccessToProduct(ctx, consumer.RequestInput{OwnerAccountID: s.producer.Account(), DatabaseName: s.database, Tables: []string{tableToRead},
		RequestPermissions: []string{"SELECT"}, Until: until, Notes: "to check one figure"})
	if err != nil {
		return outcome{}, err
	}
	s.ending = out.SubscriptionID
	return outcome{result: "SELECT on " + tableToRead + ", until " + lakemesh.FormatTime(until)}, nil
}

// approveForLess approves it with an end that is near.
func (s *story) approveForLess(ctx context.Context) (outcome, error) {
	until := time.Now().Add(givenFor)
	if err := s.producer.ApproveAccessRequest(ctx, producer.ApproveInput{RequestID: s.ending, Until: &until}); err != nil {
		return outcome{}, err
	}
	sub, err := s.producer.GetSubscription(ctx, s.ending)
	if err != nil {
		return outcome{}, err
	}
	if sub.Until.IsZero() || sub.Until.After(until) {
		return outcome{}, fmt.Errorf("it ends at %s, and was to end at %s", sub.Until, until)
	}
	if _, err := s.consumer.FinalizeSubscription(ctx, consumer.FinalizeInput{SubscriptionID: s.ending}); err != nil {
		return outcome{}, err
	}
	rows, err := s.rows(ctx, tableToRead)
	if err != nil {
		return outcome{}, err
	}
	return outcome{result: fmt.Sprintf("until %s only; until then the consumer reads %s rows", lakemesh.FormatTime(sub.Until), thousands(len(rows)))}, nil
}

// end waits for the end, and carries it out.
func (s *story) end(ctx context.Context) (outcome, error) {
	err := poll.Until(ctx, time.Minute, "the end of subscription "+s.ending, func(ctx context.Context) (bool, error) {
		sub, err := s.producer.GetSubscription(ctx, s.ending)
		return err == nil && sub.Over, err
	})
	if err != nil {
		return outcome{}, err
	}
	out, err := s.producer.ExpireSubscriptions(ctx)
	if err != nil {
		return outcome{}, err
	}
	if !slices.Contains(out.Subscriptions, s.ending) {
		return outcome{}, fmt.Errorf("ended were %v, and not %s", out.Subscriptions, s.ending)
	}
	return outcome{result: fmt.Sprintf("its end has come: %s, as a schedule would do it", count(len(out.Subscriptions), "subscription ended", "subscriptions ended"))}, nil
}
