package lakeformation

import (
	"slices"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/ram"
	"github.com/lakemesh/lakemesh/localmesh/internal/rowfilter"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// holding is what somebody holds on one object of a catalog, with all that is
// implied.
type holding struct {
	perms, grantable []string
	// partly is set if SELECT on some columns or cells may be handed on.
	partly bool
	// allColumns is set if something else than SELECT shows the whole schema; columns
	// are those that it shows otherwise.
	allColumns bool
	columns    []string
	// reads is what of the table's data SELECT gives.
	reads sight
}

// shown is what of the table's schema is seen: all columns, or these and parts of
// columns. Whoever may read a column sees it.
func (h holding) shown() (all bool, columns []string) {
	all, columns = h.allColumns, h.columns
	for _, p := range h.reads {
		all = all || p.all
		columns = union(columns, p.columns)
	}
	return all, columns
}

func (h *holding) has(perms ...string) bool {
	return slices.ContainsFunc(perms, func(p string) bool { return slices.Contains(h.perms, p) })
}

// join adds another holding.
func (h *holding) join(o holding) {
	h.perms, h.grantable = union(h.perms, o.perms), union(h.grantable, o.grantable)
	h.allColumns = h.allColumns || o.allColumns
	h.columns = union(h.columns, o.columns)
	h.partly = h.partly || o.partly
	h.reads = h.reads.join(o.reads)
}

// limit cuts a holding down to what another one has.
func (h *holding) limit(o holding) {
	// What may be handed on of a part of what is held may be no more than a part of it.
	h.partly = (h.partly || slices.Contains(h.grantable, selecting)) && (o.partly || slices.Contains(o.grantable, selecting))
	h.perms, h.grantable = within(h.perms, o.perms), within(h.grantable, o.grantable)
	all, columns := o.shown()
	switch {
	case all:
	case h.allColumns:
		h.allColumns, h.columns = false, columns
	default:
		h.columns = common(h.columns, columns)
	}
	h.reads = h.reads.limit(o.reads)
}

// callerHolds is what the caller holds on r: what it was granted itself or as one
// of its account's principals, what IAM_ALLOWED_PRINCIPALS leaves to IAM, and a
// data lake administrator's implicit rights
// (https://docs.aws.amazon.com/lake-formation/latest/dg/implicit-permissions.html).
func callerHolds(c *engine.Call, r state.Resource) (holding, error) {
	r.Database, r.Table = state.Fold(r.Database), state.Fold(r.Table)
	type held struct{ state.Resource }
	return engine.Once(c, held{r}, func() (holding, error) { return findHolding(c, r) })
}

func findHolding(c *engine.Call, r state.Resource) (holding, error) {
	var h holding
	if quiet, err := silent(c, r); err != nil || quiet {
		return h, err
	}
	for _, principal := range []string{c.Caller.Principal, everyone(c.Account())} {
		granted, err := principalHolds(c, r, principal)
		if err != nil {
			return h, err
		}
		h.join(granted)
	}
	if r.Account == c.Account() {
		open, err := leftToIAM(c, r)
		if err != nil {
			return h, err
		}
		h.join(open)
	}
	position, err := rankIn(c, r.Region)
	if err != nil {
		return h, err
	}
	switch {
	case position == nobody:
	case r.Account == c.Account():
		// An administrator describes everything and creates databases, but has no
		// access to data and does not drop or alter what others made.
		h.perms, h.allColumns = union(h.perms, []string{describe}), true
		if r.Database == "" && position == admin {
			h.perms = union(h.perms, []string{createDatabase, createTag, createExpression})
		}
	case position == admin:
		// What was shared with the whole account is seen by its administrators only,
		// until they hand it on.
		account, err := accountHolds(c, r, c.Account())
		if err != nil {
			return h, err
		}
		if account.has(describe) {
			all, columns := account.shown()
			h.join(holding{perms: []string{describe}, allColumns: all, columns: columns})
		}
	}
	return h, nil
}

// leftToIAM is what IAM_ALLOWED_PRINCIPALS holds on r. It says nothing for a
// principal that was opted in to Lake Formation's permissions
// (https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-access-mode.html).
func leftToIAM(c *engine.Call, r state.Resource) (holding, error) {
	h, err := principalHolds(c, r, state.IAMAllowedPrincipals)
	if err != nil || len(h.perms) == 0 {
		return holding{}, err
	}
	if opted, err := OptedIn(c, r); err != nil || opted {
		return holding{}, err
	}
	h.grantable = nil
	return h, nil
}

// principalHolds is what one principal was granted on r and holds at this moment.
func principalHolds(c *engine.Call, r state.Resource, principal string) (holding, error) {
	grants, err := grantsCovering(c, r, principal)
	if err != nil {
		return holding{}, err
	}
	var h holding
	for _, g := range grants {
		one, err := held(c, r, g)
		if err != nil {
			return h, err
		}
		h.join(one)
	}
	return h, nil
}

// held is what a grant gives on r at this moment. What was shared from another
// account counts once the share was accepted, unless IAM_ALLOWED_PRINCIPALS holds
// something on r, and what a recipient handed on only as long as the recipient
// itself has it.
func held(c *engine.Call, r state.Resource, g state.Grant) (holding, error) {
	owner := g.On.Account
	if g.By == owner && state.PrincipalAccount(g.Principal, owner) != owner {
		ok, err := reached(c, g, r)
		if err != nil || !ok {
			return holding{}, err
		}
		if open, err := openToIAM(c, r); err != nil || open {
			return holding{}, err
		}
	}
	h, err := given(c, r, g)
	if err != nil || g.By == owner {
		return h, err
	}
	if g.On.Kind == state.KindPolicy && c.Mesh.Readings.TagGrantsHandedOnInFull {
		if ok, err := anyPolicyReached(c, g, r); err != nil || ok {
			return h, err
		}
	}
	account, err := accountHolds(c, r, g.By)
	if err != nil {
		return holding{}, err
	}
	h.limit(account)
	return h, nil
}

// grantedToAccount are the grants to an account as a whole; parts of their keys narrow
// them.
func grantedToAccount(c *engine.Call, account string, key ...string) ([]state.Grant, error) {
	principals, err := asRecipient(c, account)
	if err != nil {
		return nil, err
	}
	var all []state.Grant
	for _, principal := range principals {
		grants, err := state.GrantsTo(c.Tx, state.PrincipalAccount(principal, ""), principal, key...)
		if err != nil {
			return nil, err
		}
		all = append(all, grants...)
	}
	return all, nil
}

// anyPolicyReached reports whether the account that handed a policy of LF-tags on was
// granted any of its kind.
func anyPolicyReached(c *engine.Call, g state.Grant, r state.Resource) (bool, error) {
	grants, err := grantedToAccount(c, g.By, r.Account, r.Region, string(state.KindPolicy), g.On.PolicyType)
	if err != nil {
		return false, err
	}
	for _, owner := range grants {
		if ok, err := reached(c, owner, r); err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}

// given is what a grant says about r.
func given(c *engine.Call, r state.Resource, g state.Grant) (holding, error) {
	kind := databasePermissions
	if isTable(g.On) {
		kind = tablePermissions
	}
	if g.On.Kind == state.KindCatalog {
		return holding{perms: g.Permissions, grantable: g.Grantable}, nil
	}
	h := holding{perms: expand(g.Permissions, kind), grantable: g.Grantable}
	if slices.Contains(g.Grantable, super) {
		h.grantable = sorted(append(slices.Clone(kind), g.Grantable...))
	}
	switch {
	case !isTable(g.On):
	case g.On.Kind == state.KindColumns:
		columns, err := chosen(c, r, g.On.Columns, g.On.Excluded)
		return inPart(h, piece{columns: columns}), err
	case g.On.Kind == state.KindFilter:
		return throughFilter(c, r, g)
	default:
		some := []string(nil)
		if g.On.Kind == state.KindPolicy {
			var err error
			if some, err = onlyMatching(c, r, g); err != nil {
				return h, err
			}
		}
		if some != nil {
			// Where a tag policy matches some columns only, what would change the table
			// shrinks to DESCRIBE, and ALL to SELECT and DESCRIBE
			// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-tag-considerations.html).
			h = holding{perms: within(h.perms, []string{selecting, describe})}
		}
		if len(without(g.Permissions, []string{selecting})) > 0 {
			h.allColumns, h.columns = some == nil, some
		}
		if slices.Contains(h.perms, selecting) {
			h.reads = everything
			if some != nil {
				h.reads = sight{{columns: some}}
			}
		}
	}
	return h, nil
}

// inPart makes a holding one of a part of a table: what it lets its holder hand on is
// no more than a part of it either.
func inPart(h holding, p piece) holding {
	h.reads = sight{p}
	h.partly = slices.Contains(h.grantable, selecting)
	h.grantable = without(h.grantable, []string{selecting})
	return h
}

// chosen are the columns of the table, and parts of columns, that are listed, or with
// excluded set, not listed. Partition keys cannot be filtered: they are always among
// them.
func chosen(c *engine.Call, r state.Resource, listed []string, excluded bool) ([]string, error) {
	t, found, err := state.GetTable(c.Tx, r.Account, r.Region, r.Database, r.Table)
	if err != nil || !found {
		return listed, err
	}
	return chosenOf(t, listed, excluded), nil
}

func chosenOf(t state.Table, listed []string, excluded bool) []string {
	var names []string
	paths := make([]rowfilter.Path, len(listed))
	for i, l := range listed {
		paths[i] = rowfilter.ParsePath(l)
	}
	for _, col := range t.Columns() {
		at := rowfilter.Path{state.Fold(col.Name)}
		if excluded {
			for _, left := range rowfilter.ParseType(col.Type).Without(at, paths) {
				names = append(names, left.String())
			}
			continue
		}
		for _, p := range paths {
			if at.Covers(p) {
				names = append(names, p.String())
			}
		}
	}
	for _, key := range t.PartitionKeys {
		names = append(names, state.Fold(key.Name))
	}
	return names
}

// grantsCovering are the grants to a principal that say something about r: on it,
// on its columns and cells, on all tables of its database, and on LF-tags that it
// carries.
func grantsCovering(c *engine.Call, r state.Resource, principal string) ([]state.Grant, error) {
	account := state.PrincipalAccount(principal, r.Account)
	givers := []string{r.Account}
	if account != r.Account {
		givers = append(givers, account)
	}
	if r.Table != "" && !granted(c, r, principal, "") {
		return nil, nil
	}
	var grants []state.Grant
	add := func(on state.Securable) error {
		for _, by := range givers {
			g, found, err := state.GetGrant(c.Tx, on, principal, by)
			if err != nil {
				return err
			}
			if found {
				grants = append(grants, g)
			}
		}
		return nil
	}
	switch {
	case r.Database == "":
		if principal == state.IAMAllowedPrincipals {
			s, err := settingsOf(c, r.Account, r.Region)
			if err != nil {
				return nil, err
			}
			if !s.GrantsSeeded {
				return []state.Grant{firstGrant(c, r.Account)}, nil
			}
		}
		return grants, add(state.Securable{Kind: state.KindCatalog, Resource: r})
	case r.Table == "":
		if err := add(state.Securable{Kind: state.KindDatabase, Resource: r}); err != nil {
			return nil, err
		}
	default:
		every := r
		every.Table = state.AllTables
		for _, on := range []state.Resource{r, every} {
			if err := add(state.Securable{Kind: state.KindTable, Resource: on}); err != nil {
				return nil, err
			}
		}
		for _, kind := range []state.Kind{state.KindColumns, state.KindFilter} {
			if !granted(c, r, principal, kind) {
				continue
			}
			partial, err := state.GrantsTo(c.Tx, account, principal, r.Account, r.Region, string(kind), r.Database, r.Table)
			if err != nil {
				return nil, err
			}
			grants = append(grants, partial...)
		}
	}
	if r.Table != "" && !granted(c, r, principal, state.KindPolicy) {
		return grants, nil
	}
	byTag, err := policiesMatching(c, r, account, principal)
	return append(grants, byTag...), err
}

// granted tells whether a principal was granted anything of a kind, or with an empty
// one anything at all, on what the owner of r has. A call that lists many tables
// need not look for it on each of them.
func granted(c *engine.Call, r state.Resource, principal string, kind state.Kind) bool {
	type question struct {
		owner, region, principal string
		kind                     state.Kind
	}
	// It cannot fail.
	ok, _ := engine.Once(c, question{r.Account, r.Region, principal, kind}, func() (bool, error) {
		key := []string{r.Account, r.Region}
		if kind != "" {
			key = append(key, string(kind))
		}
		return state.HasGrants(c.Tx, state.PrincipalAccount(principal, r.Account), principal, key...), nil
	})
	return ok
}

// reached tells whether a grant to another account, or to a principal of one, has
// been accepted there.
func reached(c *engine.Call, g state.Grant, r state.Resource) (bool, error) {
	switch g.On.Kind {
	case state.KindLocation, state.KindTag, state.KindExpression:
		// These carry no catalog object, so RAM has no part in them.
		return true, nil
	}
	if len(g.Shares) == 0 {
		return byCatalogPolicy(c, g, r)
	}
	for _, share := range g.Shares {
		for _, arn := range sharedARNs(g.On, r) {
			ok, err := ram.Reaches(c, share, sharedWith(c, g.Principal), arn)
			if err != nil || ok {
				return ok, err
			}
		}
	}
	return false, nil
}

// seesDatabase tells whether the caller holds something on a table of its own
// account's database, which lets it describe the database. In another account's
// catalog it does not
// (https://docs.aws.amazon.com/lake-formation/latest/dg/granting-catalog-permissions.html).
func seesDatabase(c *engine.Call, r state.Resource) (bool, error) {
	if r.Account != c.Account() || r.Database == "" || r.Table != "" {
		return false, nil
	}
	for _, principal := range []string{c.Caller.Principal, everyone(c.Account())} {
		for _, kind := range []state.Kind{state.KindTable, state.KindColumns, state.KindFilter} {
			grants, err := state.GrantsTo(c.Tx, c.Account(), principal, r.Account, r.Region, string(kind), state.Fold(r.Database))
			if err != nil {
				return false, err
			}
			// What may be done with a filter itself says nothing of its table.
			if slices.ContainsFunc(grants, func(g state.Grant) bool { return kind != state.KindFilter || slices.Contains(g.Permissions, selecting) }) {
				return true, nil
			}
		}
	}
	return false, nil
}
