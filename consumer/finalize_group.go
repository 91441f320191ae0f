package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/internal/sharing"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// inDatabases are the parts of a subscription: the subscription itself, or of one to a group
// what of it is in each of the databases that its owner granted.
func inDatabases(r *tracker.Record) []*tracker.Record {
	if r.Group.IsZero() {
		return []*tracker.Record{r}
	}
	var all []*tracker.Record
	for _, name := range chain.DatabasesOf(r, nil) {
		part := *r
		part.Database = name
		all = append(all, &part)
	}
	return all
}

// isIn reports whether a subscription is about a database, or about tables in it.
func isIn(r *tracker.Record, database string) bool {
	return slices.ContainsFunc(inDatabases(r), func(part *tracker.Record) bool { return strings.EqualFold(part.Database, database) })
}

// importing is what is known before a subscription to a group is imported: one plan for all
// of its databases.
type importing struct {
	consumer *Consumer
	record   *tracker.Record
	// parts are what is in each of the databases. What goes by LF-tags is handed on with the
	// first.
	parts []*finalizing
	// gone are databases that the record names and that are nowhere to be seen.
	gone []string
	// leftBehind is what other subscriptions left on tables of the group.
	leftBehind []left
}

// observeGroup reads what there is of each database of a group. With an error that none of them
// can be seen it returns what it knows.
func (c *Consumer) observeGroup(ctx context.Context, in FinalizeInput, r *tracker.Record) (*importing, error) {
	of, err := c.prepare(ctx, in, r)
	if err != nil {
		return nil, err
	}
	g := &importing{consumer: c, record: r}
	noted := map[string]*plan.Step{}
	for _, part := range inDatabases(r) {
		f := *of
		f.record, f.noted = part, noted
		g.parts = append(g.parts, &f)
	}
	if len(g.parts) == 0 {
		return nil, &lakemesh.Error{Op: opFinalize, Account: c.meshAccount, Resource: "subscription " + r.ID, Kind: lakemesh.ErrNotFound,
			Message: "no table of " + r.Group.String() + " is published at this time", Hint: "import it when its owner, account " + r.Owner + ", has published one"}
	}
	named, err := g.nameLinks(ctx, in)
	if err != nil {
		return nil, err
	}
	for i, f := range g.parts {
		one := in
		if i != named {
			one.LinkDatabaseName = ""
		}
		if err := f.chooseRegions(ctx, one); err != nil {
			return nil, err
		}
	}
	if err := g.each(ctx, (*finalizing).observeShares); err != nil {
		return nil, err
	}
	if err := g.leaveGone(ctx); err != nil {
		return g, err
	}
	for i, f := range g.parts {
		f.further = i > 0
	}
	if err := g.each(ctx, (*finalizing).observeRest); err != nil {
		return nil, err
	}
	return g, nil
}

// each does something with each of the parts.
func (g *importing) each(ctx context.Context, do func(*finalizing, context.Context) error) error {
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(g.consumer.concurrency())
	for _, f := range g.parts {
		group.Go(func() error { return do(f, within) })
	}
	return group.Wait()
}

// nameLinks chooses the links' names: that of a link which is there, whatever it is called,
// and else the database's own. A name that is said is that of one link: named is the part
// that gets it, or -1.
func (g *importing) nameLinks(ctx context.Context, in FinalizeInput) (named int, _ error) {
	c, asked := g.consumer, strings.TrimSpace(in.LinkRegion)
	said, err := linkName(in.LinkDatabaseName, "")
	if err != nil {
		return -1, err
	}
	region := c.linkRegions(&g.record.Subscription)[0]
	if asked != "" {
		if err := c.partition.CheckRegion("LinkRegion", asked); err != nil {
			return -1, err
		}
		region = asked
	}
	at := c.linksIn(region)
	if region != c.region {
		if said == "" {
			// Links of other regions are named where they are made.
			return -1, nil
		}
		if err := at.open(ctx, c, opFinalize); err != nil {
			return -1, err
		}
	}
	all, err := at.own.databases(ctx)
	if err != nil {
		return -1, err
	}
	links, taken := map[string]string{}, map[string]bool{}
	for i := range all {
		name := strings.ToLower(aws.ToString(all[i].Name))
		if t := all[i].TargetDatabase; t != nil && at.linksTo(c, &all[i], aws.ToString(t.DatabaseName)) {
			links[name] = strings.ToLower(aws.ToString(t.DatabaseName))
		}
		taken[name] = true
	}
	named = -1
	var unlinked, without []int
	for i, f := range g.parts {
		database := strings.ToLower(f.record.Database)
		f.link = linkAmong(links, database)
		if said != "" && links[said] == database {
			named = i
		}
		if links[f.link] != database {
			unlinked = append(unlinked, i)
			if taken[f.link] {
				without = append(without, i)
			}
		}
	}
	switch {
	case said == "":
		return -1, nil
	case named >= 0:
	case len(g.parts) == 1:
		named = 0
	case len(unlinked) == 1:
		named = unlinked[0]
	case len(without) > 0:
		// The others can be called as their databases are.
		named = without[0]
	default:
		return -1, lakemesh.Invalid("LinkDatabaseName", "%s is in %d databases, and each gets a link of its own: leave the name out", g.record.Group, len(g.parts))
	}
	g.parts[named].link = said
	return named, nil
}

