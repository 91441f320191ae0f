package producer

import (
	"slices"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// scope is what a subscription is on, in the terms of Lake Formation.
//
// A subscription to a whole database is one grant on all of its tables, those that
// will be made among them, where the producer's role may grant that. It seldom may:
// who creates a database does not get that right, only a data lake administrator
// can give it
// (https://docs.aws.amazon.com/lake-formation/latest/dg/implicit-permissions.html).
// Elsewhere it is a grant on each table, and publishing another table into the
// database extends the subscription.
type scope struct {
	// granted are the resources that are granted on.
	granted []permissions.Resource
	// possible are all resources that may have been granted on.
	possible []permissions.Resource
}

// scopeOf is the scope of a subscription to these tables of its database; wildcard
// says whether the producer's role may grant on all tables at once.
func (p *Producer) scopeOf(r *tracker.Record, inDatabase []string, wildcard bool) scope {
	names := r.Tables
	if r.Words.Whole {
		names = inDatabase
	}
	each := make([]permissions.Resource, len(names))
	for i, t := range names {
		each[i] = permissions.Table(p.meshAccount, r.Database, t)
	}
	if !r.Words.Whole {
		return scope{granted: each, possible: each}
	}
	all := permissions.AllTables(p.meshAccount, r.Database)
	s := scope{granted: each, possible: append([]permissions.Resource{all}, each...)}
	if wildcard {
		s.granted = []permissions.Resource{all}
	}
	return s
}

// target computes what the consumer shall hold afterwards, given what it holds
// now: what this subscription alone justified goes, what others justify stays,
// what it newly justifies comes. What somebody granted by other means stays.
func target(have *permissions.Grants, before, after, others []permissions.Entry) []permissions.Entry {
	was, now, rest := permissions.NewGrants(before...), permissions.NewGrants(after...), permissions.NewGrants(others...)
	var wanted []permissions.Entry
	for _, e := range permissions.NewGrants(append(slices.Clone(before), after...)...).Entries() {
		h, b := have.Of(e.Principal, e.Resource), was.Of(e.Principal, e.Resource)
		a, o := now.Of(e.Principal, e.Resource), rest.Of(e.Principal, e.Resource)
		keep, keepGrantable := a.Permissions.Union(o.Permissions), a.Grantable.Union(o.Grantable)
		if o.Permissions.Has(lakemesh.All) {
			keep = keep.Union(b.Permissions)
		}
		held := h.Permissions.Minus(b.Permissions.Minus(keep)).Union(a.Permissions)
		grantable := h.Grantable.Minus(b.Grantable.Minus(keepGrantable)).Intersect(held).Union(a.Grantable)
		wanted = append(wanted, permissions.Entry{Principal: e.Principal, Resource: e.Resource, Permissions: held, Grantable: grantable})
	}
	return wanted
}
