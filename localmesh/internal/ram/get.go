package ram

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// deletedShown is how long a deleted share is still listed.
const deletedShown = time.Hour

// https://docs.aws.amazon.com/ram/latest/APIReference/API_GetResourceShares.html
func getResourceShares(c *engine.Call, in *ram.GetResourceSharesInput) (*ram.GetResourceSharesOutput, error) {
	if err := c.Allow("ram:GetResourceShares"); err != nil {
		return nil, err
	}
	shares, err := visible(c, in.ResourceOwner)
	if err != nil {
		return nil, err
	}
	if err := knownShares(c, in.ResourceShareArns); err != nil {
		return nil, err
	}
	if in.PermissionArn == nil && in.PermissionVersion != nil {
		return nil, engine.Errorf("InvalidParameterException", "A permission version can only be given with a permission.")
	}
	if in.PermissionArn != nil {
		if err := knownPermission(*in.PermissionArn, in.PermissionVersion); err != nil {
			return nil, err
		}
	}
	shares, next, err := page(c, shares, func(s state.Share) string { return s.ID }, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &ram.GetResourceSharesOutput{NextToken: next, ResourceShares: []types.ResourceShare{}}
	for _, s := range shares {
		if len(in.ResourceShareArns) > 0 && !slices.Contains(in.ResourceShareArns, s.ARN()) ||
			in.Name != nil && *in.Name != s.Name ||
			in.ResourceShareStatus != "" && string(in.ResourceShareStatus) != s.Status ||
			in.PermissionArn != nil && !slices.Contains(s.Permissions, *in.PermissionArn) ||
			!tagged(s, in.TagFilters) {
			continue
		}
		out.ResourceShares = append(out.ResourceShares, shareAnswer(s))
	}
	return out, nil
}

// visible are the caller's own shares, or those of others that reached it, in
// the order of their ids.
func visible(c *engine.Call, owner types.ResourceOwner) ([]state.Share, error) {
	var shares []state.Share
	var err error
	switch owner {
	case types.ResourceOwnerSelf:
		shares, err = state.Shares.All(c.Tx, c.Account(), c.Region)
	case types.ResourceOwnerOtherAccounts:
		shares, err = accepted(c)
	default:
		return nil, engine.Errorf("InvalidParameterException", "The value %q of resourceOwner must be SELF or OTHER-ACCOUNTS.", owner)
	}
	return slices.DeleteFunc(shares, func(s state.Share) bool {
		return s.Status == state.ShareDeleted && c.Now.Sub(s.Updated) > deletedShown
	}), err
}

// accepted are the shares of other accounts that a principal of the caller's
// account is associated with.
func accepted(c *engine.Call) ([]state.Share, error) {
	all, err := state.SharesInto(c.Tx, c.Account(), c.Region)
	if err != nil {
		return nil, err
	}
	var shares []state.Share
	for _, s := range all {
		ours, err := associatedPrincipals(c, s)
		if err != nil {
			return nil, err
		}
		if s.Owner != c.Account() && len(ours) > 0 {
			shares = append(shares, s)
		}
	}
	return shares, nil
}

// associatedPrincipals are the principals of the caller's account that a share
// has reached.
func associatedPrincipals(c *engine.Call, s state.Share) ([]state.Association, error) {
	groups, err := state.OrganizationGroups(c.Tx, c.Account())
	if err != nil {
		return nil, err
	}
	principals, err := state.SharePrincipals.All(c.Tx, s.Owner, s.Region, s.ID)
	return slices.DeleteFunc(principals, func(p state.Association) bool {
		return state.PrincipalAccount(p.Entity, s.Owner) != c.Account() && !slices.Contains(groups, p.Entity) || arrived(c, principalOf(s, p.Entity), p).Status != state.Associated
	}), err
}

func checkShareARNs(arns []string) error {
	for _, arn := range arns {
		if _, _, _, ok := state.SplitShareARN(arn); !ok {
			return engine.Errorf("MalformedArnException", "The specified Amazon Resource Name (ARN) has a format that isn't valid: %s", arn)
		}
	}
	return nil
}

// knownShares refuses ARNs of shares that there are none of, on either side.
func knownShares(c *engine.Call, arns []string) error {
	if err := checkShareARNs(arns); err != nil {
		return err
	}
	for _, arn := range arns {
		if _, found, err := state.GetShare(c.Tx, arn); err != nil {
			return err
		} else if !found {
			return engine.Errorf("UnknownResourceException", "ResourceShare %s could not be found.", arn)
		}
	}
	return nil
}

func tagged(s state.Share, filters []types.TagFilter) bool {
	for _, f := range filters {
		v, ok := s.Tags[aws.ToString(f.TagKey)]
		if !ok || len(f.TagValues) > 0 && !slices.Contains(f.TagValues, v) {
			return false
		}
	}
	return true
}

func tagsOf(tags []types.Tag) map[string]string {
	if len(tags) == 0 {
		return nil
	}
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return m
}

// https://docs.aws.amazon.com/ram/latest/APIReference/API_GetResourceShareAssociations.html
func getResourceShareAssociations(c *engine.Call, in *ram.GetResourceShareAssociationsInput) (*ram.GetResourceShareAssociationsOutput, error) {
	if err := c.Allow("ram:GetResourceShareAssociations"); err != nil {
		return nil, err
	}
	if err := checkShareARNs(in.ResourceShareArns); err != nil {
		return nil, err
	}
	var of interface {
		All(tx store.Tx, prefix ...string) ([]state.Association, error)
	}
	name := principalOf
	switch in.AssociationType {
	case types.ResourceShareAssociationTypePrincipal:
		if in.ResourceArn != nil {
			return nil, engine.Errorf("InvalidParameterException", "A resource cannot be given with the association type PRINCIPAL.")
		}
		of = state.SharePrincipals
	case types.ResourceShareAssociationTypeResource:
		if in.Principal != nil {
			return nil, engine.Errorf("InvalidParameterException", "A principal cannot be given with the association type RESOURCE.")
		}
		of, name = state.ShareResources, resourceIn
	default:
		return nil, engine.Errorf("InvalidParameterException", "The value %q of associationType must be PRINCIPAL or RESOURCE.", in.AssociationType)
	}
	shares, err := state.Shares.All(c.Tx, c.Account(), c.Region)
	if err != nil {
		return nil, err
	}
	if shares, err = named(shares, in.ResourceShareArns); err != nil {
		return nil, err
	}
	var all []types.ResourceShareAssociation
	for _, s := range shares {
		associations, err := of.All(c.Tx, s.Owner, s.Region, s.ID)
		if err != nil {
			return nil, err
		}
		for _, a := range associations {
			all = append(all, associationAnswer(s, arrived(c, name(s, a.Entity), a), in.AssociationType))
		}
	}
	all, next, err := page(c, all, func(a types.ResourceShareAssociation) string {
		return (*a.ResourceShareArn)[strings.LastIndexByte(*a.ResourceShareArn, '/'):] + "\x00" + *a.AssociatedEntity
	}, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &ram.GetResourceShareAssociationsOutput{NextToken: next, ResourceShareAssociations: []types.ResourceShareAssociation{}}
	for _, a := range all {
		if in.AssociationStatus != "" && a.Status != in.AssociationStatus ||
			in.Principal != nil && *a.AssociatedEntity != *in.Principal || in.ResourceArn != nil && *a.AssociatedEntity != *in.ResourceArn {
			continue
		}
		out.ResourceShareAssociations = append(out.ResourceShareAssociations, a)
	}
	return out, nil
}

// named picks the shares with the ARNs; all if there are none.
func named(shares []state.Share, arns []string) ([]state.Share, error) {
	if len(arns) == 0 {
		return shares, nil
	}
	var picked []state.Share
	for _, arn := range arns {
		i := slices.IndexFunc(shares, func(s state.Share) bool { return s.ARN() == arn })
		if i < 0 {
			return nil, engine.Errorf("UnknownResourceException", "ResourceShare %s could not be found.", arn)
		}
		picked = append(picked, shares[i])
	}
	slices.SortFunc(picked, func(a, b state.Share) int { return strings.Compare(a.ID, b.ID) })
	return picked, nil
}
