package consumer

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
)

// grants reads what is granted on each of the resources. They are asked for one by
// one: a listing by type is of one catalog, and that the listing of a recipient's
// own catalog holds what was shared with it is not documented
// (https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListPermissions.html).
// On what the account may not see any more, nothing is granted.
func (c *Consumer) grants(ctx context.Context, op string, resources []permissions.Resource) (*permissions.Grants, error) {
	found := make([][]permissions.Entry, len(resources))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.concurrency())
	for i, r := range resources {
		group.Go(func() error {
			g, err := c.lake.Observe(ctx, r)
			if awserr.Denied(err) && awserr.Says(err, "Lake Formation permission") {
				return nil
			}
			if err != nil {
				return identity.Explain(op, r.Account, "permissions on "+r.String(), err)
			}
			found[i] = g.Entries()
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return permissions.NewGrants(slices.Concat(found...)...), nil
}
