package producer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/sharing"
	"github.com/lakemesh/lakemesh/internal/storage"
)

// fewTables is up to how many tables are read one by one rather than by listing
// their database.
const fewTables = 3

// observe reads what is there. It writes nothing. What does not depend on each
// other is read at once.
func (pub *publication) observe(ctx context.Context) error {
	var original map[string]types.Table
	tagged := false
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		pub.sourceDatabase, err = pub.readSourceDatabase(gctx)
		return err
	})
	group.Go(func() (err error) {
		original, err = readTables(gctx, pub.own.catalog, pub.source, pub.tableNames.Match, pub.exactName())
		return err
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
		tagged = len(tags) > 0
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
	if err := pub.choose(original); err != nil {
		return err
	}
	if err := pub.observeTargets(ctx, original); err != nil {
		return err
	}
	if len(pub.tables) == 0 {
		return pub.nothing()
	}
	return pub.observeDetails(ctx, tagged)
}

func (pub *publication) readSourceDatabase(ctx context.Context) (*types.Database, error) {
	d, ok, err := pub.own.catalog.Database(ctx, pub.source)
	if err == nil && !ok {
		err = lakemesh.NotFound("database "+pub.source, pub.account, "SourceDatabaseName names a database of the producer's account")
	}
	return d, err
}

// exactName is the one table that is named, if one is.
func (pub *publication) exactName() []string {
	if name, ok := pub.tableNames.Name(); ok {
		return []string{name}
	}
	return nil
}

// readTables reads tables of a database: one by one if they are few and known,
// else by listing all. Those that do not exist are left out.
func readTables(ctx context.Context, c *catalog.Catalog, database string, keep func(string) bool, names []string) (map[string]types.Table, error) {
	if len(names) == 0 || len(names) > fewTables {
		return c.TableMap(ctx, database, keep)
	}
	found := map[string]types.Table{}
	for _, name := range names {
		t, ok, err := c.Table(ctx, database, name)
		if err != nil {
			return nil, err
		}
		if ok {
			found[name] = *t
		}
	}
	return found, nil
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

// choose takes those tables that can be published.
func (pub *publication) choose(original map[string]types.Table) error {
	_, named := pub.tableNames.Name()
	for name, t := range original {
		switch {
		case catalog.IsLink(&t):
			if pub.migrate || catalog.IsLinkTo(&t, pub.meshAccount, pub.target, aws.ToString(t.TargetTable.Name)) {
				// Migrated, or published with its link in the source database.
				if named && !pub.migrate {
					return lakemesh.Invalid("TableNameRegex", "%s is a resource link to a table of the mesh", name)
				}
				continue
			}
			if named {
				return lakemesh.Invalid("TableNameRegex", "%s is a resource link; tables are published by the account that owns them", name)
			}
			pub.warn(fmt.Sprintf("skipped %s.%s: it is a resource link", pub.source, name))
		case catalog.IsView(&t):
			if named {
				return lakemesh.Invalid("TableNameRegex", "%s is a view; only tables can be published", name)
			}
			pub.warn(fmt.Sprintf("skipped %s.%s: it is a view", pub.source, name))
		default:
			if err := pub.take(name, &t); err != nil {
				return err
			}
		}
	}
	slices.SortFunc(pub.tables, func(a, b *publishedTable) int { return strings.Compare(a.name, b.name) })
	slices.Sort(pub.warnings)
	return nil
}

// take adds an original to the publication.
func (pub *publication) take(name string, t *types.Table) error {
	wanted := catalog.Definition(t)
	wanted.Name, wanted.Owner = aws.String(name), aws.String(pub.account)
	p := &publishedTable{name: name, link: name + pub.suffix, wanted: wanted, original: true}
	if pub.migrate {
		p.link = name
	}
	if utf8.RuneCountInString(p.link) > maxName {
		return lakemesh.Invalid("ExposeTableReferencesWithSuffix", "the link %s would have a name of %d characters, and at most %d are allowed",
			shorten(p.link), utf8.RuneCountInString(p.link), maxName)
	}
	location := catalog.StoredAt(t)
	p.place, p.stored = storage.ParsePlace(location)
	switch {
	case location == "":
		pub.warn(fmt.Sprintf("%s.%s has no location: only its metadata is published", pub.source, name))
	case !p.stored:
		pub.warn(fmt.Sprintf("%s.%s is not stored in S3 (%s): only its metadata is published", pub.source, name, location))
	}
	pub.tables = append(pub.tables, p)
	return nil
}

// nothing is the error of a publication without tables.
func (pub *publication) nothing() error {
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

// observeTargets reads the tables in the mesh and the links, and finds what a
// migration left unfinished.
func (pub *publication) observeTargets(ctx context.Context, original map[string]types.Table) error {
	var inMesh, links map[string]types.Table
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		switch {
		case pub.meshDatabase == nil:
		case pub.migrate:
			inMesh, err = readTables(gctx, pub.mesh.catalog, pub.target, pub.tableNames.Match, pub.exactName())
		case len(pub.tables) > 0:
			wanted := pub.byName(func(t *publishedTable) string { return t.name })
			inMesh, err = readTables(gctx, pub.mesh.catalog, pub.target, has(wanted), pub.names())
		}
		return err
	})
	group.Go(func() (err error) {
		switch {
		case pub.migrate:
			links = original
		case pub.localDatabase == nil || len(pub.tables) == 0:
		default:
			wanted := pub.byName(func(t *publishedTable) string { return t.link })
			names := make([]string, 0, len(wanted))
			for link := range wanted {
				names = append(names, link)
			}
			links, err = readTables(gctx, pub.own.catalog, pub.local, has(wanted), names)
		}
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	for _, t := range pub.tables {
		if found, ok := inMesh[t.name]; ok {
			t.found = &found
		}
	}
	if pub.migrate {
		pub.takeMigrated(inMesh, links)
		return nil
	}
	return pub.checkLinks(links)
}

func has(set map[string]bool) func(string) bool { return func(name string) bool { return set[name] } }

func (pub *publication) byName(of func(*publishedTable) string) map[string]bool {
	names := make(map[string]bool, len(pub.tables))
	for _, t := range pub.tables {
		names[of(t)] = true
	}
	return names
}

// checkLinks refuses to put a link where something else is.
func (pub *publication) checkLinks(links map[string]types.Table) error {
	for _, t := range pub.tables {
		l, ok := links[t.link]
		if !ok {
			continue
		}
		if !catalog.IsLinkTo(&l, pub.meshAccount, pub.target, t.name) {
			return lakemesh.Invalid("ExposeTableReferencesWithSuffix", "the link to table %s would be named %s.%s, and that exists in account %s and is something else; choose another suffix or database name",
				t.name, pub.local, t.link, pub.account)
		}
		t.linkFound = true
	}
	return nil
}

// observeDetails reads grants, LF-tags and partitions of the chosen tables.
func (pub *publication) observeDetails(ctx context.Context, tagged bool) error {
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(pub.concurrency())
	group.Go(func() error { return pub.observeGrants(gctx) })
	if err := pub.observeOwnGrants(ctx); err != nil {
		return errors.Join(err, group.Wait())
	}
	for _, t := range pub.tables {
		// A table whose partitions cannot be read yet is compared while it is copied.
		if !t.original || !t.partitioned() || t.found == nil || pub.lacksReading(t) {
			continue
		}
		group.Go(func() (err error) {
			t.missing, err = catalog.MissingPartitions(gctx, pub.own.catalog, pub.sourceName(t), pub.mesh.catalog, pub.targetName(t))
			return err
		})
	}
	if tagged {
		for _, t := range pub.tables {
			if !t.original {
				continue
			}
			group.Go(func() (err error) {
				t.sourceTags, err = pub.own.lake.TableTags(gctx, pub.source, t.name)
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return pub.observeTags(ctx)
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
		if t.found != nil {
			on = append(on, pub.meshTable(t.name))
		}
	}
	var err error
	if pub.granted, err = pub.mesh.lake.Observe(ctx, on...); err != nil {
		return err
	}
	if err := pub.checkSharing(); err != nil {
		return err
	}
	shares := pub.granted.Shares(pub.account)
	if len(shares) == 0 {
		return nil
	}
	accepted, err := sharing.Receiver{Client: pub.own.ram, Account: pub.account}.Accepted(ctx, shares)
	pub.unaccepted = len(accepted) < len(shares)
	return err
}

// observeOwnGrants reads what is granted in the producer's own account, where
// that decides what has to be done.
func (pub *publication) observeOwnGrants(ctx context.Context) error {
	var on []permissions.Resource
	if pub.localDatabase != nil && slices.ContainsFunc(pub.tables, func(t *publishedTable) bool { return !t.linkFound }) {
		on = append(on, permissions.Database(pub.account, pub.local))
	}
	for _, t := range pub.tables {
		if t.original && (pub.migrate || t.partitioned()) {
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

// observeTags finds out which LF-tags the tables in the mesh lack, and which
// values the tags of the mesh lack.
func (pub *publication) observeTags(ctx context.Context) error {
	wanted := map[string][]string{}
	copied := false
	var there []*publishedTable
	for _, t := range pub.tables {
		t.tags = map[string]string{}
		for k, v := range t.sourceTags {
			t.tags[k] = v
		}
		copied = copied || len(t.sourceTags) > 0
		for k, v := range pub.tags {
			t.tags[k] = v
		}
		if len(t.tags) > 0 && t.found != nil {
			there = append(there, t)
		}
	}
	if err := pub.dropAssigned(ctx, there, copied); err != nil {
		return err
	}
	for _, t := range pub.tables {
		for k, v := range t.tags {
			if !slices.Contains(wanted[k], v) {
				wanted[k] = append(wanted[k], v)
			}
		}
	}
	return pub.observeTagValues(ctx, wanted)
}

// observeTagValues finds the wanted values that the mesh's LF-tags do not have.
func (pub *publication) observeTagValues(ctx context.Context, wanted map[string][]string) error {
	have := make(map[string][]string, len(wanted))
	var mu sync.Mutex
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(pub.concurrency())
	for k := range wanted {
		group.Go(func() error {
			values, _, err := pub.mesh.lake.TagValues(gctx, k)
			mu.Lock()
			defer mu.Unlock()
			have[k] = values
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	pub.newTagValues = map[string][]string{}
	for k, values := range wanted {
		for _, v := range values {
			if !slices.Contains(have[k], v) {
				pub.newTagValues[k] = append(pub.newTagValues[k], v)
			}
		}
		slices.Sort(pub.newTagValues[k])
	}
	return nil
}

// dropAssigned takes the LF-tags out that tables have already. Where all tables
// want the same, one search finds a hundred of them; else each is read.
func (pub *publication) dropAssigned(ctx context.Context, there []*publishedTable, copied bool) error {
	if len(there) == 0 {
		return nil
	}
	drop := func(t *publishedTable, have map[string]string) {
		for k, v := range have {
			if t.tags[k] == v {
				delete(t.tags, k)
			}
		}
	}
	if len(pub.tags) > 0 && (len(there) > fewTables || !copied) {
		byResource := make(map[permissions.Resource]*publishedTable, len(there))
		for _, t := range there {
			byResource[pub.meshTable(t.name)] = t
		}
		for found, err := range pub.mesh.lake.TablesWithTags(ctx, pub.tags) {
			if awserr.NotFound(err) || awserr.Is(err, "InvalidInputException") {
				// A tag, or a value, that does not exist is on no table.
				return nil
			}
			if err != nil {
				return err
			}
			if t := byResource[found.Table]; t != nil {
				drop(t, found.Tags)
			}
		}
		return nil
	}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(pub.concurrency())
	for _, t := range there {
		group.Go(func() error {
			have, err := pub.mesh.lake.TableTags(gctx, pub.target, t.name)
			if err == nil {
				drop(t, have)
			}
			return err
		})
	}
	return group.Wait()
}
