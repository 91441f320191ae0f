package census

import (
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/ram/types"
)

// ram counts shares, what is in them and whom they are with, those of others, and
// invitations.
func (c *census) ram() error {
	client := ram.NewFromConfig(c.config)
	for _, owner := range []types.ResourceOwner{types.ResourceOwnerSelf, types.ResourceOwnerOtherAccounts} {
		shares := ram.NewGetResourceSharesPaginator(client, &ram.GetResourceSharesInput{ResourceOwner: owner})
		for shares.HasMorePages() {
			page, err := shares.NextPage(c.ctx)
			if err != nil {
				return err
			}
			for _, s := range page.ResourceShares {
				if err := c.note("ram", "share", s); err != nil {
					return err
				}
			}
		}
		resources := ram.NewListResourcesPaginator(client, &ram.ListResourcesInput{ResourceOwner: owner})
		for resources.HasMorePages() {
			page, err := resources.NextPage(c.ctx)
			if err != nil {
				return err
			}
			for _, r := range page.Resources {
				if err := c.note("ram", "resource", r); err != nil {
					return err
				}
			}
		}
	}
	for _, kind := range []types.ResourceShareAssociationType{types.ResourceShareAssociationTypePrincipal, types.ResourceShareAssociationTypeResource} {
		associations := ram.NewGetResourceShareAssociationsPaginator(client, &ram.GetResourceShareAssociationsInput{AssociationType: kind})
		for associations.HasMorePages() {
			page, err := associations.NextPage(c.ctx)
			if err != nil {
				return err
			}
			for _, a := range page.ResourceShareAssociations {
				if err := c.note("ram", "association", a); err != nil {
					return err
				}
			}
		}
	}
	invitations := ram.NewGetResourceShareInvitationsPaginator(client, &ram.GetResourceShareInvitationsInput{})
	for invitations.HasMorePages() {
		page, err := invitations.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, i := range page.ResourceShareInvitations {
			if err := c.note("ram", "invitation", i); err != nil {
				return err
			}
		}
	}
	return nil
}
