package lakeformation

import (
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// Holds tells whether the caller holds one of the permissions on the resource.
// What it holds is what it was granted (itself, as one of the principals of its
// account, by LF-tags, by another account whose share was accepted), what
// IAM_ALLOWED_PRINCIPALS leaves to IAM, and what a data lake administrator may do
// anyway.
func Holds(c *engine.Call, r state.Resource, perms ...string) (bool, error) {
	h, err := callerHolds(c, r)
	if err != nil || h.has(perms...) {
		return err == nil, err
	}
	if slices.Contains(perms, describe) {
		return seesDatabase(c, r)
	}
	return false, nil
}

// Require refuses unless the caller holds one of the permissions on the resource.
func Require(c *engine.Call, r state.Resource, perms ...string) error {
	ok, err := Holds(c, r, perms...)
	if err != nil || ok {
		return err
	}
	words := make([]string, 0, len(perms))
	for _, p := range perms {
		words = append(words, spoken(p))
	}
	name := "Catalog"
	switch {
	case r.Table != "":
		name = r.Table
	case r.Database != "":
		name = r.Database
	}
	return c.Denied("Insufficient Lake Formation permission(s): Required " + strings.Join(words, " or ") + " on " + name)
}

// Columns are the columns of a table that the caller may see: all of them, or those
// with these names. A name may be that of a part of a column ([rowfilter.Path]).
func Columns(c *engine.Call, r state.Resource) (all bool, names []string, err error) {
	h, err := callerHolds(c, r)
	all, names = h.shown()
	return all, names, err
}

// SharedDatabases are the databases of other accounts that the caller can see.
func SharedDatabases(c *engine.Call) ([]state.Resource, error) {
	return shared(c, func(r state.Resource) state.Resource {
		r.Table = ""
		return r
	})
}

// SharedTables are the tables of other accounts that the caller can see.
func SharedTables(c *engine.Call) ([]state.Resource, error) {
	return shared(c, func(r state.Resource) state.Resource { return r })
}

// shared lists what others shared with the caller's account in this region and
// the caller can see. The pick of a table is the table, or its database.
func shared(c *engine.Call, pick func(state.Resource) state.Resource) ([]state.Resource, error) {
	grants, err := state.GrantsInto(c.Tx, c.Account())
	if err != nil {
		return nil, err
	}
	wantTables := pick(state.Resource{Table: "t"}).Table != ""
	seen := map[state.Resource]bool{}
	var found []state.Resource
	consider := func(r state.Resource) error {
		r = pick(r)
		if wantTables == (r.Table == "") || r.Database == "" || seen[r] {
			return nil
		}
		seen[r] = true
		ok, err := Holds(c, r, describe)
		if ok {
			found = append(found, r)
		}
		return err
	}
	for _, g := range grants {
		if g.On.Region != c.Region {
			continue
		}
		objects, err := objectsOf(c, g.On)
		if err != nil {
			return nil, err
		}
		for _, r := range objects {
			if err := consider(r); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(found, func(a, b state.Resource) int {
		return strings.Compare(a.Account+"/"+a.Database+"/"+a.Table, b.Account+"/"+b.Database+"/"+b.Table)
	})
	return found, nil
}

// objectsOf are the databases and tables that a grant is about.
func objectsOf(c *engine.Call, on state.Securable) ([]state.Resource, error) {
	switch {
	case on.Kind == state.KindDatabase, on.Kind == state.KindColumns, on.Kind == state.KindFilter,
		on.Kind == state.KindTable && on.Table != state.AllTables:
		return []state.Resource{on.Resource}, nil
	case on.Kind == state.KindTable:
		return tablesOf(c, on.Account, on.Region, on.Database)
	case on.Kind == state.KindPolicy && isTable(on):
		return tablesOf(c, on.Account, on.Region)
	case on.Kind == state.KindPolicy:
		databases, err := state.Databases.All(c.Tx, on.Account, on.Region)
		if err != nil {
			return nil, err
		}
		var out []state.Resource
		for _, d := range databases {
			out = append(out, d.Resource())
		}
		return out, nil
	}
	return nil, nil
}

func tablesOf(c *engine.Call, key ...string) ([]state.Resource, error) {
	var out []state.Resource
	err := state.Tables.Scan(c.Tx, key, "", func(_ string, t state.Table) bool {
		out = append(out, t.Resource())
		return true
	})
	return out, err
}
