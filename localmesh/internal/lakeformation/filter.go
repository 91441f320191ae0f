package lakeformation

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/rowfilter"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// https://docs.aws.amazon.com/lake-formation/latest/dg/data-filters-about.html

// throughFilter is what a grant on a data cells filter gives on the filter's table:
// SELECT on what the filter shows. DESCRIBE and DROP are about the filter itself.
func throughFilter(c *engine.Call, r state.Resource, g state.Grant) (holding, error) {
	f, found, err := state.CellFilters.Get(c.Tx, r.Account, r.Region, r.Database, r.Table, g.On.Filter)
	if err != nil || !found || !slices.Contains(g.Permissions, selecting) {
		return holding{}, err
	}
	p := piece{all: f.AllColumns && len(f.Excluded) == 0}
	if !p.all {
		listed := f.Columns
		if f.AllColumns {
			listed = f.Excluded
		}
		if p.columns, err = chosen(c, r, listed, f.AllColumns); err != nil {
			return holding{}, err
		}
	}
	if !f.AllRows {
		p.rows = []string{f.Rows}
	}
	one := []string{selecting}
	return inPart(holding{perms: expand(one, tablePermissions), grantable: within(g.Grantable, one)}, p), nil
}

// mayFilter refuses unless the caller may restrict access to the table: as an
// administrator of its account or of one that the table is shared with, or with SELECT
// on the whole of it, with the grant option
// (https://docs.aws.amazon.com/lake-formation/latest/dg/managing-filters.html).
func mayFilter(c *engine.Call, r state.Resource) error {
	on := state.Securable{Kind: state.KindTable, Resource: r}
	if err := mayHandOn(c, on, []string{selecting}); err != nil {
		return err
	}
	return exists(c, target{on: on})
}

// mayHandOnFilter refuses unless the caller may grant the permissions on a data cells
// filter. Its own account's filters an administrator grants as it likes. Of those that
// another account made, only what they show is handed on: DESCRIBE on a shared filter
// cannot be granted
// (https://docs.aws.amazon.com/lake-formation/latest/dg/granting-filter-perms.html).
func mayHandOnFilter(c *engine.Call, on state.Securable, perms []string) error {
	refused := c.Denied("Resource does not exist or requester is not authorized to access requested permissions.")
	f, found, err := state.CellFilters.Get(c.Tx, on.Account, on.Region, on.Database, on.Table, on.Filter)
	if err != nil {
		return err
	}
	administrator, err := isAdmin(c)
	if err != nil {
		return err
	}
	own := on.Account == c.Account()
	if !found && own && administrator {
		return nil // which is told to be absent
	}
	made := f.Maker() == c.Account()
	if !found || !made && (own || !subset(perms, []string{selecting})) {
		return refused
	}
	principals := []string{c.Caller.Principal, everyone(c.Account())}
	if administrator {
		if own {
			return nil
		}
		account, err := asRecipient(c, c.Account())
		if err != nil {
			return err
		}
		principals = append(principals, account...)
	}
	var have []string
	for _, p := range principals {
		more, err := filterGrantable(c, on, p, made)
		if err != nil {
			return err
		}
		have = union(have, more)
	}
	if made && administrator && slices.Contains(have, selecting) || subset(perms, have) {
		return nil
	}
	return refused
}

// filterGrantable is what a principal may hand on about a filter: by a grant on the
// filter, or on the whole table. An account has a filter that it made by what it was
// granted, be it a part of the table.
func filterGrantable(c *engine.Call, on state.Securable, principal string, made bool) ([]string, error) {
	h, err := principalHolds(c, on.Resource, principal)
	if err != nil {
		return nil, err
	}
	have := h.grantable
	if h.partly && made && isRecipient(principal) {
		have = union(have, []string{selecting})
	}
	givers := []string{on.Account}
	if account := state.PrincipalAccount(principal, on.Account); account != on.Account {
		givers = append(givers, account)
	}
	for _, by := range givers {
		g, found, err := state.GetGrant(c.Tx, on, principal, by)
		if err != nil {
			return nil, err
		}
		if !found || len(g.Grantable) == 0 {
			continue
		}
		ok, err := counts(c, g)
		if err != nil {
			return nil, err
		}
		if ok {
			have = union(have, g.Grantable)
		}
	}
	return have, nil
}

