package producer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/parts"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// compareGrants compares what is granted with what was decided.
func (s *inspected) compareGrants() {
	filters := s.carrying()
	for _, f := range filters.Undone(filters.Granted.Compare()) {
		s.found(f)
	}
	if s.filters == nil {
		return
	}
	for _, f := range filters.Compare() {
		s.found(f)
	}
	if ids := filters.Unreadable(); len(ids) > 0 {
		s.unsure("whether all filters of tables are used is not known: subscription %s cannot be read", strings.Join(ids, ", "))
	}
}

// carrying are the data cells filters, compared with the subscriptions that they carry.
func (s *inspected) carrying() *chain.Filters {
	return &chain.Filters{Granted: s.granted(), Schemas: s.schemas(), There: s.filters, Tags: s.tags, Makers: func(access.Object) []string { return []string{s.ids.Mesh.ARN} }}
}

// schemas are the columns of the tables that narrowed subscriptions are on.
func (s *inspected) schemas() map[access.Object]parts.Schema {
	all := map[access.Object]parts.Schema{}
	for o := range chain.Narrowed(s.meshAccount, s.records) {
		if t, ok := s.tables[o.Database][o.Table]; ok {
			all[o] = t.schema
		}
	}
	return all
}

func (s *inspected) granted() *chain.Granted {
	g := &chain.Granted{Mesh: s.meshAccount, Records: s.records, Tables: map[string][]string{}, All: s.all, Wanted: s.wanted, Own: s.ownGrants(), Have: s.have, Parts: s.parts,
		Theirs: s.theirs, Mends: s.mends, Publishes: s.publishes}
	for database, tables := range s.tables {
		g.Tables[database] = slices.Sorted(maps.Keys(tables))
	}
	return g
}

// theirs reports whether a grant is what publishing and the mesh itself give, or what the
// producer does with its own.
func (s *inspected) theirs(k access.Key, h access.Held) bool {
	switch string(k.Grantee) {
	case permissions.AllowedByIAM:
		return s.keptOpen(k.Object)
	case s.meshRole(), s.ids.Mesh.ARN, s.partition.RoleARN(s.meshAccount, lakemesh.ManagerRole):
		// The mesh's administrator may give itself what it needs, and can at any time.
		return true
	case s.ends.Role():
		// It can revoke, and nothing else: what it holds is of use to nobody but the owner.
		return true
	case s.readOnlyRole():
		// Everybody of the mesh can open it.
		return h.Permissions.SubsetOf(lakemesh.NewPermissions(lakemesh.Describe)) && len(h.Grantable) == 0
	}
	return k.Grantee.Account() == s.account
}

// goneTables finds the tables of subscriptions, and of links, that are not in the mesh.
func (s *inspected) goneTables() {
	gone := map[catalog.TableName][]string{}
	for _, u := range s.wanted.Unmet {
		name := catalog.TableName{Database: u.Object.Database, Table: u.Object.Table}
		if _, there := s.tables[name.Database][name.Table]; there {
			if i := slices.IndexFunc(s.records, func(r *tracker.Record) bool { return r.ID == u.ID }); i >= 0 {
				s.found(chain.LostColumns(u, s.records[i]))
			}
			continue
		}
		gone[name] = append(gone[name], u.ID)
	}
	for name := range s.dangling {
		gone[name] = append(gone[name], s.wholeOf(name.Database)...)
	}
	for name, ids := range gone {
		s.found(Finding{Kind: chain.Missing, Link: chain.Metadata, Resource: "table " + name.String(), Database: name.Database, Tables: []string{name.Table},
			What: "the mesh's catalog does not have it any more", Subscriptions: ids}.With(s.publishes(name.Database, name.Table)))
	}
}

