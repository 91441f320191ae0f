package access

import (
	"time"

	"github.com/lakemesh/lakemesh"
)

// Part is a part of a grant that is revoked by one call. On tables SELECT is granted on
// columns, and everything else on the table, so that one call cannot name both
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html).
type Part struct {
	Key
	// Select tells that it is SELECT on tables, and nothing else.
	Select bool
}

// Ending is what of a grant ends by itself, and when.
type Ending struct {
	Held Held
	// At is a full minute: schedules are as precise as that, and nothing ends too early.
	At time.Time
}

// Equal reports whether both are the same.
func (e Ending) Equal(o Ending) bool { return e.Held.Equal(o.Held) && e.At.Equal(o.At) }

// Justified is what one subscription justifies, in each form in which it may have been
// granted, and until when; the zero time is never.
type Justified struct {
	Grants Grants
	Until  time.Time
}

// Parts are the parts that a grant of these permissions on an object has.
func Parts(k Key, permissions lakemesh.Permissions) []Part {
	var parts []Part
	for _, p := range []Part{{k, false}, {k, true}} {
		if len(p.of(permissions)) > 0 {
			parts = append(parts, p)
		}
	}
	return parts
}

// of are those of the permissions that belong to the part.
func (p Part) of(permissions lakemesh.Permissions) lakemesh.Permissions {
	apart := lakemesh.NewPermissions()
	if p.Object.Kind == KindTable || p.Object.Kind == KindAllTables {
		apart = lakemesh.NewPermissions(lakemesh.Select)
	}
	if p.Select {
		return permissions.Intersect(apart)
	}
	return permissions.Minus(apart)
}

// Endings tells of what is held which parts end, and when: each permission with the last
// of those that justify it, and a part with the last of its permissions, so that nothing
// is taken that somebody still justifies. What nobody justifies, what one justifies without
// an end, and what is kept, because it was there before, does not end.
//
// Where one permission of a part ends before another, the part ends with the later one:
// in between it is for who ends subscriptions to take it.
func Endings(held Grants, justified []Justified, kept Grants) map[Part]Ending {
	type reason struct {
		permissions lakemesh.Permissions
		until       time.Time
	}
	why := map[Key][]reason{}
	for _, j := range justified {
		for k, h := range j.Grants {
			if _, ok := held[k]; ok {
				why[k] = append(why[k], reason{h.Permissions, j.Until})
			}
		}
	}
	all := map[Part]Ending{}
	for k, h := range held {
		ends, never := map[lakemesh.Permission]time.Time{}, lakemesh.Permissions(nil)
		for _, p := range h.Permissions {
			var last time.Time
			reasons, forever := 0, kept[k].Permissions.Has(p) || kept[k].Permissions.Has(lakemesh.All)
			for _, r := range why[k] {
				if r.permissions.Has(p) || r.permissions.Has(lakemesh.All) {
					reasons++
					forever = forever || r.until.IsZero()
					last = later(last, onTheMinute(r.until))
				}
			}
			switch {
			case forever:
				never = append(never, p)
			case reasons > 0:
				ends[p] = last
			}
		}
		if h.Permissions.Has(lakemesh.All) {
			// Which single permissions stay when ALL is revoked is not known: it ends only where
			// nothing else is to stay.
			at, ok := ends[lakemesh.All]
			if !ok || len(never) > 0 {
				continue
			}
			for _, other := range ends {
				at = later(at, other)
			}
			ends = map[lakemesh.Permission]time.Time{lakemesh.All: at}
		}
		for p, at := range ends {
			part := Part{k, len(Part{k, true}.of(lakemesh.NewPermissions(p))) > 0}
			e := all[part]
			e.Held = e.Held.Union(Held{Permissions: lakemesh.NewPermissions(p), Grantable: h.Grantable.Intersect(lakemesh.NewPermissions(p))})
			e.At = later(e.At, at)
			all[part] = e
		}
	}
	return all
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// onTheMinute is the first full minute that is not before. Whether a schedule for some
// second of a minute is kept until that second is not documented
// (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html).
func onTheMinute(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	up := t.UTC().Truncate(time.Minute)
	if up.Before(t) {
		up = up.Add(time.Minute)
	}
	return up
}
