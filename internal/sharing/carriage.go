package sharing

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/ram/types"
	"golang.org/x/sync/errgroup"
)

// Carriage is how shares carry objects to a receiver.
type Carriage struct {
	// Missing are the objects, by their ARNs, that no share carries to the receiver, and
	// why. Somebody can have deleted the share, or taken the object or the receiver out
	// of it; or RAM failed.
	Missing map[string]string
	// Settled tells that nothing is missing, and that nothing is under way but that the
	// receiver accepts.
	Settled bool
	// Left are the shares that the receiver is not in: they were deleted, or it was taken
	// out of them. Lake Formation can go on naming them.
	Left []string
}

// Carriage looks once at how the shares carry the objects, all pages.
func (o Owner) Carriage(ctx context.Context, receiver string, shares, objects []string) (Carriage, error) {
	type state struct {
		status  types.ResourceShareAssociationStatus
		message string
	}
	carried := map[string]map[string]state{} // by object and share
	standing := map[string]bool{}
	wanted := map[string]bool{}
	for _, object := range objects {
		wanted[object] = true
		carried[object] = map[string]state{}
	}
	group, within := errgroup.WithContext(ctx)
	group.Go(func() error {
		associations, err := o.Associations(within, receiver, shares)
		for _, a := range associations {
			if a.Status == types.ResourceShareAssociationStatusAssociated || a.Status == types.ResourceShareAssociationStatusAssociating {
				standing[a.Share] = true
			}
		}
		return err
	})
	group.Go(func() error {
		return eachKnown(shares, func(shares []string) error {
			pages := ram.NewGetResourceShareAssociationsPaginator(o.Client, &ram.GetResourceShareAssociationsInput{
				AssociationType: types.ResourceShareAssociationTypeResource, ResourceShareArns: shares, MaxResults: aws.Int32(pageSize)})
			for pages.HasMorePages() {
				page, err := pages.NextPage(within)
				if err != nil {
					return fmt.Errorf("list the resources of resource shares: %w", err)
				}
				for _, a := range page.ResourceShareAssociations {
					entity, s := aws.ToString(a.AssociatedEntity), state{a.Status, aws.ToString(a.StatusMessage)}
					if wanted[entity] {
						carried[entity][aws.ToString(a.ResourceShareArn)] = s
					}
					for _, object := range objects {
						if isPattern(entity) && carries(entity, object) {
							carried[object][aws.ToString(a.ResourceShareArn)] = s
						}
					}
				}
			}
			return nil
		})
	})
	if err := group.Wait(); err != nil {
		return Carriage{}, err
	}
	c := Carriage{Missing: map[string]string{}, Settled: true}
	for _, object := range objects {
		why, held, settled := "no resource share carries it", false, false
		for share, s := range carried[object] {
			switch {
			case s.status == types.ResourceShareAssociationStatusFailed:
				why = s.message
			case !standing[share]:
				why = named(receiver) + " was taken out of resource share " + share
			case s.status == types.ResourceShareAssociationStatusAssociated:
				held, settled = true, true
			case s.status == types.ResourceShareAssociationStatusAssociating:
				held = true
			}
		}
		if !held {
			c.Missing[object] = why
		}
		c.Settled = c.Settled && settled
	}
	c.Left = slices.DeleteFunc(unique(shares), func(share string) bool { return standing[share] })
	return c, nil
}