// counts reports whether a grant on a filter is worth something at this moment, even if
// it has no SELECT.
func counts(c *engine.Call, g state.Grant) (bool, error) {
	g.Permissions = []string{selecting}
	h, err := held(c, g.On.Resource, g)
	return h.has(selecting), err
}

// seesFilter reports whether the caller may look at a filter. At first only who made it
// does, besides the administrators of its account; others with DESCRIBE or DROP on it,
// or SELECT with the grant option, which for an account its administrators have.
func seesFilter(c *engine.Call, f state.CellFilter) (bool, error) {
	position, err := rankOf(c)
	if err != nil || f.Maker() == c.Account() && position != nobody {
		return err == nil, err
	}
	return holdsFilter(c, f, position != nobody, func(g state.Grant) bool {
		return len(within(g.Permissions, []string{describe, drop})) > 0 || slices.Contains(g.Grantable, selecting)
	})
}

// mayDrop reports whether the caller may delete a filter.
func mayDrop(c *engine.Call, f state.CellFilter) (bool, error) {
	administrator, err := isAdmin(c)
	if err != nil || f.Maker() == c.Account() && administrator {
		return err == nil, err
	}
	return holdsFilter(c, f, false, func(g state.Grant) bool { return slices.Contains(g.Permissions, drop) })
}

// holdsFilter reports whether the caller, or with forAccount its account, was granted
// something on a filter that is enough.
func holdsFilter(c *engine.Call, f state.CellFilter, forAccount bool, enough func(state.Grant) bool) (bool, error) {
	on := state.Securable{Kind: state.KindFilter, Resource: f.Resource, Filter: f.Name}
	principals := []string{c.Caller.Principal, everyone(c.Account())}
	if forAccount && f.Account != c.Account() {
		account, err := asRecipient(c, c.Account())
		if err != nil {
			return false, err
		}
		principals = append(principals, account...)
	}
	for _, p := range principals {
		for _, by := range []string{f.Account, c.Account()} {
			g, found, err := state.GetGrant(c.Tx, on, p, by)
			if err != nil {
				return false, err
			}
			if !found || !enough(g) {
				continue
			}
			if ok, err := counts(c, g); err != nil || ok {
				return ok, err
			}
		}
	}
	return false, nil
}

// maxRowFilter is below how many characters a row filter has to be. The API's model
// allows as many, and the guide's text only fewer
// (https://docs.aws.amazon.com/lake-formation/latest/dg/partiql-support.html).
const maxRowFilter = 2048

// maxNesting is how many levels a nested column may lie deep.
const maxNesting = 5

// systemColumns are the names of columns that a table with row filters must not have
// (https://docs.aws.amazon.com/lake-formation/latest/dg/data-filtering-notes.html).
var systemColumns = []string{"ctid", "oid", "xmin", "cmin", "xmax", "cmax", "tableoid", "insertxid", "deletexid", "importoid", "redcatuniqueid"}

// readCellFilter reads a filter's definition.
func readCellFilter(c *engine.Call, in *types.DataCellsFilter) (state.CellFilter, error) {
	if in == nil {
		return state.CellFilter{}, invalid("TableData is mandatory in the input.")
	}
	t, err := readFilter(c, nil, &types.DataCellsFilterResource{
		TableCatalogId: in.TableCatalogId, DatabaseName: in.DatabaseName, TableName: in.TableName, Name: in.Name,
	})
	if err != nil {
		return state.CellFilter{}, err
	}
	f := state.CellFilter{Resource: t.on.Resource, Name: t.on.Filter, Version: c.Mesh.UUID(), By: c.Account(), CreatedBy: c.Caller.Principal}
	if err := mayFilter(c, f.Resource); err != nil {
		return f, err
	}
	table, _, err := state.GetTable(c.Tx, f.Account, f.Region, f.Database, f.Table)
	switch {
	case err != nil:
		return f, err
	case table.IsLink():
		return f, invalid("%s is a resource link. A data cells filter is made on the table that it points at.", table.Name)
	case table.IsView():
		return f, invalid("Data cells filters are not supported on views: %s", table.Name)
	}
	if err := readFilterColumns(&f, table, in); err != nil {
		return f, err
	}
	return f, readRows(c, &f, table, in.RowFilter)
}

