package admin

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/endings"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// inspectedEnds are the schedules that end grants, by name, and how much could not be ended,
// by owner.
type inspectedEnds struct {
	names   map[string]bool
	letters map[string]int
}

// readEnds lists the schedules, where the mesh has any. What they say is for their owners to
// look at, who read them one by one.
func (s *inspected) readEnds(ctx context.Context) error {
	if s.members.ending != EndsScheduled {
		return nil
	}
	e := &inspectedEnds{names: map[string]bool{}, letters: map[string]int{}}
	pages := scheduler.NewListSchedulesPaginator(s.scheduler, &scheduler.ListSchedulesInput{GroupName: aws.String(lakemesh.EndingGroup)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if identity.HasCode(err, "ResourceNotFoundException") {
			// The set-up says that there is no group.
			break
		}
		if err != nil {
			return fmt.Errorf("list the schedules that end grants: %w", err)
		}
		for _, schedule := range page.Schedules {
			e.names[aws.ToString(schedule.Name)] = true
		}
	}
	for _, owner := range s.members.endingProducers {
		letters := endings.Letters{Client: s.sqs, Mesh: s.mesh, Owner: owner}
		n, err := letters.Count(ctx)
		if err != nil {
			return err
		}
		e.letters[owner] = n
	}
	s.ending = e
	return nil
}

// compareEnds finds grants with an end that no schedule ends, schedules that end nothing
// that was decided, and owners that have dead letters.
func (s *inspected) compareEnds() {
	e := s.ending
	if e == nil {
		return
	}
	tables := map[string][]string{}
	for database, all := range s.tables {
		tables[database] = slices.Sorted(maps.Keys(all))
	}
	held, known := s.have.Access(), map[string]bool{}
	for _, owner := range s.members.endingProducers {
		var records []*tracker.Record
		for _, r := range s.records {
			if r.Owner == owner {
				records = append(records, r)
			}
		}
		wanted := endings.Of(s.mesh, records, tables, held)
		for p := range wanted.Endings {
			name := endings.Name(owner, p)
			known[name] = true
			if e.names[name] || wanted.Busy[p.Key] {
				continue
			}
			f := chain.OfGrant(p.Key, Finding{Kind: chain.Missing, What: "it ends on " + lakemesh.FormatTime(wanted.Endings[p].At) + " (UTC), and no schedule ends it",
				Subscriptions: wanted.Why[p.Key], Repairs: chain.Owner, Command: "lakemesh verify --repair"})
			f.Link = chain.Schedule
			s.found(f)
		}
		for _, p := range wanted.Parts {
			if wanted.Busy[p.Key] {
				known[endings.Name(owner, p)] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.names)) {
		if !known[name] {
			s.found(Finding{Kind: chain.TooMuch, Link: chain.Schedule, Resource: "schedule " + name, What: "it ends nothing that was decided"}.With(
				"lakemesh verify --as admin --repair", chain.Mends{By: chain.ByRemoving, Schedule: name}))
		}
	}
	for _, owner := range slices.Sorted(maps.Keys(e.letters)) {
		if n := e.letters[owner]; n > 0 {
			s.found(Finding{Kind: chain.Missing, Link: chain.Schedule, Resource: "dead letters", Principal: owner, What: counted(n, "grant") + " could not be ended by schedules",
				Repairs: chain.Owner, Command: "lakemesh verify --repair"})
		}
	}
}

// removals remove the schedules that a verification found to be too many, those that still
// are: in the meantime somebody may have decided what they end.
func (a *Admin) removals(v *Verification) []chain.Mending {
	names := surplus(v)
	if len(names) == 0 {
		return nil
	}
	return []chain.Mending{{Name: "remove schedules that end nothing which was decided: " + some(names),
		Do: func(ctx context.Context) error {
			again, err := a.Verify(ctx, VerifyInput{})
			if err != nil {
				return err
			}
			still := surplus(again)
			for _, name := range names {
				if !slices.Contains(still, name) {
					continue
				}
				_, err := a.scheduler.DeleteSchedule(ctx, &scheduler.DeleteScheduleInput{GroupName: aws.String(lakemesh.EndingGroup), Name: &name})
				if err != nil && !identity.HasCode(err, "ResourceNotFoundException") {
					return identity.Explain("DeleteSchedule", a.mesh, "schedule "+name, err)
				}
			}
			return nil
		},
		Plan: func(context.Context) (*plan.Plan, error) {
			todo := &plan.Plan{Operation: opRepair}
			for _, name := range names {
				todo.Add(plan.Step{Kind: plan.UnscheduleEnd, Account: a.mesh, Resource: "schedule " + name, Summary: "remove schedule " + name + ", which ends nothing that was decided"})
			}
			return todo, nil
		}}}
}

// surplus are the schedules that a verification found to be too many.
func surplus(v *Verification) (names []string) {
	for _, f := range v.Findings {
		if f.Mends.By == chain.ByRemoving {
			names = append(names, f.Mends.Schedule)
		}
	}
	return names
}
