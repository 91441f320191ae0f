package lakeformation

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// search reads an expression whose tags must exist, and the size of a page.
func search(c *engine.Call, catalog *string, expression []types.LFTag, size *int32) (owner string, terms []state.TagValues, err error) {
	if owner, err = catalogOf(c, catalog); err != nil {
		return "", nil, err
	}
	if len(expression) == 0 {
		return "", nil, invalid("An expression must be given.")
	}
	if size != nil && (*size < 1 || *size > 100) {
		return "", nil, invalid("MaxResults must be between 1 and 100.")
	}
	if terms, err = readExpression(expression, false); err != nil {
		return "", nil, err
	}
	for _, term := range terms {
		if err := tagExists(c, tagSecurable(owner, c.Region, "", ""), term); err != nil {
			return "", nil, err
		}
	}
	return owner, terms, nil
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_SearchTablesByLFTags.html
func searchTablesByLFTags(c *engine.Call, in *lakeformation.SearchTablesByLFTagsInput) (*lakeformation.SearchTablesByLFTagsOutput, error) {
	if err := c.Allow("lakeformation:SearchTablesByLFTags"); err != nil {
		return nil, err
	}
	owner, terms, err := search(c, in.CatalogId, in.Expression, in.MaxResults)
	if err != nil {
		return nil, err
	}
	tables, err := carrying(c, owner, terms[0])
	if err != nil {
		return nil, err
	}
	found, err := matching(c, tables, terms)
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, searchKey, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &lakeformation.SearchTablesByLFTagsOutput{NextToken: next, TableList: []types.TaggedTable{}}
	for _, r := range found {
		tags, err := resourceTags(c, tagged{on: r}, false)
		if err != nil {
			return nil, err
		}
		out.TableList = append(out.TableList, types.TaggedTable{
			Table:           &types.TableResource{CatalogId: aws.String(r.Account), DatabaseName: aws.String(r.Database), Name: aws.String(r.Table)},
			LFTagOnDatabase: tags.LFTagOnDatabase, LFTagsOnTable: tags.LFTagsOnTable, LFTagsOnColumns: tags.LFTagsOnColumns,
		})
	}
	return out, nil
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_SearchDatabasesByLFTags.html
func searchDatabasesByLFTags(c *engine.Call, in *lakeformation.SearchDatabasesByLFTagsInput) (*lakeformation.SearchDatabasesByLFTagsOutput, error) {
	if err := c.Allow("lakeformation:SearchDatabasesByLFTags"); err != nil {
		return nil, err
	}
	owner, terms, err := search(c, in.CatalogId, in.Expression, in.MaxResults)
	if err != nil {
		return nil, err
	}
	carriers := state.TagCarriers(c.Tx, owner, c.Region, terms[0])
	found, err := matching(c, slices.DeleteFunc(carriers, func(r state.Resource) bool { return r.Table != "" }), terms)
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, searchKey, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &lakeformation.SearchDatabasesByLFTagsOutput{NextToken: next, DatabaseList: []types.TaggedDatabase{}}
	for _, r := range found {
		tags, err := resourceTags(c, tagged{on: r}, false)
		if err != nil {
			return nil, err
		}
		out.DatabaseList = append(out.DatabaseList, types.TaggedDatabase{
			Database: &types.DatabaseResource{CatalogId: aws.String(r.Account), Name: aws.String(r.Database)}, LFTags: tags.LFTagOnDatabase,
		})
	}
	return out, nil
}

// carrying are the tables that carry one of the values of a tag, on themselves, on
// a column, or on their database.
func carrying(c *engine.Call, owner string, tag state.TagValues) ([]state.Resource, error) {
	tables := map[state.Resource]bool{}
	for _, r := range state.TagCarriers(c.Tx, owner, c.Region, tag) {
		if r.Table != "" {
			tables[r] = true
			continue
		}
		all, err := tablesOf(c, r.Account, r.Region, r.Database)
		if err != nil {
			return nil, err
		}
		for _, t := range all {
			tables[t] = true
		}
	}
	return slices.Collect(maps.Keys(tables)), nil
}

func searchKey(r state.Resource) string { return r.Database + "\x00" + r.Table }

// matching are the objects that fulfil the expression, a table also by one of its
// columns, and that the caller may describe, in the order of their names.
func matching(c *engine.Call, objects []state.Resource, terms []state.TagValues) ([]state.Resource, error) {
	slices.SortFunc(objects, func(a, b state.Resource) int { return strings.Compare(searchKey(a), searchKey(b)) })
	var found []state.Resource
	for _, r := range objects {
		tags, err := tagsOn(c, r, "")
		if err != nil {
			return nil, err
		}
		ok := matches(terms, tags)
		if !ok && r.Table != "" {
			columns, err := matchingColumns(c, r, terms)
			if err != nil {
				return nil, err
			}
			ok = len(columns) > 0
		}
		if !ok {
			continue
		}
		if ok, err = Holds(c, r, describe); err != nil {
			return nil, err
		}
		if ok {
			found = append(found, r)
		}
	}
	return found, nil
}
