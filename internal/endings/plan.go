package endings

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/access"
)

// Change is what becomes of one schedule.
type Change struct {
	Part access.Part
	// Have is what is there; nil for nothing.
	Have *Found
	// First is what it is made before anything is granted, Last what it is made after all
	// else is done; nil for nothing. Remove is that it is removed, after all else.
	First, Last *access.Ending
	Remove      bool
}

// Plan compares what shall end with the schedules that are there. What has an end is not
// granted before its schedule is there, and a schedule is moved to a later time, made
// narrower or removed only when what justifies that is done: whatever stops the program in
// between, no grant that has an end is without one, and what comes too early is granted
// again by who carries the decision on.
func Plan(want map[access.Part]access.Ending, have map[access.Part]*Found, now time.Time) []Change {
	parts := map[access.Part]bool{}
	for p := range want {
		parts[p] = true
	}
	for p, f := range have {
		if f != nil {
			parts[p] = true
		}
	}
	var all []Change
	for _, p := range slices.SortedFunc(maps.Keys(parts), compare) {
		c := Change{Part: p, Have: have[p]}
		w, wanted := want[p]
		switch {
		case !wanted:
			c.Remove = true
		case c.Have == nil || !c.Have.Sound || !c.Have.At.After(now):
			if c.Have != nil && c.Have.Sound && c.Have.Ending.Equal(w) {
				continue
			}
			c.First = &w
		default:
			before := access.Ending{Held: c.Have.Held.Union(w.Held), At: c.Have.At}
			if w.At.Before(before.At) {
				before.At = w.At
			}
			if !before.Equal(c.Have.Ending) {
				c.First = &before
			}
			if !before.Equal(w) {
				c.Last = &w
			}
			if c.First == nil && c.Last == nil {
				continue
			}
		}
		all = append(all, c)
	}
	return all
}

func compare(a, b access.Part) int {
	if c := access.Compare(a.Key, b.Key); c != 0 {
		return c
	}
	return cmp.Compare(order(a), order(b))
}

func order(p access.Part) int {
	if p.Select {
		return 1
	}
	return 0
}

// Wrong says in words what is wrong with a schedule that should end something; empty if
// nothing is.
func Wrong(want access.Ending, have *Found) string {
	switch {
	case have == nil:
		return "no schedule ends it"
	case !have.Sound:
		return "its schedule is not as lakemesh makes it: " + have.Why
	case !have.At.Equal(want.At):
		return "its schedule is for " + have.At.UTC().Format(time.DateTime)
	case !have.Held.Equal(want.Held):
		return "its schedule ends " + strings.ToLower(have.Held.Permissions.String())
	}
	return ""
}
