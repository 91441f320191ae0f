// Package accesslist makes lists of access of what is granted and of the records of
// subscriptions. The three personas differ only in what they can see.
package accesslist

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// Source is what a list is made of.
type Source struct {
	Tracker *tracker.Tracker
	// Mesh is the mesh account.
	Mesh string
	// Partition is that of the mesh, which all ARNs are of.
	Partition lakemesh.Partition
	// Records are the subscriptions that the reader can see.
	Records []*tracker.Record
	// There is what is granted; nil for a list of the past.
	There access.Grants
	// Owner is the owner of all of it, if there is one; empty for several. OwnersOf are who
	// made a database, where that is known; nil if it is not.
	Owner    string
	OwnersOf func(database string) map[string]bool
}

// CheckAt refuses a time that is yet to come: what will be justified then nobody knows. now
// is the clock of the options, and may be nil.
func CheckAt(at *time.Time, now func() time.Time) error {
	if now == nil {
		now = time.Now
	}
	if is := now(); at != nil && at.After(is) {
		return lakemesh.Invalid("At", "%s is yet to come (it is %s): what will be justified then is not known", lakemesh.FormatTime(*at), lakemesh.FormatTime(is))
	}
	return nil
}

// historyWidth is how many histories are read at once.
const historyWidth = 8

// Make makes the list of now, or with at not nil, of then.
func (s Source) Make(ctx context.Context, f access.ListFilter, at *time.Time) (*access.List, error) {
	out := &access.List{At: at, Entries: []access.Entry{}}
	histories, faults, err := s.histories(ctx)
	if err != nil {
		return nil, err
	}
	var terms []access.Terms
	var over []string
	since, before := map[string]time.Time{}, access.Grants{}
	for _, r := range s.Records {
		t := termsOf(s.Mesh, r)
		then := histories[r.ID]
		if at == nil {
			t = t.Of(given(r).Scope)
		} else {
			var ok bool
			if t, ok = access.AsOf(t, then, *at); !ok {
				continue
			}
			then = slices.DeleteFunc(slices.Clone(then), func(e lakemesh.Event) bool { return e.At.After(*at) })
		}
		if chain.Unreadable(r) {
			out.Notes = append(out.Notes, fmt.Sprintf("the tables of subscription %s cannot be read: what it justifies is not told apart from what was granted by hand", r.ID))
			continue
		}
		found, err := chain.FoundBefore(s.Mesh, r)
		if err != nil {
			// What its owner wrote keeps nobody from seeing the rest.
			out.Notes = append(out.Notes, fmt.Sprintf("what subscription %s found that was granted by hand before cannot be read: it is not told apart from what it justifies", r.ID))
		}
		before = before.Union(found)
		terms = append(terms, t)
		since[t.ID] = access.ApprovedAt(then)
		if at == nil && r.Over {
			over = append(over, r.ID)
		}
	}
	there := s.There
	if at != nil {
		before = nil
		if there, err = wanted(terms); err != nil {
			return nil, err
		}
		out.Notes = append(out.Notes, "this is what subscriptions justified then, by their histories; grants that were made by hand are not in it")
	}
	all, err := access.ListGrants(there, before, terms, since, s.ofMesh)
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if f.Has(e) {
			out.Entries = append(out.Entries, e)
		}
	}
	access.SortEntries(out.Entries, "table")
	if lakemesh.CheckAccountID("Principal", f.Principal) == nil && slices.ContainsFunc(out.Entries, func(e access.Entry) bool { return access.Grantee(e.Principal).Organization() }) {
		out.Notes = append(out.Notes, "what organizations and units hold is listed, because account "+f.Principal+" may be in them")
	}
	if len(out.Entries) == 0 && f != (access.ListFilter{}) {
		out.Notes = append(out.Notes, "nothing that is granted is as asked for; that it exists is not looked at")
	}
	if n := unfound(terms, all); at == nil && n > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d active %s nothing that is granted: Lake Formation shows no grant of it", n, map[bool]string{true: "subscription justifies", false: "subscriptions justify"}[n == 1]))
	}
	for _, id := range over {
		if slices.ContainsFunc(out.Entries, func(e access.Entry) bool { return slices.Contains(e.Through, id) }) {
			out.Notes = append(out.Notes, fmt.Sprintf("subscription %s is over, and what it gave is still granted: its owner ends it with %s", id, lakemesh.Do("producer.ExpireSubscriptions")))
		}
	}
	out.Notes = append(out.Notes, faults...)
	return out, nil
}

// histories are the histories of the records, and the faults of those that do not hold.
func (s Source) histories(ctx context.Context) (all map[string][]lakemesh.Event, faults []string, _ error) {
	all = map[string][]lakemesh.Event{}
	var mu sync.Mutex
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(historyWidth)
	for _, r := range s.Records {
		group.Go(func() error {
			events, fault, err := s.Tracker.History(within, r)
			if err != nil {
				return fmt.Errorf("read the history of subscription %s: %w", r.ID, err)
			}
			mu.Lock()
			defer mu.Unlock()
			all[r.ID] = events
			if fault != nil {
				faults = append(faults, fmt.Sprintf("subscription %s: %s", r.ID, fault))
			}
			return nil
		})
	}
	err := group.Wait()
	slices.Sort(faults)
	return all, faults, err
}

