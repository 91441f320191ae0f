// Package files reads the files of tables: CSV and other texts with separators, JSON lines,
// Parquet, and what Iceberg's metadata leads to. Only the columns that are asked for are taken
// apart, so that nothing of the others can show, not even in an error.
package files

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"fmt"
	"io"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
)

// Column is a column of a table's files.
type Column struct {
	Name string
	Type dialect.Type
	// ID is its id in Iceberg, or 0.
	ID int
	// Gone is set for a column that an Iceberg table has no more, Renamed for one whose fields
	// may have had other names, and InFile for one that must be in a file, as its value might
	// otherwise be known from the partition alone.
	Gone, Renamed, InFile bool
}

// Layout is how the files of a table, or of a partition of one, are written.
type Layout struct {
	// Library is the class of the SerDe.
	Library string
	// Parameters are those of the SerDe, Table those of the table.
	Parameters, Table map[string]string
	// Columns are all columns of the files, in their order.
	Columns []Column
}

// Vector is the values of a column, as the engine has them: see [dialect.Type].
type Vector []any

// Batch is some rows.
type Batch struct {
	Len int
	// Columns are those that were asked for; the others are nil.
	Columns []Vector
}

// Reader hands out a file's rows.
type Reader interface {
	// Next returns io.EOF after the last batch. A batch is valid until the next call.
	Next() (*Batch, error)
}

// BatchSize is how many rows a batch has at most.
const BatchSize = 2048

// MaxUnpacked bounds a file that is unpacked.
const MaxUnpacked = 1 << 30

// Fault is an error in a file, with Athena's code.
func Fault(code, format string, args ...any) error {
	return &dialect.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func lacking(format string, args ...any) error {
	return Fault(dialect.CodeNotSupported, "%s is not in the local mesh", fmt.Sprintf(format, args...))
}

// Open reads a file of a layout. used tells which columns are asked for.
func Open(l Layout, key string, content []byte, used []bool) (Reader, error) {
	library := strings.ToLower(l.Library[strings.LastIndex(l.Library, ".")+1:])
	if library == "parquethiveserde" {
		return openParquet(l, key, content, used)
	}
	switch library {
	case "lazysimpleserde", "opencsvserde", "jsonserde":
	case "":
		return nil, Fault("HIVE_UNSUPPORTED_FORMAT", "the table has no SerDe")
	default:
		return nil, lacking("the SerDe %s", l.Library)
	}
	lines, err := unpack(key, content)
	if err != nil {
		return nil, err
	}
	switch library {
	case "opencsvserde":
		return openCSV(l, lines, used)
	case "jsonserde":
		return openJSON(l, lines, used), nil
	}
	return openText(l, lines, used)
}

// unpack takes the compression off that a file's name tells.
func unpack(key string, content []byte) ([]byte, error) {
	var r io.Reader
	switch {
	case strings.HasSuffix(key, ".gz"):
		z, err := gzip.NewReader(bytes.NewReader(content))
		if err != nil {
			return nil, Fault("HIVE_BAD_DATA", "%s is not packed with gzip", key)
		}
		r = z
	case strings.HasSuffix(key, ".bz2"):
		r = bzip2.NewReader(bytes.NewReader(content))
	case strings.HasSuffix(key, ".snappy"), strings.HasSuffix(key, ".lz4"), strings.HasSuffix(key, ".zst"), strings.HasSuffix(key, ".lzo"), strings.HasSuffix(key, ".deflate"):
		return nil, lacking("the compression of %s", key)
	default:
		return content, nil
	}
	all, err := io.ReadAll(io.LimitReader(r, MaxUnpacked+1))
	if err != nil {
		return nil, Fault("HIVE_BAD_DATA", "%s cannot be unpacked", key)
	}
	if len(all) > MaxUnpacked {
		return nil, lacking("a file of more than %d bytes", MaxUnpacked)
	}
	return all, nil
}

// lines hands out the lines of a text.
type lines struct{ rest []byte }

func (l *lines) next() (line []byte, ok bool) {
	if len(l.rest) == 0 {
		return nil, false
	}
	i := bytes.IndexByte(l.rest, '\n')
	if i < 0 {
		line, l.rest = l.rest, nil
	} else {
		line, l.rest = l.rest[:i], l.rest[i+1:]
	}
	return bytes.TrimSuffix(line, []byte{'\r'}), true
}

// byLine makes batches of what is in lines.
type byLine struct {
	lines lines
	batch Batch
	// read puts a line into the batch's row; keep is false if the line is no row.
	read func(line []byte, row int) (keep bool, err error)
}

func newByLine(content []byte, used []bool) *byLine {
	b := &byLine{lines: lines{content}, batch: Batch{Columns: make([]Vector, len(used))}}
	for i, u := range used {
		if u {
			b.batch.Columns[i] = make(Vector, BatchSize)
		}
	}
	return b
}

// Next implements Reader.
func (b *byLine) Next() (*Batch, error) {
	b.batch.Len = 0
	for b.batch.Len < BatchSize {
		line, ok := b.lines.next()
		if !ok {
			break
		}
		keep, err := b.read(line, b.batch.Len)
		if err != nil {
			return nil, err
		}
		if keep {
			b.batch.Len++
		}
	}
	if b.batch.Len == 0 {
		return nil, io.EOF
	}
	return &b.batch, nil
}
