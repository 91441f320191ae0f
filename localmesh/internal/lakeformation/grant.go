package lakeformation

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lakeformation"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GrantPermissions.html
func grantPermissions(c *engine.Call, in *lakeformation.GrantPermissionsInput) (*lakeformation.GrantPermissionsOutput, error) {
	if err := c.Allow("lakeformation:GrantPermissions"); err != nil {
		return nil, err
	}
	err := grant(c, entry{
		catalog: in.CatalogId, principal: in.Principal, resource: in.Resource, condition: in.Condition,
		permissions: in.Permissions, grantable: in.PermissionsWithGrantOption,
	})
	return &lakeformation.GrantPermissionsOutput{}, err
}

// grant carries one grant out. Everything is checked before anything is written,
// because the entries of a batch fail one by one.
func grant(c *engine.Call, e entry) error {
	t, err := readResource(c, e.catalog, e.resource)
	if err != nil {
		return err
	}
	principal, err := checkPrincipal(c, e.principal)
	if err != nil {
		return err
	}
	if err := mayRead(c, t.on); err != nil {
		return err
	}
	all, err := e.parts(c, t)
	if err != nil {
		return err
	}
	for _, p := range all {
		if !subset(p.grantable, p.perms) {
			return invalid("Permissions with grant option must be a subset of the permissions: %v", without(p.grantable, p.perms))
		}
		if err := mayGrantTo(c, p, principal); err != nil {
			return err
		}
	}
	if err := exists(c, t); err != nil {
		return err
	}
	if err := locationKnown(c, t.on); err != nil {
		return err
	}
	for _, p := range all {
		if err := fits(c, p, principal); err != nil {
			return err
		}
	}
	if t.on.Kind == state.KindCatalog {
		if err := seed(c, t.on.Account); err != nil {
			return err
		}
	}
	for _, p := range all {
		if err := write(c, p, principal); err != nil {
			return err
		}
	}
	return nil
}

// locationKnown refuses a grant on a location whose registration is not known yet,
// in words that programs which wait for it look for.
func locationKnown(c *engine.Call, on state.Securable) error {
	if on.Kind != state.KindLocation {
		return nil
	}
	l, found, err := registration(c, on.Account, on.Path)
	if err != nil || !found || !c.UnknownLocation(l.Account, l.Path) {
		return err
	}
	return invalid("Permissions cannot be granted on %s: register the S3 path first.", on.Path)
}

// mayGrantTo refuses a grant that the caller may not make: without the right, or
// in another account's name to anybody but a principal of its own account.
func mayGrantTo(c *engine.Call, p part, principal string) error {
	if p.on.Account != c.Account() {
		if isIdentityCenter(principal) {
			// https://docs.aws.amazon.com/lake-formation/latest/dg/identity-center-lf-notes.html
			return invalid("Cross-account grants are not supported for the principal.")
		}
		if principal == state.IAMAllowedPrincipals || isAccount(principal) || state.PrincipalAccount(principal, p.on.Account) != c.Account() {
			return c.Denied("Not authorized to grant permissions for the resource")
		}
		return mayHandOn(c, p.on, p.perms)
	}
	if err := mayHandOn(c, p.on, p.perms); err != nil {
		return err
	}
	account := state.PrincipalAccount(principal, p.on.Account)
	if account == p.on.Account {
		if isAccount(principal) {
			return invalidPrincipal(principal)
		}
		return nil
	}
	return mayGrantAbroad(c, p, principal, account)
}

// mayGrantAbroad refuses what cannot be granted to another account or to a
// principal of one
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-notes.html).
func mayGrantAbroad(c *engine.Call, p part, principal, account string) error {
	s, err := settingsOf(c, p.on.Account, c.Region)
	if err != nil {
		return err
	}
	v := version(s)
	database := p.on.Kind == state.KindDatabase || p.on.Kind == state.KindPolicy && !isTable(p.on)
	switch {
	case !isAccount(principal) && v < 3:
		return invalid("Invalid principal: %s. Granting to a principal of another account needs cross account version 3 or above.", principal)
	case !isRecipient(principal) && len(p.grantable) > 0:
		return invalid("Grantable permissions are not supported for principals of another account: %s", principal)
	case p.on.Kind == state.KindCatalog, p.on.Kind == state.KindExpression:
		return modified("Permissions on the %s cannot be granted to another account.", p.on.Kind)
	case database && (slices.Contains(p.perms, drop) || slices.Contains(p.perms, super)):
		return modified("DROP and ALL on a database cannot be granted to another account.")
	case p.on.Kind == state.KindColumns && p.on.Excluded:
		return modified("Columns cannot be excluded in a grant to another account. List those that are included.")
	case p.on.Kind == state.KindFilter && !subset(p.perms, []string{selecting}):
		return modified("Only SELECT on a data cells filter can be granted to another account.")
	case p.on.Kind == state.KindFilter && isRecipient(principal) && len(p.grantable) == 0:
		return modified("SELECT on a data cells filter is granted to another account with the grant option.")
	case p.on.Kind == state.KindTag && !subset(p.perms, []string{associate, describe}):
		return modified("Only ASSOCIATE and DESCRIBE on LF-Tags can be granted to another account.")
	}
	if p.on.Kind == state.KindPolicy && p.on.Name != "" && c.Mesh.Readings.SavedExpressionsStayInside {
		return modified("Permissions on the LF-Tag expression %s cannot be granted to another account.", p.on.Name)
	}
	if err := madeHere(c, p.on); err != nil {
		return err
	}
	if p.on.Kind == state.KindPolicy && v < 3 {
		theirs, err := settingsOf(c, account, c.Region)
		if err != nil {
			return err
		}
		if version(theirs) >= 3 {
			// The message names the version that is needed, not the one that the account has.
			return invalid("Invalid cross account grant request. Consumer account has opt-in to cross account version: v3")
		}
	}
	return leftToIAMAlone(c, p.on, v)
}

