package organizations

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListRoots.html
func listRoots(c *engine.Call, in *organizations.ListRootsInput) (*organizations.ListRootsOutput, error) {
	o, err := manage(c, "ListRoots")
	if err != nil {
		return nil, err
	}
	roots, next, err := page([]types.Root{{
		Id: aws.String(o.Root), Arn: aws.String("arn:aws:organizations::" + o.Management + ":root/" + o.ID + "/" + o.Root), Name: aws.String("Root"),
	}}, func(r types.Root) string { return *r.Id }, in.MaxResults, in.NextToken)
	return &organizations.ListRootsOutput{Roots: roots, NextToken: next}, err
}

// parent refuses what is neither the root nor a unit.
func parent(c *engine.Call, o state.Organization, id *string) (string, error) {
	p := aws.ToString(id)
	if p == o.Root || state.Units.Has(c.Tx, o.ID, p) {
		return p, nil
	}
	return "", engine.Errorf("ParentNotFoundException", "You provided a parent that does not exist: %s", p)
}

// children are the units below a parent.
func children(c *engine.Call, o state.Organization, parent string) ([]state.Unit, error) {
	units, err := state.Units.All(c.Tx, o.ID)
	return slices.DeleteFunc(units, func(u state.Unit) bool { return u.Parent != parent }), err
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateOrganizationalUnit.html
func createOrganizationalUnit(c *engine.Call, in *organizations.CreateOrganizationalUnitInput) (*organizations.CreateOrganizationalUnitOutput, error) {
	o, err := manage(c, "CreateOrganizationalUnit")
	if err != nil {
		return nil, err
	}
	if len(in.Tags) > 0 {
		return nil, engine.Errorf("NotImplementedException", "the local mesh has no tags on organizational units").WithStatus(501)
	}
	u := state.Unit{Organization: o.ID, Name: aws.ToString(in.Name)}
	if u.Name == "" || len(u.Name) > 128 {
		return nil, invalid("The name of an organizational unit must have 1 to 128 characters.")
	}
	if u.Parent, err = parent(c, o, in.ParentId); err != nil {
		return nil, err
	}
	others, err := children(c, o, u.Parent)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(others, func(other state.Unit) bool { return other.Name == u.Name }) {
		return nil, engine.Errorf("DuplicateOrganizationalUnitException", "An OU with the same name already exists: %s", u.Name)
	}
	u.ID = id(c, "ou-"+strings.TrimPrefix(o.Root, "r-")+"-", 8)
	return &organizations.CreateOrganizationalUnitOutput{OrganizationalUnit: unitAnswer(o, u)}, state.Units.Put(c.Tx, u, o.ID, u.ID)
}

func unitAnswer(o state.Organization, u state.Unit) *types.OrganizationalUnit {
	return &types.OrganizationalUnit{Id: aws.String(u.ID), Arn: aws.String(o.UnitARN(u.ID)), Name: aws.String(u.Name)}
}

// unit finds a unit.
func unit(c *engine.Call, o state.Organization, id *string) (state.Unit, error) {
	u, found, err := state.Units.Get(c.Tx, o.ID, aws.ToString(id))
	if err == nil && !found {
		err = engine.Errorf("OrganizationalUnitNotFoundException", "You specified an organizational unit that does not exist: %s", aws.ToString(id))
	}
	return u, err
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganizationalUnit.html
func describeOrganizationalUnit(c *engine.Call, in *organizations.DescribeOrganizationalUnitInput) (*organizations.DescribeOrganizationalUnitOutput, error) {
	o, err := manage(c, "DescribeOrganizationalUnit")
	if err != nil {
		return nil, err
	}
	u, err := unit(c, o, in.OrganizationalUnitId)
	return &organizations.DescribeOrganizationalUnitOutput{OrganizationalUnit: unitAnswer(o, u)}, err
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_DeleteOrganizationalUnit.html
func deleteOrganizationalUnit(c *engine.Call, in *organizations.DeleteOrganizationalUnitInput) (*organizations.DeleteOrganizationalUnitOutput, error) {
	o, err := manage(c, "DeleteOrganizationalUnit")
	if err != nil {
		return nil, err
	}
	u, err := unit(c, o, in.OrganizationalUnitId)
	if err != nil {
		return nil, err
	}
	units, err := children(c, o, u.ID)
	if err != nil {
		return nil, err
	}
	accounts, err := membersBelow(c, o, u.ID)
	if err != nil {
		return nil, err
	}
	if len(units)+len(accounts) > 0 {
		return nil, engine.Errorf("OrganizationalUnitNotEmptyException", "The specified OU is not empty. Move all accounts to another root or to other OUs, remove all child OUs, and try the operation again.")
	}
	return &organizations.DeleteOrganizationalUnitOutput{}, state.Units.Delete(c.Tx, o.ID, u.ID)
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListOrganizationalUnitsForParent.html
func listOrganizationalUnitsForParent(c *engine.Call, in *organizations.ListOrganizationalUnitsForParentInput) (*organizations.ListOrganizationalUnitsForParentOutput, error) {
	o, err := manage(c, "ListOrganizationalUnitsForParent")
	if err != nil {
		return nil, err
	}
	at, err := parent(c, o, in.ParentId)
	if err != nil {
		return nil, err
	}
	units, err := children(c, o, at)
	if err != nil {
		return nil, err
	}
	units, next, err := page(units, func(u state.Unit) string { return u.ID }, in.MaxResults, in.NextToken)
	out := &organizations.ListOrganizationalUnitsForParentOutput{NextToken: next, OrganizationalUnits: []types.OrganizationalUnit{}}
	for _, u := range units {
		out.OrganizationalUnits = append(out.OrganizationalUnits, *unitAnswer(o, u))
	}
	return out, err
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListParents.html
func listParents(c *engine.Call, in *organizations.ListParentsInput) (*organizations.ListParentsOutput, error) {
	o, err := manage(c, "ListParents")
	if err != nil {
		return nil, err
	}
	at := ""
	if u, found, err := state.Units.Get(c.Tx, o.ID, aws.ToString(in.ChildId)); err != nil {
		return nil, err
	} else if found {
		at = u.Parent
	} else {
		m, found, err := state.Members.Get(c.Tx, aws.ToString(in.ChildId))
		if err != nil {
			return nil, err
		}
		if !found || m.Organization != o.ID {
			return nil, engine.Errorf("ChildNotFoundException", "You provided a child that does not exist: %s", aws.ToString(in.ChildId))
		}
		at = m.Parent
	}
	kind := types.ParentTypeOrganizationalUnit
	if at == o.Root {
		kind = types.ParentTypeRoot
	}
	parents, next, err := page([]types.Parent{{Id: aws.String(at), Type: kind}}, func(p types.Parent) string { return *p.Id }, in.MaxResults, in.NextToken)
	return &organizations.ListParentsOutput{Parents: parents, NextToken: next}, err
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListChildren.html
func listChildren(c *engine.Call, in *organizations.ListChildrenInput) (*organizations.ListChildrenOutput, error) {
	o, err := manage(c, "ListChildren")
	if err != nil {
		return nil, err
	}
	at, err := parent(c, o, in.ParentId)
	if err != nil {
		return nil, err
	}
	var ids []string
	switch in.ChildType {
	case types.ChildTypeOrganizationalUnit:
		units, err := children(c, o, at)
		if err != nil {
			return nil, err
		}
		for _, u := range units {
			ids = append(ids, u.ID)
		}
	case types.ChildTypeAccount:
		accounts, err := membersBelow(c, o, at)
		if err != nil {
			return nil, err
		}
		for _, m := range accounts {
			ids = append(ids, m.Account)
		}
	default:
		return nil, invalid("ChildType must be ACCOUNT or ORGANIZATIONAL_UNIT.")
	}
	ids, next, err := page(ids, func(id string) string { return id }, in.MaxResults, in.NextToken)
	out := &organizations.ListChildrenOutput{NextToken: next, Children: []types.Child{}}
	for _, id := range ids {
		out.Children = append(out.Children, types.Child{Id: aws.String(id), Type: in.ChildType})
	}
	return out, err
}
