package access

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Door is a role that reads for everybody, at a bucket.
type Door struct {
	Bucket, Role string
}

// Openings are what must be open in buckets.
type Openings struct {
	// Open must be open, and nothing below or above it has to be for that reason: the
	// places of tables that somebody may read, with their keys as written, in order.
	Open map[Door][]Place
	// Keep may be in use by somebody of whom not enough is known. What is open of it
	// stays open, and is not opened for it.
	Keep map[Door][]Place
	// Unsure tells that somebody reads by tags of which not all tables are known, or in a way
	// that cannot be told. What is open and belongs to none of the catalog's tables may be in
	// use.
	Unsure bool
	// Unregistered are places that somebody shall read, and that no registered location
	// covers.
	Unregistered []Place
}

// Prefixes computes what must be open so that whoever may read can: by a table, all
// tables, columns, filters or tags, by terms or by what was found. Pass the grants that
// will be there, [Change.After]; readers of the catalog's account and of its owner need
// no open door.
func Prefixes(wanted Wanted, observed Grants, catalog Catalog, locations []Location) Openings {
	r := readersOf(wanted.Grants.Union(observed), catalog)
	open, keep := map[Place]bool{}, map[Place]bool{}
	for database, d := range catalog.Databases {
		for name, table := range d.Tables {
			into := open
			switch r.of(database, name, table) {
			case nobody:
				continue
			case perhaps:
				into = keep
			}
			for _, p := range table.Places {
				into[p] = true
			}
		}
	}
	o := Openings{Open: map[Door][]Place{}, Keep: map[Door][]Place{}, Unsure: r.unknown || len(r.tags) > 0 && !catalog.TagsKnown}
	for _, p := range inOrder(open) {
		l, ok := Nearest(locations, p)
		if !ok {
			o.Unregistered = append(o.Unregistered, p)
			continue
		}
		d := Door{p.Bucket, l.Role}
		o.Open[d] = append(o.Open[d], p)
	}
	for _, p := range inOrder(keep) {
		if l, ok := Nearest(locations, p); ok && !open[p] {
			d := Door{p.Bucket, l.Role}
			o.Keep[d] = append(o.Keep[d], p)
		}
	}
	return o
}

func inOrder(places map[Place]bool) []Place {
	return slices.SortedFunc(maps.Keys(places), func(a, b Place) int {
		return cmp.Or(strings.Compare(a.Bucket, b.Bucket), strings.Compare(a.Prefix, b.Prefix))
	})
}

type reading int

const (
	nobody reading = iota
	perhaps
	somebody
)

// readers are what outsiders may read.
type readers struct {
	tables    map[[2]string]bool
	databases map[string]bool
	tags      []Tags
	// unknown is that somebody reads what cannot be told.
	unknown bool
}

func readersOf(grants Grants, catalog Catalog) readers {
	r := readers{tables: map[[2]string]bool{}, databases: map[string]bool{}}
	for k, h := range grants {
		on := k.Object
		if !catalog.Outside(k.Grantee) || !ReadsData(h.Permissions) || on.Account != catalog.Account {
			continue
		}
		switch on.Kind {
		case KindDatabase, KindTaggedDatabases, KindLink:
			// They give no data.
		case KindTable, KindColumns, KindFilter:
			r.tables[[2]string{on.Database, on.Table}] = true
		case KindAllTables:
			r.databases[on.Database] = true
		case KindTaggedTables:
			if tags, ok := on.Tags(); ok {
				r.tags = append(r.tags, tags)
			} else {
				r.unknown = true
			}
		default:
			switch {
			case on.Table != "":
				r.tables[[2]string{on.Database, on.Table}] = true
			default:
				r.unknown = true
			}
		}
	}
	return r
}

// of tells whether anybody may read a table.
func (r readers) of(database, name string, table Table) reading {
	if r.databases[database] || r.tables[[2]string{database, name}] {
		return somebody
	}
	if table.Tags != nil && slices.ContainsFunc(r.tags, func(t Tags) bool { return t.Match(table.Tags) }) {
		return somebody
	}
	if r.unknown || table.Tags == nil && len(r.tags) > 0 {
		return perhaps
	}
	return nobody
}

// Nearest is the location that a place is registered by: itself, or the nearest of those
// above it. Registering a location registers all folders below
// (https://docs.aws.amazon.com/lake-formation/latest/dg/register-data-lake.html).
func Nearest(locations []Location, p Place) (_ Location, ok bool) {
	var found Location
	for _, l := range locations {
		if l.Place.Covers(p) && (!ok || found.Place.Covers(l.Place)) {
			found, ok = l, true
		}
	}
	return found, ok
}
