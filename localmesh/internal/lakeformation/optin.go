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

// optedIn tells whether the caller was opted in to Lake Formation's permissions
// on r, on all tables of r's database, on the database or on the catalog
// (https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-access-mode.html).
func optedIn(c *engine.Call, r state.Resource) bool {
	catalog := state.Resource{Account: r.Account, Region: r.Region}
	on := []state.Securable{{Kind: state.KindCatalog, Resource: catalog}}
	if r.Database != "" {
		database := r
		database.Table = ""
		on = append(on, state.Securable{Kind: state.KindDatabase, Resource: database})
	}
	if r.Table != "" {
		every := r
		every.Table = state.AllTables
		on = append(on, state.Securable{Kind: state.KindTable, Resource: r}, state.Securable{Kind: state.KindTable, Resource: every})
	}
	for _, s := range on {
		for _, principal := range []string{c.Caller.Principal, everyone(c.Account())} {
			if state.OptIns.Has(c.Tx, append(s.Key(), principal, "")...) {
				return true
			}
		}
	}
	return false
}

// readOptIn reads what an opt-in is on, and for whom. Only a data lake
// administrator opts principals in and out.
func readOptIn(c *engine.Call, principal *types.DataLakePrincipal, resource *types.Resource) (state.Securable, string, error) {
	if ok, err := isAdmin(c); err != nil {
		return state.Securable{}, "", err
	} else if !ok {
		return state.Securable{}, "", c.Denied("Insufficient Lake Formation permission(s): Required data lake administrator")
	}
	t, err := readResource(c, nil, resource)
	if err != nil {
		return state.Securable{}, "", err
	}
	switch t.on.Kind {
	case state.KindCatalog, state.KindDatabase, state.KindTable:
	default:
		return state.Securable{}, "", invalid("Principals can be opted in to catalogs, databases and tables only.")
	}
	id, err := checkPrincipal(c, principal)
	if err != nil {
		return state.Securable{}, "", err
	}
	if id == state.IAMAllowedPrincipals || isAccount(id) {
		return state.Securable{}, "", invalidPrincipal(id)
	}
	return t.on, id, exists(c, t)
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_CreateLakeFormationOptIn.html
func createLakeFormationOptIn(c *engine.Call, in *lakeformation.CreateLakeFormationOptInInput) (*lakeformation.CreateLakeFormationOptInOutput, error) {
	if err := c.Allow("lakeformation:CreateLakeFormationOptIn"); err != nil {
		return nil, err
	}
	on, principal, err := readOptIn(c, in.Principal, in.Resource)
	if err != nil {
		return nil, err
	}
	o := state.OptIn{On: on, Principal: principal, Modified: c.Now, By: c.Caller.Principal}
	return &lakeformation.CreateLakeFormationOptInOutput{}, state.OptIns.Put(c.Tx, o, append(on.Key(), principal, "")...)
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_DeleteLakeFormationOptIn.html
func deleteLakeFormationOptIn(c *engine.Call, in *lakeformation.DeleteLakeFormationOptInInput) (*lakeformation.DeleteLakeFormationOptInOutput, error) {
	if err := c.Allow("lakeformation:DeleteLakeFormationOptIn"); err != nil {
		return nil, err
	}
	on, principal, err := readOptIn(c, in.Principal, in.Resource)
	if err != nil {
		return nil, err
	}
	key := append(on.Key(), principal, "")
	if !state.OptIns.Has(c.Tx, key...) {
		return nil, notFound("The principal %s is not opted in to the resource.", principal)
	}
	return &lakeformation.DeleteLakeFormationOptInOutput{}, state.OptIns.Delete(c.Tx, key...)
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListLakeFormationOptIns.html
func listLakeFormationOptIns(c *engine.Call, in *lakeformation.ListLakeFormationOptInsInput) (*lakeformation.ListLakeFormationOptInsOutput, error) {
	if err := c.Allow("lakeformation:ListLakeFormationOptIns"); err != nil {
		return nil, err
	}
	prefix := []string{c.Account(), c.Region}
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
	position, err := rankOf(c)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(o state.OptIn) bool {
		return position == nobody && o.Principal != c.Caller.Principal ||
			in.Principal != nil && o.Principal != aws.ToString(in.Principal.DataLakePrincipalIdentifier)
	})
	all, next, err := page(all, func(o state.OptIn) string { return store.Key(append(o.On.Key(), o.Principal)...) }, in.MaxResults, in.NextToken)
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
