package lakeformation

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListPermissions.html
func listPermissions(c *engine.Call, in *lakeformation.ListPermissionsInput) (*lakeformation.ListPermissionsOutput, error) {
	if err := c.Allow("lakeformation:ListPermissions"); err != nil {
		return nil, err
	}
	size, err := pageSize(in.MaxResults)
	if err != nil {
		return nil, err
	}
	if in.Principal != nil && in.Resource == nil {
		return nil, invalid("Resource is mandatory if Principal is set in the input.")
	}
	if in.Resource != nil && in.Resource.TableWithColumns != nil {
		return nil, invalid("ListPermissions does not support a table with columns. Use the table instead.")
	}
	owner, err := catalogOf(c, in.CatalogId)
	if err != nil {
		return nil, err
	}
	kinds, policyType, err := kindsOf(in.ResourceType)
	if err != nil {
		return nil, err
	}
	l := listing{c: c, size: size, token: in.NextToken, wanted: func(on state.Securable) bool {
		return (kinds == nil || slices.Contains(kinds, on.Kind)) && (policyType == "" || on.PolicyType == policyType)
	}}
	prefixes := [][]string{{owner, c.Region}}
	if in.Resource != nil {
		t, err := readResource(c, in.CatalogId, in.Resource)
		if err != nil {
			return nil, err
		}
		related := strings.EqualFold(aws.ToString(in.IncludeRelated), "TRUE")
		if in.Principal != nil && t.on.Kind == state.KindFilter && !related && abroad(aws.ToString(in.Principal.DataLakePrincipalIdentifier), t.on.Account) {
			// Seen on AWS: nothing is listed, although the grant is there
			// (https://github.com/hashicorp/terraform-provider-aws/issues/48360).
			return &lakeformation.ListPermissionsOutput{PrincipalResourcePermissions: []types.PrincipalResourcePermissions{}}, exists(c, t)
		}
		if in.Principal != nil && (related || t.on.Kind == state.KindFilter) {
			return nil, invalid("Principal must not be set when cell filter information is requested.")
		}
		if in.Principal != nil && isIdentityCenter(aws.ToString(in.Principal.DataLakePrincipalIdentifier)) {
			return listIdentityCenter(c, t, *in.Principal.DataLakePrincipalIdentifier)
		}
		if in.Principal != nil {
			rows, err := effective(c, t, aws.ToString(in.Principal.DataLakePrincipalIdentifier))
			return &lakeformation.ListPermissionsOutput{PrincipalResourcePermissions: rows}, err
		}
		if prefixes, err = listed(c, t, related); err != nil {
			return nil, err
		}
		owner = t.on.Account
	}
	if in.Resource == nil && in.ResourceType == types.DataLakeResourceTypeLfTag && owner == c.Account() {
		// The LF-tags that others share come on pages of their own
		// (https://docs.aws.amazon.com/lake-formation/latest/dg/TBAC-granting-revoking-tags-cli.html).
		sharers, err := tagOwners(c, false)
		if err != nil {
			return nil, err
		}
		for _, sharer := range sharers {
			prefixes = append(prefixes, []string{sharer, c.Region})
		}
	}
	if err := l.run(owner, prefixes); err != nil {
		return nil, err
	}
	return &lakeformation.ListPermissionsOutput{PrincipalResourcePermissions: l.rows, NextToken: l.next}, nil
}

// listIdentityCenter is what a listing with a user or group of Identity Center was seen
// to answer: users are refused, and groups have nothing, whatever they were granted
// (https://github.com/hashicorp/terraform-provider-aws/issues/44574,
// https://github.com/hashicorp/terraform-provider-aws/issues/49319).
func listIdentityCenter(c *engine.Call, t target, principal string) (*lakeformation.ListPermissionsOutput, error) {
	if strings.Contains(principal, ":::user/") {
		return nil, invalid("AccountId cannot be null or empty")
	}
	return &lakeformation.ListPermissionsOutput{PrincipalResourcePermissions: []types.PrincipalResourcePermissions{}}, exists(c, t)
}

