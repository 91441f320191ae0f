package permissions

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
)

// Missing is what must be granted so that everything wanted is held. What is held
// beyond that is left alone.
func Missing(have *Grants, want []Entry) []Entry {
	grant, _ := difference(have, want, false)
	return grant
}

// Difference is what must be granted and revoked so that, for each principal and
// resource named in want, exactly that is held which is wanted. An entry without
// permissions wants nothing to be held. Principals and resources that want does
// not name are left alone.
//
// A grant option that is too much is taken away by revoking the permission and
// granting it again without: Lake Formation documents no other way. So grants come
// after the revocations of the same key.
func Difference(have *Grants, want []Entry) (grant, revoke []Entry) {
	return difference(have, want, true)
}

func difference(have *Grants, want []Entry, exact bool) (grant, revoke []Entry) {
	for _, w := range NewGrants(want...).Entries() {
		h := have.Of(w.Principal, w.Resource)
		there, wanted := access.Held{Permissions: h.Permissions, Grantable: h.Grantable}, access.Held{Permissions: w.Permissions, Grantable: w.Grantable}
		var ours access.Held
		if exact {
			ours = there
			if w.Permissions.Has(lakemesh.All) {
				// Who holds ALL is listed with each single permission as well.
				ours = access.Held{Permissions: h.Permissions.Intersect(w.Permissions), Grantable: h.Grantable.Intersect(w.Permissions)}
			}
		}
		var one access.Key
		change := access.Diff(access.Grants{one: ours}, access.Grants{one: wanted}, access.Grants{one: there})
		entry := func(held access.Held) Entry {
			return Entry{Principal: w.Principal, Resource: w.Resource, Permissions: held.Permissions, Grantable: held.Grantable}
		}
		if held := change.Revoke[one]; !held.Empty() {
			revoke = append(revoke, entry(held))
		}
		if held := change.Grant[one]; !held.Empty() {
			grant = append(grant, entry(held))
		}
	}
	return grant, revoke
}
