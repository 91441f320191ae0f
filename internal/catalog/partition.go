package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
)

const (
	// partitionPage is the largest page of GetPartitions, and how many partitions
	// BatchGetPartition takes.
	partitionPage = 1000
	// partitionBatch is how many partitions BatchCreatePartition takes.
	partitionBatch = 100
)

// TableName names a table of a catalog.
type TableName struct{ Database, Table string }

// String is database.table.
func (n TableName) String() string { return n.Database + "." + n.Table }

// partitions lists the partitions of a table, a page at a time, all pages.
// Without columns the pages are much smaller.
func (c *Catalog) partitions(ctx context.Context, t TableName, columns bool) iter.Seq2[[]types.Partition, error] {
	return func(yield func([]types.Partition, error) bool) {
		in := &glue.GetPartitionsInput{CatalogId: c.id(), DatabaseName: aws.String(t.Database), TableName: aws.String(t.Table),
			MaxResults: aws.Int32(partitionPage)}
		if !columns {
			in.ExcludeColumnSchema = aws.Bool(true)
		}
		pages := glue.NewGetPartitionsPaginator(c.Client, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(nil, fmt.Errorf("list the partitions of table %s: %w", t, err))
				return
			}
			if !yield(page.Partitions, nil) {
				return
			}
		}
	}
}

// fingerprint stands for the values of a partition. It keeps a set of a million
// partitions in some tens of megabytes.
type fingerprint [16]byte

func fingerprintOf(values []string) fingerprint {
	h := sha256.New()
	var length [8]byte
	for _, v := range values {
		binary.BigEndian.PutUint64(length[:], uint64(len(v)))
		_, _ = h.Write(length[:]) // a hash takes everything
		_, _ = h.Write([]byte(v))
	}
	return fingerprint(h.Sum(nil)[:16])
}

// Missing are the partitions of a table that its copy does not have.
type Missing struct {
	// Count is how many.
	Count int
	// Values are the values of each, unless there are so many that they are not
	// kept; then Values is nil and the copy reads the table again.
	Values [][]string
	// present are the partitions that the copy has, for that case.
	present map[fingerprint]struct{}
}

// mostKept is how many missing partitions of a table are kept by their values.
const mostKept = 10_000

// MissingPartitions compares the partitions of a table with those of its copy in
// another catalog.
func MissingPartitions(ctx context.Context, from *Catalog, source TableName, to *Catalog, target TableName) (*Missing, error) {
	m := &Missing{present: map[fingerprint]struct{}{}}
	for page, err := range to.partitions(ctx, target, false) {
		if err != nil {
			return nil, err
		}
		for _, p := range page {
			m.present[fingerprintOf(p.Values)] = struct{}{}
		}
	}
	for page, err := range from.partitions(ctx, source, false) {
		if err != nil {
			return nil, err
		}
		for _, p := range page {
			if _, ok := m.present[fingerprintOf(p.Values)]; ok {
				continue
			}
			m.Count++
			if m.Count <= mostKept {
				m.Values = append(m.Values, p.Values)
			}
		}
	}
	if m.Count > mostKept {
		m.Values = nil
	} else {
		m.present = nil
	}
	return m, nil
}

// CopyPartitions copies partitions of a table to its copy in another catalog:
// those that are missing, or with nil, all of them, which is for a copy that was
// just made. They are streamed: no more than a few pages are held. It returns how
// many the copy has got.
func CopyPartitions(ctx context.Context, from *Catalog, source TableName, to *Catalog, target TableName, missing *Missing) (int, error) {
	pages := from.partitions(ctx, source, true)
	keep := func(types.Partition) bool { return true }
	switch {
	case missing != nil && missing.Count == 0:
		return 0, nil
	case missing != nil && missing.Values != nil:
		pages = from.named(ctx, source, missing.Values)
	case missing != nil:
		keep = func(p types.Partition) bool {
			_, ok := missing.present[fingerprintOf(p.Values)]
			return !ok
		}
	}
	w := to.newWriter(ctx, target)
	for page, err := range pages {
		if err != nil {
			w.fail(err)
			break
		}
		for _, p := range page {
			if keep(p) && !w.add(p) {
				break
			}
		}
		if w.ctx.Err() != nil {
			break
		}
	}
	return w.finish()
}

