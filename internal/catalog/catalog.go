// Package catalog works on one account's Glue Data Catalog: databases, tables,
// partitions, resource links and crawlers.
//
// # Errors
//
// Errors carry AWS's code in their chain. What does not exist is told by an ok
// that is false, not by an error.
package catalog

import (
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
}

// New returns the catalog of an account. Partition copies of the catalog together
// have at most concurrency calls under way.
func New(client *glue.Client, account, region string, concurrency int) *Catalog {
	return &Catalog{Client: client, Account: account, Region: region, slots: make(chan struct{}, max(1, concurrency))}
}

// id is the catalog's id: every call names it, so that none depends on which
// account the caller belongs to.
func (c *Catalog) id() *string { return aws.String(c.Account) }
