package access

import (
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
)

// Adoption is a subscription that grants become which somebody made by hand.
type Adoption struct {
	// Terms are what it says; it has no id yet.
	Terms Terms
	// Keep is what of the same was made by hand as well and is not taken over: it stays
	// when the subscription ends.
	Keep Grants
}

// Leftover is a grant that cannot become a subscription, and why not.
type Leftover struct {
	Key  Key
	Held Held
	Why  string
}

// Adopt computes which subscriptions grants become that nobody decided. What they say
// together is never more than what is there, but for DESCRIBE on the database, which each
// subscription comes with. Whoever ends all of them takes away what is not left over.
//
// foreign is what nobody decided. own reports whether a table of the catalog is its
// owner's.
func Adopt(foreign Grants, c Catalog, own func(database, table string) bool) (adoptions []Adoption, left []Leftover) {
	type part struct {
		grantee  Grantee
		database string
	}
	var parts []part
	keys := map[part][]Key{}
	for _, k := range foreign.Keys() {
		if why := unfit(k, c); why != "" {
			left = append(left, Leftover{k, foreign[k], why})
			continue
		}
		p := part{k.Grantee, k.Object.Database}
		if keys[p] == nil {
			parts = append(parts, p)
		}
		keys[p] = append(keys[p], k)
	}
	for _, p := range parts {
		a := adopting{catalog: c, own: own, grantee: p.grantee, database: p.database}
		for _, k := range keys[p] {
			if k.Object.Kind == KindAllTables {
				a.whole(k, foreign[k])
			}
		}
		for _, k := range keys[p] {
			if k.Object.Kind == KindTable {
				a.table(k, foreign[k])
			}
		}
		a.tables()
		for _, k := range keys[p] {
			if k.Object.Kind == KindDatabase {
				a.onDatabase(k, foreign[k])
			}
		}
		adoptions, left = append(adoptions, a.adoptions...), append(left, a.left...)
	}
	return adoptions, left
}

// unfit says why no subscription says what a grant does, by whose it is and what it is on;
// empty if one may.
func unfit(k Key, c Catalog) string {
	account := k.Grantee.Account()
	switch {
	case k.Grantee == AllowedByIAM:
		return "it is of everybody whom IAM lets through, and not of one account: revoke it, or Lake Formation restricts nobody there"
	case account != "" && account == c.Account:
		return "it is the mesh account's own"
	case account != "" && account == c.Owner:
		return "it is the owner's own"
	case k.Grantee.Organization():
		return "it is of an organization or a unit of one, and what is adopted is of one account: have an account of it ask for the same, which its owner approves, or grant it to each account and revoke this"
	case string(k.Grantee) != account && account != "":
		return "it is of a user or a role, and a subscription is of an account, which hands on: grant it to account " + account + ", and revoke this"
	case account == "":
		return "it is unknown whose it is"
	}
	switch k.Object.Kind {
	case KindDatabase, KindTable, KindAllTables:
		return ""
	case KindColumns:
		return "it is on columns, and a subscription is on whole tables"
	case KindFilter:
		return "it is on a data cells filter, and a subscription is on whole tables"
	case KindTaggedTables, KindTaggedDatabases:
		return "it is by LF-tags, and a subscription names its tables"
	}
	return "it is on something that no subscription is on"
}

// adopting is what a grantee holds in one database.
type adopting struct {
	catalog  Catalog
	own      func(database, table string) bool
	grantee  Grantee
	database string

	all       Held
	sets      []Held
	tablesOf  [][]string
	adoptions []Adoption
	left      []Leftover
}

func (a *adopting) leave(k Key, h Held, why string) {
	if !h.Empty() {
		a.left = append(a.left, Leftover{k, h, why})
	}
}