// madeHere refuses to share a table that somebody of another account made in a
// database that was shared with it: the owner grants on it inside its own account
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html).
func madeHere(c *engine.Call, on state.Securable) error {
	if !isTable(on) || on.Kind == state.KindPolicy || on.Table == state.AllTables {
		return nil
	}
	t, found, err := state.GetTable(c.Tx, on.Account, on.Region, on.Database, on.Table)
	if err != nil || !found {
		return err
	}
	if maker := state.PrincipalAccount(t.CreatedBy, on.Account); maker != on.Account {
		return c.Denied("Not authorized to grant permissions for the resource")
	}
	return nil
}

// leftToIAMAlone refuses to share what IAM_ALLOWED_PRINCIPALS holds, unless the
// location is in hybrid access mode
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-prereqs.html).
func leftToIAMAlone(c *engine.Call, on state.Securable, version int) error {
	keys := [][]string{state.Securable{Kind: state.KindDatabase, Resource: on.Resource}.Key()}
	switch on.Kind {
	case state.KindDatabase:
	case state.KindTable, state.KindColumns, state.KindFilter:
		every := on.Resource
		every.Table = state.AllTables
		keys = [][]string{
			state.Securable{Kind: state.KindTable, Resource: on.Resource}.Key(), state.Securable{Kind: state.KindTable, Resource: every}.Key(),
		}
		if on.Table == state.AllTables {
			keys = [][]string{{on.Account, on.Region, string(state.KindTable), on.Database}}
		}
	default:
		return nil
	}
	for _, key := range keys {
		// The grants to the group are few against those of a whole database, so they
		// are found by the grantee.
		open, err := state.GrantsTo(c.Tx, on.Account, state.IAMAllowedPrincipals, key...)
		if err != nil {
			return err
		}
		if len(open) == 0 {
			continue
		}
		hybrid, err := inHybridLocation(c, on)
		if err != nil {
			return err
		}
		if !hybrid || version < 4 {
			return c.Denied("Insufficient Lake Formation permissions: Illegal combination: " + state.IAMAllowedPrincipals + " has permissions on the resource")
		}
	}
	return nil
}

// inHybridLocation tells whether a database's or a table's data is in a location
// that is registered in hybrid access mode.
func inHybridLocation(c *engine.Call, on state.Securable) (bool, error) {
	location := ""
	if on.Table == "" || on.Table == state.AllTables {
		db, _, err := state.GetDatabase(c.Tx, on.Account, on.Region, on.Database)
		if err != nil {
			return false, err
		}
		location = db.Location
	} else {
		t, _, err := state.GetTable(c.Tx, on.Account, on.Region, on.Database, on.Table)
		if err != nil {
			return false, err
		}
		location = t.Location()
	}
	path, ok := s3path(location)
	if !ok {
		return false, nil
	}
	l, found, err := registration(c, on.Account, path)
	return found && l.Hybrid, err
}

// fits refuses grants that exclude each other: SELECT on some of the columns, and
// what changes or describes the whole table
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html).
func fits(c *engine.Call, p part, principal string) error {
	if p.on.Kind == state.KindColumns && len(p.grantable) > 0 && (p.on.Excluded || !c.Mesh.Readings.ColumnsHandedOn) {
		return invalid("The grant option is not available for SELECT on some of the columns.")
	}
	if principal == state.IAMAllowedPrincipals && len(p.grantable) > 0 {
		return invalid("The grant option cannot be given to %s.", principal)
	}
	switch p.on.Kind {
	case state.KindColumns, state.KindTable:
		switch {
		case c.Mesh.Readings.ColumnsBesideWiderGrants:
			return nil
		case p.on.Kind == state.KindColumns:
			return fitsColumns(c, p, principal)
		}
		return fitsTable(c, p, principal)
	case state.KindPolicy:
		return fewExpressions(c, p, principal)
	case state.KindFilter:
		return fewFilters(c, p, principal)
	}
	return nil
}

// maxFilters is how many data cells filters of a table a principal can have SELECT on
// (https://docs.aws.amazon.com/lake-formation/latest/dg/data-filtering-notes.html).
const maxFilters = 100

