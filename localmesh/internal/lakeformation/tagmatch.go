package lakeformation

import (
	"maps"
	"slices"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// https://docs.aws.amazon.com/lake-formation/latest/dg/TBAC-overview.html

// anyValue stands for all values of an LF-tag, those that it will get among them.
const anyValue = "*"

// matches tells whether the tags fulfil an expression: every key of it, with one
// of the values that it lists.
func matches(expression []state.TagValues, tags map[string]string) bool {
	for _, term := range expression {
		value, ok := tags[term.Key]
		if !ok || !slices.Contains(term.Values, value) && !slices.Contains(term.Values, anyValue) {
			return false
		}
	}
	return len(expression) > 0
}

// assigned are the tags that were put on exactly this object; column is empty for
// the database or the table. They must not be changed.
func assigned(c *engine.Call, r state.Resource, column string) (map[string]string, error) {
	tags, _, err := state.TagAssignments.Shared(c.Tx, r.Account, r.Region, state.Fold(r.Database), state.Fold(r.Table), state.Fold(column))
	return tags, err
}

// tagsOn are the tags that an object carries: its own, and those of what it is in
// where it has none of its own for the key.
func tagsOn(c *engine.Call, r state.Resource, column string) (map[string]string, error) {
	database := r
	database.Table = ""
	tags := map[string]string{}
	levels := []struct {
		r      state.Resource
		column string
	}{{database, ""}, {r, ""}, {r, column}}
	for _, level := range levels {
		own, err := assigned(c, level.r, level.column)
		if err != nil {
			return nil, err
		}
		maps.Copy(tags, own)
	}
	return tags, nil
}

// policiesMatching are the principal's grants on expressions of LF-tags that r,
// or with a table one of its columns, fulfils.
func policiesMatching(c *engine.Call, r state.Resource, account, principal string) ([]state.Grant, error) {
	kind := "DATABASE"
	if r.Table != "" {
		kind = "TABLE"
	}
	policies, err := state.GrantsTo(c.Tx, account, principal, r.Account, r.Region, string(state.KindPolicy), kind)
	if err != nil || len(policies) == 0 {
		return nil, err
	}
	tags, err := tagsOn(c, r, "")
	if err != nil {
		return nil, err
	}
	var found []state.Grant
	for _, g := range policies {
		expression, err := expressionOf(c, g.On)
		if err != nil {
			return nil, err
		}
		ok := matches(expression, tags)
		if !ok && r.Table != "" {
			columns, err := matchingColumns(c, r, expression)
			if err != nil {
				return nil, err
			}
			ok = len(columns) > 0
		}
		if ok {
			found = append(found, g)
		}
	}
	return found, nil
}

// expressionOf is the expression of a tag policy, which may be a saved one. One
// that was deleted matches nothing.
func expressionOf(c *engine.Call, on state.Securable) ([]state.TagValues, error) {
	if on.Name == "" {
		return on.Expression, nil
	}
	saved, _, err := state.TagExpressions.Get(c.Tx, on.Account, on.Region, on.Name)
	return saved.Expression, err
}

// matchingColumns are the columns of a table that fulfil an expression with the
// tags that they carry.
func matchingColumns(c *engine.Call, r state.Resource, expression []state.TagValues) ([]string, error) {
	t, found, err := state.GetTable(c.Tx, r.Account, r.Region, r.Database, r.Table)
	if err != nil || !found {
		return nil, err
	}
	inherited, err := tagsOn(c, r, "")
	if err != nil {
		return nil, err
	}
	// Few columns have tags of their own: all others match as the table does.
	own := map[string]map[string]string{}
	err = state.TagAssignments.ScanShared(c.Tx, []string{r.Account, r.Region, state.Fold(r.Database), state.Fold(r.Table)}, "", func(key string, tags *map[string]string) bool {
		own[store.Parts(key)[4]] = *tags
		return true
	})
	if err != nil {
		return nil, err
	}
	table := matches(expression, inherited)
	var names []string
	for _, name := range t.ColumnNames() {
		ok := table
		if tags := own[state.Fold(name)]; len(tags) > 0 {
			all := maps.Clone(inherited)
			maps.Copy(all, tags)
			ok = matches(expression, all)
		}
		if ok {
			names = append(names, state.Fold(name))
		}
	}
	return names, nil
}

// onlyMatching are the columns of the table that a tag policy matches, or nil if it
// matches all of it.
func onlyMatching(c *engine.Call, r state.Resource, g state.Grant) ([]string, error) {
	t, found, err := state.GetTable(c.Tx, r.Account, r.Region, r.Database, r.Table)
	if err != nil || !found {
		return nil, err
	}
	expression, err := expressionOf(c, g.On)
	if err != nil {
		return nil, err
	}
	columns, err := matchingColumns(c, r, expression)
	if err != nil || len(columns) == len(t.ColumnNames()) {
		return nil, err
	}
	if columns == nil {
		columns = []string{}
	}
	for _, key := range t.PartitionKeys { // which cannot be filtered
		columns = append(columns, state.Fold(key.Name))
	}
	return sorted(columns), nil
}
