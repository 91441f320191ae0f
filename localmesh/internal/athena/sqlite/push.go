package sqlite

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"sort"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
	"github.com/lakemesh/lakemesh/localmesh/internal/athena/files"
)

// pushed is a table that does by itself what [dialect.Source] tells.
func pushed(s *dialect.Source, r files.Reader) files.Reader {
	if len(s.Where) > 0 {
		r = &chosen{reader: r, tests: tests(s.Where)}
	}
	switch {
	case s.Grouping != nil:
		return &grouped{reader: r, of: s.Grouping}
	case s.Top != nil && s.Top.Rows > 0:
		return &first{reader: r, top: *s.Top}
	}
	return r
}

// test is a condition on the values of a column.
type test struct {
	column int
	holds  func(v any) bool
}

func tests(list []dialect.Comparison) []test {
	var all []test
	for _, c := range list {
		all = append(all, test{c.Column, holds(c)})
	}
	return all
}

func holds(c dialect.Comparison) func(v any) bool {
	switch c.Operator {
	case "null":
		return func(v any) bool { return v == nil }
	case "not null":
		return func(v any) bool { return v != nil }
	case "in":
		return func(v any) bool {
			if v == nil {
				return false
			}
			for _, w := range c.Values {
				if compare(v, w) == 0 {
					return true
				}
			}
			return false
		}
	}
	fits := map[string]func(int) bool{
		"=": func(o int) bool { return o == 0 }, "<>": func(o int) bool { return o != 0 }, "<": func(o int) bool { return o < 0 },
		"<=": func(o int) bool { return o <= 0 }, ">": func(o int) bool { return o > 0 }, ">=": func(o int) bool { return o >= 0 },
	}[c.Operator]
	with := c.Values[0]
	return func(v any) bool { return v != nil && fits(compare(v, with)) }
}

// chosen leaves out rows that a condition refuses.
type chosen struct {
	reader files.Reader
	tests  []test
	out    files.Batch
	keep   []int
}

// Next implements files.Reader.
func (c *chosen) Next() (*files.Batch, error) {
	for {
		b, err := c.reader.Next()
		if err != nil {
			return nil, err
		}
		c.keep = c.keep[:0]
	rows:
		for row := range b.Len {
			for _, t := range c.tests {
				if !t.holds(b.Columns[t.column][row]) {
					continue rows
				}
			}
			c.keep = append(c.keep, row)
		}
		switch len(c.keep) {
		case 0:
			continue
		case b.Len:
			return b, nil
		}
		return c.take(b), nil
	}
}

// take copies the rows that are kept.
func (c *chosen) take(b *files.Batch) *files.Batch {
	if c.out.Columns == nil {
		c.out.Columns = make([]files.Vector, len(b.Columns))
	}
	c.out.Len = len(c.keep)
	for i, column := range b.Columns {
		if column == nil {
			continue
		}
		c.out.Columns[i] = c.out.Columns[i][:0]
		for _, row := range c.keep {
			c.out.Columns[i] = append(c.out.Columns[i], column[row])
		}
	}
	return &c.out
}

// first keeps the rows that by one column are among as many as are asked for, and those that are
// as good as the last of them: which of these are shown the rest of the order says.
type first struct {
	reader files.Reader
	top    dialect.Top
	// best are the values of the rows that come first so far, in order.
	best []any
	out  files.Batch
	done bool
}

// crowd is how many rows are kept before those are taken out that others have come before.
const crowd = 4096

// before reports whether a value comes before another one.
func (f *first) before(a, b any) bool {
	switch {
	case a == nil && b == nil:
		return false
	case a == nil:
		return f.top.NullsFirst
	case b == nil:
		return !f.top.NullsFirst
	}
	if f.top.Descending {
		return compare(a, b) > 0
	}
	return compare(a, b) < 0
}

// Next implements files.Reader.
func (f *first) Next() (*files.Batch, error) {
	if f.done {
		return nil, io.EOF
	}
	f.done = true
	limit := crowd
	for {
		b, err := f.reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		f.add(b)
		if f.out.Len > limit {
			f.prune()
			limit = max(crowd, 2*f.out.Len)
		}
	}
	f.prune()
	if f.out.Len == 0 {
		return nil, io.EOF
	}
	return &f.out, nil
}

func (f *first) full() bool { return len(f.best) == f.top.Rows }

func (f *first) last() any { return f.best[len(f.best)-1] }

// add keeps the rows of a batch that may be among the first.
func (f *first) add(b *files.Batch) {
	if f.out.Columns == nil {
		f.out.Columns = make([]files.Vector, len(b.Columns))
	}
	for row := range b.Len {
		v := b.Columns[f.top.Column][row]
		if f.full() && f.before(f.last(), v) {
			continue
		}
		for i, column := range b.Columns {
			if column != nil {
				f.out.Columns[i] = append(f.out.Columns[i], column[row])
			}
		}
		f.out.Len++
		if f.full() && !f.before(v, f.last()) {
			continue
		}
		i := sort.Search(len(f.best), func(i int) bool { return f.before(v, f.best[i]) })
		f.best = append(f.best, nil)
		copy(f.best[i+1:], f.best[i:])
		f.best[i] = v
		f.best = f.best[:min(len(f.best), f.top.Rows)]
	}
}

