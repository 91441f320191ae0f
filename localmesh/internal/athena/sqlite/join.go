package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"sync/atomic"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
	"github.com/lakemesh/lakemesh/localmesh/internal/athena/files"
)

// opened is the table of a source, or those that it joins.
func opened(ctx context.Context, s *dialect.Source, open func(*dialect.Source) Table, handed *atomic.Int64) Table {
	if s.Join == nil {
		return open(s)
	}
	return &joined{ctx: ctx, source: s, left: opened(ctx, s.Join.Left, open, handed), right: opened(ctx, s.Join.Right, open, handed), handed: handed}
}

// joined is two tables that are joined by hashing the smaller one.
type joined struct {
	ctx         context.Context
	source      *dialect.Source
	left, right Table
	handed      *atomic.Int64
}

// Scan implements Table.
func (t *joined) Scan(used []bool, constraints []Constraint) (files.Reader, error) {
	j := t.source.Join
	width := len(j.Left.Table.Columns)
	r := &joinReader{table: t, out: files.Batch{Columns: make([]files.Vector, len(used))}}
	sides := [2]side{{keys: j.LeftKeys, used: slices.Clone(used[:width])}, {keys: j.RightKeys, used: slices.Clone(used[width:]), offset: width}}
	var whole [2][]Constraint
	where := [2][]dialect.Comparison{slices.Clone(j.Left.Where), slices.Clone(j.Right.Where)}
	whole[0], whole[1] = constraintsOf(where[0]), constraintsOf(where[1])
	// What all rows that matter fulfil, the tables' rows do: of the right one's only if there are
	// no rows without a partner.
	for _, c := range constraints {
		if c.Column < width {
			whole[0] = append(whole[0], c)
		} else if !j.Outer {
			c.Column -= width
			whole[1] = append(whole[1], c)
		}
	}
	for _, c := range t.source.Where {
		if c.Column < width {
			where[0] = append(where[0], c)
		} else if !j.Outer {
			c.Column -= width
			where[1] = append(where[1], c)
		}
	}
	for i, from := range []Table{t.left, t.right} {
		s := &sides[i]
		s.out = slices.Clone(s.used)
		for _, k := range s.keys {
			s.used[k] = true
		}
		for _, c := range where[i] {
			s.used[c.Column] = true
		}
		reader, err := from.Scan(s.used, whole[i])
		if err != nil {
			return nil, err
		}
		if s.reader = reader; len(where[i]) > 0 {
			s.reader = &chosen{reader: reader, tests: tests(where[i])}
		}
	}
	r.probe, r.build = sides[0], sides[1]
	return r, nil
}

// side is one of the tables.
type side struct {
	reader files.Reader
	keys   []int
	// used are the columns that are read, out those that are handed on.
	used, out []bool
	offset    int
	// kept are the rows that were read before it was known which table is the smaller one, rows
	// how many.
	kept []files.Batch
	rows int
	// all are those of the side that is hashed.
	all  files.Batch
	more bool
}

// next reads a batch.
func (t *joined) next(s *side) (*files.Batch, error) {
	if err := t.ctx.Err(); err != nil {
		return nil, err
	}
	return s.reader.Next()
}

// keep copies a batch.
func (s *side) keep(b *files.Batch) {
	own := files.Batch{Len: b.Len, Columns: make([]files.Vector, len(s.used))}
	for i, u := range s.used {
		if u {
			own.Columns[i] = slices.Clone(b.Columns[i][:b.Len])
		}
	}
	s.kept = append(s.kept, own)
	s.rows += b.Len
}

// join puts the rows that were kept together.
func (s *side) join() {
	s.all = files.Batch{Len: s.rows, Columns: make([]files.Vector, len(s.used))}
	for i, u := range s.used {
		if !u {
			continue
		}
		s.all.Columns[i] = make(files.Vector, 0, s.rows)
		for _, b := range s.kept {
			s.all.Columns[i] = append(s.all.Columns[i], b.Columns[i]...)
		}
	}
	s.kept = nil
}

