package census

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
)

// lakeFormation counts settings, grants, locations, LF-tags, named expressions, data
// filters and opt-ins, and makes the administrator a data lake administrator on the way.
func (c *census) lakeFormation() error {
	client := lakeformation.NewFromConfig(c.config)
	out, err := client.GetDataLakeSettings(c.ctx, &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		return err
	}
	if err := c.note("lakeformation", "settings", out.DataLakeSettings); err != nil {
		return err
	}
	settings := *out.DataLakeSettings
	if !slices.ContainsFunc(settings.DataLakeAdmins, func(p types.DataLakePrincipal) bool {
		return aws.ToString(p.DataLakePrincipalIdentifier) == c.administrator
	}) {
		settings.DataLakeAdmins = append(slices.Clone(settings.DataLakeAdmins), types.DataLakePrincipal{DataLakePrincipalIdentifier: &c.administrator})
		if _, err := client.PutDataLakeSettings(c.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &settings}); err != nil {
			return err
		}
	}
	for _, count := range []func(*lakeformation.Client) error{c.grants, c.locations, c.tags, c.filters} {
		if err := count(client); err != nil {
			return err
		}
	}
	return nil
}

func (c *census) grants(client *lakeformation.Client) error {
	pages := lakeformation.NewListPermissionsPaginator(client, &lakeformation.ListPermissionsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, p := range page.PrincipalResourcePermissions {
			slices.Sort(p.Permissions)
			slices.Sort(p.PermissionsWithGrantOption)
			p.LastUpdated, p.LastUpdatedBy = nil, nil
			if err := c.note("lakeformation", "grant", p); err != nil {
				return err
			}
		}
	}
	optIns := lakeformation.NewListLakeFormationOptInsPaginator(client, &lakeformation.ListLakeFormationOptInsInput{})
	for optIns.HasMorePages() {
		page, err := optIns.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, o := range page.LakeFormationOptInsInfoList {
			if err := c.note("lakeformation", "opt-in", o); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *census) locations(client *lakeformation.Client) error {
	pages := lakeformation.NewListResourcesPaginator(client, &lakeformation.ListResourcesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, r := range page.ResourceInfoList {
			if err := c.note("lakeformation", "location", r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *census) tags(client *lakeformation.Client) error {
	pages := lakeformation.NewListLFTagsPaginator(client, &lakeformation.ListLFTagsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, t := range page.LFTags {
			slices.Sort(t.TagValues)
			if err := c.note("lakeformation", "tag", t); err != nil {
				return err
			}
		}
	}
	expressions := lakeformation.NewListLFTagExpressionsPaginator(client, &lakeformation.ListLFTagExpressionsInput{})
	for expressions.HasMorePages() {
		page, err := expressions.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, e := range page.LFTagExpressions {
			if err := c.note("lakeformation", "tag expression", e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *census) filters(client *lakeformation.Client) error {
	pages := lakeformation.NewListDataCellsFilterPaginator(client, &lakeformation.ListDataCellsFilterInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, f := range page.DataCellsFilters {
			if err := c.note("lakeformation", "data filter", f); err != nil {
				return err
			}
		}
	}
	return nil
}

// tagged notes the LF-tags of a database or a table.
func (c *census) tagged(client *lakeformation.Client, what string, on types.Resource) error {
	out, err := client.GetResourceLFTags(c.ctx, &lakeformation.GetResourceLFTagsInput{Resource: &on})
	if err != nil {
		return err
	}
	if len(out.LFTagOnDatabase)+len(out.LFTagsOnTable)+len(out.LFTagsOnColumns) == 0 {
		return nil
	}
	return c.note("lakeformation", "tags of "+what, map[string]any{"database": out.LFTagOnDatabase, "table": out.LFTagsOnTable, "columns": out.LFTagsOnColumns})
}
