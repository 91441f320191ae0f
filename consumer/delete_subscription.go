package consumer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

const opLeave = "DeleteSubscription"

// LeaveInput names the subscription that is left.
type LeaveInput struct {
	// SubscriptionID is the subscription; it must be active.
	SubscriptionID string
	// Reason goes into the notes and the history; it may be empty.
	Reason string
}

// leaving is what is known before a subscription is left.
type leaving struct {
	consumer *Consumer
	record   *tracker.Record
	// others are the account's other active subscriptions with the same owner.
	others []*tracker.Record
	// handed is what principals of the account hold, on tables and on databases.
	handed []permissions.Entry
	// links are the account's links to the product's databases that it needs no more: what
	// they lead to, by their names.
	links map[string]string
	// optedIn is who of the account is opted in to tables in hybrid access mode, and to their
	// database.
	optedIn []permissions.OptIn
	// otherLinks are those in other regions that nothing needs any more.
	otherLinks []droppedLink
	// anothers are databases that only the owner of a group says that it is in, and that are not
	// its own.
	anothers []string
	// warnings are what could not be looked at.
	warnings []string
}

// PlanDeleteSubscription tells what [Consumer.DeleteSubscription] would do.
func (c *Consumer) PlanDeleteSubscription(ctx context.Context, in LeaveInput) (*plan.Plan, error) {
	p, _, err := c.planLeaving(ctx, in)
	return p, err
}

func (c *Consumer) planLeaving(ctx context.Context, in LeaveInput) (*plan.Plan, *leaving, error) {
	l := &leaving{consumer: c}
	var err error
	if l.record, err = c.subscription(ctx, opLeave, in.SubscriptionID); err != nil {
		return nil, nil, err
	}
	if err := legal(opLeave, l.record, lakemesh.ActionLeave); err != nil {
		return nil, nil, err
	}
	if err := l.observe(ctx); err != nil {
		return nil, nil, err
	}
	return l.plan(in.Reason), l, nil
}

// DeleteSubscription leaves a subscription. In the consumer's account, everything
// that was handed on to anybody ends, as far as no other active subscription
// justifies it, and links that nothing needs any more are dropped; the record says
// that the consumer has left, also if something of that fails. What was granted to the account as a whole is
// ended by the owner's side, because AWS lets nobody else
// (https://docs.aws.amazon.com/lake-formation/latest/dg/regranting-shared-resources.html).
// RAM shares are left alone: they carry every other product of the mesh as well.
//
// It can be repeated. A pending request, and one that has ended, is a
// [lakemesh.TransitionError].
func (c *Consumer) DeleteSubscription(ctx context.Context, in LeaveInput) error {
	p, l, err := c.planLeaving(ctx, in)
	if err != nil {
		return err
	}
	if !l.record.Leaving {
		// First, and by itself: whatever keeps something from being taken back, the owner is told
		// that it can end the grant to the account.
		if err := c.apply(ctx, l.planRecord(in.Reason)); err != nil {
			return err
		}
		others, err := c.otherActive(ctx, l.record)
		if err != nil {
			return err
		}
		if slices.Equal(states(l.others), states(others)) {
			p = l.planRest()
		} else if p, _, err = c.planLeaving(ctx, in); err != nil {
			// What was approved or imported in between would lose what it gives.
			return err
		}
	}
	return c.apply(ctx, p)
}

// planRecord is the plan of recording that the account has left.
func (l *leaving) planRecord(reason string) *plan.Plan {
	c, r := l.consumer, l.record
	p := &plan.Plan{Operation: opLeave}
	p.Add(plan.Step{
		Kind: plan.Record, Account: c.meshAccount, Resource: "subscription " + r.ID,
		Summary: "record that account " + c.account + " has left subscription " + r.ID,
		Run:     func(ctx context.Context) error { return c.tracker.Left(ctx, r, reason) },
	})
	return p
}

// states are subscriptions with how they stand, in order.
func states(all []*tracker.Record) []string {
	var states []string
	for _, r := range all {
		states = append(states, fmt.Sprintf("%s %d %s %t", r.ID, r.Revision, r.Status, r.Imported))
	}
	slices.Sort(states)
	return states
}

