package producer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// Columns and rows are carried by data cells filters, which are made before anything is
// granted on them, and dropped after the last grant on them is revoked. Their names are made
// of what subscriptions say (access.FilterName), so that those that say the same share one.

// filterChange is what becomes of a filter.
type filterChange struct {
	to access.Filter
	// written is the same with the names of columns as the table has them: whether case counts in
	// a filter's list is not documented.
	written access.Filter
	// there tells that it is there and shows something else.
	there bool
}

// observeFilters reads the data cells filters that a decision is about. It makes no call
// where nothing is narrowed to columns or rows.
func (p *Producer) observeFilters(ctx context.Context, c *considered) (map[permissions.Resource]access.Filter, error) {
	found := map[permissions.Resource]access.Filter{}
	var mu sync.Mutex
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(p.concurrency())
	for _, r := range chain.Possible(p.meshAccount, c.record, nil, c.scopes()...) {
		if r.Kind != permissions.KindFilter {
			continue
		}
		group.Go(func() error {
			is, ok, err := p.mesh.lake.CellsFilter(within, r)
			if ok {
				mu.Lock()
				defer mu.Unlock()
				found[r] = is
			}
			return err
		})
	}
	return found, group.Wait()
}

// observeSharing finds the owner's other subscriptions that may be carried by the filters
// which this decision may leave unused: of whatever consumer.
func (p *Producer) observeSharing(ctx context.Context, c *considered) ([]*tracker.Record, error) {
	left := slices.DeleteFunc(c.scopes(), func(s lakemesh.Scope) bool {
		return !s.Partly() || len(c.permitted) > 0 && chain.FilterOf(s) == chain.FilterOf(c.scope)
	})
	if len(left) == 0 {
		return nil, nil
	}
	return p.records.OwnedActive(ctx, p.account, func(r *tracker.Record) bool {
		return r.ID != c.record.ID && r.Database == c.record.Database
	})
}

// filters computes which filters are made, changed and dropped, and refuses what would make
// narrowing worth nothing.
func (p *Producer) filters(c *considered, f *found, ch *change, wanted access.Wanted, after access.Grants) error {
	ch.filters = map[permissions.Resource]filterChange{}
	if len(c.permitted) > 0 && c.scope.Partly() {
		if err := p.neededFilters(c, f, ch, wanted); err != nil {
			return err
		}
	}
	if err := p.refuseUndone(c, f, ch, wanted, after); err != nil {
		return err
	}
	for r := range f.filters {
		_, needed := wanted.Filters[access.OnFilter(r.Account, r.Database, r.Table, r.Filter)]
		if needed || !f.have.OwnedBy(p.ids.Mesh.ARN, r) || slices.ContainsFunc(f.sharing, func(o *tracker.Record) bool { return carriedBy(o, r) }) {
			continue
		}
		unused := true
		for _, e := range f.have.On(r) {
			left := after[access.Key{Grantee: access.Grantee(e.Principal), Object: access.OnFilter(r.Account, r.Database, r.Table, r.Filter)}]
			if slices.Contains(c.grantees(), e.Principal) {
				unused = unused && left.Empty()
			} else {
				unused = unused && (e.Principal == p.ids.Mesh.ARN || e.Principal == p.ends.Role() || f.handedOn(c, e))
			}
		}
		if unused {
			ch.unused = append(ch.unused, r)
		}
	}
	slices.SortFunc(ch.unused, func(a, b permissions.Resource) int { return strings.Compare(a.String(), b.String()) })
	return nil
}

// carriedBy reports whether a subscription is, or may be, carried by a filter.
func carriedBy(o *tracker.Record, filter permissions.Resource) bool {
	object, ok := filter.Object()
	return ok && chain.CarriedBy(o, object)
}

// neededFilters computes what becomes of the filters that carry the subscription.
func (p *Producer) neededFilters(c *considered, f *found, ch *change, wanted access.Wanted) error {
	for _, name := range inOrder(f.tables) {
		object := access.OnFilter(p.meshAccount, name.Database, name.Table, chain.FilterOf(c.scope))
		to, known := wanted.Filters[object]
		schema := f.tables[name].schema
		r, _ := permissions.Of(object)
		is, there := f.filters[r]
		if c.givesMore() || !there && !known {
			if err := schema.Check(c.scope); err != nil {
				return err
			}
		}
		var err error
		if to.Rows, err = schema.Rows(c.scope.Rows); err != nil {
			if !there {
				return err
			}
			// The table has changed. What takes away, or moves the end, is not kept from it.
			ch.warnings = append(ch.warnings, fmt.Sprintf("the condition on rows does not fit table %s any more, and %s stays as it is: say another one (%v)", name, r, err))
			known = false
		}
		if !known {
			// It may show the wrong thing, and never more than what was decided.
			if there && !f.have.OwnedBy(p.ids.Mesh.ARN, r) {
				return permissions.ForeignFilter(r)
			}
			continue
		}
		if there && c.repairs && len(c.scope.ExceptColumns) > 0 {
			// What is new in the table is shown once its owner decides, and not by the way.
			shown := slices.DeleteFunc(slices.Clone(to.Columns), func(column string) bool { return !slices.Contains(is.Columns, column) })
			if len(shown) > 0 {
				to.Columns = shown
			}
		}
		switch {
		case there && !f.have.OwnedBy(p.ids.Mesh.ARN, r):
			return permissions.ForeignFilter(r)
		case !there:
			ch.filters[r] = filterChange{to: to, written: schema.Written(to)}
		case !is.Equal(to):
			ch.filters[r] = filterChange{to: to, written: schema.Written(to), there: true}
		}
	}
	return nil
}

