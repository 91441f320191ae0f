package producer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/endings"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// inspectedEnds is what a verification read of the schedules that end grants.
type inspectedEnds struct {
	wanted endings.Wanted
	have   map[access.Part]*endings.Found
	// letters are some of what could not be ended, count how many there are about.
	letters []endings.Letter
	count   int
}

// readEnds reads the schedules, where a subscription has an end and the mesh has schedules.
func (s *inspected) readEnds(ctx context.Context) error {
	if !slices.ContainsFunc(s.records, func(r *tracker.Record) bool { return !endings.Until(r).IsZero() }) {
		return nil
	}
	on, err := s.Producer.records.EndsScheduled(ctx, s.account)
	if err != nil || !on {
		return err
	}
	s.endsScheduled.Store(true)
	tables := map[string][]string{}
	var records []*tracker.Record
	for database, all := range s.tables {
		tables[database] = slices.Sorted(maps.Keys(all))
	}
	for _, r := range s.records {
		if !r.Group.IsZero() || s.tables[strings.ToLower(r.Database)] != nil {
			records = append(records, r)
		}
	}
	e := &inspectedEnds{wanted: endings.Of(s.meshAccount, records, tables, s.have.Access())}
	if err := s.mesh.lake.Confirm(ctx, s.have, s.enders(e.wanted.Endings)); err != nil {
		return err
	}
	if e.have, err = s.ends.Get(ctx, e.wanted.Parts); err != nil {
		return err
	}
	if e.count, err = s.letters.Count(ctx); err == nil && e.count > 0 {
		e.letters, err = s.letters.Read(ctx)
	}
	s.ending = e
	return err
}

// compareEnds finds grants with an end that no schedule ends as it should, schedules that
// end what is to stay, and what could not be ended.
func (s *inspected) compareEnds() {
	e := s.ending
	if e == nil {
		return
	}
	about := func(p access.Part, f Finding) Finding {
		f.Subscriptions = e.wanted.Why[p.Key]
		f = chain.OfGrant(p.Key, f.With(s.mends(f.Subscriptions...)))
		f.Link = chain.Schedule
		return f
	}
	for _, p := range e.wanted.Parts {
		want, ends := e.wanted.Endings[p]
		switch have := e.have[p]; {
		case e.wanted.Busy[p.Key]:
		case ends:
			if wrong := endings.Wrong(want, have); wrong != "" {
				s.found(about(p, Finding{Kind: chain.Missing, What: fmt.Sprintf("%s ends on %s (UTC), and %s", want.Held.Permissions, lakemesh.FormatTime(want.At), wrong)}))
			}
		case have != nil:
			s.found(about(p, Finding{Kind: chain.TooMuch, What: "a schedule ends it on " + lakemesh.FormatTime(have.At) + " (UTC), and nobody decided that"}))
		}
	}
	for _, lacking := range permissions.Missing(s.have, s.enders(e.wanted.Endings)) {
		o, _ := lacking.Resource.Object()
		for p := range e.wanted.Endings {
			if p.Object == o && !e.wanted.Busy[p.Key] {
				f := about(p, Finding{Kind: chain.Missing, What: fmt.Sprintf("the role that ends it lacks %s on it", lacking.Permissions)})
				f.Principal = lacking.Principal
				s.found(f)
				break
			}
		}
	}
	for _, l := range e.letters {
		f := Finding{Kind: chain.Missing, Resource: "dead letters", What: l.What()}
		if o, ok := l.Entry.Resource.Object(); l.Sound && ok {
			k := access.Key{Grantee: access.Grantee(l.Entry.Principal), Object: o}
			f = chain.OfGrant(k, f)
			f.Subscriptions = e.wanted.Why[k]
		}
		f.Link = chain.Schedule
		s.found(f.With("lakemesh verify --repair", chain.Mends{By: chain.ByClearing}))
	}
	if more := e.count - len(e.letters); more > 0 && len(e.letters) > 0 {
		s.unsure("some %d more grants could not be ended by schedules", more)
	}
}

// clearLetters removes the letters of what is ended by now, or stays.
func (p *Producer) clearLetters() chain.Mending {
	return chain.Mending{Name: "clear what could not be ended and is by now",
		Do: func(ctx context.Context) error {
			active, err := p.records.OwnedActive(ctx, p.account, func(r *tracker.Record) bool { return !r.Justified().Nothing() })
			if err != nil {
				return err
			}
			_, err = p.letters.Clear(ctx, func(ctx context.Context, l endings.Letter) (bool, error) {
				if !l.Sound || l.Entry.Resource.Account != p.meshAccount {
					return true, nil
				}
				have, err := p.mesh.lake.ObserveOf(ctx, l.Entry.Principal, l.Entry.Resource)
				if err != nil {
					return false, err
				}
				left := have.Of(l.Entry.Principal, l.Entry.Resource).Permissions.Intersect(l.Entry.Permissions)
				return len(left) == 0 || p.justifies(active, l.Entry, left), nil
			})
			return err
		},
		Plan: func(context.Context) (*plan.Plan, error) {
			todo := &plan.Plan{Operation: opRepair}
			todo.Add(plan.Step{Kind: plan.UnscheduleEnd, Account: p.meshAccount, Resource: "dead letters", Summary: "remove the dead letters of what is ended by now, or stays"})
			return todo, nil
		}}
}

// justifies reports whether subscriptions justify all that is left of an entry.
func (p *Producer) justifies(active []*tracker.Record, e permissions.Entry, left lakemesh.Permissions) bool {
	o, ok := e.Resource.Object()
	if !ok {
		return false
	}
	for _, r := range active {
		inside := []string{e.Resource.Table}
		if !r.Group.IsZero() {
			inside = nil
		} else if !strings.EqualFold(r.Database, e.Resource.Database) {
			continue
		}
		held := p.either(r, inside, r.Justified())[access.Key{Grantee: access.Grantee(e.Principal), Object: o}].Permissions
		if left = left.Minus(held); len(left) == 0 || held.Has(lakemesh.All) {
			return true
		}
	}
	return false
}
