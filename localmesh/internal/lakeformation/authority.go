package lakeformation

import (
	"slices"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// Who may grant and revoke: a data lake administrator anything that its account
// owns; everybody else, and an administrator for what another account shared with
// its own, only what was granted with the grant option
// (https://docs.aws.amazon.com/lake-formation/latest/dg/regranting-shared-resources.html).

// mayHandOn refuses unless the caller may grant, or revoke, the permissions on the
// securable.
func mayHandOn(c *engine.Call, on state.Securable, perms []string) error {
	if on.Kind == state.KindFilter {
		return mayHandOnFilter(c, on, perms)
	}
	administrator, err := isAdmin(c)
	if err != nil {
		return err
	}
	own := on.Account == c.Account()
	if own && administrator {
		return nil
	}
	if objects(on) {
		if quiet, err := silent(c, on.Resource); err != nil {
			return err
		} else if quiet {
			return c.Denied("Resource does not exist or requester is not authorized to access requested permissions.")
		}
	}
	if on.Kind == state.KindPolicy && !own && administrator {
		if ok, err := mayHandOnPolicy(c, on, perms); err != nil || ok {
			return err
		}
		return c.Denied("Resource does not exist or requester is not authorized to access requested permissions.")
	}
	principals := []string{c.Caller.Principal, everyone(c.Account())}
	if !own && administrator {
		account, err := asRecipient(c, c.Account())
		if err != nil {
			return err
		}
		principals = append(principals, account...)
	}
	may, err := handsOn(c, on, principals, perms)
	if err != nil || may {
		return err
	}
	return c.Denied("Resource does not exist or requester is not authorized to access requested permissions.")
}

// handsOn tells whether the principals together hold all permissions on the
// securable with the grant option.
func handsOn(c *engine.Call, on state.Securable, principals, perms []string) (bool, error) {
	var have []string
	for _, p := range principals {
		more, err := grantableBy(c, on, p, perms)
		if err != nil {
			return false, err
		}
		have = union(have, more)
	}
	return subset(perms, have), nil
}

// grantableBy are those of the permissions that one principal may hand on.
func grantableBy(c *engine.Call, on state.Securable, principal string, perms []string) ([]string, error) {
	switch on.Kind {
	case state.KindCatalog, state.KindDatabase:
		h, err := principalHolds(c, on.Resource, principal)
		return h.grantable, err
	case state.KindTable, state.KindColumns:
		if on.Table == state.AllTables {
			return grantableOnAll(c, on, principal)
		}
		return grantableOnTable(c, on, principal)
	case state.KindPolicy:
		return grantableByPolicy(c, on, principal, perms)
	}
	var have []string
	for _, perm := range perms {
		ok, err := grantablePlain(c, on, principal, perm)
		if err != nil {
			return nil, err
		}
		if ok {
			have = append(have, perm)
		}
	}
	return have, nil
}

// grantableOnTable is what may be handed on about a table or columns of it. An account
// that may hand on a part of a table hands on the whole as well, which is worth the
// part; within an account only columns that were granted with the option are handed on
// (https://docs.aws.amazon.com/lake-formation/latest/dg/data-filtering-notes.html).
func grantableOnTable(c *engine.Call, on state.Securable, principal string) ([]string, error) {
	h, err := principalHolds(c, on.Resource, principal)
	if err != nil || !h.partly || slices.Contains(h.grantable, selecting) {
		return h.grantable, err
	}
	ok := isRecipient(principal)
	if !ok && on.Kind == state.KindColumns && !on.Excluded {
		account := state.PrincipalAccount(principal, on.Account)
		grants, err := state.GrantsTo(c.Tx, account, principal, on.Account, on.Region, string(state.KindColumns), on.Database, on.Table)
		if err != nil {
			return nil, err
		}
		ok = slices.ContainsFunc(grants, func(g state.Grant) bool {
			return !g.On.Excluded && slices.Contains(g.Grantable, selecting) && subset(on.Columns, g.On.Columns)
		})
	}
	if ok {
		return union(h.grantable, []string{selecting}), nil
	}
	return h.grantable, nil
}

// grantableOnAll is what may be handed on about all tables of a database: only a
// grant on all tables itself counts.
func grantableOnAll(c *engine.Call, on state.Securable, principal string) ([]string, error) {
	grants, err := grantsCovering(c, on.Resource, principal)
	if err != nil {
		return nil, err
	}
	var h holding
	for _, g := range grants {
		if g.On.Kind != state.KindTable {
			continue
		}
		one, err := held(c, on.Resource, g)
		if err != nil {
			return nil, err
		}
		h.join(one)
	}
	return h.grantable, nil
}

// grantablePlain is grantableBy for a location, an LF-tag or a saved expression.
func grantablePlain(c *engine.Call, on state.Securable, principal, perm string) (bool, error) {
	wider := []state.Securable{on}
	switch {
	case on.Kind == state.KindLocation:
		wider = nil
		for _, p := range ancestors(on.Path) {
			above := on
			above.Path = p
			wider = append(wider, above)
		}
	case on.Kind == state.KindTag && on.TagValue != "":
		every := on
		every.TagValue = "*"
		wider = append(wider, every)
	}
	for _, w := range wider {
		ok, err := heldPlain(c, w, principal, true, perm)
		if err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}

// grantableByPolicy is what may be handed on about an expression of LF-tags: by a
// grant on the very same policy with the grant option, or, in one's own account, by
// GRANT_WITH_LF_TAG_EXPRESSION on every value of it.
func grantableByPolicy(c *engine.Call, on state.Securable, principal string, perms []string) ([]string, error) {
	var have []string
	for _, by := range []string{on.Account, state.PrincipalAccount(principal, on.Account)} {
		g, found, err := state.GetGrant(c.Tx, on, principal, by)
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		if by == on.Account && state.PrincipalAccount(principal, on.Account) != on.Account {
			if ok, err := reached(c, g, on.Resource); err != nil {
				return nil, err
			} else if !ok {
				continue
			}
		}
		have = union(have, g.Grantable)
		if slices.Contains(g.Grantable, super) {
			have = union(have, allows(on))
		}
	}
	if on.Account != c.Account() {
		return have, nil
	}
	ok, err := onEveryPair(c, on, []string{principal}, grantWithTags)
	if err != nil || !ok {
		return have, err
	}
	return union(have, perms), nil
}

// mayHandOnPolicy is mayHandOn for what a data lake administrator hands on of another
// account's LF-tags. The very same policy as the account was granted takes its grant
// option, whatever else the account has. Any other takes DESCRIBE on every pair of key
// and value that it names, and no grant option; it is worth what the account has
// (https://docs.aws.amazon.com/lake-formation/latest/dg/permission-cascading-rules.html).
func mayHandOnPolicy(c *engine.Call, on state.Securable, perms []string) (bool, error) {
	account, err := asRecipient(c, c.Account())
	if err != nil {
		return false, err
	}
	for _, principal := range account {
		_, same, err := state.GetGrant(c.Tx, on, principal, on.Account)
		if err != nil {
			return false, err
		}
		if same {
			return handsOn(c, on, append(slices.Clone(account), c.Caller.Principal, everyone(c.Account())), perms)
		}
	}
	if ok, err := onEveryPair(c, on, account, describe); err != nil || ok {
		return ok, err
	}
	return handsOn(c, on, []string{c.Caller.Principal, everyone(c.Account())}, perms)
}

// onEveryPair reports whether the principals together hold a permission on every pair of
// key and value that a policy names. All values of a key are held by a grant on all of
// them.
func onEveryPair(c *engine.Call, on state.Securable, principals []string, perm string) (bool, error) {
	wanted, err := expressionOf(c, on)
	if err != nil || len(wanted) == 0 {
		return false, err
	}
	for _, term := range wanted {
		for _, value := range term.Values {
			tag := state.Securable{Kind: state.KindTag, Resource: state.Resource{Account: on.Account, Region: on.Region}, TagKey: term.Key, TagValue: value}
			if ok, err := anyHoldsTag(c, tag, principals, perm); err != nil || !ok {
				return false, err
			}
		}
	}
	return true, nil
}

// holdsTag tells whether a principal holds a permission on a value of an LF-tag,
// by a grant on the value or on all values.
func holdsTag(c *engine.Call, on state.Securable, principal, perm string) (bool, error) {
	for _, value := range []string{on.TagValue, "*"} {
		w := on
		w.TagValue = value
		ok, err := heldPlain(c, w, principal, false, perm)
		if err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}

// anyHoldsTag reports whether one of the principals holds a permission on a value of an
// LF-tag.
func anyHoldsTag(c *engine.Call, on state.Securable, principals []string, perm string) (bool, error) {
	for _, principal := range principals {
		if ok, err := holdsTag(c, on, principal, perm); err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}

// mayRead asks IAM for the Glue permissions that granting and revoking need on the
// object
// (https://docs.aws.amazon.com/lake-formation/latest/dg/required-permissions-for-grant.html).
func mayRead(c *engine.Call, on state.Securable) error {
	q := authz.Question{ResourceAccount: on.Account, IdentityOnly: true}
	switch on.Kind {
	case state.KindCatalog:
		q.Action, q.Resources = "glue:GetCatalog", []string{catalogARN(on.Resource)}
	case state.KindDatabase:
		q.Action, q.Resources = "glue:GetDatabase", []string{catalogARN(on.Resource), databaseARN(on.Resource)}
	case state.KindTable, state.KindColumns, state.KindFilter:
		q.Action, q.Resources = "glue:GetTable", []string{catalogARN(on.Resource), databaseARN(on.Resource), tableARN(on.Resource)}
	default:
		return nil
	}
	return c.Authorize(q)
}
