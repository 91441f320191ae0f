package storage

import (
	"cmp"
	"slices"
	"strings"
)

// Fold is a folder that is opened in place of several below it, because a bucket's
// policy has no room for all of them.
type Fold struct {
	// Role is the role to which it is opened, Prefix the folder, and For how many
	// prefixes below it it stands.
	Role   string
	Prefix string
	For    int
}

// needs is what a role has to read in a bucket.
type needs struct {
	role string
	// prefixes have to be open.
	prefixes []string
	// within are prefixes of locations that are registered with the role: what is opened
	// in place of others lies in the same one. others are those that are registered with
	// another role.
	within, others []string
}

// fold chooses what to open to each role so that everything that it needs is open and
// the sum of the costs is at most the budget; ok is false if that cannot be. Needs that
// fit are left as they are. Else what lies below another need is left out, and of the
// folders that hold several needs the fewest and deepest are opened that fit: it begins
// with as few as can be, and goes down where there is room, first where a folder holds
// what is registered with another role, then from the top. So going down a step further
// at any of them would not fit. Folders are told by their slashes, as keys are written.
//
// A folder's cost is not less than that of any below it.
func fold(all []needs, budget int, cost func(prefix string) int) (chosen [][]string, folds []Fold, ok bool) {
	chosen = make([][]string, len(all))
	spent := 0
	for i, n := range all {
		chosen[i] = n.prefixes
		for _, prefix := range n.prefixes {
			spent += cost(prefix)
		}
	}
	if spent <= budget {
		return chosen, nil, true
	}
	spent = 0
	var open, settled []group
	for i, n := range all {
		for _, g := range groupsOf(i, topmost(n.prefixes), n) {
			spent += cost(g.prefix)
			open = append(open, g)
		}
	}
	if spent > budget {
		return nil, nil, false
	}
	for len(open) > 0 {
		// Going down a step is tried where it opens most too much, and there where it
		// costs least.
		best := 0
		for i := range open {
			if open[i].before(open[best]) {
				best = i
			}
		}
		g := open[best]
		open = slices.Delete(open, best, best+1)
		more := -cost(g.prefix)
		below := g.below(all[g.role])
		for _, b := range below {
			more += cost(b.prefix)
		}
		if len(g.needs) == 1 || spent+more > budget {
			// There will not be more room later.
			settled = append(settled, g)
			continue
		}
		spent += more
		open = append(open, below...)
	}
	for i := range chosen {
		chosen[i] = nil
	}
	for _, g := range settled {
		chosen[g.role] = append(chosen[g.role], g.prefix)
		if len(g.needs) > 1 {
			folds = append(folds, Fold{Role: all[g.role].role, Prefix: g.prefix, For: len(g.needs)})
		}
	}
	for i := range chosen {
		slices.Sort(chosen[i])
	}
	slices.SortFunc(folds, func(a, b Fold) int {
		return cmp.Or(strings.Compare(a.Role, b.Role), strings.Compare(a.Prefix, b.Prefix))
	})
	return chosen, folds, true
}

// group is a prefix that would be opened, and what is needed of it: itself alone, or
// several below it, of which none is below another, in order.
type group struct {
	role   int
	prefix string
	needs  []string
	// foreign tells that it holds what is registered with another role.
	foreign bool
}

// before reports whether a group is gone down into before another.
func (g group) before(o group) bool {
	switch {
	case g.foreign != o.foreign:
		return g.foreign
	default:
		return cmp.Or(cmp.Compare(strings.Count(g.prefix, "/"), strings.Count(o.prefix, "/")), cmp.Compare(len(g.needs), len(o.needs)),
			cmp.Compare(g.role, o.role), strings.Compare(g.prefix, o.prefix)) < 0
	}
}

// groupsOf are the fewest groups of what a role needs: one for each location that is
// registered with the role and does not lie in another one. What lies in none stays by
// itself.
func groupsOf(role int, prefixes []string, n needs) []group {
	locations := topmost(n.within)
	if len(locations) == 0 {
		locations = []string{""}
	}
	var groups []group
	for first := 0; first < len(prefixes); {
		last := first + 1
		if i := slices.IndexFunc(locations, func(l string) bool { return strings.HasPrefix(prefixes[first], l) }); i >= 0 {
			for last < len(prefixes) && strings.HasPrefix(prefixes[last], locations[i]) {
				last++
			}
		}
		groups = append(groups, n.group(role, prefixes[first:last]))
		first = last
	}
	return groups
}

// below are the groups a step further down.
func (g group) below(n needs) []group {
	var groups []group
	for first := 0; first < len(g.needs); {
		next, _, _ := strings.Cut(g.needs[first][len(g.prefix):], "/")
		folder := g.prefix + next + "/"
		last := first + 1
		for last < len(g.needs) && strings.HasPrefix(g.needs[last], folder) {
			last++
		}
		groups = append(groups, n.group(g.role, g.needs[first:last]))
		first = last
	}
	return groups
}

// group is the deepest folder that holds all of the needs; of one, itself.
func (n needs) group(role int, prefixes []string) group {
	g := group{role: role, prefix: prefixes[0], needs: prefixes}
	if len(prefixes) > 1 {
		// In order, so that what the first and the last have in common all have.
		first, last := prefixes[0], prefixes[len(prefixes)-1]
		common := 0
		for common < min(len(first), len(last)) && first[common] == last[common] {
			common++
		}
		g.prefix = first[:strings.LastIndexByte(first[:common], '/')+1]
		g.foreign = slices.ContainsFunc(n.others, func(other string) bool { return strings.HasPrefix(other, g.prefix) })
	}
	return g
}

// topmost are the prefixes without those that lie below another one of them, in order.
func topmost(prefixes []string) []string {
	sorted := slices.Clone(prefixes)
	slices.Sort(sorted)
	var top []string
	for _, prefix := range sorted {
		if len(top) == 0 || !strings.HasPrefix(prefix, top[len(top)-1]) {
			top = append(top, prefix)
		}
	}
	return top
}
