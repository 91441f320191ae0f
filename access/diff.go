package access

import "github.com/lakemesh/lakemesh"

// Change is what makes what is there into what is wanted.
type Change struct {
	// Revoke is taken away first, and Grant is given then. A grant option that is too
	// much is taken away by revoking the permission and granting it again without: Lake
	// Formation documents no other way.
	Revoke, Grant Grants
	// Foreign is what is there and nobody decided: lakemesh did not make it, and no terms
	// want it. Found is wanted, and was there without lakemesh. Neither is revoked, now
	// or when the terms end.
	Foreign, Found Grants
	// Made is what lakemesh has made once the change is carried out. It has to be kept
	// before that.
	Made Grants
	// After is what is there once the change is carried out.
	After Grants
}

// Empty reports whether there is nothing to do.
func (c Change) Empty() bool { return len(c.Revoke) == 0 && len(c.Grant) == 0 }

// Diff compares what is wanted with what is there. Of that it revokes only what was
// made, and what it does not know is left alone.
func Diff(made, wanted, observed Grants) Change {
	c := Change{Revoke: Grants{}, Grant: Grants{}, Foreign: Grants{}, Found: Grants{}, Made: Grants{}, After: Grants{}}
	for k := range made.Union(wanted, observed) {
		c.compare(k, made[k], wanted[k], observed[k])
	}
	return c
}

func (c *Change) compare(k Key, made, wanted, there Held) {
	ours := made.Intersect(there)
	over := ours.Minus(wanted)
	// A permission stays, and only the right to hand it on goes.
	option := over.Grantable.Minus(over.Permissions)
	taken := over.Permissions.Union(option)
	c.Revoke.Add(k, Held{taken, there.Grantable.Intersect(taken)})

	target := wanted.Union(there.Minus(over))
	target.Grantable = target.Grantable.Minus(over.Permissions.Minus(wanted.Permissions))
	left := Held{there.Permissions.Minus(taken), there.Grantable.Minus(taken)}
	sure := left
	if taken.Has(lakemesh.All) {
		// Who holds ALL may be listed with each single permission as well, and which of
		// these stay without it is not known. What is wanted is granted again.
		sure = left.Minus(wanted)
	}
	grantable := lacking(target.Grantable, sure.Grantable)
	grant := Held{lacking(target.Permissions, sure.Permissions).Union(grantable), grantable}
	c.Grant.Add(k, grant)

	c.After.Add(k, left.Union(grant))
	c.Made.Add(k, ours.Minus(over).Union(grant.Minus(there)))
	c.Found.Add(k, there.Intersect(wanted).Minus(made))
	foreign := there.Minus(made).Minus(wanted)
	if made.Permissions.Has(lakemesh.All) || wanted.Permissions.Has(lakemesh.All) {
		foreign.Permissions = nil
	}
	if made.Grantable.Has(lakemesh.All) || wanted.Grantable.Has(lakemesh.All) {
		foreign.Grantable = nil
	}
	c.Foreign.Add(k, foreign)
}

// lacking is what is wanted and not held. Who holds ALL holds each single permission,
// whether or not those are listed beside it.
func lacking(wanted, held lakemesh.Permissions) lakemesh.Permissions {
	if held.Has(lakemesh.All) {
		return nil
	}
	return wanted.Minus(held)
}
