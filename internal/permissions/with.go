package permissions

import "maps"

// With is what is granted once the entries hold: each replaces what its principal
// holds on its resource. The grants themselves are not changed.
func (g *Grants) With(entries []Entry) *Grants {
	becomes := &Grants{entries: maps.Clone(g.entries), shares: maps.Clone(g.shares)}
	for _, e := range entries {
		if len(e.Permissions) == 0 {
			delete(becomes.entries, e.Key())
			continue
		}
		becomes.entries[e.Key()] = e
	}
	return becomes
}
