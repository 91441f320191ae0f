package producer

import (
	"context"
	"iter"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// PendingRequest is a request that waits for a decision, in the reference's shape.
type PendingRequest struct {
	SubscriptionID string   `json:"SubscriptionId"`
	DatabaseName   string   `json:"DatabaseName"`
	TableName      []string `json:"TableName"`
	// RequestedGrants are the permissions that were asked for.
	RequestedGrants []string `json:"RequestedGrants"`
	// RequestedScope is what it asks to be narrowed to.
	RequestedScope lakemesh.Scope `json:"RequestedScope,omitzero"`
	// RequestedUntil is until when, in the form of CreationDate; empty for no end.
	RequestedUntil string `json:"RequestedUntil,omitempty"`
	// Group is the domain or the data product that is asked for instead of a database.
	Group lakemesh.Group `json:"Group,omitzero"`
	// SubscriberPrincipal is the consumer's account.
	SubscriberPrincipal string `json:"SubscriberPrincipal"`
	// CreationDate has the form YYYY-MM-DD HH:MM:SS, UTC.
	CreationDate string `json:"CreationDate"`
	// CreatedBy is the identity that asked.
	CreatedBy string `json:"CreatedBy"`
	// Tampered says why it cannot be approved as it is, if it cannot: it was changed after
	// it was made, or cannot be read. Then TableName may be empty, and does not stand for
	// the whole database.
	Tampered string `json:"Tampered,omitempty"`
	// Status and OwnerPrincipal complete the record.
	Status         lakemesh.Status `json:"Status"`
	OwnerPrincipal string          `json:"OwnerPrincipal"`
}

// ListPendingOutput is the output of [Producer.ListPendingAccessRequests].
type ListPendingOutput struct {
	// Subscriptions are the pending requests; empty, not nil, if there are none.
	Subscriptions []PendingRequest `json:"Subscriptions"`
}

// ListPendingAccessRequests lists the requests for the producer's products that
// are not yet approved, denied or taken back. They are found through the inboxes of
// the accounts that are enabled as consumers; each of them writes its own, so that
// nobody hides another's requests.
func (p *Producer) ListPendingAccessRequests(ctx context.Context) (*ListPendingOutput, error) {
	out := &ListPendingOutput{Subscriptions: []PendingRequest{}}
	for s, err := range p.Subscriptions(ctx, ListSubscriptionsInput{Status: lakemesh.Pending}) {
		if err != nil {
			return nil, err
		}
		tables := s.Tables
		if tables == nil {
			tables = []string{}
		}
		out.Subscriptions = append(out.Subscriptions, PendingRequest{
			SubscriptionID: s.ID, DatabaseName: s.Database, Group: s.Group, TableName: tables, RequestedGrants: s.Requested.Strings(), RequestedScope: s.RequestedScope, RequestedUntil: lakemesh.FormatTime(s.RequestedUntil),
			SubscriberPrincipal: s.Subscriber, CreationDate: lakemesh.FormatTime(s.Created), CreatedBy: s.CreatedBy,
			Status: s.Status, OwnerPrincipal: s.Owner, Tampered: s.Tampered,
		})
	}
	return out, nil
}

// ListSubscriptionsInput is the input of [Producer.ListSubscriptions].
type ListSubscriptionsInput struct {
	// Status chooses a state; empty means all.
	Status lakemesh.Status
}

// ListSubscriptionsOutput is the output of [Producer.ListSubscriptions].
type ListSubscriptionsOutput struct {
	// Subscriptions are whole records, without their histories.
	Subscriptions []lakemesh.Subscription `json:"Subscriptions"`
}

// ListSubscriptions lists the subscriptions to the producer's products, whole and
// all pages.
func (p *Producer) ListSubscriptions(ctx context.Context, in ListSubscriptionsInput) (*ListSubscriptionsOutput, error) {
	out := &ListSubscriptionsOutput{Subscriptions: []lakemesh.Subscription{}}
	for s, err := range p.Subscriptions(ctx, in) {
		if err != nil {
			return nil, err
		}
		out.Subscriptions = append(out.Subscriptions, *s)
	}
	return out, nil
}

// Subscriptions goes through the subscriptions to the producer's products, and ends with the
// first error. Everything is read consistently, and through what the owner itself
// has written; requests that wait through the inboxes of the mesh's consumers.
//
//	for s, err := range p.Subscriptions(ctx, producer.ListSubscriptionsInput{Status: lakemesh.Active}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(s.ID, s.Database)
//	}
func (p *Producer) Subscriptions(ctx context.Context, in ListSubscriptionsInput) iter.Seq2[*lakemesh.Subscription, error] {
	return func(yield func(*lakemesh.Subscription, error) bool) {
		ended := false
		err := p.records.Owned(ctx, p.account, in.Status, func(r *tracker.Record) bool {
			ended = !yield(&r.Subscription, nil)
			return !ended
		})
		if err != nil && !ended {
			yield(nil, err)
		}
	}
}
