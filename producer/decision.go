package producer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// decision is one decision on a subscription, as it was asked for: what its terms shall
// be.
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
	// extends tells that publishing made the decision, so that a subscription covers what
	// is in its database now. It mends nothing else.
	extends bool
	// shrinks tells that tables may have left the group that the subscription is on, left are
	// those of them that are still published: what nobody reads any more is closed.
	shrinks bool
	left    []catalog.TableName
	// repairs tells that a repair made the decision, which nobody has looked at: it shows no
	// column that was not shown.
	repairs bool
}

// terms are permissions that a consumer holds, what of them it may hand on, until when (the
// zero time is no end), and what they are narrowed to.
type terms struct {
	permitted, grantable lakemesh.Permissions
	until                time.Time
	scope                lakemesh.Scope
}

// given is what the terms give while they hold.
func (t terms) given() tracker.Given {
	return tracker.Given{Permitted: t.permitted, Grantable: t.grantable, Scope: t.scope}
}

// asDecided are the terms that a record says.
func asDecided(r *tracker.Record) terms { return terms{r.Permitted, r.Grantable, r.Until, r.Scope} }

// errNothingToDecide says that a decision is not needed any more.
var errNothingToDecide = errors.New("nothing to decide")

// decide carries a decision out. Every decision takes this way:
//
//	load -> check -> observe -> decide -> take the owner's lease -> claim -> apply -> record
//
// The first four only read, and are called looking. If somebody else decided between the
// look and the lease, or left a decision unfinished, the lease's holder looks again.
//
// Nothing is granted or revoked before the claim, and the record says what was
// decided only after all of it was done. Whatever ends the program in between
// leaves a claimed record, which the same decision carries on from.
//
// What belongs to a group is looked at again after it was approved; see [Producer.growSince].
func (p *Producer) decide(ctx context.Context, d *decision) error {
	l, err := p.look(ctx, d, false)
	if err != nil {
		p.mirrorAgain(ctx, l, err)
		return unlessNothing(err)
	}
	if l.idle() {
		p.mirrorOf(ctx, l.record)
		return nil
	}
	if l, err = p.carryOut(ctx, d, l); err != nil {
		return unlessNothing(err)
	}
	return p.growSince(ctx, l)
}

// carryOut carries a decision out that was looked at. It returns what it came to.
func (p *Producer) carryOut(ctx context.Context, d *decision, l *looked) (_ *looked, err error) {
	lease, kept, err := p.records.Acquire(ctx, p.account, d.id, d.action)
	if err != nil {
		return nil, err
	}
	var mirrored sync.WaitGroup
	defer func() {
		if failed := lease.Release(ctx); failed != nil {
			// What was decided stands, and the lease runs out by itself.
			p.log.WarnContext(ctx, "could not give the lease back", "error", failed)
		}
		mirrored.Wait()
	}()
	if l.plan == nil || !lease.Undisturbed(l.loaded) {
		if l, err = p.look(kept, d, true); err != nil {
			return nil, p.lost(kept, err)
		}
	}

	held, err := lease.Claim(kept, l.record, l.ledger, l.carriedOut(), l.change.foreign, l.change.regrants)
	if err != nil {
		return nil, p.lost(kept, err)
	}
	if l.action == lakemesh.ActionApprove && l.record.Claim == nil {
		if err := p.unlessWithdrawn(kept, held); err != nil {
			return nil, p.lost(kept, err)
		}
	}
	if err := p.apply(kept, l.plan); err != nil {
		if partial, ok := errors.AsType[*lakemesh.PartialError](err); ok && d.action != lakemesh.ActionAbort {
			partial.TakeBack = new(lakemesh.Do("producer.AbortDecision", "SubscriptionID", d.id))
		}
		return nil, p.lost(kept, err)
	}
	outcome, err := p.outcome(kept, l)
	if err != nil {
		return nil, p.lost(kept, identity.Explain(d.op, p.meshAccount, "subscription "+d.id, err))
	}
	if err := held.Finish(kept, outcome); err != nil {
		return nil, err
	}
	mirrored.Go(func() { p.mirror(ctx, l.record, outcome) })
	p.log.InfoContext(ctx, "decided", "operation", d.op, "subscription", d.id, "status", outcome.Status)
	return l, nil
}

