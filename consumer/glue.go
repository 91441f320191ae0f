package consumer

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/identity"
)

// databasePage is the largest page of GetDatabases.
const databasePage = 100

// hidden tells of an object that does not exist, or that the caller may not see.
// In the catalog of another account AWS does not tell the two apart: what is not
// shared is refused.
func hidden(err error) bool { return identity.IsNotFound(err) || identity.IsAccessDenied(err) }

// database reads a database; ok is false where it is hidden.
func database(ctx context.Context, c *catalog.Catalog, name string) (db *types.Database, ok bool, err error) {
	db, ok, err = c.Database(ctx, name)
	if hidden(err) {
		return nil, false, nil
	}
	return db, ok, identity.Explain("GetDatabase", c.Account, "database "+name, err)
}

// table reads a table; ok is false where it is hidden.
func table(ctx context.Context, c *catalog.Catalog, databaseName, name string) (t *types.Table, ok bool, err error) {
	t, ok, err = c.Table(ctx, databaseName, name)
	if hidden(err) {
		return nil, false, nil
	}
	return t, ok, identity.Explain("GetTable", c.Account, "table "+databaseName+"."+name, err)
}

// tables reads all visible tables of a database; ok is false where the database
// itself is hidden.
func tables(ctx context.Context, c *catalog.Catalog, databaseName string) (list []types.Table, ok bool, err error) {
	for t, err := range c.Tables(ctx, databaseName) {
		if hidden(err) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, identity.Explain("GetTables", c.Account, "database "+databaseName, err)
		}
		list = append(list, t)
	}
	return list, true, nil
}

// databases reads all visible databases of a catalog, all pages.
func databases(ctx context.Context, c *catalog.Catalog) ([]types.Database, error) {
	var list []types.Database
	pages := glue.NewGetDatabasesPaginator(c.Client, &glue.GetDatabasesInput{CatalogId: aws.String(c.Account), MaxResults: aws.Int32(databasePage)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, identity.Explain("GetDatabases", c.Account, "the catalog", err)
		}
		list = append(list, page.DatabaseList...)
	}
	return list, nil
}

// linksTo tells whether a database is a resource link to one of the mesh in this
// region.
func (c *Consumer) linksTo(db *types.Database, meshDatabase string) bool {
	if !catalog.IsDatabaseLinkTo(db, c.meshAccount, meshDatabase) {
		return false
	}
	region := aws.ToString(db.TargetDatabase.Region)
	return region == "" || region == c.region
}
