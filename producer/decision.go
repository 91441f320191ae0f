package producer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// decision is one decision on a subscription, as it was asked for.
type decision struct {
	op     string
	action lakemesh.Action
	id     string
	notes  string
	// expect is the digest of the plan that was shown, or empty.
	expect string
	// terms are what the consumer shall hold by the subscription afterwards, by the
	// record as it is; or why the decision cannot be made on it.
	terms func(*tracker.Record) (terms, error)
}

// terms are permissions that a consumer holds, and what of them it may hand on.
type terms struct {
	permitted, grantable lakemesh.Permissions
}

// errNothingToDecide says that a decision is not needed any more.
var errNothingToDecide = errors.New("nothing to decide")

// decide carries a decision out. Every decision takes this way:
//
//	load -> check -> take the owner's lease -> load again -> observe -> plan ->
//	claim -> apply -> record
//
// Nothing is granted or revoked before the claim, and the record says what was
// decided only after all of it was done. Whatever ends the program in between
// leaves a claimed record, which the same decision carries on from.
func (p *Producer) decide(ctx context.Context, d *decision) error {
	c, err := p.consider(ctx, d)
	if err != nil {
		p.mirrorAgain(ctx, c, err)
		return unlessNothing(err)
	}
	if idle, err := p.idle(ctx, c); idle || err != nil {
		return err
	}

	lease, kept, err := p.records.Acquire(ctx, p.account, d.id, d.action)
	if err != nil {
		return err
	}
	var mirrored sync.WaitGroup
	defer func() {
		if failed := lease.Release(ctx); failed != nil {
			// What was decided stands, and the lease runs out by itself.
			p.log.WarnContext(ctx, "could not give the lease back", "error", failed)
		}
		mirrored.Wait()
	}()

	if !lease.Undisturbed(c.loaded) {
		// Another decision was carried out while this one was looked at, or waited.
		if c, err = p.consider(kept, d); err != nil {
			return unlessNothing(err)
		}
	}
	if err := tracker.Claimable(c.record, c.claim()); err != nil {
		return err
	}
	found, err := p.observe(kept, c)
	if err != nil {
		return p.lost(kept, identity.Explain(d.op, p.meshAccount, "subscription "+d.id, err))
	}
	change, err := p.plan(kept, c, found)
	if err != nil {
		return identity.Explain(d.op, p.meshAccount, "subscription "+d.id, err)
	}
	if err := expected(d, change.plan); err != nil {
		return err
	}

	held, err := lease.Claim(kept, c.record, c.ledger, c.claim(), change.foreign, change.regrants)
	if err != nil {
		return p.lost(kept, err)
	}
	if c.action == lakemesh.ActionApprove && c.record.Claim == nil {
		if err := p.unlessWithdrawn(kept, held); err != nil {
			return p.lost(kept, err)
		}
	}
	if err := p.apply(kept, change.plan); err != nil {
		return p.lost(kept, err)
	}
	outcome, err := p.outcome(kept, c, change)
	if err != nil {
		return p.lost(kept, identity.Explain(d.op, p.meshAccount, "subscription "+d.id, err))
	}
	if err := held.Finish(kept, outcome); err != nil {
		return err
	}
	mirrored.Go(func() { p.mirror(ctx, c.record, outcome) })
	p.log.InfoContext(ctx, "decided", "operation", d.op, "subscription", d.id, "status", outcome.Status)
	return nil
}

// unlessWithdrawn takes an approval back that was claimed while the consumer took its
// request back. Nothing was granted yet.
func (p *Producer) unlessWithdrawn(ctx context.Context, held *tracker.Held) error {
	withdrawn, err := held.Withdrawn(ctx)
	if err != nil || !withdrawn {
		return err
	}
	err = held.Finish(ctx, tracker.Outcome{Status: lakemesh.Pending, Aborted: true, Reason: "the consumer has taken the request back"})
	return errors.Join(lakemesh.ActionApprove.Check(held.Record.ID, lakemesh.Deleted), err)
}

// preview tells what a decision would do. It changes nothing, and what it returns
// cannot be applied: that would be a grant without a claim and a record.
func (p *Producer) preview(ctx context.Context, d *decision) (*plan.Plan, error) {
	c, err := p.consider(ctx, d)
	if err != nil {
		return nil, err
	}
	if err := tracker.Claimable(c.record, c.claim()); err != nil {
		return nil, p.atWork(ctx, err)
	}
	found, err := p.observe(ctx, c)
	if err != nil {
		return nil, identity.Explain(d.op, p.meshAccount, "subscription "+d.id, err)
	}
	change, err := p.plan(ctx, c, found)
	if err != nil {
		return nil, identity.Explain(d.op, p.meshAccount, "subscription "+d.id, err)
	}
	if err := expected(d, change.plan); err != nil {
		return nil, err
	}
	return change.plan.Preview(), nil
}

