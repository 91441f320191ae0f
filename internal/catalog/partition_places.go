package catalog

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// EachPartition tells of the partitions of a table, without their columns, up to so many
// pages of a thousand. It reports whether that were all.
func (c *Catalog) EachPartition(ctx context.Context, t TableName, pages int, each func(*types.Partition)) (all bool, _ error) {
	read := 0
	for page, err := range c.partitions(ctx, t, false) {
		if err != nil {
			return false, err
		}
		for i := range page {
			each(&page[i])
		}
		if read++; read == pages && len(page) == PartitionPage {
			return false, nil
		}
	}
	return true, nil
}

// EachNamed tells of the partitions of a table that have one of the given lists of values.
func (c *Catalog) EachNamed(ctx context.Context, t TableName, values [][]string, each func(*types.Partition)) error {
	for page, err := range c.named(ctx, t, values) {
		if err != nil {
			return err
		}
		for i := range page {
			each(&page[i])
		}
	}
	return nil
}
