package catalog

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
)

// LinksDescription describes a database of links to what is published of a database: by it
// a database is known that was made for them.
func LinksDescription(source string) string { return linksTo + source }

const linksTo = "Links to the data products of database "

// Links are the resource links to databases of an account, and those to its tables in the
// databases that were made for links, as texts.
func (c *Catalog) Links(ctx context.Context, account string) ([]string, error) {
	var found []string
	pages := glue.NewGetDatabasesPaginator(c.Client, &glue.GetDatabasesInput{CatalogId: c.id()})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list databases: %w", err)
		}
		for _, d := range page.DatabaseList {
			name := aws.ToString(d.Name)
			if d.TargetDatabase != nil {
				if aws.ToString(d.TargetDatabase.CatalogId) == account {
					found = append(found, name)
				}
				continue
			}
			if !strings.HasPrefix(aws.ToString(d.Description), linksTo) {
				continue
			}
			for t, err := range c.Tables(ctx, name) {
				if err != nil {
					return nil, err
				}
				if t.TargetTable != nil && aws.ToString(t.TargetTable.CatalogId) == account {
					found = append(found, name+"."+aws.ToString(t.Name))
				}
			}
		}
	}
	return found, nil
}
