package producer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/storage"
)

// compareGrants compares what is granted with what was decided.
func (s *inspected) compareGrants() error {
	there := s.have.Access()
	s.lackingGrants(there)
	s.goneTables()

	made, allowed, err := s.decided()
	if err != nil {
		return err
	}
	subscribers := s.subscribers()
	diff := access.Diff(made, allowed, there.Union(s.parts).On(func(k access.Key) bool { return s.watched(k, subscribers) }))
	for k, h := range diff.Revoke {
		ids := s.subscriptionsOn(k)
		s.found(s.grantFinding(k, Finding{Kind: chain.TooMuch, What: "holds " + held(h) + ", which is not decided any more", Subscriptions: ids}.With(s.mends(ids...))))
	}
	for k, h := range diff.Foreign {
		what, repairs := "holds "+held(h)+", which nobody decided", chain.Owner
		if k.Grantee == access.AllowedByIAM {
			what, repairs = "everybody whom IAM lets through holds "+held(h)+": Lake Formation restricts nobody there", chain.Administrator
		} else if r := there[k].Permissions; len(r) == 0 {
			// Of parts and by tags lakemesh grants nothing.
			repairs = chain.Administrator
		}
		s.found(s.grantFinding(k, Finding{Kind: chain.Undecided, What: what, Repairs: repairs}))
	}
	return nil
}

// decided are what lakemesh made, and what may be there: what the subscriptions say, in
// either form, what publishing grants, and what was there before them.
func (s *inspected) decided() (made, allowed access.Grants, _ error) {
	made, allowed = access.Grants{}, s.wanted.Grants.Union(s.ownGrants())
	for _, r := range s.records {
		names := slices.Sorted(maps.Keys(s.tables[strings.ToLower(r.Database)]))
		byHand, err := permissions.DecodeFound(s.meshAccount, r.Subscriber, r.Found)
		if err != nil {
			return nil, nil, err
		}
		permitted, grantable := r.Justified()
		// Granted under either form, it is the same.
		allowed = allowed.Union(byHand, s.either(r, names, terms{permitted, grantable}))
		may := terms{r.Permitted, r.Grantable}
		if c := r.Claim; c != nil {
			may = terms{may.permitted.Union(c.Permissions), may.grantable.Union(c.Grantable)}
		}
		made = made.Union(s.either(r, names, may).Minus(byHand))
	}
	return made, allowed, nil
}

// lackingGrants finds what should be granted and is not. All tables and each of them is
// the same.
func (s *inspected) lackingGrants(there access.Grants) {
	for k, h := range s.wanted.Grants.Union(s.ownGrants()) {
		lacks := s.lacks(there, k, h)
		if k.Object.Kind == access.KindAllTables && !lacks.Empty() {
			each := access.Held{}
			for name := range s.tables[k.Object.Database] {
				each = each.Union(s.lacks(there, access.Key{Grantee: k.Grantee, Object: access.OnTable(s.meshAccount, k.Object.Database, name)}, h))
			}
			if len(s.tables[k.Object.Database]) > 0 {
				lacks = each
			}
		}
		if lacks.Empty() {
			continue
		}
		f := Finding{Kind: chain.Missing, What: "lacks " + held(lacks)}
		if string(k.Grantee) == s.account {
			f = f.With(s.publishes(k.Object.Database, k.Object.Table))
		} else {
			for _, why := range s.wanted.Why[k] {
				f.Subscriptions = append(f.Subscriptions, why.ID)
			}
			f = f.With(s.mends(f.Subscriptions...))
		}
		s.found(s.grantFinding(k, f))
	}
}

func (s *inspected) lacks(there access.Grants, k access.Key, h access.Held) access.Held {
	has := access.Grants{k: there[k]}
	if k.Object.Kind == access.KindTable {
		has.Add(k, there[access.Key{Grantee: k.Grantee, Object: access.OnAllTables(k.Object.Account, k.Object.Database)}])
	}
	return h.Minus(access.Grants{k: h}.Held(has)[k])
}

