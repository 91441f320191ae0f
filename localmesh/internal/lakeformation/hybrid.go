package lakeformation

import (
	"slices"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// In hybrid access mode IAM_ALLOWED_PRINCIPALS keeps what it holds, and Lake
// Formation decides for those who were opted in
// (https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-access-workflow.html).

// projectTag is the tag of principals that always count as opted in
// (https://docs.aws.amazon.com/lake-formation/latest/dg/abac-considerations.html).
const projectTag = "AmazonDataZoneProject"

// OptedIn reports whether Lake Formation decides about r for the caller also where
// IAM_ALLOWED_PRINCIPALS holds something.
func OptedIn(c *engine.Call, r state.Resource) (bool, error) {
	type opted struct{ state.Resource }
	return engine.Once(c, opted{r}, func() (bool, error) { return findOptIn(c, r) })
}

func findOptIn(c *engine.Call, r state.Resource) (bool, error) {
	if tagged, err := ofProject(c); err != nil || tagged {
		return tagged, err
	}
	makers := []string{c.Account()}
	if r.Account != c.Account() {
		makers = append(makers, r.Account)
	}
	for _, maker := range makers {
		for _, principal := range []string{c.Caller.Principal, everyone(c.Account())} {
			if hasOptIn(c, r, principal, maker) {
				return true, nil
			}
		}
	}
	if r.Account == c.Account() {
		return false, nil
	}
	// Opting an account in binds its data lake administrators, and nobody else of it
	// (https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-access-mode-cross-account.html).
	administrator, err := isAdmin(c)
	if err != nil || !administrator {
		return false, err
	}
	account, err := asRecipient(c, c.Account())
	return slices.ContainsFunc(account, func(principal string) bool { return hasOptIn(c, r, principal, r.Account) }), err
}

// hasOptIn reports whether an account opted a principal in to exactly r, or to all
// tables of its database. For principals of other accounts the latter is worth
// something only if the database is opted in as well.
func hasOptIn(c *engine.Call, r state.Resource, principal, maker string) bool {
	has := func(kind state.Kind, r state.Resource) bool {
		return state.OptIns.Has(c.Tx, state.OptIn{On: state.Securable{Kind: kind, Resource: r}, Principal: principal, Account: maker}.Key()...)
	}
	database := r
	database.Table = ""
	switch {
	case r.Database == "":
		return has(state.KindCatalog, r)
	case r.Table == "":
		return has(state.KindDatabase, r)
	}
	every := r
	every.Table = state.AllTables
	return has(state.KindTable, r) ||
		has(state.KindTable, every) && (state.PrincipalAccount(principal, r.Account) == r.Account || has(state.KindDatabase, database))
}

// ofProject reports whether the caller has the tag of principals that need no opt-in.
func ofProject(c *engine.Call) (bool, error) {
	if c.Caller.Session != nil {
		if _, ok := c.Caller.Session.Tags[projectTag]; ok {
			return true, nil
		}
	}
	account, kind, name, ok := state.SplitPrincipalARN(c.Caller.Principal)
	if !ok {
		return false, nil
	}
	var tags map[string]string
	switch kind {
	case "role":
		role, _, err := state.ReadRole(c.Tx, account, name)
		if err != nil {
			return false, err
		}
		tags = role.Tags
	case "user":
		user, _, err := state.ReadUser(c.Tx, account, name)
		if err != nil {
			return false, err
		}
		tags = user.Tags
	}
	_, ok = tags[projectTag]
	return ok, nil
}

// silent reports whether what the caller was granted on r of another account counts
// for nothing: IAM_ALLOWED_PRINCIPALS holds something there, the location is in
// hybrid access mode, and nobody opted the caller in, so that IAM decides, which
// across accounts is the owner's resource policy.
func silent(c *engine.Call, r state.Resource) (bool, error) {
	if r.Account == c.Account() || c.Mesh.Readings.HybridGrantsNeedNoOptIn {
		return false, nil
	}
	group, err := heldByGroup(c, r)
	if err != nil || !group {
		return false, err
	}
	opted, err := OptedIn(c, r)
	return !opted, err
}

// Serves reports whether the caller reads data of a table at an S3 path with what Lake
// Formation vends: the path, or one above it, is registered. In hybrid access mode who was not
// opted in goes on with its own permissions of Amazon S3, as long as IAM_ALLOWED_PRINCIPALS
// holds something on the table
// (https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-access-mode.html).
func Serves(c *engine.Call, t state.Table, location string) (bool, error) {
	path, ok := s3path(location)
	if !ok {
		return false, nil
	}
	l, found, err := registrationIn(c, t.Region, t.Account, path)
	if err != nil || !found || !l.Hybrid {
		return found, err
	}
	if t.Account != c.Account() && c.Mesh.Readings.HybridGrantsNeedNoOptIn {
		return true, nil
	}
	group, err := heldByGroup(c, t.Resource())
	if err != nil || !group {
		return true, err
	}
	return OptedIn(c, t.Resource())
}

// openToIAM tells whether IAM_ALLOWED_PRINCIPALS holds something on r outside of a
// location in hybrid access mode: another account's principals are refused then,
// whatever they were granted
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-prereqs.html).
func openToIAM(c *engine.Call, r state.Resource) (bool, error) {
	group, err := heldByGroup(c, r)
	if err != nil || !group {
		return false, err
	}
	on := state.Securable{Kind: state.KindTable, Resource: r}
	if r.Table == "" {
		on.Kind = state.KindDatabase
	}
	hybrid, err := inHybridLocation(c, on)
	return !hybrid, err
}

// heldByGroup reports whether IAM_ALLOWED_PRINCIPALS holds something on r.
func heldByGroup(c *engine.Call, r state.Resource) (bool, error) {
	var on []state.Securable
	switch {
	case r.Database == "" || r.Table == state.AllTables:
		return false, nil
	case r.Table == "":
		on = []state.Securable{{Kind: state.KindDatabase, Resource: r}}
	default:
		every := r
		every.Table = state.AllTables
		on = []state.Securable{{Kind: state.KindTable, Resource: r}, {Kind: state.KindTable, Resource: every}}
	}
	for _, o := range on {
		_, found, err := state.GetGrant(c.Tx, o, state.IAMAllowedPrincipals, r.Account)
		if err != nil || found {
			return found, err
		}
	}
	return false, nil
}
