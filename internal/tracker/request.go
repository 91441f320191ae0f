package tracker

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
)

// Request writes a new request, Pending, with its history. It names only
// attributes that a consumer's role may write.
func (t *Tracker) Request(ctx context.Context, s lakemesh.Subscription, notes string) error {
	if err := checkSize(s.Tables); err != nil {
		return err
	}
	now := t.now()
	event := lakemesh.Event{At: now, By: t.by, Action: lakemesh.ActionRequest, To: lakemesh.Pending, Reason: notes,
		Permissions: s.Requested, Tables: s.Tables}
	entry := t.historyKey(s.ID, event)
	u := newUpdate(s.ID)
	u.Set(attrOwner, str(s.Owner))
	u.Set(attrSubscriber, str(s.Subscriber))
	u.Set(attrStatus, str(string(lakemesh.Pending)))
	u.Set(attrDatabase, str(s.Database))
	u.Set(attrRequested, list(s.Requested.Strings()))
	u.Set(attrCreated, str(lakemesh.FormatTime(now)))
	u.Set(attrCreatedBy, str(t.by))
	u.Set(attrHistory, list([]string{entry}))
	if len(s.Tables) > 0 {
		u.Set(attrTables, names(s.Tables))
	}
	if len(s.Expressions) > 0 {
		u.Set(attrExpressions, list(s.Expressions))
	}
	if notes != "" {
		u.AddTo(attrNotes, notes)
	}
	u.IfAbsent(attrID)
	err := t.transactPatiently(ctx, u.transact(), t.historyPut(entry, s.ID, event))
	if conditionFailed(err) {
		// Somebody of the same account asked for the same at the same time.
		if r, readErr := t.Get(ctx, s.ID); readErr == nil && pendingTwin(r, s) {
			return nil
		}
	}
	return t.explainUpdate("RequestAccessToProduct", s.ID, err)
}

// sameRequests is how many requests for the same are looked up at once.
const sameRequests = 8

// PendingTwin finds a pending request of the subscriber for exactly the same: asking
// twice is asking once. If there is none it returns the id under which the request
// is to be recorded.
//
// The id of a request follows from what is asked for and from how many times that
// was asked for before. So it is found by its key, consistently: the index can be
// late. The index finds those that were recorded under other ids.
func (t *Tracker) PendingTwin(ctx context.Context, s lakemesh.Subscription) (twin *Record, id string, err error) {
	var others []string
	err = t.Subscribed(ctx, s.Subscriber, func(r *Record) bool {
		if pendingTwin(r, s) {
			others = append(others, r.ID)
		}
		return true
	})
	if err != nil {
		return nil, "", err
	}
	for first := 0; ; first += sameRequests {
		ids := make([]string, sameRequests)
		for i := range ids {
			ids[i] = requestID(s, first+i)
		}
		records, err := t.records(ctx, append(slices.Clone(ids), others...))
		if err != nil {
			return nil, "", err
		}
		taken := map[string]bool{}
		for _, r := range records {
			if pendingTwin(r, s) {
				return r, r.ID, nil
			}
			taken[r.ID] = true
		}
		if i := slices.IndexFunc(ids, func(id string) bool { return !taken[id] }); i >= 0 {
			return nil, ids[i], nil
		}
		others = nil
	}
}

// pendingTwin tells whether a record is a pending request for the same.
func pendingTwin(r *Record, s lakemesh.Subscription) bool {
	return r.Status == lakemesh.Pending && r.Tampered == "" && r.Owner == s.Owner && r.Subscriber == s.Subscriber && r.Database == s.Database &&
		r.Requested.Equal(s.Requested) && sameNames(r.Tables, s.Tables)
}

// requestID is the id of the request for the same that was made after n others.
func requestID(s lakemesh.Subscription, n int) string {
	parts := append([]string{strconv.Itoa(n), s.Database, s.Requested.String()}, compact(slices.Clone(s.Tables))...)
	return lakemesh.DerivedSubscriptionID(s.Owner, s.Subscriber, parts...)
}

func sameNames(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	return slices.Equal(compact(a), compact(b))
}

