package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/plan"
)

// otherLink is the link of a subscription in another region than the mesh's.
type otherLink struct {
	linkPlace
	name string
	// there tells that it is there, recorded that the subscription says so.
	there, recorded bool
	// held is what is granted on it. The resources of Lake Formation have no regions, so
	// that it is kept apart.
	held *permissions.Grants
}

// chooseRegions tells where links are to be: in the region that is asked for, or where they
// were made before. What is asked for is checked before anything changes; of what was chosen
// once, a region that is closed since keeps nothing else from being imported.
func (f *finalizing) chooseRegions(ctx context.Context, in FinalizeInput) error {
	c, asked := f.consumer, strings.TrimSpace(in.LinkRegion)
	regions := c.linkRegions(&f.record.Subscription)
	if asked != "" {
		if err := c.partition.CheckRegion("LinkRegion", asked); err != nil {
			return err
		}
		regions = []string{asked}
	}
	f.elsewhere = regions[0] != c.region
	f.addsHome = asked == c.region && !c.linksAtHome(&f.record.Subscription)
	for i, region := range regions {
		if region == c.region {
			continue
		}
		l := &otherLink{linkPlace: c.linksIn(region), recorded: slices.Contains(f.record.LinkRegions, region)}
		if err := l.open(ctx, c, opFinalize); err != nil {
			if asked != "" || len(regions) == 1 || ctx.Err() != nil {
				return err
			}
			f.warnings = append(f.warnings, fmt.Sprintf("the link in region %s was left as it is: %v", region, err))
			continue
		}
		// A name that is asked for is that of one link.
		l.name = f.link
		if in.LinkDatabaseName == "" || i > 0 {
			var err error
			if l.name, err = l.called(ctx, c, f.record.Database); err != nil {
				return err
			}
		}
		f.otherLinks = append(f.otherLinks, l)
	}
	return nil
}

// called is the name of the link to a database that is there, or is to be made.
func (l *otherLink) called(ctx context.Context, c *Consumer, database string) (string, error) {
	links, err := l.linked(ctx, c)
	if err != nil {
		return "", err
	}
	name := strings.ToLower(database)
	if links[name] == name {
		return name, nil
	}
	for link, target := range links {
		if target == name && (links[name] == "" || link < name) {
			name = link
		}
	}
	return name, nil
}

// lookForOtherLinks looks at the links in other regions, and at what is granted on them.
func (f *finalizing) lookForOtherLinks(ctx context.Context) error {
	for _, l := range f.otherLinks {
		if err := l.look(ctx, f.consumer, f.record.Database); err != nil {
			return err
		}
	}
	return nil
}

func (l *otherLink) look(ctx context.Context, c *Consumer, database string) error {
	l.held = permissions.NewGrants()
	db, ok, err := l.own.database(ctx, l.name)
	if err != nil || !ok {
		return err
	}
	if !l.linksTo(c, db, database) {
		return nameTaken(c, db, l.name, l.region)
	}
	l.there = true
	if l.held, err = l.lake.Observe(ctx, l.on(c)); err != nil {
		return identity.Explain(opFinalize, c.account, "permissions on "+l.what(), err)
	}
	return nil
}

func (l *otherLink) on(c *Consumer) permissions.Resource {
	return permissions.Database(c.account, l.name)
}

func (l *otherLink) what() string { return "database " + l.name + " in region " + l.region }

// lacking is what principals are to hold on the link, and do not.
func (l *otherLink) lacking(f *finalizing) []permissions.Entry {
	var wanted []permissions.Entry
	for _, principal := range f.recipients() {
		wanted = append(wanted, permissions.Entry{Principal: principal, Resource: l.on(f.consumer), Permissions: lakemesh.NewPermissions(lakemesh.Describe)})
	}
	return permissions.Missing(l.held, wanted)
}

// planOtherLinks adds the steps that make links in other regions and let principals see
// them, and returns them.
func (f *finalizing) planOtherLinks(p *plan.Plan, ready *plan.Step) []*plan.Step {
	c, r := f.consumer, f.record
	p.Warnings = append(p.Warnings, f.warnings...)
	var all []*plan.Step
	note := func(region string) *plan.Step {
		if step := f.noted[region]; step != nil {
			return step
		}
		step := p.Add(plan.Step{Kind: plan.Record, Account: c.meshAccount, Resource: "subscription " + r.ID,
			Summary: fmt.Sprintf("record that subscription %s is linked in region %s", r.ID, region),
			Run:     func(ctx context.Context) error { return c.tracker.LinksIn(ctx, r, c.region, region) }}, ready)
		if f.noted != nil {
			f.noted[region] = step
		}
		all = append(all, step)
		return step
	}
	if f.addsHome {
		note(c.region)
	}
	for _, l := range f.otherLinks {
		// Before the link is made: whoever takes it away looks where the record says.
		before := ready
		if !l.recorded {
			before = note(l.region)
		}
		if !l.there {
			p.Warn("through the link in region %s, Athena, EMR and Glue read what is in region %s; Redshift Spectrum does not, and the tables are listed there through the link alone", l.region, c.region)
			before = p.Add(plan.Step{Kind: plan.CreateLink, Account: c.account, Resource: l.what(),
				Summary: fmt.Sprintf("link database %s in region %s to database %s of the mesh in region %s", l.name, l.region, r.Database, c.region),
				Run:     func(ctx context.Context) error { return l.make(ctx, c, r.Database) }}, before)
			all = append(all, before)
		}
		batches := f.patient(l.lake).Batches()
		for _, e := range l.lacking(f) {
			all = append(all, l.said(c, batches.Grant(p, e, before))...)
		}
	}
	return all
}

// make makes the link. Somebody who was faster is fine if it is the same.
func (l *otherLink) make(ctx context.Context, c *Consumer, database string) error {
	link := catalog.DatabaseLink(l.name, c.meshAccount, strings.ToLower(database))
	link.TargetDatabase.Region = aws.String(c.region)
	err := l.own.CreateDatabase(ctx, link, nil)
	if errors.Is(err, catalog.ErrExists) {
		if err := l.look(ctx, c, database); err != nil || l.there {
			return err
		}
	}
	return identity.Explain(opFinalize, c.account, l.what(), err)
}
