package consumer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// What one subscription handed on can outlive it where the account is given the same table by a
// group as well: Lake Formation lets the account keep it, and nothing says that it was meant to
// stay. An example: a role is handed SELECT on a table; the owner narrows that subscription to
// DESCRIBE while one to the table's product is approved; the account leaves the first, and
// imports the second for nobody. The role would read again.

// yieldingPatience is how long it is tried to take back what this account may have lost the
// right to take back.
const yieldingPatience = 2 * time.Second

// past is a subscription that has ended, that the account has left, or that may have been
// narrowed, and whom its imports handed access on to.
type past struct {
	record     *tracker.Record
	principals []string
	// passed is what it ever let the account hand on; nil if its history does not say so.
	passed lakemesh.Permissions
}

// mayGiveLess reports whether a subscription may give less than it did: nothing any more, or not for
// long, or what its owner left of it.
func mayGiveLess(r *tracker.Record) bool {
	return r.Status == lakemesh.Deleted || r.Status == lakemesh.Active
}

// pasts are the subscriptions among records that may be past and were about tables of a database
// by name, with whom they were handed on to. unsure is told of histories that do not hold.
func (c *Consumer) pasts(ctx context.Context, records []*tracker.Record, databases []string, unsure func(*tracker.Record, *lakemesh.HistoryFault)) ([]past, error) {
	var all []past
	for _, r := range records {
		if mayGiveLess(r) && r.Group.IsZero() && slices.Contains(databases, strings.ToLower(r.Database)) {
			all = append(all, past{record: r})
		}
	}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(c.concurrency())
	for i := range all {
		group.Go(func() error {
			events, fault, err := c.tracker.History(within, all[i].record)
			if err != nil {
				return err
			}
			if fault != nil {
				unsure(all[i].record, fault)
			}
			all[i].principals, all[i].passed = tracker.EverHandedOn(events), tracker.EverPassed(events)
			return nil
		})
	}
	return all, group.Wait()
}

// handedOnBy are the past subscriptions that handed on what a principal holds, and what of it
// they can have handed on: more than that somebody of the account gave it by hand.
func handedOnBy(all []past, e permissions.Entry) (ids []string, passed lakemesh.Permissions) {
	for _, p := range all {
		about := strings.EqualFold(p.record.Database, e.Resource.Database) &&
			(p.record.WholeDatabase() || e.Resource.Kind == permissions.KindTable && covers(&p.record.Subscription, e.Resource.Table))
		if !about || !slices.Contains(p.principals, e.Principal) {
			continue
		}
		may := e.Permissions
		if p.passed != nil && !p.passed.Has(lakemesh.All) {
			may = may.Intersect(p.passed)
		}
		if len(may) > 0 {
			ids, passed = append(ids, p.record.ID), passed.Union(may)
		}
	}
	if len(e.Permissions.Minus(passed)) > 0 {
		// What stays comes with DESCRIBE.
		if passed = passed.Minus(lakemesh.NewPermissions(lakemesh.Describe)); len(passed) == 0 {
			return nil, nil
		}
	}
	return ids, passed
}

// lookForLeftBehind finds what subscriptions that are past left with principals of the account,
// in databases that the group is in.
func (g *importing) lookForLeftBehind(ctx context.Context) error {
	c := g.consumer
	g.leftBehind = nil
	var records, others []*tracker.Record
	if err := c.tracker.SubscribedTo(ctx, c.account, g.record.Owner, func(r *tracker.Record) bool {
		if stands(r) && !r.Over && r.ID != g.record.ID {
			others = append(others, r)
		}
		records = append(records, r)
		return true
	}); err != nil {
		return err
	}
	var databases []string
	for _, f := range g.parts {
		if f.visible {
			databases = append(databases, strings.ToLower(f.record.Database))
		}
	}
	past, err := c.pasts(ctx, records, databases, func(r *tracker.Record, fault *lakemesh.HistoryFault) {
		c.log.WarnContext(ctx, "whom a subscription was handed on to is not sure", "subscription", r.ID, "fault", fault.String())
	})
	if err != nil || len(past) == 0 {
		return err
	}
	on, err := c.handedOnOf(ctx, past)
	if err != nil {
		return err
	}
	held, err := c.grants(ctx, opFinalize, on)
	if err != nil {
		return err
	}
	for _, e := range held.Entries() {
		if !c.isOurs(e.Principal) {
			continue
		}
		// What an owner granted it itself is its own, and what a unit was granted anybody of the
		// account may hand on by hand.
		e.Permissions = e.Permissions.Minus(justified(others, e.Resource)).Minus(grantedItself(others, e)).Minus(handsOnByUnits(held, e.Resource))
		by, passed := handedOnBy(past, e)
		e.Permissions = passed
		e.Grantable = e.Grantable.Intersect(e.Permissions)
		if len(by) > 0 {
			g.leftBehind = append(g.leftBehind, left{e, by})
		}
	}
	return nil
}

