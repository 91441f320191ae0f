package glue

// https://docs.aws.amazon.com/glue/latest/webapi/API_SearchTables.html

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/lakeformation"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func searchOperations() []engine.Operation {
	return []engine.Operation{
		engine.Op("SearchTables", engine.Read, api+"SearchTables.html",
			"IAM on the catalog; tables without DESCRIBE are left out; shared ones only with ResourceShareType ALL or FOREIGN; links are not followed; pages of 1 to 1000.", searchTables),
	}
}

func searchTables(c *engine.Call, in *glue.SearchTablesInput) (*glue.SearchTablesOutput, error) {
	account, err := catalog(c, in.CatalogId)
	if err != nil {
		return nil, err
	}
	size, err := pageSize(in.MaxResults, 1000)
	if err != nil {
		return nil, err
	}
	if len(in.SortCriteria) > 1 {
		return nil, count("sortCriteria", len(in.SortCriteria), 0, 1)
	}
	own := state.Resource{Account: account, Region: c.Region}
	a, err := authorize(c, "glue:SearchTables", own)
	if err != nil {
		return nil, err
	}
	var found []state.Table
	if in.ResourceShareType != types.ResourceShareTypeForeign && in.ResourceShareType != types.ResourceShareTypeFederated {
		var failed error
		err := state.Tables.Scan(c.Tx, []string{account, c.Region}, "", func(_ string, t state.Table) bool {
			if !matchesSearch(t, in) {
				return true
			}
			var ok bool
			if ok, failed = a.holds(t.Resource(), lfDescribe); ok {
				found = append(found, t)
			}
			return failed == nil
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			return nil, err
		}
	}
	if in.ResourceShareType == types.ResourceShareTypeForeign || in.ResourceShareType == types.ResourceShareTypeAll {
		shared, err := lakeformation.SharedTables(c)
		if err != nil {
			return nil, err
		}
		for _, r := range shared {
			t, ok, err := state.GetTable(c.Tx, r.Account, r.Region, r.Database, r.Table)
			if err != nil {
				return nil, err
			}
			if ok && r.Account != account && matchesSearch(t, in) {
				found = append(found, t)
			}
		}
	}
	if err := sortFound(found, in.SortCriteria); err != nil {
		return nil, err
	}
	start, err := offset(in.NextToken, len(found))
	if err != nil {
		return nil, err
	}
	out := &glue.SearchTablesOutput{TableList: []types.Table{}}
	end := min(start+size, len(found))
	for _, t := range found[start:end] {
		listed := tableOut(t)
		if err := a.hideColumns(t, listed); err != nil {
			return nil, err
		}
		out.TableList = append(out.TableList, *listed)
	}
	if end < len(found) {
		out.NextToken = offsetToken(end)
	}
	return out, nil
}

// matchesSearch tells whether a table has the text and passes the filters.
func matchesSearch(t state.Table, in *glue.SearchTablesInput) bool {
	if text := aws.ToString(in.SearchText); text != "" && !hasText(t, text) {
		return false
	}
	for _, f := range in.Filters {
		if !passes(t, f) {
			return false
		}
	}
	return true
}

// hasText looks for a text in what describes a table; a quoted text must be one
// of these as a whole.
func hasText(t state.Table, text string) bool {
	parts := []string{t.Name, t.Database, t.Description}
	for _, c := range append(slices.Clone(t.Columns()), t.PartitionKeys...) {
		parts = append(parts, c.Name, c.Comment)
	}
	for k, v := range t.Parameters {
		parts = append(parts, k, v)
	}
	if exact, ok := strings.CutPrefix(text, `"`); ok && strings.HasSuffix(exact, `"`) && exact != `"` {
		exact = strings.TrimSuffix(exact, `"`)
		return slices.ContainsFunc(parts, func(p string) bool { return strings.EqualFold(p, exact) })
	}
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(strings.ToLower(p), strings.ToLower(text)) })
}

// passes tells whether a table passes one filter. Texts are cut at punctuation,
// and one of the pieces, or the whole, must be the value.
func passes(t state.Table, f types.PropertyPredicate) bool {
	key, value := aws.ToString(f.Key), aws.ToString(f.Value)
	var text string
	switch strings.ToLower(key) {
	case "name":
		text = t.Name
	case "databasename":
		text = t.Database
	case "description":
		text = t.Description
	case "owner":
		text = t.Owner
	case "tabletype":
		text = t.Type
	case "createtime":
		return passesTime(t.Created, f.Comparator, value)
	case "updatetime":
		return passesTime(t.Updated, f.Comparator, value)
	case "lastaccesstime":
		return passesTime(t.LastAccess, f.Comparator, value)
	default:
		var ok bool
		if text, ok = t.Parameters[key]; !ok {
			return false
		}
	}
	pieces := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' })
	return strings.EqualFold(text, value) || slices.ContainsFunc(pieces, func(p string) bool { return strings.EqualFold(p, value) })
}

func passesTime(t time.Time, comparator types.Comparator, value string) bool {
	wanted, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return false
	}
	switch order := t.Truncate(time.Second).Compare(wanted); comparator {
	case types.ComparatorGreaterThan:
		return order > 0
	case types.ComparatorGreaterThanEquals:
		return order >= 0
	case types.ComparatorLessThan:
		return order < 0
	case types.ComparatorLessThanEquals:
		return order <= 0
	default:
		return order == 0
	}
}

// sortFound sorts by one field, and by database and name where that is equal.
func sortFound(tables []state.Table, criteria []types.SortCriterion) error {
	by := func(state.Table, state.Table) int { return 0 }
	if len(criteria) == 1 {
		switch strings.ToLower(aws.ToString(criteria[0].FieldName)) {
		case "name":
			by = func(x, y state.Table) int { return cmp.Compare(x.Name, y.Name) }
		case "databasename":
			by = func(x, y state.Table) int { return cmp.Compare(x.Database, y.Database) }
		case "createtime":
			by = func(x, y state.Table) int { return x.Created.Compare(y.Created) }
		case "updatetime":
			by = func(x, y state.Table) int { return x.Updated.Compare(y.Updated) }
		case "lastaccesstime":
			by = func(x, y state.Table) int { return x.LastAccess.Compare(y.LastAccess) }
		case "owner":
			by = func(x, y state.Table) int { return cmp.Compare(x.Owner, y.Owner) }
		default:
			return invalid("Tables cannot be sorted by %s", short(aws.ToString(criteria[0].FieldName)))
		}
		if criteria[0].Sort == types.SortDescending {
			ascending := by
			by = func(x, y state.Table) int { return ascending(y, x) }
		}
	}
	slices.SortStableFunc(tables, func(x, y state.Table) int {
		return cmp.Or(by(x, y), cmp.Compare(x.Account, y.Account), cmp.Compare(x.Database, y.Database), cmp.Compare(x.Name, y.Name))
	})
	return nil
}
