package lakeformation

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// throughFilter limits a holding to the columns and rows of the grant's data cells
// filter.
func throughFilter(c *engine.Call, r state.Resource, g state.Grant, h holding) (holding, error) {
	f, found, err := state.CellFilters.Get(c.Tx, r.Account, r.Region, r.Database, r.Table, g.On.Filter)
	if err != nil || !found {
		return holding{}, err
	}
	h.allColumns, h.cells = false, !f.AllRows
	listed := f.Columns
	if f.AllColumns {
		listed = f.Excluded
	}
	h.columns, err = chosen(c, r, listed, f.AllColumns)
	return h, err
}

// mayFilter refuses unless the caller may restrict access to the table: as an
// administrator of its account, or with SELECT and the grant option.
func mayFilter(c *engine.Call, r state.Resource) error {
	if err := ownCatalog(c, &r.Account); err != nil {
		return err
	}
	on := state.Securable{Kind: state.KindTable, Resource: r}
	if err := mayHandOn(c, on, []string{selecting}); err != nil {
		return err
	}
	return exists(c, target{on: on})
}

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
	f := state.CellFilter{Resource: t.on.Resource, Name: t.on.Filter, Version: c.Mesh.UUID()}
	if err := mayFilter(c, f.Resource); err != nil {
		return f, err
	}
	switch {
	case (len(in.ColumnNames) > 0) == (in.ColumnWildcard != nil):
		return f, invalid("Exactly one of column names and column wildcard must be given.")
	case in.ColumnWildcard != nil:
		f.AllColumns, f.Excluded = true, foldAll(in.ColumnWildcard.ExcludedColumnNames)
	default:
		f.Columns = foldAll(in.ColumnNames)
	}
	table, _, err := state.GetTable(c.Tx, f.Account, f.Region, f.Database, f.Table)
	if err != nil {
		return f, err
	}
	if bad := without(union(f.Columns, f.Excluded), foldAll(table.ColumnNames())); len(bad) > 0 {
		return f, invalid("The column %s does not exist.", bad[0])
	}
	if in.RowFilter == nil || (in.RowFilter.AllRowsWildcard != nil) == (aws.ToString(in.RowFilter.FilterExpression) != "") {
		return f, invalid("A row filter must have either an expression or the wildcard for all rows.")
	}
	f.AllRows, f.Rows = in.RowFilter.AllRowsWildcard != nil, aws.ToString(in.RowFilter.FilterExpression)
	if len(f.Rows) > 2048 {
		return f, invalid("The row filter expression is too long.")
	}
	return f, nil
}

func (f filterKey) find(c *engine.Call) (state.CellFilter, error) {
	t, err := readFilter(c, nil, &types.DataCellsFilterResource{
		TableCatalogId: f.catalog, DatabaseName: f.database, TableName: f.table, Name: f.name,
	})
	if err != nil {
		return state.CellFilter{}, err
	}
	if err := mayFilter(c, t.on.Resource); err != nil {
		return state.CellFilter{}, err
	}
	found, ok, err := state.CellFilters.Get(c.Tx, t.on.Account, t.on.Region, t.on.Database, t.on.Table, t.on.Filter)
	if err == nil && !ok {
		err = notFound("Data cells filter not found: %s", t.on.Filter)
	}
	return found, err
}

// filterKey names a filter in a request.
type filterKey struct{ catalog, database, table, name *string }

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
	return &lakeformation.CreateDataCellsFilterOutput{}, putFilter(c, f)
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
	if !state.CellFilters.Has(c.Tx, f.Account, f.Region, f.Database, f.Table, f.Name) {
		return nil, notFound("Data cells filter not found: %s", f.Name)
	}
	return &lakeformation.UpdateDataCellsFilterOutput{}, putFilter(c, f)
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GetDataCellsFilter.html
func getDataCellsFilter(c *engine.Call, in *lakeformation.GetDataCellsFilterInput) (*lakeformation.GetDataCellsFilterOutput, error) {
	if err := c.Allow("lakeformation:GetDataCellsFilter"); err != nil {
		return nil, err
	}
	f, err := filterKey{in.TableCatalogId, in.DatabaseName, in.TableName, in.Name}.find(c)
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
	f, err := filterKey{in.TableCatalogId, in.DatabaseName, in.TableName, in.Name}.find(c)
	if err != nil {
		return nil, err
	}
	on := state.Securable{Kind: state.KindFilter, Resource: f.Resource, Filter: f.Name}
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
		if err := mayFilter(c, t.on.Resource); err != nil {
			return nil, err
		}
		key = []string{t.on.Account, t.on.Region, t.on.Database, t.on.Table}
	}
	all, err := state.CellFilters.All(c.Tx, key...)
	if err != nil {
		return nil, err
	}
	administrator, err := isAdmin(c)
	if err != nil {
		return nil, err
	}
	var shown []state.CellFilter
	for _, f := range all {
		ok := administrator
		if !ok {
			on := state.Securable{Kind: state.KindTable, Resource: f.Resource}
			if ok, err = handsOn(c, on, []string{c.Caller.Principal, everyone(c.Account())}, []string{selecting}); err != nil {
				return nil, err
			}
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
		out.ColumnWildcard = &types.ColumnWildcard{ExcludedColumnNames: f.Excluded}
	}
	if f.AllRows {
		out.RowFilter.AllRowsWildcard = &types.AllRowsWildcard{}
	} else {
		out.RowFilter.FilterExpression = aws.String(f.Rows)
	}
	return out
}
