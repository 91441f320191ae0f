package producer

import (
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/catalog"
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
	ch.where = placesOf(f.withPlaces())
	mine := map[access.Place]bool{}
	for place := range ch.where {
		mine[place] = true
	}
	opens := maps.Clone(mine)
	for place := range placesOf(f.left) {
		mine[place] = true
	}
	todo := &accesses{byRole: map[string]*storage.Access{}}

	unopened := map[string]bool{}
	// A deletion that was left unfinished may have closed what the subscription reads.
	aborting := c.action == lakemesh.ActionAbort
	opening := c.action != lakemesh.ActionDelete && (!aborting || c.record.Status == lakemesh.Active)
	for door, places := range openings.Open {
		for _, place := range places {
			if !opening || !opens[place] {
				continue
			}
			if p.readsForAnother(door.Role) {
				if aborting {
					// What is taken back does not fail for what others did.
					continue
				}
				return p.readByAnother(locations, place)
			}
			if t := ch.where[place]; t.doubt != "" {
				unopened[t.unopened(t.doubt)] = true
				continue
			}
			todo.open(door.Role, place)
		}
	}
	ch.warnings = append(ch.warnings, slices.Sorted(maps.Keys(unopened))...)
	if opening && !aborting {
		sayForged(func(text string) { ch.warnings = append(ch.warnings, text) }, f.placed)
	}
	for _, place := range openings.Unregistered {
		// Whose bucket it is decides what that means.
		if opening && !aborting && opens[place] {
			ch.unregistered = append(ch.unregistered, ch.where[place])
		}
	}
	if f.readers != nil {
		p.close(todo, mine, openings, catalog, locations, f)
	}
	todo.bound(locations)
	ch.prefixes = storage.Wanted{Access: todo.sorted(), Exact: todo.exact, Keep: todo.keep}
	return nil
}

// close closes the subscription's own places that nobody reads any more, and what is
// open and belongs to no table: of those that were dropped or have moved, to roles that a
// location is not registered with any more, and folders that were opened in place of
// several. What others read stays as open as it is, and so does what belongs to no table
// where not all places of tables are known.
func (p *Producer) close(todo *accesses, mine map[access.Place]bool, openings access.Openings, catalog access.Catalog, locations []access.Location, f *found) {
	needed := map[access.Place]bool{}
	for _, by := range []map[access.Door][]access.Place{openings.Open, openings.Keep} {
		for door, places := range by {
			for _, place := range places {
				needed[place] = true
				if p.readsForAnother(door.Role) {
					// Registered after it was opened; it is open to the producer's own.
					todo.keep = append(todo.keep, storage.Place(place))
				} else {
					todo.of(door.Role).Keep = append(todo.of(door.Role).Keep, storage.Place(place))
				}
			}
		}
	}
	for _, place := range openings.Unregistered {
		needed[place] = true
		todo.keep = append(todo.keep, storage.Place(place))
	}
	tables := map[access.Place]bool{}
	for _, d := range catalog.Databases {
		for _, t := range d.Tables {
			for _, place := range t.Places {
				tables[place] = true
			}
		}
	}
	for place := range mine {
		if _, read := f.opened[place.Bucket]; read || needed[place] {
			continue
		}
		// What is open there is not known.
		if l, ok := access.Nearest(locations, place); ok && !p.readsForAnother(l.Role) {
			todo.close(l.Role, place)
		} else if ok {
			todo.close(p.dataAccessRole(), place)
		}
	}
	for bucket, roles := range f.opened {
		for role, prefixes := range roles {
			for _, prefix := range prefixes {
				place := access.Place{Bucket: bucket, Prefix: prefix}
				l, ok := access.Nearest(locations, place)
				switch {
				case mine[place] && !needed[place]:
					todo.close(role, place)
				case needed[place] || !tables[place]:
				case !ok || l.Role == role:
					// Of another table nobody is seen to read it. Not every row of others is
					// shown to a producer, so it is left to that one's decisions.
					todo.of(role).Keep = append(todo.of(role).Keep, storage.Place(place))
				}
			}
		}
		if !openings.Unsure && f.allPlaces() {
			todo.exact = append(todo.exact, bucket)
		}
	}
}

// placesOf are the places of tables.
func placesOf(tables map[catalog.TableName]meshTable) map[access.Place]tablePlace {
	all := map[access.Place]tablePlace{}
	for _, name := range inOrder(tables) {
		for _, place := range tables[name].places(name.Database) {
			key := access.Place{Bucket: place.Bucket, Prefix: place.Prefix}
			if had, ok := all[key]; !ok || had.doubt != "" && place.doubt == "" {
				all[key] = place
			}
		}
	}
	return all
}

// registered are the registered locations in S3.
func (p *Producer) registered(f *found) []access.Location {
	var all []access.Location
	for _, l := range f.locations {
		path, ok := strings.CutPrefix(l.ARN, p.partition.BucketARN(""))
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
		Hint: "let the mesh's administrator deregister " + storage.Place{Bucket: l.Place.Bucket, Prefix: l.Place.Prefix}.ARN(p.partition) +
			" from Lake Formation, and publish the table again", Do: []lakemesh.Call{lakemesh.Do("producer.CreateDataProducts")}}
}

// accesses collects what is to become of places, role by role.
type accesses struct {
	byRole map[string]*storage.Access
	// exact are the buckets in which nothing else is to be open, and keep places that stay
	// open to whomever they are open.
	exact []string
	keep  []storage.Place
}

func (a *accesses) of(role string) *storage.Access {
	if a.byRole[role] == nil {
		a.byRole[role] = &storage.Access{Role: role}
	}
	return a.byRole[role]
}

func (a *accesses) open(role string, place access.Place) {
	of := a.of(role)
	of.Open = append(of.Open, storage.Place(place))
}

func (a *accesses) close(role string, place access.Place) {
	of := a.of(role)
	of.Close = append(of.Close, storage.Place(place))
}

// bound tells of each role which locations are registered with it and which with others:
// where a bucket's policy has no room for all, folders of the former are opened.
func (a *accesses) bound(locations []access.Location) {
	for role, of := range a.byRole {
		for _, l := range locations {
			if l.Role == role {
				of.Within = append(of.Within, storage.Place(l.Place))
			} else {
				of.Others = append(of.Others, storage.Place(l.Place))
			}
		}
	}
}

// sorted is all of it, in the order of roles and places.
func (a *accesses) sorted() []storage.Access {
	var all []storage.Access
	for _, role := range slices.Sorted(maps.Keys(a.byRole)) {
		of := *a.byRole[role]
		for _, places := range []*[]storage.Place{&of.Open, &of.Close, &of.Keep} {
			slices.SortFunc(*places, func(x, y storage.Place) int { return strings.Compare(x.String(), y.String()) })
			*places = slices.Compact(*places)
		}
		all = append(all, of)
	}
	slices.Sort(a.exact)
	return all
}

// readsData tells whether permissions let their holder read a table's data.
func readsData(set lakemesh.Permissions) bool { return access.ReadsData(set) }
