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
)

// Special is a grant that reaches a table in another way than by its name alone: on some
// of its columns, on a filter of its rows, on all tables of its database, or on LF-tags.
type Special struct {
	// Principal holds Permissions, of which it may hand Grantable on.
	Principal              string
	Permissions, Grantable lakemesh.Permissions
	// What says in words what the grant is on: "columns id, name".
	What string
	// AllTables tells that it is on all tables of the database.
	AllTables bool
	// database and table are those of columns and filters; both are empty for LF-tags.
	database, table string
	// expression are the LF-tags; nil with a grant on LF-tags stands for an expression that
	// is known by its name only.
	expression []types.LFTag
	tags       bool
}

// Tags are the LF-tags that count for a table: those that it has or inherits, and those
// of its columns, each with what the column inherits.
type Tags struct {
	Table   map[string]string
	Columns []map[string]string
	// OnColumns are the columns to which LF-tags were assigned.
	OnColumns []string
}

// Specials are the grants on tables of the account's databases that are not on a whole
// table by its name, as the caller may see them.
func (l *Lake) Specials(ctx context.Context) ([]Special, error) {
	var found []Special
	in := &lakeformation.ListPermissionsInput{CatalogId: aws.String(l.Account), MaxResults: aws.Int32(pageSize)}
	for pages := lakeformation.NewListPermissionsPaginator(l.Client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list all permissions of account %s: %w", l.Account, err)
		}
		for _, row := range page.PrincipalResourcePermissions {
			if s, ok := specialOf(row.Resource); ok && row.Principal != nil {
				s.Principal = canonical(aws.ToString(row.Principal.DataLakePrincipalIdentifier))
				s.Permissions, s.Grantable = fromPermissions(row.Permissions), fromPermissions(row.PermissionsWithGrantOption)
				found = append(found, s)
			}
		}
	}
	return found, nil
}

func specialOf(r *types.Resource) (Special, bool) {
	switch {
	case r == nil:
		return Special{}, false
	case r.DataCellsFilter != nil:
		f := r.DataCellsFilter
		return Special{What: "data filter " + aws.ToString(f.Name), database: strings.ToLower(aws.ToString(f.DatabaseName)), table: strings.ToLower(aws.ToString(f.TableName))}, true
	case r.LFTagPolicy != nil:
		p := r.LFTagPolicy
		if p.ResourceType != types.ResourceTypeTable {
			return Special{}, false
		}
		s := Special{What: "LF-tag expression " + aws.ToString(p.ExpressionName), tags: true, expression: p.Expression}
		if len(p.Expression) > 0 {
			s.What = "LF-tags " + words(p.Expression)
		}
		return s, true
	}
	if whole, ok := fromSDK(r, ""); ok {
		if whole.Kind == KindAllTables {
			return Special{What: "all tables", AllTables: true, database: whole.Database}, true
		}
		return Special{}, false
	}
	if t := r.TableWithColumns; t != nil {
		what := "columns " + strings.Join(t.ColumnNames, ", ")
		if len(t.ColumnNames) == 0 && t.ColumnWildcard != nil {
			what = "all columns but " + strings.Join(t.ColumnWildcard.ExcludedColumnNames, ", ")
		}
		return Special{What: what, database: strings.ToLower(aws.ToString(t.DatabaseName)), table: strings.ToLower(aws.ToString(t.Name))}, true
	}
	return Special{}, false
}

func words(expression []types.LFTag) string {
	parts := make([]string, len(expression))
	for i, t := range expression {
		parts[i] = aws.ToString(t.TagKey) + "=" + strings.Join(t.TagValues, "|")
	}
	return strings.Join(parts, ", ")
}

// ByTags reports whether it depends on LF-tags which tables the grant reaches.
func (s Special) ByTags() bool { return s.tags }

// Reaches reports whether the grant reaches a table, or columns of it, with these LF-tags.
func (s Special) Reaches(database, table string, tags Tags) bool {
	if !s.tags {
		return s.database == strings.ToLower(database) && (s.AllTables || s.table == strings.ToLower(table))
	}
	if s.expression == nil {
		// What the expression of that name says cannot be seen here.
		return len(tags.Table) > 0 || len(tags.Columns) > 0
	}
	return slices.ContainsFunc(append(slices.Clone(tags.Columns), tags.Table), s.matches)
}

func (s Special) matches(tags map[string]string) bool {
	for _, t := range s.expression {
		value, ok := tags[FoldTag(aws.ToString(t.TagKey))]
		if !ok || !slices.ContainsFunc(t.TagValues, func(v string) bool { return v == "*" || FoldTag(v) == value }) {
			return false
		}
	}
	return len(s.expression) > 0
}
