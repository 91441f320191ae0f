package lakemesh

import (
	"cmp"
	"slices"
	"strings"
)

// Permission is a Lake Formation permission on a table
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html).
type Permission string

// The permissions that a subscription can carry. All of them can be granted to
// another account; on a database, DROP and ALL cannot, and lakemesh grants DESCRIBE only.
const (
	All      Permission = "ALL"
	Alter    Permission = "ALTER"
	Delete   Permission = "DELETE"
	Describe Permission = "DESCRIBE"
	Drop     Permission = "DROP"
	Insert   Permission = "INSERT"
	Select   Permission = "SELECT"
)

// TablePermissions are the permissions that are valid on a table, in the order
// in which they are written.
func TablePermissions() []Permission {
	return []Permission{All, Alter, Delete, Describe, Drop, Insert, Select}
}

// Permissions is a set of permissions, without duplicates and in the order of
// their names. The zero value is the empty set. Its methods never change it.
type Permissions []Permission

// NewPermissions makes a set.
func NewPermissions(list ...Permission) Permissions {
	if len(list) == 0 {
		return nil
	}
	set := slices.Clone(list)
	slices.Sort(set)
	return slices.Compact(set)
}

// ParsePermissions makes a set from names in any case, with or without white
// space. A name that is no permission on a table is an [ErrInvalidInput] that
// lists the valid ones.
func ParsePermissions(names ...string) (Permissions, error) {
	list := make([]Permission, 0, len(names))
	for _, name := range names {
		p := Permission(strings.ToUpper(strings.TrimSpace(name)))
		if p == "SUPER" {
			p = All
		}
		if !slices.Contains(TablePermissions(), p) {
			return nil, Invalid("permission", "%q is not a permission on a table that can be granted to another account; the valid ones are %s",
				name, Permissions(TablePermissions()))
		}
		list = append(list, p)
	}
	return NewPermissions(list...), nil
}

// Has tells whether p is in the set.
func (s Permissions) Has(p Permission) bool { return slices.Contains(s, p) }

// Union returns what is in either set.
func (s Permissions) Union(o Permissions) Permissions {
	return NewPermissions(append(slices.Clone(s), o...)...)
}

// Minus returns what is in the set and not in o.
func (s Permissions) Minus(o Permissions) Permissions {
	var left Permissions
	for _, p := range s {
		if !o.Has(p) {
			left = append(left, p)
		}
	}
	return NewPermissions(left...)
}

// Intersect returns what is in both sets.
func (s Permissions) Intersect(o Permissions) Permissions { return s.Minus(s.Minus(o)) }

// SubsetOf tells whether everything in the set is in o.
func (s Permissions) SubsetOf(o Permissions) bool { return len(s.Minus(o)) == 0 }

// Equal tells whether both sets hold the same.
func (s Permissions) Equal(o Permissions) bool { return s.SubsetOf(o) && o.SubsetOf(s) }

// Strings returns the names, in order.
func (s Permissions) Strings() []string {
	names := make([]string, len(s))
	for i, p := range s {
		names[i] = string(p)
	}
	slices.SortFunc(names, cmp.Compare[string])
	return names
}

// String joins the names with commas.
func (s Permissions) String() string { return strings.Join(s.Strings(), ", ") }
