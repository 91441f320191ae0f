package consumer

import (
	"context"
	"errors"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// inDatabases are the parts of a subscription: the subscription itself, or of one to a group
// what of it is in each of the databases that its owner granted.
func inDatabases(r *tracker.Record) []*tracker.Record {
	if r.Group.IsZero() {
		return []*tracker.Record{r}
	}
	var all []*tracker.Record
	for _, name := range chain.DatabasesOf(r, nil) {
		part := *r
		part.Database = name
		all = append(all, &part)
	}
	return all
}

// parts are what is imported of a group: what is in each of its databases.
func (c *Consumer) groupParts(in FinalizeInput, r *tracker.Record) ([]*finalizing, error) {
	if err := importable(r); err != nil {
		return nil, err
	}
	parts := inDatabases(r)
	if len(parts) == 0 {
		return nil, &lakemesh.Error{Op: opFinalize, Account: c.meshAccount, Resource: "subscription " + r.ID, Kind: lakemesh.ErrNotFound,
			Message: "no table of " + r.Group.String() + " is published at this time", Hint: "import it when its owner, account " + r.Owner + ", has published one"}
	}
	if len(parts) > 1 && strings.TrimSpace(in.LinkDatabaseName) != "" {
		return nil, lakemesh.Invalid("LinkDatabaseName", "%s is in %d databases, and each gets a link of its own: leave the name out", r.Group, len(parts))
	}
	all := make([]*finalizing, len(parts))
	for i, part := range parts {
		all[i] = &finalizing{record: part, further: i > 0, open: i < len(parts)-1}
	}
	return all, nil
}

// planFinalizeGroup tells what importing a subscription to a group would do.
func (c *Consumer) planFinalizeGroup(ctx context.Context, in FinalizeInput, r *tracker.Record) (*plan.Plan, error) {
	parts, err := c.groupParts(in, r)
	if err != nil {
		return nil, err
	}
	todo := &plan.Plan{Operation: opFinalize}
	for _, part := range parts {
		p, f, err := c.planFinalize(ctx, in, part)
		if err != nil {
			return nil, err
		}
		if !f.further {
			f.warnBefore(p)
		}
		todo.Append(p)
	}
	return todo, nil
}

// finalizeGroup imports a subscription to a group, database by database: what was done of one
// stands when the next one fails.
func (c *Consumer) finalizeGroup(ctx context.Context, in FinalizeInput, r *tracker.Record) (*FinalizeOutput, error) {
	parts, err := c.groupParts(in, r)
	if err != nil {
		return nil, err
	}
	var all *FinalizeOutput
	var withheld error
	for _, part := range parts {
		out, err := c.finalize(ctx, in, part)
		if out == nil {
			return nil, errors.Join(withheld, err)
		}
		withheld = errors.Join(withheld, err)
		if all == nil {
			all = out
			all.Group, all.DatabaseName, all.Links = r.Group, "", map[string]string{}
		} else {
			all.AcceptedShares = append(all.AcceptedShares, out.AcceptedShares...)
		}
		all.Links[part.record.Database] = out.LinkDatabase
	}
	return all, withheld
}
