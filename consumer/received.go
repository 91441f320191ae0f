package consumer

import (
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/permissions"
)

// received is what the account was granted on something as a whole: itself, and by organizations
// and units. An account is shown what those were granted that it is in
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-permissions.html).
func received(held *permissions.Grants, account string, on permissions.Resource) permissions.Entry {
	all := held.Of(account, on)
	for _, e := range held.On(on) {
		if access.Grantee(e.Principal).Organization() {
			all.Permissions, all.Grantable = all.Permissions.Union(e.Permissions), all.Grantable.Union(e.Grantable)
		}
	}
	return all
}