// joinReader hands out the joined rows.
type joinReader struct {
	table        *joined
	probe, build side
	ready        bool
	// heads are the first rows of the build side by their key, from 1; chain is the one after each.
	numbers map[int64]int32
	texts   map[string]int32
	chain   []int32
	// near are those of numbers that lie close together, from low on.
	near []int32
	low  int64
	// batch is that of the probe side, at its row, and match what of its partners is to come.
	batch    *files.Batch
	at       int
	match    int32
	from, to []int32
	key      []byte
	out      files.Batch
}

// prepare reads both tables by turns until one of them ends: that is the one to be hashed.
func (r *joinReader) prepare() error {
	t := r.table
	r.ready = true
	read := func(s *side) (ended bool, err error) {
		b, err := t.next(s)
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err == nil {
			s.keep(b)
		}
		if s.rows > maxKept {
			err = lacking("a join of tables both of which have more than %d rows", maxKept)
		}
		return false, err
	}
	r.probe.more = true
	for {
		ended, err := read(&r.build)
		if err != nil {
			return err
		}
		if ended {
			break
		}
		if t.source.Join.Outer {
			continue
		}
		if ended, err = read(&r.probe); err != nil {
			return err
		}
		if ended {
			r.probe, r.build = r.build, r.probe
			r.probe.more = true
			break
		}
	}
	return r.hash()
}

// maxKept bounds the rows that a join keeps.
const maxKept = 20_000_000

func (r *joinReader) hash() error {
	r.build.join()
	n := r.build.all.Len
	r.chain = make([]int32, n+1)
	r.numbers, r.texts = map[int64]int32{}, map[string]int32{}
	if r.dense() {
		return nil
	}
	// The last row comes first into a chain, so that its rows keep their order.
	for row := n - 1; row >= 0; row-- {
		number, text, kind, err := r.keyOf(&r.build.all, r.build.keys, row)
		if err != nil {
			return err
		}
		switch kind {
		case isNumber:
			r.chain[row+1] = r.numbers[number]
			r.numbers[number] = int32(row + 1)
		case isText:
			r.chain[row+1] = r.texts[string(text)]
			r.texts[string(text)] = int32(row + 1)
		}
	}
	return nil
}

// dense makes a table of the rows where the key is one whole number and the numbers lie close
// together, as ids do; it reports whether it did.
func (r *joinReader) dense() bool {
	if len(r.build.keys) != 1 || r.build.all.Len == 0 {
		return false
	}
	keys := r.build.all.Columns[r.build.keys[0]]
	low, high := int64(math.MaxInt64), int64(math.MinInt64)
	for _, v := range keys {
		switch v := v.(type) {
		case nil:
		case int64:
			low, high = min(low, v), max(high, v)
		default:
			return false
		}
	}
	// The difference may not fit a number with a sign.
	if low > high || uint64(high)-uint64(low) > 4*uint64(len(keys)) {
		return false
	}
	r.low, r.near = low, make([]int32, high-low+1)
	for row := len(keys) - 1; row >= 0; row-- {
		if v, ok := keys[row].(int64); ok {
			r.chain[row+1], r.near[v-low] = r.near[v-low], int32(row+1)
		}
	}
	return true
}

// first is the first row that a number is the key of, or 0.
func (r *joinReader) first(number int64) int32 {
	if r.near == nil {
		return r.numbers[number]
	}
	if i := uint64(number) - uint64(r.low); number >= r.low && i < uint64(len(r.near)) {
		return r.near[i]
	}
	return 0
}

type keyKind int

const (
	isNull keyKind = iota // has no partner
	isNumber
	isText
)

