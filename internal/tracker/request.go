package tracker

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/poll"
)

// Request writes a new request, Pending, with the first entry of its history, and puts
// it into the pair's inbox, where the owner finds it.
func (t *Tracker) Request(ctx context.Context, owner, subscriber string, w Words) error {
	if err := CheckWords(w); err != nil {
		return err
	}
	id := w.ID(owner, subscriber)
	r := &Record{Subscription: lakemesh.Subscription{ID: id, Owner: owner, Subscriber: subscriber, Tables: w.Tables}}
	event := t.event(r, lakemesh.ActionRequest, lakemesh.Pending, w.Note)
	event.Permissions, event.Until, event.Scope = w.Requested, w.Until, w.Scope
	e := t.next(ConsumerSide, id, chainEnd{}, chainEnd{}, event)
	u := inSubscriptions(id)
	u.Set(attrOwner, str(owner))
	u.Set(attrSubscriber, str(subscriber))
	u.Set(attrStatus, str(string(lakemesh.Pending)))
	u.Set(attrCreated, str(lakemesh.FormatTime(event.At)))
	w.write(u)
	e.close(u, chainEnd{})
	u.IfAbsent(attrID)
	inbox := inSubscriptions(inboxKey(owner, subscriber))
	inbox.AddTo(attrOpen, id)
	err := t.transact(ctx, u, e.write(lakemesh.SubscriptionsTable), inbox)
	if conditionFailed(err) {
		// Somebody of the same account asked for the same at the same time.
		if r, readErr := t.Get(ctx, id); readErr == nil && r.pendingTwin(w) {
			return nil
		}
	}
	return t.explain("RequestAccessToProduct", id, err)
}

// sameRequests is how many requests for the same are looked up at once.
const sameRequests = 8

// tidyFrom is from how many requests on that were decided an inbox is tidied up.
const tidyFrom = 20

// PendingTwin finds a pending request of the pair for exactly the same: asking twice is
// asking once. If there is none it returns the words with the number of times that the
// same was asked for before, under which the request is to be recorded. What it finds
// in the inbox that was decided is taken out of it.
func (t *Tracker) PendingTwin(ctx context.Context, owner, subscriber string, w Words) (twin *Record, numbered Words, err error) {
	w.By = t.by
	in, err := t.inbox(ctx, pair{owner, subscriber})
	if err != nil {
		return nil, w, err
	}
	// A page of what was imported goes along: what has ended of it is tidied up.
	open := slices.Concat(in.open, some(in.joined, batchGetMax-sameRequests-len(in.open)))
	var closed []string
	defer func() {
		if err == nil && len(closed) >= tidyFrom {
			t.tidy(ctx, owner, subscriber, closed)
		}
	}()
	for first := 0; ; first += sameRequests {
		ids := make([]string, sameRequests)
		for n := range ids {
			w.Asked = first + n
			ids[n] = w.ID(owner, subscriber)
		}
		taken := map[string]bool{}
		err := t.records(ctx, append(slices.Clone(ids), open...), func(r *Record) bool {
			taken[r.ID] = true
			if r.pendingTwin(w) {
				twin = r
			}
			if r.Status != lakemesh.Pending && r.Status != lakemesh.Active && slices.Contains(open, r.ID) {
				closed = append(closed, r.ID)
			}
			return twin == nil
		})
		if err != nil || twin != nil {
			return twin, w, err
		}
		if n := slices.IndexFunc(ids, func(id string) bool { return !taken[id] }); n >= 0 {
			w.Asked = first + n
			return nil, w, nil
		}
		open = nil
	}
}

// some are up to n of the values, others each time.
func some(values []string, n int) []string {
	if len(values) <= n {
		return values
	}
	rand.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
	return values[:max(n, 0)]
}

// tidy takes ids of what has ended out of an inbox. The owner's ledger has them.
func (t *Tracker) tidy(ctx context.Context, owner, subscriber string, closed []string) {
	u := inSubscriptions(inboxKey(owner, subscriber))
	u.TakeFrom(attrOpen, closed...)
	u.TakeFrom(attrJoined, closed...)
	if err := t.update(ctx, u); err != nil {
		t.log.WarnContext(ctx, "could not take requests that were decided out of the inbox", "owner", owner, "error", err)
	}
}

