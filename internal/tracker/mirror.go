package tracker

import (
	"context"
	"slices"

	"github.com/lakemesh/lakemesh"
)

// Mirror writes a decision into the attributes of the request that the original
// library reads. Nothing is decided by them, and the consumer can change them or be in
// the way: an error is for a warning. An original library that reads the record sees
// the decision by them, and lists find it by its Status.
func (t *Tracker) Mirror(ctx context.Context, r *Record, o Outcome) error {
	if r.Unasked && !r.request {
		// There is no request yet that it could be copied to.
		return nil
	}
	u := inSubscriptions(r.ID)
	u.Set(attrStatus, str(string(o.Status)))
	if o.Status == lakemesh.Active || o.Status == lakemesh.Deleted {
		u.Set(attrPermitted, list(o.Permitted.Strings()))
		u.Set(attrGrantable, list(o.Grantable.Strings()))
		u.Set(attrTableARNs, names(o.TableARNs))
		if o.RAMShares != nil {
			u.Set(attrShares, encodeShares(o.RAMShares))
		}
	}
	u.Set(attrUpdated, str(lakemesh.FormatTime(t.now())))
	u.Set(attrUpdatedBy, str(t.by))
	// Not one that the consumer never wrote: the item would be a request of nobody.
	u.IfThere(attrID)
	return t.explain("Mirror", r.ID, t.update(ctx, u))
}

// Mirrored reports whether the original library reads of a record what was decided.
func (r *Record) Mirrored() bool {
	return !r.request || !r.decision || r.Status == lakemesh.Pending || r.stored == r.Status
}

// requestAttributes are the attributes that are read of a request: whatever else a
// consumer put there does not travel.
func requestAttributes() []string {
	return slices.DeleteFunc(ConsumerAttributes(), func(name string) bool {
		return slices.Contains([]string{attrEntryOf, attrAt, attrBy, attrAction, attrFrom, attrTo, attrReason, attrPermissions, attrHandOn,
			attrEntryTables, attrPrev, attrSeen, attrOpen, attrWithdrawn, attrJoined, attrPermitted, attrGrantable, attrTableARNs, attrShares}, name)
	})
}