// Deny closes a request: one transaction, conditional on its being pending and
// unclaimed, so that of an approver and a denier exactly one gets through.
func (t *Tracker) Deny(ctx context.Context, r *Record, notes string) error {
	claim := lakemesh.Claim{Action: lakemesh.ActionDeny}
	if r.Claim != nil && !t.now().Before(r.Claim.Until) {
		return &lakemesh.ClaimedError{SubscriptionID: r.ID, Wanted: claim.Action, Claim: *r.Claim, Expired: true}
	}
	if err := t.Claimable(r, claim); err != nil {
		return err
	}
	return t.close(ctx, r, claim, lakemesh.Denied, notes, func(u *update) {
		u.Set(attrDecided, str(string(lakemesh.Denied)))
		u.IfAbsent(attrClaim)
	})
}

// Cancel takes a pending request back, on the consumer's side. The condition is
// on ClaimedBy, which stands beside a claim, because a consumer's role may not
// name the claim itself.
func (t *Tracker) Cancel(ctx context.Context, r *Record, reason string) error {
	claim := lakemesh.Claim{Action: lakemesh.ActionCancel}
	if r.Claim != nil {
		return &lakemesh.ClaimedError{SubscriptionID: r.ID, Wanted: claim.Action, Claim: *r.Claim, Expired: !t.now().Before(r.Claim.Until)}
	}
	if err := transition(r, claim.Action); err != nil {
		return err
	}
	return t.close(ctx, r, claim, lakemesh.Deleted, reason, func(u *update) { u.IfAbsent(attrClaimedBy) })
}

// close ends a pending request.
func (t *Tracker) close(ctx context.Context, r *Record, c lakemesh.Claim, to lakemesh.Status, reason string, also func(*update)) error {
	now := t.now()
	event := lakemesh.Event{At: now, By: t.by, Action: c.Action, From: r.Status, To: to, Reason: reason, Tables: r.Tables}
	entry := t.historyKey(r.ID, event)
	u := t.touch(r, entry, reason)
	u.Set(attrStatus, str(string(to)))
	u.If(attrStatus, str(string(r.stored)))
	also(u)
	err := t.transactPatiently(ctx, u.transact(), t.historyPut(entry, r.ID, event))
	if conditionFailed(err) {
		return t.diagnose(ctx, r.ID, c)
	}
	return t.explainUpdate(string(c.Action), r.ID, err)
}

// touch begins an update that says who did something, when and why.
func (t *Tracker) touch(r *Record, entry, reason string) *update {
	u := newUpdate(r.ID)
	u.Append(t.journal(), entry)
	u.Set(attrUpdated, str(lakemesh.FormatTime(t.now())))
	u.Set(attrUpdatedBy, str(t.by))
	if reason != "" {
		u.AddTo(attrNotes, reason)
	}
	return u
}

// Imported marks a subscription as finalized, on the consumer's side.
func (t *Tracker) Imported(ctx context.Context, r *Record, principals []string) error {
	return t.consumerDid(ctx, r, lakemesh.ActionImport, "", principals, func(u *update) {
		u.Set(attrImported, &types.AttributeValueMemberBOOL{Value: true})
		// A decision that has begun in the meantime ends what was handed on.
		u.IfAbsent(attrClaimedBy)
	})
}

// Left marks a subscription as left by its consumer. The producer's side ends the
// account-level grant: AWS lets nobody else.
func (t *Tracker) Left(ctx context.Context, r *Record, reason string) error {
	return t.consumerDid(ctx, r, lakemesh.ActionLeave, reason, nil, func(u *update) {
		u.Set(attrLeaving, &types.AttributeValueMemberBOOL{Value: true})
		u.Set(attrImported, &types.AttributeValueMemberBOOL{Value: false})
		if reason != "" {
			u.Set(attrLeftReason, str(reason))
		}
	})
}

func (t *Tracker) consumerDid(ctx context.Context, r *Record, a lakemesh.Action, reason string, principals []string, also func(*update)) error {
	if err := transition(r, a); err != nil {
		return err
	}
	event := lakemesh.Event{At: t.now(), By: t.by, Action: a, From: r.Status, To: r.Status, Reason: reason, Tables: r.Tables}
	if len(principals) > 0 {
		event.Reason = "handed on to " + strings.Join(principals, ", ")
	}
	entry := t.historyKey(r.ID, event)
	u := t.touch(r, entry, reason)
	also(u)
	u.If(attrStatus, str(string(r.stored)))
	err := t.transactPatiently(ctx, u.transact(), t.historyPut(entry, r.ID, event))
	if conditionFailed(err) {
		return t.diagnose(ctx, r.ID, lakemesh.Claim{Action: a})
	}
	return t.explainUpdate(string(a), r.ID, err)
}
