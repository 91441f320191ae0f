package tracker

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
)

// Held is a decision that this tracker has claimed and has yet to record.
type Held struct {
	// Record is the subscription as it was when the decision was claimed.
	Record *Record
	// Claim is the claim.
	Claim lakemesh.Claim

	tracker *Tracker
}

// Claim puts the decision on the record, if the record is still as it was read and
// nobody else's decision is under way. Exactly one of several deciders gets
// through. A decision that was left unfinished is taken over by the same one; any
// other gets a [lakemesh.ClaimedError].
//
// With regrants the decision changes grants, and the consumer has to finalize the
// subscription (again). That is recorded with the claim: who carries an unfinished
// decision on does not know what had been changed.
func (t *Tracker) Claim(ctx context.Context, r *Record, c lakemesh.Claim, regrants bool) (*Held, error) {
	if err := t.Claimable(r, c); err != nil {
		return nil, err
	}
	now := t.now()
	c.Holder, c.By, c.At, c.Until = t.holder, t.by, now, now.Add(t.lease)
	c.Database, c.Tables = r.Database, r.Tables
	if r.Claim != nil {
		c.At = r.Claim.At
	}
	u := newUpdate(r.ID)
	u.Set(attrClaim, encodeClaim(c))
	u.Set(attrClaimedBy, str(t.by))
	if regrants {
		u.Set(attrImported, &types.AttributeValueMemberBOOL{Value: false})
	}
	u.If(attrStatus, str(string(r.stored)))
	u.IfStill(attrTables, r.tables)
	u.IfStill(attrRequested, r.requested)
	if r.Claim != nil {
		u.If(attrClaim+".Holder", str(r.Claim.Holder))
		u.If(attrClaim+".Until", str(stamp(r.Claim.Until)))
	} else {
		u.IfAbsent(attrClaim)
	}
	items := []types.TransactWriteItem{u.transact()}
	if c.Action == lakemesh.ActionApprove {
		// From now on the subscription may have grants; whoever works out what
		// others justify has to know of it.
		l := newUpdate(ledgerKey(r.Owner, r.Subscriber))
		l.AddTo(attrActive, r.ID)
		items = append(items, l.transact())
	}
	err := t.transactPatiently(ctx, items...)
	if conditionFailed(err) {
		return nil, t.diagnose(ctx, r.ID, c)
	}
	held := &Held{Record: r, Claim: c, tracker: t}
	if err != nil {
		// The claim may stand all the same, its answer lost: nobody shall have to wait
		// until it runs out.
		return nil, errors.Join(t.explain(string(c.Action), r.ID, err), held.LetGo(ctx))
	}
	return held, nil
}

// Claimable tells, without a call, whether the decision can be claimed on the
// record as it was read.
func (t *Tracker) Claimable(r *Record, c lakemesh.Claim) error {
	if r.Claim == nil || r.Claim.Holder == t.holder {
		return transition(r, c.Action)
	}
	if t.now().Before(r.Claim.Until) {
		return &lakemesh.ClaimedError{SubscriptionID: r.ID, Wanted: c.Action, Claim: *r.Claim}
	}
	same := r.Claim.Action == c.Action && r.Claim.Permissions.Equal(c.Permissions) && r.Claim.Grantable.Equal(c.Grantable)
	if c.Action != lakemesh.ActionAbort && !same {
		return &lakemesh.ClaimedError{SubscriptionID: r.ID, Wanted: c.Action, Claim: *r.Claim, Expired: true}
	}
	if c.Action == lakemesh.ActionAbort {
		return nil
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
	}
	return err
}

