package permissions

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
)

// CellsFilter reads what a data cells filter shows: its columns, in lower case and in order,
// and its rows. ok is false if there is none. One that is there and that the caller may not
// see is a [ForeignFilter]; whether AWS says so of one, or that there is none, is not
// documented, and [Lake.MakeFilter] finds it then.
func (l *Lake) CellsFilter(ctx context.Context, r Resource) (_ access.Filter, ok bool, _ error) {
	out, err := l.Client.GetDataCellsFilter(ctx, &lakeformation.GetDataCellsFilterInput{
		TableCatalogId: aws.String(r.Account), DatabaseName: aws.String(r.Database), TableName: aws.String(r.Table), Name: aws.String(r.Filter)})
	switch {
	case awserr.NotFound(err):
		return access.Filter{}, false, nil
	case awserr.Denied(err) && deniedAction(err) == "":
		// IAM lets the caller look, and Lake Formation does not show it.
		return access.Filter{}, false, ForeignFilter(r)
	case err != nil:
		return access.Filter{}, false, fmt.Errorf("read %s: %w", r, err)
	case out.DataCellsFilter == nil:
		return access.Filter{}, false, nil
	}
	return filterOf(out.DataCellsFilter), true, nil
}

// Filters reads the data cells filters of the catalog that are called as those that carry
// subscriptions, as far as the caller is shown them, all pages.
func (l *Lake) Filters(ctx context.Context) (map[access.Object]access.Filter, error) {
	all := map[access.Object]access.Filter{}
	pages := lakeformation.NewListDataCellsFilterPaginator(l.Client, &lakeformation.ListDataCellsFilterInput{MaxResults: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the data cells filters: %w", err)
		}
		for i := range page.DataCellsFilters {
			f := &page.DataCellsFilters[i]
			if !strings.HasPrefix(aws.ToString(f.Name), access.FilterPrefix) {
				continue
			}
			all[access.OnFilter(aws.ToString(f.TableCatalogId), aws.ToString(f.DatabaseName), aws.ToString(f.TableName), aws.ToString(f.Name))] = filterOf(f)
		}
	}
	return all, nil
}

// filterOf reads a filter. All rows are listed as the expression TRUE, and as the wildcard
// (https://docs.aws.amazon.com/cli/latest/reference/lakeformation/list-data-cells-filter.html).
func filterOf(f *types.DataCellsFilter) access.Filter {
	var is access.Filter
	for _, c := range f.ColumnNames {
		is.Columns = append(is.Columns, strings.ToLower(c))
	}
	if f.ColumnWildcard != nil {
		for _, c := range f.ColumnWildcard.ExcludedColumnNames {
			is.Except = append(is.Except, strings.ToLower(c))
		}
	}
	slices.Sort(is.Columns)
	slices.Sort(is.Except)
	if f.RowFilter != nil && f.RowFilter.AllRowsWildcard == nil {
		is.Rows = aws.ToString(f.RowFilter.FilterExpression)
	}
	return is
}

// data is a filter in the form of the API.
func (r Resource) data(is access.Filter) *types.DataCellsFilter {
	f := &types.DataCellsFilter{TableCatalogId: aws.String(r.Account), DatabaseName: aws.String(r.Database), TableName: aws.String(r.Table), Name: aws.String(r.Filter),
		RowFilter: &types.RowFilter{}}
	if len(is.Columns) > 0 {
		f.ColumnNames = is.Columns
	} else {
		f.ColumnWildcard = &types.ColumnWildcard{}
	}
	if is.Rows == "" {
		f.RowFilter.AllRowsWildcard = &types.AllRowsWildcard{}
	} else {
		f.RowFilter.FilterExpression = aws.String(is.Rows)
	}
	return f
}

// MakeFilter makes a data cells filter. One of its name that the caller could not see was
// made by somebody else, who decides what it shows: that is an error, and nothing may be
// granted on it.
func (l *Lake) MakeFilter(ctx context.Context, r Resource, is access.Filter) error {
	_, err := l.Client.CreateDataCellsFilter(ctx, &lakeformation.CreateDataCellsFilterInput{TableData: r.data(is)})
	if awserr.Is(err, "AlreadyExistsException") {
		there, ok, looked := l.CellsFilter(ctx, r)
		if looked != nil {
			return looked
		}
		own, observed := l.OwnsFilter(ctx, r)
		if observed != nil {
			return observed
		}
		if ok && own && there.Equal(is) {
			// A program that ended before it knew has made it.
			return nil
		}
		return ForeignFilter(r)
	}
	if err != nil {
		return fmt.Errorf("make %s: %w", r, err)
	}
	return nil
}

// OwnsFilter reports whether the caller made a filter: who did holds DROP on it
// (https://docs.aws.amazon.com/cli/latest/reference/lakeformation/list-permissions.html).
func (l *Lake) OwnsFilter(ctx context.Context, r Resource) (bool, error) {
	have, err := l.Observe(ctx, r)
	if err != nil {
		return false, err
	}
	return have.OwnedBy(l.Self, r), nil
}

// OwnedBy reports whether a principal made a filter, by what it holds there.
func (g *Grants) OwnedBy(principal string, filter Resource) bool {
	return g.Of(principal, filter).Permissions.Has(lakemesh.Drop)
}

// ForeignFilter is the error of a filter that somebody else made under the name that one of
// lakemesh's would have: who made it could show more by it at any time.
func ForeignFilter(r Resource) error {
	return &lakemesh.Error{Kind: lakemesh.ErrAccessDenied, Account: r.Account, Resource: r.String(),
		Message: "somebody else made a filter of this name, and could change what it shows",
		Hint:    "let a data lake administrator of account " + r.Account + " delete it, and decide again"}
}

// ChangeFilter brings a data cells filter to what it shall show. That holds at once for all
// who were granted it.
func (l *Lake) ChangeFilter(ctx context.Context, r Resource, is access.Filter) error {
	if _, err := l.Client.UpdateDataCellsFilter(ctx, &lakeformation.UpdateDataCellsFilterInput{TableData: r.data(is)}); err != nil {
		return fmt.Errorf("change %s: %w", r, err)
	}
	return nil
}

// DropFilter deletes a data cells filter; one that is not there is no error. What was granted
// on it is to be revoked before: what a deletion does to grants is not documented.
func (l *Lake) DropFilter(ctx context.Context, r Resource) error {
	_, err := l.Client.DeleteDataCellsFilter(ctx, &lakeformation.DeleteDataCellsFilterInput{
		TableCatalogId: aws.String(r.Account), DatabaseName: aws.String(r.Database), TableName: aws.String(r.Table), Name: aws.String(r.Filter)})
	if err != nil && !awserr.NotFound(err) {
		return fmt.Errorf("delete %s: %w", r, err)
	}
	return nil
}