// wholeOf are the subscriptions to all tables of a database.
func (s *inspected) wholeOf(database string) (ids []string) {
	for _, r := range s.records {
		if r.Words.Whole && strings.EqualFold(r.Database, database) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// publishes is how a table is published again.
func (s *inspected) publishes(database, table string) (command string, _ chain.Mends) {
	source := cmp.Or(s.sources[catalog.TableName{Database: database, Table: table}], s.sources[catalog.TableName{Database: database}])
	if _, read := s.sources[catalog.TableName{Database: database}]; !read {
		source = s.sourceOf(&types.Database{Name: &database}, &types.Table{})
	}
	if source == "" {
		// There are several, and the owner knows which.
		source = "<source>"
	}
	command = "lakemesh product create --source-database-name " + source
	if table != "" {
		command += " --table-name-regex " + table
	}
	if lakemesh.MeshDatabaseName(source, s.account) != database {
		command += " --expose-data-mesh-db-name " + database
	}
	return command, chain.Mends{By: chain.ByPublishing}
}

// compareShares finds what was granted and reaches nobody.
func (s *inspected) compareShares() {
	g := s.granted()
	for subscriber, carriage := range s.carriage {
		for _, f := range g.NotCarried(carriage, s.shared[subscriber]) {
			s.found(f)
		}
	}
}

// reading are the tables that are at a place, and the subscriptions by which somebody
// reads them.
type reading struct {
	database string
	tables   []string
	ids      []string
}

// readings tell of each place who reads there.
func (s *inspected) readings() map[access.Place]reading {
	readers, byTags := map[access.Object][]string{}, map[access.Object]access.Tags{}
	for k, reasons := range s.wanted.Why {
		on := k.Object
		if on.Table != "" {
			// Who reads a part of a table reads in its places.
			on = access.OnTable(on.Account, on.Database, on.Table)
		}
		if tags, ok := on.Tags(); ok {
			byTags[on] = tags
		}
		for _, r := range reasons {
			if access.ReadsData(r.Held.Permissions) {
				readers[on] = append(readers[on], r.ID)
			}
		}
	}
	all := map[access.Place]reading{}
	for _, database := range s.databases {
		for name, t := range s.tables[database] {
			for _, p := range t.known.Places {
				place := access.Place{Bucket: p.Bucket, Prefix: p.Prefix}
				r := all[place]
				r.database, r.tables = database, append(r.tables, name)
				r.ids = append(r.ids, readers[access.OnTable(s.meshAccount, database, name)]...)
				r.ids = append(r.ids, readers[access.OnAllTables(s.meshAccount, database)]...)
				for on, tags := range byTags {
					if tags.Match(t.tags) {
						r.ids = append(r.ids, readers[on]...)
					}
				}
				slices.Sort(r.ids)
				r.ids = slices.Compact(r.ids)
				all[place] = r
			}
		}
	}
	return all
}

// compareOpenings compares what is registered and open with what has to be.
func (s *inspected) compareOpenings() {
	at := s.readings()
	finding := func(place access.Place, f Finding) Finding {
		r := at[place]
		f.Resource, f.Database, f.Tables, f.Subscriptions = place.String(), r.database, r.tables, r.ids
		return f
	}
	// explained are what is open because a location has another role by now.
	explained := map[access.Door]map[string]bool{}
	for _, place := range s.openings.Unregistered {
		if s.buckets[place.Bucket] == nil {
			continue
		}
		f := finding(place, Finding{Kind: chain.Missing, Link: chain.Location, What: "it is not registered with Lake Formation, so nobody can read there"})
		if len(f.Tables) > 0 {
			f = f.With(s.publishes(f.Database, f.Tables[0]))
		}
		s.found(f)
	}
	for door, places := range s.openings.Open {
		bucket := s.buckets[door.Bucket]
		if bucket == nil {
			continue
		}
		for _, place := range places {
			if covers(bucket.Opened[door.Role], place) {
				continue
			}
			f := finding(place, Finding{Kind: chain.Missing, Link: chain.BucketPolicy, Principal: door.Role, Account: s.account,
				What: "the bucket's policy does not open it to the role that Lake Formation reads with"})
			f = f.With(s.mends(f.Subscriptions...))
			for other, prefixes := range bucket.Opened {
				if other == door.Role || !covers(prefixes, place) {
					continue
				}
				f.Link, f.Account = chain.Location, s.meshAccount
				f.What = "it is registered with " + door.Role + ", and the bucket's policy opens it to " + other
				if s.readsForAnother(door.Role) {
					f.Repairs, f.Command, f.Mends = chain.Administrator, "", chain.Mends{}
				}
				from := access.Door{Bucket: door.Bucket, Role: other}
				if explained[from] == nil {
					explained[from] = map[string]bool{}
				}
				explained[from][place.Prefix] = true
			}
			s.found(f)
		}
	}
	for name, bucket := range s.buckets {
		for _, d := range bucket.Denied {
			if !d.Certain {
				s.unsure("%s", d.Text)
				continue
			}
			for _, prefix := range d.Prefixes {
				s.found(finding(access.Place{Bucket: name, Prefix: prefix},
					Finding{Kind: chain.Missing, Link: chain.BucketPolicy, Principal: d.Role, Account: s.account, What: d.Text}))
			}
		}
		s.surplusIn(name, bucket, explained, at)
	}
	for door, t := range s.keys {
		f := Finding{Kind: chain.Missing, Link: chain.KeyPolicy, Principal: door.Role, Account: s.account, Resource: "bucket " + door.Bucket, What: t.text, Repairs: t.mends}
		for _, place := range s.openings.Open[door] {
			f.Subscriptions = append(f.Subscriptions, at[place].ids...)
		}
		if t.lacks && t.kept {
			f = f.With(s.mends(f.Subscriptions...))
		}
		s.found(f)
	}
	s.unusedLocations()
}

// unusedLocations finds what is registered with the producer's own role, and no table has
// its data there. The mesh's administrator alone can deregister it.
func (s *inspected) unusedLocations() {
	if !s.all {
		return
	}
	used := map[access.Place]bool{}
	unread := ""
	for database, tables := range s.tables {
		for name, t := range tables {
			for _, p := range t.known.Places {
				if l, ok := access.Nearest(s.locations, access.Place{Bucket: p.Bucket, Prefix: p.Prefix}); ok {
					used[l.Place] = true
				}
			}
			if t.partial || len(t.known.Unknown) > 0 || t.partitioned && !s.placed[catalog.TableName{Database: database, Table: name}] {
				unread = database + "." + name
			}
		}
	}
	for _, l := range s.locations {
		if l.Role != s.dataAccessRole() || used[l.Place] {
			continue
		}
		if unread != "" {
			s.unsure("location %s is registered, and whether data of table %s is there is not known", l.Place, unread)
			continue
		}
		s.found(Finding{Kind: chain.TooMuch, Link: chain.Location, Resource: l.Place.String(), Principal: l.Role, Repairs: chain.Administrator,
			What: "it is registered with Lake Formation, and no table of the producer has its data there"})
	}
}

// surplusIn finds what is open and nobody reads. That can be told only of the whole.
func (s *inspected) surplusIn(name string, bucket *storage.Inspection, explained map[access.Door]map[string]bool, at map[access.Place]reading) {
	if !s.all {
		return
	}
	if s.used.Unsure {
		s.unsure("somebody reads by LF-tags, or in a way that cannot be told: whether all that is open in bucket %s is read is not known", name)
		return
	}
	for role, prefixes := range bucket.Named {
		door := access.Door{Bucket: name, Role: role}
		for _, prefix := range prefixes {
			place := access.Place{Bucket: name, Prefix: prefix}
			needed := slices.ContainsFunc(slices.Concat(s.used.Open[door], s.used.Keep[door], s.used.Unregistered), place.Covers)
			if needed || explained[door][prefix] {
				continue
			}
			f := Finding{Kind: chain.TooMuch, Link: chain.BucketPolicy, Account: s.account, Resource: place.String(), Principal: role, What: "it is open, and nobody is to read there"}
			r := at[place]
			f.Database, f.Tables = r.database, r.tables
			// Any decision on what is in the bucket puts its policy in order.
			for at, r := range at {
				if at.Bucket == name && len(r.ids) > 0 {
					f = f.With(s.mends(r.ids...))
				}
			}
			s.found(f)
		}
	}
}

// covers reports whether prefixes that are open let a place be read.
func covers(prefixes []string, place access.Place) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool {
		return prefix == place.Prefix || (prefix == "" || strings.HasSuffix(prefix, "/")) && strings.HasPrefix(place.Prefix, prefix)
	})
}