// named reads partitions by their values. Those that are gone in the meantime are
// left out.
func (c *Catalog) named(ctx context.Context, t TableName, values [][]string) iter.Seq2[[]types.Partition, error] {
	return func(yield func([]types.Partition, error) bool) {
		for chunk := range slices.Chunk(values, partitionPage) {
			ask := make([]types.PartitionValueList, len(chunk))
			for i, v := range chunk {
				ask[i] = types.PartitionValueList{Values: v}
			}
			// What did not fit into the answer comes back as unprocessed.
			for len(ask) > 0 {
				out, err := c.Client.BatchGetPartition(ctx, &glue.BatchGetPartitionInput{CatalogId: c.id(),
					DatabaseName: aws.String(t.Database), TableName: aws.String(t.Table), PartitionsToGet: ask})
				if err != nil {
					yield(nil, fmt.Errorf("read partitions of table %s: %w", t, err))
					return
				}
				if !yield(out.Partitions, nil) {
					return
				}
				if len(out.UnprocessedKeys) >= len(ask) {
					break
				}
				ask = out.UnprocessedKeys
			}
		}
	}
}

// writer makes partitions in batches, several of them at once.
type writer struct {
	catalog *Catalog
	table   TableName
	group   *errgroup.Group
	ctx     context.Context
	cancel  context.CancelCauseFunc
	batch   []types.PartitionInput

	mu      sync.Mutex
	written int
	failed  error
}

// copyWidth is how many batches of one table are under way at once.
const copyWidth = 10

func (c *Catalog) newWriter(ctx context.Context, t TableName) *writer {
	w := &writer{catalog: c, table: t}
	ctx, w.cancel = context.WithCancelCause(ctx)
	w.group, w.ctx = errgroup.WithContext(ctx)
	w.group.SetLimit(copyWidth)
	return w
}

// fail notes an error that did not come from writing.
func (w *writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed == nil {
		w.failed = err
	}
}

// add takes a partition; it is false when there is no sense in going on.
func (w *writer) add(p types.Partition) bool {
	w.batch = append(w.batch, types.PartitionInput{Values: p.Values, StorageDescriptor: p.StorageDescriptor, Parameters: p.Parameters,
		LastAccessTime: p.LastAccessTime, LastAnalyzedTime: p.LastAnalyzedTime})
	if len(w.batch) == partitionBatch {
		w.send()
	}
	return w.ctx.Err() == nil
}

func (w *writer) send() {
	if len(w.batch) == 0 {
		return
	}
	batch := w.batch
	w.batch = nil
	w.group.Go(func() error {
		select {
		case w.catalog.slots <- struct{}{}:
			defer func() { <-w.catalog.slots }()
		case <-w.ctx.Done():
			return context.Cause(w.ctx)
		}
		err := w.catalog.createPartitions(w.ctx, w.table, batch)
		if err == nil {
			w.mu.Lock()
			w.written += len(batch)
			w.mu.Unlock()
		}
		return err
	})
}

// finish sends the rest and waits.
func (w *writer) finish() (int, error) {
	w.mu.Lock()
	failed := w.failed
	w.mu.Unlock()
	if failed == nil {
		w.send()
	}
	err := w.group.Wait()
	w.cancel(nil)
	if failed != nil {
		err = failed
	}
	return w.written, err
}

// createPartitions makes up to a hundred partitions. Those that exist already are
// fine.
func (c *Catalog) createPartitions(ctx context.Context, t TableName, batch []types.PartitionInput) error {
	out, err := c.Client.BatchCreatePartition(ctx, &glue.BatchCreatePartitionInput{CatalogId: c.id(),
		DatabaseName: aws.String(t.Database), TableName: aws.String(t.Table), PartitionInputList: batch})
	if err != nil {
		return fmt.Errorf("create partitions of table %s: %w", t, err)
	}
	// The answer is a success even if every partition failed.
	var failed lakemesh.PartialError
	for _, e := range out.Errors {
		code, message := "UnknownError", "Glue gave no reason"
		if e.ErrorDetail != nil {
			code, message = aws.ToString(e.ErrorDetail.ErrorCode), aws.ToString(e.ErrorDetail.ErrorMessage)
		}
		if code == "AlreadyExistsException" {
			continue
		}
		failed.Failed = append(failed.Failed, lakemesh.StepError{
			Step: fmt.Sprintf("create partition %s of table %s", strings.Join(e.PartitionValues, "/"), t), Err: awserr.New(code, message)})
	}
	if len(failed.Failed) == 0 {
		return nil
	}
	failed.Op = "copy the partitions of table " + t.String()
	failed.Done = len(batch) - len(failed.Failed)
	return &failed
}
