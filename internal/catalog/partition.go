package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"math/bits"
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
	// partitionBatch is how many partitions BatchCreatePartition takes.
	partitionBatch = 100
	// removalBatch is how many partitions BatchDeletePartition takes
	// (https://docs.aws.amazon.com/glue/latest/webapi/API_BatchDeletePartition.html).
	removalBatch = 25
)

// TableName names a table of a catalog.
type TableName struct{ Database, Table string }

// String is database.table.
func (n TableName) String() string { return n.Database + "." + n.Table }

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

// form stands for all that a partition says: where its data is, how it is read, its
// columns and its parameters. A reader fails, or reads something else, whichever of them
// differs.
type form [8]byte

// formOf leaves out the times at which the partition was made and last used, which the
// copy has of its own.
func formOf(p *types.Partition) form {
	said := types.PartitionInput{StorageDescriptor: p.StorageDescriptor, Parameters: p.Parameters}
	sum := digest(said)
	return form(sum[:len(form{})])
}

// add adds a partition to a set.
func (s *Set) add(values fingerprint, f form) {
	sum := sha256.Sum256(append(values[:], f[:]...))
	var carry uint64
	s.low, carry = bits.Add64(s.low, binary.BigEndian.Uint64(sum[8:16]), 0)
	s.high, _ = bits.Add64(s.high, binary.BigEndian.Uint64(sum[:8]), carry)
	s.count++
}

// Drift is how the partitions of a table's copy differ from those of the table.
type Drift struct {
	// Missing is how many partitions the copy does not have, Changed how many say
	// something else there, Surplus how many only the copy has.
	Missing, Changed, Surplus int
	// Source and Copy stand for the partitions of both.
	Source, Copy Set
	// missing and changed are their values, unless there are so many that they are not
	// kept; then both are nil and the copy reads the table again.
	missing, changed [][]string
	// present are the partitions that the copy has, for that case.
	present map[fingerprint]copied
	// surplus are those that only the copy has; lengths counts the copy's partitions by
	// how many values they have.
	surplus map[fingerprint]bool
	lengths map[int]int
}

// copied is a partition that the copy has, and whether the table has it.
type copied struct {
	form form
	seen bool
}

// Count is how many partitions have to be written.
func (d *Drift) Count() int { return d.Missing + d.Changed }

// Odd is how many partitions of the copy do not have as many values as there are
// partition keys: they are left of other keys.
func (d *Drift) Odd(keys int) int {
	n := 0
	for length, count := range d.lengths {
		if length != keys {
			n += count
		}
	}
	return n
}

// mostKept is how many partitions of a table are kept by their values.
const mostKept = 10_000

// ComparePartitions compares the partitions of a table with those of its copy in
// another catalog: in everything that they say. each, if it is not nil, is told of each
// partition of the table. What was listed of the table before is not read again.
func ComparePartitions(ctx context.Context, from *Catalog, source TableName, to *Catalog, target TableName, each func(*types.Partition), before ...*Listing) (*Drift, error) {
	d := &Drift{present: map[fingerprint]copied{}, lengths: map[int]int{}}
	for page, err := range to.partitions(ctx, target, true) {
		if err != nil {
			return nil, err
		}
		for i := range page {
			values, f := fingerprintOf(page[i].Values), formOf(&page[i])
			d.present[values] = copied{form: f}
			d.Copy.add(values, f)
			d.lengths[len(page[i].Values)]++
		}
	}
	matched := 0
	if len(before) > 0 && before[0].whole {
		for _, l := range before[0].list {
			matched += d.compare(l)
		}
	} else {
		for page, err := range from.partitions(ctx, source, true) {
			if err != nil {
				return nil, err
			}
			for i := range page {
				matched += d.compare(listed{page[i].Values, formOf(&page[i])})
				if each != nil {
					each(&page[i])
				}
			}
		}
	}
	if d.Surplus = len(d.present) - matched; d.Surplus > 0 {
		d.surplus = make(map[fingerprint]bool, d.Surplus)
		for values, c := range d.present {
			if !c.seen {
				d.surplus[values] = true
			}
		}
	}
	if d.Count() > mostKept {
		d.missing, d.changed = nil, nil
	} else {
		d.present = nil
	}
	return d, nil
}

// List lists the partitions of a table. each, if it is not nil, is told of each.
func (c *Catalog) List(ctx context.Context, t TableName, each func(*types.Partition)) (*Listing, error) {
	l := &Listing{whole: true}
	for page, err := range c.partitions(ctx, t, true) {
		if err != nil {
			return nil, err
		}
		for i := range page {
			p := listed{page[i].Values, formOf(&page[i])}
			l.Set.add(fingerprintOf(p.values), p.form)
			if l.whole = l.whole && len(l.list) < mostKept; l.whole {
				l.list = append(l.list, p)
			}
			if each != nil {
				each(&page[i])
			}
		}
	}
	if !l.whole {
		l.list = nil
	}
	return l, nil
}