// given is what a record gives now, or did until its end: what is still granted by it is
// not by hand.
func given(r *tracker.Record) tracker.Given {
	if r.Over {
		return tracker.Given{Permitted: r.Permitted, Grantable: r.Grantable, Scope: r.Scope}
	}
	return r.Justified()
}

// termsOf are a record's terms as they justify grants now, or did until their end, for all
// of the tables and the account.
func termsOf(mesh string, r *tracker.Record) access.Terms {
	permitted, grantable := given(r).Permitted, given(r).Grantable
	if !permitted.Has(lakemesh.All) {
		// A record of the original library may say otherwise.
		grantable = grantable.Intersect(permitted)
	}
	t := access.Terms{ID: r.ID, Owner: r.Owner, Until: r.Until, Grantees: []access.Grantee{access.Grantee(r.Subscriber)}, Permissions: permitted, Grantable: grantable,
		Scope: access.Scope{Account: mesh, Database: r.Database, AllTables: r.WholeDatabase()}}
	if tags := chain.TagsOf(r); tags != nil {
		t.Scope = access.Scope{Account: mesh, Tags: tags, TaggedIn: chain.DatabasesOf(r, nil)}
	} else if !r.WholeDatabase() {
		t.Scope.Tables = r.Tables
	}
	return t
}

// wanted is what the terms justify, in the form that says all of it: a whole database is
// all of its tables.
func wanted(terms []access.Terms) (access.Grants, error) {
	c := access.Catalog{Databases: map[string]access.Database{}}
	for _, t := range terms {
		name := strings.ToLower(t.Scope.Database)
		d, ok := c.Databases[name]
		if !ok {
			d = access.Database{Tables: map[string]access.Table{}, Wildcard: lakemesh.NewPermissions(lakemesh.All)}
			c.Databases[name] = d
		}
		for _, table := range t.Scope.Tables {
			d.Tables[strings.ToLower(table)] = access.Table{ColumnsUnknown: true}
		}
	}
	w, err := access.Want(terms, c, time.Time{})
	return w.Grants, err
}

// unfound is how many subscriptions justify something of which nothing is granted.
func unfound(terms []access.Terms, entries []access.Entry) int {
	n := 0
	for _, t := range terms {
		if len(t.Permissions) > 0 && !slices.ContainsFunc(entries, func(e access.Entry) bool {
			return e.Kind != access.KindDatabase && slices.Contains(e.Through, t.ID)
		}) {
			n++
		}
	}
	return n
}

// ofMesh reports whether a grant is one that the mesh itself needs: the owner's role and
// account on the owner's own products, the manager, and DESCRIBE for the role that shows
// public metadata.
func (s Source) ofMesh(k access.Key, h access.Held) bool {
	who := string(k.Grantee)
	if who == s.Partition.RoleARN(s.Mesh, lakemesh.ManagerRole) {
		return true
	}
	if who == s.Partition.RoleARN(s.Mesh, lakemesh.ReadOnlyRole) {
		return h.Permissions.SubsetOf(lakemesh.NewPermissions(lakemesh.Describe)) && len(h.Grantable) == 0
	}
	if tags, ok := k.Object.Tags(); ok {
		// Its owner's role holds what it gives by its own LF-tags, to see who does.
		owner := chain.OwnerOfTags(tags)
		return owner != "" && who == s.Partition.RoleARN(s.Mesh, lakemesh.MeshProducerRole(owner))
	}
	if s.OwnersOf != nil {
		for owner := range s.OwnersOf(k.Object.Database) {
			if who == owner || who == s.Partition.RoleARN(s.Mesh, lakemesh.MeshProducerRole(owner)) {
				return true
			}
		}
		return false
	}
	owner := s.ownerOf(k.Object.Database)
	return owner != "" && (who == owner || who == s.Partition.RoleARN(s.Mesh, lakemesh.MeshProducerRole(owner)))
}

// ownerOf is whose product a database is: by its subscriptions, or by its name, which ends
// in the owner's account unless it was published under another one.
func (s Source) ownerOf(database string) string {
	if s.Owner != "" {
		return s.Owner
	}
	for _, r := range s.Records {
		if strings.EqualFold(r.Database, database) {
			return r.Owner
		}
	}
	return database[strings.LastIndex(database, "-")+1:]
}

// Hidden is the error of a listing that shows nothing although something has to be
// granted: Lake Formation answers who may not list with an empty list. hint says who may,
// and do what to do.
func Hidden(op, account, what, hint string, do ...lakemesh.Call) error {
	return &lakemesh.Error{Op: op, Account: account, Resource: "what is granted", Kind: lakemesh.ErrAccessDenied,
		Message: "Lake Formation shows no grants at all although " + what + ": it does not say that somebody may not see them, and shows nothing; or all of them were revoked by hand",
		Hint:    hint, Do: do}
}
