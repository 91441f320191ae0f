package admin

import (
	"context"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
)

// hybridAccess is what was read of hybrid access in the mesh account. It is empty where
// IAMAllowedPrincipals holds nothing and nobody was opted in.
type hybridAccess struct {
	// marked are the tables that their owners keep in hybrid access mode, by database.
	marked map[string]map[string]bool
	// open are the databases in which IAMAllowedPrincipals holds something.
	open map[string]bool
	// there are the opt-ins on databases and tables of the mesh.
	there []permissions.OptedIn
	// unread tells that they could not be read.
	unread bool
}

// readHybrid reads which tables their owners keep in hybrid access mode, of the databases in
// which IAMAllowedPrincipals holds something, and who is opted in. What stands at a database
// of another account's tables counts for nothing.
func (s *inspected) readHybrid(ctx context.Context) error {
	h := &s.hybrid
	h.marked, h.open = map[string]map[string]bool{}, map[string]bool{}
	for k := range s.have.Access() {
		if k.Grantee == access.AllowedByIAM && k.Object.Account == s.mesh && k.Object.Database != "" {
			h.open[k.Object.Database] = true
		}
	}
	if len(h.open) == 0 {
		return nil
	}
	glue := catalog.New(s.managerGlue, s.mesh, s.region, s.concurrency())
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(s.concurrency())
	for name := range h.open {
		group.Go(func() error {
			d, ok, err := glue.Database(within, name)
			if err != nil || !ok {
				return err
			}
			marked := catalog.HybridTables(d)
			maps.DeleteFunc(marked, func(table string, _ bool) bool {
				return !s.ownersOf(access.OnTable(s.mesh, name, table))[catalog.OwnerOf(d)]
			})
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(marked) > 0 {
				h.marked[name] = marked
			}
			return nil
		})
	}
	group.Go(func() error { return s.readOptIns(within) })
	return group.Wait()
}

// readOptIns reads who is opted in.
func (s *inspected) readOptIns(ctx context.Context) (err error) {
	s.hybrid.there, err = s.permissions().OptIns(ctx)
	if awserr.Denied(err) {
		s.unsure("who is opted in is not known: %s may not list it, which lakemesh mesh upgrade lets it do", lakemesh.ManagerRole)
		s.hybrid.unread = true
		return nil
	}
	return err
}

// keptOpen reports whether what IAMAllowedPrincipals holds on an object stays by its owner's
// choice: a table in hybrid access mode; all tables where each of them is; a database with
// one.
func (s *inspected) keptOpen(o access.Object) bool {
	marked := s.hybrid.marked[o.Database]
	switch o.Kind {
	case access.KindTable:
		return marked[o.Table]
	case access.KindDatabase:
		return len(marked) > 0
	case access.KindAllTables:
		for table := range s.tables[o.Database] {
			if !marked[table] {
				return false
			}
		}
		return len(marked) > 0
	}
	return false
}

// wantedOptIns is who is to be opted in: in each database with tables in hybrid access mode
// the members of the mesh, whom something was granted directly, and the roles of the mesh
// that are not its owner's, which IAM would let change everything there.
func (s *inspected) wantedOptIns() map[access.OptIn]bool {
	var all []access.Hybrid
	for _, name := range slices.Sorted(maps.Keys(s.hybrid.marked)) {
		d := access.Hybrid{Database: name, Roles: []access.Grantee{access.Grantee(s.partition.RoleARN(s.mesh, lakemesh.ReadOnlyRole))}}
		owners := s.ownersOf(access.OnDatabase(s.mesh, name))
		for table := range s.hybrid.marked[name] {
			maps.Copy(owners, s.ownersOf(access.OnTable(s.mesh, name, table)))
		}
		for owner := range owners {
			d.Members = append(d.Members, access.Grantee(owner))
		}
		for _, account := range s.members.consumers {
			d.Members = append(d.Members, access.Grantee(account))
		}
		for _, account := range s.members.producers {
			if !owners[account] {
				d.Roles = append(d.Roles, access.Grantee(s.partition.RoleARN(s.mesh, lakemesh.MeshProducerRole(account))))
			}
		}
		for _, r := range s.records {
			if !slices.ContainsFunc(chain.DatabasesOf(r, nil), func(database string) bool { return strings.EqualFold(database, name) }) {
				continue
			}
			for _, given := range r.MayHold() {
				for _, g := range chain.Terms(s.mesh, r, given).Grantees {
					// That organizations can be opted in is not documented. Their accounts are, which
					// are members of the mesh.
					if !g.Organization() {
						d.Identities = append(d.Identities, g)
					}
				}
			}
		}
		all = append(all, d)
	}
	return access.WantOptIns(s.mesh, all...)
}

// optIns compares who is opted in with who is to be. stray are those alone that an
// administrator made with lakemesh, and not those that keep a role of the mesh account from
// what IAM would let it do while IAMAllowedPrincipals holds something there: an opt-in of
// others is theirs, and taking it away can open something.
func (s *inspected) optIns() (missing, stray []permissions.OptIn) {
	if s.hybrid.unread {
		return nil, nil
	}
	want := s.wantedOptIns()
	there := map[access.OptIn]bool{}
	for _, o := range s.hybrid.there {
		object, ok := o.Resource.Object()
		if !ok || object.Account != s.mesh {
			continue
		}
		key := access.OptIn{Grantee: access.Grantee(o.Principal), Object: object}
		there[key] = true
		keepsOut := key.Grantee.Account() == s.mesh && s.hybrid.open[object.Database]
		if !want[key] && !keepsOut && s.byManager(o.By) {
			stray = append(stray, o.OptIn)
		}
	}
	for key := range want {
		if r, ok := permissions.Of(key.Object); ok && !there[key] {
			missing = append(missing, permissions.OptIn{Principal: string(key.Grantee), Resource: r})
		}
	}
	for _, list := range [][]permissions.OptIn{missing, stray} {
		slices.SortFunc(list, func(a, b permissions.OptIn) int {
			return strings.Compare(a.Resource.Database+" "+string(a.Resource.Kind)+" "+a.Principal, b.Resource.Database+" "+string(b.Resource.Kind)+" "+b.Principal)
		})
	}
	return missing, stray
}

// byManager reports whether the mesh's manager made something: Lake Formation names a role,
// or a session of it.
func (s *inspected) byManager(by string) bool {
	return by == s.partition.RoleARN(s.mesh, lakemesh.ManagerRole) || strings.HasPrefix(by, s.partition.ARN("sts", "", s.mesh, "assumed-role/"+lakemesh.ManagerRole+"/"))
}

// compareHybrid finds who is not opted in where it has to be, and who is where nobody has to
// be any more.
func (s *inspected) compareHybrid() {
	missing, stray := s.optIns()
	finding := func(o permissions.OptIn, f Finding) {
		f.Link, f.Resource, f.Principal, f.Database, f.Repairs = chain.OptedIn, o.Resource.String(), o.Principal, o.Resource.Database, chain.Administrator
		s.found(f.With("lakemesh mesh opt-in", chain.Mends{By: chain.ByOptingIn}))
	}
	for _, o := range missing {
		what := "it is in hybrid access mode, and the principal is not opted in: what is granted it there counts for nothing"
		if access.Grantee(o.Principal).Account() == s.mesh {
			what = "it is in hybrid access mode, and the role is not opted in: it may do there whatever IAM lets it do"
		}
		finding(o, Finding{Kind: chain.Missing, What: what})
	}
	for _, o := range stray {
		finding(o, Finding{Kind: chain.TooMuch, What: "it is opted in, and nothing is in hybrid access mode or granted there that asks for it"})
	}
}