// prune takes rows out that enough others have come before.
func (f *first) prune() {
	if !f.full() {
		return
	}
	n := 0
	for row := range f.out.Len {
		if f.before(f.last(), f.out.Columns[f.top.Column][row]) {
			continue
		}
		for _, column := range f.out.Columns {
			if column != nil {
				column[n] = column[row]
			}
		}
		n++
	}
	f.out.Len = n
	for i, column := range f.out.Columns {
		if column != nil {
			f.out.Columns[i] = column[:n]
		}
	}
}

// grouped makes one row of each group.
type grouped struct {
	reader files.Reader
	of     *dialect.Grouping
	done   bool
	single map[any]*group
	many   map[string]*group
	order  []*group
	key    []byte
}

type group struct {
	keys  []any
	sums  []sum
	bests []any
	sets  []map[any]struct{}
}

// sum is one of whole numbers, or of others with what rounding has lost (Neumaier's way).
type sum struct {
	count       int64
	whole       int64
	float, lost float64
	isFloat     bool
}

// Next implements files.Reader.
func (g *grouped) Next() (*files.Batch, error) {
	if g.done {
		return nil, io.EOF
	}
	g.done = true
	g.single, g.many = map[any]*group{}, map[string]*group{}
	if len(g.of.Keys) == 0 {
		g.find(nil, 0)
	}
	for {
		b, err := g.reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := g.add(b); err != nil {
			return nil, err
		}
	}
	if len(g.order) == 0 {
		return nil, io.EOF
	}
	out := &files.Batch{Len: len(g.order)}
	for k := range g.of.Keys {
		v := make(files.Vector, len(g.order))
		for i, one := range g.order {
			v[i] = one.keys[k]
		}
		out.Columns = append(out.Columns, v)
	}
	for a, f := range g.of.Aggregates {
		v := make(files.Vector, len(g.order))
		for i, one := range g.order {
			v[i] = one.result(a, f.Function)
		}
		out.Columns = append(out.Columns, v)
	}
	return out, nil
}

func (g *group) result(a int, function string) any {
	switch s := g.sums[a]; function {
	case "count":
		return s.count
	case "distinct":
		return int64(len(g.sets[a]))
	case "sum":
		switch {
		case s.count == 0:
			return nil
		case s.isFloat:
			return s.float + s.lost
		}
		return s.whole
	}
	return g.bests[a]
}

// find is the group of a row.
func (g *grouped) find(b *files.Batch, row int) *group {
	keys := g.of.Keys
	switch len(keys) {
	case 0:
		if len(g.order) == 0 {
			return g.make(nil, 0)
		}
		return g.order[0]
	case 1:
		v := b.Columns[keys[0]][row]
		found := g.single[v]
		if found == nil {
			found = g.make(b, row)
			g.single[v] = found
		}
		return found
	}
	g.key = g.key[:0]
	for _, k := range keys {
		switch x := b.Columns[k][row].(type) {
		case nil:
			g.key = append(g.key, 0)
		case int64:
			g.key = binary.BigEndian.AppendUint64(append(g.key, 1), uint64(x))
		case string:
			g.key = append(binary.AppendUvarint(append(g.key, 2), uint64(len(x))), x...)
		}
	}
	found := g.many[string(g.key)]
	if found == nil {
		found = g.make(b, row)
		g.many[string(g.key)] = found
	}
	return found
}

func (g *grouped) make(b *files.Batch, row int) *group {
	n := len(g.of.Aggregates)
	one := &group{sums: make([]sum, n), bests: make([]any, n), sets: make([]map[any]struct{}, n)}
	for _, k := range g.of.Keys {
		one.keys = append(one.keys, b.Columns[k][row])
	}
	g.order = append(g.order, one)
	return one
}

func (g *grouped) add(b *files.Batch) error {
	if len(g.of.Keys) == 0 && len(g.of.Aggregates) == 1 && g.of.Aggregates[0].Column < 0 {
		g.order[0].sums[0].count += int64(b.Len)
		return nil
	}
	for row := range b.Len {
		one := g.find(b, row)
		for a, f := range g.of.Aggregates {
			if f.Column < 0 {
				one.sums[a].count++
				continue
			}
			v := b.Columns[f.Column][row]
			if v == nil {
				continue
			}
			switch f.Function {
			case "count":
				one.sums[a].count++
			case "distinct":
				if one.sets[a] == nil {
					one.sets[a] = map[any]struct{}{}
				}
				one.sets[a][v] = struct{}{}
			case "sum":
				if err := one.sums[a].add(v); err != nil {
					return err
				}
			case "min":
				if one.bests[a] == nil || compare(v, one.bests[a]) < 0 {
					one.bests[a] = v
				}
			case "max":
				if one.bests[a] == nil || compare(v, one.bests[a]) > 0 {
					one.bests[a] = v
				}
			}
		}
	}
	return nil
}

func (s *sum) add(v any) error {
	s.count++
	if n, ok := v.(int64); ok {
		next := s.whole + n
		if (next > s.whole) != (n > 0) && n != 0 {
			return &dialect.Error{Code: "NUMERIC_VALUE_OUT_OF_RANGE", Message: "bigint overflow, or a decimal of more than 18 digits, which is not in the local mesh"}
		}
		s.whole = next
		return nil
	}
	x := real(v)
	s.isFloat = true
	t := s.float + x
	switch {
	case math.IsInf(t, 0):
		// Infinite it stays.
		s.lost = 0
	case math.Abs(s.float) >= math.Abs(x):
		s.lost += (s.float - t) + x
	default:
		s.lost += (x - t) + s.float
	}
	s.float = t
	return nil
}
