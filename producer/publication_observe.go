package producer

import (
	"cmp"
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
func (w *wantedPublication) survey(ctx context.Context) (*surveyed, error) {
	s := &surveyed{wantedPublication: w}
	if err := s.find(ctx); err != nil {
		return nil, w.explain(err)
	}
	return s, nil
}

// find reads what is there for [wantedPublication.survey].
func (s *surveyed) find(ctx context.Context) error {
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		s.sourceDatabase, err = s.readSourceDatabase(gctx)
		return err
	})
	group.Go(func() error {
		s.definitions = map[string]*types.TableInput{}
		return eachTable(gctx, s.own.catalog, s.source, s.mayMean, s.exactName(), func(name string, t *types.Table) {
			if err := s.choose(name, t); err != nil && s.unfit == nil {
				s.unfit = err
			}
		})
	})
	group.Go(func() (err error) {
		s.meshDatabase, _, err = s.mesh.catalog.Database(gctx, s.target)
		return err
	})
	group.Go(func() (err error) {
		if s.local == s.source {
			return nil
		}
		s.localDatabase, _, err = s.own.catalog.Database(gctx, s.local)
		return err
	})
	group.Go(func() (err error) {
		s.locations, err = s.mesh.lake.Locations(gctx)
		s.located = err == nil
		return err
	})
	group.Go(func() error {
		// A catalog without LF-tags has no tables with LF-tags.
		tags, err := s.own.lake.Tags(gctx)
		s.sourceTagged = len(tags) > 0
		return err
	})
	group.Go(func() (err error) {
		if s.crawler != nil {
			s.crawlerFound, _, err = s.own.catalog.Crawler(gctx, s.crawler.Name)
		}
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if s.local == s.source {
		s.localDatabase = s.sourceDatabase
	}
	if err := s.checkDatabases(); err != nil {
		return err
	}
	if s.unfit != nil {
		return s.unfit
	}
	s.sort()
	if err := s.surveyTargets(ctx); err != nil {
		return err
	}
	if err := s.lookBeside(ctx); err != nil {
		return err
	}
	if len(s.tables) == 0 {
		return s.nothing()
	}
	if err := s.checkHybrid(ctx); err != nil {
		return err
	}
	s.saidHybrid()
	return s.surveyDetails(ctx)
}

// sort puts tables and warnings into an order that does not depend on Glue's.
func (s *surveyed) sort() {
	slices.SortFunc(s.tables, func(a, b *publishedTable) int { return strings.Compare(a.name, b.name) })
	slices.Sort(s.warnings)
}

func (w *wantedPublication) readSourceDatabase(ctx context.Context) (*types.Database, error) {
	d, ok, err := w.own.catalog.Database(ctx, w.source)
	if err == nil && !ok {
		err = lakemesh.NotFound("database "+w.source, w.account, "SourceDatabaseName names a database of the producer's account")
	}
	return d, err
}

// mayMean reports whether a table may be meant. While the tables are listed an expression
// becomes a name when a table has it.
func (s *surveyed) mayMean(name string) bool {
	return s.meant().Match(name) || s.meant().Names(name)
}

// exactName is the one table that is named, if one is.
func (s *surveyed) exactName() []string {
	if name, ok := s.meant().Name(); ok {
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

func (s *surveyed) checkDatabases() error {
	if t := s.sourceDatabase.TargetDatabase; t != nil {
		return lakemesh.Invalid("SourceDatabaseName", "database %s is a resource link to database %s of account %s; tables are published by the account that owns them",
			s.source, aws.ToString(t.DatabaseName), aws.ToString(t.CatalogId))
	}
	if s.meshDatabase != nil && s.meshDatabase.TargetDatabase != nil {
		return lakemesh.Invalid("ExposeDataMeshDBName", "database %s of the mesh is a resource link", s.target)
	}
	if s.localDatabase != nil && s.localDatabase.TargetDatabase != nil {
		return lakemesh.Invalid("ExposeDataMeshDBName", "database %s of account %s, where the links belong, is a resource link itself; choose another name, or remove it",
			s.local, s.account)
	}
	return nil
}

// choose takes a table of the source database if it can be published.
func (s *surveyed) choose(name string, t *types.Table) error {
	s.narrow(name)
	if !s.meant().Match(name) {
		return nil
	}
	_, named := s.meant().Name()
	switch {
	case expression.Sentinel(name):
		if named {
			return expression.RefuseSentinel("TableNameRegex", name)
		}
		s.warn(fmt.Sprintf("skipped table %q of database %s: AWS writes that name for all tables, so it cannot be granted; give it another name", name, s.source))
	case catalog.IsLink(t):
		ours := catalog.IsLinkTo(t, s.meshAccount, s.target, aws.ToString(t.TargetTable.Name))
		if s.migrate || ours {
			// Migrated, or published with its link in the source database.
			if named && !s.migrate {
				return lakemesh.Invalid("TableNameRegex", "%s is a resource link to a table of the mesh", name)
			}
			if s.migrate {
				s.noteSourceLink(name, catalog.IsLinkTo(t, s.meshAccount, s.target, name))
			}
			return nil
		}
		if named {
			return lakemesh.Invalid("TableNameRegex", "%s is a resource link; tables are published by the account that owns them", name)
		}
		s.warn(fmt.Sprintf("skipped %s.%s: it is a resource link", s.source, name))
	case catalog.IsView(t):
		if s.migrate {
			s.noteSourceLink(name, false)
		}
		if named {
			return lakemesh.Invalid("TableNameRegex", "%s is a view; only tables can be published", name)
		}
		s.warn(fmt.Sprintf("skipped %s.%s: it is a view", s.source, name))
	default:
		return s.take(name, t)
	}
	return nil
}

// narrow takes the expression for a name as soon as a table has it. What was chosen before
// is let go.
func (s *surveyed) narrow(name string) {
	if _, named := s.meant().Name(); named || !s.meant().Names(name) {
		return
	}
	s.literal = true
	s.tables, s.warnings, s.unfit, s.sourceLinks = nil, nil, nil, nil
	s.definitions = map[string]*types.TableInput{}
	s.warn(fmt.Sprintf("%q is the name of a table, so it means that table alone, and is not taken for a regular expression", s.meant()))
}

// meant are the names that are wanted: the expression, or the one name that it turned out
// to be.
func (s *surveyed) meant() expression.Expression {
	if s.literal {
		return s.tableNames.Literal()
	}
	return s.tableNames
}

// noteSourceLink notes what stands in the source database where a migrated table
// has its link, and whether it is that.
func (s *surveyed) noteSourceLink(name string, ours bool) {
	if s.sourceLinks == nil {
		s.sourceLinks = map[string]bool{}
	}
	s.sourceLinks[name] = ours
}

// take adds an original to the publication.
func (s *surveyed) take(name string, t *types.Table) error {
	wanted := s.wanted(name, t)
	p := &publishedTable{name: name, link: name + s.suffix, digest: catalog.DigestOf(wanted), original: true, partitioned: len(t.PartitionKeys) > 0,
		keys: t.PartitionKeys, iceberg: catalog.IsIceberg(t)}
	p.pointer, p.previous = catalog.Pointer(t)
	if p.iceberg && !s.migrate && !s.sync {
		s.warn(fmt.Sprintf("%s.%s is an Iceberg table: readers of its copy see the snapshot that is current now, until it is brought up to date: %s", s.source, name, lakemesh.Do("producer.SyncProducts")))
	}
	if s.migrate {
		p.link = name
	}
	if utf8.RuneCountInString(p.link) > maxName {
		return lakemesh.Invalid("ExposeTableReferencesWithSuffix", "the link %s would have a name of %d characters, and at most %d are allowed",
			shorten(p.link), utf8.RuneCountInString(p.link), maxName)
	}
	p.known = places.Of(t.StorageDescriptor, t.Parameters)
	p.place, p.stored = p.known.Location()
	if !s.sync {
		s.sayPlaces(p, catalog.StoredAt(t))
	}
	s.tables = append(s.tables, p)
	s.hold(name, wanted)
	return nil
}

// wanted is the definition that the mesh is to have of a table.
func (w *wantedPublication) wanted(name string, t *types.Table) *types.TableInput {
	wanted := catalog.Definition(t)
	wanted.Name, wanted.Owner = aws.String(name), aws.String(w.account)
	return wanted
}

// nothing is the error of a publication without tables.
func (s *surveyed) nothing() error {
	if err := s.meant().Fault(); err != nil {
		return err
	}
	what := "tables of database " + s.source
	hint := "the database has no tables"
	if name, ok := s.meant().Name(); ok {
		what, hint = fmt.Sprintf("table %s.%s", s.source, name), "TableNameRegex names a table, or is a regular expression for whole names"
	} else if !s.meant().All() {
		what, hint = fmt.Sprintf("tables of database %s that match %q", s.source, s.meant()), "TableNameRegex is a regular expression for whole names: orders_.* and not orders_"
	}
	if len(s.warnings) > 0 {
		hint = strings.Join(s.warnings, "; ")
	}
	return lakemesh.NotFound(what, s.account, hint)
}

func (s *surveyed) names() []string {
	names := make([]string, len(s.tables))
	for i, t := range s.tables {
		names[i] = t.name
	}
	return names
}

// surveyTargets reads the tables in the mesh and the links, and finds what a
// migration left unfinished.
func (s *surveyed) surveyTargets(ctx context.Context) error {
	byName := make(map[string]*publishedTable, len(s.tables))
	byLink := make(map[string]*publishedTable, len(s.tables))
	for _, t := range s.tables {
		byName[t.name], byLink[t.link] = t, t
	}
	var migrated []*publishedTable
	var taken []string
	var foreign error
	group, gctx := errgroup.WithContext(ctx)
	if s.meshDatabase != nil && (s.migrate || len(s.tables) > 0) {
		keep, names := has(byName), s.names()
		if s.migrate {
			keep, names = s.mayMean, s.exactName()
		}
		group.Go(func() error {
			return eachTable(gctx, s.mesh.catalog, s.target, keep, names, func(name string, t *types.Table) {
				if s.migrate {
					if _, named := s.meant().Name(); !named && s.meant().Names(name) && s.isOwn(s.meshDatabase, t) {
						// Its migration ended before its link was made.
						s.narrow(name)
						clear(byName)
						migrated = nil
					}
					if !s.meant().Match(name) {
						return
					}
				}
				if wanted := byName[name]; wanted != nil {
					wanted.found = true
					foreign = cmp.Or(foreign, s.refuseAnothers(t))
					s.foundCopy(wanted, t)
				} else if s.isOwn(s.meshDatabase, t) {
					m := &publishedTable{name: name, link: name, found: true, same: true, partitioned: len(t.PartitionKeys) > 0}
					m.known = places.Of(t.StorageDescriptor, t.Parameters)
					m.place, m.stored = m.known.Location()
					migrated = append(migrated, m)
				}
			})
		})
	}
	if !s.migrate && s.localDatabase != nil && len(s.tables) > 0 {
		group.Go(func() error {
			return eachTable(gctx, s.own.catalog, s.local, has(byLink), slices.Collect(maps.Keys(byLink)), func(name string, l *types.Table) {
				t := byLink[name]
				if t.linkFound = catalog.IsLinkTo(l, s.meshAccount, s.target, t.name); !t.linkFound {
					taken = append(taken, name)
				}
			})
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if foreign != nil {
		return foreign
	}
	if len(taken) > 0 {
		link := slices.Min(taken)
		return lakemesh.Invalid("ExposeTableReferencesWithSuffix", "the link to table %s would be named %s.%s, and that exists in account %s and is something else; choose another suffix or database name",
			byLink[link].name, s.local, link, s.account)
	}
	if s.migrate {
		s.takeMigrated(migrated)
	}
	return s.heedPlaces(ctx)
}

func has(set map[string]*publishedTable) func(string) bool {
	return func(name string) bool { return set[name] != nil }
}

// surveyDetails reads the grants and LF-tags of the chosen tables.
func (s *surveyed) surveyDetails(ctx context.Context) error {
	s.sayUnverified()
	s.sayCrawler()
	if err := s.observeCrawlerRole(ctx); err != nil {
		return err
	}
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.observeGrants(gctx) })
	group.Go(func() error { return s.observeOwnGrants(gctx) })
	group.Go(func() error { return s.observeBuckets(gctx) })
	group.Go(func() error { return s.observeSpecials(gctx) })
	group.Go(func() error { return s.observeMoved(gctx) })
	group.Go(func() error {
		if s.sourceTagged {
			if err := s.observeSourceTags(gctx); err != nil {
				return err
			}
		}
		return s.observeTags(gctx)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	return s.checkBuckets(ctx)
}

func (w *wantedPublication) sourceName(t *publishedTable) catalog.TableName {
	return catalog.TableName{Database: w.source, Table: t.name}
}

func (w *wantedPublication) targetName(t *publishedTable) catalog.TableName {
	return catalog.TableName{Database: w.target, Table: t.name}
}

// observeGrants reads what is granted in the mesh, and whether the shares that
// carry it were accepted.
func (s *surveyed) observeGrants(ctx context.Context) error {
	s.granted = permissions.NewGrants()
	if s.meshDatabase == nil {
		return nil
	}
	on := []permissions.Resource{permissions.Database(s.meshAccount, s.target)}
	for _, t := range s.tables {
		if t.found {
			on = append(on, s.meshTable(t.name))
		}
	}
	var err error
	if s.granted, err = s.mesh.lake.Observe(ctx, on...); err != nil {
		return err
	}
	found := slices.DeleteFunc(slices.Clone(s.tables), func(t *publishedTable) bool { return !t.found })
	if err := s.mesh.lake.Confirm(ctx, s.granted, append(s.wantedOnDatabase(), s.wantedOnTables(found)...)); err != nil {
		return err
	}
	if err := s.refuseAnothersDatabase(); err != nil {
		return err
	}
	if err := s.observeHiding(ctx); err != nil {
		return err
	}
	s.sayOpen(on)
	if err := s.checkSharing(); err != nil {
		return err
	}
	shares := s.granted.Shares(s.account)
	if len(shares) == 0 {
		return nil
	}
	accepted, err := sharing.Receiver{Client: s.own.ram, Account: s.account}.Accepted(ctx, shares)
	if err == nil && len(accepted) < len(shares) {
		// A share that is not listed has arrived if what it carries can be seen.
		var seen bool
		seen, err = s.sees(ctx)
		s.unaccepted = !seen
	}
	if err != nil {
		return err
	}
	// What was granted before may not have been shared.
	s.blocked, err = sharing.Owner{Client: s.mesh.ram, Account: s.meshAccount}.Blocked(ctx, shares, s.sharedARNs(on))
	return err
}

// sayOpen warns of what everybody may reach whom IAM lets through. Taking that away may
// take access from somebody, so it is left to the mesh's administrator.
func (s *surveyed) sayOpen(on []permissions.Resource) {
	open := slices.DeleteFunc(slices.Clone(on), func(r permissions.Resource) bool {
		return len(s.granted.Of(permissions.AllowedByIAM, r).Permissions) == 0 || s.sharedInHybrid(r)
	})
	if len(open) == 0 {
		return
	}
	what := open[0].String()
	if len(open) > 1 {
		what = fmt.Sprintf("%s and %d more", what, len(open)-1)
	}
	s.warn(fmt.Sprintf("in the mesh account, %s is open to everybody whom IAM lets through: %s holds permissions on it, and Lake Formation restricts nobody there. A data lake administrator of account %s can revoke them",
		what, permissions.AllowedByIAM, s.meshAccount))
}

// observeSpecials reads what a migration cannot hand on as it is.
func (s *surveyed) observeSpecials(ctx context.Context) (err error) {
	if !s.migrate || !slices.ContainsFunc(s.tables, func(t *publishedTable) bool { return t.original }) {
		return nil
	}
	if s.specials, err = s.own.lake.Specials(ctx); err != nil || !slices.ContainsFunc(s.specials, permissions.Special.ByTags) {
		return err
	}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(s.concurrency())
	for _, t := range s.tables {
		if t.original {
			group.Go(func() (err error) {
				t.allTags, err = s.own.lake.AllTags(gctx, s.source, t.name)
				return err
			})
		}
	}
	return group.Wait()
}

// observeOwnGrants reads what is granted in the producer's own account, where
// that decides what has to be done.
func (s *surveyed) observeOwnGrants(ctx context.Context) error {
	var on []permissions.Resource
	if s.localDatabase != nil && slices.ContainsFunc(s.tables, func(t *publishedTable) bool { return !t.linkFound }) {
		on = append(on, permissions.Database(s.account, s.local))
	}
	for _, t := range s.tables {
		if t.original && (s.migrate || t.partitioned || t.copy.rekeyed) {
			on = append(on, permissions.Table(s.account, s.source, t.name))
		}
		if s.migrate && !t.linkFound {
			on = append(on, s.meshTable(t.name))
		} else if s.crawler != nil {
			on = append(on, s.meshTable(t.name))
		}
		if s.crawler != nil && t.linkFound {
			on = append(on, permissions.Table(s.account, s.local, t.link))
		}
	}
	var err error
	s.held, err = s.own.lake.Observe(ctx, on...)
	return err
}
