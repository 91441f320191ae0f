package consumer

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
)

// manyTables is from how many tables on they are read in pages.
const manyTables = 8

// grants reads what is granted on each of the resources. A few are asked for one by one: a
// listing by type is of one catalog, and that the listing of a recipient shows all that was
// shared with it is not documented
// (https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListPermissions.html).
// Of many tables a listing is read in pages, and where that does not show the account
// itself it is asked one by one. On what the account may not see any more, nothing is granted.
func (c *Consumer) grants(ctx context.Context, op string, resources []permissions.Resource) (*permissions.Grants, error) {
	held := permissions.NewGrants()
	tables := map[string]bool{}
	for _, r := range resources {
		if r.Kind == permissions.KindTable && r.Account == c.meshAccount {
			tables[r.Table+"."+r.Database] = true
		}
	}
	if len(tables) >= manyTables {
		all, err := c.lake.Listed(ctx, c.meshAccount, resources)
		switch {
		case err == nil:
			held = all
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		default:
			c.log.InfoContext(ctx, "what is granted on tables cannot be listed, and is asked for one by one", "reason", err)
		}
	}
	rest := slices.DeleteFunc(slices.Clone(resources), func(r permissions.Resource) bool { return len(received(held, c.account, r).Permissions) > 0 })
	found := make([][]permissions.Entry, len(rest))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.concurrency())
	for i, r := range rest {
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
	return permissions.NewGrants(slices.Concat(append(found, held.Entries())...)...), nil
}