// atWork says of a decision that holds a record whether its program is at work on it,
// as far as the owner's lease tells.
func (p *Producer) atWork(ctx context.Context, err error) error {
	claimed, ok := errors.AsType[*lakemesh.ClaimedError](err)
	if !ok {
		return err
	}
	on, failed := p.records.AtWork(ctx, p.account)
	if failed != nil {
		return errors.Join(err, failed)
	}
	claimed.Expired = on != claimed.SubscriptionID
	return claimed
}

// considered is a decision with the record that it is about, as it was read.
type considered struct {
	*decision
	terms

	record *tracker.Record
	ledger tracker.Ledger
	// loaded is all of that, as it was read.
	loaded *tracker.Loaded
}

// consider reads the record and the pair's ledger, and works out what the consumer
// shall hold.
func (p *Producer) consider(ctx context.Context, d *decision) (*considered, error) {
	c := &considered{decision: d}
	var err error
	if c.loaded, err = p.load(ctx, d.op, d.id); err != nil {
		return c, err
	}
	c.record, c.ledger = c.loaded.Record, c.loaded.Ledger
	if c.record.Claim == nil {
		// Legality comes before what is wrong with the input: a request that was decided
		// on is nothing to name permissions for.
		if err := tracker.Claimable(c.record, lakemesh.Claim{Action: d.action}); err != nil {
			return c, err
		}
	}
	c.terms, err = d.terms(c.record)
	return c, err
}

// claim is the claim that the decision is made under. Taking a decision back goes
// on naming what that one may have granted: whoever has to finish the abortion
// needs to know.
func (c *considered) claim() lakemesh.Claim {
	claim := lakemesh.Claim{Action: c.action, Permissions: c.permitted, Grantable: c.grantable, Notes: c.notes}
	if c.action == lakemesh.ActionAbort {
		before := c.before()
		claim.Permissions, claim.Grantable = before.permitted, before.grantable
	}
	return claim
}

// before is what the subscription justified until now, by its record and by a
// decision that was left unfinished: what was granted under a claim counts.
func (c *considered) before() terms {
	var t terms
	if c.record.Status == lakemesh.Active {
		t = terms{c.record.Permitted, c.record.Grantable}
	}
	if claim := c.record.Claim; claim != nil {
		t = terms{t.permitted.Union(claim.Permissions), t.grantable.Union(claim.Grantable)}
	}
	return t
}

// load reads a subscription with what decisions on it depend on, and checks that it is
// this producer's.
func (p *Producer) load(ctx context.Context, op, id string) (*tracker.Loaded, error) {
	owner, _, legacy, err := lakemesh.ParseSubscriptionID(id)
	if err != nil {
		return nil, err
	}
	if !legacy && owner != p.account {
		return nil, p.foreign(op, id, owner)
	}
	return p.records.Load(ctx, id)
}

func (p *Producer) foreign(op, id, owner string) error {
	return &lakemesh.Error{Op: op, Account: p.meshAccount, Resource: "subscription " + id, Kind: lakemesh.ErrWrongAccount,
		Message: fmt.Sprintf("it belongs to account %s, and this producer is account %s", owner, p.account),
		Hint:    "use the credentials of the account that owns the product"}
}

// idle reports whether a decision changes nothing and says nothing new: an update to
// what already holds. Then nothing is written at all.
func (p *Producer) idle(ctx context.Context, c *considered) (bool, error) {
	r := c.record
	if c.action != lakemesh.ActionUpdate || r.Claim != nil || c.notes != "" && !slices.Contains(r.Notes, c.notes) ||
		!r.Permitted.Equal(c.permitted) || !r.Grantable.Equal(c.grantable) {
		return false, nil
	}
	found, err := p.observe(ctx, c)
	if err != nil {
		return false, identity.Explain(c.op, p.meshAccount, "subscription "+r.ID, err)
	}
	change, err := p.plan(ctx, c, found)
	if err != nil {
		return false, identity.Explain(c.op, p.meshAccount, "subscription "+r.ID, err)
	}
	if !change.plan.Empty() {
		return false, nil
	}
	if err := expected(c.decision, change.plan); err != nil {
		return false, err
	}
	p.mirrorOf(ctx, r)
	return true, nil
}