// sound is what of a grant on tables a subscription can say.
func (a *adopting) sound(k Key, h Held) Held {
	known := lakemesh.NewPermissions(lakemesh.TablePermissions()...)
	a.leave(k, Held{h.Permissions.Minus(known), h.Grantable.Minus(known)}, "no subscription has such a permission")
	h = Held{h.Permissions.Intersect(known), h.Grantable.Intersect(known)}
	if h.Permissions.Has(lakemesh.All) {
		// Who holds ALL holds each of them.
		h.Permissions = h.Permissions.Union(h.Grantable)
		return h
	}
	a.leave(k, Held{Grantable: h.Grantable.Minus(h.Permissions)}, "it is only the right to hand on what a subscription gives: that subscription can be updated to say so")
	h.Grantable = h.Grantable.Intersect(h.Permissions)
	return h
}

func (a *adopting) add(s Scope, h Held) {
	s.Account, s.Database = a.catalog.Account, a.database
	a.adoptions = append(a.adoptions, Adoption{Keep: Grants{},
		Terms: Terms{Owner: a.catalog.Owner, Scope: s, Grantees: []Grantee{a.grantee}, Permissions: h.Permissions, Grantable: h.Grantable}})
}

// whole takes over a grant on all tables, if the owner could have made it: or else it
// could not take it away.
func (a *adopting) whole(k Key, h Held) {
	h = a.sound(k, h)
	d := a.catalog.Databases[a.database]
	for name := range d.Tables {
		if !a.own(a.database, name) {
			a.leave(k, h, "the database has tables of other owners")
			return
		}
	}
	if !h.Permissions.SubsetOf(d.Wildcard) && !d.Wildcard.Has(lakemesh.All) {
		a.leave(k, h, "the owner's role may not grant on all tables, so that it could not take it away: let the mesh's administrator grant the role the same on all tables, with the grant option")
		return
	}
	if len(h.Permissions) > 0 {
		a.all = h
		a.add(Scope{AllTables: true}, h)
	}
}

// table notes a grant on one table. What is held on all tables as well is one subscription.
func (a *adopting) table(k Key, h Held) {
	name := k.Object.Table
	switch _, there := a.catalog.Table(a.database, name); {
	case !there || !a.own(a.database, name):
		a.leave(k, h, "the table is not the owner's")
		return
	case name == AnyValue, strings.EqualFold(name, "ALL_TABLES"):
		a.leave(k, h, "AWS takes the table's name for all tables")
		return
	}
	h = a.sound(k, h)
	if rest := h.Minus(a.all); len(h.Permissions) == 0 || rest.Empty() || a.all.Permissions.Has(lakemesh.All) && lacking(h.Grantable, a.all.Grantable) == nil {
		return
	}
	i := slices.IndexFunc(a.sets, h.Equal)
	if i < 0 {
		i = len(a.sets)
		a.sets, a.tablesOf = append(a.sets, h), append(a.tablesOf, nil)
	}
	a.tablesOf[i] = append(a.tablesOf[i], name)
}

// tables takes over what is held on tables: those on which the same is held together.
func (a *adopting) tables() {
	for i, h := range a.sets {
		slices.SortFunc(a.tablesOf[i], strings.Compare)
		a.add(Scope{Tables: a.tablesOf[i]}, h)
	}
}

// onDatabase takes over DESCRIBE, which comes with each subscription.
func (a *adopting) onDatabase(k Key, h Held) {
	describe := lakemesh.NewPermissions(lakemesh.Describe)
	a.leave(k, Held{h.Permissions.Minus(describe), h.Grantable.Minus(describe)}, "on a database a subscription gives DESCRIBE alone")
	h = Held{h.Permissions.Intersect(describe), h.Grantable.Intersect(describe)}
	if len(a.adoptions) == 0 {
		a.leave(k, h, "it is on the database alone, and a subscription is on tables")
		return
	}
	handsOn := slices.ContainsFunc(a.adoptions, func(o Adoption) bool { return len(o.Terms.Grantable) > 0 })
	if len(h.Grantable) == 0 || handsOn {
		return
	}
	a.leave(k, h, "the database may be handed on, and none of the tables")
	if len(h.Permissions) > 0 {
		// Who takes DESCRIBE away takes the right to hand it on away with it.
		for i := range a.adoptions {
			a.adoptions[i].Keep.Add(k, h)
		}
	}
}
