package consumer

import (
	"context"
	"maps"
	"slices"

	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

const opRepair = "Repair"

// RepairOutput tells what was done.
type RepairOutput = chain.Repaired

// Repair does of what a verification found what the consumer may do: subscriptions are
// imported again, so that the principals that had access have it, those that were left are
// left again, and links that lead nowhere are removed. What nobody decided is left alone.
// What fails keeps nothing else from being mended.
func (c *Consumer) Repair(ctx context.Context, v *Verification) (*RepairOutput, error) {
	all, err := c.mendings(ctx, v)
	if err != nil {
		return nil, identity.Explain(opRepair, c.account, "the subscriptions of account "+c.account, err)
	}
	return chain.Mend(ctx, opRepair, all)
}

// PlanRepair tells what [Consumer.Repair] would do.
func (c *Consumer) PlanRepair(ctx context.Context, v *Verification) (*plan.Plan, error) {
	all, err := c.mendings(ctx, v)
	if err != nil {
		return nil, identity.Explain(opRepair, c.account, "the subscriptions of account "+c.account, err)
	}
	return chain.PlanMend(ctx, opRepair, all)
}

// mendings are what mends findings: first what ends, then what is imported.
func (c *Consumer) mendings(ctx context.Context, v *Verification) ([]chain.Mending, error) {
	left, dead, imported := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, f := range v.Findings {
		if f.Repairs != chain.Consumer || f.Kind == chain.Undecided {
			continue
		}
		switch f.Mends.By {
		case chain.ByLeaving:
			left[f.Mends.Subscription] = true
		case chain.ByTidying:
			dead[f.Database] = true
		case chain.ByImporting:
			imported[f.Mends.Subscription] = true
		}
	}
	var all []chain.Mending
	for _, id := range slices.Sorted(maps.Keys(left)) {
		in := LeaveInput{SubscriptionID: id}
		all = append(all, chain.Mending{Name: "leave subscription " + id + " again",
			Do:   func(ctx context.Context) error { return c.DeleteSubscription(ctx, in) },
			Plan: func(ctx context.Context) (*plan.Plan, error) { return c.PlanDeleteSubscription(ctx, in) }})
	}
	for _, database := range slices.Sorted(maps.Keys(dead)) {
		in := RemoveDeadLinksInput{DatabaseName: database}
		all = append(all, chain.Mending{Name: "remove links to database " + database + " of the mesh",
			Do:   func(ctx context.Context) error { return c.RemoveDeadLinks(ctx, in) },
			Plan: func(ctx context.Context) (*plan.Plan, error) { return c.PlanRemoveDeadLinks(ctx, in) }})
	}
	links := &inspected{Consumer: c}
	if len(imported) > 0 {
		var err error
		if links.own, err = c.own.databases(ctx); err != nil {
			return nil, err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(imported)) {
		in, err := c.importedBefore(ctx, id, links)
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			all = append(all, chain.Impossible("import subscription "+id+" again", err))
			continue
		}
		all = append(all, chain.Mending{Name: "import subscription " + id + " again",
			Do:   func(ctx context.Context) error { _, err := c.FinalizeSubscription(ctx, in); return err },
			Plan: func(ctx context.Context) (*plan.Plan, error) { return c.PlanFinalizeSubscription(ctx, in) }})
	}
	return all, nil
}

// importedBefore is how a subscription was imported, as far as its history and the links
// that are there tell.
func (c *Consumer) importedBefore(ctx context.Context, id string, links *inspected) (FinalizeInput, error) {
	in := FinalizeInput{SubscriptionID: id}
	r, err := c.subscription(ctx, opRepair, id)
	if err != nil {
		return in, err
	}
	events, _, err := c.tracker.History(ctx, r)
	if err != nil {
		return in, err
	}
	if principals, imported := tracker.HandedOn(events); imported {
		in.Principals = slices.DeleteFunc(append([]string{}, principals...), func(p string) bool { return c.checkPrincipal(p) != nil })
	}
	if c.linksAtHome(&r.Subscription) && r.Group.IsZero() {
		in.LinkDatabaseName = links.linkTo(r)
	}
	return in, nil
}