// fewFilters refuses one data cells filter too many for a principal on a table.
func fewFilters(c *engine.Call, p part, principal string) error {
	if !slices.Contains(p.perms, selecting) {
		return nil
	}
	has, err := state.GrantsTo(c.Tx, state.PrincipalAccount(principal, p.on.Account), principal,
		p.on.Account, p.on.Region, string(state.KindFilter), p.on.Database, p.on.Table)
	if err != nil {
		return err
	}
	n := 0
	for _, g := range has {
		if g.On.Filter != p.on.Filter && slices.Contains(g.Permissions, selecting) {
			n++
		}
	}
	if n >= maxFilters {
		return invalid("A principal can have SELECT on at most %d data cells filters of a table.", maxFilters)
	}
	return nil
}

// ofWholeTable are the permissions that are about more than some columns.
var ofWholeTable = []string{super, alter, deleting, describe, drop, insert}

// fitsColumns refuses SELECT on some columns to whom holds something on the whole
// table, by name or with all tables of the database, and to an administrator, who
// describes everything. AWS says so of the table and is silent about all tables,
// which are held to be no different.
func fitsColumns(c *engine.Call, p part, principal string) error {
	account := state.PrincipalAccount(principal, p.on.Account)
	for _, table := range []string{p.on.Table, state.AllTables} {
		whole, err := state.GrantsTo(c.Tx, account, principal, p.on.Account, p.on.Region, string(state.KindTable), p.on.Database, table)
		if err != nil {
			return err
		}
		for _, g := range whole {
			if both := within(g.Permissions, ofWholeTable); len(both) > 0 {
				return modified("SELECT on some of the columns cannot be granted to a principal with %s on the table.", strings.Join(both, ", "))
			}
		}
	}
	s, err := settingsOf(c, p.on.Account, c.Region)
	if err != nil {
		return err
	}
	if slices.Contains(s.Admins, principal) {
		return modified("SELECT on some of the columns cannot be granted to a data lake administrator, who has DESCRIBE on the table.")
	}
	return nil
}

// fewExpressions refuses one expression of LF-tags too many for a principal and a
// type of resource
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-tag-considerations.html).
func fewExpressions(c *engine.Call, p part, principal string) error {
	has, err := state.GrantsTo(c.Tx, state.PrincipalAccount(principal, p.on.Account), principal, p.on.Account, p.on.Region, string(state.KindPolicy), p.on.PolicyType)
	if err != nil || len(has) < maxPolicies {
		return err
	}
	again := func(g state.Grant) bool { return store.Key(g.On.Key()...) == store.Key(p.on.Key()...) }
	if slices.ContainsFunc(has, again) {
		return nil
	}
	return invalid("A principal can be granted on at most %d LF-Tag expressions of a resource type.", maxPolicies)
}

// fitsTable refuses what is about a whole table, or all tables, to whom holds
// SELECT on some columns.
func fitsTable(c *engine.Call, p part, principal string) error {
	both := within(p.perms, ofWholeTable)
	if len(both) == 0 {
		return nil
	}
	key := []string{p.on.Account, p.on.Region, string(state.KindColumns), p.on.Database}
	if p.on.Table != state.AllTables {
		key = append(key, p.on.Table)
	}
	some, err := state.GrantsTo(c.Tx, state.PrincipalAccount(principal, p.on.Account), principal, key...)
	if err != nil {
		return err
	}
	if len(some) > 0 {
		return modified("%s cannot be granted to a principal with SELECT on some of the columns.", strings.Join(both, ", "))
	}
	return nil
}

// modified is AWS's refusal of a change of permissions that does not fit.
func modified(format string, args ...any) error {
	return invalid("Permissions modification is invalid. "+format, args...)
}

// write stores a checked grant: repeated grants add up. A grant to another
// account is carried by a RAM share.
func write(c *engine.Call, p part, principal string) error {
	g, found, err := state.GetGrant(c.Tx, p.on, principal, c.Account())
	if err != nil {
		return err
	}
	if !found {
		g = state.Grant{On: p.on, Principal: principal, By: c.Account()}
	}
	if p.on.Kind == state.KindColumns && !p.on.Excluded {
		g.On.Columns = union(g.On.Columns, p.on.Columns)
	}
	g.Permissions, g.Grantable = union(g.Permissions, p.perms), union(g.Grantable, p.grantable)
	g.Updated, g.UpdatedBy = c.Now, c.Caller.Principal
	if p.on.Account == c.Account() && state.PrincipalAccount(principal, p.on.Account) != c.Account() && carried(p.on) {
		shares, err := share(c, g)
		if err != nil {
			return err
		}
		if !found && p.on.Table != "" {
			c.NewlyShared(p.on.Resource, state.PrincipalAccount(principal, p.on.Account))
		}
		if g.Shares, err = alive(c, union(g.Shares, shares)); err != nil {
			return err
		}
	}
	return state.PutGrant(c.Tx, g)
}

// alive are those of the shares that were not deleted.
func alive(c *engine.Call, arns []string) ([]string, error) {
	var out []string
	for _, arn := range arns {
		s, found, err := state.GetShare(c.Tx, arn)
		if err != nil {
			return nil, err
		}
		if found && s.Status == state.ShareActive {
			out = append(out, arn)
		}
	}
	return out, nil
}
