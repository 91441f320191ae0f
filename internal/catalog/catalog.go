// Package catalog works on one account's Glue Data Catalog: databases, tables,
// partitions, resource links and crawlers.
//
// # Errors
//
// Errors carry AWS's code in their chain. What does not exist is told by an ok
// that is false, not by an error.
package catalog

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
)

// Catalog is the Data Catalog of an account, as one identity sees it.
type Catalog struct {
	// Client makes the calls.
	Client *glue.Client
	// Account owns the catalog.
	Account string
	// Region is where the catalog is.
	Region string
	// slots bound how many calls of partition copies are under way.
	slots chan struct{}
	// pagesInRow is how many pages of partitions are read one after the other before
	// the rest is read in segments.
	pagesInRow int
}

// New returns the catalog of an account. Partition copies of the catalog together
// have at most concurrency calls under way.
func New(client *glue.Client, account, region string, concurrency int) *Catalog {
	return &Catalog{Client: client, Account: account, Region: region, slots: make(chan struct{}, max(1, concurrency)), pagesInRow: defaultPagesInRow}
}

// id is the catalog's id: every call names it, so that none depends on which
// account the caller belongs to.
func (c *Catalog) id() *string { return aws.String(c.Account) }

// slot waits until fewer calls than the bound are under way. release is to be called
// when the call has ended.
func (c *Catalog) slot(ctx context.Context) (release func(), _ error) {
	select {
	case c.slots <- struct{}{}:
		return func() { <-c.slots }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
