package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/plan"
)

// tables are the tables of the subscription: those that it names, or all that can
// be seen.
func (f *finalizing) tables() []permissions.Resource {
	c, s := f.consumer, &f.record.Subscription
	names := s.Tables
	if s.WholeDatabase() {
		names = f.seen
	}
	list := make([]permissions.Resource, len(names))
	for i, t := range names {
		list[i] = permissions.Table(c.meshAccount, s.Database, t)
	}
	return list
}

// objects are what is handed on: of columns and rows the filters that carry them. A whole
// database is all of its tables at once
// where the owner could grant that, and else each of them.
func (f *finalizing) objects() []permissions.Resource {
	c, s := f.consumer, &f.record.Subscription
	all := permissions.AllTables(c.meshAccount, s.Database)
	if s.WholeDatabase() && len(received(f.held, c.account, all).Permissions) > 0 {
		return []permissions.Resource{all}
	}
	if tags := chain.TagsOf(f.record); tags != nil {
		if f.further {
			return nil
		}
		return []permissions.Resource{permissions.Tagged(c.meshAccount, tags)}
	}
	if scope := f.record.Scope; scope.Partly() {
		list := f.tables()
		for i, t := range list {
			list[i] = permissions.Filter(t.Account, t.Database, t.Table, chain.FilterOf(scope))
		}
		return list
	}
	return f.tables()
}

// grantable is what may be handed on, on one of the objects: what the subscription
// says, as far as the owner's grant is known not to say less.
func (f *finalizing) grantable(r permissions.Resource) lakemesh.Permissions {
	handed := passedOn(&f.record.Subscription)
	account := ofAccount(f.held, f.consumer.account, r)
	if len(account.Permissions) == 0 || account.Grantable.Has(lakemesh.All) {
		return handed
	}
	return handed.Intersect(account.Grantable)
}

// wanted is what each principal is to hold on the link, and on what is shared.
func (f *finalizing) wanted() (link, shared []permissions.Entry) {
	c, s := f.consumer, &f.record.Subscription
	describe := lakemesh.NewPermissions(lakemesh.Describe)
	for _, principal := range f.recipients() {
		if !f.elsewhere {
			link = append(link, permissions.Entry{Principal: principal, Resource: permissions.Database(c.account, f.link), Permissions: describe})
		}
		if direct(f.record) {
			continue
		}
		shared = append(shared, permissions.Entry{Principal: principal, Resource: permissions.Database(c.meshAccount, s.Database), Permissions: describe})
		for _, o := range f.objects() {
			if handed := f.grantable(o); len(handed) > 0 {
				shared = append(shared, permissions.Entry{Principal: principal, Resource: o, Permissions: handed})
			}
		}
	}
	return link, shared
}

// recipients are the principals that get anything: nobody does if the owner lets
// the account hand nothing on, not even the database. Of what the owner granted to
// identities themselves the link alone is left to give.
func (f *finalizing) recipients() []string {
	if direct(f.record) {
		return f.principals
	}
	if len(passed(&f.record.Subscription)) == 0 {
		return nil
	}
	return f.principals
}

func (f *finalizing) plan() *plan.Plan {
	p := &plan.Plan{Operation: opFinalize}
	batches := f.patient(f.consumer.lake).Batches()
	last, handed := f.planLinked(p, batches, f.planShares(p, f.planAccepts(p)))
	f.planRecord(p, handed, last)
	f.warn(p)
	return p
}

// planLinked adds the steps that bring what was shared of a database into the account, once it
// is ready. It returns the last of them, and whether any hands something on.
func (f *finalizing) planLinked(p *plan.Plan, batches *permissions.Batches, ready *plan.Step) (last []*plan.Step, handed bool) {
	c, r := f.consumer, f.record
	var link *plan.Step
	if !f.linked && !f.elsewhere {
		link = p.Add(plan.Step{
			Kind: plan.CreateLink, Account: c.account, Resource: "database " + f.link,
			Summary: fmt.Sprintf("link database %s to database %s of the mesh", f.link, r.Database),
			Run:     f.createLink,
		}, ready)
	}
	grants := f.planGrants(p, batches, ready, link)
	last = append(slices.Clone(grants), ready, link)
	return append(last, f.planOtherLinks(p, ready)...), len(grants) > 0
}

