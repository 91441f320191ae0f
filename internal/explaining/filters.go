package explaining

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// Filters are what data cells filters of a table show, by their names.
type Filters map[string]Filter

// Filter is what a data cells filter shows.
type Filter struct {
	access.Filter
	// Seen tells that it was read; else it is what the record of a subscription says.
	Seen bool
}

// LookAt reads the filters that something was granted on. What a filter shows that the caller
// may not see is taken from the record of a subscription, if one names it.
func (a *Asked) LookAt(ctx context.Context, lake *permissions.Lake, rows []permissions.Holding, records []*tracker.Record) error {
	if a.Filters == nil {
		a.Filters = Filters{}
	}
	for _, r := range rows {
		if _, known := a.Filters[r.Filter]; known || r.Filter == "" {
			continue
		}
		is, there, err := lake.CellsFilter(ctx, permissions.Filter(a.Mesh, a.Database, a.Table, r.Filter))
		var typed *lakemesh.Error
		switch {
		case err == nil && there:
			a.Filters[r.Filter] = Filter{Filter: is, Seen: true}
			continue
		case err != nil && !awserr.Denied(err) && !errors.As(err, &typed):
			return err
		}
		if s, ok := a.said(r.Filter, records); ok {
			a.Filters[r.Filter] = Filter{Filter: s}
		}
	}
	return nil
}

// said is what the record of a subscription says that a filter shows.
func (a Asked) said(name string, records []*tracker.Record) (access.Filter, bool) {
	a.Grantee = ""
	for _, r := range a.About(records) {
		for _, given := range r.MayHold() {
			s := given.Scope
			if filterOf(s) != name {
				continue
			}
			return access.Filter{Columns: s.Columns, Except: s.ExceptColumns, Rows: s.Rows}, true
		}
	}
	return access.Filter{}, false
}

// filterOf is the filter that carries a scope; empty if none does.
func filterOf(s lakemesh.Scope) string {
	if !s.Partly() {
		return ""
	}
	return chain.FilterOf(s)
}

// isKey reports whether a column is a partition key.
func (a Asked) isKey(column string) bool {
	for _, k := range a.Schema.PartitionKeys {
		if strings.EqualFold(k.Name, column) {
			return true
		}
	}
	return false
}

// cells are what rows give, by column.
func (a Asked) cells(rows []permissions.Holding) chain.Cells {
	all := chain.Cells{}
	for _, c := range a.Schema.Columns {
		all[strings.ToLower(c.Name)] = chain.Seen{}
	}
	if len(all) == 0 {
		all[chain.Others] = chain.Seen{}
	}
	for _, r := range rows {
		all = all.Or(a.granted(r, all))
	}
	for _, k := range a.Schema.PartitionKeys {
		delete(all, strings.ToLower(k.Name))
	}
	return all
}

// granted is what one row gives. Of columns that the table does not have it gives nothing.
func (a Asked) granted(r permissions.Holding, columns chain.Cells) chain.Cells {
	shown, names, out := chain.Seen{All: true}, r.Columns, r.Except
	if r.Filter != "" {
		f, known := a.Filters[r.Filter]
		names, out = f.Columns, f.Except
		if f.Rows != "" {
			shown = chain.Seen{Rows: []string{f.Rows}}
		}
		if !known {
			shown = chain.Seen{}
		}
		if !f.Seen {
			shown.NotSeen = []string{r.Filter}
		}
	}
	all := chain.Cells{}
	_, open := columns[chain.Others]
	put := func(names []string, seen chain.Seen) {
		for _, name := range names {
			if _, has := columns[name]; has || open {
				all[name] = seen
			}
		}
	}
	if len(names) == 0 {
		put(slices.Collect(maps.Keys(columns)), shown)
	}
	put(names, shown)
	put(out, chain.Seen{})
	if _, told := all[chain.Others]; open && !told {
		all[chain.Others] = chain.Seen{}
	}
	return all
}
