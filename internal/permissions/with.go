package permissions

import (
	"maps"
	"slices"
)

// With is what is granted once the entries hold: each replaces what its principal
// holds on its resource. The grants themselves are not changed.
func (g *Grants) With(entries []Entry) *Grants {
	becomes := &Grants{on: maps.Clone(g.on), sets: maps.Clone(g.sets)}
	for _, e := range entries {
		var shares []string
		// The list is shared with g, so it is not changed in place.
		list := slices.Clone(becomes.on[e.Resource])
		becomes.on[e.Resource] = slices.DeleteFunc(list, func(h held) bool {
			if h.principal != e.Principal {
				return false
			}
			shares = h.shares
			return true
		})
		if len(e.Permissions) > 0 {
			becomes.add(e, shares...)
		}
	}
	return becomes
}
