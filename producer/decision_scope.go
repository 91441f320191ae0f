package producer

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// termsOf is what a record says with these permissions.
//
// A subscription to a whole database is one grant on all of its tables, those that
// will be made among them, where the producer's role may grant that; see
// [access.Database]. Elsewhere it is a grant on each table, and publishing another table
// into the database extends the subscription.
func (p *Producer) termsOf(r *tracker.Record, t terms) access.Terms {
	s := access.Scope{Account: p.meshAccount, Database: r.Database, AllTables: r.Words.Whole}
	if !r.Words.Whole {
		s.Tables = r.Tables
	}
	if !t.permitted.Has(lakemesh.All) {
		// A record of the original library may say otherwise.
		t.grantable = t.grantable.Intersect(t.permitted)
	}
	return access.Terms{ID: r.ID, Owner: r.Owner, Scope: s, Grantees: []access.Grantee{access.Grantee(r.Subscriber)}, Permissions: t.permitted, Grantable: t.grantable}
}

// possible are all resources that a subscription may have been granted on, in either
// form, beside its database; inDatabase are the database's tables.
func (p *Producer) possible(r *tracker.Record, inDatabase []string) []permissions.Resource {
	names := r.Tables
	var all []permissions.Resource
	if r.Words.Whole {
		names = inDatabase
		all = append(all, permissions.AllTables(p.meshAccount, r.Database))
	}
	for _, t := range names {
		all = append(all, permissions.Table(p.meshAccount, r.Database, t))
	}
	return all
}

// either is what a subscription with these permissions may hold, in either form.
func (p *Producer) either(r *tracker.Record, inDatabase []string, t terms) access.Grants {
	all := access.Grants{}
	if len(t.permitted) == 0 {
		return all
	}
	describe := access.Held{Permissions: lakemesh.NewPermissions(lakemesh.Describe)}
	if len(t.grantable) > 0 {
		describe.Grantable = describe.Permissions
	}
	of := func(o access.Object) access.Key { return access.Key{Grantee: access.Grantee(r.Subscriber), Object: o} }
	all.Add(of(access.OnDatabase(p.meshAccount, r.Database)), describe)
	for _, resource := range p.possible(r, inDatabase) {
		if o, ok := resource.Object(); ok {
			all.Add(of(o), access.Held{Permissions: t.permitted, Grantable: t.grantable})
		}
	}
	return all
}
