package lakeformation

import (
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// The permissions of Lake Formation
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html).
const (
	super              = "ALL" // the console calls it Super
	selecting          = "SELECT"
	alter              = "ALTER"
	drop               = "DROP"
	deleting           = "DELETE"
	insert             = "INSERT"
	describe           = "DESCRIBE"
	createDatabase     = "CREATE_DATABASE"
	createTable        = "CREATE_TABLE"
	dataLocationAccess = "DATA_LOCATION_ACCESS"
	createTag          = "CREATE_LF_TAG"
	createExpression   = "CREATE_LF_TAG_EXPRESSION"
	associate          = "ASSOCIATE"
	grantWithTags      = "GRANT_WITH_LF_TAG_EXPRESSION"
)

var (
	databasePermissions = []string{super, alter, createTable, describe, drop}
	tablePermissions    = []string{super, alter, deleting, describe, drop, insert, selecting}
	viewPermissions     = []string{super, describe, drop, selecting}
	linkPermissions     = []string{describe, drop}
)

// allows are the permissions that can be granted on a kind of thing. LF-tags have
// two sets: those of the key and those of its values.
func allows(on state.Securable) []string {
	switch on.Kind {
	case state.KindCatalog:
		return []string{createDatabase, createTag, createExpression}
	case state.KindDatabase:
		return databasePermissions
	case state.KindTable:
		return tablePermissions
	case state.KindColumns:
		return []string{selecting}
	case state.KindFilter:
		return []string{describe, drop, selecting}
	case state.KindLocation:
		return []string{dataLocationAccess}
	case state.KindTag:
		if on.TagValue == "" {
			return []string{alter, drop}
		}
		return []string{associate, describe, grantWithTags}
	case state.KindPolicy:
		if on.PolicyType == "DATABASE" {
			return databasePermissions
		}
		return tablePermissions
	case state.KindExpression:
		return []string{alter, describe, drop, grantWithTags}
	}
	return nil
}

// isTable tells whether the permissions on a securable are those of tables.
func isTable(on state.Securable) bool {
	switch on.Kind {
	case state.KindTable, state.KindColumns, state.KindFilter:
		return true
	case state.KindPolicy:
		return on.PolicyType != "DATABASE"
	}
	return false
}

// expand adds what permissions imply: ALL is every permission of the kind, and
// every permission on a database or a table implies DESCRIBE.
func expand(perms, kind []string) []string {
	out := slices.Clone(perms)
	if slices.Contains(out, super) {
		out = append(out, kind...)
	}
	if len(out) > 0 {
		out = append(out, describe)
	}
	return sorted(out)
}

// sorted returns the names in order and once each, as the API hands them out.
func sorted(names []string) []string {
	out := slices.Clone(names)
	slices.Sort(out)
	return slices.Compact(out)
}

// union is what is in one of the lists. It may be one of them, and none of the three
// is changed by anybody.
func union(a, b []string) []string {
	if len(a) == 0 {
		a, b = b, a
	}
	if len(b) == 0 && slices.IsSorted(a) {
		return a
	}
	return sorted(append(slices.Clone(a), b...))
}

// without is what is in a and not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(p string) bool { return slices.Contains(b, p) })
}

// within is what is in both lists.
func within(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(p string) bool { return !slices.Contains(b, p) })
}

// subset tells whether all of a is in b.
func subset(a, b []string) bool { return len(without(a, b)) == 0 }

// spoken is a permission as messages name it: "Create Table".
func spoken(perm string) string {
	words := strings.Split(strings.ToLower(perm), "_")
	for i, w := range words {
		if w != "" {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, " ")
}
