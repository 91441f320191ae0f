package catalog

import (
	"context"
	"fmt"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"golang.org/x/sync/errgroup"
)

const (
	// PartitionPage is the largest page of GetPartitions, and how many partitions
	// BatchGetPartition takes.
	PartitionPage = 1000
	// segments is into how many parts GetPartitions divides a table at most
	// (https://docs.aws.amazon.com/glue/latest/webapi/API_Segment.html).
	segments = 10
	// defaultPagesInRow is how many pages are read before a table counts as very
	// large. A listing in segments begins anew, so what was read before is read twice;
	// beside the batches that write them, these pages are less than a tenth.
	defaultPagesInRow = 100
)

// page is a page of a table's partitions.
type page []types.Partition

// partitions lists the partitions of a table, a page at a time, all pages, each
// partition once. Without columns the pages are much smaller. A page's token leads
// to the next one only, so a very large table is read in segments, side by side.
func (c *Catalog) partitions(ctx context.Context, t TableName, columns bool) iter.Seq2[page, error] {
	return func(yield func(page, error) bool) {
		in := glue.GetPartitionsInput{CatalogId: c.id(), DatabaseName: aws.String(t.Database), TableName: aws.String(t.Table),
			MaxResults: aws.Int32(PartitionPage)}
		if !columns {
			in.ExcludeColumnSchema = aws.Bool(true)
		}
		seen := map[fingerprint]bool{}
		pages := glue.NewGetPartitionsPaginator(c.Client, &in)
		for n := 0; pages.HasMorePages(); n++ {
			if n == c.pagesInRow {
				c.segmented(ctx, t, in, seen, yield)
				return
			}
			out, err := pages.NextPage(ctx)
			if err != nil {
				yield(nil, fmt.Errorf("list the partitions of table %s: %w", t, err))
				return
			}
			if pages.HasMorePages() || len(seen) > 0 {
				for i := range out.Partitions {
					seen[fingerprintOf(out.Partitions[i].Values)] = true
				}
			}
			if !yield(out.Partitions, nil) {
				return
			}
		}
	}
}

// segmented lists the partitions of a table in segments, without those that were
// seen. Each segment's calls wait for a slot, as the batches do that write what was
// read.
func (c *Catalog) segmented(ctx context.Context, t TableName, in glue.GetPartitionsInput, seen map[fingerprint]bool, yield func(page, error) bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	read := make(chan page)
	for i := range segments {
		in := in
		in.Segment = &types.Segment{SegmentNumber: int32(i), TotalSegments: aws.Int32(segments)}
		group.Go(func() error { return c.segment(ctx, &in, read) })
	}
	failed := make(chan error, 1)
	go func() {
		failed <- group.Wait()
		close(read)
	}()
	for p := range read {
		rest := p[:0]
		for i := range p {
			if !seen[fingerprintOf(p[i].Values)] {
				rest = append(rest, p[i])
			}
		}
		if len(rest) > 0 && !yield(rest, nil) {
			cancel()
			for range read {
				// The segments are under way no longer than their calls.
			}
			return
		}
	}
	if err := <-failed; err != nil {
		yield(nil, fmt.Errorf("list the partitions of table %s: %w", t, err))
	}
}

func (c *Catalog) segment(ctx context.Context, in *glue.GetPartitionsInput, read chan<- page) error {
	for pages := glue.NewGetPartitionsPaginator(c.Client, in); pages.HasMorePages(); {
		release, err := c.slot(ctx)
		if err != nil {
			return err
		}
		out, err := pages.NextPage(ctx)
		release()
		if err != nil {
			return err
		}
		select {
		case read <- out.Partitions:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
