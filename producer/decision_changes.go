package producer

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/parts"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/plan"
)

// change is what a decision does. It is computed from what was found alone.
type change struct {
	// grant and revoke are what changes, holds is what the consumer holds afterwards of
	// what the decision is about.
	grant, revoke, holds []permissions.Entry
	// prefixes are what is opened and closed, where says which place of which table each
	// is, and unregistered are those that would be opened if they were registered.
	prefixes     storage.Wanted
	where        map[access.Place]tablePlace
	unregistered []tablePlace
	// byHand is what the consumer holds by other means than lakemesh's, and would not be
	// told apart afterwards from what the decision grants; foreign is that as the record
	// keeps it.
	byHand  []permissions.Entry
	foreign []string
	// regrants tells that grants change: what is revoked from the account ends what it
	// had handed on, and what is granted is yet to be handed on.
	regrants bool
	// filters are made or brought to what they shall be, unused are dropped.
	filters map[permissions.Resource]filterChange
	unused  []permissions.Resource
	// members are the tables of a group, databases those that they are in; own is what the owner's role is
	// granted by its LF-tags.
	members   []catalog.TableName
	databases []string
	own       []permissions.Entry
	// disown is what the owner's role is revoked because nobody is given it any more.
	disown []permissions.Entry
	// warnings are what the owner should know of.
	warnings []string
	shared   *shared
	// ends is what becomes of the schedules that end grants, and enders what their role
	// lacks for it.
	ends   []endChange
	enders []permissions.Entry
}

// changes computes what a decision changes: the terms of one subscription are replaced,
// and what all of the consumer's terms justify is compared with what is there.
func (p *Producer) changes(c *considered, f *found) (*change, error) {
	names := f.inside(c.record)
	about := p.about(c, names)
	ours := func(g access.Grants) access.Grants {
		return g.On(func(k access.Key) bool { _, ok := about[k]; return ok })
	}
	there := ours(f.have.Access())
	made, byHand, err := p.made(c, f, names, there)
	if err != nil {
		return nil, err
	}
	wanted, stays, err := p.wanted(c, f)
	if err != nil {
		return nil, err
	}
	target := ours(wanted.Grants)
	for k, h := range made {
		if (k.Object.Kind == access.KindFilter || k.Object.Kind == access.KindTaggedTables) && target[k].Empty() {
			// What others hold on a filter, or by LF-tags, a listing may not show, and nothing is answered about
			// one of them. Revoking what is not there does no harm.
			there.Add(k, h)
		}
	}
	if len(c.permitted) == 0 {
		// Who takes away grants nothing, also if it fell out that others justify.
		target = target.Held(there)
	}
	diff := access.Diff(made, target.Union(ours(stays).Held(there)), there)
	for k := range target {
		if r, ok := permissions.Of(k.Object); ok && !diff.After[k].Empty() && f.carriage.Missing[p.sharedARN(r)] != "" {
			// It is there and no share carries it: granting once more shares it again.
			diff.Grant.Add(k, diff.After[k])
		}
	}

	ch := &change{shared: f.shared, regrants: !diff.Empty()}
	holds := access.Grants{}
	for k := range about {
		holds.Add(k, diff.After[k])
	}
	for _, part := range []struct {
		of   access.Grants
		into *[]permissions.Entry
	}{{diff.Grant, &ch.grant}, {diff.Revoke, &ch.revoke}, {holds, &ch.holds}, {byHand, &ch.byHand}} {
		if *part.into, err = permissions.Entries(part.of); err != nil {
			return nil, err
		}
	}
	if err := unblocked(c.op, p.meshAccount, f, ch.grant); err != nil {
		return nil, err
	}
	if ch.foreign, err = permissions.EncodeFound(byHand); err != nil {
		return nil, err
	}
	if err := p.growing(c, f, ch); err != nil {
		return nil, err
	}
	if err := p.filters(c, f, ch, wanted, diff.After); err != nil {
		return nil, err
	}
	if err := p.prefixes(c, f, ch, diff); err != nil {
		return nil, err
	}
	if err := p.planEnds(c, f, ch, names, holds); err != nil {
		return nil, err
	}
	p.warn(c, f, ch, wanted)
	return ch, nil
}

