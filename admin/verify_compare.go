package admin

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// found adds a finding.
func (s *inspected) found(f Finding) {
	if f.Account == "" {
		f.Account = s.mesh
	}
	if f.Repairs == "" {
		f.Repairs = chain.Administrator
	}
	s.findings = append(s.findings, f)
}

// compare compares everything.
func (s *inspected) compare() {
	s.compareSetup()
	for _, f := range chain.Records(s.records) {
		f.Repairs = chain.Owner
		s.found(f)
	}
	s.compareMembers()
	s.compareForeign()
	s.compareMisplaced()
	s.compareGrants()
	s.compareEnds()
	s.compareHybrid()
	s.compareRights()
	s.compareLocations()
}

// compareSetup finds what the mesh and its members lack: what bringing them up to date
// would change.
func (s *inspected) compareSetup() {
	whole := s.upgrade.whole()
	for _, step := range whole.Steps {
		kind := chain.Missing
		if step.Kind == plan.Revoke {
			kind = chain.TooMuch
		}
		s.found(Finding{Kind: kind, Link: chain.Setup, Account: step.Account, Resource: step.Resource, What: "it is not as this version makes it: to be done is to " + step.Summary}.With(
			"lakemesh mesh upgrade", chain.Mends{By: chain.ByUpgrading}))
	}
	for _, text := range whole.Warnings {
		s.found(Finding{Kind: chain.Undecided, Link: chain.Setup, Resource: "mesh account " + s.mesh, What: text})
	}
}

// compareForeign finds what owners have written about the products of others, which
// justifies nothing.
func (s *inspected) compareForeign() {
	for _, r := range s.foreign {
		s.found(Finding{Kind: chain.Undecided, Link: chain.Record, Resource: "subscription " + r.ID, Principal: r.Subscriber, Database: strings.ToLower(r.Database), Subscriptions: []string{r.ID}, Repairs: chain.Owner,
			Command: "lakemesh subscription delete " + r.ID, What: "account " + r.Owner + " wrote it, and what it is on is not its own: it justifies nothing"})
	}
}

// compareMisplaced finds in which databases of others owners have written that tables of their
// groups are.
func (s *inspected) compareMisplaced() {
	for _, r := range s.records {
		if others := s.misplaced[r.ID]; len(others) > 0 {
			s.found(Finding{Kind: chain.Undecided, Link: chain.Record, Resource: "subscription " + r.ID, Principal: r.Subscriber, Subscriptions: []string{r.ID}, Repairs: chain.Owner,
				Command: "lakemesh subscription delete " + r.ID, What: fmt.Sprintf("account %s wrote that tables of %s are in %s, which is not its own: it justifies nothing there", r.Owner, r.Group, some(others))})
		}
	}
}

// compareMembers finds what belongs to accounts that are no members.
func (s *inspected) compareMembers() {
	for _, r := range s.records {
		f := Finding{Kind: chain.Undecided, Link: chain.Record, Resource: "subscription " + r.ID, Principal: r.Subscriber, Database: strings.ToLower(r.Database), Subscriptions: []string{r.ID}}
		if !slices.Contains(s.members.producers, r.Owner) {
			f.What = "its owner, account " + r.Owner + ", is no producer of the mesh"
			s.found(f)
		}
		if !slices.Contains(s.members.consumers, r.Subscriber) {
			f.What = "its consumer, account " + r.Subscriber + ", is no consumer of the mesh"
			s.found(f)
		}
	}
	for _, database := range slices.Sorted(maps.Keys(s.tables)) {
		owners := slices.Sorted(maps.Keys(s.owners[access.OnDatabase(s.mesh, database)]))
		f := Finding{Kind: chain.Undecided, Link: chain.Metadata, Resource: "database " + database, Database: database}
		switch {
		case len(owners) == 0:
			f.What = "no producer's role has made it: it is nobody's"
		case !slices.ContainsFunc(owners, func(owner string) bool { return slices.Contains(s.members.producers, owner) }):
			f.What = "its owner, account " + strings.Join(owners, ", ") + ", is no producer of the mesh"
		default:
			continue
		}
		s.found(f)
	}
}

