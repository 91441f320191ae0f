package permissions

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
)

// Permissions of Lake Formation beside those on tables
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html).
const (
	CreateDatabase     lakemesh.Permission = "CREATE_DATABASE"
	CreateTable        lakemesh.Permission = "CREATE_TABLE"
	CreateTag          lakemesh.Permission = "CREATE_LF_TAG"
	DataLocationAccess lakemesh.Permission = "DATA_LOCATION_ACCESS"
	Associate          lakemesh.Permission = "ASSOCIATE"
	GrantWithTag       lakemesh.Permission = "GRANT_WITH_LF_TAG_EXPRESSION"
)

// AllowedByIAM is the virtual group of everybody whom IAM lets through. While it
// holds a permission on a resource, Lake Formation does not restrict access to it
// and refuses to share it.
const AllowedByIAM = "IAM_ALLOWED_PRINCIPALS"

// Entry is what one principal holds, or is to hold, on one resource.
type Entry struct {
	// Principal is an account id, the ARN of a user or a role, or [AllowedByIAM].
	Principal string `json:"Principal"`
	// Resource is what the permissions are on.
	Resource Resource `json:"Resource"`
	// Permissions are held; Grantable, a subset of them, may be handed on.
	Permissions lakemesh.Permissions `json:"Permissions"`
	Grantable   lakemesh.Permissions `json:"Grantable,omitempty"`
}

// Key tells of whom and of what an entry is.
type Key struct {
	Principal string
	Resource  Resource
}

// Key is the entry's key.
func (e Entry) Key() Key { return Key{e.Principal, e.Resource} }

// what says the permissions in words.
func (e Entry) what() string {
	switch {
	case len(e.Grantable) == 0:
		return e.Permissions.String()
	case e.Grantable.Equal(e.Permissions):
		return e.Permissions.String() + " (grantable)"
	}
	return fmt.Sprintf("%s (grantable: %s)", e.Permissions, e.Grantable)
}

// split parts an entry into what can stand in one entry of a batch: SELECT on
// tables is granted on columns, and what is granted on the key of an LF-tag is
// something else than what is granted on its values.
func (e Entry) split() []Entry {
	apart := lakemesh.NewPermissions()
	switch e.Resource.Kind {
	case KindTable, KindAllTables:
		apart = lakemesh.NewPermissions(lakemesh.Select)
	case KindTag:
		apart = lakemesh.NewPermissions(lakemesh.Alter, lakemesh.Drop)
	}
	one, other := e, e
	one.Permissions, one.Grantable = e.Permissions.Intersect(apart), e.Grantable.Intersect(apart)
	other.Permissions, other.Grantable = e.Permissions.Minus(apart), e.Grantable.Minus(apart)
	var parts []Entry
	for _, part := range []Entry{one, other} {
		if len(part.Permissions) > 0 {
			parts = append(parts, part)
		}
	}
	return parts
}

// Grants are what was found to be granted.
type Grants struct {
	on map[Resource][]held
	// sets are the sets of permissions that were met: a catalog of thousands of tables
	// has few different ones, and each is kept once.
	sets map[string]lakemesh.Permissions
}

// held is what one principal holds on a resource, and the RAM resource shares that
// carry it.
type held struct {
	principal              string
	permissions, grantable lakemesh.Permissions
	shares                 []string
}

// NewGrants makes grants of entries. Several entries of one key are united.
func NewGrants(entries ...Entry) *Grants {
	g := &Grants{on: map[Resource][]held{}, sets: map[string]lakemesh.Permissions{}}
	for _, e := range entries {
		g.add(e)
	}
	return g
}

func (g *Grants) add(e Entry, shares ...string) {
	h := g.find(e.Principal, e.Resource)
	if h == nil {
		g.on[e.Resource] = append(g.on[e.Resource], held{principal: e.Principal})
		h = g.find(e.Principal, e.Resource)
	}
	h.permissions = g.set(h.permissions.Union(e.Permissions))
	h.grantable = g.set(h.grantable.Union(e.Grantable).Intersect(h.permissions))
	for _, s := range shares {
		if s != "" && !slices.Contains(h.shares, s) {
			h.shares = append(h.shares, s)
		}
	}
}

// set is the one copy of a set that is kept. Nothing changes a set in place.
func (g *Grants) set(s lakemesh.Permissions) lakemesh.Permissions {
	key := s.String()
	if kept, ok := g.sets[key]; ok {
		return kept
	}
	g.sets[key] = s
	return s
}

// find is what a principal holds on a resource; nil if nothing.
func (g *Grants) find(principal string, r Resource) *held {
	list := g.on[r]
	for i := range list {
		if list[i].principal == principal {
			return &list[i]
		}
	}
	return nil
}

func (h held) entry(r Resource) Entry {
	return Entry{Principal: h.principal, Resource: r, Permissions: h.permissions, Grantable: h.grantable}
}

// Of is what a principal holds on a resource; without permissions if nothing.
func (g *Grants) Of(principal string, r Resource) Entry {
	if h := g.find(principal, r); h != nil {
		return h.entry(r)
	}
	return Entry{Principal: principal, Resource: r}
}

// Entries are all entries, in the order of resource and principal.
func (g *Grants) Entries() []Entry {
	entries := make([]Entry, 0, len(g.on))
	for r, list := range g.on {
		for _, h := range list {
			entries = append(entries, h.entry(r))
		}
	}
	slices.SortFunc(entries, compare)
	return entries
}

// On are the entries on a resource, in the order of principals.
func (g *Grants) On(r Resource) []Entry {
	var found []Entry
	for _, h := range g.on[r] {
		found = append(found, h.entry(r))
	}
	slices.SortFunc(found, compare)
	return found
}

// Shares are the ARNs of the RAM resource shares that carry what a principal was
// granted on the resources; on anything, if none is named.
func (g *Grants) Shares(principal string, on ...Resource) []string {
	var arns []string
	if len(on) == 0 {
		for _, list := range g.on {
			for _, h := range list {
				if h.principal == principal {
					arns = append(arns, h.shares...)
				}
			}
		}
	}
	for _, r := range on {
		if h := g.find(principal, r); h != nil {
			arns = append(arns, h.shares...)
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

func compare(a, b Entry) int {
	return cmp.Or(cmp.Compare(a.Resource.Kind, b.Resource.Kind), cmp.Compare(a.Resource.Account, b.Resource.Account),
		strings.Compare(a.Resource.Database, b.Resource.Database), strings.Compare(a.Resource.Table, b.Resource.Table),
		strings.Compare(a.Resource.Location, b.Resource.Location), strings.Compare(a.Resource.Tag, b.Resource.Tag),
		strings.Compare(a.Resource.Values, b.Resource.Values), strings.Compare(a.Resource.Filter, b.Resource.Filter), strings.Compare(a.Principal, b.Principal))
}
