package producer

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// extensions are the decisions by which subscriptions to a whole database come to
// cover the tables that are in it now, and those to a group what belongs to that: of a group
// Lake Formation shows new tables by itself, and their databases and places have to be opened.
//
// left are published tables that may have left groups.
func (p *Producer) extensions(ctx context.Context, op, database string, left ...catalog.TableName) ([]*extension, error) {
	records, err := p.records.OwnedActive(ctx, p.account, func(r *tracker.Record) bool {
		return (r.Words.Whole && r.Database == database || !r.Group.IsZero()) && extendable(r)
	})
	if err != nil {
		return nil, err
	}
	all := make([]*extension, len(records))
	for i, r := range records {
		all[i] = &extension{subscriber: r.Subscriber, group: !r.Group.IsZero(), to: cmp.Or(r.Group.String(), "the whole database"), decision: p.extensionOf(op, r, left...)}
	}
	return all, nil
}

// extensionOf is the decision that extends a subscription.
func (p *Producer) extensionOf(op string, r *tracker.Record, left ...catalog.TableName) *decision {
	return &decision{op: op, action: lakemesh.ActionUpdate, id: r.ID, extends: true,
		shrinks: len(left) > 0 && !r.Group.IsZero(), left: left,
		// The permissions stay as they are, whatever they are by then.
		terms: func(r *tracker.Record) (terms, error) {
			if !extendable(r) {
				return terms{}, errNothingToDecide
			}
			return asDecided(r), nil
		}}
}

// extension is the decision by which a subscription covers more tables.
type extension struct {
	*decision

	subscriber string
	// to says what the subscription is on.
	to string
	// group tells that it is on a domain or a data product.
	group bool
}

// extendable reports whether a subscription needs new tables. One that is being deleted
// does not, and neither does one that is over. One that is being updated may not have seen the new ones, and one whose
// extension was left unfinished has to be finished.
func extendable(r *tracker.Record) bool {
	return r.Status == lakemesh.Active && !r.Over && !r.Leaving && (r.Claim == nil || r.Claim.Action != lakemesh.ActionDelete)
}

// claimPatience is how long an extension waits for somebody else's decision on the
// subscription: longer than one lasts whose program was killed.
const claimPatience = 2 * time.Minute

// extendSubscriptions carries the extensions out. A subscription that covers
// everything already costs no write.
func (p *Producer) extendSubscriptions(ctx context.Context, op, database string, left ...catalog.TableName) error {
	all, err := p.extensions(ctx, op, database, left...)
	if err != nil {
		return err
	}
	return p.extendAll(ctx, all)
}

// shrinkGroups has subscriptions to groups give no more than there is, after tables were taken
// out of the mesh.
func (p *Producer) shrinkGroups(ctx context.Context, op string) error {
	all, err := p.extensions(ctx, op, "")
	if err != nil {
		return err
	}
	for _, d := range all {
		d.shrinks = true
	}
	return p.extendAll(ctx, all)
}

func (p *Producer) extendAll(ctx context.Context, all []*extension) error {
	var failed []error
	for _, d := range all {
		if err := p.extend(ctx, d.decision); err != nil && !errors.Is(err, lakemesh.ErrIllegalTransition) {
			// Only a subscription that ended in the meantime needs nothing.
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// extend carries an extension out, after the decision on the subscription that is
// under way, if there is one.
func (p *Producer) extend(ctx context.Context, d *decision) error {
	return poll.Until(ctx, claimPatience, "the end of another decision on subscription "+d.id, func(ctx context.Context) (bool, error) {
		err := p.decide(ctx, d)
		if claimed, ok := errors.AsType[*lakemesh.ClaimedError](err); ok && !claimed.Expired {
			return false, poll.NotYet(claimed)
		}
		return true, err
	})
}

// planExtensions tells which subscriptions will be extended to tables that are yet
// to be published.
func (p *Producer) planExtensions(ctx context.Context, todo *plan.Plan, database string) error {
	if todo.Count(plan.CreateTable)+todo.Count(plan.AssignTag) == 0 {
		return nil
	}
	all, err := p.extensions(ctx, todo.Operation, database)
	if err != nil {
		return err
	}
	for _, d := range all {
		summary := "extend the subscription of account " + d.subscriber + " to " + d.to + " (" + d.id + ") to the new tables"
		if d.group {
			// Tables come to it, and leave it.
			summary = "bring the subscription of account " + d.subscriber + " to " + d.to + " (" + d.id + ") up to date with the tables that are in it then"
		}
		todo.Add(plan.Step{Kind: plan.Grant, Account: p.meshAccount, Resource: "database " + database, Summary: summary,
			Run: func(ctx context.Context) error { return p.extendSubscriptions(ctx, d.op, database) }}, todo.Steps...)
	}
	return nil
}
