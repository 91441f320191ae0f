package producer

import (
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
)

// describes is what the read-only role holds on public metadata.
var describes = access.Held{Permissions: lakemesh.NewPermissions(lakemesh.Describe)}

// describing is a grant by which all of the mesh sees metadata.
func (s *inspected) describing(on access.Object) access.Key {
	return access.Key{Grantee: access.Grantee(s.readOnlyRole()), Object: on}
}

// publicTables are the producer's tables of a database whose metadata is public, and private
// those whose is not. Where their owner marks no private tables nothing but the grants themselves
// tells it.
func (s *inspected) publicTables(database string) (public, private []string) {
	d := s.marking[database]
	for name := range s.own {
		switch {
		case name.Database != database:
		case catalog.IsPrivate(d, name.Table):
			private = append(private, name.Table)
		default:
			public = append(public, name.Table)
		}
	}
	slices.Sort(public)
	slices.Sort(private)
	return public, private
}

// publicGrants are what publishing grants so that all of the mesh sees public metadata.
func (s *inspected) publicGrants() access.Grants {
	all := access.Grants{}
	for database := range s.marking {
		public, _ := s.publicTables(database)
		for _, name := range public {
			all.Add(s.describing(access.OnTable(s.meshAccount, database, name)), describes)
		}
		if len(public) > 0 {
			all.Add(s.describing(access.OnDatabase(s.meshAccount, database)), describes)
		}
	}
	return all
}

// compareMetadata finds public metadata that nobody sees, and private metadata that everybody
// does.
func (s *inspected) compareMetadata() {
	there := s.have.Access()
	wanted := s.publicGrants()
	if len(wanted) > 0 && !slices.ContainsFunc(slices.Collect(maps.Keys(there)), func(k access.Key) bool { return k.Grantee == access.Grantee(s.readOnlyRole()) }) {
		// Whether Lake Formation shows the owner what the mesh's own roles hold is not documented.
		s.unsure("whether all of the mesh sees the public metadata is not known: Lake Formation shows nothing that %s holds", s.readOnlyRole())
		return
	}
	for _, database := range slices.Sorted(maps.Keys(s.marking)) {
		public, private := s.publicTables(database)
		on := func(k access.Key, table string, f Finding) {
			f = chain.OfGrant(k, f)
			f.Link, f.Database, f.Tables = chain.Metadata, strings.ToLower(database), []string{table}
			s.found(f.With(s.publishes(database, table)))
		}
		lacks := func(k access.Key) bool {
			return !there[k].Permissions.Has(lakemesh.Describe) && !there[k].Permissions.Has(lakemesh.All)
		}
		if k := s.describing(access.OnDatabase(s.meshAccount, database)); len(public) > 0 && lacks(k) {
			on(k, public[0], Finding{Kind: chain.Missing, What: "lacks DESCRIBE: tables of it have public metadata, and no consumer can look for them"})
		} else if held := there[k]; len(public) == 0 && len(private) > 0 && len(held.Permissions) > 0 {
			on(k, private[0], Finding{Kind: chain.TooMuch, What: "holds " + chain.Held(held) + ": all of its tables are private, and every consumer sees that it is there"})
		}
		for _, name := range public {
			if k := s.describing(access.OnTable(s.meshAccount, database, name)); lacks(k) {
				on(k, name, Finding{Kind: chain.Missing, What: "lacks DESCRIBE: its metadata is public, and no consumer sees it"})
			}
		}
		for _, name := range private {
			k := s.describing(access.OnTable(s.meshAccount, database, name))
			if held := there[k]; len(held.Permissions) > 0 {
				on(k, name, Finding{Kind: chain.TooMuch, What: "holds " + chain.Held(held) + ": its metadata is private, and every consumer sees it"})
			}
		}
	}
}
