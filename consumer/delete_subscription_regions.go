package consumer

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// droppedLink is a link in another region than the mesh's that is dropped.
type droppedLink struct {
	linkPlace
	name, target string
	// handed is what principals of the account hold on it.
	handed []permissions.Entry
}

// needs reports whether another subscription of the account needs links in a region to a
// database of the one that is left; in any region, if none is named.
func (l *leaving) needs(database, region string) bool {
	c := l.consumer
	return slices.ContainsFunc(l.others, func(o *tracker.Record) bool {
		return isIn(o, database) && (region == "" || slices.Contains(c.linkRegions(&o.Subscription), region))
	})
}

// lookForOtherLinks finds the links in other regions that nothing needs any more. A region
// that cannot be looked at is told of, and keeps nothing else from being taken back.
func (l *leaving) lookForOtherLinks(ctx context.Context) error {
	c, databases := l.consumer, l.databases()
	if len(databases) == 0 || l.record.OwnersWord() {
		return nil
	}
	for _, region := range c.otherRegions(&l.record.Subscription) {
		unneeded := slices.DeleteFunc(slices.Clone(databases), func(name string) bool { return l.needs(name, region) })
		if len(unneeded) == 0 {
			continue
		}
		dropped, err := c.linksInto(ctx, opLeave, c.linksIn(region), func(target string) bool { return slices.Contains(unneeded, target) })
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			l.warnings = append(l.warnings, leftIn(region, err))
		}
		l.otherLinks = append(l.otherLinks, dropped...)
	}
	return nil
}

// leftIn says that links of a region may be left.
func leftIn(region string, err error) string {
	return fmt.Sprintf("region %s could not be looked at, links of it may be left; remove them by %s once it can be: %v", region, lakemesh.Do("consumer.RemoveDeadLinks"), err)
}

// linksInto are the links of a region to databases of the mesh, and what is granted on them.
func (c *Consumer) linksInto(ctx context.Context, op string, at linkPlace, wanted func(target string) bool) ([]droppedLink, error) {
	links, err := at.linked(ctx, c)
	if err != nil {
		return nil, err
	}
	var all []droppedLink
	for _, name := range slices.Sorted(maps.Keys(links)) {
		if !wanted(links[name]) {
			continue
		}
		held, err := at.lake.Observe(ctx, permissions.Database(c.account, name))
		if err != nil {
			return all, identity.Explain(op, c.account, "permissions on database "+name+at.elsewhere(c), err)
		}
		all = append(all, droppedLink{linkPlace: at, name: name, target: links[name], handed: held.Entries()})
	}
	return all, nil
}

// planOtherLinks drops the links in other regions.
func (l *leaving) planOtherLinks(p *plan.Plan) {
	for _, d := range l.otherLinks {
		d.plan(p, l.consumer, fmt.Sprintf("drop resource link %s to database %s of the mesh", d.name, d.target))
	}
}

// plan takes back what was handed on on a link, and drops it.
func (d droppedLink) plan(p *plan.Plan, c *Consumer, summary string) {
	batches := d.lake.Batches()
	me := c.partition.RoleARN(c.account, lakemesh.ConsumerRole)
	var mine lakemesh.Permissions
	var before []*plan.Step
	for _, e := range d.handed {
		switch {
		case e.Principal == me:
			// Needed to drop the link, and gone with it.
			mine = e.Permissions
		case c.isOurs(e.Principal):
			before = append(before, d.said(c, batches.Revoke(p, e))...)
		}
	}
	c.dropLink(p, d.linkPlace, batches, d.name, d.target, summary, mine, before)
}