// abroad reports whether a principal is a role or user of another account.
func abroad(principal, owner string) bool {
	account, _, _, ok := state.SplitPrincipalARN(principal)
	return ok && account != owner
}

// pageSize checks the size of a page of up to 1000.
func pageSize(size *int32) (int, error) {
	if size == nil {
		return 100, nil
	}
	if *size < 1 || *size > 1000 {
		return 0, invalid("MaxResults must be between 1 and 1000.")
	}
	return int(*size), nil
}

// kindsOf are the kinds of securables that a resource type stands for.
func kindsOf(t types.DataLakeResourceType) (kinds []state.Kind, policyType string, err error) {
	switch t {
	case "":
		return nil, "", nil
	case types.DataLakeResourceTypeCatalog:
		return []state.Kind{state.KindCatalog}, "", nil
	case types.DataLakeResourceTypeDatabase:
		return []state.Kind{state.KindDatabase}, "", nil
	case types.DataLakeResourceTypeTable:
		return []state.Kind{state.KindTable, state.KindColumns, state.KindFilter}, "", nil
	case types.DataLakeResourceTypeDataLocation:
		return []state.Kind{state.KindLocation}, "", nil
	case types.DataLakeResourceTypeLfTag:
		return []state.Kind{state.KindTag}, "", nil
	case types.DataLakeResourceTypeLfTagPolicy:
		return []state.Kind{state.KindPolicy}, "", nil
	case types.DataLakeResourceTypeLfTagPolicyDatabase:
		return []state.Kind{state.KindPolicy}, "DATABASE", nil
	case types.DataLakeResourceTypeLfTagPolicyTable:
		return []state.Kind{state.KindPolicy}, "TABLE", nil
	case types.DataLakeResourceTypeLfNamedTagExpression:
		return []state.Kind{state.KindExpression}, "", nil
	}
	return nil, "", invalid("Invalid resource type: %s", string(t))
}

// listed are the beginnings of the keys of the grants on a target. A table's rows
// include those on its columns, and with related those on its data cells filters.
func listed(c *engine.Call, t target, related bool) ([][]string, error) {
	on := t.on
	key := func(kind state.Kind) []string {
		return []string{on.Account, on.Region, string(kind), on.Database, on.Table}
	}
	switch on.Kind {
	case state.KindDatabase, state.KindTable, state.KindFilter:
		if err := exists(c, t); err != nil {
			return nil, err
		}
	}
	switch on.Kind {
	case state.KindTable:
		prefixes := [][]string{key(state.KindTable), key(state.KindColumns)}
		if related {
			prefixes = append(prefixes, key(state.KindFilter))
		}
		return prefixes, nil
	case state.KindTag:
		prefixes := [][]string{on.Key()}
		for _, v := range t.values {
			value := on
			value.TagValue = v
			prefixes = append(prefixes, value.Key())
		}
		return prefixes, nil
	}
	return [][]string{on.Key()}, nil
}

// listing collects one page of rows.
type listing struct {
	c      *engine.Call
	size   int
	token  *string
	wanted func(state.Securable) bool

	rows []types.PrincipalResourcePermissions
	next *string
	seen map[state.Resource][]string
}

