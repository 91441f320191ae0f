package athena

import (
	"errors"
	"io"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
	"github.com/lakemesh/lakemesh/localmesh/internal/athena/files"
	"github.com/lakemesh/lakemesh/localmesh/internal/rowfilter"
)

// reader hands out what may be shown of a table's files.
type reader struct {
	table *table
	// used are the shown columns that are asked for, wanted those that are read.
	used, wanted []bool
	pending      []file
	current      files.Reader
	values       []any
	shown        files.Batch
}

// Next implements files.Reader.
func (r *reader) Next() (*files.Batch, error) {
	for {
		if r.current == nil {
			if len(r.pending) == 0 {
				return nil, io.EOF
			}
			f := r.pending[0]
			r.pending = r.pending[1:]
			content, err := r.table.gate.get(f.client, f.bucket, f.key)
			if err != nil {
				return nil, err
			}
			if r.current, err = files.Open(f.layout, f.key, content, r.wanted[:len(f.layout.Columns)]); err != nil {
				return nil, err
			}
			r.values = f.values
		}
		b, err := r.current.Next()
		if errors.Is(err, io.EOF) {
			r.current = nil
			continue
		}
		if err != nil {
			return nil, err
		}
		return r.show(b)
	}
}

// cell is a value of a row before anything is left out.
func (r *reader) cell(b *files.Batch, place, row int) any {
	if place >= r.table.keys {
		return r.values[place-r.table.keys]
	}
	return b.Columns[place][row]
}

// show leaves out the rows and the cells that may not be shown.
func (r *reader) show(b *files.Batch) (*files.Batch, error) {
	t := r.table
	r.shown.Len = b.Len
	if r.shown.Columns == nil {
		r.shown.Columns = make([]files.Vector, len(r.used))
	}
	filters := t.rows != nil
	for i, u := range r.used {
		if !u {
			continue
		}
		filters = filters || t.cells[i] != nil
		if place := t.places[i]; place < t.keys {
			r.shown.Columns[i] = b.Columns[place]
			continue
		}
		v := make(files.Vector, b.Len)
		for row := range v {
			v[row] = r.values[t.places[i]-t.keys]
		}
		r.shown.Columns[i] = v
	}
	if !filters {
		return &r.shown, nil
	}
	// The batch is the reader's: what is shown gets columns of its own.
	out := make([]files.Vector, len(r.used))
	for i, u := range r.used {
		if u {
			out[i] = make(files.Vector, 0, b.Len)
		}
	}
	n := 0
	for row := range b.Len {
		visible, err := r.meets(t.rows, b, row)
		if err != nil {
			return nil, err
		}
		if !visible {
			continue
		}
		n++
		for i, u := range r.used {
			if !u {
				continue
			}
			v := r.shown.Columns[i][row]
			if t.cells[i] != nil {
				if visible, err = r.meets(t.cells[i], b, row); err != nil {
					return nil, err
				}
				if !visible {
					v = nil
				}
			}
			out[i] = append(out[i], v)
		}
	}
	r.shown.Len = n
	copy(r.shown.Columns, out)
	return &r.shown, nil
}

// meets reports whether a row fulfils a condition, for certain. An error says nothing of the
// value, which may be of a row that is hidden.
func (r *reader) meets(c *condition, b *files.Batch, row int) (bool, error) {
	if c == nil {
		return true, nil
	}
	var failed error
	chosen := c.Chooses(func(path rowfilter.Path) (string, bool) {
		place := r.table.place(path[0])
		text, null, err := dialect.Format(r.table.all[place].Type, r.cell(b, place, row))
		if err != nil {
			failed = &dialect.Error{Code: "HIVE_BAD_DATA", Message: "a row filter cannot be applied to a value of the table"}
		}
		return text, !null
	})
	return chosen && failed == nil, failed
}