// wanted is what the terms of all of the consumer's subscriptions justify, with those of
// this one replaced. stays is what others were granted in the other form: one that was
// extended table by table keeps that where all tables can be granted by now.
func (p *Producer) wanted(c *considered, f *found) (_ access.Wanted, stays access.Grants, _ error) {
	known := p.catalog(f)
	if own := c.record.Database; own != "" {
		database := access.Database{Tables: known.Databases[own].Tables}
		if f.grantsAll(own) {
			database.Wildcard = f.have.Of(p.ids.Mesh.ARN, permissions.AllTables(p.meshAccount, own)).Grantable
		}
		known.Databases[own] = database
	}
	all := []access.Terms{p.termsOf(c.record, c.terms)}
	stays = access.Grants{}
	for _, o := range f.others {
		justified := o.Justified()
		all = append(all, chain.Terms(p.meshAccount, o, justified))
		stays = stays.Union(p.either(o, f.grantedInside(o), justified))
	}
	// Others that are over justify nothing; this one's end may have been moved.
	wanted, err := access.Want(all, known, c.now)
	if err == nil && len(c.permitted) > 0 && len(c.record.Tables) > 0 {
		for _, u := range wanted.Unmet {
			// What is given already is not kept from being changed because a column is gone.
			if u.ID == c.record.ID && (c.givesMore() || !c.scope.Partly()) {
				if t, ok := f.tables[catalog.TableName{Database: u.Object.Database, Table: u.Object.Table}]; ok && !c.scope.Equal(c.record.RequestedScope) {
					// The owner has said otherwise, so that it is the owner's to say anew.
					if err := t.schema.Check(c.scope); err != nil {
						return wanted, nil, err
					}
				}
				return wanted, nil, &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Account: p.meshAccount, Resource: u.Object.String(), Message: u.Message,
					Hint: "deny the request, and let the consumer ask for the tables that can be shared"}
			}
		}
	}
	return wanted, stays, err
}

// catalog is what was read of the mesh's catalog.
func (p *Producer) catalog(f *found) access.Catalog {
	c := access.Catalog{Account: p.meshAccount, Owner: p.account, Databases: map[string]access.Database{}, TagsKnown: f.carried != nil && f.carried.all}
	add := func(name catalog.TableName, t meshTable) {
		if _, ok := c.Databases[name.Database]; !ok {
			c.Databases[name.Database] = access.Database{Tables: map[string]access.Table{}}
		}
		known := access.Table{Columns: parts.Names(t.schema.Columns), Keys: parts.Names(t.schema.Keys), Tags: t.tags}
		for _, place := range t.known.Places {
			known.Places = append(known.Places, access.Place{Bucket: place.Bucket, Prefix: place.Prefix})
		}
		c.Databases[name.Database].Tables[name.Table] = known
	}
	for database, tables := range f.elsewhere {
		for name, t := range tables {
			add(catalog.TableName{Database: database, Table: name}, t)
		}
	}
	for name, t := range f.withPlaces() {
		add(name, t)
	}
	return c
}

// made is what lakemesh brought about for the subscription, as its record says: what was
// decided, or may have been done of an unfinished decision, without what was there
// before. byHand is the latter: what no subscription brought about and somebody granted
// by hand. It is kept with the record, because once the subscription is active the two
// cannot be told apart. An unfinished decision has kept it already.
func (p *Producer) made(c *considered, f *found, names []string, there access.Grants) (made, byHand access.Grants, _ error) {
	byHand, err := permissions.DecodeFound(p.meshAccount, c.record.Subscriber, c.record.Found)
	if err != nil {
		return nil, nil, err
	}
	made = p.either(c.record, f.grantedInside(c.record), c.before()...)
	if c.record.Claim == nil {
		others := access.Grants{}
		for _, o := range f.others {
			// Also what is being taken away: lakemesh granted it.
			theirs, err := permissions.DecodeFound(p.meshAccount, o.Subscriber, o.Found)
			if err != nil {
				return nil, nil, err
			}
			others = others.Union(p.either(o, f.grantedInside(o), o.MayHold()...).Minus(theirs))
		}
		wanted, err := access.Want([]access.Terms{p.termsOf(c.record, c.terms)}, p.catalog(f), c.now)
		if err != nil {
			return nil, nil, err
		}
		// Granted under either form, it is the same.
		after := wanted.Grants.Union(p.either(c.record, names, c.given()))
		byHand = byHand.Union(access.Diff(made.Union(others), after, there).Found)
	}
	return made.Minus(byHand), byHand, nil
}