// compare notes a partition of the table, and returns how many of the copy it is.
func (d *Drift) compare(p listed) int {
	values, f := fingerprintOf(p.values), p.form
	d.Source.add(values, f)
	found, ok := d.present[values]
	switch {
	case !ok:
		d.Missing++
		if d.Count() <= mostKept {
			d.missing = append(d.missing, p.values)
		}
		return 0
	case found.form != f:
		d.Changed++
		if d.Count() <= mostKept {
			d.changed = append(d.changed, p.values)
		}
	}
	d.present[values] = copied{form: found.form, seen: true}
	return 1
}

// state is what the copy has of a partition.
type state int

const (
	isSame state = iota
	isMissing
	isChanged
	isSurplus
)

func (d *Drift) of(p *types.Partition) state {
	switch found, ok := d.present[fingerprintOf(p.Values)]; {
	case !ok:
		return isMissing
	case found.form != formOf(p):
		return isChanged
	}
	return isSame
}

// RemovePartitions removes partitions that only the copy has: all of them, or with keys
// those alone that do not have as many values. It returns how many were removed.
func RemovePartitions(ctx context.Context, c *Catalog, t TableName, drift *Drift, keys int) (int, error) {
	// They are listed to the end before any is removed: what a page's token means when
	// what it follows is gone is not documented.
	var gone page
	for page, err := range c.partitions(ctx, t, false) {
		if err != nil {
			return 0, err
		}
		for i := range page {
			if p := &page[i]; drift.surplus[fingerprintOf(p.Values)] && (keys == 0 || len(p.Values) != keys) {
				gone = append(gone, types.Partition{Values: p.Values})
			}
		}
	}
	w := c.newWriter(ctx, t)
	w.copy(func(yield func(page, error) bool) { yield(gone, nil) }, func(*types.Partition) state { return isSurplus })
	return w.finish()
}

// CopyPartitions copies partitions of a table to its copy in another catalog:
// those that are missing or changed, or with nil, all of them, which is for a copy
// that was just made. They are streamed: no more than a few pages are held. It
// returns how many were written. With a nil drift each, if it is not nil, is told of each
// partition of the table, and set is told of all of them in the end.
func CopyPartitions(ctx context.Context, from *Catalog, source TableName, to *Catalog, target TableName, drift *Drift, each func(*types.Partition)) (int, Set, error) {
	w := to.newWriter(ctx, target)
	var set Set
	switch {
	case drift == nil:
		w.copy(from.partitions(ctx, source, true), func(p *types.Partition) state {
			set.add(fingerprintOf(p.Values), formOf(p))
			if each != nil {
				each(p)
			}
			return isMissing
		})
	case drift.Count() == 0:
	case drift.present != nil:
		w.copy(from.partitions(ctx, source, true), drift.of)
	default:
		w.copy(from.named(ctx, source, drift.missing), func(*types.Partition) state { return isMissing })
		w.copy(from.named(ctx, source, drift.changed), func(*types.Partition) state { return isChanged })
	}
	if drift != nil {
		set = drift.Source
	}
	n, err := w.finish()
	return n, set, err
}

