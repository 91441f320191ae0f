package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/plan"
)

const opDisable = "DisableAccount"

// DisableInput says which account stops being what.
type DisableInput struct {
	// AccountID is the account.
	AccountID string
	// Type is what it stops being.
	Type AccountType
}

// enabling is what enables the account again.
func (in DisableInput) enabling() lakemesh.Call {
	if in.Type == Consumer {
		return lakemesh.Do("admin.EnableAccountAsConsumer", "AccountID", in.AccountID)
	}
	return lakemesh.Do("admin.EnableAccountAsProducer", "AccountID", in.AccountID)
}

// DisableOutput is what was taken from an account.
type DisableOutput struct {
	// AccountID is the account.
	AccountID string `json:"AccountId"`
	// Removed is what was removed, step by step, in words.
	Removed []string `json:"Removed"`
	// Warnings are what was left, and why.
	Warnings []string `json:"-"`
}

// DisableAccount takes from the mesh account what [Admin.EnableAccountAsProducer] and
// [Admin.EnableAccountAsConsumer] made in it: the account's roles, what they hold, the
// registrations of locations with them, the account's own LF-tags, and that it is recorded
// as a member. The account's own half is [Admin.ClearAccount].
//
// It is refused, with [lakemesh.ErrIllegalTransition], while the account has products, or
// subscriptions that are active or being decided on, on either side: the error says what
// ends them. Requests that nobody decided on keep it from nothing, and ended subscriptions
// stay in the records. It is safe to repeat.
func (a *Admin) DisableAccount(ctx context.Context, in DisableInput) (*DisableOutput, error) {
	p, err := a.PlanDisableAccount(ctx, in)
	if err != nil {
		return nil, err
	}
	return a.carryOut(ctx, in.AccountID, p)
}

// carryOut carries plans out by which an account loses something.
func (a *Admin) carryOut(ctx context.Context, account string, plans ...*plan.Plan) (*DisableOutput, error) {
	out := &DisableOutput{AccountID: account, Removed: []string{}}
	for _, p := range plans {
		out.Warnings = append(out.Warnings, p.Warnings...)
		if err := a.apply(ctx, p); err != nil {
			return out, err
		}
		for _, s := range p.Steps {
			out.Removed = append(out.Removed, s.Summary)
		}
	}
	return out, nil
}

// PlanDisableAccount says what [Admin.DisableAccount] would do.
func (a *Admin) PlanDisableAccount(ctx context.Context, in DisableInput) (*plan.Plan, error) {
	if err := a.checkEnable(opDisable, in.AccountID); err != nil {
		return nil, err
	}
	var err error
	if in.Type, err = ParseAccountType(string(in.Type)); err != nil {
		return nil, err
	}
	mesh, err := a.observeEnabling(ctx, opDisable)
	if err != nil {
		return nil, err
	}
	d := &disabling{Admin: a, in: in, members: mesh}
	if err := d.observe(ctx); err != nil {
		return nil, err
	}
	if err := d.refuse(ctx); err != nil {
		return nil, err
	}
	return d.plan(), nil
}

// disabling is what is known of an account that stops being a producer or a consumer.
type disabling struct {
	*Admin
	in      DisableInput
	members members
	// producer, reader and consumer are the account's roles in the mesh account. Those that
	// stay are not looked at.
	producer, reader, consumer *foundRole
	// ender is what ends the grants of a producer that leaves; nil if nothing does.
	ender *ender
	// holdings are all that is granted in the mesh account.
	holdings *permissions.Holdings
	// locations are those that are registered with the reader.
	locations []string
	tags      []leavingTag
	// unanswered are requests that nobody has decided on, of the account and to it.
	unanswered []string
	// untaken are subscriptions of which owners say that the account has them, and which it
	// neither asked for nor imported.
	untaken []string
}

// leaves reports whether the account stops being of the kind.
func (d *disabling) leaves(kind AccountType) bool { return d.in.Type == kind || d.in.Type == Both }

// observe reads what there is of the account in the mesh account.
func (d *disabling) observe(ctx context.Context) error {
	if err := d.seesGrants(ctx, opDisable); err != nil {
		return err
	}
	none := &foundRole{}
	d.producer, d.reader, d.consumer = none, none, none
	g, gctx := errgroup.WithContext(ctx)
	read := func(into **foundRole, name string) {
		g.Go(func() (err error) { *into, err = d.observeOurRole(gctx, opDisable, name); return err })
	}
	if d.leaves(Consumer) {
		read(&d.consumer, lakemesh.MeshConsumerRole(d.in.AccountID))
	}
	if d.leaves(Producer) {
		read(&d.producer, lakemesh.MeshProducerRole(d.in.AccountID))
		read(&d.reader, lakemesh.DataAccessRole(d.in.AccountID))
		g.Go(func() (err error) { d.ender, err = d.observeEnder(gctx, d.members, d.in.AccountID); return err })
		g.Go(func() error {
			locations, err := d.permissions().Locations(gctx)
			for _, l := range locations {
				if l.Role == d.partition.RoleARN(d.mesh, lakemesh.DataAccessRole(d.in.AccountID)) {
					d.locations = append(d.locations, l.ARN)
				}
			}
			return d.explainLake("ListResources", err)
		})
	}
	g.Go(func() (err error) {
		d.holdings, err = d.permissions().Holdings(gctx)
		return d.explainLake("ListPermissions", err)
	})
	if err := g.Wait(); err != nil {
		return err
	}
	if !d.leaves(Producer) {
		return nil
	}
	var err error
	d.tags, err = d.observeLeavingTags(ctx, d.holdings, ownerTags(d.in.AccountID), d.going()...)
	return err
}

