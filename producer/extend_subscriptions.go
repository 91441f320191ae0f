package producer

import (
	"context"
	"errors"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// extensions are the decisions by which subscriptions to a whole database come to
// cover the tables that are in it now.
func (p *Producer) extensions(ctx context.Context, op, database string) ([]*decision, error) {
	subscribers, err := p.subscribers(ctx, database)
	if err != nil {
		return nil, err
	}
	records, err := p.records.OwnedActive(ctx, p.account, subscribers, func(r *tracker.Record) bool { return r.WholeDatabase() && r.Database == database })
	if err != nil {
		return nil, err
	}
	var all []*decision
	for _, r := range records {
		// One that is being deleted needs no more tables. One that is being updated may
		// not have seen the new ones, and one whose extension was left unfinished has to
		// be finished.
		ending := r.Leaving || r.Claim != nil && r.Claim.Action == lakemesh.ActionDelete
		if r.Status == lakemesh.Active && !ending {
			all = append(all, &decision{op: op, action: lakemesh.ActionUpdate, record: r, permitted: r.Permitted, grantable: r.Grantable, extends: true})
		}
	}
	return all, nil
}

// subscribers are the accounts that were granted something on a database of the
// mesh. Lake Formation tells, because the index of subscriptions can be late.
func (p *Producer) subscribers(ctx context.Context, database string) ([]string, error) {
	granted, err := p.mesh.lake.Observe(ctx, permissions.Database(p.meshAccount, database))
	if err != nil {
		return nil, err
	}
	var accounts []string
	for _, e := range granted.Entries() {
		if p.outsider(e.Principal) && lakemesh.CheckAccountID("principal", e.Principal) == nil {
			accounts = append(accounts, e.Principal)
		}
	}
	return accounts, nil
}

// claimPatience is how long an extension waits for somebody else's decision on the
// subscription: longer than one lasts whose program was killed.
const claimPatience = 2 * time.Minute

// extendSubscriptions carries the extensions out. A subscription that covers
// everything already costs no write.
func (p *Producer) extendSubscriptions(ctx context.Context, op, database string) error {
	all, err := p.extensions(ctx, op, database)
	if err != nil {
		return err
	}
	var failed []error
	for _, d := range all {
		if err := p.extend(ctx, d); err != nil && !errors.Is(err, lakemesh.ErrIllegalTransition) {
			// Only a subscription that ended in the meantime needs nothing.
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// extend carries an extension out, after the decision on the subscription that is
// under way, if there is one.
func (p *Producer) extend(ctx context.Context, d *decision) error {
	return poll.Until(ctx, claimPatience, "the end of another decision on subscription "+d.record.ID, func(ctx context.Context) (bool, error) {
		err := p.decide(ctx, d)
		var claimed *lakemesh.ClaimedError
		if !errors.As(err, &claimed) || claimed.Expired {
			return true, err
		}
		if d.record, err = p.load(ctx, d.op, d.record.ID); err != nil {
			return false, err
		}
		d.follow()
		return false, poll.NotYet(claimed)
	})
}

// planExtensions tells which subscriptions will be extended to tables that are yet
// to be published.
func (p *Producer) planExtensions(ctx context.Context, todo *plan.Plan, database string) error {
	if todo.Count(plan.CreateTable) == 0 {
		return nil
	}
	all, err := p.extensions(ctx, todo.Operation, database)
	if err != nil {
		return err
	}
	for _, d := range all {
		todo.Add(plan.Step{Kind: plan.Grant, Account: p.meshAccount, Resource: "database " + database,
			Summary: "extend the subscription of account " + d.record.Subscriber + " to the whole database (" + d.record.ID + ") to the new tables",
			Run:     func(ctx context.Context) error { return p.extendSubscriptions(ctx, d.op, database) }}, todo.Steps...)
	}
	return nil
}
