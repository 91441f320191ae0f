package access

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh"
)

// Origin is where a grant comes from.
type Origin string

// The origins of grants.
const (
	// BySubscription is what subscriptions justify.
	BySubscription Origin = "subscription"
	// ByHand is what nobody decided in the mesh.
	ByHand Origin = "by hand"
	// ByMesh is what the mesh itself needs: the owner of a product, and the role that
	// shows public metadata.
	ByMesh Origin = "mesh"
)

// Entry is one line of a list of access: what somebody holds on something, and why.
type Entry struct {
	// Principal holds it; Account is the account that it belongs to, if any.
	Principal string `json:"Principal"`
	Account   string `json:"Account,omitempty"`
	// Kind is what the grant is on. With [KindAllTables] it is on those tables too that
	// will be made.
	Kind     Kind     `json:"Kind"`
	Database string   `json:"Database,omitempty"`
	Table    string   `json:"Table,omitempty"`
	Columns  []string `json:"Columns,omitempty"`
	// Filter is a data cells filter. What it shows, by the subscriptions that it carries, is
	// in Columns, ExceptColumns and Rows.
	Filter        string   `json:"Filter,omitempty"`
	ExceptColumns []string `json:"ExceptColumns,omitempty"`
	Rows          string   `json:"Rows,omitempty"`
	Tags          Tags     `json:"Tags,omitempty"`
	// Permissions are held; Grantable may be handed on.
	Permissions lakemesh.Permissions `json:"Permissions"`
	Grantable   lakemesh.Permissions `json:"Grantable,omitempty"`
	// Origin tells where it comes from; Through are the subscriptions that justify it.
	Origin  Origin   `json:"Origin"`
	Through []string `json:"Through,omitempty"`
	// Since is when the first of the subscriptions was approved, nil if that is unknown.
	Since *time.Time `json:"Since,omitempty"`
	// Until is when the last of them ends, nil if it does not.
	Until *time.Time `json:"Until,omitempty"`
}

// List is who holds what.
type List struct {
	// At is the time in the past that the list is of, nil for now. A list of the past
	// comes from histories alone: hand-made grants are not in it.
	At      *time.Time `json:"At,omitempty"`
	Entries []Entry    `json:"Entries"`
	// Notes are what a reader has to know of the list.
	Notes []string `json:"Notes,omitempty"`
}

// ListFilter is what a list is narrowed to. Empty fields narrow nothing.
type ListFilter struct {
	Database, Table string
	// Principal is a principal, or an account and everybody of it. What organizations and
	// units hold may be the account's, too.
	Principal string
}

// ListInput says which access is listed.
type ListInput struct {
	ListFilter
	// At is the time that the list is of; nil is now. See [List].
	At *time.Time
}

// Has reports whether an entry is in what the filter narrows to. A grant on all tables,
// by tags or of an unknown kind may be on the table asked for, and is kept.
func (f ListFilter) Has(e Entry) bool {
	mayBe := Grantee(f.Principal).account() && Grantee(e.Principal).Organization()
	if f.Principal != "" && f.Principal != e.Principal && f.Principal != e.Account && !mayBe {
		return false
	}
	wide := e.Database == "" && e.Kind != KindDatabase
	if f.Database != "" && !wide && fold(f.Database) != e.Database {
		return false
	}
	return f.Table == "" || wide || e.Table == "" && e.Kind != KindDatabase || fold(f.Table) == e.Table
}

// ListGrants lists grants that are there, each with the subscriptions that justify it.
// before is what was granted by hand before a subscription gave the same: it is listed as
// both. since tells when each subscription was approved. What ofMesh reports is the
// mesh's own.
func ListGrants(there, before Grants, terms []Terms, since map[string]time.Time, ofMesh func(Key, Held) bool) ([]Entry, error) {
	why, err := justifying(there, terms)
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, k := range there.Keys() {
		held := there[k]
		var through Held
		for _, part := range byEnd(held, why[k], terms) {
			e := entry(k, part.held, BySubscription)
			e.Through = part.ids
			e.Since, e.Until = span(e.Through, terms, since)
			all = append(all, e)
			through = through.Union(part.held)
		}
		rest := held.Minus(through).Union(covered(held, before[k]))
		if rest.Empty() {
			continue
		}
		rest.Permissions = rest.Permissions.Union(rest.Grantable)
		origin := ByHand
		if ofMesh(k, rest) {
			origin = ByMesh
		}
		all = append(all, entry(k, rest, origin))
	}
	carried := map[string]Scope{}
	for _, t := range terms {
		carried[FilterName(t.Scope)] = t.Scope
	}
	for i := range all {
		if e := &all[i]; e.Kind == KindFilter {
			s := carried[e.Filter]
			e.Columns, e.ExceptColumns, e.Rows = s.Columns, s.ExceptColumns, s.Rows
		}
	}
	return all, nil
}

