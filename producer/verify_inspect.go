package producer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/parts"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/sharing"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// inspected is what a verification read of an owner's part of the mesh.
type inspected struct {
	*Producer
	// all tells that nothing is left out: only then what is open can be too much.
	all bool
	// records are the owner's subscriptions that are active or being decided on.
	records []*tracker.Record
	// databases are those that were read, in order, and tables their tables.
	databases []string
	tables    map[string]map[string]meshTable
	// placed are the tables of which the places of all partitions are known.
	placed map[catalog.TableName]bool
	// own are the tables that this producer has published.
	own map[catalog.TableName]bool
	// sources are where databases, and their tables, were published from, as far as that
	// stands there.
	sources map[catalog.TableName]string
	// hybrid are the tables that this producer keeps in hybrid access mode, and meshDatabases
	// their databases.
	hybrid        map[catalog.TableName]bool
	meshDatabases map[string]*types.Database
	// marking are the databases at which this producer marks tables with private metadata.
	marking map[string]*types.Database
	// copies are their comparisons with the source; dangling are links of the producer's
	// account to tables that are not in the mesh.
	copies   []*surveyed
	dangling map[catalog.TableName]string
	// have is what is granted on whole resources, parts what is granted else.
	have  *permissions.Grants
	parts access.Grants
	// filters are the data cells filters that are called as those of subscriptions; tags the
	// LF-tags of tables, where they tell whether a narrowed subscription is worth anything.
	filters map[access.Object]access.Filter
	tags    map[access.Object]map[string]string
	// locations are what is registered, buckets what their policies say.
	locations []access.Location
	// registrations are the same as Lake Formation tells of them.
	registrations []permissions.RegisteredLocation
	buckets       map[string]*storage.Inspection
	// keys are why roles cannot read what buckets encrypt.
	keys map[access.Door]trouble
	// wanted is what the subscriptions say, openings what has to be open for that, and used
	// what may be in use, also by those on whom nobody decided.
	wanted         access.Wanted
	openings, used access.Openings
	// carriage is how the shares carry each consumer's grants, shared what of it.
	carriage map[string]sharing.Carriage
	shared   map[string]map[string][]access.Key

	// ending are the schedules that end grants; nil if there are none to look at.
	ending *inspectedEnds

	findings   []Finding
	unverified []string
	mu         sync.Mutex
	// tagsKnown tells that all tables that somebody reads by LF-tags are among those.
	tagsKnown bool
}

// unsure notes what could not be told.
func (s *inspected) unsure(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unverified = append(s.unverified, fmt.Sprintf(format, args...))
}

// uninspected has nothing read yet. all tells that what names no database is looked at, too.
func (p *Producer) uninspected(all bool) *inspected {
	return &inspected{Producer: p, all: all, tables: map[string]map[string]meshTable{}, own: map[catalog.TableName]bool{}, sources: map[catalog.TableName]string{}, hybrid: map[catalog.TableName]bool{}, meshDatabases: map[string]*types.Database{}, marking: map[string]*types.Database{}, dangling: map[catalog.TableName]string{},
		buckets: map[string]*storage.Inspection{}, keys: map[access.Door]trouble{}, placed: map[catalog.TableName]bool{}, carriage: map[string]sharing.Carriage{}, shared: map[string]map[string][]access.Key{}}
}