// planRecord adds the step that records the import. Whoever is given access later stands in
// the history, too.
func (f *finalizing) planRecord(p *plan.Plan, handed bool, after []*plan.Step) {
	c, r := f.consumer, f.record
	if r.Imported && !handed {
		return
	}
	p.Add(plan.Step{
		Kind: plan.Record, Account: c.meshAccount, Resource: "subscription " + r.ID,
		Summary: "record subscription " + r.ID + " as imported",
		Run:     func(ctx context.Context) error { return c.tracker.Imported(ctx, r, f.recipients()) },
	}, after...)
}

// warn says who was given access, and who was not.
func (f *finalizing) warn(p *plan.Plan) {
	c, r := f.consumer, f.record
	switch {
	case direct(f.record):
		p.Warn("access was granted to %s directly: what is left to do here is the link, and that their own IAM policies allow lakeformation:GetDataAccess and the calls of Glue that read (docs/how-it-works.md)", strings.Join(f.record.Scope.Principals, ", "))
	case len(f.principals) == 0 && len(f.others()) > 0:
		p.Warn("nobody was given access by this; from before, these still hold it: %s", strings.Join(f.others(), ", "))
	case len(f.principals) == 0:
		p.Warn("nobody was given access: only data lake administrators of account %s see the tables until access is handed on to principals", c.account)
	case len(passed(&r.Subscription)) == 0:
		p.Warn("nobody was given access: the owner, account %s, permitted %s but lets account %s hand none of it on",
			r.Owner, r.Permitted, c.account)
	case len(f.others()) > 0:
		p.Warn("besides them, these still hold access from before: %s", strings.Join(f.others(), ", "))
	}
}

// patient is a Lake Formation with the patience that principals deserve.
func (f *finalizing) patient(lake *permissions.Lake) *permissions.Lake {
	if f.patience == 0 {
		return lake
	}
	l := *lake
	l.Patience = f.patience
	return &l
}

// planGrants adds the steps that hand access on, and returns the last of them.
func (f *finalizing) planGrants(p *plan.Plan, batches *permissions.Batches, ready, link *plan.Step) []*plan.Step {
	if ready != nil && f.record.WholeDatabase() && len(f.recipients()) > 0 {
		// Which tables there are is not known before they can be seen.
		return []*plan.Step{p.Add(plan.Step{
			Kind: plan.Grant, Account: f.consumer.account, Resource: "all tables of database " + f.record.Database,
			Summary: fmt.Sprintf("grant %s on all tables of database %s to %s", passed(&f.record.Subscription), f.record.Database,
				strings.Join(f.principals, ", ")),
			Run: f.handOn,
		}, ready, link)}
	}
	var steps []*plan.Step
	onLink, onShared := f.wanted()
	for _, e := range permissions.Missing(f.held, onShared) {
		after := []*plan.Step{ready}
		if e.Resource.Kind == permissions.KindTagged {
			after = append(after, f.arrived...)
		}
		steps = append(steps, batches.Grant(p, e, after...)...)
	}
	for _, e := range permissions.Missing(f.held, onLink) {
		steps = append(steps, batches.Grant(p, e, link)...)
	}
	return append(steps, f.planOptIns(p, steps...)...)
}

// handOn hands access on to what can be seen now.
func (f *finalizing) handOn(ctx context.Context) error {
	now := &finalizing{consumer: f.consumer, record: f.record, principals: f.principals, link: f.link, elsewhere: f.elsewhere, patience: f.patience}
	if err := now.observe(ctx); err != nil {
		return err
	}
	p := &plan.Plan{Operation: opFinalize}
	now.planGrants(p, now.patient(now.consumer.lake).Batches(), nil, nil)
	_, err := p.Apply(ctx, plan.Settings{Concurrency: f.consumer.concurrency()})
	f.handed = now
	return err
}

// planAccepts adds the steps that accept the shares, and returns them.
func (f *finalizing) planAccepts(p *plan.Plan) []*plan.Step {
	c := f.consumer
	var accepted []*plan.Step
	for _, i := range f.pending {
		accepted = append(accepted, p.Add(plan.Step{
			Kind: plan.AcceptShare, Account: c.account, Resource: "resource share " + i.Name,
			Summary: fmt.Sprintf("accept resource share %s of mesh account %s", i.Name, c.meshAccount),
			Run:     func(ctx context.Context) error { return c.receiver().Accept(ctx, i) },
		}))
	}
	return accepted
}