// looked is a decision with all that was found out about it.
type looked struct {
	*considered

	// change is what the decision does, and plan the steps of that. They are nil if it was
	// not looked at them, because another decision is under way.
	change *change
	plan   *plan.Plan
}

// look finds out what a decision would do now. Who holds no lease leaves a subscription
// alone on which a decision is under way: its program may be at work.
func (p *Producer) look(ctx context.Context, d *decision, leased bool) (*looked, error) {
	l := &looked{}
	var err error
	if l.considered, err = p.consider(ctx, d); err != nil || l.record.Claim != nil && !leased {
		return l, err
	}
	if err := tracker.Claimable(l.record, l.claim()); err != nil {
		return l, err
	}
	found, err := p.observe(ctx, l.considered)
	if err == nil {
		l.change, err = p.changes(l.considered, found)
	}
	if err == nil {
		l.plan, err = p.steps(ctx, l.considered, found, l.change)
	}
	if err != nil {
		return l, identity.Explain(d.op, p.meshAccount, "subscription "+d.id, err)
	}
	return l, expected(d, l.plan)
}

// idle reports whether a decision changes nothing and says nothing new: an update to
// what already holds. Then nothing is written at all.
func (l *looked) idle() bool {
	r := l.record
	return l.action == lakemesh.ActionUpdate && l.plan != nil && l.plan.Empty() && (l.notes == "" || slices.Contains(r.Notes, l.notes)) && l.unchanged()
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
	l, err := p.look(ctx, d, true)
	if err != nil {
		return nil, p.atWork(ctx, err)
	}
	todo := l.plan.Preview()
	if todo.Empty() && !l.idle() {
		// Nothing is granted or revoked by it, and it is a decision all the same.
		todo.Add(plan.Step{Kind: plan.Record, Account: p.meshAccount, Resource: "subscription " + d.id, Summary: l.recorded()})
	}
	return todo, nil
}

// recorded says what is recorded in the end.
func (l *looked) recorded() string {
	text := fmt.Sprintf("record subscription %s as %s", l.id, l.action.Target())
	if l.action == lakemesh.ActionAbort {
		text = "record subscription " + l.id + " as it was before"
	}
	if !l.until.IsZero() {
		text += ", until " + lakemesh.FormatTime(l.until)
	}
	return text
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
	// loaded is all of that, as it was read; now is when.
	loaded *tracker.Loaded
	now    time.Time
}

// consider reads the record and the pair's ledger, and works out what the consumer
// shall hold.
func (p *Producer) consider(ctx context.Context, d *decision) (*considered, error) {
	c := &considered{decision: d, now: p.now()}
	var err error
	if c.loaded, err = p.load(ctx, d.op, d.id); err != nil {
		return c, err
	}
	c.record, c.ledger = c.loaded.Record, c.loaded.Ledger
	p.endsScheduled.Store(c.loaded.EndsScheduled)
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
	claim := lakemesh.Claim{Action: c.action, Permissions: c.permitted, Grantable: c.grantable, Until: c.until, Scope: c.scope, Notes: c.notes}
	if taken := c.record.Claim; c.action == lakemesh.ActionAbort && taken != nil {
		// By its end is known when that is over which was taken back half way.
		claim.Permissions, claim.Grantable, claim.Until, claim.Scope = taken.Permissions, taken.Grantable, taken.Until, taken.Scope
	}
	return claim
}

