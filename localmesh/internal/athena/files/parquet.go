package files

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
)

// parquetReader reads the pages of the columns that are asked for.
type parquetReader struct {
	groups  []parquet.RowGroup
	columns []Column
	// nodes are the file's columns of them; nil where the file has none.
	nodes []*parquet.Column
	used  []bool
	// left is how many rows of the group are to come, cursors are its columns.
	left    int64
	cursors []cursor
	batch   Batch
}

// cursor reads the values of one column of a group.
type cursor interface {
	fill(into Vector) error
}

func openParquet(l Layout, key string, content []byte, used []bool) (Reader, error) {
	f, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, Fault("HIVE_BAD_DATA", "%s is not a Parquet file", key)
	}
	r := &parquetReader{groups: f.RowGroups(), columns: l.Columns, used: used, nodes: make([]*parquet.Column, len(used)),
		batch: Batch{Columns: make([]Vector, len(used))}}
	// Files that were not written by Iceberg have no ids.
	ids := slices.ContainsFunc(f.Root().Columns(), func(n *parquet.Column) bool { return n.ID() != 0 })
	for i, u := range used {
		if !u {
			continue
		}
		r.batch.Columns[i] = make(Vector, BatchSize)
		if l.Columns[i].Gone {
			continue
		}
		for _, n := range f.Root().Columns() {
			if byID := ids && l.Columns[i].ID != 0; byID && n.ID() == l.Columns[i].ID || !byID && strings.EqualFold(n.Name(), l.Columns[i].Name) {
				r.nodes[i] = n
			}
		}
		if r.nodes[i] == nil && l.Columns[i].InFile {
			return nil, lacking("a column of an Iceberg table (%s) that is not in its files", l.Columns[i].Name)
		}
		if n := r.nodes[i]; n != nil && !fits(n, l.Columns[i].Type) {
			return nil, Fault("HIVE_BAD_DATA", "Field %s's type in parquet file %s is incompatible with type %s defined in table schema, or the two are not in the local mesh", l.Columns[i].Name, key, l.Columns[i].Type)
		}
	}
	return r, nil
}

// Next implements Reader.
func (r *parquetReader) Next() (*Batch, error) {
	for r.left == 0 {
		if len(r.groups) == 0 {
			return nil, io.EOF
		}
		g := r.groups[0]
		r.groups, r.left, r.cursors = r.groups[1:], g.NumRows(), make([]cursor, len(r.used))
		chunks := g.ColumnChunks()
		for i, n := range r.nodes {
			if n == nil {
				continue
			}
			if n.Leaf() && !n.Repeated() {
				r.cursors[i] = newFlat(chunks[n.Index()], n, r.columns[i].Type)
			} else {
				r.cursors[i] = newTree(chunks, n, r.columns[i].Type)
			}
		}
	}
	r.batch.Len = int(min(r.left, BatchSize))
	r.left -= int64(r.batch.Len)
	for i, c := range r.cursors {
		if !r.used[i] {
			continue
		}
		into := r.batch.Columns[i][:r.batch.Len]
		if c == nil {
			clear(into)
			continue
		}
		if err := c.fill(into); err != nil {
			if errors.Is(err, io.EOF) {
				err = Fault("HIVE_BAD_DATA", "a Parquet file is cut off")
			}
			return nil, err
		}
	}
	return &r.batch, nil
}

// flat reads a column that is not nested, a page at a time.
type flat struct {
	pages   parquet.Pages
	convert func(parquet.Value) (any, error)
	// of the page:
	values     parquet.ValueReader
	indexes    []int32
	levels     []byte
	maxLevel   byte
	dictionary []any
	at         int
	left       int
	buffer     []parquet.Value
}

func newFlat(chunk parquet.ColumnChunk, n *parquet.Column, t dialect.Type) *flat {
	return &flat{pages: chunk.Pages(), convert: converter(n, t), maxLevel: byte(n.MaxDefinitionLevel())}
}

func (f *flat) page() error {
	p, err := f.pages.ReadPage()
	if err != nil {
		return err
	}
	f.left, f.at, f.indexes, f.values = int(p.NumValues()), 0, nil, nil
	d := p.Dictionary()
	if d == nil {
		f.values = p.Values()
		return nil
	}
	if f.dictionary == nil {
		f.dictionary = make([]any, d.Len())
		for i := range f.dictionary {
			if f.dictionary[i], err = f.convert(d.Index(int32(i))); err != nil {
				return err
			}
		}
	}
	data := p.Data()
	f.indexes, f.levels = data.Int32(), p.DefinitionLevels()
	return nil
}