// planShares adds the step that waits for what the shares carry, and returns it; nil if
// there is nothing to wait for.
func (f *finalizing) planShares(p *plan.Plan, accepted []*plan.Step) *plan.Step {
	if f.visible && len(accepted) == 0 {
		return nil
	}
	return p.Add(plan.Step{
		Kind: plan.AwaitShare, Account: f.consumer.account, Resource: "database " + f.record.Database,
		Summary: f.waits(),
		Run:     f.await,
	}, accepted...)
}

// waits says what is waited for.
func (f *finalizing) waits() string {
	if direct(f.record) {
		return "wait until " + f.what() + " is in effect"
	}
	return "wait until " + f.what() + " of the mesh can be seen"
}

// what names what was granted.
func (f *finalizing) what() string {
	if direct(f.record) {
		return "what was shared of database " + f.record.Database
	}
	if f.record.WholeDatabase() || len(f.record.Tables) == 0 {
		return "database " + f.record.Database
	}
	return fmt.Sprintf("%s in database %s", strings.Join(f.record.Tables, ", "), f.record.Database)
}

// await waits until everything can be seen. Invitations that were late are
// accepted on the way.
func (f *finalizing) await(ctx context.Context) error {
	c := f.consumer
	shares := shareARNs(&f.record.Subscription)
	wait, begun := shareWait, time.Now()
	if len(f.record.Scope.Organizations()) > 0 {
		wait = unitWait
	}
	err := poll.Until(ctx, wait, f.what()+" of the mesh to become visible", func(ctx context.Context) (bool, error) {
		ok, err := f.look(ctx)
		if err == nil && ok && f.unshared {
			var there []string
			there, err = c.receiver().Accepted(ctx, shares)
			// One that the record names may be gone: what can be seen is imported all the same.
			ok = len(there) == len(shares) || time.Since(begun) > grantPatience
		}
		if err != nil || ok {
			return ok, err
		}
		var accepted []string
		if mayBeUnnamed(f.record) {
			accepted, err = c.receiver().AcceptOf(ctx, c.meshAccount)
		} else {
			accepted, err = c.receiver().AcceptPending(ctx, c.meshAccount, shares)
		}
		f.late = append(f.late, accepted...)
		return false, err
	})
	if err == nil {
		return nil
	}
	if !direct(f.record) && len(c.publiclyHybrid(ctx, f.record.Database)) > 0 {
		return &lakemesh.Error{Op: opFinalize, Account: c.account, Resource: f.what(), Kind: lakemesh.ErrAccessDenied, Err: err,
			Message: "it cannot be seen, and tables of the database are in hybrid access mode: this account may not be opted in",
			Hint:    "let an administrator of mesh account " + c.meshAccount + " opt it in, and import it again", Do: []lakemesh.Call{lakemesh.Do("admin.OptIn")}}
	}
	if units := f.record.Scope.Organizations(); len(units) > 0 && ctx.Err() == nil {
		to := strings.Join(units, ", ")
		return &lakemesh.Error{Op: opFinalize, Account: c.account, Resource: "subscription " + f.record.ID, Kind: lakemesh.ErrAccessDenied, Err: err,
			Message: fmt.Sprintf("it was granted to every account of %s, and account %s is not shown %s", to, c.account, f.what()),
			Hint: "see in the management account of the organization whether the account is in it, and whether sharing within the organization is on (aws ram enable-sharing-with-aws-organization); " +
				"import it again then, or ask for access for the account alone"}
	}
	return identity.Explain(opFinalize, c.account, f.what(), err)
}

// createLink makes the link. Somebody who was faster is fine if it is the same.
func (f *finalizing) createLink(ctx context.Context) error {
	c := f.consumer
	err := c.own.CreateDatabase(ctx, catalog.DatabaseLink(f.link, c.meshAccount, strings.ToLower(f.record.Database)), nil)
	if errors.Is(err, catalog.ErrExists) {
		if err := f.lookForLink(ctx); err != nil || f.linked {
			return err
		}
	}
	return identity.Explain(opFinalize, c.account, "database "+f.link, err)
}
