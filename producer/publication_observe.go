package producer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/expression"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/places"
	"github.com/lakemesh/lakemesh/internal/sharing"
)

// fewTables is up to how many tables are read one by one rather than by listing
// their database.
const fewTables = 3

// survey reads what is there and checks what is wanted against it. It writes
// nothing. What does not depend on each other is read at once.
func (pub *publication) survey(ctx context.Context) error {
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		pub.sourceDatabase, err = pub.readSourceDatabase(gctx)
		return err
	})
	group.Go(func() error {
		pub.definitions = map[string]*types.TableInput{}
		return eachTable(gctx, pub.own.catalog, pub.source, pub.mayMean, pub.exactName(), func(name string, t *types.Table) {
			if err := pub.choose(name, t); err != nil && pub.unfit == nil {
				pub.unfit = err
			}
		})
	})
	group.Go(func() (err error) {
		pub.meshDatabase, _, err = pub.mesh.catalog.Database(gctx, pub.target)
		return err
	})
	group.Go(func() (err error) {
		if pub.local == pub.source {
			return nil
		}
		pub.localDatabase, _, err = pub.own.catalog.Database(gctx, pub.local)
		return err
	})
	group.Go(func() (err error) {
		pub.locations, err = pub.mesh.lake.Locations(gctx)
		return err
	})
	group.Go(func() error {
		// A catalog without LF-tags has no tables with LF-tags.
		tags, err := pub.own.lake.Tags(gctx)
		pub.sourceTagged = len(tags) > 0
		return err
	})
	group.Go(func() (err error) {
		if pub.crawler != nil {
			pub.crawlerFound, _, err = pub.own.catalog.Crawler(gctx, pub.crawler.Name)
		}
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if pub.local == pub.source {
		pub.localDatabase = pub.sourceDatabase
	}
	if err := pub.checkDatabases(); err != nil {
		return err
	}
	if pub.unfit != nil {
		return pub.unfit
	}
	pub.sort()
	if err := pub.surveyTargets(ctx); err != nil {
		return err
	}
	if len(pub.tables) == 0 {
		return pub.nothing()
	}
	return pub.surveyDetails(ctx)
}

// sort puts tables and warnings into an order that does not depend on Glue's.
func (pub *publication) sort() {
	slices.SortFunc(pub.tables, func(a, b *publishedTable) int { return strings.Compare(a.name, b.name) })
	slices.Sort(pub.warnings)
}

func (pub *publication) readSourceDatabase(ctx context.Context) (*types.Database, error) {
	d, ok, err := pub.own.catalog.Database(ctx, pub.source)
	if err == nil && !ok {
		err = lakemesh.NotFound("database "+pub.source, pub.account, "SourceDatabaseName names a database of the producer's account")
	}
	return d, err
}

// mayMean reports whether a table may be meant. While the tables are listed an expression
// becomes a name when a table has it.
func (pub *publication) mayMean(name string) bool {
	return pub.tableNames.Match(name) || pub.tableNames.Names(name)
}

// exactName is the one table that is named, if one is.
func (pub *publication) exactName() []string {
	if name, ok := pub.tableNames.Name(); ok {
		return []string{name}
	}
	return nil
}

// eachTable reads tables of a database: one by one if they are few and known, else
// by listing all, a page at a time. Those that do not exist are left out.
func eachTable(ctx context.Context, c *catalog.Catalog, database string, keep func(string) bool, names []string, each func(name string, t *types.Table)) error {
	if len(names) == 0 || len(names) > fewTables {
		return c.EachTable(ctx, database, func(name string, t *types.Table) {
			if keep(name) {
				each(name, t)
			}
		})
	}
	for _, name := range names {
		t, ok, err := c.Table(ctx, database, name)
		if err != nil {
			return err
		}
		if ok {
			each(name, t)
		}
	}
	return nil
}

func (pub *publication) checkDatabases() error {
	if t := pub.sourceDatabase.TargetDatabase; t != nil {
		return lakemesh.Invalid("SourceDatabaseName", "database %s is a resource link to database %s of account %s; tables are published by the account that owns them",
			pub.source, aws.ToString(t.DatabaseName), aws.ToString(t.CatalogId))
	}
	if pub.meshDatabase != nil && pub.meshDatabase.TargetDatabase != nil {
		return lakemesh.Invalid("ExposeDataMeshDBName", "database %s of the mesh is a resource link", pub.target)
	}
	if pub.localDatabase != nil && pub.localDatabase.TargetDatabase != nil {
		return lakemesh.Invalid("ExposeDataMeshDBName", "database %s of account %s, where the links belong, is a resource link itself; choose another name, or remove it",
			pub.local, pub.account)
	}
	return nil
}

// choose takes a table of the source database if it can be published.
func (pub *publication) choose(name string, t *types.Table) error {
	pub.narrow(name)
	if !pub.tableNames.Match(name) {
		return nil
	}
	_, named := pub.tableNames.Name()
	switch {
	case expression.Sentinel(name):
		if named {
			return expression.RefuseSentinel("TableNameRegex", name)
		}
		pub.warn(fmt.Sprintf("skipped table %q of database %s: AWS writes that name for all tables, so it cannot be granted; give it another name", name, pub.source))
	case catalog.IsLink(t):
		ours := catalog.IsLinkTo(t, pub.meshAccount, pub.target, aws.ToString(t.TargetTable.Name))
		if pub.migrate || ours {
			// Migrated, or published with its link in the source database.
			if named && !pub.migrate {
				return lakemesh.Invalid("TableNameRegex", "%s is a resource link to a table of the mesh", name)
			}
			if pub.migrate {
				pub.noteSourceLink(name, catalog.IsLinkTo(t, pub.meshAccount, pub.target, name))
			}
			return nil
		}
		if named {
			return lakemesh.Invalid("TableNameRegex", "%s is a resource link; tables are published by the account that owns them", name)
		}
		pub.warn(fmt.Sprintf("skipped %s.%s: it is a resource link", pub.source, name))
	case catalog.IsView(t):
		if pub.migrate {
			pub.noteSourceLink(name, false)
		}
		if named {
			return lakemesh.Invalid("TableNameRegex", "%s is a view; only tables can be published", name)
		}
		pub.warn(fmt.Sprintf("skipped %s.%s: it is a view", pub.source, name))
	default:
		return pub.take(name, t)
	}
	return nil
}

// narrow takes the expression for a name as soon as a table has it. What was chosen before
// is let go.
func (pub *publication) narrow(name string) {
	if _, named := pub.tableNames.Name(); named || !pub.tableNames.Names(name) {
		return
	}
	pub.tableNames = pub.tableNames.Literal()
	pub.tables, pub.warnings, pub.unfit, pub.sourceLinks = nil, nil, nil, nil
	pub.definitions = map[string]*types.TableInput{}
	pub.warn(fmt.Sprintf("%q is the name of a table, so it means that table alone, and is not taken for a regular expression", pub.tableNames))
}

// noteSourceLink notes what stands in the source database where a migrated table
// has its link, and whether it is that.
func (pub *publication) noteSourceLink(name string, ours bool) {
	if pub.sourceLinks == nil {
		pub.sourceLinks = map[string]bool{}
	}
	pub.sourceLinks[name] = ours
}

// take adds an original to the publication.
func (pub *publication) take(name string, t *types.Table) error {
	wanted := pub.wanted(name, t)
	p := &publishedTable{name: name, link: name + pub.suffix, digest: catalog.DigestOf(wanted), original: true, partitioned: len(t.PartitionKeys) > 0,
		keys: t.PartitionKeys, iceberg: catalog.IsIceberg(t)}
	p.pointer, p.previous = catalog.Pointer(t)
	if p.iceberg && !pub.migrate && !pub.sync {
		pub.warn(fmt.Sprintf("%s.%s is an Iceberg table: readers of its copy see the snapshot that is current now, until it is published again (`lakemesh product sync`)", pub.source, name))
	}
	if pub.migrate {
		p.link = name
	}
	if utf8.RuneCountInString(p.link) > maxName {
		return lakemesh.Invalid("ExposeTableReferencesWithSuffix", "the link %s would have a name of %d characters, and at most %d are allowed",
			shorten(p.link), utf8.RuneCountInString(p.link), maxName)
	}
	p.known = places.Of(t.StorageDescriptor, t.Parameters)
	p.place, p.stored = p.known.Location()
	if !pub.sync {
		pub.sayPlaces(p, catalog.StoredAt(t))
	}
	pub.tables = append(pub.tables, p)
	pub.hold(name, wanted)
	return nil
}

// wanted is the definition that the mesh is to have of a table.
func (pub *publication) wanted(name string, t *types.Table) *types.TableInput {
	wanted := catalog.Definition(t)
	wanted.Name, wanted.Owner = aws.String(name), aws.String(pub.account)
	return wanted
}

// nothing is the error of a publication without tables.
func (pub *publication) nothing() error {
	if err := pub.tableNames.Fault(); err != nil {
		return err
	}
	what := "tables of database " + pub.source
	hint := "the database has no tables"
	if name, ok := pub.tableNames.Name(); ok {
		what, hint = fmt.Sprintf("table %s.%s", pub.source, name), "TableNameRegex names a table, or is a regular expression for whole names"
	} else if !pub.tableNames.All() {
		what, hint = fmt.Sprintf("tables of database %s that match %q", pub.source, pub.tableNames), "TableNameRegex is a regular expression for whole names: orders_.* and not orders_"
	}
	if len(pub.warnings) > 0 {
		hint = strings.Join(pub.warnings, "; ")
	}
	return lakemesh.NotFound(what, pub.account, hint)
}

func (pub *publication) names() []string {
	names := make([]string, len(pub.tables))
	for i, t := range pub.tables {
		names[i] = t.name
	}
	return names
}

// surveyTargets reads the tables in the mesh and the links, and finds what a
// migration left unfinished.
func (pub *publication) surveyTargets(ctx context.Context) error {
	byName := make(map[string]*publishedTable, len(pub.tables))
	byLink := make(map[string]*publishedTable, len(pub.tables))
	for _, t := range pub.tables {
		byName[t.name], byLink[t.link] = t, t
	}
	var migrated []*publishedTable
	var taken []string
	group, gctx := errgroup.WithContext(ctx)
	if pub.meshDatabase != nil && (pub.migrate || len(pub.tables) > 0) {
		keep, names := has(byName), pub.names()
		if pub.migrate {
			keep, names = pub.mayMean, pub.exactName()
		}
		group.Go(func() error {
			return eachTable(gctx, pub.mesh.catalog, pub.target, keep, names, func(name string, t *types.Table) {
				if pub.migrate {
					if _, named := pub.tableNames.Name(); !named && pub.tableNames.Names(name) && aws.ToString(t.Owner) == pub.account {
						// Its migration ended before its link was made.
						pub.narrow(name)
						clear(byName)
						migrated = nil
					}
					if !pub.tableNames.Match(name) {
						return
					}
				}
				if wanted := byName[name]; wanted != nil {
					wanted.found = true
					pub.foundCopy(wanted, t)
				} else if aws.ToString(t.Owner) == pub.account {
					m := &publishedTable{name: name, link: name, found: true, same: true, partitioned: len(t.PartitionKeys) > 0}
					m.known = places.Of(t.StorageDescriptor, t.Parameters)
					m.place, m.stored = m.known.Location()
					migrated = append(migrated, m)
				}
			})
		})
	}
	if !pub.migrate && pub.localDatabase != nil && len(pub.tables) > 0 {
		group.Go(func() error {
			return eachTable(gctx, pub.own.catalog, pub.local, has(byLink), slices.Collect(maps.Keys(byLink)), func(name string, l *types.Table) {
				t := byLink[name]
				if t.linkFound = catalog.IsLinkTo(l, pub.meshAccount, pub.target, t.name); !t.linkFound {
					taken = append(taken, name)
				}
			})
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if len(taken) > 0 {
		link := slices.Min(taken)
		return lakemesh.Invalid("ExposeTableReferencesWithSuffix", "the link to table %s would be named %s.%s, and that exists in account %s and is something else; choose another suffix or database name",
			byLink[link].name, pub.local, link, pub.account)
	}
	if pub.migrate {
		pub.takeMigrated(migrated)
	}
	return nil
}

func has(set map[string]*publishedTable) func(string) bool {
	return func(name string) bool { return set[name] != nil }
}

// surveyDetails reads the grants and LF-tags of the chosen tables.
func (pub *publication) surveyDetails(ctx context.Context) error {
	pub.sayUnverified()
	pub.sayCrawler()
	if err := pub.observeCrawlerRole(ctx); err != nil {
		return err
	}
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error { return pub.observeGrants(gctx) })
	group.Go(func() error { return pub.observeOwnGrants(gctx) })
	group.Go(func() error { return pub.observeBuckets(gctx) })
	group.Go(func() error { return pub.observeSpecials(gctx) })
	group.Go(func() error { return pub.observeMoved(gctx) })
	group.Go(func() error {
		if pub.sourceTagged {
			if err := pub.observeSourceTags(gctx); err != nil {
				return err
			}
		}
		return pub.observeTags(gctx)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	return pub.checkBuckets(ctx)
}

func (pub *publication) sourceName(t *publishedTable) catalog.TableName {
	return catalog.TableName{Database: pub.source, Table: t.name}
}

func (pub *publication) targetName(t *publishedTable) catalog.TableName {
	return catalog.TableName{Database: pub.target, Table: t.name}
}

// observeGrants reads what is granted in the mesh, and whether the shares that
// carry it were accepted.
func (pub *publication) observeGrants(ctx context.Context) error {
	pub.granted = permissions.NewGrants()
	if pub.meshDatabase == nil {
		return nil
	}
	on := []permissions.Resource{permissions.Database(pub.meshAccount, pub.target)}
	for _, t := range pub.tables {
		if t.found {
			on = append(on, pub.meshTable(t.name))
		}
	}
	var err error
	if pub.granted, err = pub.mesh.lake.Observe(ctx, on...); err != nil {
		return err
	}
	found := slices.DeleteFunc(slices.Clone(pub.tables), func(t *publishedTable) bool { return !t.found })
	if err := pub.mesh.lake.Confirm(ctx, pub.granted, append(pub.wantedOnDatabase(), pub.wantedOnTables(found)...)); err != nil {
		return err
	}
	pub.sayOpen(on)
	if err := pub.checkSharing(); err != nil {
		return err
	}
	shares := pub.granted.Shares(pub.account)
	if len(shares) == 0 {
		return nil
	}
	accepted, err := sharing.Receiver{Client: pub.own.ram, Account: pub.account}.Accepted(ctx, shares)
	if err == nil && len(accepted) < len(shares) {
		// A share that is not listed has arrived if what it carries can be seen.
		var seen bool
		seen, err = pub.sees(ctx)
		pub.unaccepted = !seen
	}
	if err != nil {
		return err
	}
	// What was granted before may not have been shared.
	pub.blocked, err = sharing.Owner{Client: pub.mesh.ram, Account: pub.meshAccount}.Blocked(ctx, shares, pub.sharedARNs(on))
	return err
}

// sayOpen warns of what everybody may reach whom IAM lets through. Taking that away may
// take access from somebody, so it is left to the mesh's administrator.
func (pub *publication) sayOpen(on []permissions.Resource) {
	open := slices.DeleteFunc(slices.Clone(on), func(r permissions.Resource) bool {
		return len(pub.granted.Of(permissions.AllowedByIAM, r).Permissions) == 0
	})
	if len(open) == 0 {
		return
	}
	what := open[0].String()
	if len(open) > 1 {
		what = fmt.Sprintf("%s and %d more", what, len(open)-1)
	}
	pub.warn(fmt.Sprintf("in the mesh account, %s is open to everybody whom IAM lets through: %s holds permissions on it, and Lake Formation restricts nobody there. A data lake administrator of account %s can revoke them",
		what, permissions.AllowedByIAM, pub.meshAccount))
}

// observeSpecials reads what a migration cannot hand on as it is.
func (pub *publication) observeSpecials(ctx context.Context) (err error) {
	if !pub.migrate || !slices.ContainsFunc(pub.tables, func(t *publishedTable) bool { return t.original }) {
		return nil
	}
	if pub.specials, err = pub.own.lake.Specials(ctx); err != nil || !slices.ContainsFunc(pub.specials, permissions.Special.ByTags) {
		return err
	}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(pub.concurrency())
	for _, t := range pub.tables {
		if t.original {
			group.Go(func() (err error) {
				t.allTags, err = pub.own.lake.AllTags(gctx, pub.source, t.name)
				return err
			})
		}
	}
	return group.Wait()
}

// observeOwnGrants reads what is granted in the producer's own account, where
// that decides what has to be done.
func (pub *publication) observeOwnGrants(ctx context.Context) error {
	var on []permissions.Resource
	if pub.localDatabase != nil && slices.ContainsFunc(pub.tables, func(t *publishedTable) bool { return !t.linkFound }) {
		on = append(on, permissions.Database(pub.account, pub.local))
	}
	for _, t := range pub.tables {
		if t.original && (pub.migrate || t.partitioned || t.copy.rekeyed) {
			on = append(on, permissions.Table(pub.account, pub.source, t.name))
		}
		if pub.migrate && !t.linkFound {
			on = append(on, pub.meshTable(t.name))
		} else if pub.crawler != nil {
			on = append(on, pub.meshTable(t.name))
		}
		if pub.crawler != nil && t.linkFound {
			on = append(on, permissions.Table(pub.account, pub.local, t.link))
		}
	}
	var err error
	pub.held, err = pub.own.lake.Observe(ctx, on...)
	return err
}
