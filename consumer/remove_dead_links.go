package consumer

import (
	"context"
	"fmt"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

const opDeadLinks = "RemoveDeadLinks"

// RemoveDeadLinksInput narrows what is looked at. What is empty narrows nothing.
type RemoveDeadLinksInput struct {
	// DatabaseName is a product's database in the mesh.
	DatabaseName string
	// LinkRegion is a region that is looked at besides the mesh's and those that the
	// account's subscriptions name: of an owner who has left the mesh, none is listed.
	LinkRegion string
}

// PlanRemoveDeadLinks tells what [Consumer.RemoveDeadLinks] would do.
func (c *Consumer) PlanRemoveDeadLinks(ctx context.Context, in RemoveDeadLinksInput) (*plan.Plan, error) {
	var named lakemesh.Subscription
	if in.LinkRegion != "" {
		if err := c.partition.CheckRegion("LinkRegion", in.LinkRegion); err != nil {
			return nil, err
		}
		named.LinkRegions = []string{in.LinkRegion}
	}
	needed := map[string]bool{}
	all := []*lakemesh.Subscription{&named}
	if err := c.tracker.Subscribed(ctx, c.account, "", func(r *tracker.Record) bool {
		if all = append(all, &r.Subscription); r.Status == lakemesh.Pending || r.Status == lakemesh.Active {
			for _, part := range inDatabases(r) {
				needed[strings.ToLower(part.Database)] = true
			}
		}
		return true
	}); err != nil {
		return nil, err
	}
	todo := &plan.Plan{Operation: opDeadLinks}
	dead := func(target string) bool {
		return !needed[target] && (in.DatabaseName == "" || strings.EqualFold(in.DatabaseName, target))
	}
	for _, region := range append([]string{c.region}, c.otherRegions(all...)...) {
		if err := c.planDeadLinks(ctx, todo, c.linksIn(region), dead); err != nil {
			if region == c.region || region == in.LinkRegion || ctx.Err() != nil {
				return nil, err
			}
			todo.Warnings = append(todo.Warnings, leftIn(region, err))
		}
	}
	return todo, nil
}

// RemoveDeadLinks removes the account's resource links that lead nowhere any more: to
// databases of the mesh of which the account has no subscription, active or asked for,
// and that it does not see. That is what is left when an owner ends a subscription: in
// the consumer's account nobody else may remove anything, and what has ended cannot be
// left. What was handed on on such a link goes with it.
func (c *Consumer) RemoveDeadLinks(ctx context.Context, in RemoveDeadLinksInput) error {
	p, err := c.PlanRemoveDeadLinks(ctx, in)
	if err != nil {
		return err
	}
	return c.apply(ctx, p)
}

// planDeadLinks drops the links of a region that lead nowhere any more.
func (c *Consumer) planDeadLinks(ctx context.Context, todo *plan.Plan, at linkPlace, dead func(target string) bool) error {
	links, err := at.linked(ctx, c)
	if err != nil {
		return err
	}
	unseen := map[string]bool{}
	for _, target := range links {
		if _, asked := unseen[target]; asked || !dead(target) {
			continue
		}
		// What is shared in another way than by a subscription is reached by its link as well.
		_, seen, err := c.shared.database(ctx, target)
		if err != nil {
			return err
		}
		unseen[target] = !seen
	}
	all, err := c.linksInto(ctx, opDeadLinks, at, func(target string) bool { return unseen[target] })
	for _, d := range all {
		d.plan(todo, c, fmt.Sprintf("drop resource link %s to database %s of the mesh, which this account does not see any more", d.name, d.target))
	}
	return err
}
