package lakeformation

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/ram"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// What a grant to another account does in RAM. From version 2 of cross-account
// sharing there is one share a recipient for all databases, one for all tables,
// one for "all tables of a database", and two for LF-tags; the first version
// makes a share a grant, and the fifth puts patterns into the shares instead of
// single resources
// (https://docs.aws.amazon.com/lake-formation/latest/dg/optimize-ram.html).

// sharedWith is the principal of a grant as RAM knows it: the group of all
// principals of an account is the account. Organizations and units stand for themselves.
func sharedWith(c *engine.Call, principal string) string {
	if account, ok := strings.CutSuffix(principal, ":IAMPrincipals"); ok {
		return account
	}
	if c.Mesh.Readings.DirectGrantsShareTheAccount && !state.IsOrganizationARN(principal) {
		return state.PrincipalAccount(principal, "")
	}
	return principal
}

func catalogARN(r state.Resource) string {
	return "arn:aws:glue:" + r.Region + ":" + r.Account + ":catalog"
}

func databaseARN(r state.Resource) string {
	return "arn:aws:glue:" + r.Region + ":" + r.Account + ":database/" + r.Database
}

func tableARN(r state.Resource) string {
	return "arn:aws:glue:" + r.Region + ":" + r.Account + ":table/" + r.Database + "/" + r.Table
}

// resourceARN is what of a grant goes into a share.
func resourceARN(on state.Securable) string {
	every := on.Resource
	every.Database = "*"
	switch {
	case on.Kind == state.KindDatabase:
		return databaseARN(on.Resource)
	case on.Kind == state.KindPolicy && isTable(on):
		every.Table = "*"
		return tableARN(every)
	case on.Kind == state.KindPolicy:
		return databaseARN(every)
	}
	return tableARN(on.Resource)
}

// sharedARNs are the resources one of which a share must carry for a grant to
// reach r. The database's is among a table's because a table that a recipient
// made in a shared database has no association of its own.
func sharedARNs(on state.Securable, r state.Resource) []string {
	arns := []string{resourceARN(on)}
	if on.Kind == state.KindTable && on.Table == r.Table {
		arns = append(arns, databaseARN(r))
	}
	return arns
}

// purpose tells apart the shares between two accounts.
func purpose(on state.Securable, version int) string {
	if version < 2 {
		return "grant " + store.Key(on.Key()...)
	}
	switch {
	case on.Kind == state.KindPolicy && isTable(on):
		return "tables by tag"
	case on.Kind == state.KindPolicy:
		return "databases by tag"
	case on.Kind == state.KindDatabase:
		return "databases"
	case on.Table == state.AllTables:
		return "all tables"
	}
	return "tables"
}

// managedPermission is the RAM permission of a share for a purpose.
func managedPermission(on state.Securable) string {
	switch {
	case on.Kind == state.KindDatabase || on.Kind == state.KindPolicy && !isTable(on):
		return ram.DatabasePermission
	case on.Table == state.AllTables:
		return ram.AllTablesPermission
	}
	return ram.TablePermission
}

// carried tells whether RAM has a part in a grant on the securable.
func carried(on state.Securable) bool {
	switch on.Kind {
	case state.KindDatabase, state.KindTable, state.KindColumns, state.KindFilter, state.KindPolicy:
		return true
	}
	return false
}

// share makes the RAM share of a grant to another account, or extends the one
// that there is, with the caller's rights, and returns its ARN. All rights are
// asked for before anything is written.
func share(c *engine.Call, g state.Grant) ([]string, error) {
	s, err := settingsOf(c, g.On.Account, g.On.Region)
	if err != nil {
		return nil, err
	}
	v := version(s)
	if g.On.Kind == state.KindPolicy && v < 3 {
		// Before version 3 LF-tag policies were shared by the catalog's resource
		// policy alone.
		return nil, nil
	}
	principal := sharedWith(c, g.Principal)
	want := purpose(g.On, v)
	arn := resourceARN(g.On)
	if pattern, ok := ram.Pattern(arn); ok && v >= 5 {
		arn = pattern
	}
	existing, found, err := shareFor(c, g.On.Account, principal, want, arn)
	if err != nil {
		return nil, err
	}
	if !found {
		existing = state.Share{
			Owner: g.On.Account, Name: c.Mesh.ID("LakeFormation-V"+strconv.Itoa(v)+"-", 10), AllowExternal: true,
			Permissions: []string{managedPermission(g.On)}, Grantor: c.Caller.Principal, Purpose: want,
		}
	}
	if err := mayShare(c, existing, found, arn, managedPermission(g.On), v); err != nil {
		return nil, err
	}
	if !found {
		if existing, err = ram.CreateShare(c, existing); err != nil {
			return nil, err
		}
		if _, err := ram.AddPrincipal(c, existing, principal); err != nil {
			return nil, err
		}
	}
	if _, err := ram.AddResource(c, existing, arn); err != nil {
		return nil, err
	}
	return []string{existing.ARN()}, nil
}