// run goes through the grants with these beginnings of keys. The token says after
// how many rows of which grant the last page ended.
func (l *listing) run(owner string, prefixes [][]string) error {
	l.rows, l.seen = []types.PrincipalResourcePermissions{}, map[state.Resource][]string{}
	token, err := engine.FromToken(l.token)
	if err != nil {
		return err
	}
	skip, from := 0, ""
	if token != "" {
		n, key, ok := strings.Cut(token, "|")
		skip, err = strconv.Atoi(n)
		if !ok || err != nil || skip < 0 {
			return invalid("Invalid next token")
		}
		from = key
	}
	if err := l.first(owner, prefixes, from); err != nil {
		return err
	}
	for i, prefix := range prefixes {
		start := ""
		if from != "" {
			if !strings.HasPrefix(from, store.Key(prefix...)+store.Separator) {
				continue
			}
			g, found, err := state.Grants.Get(l.c.Tx, store.Parts(from)...)
			if err != nil {
				return err
			}
			if found {
				if err := l.add(from, g, skip); err != nil || l.next != nil {
					return err
				}
			}
			start, from = from, ""
		}
		if err := l.scan(prefix, start); err != nil || l.next != nil {
			return err
		}
		if i+1 < len(prefixes) && prefixes[i+1][0] != prefix[0] {
			l.next = engine.NextToken("0|" + store.Key(prefixes[i+1]...) + store.Separator)
			return nil
		}
	}
	return nil
}

// first adds the grant that a catalog begins with, which is not stored until
// something is granted or revoked on the catalog.
func (l *listing) first(owner string, prefixes [][]string, from string) error {
	s, err := settingsOf(l.c, owner, l.c.Region)
	if err != nil || s.GrantsSeeded || from != "" {
		return err
	}
	g := firstGrant(l.c, owner)
	key := store.Key(g.Key()...)
	for _, prefix := range prefixes {
		if strings.HasPrefix(key, store.Key(prefix...)+store.Separator) {
			return l.add(key, g, 0)
		}
	}
	return nil
}

func (l *listing) scan(prefix []string, after string) error {
	var failed error
	err := state.Grants.ScanShared(l.c.Tx, prefix, after, func(key string, g *state.Grant) bool {
		failed = l.add(key, *g, 0)
		return failed == nil && l.next == nil
	})
	if err != nil {
		return err
	}
	return failed
}

// add adds the rows of a grant that the caller may see, without the first skip.
func (l *listing) add(key string, g state.Grant, skip int) error {
	if !l.wanted(g.On) {
		return nil
	}
	if l.c.Mesh.Readings.ListingsShowOwnRows {
		if ok, err := ownRow(l.c, g); err != nil || !ok {
			return err
		}
	}
	shown, ok, err := visible(l.c, g, l.seen)
	if err != nil || !ok {
		return err
	}
	rows := rowsOf(l.c, shown)
	for i, row := range rows {
		if i < skip {
			continue
		}
		if len(l.rows) == l.size {
			l.next = engine.NextToken(strconv.Itoa(i) + "|" + key)
			return nil
		}
		l.rows = append(l.rows, row)
	}
	return nil
}

// ownRow reports whether a grant is the caller's own, or the caller is an
// administrator of the data lake, who sees others' too.
func ownRow(c *engine.Call, g state.Grant) (bool, error) {
	position, err := rankOf(c)
	return position != nobody || g.Principal == c.Caller.Principal || g.Principal == everyone(c.Account()), err
}

// visible is what of a grant the caller is shown. A data lake administrator sees
// all that was granted in its account, and what others shared with the account.
// Others see their own grants, and of everybody else's only the permissions that
// they hold themselves. No account sees what another one handed on, nor what was
// granted to one of its principals directly, save for that principal.
func visible(c *engine.Call, g state.Grant, held map[state.Resource][]string) (state.Grant, bool, error) {
	mine := g.Principal == c.Caller.Principal || g.Principal == everyone(c.Account())
	position, err := rankOf(c)
	if err != nil {
		return g, false, err
	}
	if g.By != c.Account() {
		account, err := asRecipient(c, c.Account())
		if err != nil {
			return g, false, err
		}
		forAccount := slices.Contains(account, g.Principal) || g.Principal == everyone(c.Account())
		if g.By != g.On.Account || !mine && (!forAccount || position == nobody) {
			return g, false, nil
		}
		ok, err := reached(c, g, g.On.Resource)
		return g, ok, err
	}
	if mine || position != nobody {
		return g, true, nil
	}
	perms, known := held[g.On.Resource]
	if !known || !objects(g.On) {
		if perms, err = callerPermissions(c, g.On); err != nil {
			return g, false, err
		}
		if objects(g.On) {
			held[g.On.Resource] = perms
		}
	}
	g.Permissions, g.Grantable = within(g.Permissions, perms), within(g.Grantable, perms)
	return g, len(g.Permissions) > 0, nil
}

