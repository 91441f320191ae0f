package admin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

const opExpire = "ExpireSubscriptions"

// ExpireOutput is the output of [Admin.ExpireSubscriptions].
type ExpireOutput struct {
	// Revoked is what was revoked, in words.
	Revoked []string `json:"Revoked"`
	// Unrecorded are the subscriptions that are over and that their owners have yet to
	// record as ended, by owner.
	Unrecorded map[string][]string `json:"Unrecorded"`
	// Lost are subscriptions that came to justify something while it was revoked: their
	// owners give it again.
	Lost []string `json:"Lost"`
}

// ExpireSubscriptions revokes what the subscriptions of all owners gave whose end has
// passed, and nothing else justifies. What was granted by hand stays. Records are written by
// their owners alone, who close the prefixes of buckets as well: Unrecorded tells of which
// owners that is to be awaited; see producer.ExpireSubscriptions.
//
// A decision that moves an end is left alone, and so is what owners say of products of
// others. It is done by an administrator of the mesh account; elsewhere it is a
// [lakemesh.ErrWrongAccount].
func (a *Admin) ExpireSubscriptions(ctx context.Context) (*ExpireOutput, error) {
	e, err := a.planExpire(ctx)
	if err != nil {
		return nil, err
	}
	out := &ExpireOutput{Revoked: []string{}, Unrecorded: e.unrecorded, Lost: []string{}}
	// What can be revoked is, whatever fails.
	for _, w := range e.todo.Warnings {
		a.log.WarnContext(ctx, w, "operation", opExpire)
	}
	result, err := e.todo.Apply(ctx, plan.Settings{Concurrency: a.options.Concurrency, Progress: a.options.Progress, Failures: len(e.todo.Steps)})
	if result != nil {
		for _, s := range result.Done {
			out.Revoked = append(out.Revoked, s.Summary)
		}
	}
	if len(e.revoke) > 0 {
		lost, failed := a.lost(ctx, e)
		out.Lost = lost
		if failed != nil && err == nil {
			err = failed
		}
	}
	return out, identity.Explain(opExpire, a.mesh, "the mesh", err)
}

// PlanExpireSubscriptions tells what [Admin.ExpireSubscriptions] would do.
func (a *Admin) PlanExpireSubscriptions(ctx context.Context) (*plan.Plan, error) {
	e, err := a.planExpire(ctx)
	if err != nil {
		return nil, err
	}
	return e.todo.Preview(), nil
}

// expiration is what is over in a mesh.
type expiration struct {
	todo       *plan.Plan
	revoke     access.Grants
	tables     map[string][]string
	makers     makers
	unrecorded map[string][]string
}

// isOver reports whether a subscription is over, or an approval was left unfinished until its end.
// Where an end is being moved it is not.
func isOver(r *tracker.Record) bool {
	if r.Status == lakemesh.Pending {
		return r.Lapsed
	}
	return r.Over && (r.Claim == nil || r.Lapsed)
}

func (a *Admin) planExpire(ctx context.Context) (*expiration, error) {
	if err := a.inMesh(opExpire); err != nil {
		return nil, err
	}
	s, err := a.inspect(ctx)
	if err != nil {
		return nil, identity.Explain(opExpire, a.mesh, "the mesh", err)
	}
	e := &expiration{todo: &plan.Plan{Operation: opExpire}, tables: map[string][]string{}, unrecorded: map[string][]string{}, makers: makers{s.mesh, s.owners}}
	for database, tables := range s.tables {
		e.tables[database] = slices.Sorted(maps.Keys(tables))
	}
	made, kept := access.Grants{}, s.justified(s.records, e.tables)
	for _, r := range s.records {
		names := e.tables[strings.ToLower(r.Database)]
		byHand, err := chain.FoundBefore(s.mesh, r)
		if err != nil {
			// What was there before cannot be told from what was granted.
			e.todo.Warn("subscription %s is left to its owner: %v", r.ID, err)
			continue
		}
		for k, h := range byHand {
			kept.Add(k, h)
		}
		if isOver(r) {
			e.unrecorded[r.Owner] = append(e.unrecorded[r.Owner], r.ID)
		}
		for _, given := range r.MayHold() {
			for k, h := range chain.Either(s.mesh, r, names, given) {
				if isOver(r) {
					made.Add(k, h)
				} else if r.Claim != nil {
					// A decision is under way: its owner sees to it.
					kept.Add(k, h)
				}
			}
		}
	}
	there := s.have.Access()
	there = there.On(func(k access.Key) bool { _, ok := made[k]; return ok })
	e.revoke = access.Grants{}
	for k, h := range access.Diff(made, kept, there).Revoke {
		// The right to hand on can be taken away by revoking the permission and granting it again,
		// and the manager grants nothing to other accounts.
		stays := h.Permissions.Intersect(kept[k].Permissions)
		e.revoke.Add(k, access.Held{Permissions: h.Permissions.Minus(stays), Grantable: h.Grantable.Minus(stays)})
		if len(stays) > 0 {
			e.todo.Warn("%s may hand on %s on %s, which it holds by other means and was to hand on by what is over: that is left to the owner", k.Grantee, stays, k.Object)
		}
	}
	entries, err := permissions.Entries(e.revoke)
	if err != nil {
		return nil, err
	}
	batches := a.permissions().Batches()
	for _, entry := range entries {
		batches.Revoke(e.todo, entry)
	}
	for _, owner := range slices.Sorted(maps.Keys(e.unrecorded)) {
		slices.Sort(e.unrecorded[owner])
		e.todo.Warn("account %s has yet to record as ended, and to close the prefixes of its buckets that nobody reads any more: %s", owner, some(e.unrecorded[owner]))
	}
	return e, nil
}

// justified is what subscriptions justify, in either form.
func (a *Admin) justified(records []*tracker.Record, tables map[string][]string) access.Grants {
	all := access.Grants{}
	for _, r := range records {
		for k, h := range chain.Either(a.mesh, r, tables[strings.ToLower(r.Database)], r.Justified()) {
			all.Add(k, h)
		}
	}
	return all
}

// lost are the subscriptions that justify by now what was revoked: owners decide without
// waiting for an administrator.
func (a *Admin) lost(ctx context.Context, e *expiration) ([]string, error) {
	now, err := a.records().Everybody(ctx)
	if err != nil {
		return []string{}, err
	}
	lost := []string{}
	for _, r := range now {
		if e.makers.foreign(r) {
			continue
		}
		e.makers.own(r)
		for k, h := range a.justified([]*tracker.Record{r}, e.tables) {
			if len(e.revoke[k].Permissions.Intersect(h.Permissions)) > 0 {
				lost = append(lost, r.ID)
				break
			}
		}
	}
	if len(lost) == 0 {
		return lost, nil
	}
	slices.Sort(lost)
	return lost, &lakemesh.Error{Op: opExpire, Account: a.mesh, Resource: "subscription " + lost[0], Kind: lakemesh.ErrChanged,
		Message: fmt.Sprintf("decided on while what is over was revoked: %s", some(lost)), Hint: "let their owners verify them, with --repair"}
}
