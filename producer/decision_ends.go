package producer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/endings"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// endChange is what becomes of the schedule that ends a part of a grant.
type endChange struct {
	endings.Change
	// stays are the permissions of the part that the consumer keeps.
	stays lakemesh.Permissions
}

// parts are those parts of the grants that a decision is about which a schedule can be there
// for.
func (p *Producer) parts(c *considered, f *found) []access.Part {
	var parts []access.Part
	for k := range p.about(c, f.inside(c.record)) {
		parts = append(parts, access.Parts(k, lakemesh.NewPermissions(lakemesh.TablePermissions()...))...)
	}
	return parts
}

// endsMatter reports whether a decision can have to do with schedules: the mesh has them,
// and the subscription or another of the pair has an end, or had one, or is looked over.
func (c *considered) endsMatter(others []*tracker.Record) bool {
	if !c.loaded.EndsScheduled {
		return false
	}
	ends := func(r *tracker.Record) bool {
		return !r.Until.IsZero() || r.Claim != nil && !r.Claim.Until.IsZero()
	}
	return c.mends() || !c.until.IsZero() || ends(c.record) || slices.ContainsFunc(others, ends)
}

// observeEnds reads the schedules.
func (p *Producer) observeEnds(ctx context.Context, c *considered, f *found) error {
	if !c.endsMatter(f.others) {
		return nil
	}
	var err error
	f.ends, err = p.ends.Get(ctx, p.parts(c, f))
	return err
}

// afterEnds reads what is granted once more where there is no schedule of something that
// was granted: one may have been carried out in between.
func (p *Producer) afterEnds(ctx context.Context, c *considered, f *found) (err error) {
	if !c.endsMatter(f.others) {
		return nil
	}
	for _, part := range p.parts(c, f) {
		r, ok := permissions.Of(part.Object)
		if ok && f.ends[part] == nil && slices.Contains(access.Parts(part.Key, f.have.Of(string(part.Grantee), r).Permissions), part) {
			f.have, err = p.mesh.lake.Observe(ctx, f.resources...)
			return err
		}
	}
	return nil
}

// planEnds compares what shall end by itself with the schedules that are there. What was
// there before lakemesh does not end.
func (p *Producer) planEnds(c *considered, f *found, ch *change, names []string, holds access.Grants) error {
	if !c.endsMatter(f.others) {
		return nil
	}
	all := []access.Justified{{Grants: p.either(c.record, names, c.given()), Until: c.until}}
	kept, err := permissions.DecodeFound(p.meshAccount, c.record.Subscriber, ch.foreign)
	if err != nil {
		return err
	}
	for _, o := range f.others {
		all = append(all, access.Justified{Grants: p.either(o, f.grantedInside(o), o.Justified()), Until: endings.Until(o)})
		theirs, err := permissions.DecodeFound(p.meshAccount, o.Subscriber, o.Found)
		if err != nil {
			return err
		}
		kept = kept.Union(theirs)
	}
	want := access.Endings(holds, all, kept)
	for _, change := range endings.Plan(want, f.ends, c.now) {
		ch.ends = append(ch.ends, endChange{Change: change, stays: holds[change.Part.Key].Permissions})
	}
	ch.enders = permissions.Missing(f.have, p.enders(want))
	return nil
}

// enders is what the ending role has to hold to revoke what shall end: as much as it takes
// away, with the right to hand it on. It can make no other call than that one, and holds
// nothing of other producers.
func (p *Producer) enders(want map[access.Part]access.Ending) []permissions.Entry {
	all := access.Grants{}
	for part, e := range want {
		all.Add(access.Key{Grantee: access.Grantee(p.ends.Role()), Object: part.Object}, access.Held{Permissions: e.Held.Permissions, Grantable: e.Held.Permissions})
	}
	entries, err := permissions.Entries(all)
	if err != nil {
		// What cannot be granted has been refused before.
		return nil
	}
	return entries
}

