package producer

import (
	"context"
	"slices"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
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
	terms := chain.Terms(p.meshAccount, r, t.given())
	terms.Until = t.until
	return terms
}

// either is what a subscription may hold with what is given, in either form.
func (p *Producer) either(r *tracker.Record, inDatabase []string, given ...tracker.Given) access.Grants {
	all := access.Grants{}
	for _, g := range given {
		for k, h := range chain.Either(p.meshAccount, r, inDatabase, g) {
			all.Add(k, h)
		}
	}
	return all
}

// scopes are what the subscription was, may be or shall be narrowed to.
func (c *considered) scopes() []lakemesh.Scope {
	all := []lakemesh.Scope{c.scope}
	for _, g := range c.before() {
		all = append(all, g.Scope)
	}
	return all
}

// grantees are those whom the subscription was granted to, or shall be.
func (c *considered) grantees() []string {
	var all []string
	for _, s := range c.scopes() {
		for _, g := range chain.Grantees(c.record, s) {
			all = append(all, string(g))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// lakeOf is the mesh's Lake Formation where users and roles matter that something was granted
// to: a listing may not show them, and they are asked about by themselves. What a decision on
// the subscription itself finds on its filters is not taken from its record.
func (p *Producer) lakeOf(subscription string, grantees []string) *permissions.Lake {
	lake := *p.mesh.lake
	lake.OnFilters = func(ctx context.Context) (access.Grants, error) { return p.onFilters(ctx, subscription, grantees) }
	lake.Others = func(ctx context.Context) ([]string, error) {
		all, err := p.mesh.lake.Others(ctx)
		for _, g := range grantees {
			if !slices.Contains(all, g) {
				all = append(all, g)
			}
		}
		return all, err
	}
	return &lake
}

// onFilters is what this producer's subscriptions but one give on data cells filters. Where a
// decision on another consumer's is unfinished, that is what it may have by now: what it
// reads is not closed by others. Of the same consumer's, and of what grantees hold, that would
// keep from being granted what is not there.
func (p *Producer) onFilters(ctx context.Context, but string, grantees []string) (access.Grants, error) {
	_, consumer, _, err := lakemesh.ParseSubscriptionID(but)
	if err != nil {
		consumer = ""
	}
	all := access.Grants{}
	_, err = p.records.OwnedActive(ctx, p.account, func(r *tracker.Record) bool {
		if r.ID == but {
			return false
		}
		add := func(given []tracker.Given, of func(access.Grantee) bool) {
			for _, g := range given {
				if !g.Scope.Partly() {
					continue
				}
				for k, h := range chain.Either(p.meshAccount, r, nil, g) {
					if k.Object.Kind == access.KindFilter && of(k.Grantee) {
						all.Add(k, h)
					}
				}
			}
		}
		add([]tracker.Given{r.Justified()}, func(access.Grantee) bool { return true })
		if r.Claim != nil && !r.Over && r.Subscriber != consumer {
			add(r.MayHold(), func(g access.Grantee) bool { return !slices.Contains(grantees, string(g)) })
		}
		return false
	})
	return all, err
}

// about are the grants that a decision is about: what the subscription may have been granted
// on, in either form and whole, to whomever it was or shall be granted.
func (p *Producer) about(c *considered, inDatabase []string) access.Grants {
	every := lakemesh.NewPermissions(lakemesh.All, lakemesh.Select)
	var given []tracker.Given
	for _, s := range append(c.scopes(), lakemesh.Scope{}) {
		given = append(given, tracker.Given{Permitted: every, Scope: s}, tracker.Given{Permitted: every, Scope: lakemesh.Scope{Principals: s.Principals}})
	}
	return p.either(c.record, inDatabase, given...)
}
