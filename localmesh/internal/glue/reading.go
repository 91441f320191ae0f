package glue

import (
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/lakeformation"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// Reading is a table as a query engine of AWS itself, like Athena, reads it for its caller:
// whole, with what of it may be shown.
type Reading struct {
	// Named is the table that was named, Table what it leads to if it is a resource link.
	Named, Table state.Table
	lakeformation.View
}

// Read opens a table for a query engine of AWS itself. The caller needs what GetTable needs;
// no setting of the owner is asked, as it is of engines from outside.
func Read(c *engine.Call, catalogID, database, table string) (Reading, error) {
	p, named, err := openTable(c, "glue:GetTable", &catalogID, &database, &table, nil)
	if err != nil {
		return Reading{}, err
	}
	a, t, err := p.follow("glue:GetTable", named)
	if err != nil {
		return Reading{}, err
	}
	l := lakeformation.Look{Integrated: true}
	if a.byPolicy {
		if l.Open, err = a.iamDecides(t.Resource(), []string{lfSelect}); err != nil {
			return Reading{}, err
		}
	}
	v, err := lakeformation.ViewOf(c, t, l)
	return Reading{Named: named, Table: t, View: v}, err
}

// PartitionOf is a partition that a query engine of AWS itself reads.
type PartitionOf struct {
	Values  []string
	Storage *state.StorageDescriptor
}

// ReadPartitions hands out the partitions of a table that [Read] opened and that the caller may
// see, which fulfil an expression of GetPartitions, or all.
func ReadPartitions(c *engine.Call, catalogID, database, table, expression string) ([]PartitionOf, error) {
	_, t, err := openReading(c, "glue:GetPartitions", &catalogID, &database, &table)
	if err != nil {
		return nil, err
	}
	var all []PartitionOf
	var token *string
	for {
		l, err := partitionListing(&expression, nil, nil, token)
		if err != nil {
			return nil, err
		}
		token, err = l.run(c, t, func(values []string, _ state.Partition, sd *state.StorageDescriptor) error {
			all = append(all, PartitionOf{values, sd})
			return nil
		})
		if err != nil || token == nil {
			return all, err
		}
	}
}
