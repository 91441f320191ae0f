package producer

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/endings"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/sharing"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// found is what is there when a decision is looked at.
type found struct {
	// tables are the subscription's tables in the mesh's catalog.
	tables map[catalog.TableName]meshTable
	// placed are the same with the places of their partitions, if their data matters.
	placed map[catalog.TableName]meshTable
	// left are the tables that have left the subscription's group, with their places.
	left map[catalog.TableName]meshTable
	// others are the other subscriptions in the same databases that can justify what this one
	// grants: the consumer's, and those of others that are for the same organizations and units.
	others []*tracker.Record
	// have is what is granted on the resources that are looked at.
	resources []permissions.Resource
	have      *permissions.Grants
	// filters are the data cells filters that there are of those that the decision is about.
	filters map[permissions.Resource]access.Filter
	// sharing are the owner's other subscriptions in the database, where filters may be left
	// unused.
	sharing []*tracker.Record
	// locations are what is registered with Lake Formation.
	locations []permissions.RegisteredLocation
	// shared finds the resource shares; carriage is how they carry what was granted
	// before, where that was looked at.
	shared   *shared
	carriage sharing.Carriage

	// version is the mesh's cross-account version, where it matters and is known.
	version int
	// beside are the consumer's subscriptions to groups that have tables of which this one is
	// on a part.
	beside []besideGroup

	// What follows is looked at if prefixes may be closed.

	// readers are who may read what, of all that the producer may see; nil if it was not
	// looked at.
	readers access.Grants
	// carried are the LF-tags of tables; nil if nobody reads by LF-tags.
	carried *carriedTags
	// elsewhere are the tables of the databases that others read in.
	elsewhere map[string]map[string]meshTable
	// opened are the prefixes that our statements open, by bucket and role.
	opened map[string]map[string][]string
	// halfRead are tables of others of which not all partitions were looked at.
	halfRead []string
	// unread says of which buckets the policy could not be read, and why.
	unread []string
	// hybrid is what was read where IAMAllowedPrincipals holds something; nil elsewhere.
	hybrid *hybridFound
	// ends are the schedules that end what the subscription may have been granted; nil if it
	// was not looked at them.
	ends map[access.Part]*endings.Found
}

// mends reports whether a decision looks for what fell out of its shares. Taking away
// does not: nothing is to stand in its way.
func (c *considered) mends() bool {
	return !c.extends && len(c.permitted) > 0 && !c.gaveBefore(func(g tracker.Given) bool {
		return !g.Permitted.SubsetOf(c.permitted) || !g.Grantable.SubsetOf(c.grantable) || !g.Scope.Equal(c.scope)
	})
}

// closes reports whether a decision may close prefixes: those that the consumer reads no
// more; or, of a subscription whose terms stay, those of tables that moved and of roles
// that were replaced; or those of tables that left a group.
func (c *considered) closes() bool {
	return c.shrinks || c.gaveBefore(readsBy) && !readsData(c.permitted) || !c.extends && c.action == lakemesh.ActionUpdate && c.unchanged()
}

func readsBy(g tracker.Given) bool { return readsData(g.Permitted) }

