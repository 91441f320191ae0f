package ram

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func resourceAnswer(s state.Share, a state.Association) types.Resource {
	kind, _ := ResourceType(a.Entity)
	out := types.Resource{
		Arn: aws.String(a.Entity), CreationTime: aws.Time(a.Created), LastUpdatedTime: aws.Time(a.Updated),
		ResourceRegionScope: types.ResourceRegionScopeRegional, ResourceShareArn: aws.String(s.ARN()), Type: aws.String(kind),
		Status: types.ResourceStatusAvailable,
	}
	if a.Status != state.Associated {
		out.Status, out.StatusMessage = types.ResourceStatusUnavailable, aws.String(a.Message)
	}
	return out
}

// https://docs.aws.amazon.com/ram/latest/APIReference/API_ListResources.html
func listResources(c *engine.Call, in *ram.ListResourcesInput) (*ram.ListResourcesOutput, error) {
	if err := c.Allow("ram:ListResources"); err != nil {
		return nil, err
	}
	if err := checkType(in.ResourceType); err != nil {
		return nil, err
	}
	regional, err := regionalScope(in.ResourceRegionScope)
	if err != nil {
		return nil, err
	}
	shares, err := listed(c, in.ResourceOwner, in.ResourceShareArns)
	if err != nil {
		return nil, err
	}
	var all []types.Resource
	for _, s := range shares {
		if in.Principal != nil && *in.Principal != s.Owner && !state.SharePrincipals.Has(c.Tx, s.Owner, s.Region, s.ID, *in.Principal) {
			continue
		}
		resources, err := state.ShareResources.All(c.Tx, s.Owner, s.Region, s.ID)
		if err != nil {
			return nil, err
		}
		for _, a := range resources {
			a = arrived(c, resourceIn(s, a.Entity), a)
			// What failed to be associated did not reach the other side.
			if a.Status == state.Associated || s.Owner == c.Account() {
				all = append(all, resourceAnswer(s, a))
			}
		}
	}
	all, next, err := page(c, all, func(r types.Resource) string { return *r.ResourceShareArn + "\x00" + *r.Arn }, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &ram.ListResourcesOutput{NextToken: next, Resources: []types.Resource{}}
	for _, r := range all {
		if len(in.ResourceArns) > 0 && !slices.Contains(in.ResourceArns, *r.Arn) || in.ResourceType != nil && !strings.EqualFold(*in.ResourceType, *r.Type) || !regional {
			continue
		}
		out.Resources = append(out.Resources, r)
	}
	return out, nil
}

// https://docs.aws.amazon.com/ram/latest/APIReference/API_ListPrincipals.html
func listPrincipals(c *engine.Call, in *ram.ListPrincipalsInput) (*ram.ListPrincipalsOutput, error) {
	if err := c.Allow("ram:ListPrincipals"); err != nil {
		return nil, err
	}
	if err := checkType(in.ResourceType); err != nil {
		return nil, err
	}
	shares, err := listed(c, in.ResourceOwner, in.ResourceShareArns)
	if err != nil {
		return nil, err
	}
	var all []types.Principal
	for _, s := range shares {
		if in.ResourceType != nil {
			has, err := carries(c, s, *in.ResourceType)
			if err != nil {
				return nil, err
			}
			if !has {
				continue
			}
		}
		if in.ResourceArn != nil && !state.ShareResources.Has(c.Tx, s.Owner, s.Region, s.ID, *in.ResourceArn) {
			continue
		}
		if in.ResourceOwner == types.ResourceOwnerOtherAccounts {
			all = append(all, principalAnswer(s, state.Association{Entity: s.Owner, External: true, Created: s.Created, Updated: s.Updated}))
			continue
		}
		principals, err := state.SharePrincipals.All(c.Tx, s.Owner, s.Region, s.ID)
		if err != nil {
			return nil, err
		}
		for _, a := range principals {
			all = append(all, principalAnswer(s, a))
		}
	}
	all, next, err := page(c, all, func(p types.Principal) string { return *p.ResourceShareArn + "\x00" + *p.Id }, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &ram.ListPrincipalsOutput{NextToken: next, Principals: []types.Principal{}}
	for _, p := range all {
		if len(in.Principals) == 0 || slices.Contains(in.Principals, *p.Id) {
			out.Principals = append(out.Principals, p)
		}
	}
	return out, nil
}

func principalAnswer(s state.Share, a state.Association) types.Principal {
	return types.Principal{
		Id: aws.String(a.Entity), External: aws.Bool(a.External), ResourceShareArn: aws.String(s.ARN()),
		CreationTime: aws.Time(a.Created), LastUpdatedTime: aws.Time(a.Updated),
	}
}

// listed are the active shares of a side, or those of them with the ARNs, in the
// order of their ARNs.
func listed(c *engine.Call, owner types.ResourceOwner, arns []string) ([]state.Share, error) {
	if err := knownShares(c, arns); err != nil {
		return nil, err
	}
	shares, err := visible(c, owner)
	if err != nil {
		return nil, err
	}
	shares = slices.DeleteFunc(shares, func(s state.Share) bool {
		return s.Status != state.ShareActive || len(arns) > 0 && !slices.Contains(arns, s.ARN())
	})
	slices.SortFunc(shares, func(a, b state.Share) int { return strings.Compare(a.ARN(), b.ARN()) })
	return shares, nil
}