// steps are the steps of a change, in a plan.
func (p *Producer) steps(ctx context.Context, c *considered, f *found, ch *change) (*plan.Plan, error) {
	r := c.record
	todo := &plan.Plan{Operation: c.op}
	for _, w := range ch.warnings {
		todo.Warn("%s", w)
	}
	f.shared.knows(f, ch.grant, ch.revoke, ch.holds)
	own := p.planOwn(todo, ch)
	made := p.planFilters(todo, ch)
	scheduled := p.scheduleEnds(todo, ch, made...)
	steps := p.mesh.lake.Batches().ChangeAfter(todo, ch.grant, ch.revoke, scheduled, made...)
	p.planUnusedFilters(todo, ch, p.loosenEnds(todo, ch, steps))
	p.planDisown(todo, ch, steps...)
	steps = append(steps, own...)
	unfinished := r.Claim != nil && len(c.permitted) > 0
	// Where shares carried all of it before, and are in order, nothing is put into them.
	settled := f.carriage.Settled && f.shared.found != nil
	if (len(ch.grant) > 0 || unfinished) && !settled {
		todo.Add(plan.Step{
			Kind: plan.AwaitShare, Account: p.meshAccount, Resource: "resource shares for " + f.shared.with(),
			Summary: "check that the resource shares for " + f.shared.with() + " are in order", Run: f.shared.await,
		}, steps...)
	}
	if err := p.planBuckets(ctx, todo, ch, steps...); err != nil {
		return nil, err
	}
	todo.Digest = todo.ComputeDigest(append(r.Digest(), c.permitted.String(), c.grantable.String(), lakemesh.FormatTime(c.until), c.scope.String(), c.notes)...)
	return todo, nil
}

// mostNamed is how many things of a kind warnings name.
const mostNamed = 5

// warn says what the owner should know of.
func (p *Producer) warn(c *considered, f *found, ch *change, wanted access.Wanted) {
	r := c.record
	warn := func(format string, args ...any) { ch.warnings = append(ch.warnings, fmt.Sprintf(format, args...)) }
	if more := c.permitted.Minus(r.Requested); c.action != lakemesh.ActionAbort && len(more) > 0 && !r.Requested.Has(lakemesh.All) {
		warn("%s is more than account %s asked for, which is %s", more, r.Subscriber, r.Requested)
	}
	if c.action == lakemesh.ActionApprove {
		for _, text := range wider(r.RequestedScope, c.scope, f.tables) {
			warn("%s", text)
		}
	}
	if c.action == lakemesh.ActionApprove && !r.RequestedUntil.IsZero() && (c.until.IsZero() || c.until.After(r.RequestedUntil)) {
		warn("it %s, and account %s asked for it until %s", ending(c.until), r.Subscriber, lakemesh.FormatTime(r.RequestedUntil))
	}
	for n, e := range ch.byHand {
		if n == mostNamed {
			warn("and %d more", len(ch.byHand)-n)
			break
		}
		warn("%s holds %s on %s already, which lakemesh did not grant: it stays when this subscription ends", holder(e.Principal), e.Permissions, e.Resource)
	}
	ch.warnings = append(ch.warnings, p.unitsOf(c, f, ch)...)
	ch.warnings = append(ch.warnings, fallenOf(c, ch)...)
	for n, object := range slices.Sorted(maps.Keys(f.carriage.Missing)) {
		if n == mostNamed {
			warn("and %d more", len(f.carriage.Missing)-n)
			break
		}
		warn("%s was granted and does not reach %s: %s; it is shared again", object, f.shared.with(), f.carriage.Missing[object])
	}
	for _, u := range wanted.Unmet {
		if u.ID == r.ID {
			warn("%s: %s", u.Object, u.Message)
		}
	}
	if readsData(c.permitted) {
		tables := f.withPlaces()
		for _, name := range inOrder(tables) {
			warnOfPlaces(warn, name, tables[name])
		}
	}
	warnHybrid(warn, c, f)
	for _, name := range f.halfRead {
		warn("not all partitions of table %s were looked at: one that lies exactly in a folder that is closed is closed, too", name)
	}
	if said := p.unwritable(c.permitted, f.tables, f.locations); said != "" {
		warn("%s", said)
	}
	for _, why := range f.unread {
		warn("whether prefixes are open that nobody reads is not known: %s", why)
	}
}
