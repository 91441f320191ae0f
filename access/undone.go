package access

import (
	"slices"

	"github.com/lakemesh/lakemesh"
)

// Undone is a narrow grant that is worth nothing, because the same grantee holds a wide one:
// what is granted is united, and all rows and all columns beat every part
// (https://docs.aws.amazon.com/lake-formation/latest/dg/data-filtering-notes.html).
type Undone struct {
	// Narrow is the grant on a part, Wide what undoes it, and By the permissions of Wide that
	// do so.
	Narrow, Wide Key
	By           lakemesh.Permissions
}

// Undoing finds the grants on parts of tables that wider ones undo: on the table, on all
// tables of its database, by tags that it carries, or by what cannot be told. ALTER undoes
// them as SELECT does: filters know columns by their names alone, and who may alter the table
// gives a name that is shown to another column.
func Undoing(grants Grants, catalog Catalog) []Undone {
	undoing := lakemesh.NewPermissions(lakemesh.All, lakemesh.Alter, lakemesh.Select)
	var all []Undone
	wide := map[Grantee][]Key{}
	for k, h := range grants {
		if len(h.Permissions.Intersect(undoing)) > 0 && k.Object.Kind != KindFilter && k.Object.Kind != KindDatabase && k.Object.Kind != KindTaggedDatabases && k.Object.Kind != KindLink {
			wide[k.Grantee] = append(wide[k.Grantee], k)
		}
	}
	for _, narrow := range grants.Keys() {
		if narrow.Object.Kind != KindFilter || !selects(grants[narrow]) {
			continue
		}
		candidates := wide[narrow.Grantee]
		slices.SortFunc(candidates, Compare)
		for _, k := range candidates {
			if covers(k.Object, narrow.Object, catalog) {
				all = append(all, Undone{narrow, k, grants[k].Permissions.Intersect(undoing)})
			}
		}
	}
	return all
}

// selects reports whether something of the data can be read by it.
func selects(h Held) bool {
	return h.Permissions.Has(lakemesh.Select) || h.Permissions.Has(lakemesh.All)
}

// covers reports whether a wide object has the table of a narrow one.
func covers(wide, narrow Object, catalog Catalog) bool {
	if wide.Account != narrow.Account {
		return false
	}
	switch wide.Kind {
	case KindTable, KindUnknown:
		return wide.Database == narrow.Database && wide.Table == narrow.Table
	case KindAllTables:
		return wide.Database == narrow.Database
	case KindTaggedTables:
		tags, readable := wide.Tags()
		table, ok := catalog.Table(narrow.Database, narrow.Table)
		return !readable || !ok || table.Tags == nil || tags.Match(table.Tags)
	case KindColumns, KindDatabase, KindFilter, KindTaggedDatabases, KindLink:
	}
	return false
}