func (f *flat) fill(into Vector) error {
	for len(into) > 0 {
		if f.left == 0 {
			if err := f.page(); err != nil {
				return err
			}
			continue
		}
		n := min(f.left, len(into))
		if f.values == nil {
			if err := f.lookUp(into[:n]); err != nil {
				return err
			}
			into, f.left = into[n:], f.left-n
			continue
		}
		if f.buffer == nil {
			f.buffer = make([]parquet.Value, BatchSize)
		}
		read, err := f.values.ReadValues(f.buffer[:min(n, len(f.buffer))])
		if err != nil && (!errors.Is(err, io.EOF) || read == 0) {
			return err
		}
		for i, v := range f.buffer[:read] {
			if v.IsNull() {
				into[i] = nil
				continue
			}
			if into[i], err = f.convert(v); err != nil {
				return err
			}
		}
		into, f.left = into[read:], f.left-read
	}
	return nil
}

// lookUp fills in values of a page that has their places in the dictionary.
func (f *flat) lookUp(into Vector) error {
	if len(f.levels) == 0 {
		for i, index := range f.indexes[:len(into)] {
			into[i] = f.dictionary[index]
		}
		f.indexes = f.indexes[len(into):]
		return nil
	}
	for i, level := range f.levels[:len(into)] {
		if level < f.maxLevel {
			into[i] = nil
			continue
		}
		into[i], f.indexes = f.dictionary[f.indexes[0]], f.indexes[1:]
	}
	f.levels = f.levels[len(into):]
	return nil
}

// fits reports whether a column of a file can be read as a type.
func fits(n *parquet.Column, t dialect.Type) bool {
	switch t.Kind {
	case dialect.Array:
		e := element(n)
		return e != nil && fits(e, t.Of[0])
	case dialect.Map:
		k, v := keyValue(n)
		return k != nil && fits(k, t.Of[0]) && fits(v, t.Of[1])
	case dialect.Row:
		if n.Leaf() || n.Repeated() {
			return false
		}
		for i, name := range t.Names {
			if f := fieldOf(n, name); f != nil && !fits(f, t.Of[i]) {
				return false
			}
		}
		return true
	}
	if !n.Leaf() || n.Repeated() {
		return false
	}
	decimal, isDecimal := logical(n).(*format.DecimalType)
	_, isTimestamp := logical(n).(*format.TimestampType)
	switch t.Kind {
	case dialect.Boolean:
		return n.Type().Kind() == parquet.Boolean
	case dialect.Tinyint, dialect.Smallint, dialect.Integer:
		return n.Type().Kind() == parquet.Int32 && !isDecimal
	case dialect.Bigint:
		return (n.Type().Kind() == parquet.Int32 || n.Type().Kind() == parquet.Int64) && !isDecimal
	case dialect.Real:
		return n.Type().Kind() == parquet.Float
	case dialect.Double:
		return n.Type().Kind() == parquet.Float || n.Type().Kind() == parquet.Double
	case dialect.Decimal:
		if isDecimal {
			return int(decimal.Scale) == t.Scale
		}
		return t.Scale == 0 && (n.Type().Kind() == parquet.Int32 || n.Type().Kind() == parquet.Int64)
	case dialect.Varchar, dialect.Char, dialect.Varbinary:
		return n.Type().Kind() == parquet.ByteArray || n.Type().Kind() == parquet.FixedLenByteArray && t.Kind == dialect.Varbinary
	case dialect.Date:
		return n.Type().Kind() == parquet.Int32
	case dialect.Timestamp, dialect.TimestampTZ:
		return n.Type().Kind() == parquet.Int96 || n.Type().Kind() == parquet.Int64 && isTimestamp
	}
	return false
}

func fieldOf(n *parquet.Column, name string) *parquet.Column {
	for _, c := range n.Columns() {
		if strings.EqualFold(c.Name(), name) {
			return c
		}
	}
	return nil
}

