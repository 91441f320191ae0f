package consumer

import (
	"context"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// otherActive are this consumer's other active subscriptions with the owner of a
// record; beside a group those with all owners, because its owner alone says in which databases
// it is. Those that it has left do not count, nor do those that are over.
func (c *Consumer) otherActive(ctx context.Context, r *tracker.Record) ([]*tracker.Record, error) {
	var all []*tracker.Record
	var err error
	if r.Group.IsZero() {
		all, err = c.tracker.SubscribedActive(ctx, c.account, r.Owner)
	} else {
		err = c.tracker.Subscribed(ctx, c.account, "", func(o *tracker.Record) bool {
			all = append(all, o)
			return true
		})
	}
	return slices.DeleteFunc(all, func(o *tracker.Record) bool {
		return o.ID == r.ID || o.Status != lakemesh.Active || o.Leaving || o.Over || !o.Believable()
	}), err
}

// anothers reports whether only the owner of a record says what it is on, and that is a
// database of another one.
func anothers(r *tracker.Record, owner string) bool {
	return r.OwnersWord() && owner != "" && owner != r.Owner
}

// isAnothers reports whether only the owner of a record says what it is on, or in which
// database what it is on is, and that is a database of another one.
func isAnothers(part *tracker.Record, owner string) bool {
	return anothers(part, owner) || !part.Group.IsZero() && owner != "" && owner != part.Owner
}

// passed is what a subscription lets this account hand on, on each of its tables.
func passed(s *lakemesh.Subscription) lakemesh.Permissions {
	return s.Permitted.Intersect(s.Grantable)
}

// passedOn is what a subscription lets this account hand on, on each of the objects that carry
// it: of columns and rows SELECT alone.
func passedOn(s *lakemesh.Subscription) lakemesh.Permissions {
	if s.Scope.Partly() {
		return passed(s).Intersect(lakemesh.NewPermissions(lakemesh.Select))
	}
	return passed(s)
}

// covers tells whether a subscription is about a table of its database.
func covers(s *lakemesh.Subscription, table string) bool {
	return s.WholeDatabase() || slices.ContainsFunc(s.Tables, func(t string) bool { return strings.EqualFold(t, table) })
}

// justified is what subscriptions let this account hand on, on a table or on all
// tables of a database.
func justified(subscriptions []*tracker.Record, r permissions.Resource) lakemesh.Permissions {
	var all lakemesh.Permissions
	for _, s := range subscriptions {
		if gives(&s.Subscription, r) {
			all = all.Union(passedOn(&s.Subscription))
		}
	}
	if len(all) > 0 && r.Kind != permissions.KindFilter {
		// Every permission comes with DESCRIBE.
		all = all.Union(lakemesh.NewPermissions(lakemesh.Describe))
	}
	return all
}

// gives reports whether a subscription gives the account something on an object that it can be
// on: columns and rows are given on filters alone, and to identities nothing that the account
// holds.
func gives(s *lakemesh.Subscription, r permissions.Resource) bool {
	switch {
	case s.Scope.Direct():
		return false
	case r.Kind == permissions.KindTagged:
		return !s.Group.IsZero() && r == tagged(r.Account, s)
	case !s.Group.IsZero() || !strings.EqualFold(s.Database, r.Database):
		return false
	case r.Kind == permissions.KindAllTables:
		return s.WholeDatabase()
	case r.Kind == permissions.KindTable:
		return covers(s, r.Table) && !s.Scope.Partly()
	}
	return r.Kind == permissions.KindFilter && covers(s, r.Table) && s.Scope.Partly() && r.Filter == chain.FilterOf(s.Scope)
}

// tagged is what a subscription to a group is granted on in the mesh.
func tagged(mesh string, s *lakemesh.Subscription) permissions.Resource {
	return permissions.Tagged(mesh, chain.TagsOf(&tracker.Record{Subscription: *s}))
}

// objects are what grants of a subscription can be on: its tables, the filters that carry
// parts of them, all tables of its database at once, or all those of its group.
func (c *Consumer) objects(s *lakemesh.Subscription) []permissions.Resource {
	if !s.Group.IsZero() {
		return []permissions.Resource{tagged(c.meshAccount, s)}
	}
	if s.WholeDatabase() {
		return []permissions.Resource{permissions.AllTables(c.meshAccount, s.Database)}
	}
	list := make([]permissions.Resource, len(s.Tables))
	for i, t := range s.Tables {
		list[i] = permissions.Table(c.meshAccount, s.Database, t)
		if s.Scope.Partly() {
			list[i] = permissions.Filter(c.meshAccount, s.Database, t, chain.FilterOf(s.Scope))
		}
	}
	return list
}