// ending is what subscriptions justify until the same end.
type ending struct {
	held Held
	ids  []string
}

// byEnd is what reasons justify of that which is held, apart by when it ends: each
// permission ends with the last subscription that gives it.
func byEnd(held Held, reasons []Reason, terms []Terms) []ending {
	until := map[string]time.Time{}
	for _, t := range terms {
		until[t.ID] = t.Until
	}
	var ends []time.Time
	for _, r := range reasons {
		if !slices.ContainsFunc(ends, until[r.ID].Equal) {
			ends = append(ends, until[r.ID])
		}
	}
	// Never is the last of all.
	slices.SortFunc(ends, func(a, b time.Time) int {
		switch {
		case a.IsZero():
			return -1
		case b.IsZero():
			return 1
		}
		return b.Compare(a)
	})
	var all []ending
	var told Held
	for _, end := range ends {
		var group ending
		for _, r := range reasons {
			if until[r.ID].Equal(end) {
				group.held = group.held.Union(covered(held, r.Held))
			}
		}
		group.held = group.held.Minus(told)
		if group.held.Empty() {
			continue
		}
		told = told.Union(group.held)
		for _, r := range reasons {
			if part := covered(held, r.Held); !part.Intersect(group.held).Empty() {
				group.ids = append(group.ids, r.ID)
			}
		}
		slices.Sort(group.ids)
		group.ids = slices.Compact(group.ids)
		all = append(all, group)
	}
	return all
}

// covered is what of that which is held something justifies. ALL justifies each.
func covered(held, by Held) Held {
	within := func(held, by lakemesh.Permissions) lakemesh.Permissions {
		if by.Has(lakemesh.All) {
			return held
		}
		return held.Intersect(by)
	}
	return Held{within(held.Permissions, by.Permissions), within(held.Grantable, by.Grantable)}
}

// justifying are the subscriptions behind each key. A subscription to a whole database
// is granted on all tables at once or on each of them, so both forms are looked for.
// Users and roles of a subscriber are handed on what it holds, and those of any account what an
// organization or a unit holds.
func justifying(there Grants, terms []Terms) (map[Key][]Reason, error) {
	catalog := Catalog{Databases: map[string]Database{}}
	add := func(database string, tables ...string) {
		d, ok := catalog.Databases[fold(database)]
		if !ok {
			d = Database{Tables: map[string]Table{}}
			catalog.Databases[fold(database)] = d
		}
		for _, t := range tables {
			if t != "" {
				d.Tables[fold(t)] = Table{ColumnsUnknown: true}
			}
		}
	}
	members := map[string][]Grantee{}
	for k := range there {
		add(k.Object.Database, k.Object.Table)
		if _, err := ParseGrantee(string(k.Grantee)); err != nil {
			continue
		}
		if a := k.Grantee.Account(); a != "" && a != string(k.Grantee) && !slices.Contains(members[a], k.Grantee) {
			members[a] = append(members[a], k.Grantee)
		}
	}
	var each []Terms
	for _, t := range terms {
		add(t.Scope.Database, t.Scope.Tables...)
		each = append(each, t)
		for _, g := range t.Grantees {
			handed := members[string(g)]
			if g.Organization() {
				handed = slices.Concat(slices.Collect(maps.Values(members))...)
			}
			if len(handed) > 0 && len(t.Grantable) > 0 {
				on := t
				on.Grantees, on.Permissions, on.Grantable = handed, t.Grantable, nil
				if on.Check() != nil {
					// Of columns and rows nothing but SELECT can be handed on.
					continue
				}
				each = append(each, on)
			}
		}
	}
	why := map[Key][]Reason{}
	for _, wildcard := range []lakemesh.Permissions{nil, lakemesh.NewPermissions(lakemesh.All)} {
		for name, d := range catalog.Databases {
			d.Wildcard = wildcard
			catalog.Databases[name] = d
		}
		w, err := Want(each, catalog, time.Time{})
		if err != nil {
			return nil, err
		}
		for k, reasons := range w.Why {
			if k.Object.Kind == KindTable {
				// Every permission on a table comes with DESCRIBE where it is handed on.
				for i := range reasons {
					if k.Grantee.Account() != string(k.Grantee) {
						reasons[i].Held.Permissions = reasons[i].Held.Permissions.Union(lakemesh.NewPermissions(lakemesh.Describe))
					}
				}
			}
			why[k] = append(why[k], reasons...)
		}
	}
	return why, nil
}