// shareFor finds the share with a principal for a purpose that carries a resource or has
// room for it. That a share that is full is followed by another one is inferred.
func shareFor(c *engine.Call, owner, principal, purpose, arn string) (state.Share, bool, error) {
	shares, err := state.SharesInto(c.Tx, state.PrincipalAccount(principal, owner), c.Region)
	if err != nil {
		return state.Share{}, false, err
	}
	var roomy *state.Share
	for _, s := range shares {
		if s.Owner != owner || s.Purpose != purpose || s.Status != state.ShareActive || !state.SharePrincipals.Has(c.Tx, s.Owner, s.Region, s.ID, principal) {
			continue
		}
		if state.ShareResources.Has(c.Tx, s.Owner, s.Region, s.ID, arn) {
			return s, true, nil
		}
		if full, err := ram.IsFull(c, s); err != nil {
			return s, false, err
		} else if !full && roomy == nil {
			roomy = &s
		}
	}
	if roomy == nil {
		return state.Share{}, false, nil
	}
	return *roomy, true, nil
}

// mayShare asks for the rights that AWS's policy AWSLakeFormationCrossAccountManager
// gives to whom grants to other accounts
// (https://docs.aws.amazon.com/lake-formation/latest/dg/permissions-reference.html).
func mayShare(c *engine.Call, s state.Share, exists bool, arn, permission string, version int) error {
	kind, _ := ram.ResourceType(arn)
	switch {
	case exists && version < 2:
		// The first version extends no share: the grant is repeated, and its own
		// share carries its resource already.
	case exists:
		err := c.Forward(authz.Question{Action: "ram:AssociateResourceShare", Resources: []string{s.ARN()}, Keys: ram.ShareKeys(s, arn)})
		if err != nil {
			return err
		}
	default:
		err := c.Forward(authz.Question{Action: "ram:CreateResourceShare", Resources: []string{c.ARN("ram", c.Account(), "resource-share/*")}, Keys: map[string][]string{
			"ram:RequestedResourceType": {kind}, "ram:ResourceArn": {arn}, "ram:RequestedAllowsExternalPrincipals": {"true"},
		}})
		if err != nil {
			return err
		}
		if version >= 3 {
			err := c.Forward(authz.Question{Action: "ram:AssociateResourceSharePermission", Resources: []string{c.ARN("ram", c.Account(), "resource-share/*")}, Keys: map[string][]string{
				"ram:PermissionArn": {permission}, "ram:ResourceShareName": {s.Name},
			}})
			if err != nil {
				return err
			}
		}
	}
	return c.Forward(authz.Question{Action: "glue:PutResourcePolicy", Resources: []string{catalogARN(state.Resource{Account: c.Account(), Region: c.Region})}})
}

// departure is what becomes of a share when a grant is taken back.
type departure struct {
	share  state.Share
	entity string
	// last is set when the share carries nothing else, and is deleted.
	last bool
}

// departures are what leaves which shares when the grant g is taken back as a
// whole: what no other grant to the same principal needs there. The caller's
// rights are asked for here, before anything is written.
func departures(c *engine.Call, g state.Grant) ([]departure, error) {
	var all []departure
	for _, arn := range g.Shares {
		s, found, err := state.GetShare(c.Tx, arn)
		if err != nil {
			return nil, err
		}
		if !found || s.Status != state.ShareActive {
			continue
		}
		entity, ok := entityOf(c, s, g)
		if !ok {
			continue
		}
		needed, err := stillCarried(c, s, g, entity)
		if err != nil {
			return nil, err
		}
		if needed {
			continue
		}
		resources, err := ram.CountResources(c.Tx, s, 2)
		if err != nil {
			return nil, err
		}
		action := "ram:DisassociateResourceShare"
		if resources == 1 {
			action = "ram:DeleteResourceShare"
		}
		keys := ram.ShareKeys(s, entity)
		if action == "ram:DeleteResourceShare" {
			keys = ram.ShareKeys(s)
		}
		err = c.Forward(authz.Question{Action: action, Resources: []string{s.ARN()}, Keys: keys})
		if err != nil {
			return nil, err
		}
		all = append(all, departure{share: s, entity: entity, last: resources == 1})
	}
	return all, nil
}

