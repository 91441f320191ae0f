package admin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ram"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/parts"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/sharing"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// inspected is what a verification read of the mesh account.
type inspected struct {
	*Admin
	// upgrade is what would bring the mesh and its members up to date.
	upgrade *upgrade
	members members
	// records are the subscriptions that are active or being decided on; foreign are those
	// whose owners do not own what they are on.
	records, foreign []*tracker.Record
	// misplaced are databases of others that the records of groups name, by subscription.
	misplaced map[string][]string
	// have is what is granted on whole resources, parts what is granted else.
	have  *permissions.Grants
	parts access.Grants
	// filters are the data cells filters that are called as those of subscriptions, and
	// schemas the columns of the tables that narrowed subscriptions are on; nil if they are
	// not known. tags are the LF-tags of those tables, where they matter.
	filters map[access.Object]access.Filter
	schemas map[access.Object]parts.Schema
	tags    map[access.Object]map[string]string
	// carried are the LF-tags of the tables that are in groups somebody subscribed to.
	carried   map[access.Object]map[string]string
	locations []permissions.RegisteredLocation
	// tables are the tables of each database, as far as anybody holds anything on them.
	tables map[string]map[string]bool
	// owners are who made each database and table: whose role holds everything there.
	owners map[access.Object]map[string]bool
	wanted access.Wanted
	// carriage is how the shares carry each consumer's grants, shared what of it.
	carriage map[string]sharing.Carriage
	shared   map[string]map[string][]access.Key

	// hybrid is what was read of hybrid access.
	hybrid hybridAccess

	// ending are the schedules that end grants; nil if the mesh has none.
	ending *inspectedEnds

	findings   []Finding
	unverified []string
	mu         sync.Mutex
}

