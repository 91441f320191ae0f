package lakeformation

import (
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