// compareGrants compares what everybody holds with what owners decided.
func (s *inspected) compareGrants() {
	filters := s.carrying()
	found := filters.Undone(filters.Granted.Compare())
	for subscriber, carriage := range s.carriage {
		found = append(found, filters.NotCarried(carriage, s.shared[subscriber])...)
	}
	if s.filters != nil {
		found = append(found, filters.Compare()...)
	}
	for _, f := range found {
		if f.Repairs == "" {
			// What subscriptions say their owners give.
			f.Repairs = chain.Owner
		}
		s.found(f)
	}
	for _, u := range s.wanted.Unmet {
		if _, there := s.schemas[u.Object]; there {
			if i := slices.IndexFunc(s.records, func(r *tracker.Record) bool { return r.ID == u.ID }); i >= 0 {
				s.found(chain.LostColumns(u, s.records[i]))
			}
			continue
		}
		s.found(Finding{Kind: chain.Missing, Link: chain.Metadata, Resource: u.Object.String(), Database: u.Object.Database, Tables: []string{u.Object.Table}, Subscriptions: []string{u.ID},
			What: u.Message, Repairs: chain.Owner, Command: "lakemesh verify --repair"})
	}
}

// carrying are the data cells filters and what is granted, compared with the subscriptions.
func (s *inspected) carrying() *chain.Filters {
	g := &chain.Granted{Mesh: s.mesh, Records: s.records, Tables: map[string][]string{}, All: true, Wanted: s.wanted, Own: access.Grants{}, Have: s.have, Parts: s.parts,
		Theirs: s.theirs, Mends: s.mends, Publishes: func(string, string) (string, chain.Mends) { return "", chain.Mends{} }}
	for database, tables := range s.tables {
		g.Tables[database] = slices.Sorted(maps.Keys(tables))
	}
	return &chain.Filters{Granted: g, Schemas: s.schemas, There: s.filters, Tags: s.tags, Makers: s.makersOf}
}

// makersOf are the roles that make the filters of the table of an object.
func (s *inspected) makersOf(o access.Object) []string {
	var roles []string
	for owner := range s.ownersOf(o) {
		roles = append(roles, s.partition.RoleARN(s.mesh, lakemesh.MeshProducerRole(owner)))
	}
	return roles
}

// theirs reports whether what somebody holds is what an owner has of its own, or what the
// mesh itself needs.
func (s *inspected) theirs(k access.Key, h access.Held) bool {
	who := string(k.Grantee)
	switch who {
	case permissions.AllowedByIAM:
		return s.keptOpen(k.Object)
	case s.partition.RoleARN(s.mesh, lakemesh.ManagerRole):
		// It gives itself what it needs to mend something.
		return true
	case s.partition.RoleARN(s.mesh, lakemesh.ReadOnlyRole):
		return h.Permissions.SubsetOf(lakemesh.NewPermissions(lakemesh.Describe)) && len(h.Grantable) == 0
	}
	owners := s.ownersOf(k.Object)
	if tags, ok := k.Object.Tags(); ok {
		// What an owner gives by its own keys its role holds, to see who does.
		owners = map[string]bool{chain.OwnerOfTags(tags): true}
	}
	for owner := range owners {
		if who == s.partition.RoleARN(s.mesh, lakemesh.MeshProducerRole(owner)) || who == s.partition.RoleARN(s.mesh, lakemesh.EndingRole(owner)) || k.Grantee.Account() == owner {
			return true
		}
	}
	return false
}

