package files

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
)

// header is how many lines a file begins with that are no rows.
func (l Layout) header() (int, error) {
	text := l.Table["skip.header.line.count"]
	if t, ok := l.Parameters["skip.header.line.count"]; ok {
		text = t
	}
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, Fault("HIVE_INVALID_METADATA", "skip.header.line.count is %q", text)
	}
	if l.Table["skip.footer.line.count"] != "" && l.Table["skip.footer.line.count"] != "0" {
		return 0, lacking("skip.footer.line.count")
	}
	return n, nil
}

// delimiter is a character of a SerDe's parameters: itself, an escape, or its number.
func delimiter(s string, or byte) (byte, error) {
	switch {
	case s == "":
		return or, nil
	case len(s) == 1 && (s[0] < '0' || s[0] > '9'):
		return s[0], nil
	case s == `\t`:
		return '\t', nil
	case s == `\\`:
		return '\\', nil
	}
	n, err := strconv.Atoi(strings.TrimPrefix(s, `\u`))
	if strings.HasPrefix(s, `\u`) {
		var wide int64
		wide, err = strconv.ParseInt(s[2:], 16, 32)
		n = int(wide)
	}
	if err != nil || n < 0 || n > 127 {
		return 0, lacking("the delimiter %q", s)
	}
	return byte(n), nil
}

// openText reads what LazySimpleSerDe writes: no quotation marks, \N for NULL
// (https://docs.aws.amazon.com/athena/latest/ug/lazy-simple-serde.html). What is no value of a
// column's type is NULL.
func openText(l Layout, content []byte, used []bool) (Reader, error) {
	given := l.Parameters["field.delim"]
	if given == "" {
		given = l.Parameters["serialization.format"]
	}
	separator, err := delimiter(given, 1)
	if err != nil {
		return nil, err
	}
	escape, err := delimiter(l.Parameters["escape.delim"], 0)
	if err != nil {
		return nil, err
	}
	null, ok := l.Parameters["serialization.null.format"]
	if !ok {
		null = `\N`
	}
	for i, c := range l.Columns {
		if used[i] && c.Type.Kind >= dialect.Array {
			return nil, lacking("a column of type %s in a text file", c.Type)
		}
	}
	header, err := l.header()
	if err != nil {
		return nil, err
	}
	b := newByLine(content, used)
	last := 0
	for i, u := range used {
		if u {
			last = i
		}
	}
	b.read = func(line []byte, row int) (bool, error) {
		if header > 0 {
			header--
			return false, nil
		}
		rest, more := line, true
		for i := range l.Columns {
			if i > last {
				break
			}
			if !more {
				if used[i] {
					b.batch.Columns[i][row] = nil
				}
				continue
			}
			var cell []byte
			cell, rest, more = cut(rest, separator, escape)
			if used[i] {
				b.batch.Columns[i][row] = lazily(l.Columns[i].Type, cell, null, escape)
			}
		}
		return true, nil
	}
	return b, nil
}

func cut(s []byte, separator, escape byte) (cell, rest []byte, more bool) {
	if escape == 0 {
		return bytes.Cut(s, []byte{separator})
	}
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case escape:
			i++
		case separator:
			return s[:i], s[i+1:], true
		}
	}
	return s, nil, false
}

func lazily(t dialect.Type, cell []byte, null string, escape byte) any {
	if string(cell) == null {
		return nil
	}
	if escape != 0 && bytes.IndexByte(cell, escape) >= 0 {
		var plain []byte
		for i := 0; i < len(cell); i++ {
			if cell[i] == escape && i+1 < len(cell) {
				i++
			}
			plain = append(plain, cell[i])
		}
		cell = plain
	}
	switch t.Kind {
	case dialect.Varchar, dialect.Char:
		return bounded(t, string(cell))
	case dialect.Bigint, dialect.Integer, dialect.Smallint, dialect.Tinyint:
		bits, _, _, _ := dialect.Bounds(t)
		n, err := strconv.ParseInt(string(cell), 10, bits)
		if err != nil {
			return nil
		}
		return n
	case dialect.Boolean:
		switch strings.ToLower(string(cell)) {
		case "true":
			return int64(1)
		case "false":
			return int64(0)
		}
		return nil
	case dialect.Varbinary:
		return nil
	}
	v, err := dialect.Cast(dialect.Type{Kind: dialect.Varchar}, t, string(cell))
	if err != nil {
		return nil
	}
	return v
}

