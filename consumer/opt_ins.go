package consumer

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/plan"
)

// Where an owner keeps a table in hybrid access mode, what was handed on counts only for who
// was opted in. That the mesh has opted this account in binds its data lake administrators
// alone; they opt in their principals
// (https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-access-mode-cross-account.html).

// optInsOn are what a principal is opted in to, to read tables of a database of which some
// are in hybrid access mode: those by themselves, so that it does not matter how all tables
// of a database of another account are opted in, and the database.
func (c *Consumer) optInsOn(database string, tables []string, marked map[string]bool) []permissions.Resource {
	var on []permissions.Resource
	for _, t := range tables {
		if marked[strings.ToLower(t)] {
			on = append(on, permissions.Table(c.meshAccount, database, t))
		}
	}
	if len(on) == 0 {
		return nil
	}
	return append(on, permissions.Database(c.meshAccount, database))
}

// optIns are the opt-ins that this account made on resources. It makes no call for none.
func (c *Consumer) optIns(ctx context.Context, op string, on []permissions.Resource) (map[permissions.OptIn]bool, error) {
	there := map[permissions.OptIn]bool{}
	if len(on) == 0 {
		return there, nil
	}
	list, err := c.lake.OptIns(ctx, on...)
	if awserr.Denied(err) {
		return nil, &lakemesh.Error{Op: op, Account: c.account, Resource: "opt-ins on " + on[0].String(), Kind: lakemesh.ErrAccessDenied, Code: awserr.Code(err), Err: err,
			Message: "it is in hybrid access mode, and " + lakemesh.ConsumerRole + " may not see who is opted in",
			Hint:    "it has to be a data lake administrator of the account, and its role one of this version", Do: []lakemesh.Call{lakemesh.Do("admin.InitializeConsumerAccount")}}
	}
	if err != nil {
		return nil, identity.Explain(op, c.account, "opt-ins on "+on[0].String(), err)
	}
	for _, o := range list {
		there[o.OptIn] = true
	}
	return there, nil
}

// lookForOptIns reads which of those whom access is handed on to are opted in.
func (f *finalizing) lookForOptIns(ctx context.Context) error {
	if !f.visible || direct(f.record) || len(f.marked) == 0 {
		return nil
	}
	on := f.consumer.optInsOn(f.record.Database, f.optsInTo(f.marked), f.marked)
	there, err := f.consumer.optIns(ctx, opFinalize, on)
	if err != nil {
		return err
	}
	f.unopted = nil
	for _, principal := range f.recipients() {
		for _, r := range on {
			if o := (permissions.OptIn{Principal: principal, Resource: r}); !there[o] {
				f.unopted = append(f.unopted, o)
			}
		}
	}
	return nil
}

// optsInTo are the names of the subscription's tables. Which of a database are of a group is
// not looked at: an opt-in gives nothing, so it is all that are in hybrid access mode.
func (f *finalizing) optsInTo(marked map[string]bool) []string {
	if !f.record.Group.IsZero() {
		return slices.Sorted(maps.Keys(marked))
	}
	var names []string
	for _, t := range f.tables() {
		names = append(names, t.Table)
	}
	return names
}

// planOptIns adds the steps that opt principals in, after what is handed on to them.
func (f *finalizing) planOptIns(p *plan.Plan, after ...*plan.Step) []*plan.Step {
	var steps []*plan.Step
	for _, o := range f.unopted {
		steps = append(steps, f.consumer.lake.PlanOptIn(p, o, after...))
	}
	return steps
}

// optInLate opts in what could only be known once it was visible.
func (f *finalizing) optInLate(ctx context.Context) error {
	if f.sawFirst {
		return nil
	}
	now := f
	if f.handed != nil {
		now = f.handed
	}
	if len(now.marked) == 0 {
		return nil
	}
	now.visible = true
	if err := now.lookForOptIns(ctx); err != nil {
		return err
	}
	p := &plan.Plan{Operation: opFinalize}
	now.planOptIns(p)
	return f.consumer.apply(ctx, p)
}

