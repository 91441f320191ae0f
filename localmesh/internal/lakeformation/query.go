package lakeformation

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/rowfilter"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// Lake Formation hands out what a whole table consists of, and says what of it may be
// shown; the query engine leaves out the rest
// (https://docs.aws.amazon.com/lake-formation/latest/dg/how-vending-works.html).

// View is what a query engine may show of a table to the caller.
type View struct {
	// Permissions are those that the caller holds on the table.
	Permissions []string
	// Columns are the columns of which something may be shown, by the names that the
	// table has, or parts of columns, each part of their names in double quotes.
	Columns []string
	// Rows is the condition of the rows that may be shown, or empty.
	Rows string
	// Cells are the columns that may be shown in some of the rows only.
	Cells []Cells
}

// Cells are the cells of a column that lie in rows that fulfil a condition.
type Cells struct{ Column, Rows string }

// Look is a query engine's request for a [View].
type Look struct {
	// Permissions are those that the caller must have, Supported the kinds of
	// permissions that the engine can enforce.
	Permissions, Supported []string
	// Open is set if IAM_ALLOWED_PRINCIPALS and the catalog's policy let the caller
	// read the table.
	Open bool
	// Integrated is set for query engines of AWS itself, which enforce whatever there is to
	// enforce and which owners need not allow
	// (https://docs.aws.amazon.com/lake-formation/latest/dg/working-with-services.html).
	Integrated bool
}

// ViewOf is what an engine may show of a table. It is refused to whom the owner does
// not trust to hide the rest, or who cannot.
func ViewOf(c *engine.Call, t state.Table, l Look) (View, error) {
	if !l.Integrated {
		if err := checkSupported(l.Supported); err != nil {
			return View{}, err
		}
	}
	h, err := callerHolds(c, t.Resource())
	if err != nil {
		return View{}, err
	}
	if l.Open {
		h.join(holding{perms: []string{describe, selecting}, reads: everything})
	}
	for _, p := range append([]string{describe}, l.Permissions...) {
		if !h.has(p) {
			return View{}, c.Denied("Insufficient Lake Formation permission(s): Required " + spoken(p) + " on " + t.Name)
		}
	}
	if !l.Integrated {
		if err := enforceable(c, t, h.reads, l.Supported); err != nil {
			return View{}, err
		}
	}
	v := View{Permissions: sorted(h.perms), Rows: h.reads.rowFilter(nil)}
	names := map[string]string{}
	for _, n := range t.ColumnNames() {
		names[state.Fold(n)] = n
	}
	for _, path := range h.reads.seen(t) {
		name := path.String()
		if len(path) == 1 {
			name = names[path[0]]
		}
		v.Columns = append(v.Columns, name)
		if rows := h.reads.rowFilter(path); rows != "" {
			v.Cells = append(v.Cells, Cells{name, rows})
		}
	}
	return v, nil
}

// permissionTypes are the kinds of permissions that an engine may be able to enforce,
// each with all before it.
var permissionTypes = []types.PermissionType{
	types.PermissionTypeColumnPermission, types.PermissionTypeCellFilterPermission,
	types.PermissionTypeNestedPermission, types.PermissionTypeNestedCellPermission,
}

// checkSupported checks the kinds of permissions that an engine says it enforces.
func checkSupported(supported []string) error {
	if len(supported) < 1 || len(supported) > 255 {
		return invalid("1 to 255 SupportedPermissionTypes must be given.")
	}
	for _, s := range supported {
		if !slices.Contains(permissionTypes, types.PermissionType(s)) {
			return invalid("Invalid permission type: %s", s)
		}
	}
	return nil
}

// enforceable refuses a table to a caller whom the owner does not trust to show only
// what was granted. With AllowFullTableExternalDataAccess any caller that reads all of
// it gets it; with AllowExternalDataFiltering an engine of a listed account with the
// session tag does, if it can enforce what there is to enforce
// (https://docs.aws.amazon.com/lake-formation/latest/dg/full-table-credential-vending.html).
func enforceable(c *engine.Call, t state.Table, reads sight, supported []string) error {
	s, err := settingsOf(c, t.Account, t.Region)
	if err != nil {
		return err
	}
	if s.FullTableAccess && reads.full() {
		return nil
	}
	trusted := s.ExternalFiltering && slices.Contains(s.ExternalFilteringList, c.Account()) && c.Caller.Session != nil &&
		slices.Contains(s.SessionTagValues, c.Caller.Session.Tags[trustedCallerTag])
	switch {
	case !trusted && s.FullTableAccess:
		return c.Denied("The caller does not have access to all columns and rows of the table.")
	case !trusted:
		return c.Denied("Access is not allowed: the data lake settings of account " + t.Account + " do not allow full table external data access.")
	}
	needed := reads.needs(t)
	enough := func(s string) bool {
		if c.Mesh.Readings.PermissionTypesSingly {
			return s == string(needed)
		}
		// Each kind includes those before it
		// (https://docs.aws.amazon.com/glue/latest/webapi/API_GetUnfilteredTableMetadata.html).
		return slices.Index(permissionTypes, types.PermissionType(s)) >= slices.Index(permissionTypes, needed)
	}
	if needed != "" && !slices.ContainsFunc(supported, enough) {
		return engine.Errorf("PermissionTypeMismatchException", "The permissions on the table are of the type %s, which the engine does not support.", string(needed))
	}
	return nil
}

// Narrowed is the type of a column as whoever sees these columns, and parts of columns,
// sees it. It reports whether the column is seen at all.
func Narrowed(column, typ string, seen []string) (string, bool) {
	paths := make([]rowfilter.Path, len(seen))
	for i, name := range seen {
		paths[i] = rowfilter.ParsePath(name)
	}
	t, ok := rowfilter.ParseType(typ).Keep(rowfilter.Path{state.Fold(column)}, paths)
	return t.Text, ok
}
