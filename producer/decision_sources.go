package producer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/places"
	"github.com/lakemesh/lakemesh/internal/storage"
)

// Whoever was granted ALTER on a table of the mesh may write into its definition where its
// data is, and what was written stays when ALTER is taken away. So a place that somebody
// else than the owner can have named counts only if the owner's own table names it, too.

// alterable are the places of a table that somebody else than its owner can have named.
// Moving a table to a registered location takes DATA_LOCATION_ACCESS there, which consumers
// do not have. The rest of a definition takes nothing, nor does a location that is not
// registered yet, of a table or of a partition
// (https://docs.aws.amazon.com/lake-formation/latest/dg/access-control-underlying-data.html).
// What lies below the location is open by that, and is none of a table's places. When
// something was registered is known to the second.
func (t meshTable) alterable(partition lakemesh.Partition, locations []permissions.RegisteredLocation) []places.Place {
	var all []places.Place
	for _, p := range t.known.Places {
		if p.From == places.Location {
			l, ok := permissions.Nearest(locations, p.ARN(partition))
			if ok && (l.Modified.IsZero() || t.made.IsZero() || l.Modified.Unix() <= t.made.Unix()) {
				continue
			}
		}
		all = append(all, p)
	}
	return all
}

// doubted is a place that a table of the mesh names and that is not opened for it.
type doubted struct {
	places.Place
	why string
}

// confirmed are tables of a database of the mesh with the places that count, by what the
// owner's own tables name. Where a table names no place that somebody else can have named,
// nothing is read.
func (p *Producer) confirmed(ctx context.Context, database string, tables map[string]meshTable, locations []permissions.RegisteredLocation) (map[string]meshTable, error) {
	doubts := map[string][]places.Place{}
	for name, t := range tables {
		if alterable := t.alterable(p.partition, locations); len(alterable) > 0 {
			doubts[name] = alterable
		}
	}
	if len(doubts) == 0 {
		return tables, nil
	}
	var sources []string
	d, ok, err := p.mesh.catalog.Database(ctx, database)
	if ok {
		sources = p.sourcesOf(d)
	}
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	// An error of any other kind is told of with the places that are not opened for it.
	all := maps.Clone(tables)
	var mu sync.Mutex
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(p.concurrency())
	for name, alterable := range doubts {
		group.Go(func() error {
			read, err := p.readSources(within, sources, name, alterable, err)
			if err != nil && within.Err() != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			all[name] = tables[name].confirm(database, alterable, read, err)
			return nil
		})
	}
	return all, group.Wait()
}

// sourcesOf are the producer's databases that tables of a database of the mesh may come
// from. Which of several one comes from stands at the table, where whoever may alter it
// writes: then all count that have a table of the name.
func (p *Producer) sourcesOf(d *types.Database) []string {
	if sources := catalog.Sources(d); len(sources) > 0 {
		return sources
	}
	if source := p.sourceOf(d, &types.Table{}); source != "" {
		return []string{source}
	}
	return nil
}

// source is a table of the producer's, as far as it matters to where its data is.
type source struct {
	name   catalog.TableName
	places places.Table
}

