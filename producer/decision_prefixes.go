package producer

import (
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/storage"
)

// prefixes computes what a decision changes in bucket policies: the places of tables
// whose data somebody may read are opened to the role that Lake Formation reads with, and
// those that nobody may read any more are closed.
func (p *Producer) prefixes(c *considered, f *found, ch *change, diff access.Change) error {
	observed := f.readers
	if observed == nil {
		observed = f.have.Access()
	}
	becomes := observed.Minus(diff.Revoke).Union(diff.Grant)
	catalog, locations := p.catalog(f), p.registered(f)
	openings := access.Prefixes(access.Wanted{}, becomes, catalog, locations)
	mine := placesOf(f.tables)
	todo := &accesses{byRole: map[string]*storage.Access{}}

	opening := c.action != lakemesh.ActionAbort && c.action != lakemesh.ActionDelete
	for door, places := range openings.Open {
		for _, place := range places {
			if !opening || !mine[place] {
				continue
			}
			if p.readsForAnother(door.Role) {
				return p.readByAnother(locations, place)
			}
			todo.open(door.Role, place)
		}
	}
	for _, place := range openings.Unregistered {
		if opening && mine[place] {
			return &lakemesh.Error{Kind: lakemesh.ErrNotFound, Account: p.meshAccount, Resource: "location " + place.String(),
				Message: "it is not registered with Lake Formation, so nobody could read it", Hint: "publish the table again: lakemesh product create"}
		}
	}
	if f.readers != nil {
		p.close(todo, mine, openings, catalog, locations, f.opened)
	}
	ch.prefixes = todo.sorted()
	return nil
}

// close closes the subscription's own places that nobody reads any more, and what is
// open and belongs to no table: of those that were dropped or have moved, and to roles
// that a location is not registered with any more.
func (p *Producer) close(todo *accesses, mine map[access.Place]bool, openings access.Openings, catalog access.Catalog, locations []access.Location, opened map[string]map[string][]string) {
	needed := map[access.Place]bool{}
	for _, by := range []map[access.Door][]access.Place{openings.Open, openings.Keep} {
		for _, places := range by {
			for _, place := range places {
				needed[place] = true
			}
		}
	}
	for _, place := range openings.Unregistered {
		needed[place] = true
	}
	shut := map[access.Place]bool{}
	for place := range mine {
		if needed[place] {
			continue
		}
		shut[place] = true
		if l, ok := access.Nearest(locations, place); ok {
			role := l.Role
			if p.readsForAnother(role) {
				// Registered after it was opened; it is open to the producer's own.
				role = p.dataAccessRole()
			}
			todo.close(role, place)
		}
	}
	tables := map[access.Place]bool{}
	for _, d := range catalog.Databases {
		for _, t := range d.Tables {
			for _, place := range t.Places {
				tables[place] = true
			}
		}
	}
	for bucket, roles := range opened {
		for role, prefixes := range roles {
			for _, prefix := range prefixes {
				place := access.Place{Bucket: bucket, Prefix: prefix}
				if shut[place] || !openings.Unsure && orphaned(place, role, tables, locations) {
					shut[place] = true
					todo.close(role, place)
				}
			}
		}
	}
	// Each place is open by a prefix of its own: closing one closes no other above or
	// below it. What lies below one that is closed is opened again all the same, in case
	// that somebody put the two together.
	for door, places := range openings.Open {
		for _, place := range places {
			if !p.readsForAnother(door.Role) && slices.ContainsFunc(slices.Collect(maps.Keys(shut)), func(s access.Place) bool { return s != place && s.Covers(place) }) {
				todo.open(door.Role, place)
			}
		}
	}
}

// orphaned reports whether a place that is open to a role serves no table that is read
// with the role.
func orphaned(place access.Place, role string, tables map[access.Place]bool, locations []access.Location) bool {
	for t := range tables {
		if !place.Covers(t) {
			continue
		}
		if l, ok := access.Nearest(locations, t); !ok || l.Role == role {
			return false
		}
	}
	return true
}

// placesOf are the places of tables.
func placesOf(tables map[string]meshTable) map[access.Place]bool {
	places := map[access.Place]bool{}
	for _, t := range tables {
		if t.stored {
			places[access.Place{Bucket: t.place.Bucket, Prefix: t.place.Prefix}] = true
		}
	}
	return places
}

// registered are the registered locations in S3.
func (p *Producer) registered(f *found) []access.Location {
	var all []access.Location
	for _, l := range f.locations {
		path, ok := strings.CutPrefix(l.ARN, "arn:aws:s3:::")
		if !ok {
			continue
		}
		bucket, prefix, folder := strings.Cut(path, "/")
		if folder && prefix == "" {
			// Of two slashes behind a bucket's name one was trimmed.
			prefix = "/"
		}
		all = append(all, access.Location{Place: access.Place{Bucket: bucket, Prefix: prefix}, Role: l.Role})
	}
	return all
}

func (p *Producer) readByAnother(locations []access.Location, place access.Place) error {
	l, _ := access.Nearest(locations, place)
	return &lakemesh.Error{Kind: lakemesh.ErrAccessDenied, Account: p.meshAccount, Resource: "location " + place.String(),
		Message: "it is registered with " + l.Role + ", which reads for another producer",
		Hint: "let the mesh's administrator deregister " + storage.Place{Bucket: l.Place.Bucket, Prefix: l.Place.Prefix}.ARN() +
			" from Lake Formation, and publish the table again: lakemesh product create"}
}

// accesses collects what is to become of places, role by role.
type accesses struct {
	byRole map[string]*storage.Access
}

func (a *accesses) of(role string) *storage.Access {
	if a.byRole[role] == nil {
		a.byRole[role] = &storage.Access{Role: role}
	}
	return a.byRole[role]
}

func (a *accesses) open(role string, place access.Place) {
	of := a.of(role)
	of.Open = append(of.Open, storage.Place{Bucket: place.Bucket, Prefix: place.Prefix})
}

func (a *accesses) close(role string, place access.Place) {
	of := a.of(role)
	of.Close = append(of.Close, storage.Place{Bucket: place.Bucket, Prefix: place.Prefix})
}

// sorted is all of it, in the order of roles and places.
func (a *accesses) sorted() []storage.Access {
	var all []storage.Access
	for _, role := range slices.Sorted(maps.Keys(a.byRole)) {
		of := *a.byRole[role]
		for _, places := range []*[]storage.Place{&of.Open, &of.Close} {
			slices.SortFunc(*places, func(x, y storage.Place) int { return strings.Compare(x.String(), y.String()) })
			*places = slices.Compact(*places)
		}
		all = append(all, of)
	}
	return all
}

// readsData tells whether permissions let their holder read a table's data.
func readsData(set lakemesh.Permissions) bool { return access.ReadsData(set) }