// leave carries departures out.
func leave(c *engine.Call, all []departure) error {
	for _, d := range all {
		var err error
		if d.last {
			err = ram.DeleteShare(c, d.share)
		} else {
			err = ram.RemoveResource(c, d.share, d.entity)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// entityOf is what stands for the grant in the share: its resource or a pattern.
func entityOf(c *engine.Call, s state.Share, g state.Grant) (string, bool) {
	entity := resourceARN(g.On)
	if state.ShareResources.Has(c.Tx, s.Owner, s.Region, s.ID, entity) {
		return entity, true
	}
	pattern, ok := ram.Pattern(entity)
	return pattern, ok && state.ShareResources.Has(c.Tx, s.Owner, s.Region, s.ID, pattern)
}

// stillCarried tells whether a grant other than g to the same principal needs the
// entity of the share.
func stillCarried(c *engine.Call, s state.Share, g state.Grant, entity string) (bool, error) {
	account := state.PrincipalAccount(g.Principal, g.On.Account)
	principals := []string{g.Principal}
	if sharedWith(c, g.Principal) == account {
		principals = []string{account, everyone(account)}
		if c.Mesh.Readings.DirectGrantsShareTheAccount {
			principals = state.GranteesIn(c.Tx, account)
		}
	}
	for _, principal := range principals {
		for _, key := range neighbours(g.On, entity) {
			others, err := state.GrantsTo(c.Tx, account, principal, key...)
			if err != nil {
				return false, err
			}
			for _, o := range others {
				if !slices.Contains(o.Shares, s.ARN()) || slices.Equal(o.Key(), g.Key()) {
					continue
				}
				arn := resourceARN(o.On)
				if pattern, _ := ram.Pattern(arn); arn == entity || pattern == entity {
					return true, nil
				}
			}
		}
	}
	return false, nil
}

// neighbours are the beginnings of the keys of grants that may need the same
// entity of a share. Only a pattern makes it necessary to look at all of them.
func neighbours(on state.Securable, entity string) [][]string {
	key := func(kind state.Kind, more ...string) []string {
		return append([]string{on.Account, on.Region, string(kind)}, more...)
	}
	switch {
	case entity == databaseARN(on.Resource):
		return [][]string{key(state.KindDatabase, on.Database)}
	case entity == tableARN(on.Resource):
		return [][]string{
			key(state.KindTable, on.Database, on.Table), key(state.KindColumns, on.Database, on.Table), key(state.KindFilter, on.Database, on.Table),
		}
	}
	return [][]string{key(state.KindDatabase), key(state.KindTable), key(state.KindColumns), key(state.KindFilter), key(state.KindPolicy)}
}

// byCatalogPolicy tells whether the owner's catalog lets the recipient of a grant
// on LF-tags that no share carries see r, as versions 1 and 2 need it. The policy
// that AWS asks for is limited to what LF-tags let through
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-prereqs.html).
func byCatalogPolicy(c *engine.Call, g state.Grant, r state.Resource) (bool, error) {
	policy, has, err := state.GetCatalogPolicy(c.Tx, g.On.Account, g.On.Region)
	if err != nil || !has || g.On.Kind != state.KindPolicy {
		return false, err
	}
	if r.Database == "" {
		// The grant itself is asked about: it has to reach everything that it may match.
		r.Database = "*"
		if isTable(g.On) {
			r.Table = "*"
		}
	}
	action, resources := "glue:GetDatabase", []string{catalogARN(r), databaseARN(r)}
	if r.Table != "" {
		action, resources = "glue:GetTable", append(resources, tableARN(r))
	}
	account := state.PrincipalAccount(g.Principal, g.On.Account)
	root := "arn:aws:iam::" + account + ":root"
	d, err := c.Mesh.Policies().Decide(c.Tx, authz.Caller{Account: account, ARN: root, Principal: root, Root: true}, authz.Question{
		Action: action, Resources: resources, Keys: map[string][]string{"glue:EvaluatedByLakeFormationTags": {"true"}},
		ResourcePolicy: policy.Policy, ResourcePolicyName: "Data Catalog resource policy", ResourceAccount: g.On.Account,
	}, c.Now, c.Region)
	return d.Allowed, err
}