// readFilterColumns reads the columns of a filter: a list of those that it shows, or
// all but a list.
func readFilterColumns(f *state.CellFilter, table state.Table, in *types.DataCellsFilter) error {
	listed := in.ColumnNames
	switch {
	case (len(in.ColumnNames) > 0) == (in.ColumnWildcard != nil):
		return invalid("Exactly one of column names and column wildcard must be given.")
	case in.ColumnWildcard != nil:
		f.AllColumns, listed = true, in.ColumnWildcard.ExcludedColumnNames
	}
	var names []string
	for _, given := range listed {
		path := rowfilter.ParsePath(given)
		key := slices.ContainsFunc(table.PartitionKeys, func(k state.Column) bool { return state.Fold(k.Name) == path[0] })
		switch {
		case !hasColumn(table, path):
			return invalid("The column %s does not exist.", given)
		case len(path) > maxNesting:
			return invalid("A nested column can lie at most %d levels deep: %s", maxNesting, given)
		case key && len(path) > 1:
			return invalid("A part of the partition key %s cannot be filtered.", path[0])
		case key && f.AllColumns:
			return invalid("The partition key %s cannot be excluded.", path[0])
		}
		names = append(names, path.String())
	}
	if f.AllColumns {
		f.Excluded = sorted(names)
		if left := len(table.Columns()); left > 0 && len(chosenOf(table, f.Excluded, true)) == len(table.PartitionKeys) {
			return invalid("All columns are excluded.")
		}
		return nil
	}
	f.Columns = sorted(names)
	return nil
}

// hasColumn reports whether a table has a column, or what is nested in one.
func hasColumn(table state.Table, path rowfilter.Path) bool {
	for _, column := range slices.Concat(table.Columns(), table.PartitionKeys) {
		if state.Fold(column.Name) == path[0] {
			_, ok := rowfilter.ParseType(column.Type).Find(path[1:])
			return ok
		}
	}
	return false
}

// readRows reads which rows a filter shows.
func readRows(c *engine.Call, f *state.CellFilter, table state.Table, in *types.RowFilter) error {
	if in == nil || (in.AllRowsWildcard != nil) == (aws.ToString(in.FilterExpression) != "") {
		return invalid("A row filter must have either an expression or the wildcard for all rows.")
	}
	f.Rows = aws.ToString(in.FilterExpression)
	if in.AllRowsWildcard != nil || rowfilter.All(f.Rows) {
		f.AllRows, f.Rows = true, ""
		return nil
	}
	if utf8.RuneCountInString(f.Rows) >= maxRowFilter {
		return invalid("A row filter expression must have less than %d characters.", maxRowFilter)
	}
	if strings.ContainsFunc(f.Rows, func(r rune) bool { return r < ' ' && r != '\t' && r != '\r' && r != '\n' }) {
		return invalid("A row filter expression has characters that are not allowed.")
	}
	var columns []rowfilter.Column
	add := func(all []state.Column, partition bool) error {
		for _, column := range all {
			if slices.Contains(systemColumns, state.Fold(column.Name)) {
				return invalid("A table with a column %s cannot have row filters.", column.Name)
			}
			if c.Mesh.Readings.RowFiltersNeedPlainTables && !rowfilter.Supports(column.Type) {
				return invalid("The type %s of the column %s is not supported in tables with row filters.", column.Type, column.Name)
			}
			columns = append(columns, rowfilter.Column{Name: column.Name, Type: column.Type, Partition: partition})
		}
		return nil
	}
	if err := add(table.Columns(), false); err != nil {
		return err
	}
	if err := add(table.PartitionKeys, true); err != nil {
		return err
	}
	if _, err := rowfilter.Parse(f.Rows, columns); err != nil {
		return invalid("The row filter expression is not valid: %v.", err)
	}
	return nil
}