// goneTables finds the tables of subscriptions, and of links, that are not in the mesh.
func (s *inspected) goneTables() {
	gone := map[catalog.TableName][]string{}
	for _, u := range s.wanted.Unmet {
		name := catalog.TableName{Database: u.Object.Database, Table: u.Object.Table}
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

// watched reports whether a grant is one that somebody should have decided on: not what
// accounts do with what they hold, and not what publishing and the mesh itself give.
func (s *inspected) watched(k access.Key, subscribers []string) bool {
	on := k.Object
	if on.Account != s.meshAccount || on.Database != "" && s.tables[on.Database] == nil {
		return false
	}
	if on.Database == "" && !s.all {
		return false
	}
	account := k.Grantee.Account()
	switch {
	case account == s.account, string(k.Grantee) == s.meshRole(), string(k.Grantee) == s.readOnlyRole(), string(k.Grantee) == s.ids.Mesh.ARN:
		return false
	case string(k.Grantee) == lakemesh.RoleARN(s.meshAccount, lakemesh.ManagerRole):
		// The mesh's administrator may give itself what it needs, and can at any time.
		return false
	case string(k.Grantee) != account && slices.Contains(subscribers, account):
		// Handed on.
		return false
	}
	return true
}

// subscriptionsOn are the subscriptions of a grantee that are about an object.
func (s *inspected) subscriptionsOn(k access.Key) (ids []string) {
	for _, r := range s.records {
		if r.Subscriber != string(k.Grantee) || !strings.EqualFold(r.Database, k.Object.Database) {
			continue
		}
		named := slices.ContainsFunc(r.Tables, func(t string) bool { return strings.EqualFold(t, k.Object.Table) })
		if r.Words.Whole || k.Object.Table == "" || named {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// grantFinding completes a finding about a grant.
func (s *inspected) grantFinding(k access.Key, f Finding) Finding {
	f.Link, f.Resource, f.Principal, f.Database = chain.Grant, k.Object.String(), string(k.Grantee), k.Object.Database
	if k.Object.Table != "" {
		f.Tables = []string{k.Object.Table}
	}
	return f
}

// held says what is held.
func held(h access.Held) string {
	switch {
	case len(h.Permissions) == 0:
		return "the right to hand on " + h.Grantable.String()
	case len(h.Grantable) == 0:
		return h.Permissions.String()
	}
	return h.Permissions.String() + " (to hand on: " + h.Grantable.String() + ")"
}

// publishes is how a table is published again.
func (s *inspected) publishes(database, table string) (command string, _ chain.Mends) {
	source := strings.TrimSuffix(database, "-"+s.account)
	for _, pub := range s.copies {
		if pub.target == database {
			source = pub.source
		}
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
	for subscriber, carriage := range s.carriage {
		for object, why := range carriage.Missing {
			for _, k := range s.shared[subscriber][object] {
				f := s.grantFinding(k, Finding{Kind: chain.Missing, What: "it was granted and does not reach the account: " + why})
				f.Link = chain.Share
				for _, reason := range s.wanted.Why[k] {
					f.Subscriptions = append(f.Subscriptions, reason.ID)
				}
				f = f.With(s.mends(f.Subscriptions...))
				s.found(f)
			}
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
	readers := map[access.Object][]string{}
	for k, reasons := range s.wanted.Why {
		for _, r := range reasons {
			if access.ReadsData(r.Held.Permissions) {
				readers[k.Object] = append(readers[k.Object], r.ID)
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
				Subscriptions: readers, Command: fmt.Sprintf("lakemesh product sync --database-name %s --table-name-regex %s", pub.target, t.name), Mends: chain.Mends{By: chain.BySyncing}}
			switch {
			case t.conflict != "":
				f.Kind, f.What, f.Command = chain.Undecided, t.conflict, f.Command+" --overwrite"
				s.found(f)
			case !t.same:
				f.What = "its definition is not that of its source"
				s.found(f)
			}
			s.comparePartitionsOf(pub, t, f)
		}
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
