package lakeformation

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_CreateLakeFormationOptIn.html
func createLakeFormationOptIn(c *engine.Call, in *lakeformation.CreateLakeFormationOptInInput) (*lakeformation.CreateLakeFormationOptInOutput, error) {
	if err := c.Allow("lakeformation:CreateLakeFormationOptIn"); err != nil {
		return nil, err
	}
	o, err := readOptIn(c, in.Principal, in.Resource, in.Condition)
	if err != nil {
		return nil, err
	}
	return &lakeformation.CreateLakeFormationOptInOutput{}, state.OptIns.Put(c.Tx, o, o.Key()...)
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_DeleteLakeFormationOptIn.html
func deleteLakeFormationOptIn(c *engine.Call, in *lakeformation.DeleteLakeFormationOptInInput) (*lakeformation.DeleteLakeFormationOptInOutput, error) {
	if err := c.Allow("lakeformation:DeleteLakeFormationOptIn"); err != nil {
		return nil, err
	}
	o, err := readOptIn(c, in.Principal, in.Resource, in.Condition)
	if err != nil {
		return nil, err
	}
	if !state.OptIns.Has(c.Tx, o.Key()...) {
		return nil, notFound("The principal %s is not opted in to the resource.", o.Principal)
	}
	return &lakeformation.DeleteLakeFormationOptInOutput{}, state.OptIns.Delete(c.Tx, o.Key()...)
}

// readOptIn reads what an opt-in is on, and for whom. Only a data lake
// administrator opts principals in and out: on what its account owns any, on what
// another account shared with it those of its own account
// (https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-access-mode-cross-account.html).
func readOptIn(c *engine.Call, principal *types.DataLakePrincipal, resource *types.Resource, condition *types.Condition) (state.OptIn, error) {
	o := state.OptIn{Account: c.Account(), Modified: c.Now, By: c.Caller.Principal}
	if ok, err := isAdmin(c); err != nil {
		return o, err
	} else if !ok {
		return o, c.Denied("Insufficient Lake Formation permission(s): Required data lake administrator")
	}
	if condition != nil && condition.Expression != nil {
		return o, invalid("Conditions on opt-ins are not supported.")
	}
	t, err := readResource(c, nil, resource)
	if err != nil {
		return o, err
	}
	switch t.on.Kind {
	case state.KindCatalog, state.KindDatabase, state.KindTable:
		if t.columnsOnly {
			return o, notOptable()
		}
	default:
		return o, notOptable()
	}
	o.On = t.on
	if o.Principal, err = checkPrincipal(c, principal); err != nil {
		return o, err
	}
	account := state.PrincipalAccount(o.Principal, t.on.Account)
	switch {
	case o.Principal == state.IAMAllowedPrincipals, isAccount(o.Principal) && account == c.Account():
		return o, invalidPrincipal(o.Principal)
	case t.on.Account != c.Account():
		if account != c.Account() {
			return o, invalidPrincipal(o.Principal)
		}
		if ok, err := sharedWithAccount(c, t.on); err != nil {
			return o, err
		} else if !ok {
			return o, c.Denied("Resource does not exist or requester is not authorized to access requested permissions.")
		}
	}
	return o, exists(c, t)
}

func notOptable() error {
	return invalid("Principals can be opted in to catalogs, databases and tables only.")
}

// sharedWithAccount reports whether the owner of a resource has granted the caller's
// account anything that reaches it.
func sharedWithAccount(c *engine.Call, on state.Securable) (bool, error) {
	resources := []state.Resource{on.Resource}
	if on.Table == state.AllTables {
		database := on.Resource
		database.Table = ""
		resources = append(resources, database)
	}
	account, err := asRecipient(c, c.Account())
	if err != nil {
		return false, err
	}
	for _, r := range resources {
		for _, principal := range append(slices.Clone(account), everyone(c.Account())) {
			h, err := principalHolds(c, r, principal)
			if err != nil || len(h.perms) > 0 {
				return err == nil, err
			}
		}
	}
	return false, nil
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListLakeFormationOptIns.html
//
// An account sees the opt-ins that it made. Principals of other accounts are accepted
// by CreateLakeFormationOptIn and refused as a filter here
// (https://github.com/hashicorp/terraform-provider-aws/issues/49106).
func listLakeFormationOptIns(c *engine.Call, in *lakeformation.ListLakeFormationOptInsInput) (*lakeformation.ListLakeFormationOptInsOutput, error) {
	if err := c.Allow("lakeformation:ListLakeFormationOptIns"); err != nil {
		return nil, err
	}
	position, err := rankOf(c)
	if err != nil {
		return nil, err
	}
	if position == nobody {
		return nil, c.Denied("Insufficient Lake Formation permission(s): Required data lake administrator")
	}
	principal := ""
	if in.Principal != nil {
		principal = aws.ToString(in.Principal.DataLakePrincipalIdentifier)
		if principal == "" || !isRecipient(principal) && state.PrincipalAccount(principal, c.Account()) != c.Account() {
			return nil, invalidPrincipal(principal)
		}
	}
	var prefix []string
	if in.Resource != nil {
		t, err := readResource(c, nil, in.Resource)
		if err != nil {
			return nil, err
		}
		prefix = t.on.Key()
	}
	all, err := state.OptIns.All(c.Tx, prefix...)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(o state.OptIn) bool {
		return o.Account != c.Account() || o.On.Region != c.Region || principal != "" && o.Principal != principal
	})
	all, next, err := page(all, func(o state.OptIn) string { return store.Key(o.Key()...) }, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &lakeformation.ListLakeFormationOptInsOutput{NextToken: next, LakeFormationOptInsInfoList: []types.LakeFormationOptInsInfo{}}
	for _, o := range all {
		out.LakeFormationOptInsInfoList = append(out.LakeFormationOptInsInfoList, types.LakeFormationOptInsInfo{
			Resource: resourceAnswer(o.On), Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(o.Principal)},
			LastModified: aws.Time(o.Modified), LastUpdatedBy: aws.String(o.By),
		})
	}
	return out, nil
}
