package producer

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/places"
)

const (
	// mostPartitionPages is how many pages of a table's partitions a decision looks at: no
	// more, so that a decision on a table with a million of them does not take minutes. Nearly
	// all partitions of nearly all tables lie below their table's location, which is open.
	mostPartitionPages = 10
	// mostOtherTables is of how many tables that a decision is not about the partitions are
	// looked at, before it closes a place that may be one of theirs.
	mostOtherTables = 100
)

// withPartitions are the tables with the places of their partitions.
func (p *Producer) withPartitions(ctx context.Context, tables map[catalog.TableName]meshTable) (map[catalog.TableName]meshTable, error) {
	return p.placesIn(ctx, slices.Collect(maps.Keys(tables)), tables)
}

// partitionsOf are the first of the tables that are named, with the places of their
// partitions.
func (p *Producer) partitionsOf(ctx context.Context, names []catalog.TableName, tables map[catalog.TableName]meshTable) (map[catalog.TableName]meshTable, error) {
	return p.placesIn(ctx, names[:min(len(names), mostOtherTables)], tables)
}

// placesIn are those of the tables that are named, with the places of their partitions.
func (p *Producer) placesIn(ctx context.Context, names []catalog.TableName, tables map[catalog.TableName]meshTable) (map[catalog.TableName]meshTable, error) {
	found := make(map[catalog.TableName]meshTable, len(names))
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(p.concurrency())
	for _, name := range names {
		group.Go(func() error {
			t, err := p.withItsPartitions(ctx, name, tables[name])
			mu.Lock()
			defer mu.Unlock()
			found[name] = t
			return err
		})
	}
	return found, group.Wait()
}

// withItsPartitions is a table with the places of its partitions. What may not be read,
// or is gone, has none that are known.
func (p *Producer) withItsPartitions(ctx context.Context, name catalog.TableName, t meshTable) (meshTable, error) {
	if !t.partitioned {
		return t, nil
	}
	// The caller's places stay as they are.
	t.known = places.Table{Places: append([]places.Place(nil), t.known.Places...), Unknown: append([]places.Unknown(nil), t.known.Unknown...)}
	all, err := p.mesh.catalog.EachPartition(ctx, name, mostPartitionPages, func(partition *types.Partition) { t.known.AddPartition(partition) })
	if awserr.Denied(err) || awserr.NotFound(err) {
		p.log.WarnContext(ctx, "the partitions of a table cannot be read", "table", name.String(), "error", err)
		all, err = false, nil
	}
	t.partial = !all
	return t, err
}
