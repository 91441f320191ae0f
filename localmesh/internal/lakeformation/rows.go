package lakeformation

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// resourceAnswer is a securable as the API hands it out.
func resourceAnswer(on state.Securable) *types.Resource {
	catalog := aws.String(on.Account)
	table := on.Table
	if table == state.AllTables {
		table = allTablesName
	}
	switch on.Kind {
	case state.KindCatalog:
		return &types.Resource{Catalog: &types.CatalogResource{}}
	case state.KindDatabase:
		return &types.Resource{Database: &types.DatabaseResource{CatalogId: catalog, Name: aws.String(on.Database)}}
	case state.KindTable:
		t := &types.TableResource{CatalogId: catalog, DatabaseName: aws.String(on.Database), Name: aws.String(table)}
		if on.Table == state.AllTables {
			t.TableWildcard = &types.TableWildcard{}
		}
		return &types.Resource{Table: t}
	case state.KindColumns:
		t := &types.TableWithColumnsResource{CatalogId: catalog, DatabaseName: aws.String(on.Database), Name: aws.String(table)}
		switch {
		case on.Excluded:
			t.ColumnWildcard = &types.ColumnWildcard{ExcludedColumnNames: on.Columns}
		case len(on.Columns) == 0:
			t.ColumnWildcard = &types.ColumnWildcard{}
		default:
			t.ColumnNames = on.Columns
		}
		return &types.Resource{TableWithColumns: t}
	case state.KindFilter:
		return &types.Resource{DataCellsFilter: &types.DataCellsFilterResource{
			TableCatalogId: catalog, DatabaseName: aws.String(on.Database), TableName: aws.String(on.Table), Name: aws.String(on.Filter),
		}}
	case state.KindLocation:
		return &types.Resource{DataLocation: &types.DataLocationResource{CatalogId: catalog, ResourceArn: aws.String("arn:aws:s3:::" + on.Path)}}
	case state.KindTag:
		value := on.TagValue
		if value == "" {
			value = "*"
		}
		return &types.Resource{LFTag: &types.LFTagKeyResource{CatalogId: catalog, TagKey: aws.String(on.TagKey), TagValues: []string{value}}}
	case state.KindPolicy:
		p := &types.LFTagPolicyResource{CatalogId: catalog, ResourceType: types.ResourceType(on.PolicyType)}
		if on.Name != "" {
			p.ExpressionName = aws.String(on.Name)
		} else {
			p.Expression = expressionAnswer(on.Expression)
		}
		return &types.Resource{LFTagPolicy: p}
	case state.KindExpression:
		return &types.Resource{LFTagExpression: &types.LFTagExpressionResource{CatalogId: catalog, Name: aws.String(on.Name)}}
	}
	return &types.Resource{}
}

func expressionAnswer(expression []state.TagValues) []types.LFTag {
	out := make([]types.LFTag, 0, len(expression))
	for _, t := range expression {
		out = append(out, types.LFTag{TagKey: aws.String(t.Key), TagValues: t.Values})
	}
	return out
}

func permissionsAnswer(perms []string) []types.Permission {
	out := make([]types.Permission, 0, len(perms))
	for _, p := range sorted(perms) {
		out = append(out, types.Permission(p))
	}
	return out
}

// rowsOf are the rows of a grant in a listing. SELECT is always a row of its own,
// on the table with all columns, however it was granted
// (https://docs.aws.amazon.com/lake-formation/latest/dg/perm-select.html); or, as the
// mesh reads AWS, every permission is, or none.
func rowsOf(c *engine.Call, g state.Grant) []types.PrincipalResourcePermissions {
	row := func(on state.Securable, perms, grantable []string) types.PrincipalResourcePermissions {
		r := types.PrincipalResourcePermissions{
			Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(g.Principal)}, Resource: resourceAnswer(on),
			Permissions: permissionsAnswer(perms), PermissionsWithGrantOption: permissionsAnswer(grantable),
			LastUpdated: aws.Time(g.Updated),
		}
		if g.UpdatedBy != "" {
			r.LastUpdatedBy = aws.String(g.UpdatedBy)
		}
		if len(g.Shares) > 0 {
			r.AdditionalDetails = &types.DetailsMap{ResourceShare: g.Shares}
		}
		return r
	}
	all := func(perms, grantable []string) []types.PrincipalResourcePermissions {
		if !c.Mesh.Readings.ListedRowsSplit {
			return []types.PrincipalResourcePermissions{row(g.On, perms, grantable)}
		}
		var rows []types.PrincipalResourcePermissions
		for _, p := range perms {
			rows = append(rows, row(g.On, []string{p}, within(grantable, []string{p})))
		}
		return rows
	}
	if g.On.Kind != state.KindTable || !slices.Contains(g.Permissions, selecting) || c.Mesh.Readings.ListedRowsMerged {
		return all(g.Permissions, g.Grantable)
	}
	one := []string{selecting}
	var rows []types.PrincipalResourcePermissions
	if rest := without(g.Permissions, one); len(rest) > 0 {
		rows = all(rest, without(g.Grantable, one))
	}
	columns := g.On
	columns.Kind, columns.Columns = state.KindColumns, nil
	return append(rows, row(columns, one, within(g.Grantable, one)))
}
