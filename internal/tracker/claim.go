package tracker

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/lakemesh/lakemesh"
)

// Held is a decision that was claimed and is yet to be recorded.
type Held struct {
	// Record is the subscription as it was when the decision was claimed.
	Record *Record
	// Claim is the claim.
	Claim lakemesh.Claim

	lease  *Lease
	ledger Ledger
	// version and revision are those of the decision's item after the claim.
	version, revision int
}

// Claim puts a decision on the record before it is carried out, if the record is
// still as it was read and the lease is still held. A decision that was left
// unfinished is taken over by the same one; any other gets a [lakemesh.ClaimedError].
//
// The transaction touches what the owner alone writes. What is decided on is the copy
// of the request's words that it makes. found is what the consumer holds already, by
// other means than lakemesh's. With regrants the decision changes grants, and the
// consumer has to finalize the subscription (again); that is recorded with the claim,
// because who carries an unfinished decision on does not know what had been changed.
func (l *Lease) Claim(ctx context.Context, r *Record, ledger Ledger, c lakemesh.Claim, found []string, regrants bool) (*Held, error) {
	if err := Claimable(r, c); err != nil {
		return nil, err
	}
	t := l.tracker
	c.Holder, c.By, c.At = l.holder, t.by, t.now()
	if r.Claim != nil {
		c.At = r.Claim.At
	}
	u := inDecisions(r.ID)
	u.Set(attrClaim, encodeClaim(c))
	u.Count(attrVersion, 1)
	u.IfCount(attrVersion, r.version)
	revision := r.Revision
	if regrants {
		revision++
		u.Set(attrRevision, number(revision))
	}
	if len(found) > 0 {
		u.Set(attrFound, list(found))
	}
	updates := []*update{u}
	if r.Status == lakemesh.Pending {
		if r.Claim == nil {
			r.copyTo(u)
		}
		// From now on the subscription may have grants; whoever works out what others
		// justify has to know of it.
		active := inDecisions(ledgerKey(r.Owner, r.Subscriber))
		active.AddTo(attrActive, r.ID)
		updates = append(updates, active, enlist(r))
	}
	err := l.transact(ctx, updates...)
	if conditionFailed(err) && !errors.Is(err, ErrLeaseLost) {
		return nil, t.overtaken(ctx, r.ID, c, err)
	}
	if err != nil {
		return nil, t.explain(string(c.Action), r.ID, err)
	}
	return &Held{Record: r, Claim: c, lease: l, ledger: ledger, version: r.version + 1, revision: revision}, nil
}

// Withdrawn reports whether the consumer has taken a request back, as it is now. Both
// sides write first and look at the other afterwards, so that of an approval and a
// withdrawal at the same time at least one sees the other.
func (h *Held) Withdrawn(ctx context.Context) (bool, error) {
	t := h.lease.tracker
	i, err := t.getItem(ctx, lakemesh.SubscriptionsTable, h.Record.ID)
	return isTrue(i, attrTakenBack), t.explain(string(h.Claim.Action), h.Record.ID, err)
}

// enlist puts a consumer into the directory of those that the owner has decided about.
func enlist(r *Record) *update {
	u := inDecisions(directoryKey(r.Owner))
	u.AddTo(attrSubscribers, r.Subscriber)
	return u
}

// Claimable tells, without a call, whether a decision can be made on the record as it
// was read, by who holds the owner's lease. A decision that was claimed and is not
// finished is carried on by the same one, or taken back; of what is over, also by its
// being ended, unless the end is being moved to a later one.
func Claimable(r *Record, c lakemesh.Claim) error {
	if r.Claim == nil {
		return transition(r, c.Action)
	}
	if c.Action == lakemesh.ActionAbort {
		return nil
	}
	if c.Action == lakemesh.ActionDelete && r.Over && (r.Lapsed || r.Claim.Action == lakemesh.ActionAbort) {
		// What was left unfinished would give nothing any more.
		return transition(r, c.Action)
	}
	if r.Claim.Action != c.Action || !r.Claim.Permissions.Equal(c.Permissions) || !r.Claim.Grantable.Equal(c.Grantable) || !r.Claim.Until.Equal(c.Until) || !r.Claim.Scope.Equal(c.Scope) {
		return &lakemesh.ClaimedError{SubscriptionID: r.ID, Wanted: c.Action, Claim: *r.Claim, Expired: true}
	}
	return transition(r, c.Action)
}

// transition checks that the action is legal, and tells who brought the record
// into its state if it is not.
func transition(r *Record, a lakemesh.Action) error {
	if a == lakemesh.ActionAbort {
		return nil
	}
	err := a.Check(r.ID, r.Status)
	var illegal *lakemesh.TransitionError
	if errors.As(err, &illegal) {
		illegal.By, illegal.At = r.UpdatedBy, r.Updated
		if e, ok := Entered(r); ok {
			illegal.By, illegal.At = e.By, e.At
		}
	}
	return err
}

// Entered is the entry of the history by which the record came into its state. Whoever wrote
// last may only have imported it.
func Entered(r *Record) (lakemesh.Event, bool) {
	for _, e := range slices.Backward(r.History) {
		if e.To == r.Status && e.From != e.To {
			return e, true
		}
	}
	return lakemesh.Event{}, false
}

