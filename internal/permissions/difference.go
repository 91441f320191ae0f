package permissions

import "github.com/lakemesh/lakemesh"

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
	wanted := NewGrants(want...)
	for _, w := range wanted.Entries() {
		h := have.Of(w.Principal, w.Resource)
		left := h
		if exact {
			if r := excess(h, w); len(r.Permissions) > 0 {
				revoke = append(revoke, r)
				left.Permissions = h.Permissions.Minus(r.Permissions)
				left.Grantable = h.Grantable.Minus(r.Permissions)
			}
		}
		grantable := lacks(w.Grantable, left.Grantable)
		if missing := lacks(w.Permissions, left.Permissions).Union(grantable); len(missing) > 0 {
			grant = append(grant, Entry{Principal: w.Principal, Resource: w.Resource, Permissions: missing, Grantable: grantable})
		}
	}
	return grant, revoke
}

// lacks is what is wanted and not held. Who holds ALL holds each single permission,
// whether or not those are listed beside it.
func lacks(wanted, held lakemesh.Permissions) lakemesh.Permissions {
	if held.Has(lakemesh.All) {
		return nil
	}
	return wanted.Minus(held)
}

// excess is what h holds beyond w.
func excess(h, w Entry) Entry {
	permissions := h.Permissions.Minus(w.Permissions)
	if w.Permissions.Has(lakemesh.All) {
		// Who holds ALL is listed with each single permission as well.
		permissions = nil
	}
	permissions = permissions.Union(h.Grantable.Minus(w.Grantable).Intersect(w.Permissions))
	return Entry{Principal: h.Principal, Resource: h.Resource, Permissions: permissions, Grantable: h.Grantable.Intersect(permissions)}
}
