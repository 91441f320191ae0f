package producer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// A decision on a subscription takes this way, whatever it decides:
//
//	read the record -> check the transition -> take the owner's lease ->
//	observe and plan -> claim -> apply -> record
//
// Nothing is granted or revoked before the claim, and the record says what was
// decided only after all of it was done. Whatever ends the program in between
// leaves a claimed record, which the same decision carries on from.

// decision is one decision on a subscription.
type decision struct {
	op     string
	action lakemesh.Action
	record *tracker.Record
	// permitted and grantable are what the consumer shall hold by this
	// subscription afterwards.
	permitted, grantable lakemesh.Permissions
	notes                string
	// extends tells that the permissions stay as they are, whatever they are by then,
	// and cover more tables.
	extends bool
}

// follow takes an extension's permissions from the record as it is now: another
// decision may have changed them.
func (d *decision) follow() {
	if d.extends {
		d.permitted, d.grantable = d.record.Permitted, d.record.Grantable
	}
}

// before is what the subscription justified until now, by its record and by a
// decision that was left unfinished: what was granted under a claim counts.
func (d *decision) before() (permitted, grantable lakemesh.Permissions) {
	if d.record.Status == lakemesh.Active {
		permitted, grantable = d.record.Permitted, d.record.Grantable
	}
	if c := d.record.Claim; c != nil {
		permitted, grantable = permitted.Union(c.Permissions), grantable.Union(c.Grantable)
	}
	return permitted, grantable
}

// claim is the claim that the decision is made under. Taking a decision back goes
// on naming what that one may have granted: whoever has to finish the abortion
// needs to know.
func (d *decision) claim() lakemesh.Claim {
	c := lakemesh.Claim{Action: d.action, Permissions: d.permitted, Grantable: d.grantable, Notes: d.notes}
	if d.action == lakemesh.ActionAbort {
		c.Permissions, c.Grantable = d.before()
	}
	return c
}

// load reads a subscription and checks that it is this producer's.
func (p *Producer) load(ctx context.Context, op, id string) (*tracker.Record, error) {
	owner, _, legacy, err := lakemesh.ParseSubscriptionID(id)
	if err != nil {
		return nil, err
	}
	if !legacy && owner != p.account {
		return nil, p.foreign(op, id, owner)
	}
	r, err := p.records.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if r.Owner != p.account {
		return nil, p.foreign(op, id, r.Owner)
	}
	return r, nil
}

func (p *Producer) foreign(op, id, owner string) error {
	return &lakemesh.Error{Op: op, Account: p.meshAccount, Resource: "subscription " + id, Kind: lakemesh.ErrWrongAccount,
		Message: fmt.Sprintf("it belongs to account %s, and this producer is account %s", owner, p.account),
		Hint:    "use the credentials of the account that owns the product"}
}

// planDecision observes and plans without changing anything.
func (p *Producer) planDecision(ctx context.Context, d *decision) (*plan.Plan, error) {
	if err := p.records.Claimable(d.record, d.claim()); err != nil {
		return nil, err
	}
	todo, _, err := p.changes(ctx, d)
	if err != nil {
		return nil, identity.Explain(d.op, p.meshAccount, "subscription "+d.record.ID, err)
	}
	return todo, nil
}

// decide carries a decision out.
func (p *Producer) decide(ctx context.Context, d *decision) error {
	if err := p.records.Claimable(d.record, d.claim()); err != nil {
		return err
	}
	if idle, err := p.idle(ctx, d); idle || err != nil {
		return err
	}
	lease, err := p.records.Acquire(ctx, p.account)
	if err != nil {
		return err
	}
	defer func() {
		if failed := lease.Release(ctx); failed != nil {
			// What was decided stands, and the lease runs out by itself.
			p.log.WarnContext(ctx, "could not give the lease back", "error", failed)
		}
	}()
	// Another decision may have been carried out while this one waited.
	if d.record, err = p.load(ctx, d.op, d.record.ID); err != nil {
		return err
	}
	if d.follow(); d.extends && d.record.Leaving {
		return nil
	}
	if err := p.records.Claimable(d.record, d.claim()); err != nil {
		return err
	}
	todo, shared, err := p.changes(ctx, d)
	if err != nil {
		return identity.Explain(d.op, p.meshAccount, "subscription "+d.record.ID, err)
	}
	// What is revoked from the account ends what it had handed on, and what is
	// granted is yet to be handed on.
	regrants := todo.Count(plan.Revoke)+todo.Count(plan.Grant) > 0
	held, err := p.records.Claim(ctx, d.record, d.claim(), regrants)
	if err != nil {
		return err
	}
	kept, stop := lease.Keep(ctx, held)
	err = p.carryOut(kept, d, todo, shared, held)
	stop()
	if err != nil {
		// The same decision can be carried on from here at once.
		return errors.Join(err, held.LetGo(ctx))
	}
	p.log.InfoContext(ctx, "decided", "operation", d.op, "subscription", d.record.ID, "status", d.action.Target())
	return nil
}

// idle tells that a decision changes nothing and says nothing new: an update to
// what already holds. Then nothing is written at all.
func (p *Producer) idle(ctx context.Context, d *decision) (bool, error) {
	r := d.record
	if d.action != lakemesh.ActionUpdate || r.Claim != nil || d.notes != "" && !slices.Contains(r.Notes, d.notes) ||
		!r.Permitted.Equal(d.permitted) || !r.Grantable.Equal(d.grantable) {
		return false, nil
	}
	todo, _, err := p.changes(ctx, d)
	if err != nil {
		return false, identity.Explain(d.op, p.meshAccount, "subscription "+r.ID, err)
	}
	return todo.Empty(), nil
}

