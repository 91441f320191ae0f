package files

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
)

// Writer makes a Parquet file.
type Writer struct {
	content bytes.Buffer
	writer  *parquet.GenericWriter[any]
	columns []Column
	row     parquet.Row
	// Rows is how many there are.
	Rows int
}

// compressions are those of Parquet files, by what Athena calls them.
var compressions = map[string]compress.Codec{"gzip": &parquet.Gzip, "snappy": &parquet.Snappy, "zstd": &parquet.Zstd, "none": &parquet.Uncompressed, "uncompressed": &parquet.Uncompressed}

// ordered is a group whose fields stay in the order of the columns.
type ordered struct {
	parquet.Group
	names []string
}

// Fields implements parquet.Node.
func (o ordered) Fields() []parquet.Field {
	all := o.Group.Fields()
	slices.SortFunc(all, func(a, b parquet.Field) int { return slices.Index(o.names, a.Name()) - slices.Index(o.names, b.Name()) })
	return all
}

// NewWriter begins a Parquet file. compression is in lower case.
func NewWriter(columns []Column, compression string) (*Writer, error) {
	codec := compressions[compression]
	if codec == nil {
		return nil, lacking("writing Parquet with the compression %s", compression)
	}
	root := ordered{Group: parquet.Group{}}
	for _, c := range columns {
		node, err := nodeOf(c)
		if err != nil {
			return nil, err
		}
		if _, again := root.Group[c.Name]; again {
			return nil, Fault("DUPLICATE_COLUMN_NAME", "Column name '%s' specified more than once", c.Name)
		}
		root.Group[c.Name] = parquet.Optional(node)
		root.names = append(root.names, c.Name)
	}
	w := &Writer{columns: columns}
	w.writer = parquet.NewGenericWriter[any](&w.content, parquet.NewSchema("hive_schema", root), parquet.Compression(codec), parquet.CreatedBy("lakemesh", "", ""))
	return w, nil
}

func nodeOf(c Column) (parquet.Node, error) {
	switch t := c.Type; t.Kind {
	case dialect.Boolean:
		return parquet.Leaf(parquet.BooleanType), nil
	case dialect.Tinyint:
		return parquet.Int(8), nil
	case dialect.Smallint:
		return parquet.Int(16), nil
	case dialect.Integer:
		return parquet.Int(32), nil
	case dialect.Bigint:
		return parquet.Int(64), nil
	case dialect.Decimal:
		if t.Precision <= 18 {
			return parquet.Decimal(t.Scale, t.Precision, parquet.Int64Type), nil
		}
		return parquet.Decimal(t.Scale, t.Precision, parquet.FixedLenByteArrayType(16)), nil
	case dialect.Real:
		return parquet.Leaf(parquet.FloatType), nil
	case dialect.Double:
		return parquet.Leaf(parquet.DoubleType), nil
	case dialect.Varchar, dialect.Char:
		return parquet.String(), nil
	case dialect.Varbinary:
		return parquet.Leaf(parquet.ByteArrayType), nil
	case dialect.Date:
		return parquet.Date(), nil
	case dialect.Timestamp:
		return parquet.TimestampAdjusted(parquet.Microsecond, false), nil
	case dialect.Unknown:
		return nil, Fault("COLUMN_TYPE_UNKNOWN", "Column type is unknown: %s", c.Name)
	}
	return nil, lacking("writing a column of type %s (%s)", c.Type, c.Name)
}

// Add writes a row.
func (w *Writer) Add(row []any) error {
	w.row = w.row[:0]
	for i, v := range row {
		x, err := parquetValue(w.columns[i].Type, v)
		if err != nil {
			return err
		}
		level := 1
		if x.IsNull() {
			level = 0
		}
		w.row = append(w.row, x.Level(0, level, i))
	}
	w.Rows++
	if _, err := w.writer.WriteRows([]parquet.Row{w.row}); err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	return nil
}

func parquetValue(t dialect.Type, v any) (parquet.Value, error) {
	switch x := v.(type) {
	case nil:
		return parquet.NullValue(), nil
	case string:
		if t.Kind == dialect.Varchar || t.Kind == dialect.Char || t.Kind == dialect.Varbinary {
			return parquet.ByteArrayValue([]byte(x)), nil
		}
	case []byte:
		return parquet.ByteArrayValue(bytes.Clone(x)), nil
	case float64:
		switch t.Kind {
		case dialect.Real:
			return parquet.FloatValue(float32(x)), nil
		case dialect.Double:
			return parquet.DoubleValue(x), nil
		}
	case int64:
		return wholeValue(t, x)
	}
	return parquet.Value{}, Fault("NUMERIC_VALUE_OUT_OF_RANGE", "a value does not fit the type %s", t)
}

func wholeValue(t dialect.Type, n int64) (parquet.Value, error) {
	if _, low, high, ok := dialect.Bounds(t); ok && (n < low || n > high) {
		return parquet.Value{}, Fault("NUMERIC_VALUE_OUT_OF_RANGE", "%s overflow", t)
	}
	switch t.Kind {
	case dialect.Boolean:
		return parquet.BooleanValue(n != 0), nil
	case dialect.Tinyint, dialect.Smallint, dialect.Integer, dialect.Date:
		return parquet.Int32Value(int32(n)), nil
	case dialect.Real:
		return parquet.FloatValue(float32(n)), nil
	case dialect.Double:
		return parquet.DoubleValue(float64(n)), nil
	case dialect.Decimal:
		if t.Precision > 18 {
			sign := int64(-1)
			if n >= 0 {
				sign = 0
			}
			b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(sign)), uint64(n))
			return parquet.FixedLenByteArrayValue(b), nil
		}
	}
	return parquet.Int64Value(n), nil
}

// Close ends the file and returns it.
func (w *Writer) Close() ([]byte, error) {
	if err := w.writer.Close(); err != nil {
		return nil, fmt.Errorf("write Parquet: %w", err)
	}
	return w.content.Bytes(), nil
}