// mends is how the owner has a subscription be again as it was decided.
func (s *inspected) mends(ids ...string) (command string, _ chain.Mends) {
	for _, r := range s.records {
		if slices.Contains(ids, r.ID) && r.Status == lakemesh.Active && r.Claim == nil && !r.Leaving {
			return chain.Updating(r)
		}
	}
	return "", chain.Mends{}
}

// compareRights finds rights on the catalog, on locations and on the mesh's LF-tags that
// no member has by being one.
func (s *inspected) compareRights() {
	// AWS gives the last one to everybody whom IAM lets through, in every account
	// (https://docs.aws.amazon.com/lake-formation/latest/dg/initial-lf-config.html).
	all := append(readOnlyGrants(s.partition, s.mesh), permissions.Entry{Principal: string(access.AllowedByIAM), Resource: permissions.Catalog(s.mesh),
		Permissions: lakemesh.NewPermissions(permissions.CreateDatabase)})
	for _, producer := range s.members.producers {
		all = slices.Concat(all, producerGrants(s.partition, s.mesh, producer), ownerGrants(s.partition, s.mesh, producer))
	}
	for _, l := range s.locations {
		if account, ok := s.readsFor(l.Role); ok {
			all = append(all, permissions.Entry{Principal: s.partition.RoleARN(s.mesh, lakemesh.MeshProducerRole(account)), Resource: permissions.Location(s.mesh, l.ARN),
				Permissions: lakemesh.NewPermissions(permissions.DataLocationAccess)})
		}
	}
	allowed := permissions.NewGrants(all...)
	for _, e := range s.have.Entries() {
		f := Finding{Kind: chain.Undecided, Link: chain.Grant, Resource: e.Resource.String(), Principal: e.Principal}
		on := e.Resource
		switch e.Resource.Kind {
		case permissions.KindTag:
			if !s.ofMesh(e.Resource.Tag) {
				continue
			}
			f.Link, on = chain.Tag, permissions.Tag(e.Resource.Account, e.Resource.Tag)
			// Whoever is shown a tag can do nothing with it.
			e.Permissions = e.Permissions.Minus(lakemesh.NewPermissions(lakemesh.Describe))
		case permissions.KindCatalog, permissions.KindLocation:
		default:
			continue
		}
		over := e.Permissions.Minus(allowed.Of(e.Principal, on).Permissions)
		if len(over) == 0 || e.Principal == s.partition.RoleARN(s.mesh, lakemesh.ManagerRole) {
			continue
		}
		f.What = "holds " + over.String() + ", which no member of the mesh has by being one"
		s.found(f)
	}
}

// ofMesh reports whether an LF-tag is one of the mesh's: shared, or an owner's.
func (s *inspected) ofMesh(key string) bool {
	return slices.ContainsFunc(meshTags(), func(tag string) bool { return key == tag || strings.HasPrefix(key, lakemesh.OwnerTag(tag, "")) })
}

// readsFor is whose data access role a role is.
func (s *inspected) readsFor(role string) (account string, ok bool) {
	return strings.CutPrefix(role, s.partition.RoleARN(s.mesh, lakemesh.DataAccessRole("")))
}

// compareLocations finds what is registered for accounts that are no producers, or that
// have published nothing, so that no table has its data there. Whether all locations of
// others are used the owners tell, who read their tables and partitions.
func (s *inspected) compareLocations() {
	publishes := map[string]bool{}
	for _, owners := range s.owners {
		for owner := range owners {
			publishes[owner] = true
		}
	}
	for _, l := range s.locations {
		account, ok := s.readsFor(l.Role)
		f := Finding{Kind: chain.Undecided, Link: chain.Location, Resource: l.ARN, Principal: l.Role}
		switch {
		case !ok:
			continue
		case !slices.Contains(s.members.producers, account):
			f.What = "it is registered for account " + account + ", which is no producer of the mesh"
		case !publishes[account]:
			f.Kind, f.What = chain.TooMuch, "it is registered with Lake Formation, and account "+account+" has nothing published"
		default:
			continue
		}
		s.found(f)
	}
}
