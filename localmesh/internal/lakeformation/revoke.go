package lakeformation

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/lakeformation"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_RevokePermissions.html
func revokePermissions(c *engine.Call, in *lakeformation.RevokePermissionsInput) (*lakeformation.RevokePermissionsOutput, error) {
	if err := c.Allow("lakeformation:RevokePermissions"); err != nil {
		return nil, err
	}
	err := revoke(c, entry{
		catalog: in.CatalogId, principal: in.Principal, resource: in.Resource, condition: in.Condition,
		permissions: in.Permissions, grantable: in.PermissionsWithGrantOption,
	})
	return &lakeformation.RevokePermissionsOutput{}, err
}

// withdrawal is a checked revocation of what one grant says.
type withdrawal struct {
	before, after state.Grant
	departures    []departure
}

// revoke carries one revocation out. It takes everything that is named or, if the
// grantee does not have all of it, nothing.
func revoke(c *engine.Call, e entry) error {
	t, err := readResource(c, e.catalog, e.resource)
	if err != nil {
		return err
	}
	if e.principal == nil || e.principal.DataLakePrincipalIdentifier == nil {
		return invalid("Principal is mandatory in the input.")
	}
	// What was granted to a principal that was deleted since can be taken back.
	principal := *e.principal.DataLakePrincipalIdentifier
	if err := mayRead(c, t.on); err != nil {
		return err
	}
	all, err := e.parts(c, t)
	if err != nil {
		return err
	}
	for _, p := range all {
		if err := mayHandOn(c, p.on, union(p.perms, p.grantable)); err != nil {
			return err
		}
	}
	if t.on.Kind == state.KindCatalog {
		if err := seed(c, t.on.Account); err != nil {
			return err
		}
	}
	var withdrawals []withdrawal
	for _, p := range all {
		w, err := withdraw(c, p, principal)
		if err != nil {
			return err
		}
		withdrawals = append(withdrawals, w)
	}
	for _, w := range withdrawals {
		if err := carryOut(c, w); err != nil {
			return err
		}
	}
	return nil
}

// withdraw works out what a revocation leaves, and asks for the rights that it
// needs. Only what was granted in the caller's account can be revoked there: a
// recipient cannot revoke what its account was granted.
func withdraw(c *engine.Call, p part, principal string) (withdrawal, error) {
	g, found, err := state.GetGrant(c.Tx, p.on, principal, c.Account())
	if err != nil {
		return withdrawal{}, err
	}
	if !found {
		return withdrawal{}, invalid("No permissions revoked. Grantee has no permissions on the resource.")
	}
	if bad := union(without(p.perms, g.Permissions), without(p.grantable, g.Grantable)); len(bad) > 0 {
		return withdrawal{}, invalid("No permissions revoked. Grantee does not have %v on the resource.", bad)
	}
	w := withdrawal{before: g, after: g}
	w.after.Updated, w.after.UpdatedBy = c.Now, c.Caller.Principal
	if p.on.Kind == state.KindColumns && !p.on.Excluded {
		if bad := without(p.on.Columns, g.On.Columns); len(bad) > 0 {
			return withdrawal{}, invalid("No permissions revoked. Grantee has no permissions on the columns %v.", bad)
		}
		if left := without(g.On.Columns, p.on.Columns); len(left) > 0 {
			w.after.On.Columns = left
			return w, nil
		}
	}
	// The grant option does not outlive the permission.
	w.after.Permissions = without(g.Permissions, p.perms)
	w.after.Grantable = without(g.Grantable, union(p.perms, p.grantable))
	if len(w.after.Permissions) == 0 {
		w.departures, err = departures(c, g)
	}
	return w, err
}

// carryOut writes a revocation, and takes from the recipient account what it
// handed on of it.
func carryOut(c *engine.Call, w withdrawal) error {
	if err := state.PutGrant(c.Tx, w.after); err != nil {
		return err
	}
	if err := leave(c, w.departures); err != nil {
		return err
	}
	g := w.before
	if g.On.Account != g.By || !isRecipient(g.Principal) || g.Principal == g.By {
		return nil
	}
	if isAccount(g.Principal) {
		return cascade(c, g)
	}
	accounts, err := state.MembersOf(c.Tx, g.Principal)
	if err != nil {
		return err
	}
	for _, g.Principal = range accounts {
		if g.Principal == g.On.Account {
			// The owner handed nothing on: what it granted is its own.
			continue
		}
		if err := cascade(c, g); err != nil {
			return err
		}
	}
	return nil
}