// pendingTwin reports whether a record is a pending request for the same.
func (r *Record) pendingTwin(w Words) bool {
	return r.Status == lakemesh.Pending && r.Fault == "" && r.Words.same(w)
}

// Cancel takes a pending request back, on the consumer's side. It cannot be conditional
// on what the owner does: a condition on the owner's items would let a consumer be in
// its way. So it looks afterwards: if the owner was faster, that is the error.
func (t *Tracker) Cancel(ctx context.Context, r *Record, reason string) error {
	if err := cancellable(r); err != nil {
		return err
	}
	inbox := inSubscriptions(inboxKey(r.Owner, r.Subscriber))
	inbox.TakeFrom(attrOpen, r.ID)
	inbox.AddTo(attrWithdrawn, r.ID)
	err := t.consumerDid(ctx, r, lakemesh.ActionCancel, lakemesh.Deleted, reason, func(u *update) {
		u.Set(attrTakenBack, truth(true))
		u.Set(attrStatus, str(string(lakemesh.Deleted)))
		if reason != "" {
			u.Set(attrLeftReason, str(reason))
		}
	}, inbox)
	if err != nil {
		return err
	}
	var now *Record
	err = poll.Until(ctx, cancelPatience, "the owner's decision on subscription "+r.ID, func(ctx context.Context) (bool, error) {
		var err error
		now, err = t.Get(ctx, r.ID)
		// An approval that has just begun sees that the request is taken back, and ends.
		return err == nil && now.Claim == nil, err
	})
	if now == nil || err != nil && now.Claim == nil {
		return err
	}
	if now.Status == lakemesh.Deleted && now.Claim == nil {
		return nil
	}
	return cancellable(now)
}

// cancelPatience is how long somebody who takes a request back waits for an approval
// that began at the same moment.
const cancelPatience = 5 * time.Second

func cancellable(r *Record) error {
	if r.Claim != nil {
		return &lakemesh.ClaimedError{SubscriptionID: r.ID, Wanted: lakemesh.ActionCancel, Claim: *r.Claim}
	}
	return transition(r, lakemesh.ActionCancel)
}

// Imported marks the revision of a subscription that was read as finalized, on the
// consumer's side. A decision that has begun in the meantime makes another revision.
func (t *Tracker) Imported(ctx context.Context, r *Record, principals []string) error {
	if err := transition(r, lakemesh.ActionImport); err != nil {
		return err
	}
	reason := ""
	if len(principals) > 0 {
		reason = handedOnTo + strings.Join(principals, handedOnAnd)
	}
	// It waits no longer.
	read := inSubscriptions(inboxKey(r.Owner, r.Subscriber))
	read.TakeFrom(attrOpen, r.ID)
	read.AddTo(attrJoined, r.ID)
	return t.consumerDid(ctx, r, lakemesh.ActionImport, r.Status, reason, func(u *update) {
		u.Set(attrImported, truth(true))
		u.Set(attrImportedRevision, digits(r.Revision))
	}, read)
}

// What an import says in the history of whom access was handed on to. The name of a role
// may have a comma, and no blank
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html).
const (
	handedOnTo  = "handed on to "
	handedOnAnd = ", "
)

// HandedOn tells by a history whom access is handed on to: whom imports have named since
// the owner changed the subscription last, or if it was not imported since, before that.
// imported reports whether it was imported and not left since.
func HandedOn(history []lakemesh.Event) (principals []string, imported bool) {
	changed := false
	var given, grantable lakemesh.Permissions
	for _, e := range history {
		switch e.Action {
		case lakemesh.ActionApprove, lakemesh.ActionUpdate:
			// An update of the end alone, or one that mends, changes nothing for whom it was imported.
			changed = changed || !given.Equal(e.Permissions) || !grantable.Equal(e.Grantable)
			given, grantable = e.Permissions, e.Grantable
		case lakemesh.ActionLeave:
			principals, imported = nil, false
		case lakemesh.ActionImport:
			if changed {
				principals, changed = nil, false
			}
			imported = true
			if names, ok := strings.CutPrefix(e.Reason, handedOnTo); ok {
				principals = append(principals, strings.Split(names, handedOnAnd)...)
			}
		}
	}
	slices.Sort(principals)
	return slices.Compact(principals), imported
}