// find is the filter, if ok says that the caller may do with it what it wants. Whoever
// may not is not told whether it exists.
func (f filterKey) find(c *engine.Call, ok func(*engine.Call, state.CellFilter) (bool, error)) (state.CellFilter, error) {
	t, err := readFilter(c, nil, &types.DataCellsFilterResource{
		TableCatalogId: f.catalog, DatabaseName: f.database, TableName: f.table, Name: f.name,
	})
	if err != nil {
		return state.CellFilter{}, err
	}
	found, there, err := state.CellFilters.Get(c.Tx, t.on.Account, t.on.Region, t.on.Database, t.on.Table, t.on.Filter)
	if err != nil {
		return state.CellFilter{}, err
	}
	if there {
		may, err := ok(c, found)
		if err == nil && !may {
			err = c.Denied("Resource does not exist or requester is not authorized to access requested permissions.")
		}
		return found, err
	}
	if err := mayFilter(c, t.on.Resource); err != nil {
		return found, err
	}
	return found, notFound("Data cells filter not found: %s", t.on.Filter)
}

// filterKey names a filter in a request.
type filterKey struct{ catalog, database, table, name *string }

// filterName reads the name of a filter: printable characters and tabs. Whether AWS
// folds it is not documented; the mesh does, so that two names that differ in case
// only are one.
func filterName(value *string) (string, error) {
	v := aws.ToString(value)
	bad := strings.ContainsFunc(v, func(r rune) bool { return r != '\t' && !unicode.IsPrint(r) })
	if n := utf8.RuneCountInString(v); n < 1 || n > 255 || bad {
		return "", invalid("Filter name must have 1 to 255 printable characters.")
	}
	return state.Fold(v), nil
}

