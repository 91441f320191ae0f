package access

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
)

// Key tells of whom and on what a grant is.
type Key struct {
	Grantee Grantee
	Object  Object
}

// Held is what somebody holds on something. Of what is there Grantable is a part of
// Permissions; of what was made it need not be, because the grant option can be given to
// who held the permission already.
type Held struct {
	Permissions, Grantable lakemesh.Permissions
}

// Empty reports whether nothing is held.
func (h Held) Empty() bool { return len(h.Permissions) == 0 && len(h.Grantable) == 0 }

// Union is what is in either.
func (h Held) Union(o Held) Held {
	return Held{h.Permissions.Union(o.Permissions), h.Grantable.Union(o.Grantable)}
}

// Minus is what is in h and not in o.
func (h Held) Minus(o Held) Held {
	return Held{h.Permissions.Minus(o.Permissions), h.Grantable.Minus(o.Grantable)}
}

// Intersect is what is in both.
func (h Held) Intersect(o Held) Held {
	return Held{h.Permissions.Intersect(o.Permissions), h.Grantable.Intersect(o.Grantable)}
}

// Equal reports whether both are the same.
func (h Held) Equal(o Held) bool {
	return h.Permissions.Equal(o.Permissions) && h.Grantable.Equal(o.Grantable)
}

// ReadsData reports whether permissions let their holder read a table's data. INSERT and
// DELETE do, too
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html).
func ReadsData(set lakemesh.Permissions) bool {
	return slices.ContainsFunc([]lakemesh.Permission{lakemesh.All, lakemesh.Select, lakemesh.Insert, lakemesh.Delete}, set.Has)
}

// Grants are who holds what on what. A key that is not there holds nothing.
type Grants map[Key]Held

// Add adds what a key holds.
func (g Grants) Add(k Key, h Held) {
	if sum := g[k].Union(h); !sum.Empty() {
		g[k] = sum
	}
}

// Union is what is in any of the grants.
func (g Grants) Union(others ...Grants) Grants {
	all := maps.Clone(g)
	if all == nil {
		all = Grants{}
	}
	for _, o := range others {
		for k, h := range o {
			all.Add(k, h)
		}
	}
	return all
}

// Minus is what is in g and not in o.
func (g Grants) Minus(o Grants) Grants {
	left := Grants{}
	for k, h := range g {
		left.Add(k, h.Minus(o[k]))
	}
	return left
}

// On are the grants on objects of which on is true.
func (g Grants) On(on func(Key) bool) Grants {
	some := Grants{}
	for k, h := range g {
		if on(k) {
			some[k] = h
		}
	}
	return some
}

// Held is what of g is held by who holds there: who holds ALL holds each permission.
func (g Grants) Held(there Grants) Grants {
	held := Grants{}
	for k, h := range g {
		t := there[k]
		part := h.Intersect(t)
		if t.Permissions.Has(lakemesh.All) {
			part.Permissions = h.Permissions
		}
		if t.Grantable.Has(lakemesh.All) {
			part.Grantable = h.Grantable
		}
		held.Add(k, part)
	}
	return held
}

// Equal reports whether both are the same.
func (g Grants) Equal(o Grants) bool { return len(g.Minus(o)) == 0 && len(o.Minus(g)) == 0 }

// Keys are the keys in order.
func (g Grants) Keys() []Key { return slices.SortedFunc(maps.Keys(g), Compare) }

// Compare orders keys by object, then by grantee.
func Compare(a, b Key) int {
	return cmp.Or(strings.Compare(a.Object.Account, b.Object.Account), strings.Compare(a.Object.Database, b.Object.Database),
		strings.Compare(string(a.Object.Kind), string(b.Object.Kind)), strings.Compare(a.Object.Table, b.Object.Table),
		strings.Compare(a.Object.Part, b.Object.Part), strings.Compare(string(a.Grantee), string(b.Grantee)))
}