// observe reads what is there, side by side, and then what that shows to be needed.
func (p *Producer) observe(ctx context.Context, c *considered) (*found, error) {
	r, f := c.record, &found{elsewhere: map[string]map[string]meshTable{}}
	group, within := errgroup.WithContext(ctx)
	// What is looked at is known without the catalog where tables are named.
	named := !r.Words.Whole && r.Group.IsZero()
	group.Go(func() (err error) {
		if err := p.observeTables(within, c, f); err != nil {
			return err
		}
		if err := p.refuseToGive(c, f.tables); err != nil {
			return err
		}
		if readsData(c.permitted) || c.gaveBefore(readsBy) {
			group.Go(func() (err error) {
				f.placed, err = p.withPartitions(within, f.tables)
				return err
			})
		}
		f.resources = slices.Concat(p.basis(r, f.databases()), chain.Possible(p.meshAccount, r, f.inside(r), c.scopes()...))
		if !named {
			f.have, err = p.lakeOf(c.id, c.grantees()).Observe(within, f.resources...)
		}
		return err
	})
	if named {
		named := slices.Concat(p.basis(r, nil), chain.Possible(p.meshAccount, r, nil, c.scopes()...))
		group.Go(func() (err error) {
			f.have, err = p.lakeOf(c.id, c.grantees()).Observe(within, named...)
			return err
		})
	}
	group.Go(func() (err error) {
		f.others, err = p.observeOthers(within, c)
		return err
	})
	group.Go(func() error { return p.knowsUnits(within, c) })
	group.Go(func() (err error) {
		f.filters, err = p.observeFilters(within, c)
		return err
	})
	group.Go(func() (err error) {
		f.sharing, err = p.observeSharing(within, c)
		return err
	})
	group.Go(func() (err error) {
		f.locations, err = p.mesh.lake.Locations(within)
		return err
	})
	if !r.Group.IsZero() && c.givesMore() {
		group.Go(func() (err error) {
			if f.version, err = p.mesh.lake.CrossAccountVersion(within); awserr.Denied(err) {
				// A role of an older version: Lake Formation says what it does not share.
				err = nil
			}
			return err
		})
	}
	if c.closes() {
		group.Go(func() (err error) {
			// What others may read goes by what Lake Formation has and not by the records:
			// their index can be late, and what it does not show yet would be closed.
			f.readers, err = p.lakeOf(c.id, c.grantees()).Readers(within)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := p.observeHybrid(ctx, c, f); err != nil {
		return nil, err
	}
	f.shared = &shared{producer: p, record: r, resources: f.resources, to: c.grantees()}
	if err := p.observeFurther(ctx, c, f); err != nil {
		return nil, err
	}
	if err := p.afterEnds(ctx, c, f); err != nil {
		return nil, err
	}
	return f, p.confirm(ctx, f)
}

// observeFurther reads what is known to be needed by what was read.
func (p *Producer) observeFurther(ctx context.Context, c *considered, f *found) error {
	group, within := errgroup.WithContext(ctx)
	if c.mends() || c.record.Claim != nil && len(c.permitted) > 0 {
		group.Go(func() (err error) {
			f.carriage, err = f.shared.carriage(within, f.have)
			f.shared.left = f.carriage.Left
			return err
		})
	}
	group.Go(func() error { return p.observeEnds(within, c, f) })
	group.Go(func() error { return p.observeGroupsBeside(within, c, f) })
	if f.readers == nil {
		return group.Wait()
	}
	var mu sync.Mutex
	f.opened = map[string]map[string][]string{}
	own := f.databases()
	if !c.record.Group.IsZero() {
		own = chain.DatabasesOf(c.record, own)
	}
	for _, name := range c.left {
		own = append(own, name.Database)
	}
	var err error
	if f.carried, err = p.carried(ctx, f.readers, nil); err != nil {
		return errors.Join(err, group.Wait())
	}
	own = append(own, f.carried.databases()...)
	databases := p.readIn(own, f.readers)
	maps.DeleteFunc(databases, func(name string, _ bool) bool { return f.elsewhere[name] != nil })
	for database := range databases {
		group.Go(func() error {
			tables, err := p.tablesOf(within, database)
			mu.Lock()
			defer mu.Unlock()
			f.elsewhere[database] = tables
			return err
		})
	}
	buckets := p.ownBuckets()
	for bucket := range p.bucketsOf(c.record, f) {
		group.Go(func() error {
			opened, err := buckets.Opened(within, bucket)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && within.Err() == nil {
				// Access is taken away all the same. Where the bucket has to change, that fails.
				f.unread = append(f.unread, err.Error())
				return nil
			}
			f.opened[bucket] = opened
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := p.observeLeft(ctx, c, f); err != nil {
		return err
	}
	f.noteTags()
	return p.observePartitions(ctx, f)
}

// observePartitions looks for the places of partitions of other tables that somebody
// reads: they can lie where another table is, as when a table unites those of each year,
// and anywhere else in a bucket that is brought to exactly what readers need.
func (p *Producer) observePartitions(ctx context.Context, f *found) error {
	isRead := readTables(f.readers)
	var partitioned []catalog.TableName
	tables := map[catalog.TableName]meshTable{}
	for _, database := range slices.Sorted(maps.Keys(f.elsewhere)) {
		for _, name := range slices.Sorted(maps.Keys(f.elsewhere[database])) {
			t, full := f.elsewhere[database][name], catalog.TableName{Database: database, Table: name}
			if _, mine := f.tables[full]; mine || !t.partitioned || !isRead(database, name) {
				continue
			}
			partitioned, tables[full] = append(partitioned, full), t
		}
	}
	found, err := p.partitionsOf(ctx, partitioned, tables)
	if err != nil {
		return err
	}
	for _, name := range partitioned {
		t, looked := found[name]
		if looked {
			f.elsewhere[name.Database][name.Table] = t
		}
		if !looked || t.partial {
			f.halfRead = append(f.halfRead, name.String())
		}
	}
	return nil
}

// allPlaces reports whether all places of the tables that somebody reads are known.
func (f *found) allPlaces() bool {
	for _, t := range f.placed {
		if t.partial {
			return false
		}
	}
	return len(f.halfRead) == 0
}

// readTables tells of a table whether somebody may read it by a grant that was seen.
func readTables(readers access.Grants) func(database, table string) bool {
	type name struct{ database, table string }
	read := map[name]bool{}
	for k, h := range readers {
		if access.ReadsData(h.Permissions) {
			read[name{k.Object.Database, k.Object.Table}] = true
		}
	}
	return func(database, table string) bool {
		return read[name{database, table}] || read[name{database, ""}] || read[name{}]
	}
}

// withPlaces are the subscription's tables with what was found of the places of their
// partitions.
func (f *found) withPlaces() map[catalog.TableName]meshTable {
	all := maps.Clone(f.tables)
	for name, t := range f.placed {
		if _, ok := all[name]; ok {
			all[name] = t
		}
	}
	return all
}

// databases are those that the subscription's tables are in, in order.
func (f *found) databases() []string {
	var names []string
	for name := range f.tables {
		names = append(names, name.Database)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// inside are the names of the subscription's tables in its database, or if it is on a group,
// those of the databases that its tables are in: see [chain.Either].
func (f *found) inside(r *tracker.Record) []string {
	if !r.Group.IsZero() {
		return f.databases()
	}
	var names []string
	for name := range f.tables {
		names = append(names, name.Table)
	}
	slices.Sort(names)
	return names
}

// grantedInside are those names inside of a subscription, of the decision or of another one,
// that something may have been granted on: see [chain.Either]. Of a group that is what its
// record names, with a decision on it that is unfinished.
func (f *found) grantedInside(r *tracker.Record) []string {
	if !r.Group.IsZero() {
		return nil
	}
	names := slices.Collect(maps.Keys(f.elsewhere[r.Database]))
	for name := range f.tables {
		if name.Database == r.Database {
			names = append(names, name.Table)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// readIn are the databases that outsiders may read in, and those given.
func (p *Producer) readIn(own []string, readers access.Grants) map[string]bool {
	databases := map[string]bool{}
	for _, name := range own {
		databases[name] = true
	}
	catalog := access.Catalog{Account: p.meshAccount, Owner: p.account}
	for k, h := range readers {
		if k.Object.Database != "" && catalog.Outside(k.Grantee) && access.ReadsData(h.Permissions) {
			databases[k.Object.Database] = true
		}
	}
	delete(databases, "")
	return databases
}

// bucketsOf are the buckets in which a subscription's prefixes are. Where a table is gone
// its bucket is not known any more: it is one of those that are read with the producer's
// role.
func (p *Producer) bucketsOf(r *tracker.Record, f *found) map[string]bool {
	buckets := map[string]bool{}
	for _, t := range f.withPlaces() {
		for _, place := range t.known.Places {
			buckets[place.Bucket] = true
		}
	}
	if !r.Group.IsZero() || !r.Words.Whole && len(f.tables) < len(r.Tables) || len(f.tables) == 0 {
		for _, l := range p.registered(f) {
			if l.Role == p.dataAccessRole() {
				buckets[l.Place.Bucket] = true
			}
		}
	}
	return buckets
}