func putFilter(c *engine.Call, f state.CellFilter) error {
	return state.CellFilters.Put(c.Tx, f, f.Account, f.Region, f.Database, f.Table, f.Name)
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_CreateDataCellsFilter.html
func createDataCellsFilter(c *engine.Call, in *lakeformation.CreateDataCellsFilterInput) (*lakeformation.CreateDataCellsFilterOutput, error) {
	if err := c.Allow("lakeformation:CreateDataCellsFilter"); err != nil {
		return nil, err
	}
	f, err := readCellFilter(c, in.TableData)
	if err != nil {
		return nil, err
	}
	if state.CellFilters.Has(c.Tx, f.Account, f.Region, f.Database, f.Table, f.Name) {
		return nil, engine.Errorf("AlreadyExistsException", "Data cells filter already exists: %s", f.Name)
	}
	if err := putFilter(c, f); err != nil {
		return nil, err
	}
	// Who makes a filter has all permissions on it, without the grant option, and is
	// listed with them.
	return &lakeformation.CreateDataCellsFilterOutput{}, state.PutGrant(c.Tx, state.Grant{
		On: state.Securable{Kind: state.KindFilter, Resource: f.Resource, Filter: f.Name}, Principal: c.Caller.Principal, By: c.Account(),
		Permissions: allows(state.Securable{Kind: state.KindFilter}), Updated: c.Now, UpdatedBy: c.Caller.Principal,
	})
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_UpdateDataCellsFilter.html
func updateDataCellsFilter(c *engine.Call, in *lakeformation.UpdateDataCellsFilterInput) (*lakeformation.UpdateDataCellsFilterOutput, error) {
	if err := c.Allow("lakeformation:UpdateDataCellsFilter"); err != nil {
		return nil, err
	}
	f, err := readCellFilter(c, in.TableData)
	if err != nil {
		return nil, err
	}
	old, found, err := state.CellFilters.Get(c.Tx, f.Account, f.Region, f.Database, f.Table, f.Name)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, notFound("Data cells filter not found: %s", f.Name)
	}
	sees, err := seesFilter(c, old)
	if err != nil {
		return nil, err
	}
	// Who may make a filter may change it, if it sees it. Nobody changes what another
	// account made: a recipient would widen what it was given.
	if !sees || old.Maker() != c.Account() {
		return nil, c.Denied("Resource does not exist or requester is not authorized to access requested permissions.")
	}
	if v := aws.ToString(in.TableData.VersionId); v != "" && v != old.Version {
		return nil, engine.Errorf("ConcurrentModificationException", "The data cells filter %s was changed in the meantime.", f.Name)
	}
	f.CreatedBy = old.CreatedBy
	return &lakeformation.UpdateDataCellsFilterOutput{}, putFilter(c, f)
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GetDataCellsFilter.html
func getDataCellsFilter(c *engine.Call, in *lakeformation.GetDataCellsFilterInput) (*lakeformation.GetDataCellsFilterOutput, error) {
	if err := c.Allow("lakeformation:GetDataCellsFilter"); err != nil {
		return nil, err
	}
	f, err := filterKey{in.TableCatalogId, in.DatabaseName, in.TableName, in.Name}.find(c, seesFilter)
	if err != nil {
		return nil, err
	}
	out := filterAnswer(f)
	return &lakeformation.GetDataCellsFilterOutput{DataCellsFilter: &out}, nil
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_DeleteDataCellsFilter.html
func deleteDataCellsFilter(c *engine.Call, in *lakeformation.DeleteDataCellsFilterInput) (*lakeformation.DeleteDataCellsFilterOutput, error) {
	if err := c.Allow("lakeformation:DeleteDataCellsFilter"); err != nil {
		return nil, err
	}
	f, err := filterKey{in.TableCatalogId, in.DatabaseName, in.TableName, in.Name}.find(c, mayDrop)
	if err != nil {
		return nil, err
	}
	on := state.Securable{Kind: state.KindFilter, Resource: f.Resource, Filter: f.Name}
	if c.Mesh.Readings.GrantedFiltersStay {
		grants, err := state.GrantsOn(c.Tx, on.Key()...)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(grants, func(g state.Grant) bool { return g.Principal != f.CreatedBy }) {
			return nil, invalid("Permissions on the data cells filter %s have to be revoked before it is deleted.", f.Name)
		}
	}
	if err := forget(c, on.Key()...); err != nil {
		return nil, err
	}
	return &lakeformation.DeleteDataCellsFilterOutput{}, state.CellFilters.Delete(c.Tx, f.Account, f.Region, f.Database, f.Table, f.Name)
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListDataCellsFilter.html
func listDataCellsFilter(c *engine.Call, in *lakeformation.ListDataCellsFilterInput) (*lakeformation.ListDataCellsFilterOutput, error) {
	if err := c.Allow("lakeformation:ListDataCellsFilter"); err != nil {
		return nil, err
	}
	key := []string{c.Account(), c.Region}
	if in.Table != nil {
		t, err := readTable(c, nil, in.Table)
		if err != nil {
			return nil, err
		}
		key = []string{t.on.Account, t.on.Region, t.on.Database}
		if t.on.Table != state.AllTables {
			key = append(key, t.on.Table)
		}
	}
	all, err := state.CellFilters.All(c.Tx, key...)
	if err != nil {
		return nil, err
	}
	var shown []state.CellFilter
	for _, f := range all {
		ok, err := seesFilter(c, f)
		if err != nil {
			return nil, err
		}
		if ok {
			shown = append(shown, f)
		}
	}
	shown, next, err := page(shown, func(f state.CellFilter) string { return f.Database + "\x00" + f.Table + "\x00" + f.Name }, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &lakeformation.ListDataCellsFilterOutput{NextToken: next, DataCellsFilters: []types.DataCellsFilter{}}
	for _, f := range shown {
		out.DataCellsFilters = append(out.DataCellsFilters, filterAnswer(f))
	}
	return out, nil
}

func filterAnswer(f state.CellFilter) types.DataCellsFilter {
	out := types.DataCellsFilter{
		TableCatalogId: aws.String(f.Account), DatabaseName: aws.String(f.Database), TableName: aws.String(f.Table), Name: aws.String(f.Name),
		VersionId: aws.String(f.Version), ColumnNames: slices.Clone(f.Columns), RowFilter: &types.RowFilter{},
	}
	if f.AllColumns {
		out.ColumnWildcard = &types.ColumnWildcard{ExcludedColumnNames: append([]string{}, f.Excluded...)}
	}
	if f.AllRows {
		// All rows are listed in both ways
		// (https://docs.aws.amazon.com/cli/latest/reference/lakeformation/list-data-cells-filter.html).
		out.RowFilter.AllRowsWildcard, out.RowFilter.FilterExpression = &types.AllRowsWildcard{}, aws.String("TRUE")
	} else {
		out.RowFilter.FilterExpression = aws.String(f.Rows)
	}
	return out
}