// element is the column of a list's elements
// (https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#lists).
func element(n *parquet.Column) *parquet.Column {
	if n.Leaf() || len(n.Columns()) != 1 || !n.Columns()[0].Repeated() {
		return nil
	}
	repeated := n.Columns()[0]
	if repeated.Leaf() || len(repeated.Columns()) != 1 {
		return nil
	}
	return repeated.Columns()[0]
}

func keyValue(n *parquet.Column) (key, value *parquet.Column) {
	if n.Leaf() || len(n.Columns()) != 1 || !n.Columns()[0].Repeated() || len(n.Columns()[0].Columns()) != 2 {
		return nil, nil
	}
	return n.Columns()[0].Columns()[0], n.Columns()[0].Columns()[1]
}

// converter turns values of a file into the engine's.
func converter(n *parquet.Column, t dialect.Type) func(parquet.Value) (any, error) {
	kind := n.Type().Kind()
	switch t.Kind {
	case dialect.Boolean:
		return func(v parquet.Value) (any, error) {
			if v.Boolean() {
				return int64(1), nil
			}
			return int64(0), nil
		}
	case dialect.Real, dialect.Double:
		return func(v parquet.Value) (any, error) {
			f := 0.0
			if kind == parquet.Float {
				f = float64(v.Float())
			} else {
				f = v.Double()
			}
			if math.IsNaN(f) {
				return nil, lacking("NaN")
			}
			return f, nil
		}
	case dialect.Varchar, dialect.Char:
		return func(v parquet.Value) (any, error) { return bounded(t, string(v.ByteArray())), nil }
	case dialect.Varbinary:
		return func(v parquet.Value) (any, error) { return bytes.Clone(v.ByteArray()), nil }
	case dialect.Timestamp, dialect.TimestampTZ:
		return timestamps(n)
	case dialect.Decimal:
		if kind == parquet.ByteArray || kind == parquet.FixedLenByteArray {
			return func(v parquet.Value) (any, error) { return unscaled(v.ByteArray()) }
		}
	}
	if kind == parquet.Int32 {
		return func(v parquet.Value) (any, error) { return int64(v.Int32()), nil }
	}
	return func(v parquet.Value) (any, error) { return v.Int64(), nil }
}

// unscaled reads a number in two's complement, the highest byte first.
func unscaled(b []byte) (any, error) {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if !n.IsInt64() {
		return nil, lacking("a decimal of more than 18 digits")
	}
	return n.Int64(), nil
}

func timestamps(n *parquet.Column) func(parquet.Value) (any, error) {
	if n.Type().Kind() == parquet.Int96 {
		return func(v parquet.Value) (any, error) {
			x := v.Int96()
			nanoseconds := int64(uint64(x[1])<<32 | uint64(x[0]))
			const epoch = 2_440_588 // the Julian day of 1970-01-01
			return (int64(x[2])-epoch)*86_400_000_000 + nanoseconds/1000, nil
		}
	}
	per := time.Microsecond
	if t, ok := logical(n).(*format.TimestampType); ok && t.Unit.Value != nil {
		per = t.Unit.Value.Duration()
	}
	return func(v parquet.Value) (any, error) {
		switch per {
		case time.Millisecond:
			return v.Int64() * 1000, nil
		case time.Microsecond:
			return v.Int64(), nil
		}
		return v.Int64() / 1000, nil
	}
}

// logical is what a column's values mean, or nil.
func logical(n *parquet.Column) format.LogicalTypeValue {
	if t := n.Type().LogicalType(); t != nil {
		return t.Value
	}
	return nil
}

// tree reads a column that is nested: a row at a time, of all leaves that are needed.
type tree struct {
	node   *parquet.Column
	t      dialect.Type
	leaves map[int]*leaf
}

type leaf struct {
	pages   parquet.Pages
	values  parquet.ValueReader
	buffer  []parquet.Value
	at      int
	convert func(parquet.Value) (any, error)
}

func newTree(chunks []parquet.ColumnChunk, n *parquet.Column, t dialect.Type) *tree {
	r := &tree{node: n, t: t, leaves: map[int]*leaf{}}
	var add func(n *parquet.Column, t dialect.Type)
	add = func(n *parquet.Column, t dialect.Type) {
		switch t.Kind {
		case dialect.Array:
			add(element(n), t.Of[0])
		case dialect.Map:
			k, v := keyValue(n)
			add(k, t.Of[0])
			add(v, t.Of[1])
		case dialect.Row:
			for i, name := range t.Names {
				if f := fieldOf(n, name); f != nil {
					add(f, t.Of[i])
				}
			}
		default:
			r.leaves[n.Index()] = &leaf{pages: chunks[n.Index()].Pages(), convert: converter(n, t)}
		}
	}
	add(n, t)
	return r
}