// inspect reads what there is, in pages and batches.
func (p *Producer) inspect(ctx context.Context, in VerifyInput) (*inspected, error) {
	s := p.uninspected(in == VerifyInput{})
	group, within := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		s.records, err = p.records.OwnedActive(within, p.account, func(*tracker.Record) bool { return true })
		return err
	})
	group.Go(func() (err error) {
		s.have, s.parts, err = p.mesh.lake.Everything(within)
		return err
	})
	group.Go(func() (err error) {
		s.filters, err = p.mesh.lake.Filters(within)
		if awserr.Denied(err) {
			s.filters, err = nil, nil
			s.unsure("which data cells filters there are is not known: %s may not list them, which lakemesh mesh upgrade lets it do", p.ids.Mesh.ARN)
		}
		return err
	})
	group.Go(func() error {
		locations, err := p.mesh.lake.Locations(within)
		s.registrations, s.locations = locations, p.registered(&found{locations: locations})
		return err
	})
	var names []string
	group.Go(func() (err error) {
		if in.Database != "" {
			names = []string{in.Database}
			return nil
		}
		names, err = p.mesh.catalog.DatabaseNames(within)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := s.narrow(ctx, in); err != nil {
		return nil, err
	}
	if err := s.known(ctx, in.Consumer); err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, r := range s.records {
		// One that cannot be read names none.
		if !in.about(r) {
			continue
		}
		for _, name := range chain.DatabasesOf(r, nil) {
			if name != "" {
				wanted[strings.ToLower(name)] = true
			}
		}
	}
	if in.SubscriptionID == "" {
		// Who was granted something by hand needs no subscription.
		for _, name := range names {
			wanted[name] = true
		}
	}
	if err := s.readDatabases(ctx, slices.Sorted(maps.Keys(wanted))); err != nil {
		return nil, err
	}
	if len(s.databases) == 0 && in.Database != "" {
		return nil, p.noDatabase(ctx, in.Database)
	}
	if err := s.readCarried(ctx); err != nil {
		return nil, err
	}
	if err := s.justify(ctx); err != nil {
		return nil, err
	}
	return s, s.readFurther(ctx)
}

// shownDatabases is how many databases an error names.
const shownDatabases = 5

// noDatabase is the error of a database that the mesh does not have, or that this producer has
// nothing to do with. It names some that it has.
func (p *Producer) noDatabase(ctx context.Context, name string) error {
	err := &lakemesh.Error{Account: p.meshAccount, Resource: "database " + name, Kind: lakemesh.ErrNotFound, Message: "not found", Hint: "the name is that in the mesh"}
	names, failed := p.mesh.catalog.DatabaseNames(ctx)
	if failed != nil {
		// The error is another one.
		p.log.DebugContext(ctx, "the databases of the mesh could not be listed", "error", failed)
		return err
	}
	own := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !strings.HasSuffix(n, "-"+p.account) })
	if len(own) == 0 {
		own = names
	}
	if len(own) > 0 {
		err.Hint += ", such as " + strings.Join(own[:min(len(own), shownDatabases)], ", ")
	}
	return err
}

// narrow checks that a subscription that is asked about is one that gives something.
func (s *inspected) narrow(ctx context.Context, in VerifyInput) error {
	if in.SubscriptionID == "" || slices.ContainsFunc(s.records, func(r *tracker.Record) bool { return r.ID == in.SubscriptionID }) {
		return nil
	}
	r, err := s.Producer.records.Get(ctx, in.SubscriptionID)
	if err != nil {
		return err
	}
	s.unsure("subscription %s is %s: nothing is there by it", r.ID, r.Status)
	return nil
}

// known refuses an account that is no consumer of the mesh, has no subscription and holds
// nothing: of a number that was mistyped nothing would be found to be wrong.
func (s *inspected) known(ctx context.Context, consumer string) error {
	if consumer == "" || slices.ContainsFunc(s.records, func(r *tracker.Record) bool { return r.Subscriber == consumer }) {
		return nil
	}
	for k := range s.have.Access().Union(s.parts) {
		if k.Grantee.Account() == consumer {
			return nil
		}
	}
	consumers, err := s.Producer.records.Consumers(ctx)
	if err != nil || slices.Contains(consumers, consumer) {
		return err
	}
	return chain.NoConsumer(s.meshAccount, consumer)
}

