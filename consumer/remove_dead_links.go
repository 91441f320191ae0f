package consumer

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/plan"
)

const opDeadLinks = "RemoveDeadLinks"

// RemoveDeadLinksInput narrows what is looked at. What is empty narrows nothing.
type RemoveDeadLinksInput struct {
	// DatabaseName is a product's database in the mesh.
	DatabaseName string
}

// PlanRemoveDeadLinks tells what [Consumer.RemoveDeadLinks] would do.
func (c *Consumer) PlanRemoveDeadLinks(ctx context.Context, in RemoveDeadLinksInput) (*plan.Plan, error) {
	active, err := c.ListProductAccess(ctx, ListInput{Statuses: []lakemesh.Status{lakemesh.Pending, lakemesh.Active}})
	if err != nil {
		return nil, err
	}
	needed := map[string]bool{}
	for _, s := range active.Subscriptions {
		needed[strings.ToLower(s.Database)] = true
	}
	all, err := c.own.databases(ctx)
	if err != nil {
		return nil, err
	}
	todo := &plan.Plan{Operation: opDeadLinks}
	batches := c.lake.Batches()
	for i := range all {
		link := &all[i]
		if link.TargetDatabase == nil {
			continue
		}
		target := strings.ToLower(aws.ToString(link.TargetDatabase.DatabaseName))
		if !c.linksTo(link, target) || needed[target] || in.DatabaseName != "" && !strings.EqualFold(in.DatabaseName, target) {
			continue
		}
		// What is shared in another way than by a subscription is reached by its link as well.
		if _, seen, err := c.shared.database(ctx, target); err != nil {
			return nil, err
		} else if seen {
			continue
		}
		if err := c.planDeadLink(ctx, todo, batches, strings.ToLower(aws.ToString(link.Name)), target); err != nil {
			return nil, err
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

// planDeadLink takes back what was handed on on a link, and drops it.
func (c *Consumer) planDeadLink(ctx context.Context, todo *plan.Plan, batches *permissions.Batches, link, target string) error {
	on := permissions.Database(c.account, link)
	held, err := c.grants(ctx, opDeadLinks, []permissions.Resource{on})
	if err != nil {
		return err
	}
	me := lakemesh.RoleARN(c.account, lakemesh.ConsumerRole)
	var before []*plan.Step
	for _, e := range held.Entries() {
		if e.Principal != me && e.Resource == on && c.isOurs(e.Principal) {
			before = append(before, batches.Revoke(todo, e)...)
		}
	}
	summary := fmt.Sprintf("drop resource link %s to database %s of the mesh, which this account does not see any more", link, target)
	c.dropLink(todo, batches, link, target, summary, held.Of(me, on).Permissions, before)
	return nil
}
