package producer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/expression"
	"github.com/lakemesh/lakemesh/internal/parts"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/places"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/internal/tracker"
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
	names := slices.Sorted(maps.Keys(f.tables))
	about := p.about(c, names)
	ours := func(g access.Grants) access.Grants {
		return g.On(func(k access.Key) bool { _, ok := about[k]; return ok })
	}
	there := ours(f.have.Access())
	made, byHand, err := p.made(c, f, names, there)
	if err != nil {
		return nil, err
	}
	wanted, stays, err := p.wanted(c, f, names)
	if err != nil {
		return nil, err
	}
	target := ours(wanted.Grants)
	for k, h := range made {
		if k.Object.Kind == access.KindFilter && target[k].Empty() {
			// What others hold on a filter a listing may not show, and nothing is answered about
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
	if err := unblocked(f.have, ch.grant); err != nil {
		return nil, err
	}
	if ch.foreign, err = permissions.EncodeFound(byHand); err != nil {
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
func (p *Producer) wanted(c *considered, f *found, names []string) (_ access.Wanted, stays access.Grants, _ error) {
	catalog := p.catalog(f)
	catalog.Databases[c.record.Database] = access.Database{Tables: catalog.Databases[c.record.Database].Tables,
		Wildcard: f.have.Of(p.ids.Mesh.ARN, permissions.AllTables(p.meshAccount, c.record.Database)).Grantable}
	all := []access.Terms{p.termsOf(c.record, c.terms)}
	stays = access.Grants{}
	for _, o := range f.others {
		justified := o.Justified()
		all = append(all, chain.Terms(p.meshAccount, o, justified))
		stays = stays.Union(p.either(o, names, justified))
	}
	// Others that are over justify nothing; this one's end may have been moved.
	wanted, err := access.Want(all, catalog, c.now)
	if err == nil && len(c.permitted) > 0 && !c.record.Words.Whole {
		for _, u := range wanted.Unmet {
			// What is given already is not kept from being changed because a column is gone.
			if u.ID == c.record.ID && (c.givesMore() || !c.scope.Partly()) {
				if t, ok := f.tables[u.Object.Table]; ok && !c.scope.Equal(c.record.RequestedScope) {
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
	c := access.Catalog{Account: p.meshAccount, Owner: p.account, Databases: map[string]access.Database{}}
	add := func(database string, tables map[string]meshTable) {
		of := access.Database{Tables: map[string]access.Table{}}
		for name, t := range tables {
			known := access.Table{Columns: parts.Names(t.schema.Columns), Keys: parts.Names(t.schema.Keys)}
			for _, place := range t.known.Places {
				known.Places = append(known.Places, access.Place{Bucket: place.Bucket, Prefix: place.Prefix})
			}
			of.Tables[name] = known
		}
		c.Databases[database] = of
	}
	own := f.shared.record.Database
	add(own, f.withPlaces(f.elsewhere[own]))
	for database, tables := range f.elsewhere {
		if database != own {
			add(database, tables)
		}
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
	made = p.either(c.record, names, c.before()...)
	if c.record.Claim == nil {
		others := access.Grants{}
		for _, o := range f.others {
			// Also what is being taken away: lakemesh granted it.
			theirs, err := permissions.DecodeFound(p.meshAccount, o.Subscriber, o.Found)
			if err != nil {
				return nil, nil, err
			}
			others = others.Union(p.either(o, names, o.MayHold()...).Minus(theirs))
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
	made := p.planFilters(todo, ch)
	scheduled := p.scheduleEnds(todo, ch, made...)
	steps := p.mesh.lake.Batches().ChangeAfter(todo, ch.grant, ch.revoke, scheduled, made...)
	p.planUnusedFilters(todo, ch, p.loosenEnds(todo, ch, steps))
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
		tables := f.withPlaces(f.tables)
		for _, name := range slices.Sorted(maps.Keys(tables)) {
			warnOfPlaces(warn, r.Database, tables[name])
		}
	}
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

// unblocked finds resources on which IAMAllowedPrincipals holds a permission:
// Lake Formation would refuse the grant.
func unblocked(have *permissions.Grants, grant []permissions.Entry) error {
	for _, g := range grant {
		if err := expression.RefuseSentinel("Tables", g.Resource.Table); err != nil {
			return err
		}
		if len(have.Of(permissions.AllowedByIAM, g.Resource).Permissions) > 0 {
			return permissions.BlockedByIAM(g.Resource, nil)
		}
	}
	return nil
}

// meshTable is a table of the product, as the mesh's catalog has it.
type meshTable struct {
	name string
	// known are the table's places: those of its definition, and those of its partitions
	// where they were looked at.
	known places.Table
	// schema are its columns and partition keys.
	schema parts.Schema
	// forged are places that it names and that do not count, because its source does not
	// name them. unconfirmed are those of its places that no source confirms, and why they
	// are not opened.
	forged      []doubted
	unconfirmed map[storage.Place]string
	// made is when it was made, by Glue's clock, and maker who made it, as Glue names them.
	made  time.Time
	maker string
	// partitioned tells that the table has partition keys.
	partitioned bool
	// partial tells that it has more partitions than were looked at.
	partial bool
}

// manyTables is from how many tables on a listing of the database takes fewer
// calls than asking for each.
const manyTables = 8

// meshTables reads the tables of a subscription from the mesh's catalog, which is
// the authority on what the product is. With required, a table that is not there
// is an error; otherwise it is left out, because what is revoked may be gone.
func (p *Producer) meshTables(ctx context.Context, r *tracker.Record, required bool) (map[string]meshTable, error) {
	found := map[string]meshTable{}
	if r.Words.Whole || len(r.Tables) >= manyTables {
		for t, err := range p.mesh.catalog.Tables(ctx, r.Database) {
			if awserr.NotFound(err) && !required {
				break
			}
			if awserr.NotFound(err) {
				return nil, &lakemesh.Error{Account: p.meshAccount, Resource: "database " + r.Database, Kind: lakemesh.ErrNotFound, Message: "not found",
					Hint: "publish it first", Do: []lakemesh.Call{lakemesh.Do("producer.CreateDataProducts")}}
			}
			if err != nil {
				return nil, err
			}
			if m := asMeshTable(t); !r.Words.Whole || !expression.Sentinel(m.name) {
				found[m.name] = m
			}
		}
	} else {
		for _, name := range r.Tables {
			t, ok, err := p.mesh.catalog.Table(ctx, r.Database, name)
			if err != nil {
				return nil, err
			}
			if ok {
				found[strings.ToLower(name)] = asMeshTable(*t)
			}
		}
	}
	return p.ofSubscription(r, found, required)
}

// ofSubscription are the tables of a subscription, of those that were found in its
// database.
func (p *Producer) ofSubscription(r *tracker.Record, found map[string]meshTable, required bool) (map[string]meshTable, error) {
	if r.Words.Whole {
		return found, nil
	}
	wanted := map[string]meshTable{}
	var missing []string
	for _, name := range r.Tables {
		folded := strings.ToLower(name)
		if t, ok := found[folded]; ok {
			wanted[folded] = t
		} else {
			missing = append(missing, name)
		}
	}
	if required && len(missing) > 0 {
		return nil, lakemesh.NotFound(fmt.Sprintf("table %s.%s", r.Database, strings.Join(missing, ", ")), p.meshAccount,
			"it is not in the mesh's catalog any more: publish it again, or deny the request")
	}
	return wanted, nil
}

func asMeshTable(t types.Table) meshTable {
	return meshTable{schema: parts.Of(aws.ToString(t.DatabaseName), &t), name: strings.ToLower(aws.ToString(t.Name)), known: places.Of(t.StorageDescriptor, t.Parameters), made: aws.ToTime(t.CreateTime), maker: aws.ToString(t.CreatedBy), partitioned: len(t.PartitionKeys) > 0}
}