// linkAmong is the name of the link to a database among links, or that which one would get.
func linkAmong(links map[string]string, database string) string {
	found := database
	for name, target := range links {
		if target == database && links[found] == database {
			if found != database {
				found = min(found, name)
			}
		} else if target == database {
			found = name
		}
	}
	return found
}

// leaveGone leaves out the databases that are gone: their owner may have taken them out of the
// mesh, and the subscription may still name them. That is so of what nobody sees, while
// everything that the owner shared is in effect.
func (g *importing) leaveGone(ctx context.Context) error {
	c := g.consumer
	if direct(g.record) || slices.ContainsFunc(g.parts, func(f *finalizing) bool { return len(f.pending) > 0 }) {
		return nil
	}
	hidden := slices.DeleteFunc(slices.Clone(g.parts), func(f *finalizing) bool { return f.visible })
	if len(hidden) == 0 {
		return nil
	}
	if len(hidden) == len(g.parts) {
		shares := shareARNs(&g.record.Subscription)
		accepted, err := c.receiver().Accepted(ctx, shares)
		if err != nil || len(shares) == 0 || len(accepted) < len(shares) {
			return err
		}
	}
	for _, f := range hidden {
		_, public, err := c.public.database(ctx, f.record.Database)
		if err != nil {
			return err
		}
		if !public {
			g.gone = append(g.gone, f.record.Database)
		}
	}
	g.parts = slices.DeleteFunc(g.parts, func(f *finalizing) bool { return slices.Contains(g.gone, f.record.Database) })
	if len(g.parts) > 0 {
		return nil
	}
	return &lakemesh.Error{Op: opFinalize, Account: c.meshAccount, Resource: "subscription " + g.record.ID, Kind: lakemesh.ErrNotFound,
		Message: fmt.Sprintf("of %s this account sees nothing: it was in database %s, which cannot be seen", g.record.Group, strings.Join(g.gone, ", ")),
		Hint:    "if it was shared a moment ago, import it again in a minute; else the owner, account " + g.record.Owner + ", brings the subscription up to date: " + byOwner(g.record)}
}

// plan is what an import does.
func (g *importing) plan() *plan.Plan {
	p, first := &plan.Plan{Operation: opFinalize}, g.parts[0]
	if first.unshown() && g.record.Imported {
		// It was shown when it was imported first, and is rather gone than late.
		first.patience = unseenPatience
	}
	accepting := *first
	accepting.pending = g.pending()
	accepted := accepting.planAccepts(p)
	batches := first.patient(g.consumer.lake).Batches()
	var last []*plan.Step
	handed := false
	ready := make([]*plan.Step, len(g.parts))
	for i, f := range g.parts {
		ready[i] = f.planShares(p, accepted)
	}
	// What goes by LF-tags comes with a share of its own.
	first.arrived = ready
	for i, f := range g.parts {
		steps, hands := f.planLinked(p, batches, ready[i])
		last, handed = append(last, steps...), handed || hands
	}
	g.planTakingBack(p, last)
	first.planRecord(p, handed, last)
	first.warn(p)
	for _, name := range g.gone {
		p.Warn("database %s, in which tables of %s were, cannot be seen and is left out: if it was shared a moment ago, import the subscription again in a minute", name, g.record.Group)
	}
	var warnings []string
	for _, w := range p.Warnings {
		if !slices.Contains(warnings, w) {
			warnings = append(warnings, w)
		}
	}
	p.Warnings = warnings
	return p
}

// planFinalizeGroup tells what importing a subscription to a group would do.
func (c *Consumer) planFinalizeGroup(ctx context.Context, in FinalizeInput, r *tracker.Record) (*plan.Plan, error) {
	g, err := c.observeGroup(ctx, in, r)
	if err != nil {
		return nil, err
	}
	if err := g.lookForLeftBehind(ctx); err != nil {
		return nil, err
	}
	p := g.plan()
	g.parts[0].warnBefore(p)
	return p, nil
}

// finalizeGroup imports a subscription to a group.
func (c *Consumer) finalizeGroup(ctx context.Context, in FinalizeInput, r *tracker.Record) (*FinalizeOutput, error) {
	g, err := c.observeGroup(ctx, in, r)
	var accepted []string
	if g != nil && (!r.Imported && g.waits() || len(g.pending()) > 0) {
		g, accepted, err = c.awaitGroup(ctx, in, r, g, err)
	}
	if err != nil {
		return nil, err
	}
	g.parts[0].late = append(accepted, g.parts[0].late...)
	p := g.plan()
	if err := c.apply(ctx, p); err != nil {
		return nil, g.refused(g.parts[0].failed(ctx, err, g.parts[1:]...))
	}
	// It is looked for only now: another import may have handed on the same meanwhile.
	if err := g.lookForLeftBehind(ctx); err != nil {
		return nil, err
	}
	back := &plan.Plan{Operation: opFinalize}
	g.planTakingBack(back, nil)
	if err := c.apply(ctx, back); err != nil {
		return nil, g.parts[0].failed(ctx, err, g.parts[1:]...)
	}
	p.Warnings = append(p.Warnings, back.Warnings...)
	return g.output(p), g.parts[0].notHeld()
}