// cascade cuts what a recipient account handed on down to what it still has, after
// a grant to it was revoked.
func cascade(c *engine.Call, revoked state.Grant) error {
	on := revoked.On
	key := []string{on.Account, on.Region}
	switch on.Kind {
	case state.KindTable, state.KindColumns, state.KindFilter, state.KindDatabase:
		// What was handed on may be about any of the kinds: it is looked for below.
	case state.KindPolicy:
		key = nil
	default:
		return cascadeIn(c, revoked, []string{on.Account, on.Region, string(on.Kind)})
	}
	if key == nil {
		return cascadeIn(c, revoked, []string{on.Account, on.Region})
	}
	kinds := []state.Kind{state.KindTable, state.KindColumns, state.KindFilter}
	if on.Kind == state.KindDatabase {
		kinds = []state.Kind{state.KindDatabase}
	}
	for _, kind := range kinds {
		prefix := append([]string{on.Account, on.Region, string(kind)}, on.Database)
		if on.Table != "" && on.Table != state.AllTables {
			prefix = append(prefix, on.Table)
		}
		if err := cascadeIn(c, revoked, prefix); err != nil {
			return err
		}
	}
	return nil
}

// cascadeIn looks at the grants whose keys begin with the prefix.
func cascadeIn(c *engine.Call, revoked state.Grant, prefix []string) error {
	recipient := revoked.Principal
	grants, err := state.GrantsOn(c.Tx, prefix...)
	if err != nil {
		return err
	}
	for _, g := range grants {
		if g.By != recipient {
			continue
		}
		left, err := backed(c, g)
		if err != nil {
			return err
		}
		kept := g
		kept.Permissions, kept.Grantable = within(g.Permissions, left), within(g.Grantable, left)
		if len(kept.Permissions) == len(g.Permissions) && len(kept.Grantable) == len(g.Grantable) {
			continue
		}
		if err := state.PutGrant(c.Tx, kept); err != nil {
			return err
		}
	}
	return nil
}

// backed are those permissions of a grant that its giver, a recipient account,
// still has.
func backed(c *engine.Call, g state.Grant) ([]string, error) {
	switch g.On.Kind {
	case state.KindLocation, state.KindTag:
		var left []string
		for _, perm := range g.Permissions {
			ok, err := accountHoldsPlain(c, g.On, g.By, perm)
			if err != nil {
				return nil, err
			}
			if ok {
				left = append(left, perm)
			}
		}
		return left, nil
	case state.KindPolicy:
		return backedPolicy(c, g)
	}
	var grants []state.Grant
	principals, err := asRecipient(c, g.By)
	if err != nil {
		return nil, err
	}
	for _, principal := range principals {
		more, err := grantsCovering(c, g.On.Resource, principal)
		if err != nil {
			return nil, err
		}
		grants = append(grants, more...)
	}
	var left []string
	for _, owner := range grants {
		h, err := given(c, g.On.Resource, owner)
		if err != nil {
			return nil, err
		}
		perms := h.perms
		if !slices.Contains(owner.Permissions, describe) && !slices.Contains(owner.Permissions, super) {
			// DESCRIBE comes with every permission and can be handed on only where it
			// was granted itself.
			perms = without(perms, []string{describe})
		}
		left = union(left, perms)
	}
	if g.On.Kind == state.KindFilter && slices.Contains(left, selecting) {
		// What may be done with a filter comes with having made it.
		left = union(left, allows(g.On))
	}
	return left, nil
}

// backedPolicy is backed for a policy of LF-tags: the very same one, and any other as
// long as its giver may name all of its pairs, as far as it has anything of the kind.
func backedPolicy(c *engine.Call, g state.Grant) ([]string, error) {
	grants, err := grantedToAccount(c, g.By, g.On.Account, g.On.Region, string(state.KindPolicy), g.On.PolicyType)
	if err != nil {
		return nil, err
	}
	account, err := asRecipient(c, g.By)
	if err != nil {
		return nil, err
	}
	free, err := onEveryPair(c, g.On, account, describe)
	if err != nil {
		return nil, err
	}
	var left []string
	for _, owner := range grants {
		if free || slices.Equal(owner.On.Key(), g.On.Key()) {
			left = union(left, expand(owner.Permissions, allows(g.On)))
		}
	}
	return left, nil
}