// EverHandedOn tells by a history whom access was ever handed on to, also before it was left or
// changed.
func EverHandedOn(history []lakemesh.Event) (principals []string) {
	for _, e := range history {
		if names, ok := strings.CutPrefix(e.Reason, handedOnTo); ok && e.Action == lakemesh.ActionImport {
			principals = append(principals, strings.Split(names, handedOnAnd)...)
		}
	}
	slices.Sort(principals)
	return slices.Compact(principals)
}

// EverPassed is what an owner ever let the account hand on, by a history; nil if none of its
// entries tells of that.
func EverPassed(history []lakemesh.Event) (passed lakemesh.Permissions) {
	for _, e := range history {
		switch e.Action {
		case lakemesh.ActionApprove, lakemesh.ActionUpdate, lakemesh.ActionAdopt:
			// Every permission comes with DESCRIBE.
			passed = passed.Union(e.Permissions.Intersect(e.Grantable)).Union(lakemesh.NewPermissions(lakemesh.Describe))
		default:
		}
	}
	return passed
}

// GivenBy is what was given last by a history; nothing if it was never granted.
func GivenBy(history []lakemesh.Event) Given {
	var given Given
	for _, e := range history {
		switch e.Action {
		case lakemesh.ActionApprove, lakemesh.ActionUpdate, lakemesh.ActionAdopt:
			if e.To == lakemesh.Active {
				given = Given{e.Permissions, e.Grantable, e.Scope}
			}
		default:
		}
	}
	return given
}

// Left marks a subscription as left by its consumer. The producer's side ends the
// account-level grant: AWS lets nobody else.
func (t *Tracker) Left(ctx context.Context, r *Record, reason string) error {
	if err := transition(r, lakemesh.ActionLeave); err != nil {
		return err
	}
	return t.consumerDid(ctx, r, lakemesh.ActionLeave, r.Status, reason, func(u *update) {
		u.Set(attrLeaving, truth(true))
		u.Set(attrImported, truth(false))
		if reason != "" {
			u.Set(attrLeftReason, str(reason))
		}
	})
}

// consumerDid writes what the consumer did to its request, with an entry of its history.
// Nobody else of the same account may have done anything since the record was read.
func (t *Tracker) consumerDid(ctx context.Context, r *Record, a lakemesh.Action, to lakemesh.Status, reason string, also func(*update), more ...*update) error {
	if len(reason) > mostNote {
		return lakemesh.Invalid("Reason", "a reason has at most %d bytes, and this has %d", mostNote, len(reason))
	}
	e := t.next(ConsumerSide, r.ID, r.consumer, r.owner, t.event(r, a, to, reason))
	write := func(alone bool) error {
		u := inSubscriptions(r.ID)
		u.Set(attrUpdated, str(lakemesh.FormatTime(e.At)))
		u.Set(attrUpdatedBy, str(t.by))
		if r.Unasked && !r.request {
			r.sign(u)
		}
		also(u)
		e.close(u, r.consumer)
		if r.consumer.entries == 0 {
			u.IfAbsent(attrEntries)
		} else {
			u.If(attrEntries, digits(r.consumer.entries))
		}
		if alone {
			for _, mirrored := range []string{attrPermitted, attrGrantable, attrTableARNs, attrShares} {
				u.Remove(mirrored)
			}
		}
		return t.transact(ctx, append([]*update{u, e.write(lakemesh.SubscriptionsTable)}, more...)...)
	}
	err := write(false)
	if slices.Contains(reasons(err), "ValidationError") {
		// The item is full. What the owner mirrors there decides nothing, and makes room.
		err = write(true)
	}
	if conditionFailed(err) {
		return &lakemesh.Error{Op: string(a), Account: t.mesh, Resource: "subscription " + r.ID, Kind: lakemesh.ErrClaimed,
			Message: "somebody else of the same account changed it at the same time", Hint: "look at it again, and repeat this if it is still wanted", Err: err}
	}
	return t.explain(string(a), r.ID, err)
}