// span is since when the first of the subscriptions holds, and until when the last.
func span(ids []string, terms []Terms, since map[string]time.Time) (from, until *time.Time) {
	forever := false
	for _, id := range ids {
		if at := since[id]; !at.IsZero() && (from == nil || at.Before(*from)) {
			from = &at
		}
		for _, t := range terms {
			if t.ID != id {
				continue
			}
			end := t.Until
			forever = forever || end.IsZero()
			if until == nil || end.After(*until) {
				until = &end
			}
		}
	}
	if forever {
		until = nil
	}
	return from, until
}

func entry(k Key, h Held, origin Origin) Entry {
	e := Entry{Principal: string(k.Grantee), Account: k.Grantee.Account(), Kind: k.Object.Kind, Database: k.Object.Database, Table: k.Object.Table,
		Columns: k.Object.Columns(), Permissions: h.Permissions, Grantable: h.Grantable, Origin: origin}
	if k.Object.Kind == KindFilter {
		e.Filter = k.Object.Part
	}
	e.Tags, _ = k.Object.Tags()
	return e
}

// SortEntries orders entries by "table", "consumer" or "principal".
func SortEntries(entries []Entry, by string) {
	where := func(a, b Entry) int {
		return cmp.Or(strings.Compare(a.Database, b.Database), strings.Compare(a.Table, b.Table), strings.Compare(string(a.Kind), string(b.Kind)),
			slices.Compare(a.Columns, b.Columns), strings.Compare(a.Filter, b.Filter), strings.Compare(a.Tags.String(), b.Tags.String()))
	}
	slices.SortStableFunc(entries, func(a, b Entry) int {
		who, account := strings.Compare(a.Principal, b.Principal), strings.Compare(a.Account, b.Account)
		last := strings.Compare(string(b.Origin), string(a.Origin))
		switch by {
		case "consumer":
			return cmp.Or(account, where(a, b), who, last)
		case "principal":
			return cmp.Or(who, where(a, b), last)
		}
		return cmp.Or(where(a, b), account, who, last)
	})
}

// ApprovedAt is when a subscription that a history is of was approved last; zero if the
// history does not tell.
func ApprovedAt(history []lakemesh.Event) time.Time {
	var at time.Time
	for _, e := range history {
		if e.Action == lakemesh.ActionApprove || e.Action == lakemesh.ActionAdopt {
			at = e.At
		}
	}
	return at
}

// AsOf are the terms of a subscription at a time, by its history; ok is false if it
// justified nothing then. now are its terms of today, which tell whom and what it is on
// where an entry does not.
func AsOf(now Terms, history []lakemesh.Event, at time.Time) (_ Terms, ok bool) {
	t := now
	t.Permissions, t.Grantable, t.Until = nil, nil, time.Time{}
	for _, e := range history {
		if e.At.After(at) {
			// Two clocks give the times: a later entry can be of an earlier time.
			continue
		}
		switch e.Action {
		case lakemesh.ActionApprove, lakemesh.ActionUpdate, lakemesh.ActionAdopt:
			t.Permissions, t.Grantable, t.Until = e.Permissions, e.Grantable, e.Until
			t.Grantees = now.Grantees
			t = t.Of(e.Scope)
			if e.To != lakemesh.Active {
				t.Permissions, t.Grantable = nil, nil
			}
			if len(e.Tables) > 0 && !t.Scope.AllTables {
				t.Scope.Tables = e.Tables
			}
		case lakemesh.ActionDelete, lakemesh.ActionDeny, lakemesh.ActionAbort:
			if e.To != lakemesh.Active {
				t.Permissions, t.Grantable = nil, nil
			}
		case lakemesh.ActionRequest, lakemesh.ActionCancel, lakemesh.ActionImport, lakemesh.ActionLeave:
			// The consumer can write each of them at any time. What the owner's side granted stays until the owner's side ends it.
		}
	}
	return t, len(t.Permissions) > 0 && !t.Ended(at)
}
