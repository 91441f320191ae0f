package sharing

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/ram/types"
)

// Standing is how a principal stands to the shares that carry an object.
type Standing struct {
	// Carried tells that a share carries it to the principal, Accepted that it is in effect
	// there.
	Carried, Accepted bool
	// Share is the one that was looked at last; Why says why nothing is carried.
	Share, Why string
}

// SharesWith are the owner's shares that a principal is in, or is being taken into: an
// account, or the ARN of a role or a user.
func (o Owner) SharesWith(ctx context.Context, principal string) ([]string, error) {
	var found []string
	pages := ram.NewGetResourceShareAssociationsPaginator(o.Client, &ram.GetResourceShareAssociationsInput{
		AssociationType: types.ResourceShareAssociationTypePrincipal, Principal: aws.String(principal), MaxResults: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the resource shares that %s is in: %w", principal, err)
		}
		for _, a := range page.ResourceShareAssociations {
			if aws.ToString(a.AssociatedEntity) == principal &&
				(a.Status == types.ResourceShareAssociationStatusAssociated || a.Status == types.ResourceShareAssociationStatusAssociating) {
				found = append(found, aws.ToString(a.ResourceShareArn))
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// Reach tells how an object, by its ARN, reaches a principal by some shares: by the one
// that brings it furthest. No shares carry nothing.
func (o Owner) Reach(ctx context.Context, principal, object string, shares []string) (Standing, error) {
	best := Standing{Why: "no resource share carries it"}
	for _, share := range shares {
		carriage, err := o.Carriage(ctx, principal, []string{share}, []string{object})
		if err != nil {
			return best, err
		}
		if why, missing := carriage.Missing[object]; missing {
			if !best.Carried {
				best.Why, best.Share = why, share
			}
			continue
		}
		associations, err := o.Associations(ctx, principal, []string{share})
		if err != nil {
			return best, err
		}
		accepted := slices.ContainsFunc(associations, func(a Association) bool { return a.Status == types.ResourceShareAssociationStatusAssociated })
		if best = (Standing{Carried: true, Accepted: accepted, Share: share}); accepted {
			break
		}
	}
	return best, nil
}

// InvitationsFrom are the sender's invitations to shares that Lake Formation made, all
// pages, oldest first, whatever has become of them.
func (r Receiver) InvitationsFrom(ctx context.Context, sender string) ([]Invitation, error) {
	all, err := r.invitations(ctx, sender, nil)
	return slices.DeleteFunc(all, func(i Invitation) bool { return !strings.HasPrefix(i.Name, namePrefix) }), err
}