// bounded cuts a text to the length of its type.
func bounded(t dialect.Type, s string) string {
	if t.Kind == dialect.Char {
		s = strings.TrimRight(s, " ")
	}
	if t.Precision > 0 && len(s) > t.Precision {
		if r := []rune(s); len(r) > t.Precision {
			return string(r[:t.Precision])
		}
	}
	return s
}

// openCSV reads what OpenCSVSerDe writes. What is no value of a column's type is an error, also
// an empty number (https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html).
func openCSV(l Layout, content []byte, used []bool) (Reader, error) {
	var marks [3]byte
	for i, m := range []struct {
		name string
		or   byte
	}{{"separatorChar", ','}, {"quoteChar", '"'}, {"escapeChar", '\\'}} {
		var err error
		text := l.Parameters[m.name]
		if len(text) == 1 {
			marks[i] = text[0]
			continue
		}
		if marks[i], err = delimiter(text, m.or); err != nil {
			return nil, err
		}
	}
	header, err := l.header()
	if err != nil {
		return nil, err
	}
	b := newByLine(content, used)
	var cells []string
	b.read = func(line []byte, row int) (bool, error) {
		if header > 0 {
			header--
			return false, nil
		}
		cells = fields(cells[:0], line, marks[0], marks[1], marks[2])
		for i, c := range l.Columns {
			if !used[i] {
				continue
			}
			if i >= len(cells) {
				b.batch.Columns[i][row] = nil
				continue
			}
			v, err := strictly(c.Type, cells[i])
			if err != nil {
				return false, Fault("HIVE_BAD_DATA", "Error parsing field value for field %d: it is no %s", i, c.Type)
			}
			b.batch.Columns[i][row] = v
		}
		return true, nil
	}
	return b, nil
}

func strictly(t dialect.Type, cell string) (any, error) {
	switch t.Kind {
	case dialect.Varchar, dialect.Char:
		return bounded(t, cell), nil
	case dialect.Date:
		// Days since 1970.
		return dialect.Cast(dialect.Type{Kind: dialect.Varchar}, dialect.Type{Kind: dialect.Bigint}, cell)
	case dialect.Timestamp:
		v, err := dialect.Cast(dialect.Type{Kind: dialect.Varchar}, dialect.Type{Kind: dialect.Bigint}, cell)
		if err != nil {
			return nil, err
		}
		return v.(int64) * 1000, nil
	}
	if t.Kind >= dialect.Array || t.Kind == dialect.Varbinary {
		return nil, lacking("a column of type %s in a CSV file", t)
	}
	return dialect.Cast(dialect.Type{Kind: dialect.Varchar}, t, cell)
}

// fields takes a line apart, of which no field goes on in the next line.
func fields(into []string, line []byte, separator, quote, escape byte) []string {
	var cell []byte
	quoted := false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == escape && escape != quote && i+1 < len(line) && (quoted || line[i+1] == quote || line[i+1] == escape):
			i++
			cell = append(cell, line[i])
		case c == quote && quoted && i+1 < len(line) && line[i+1] == quote:
			i++
			cell = append(cell, quote)
		case c == quote:
			quoted = !quoted
		case c == separator && !quoted:
			into = append(into, string(cell))
			cell = cell[:0]
		default:
			cell = append(cell, c)
		}
	}
	return append(into, string(cell))
}
