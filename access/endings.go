package access

import (
	"slices"
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
	all := map[Part]Ending{}
	for k, h := range held {
		ends, never := endOf(k, h.Permissions, justified, kept[k].Permissions)
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

// endOf tells when each of the permissions ends; never are those that somebody justifies
// without an end, or that are kept.
func endOf(k Key, permissions lakemesh.Permissions, justified []Justified, kept lakemesh.Permissions) (ends map[lakemesh.Permission]time.Time, never lakemesh.Permissions) {
	ends = map[lakemesh.Permission]time.Time{}
	for _, p := range permissions {
		var last time.Time
		reasons, forever := 0, kept.Has(p) || kept.Has(lakemesh.All)
		for _, j := range justified {
			by := j.Grants[k].Permissions
			if !by.Has(p) && !by.Has(lakemesh.All) {
				continue
			}
			reasons++
			forever = forever || j.Until.IsZero()
			last = later(last, onTheMinute(j.Until))
		}
		switch {
		case forever:
			never = append(slices.Clone(never), p)
		case reasons > 0:
			ends[p] = last
		}
	}
	return ends, never
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