func (l *leaving) observe(ctx context.Context) error {
	c := l.consumer
	var err error
	if l.others, err = c.otherActive(ctx, l.record); err != nil {
		return err
	}
	if err := l.lookForAnothers(ctx); err != nil {
		return err
	}
	if err := l.lookForOtherLinks(ctx); err != nil {
		return err
	}
	resources, err := l.resources(ctx)
	if err != nil {
		return err
	}
	held, err := c.grants(ctx, opLeave, resources)
	if err != nil {
		return err
	}
	for _, e := range held.Entries() {
		if c.isOurs(e.Principal) {
			l.handed = append(l.handed, e)
		}
	}
	return l.lookForOptIns(ctx, resources)
}

// scope is what the subscription is about, as its owner decided; or as this account asked,
// where the owner made its record into something else, or unreadable. That shall keep
// nobody from leaving, nor make it long: what was not asked for was not imported.
func (l *leaving) scope() lakemesh.Subscription {
	s := l.record.Subscription
	if w := l.record.Asked; w != nil && !l.record.Believable() {
		s.Database, s.Group, s.Tables, s.TablesUnknown = w.Database, w.Group, w.Tables, false
	}
	return s
}

// databases are the databases that the subscription is in. Those of a group its owner alone
// says: of what is another owner's, and of what other subscriptions need, nothing is taken.
func (l *leaving) databases() []string {
	s := l.scope()
	var names []string
	for _, name := range chain.DatabasesOf(&tracker.Record{Subscription: s}, nil) {
		if name = strings.ToLower(name); name != "" && !slices.Contains(l.anothers, name) {
			names = append(names, name)
		}
	}
	return names
}

// lookForAnothers finds the databases that the owner of a group says that it is in, and that are
// another owner's.
func (l *leaving) lookForAnothers(ctx context.Context) error {
	if l.record.Group.IsZero() {
		return nil
	}
	for _, name := range l.databases() {
		for _, at := range []view{l.consumer.shared, l.consumer.public} {
			d, ok, err := at.database(ctx, name)
			if err != nil {
				return err
			}
			if ok {
				if owner := catalog.OwnerOf(d); owner != "" && owner != l.record.Owner {
					l.anothers = append(l.anothers, name)
				}
				break
			}
		}
	}
	return nil
}

// resources are what was handed on with the subscription: its tables, and if no
// other subscription needs them, the mesh's database and the links to it. With all
// tables of a database, each of them can have been handed on by itself.
func (l *leaving) resources(ctx context.Context) ([]permissions.Resource, error) {
	c := l.consumer
	var list []permissions.Resource
	add := func(r permissions.Resource) {
		if !slices.Contains(list, r) {
			list = append(list, r)
		}
	}
	if l.record.OwnersWord() {
		l.warnings = append(l.warnings, "this account has neither asked for it nor imported it: what was handed on ends with what the owner takes away, and links that lead nowhere then are removed by "+lakemesh.Do("consumer.RemoveDeadLinks").String())
		return nil, nil
	}
	s := l.scope()
	if s.Group.IsZero() && (s.Database == "" || s.TablesUnknown) {
		l.warnings = append(l.warnings, "neither the owner's decision nor the request names tables that can be read: nothing that was handed on is taken back")
		return nil, nil
	}
	for _, r := range c.objects(&s) {
		add(r)
	}
	if s.WholeDatabase() {
		seen, err := c.shared.tables(ctx, s.Database)
		if err != nil {
			return nil, err
		}
		// What was shared a moment ago may have been handed on, and not be listed yet.
		published, err := c.public.tables(ctx, s.Database)
		if err != nil {
			c.log.WarnContext(ctx, "could not see what is published in the database; only on what is listed as shared is access taken back", "database", s.Database, "error", err)
		}
		for _, t := range append(seen, published...) {
			add(permissions.Table(c.meshAccount, s.Database, strings.ToLower(aws.ToString(t.Name))))
		}
	}
	databases := slices.DeleteFunc(l.databases(), func(name string) bool { return l.needs(name, c.region) })
	if len(databases) == 0 {
		return list, nil
	}
	for _, name := range databases {
		if !l.needs(name, "") {
			add(permissions.Database(c.meshAccount, name))
		}
	}
	all, err := c.own.databases(ctx)
	if err != nil {
		return nil, err
	}
	l.links = map[string]string{}
	for i := range all {
		for _, name := range databases {
			if c.linksTo(&all[i], name) {
				link := strings.ToLower(aws.ToString(all[i].Name))
				l.links[link] = name
				add(permissions.Database(c.account, link))
			}
		}
	}
	return list, nil
}