// overtaken reads the record again and tells why a condition failed.
func (t *Tracker) overtaken(ctx context.Context, id string, c lakemesh.Claim, cause error) error {
	r, err := t.Get(ctx, id)
	if err != nil {
		return err
	}
	if err := Claimable(r, c); err != nil {
		return err
	}
	return &lakemesh.Error{Op: string(c.Action), Account: t.mesh, Resource: "subscription " + id, Kind: lakemesh.ErrClaimed,
		Message: "somebody else decided on it at the same time", Hint: "look at it again, and decide anew", Err: cause}
}

// Outcome is what a finished decision leaves on the record.
type Outcome struct {
	// Status is the new state.
	Status lakemesh.Status
	// Permitted and Grantable are what the consumer holds now.
	Permitted, Grantable lakemesh.Permissions
	// Until is when it ends; the zero time is never.
	Until time.Time
	// Scope is what it is narrowed to.
	Scope lakemesh.Scope
	// TableARNs are the tables that carry it.
	TableARNs []string
	// RAMShares are the shares that carry it; nil leaves them as they were.
	RAMShares map[string]lakemesh.RAMShare
	// Reason is the note or reason.
	Reason string
	// Aborted records that the claim was taken back: the state stays as it was.
	Aborted bool
}

// Finish records the decision: one transaction sets the new state, clears the
// claim, keeps the ledger and appends to the history, if the lease is still held.
func (h *Held) Finish(ctx context.Context, o Outcome) error {
	t, r := h.lease.tracker, h.Record
	event := t.event(r, h.Claim.Action, o.Status, o.Reason)
	event.Permissions, event.Grantable, event.Until, event.Scope = o.Permitted, o.Grantable, o.Until, o.Scope
	e := t.next(ProducerSide, r.ID, r.owner, r.consumer, event)
	u := inDecisions(r.ID)
	u.Remove(attrClaim)
	u.Count(attrVersion, 1)
	u.IfCount(attrVersion, h.version)
	t.touch(u, o.Reason)
	e.close(u, r.owner)
	if !o.Aborted {
		u.Set(attrStatus, str(string(o.Status)))
		u.Set(attrPermitted, list(o.Permitted.Strings()))
		u.Set(attrGrantable, list(o.Grantable.Strings()))
		if o.Until.IsZero() {
			u.Remove(attrUntil)
		} else {
			u.Set(attrUntil, str(lakemesh.FormatTime(o.Until)))
		}
		if o.Scope.IsZero() {
			u.Remove(attrScope)
		} else {
			u.Set(attrScope, str(encodeScope(o.Scope)))
		}
		if o.RAMShares != nil {
			u.Set(attrShares, encodeShares(o.RAMShares))
		}
	}
	if !o.Aborted || !r.Group.IsZero() {
		// A group is where it is, whatever was taken back.
		u.Set(attrTableARNs, names(o.TableARNs))
	}
	if o.Status != lakemesh.Active {
		u.Remove(attrFound)
	}
	updates := []*update{u, e.write(lakemesh.DecisionsTable)}
	switch o.Status {
	case lakemesh.Active:
	case lakemesh.Pending:
		// An approval was taken back: the request waits as before.
		ledger := inDecisions(ledgerKey(r.Owner, r.Subscriber))
		ledger.TakeFrom(attrActive, r.ID)
		updates = append(updates, ledger)
	default:
		updates = append(updates, h.ledger.end(r, true)...)
	}
	err := h.lease.transact(ctx, updates...)
	if conditionFailed(err) || errors.Is(err, ErrLeaseLost) {
		return &lakemesh.Error{Op: string(h.Claim.Action), Account: t.mesh, Resource: "subscription " + r.ID, Kind: lakemesh.ErrClaimed,
			Message: "the decision was carried out, but another program took it over before it was recorded",
			Hint:    "look at the subscription", Err: err}
	}
	return t.explain(string(h.Claim.Action), r.ID, err)
}

// touch writes who did something, when and why.
func (t *Tracker) touch(u *update, reason string) {
	u.Set(attrUpdated, str(lakemesh.FormatTime(t.now())))
	u.Set(attrUpdatedBy, str(t.by))
	if reason != "" {
		u.Append(attrDecisions, reason)
	}
}

// Deny closes a request: one transaction, conditional on its being pending and
// unclaimed, so that of an approver and a denier exactly one gets through. Whatever
// the consumer made of its request, it can be denied.
func (t *Tracker) Deny(ctx context.Context, r *Record, ledger Ledger, reason string) error {
	c := lakemesh.Claim{Action: lakemesh.ActionDeny}
	if r.Claim != nil {
		return &lakemesh.ClaimedError{SubscriptionID: r.ID, Wanted: c.Action, Claim: *r.Claim, Expired: true}
	}
	if err := Claimable(r, c); err != nil {
		return err
	}
	e := t.next(ProducerSide, r.ID, r.owner, r.consumer, t.event(r, c.Action, lakemesh.Denied, reason))
	u := inDecisions(r.ID)
	u.Count(attrVersion, 1)
	u.IfCount(attrVersion, r.version)
	u.IfAbsent(attrClaim)
	t.touch(u, reason)
	e.close(u, r.owner)
	u.Set(attrStatus, str(string(lakemesh.Denied)))
	r.copyTo(u)
	updates := append([]*update{u, e.write(lakemesh.DecisionsTable), enlist(r)}, ledger.end(r, false)...)
	err := t.transact(ctx, updates...)
	if conditionFailed(err) {
		return t.overtaken(ctx, r.ID, c, err)
	}
	return t.explain(string(c.Action), r.ID, err)
}