// explainLake words an error of Lake Formation.
func (a *Admin) explainLake(op string, err error) error {
	return identity.Explain(op, a.account, "Lake Formation", err)
}

// going are the ARNs of the roles that leave, whether they are there or not.
func (d *disabling) going() []string {
	var all []string
	if d.leaves(Producer) {
		all = append(all, d.partition.RoleARN(d.mesh, lakemesh.MeshProducerRole(d.in.AccountID)), d.partition.RoleARN(d.mesh, lakemesh.DataAccessRole(d.in.AccountID)),
			d.partition.RoleARN(d.mesh, lakemesh.EndingRole(d.in.AccountID)))
	}
	if d.leaves(Consumer) {
		all = append(all, d.partition.RoleARN(d.mesh, lakemesh.MeshConsumerRole(d.in.AccountID)))
	}
	return all
}

// plan takes the rights of the roles away, looks once more that nothing has begun in the
// meantime, and then removes what they hold, and them.
func (d *disabling) plan() *plan.Plan {
	p := &plan.Plan{Operation: opDisable}
	if len(d.unanswered) > 0 {
		p.Warn("requests on which nobody has decided go unanswered: %s", some(d.unanswered))
	}
	if len(d.untaken) > 0 {
		p.Warn("what owners granted by hand to account %s, and recorded as its subscriptions, stays granted until they end it: %s", d.in.AccountID, some(d.untaken))
	}
	if all := d.byHand(); len(all) > 0 {
		p.Warn("stays, because it was granted by hand: %s; who granted it can revoke it", some(all))
	}
	closed := d.planClosing(p)
	batches := d.permissions().Batches()
	var ended []*plan.Step
	for _, role := range d.going() {
		entries, rest := d.holdings.Of(role)
		for _, e := range entries {
			ended = append(ended, batches.Revoke(p, e, closed)...)
		}
		for _, row := range rest {
			ended = append(ended, batches.RevokeRow(p, row, closed))
		}
	}
	before := append([]*plan.Step{closed}, ended...)
	for _, arn := range d.locations {
		ended = append(ended, p.Add(plan.Step{Kind: plan.Deregister, Account: d.mesh, Resource: "location " + arn, Summary: "take the registration of location " + arn + " back",
			Run: func(ctx context.Context) error {
				lake := permissions.Lake{Client: d.lake, Account: d.mesh}
				return d.explainLake("DeregisterResource", lake.Deregister(ctx, arn))
			}}, before...))
	}
	ended = append(ended, d.planTagRemovals(p, batches, d.tags, before...)...)
	for _, key := range keysOf(d.reader.policy) {
		p.Warn("the policy of key %s may still have the statement that lets %s decrypt: lakemesh writes no key policies, and the key's administrator can take it out", key, lakemesh.DataAccessRole(d.in.AccountID))
	}
	last := append([]*plan.Step{closed}, ended...)
	for _, r := range []struct {
		found *foundRole
		name  string
	}{
		{d.producer, lakemesh.MeshProducerRole(d.in.AccountID)}, {d.reader, lakemesh.DataAccessRole(d.in.AccountID)}, {d.consumer, lakemesh.MeshConsumerRole(d.in.AccountID)},
	} {
		if step := d.planRoleRemoval(p, r.name, r.found, ended...); step != nil {
			last = append(last, step)
		}
	}
	if d.ender != nil {
		last = append(last, d.planNoEnder(p, d.members, d.in.AccountID, d.ender, ended...)...)
	}
	// Last: whoever is recorded as a member may still have something.
	for _, kind := range []AccountType{Producer, Consumer} {
		if d.leaves(kind) {
			d.planNoMember(p, d.members, kind, d.in.AccountID, last...)
		}
	}
	return p
}

// planClosing adds the step after which the account can do nothing in the mesh any more,
// or returns nil if it cannot already.
func (d *disabling) planClosing(p *plan.Plan) *plan.Step {
	var names []string
	for name, found := range map[string]*foundRole{lakemesh.MeshProducerRole(d.in.AccountID): d.producer, lakemesh.MeshConsumerRole(d.in.AccountID): d.consumer} {
		if found.policy != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		return nil
	}
	return p.Add(plan.Step{Kind: plan.UpdateRole, Account: d.mesh, Resource: "role " + names[0],
		Summary: fmt.Sprintf("take all rights from %s, and look once more that nothing was begun", strings.Join(names, ", ")),
		Run: func(ctx context.Context) error {
			for _, name := range names {
				if _, err := d.removeInline(ctx, name, inlinePolicy); err != nil {
					return err
				}
			}
			// What the account did between the look and now. From here on it does nothing.
			var err error
			if d.holdings, err = d.permissions().Holdings(ctx); err != nil {
				return d.explainLake("ListPermissions", err)
			}
			if err := d.refuse(ctx); err != nil {
				return fmt.Errorf("something was begun in the meantime; enable the account again (%s), end it, and then disable the account: %w", d.in.enabling(), err)
			}
			return nil
		}})
}