// readDatabases reads the tables of databases, and compares those that were published
// with their source. Databases without a table of this producer are others'.
func (s *inspected) readDatabases(ctx context.Context, names []string) error {
	recorded, narrowed := map[string]bool{}, chain.Narrowed(s.meshAccount, s.records)
	for _, r := range s.records {
		for _, name := range chain.DatabasesOf(r, nil) {
			recorded[strings.ToLower(name)] = true
		}
	}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(s.concurrency())
	for _, name := range names {
		group.Go(func() error {
			bySource := map[string]map[string]*types.Table{}
			tables, own := map[string]meshTable{}, map[catalog.TableName]bool{}
			sources := map[catalog.TableName]string{}
			d, ok, err := s.mesh.catalog.Database(within, name)
			if err != nil {
				return err
			}
			if !ok {
				d = &types.Database{Name: &name}
			}
			sources[catalog.TableName{Database: name}] = s.sourceOf(d, &types.Table{})
			var untold []string
			err = s.mesh.catalog.EachTable(within, name, func(table string, t *types.Table) {
				m := asMeshTable(*t)
				if !narrowed[access.OnTable(s.meshAccount, name, table)] {
					// Of thousands of tables the columns are much.
					m.schema = parts.Schema{}
				}
				tables[table] = m
				if !s.isOwn(d, t) {
					return
				}
				own[catalog.TableName{Database: name, Table: table}] = true
				source := s.sourceOf(d, t)
				sources[catalog.TableName{Database: name, Table: table}] = source
				if source == "" {
					untold = append(untold, table)
					return
				}
				if bySource[source] == nil {
					bySource[source] = map[string]*types.Table{}
				}
				bySource[source][table] = t
			})
			if err != nil {
				return err
			}
			for _, table := range untold {
				s.unsure("table %s.%s is not compared: its source cannot be told; publish it again", name, table)
			}
			dangling := map[catalog.TableName]string{}
			err = s.Producer.own.catalog.EachTable(within, name, func(link string, t *types.Table) {
				if target := t.TargetTable; target != nil && aws.ToString(target.CatalogId) == s.meshAccount && strings.EqualFold(aws.ToString(target.DatabaseName), name) {
					if table := strings.ToLower(aws.ToString(target.Name)); tables[table].name == "" {
						dangling[catalog.TableName{Database: name, Table: table}] = link
					}
				}
			})
			if err != nil {
				return err
			}
			if len(own) == 0 && len(dangling) == 0 && !recorded[name] {
				return nil
			}
			copies, err := s.compareWithSource(within, name, bySource)
			if err != nil {
				return err
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.databases = append(s.databases, name)
			s.tables[name] = tables
			maps.Copy(s.own, own)
			if marked := catalog.HybridTables(d); len(marked) > 0 && catalog.OwnerOf(d) == s.account {
				s.meshDatabases[name] = d
				for table := range marked {
					s.hybrid[catalog.TableName{Database: name, Table: table}] = true
				}
			}
			if catalog.MarksPrivate(d) && catalog.OwnerOf(d) == s.account {
				s.marking[name] = d
			}
			maps.Copy(s.sources, sources)
			maps.Copy(s.dangling, dangling)
			s.copies = append(s.copies, copies...)
			return nil
		})
	}
	err := group.Wait()
	slices.Sort(s.databases)
	return err
}

// compareWithSource finds out what bringing copies up to date would change. What cannot be
// compared is said; the rest of the chain is looked at all the same.
func (s *inspected) compareWithSource(ctx context.Context, database string, bySource map[string]map[string]*types.Table) ([]*surveyed, error) {
	all, warnings, err := s.syncsFrom(ctx, database, bySource, SyncInput{Deep: true}, true)
	for _, w := range warnings {
		s.unsure("%s", w)
	}
	for _, pub := range all {
		for _, w := range pub.warnings {
			s.unsure("%s", w)
		}
		if err == nil {
			again := pub.reread(ctx)
			for begin := 0; err == nil && begin < len(pub.tables); {
				part := pub.portion(begin)
				err = pub.observePortion(ctx, part, again)
				begin += len(part.tables)
			}
			again.stop()
		}
		// What was read of each is not needed any more, and is much.
		pub.copies, pub.definitions = nil, nil
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		s.unsure("database %s was not compared with its source: %v", database, err)
		return nil, nil
	}
	return all, nil
}

// catalogRead is the catalog as far as it was read, with those places that are kept, or
// all of them.
func (s *inspected) catalogRead(keep func(meshTable, storage.Place) bool) access.Catalog {
	c := access.Catalog{Account: s.meshAccount, Owner: s.account, Databases: map[string]access.Database{}, TagsKnown: s.tagsKnown}
	for database, tables := range s.tables {
		of := access.Database{Tables: map[string]access.Table{}, Wildcard: s.have.Of(s.ids.Mesh.ARN, permissions.AllTables(s.meshAccount, database)).Grantable}
		for name, t := range tables {
			known := access.Table{Columns: parts.Names(t.schema.Columns), Keys: parts.Names(t.schema.Keys), Tags: t.tags}
			for _, place := range t.known.Places {
				if keep == nil || keep(t, place.Place) {
					known.Places = append(known.Places, access.Place{Bucket: place.Bucket, Prefix: place.Prefix})
				}
			}
			of.Tables[name] = known
		}
		c.Databases[database] = of
	}
	return c
}

// readCarried reads which tables carry the LF-tags that something is granted by.
func (s *inspected) readCarried(ctx context.Context) error {
	byTags := map[string]map[string]string{}
	for _, r := range s.records {
		if !r.Group.IsZero() {
			byTags[r.Group.String()] = r.Group.Tags(s.account)
		}
	}
	carried, err := s.carried(ctx, s.have.Access().Union(s.parts), slices.Collect(maps.Values(byTags)))
	if err != nil || carried == nil {
		return err
	}
	s.tagsKnown = carried.all && !slices.ContainsFunc(carried.databases(), func(name string) bool { return s.tables[name] == nil })
	for database, tables := range s.tables {
		for name, t := range tables {
			t.tags = carried.of(catalog.TableName{Database: database, Table: name})
			tables[name] = t
		}
	}
	return nil
}

// justify computes what the subscriptions say together, and asks again for what of it the
// listing does not show.
func (s *inspected) justify(ctx context.Context) (err error) {
	var all []access.Terms
	for _, r := range s.records {
		if given := r.Justified(); !given.Nothing() && (!r.Group.IsZero() || r.Database != "" && s.tables[strings.ToLower(r.Database)] != nil) {
			all = append(all, chain.Terms(s.meshAccount, r, given))
		}
	}
	if s.wanted, err = access.Want(all, s.catalogRead(nil), s.now()); err != nil {
		return err
	}
	entries, err := permissions.Entries(s.wanted.Grants.Union(s.ownGrants()).Union(s.publicGrants()))
	if err != nil {
		return err
	}
	return s.mesh.lake.Confirm(ctx, s.have, entries)
}

// ownGrants are what publishing grants to the producer's account.
func (s *inspected) ownGrants() access.Grants {
	all := access.Grants{}
	describe := lakemesh.NewPermissions(lakemesh.Describe)
	table := lakemesh.NewPermissions(lakemesh.Alter, lakemesh.Delete, lakemesh.Describe, lakemesh.Insert, lakemesh.Select)
	for name := range s.own {
		all.Add(access.Key{Grantee: access.Grantee(s.account), Object: access.OnDatabase(s.meshAccount, name.Database)}, access.Held{Permissions: describe, Grantable: describe})
		all.Add(access.Key{Grantee: access.Grantee(s.account), Object: access.OnTable(s.meshAccount, name.Database, name.Table)}, access.Held{Permissions: table, Grantable: table})
	}
	return all
}

// readFurther reads what is known to be needed by what was read: partitions of tables that
// somebody reads, shares and bucket policies.
func (s *inspected) readFurther(ctx context.Context) error {
	observed := s.have.Access().Union(s.parts)
	isRead := readTables(s.wanted.Grants.Union(observed.On(func(k access.Key) bool {
		return access.Catalog{Account: s.meshAccount, Owner: s.account}.Outside(k.Grantee)
	})))
	s.placeCompared()
	// Before the places of partitions are written to the tables.
	tagged := s.carrying().Tagged()
	group, within := errgroup.WithContext(ctx)
	read := map[catalog.TableName]meshTable{}
	for _, database := range s.databases {
		for name, t := range s.tables[database] {
			if full := (catalog.TableName{Database: database, Table: name}); isRead(database, name) && !s.placed[full] {
				read[full] = t
			}
		}
	}
	group.Go(func() error {
		placed, err := s.withPartitions(within, read)
		s.mu.Lock()
		defer s.mu.Unlock()
		for name, t := range placed {
			s.tables[name.Database][name.Table], s.placed[name] = t, true
		}
		return err
	})
	for _, subscriber := range s.subscribers() {
		group.Go(func() error { return s.readShares(within, subscriber) })
	}
	group.Go(func() (err error) {
		s.tags, err = s.mesh.lake.TagsOf(within, tagged)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if err := s.readEnds(ctx); err != nil {
		return err
	}
	if err := s.confirmPlaces(ctx, isRead); err != nil {
		return err
	}
	s.openings = access.Prefixes(s.wanted, access.Grants{}, s.catalogRead(func(t meshTable, place storage.Place) bool { return t.unconfirmed[place] == "" }), s.locations)
	s.used = access.Prefixes(s.wanted, observed, s.catalogRead(nil), s.locations)
	return s.readBuckets(ctx)
}

// confirmPlaces leaves only those places to the tables that somebody reads that decisions
// open. That a copy is not as its source is found when the two are compared.
func (s *inspected) confirmPlaces(ctx context.Context, isRead func(database, table string) bool) error {
	for _, database := range s.databases {
		read := map[string]meshTable{}
		for name, t := range s.tables[database] {
			if isRead(database, name) {
				read[name] = t
			}
		}
		confirmed, err := s.confirmed(ctx, database, read, s.registrations)
		if err != nil {
			return err
		}
		for name, t := range confirmed {
			for place, why := range t.unconfirmed {
				s.unsure("whether table %s.%s has data at %s cannot be told: %s", database, name, place, why)
			}
		}
		maps.Copy(s.tables[database], confirmed)
	}
	return nil
}

// placeCompared notes of which tables the places of partitions are known from the
// comparison: the copy is as its source, of which no partition lies elsewhere.
func (s *inspected) placeCompared() {
	for _, pub := range s.copies {
		for _, t := range pub.tables {
			if t.same && t.partitioned && t.unread == nil && t.drift != nil && t.drift.Count() == 0 && t.drift.Surplus == 0 && t.strays.count == 0 {
				s.placed[catalog.TableName{Database: pub.target, Table: t.name}] = true
			}
		}
	}
}

// subscribers are the accounts that something is to be granted to, or to identities of, and
// the organizations and units: shares are with these.
func (s *inspected) subscribers() []string {
	var all []string
	for k := range s.wanted.Grants {
		all = append(all, k.Grantee.Receiver())
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// readShares looks how the shares carry what a consumer holds of what it should. Where no
// share is named nothing is known.
func (s *inspected) readShares(ctx context.Context, subscriber string) error {
	keys := map[string][]access.Key{}
	var shares, identities []string
	for k := range s.wanted.Grants {
		if k.Grantee.Receiver() != subscriber {
			continue
		}
		who := string(k.Grantee)
		r, ok := permissions.Of(k.Object)
		if !ok || len(s.have.Of(who, r).Permissions) == 0 {
			continue
		}
		named := s.have.Shares(who, r)
		if r.Kind == permissions.KindTagged || r.Kind == permissions.KindFilter && len(named) == 0 {
			// Which share carries a filter is not told where listings hide the grants of others.
			continue
		}
		if who != subscriber && !slices.Contains(identities, who) {
			identities = append(identities, who)
		}
		arn := s.sharedARN(r)
		keys[arn] = append(keys[arn], k)
		shares = append(shares, named...)
	}
	for _, r := range s.records {
		if chain.IsWith(r, subscriber) {
			for _, share := range r.RAMShares {
				shares = append(shares, share.ARN)
			}
		}
	}
	shares = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(shares))), func(arn string) bool { return arn == "" })
	if len(shares) == 0 || len(keys) == 0 {
		return nil
	}
	carriage, err := sharing.Owner{Client: s.mesh.ram, Account: s.meshAccount, Identities: identities}.Carriage(ctx, subscriber, shares, slices.Sorted(maps.Keys(keys)))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.carriage[subscriber], s.shared[subscriber] = carriage, keys
	return err
}

// readBuckets reads the policy of each bucket that tables are in, or that is registered
// with the producer's role.
func (s *inspected) readBuckets(ctx context.Context) error {
	open := map[string]map[string][]string{}
	for _, tables := range s.tables {
		for _, t := range tables {
			for _, place := range t.known.Places {
				open[place.Bucket] = map[string][]string{}
			}
		}
	}
	for _, l := range s.locations {
		if s.all && l.Role == s.dataAccessRole() && open[l.Place.Bucket] == nil {
			open[l.Place.Bucket] = map[string][]string{}
		}
	}
	for door, places := range s.openings.Open {
		for _, place := range places {
			open[door.Bucket][door.Role] = append(open[door.Bucket][door.Role], place.Prefix)
		}
	}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(s.concurrency())
	for bucket, prefixes := range open {
		group.Go(func() error {
			found, err := s.ownBuckets().Inspect(within, bucket, prefixes)
			if err != nil && within.Err() != nil {
				return err
			}
			if err != nil {
				s.unsure("what is open in bucket %s is not known: %v", bucket, err)
				return nil
			}
			s.mu.Lock()
			s.buckets[bucket] = found
			s.mu.Unlock()
			return s.readKeys(within, bucket, prefixes)
		})
	}
	return group.Wait()
}

// readKeys looks whether the roles that read in a bucket may use its key.
func (s *inspected) readKeys(ctx context.Context, bucket string, prefixes map[string][]string) error {
	if len(prefixes) == 0 {
		return nil
	}
	var k *bucketKey
	look, unseen := s.ownBuckets().Look(ctx, bucket)
	if unseen == nil {
		k, unseen = s.key(ctx, bucket, look)
	}
	for role := range prefixes {
		var troubles []trouble
		err := unseen
		if err == nil {
			troubles, err = s.troubles(ctx, k, role)
		}
		switch {
		case err != nil && ctx.Err() != nil:
			return err
		case err != nil:
			s.unsure("whether %s may use the key of bucket %s is not known: %v", role, bucket, err)
			continue
		}
		for _, t := range troubles {
			if !t.certain {
				s.unsure("%s", t.text)
				continue
			}
			s.mu.Lock()
			s.keys[access.Door{Bucket: bucket, Role: role}] = t
			s.mu.Unlock()
			break
		}
	}
	return nil
}
