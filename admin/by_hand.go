package admin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/permissions"
)

// heldBy says what principals hold in the mesh account, each grant in words.
func heldBy(h *permissions.Holdings, theirs func(principal string) bool, leaveOut func(permissions.Entry) bool) []string {
	var all []string
	for _, e := range h.Grants.Entries() {
		if theirs(e.Principal) && !leaveOut(e) {
			all = append(all, fmt.Sprintf("%s: %s on %s", e.Principal, e.Permissions, e.Resource))
		}
	}
	for _, row := range h.Rest {
		if theirs(row.Principal) {
			all = append(all, fmt.Sprintf("%s: %s on %s", row.Principal, row.Permissions, row.What))
		}
	}
	return all
}

// of reports whether a principal is an account, or somebody of it.
func of(account, principal string) bool {
	return principal == account || strings.HasPrefix(principal, "arn:") && strings.Contains(principal, ":"+account+":")
}

// otherThan reports whether a principal is another account, or somebody of one.
func otherThan(mesh, principal string) bool {
	if lakemesh.CheckAccountID("principal", principal) == nil {
		return principal != mesh
	}
	return strings.HasPrefix(principal, "arn:") && !strings.Contains(principal, ":"+mesh+":")
}

// byHand is what the account holds in the mesh that no subscription gives it: it has none
// any more when it may be disabled. What it holds on its own products is the publication's.
func (d *disabling) byHand() []string {
	if slices.Contains(d.members.consumers, d.in.AccountID) && !d.leaves(Consumer) {
		// Its subscriptions stay.
		return nil
	}
	own := map[string]bool{}
	entries, _ := d.holdings.Of(d.partition.RoleARN(d.mesh, lakemesh.MeshProducerRole(d.in.AccountID)))
	for _, e := range entries {
		if e.Permissions.Has(lakemesh.Drop) || e.Permissions.Has(lakemesh.All) {
			own[e.Resource.Database] = true
		}
	}
	return heldBy(d.holdings, func(principal string) bool { return of(d.in.AccountID, principal) },
		func(e permissions.Entry) bool { return own[e.Resource.Database] })
}