// named reads partitions by their values. Those that are gone in the meantime are
// left out.
func (c *Catalog) named(ctx context.Context, t TableName, values [][]string) iter.Seq2[page, error] {
	return func(yield func(page, error) bool) {
		for chunk := range slices.Chunk(values, PartitionPage) {
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

// writer makes and changes partitions in batches, several of them at once.
type writer struct {
	catalog *Catalog
	table   TableName
	group   *errgroup.Group
	ctx     context.Context
	cancel  context.CancelCauseFunc
	missing batch
	changed batch
	surplus batch

	mu      sync.Mutex
	written int
	failed  error
}

// batch are the partitions of the next call of a kind.
type batch struct {
	partitions []types.PartitionInput
	max        int
	write      func(ctx context.Context, t TableName, batch []types.PartitionInput) error
}

// copyWidth is how many batches of one table are under way at once.
const copyWidth = 10

func (c *Catalog) newWriter(ctx context.Context, t TableName) *writer {
	w := &writer{catalog: c, table: t, missing: batch{max: partitionBatch, write: c.createPartitions},
		changed: batch{max: partitionBatch, write: c.updatePartitions}, surplus: batch{max: removalBatch, write: c.removePartitions}}
	ctx, w.cancel = context.WithCancelCause(ctx)
	w.group, w.ctx = errgroup.WithContext(ctx)
	w.group.SetLimit(copyWidth)
	return w
}

// copy writes those of the partitions that the copy has not, or not in that form.
func (w *writer) copy(pages iter.Seq2[page, error], of func(*types.Partition) state) {
	for page, err := range pages {
		if err != nil {
			w.fail(err)
			return
		}
		for i := range page {
			if w.ctx.Err() != nil {
				return
			}
			switch of(&page[i]) {
			case isMissing:
				w.add(&w.missing, &page[i])
			case isChanged:
				w.add(&w.changed, &page[i])
			case isSurplus:
				w.add(&w.surplus, &page[i])
			case isSame:
			}
		}
	}
}

// fail notes an error that did not come from writing.
func (w *writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed == nil {
		w.failed = err
	}
}

func (w *writer) add(b *batch, p *types.Partition) {
	b.partitions = append(b.partitions, types.PartitionInput{Values: p.Values, StorageDescriptor: p.StorageDescriptor, Parameters: p.Parameters,
		LastAccessTime: p.LastAccessTime, LastAnalyzedTime: p.LastAnalyzedTime})
	if len(b.partitions) == b.max {
		w.send(b)
	}
}

func (w *writer) send(b *batch) {
	if len(b.partitions) == 0 {
		return
	}
	partitions := b.partitions
	b.partitions = nil
	w.group.Go(func() error {
		release, err := w.catalog.slot(w.ctx)
		if err != nil {
			return err
		}
		defer release()
		err = b.write(w.ctx, w.table, partitions)
		if err == nil {
			w.mu.Lock()
			w.written += len(partitions)
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
		w.send(&w.missing)
		w.send(&w.changed)
		w.send(&w.surplus)
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
	failed := make([]partitionFailure, len(out.Errors))
	for i, e := range out.Errors {
		failed[i] = partitionFailure{e.PartitionValues, e.ErrorDetail}
	}
	return t.failures("create", len(batch), failed)
}

// updatePartitions replaces up to a hundred partitions.
func (c *Catalog) updatePartitions(ctx context.Context, t TableName, batch []types.PartitionInput) error {
	entries := make([]types.BatchUpdatePartitionRequestEntry, len(batch))
	for i := range batch {
		entries[i] = types.BatchUpdatePartitionRequestEntry{PartitionValueList: batch[i].Values, PartitionInput: &batch[i]}
	}
	out, err := c.Client.BatchUpdatePartition(ctx, &glue.BatchUpdatePartitionInput{CatalogId: c.id(),
		DatabaseName: aws.String(t.Database), TableName: aws.String(t.Table), Entries: entries})
	if err != nil {
		return fmt.Errorf("update partitions of table %s: %w", t, err)
	}
	failed := make([]partitionFailure, len(out.Errors))
	for i, e := range out.Errors {
		failed[i] = partitionFailure{e.PartitionValueList, e.ErrorDetail}
	}
	return t.failures("update", len(batch), failed)
}

// removePartitions removes up to 25 partitions. Those that are gone already are fine.
func (c *Catalog) removePartitions(ctx context.Context, t TableName, batch []types.PartitionInput) error {
	ask := make([]types.PartitionValueList, len(batch))
	for i := range batch {
		ask[i] = types.PartitionValueList{Values: batch[i].Values}
	}
	out, err := c.Client.BatchDeletePartition(ctx, &glue.BatchDeletePartitionInput{CatalogId: c.id(),
		DatabaseName: aws.String(t.Database), TableName: aws.String(t.Table), PartitionsToDelete: ask})
	if err != nil {
		return fmt.Errorf("remove partitions of table %s: %w", t, err)
	}
	var failed []partitionFailure
	for _, e := range out.Errors {
		if e.ErrorDetail == nil || aws.ToString(e.ErrorDetail.ErrorCode) != "EntityNotFoundException" {
			failed = append(failed, partitionFailure{e.PartitionValues, e.ErrorDetail})
		}
	}
	return t.failures("remove", len(batch), failed)
}

// partitionFailure is a partition that a batch call did not write.
type partitionFailure struct {
	values []string
	detail *types.ErrorDetail
}

// failures makes an error of the partitions that a batch call did not write: the
// call is a success even if it wrote none. Partitions that exist already are fine.
func (n TableName) failures(verb string, of int, list []partitionFailure) error {
	var failed lakemesh.PartialError
	for _, f := range list {
		code, message := "UnknownError", "Glue gave no reason"
		if f.detail != nil {
			code, message = aws.ToString(f.detail.ErrorCode), aws.ToString(f.detail.ErrorMessage)
		}
		if code == "AlreadyExistsException" {
			continue
		}
		failed.Failed = append(failed.Failed, lakemesh.StepError{
			Step: fmt.Sprintf("%s partition %s of table %s", verb, strings.Join(f.values, "/"), n), Err: awserr.New(code, message)})
	}
	if len(failed.Failed) == 0 {
		return nil
	}
	failed.Op = "copy the partitions of table " + n.String()
	failed.Done = of - len(failed.Failed)
	return &failed
}
