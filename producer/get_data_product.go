package producer

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/expression"
	"github.com/lakemesh/lakemesh/internal/identity"
)

// GetDataProductInput says which tables to look up.
type GetDataProductInput struct {
	// DatabaseName is the database in the mesh.
	DatabaseName string
	// TableNameRegex is a table's name, or a regular expression for whole names,
	// in any case; empty means all tables.
	TableNameRegex string
}

// ProductLocation tells where the data of a table of the mesh is.
type ProductLocation struct {
	// Database and DatabaseName are the database, under both names that programs
	// know.
	Database     string `json:"Database"`
	DatabaseName string `json:"DatabaseName"`
	// TableName is the table.
	TableName string `json:"TableName"`
	// Location is its S3 location; empty if it has none.
	Location string `json:"Location"`
}

// GetDataProduct lists the tables of a database in the mesh, as far as the
// producer may see them, with the locations of their data, in the order of their
// names. A database that does not exist or is not visible, and an expression that
// means no table, are [lakemesh.ErrNotFound].
func (p *Producer) GetDataProduct(ctx context.Context, in GetDataProductInput) ([]ProductLocation, error) {
	const op = "GetDataProduct"
	database, err := databaseName("DatabaseName", in.DatabaseName)
	if err != nil {
		return nil, identity.Explain(op, p.meshAccount, "", err)
	}
	tables, err := expression.Parse("TableNameRegex", in.TableNameRegex)
	if err != nil {
		return nil, identity.Explain(op, p.meshAccount, "", err)
	}
	found := []ProductLocation{}
	add := func(name, location string) {
		found = append(found, ProductLocation{Database: database, DatabaseName: database, TableName: name, Location: location})
	}
	if name, ok := tables.Name(); ok {
		t, ok, err := p.mesh.catalog.Table(ctx, database, name)
		if err != nil {
			return nil, identity.Explain(op, p.meshAccount, "table "+database+"."+name, err)
		}
		if ok {
			add(name, catalog.StoredAt(t))
		}
	} else {
		for t, err := range p.mesh.catalog.Tables(ctx, database) {
			if awserr.NotFound(err) || awserr.Denied(err) {
				return nil, &lakemesh.Error{Op: op, Kind: lakemesh.ErrNotFound, Account: p.meshAccount, Resource: "database " + database, Code: awserr.Code(err), Err: err,
					Message: "not found, or not visible to this producer", Hint: "DatabaseName is the name in the mesh: <source database>-<account> unless another was chosen"}
			}
			if err != nil {
				return nil, identity.Explain(op, p.meshAccount, "database "+database, err)
			}
			name := strings.ToLower(aws.ToString(t.Name))
			if _, named := tables.Name(); !named && tables.Names(name) {
				// A name that exists is that name.
				tables, found = tables.Literal(), []ProductLocation{}
			}
			if tables.Match(name) {
				add(name, catalog.StoredAt(&t))
			}
		}
	}
	if err := tables.Fault(); len(found) == 0 && err != nil {
		return nil, identity.Explain(op, p.meshAccount, "", err)
	}
	if len(found) == 0 && !tables.All() {
		return nil, &lakemesh.Error{Op: op, Kind: lakemesh.ErrNotFound, Account: p.meshAccount, Resource: "tables of database " + database + " that match " + tables.String(),
			Message: "not found, or not visible to this producer", Hint: "TableNameRegex is a table's name, or a regular expression for whole names"}
	}
	return found, nil
}