// refuseUndone refuses to give columns or rows to somebody who holds all of the table
// anyway, and DESCRIBE on the table to somebody who holds a part of it.
func (p *Producer) refuseUndone(c *considered, f *found, ch *change, wanted access.Wanted, after access.Grants) error {
	if len(c.permitted) == 0 {
		return nil
	}
	for _, u := range access.Undoing(after, p.catalog(f)) {
		if !c.scope.Partly() || u.Narrow.Object.Part != chain.FilterOf(c.scope) {
			continue
		}
		text := fmt.Sprintf("%s holds %s on %s", u.Wide.Grantee, u.By, u.Wide.Object)
		hint := "revoke that first, with Lake Formation in account " + p.meshAccount
		var do []lakemesh.Call
		if why := wanted.Why[u.Wide]; len(why) > 0 {
			text += " by subscription " + why[0].ID
			hint, do = "narrow that subscription first, or end it", []lakemesh.Call{lakemesh.Do("producer.DeleteSubscription", "SubscriptionID", why[0].ID)}
		}
		text += ": " + beats(u.By) + ", so what is narrowed here would be worth nothing"
		if !c.givesMore() {
			ch.warnings = append(ch.warnings, text)
			continue
		}
		return &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Account: p.meshAccount, Resource: u.Narrow.Object.String(), Message: text, Hint: hint, Do: do}
	}
	if c.scope.Partly() {
		return p.refuseBesideGroups(c, f, ch)
	}
	for _, o := range f.others {
		for _, name := range inOrder(f.tables) {
			justified := o.Justified()
			if justified.Nothing() || !justified.Scope.Partly() || !chain.On(o, name.Database, name.Table) || !sharesGrantee(c, o) {
				continue
			}
			text := fmt.Sprintf("subscription %s gives %s of table %s", o.ID, justified.Scope, name)
			if !c.permitted.Has(lakemesh.Select) && !c.permitted.Has(lakemesh.All) && c.permitted.Has(lakemesh.Describe) {
				// https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html
				return &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Account: p.meshAccount, Resource: "subscription " + c.id,
					Message: text + ": Lake Formation does not grant DESCRIBE on a table to who selects a part of it, and who does sees the table with that part",
					Hint:    "deny this one: what it asks for is there"}
			}
			if readsData(c.permitted) || c.permitted.Has(lakemesh.Alter) {
				ch.warnings = append(ch.warnings, text+", which is worth nothing beside this: "+beats(c.permitted))
				break
			}
		}
	}
	return nil
}

// beats says why a part of a table is worth nothing beside permissions on all of it.
func beats(by lakemesh.Permissions) string {
	if readsData(by) {
		return "all of a table beats a part of it"
	}
	return "filters go by the names of columns, which who holds ALTER can give to others"
}

// sharesGrantee reports whether another subscription is for somebody whom this decision is
// about.
func sharesGrantee(c *considered, o *tracker.Record) bool {
	return slices.ContainsFunc(chain.Grantees(c.record, c.scope), func(g access.Grantee) bool { return chain.IsFor(o, string(g)) })
}

// planFilters adds the steps that make and change filters.
func (p *Producer) planFilters(todo *plan.Plan, ch *change) []*plan.Step {
	var steps []*plan.Step
	for _, r := range slices.SortedFunc(maps.Keys(ch.filters), func(a, b permissions.Resource) int { return strings.Compare(a.String(), b.String()) }) {
		to := ch.filters[r]
		s := plan.Step{Kind: plan.CreateFilter, Account: p.meshAccount, Resource: r.String(), Summary: fmt.Sprintf("make %s: %s", r, chain.Showing(to.to)),
			Run: func(ctx context.Context) error { return p.mesh.lake.MakeFilter(ctx, r, to.written) }}
		if to.there {
			s.Kind, s.Summary = plan.UpdateFilter, fmt.Sprintf("change %s, for everybody who was granted it: %s", r, chain.Showing(to.to))
			s.Run = func(ctx context.Context) error { return p.mesh.lake.ChangeFilter(ctx, r, to.written) }
		}
		steps = append(steps, todo.Add(s))
	}
	return steps
}

// planUnusedFilters adds the steps that drop filters, after what was granted on them is
// revoked.
func (p *Producer) planUnusedFilters(todo *plan.Plan, ch *change, after []*plan.Step) {
	for _, r := range ch.unused {
		todo.Add(plan.Step{Kind: plan.DeleteFilter, Account: p.meshAccount, Resource: r.String(), Summary: fmt.Sprintf("delete %s, which nobody uses any more", r),
			Run: func(ctx context.Context) error { return p.dropFilter(ctx, r) }}, after...)
	}
}

// dropFilter drops a filter that nobody uses. What a consumer handed on of it may stay, and AWS
// may keep the filter for that: then it gives nobody anything that its account does not have,
// and verifications tell of it.
func (p *Producer) dropFilter(ctx context.Context, r permissions.Resource) error {
	err := p.mesh.lake.DropFilter(ctx, r)
	if awserr.Is(err, "InvalidInputException") {
		p.log.WarnContext(ctx, "a data cells filter that no subscription uses any more stays", "filter", r.String(), "error", err)
		return nil
	}
	return err
}
