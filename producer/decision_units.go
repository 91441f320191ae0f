package producer

import (
	"context"
	"slices"

	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// What is granted to an organization or a unit stands in Lake Formation under its ARN, once for
// all who asked for it. Which accounts it has the owner is not shown.

// units are the organizations and units that the subscription was for, or shall be.
func (c *considered) units() []string {
	var all []string
	for _, s := range c.scopes() {
		all = append(all, s.Organizations()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// observeOthers finds the subscriptions that justify something to those whom a decision is
// about: the consumer's own, or for organizations and units the owner's of whatever consumer.
func (p *Producer) observeOthers(ctx context.Context, c *considered) ([]*tracker.Record, error) {
	units := c.units()
	if len(units) == 0 {
		all, err := p.records.Justifying(ctx, c.ledger, c.id)
		// Grants on other databases are no concern of this decision.
		return slices.DeleteFunc(all, func(o *tracker.Record) bool { return o.Database != c.record.Database }), err
	}
	return p.records.OwnedActive(ctx, p.account, func(o *tracker.Record) bool {
		shares := func(unit string) bool { return chain.IsFor(o, unit) }
		return o.ID != c.id && o.Database == c.record.Database && (o.Subscriber == c.record.Subscriber || slices.ContainsFunc(units, shares))
	})
}

// handedOn reports whether what somebody holds is what accounts that the decision is about have
// handed on: it falls with what they hold. What was granted straight to an identity of another
// account a resource share carries.
func (f *found) handedOn(c *considered, e permissions.Entry) bool {
	account := access.Grantee(e.Principal).Account()
	return account == c.record.Subscriber ||
		account != "" && account != e.Principal && len(c.units()) > 0 && len(f.have.Shares(e.Principal, e.Resource)) == 0 && len(f.have.Shares(c.units()[0], e.Resource)) > 0
}