// mirrorAgain completes a decision that was recorded by a program which ended before it
// was mirrored: the same decision again finds that it was made.
func (p *Producer) mirrorAgain(ctx context.Context, c *considered, err error) {
	if c.record != nil && errors.Is(err, lakemesh.ErrIllegalTransition) {
		p.mirrorOf(ctx, c.record)
	}
}

// mirrorOf lets the original library read what stands decided, if it reads something
// else.
func (p *Producer) mirrorOf(ctx context.Context, r *tracker.Record) {
	if !r.Mirrored() {
		p.mirror(ctx, r, tracker.Outcome{Status: r.Status, Permitted: r.Permitted, Grantable: r.Grantable, TableARNs: r.TableARNs, RAMShares: r.RAMShares})
	}
}

// expected refuses a plan that is not the one which was shown.
func expected(d *decision, todo *plan.Plan) error {
	if d.expect == "" || strings.EqualFold(d.expect, todo.Digest) {
		return nil
	}
	return &lakemesh.Error{Op: d.op, Resource: "subscription " + d.id, Kind: lakemesh.ErrChanged,
		Message: fmt.Sprintf("what would be done now (%s) is not what was shown (%s)", todo.Digest, d.expect),
		Hint:    "look at the plan again, and decide anew"}
}

// outcome is what the decision leaves on the record.
func (p *Producer) outcome(ctx context.Context, c *considered, change *change) (tracker.Outcome, error) {
	o := tracker.Outcome{Status: c.action.Target(), Permitted: c.permitted, Grantable: c.grantable, Reason: c.notes,
		Aborted: c.action == lakemesh.ActionAbort}
	if o.Aborted {
		o.Status = c.record.Status
	}
	if len(c.permitted) == 0 {
		return o, nil
	}
	o.TableARNs = p.tableARNs(c.record)
	var err error
	o.RAMShares, err = change.shared.find(ctx)
	return o, err
}

// mirror lets the original library read what was decided. The consumer can be in the
// way of that, and it decides nothing.
func (p *Producer) mirror(ctx context.Context, r *tracker.Record, o tracker.Outcome) {
	if o.Aborted {
		// Nothing was decided.
		return
	}
	if err := p.records.Mirror(ctx, r, o); err != nil {
		p.log.WarnContext(ctx, "the decision stands; the copy of it that the original library reads could not be written", "subscription", r.ID, "error", err)
	}
}

// lost adds to an error that the right to change grants was lost, if that is why the
// work stopped.
func (p *Producer) lost(ctx context.Context, err error) error {
	if !errors.Is(context.Cause(ctx), tracker.ErrLeaseLost) && !errors.Is(err, tracker.ErrLeaseLost) {
		return err
	}
	return &lakemesh.Error{Op: "Decide", Account: p.meshAccount, Resource: "decisions of account " + p.account, Kind: lakemesh.ErrClaimed,
		Message: tracker.ErrLeaseLost.Error(), Hint: "make the same decision again: it carries on where this one stopped", Err: err}
}

// unlessNothing is the error, unless that only says that nothing is to be decided.
func unlessNothing(err error) error {
	if errors.Is(err, errNothingToDecide) {
		return nil
	}
	return err
}

// tableARNs are the ARNs of a subscription's tables in the mesh; a whole database
// is written with a wildcard.
func (p *Producer) tableARNs(r *tracker.Record) []string {
	if r.Words.Whole {
		return []string{lakemesh.TableARN(p.region, p.meshAccount, r.Database, "*")}
	}
	arns := make([]string, len(r.Tables))
	for i, t := range r.Tables {
		arns[i] = lakemesh.TableARN(p.region, p.meshAccount, r.Database, strings.ToLower(t))
	}
	return arns
}

// entries are the grants of a subscription with these permissions: DESCRIBE on the
// database, which a grant on tables does not imply in another account, and the
// permissions on each resource.
func (p *Producer) entries(r *tracker.Record, on []permissions.Resource, t terms) []permissions.Entry {
	if len(t.permitted) == 0 {
		return nil
	}
	describe := lakemesh.NewPermissions(lakemesh.Describe)
	database := permissions.Entry{Principal: r.Subscriber, Resource: permissions.Database(p.meshAccount, r.Database), Permissions: describe}
	if len(t.grantable) > 0 {
		// Who may hand the tables on has to be able to hand the database on.
		database.Grantable = describe
	}
	entries := []permissions.Entry{database}
	for _, resource := range on {
		entries = append(entries, permissions.Entry{Principal: r.Subscriber, Resource: resource, Permissions: t.permitted, Grantable: t.grantable})
	}
	return entries
}