// tooMuch are the permissions of an entry that nothing justifies once the
// subscription is left.
func (l *leaving) tooMuch(e permissions.Entry) lakemesh.Permissions {
	if e.Resource.Kind == permissions.KindDatabase {
		return e.Permissions
	}
	keep := justified(l.others, e.Resource)
	if keep.Has(lakemesh.All) {
		return nil
	}
	return e.Permissions.Minus(keep)
}

// plan is all that leaving does.
func (l *leaving) plan(reason string) *plan.Plan {
	if l.record.Leaving {
		return l.planRest()
	}
	p := l.planRecord(reason)
	p.Append(l.planRest(), p.Steps[0])
	return p
}

// planRest is what leaving does once it is recorded.
func (l *leaving) planRest() *plan.Plan {
	c, r := l.consumer, l.record
	p := &plan.Plan{Operation: opLeave, Warnings: slices.Clone(l.warnings)}
	if units := r.Scope.Organizations(); len(units) > 0 && !r.Leaving {
		p.Warn("it is for every account of %s: when its owner has settled that this account left it, all of them lose what no other subscription gives them", strings.Join(units, ", "))
	}
	batches := c.lake.Batches()
	yielding := c.yielding()
	me := c.partition.RoleARN(c.account, lakemesh.ConsumerRole)
	onLink := map[string][]*plan.Step{}
	mine := map[string]lakemesh.Permissions{}
	var revoked []*plan.Step
	keeps := map[permissions.OptIn]bool{}
	lost := map[permissions.OptIn]bool{}
	scope := l.scope()
	group := tagged(c.meshAccount, &scope)
	for _, e := range l.handed {
		ofLink := e.Resource.Account == c.account
		if ofLink && e.Principal == me {
			// Needed to drop the link, and gone with it.
			mine[e.Resource.Database] = e.Permissions
			continue
		}
		excess := l.tooMuch(e)
		on := permissions.OptIn{Principal: e.Principal, Resource: e.Resource}
		if on.Resource.Kind == permissions.KindFilter {
			on.Resource = permissions.Table(on.Resource.Account, on.Resource.Database, on.Resource.Table)
		}
		if len(excess) < len(e.Permissions) {
			keeps[on] = true
			if !ofLink {
				p.Warn("%s keeps %s on %s: this account may hand it on by %s", e.Principal, e.Permissions.Minus(excess), e.Resource, idsOf(l.others, e.Resource))
			}
		}
		if len(excess) == 0 {
			continue
		}
		lost[on] = true
		mayNot := l.mayNotTakeBack(e.Resource, excess)
		if len(mayNot) > 0 {
			p.Warn("%s", l.outlives(e, mayNot))
		}
		may := e
		may.Permissions = excess.Minus(mayNot)
		may.Grantable = e.Grantable.Intersect(may.Permissions)
		e.Permissions, e.Grantable = mayNot, e.Grantable.Intersect(mayNot)
		steps := slices.Concat(batches.Revoke(p, may), yielding.Revoke(p, e))
		revoked = append(revoked, steps...)
		if ofLink {
			onLink[e.Resource.Database] = append(onLink[e.Resource.Database], steps...)
		}
	}
	for _, link := range slices.Sorted(maps.Keys(l.links)) {
		target := l.links[link]
		c.dropLink(p, c.linksIn(c.region), batches, link, target, fmt.Sprintf("drop resource link %s to database %s of the mesh", link, target), mine[link], onLink[link])
	}
	l.planOptOuts(p, func(o permissions.OptIn) bool {
		if o.Resource.Kind == permissions.KindTable && l.needsOptIn(o.Resource) {
			return true
		}
		if by := (permissions.OptIn{Principal: o.Principal, Resource: group}); o.Resource.Kind == permissions.KindTable && lost[by] {
			return keeps[o] || keeps[by]
		}
		all := permissions.OptIn{Principal: o.Principal, Resource: permissions.AllTables(o.Resource.Account, o.Resource.Database)}
		return keeps[o] || !lost[o] && (o.Resource.Kind != permissions.KindTable || !lost[all] || keeps[all])
	}, revoked...)
	l.planOtherLinks(p)
	return p
}