// carriedOut is the claim with the databases that the decision comes to, beside those that one
// which was left unfinished may have come to: tables of a group can have left them when
// it is carried on or taken back.
func (l *looked) carriedOut() lakemesh.Claim {
	claim := l.claim()
	if claim.Databases = slices.Clone(l.change.databases); l.record.Claim != nil {
		claim.Databases = append(claim.Databases, l.record.Claim.Databases...)
	}
	slices.Sort(claim.Databases)
	claim.Databases = slices.Compact(claim.Databases)
	return claim
}

// before is what the subscription justified until now, by its record and by a
// decision that was left unfinished: what was granted under a claim counts.
// The two can be narrowed to different things.
func (c *considered) before() []tracker.Given { return c.record.MayHold() }

// gaveBefore reports whether something given before satisfies a condition.
func (c *considered) gaveBefore(is func(tracker.Given) bool) bool {
	return slices.ContainsFunc(c.before(), is)
}

// givesMore reports whether the terms may give something that was not given before.
func (c *considered) givesMore() bool {
	return len(c.permitted) > 0 && !c.gaveBefore(func(g tracker.Given) bool {
		return c.permitted.SubsetOf(g.Permitted) && c.grantable.SubsetOf(g.Grantable) && c.scope.Equal(g.Scope)
	})
}

// unchanged reports whether the terms stay as they are, and no decision is under way.
func (c *considered) unchanged() bool {
	return c.record.Claim == nil && c.record.Status == lakemesh.Active && c.record.Permitted.Equal(c.permitted) && c.record.Grantable.Equal(c.grantable) && c.record.Until.Equal(c.until) && c.record.Scope.Equal(c.scope)
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

// mirrorAgain completes a decision that was recorded by a program which ended before it
// was mirrored: the same decision again finds that it was made.
func (p *Producer) mirrorAgain(ctx context.Context, l *looked, err error) {
	if l.record != nil && errors.Is(err, lakemesh.ErrIllegalTransition) {
		p.mirrorOf(ctx, l.record)
	}
}

// mirrorOf lets the original library read what stands decided, if it reads something
// else.
func (p *Producer) mirrorOf(ctx context.Context, r *tracker.Record) {
	if !r.Mirrored() {
		p.mirror(ctx, r, tracker.Outcome{Status: r.Status, Permitted: r.Permitted, Grantable: r.Grantable, Until: r.Until, Scope: r.Scope, TableARNs: r.TableARNs, RAMShares: r.RAMShares})
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
func (p *Producer) outcome(ctx context.Context, l *looked) (tracker.Outcome, error) {
	c := l.considered
	o := tracker.Outcome{Status: c.action.Target(), Permitted: c.permitted, Grantable: c.grantable, Until: c.until, Scope: c.scope, Reason: c.notes,
		Aborted: c.action == lakemesh.ActionAbort}
	if o.Aborted {
		o.Status = c.record.Status
	}
	if len(c.permitted) == 0 {
		return o, nil
	}
	o.TableARNs = p.tableARNs(c.record)
	if !c.record.Group.IsZero() {
		o.TableARNs = p.databaseARNs(l.change.databases)
	}
	var err error
	o.RAMShares, err = l.change.shared.find(ctx)
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

// databaseARNs are the ARNs of databases in the mesh.
func (p *Producer) databaseARNs(names []string) []string {
	arns := make([]string, len(names))
	for i, name := range names {
		arns[i] = p.partition.DatabaseARN(p.region, p.meshAccount, name)
	}
	return arns
}

// tableARNs are the ARNs of a subscription's tables in the mesh; a whole database
// is written with a wildcard.
func (p *Producer) tableARNs(r *tracker.Record) []string {
	if r.Words.Whole {
		return []string{p.partition.TableARN(p.region, p.meshAccount, r.Database, "*")}
	}
	arns := make([]string, len(r.Tables))
	for i, t := range r.Tables {
		arns[i] = p.partition.TableARN(p.region, p.meshAccount, r.Database, strings.ToLower(t))
	}
	return arns
}