// inspect reads what there is.
func (a *Admin) inspect(ctx context.Context) (*inspected, error) {
	s := &inspected{Admin: a, tables: map[string]map[string]bool{}, carriage: map[string]sharing.Carriage{}, shared: map[string]map[string][]access.Key{}}
	if err := a.seesGrants(ctx, opVerify); err != nil {
		return nil, err
	}
	var err error
	if s.members, err = a.observeMembers(ctx); err != nil {
		return nil, err
	}
	// Before the records: a schedule is made after its decision was claimed, so that of one
	// which is listed here and is of no record nobody is going to decide.
	if err := s.readEnds(ctx); err != nil {
		return nil, err
	}
	group, within := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		s.upgrade, err = a.planUpgrade(within, UpgradeMeshInput{})
		return err
	})
	group.Go(func() error {
		records := a.records()
		all, err := records.Everybody(within)
		s.records = slices.DeleteFunc(all, func(r *tracker.Record) bool { return r.Status != lakemesh.Active && r.Claim == nil })
		return err
	})
	group.Go(func() (err error) {
		s.have, s.parts, err = a.permissions().Everything(within)
		return err
	})
	group.Go(func() (err error) {
		s.filters, err = a.permissions().Filters(within)
		if awserr.Denied(err) {
			s.filters, err = nil, nil
			s.unsure("which data cells filters there are is not known: %s may not list them, which lakemesh mesh upgrade lets it do", lakemesh.ManagerRole)
		}
		return err
	})
	group.Go(func() (err error) {
		s.locations, err = a.permissions().Locations(within)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	s.readObjects()
	owners := makersOf(a.partition, s.mesh, s.have.Access())
	s.foreign = slices.Clone(s.records)
	s.records = slices.DeleteFunc(s.records, owners.foreign)
	s.foreign = slices.DeleteFunc(s.foreign, func(r *tracker.Record) bool { return !owners.foreign(r) })
	s.misplaced = map[string][]string{}
	for _, r := range s.records {
		if others := owners.own(r); len(others) > 0 {
			s.misplaced[r.ID] = others
		}
	}
	s.owners = owners.of
	if err := s.readHybrid(ctx); err != nil {
		return nil, err
	}
	if err := s.readSchemas(ctx); err != nil {
		return nil, err
	}
	if err := s.readCarried(ctx); err != nil {
		return nil, err
	}
	if err := s.justify(); err != nil {
		return nil, err
	}
	if s.tags, err = a.permissions().TagsOf(ctx, s.carrying().Tagged()); err != nil {
		return nil, err
	}
	return s, s.readShares(ctx)
}

// known refuses an account that is no consumer of the mesh, has no subscription and holds
// nothing.
func (s *inspected) known(consumer string) error {
	if consumer == "" || slices.Contains(s.members.consumers, consumer) || slices.ContainsFunc(s.records, func(r *tracker.Record) bool { return r.Subscriber == consumer }) {
		return nil
	}
	for k := range s.have.Access().Union(s.parts) {
		if k.Grantee.Account() == consumer {
			return nil
		}
	}
	return chain.NoConsumer(s.mesh, consumer)
}

// unsure notes what could not be told.
func (s *inspected) unsure(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unverified = append(s.unverified, fmt.Sprintf(format, args...))
}

// readSchemas reads the columns of the tables that narrowed subscriptions are on.
func (s *inspected) readSchemas(ctx context.Context) error {
	s.schemas = map[access.Object]parts.Schema{}
	glue := catalog.New(s.managerGlue, s.mesh, s.region, s.concurrency())
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(s.concurrency())
	for o := range chain.Narrowed(s.mesh, s.records) {
		group.Go(func() error {
			t, ok, err := glue.Table(within, o.Database, o.Table)
			if err != nil || !ok {
				return err
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.schemas[o] = parts.Of(o.Database, t)
			return nil
		})
	}
	return group.Wait()
}

// readObjects tells by the grants which databases and tables there are: whoever made one
// holds everything on it.
func (s *inspected) readObjects() {
	for k := range s.have.Access() {
		o := k.Object
		if o.Account != s.mesh || o.Database == "" {
			continue
		}
		if s.tables[o.Database] == nil {
			s.tables[o.Database] = map[string]bool{}
		}
		if o.Kind == access.KindTable {
			s.tables[o.Database][o.Table] = true
		}
	}
}

// ownersOf are the accounts that made an object, or the database that it is in.
func (s *inspected) ownersOf(o access.Object) map[string]bool {
	return makers{s.mesh, s.owners}.on(o)
}

// readCarried reads which tables are in the groups that subscriptions are on.
func (s *inspected) readCarried(ctx context.Context) error {
	s.carried = map[access.Object]map[string]string{}
	seen := map[access.Object]bool{}
	for _, r := range s.records {
		on := access.OnTaggedTables(s.mesh, chain.TagsOf(r))
		if r.Group.IsZero() || seen[on] {
			continue
		}
		seen[on] = true
		for t, err := range s.permissions().TablesWithTags(ctx, r.Group.Tags(r.Owner)) {
			if awserr.NotFound(err) {
				// A value that there is not is on no table.
				break
			}
			if err != nil {
				return err
			}
			s.carried[access.OnTable(s.mesh, t.Table.Database, t.Table.Table)] = t.Tags
		}
	}
	return nil
}

// on reports whether a subscription is about a table, by its name or by its LF-tags.
func (s *inspected) on(r *tracker.Record, database, table string) bool {
	if !r.Group.IsZero() {
		return chain.TagsOf(r).Match(s.carried[access.OnTable(s.mesh, database, table)])
	}
	return chain.On(r, database, table)
}

// justify computes what the subscriptions say together.
func (s *inspected) justify() (err error) {
	known := access.Catalog{Account: s.mesh, Databases: map[string]access.Database{}}
	for database, tables := range s.tables {
		of := access.Database{Tables: map[string]access.Table{}}
		for owner := range s.ownersOf(access.OnDatabase(s.mesh, database)) {
			of.Wildcard = of.Wildcard.Union(s.have.Of(s.partition.RoleARN(s.mesh, lakemesh.MeshProducerRole(owner)), permissions.AllTables(s.mesh, database)).Grantable)
		}
		for name := range tables {
			schema, read := s.schemas[access.OnTable(s.mesh, database, name)]
			of.Tables[name] = access.Table{ColumnsUnknown: !read, Columns: parts.Names(schema.Columns), Keys: parts.Names(schema.Keys),
				Tags: s.carried[access.OnTable(s.mesh, database, name)]}
		}
		known.Databases[database] = of
	}
	var all []access.Terms
	for _, r := range s.records {
		if given := r.Justified(); !given.Nothing() && (r.Database != "" || !r.Group.IsZero()) {
			all = append(all, chain.Terms(s.mesh, r, given))
		}
	}
	now := s.options.Now
	if now == nil {
		now = time.Now
	}
	s.wanted, err = access.Want(all, known, now())
	return err
}

// readShares looks how the shares carry what each consumer holds of what it should.
func (s *inspected) readShares(ctx context.Context) error {
	there := s.have.Access()
	shares, identities := map[string][]string{}, map[string][]string{}
	for k := range s.wanted.Grants {
		r, ok := permissions.Of(k.Object)
		if !ok || there[k].Empty() {
			continue
		}
		// Shares are with accounts, also where an identity was granted something itself, or with
		// organizations and units.
		who, subscriber := string(k.Grantee), k.Grantee.Receiver()
		named := s.have.Shares(who, r)
		if r.Kind == permissions.KindTagged || r.Kind == permissions.KindFilter && len(named) == 0 {
			// Which share carries a filter is not always told, and of LF-tags nothing is documented.
			continue
		}
		if who != subscriber {
			identities[subscriber] = append(identities[subscriber], who)
		}
		if s.shared[subscriber] == nil {
			s.shared[subscriber] = map[string][]access.Key{}
		}
		arn := s.sharedARN(r)
		s.shared[subscriber][arn] = append(s.shared[subscriber][arn], k)
		shares[subscriber] = append(shares[subscriber], named...)
	}
	for _, r := range s.records {
		for _, g := range chain.Grantees(r, r.Scope) {
			for _, share := range r.RAMShares {
				shares[g.Receiver()] = append(shares[g.Receiver()], share.ARN)
			}
		}
	}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(s.concurrency())
	for subscriber, keys := range s.shared {
		named := slices.Compact(slices.Sorted(slices.Values(shares[subscriber])))
		named = slices.DeleteFunc(named, func(arn string) bool { return arn == "" })
		if len(named) == 0 {
			continue
		}
		owner := sharing.Owner{Client: ram.NewFromConfig(s.caller.Config), Account: s.mesh, Identities: identities[subscriber]}
		group.Go(func() error {
			carriage, err := owner.Carriage(within, subscriber, named, slices.Sorted(maps.Keys(keys)))
			s.mu.Lock()
			defer s.mu.Unlock()
			s.carriage[subscriber] = carriage
			return err
		})
	}
	return group.Wait()
}

// sharedARN is how shares name a resource.
func (s *inspected) sharedARN(r permissions.Resource) string {
	switch r.Kind {
	case permissions.KindDatabase:
		return s.partition.DatabaseARN(s.region, r.Account, r.Database)
	case permissions.KindAllTables:
		return s.partition.TableARN(s.region, r.Account, r.Database, "*")
	}
	return s.partition.TableARN(s.region, r.Account, r.Database, r.Table)
}
