package lakeformation

import (
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// optedIn tells whether the caller was opted in to Lake Formation's permissions
// on r, on all tables of r's database, on the database or on the catalog
// (https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-access-mode.html).
func optedIn(c *engine.Call, r state.Resource) (bool, error) {
	catalog := state.Resource{Account: r.Account, Region: r.Region}
	on := []state.Securable{{Kind: state.KindCatalog, Resource: catalog}}
	if r.Database != "" {
		database := r
		database.Table = ""
		on = append(on, state.Securable{Kind: state.KindDatabase, Resource: database})
	}
	if r.Table != "" {
		every := r
		every.Table = state.AllTables
		on = append(on, state.Securable{Kind: state.KindTable, Resource: r}, state.Securable{Kind: state.KindTable, Resource: every})
	}
	for _, s := range on {
		for _, principal := range []string{c.Caller.Principal, everyone(c.Account())} {
			if state.OptIns.Has(c.Tx, append(s.Key(), principal, "")...) {
				return true, nil
			}
		}
	}
	return false, nil
}
