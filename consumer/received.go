package consumer

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/permissions"
)

// byUnits is what organizations and units that the account is in were granted on something, and
// so what it holds, and can hand on, by them. Other accounts may have asked for it.
func byUnits(held *permissions.Grants, on permissions.Resource) (all permissions.Entry) {
	for _, e := range held.On(on) {
		if access.Grantee(e.Principal).Organization() {
			all.Permissions, all.Grantable = all.Permissions.Union(e.Permissions), all.Grantable.Union(e.Grantable)
		}
	}
	return all
}

// received is what the account was granted on something as a whole: itself, and by organizations
// and units. An account is shown what those were granted that it is in
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-permissions.html).
func received(held *permissions.Grants, account string, on permissions.Resource) permissions.Entry {
	all, units := held.Of(account, on), byUnits(held, on)
	all.Permissions, all.Grantable = all.Permissions.Union(units.Permissions), all.Grantable.Union(units.Grantable)
	return all
}

// handsOnByUnits is what the account can hand on, on something, by what organizations and units
// were granted on that, on its table or on all tables of its database.
func handsOnByUnits(held *permissions.Grants, on permissions.Resource) lakemesh.Permissions {
	all := byUnits(held, on).Grantable
	if on.Kind == permissions.KindDatabase {
		return all
	}
	all = all.Union(byUnits(held, permissions.AllTables(on.Account, on.Database)).Grantable)
	if on.Table != "" {
		all = all.Union(byUnits(held, permissions.Table(on.Account, on.Database, on.Table)).Grantable)
	}
	if len(all) > 0 && on.Kind != permissions.KindFilter {
		// Every permission comes with DESCRIBE.
		all = all.Union(lakemesh.NewPermissions(lakemesh.Describe))
	}
	return all
}