// readSources reads the owner's tables of a name, with those partitions that lie elsewhere
// in the mesh. Those that are not there, and links, which are in the place of tables that
// were migrated, are left out.
func (p *Producer) readSources(ctx context.Context, databases []string, table string, alterable []places.Place, failed error) ([]source, error) {
	if failed != nil {
		return nil, failed
	}
	var values [][]string
	for _, place := range alterable {
		if place.From == places.Partition {
			values = append(values, place.Values)
		}
	}
	var all []source
	for _, database := range databases {
		t, ok, err := p.own.catalog.Table(ctx, database, table)
		if err != nil {
			return nil, err
		}
		if !ok || catalog.IsLink(t) || catalog.IsView(t) {
			continue
		}
		s := source{name: catalog.TableName{Database: database, Table: table}, places: places.Of(t.StorageDescriptor, t.Parameters)}
		if err := p.own.catalog.EachNamed(ctx, s.name, values, func(partition *types.Partition) { s.places.AddPartition(partition) }); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// confirm is a table without the places that its sources do not name. Where they cannot
// tell, what was open by such a place stays open, and nothing is opened. The location alone
// is opened all the same: a table that was migrated has no source any more, and its location
// is registered late, too, where somebody registers it anew.
func (t meshTable) confirm(database string, alterable []places.Place, sources []source, err error) meshTable {
	known := t.known
	t.known = places.Table{Unknown: known.Unknown}
	t.unconfirmed = map[storage.Place]string{}
	for _, place := range known.Places {
		if !slices.ContainsFunc(alterable, func(a places.Place) bool { return a.Place == place.Place }) {
			t.known.Places = append(t.known.Places, place)
			continue
		}
		if len(sources) == 0 {
			t.known.Places = append(t.known.Places, place)
			if why := untraceable(err); place.From != places.Location {
				t.unconfirmed[place.Place] = why
			}
			continue
		}
		unlike := slices.IndexFunc(sources, func(s source) bool { return !s.places.Covers(place.Place) })
		if unlike < 0 {
			t.known.Places = append(t.known.Places, place)
			continue
		}
		t.forged = append(t.forged, doubted{place, fmt.Sprintf("its source, table %s, does not name that place. Whoever may alter the table in the mesh, or might, can have written it there; bring the table up to date: %s",
			sources[unlike].name, lakemesh.Do("producer.SyncProducts", "DatabaseName", database, "TableNameRegex", t.name))})
	}
	return t
}

// untraceable says why a place that the owner's table does not confirm is not opened.
func untraceable(err error) string {
	why := "there is no source to compare it with"
	if err != nil {
		why = fmt.Sprintf("its source cannot be read (%v)", err)
	}
	return "whoever may alter the table in the mesh, or might, can have named it, and " + why +
		". Put the data below the table's location, or open the place in the bucket's policy yourself"
}

// confirm leaves only those places to tables that count: to the subscription's, and to
// others that somebody reads, so that what nobody reads any more is not kept open by what
// was written into one of them.
func (p *Producer) confirm(ctx context.Context, f *found) (err error) {
	for _, database := range f.databases() {
		placed := map[string]meshTable{}
		for name, t := range f.placed {
			if name.Database == database {
				placed[name.Table] = t
			}
		}
		if placed, err = p.confirmed(ctx, database, placed, f.locations); err != nil {
			return err
		}
		for name, t := range placed {
			f.placed[catalog.TableName{Database: database, Table: name}] = t
		}
	}
	isRead := readTables(f.readers)
	for _, database := range slices.Sorted(maps.Keys(f.elsewhere)) {
		read := map[string]meshTable{}
		for _, name := range slices.Sorted(maps.Keys(f.elsewhere[database])) {
			_, mine := f.placed[catalog.TableName{Database: database, Table: name}]
			if !mine && isRead(database, name) && len(read) < mostOtherTables {
				read[name] = f.elsewhere[database][name]
			}
		}
		confirmed, err := p.confirmed(ctx, database, read, f.locations)
		if err != nil {
			return err
		}
		maps.Copy(f.elsewhere[database], confirmed)
	}
	return nil
}

// sayForged warns of places that the subscription's tables name and that do not count.
func sayForged(warn func(string), tables map[catalog.TableName]meshTable) {
	told := 0
	for _, name := range inOrder(tables) {
		for _, place := range tables[name].forged {
			if told++; told > mostNamed {
				continue
			}
			warn(tablePlace{Place: place.Place, table: name.String(), name: name.Table}.unopened(place.why))
		}
	}
	if told > mostNamed {
		warn(fmt.Sprintf("and %d more that the mesh's tables name, and their sources do not", told-mostNamed))
	}
}