// lookForOptIns reads who of this account is opted in to what is left.
func (l *leaving) lookForOptIns(ctx context.Context, resources []permissions.Resource) error {
	c := l.consumer
	if len(l.handed) == 0 {
		return nil
	}
	var on []permissions.Resource
	for _, name := range l.databases() {
		db, ok, err := c.shared.database(ctx, name)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		marked := catalog.HybridTables(db)
		if len(marked) == 0 {
			continue
		}
		for _, r := range resources {
			if r.Account == c.meshAccount && strings.EqualFold(r.Database, name) && (r.Kind == permissions.KindTable && marked[r.Table] || r.Kind == permissions.KindDatabase) {
				on = append(on, r)
			}
		}
		if !l.scope().Group.IsZero() {
			// Which tables its LF-tags are on is not looked at: an opt-in gives nothing.
			for _, t := range slices.Sorted(maps.Keys(marked)) {
				on = append(on, permissions.Table(c.meshAccount, name, t))
			}
		}
	}
	there, err := c.optIns(ctx, opLeave, on)
	if err != nil {
		// Leaving is not to fail by it: an opt-in without a grant lets nobody read.
		c.log.WarnContext(ctx, "who is opted in could not be seen, and stays so, which lets nobody read", "subscription", l.record.ID, "error", err)
		return nil
	}
	l.optedIn = slices.Collect(maps.Keys(there))
	slices.SortFunc(l.optedIn, func(a, b permissions.OptIn) int {
		return strings.Compare(a.Resource.String()+" "+a.Principal, b.Resource.String()+" "+b.Principal)
	})
	return nil
}

// planOptOuts opts out, after what was handed on is taken back, who keeps nothing there: in
// the other order IAM would decide for it in between. Whom somebody else opted in, and who
// was handed nothing on, stays as it is.
func (l *leaving) planOptOuts(p *plan.Plan, keeps func(o permissions.OptIn) bool, after ...*plan.Step) {
	for _, o := range l.optedIn {
		if !keeps(o) {
			l.consumer.lake.PlanOptOut(p, o, after...)
		}
	}
}

// needsOptIn reports whether another subscription can give the account something on a table
// by which principals are opted in to it. Which tables a group has is not looked at: all of
// its databases.
func (l *leaving) needsOptIn(table permissions.Resource) bool {
	for _, o := range l.others {
		partly := o.Scope.Partly() && slices.ContainsFunc(o.Tables, func(t string) bool { return strings.EqualFold(t, table.Table) })
		if !o.Scope.Direct() && isIn(o, table.Database) && (partly || !o.Group.IsZero()) {
			return true
		}
	}
	return len(justified(l.others, table)) > 0
}

// publiclyHybrid are the tables of a database in hybrid access mode as the mesh's read-only
// role sees them; none where it does not.
func (c *Consumer) publiclyHybrid(ctx context.Context, database string) map[string]bool {
	d, ok, err := c.public.database(ctx, database)
	if err != nil || !ok {
		return nil
	}
	return catalog.HybridTables(d)
}

// compareOptIns finds principals whom access was handed on to, and whom that is of no use
// because nobody opted them in.
func (s *inspected) compareOptIns(importing *finalizing, on func(link chain.Link, resource, principal, what string) Finding) {
	r := importing.record
	if direct(r) || s.optedIn == nil {
		return
	}
	resources := s.optInsOn(strings.ToLower(r.Database), importing.optsInTo(s.seen[strings.ToLower(r.Database)].hybrid), s.seen[strings.ToLower(r.Database)].hybrid)
	for _, principal := range importing.recipients() {
		for _, resource := range resources {
			if !s.optedIn[permissions.OptIn{Principal: principal, Resource: resource}] {
				s.found(on(chain.OptedIn, resource.String(), principal, "is not opted in, and it is in hybrid access mode: what was handed on counts for nothing there"))
			}
		}
	}
}
