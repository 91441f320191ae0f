package producer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// leftGroup is a subscription to a domain or a data product of which tables leave.
type leftGroup struct {
	record *tracker.Record
	// loses are the tables of it that leave, stay is how many others it has, in whichever
	// database.
	loses []string
	stay  int
}

// observeGroups finds the subscriptions to domains and data products that tables leave. Which
// tables these have is what Lake Formation says of their LF-tags.
func (u *unpublication) observeGroups(ctx context.Context, records []*tracker.Record) error {
	type left struct {
		loses []string
		stay  int
	}
	known := map[lakemesh.Group]left{}
	for _, r := range records {
		of, seen := known[r.Group]
		if !seen {
			for t, err := range u.mesh.lake.TablesWithTags(ctx, r.Group.Tags(u.account)) {
				if awserr.NotFound(err) {
					// A value that there is not is on no table.
					break
				}
				if err != nil {
					return err
				}
				if name := strings.ToLower(t.Table.Table); strings.EqualFold(t.Table.Database, u.target) && u.leaving[name] != nil {
					of.loses = append(of.loses, name)
				} else {
					of.stay++
				}
			}
			known[r.Group] = of
		}
		g := &leftGroup{r, of.loses, of.stay}
		switch {
		case len(g.loses) > 0 && g.stay == 0 && u.in.EndSubscriptions:
			u.live = append(u.live, r)
		case len(g.loses) > 0:
			u.groups = append(u.groups, g)
		}
		if len(g.loses) > 0 || slices.ContainsFunc(chain.DatabasesOf(r, nil), func(d string) bool { return strings.EqualFold(d, u.target) }) {
			u.describers = append(u.describers, r)
		}
	}
	return nil
}

// warnOfGroups says what becomes of subscriptions to domains and data products. They stay as
// they were decided: what is published into them later can be read at once.
func (u *unpublication) warnOfGroups(p *plan.Plan) {
	for _, g := range u.groups {
		r := g.record
		if g.stay > 0 {
			p.Warn("subscription %s of account %s to all tables of %s goes on without %s", r.ID, r.Subscriber, r.Group, someOf(g.loses))
			continue
		}
		p.Warn("subscription %s of account %s to all tables of %s stays, with no table to read: what is published into it later, account %s reads at once. To end it: %s",
			r.ID, r.Subscriber, r.Group, r.Subscriber, lakemesh.Do("producer.DeleteSubscription", "SubscriptionID", r.ID))
	}
}

// someOf names the first few tables of a list.
func someOf(tables []string) string {
	if len(tables) <= mostNamed {
		return strings.Join(tables, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(tables[:mostNamed], ", "), len(tables)-mostNamed)
}