// scheduleEnds adds the steps after which what has an end may be granted. What their role is
// granted comes after the steps given.
func (p *Producer) scheduleEnds(todo *plan.Plan, ch *change, after ...*plan.Step) []*plan.Step {
	var steps []*plan.Step
	batches := p.mesh.lake.Batches()
	for _, e := range ch.enders {
		steps = append(steps, batches.Grant(todo, e, after...)...)
	}
	for _, c := range ch.ends {
		if c.First == nil {
			continue
		}
		run := func(ctx context.Context) error { return p.ends.Make(ctx, c.Part, *c.First) }
		if c.Have != nil && c.Have.Sound {
			run = func(ctx context.Context) error { return p.ends.Move(ctx, c.Part, *c.First) }
		}
		steps = append(steps, todo.Add(p.endStep(c, *c.First, run)))
	}
	return steps
}

// loosenEnds adds the steps that move schedules to later times, and remove them, when all
// that justifies that is done. It returns them with the steps given.
func (p *Producer) loosenEnds(todo *plan.Plan, ch *change, after []*plan.Step) []*plan.Step {
	all := slices.Clone(after)
	for _, c := range ch.ends {
		switch {
		case c.Last != nil:
			all = append(all, todo.Add(p.endStep(c, *c.Last, func(ctx context.Context) error { return p.ends.Move(ctx, c.Part, *c.Last) }), after...))
		case c.Remove:
			part := access.Parts(c.Part.Key, c.stays)
			all = append(all, todo.Add(plan.Step{Kind: plan.UnscheduleEnd, Account: p.meshAccount, Resource: c.Part.Object.String(),
				Summary: fmt.Sprintf("remove the schedule that ends %s on %s of %s", what(c.Part), c.Part.Object, c.Part.Grantee),
				Run: func(ctx context.Context) error {
					err := p.ends.Remove(ctx, c.Part)
					if errors.Is(err, endings.ErrCarriedOut) && !slices.Contains(part, c.Part) {
						// It ended what this decision ends.
						return nil
					}
					return p.explainEnd(c.Part, err)
				}}, after...))
		}
	}
	return all
}

func (p *Producer) endStep(c endChange, e access.Ending, run func(ctx context.Context) error) plan.Step {
	return plan.Step{Kind: plan.ScheduleEnd, Account: p.meshAccount, Resource: c.Part.Object.String(), Detail: e,
		Summary: fmt.Sprintf("schedule the end of %s on %s of %s at %s (UTC)", e.Held.Permissions, c.Part.Object, c.Part.Grantee, lakemesh.FormatTime(e.At)),
		Run:     func(ctx context.Context) error { return p.explainEnd(c.Part, run(ctx)) }}
}

// what names what a part is of a grant.
func what(part access.Part) string {
	if part.Select {
		return "SELECT"
	}
	return "the permissions"
}

// explainEnd says what an answer of EventBridge Scheduler means.
func (p *Producer) explainEnd(part access.Part, err error) error {
	if err == nil {
		return nil
	}
	e := &lakemesh.Error{Op: "ScheduleEnd", Account: p.meshAccount, Resource: part.Object.String(), Code: awserr.Code(err), Err: err}
	switch {
	case errors.Is(err, endings.ErrCarriedOut):
		e.Kind = lakemesh.ErrChanged
		e.Message = "the end of what " + holder(string(part.Grantee)) + " held came while this was decided"
		e.Hint = "make the same decision again: it grants again what was taken"
	case awserr.Denied(err), awserr.Is(err, "ResourceNotFoundException"), awserr.Is(err, "ValidationException"):
		e.Kind = lakemesh.ErrAccessDenied
		e.Message = awserr.Message(err)
		e.Hint = "grants with an end are made only where EventBridge Scheduler can end them; let the mesh's administrator bring the mesh up to date"
		e.Do = []lakemesh.Call{lakemesh.Do("admin.UpgradeMesh")}
	default:
		return err
	}
	return e
}