// compareCopies tells what differs between what was published and its source.
func (s *inspected) compareCopies() {
	holders := map[access.Object][]string{}
	for k, reasons := range s.wanted.Why {
		for _, r := range reasons {
			holders[k.Object] = append(holders[k.Object], r.ID)
		}
	}
	for _, pub := range s.copies {
		for _, t := range pub.tables {
			readers := slices.Concat(holders[access.OnTable(s.meshAccount, pub.target, t.name)], holders[access.OnAllTables(s.meshAccount, pub.target)])
			f := Finding{Kind: chain.Missing, Link: chain.Metadata, Resource: fmt.Sprintf("table %s.%s", pub.target, t.name), Database: pub.target, Tables: []string{t.name},
				Subscriptions: readers, Command: fmt.Sprintf("lakemesh product sync --database-name %s --table-name-regex %s --deep", pub.target, t.name), Mends: chain.Mends{By: chain.BySyncing}}
			switch {
			case t.conflict != "":
				f.Kind, f.What, f.Command = chain.Undecided, t.conflict, f.Command+" --overwrite"
				s.found(f)
			case !t.same:
				f.What = "its definition is not that of its source"
				s.found(f)
			}
			s.compareTagsOf(t, f)
			s.comparePartitionsOf(pub, t, f)
		}
	}
}