// objects tells whether a securable is a catalog object, or a part of one.
func objects(on state.Securable) bool {
	switch on.Kind {
	case state.KindCatalog, state.KindDatabase, state.KindTable, state.KindColumns, state.KindFilter:
		return true
	}
	return false
}

// callerPermissions are the permissions that the caller holds on a securable.
func callerPermissions(c *engine.Call, on state.Securable) ([]string, error) {
	if objects(on) {
		h, err := callerHolds(c, on.Resource)
		return h.perms, err
	}
	var perms []string
	for _, perm := range allows(on) {
		for _, principal := range []string{c.Caller.Principal, everyone(c.Account())} {
			ok, err := heldPlain(c, on, principal, false, perm)
			if err != nil {
				return nil, err
			}
			if ok {
				perms = append(perms, perm)
			}
		}
	}
	return sorted(perms), nil
}

// effective are the rows for one principal on one resource: besides the grants on
// exactly the resource, those that reach it from all tables of the database or
// from LF-tags, and an administrator's implicit right, which looks like a grant.
func effective(c *engine.Call, t target, principal string) ([]types.PrincipalResourcePermissions, error) {
	rows := []types.PrincipalResourcePermissions{}
	if principal == "" {
		return nil, invalid("Principal is mandatory in the input.")
	}
	if err := exists(c, t); err != nil {
		return nil, err
	}
	grants, err := effectiveGrants(c, t, principal)
	if err != nil {
		return nil, err
	}
	cache := map[state.Resource][]string{}
	for _, g := range grants {
		if g.On.Kind == state.KindFilter {
			continue
		}
		shown, ok, err := visible(c, g, cache)
		if err != nil {
			return nil, err
		}
		if ok {
			rows = append(rows, rowsOf(c, shown)...)
		}
	}
	return rows, nil
}

func effectiveGrants(c *engine.Call, t target, principal string) ([]state.Grant, error) {
	on := t.on
	if !objects(on) {
		prefixes, err := listed(c, t, false)
		if err != nil {
			return nil, err
		}
		var grants []state.Grant
		account := state.PrincipalAccount(principal, on.Account)
		for _, prefix := range prefixes {
			more, err := state.GrantsTo(c.Tx, account, principal, prefix...)
			if err != nil {
				return nil, err
			}
			grants = append(grants, more...)
		}
		return grants, nil
	}
	grants, err := grantsCovering(c, on.Resource, principal)
	if err != nil {
		return nil, err
	}
	if on.Table == state.AllTables && len(grants) > 1 {
		// The grant on all tables covers itself twice.
		grants = slices.CompactFunc(grants, func(a, b state.Grant) bool { return slices.Equal(a.Key(), b.Key()) })
	}
	for i, g := range grants {
		if g.On.Kind == state.KindPolicy {
			g.On = state.Securable{Kind: state.KindDatabase, Resource: on.Resource}
			if on.Table != "" {
				g.On.Kind = state.KindTable
			}
			grants[i] = g
		}
	}
	s, err := settingsOf(c, on.Account, c.Region)
	if err != nil || !slices.Contains(s.Admins, principal) || on.Database == "" {
		return grants, err
	}
	implicit := state.Securable{Kind: state.KindDatabase, Resource: on.Resource}
	if on.Table != "" {
		implicit.Kind = state.KindTable
	}
	return append(grants, state.Grant{
		On: implicit, Principal: principal, By: on.Account, Permissions: []string{describe}, Grantable: []string{describe}, Updated: c.Now,
	}), nil
}
