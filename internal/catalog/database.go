package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
)

// Database reads a database. A database that the caller may not see does not
// exist for it: AWS often says AccessDenied for both.
func (c *Catalog) Database(ctx context.Context, name string) (_ *types.Database, ok bool, _ error) {
	out, err := c.Client.GetDatabase(ctx, &glue.GetDatabaseInput{CatalogId: c.id(), Name: aws.String(name)})
	if absent(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read database %s: %w", name, err)
	}
	return out.Database, true, nil
}

// DatabaseNames are the names of the databases that the caller may see, folded, all
// pages, without links.
func (c *Catalog) DatabaseNames(ctx context.Context) ([]string, error) {
	const largestPage = 100
	var names []string
	for pages := glue.NewGetDatabasesPaginator(c.Client, &glue.GetDatabasesInput{CatalogId: c.id(), MaxResults: aws.Int32(largestPage)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the databases of account %s: %w", c.Account, err)
		}
		for _, d := range page.DatabaseList {
			if d.TargetDatabase == nil {
				names = append(names, strings.ToLower(aws.ToString(d.Name)))
			}
		}
	}
	return names, nil
}

// absent reports whether an object does not exist for the caller. Lake Formation
// says so with a refusal to whoever could not have seen the object; a refusal by
// an IAM policy is something else.
func absent(err error) bool {
	return awserr.NotFound(err) || awserr.Denied(err) && awserr.Says(err, "Lake Formation permission")
}

// CreateDatabase makes a database on whose new tables nobody but their creator
// gets anything by default, or a resource link to a database. One that exists
// already is an [ErrExists].
func (c *Catalog) CreateDatabase(ctx context.Context, in types.DatabaseInput, tags map[string]string) error {
	if in.TargetDatabase == nil {
		// Without this, every new table would be open to whomever IAM lets through,
		// and could not be shared. An empty list says so; a list that is nil is not
		// sent
		// (https://docs.aws.amazon.com/lake-formation/latest/dg/change-settings.html).
		in.CreateTableDefaultPermissions = []types.PrincipalPermissions{}
	}
	_, err := c.Client.CreateDatabase(ctx, &glue.CreateDatabaseInput{CatalogId: c.id(), DatabaseInput: &in, Tags: tags})
	if awserr.Is(err, "AlreadyExistsException") {
		return fmt.Errorf("database %s: %w: %w", aws.ToString(in.Name), ErrExists, err)
	}
	if err != nil {
		return fmt.Errorf("create database %s: %w", aws.ToString(in.Name), err)
	}
	return nil
}

// UpdateDatabase replaces the definition of a database.
func (c *Catalog) UpdateDatabase(ctx context.Context, in types.DatabaseInput) error {
	_, err := c.Client.UpdateDatabase(ctx, &glue.UpdateDatabaseInput{CatalogId: c.id(), Name: in.Name, DatabaseInput: &in})
	if err != nil {
		return fmt.Errorf("update database %s: %w", aws.ToString(in.Name), err)
	}
	return nil
}

// mostChanges is how often a database is written that somebody else changes as well.
const mostChanges = 5

// ChangeDatabase makes of a database what change makes of it as it is. Glue has no condition
// that would show another writer, and an update replaces all parameters: so the database is
// read right before it is written, and again after that, until it is as wanted.
func (c *Catalog) ChangeDatabase(ctx context.Context, name string, change func(*types.Database) types.DatabaseInput) error {
	for range mostChanges {
		d, ok, err := c.Database(ctx, name)
		if err != nil {
			return err
		}
		if !ok {
			return lakemesh.NotFound("database "+name, c.Account, "")
		}
		in := change(d)
		if maps.Equal(in.Parameters, d.Parameters) && len(in.CreateTableDefaultPermissions) == len(d.CreateTableDefaultPermissions) {
			return nil
		}
		if err := c.UpdateDatabase(ctx, in); err != nil {
			return err
		}
	}
	return &lakemesh.Error{Kind: lakemesh.ErrConflict, Account: c.Account, Resource: "database " + name, Message: "somebody else keeps changing it", Hint: "run the same command again"}
}

// ErrExists is the error of making what exists already.
var ErrExists = errors.New("it exists already")

// IsDatabaseLinkTo reports whether a database is a resource link to that database.
func IsDatabaseLinkTo(d *types.Database, account, database string) bool {
	t := d.TargetDatabase
	return t != nil && aws.ToString(t.CatalogId) == account && sameName(aws.ToString(t.DatabaseName), database)
}
