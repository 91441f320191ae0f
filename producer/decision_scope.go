package producer

import (
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
	terms := chain.Terms(p.meshAccount, r, t.permitted, t.grantable)
	terms.Until = t.until
	return terms
}

// possible are all resources that a subscription may have been granted on, in either
// form, beside its database; inDatabase are the database's tables.
func (p *Producer) possible(r *tracker.Record, inDatabase []string) []permissions.Resource {
	return chain.Possible(p.meshAccount, r, inDatabase)
}

// either is what a subscription with these permissions may hold, in either form.
func (p *Producer) either(r *tracker.Record, inDatabase []string, t terms) access.Grants {
	return chain.Either(p.meshAccount, r, inDatabase, t.permitted, t.grantable)
}
