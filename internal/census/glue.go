package census

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
)

// glue counts databases, tables with their versions and partitions, crawlers, resource
// tags and policies.
func (c *census) glue() error {
	client, lake := glue.NewFromConfig(c.config), lakeformation.NewFromConfig(c.config)
	policy, err := client.GetResourcePolicy(c.ctx, &glue.GetResourcePolicyInput{})
	var none *types.EntityNotFoundException
	switch {
	case err == nil:
		err = c.note("glue", "policy", aws.ToString(policy.PolicyInJson))
	case errors.As(err, &none):
		err = nil
	}
	if err != nil {
		return err
	}
	policies := glue.NewGetResourcePoliciesPaginator(client, &glue.GetResourcePoliciesInput{})
	for policies.HasMorePages() {
		page, err := policies.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, p := range page.GetResourcePoliciesResponseList {
			if err := c.note("glue", "one of the policies", aws.ToString(p.PolicyInJson)); err != nil {
				return err
			}
		}
	}
	databases := glue.NewGetDatabasesPaginator(client, &glue.GetDatabasesInput{})
	for databases.HasMorePages() {
		page, err := databases.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, d := range page.DatabaseList {
			if err := c.database(client, lake, d); err != nil {
				return err
			}
		}
	}
	return c.crawlers(client)
}

func (c *census) database(client *glue.Client, lake *lakeformation.Client, d types.Database) error {
	name := aws.ToString(d.Name)
	if err := c.note("glue", "database "+name, d); err != nil {
		return err
	}
	if err := c.resourceTags(client, "database/"+name); err != nil {
		return err
	}
	if d.TargetDatabase != nil {
		return nil
	}
	if err := c.tagged(lake, "database "+name, lftypes.Resource{Database: &lftypes.DatabaseResource{Name: d.Name}}); err != nil {
		return err
	}
	tables := glue.NewGetTablesPaginator(client, &glue.GetTablesInput{DatabaseName: d.Name})
	for tables.HasMorePages() {
		page, err := tables.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, t := range page.TableList {
			if err := c.table(client, lake, name, t); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *census) table(client *glue.Client, lake *lakeformation.Client, database string, t types.Table) error {
	name := database + "." + aws.ToString(t.Name)
	if err := c.note("glue", "table "+name, t); err != nil {
		return err
	}
	if t.TargetTable != nil {
		return nil
	}
	if err := c.resourceTags(client, "table/"+database+"/"+aws.ToString(t.Name)); err != nil {
		return err
	}
	if err := c.tagged(lake, "table "+name, lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: &database, Name: t.Name}}); err != nil {
		return err
	}
	versions := glue.NewGetTableVersionsPaginator(client, &glue.GetTableVersionsInput{DatabaseName: &database, TableName: t.Name})
	for versions.HasMorePages() {
		page, err := versions.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, v := range page.TableVersions {
			if err := c.note("glue", "version of table "+name, v); err != nil {
				return err
			}
		}
	}
	if len(t.PartitionKeys) == 0 {
		return nil
	}
	// Even an administrator sees partitions only if it may read the table.
	if _, err := lake.GrantPermissions(c.ctx, &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &c.administrator},
		Permissions: []lftypes.Permission{lftypes.PermissionSelect},
		Resource:    &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: &database, Name: t.Name}}}); err != nil {
		return err
	}
	partitions := glue.NewGetPartitionsPaginator(client, &glue.GetPartitionsInput{DatabaseName: &database, TableName: t.Name})
	for partitions.HasMorePages() {
		page, err := partitions.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, p := range page.Partitions {
			if err := c.note("glue", "partition of table "+name, p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *census) resourceTags(client *glue.Client, resource string) error {
	out, err := client.GetTags(c.ctx, &glue.GetTagsInput{ResourceArn: aws.String(lakemesh.PartitionOf(c.config.Region).ARN("glue", c.config.Region, c.account, resource))})
	if err != nil {
		return err
	}
	if len(out.Tags) == 0 {
		return nil
	}
	return c.note("glue", "resource tags of "+resource, out.Tags)
}

func (c *census) crawlers(client *glue.Client) error {
	pages := glue.NewGetCrawlersPaginator(client, &glue.GetCrawlersInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, crawler := range page.Crawlers {
			if err := c.note("glue", "crawler "+aws.ToString(crawler.Name), crawler); err != nil {
				return err
			}
			if err := c.resourceTags(client, "crawler/"+aws.ToString(crawler.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}