// compareTagsOf tells how the LF-tags of a copy differ from those of its source.
func (s *inspected) compareTagsOf(t *publishedTable, f Finding) {
	f.Link = chain.Tag
	for _, key := range slices.Sorted(maps.Keys(t.tags)) {
		f.Kind, f.What = chain.Missing, "it lacks LF-tag "+key+"="+t.tags[key]+" of its source"
		s.found(f)
	}
	for _, tag := range t.stale {
		f.Kind, f.What, f.Command, f.Mends, f.Repairs = chain.Undecided, "it has LF-tag "+tag+", which its source has not", "", chain.Mends{}, chain.Administrator
		s.found(f)
	}
}

func (s *inspected) comparePartitionsOf(pub *surveyed, t *publishedTable, f Finding) {
	f.Link = chain.Partitions
	switch {
	case t.unread != nil:
		s.unsure("the partitions of table %s.%s were not compared: %v", pub.target, t.name, t.unread)
		return
	case t.drift == nil:
		return
	}
	if n := t.drift.Count(); n > 0 {
		f.Kind, f.What = chain.Missing, fmt.Sprintf("%d %s of its source %s missing or different", n, counted(n, "partition"), isOrAre(n))
		s.found(f)
	}
	removes, removed := pub.removes(t)
	if removes != removeNone && removed > 0 {
		f.Kind, f.What = chain.TooMuch, fmt.Sprintf("it has %d %s that the source has no more", removed, counted(removed, "partition"))
		s.found(f)
	}
	if left := t.drift.Surplus - removed; left > 0 {
		f.Kind, f.What, f.Command = chain.Undecided, fmt.Sprintf("it has %d %s that the source does not have, and that nobody published", left, counted(left, "partition")), f.Command+" --overwrite"
		s.found(f)
	}
}

func isOrAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
