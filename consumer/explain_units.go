package consumer

import (
	"context"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// throughUnits are the links of what was granted to organizations and units, and handed on by
// this account; nil where nothing is known of such a grant. That Lake Formation shows the
// account what they hold tells that it is in them
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-permissions.html).
func (x *explained) throughUnits() []chain.Step {
	of := *x
	of.Asked = x.Through(chain.ThroughUnits)
	x = &of
	units := x.Units(x.received.Rows, x.records)
	if len(units) == 0 {
		return nil
	}
	held := x.Judge(x.received.Rows, x.partitionKey, units...)
	owner := ""
	if about := x.About(x.records); len(about) > 0 {
		owner = about[0].Owner
	}
	arrives := held.State != chain.Broken
	names := strings.Join(units, ", ")
	grant := chain.Step{Link: chain.Grant, State: chain.NotSeen, Account: x.meshAccount, Resource: "table " + x.Name(), What: "it is shown to this account once it has reached it"}
	share := chain.Step{Link: chain.Share, State: chain.NotSeen, Account: x.meshAccount, What: "it is shown to its sender"}
	in := chain.Step{Link: chain.Invitation, State: chain.Holds, Account: x.account, What: "nobody is invited: account " + x.account + " is in it"}
	switch {
	case arrives, len(x.Units(x.received.Rows, nil)) > 0:
		grant.State, grant.What, grant.Parts = held.State, held.What, x.Parts(held)
		if reasons, err := x.Reasons(held.Rows, x.records); err == nil {
			grant.Reasons = reasons
		}
		share.State, share.What = chain.Holds, "what it carries is here"
	case x.shared != nil && !x.shownToAccount():
		in.State, in.What = chain.NotSeen, "the table can be seen here, and by which grant is not shown"
	default:
		in.State = chain.Broken
		in.What = "Lake Formation shows account " + x.account + " nothing that " + names + " holds of the table: the account is not in that, or nothing is granted to it"
		in = in.SeenBy(chain.Owner, x.AsksOwner())
	}
	steps := []chain.Step{x.Record(x.records, owner, arrives), grant, share, in}
	steps = append(steps, x.receiving().HandedOn(x.Asked, x.received, x.partitionKey, x.records)...)
	return append(steps, x.unseen()...)
}

// lookForUnitsOfGroups adds what organizations and units hold by LF-tags, by subscriptions to
// groups: of a table alone no row of theirs is shown.
func (x *explained) lookForUnitsOfGroups(ctx context.Context) error {
	for _, r := range x.records {
		if r.Group.IsZero() || len(r.Scope.Organizations()) == 0 {
			continue
		}
		on := permissions.Tagged(x.meshAccount, chain.TagsOf(r))
		held, err := x.lake.Observe(ctx, on)
		if err != nil {
			return err
		}
		for _, e := range held.On(on) {
			if slices.Contains(r.Scope.Organizations(), e.Principal) && len(x.About([]*tracker.Record{r})) > 0 {
				x.received.Rows = append(x.received.Rows, permissions.Holding{Principal: e.Principal, Permissions: e.Permissions, Grantable: e.Grantable})
			}
		}
	}
	return nil
}

// shownToAccount reports whether Lake Formation shows what the account itself holds.
func (x *explained) shownToAccount() bool {
	for _, h := range x.received.Rows {
		if h.Principal == x.account || h.Principal == permissions.AllowedByIAM {
			return true
		}
	}
	return false
}