// carryOut applies the plan and records the decision.
func (p *Producer) carryOut(ctx context.Context, d *decision, todo *plan.Plan, shared *shared, held *tracker.Held) error {
	if err := p.apply(ctx, todo); err != nil {
		return err
	}
	outcome := tracker.Outcome{Status: d.action.Target(), Permitted: d.permitted, Grantable: d.grantable, Reason: d.notes,
		Aborted: d.action == lakemesh.ActionAbort}
	if outcome.Aborted {
		outcome.Status = d.record.Status
	}
	if len(d.permitted) > 0 {
		outcome.TableARNs = p.tableARNs(d.record)
		shares, err := shared.find(ctx)
		if err != nil {
			return identity.Explain(d.op, p.meshAccount, "subscription "+d.record.ID, err)
		}
		outcome.RAMShares = shares
	}
	return held.Finish(ctx, outcome)
}

// tableARNs are the ARNs of a subscription's tables in the mesh; a whole database
// is written with a wildcard.
func (p *Producer) tableARNs(r *tracker.Record) []string {
	if r.WholeDatabase() {
		return []string{lakemesh.TableARN(p.region, p.meshAccount, r.Database, "*")}
	}
	arns := make([]string, len(r.Tables))
	for i, t := range r.Tables {
		arns[i] = lakemesh.TableARN(p.region, p.meshAccount, r.Database, strings.ToLower(t))
	}
	return arns
}

// scope is what a subscription is on, in the terms of Lake Formation.
//
// A subscription to a whole database is one grant on all of its tables, those that
// will be made among them, where the producer's role may grant that. It seldom may:
// who creates a database does not get that right, only a data lake administrator
// can give it
// (https://docs.aws.amazon.com/lake-formation/latest/dg/implicit-permissions.html).
// Elsewhere it is a grant on each table, and publishing another table into the
// database extends the subscription.
type scope struct {
	// granted are the resources that are granted on.
	granted []permissions.Resource
	// possible are all resources that may have been granted on.
	possible []permissions.Resource
}

// scopeOf is the scope of a subscription to these tables of its database; wildcard
// tells whether the producer's role may grant on all tables at once.
func (p *Producer) scopeOf(r *tracker.Record, inDatabase []string, wildcard bool) scope {
	names := r.Tables
	if r.WholeDatabase() {
		names = inDatabase
	}
	each := make([]permissions.Resource, len(names))
	for i, t := range names {
		each[i] = permissions.Table(p.meshAccount, r.Database, t)
	}
	if !r.WholeDatabase() {
		return scope{granted: each, possible: each}
	}
	all := permissions.AllTables(p.meshAccount, r.Database)
	s := scope{granted: each, possible: append([]permissions.Resource{all}, each...)}
	if wildcard {
		s.granted = []permissions.Resource{all}
	}
	return s
}

// entries are the grants of a subscription with these permissions: DESCRIBE on the
// database, which a grant on tables does not imply in another account, and the
// permissions on each resource.
func (p *Producer) entries(r *tracker.Record, on []permissions.Resource, permitted, grantable lakemesh.Permissions) []permissions.Entry {
	if len(permitted) == 0 {
		return nil
	}
	describe := lakemesh.NewPermissions(lakemesh.Describe)
	database := permissions.Entry{Principal: r.Subscriber, Resource: permissions.Database(p.meshAccount, r.Database), Permissions: describe}
	if len(grantable) > 0 {
		// Who may hand the tables on has to be able to hand the database on.
		database.Grantable = describe
	}
	entries := []permissions.Entry{database}
	for _, resource := range on {
		entries = append(entries, permissions.Entry{Principal: r.Subscriber, Resource: resource, Permissions: permitted, Grantable: grantable})
	}
	return entries
}

// target computes what the consumer shall hold afterwards, given what it holds
// now: what this subscription alone justified goes, what others justify stays,
// what it newly justifies comes. What somebody granted by other means stays.
func target(have *permissions.Grants, before, after, others []permissions.Entry) []permissions.Entry {
	was, now, rest := permissions.NewGrants(before...), permissions.NewGrants(after...), permissions.NewGrants(others...)
	var wanted []permissions.Entry
	for _, e := range permissions.NewGrants(append(slices.Clone(before), after...)...).Entries() {
		h, b := have.Of(e.Principal, e.Resource), was.Of(e.Principal, e.Resource)
		a, o := now.Of(e.Principal, e.Resource), rest.Of(e.Principal, e.Resource)
		keep, keepGrantable := a.Permissions.Union(o.Permissions), a.Grantable.Union(o.Grantable)
		if o.Permissions.Has(lakemesh.All) {
			keep = keep.Union(b.Permissions)
		}
		held := h.Permissions.Minus(b.Permissions.Minus(keep)).Union(a.Permissions)
		grantable := h.Grantable.Minus(b.Grantable.Minus(keepGrantable)).Intersect(held).Union(a.Grantable)
		wanted = append(wanted, permissions.Entry{Principal: e.Principal, Resource: e.Resource, Permissions: held, Grantable: grantable})
	}
	return wanted
}