// handedOnOf is what past subscriptions can have handed on by the names of tables.
func (c *Consumer) handedOnOf(ctx context.Context, all []past) (on []permissions.Resource, err error) {
	add := func(r permissions.Resource) {
		if !slices.Contains(on, r) {
			on = append(on, r)
		}
	}
	for _, p := range all {
		s := &p.record.Subscription
		database, names := strings.ToLower(s.Database), s.Tables
		if len(p.principals) == 0 {
			continue
		}
		// Also for what a unit may have been granted on all of it.
		add(permissions.AllTables(c.meshAccount, database))
		if s.WholeDatabase() {
			list, err := c.shared.tables(ctx, database)
			if err != nil {
				return nil, err
			}
			for i := range list {
				names = append(names, aws.ToString(list[i].Name))
			}
		}
		for _, name := range names {
			add(permissions.Table(c.meshAccount, database, strings.ToLower(name)))
		}
	}
	return on, nil
}

// left is what past subscriptions left with a principal.
type left struct {
	entry permissions.Entry
	by    []string
}

// planTakingBack adds the steps that take back what is left behind. Whether Lake Formation lets
// an account take back by a table's name what it may hand on by LF-tags is not documented: what
// it refuses, a verification goes on telling of.
//
// It comes after what is handed on now, so that whoever is handed the group reads on.
func (g *importing) planTakingBack(p *plan.Plan, after []*plan.Step) {
	batches := g.consumer.yielding()
	for _, l := range g.leftBehind {
		batches.Revoke(p, l.entry, after...)
		p.Warn("%s holds %s on %s by subscription %s, which does not give it any more: it is taken back", l.entry.Principal, l.entry.Permissions, l.entry.Resource, strings.Join(l.by, ", "))
	}
}

// compareLeftBehind finds what past subscriptions left with a principal on a table that the
// account is given by a group, and reports whether that is so: what somebody of the account
// handed on by hand there is its own affair, and whoever is handed the group holds nothing too
// much.
func (s *inspected) compareLeftBehind(e permissions.Entry, excess lakemesh.Permissions) bool {
	e.Permissions = excess.Minus(handsOnByUnits(s.held, e.Resource))
	by, excess := handedOnBy(s.past, e)
	groups := s.groupsOf(e.Resource)
	if len(by) == 0 || len(groups) == 0 || slices.ContainsFunc(groups, func(r *tracker.Record) bool { return slices.Contains(s.handed[r.ID].principals, e.Principal) }) {
		return false
	}
	f := Finding{Kind: chain.TooMuch, Link: chain.HandedOn, Account: s.account, Resource: e.Resource.String(), Principal: e.Principal, Database: e.Resource.Database, Subscriptions: by,
		What: "holds " + excess.String() + ", which was handed on by a subscription that does not give it any more"}
	if e.Resource.Table != "" {
		f.Tables = []string{e.Resource.Table}
	}
	for _, r := range groups {
		if s.handed[r.ID].imported {
			f = f.With(s.importing(r), chain.Mends{By: chain.ByImporting, Subscription: r.ID})
			break
		}
	}
	s.found(f)
	return true
}

// yielding makes the steps that take back what this account may have lost the right to take back.
func (c *Consumer) yielding() *permissions.Batches {
	lake := *c.lake
	lake.Patience = yieldingPatience
	return lake.Yielding(func(ctx context.Context, e permissions.Entry, err error) {
		c.log.WarnContext(ctx, "what was handed on stays: this account may not take it back", "principal", e.Principal, "permissions", e.Permissions.String(), "resource", e.Resource.String(), "reason", awserr.Message(err))
	})
}

// mayNotTakeBack is what of that which a principal holds too much the account has no right to
// take back any more: what its owner does not let it hand on now. With the owner's grant ends
// what was handed on of it, unless a group gives the account the same table.
func (l *leaving) mayNotTakeBack(on permissions.Resource, excess lakemesh.Permissions) lakemesh.Permissions {
	s := l.scope()
	if on.Account != l.consumer.meshAccount || on.Kind == permissions.KindDatabase || !s.Group.IsZero() {
		return nil
	}
	if slices.ContainsFunc(l.others, func(o *tracker.Record) bool { return !o.Group.IsZero() && o.Imported }) {
		// It may take back what it may hand on by that.
		return nil
	}
	may := passedOn(&s)
	if len(may) > 0 {
		may = may.Union(lakemesh.NewPermissions(lakemesh.Describe))
	}
	return excess.Minus(may)
}

// outlives words that a principal may keep something that is worth nothing for now.
func (l *leaving) outlives(e permissions.Entry, keeps lakemesh.Permissions) string {
	text := fmt.Sprintf("%s on %s may stay with %s: its owner does not let this account hand it on any more, so that Lake Formation may not let it take it back. It is worth nothing while nothing else gives this account the table",
		keeps, e.Resource, e.Principal)
	for _, o := range l.others {
		if !o.Group.IsZero() {
			text += fmt.Sprintf("; importing subscription %s, to %s, takes it back", o.ID, o.Group)
		}
	}
	return text
}

// idsOf names the subscriptions that give an account something on an object.
func idsOf(all []*tracker.Record, on permissions.Resource) string {
	var ids []string
	for _, r := range all {
		if gives(&r.Subscription, on) {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 1 {
		return "subscription " + ids[0]
	}
	return "subscriptions " + strings.Join(ids, ", ")
}
