package consumer

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/identity"
)

// databasePage is the largest page of GetDatabases.
const databasePage = 100

// view is a catalog as one identity sees it.
type view struct {
	*catalog.Catalog
	// foreign tells that the identity is of another account than the catalog.
	foreign bool
}

// hides tells of an object that does not exist, or that the identity may not see.
// In the catalog of another account AWS does not tell the two apart: what is not
// shared is refused, by Lake Formation or by IAM.
func (v view) hides(err error) bool {
	if _, ok := errors.AsType[*lakemesh.Error](err); ok {
		// The identity itself could not be opened.
		return false
	}
	return awserr.NotFound(err) || awserr.Denied(err) && (v.foreign || awserr.Says(err, "Lake Formation permission"))
}

// database reads a database; ok is false where it is hidden.
func (v view) database(ctx context.Context, name string) (db *types.Database, ok bool, err error) {
	db, ok, err = v.Database(ctx, name)
	if v.hides(err) {
		return nil, false, nil
	}
	return db, ok, identity.Explain("GetDatabase", v.Account, "database "+name, err)
}

// table reads a table; ok is false where it is hidden.
func (v view) table(ctx context.Context, databaseName, name string) (t *types.Table, ok bool, err error) {
	t, ok, err = v.Table(ctx, databaseName, name)
	if v.hides(err) {
		return nil, false, nil
	}
	return t, ok, identity.Explain("GetTable", v.Account, "table "+databaseName+"."+name, err)
}

// tables reads all visible tables of a database; a database that is hidden has none.
func (v view) tables(ctx context.Context, databaseName string) (list []types.Table, err error) {
	for t, err := range v.Tables(ctx, databaseName) {
		if v.hides(err) {
			return nil, nil
		}
		if err != nil {
			return nil, identity.Explain("GetTables", v.Account, "database "+databaseName, err)
		}
		list = append(list, t)
	}
	return list, nil
}

// databases reads all visible databases, all pages.
func (v view) databases(ctx context.Context) ([]types.Database, error) {
	var list []types.Database
	pages := glue.NewGetDatabasesPaginator(v.Client, &glue.GetDatabasesInput{CatalogId: aws.String(v.Account), MaxResults: aws.Int32(databasePage)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, identity.Explain("GetDatabases", v.Account, "the catalog", err)
		}
		list = append(list, page.DatabaseList...)
	}
	return list, nil
}

// linksTo tells whether a database is a resource link to one of the mesh in this
// region.
func (c *Consumer) linksTo(db *types.Database, meshDatabase string) bool {
	return c.linksIn(c.region).linksTo(c, db, meshDatabase)
}