// unshown reports whether Lake Formation shows what this account holds on the database, and not
// that it holds what the group is granted by. That it would show that is not documented, so it
// is handed on all the same.
func (f *finalizing) unshown() bool {
	c, s := f.consumer, &f.record.Subscription
	return !s.Group.IsZero() && !direct(f.record) && f.visible && !f.further &&
		len(f.held.Of(c.account, tagged(c.meshAccount, s)).Permissions) == 0 && len(f.held.Of(c.account, permissions.Database(c.meshAccount, s.Database)).Permissions) > 0
}

// refused words that Lake Formation refuses what goes by LF-tags, and does not show that the
// account holds it.
func (g *importing) refused(err error) error {
	first := g.parts[0]
	if !first.unshown() || !awserr.Denied(err) && !errors.Is(err, lakemesh.ErrAccessDenied) {
		return err
	}
	c, s := g.consumer, &g.record.Subscription
	return &lakemesh.Error{Op: opFinalize, Account: c.meshAccount, Resource: "subscription " + s.ID, Kind: lakemesh.ErrAccessDenied, Err: err,
		Message: fmt.Sprintf("it cannot hand on %s on %s: the subscription says so, and Lake Formation does not show that account %s holds it: %v", passedOn(s), tagged(c.meshAccount, s), c.account, err),
		Hint:    "the owner, account " + s.Owner + ", gives it again with: " + byOwner(g.record) + "; import it again then"}
}

// accept accepts what invites to shares that carry the group.
func (g *importing) accept(ctx context.Context) (shares []string, _ error) {
	all := *g.parts[0]
	all.pending = g.pending()
	p := &plan.Plan{Operation: opFinalize}
	all.planAccepts(p)
	for _, i := range all.pending {
		shares = append(shares, i.Share)
	}
	return shares, g.consumer.apply(ctx, p)
}

// hidden reports whether a database cannot be seen, and may be late.
func (g *importing) hidden() bool {
	return slices.ContainsFunc(g.parts, func(f *finalizing) bool { return !f.visible })
}

// waits reports whether something of what the owner granted may be late.
func (g *importing) waits() bool {
	return len(g.gone) > 0 || g.hidden() || len(g.parts) > 0 && (g.parts[0].unshown() || len(g.parts[0].withheld()) > 0)
}

// awaitGroup accepts what invites to a group that was looked at, and looks at it again until all
// that the owner granted is shown. What may never be shown, a database that is gone and what goes by LF-tags,
// is not waited for as long as what is late.
func (c *Consumer) awaitGroup(ctx context.Context, in FinalizeInput, r *tracker.Record, g *importing, last error) (_ *importing, accepted []string, _ error) {
	var since time.Time
	looked := true
	err := poll.Until(ctx, shareWait, "what was granted on subscription "+in.SubscriptionID+" to be shown", func(ctx context.Context) (bool, error) {
		if !looked {
			g, last = c.observeGroup(ctx, in, r)
		}
		if looked = false; g == nil {
			return false, last
		}
		if last == nil && len(g.pending()) > 0 {
			shares, err := g.accept(ctx)
			if accepted, since = append(accepted, shares...), (time.Time{}); err != nil {
				return false, err
			}
			// What was shared is mostly in effect at once.
			if g, last = c.observeGroup(ctx, in, r); g == nil {
				return false, last
			}
			if len(g.pending()) > 0 {
				return false, nil
			}
		}
		switch {
		case !g.waits():
			return true, nil
		case g.hidden():
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		}
		return !since.IsZero() && time.Since(since) >= grantPatience, nil
	})
	if err != nil {
		return nil, nil, identity.Explain(opFinalize, c.account, "what was granted on subscription "+in.SubscriptionID, err)
	}
	return g, accepted, last
}

// pending are the invitations that wait to be accepted.
func (g *importing) pending() []sharing.Invitation {
	var all []sharing.Invitation
	for _, f := range g.parts {
		for _, i := range f.pending {
			if !slices.ContainsFunc(all, func(o sharing.Invitation) bool { return o.ARN == i.ARN }) {
				all = append(all, i)
			}
		}
	}
	return all
}

func (g *importing) output(p *plan.Plan) *FinalizeOutput {
	first := *g.parts[0]
	first.pending = g.pending()
	for _, f := range g.parts[1:] {
		first.late = append(slices.Clone(first.late), f.late...)
	}
	out := first.output(p)
	out.Group, out.Links = g.record.Group, map[string]string{out.DatabaseName: out.LinkDatabase}
	for _, f := range g.parts[1:] {
		of := f.output(p)
		out.Links[of.DatabaseName] = of.LinkDatabase
	}
	if len(g.parts) > 1 {
		out.DatabaseName, out.LinkDatabase = "", ""
	}
	return out
}