// row reads the values of the next row.
func (l *leaf) row() ([]parquet.Value, error) {
	var all []parquet.Value
	for {
		if l.at == len(l.buffer) {
			if err := l.more(); err != nil {
				if errors.Is(err, io.EOF) && len(all) > 0 {
					return all, nil
				}
				return nil, err
			}
		}
		v := l.buffer[l.at]
		if len(all) > 0 && v.RepetitionLevel() == 0 {
			return all, nil
		}
		all = append(all, v.Clone())
		l.at++
	}
}

func (l *leaf) more() error {
	for {
		if l.values == nil {
			p, err := l.pages.ReadPage()
			if err != nil {
				return err
			}
			l.values = p.Values()
		}
		if cap(l.buffer) == 0 {
			l.buffer = make([]parquet.Value, BatchSize)
		}
		n, err := l.values.ReadValues(l.buffer[:cap(l.buffer)])
		l.buffer, l.at = l.buffer[:n], 0
		if n > 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		l.values = nil
	}
}

func (r *tree) fill(into Vector) error {
	for i := range into {
		values := map[int][]parquet.Value{}
		for index, l := range r.leaves {
			var err error
			if values[index], err = l.row(); err != nil {
				return err
			}
		}
		v, err := r.build(r.node, r.t, values)
		if err != nil {
			return err
		}
		if v == nil {
			into[i] = nil
			continue
		}
		if into[i], err = Nested(v); err != nil {
			return err
		}
	}
	return nil
}

// build puts a value together of the values of its leaves
// (https://github.com/apache/parquet-format#nested-encoding).
func (r *tree) build(n *parquet.Column, t dialect.Type, values map[int][]parquet.Value) (any, error) {
	defined := func(n *parquet.Column) bool {
		for index := range r.leaves {
			if v := values[index]; len(v) > 0 && r.below(n, index) {
				return v[0].DefinitionLevel() >= n.MaxDefinitionLevel()
			}
		}
		return false
	}
	if !defined(n) {
		return nil, nil
	}
	switch t.Kind {
	case dialect.Array, dialect.Map:
		repeated := n.Columns()[0]
		out := []any{}
		if !defined(repeated) {
			return out, nil
		}
		own := map[int][]parquet.Value{}
		for index, list := range values {
			if r.below(repeated, index) {
				own[index] = list
			}
		}
		for _, part := range split(own, repeated.MaxRepetitionLevel()) {
			if t.Kind == dialect.Array {
				e, err := r.build(element(n), t.Of[0], part)
				if err != nil {
					return nil, err
				}
				out = append(out, e)
				continue
			}
			k, v := keyValue(n)
			key, err := r.build(k, t.Of[0], part)
			if err != nil {
				return nil, err
			}
			value, err := r.build(v, t.Of[1], part)
			if err != nil {
				return nil, err
			}
			out = append(out, []any{key, value})
		}
		return out, nil
	case dialect.Row:
		out := make([]any, len(t.Of))
		for i, name := range t.Names {
			f := fieldOf(n, name)
			if f == nil {
				continue
			}
			var err error
			if out[i], err = r.build(f, t.Of[i], values); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return r.leaves[n.Index()].convert(values[n.Index()][0])
}

// below reports whether a leaf is a column, or in it.
func (r *tree) below(n *parquet.Column, index int) bool {
	if n.Leaf() {
		return n.Index() == index
	}
	for _, c := range n.Columns() {
		if r.below(c, index) {
			return true
		}
	}
	return false
}

// split cuts the values of each leaf where the next element of a list begins.
func split(values map[int][]parquet.Value, level int) []map[int][]parquet.Value {
	var parts []map[int][]parquet.Value
	for index, list := range values {
		n := -1
		for i, v := range list {
			if i == 0 || v.RepetitionLevel() <= level {
				n++
				if n == len(parts) {
					parts = append(parts, map[int][]parquet.Value{})
				}
			}
			parts[n][index] = append(parts[n][index], v)
		}
	}
	return parts
}
