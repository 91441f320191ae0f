package endings

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// Wanted is what of many subscriptions' grants shall end by itself.
type Wanted struct {
	// Endings are what ends, and when; Parts all that a schedule can be there for.
	Endings map[access.Part]access.Ending
	Parts   []access.Part
	// Busy are the grants that a decision under way is about, or of what is over: their
	// schedules are being moved, or are about to be carried out.
	Busy map[access.Key]bool
	// Why are the subscriptions that may hold each grant.
	Why map[access.Key][]string
}

// Until is when what a record justifies ends: at the earlier of what was decided and what is
// being decided.
func Until(r *tracker.Record) time.Time {
	if r.Claim == nil || r.Claim.Until.IsZero() {
		return r.Until
	}
	if r.Until.IsZero() || r.Claim.Until.Before(r.Until) {
		return r.Claim.Until
	}
	return r.Until
}

// Of computes what shall end of what is held by the subscriptions. tables are the tables of
// each database.
func Of(mesh string, records []*tracker.Record, tables map[string][]string, held access.Grants) Wanted {
	w := Wanted{Busy: map[access.Key]bool{}, Why: map[access.Key][]string{}}
	var all []access.Justified
	may, kept := access.Grants{}, access.Grants{}
	for _, r := range records {
		names := tables[strings.ToLower(r.Database)]
		all = append(all, access.Justified{Grants: chain.Either(mesh, r, names, r.Justified()), Until: Until(r)})
		for _, given := range r.MayHold() {
			for k, h := range chain.Either(mesh, r, names, given) {
				may.Add(k, h)
				if r.Over || r.Claim != nil {
					w.Busy[k] = true
				}
				if !slices.Contains(w.Why[k], r.ID) {
					w.Why[k] = append(w.Why[k], r.ID)
				}
			}
		}
		// What of it cannot be read is told of with the record.
		if byHand, err := chain.FoundBefore(mesh, r); err == nil {
			for k, h := range byHand {
				kept.Add(k, h)
			}
		}
	}
	w.Endings = access.Endings(held.On(func(k access.Key) bool { _, ok := may[k]; return ok }), all, kept)
	every := lakemesh.NewPermissions(lakemesh.TablePermissions()...)
	for _, k := range may.Keys() {
		w.Parts = append(w.Parts, access.Parts(k, every)...)
	}
	return w
}

// Names are the names of the schedules that should be there, by owner, with what each ends.
func (w Wanted) Names(owner string) map[string]access.Part {
	names := map[string]access.Part{}
	for p := range maps.Keys(w.Endings) {
		names[Name(owner, p)] = p
	}
	return names
}