// diagnose reads the record again and tells why a condition failed.
func (t *Tracker) diagnose(ctx context.Context, id string, c lakemesh.Claim) error {
	r, err := t.Get(ctx, id)
	if err != nil {
		return err
	}
	if err := t.Claimable(r, c); err != nil {
		return err
	}
	if r.Claim != nil && r.Claim.Holder != t.holder {
		return &lakemesh.ClaimedError{SubscriptionID: id, Wanted: c.Action, Claim: *r.Claim, Expired: true}
	}
	return &lakemesh.Error{Op: string(c.Action), Account: t.mesh, Resource: "subscription " + id, Kind: lakemesh.ErrClaimed,
		Message: "the request was changed while the decision was being made", Hint: "look at it again and decide anew"}
}

// renew extends the claim.
func (h *Held) renew(ctx context.Context) error {
	t := h.tracker
	u := newUpdate(h.Record.ID)
	u.Set(attrClaim+".Until", str(stamp(t.now().Add(t.lease))))
	u.If(attrClaim+".Holder", str(t.holder))
	return lost(t.update(ctx, u))
}

// LetGo leaves the decision unfinished in such a way that the same one can be
// taken over at once. It works after the end of ctx, too.
func (h *Held) LetGo(ctx context.Context) error {
	ctx, cancel := afterwards(ctx)
	defer cancel()
	t := h.tracker
	u := newUpdate(h.Record.ID)
	u.Set(attrClaim+".Until", str(stamp(t.now().Add(-time.Second))))
	u.If(attrClaim+".Holder", str(t.holder))
	if err := lost(t.update(ctx, u)); err != nil && !errors.Is(err, errLeaseLost) {
		return t.explain("LetGo", h.Record.ID, err)
	}
	return nil
}

// Outcome is what a finished decision leaves on the record.
type Outcome struct {
	// Status is the new state.
	Status lakemesh.Status
	// Permitted and Grantable are what the consumer holds now.
	Permitted, Grantable lakemesh.Permissions
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
// claim, keeps the ledger and appends to the history.
func (h *Held) Finish(ctx context.Context, o Outcome) error {
	t, r := h.tracker, h.Record
	now := t.now()
	action := h.Claim.Action
	event := lakemesh.Event{At: now, By: t.by, Action: action, From: r.Status, To: o.Status, Reason: o.Reason,
		Permissions: o.Permitted, Grantable: o.Grantable, Tables: r.Tables}
	entry := t.historyKey(r.ID, event)
	u := newUpdate(r.ID)
	u.Remove(attrClaim)
	u.Remove(attrClaimedBy)
	u.Append(t.journal(), entry)
	u.Set(attrUpdated, str(lakemesh.FormatTime(now)))
	u.Set(attrUpdatedBy, str(t.by))
	if o.Reason != "" {
		u.AddTo(attrNotes, o.Reason)
	}
	if !o.Aborted {
		u.Set(attrStatus, str(string(o.Status)))
		u.Set(attrDecided, str(string(o.Status)))
		u.Set(attrPermitted, list(o.Permitted.Strings()))
		u.Set(attrGrantable, list(o.Grantable.Strings()))
		u.Set(attrTableARNs, names(o.TableARNs))
		if o.RAMShares != nil {
			u.Set(attrShares, encodeShares(o.RAMShares))
		}
	}
	if o.Status == lakemesh.Deleted {
		u.Remove(attrLeaving)
	}
	u.If(attrClaim+".Holder", str(t.holder))
	items := []types.TransactWriteItem{u.transact(), t.historyPut(entry, r.ID, event)}
	if o.Status != lakemesh.Active {
		l := newUpdate(ledgerKey(r.Owner, r.Subscriber))
		l.TakeFrom(attrActive, r.ID)
		items = append(items, l.transact())
	}
	err := t.transactPatiently(ctx, items...)
	if conditionFailed(err) {
		return &lakemesh.Error{Op: string(action), Account: t.mesh, Resource: "subscription " + r.ID, Kind: lakemesh.ErrClaimed,
			Message: "the decision was carried out, but another program took it over before it was recorded",
			Hint:    "look at the subscription", Err: err}
	}
	return t.explainUpdate(string(action), r.ID, err)
}
