package consumer

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/identity"
)

const opProducts = "ListProducts"

// ListProductsInput narrows the list. What is empty narrows nothing.
type ListProductsInput struct {
	// Domain and DataProductName are the product's domain and name, in any case.
	Domain, DataProductName string
	// DatabaseName is a database in the mesh.
	DatabaseName string
}

// Product is a table of the mesh that its owner made public, with the product
// that it belongs to.
type Product struct {
	DatabaseName string `json:"DatabaseName"`
	TableName    string `json:"TableName"`
	// Owner is the account that published the table, the one to ask for access.
	Owner string `json:"Owner"`
	// Domain and DataProductName are the values of its owner's LF-tags, in lower case;
	// empty if it has none, or if the read-only role may not see them. Of a product
	// without any of its owner's, as the original library publishes them, they are the
	// values of the shared LF-tags domain and dataproduct, which other producers can
	// change.
	Domain          string `json:"Domain,omitempty"`
	DataProductName string `json:"DataProductName,omitempty"`
	Description     string `json:"Description,omitempty"`
	// Location is the S3 location; empty for metadata only.
	Location string `json:"Location,omitempty"`
	// Snapshot is the metadata file of an Iceberg table: readers see that snapshot until
	// the owner brings the copy up to date. Empty for other tables, which have no snapshots.
	Snapshot string `json:"Snapshot,omitempty"`
}

// ListProductsOutput are products in the order of database and table.
type ListProductsOutput struct {
	Products []Product `json:"Products"`
}

// ListProducts lists what there is to ask for: the tables of the mesh whose
// metadata is public, all pages, as the mesh's read-only role sees them. A
// database that is named and cannot be seen is [lakemesh.ErrNotFound].
func (c *Consumer) ListProducts(ctx context.Context, in ListProductsInput) (*ListProductsOutput, error) {
	databases, err := c.productDatabases(ctx, in.DatabaseName)
	if err != nil {
		return nil, err
	}
	found := make([][]types.Table, len(databases))
	group, listing := errgroup.WithContext(ctx)
	group.SetLimit(c.concurrency())
	for i := range databases {
		group.Go(func() error {
			list, err := c.public.tables(listing, aws.ToString(databases[i].Name))
			found[i] = list
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	products := make([]Product, 0, len(databases))
	for i, list := range found {
		for j := range list {
			products = append(products, product(&databases[i], &list[j]))
		}
	}
	if err := c.readTags(ctx, products, in.Domain != "" || in.DataProductName != ""); err != nil {
		return nil, err
	}
	products = slices.DeleteFunc(products, func(p Product) bool {
		return in.Domain != "" && !strings.EqualFold(p.Domain, in.Domain) ||
			in.DataProductName != "" && !strings.EqualFold(p.DataProductName, in.DataProductName)
	})
	slices.SortFunc(products, func(a, b Product) int {
		return cmp.Or(cmp.Compare(a.DatabaseName, b.DatabaseName), cmp.Compare(a.TableName, b.TableName))
	})
	return &ListProductsOutput{Products: products}, nil
}

// productDatabases are the public databases, or the one that is asked for.
func (c *Consumer) productDatabases(ctx context.Context, only string) ([]types.Database, error) {
	if only != "" {
		db, ok, err := c.public.database(ctx, only)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, &lakemesh.Error{Op: opProducts, Account: c.meshAccount, Resource: "database " + only, Kind: lakemesh.ErrNotFound,
				Message: "the mesh has no such database, or its metadata is not public", Hint: "list all of them without naming a database"}
		}
		return []types.Database{*db}, nil
	}
	return c.public.databases(ctx)
}

func product(d *types.Database, t *types.Table) Product {
	p := Product{DatabaseName: aws.ToString(t.DatabaseName), TableName: aws.ToString(t.Name), Description: aws.ToString(t.Description)}
	p.Owner = ownerOf(d, t)
	p.Location = catalog.StoredAt(t)
	p.Snapshot, _ = catalog.Pointer(t)
	return p
}

// productTags are a product's domain and name: as its owner says, or as the shared
// keys say where the owner's are not there. The key of another owner counts for
// nothing.
func productTags(tags map[string]string, owner string) (domain, name string) {
	domain, hasDomain := tags[lakemesh.OwnerTag(lakemesh.DomainTag, owner)]
	name, hasName := tags[lakemesh.OwnerTag(lakemesh.ProductTag, owner)]
	if owner != "" && (hasDomain || hasName) {
		return domain, name
	}
	return tags[lakemesh.DomainTag], tags[lakemesh.ProductTag]
}

// readTags reads the LF-tags of products. Tags that may not be read are left
// empty, unless they are needed.
func (c *Consumer) readTags(ctx context.Context, products []Product, needed bool) error {
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(c.concurrency())
	for i := range products {
		p := &products[i]
		group.Go(func() error {
			tags, err := c.publicLake.TableTags(reading, p.DatabaseName, p.TableName)
			if c.public.hides(err) && !needed {
				return nil
			}
			p.Domain, p.DataProductName = productTags(tags, p.Owner)
			return identity.Explain(opProducts, c.meshAccount, "LF-tags of table "+p.DatabaseName+"."+p.TableName, err)
		})
	}
	return group.Wait()
}
