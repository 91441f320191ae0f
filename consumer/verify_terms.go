package consumer

import (
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// compareTerms finds what the account should have been granted by a subscription, and does
// not hold. The owner alone can give it. further is as in compareImport.
func (s *inspected) compareTerms(r *tracker.Record, further bool) {
	given := r.Justified()
	if given.Scope.Direct() {
		// What identities were granted themselves their account is not shown
		// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-notes.html).
		return
	}
	name := strings.ToLower(r.Database)
	if !s.shows(name, len(given.Scope.Organizations()) > 0) {
		s.unsure("subscription %s: Lake Formation does not show what this account holds on database %s, so what it lacks is not known", r.ID, name)
		return
	}
	permitted, grantable := given.Permitted, given.Grantable
	if given.Nothing() {
		return
	}
	on := func(resource permissions.Resource, lacks access.Held) {
		f := Finding{Kind: chain.Missing, Link: chain.Grant, Account: s.meshAccount, Resource: resource.String(), Principal: s.account, Database: name,
			What: "this account lacks " + chain.Held(lacks) + ", which the subscription says", Subscriptions: []string{r.ID}, Repairs: chain.Owner, Command: byOwner(r)}
		if resource.Table != "" {
			f.Tables = []string{resource.Table}
		}
		s.found(f)
	}
	want := access.Held{Permissions: permitted, Grantable: grantable}
	describe := access.Held{Permissions: lakemesh.NewPermissions(lakemesh.Describe)}
	if len(grantable) > 0 {
		describe.Grantable = describe.Permissions
	}
	database := permissions.Database(s.meshAccount, name)
	if lacks := lacking(received(s.held, s.account, database), describe); !lacks.Empty() {
		on(database, lacks)
	}
	objects := s.objects(&r.Subscription)
	if further {
		objects = nil
	}
	if r.WholeDatabase() {
		tables := s.seen[name].tables
		switch all := objects[0]; {
		case len(tables) == 0 && !sharesTables(&r.Subscription):
			// The database had no tables to grant on.
			return
		case len(tables) > 0 && lacking(received(s.held, s.account, all), want).Empty():
			return
		case len(tables) > 0:
			// All tables at once and each of them is the same.
			objects = nil
			for _, table := range slices.Sorted(maps.Keys(tables)) {
				objects = append(objects, permissions.Table(s.meshAccount, name, table))
			}
		}
	}
	if given.Scope.Partly() {
		reads := lakemesh.NewPermissions(lakemesh.Select)
		want = access.Held{Permissions: permitted.Intersect(reads), Grantable: grantable.Intersect(reads)}
	}
	for _, o := range objects {
		if lacks := lacking(ofAccount(s.held, s.account, o), want); !lacks.Empty() {
			on(o, lacks)
		}
	}
}

// byOwner is how an owner gives what a subscription says.
func byOwner(r *tracker.Record) string { return "lakemesh verify --subscription " + r.ID + " --repair" }

// lacking is what of that which is wanted is not held.
func lacking(held permissions.Entry, wanted access.Held) access.Held {
	var one access.Key
	there := access.Held{Permissions: held.Permissions, Grantable: held.Grantable}
	return wanted.Minus(access.Grants{one: wanted}.Held(access.Grants{one: there})[one])
}

// ofAccount is what the account holds on a table: on itself, or with all of its database.
func ofAccount(held *permissions.Grants, account string, on permissions.Resource) permissions.Entry {
	e := received(held, account, on)
	if on.Kind == permissions.KindTable {
		all := received(held, account, permissions.AllTables(on.Account, on.Database))
		e.Permissions, e.Grantable = e.Permissions.Union(all.Permissions), e.Grantable.Union(all.Grantable)
	}
	return e
}

// shows reports whether Lake Formation shows anything that the account holds in a database
// of the mesh, itself or by organizations and units. Where it shows nothing, that says nothing
// about what is held.
func (s *inspected) shows(database string, byUnits bool) bool {
	if s.shown == nil {
		s.shown = map[shown]bool{}
		for _, e := range s.held.Entries() {
			units := access.Grantee(e.Principal).Organization()
			if (e.Principal == s.account || units) && e.Resource.Account == s.meshAccount {
				s.shown[shown{e.Resource.Database, units}] = true
			}
		}
	}
	return s.shown[shown{database, byUnits}]
}

// shown is a database in which something is shown of the account itself, or of organizations
// and units that it is in.
type shown struct {
	database string
	byUnits  bool
}