// keyOf is what a row is found by. The text is valid until the next call.
func (r *joinReader) keyOf(b *files.Batch, keys []int, row int) (number int64, text []byte, kind keyKind, err error) {
	if len(keys) == 1 {
		switch v := b.Columns[keys[0]][row].(type) {
		case nil:
			return 0, nil, isNull, nil
		case int64:
			return v, nil, isNumber, nil
		case string:
			r.key = append(r.key[:0], v...)
			return 0, r.key, isText, nil
		}
		return 0, nil, isNull, errArgument
	}
	r.key = r.key[:0]
	for _, k := range keys {
		switch v := b.Columns[k][row].(type) {
		case nil:
			return 0, nil, isNull, nil
		case int64:
			r.key = binary.BigEndian.AppendUint64(append(r.key, 1), uint64(v))
		case string:
			r.key = append(binary.AppendUvarint(append(r.key, 2), uint64(len(v))), v...)
		default:
			return 0, nil, isNull, errArgument
		}
	}
	return 0, r.key, isText, nil
}

// more takes the next batch of the probe side.
func (r *joinReader) more() error {
	r.at = -1
	if len(r.probe.kept) > 0 {
		r.batch, r.probe.kept = &r.probe.kept[0], r.probe.kept[1:]
		return nil
	}
	if !r.probe.more {
		return io.EOF
	}
	var err error
	r.batch, err = r.table.next(&r.probe)
	return err
}

// Next implements files.Reader.
func (r *joinReader) Next() (*files.Batch, error) {
	if !r.ready {
		if err := r.prepare(); err != nil {
			return nil, err
		}
	}
	for {
		if r.batch == nil {
			if err := r.more(); err != nil {
				return nil, err
			}
		}
		r.from, r.to = r.from[:0], r.to[:0]
		ended, err := r.pairs()
		if err != nil {
			return nil, err
		}
		out := r.gather()
		if ended {
			r.batch = nil
		}
		if out.Len > 0 {
			if r.table.handed.Add(int64(out.Len)) > maxRows {
				return nil, lacking("a query that joins to more than %d rows", maxRows)
			}
			return out, nil
		}
	}
}

// pairs finds the next rows that belong together, as many as a batch has; ended is set at the end
// of the probe side's.
func (r *joinReader) pairs() (ended bool, err error) {
	for {
		for r.match != 0 {
			if len(r.from) == files.BatchSize {
				return false, nil
			}
			r.from, r.to = append(r.from, int32(r.at)), append(r.to, r.match)
			r.match = r.chain[r.match]
		}
		if r.at++; r.at >= r.batch.Len {
			return true, nil
		}
		if r.at%files.BatchSize == 0 && r.table.ctx.Err() != nil {
			return false, r.table.ctx.Err()
		}
		number, text, kind, err := r.keyOf(r.batch, r.probe.keys, r.at)
		if err != nil {
			return false, err
		}
		switch kind {
		case isNumber:
			r.match = r.first(number)
		case isText:
			r.match = r.texts[string(text)]
		}
		if r.match == 0 && r.table.source.Join.Outer {
			if len(r.from) == files.BatchSize {
				r.at--
				return false, nil
			}
			r.from, r.to = append(r.from, int32(r.at)), append(r.to, 0)
		}
	}
}

// gather makes a batch of the rows that were found.
func (r *joinReader) gather() *files.Batch {
	r.out.Len = len(r.from)
	for i, out := range r.probe.out {
		if !out {
			continue
		}
		v, of := r.out.Columns[r.probe.offset+i][:0], r.batch.Columns[i]
		for _, row := range r.from {
			v = append(v, of[row])
		}
		r.out.Columns[r.probe.offset+i] = v
	}
	for i, out := range r.build.out {
		if !out {
			continue
		}
		v, of := r.out.Columns[r.build.offset+i][:0], r.build.all.Columns
		for _, row := range r.to {
			if row == 0 {
				v = append(v, nil)
			} else {
				v = append(v, of[i][row-1])
			}
		}
		r.out.Columns[r.build.offset+i] = v
	}
	return &r.out
}
