package rowfilter

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A binder finds the columns of an expression in a table, and gives constants their types.
type binder struct {
	table   Table
	columns types
}

func (b *binder) bind(e Expr) (Expr, error) {
	var err error
	switch e := e.(type) {
	case And:
		e.Terms, err = b.all(e.Terms)
		return e, err
	case Or:
		e.Terms, err = b.all(e.Terms)
		return e, err
	case Not:
		e.Term, err = b.bind(e.Term)
		return e, err
	case Compare:
		t, err := b.column(&e.Column)
		if err != nil {
			return nil, err
		}
		if t.Kind == Bool && e.Op.ordered() {
			return nil, refuse(ErrType, e.Value.At, "= and <>", "%s of a boolean", e.Op)
		}
		if e.Op.ordered() {
			if err := unordered(e.Value); err != nil {
				return nil, err
			}
		}
		e.Value, err = b.value(t, e.Column, e.Value)
		return e, err
	case Between:
		t, err := b.column(&e.Column)
		if err != nil {
			return nil, err
		}
		if t.Kind == Bool {
			return nil, refuse(ErrType, e.Low.At, "= and <>", "BETWEEN of a boolean")
		}
		for _, c := range []Constant{e.Low, e.High} {
			if err := unordered(c); err != nil {
				return nil, err
			}
		}
		if e.Low, err = b.value(t, e.Column, e.Low); err != nil {
			return nil, err
		}
		e.High, err = b.value(t, e.Column, e.High)
		return e, err
	case In:
		t, err := b.column(&e.Column)
		if err != nil {
			return nil, err
		}
		e.Values = slices.Clone(e.Values)
		for i := range e.Values {
			if e.Values[i], err = b.value(t, e.Column, e.Values[i]); err != nil {
				return nil, err
			}
		}
		return e, nil
	case Like:
		return b.like(e)
	case IsNull:
		at := e.Column.At
		if _, err = b.column(&e.Column); err != nil {
			return nil, err
		}
		if len(e.Column.Names) == 1 && slices.ContainsFunc(b.table.PartitionKeys, func(c Column) bool { return c.Name == e.Column.Names[0].Text }) {
			return nil, refuse(ErrType, at, "", "%s is a partition key, and AWS allows no IS NULL of those", e.Column)
		}
		return e, nil
	}
	return e, nil
}

func (b *binder) all(terms []Expr) ([]Expr, error) {
	typed := make([]Expr, len(terms))
	for i, t := range terms {
		var err error
		if typed[i], err = b.bind(t); err != nil {
			return nil, err
		}
	}
	return typed, nil
}

func (b *binder) value(t Type, column Path, c Constant) (Constant, error) {
	c, _, err := t.constant(column.String(), c)
	c.At = Position{}
	return c, err
}

// unordered refuses to ask what is greater or less than the empty string.
func unordered(c Constant) error {
	if c.Kind != Text || c.Text != "" {
		return nil
	}
	return refuse(ErrType, c.At, "= '' and <> '' are", "an order with the empty string is not allowed: engines do not agree whether anything comes before it")
}

// like types a pattern. Engines fill a CHAR up with blanks, or take them off, before they
// match it. A pattern that begins with a text and goes on with anything does not see the difference.
func (b *binder) like(e Like) (Expr, error) {
	at := e.Pattern.At
	t, err := b.column(&e.Column)
	if err != nil {
		return nil, err
	}
	if !t.isText() {
		return nil, refuse(ErrType, at, "", "LIKE is for strings, and the column %s is of the type %s", e.Column, t.Name)
	}
	if t.Kind == Char {
		text, ok := strings.CutSuffix(e.Pattern.Text, "%")
		if !ok || strings.ContainsAny(text, "%_") || strings.HasSuffix(text, " ") {
			return nil, refuse(ErrType, at, "'abc%' is such a pattern", "a pattern for a CHAR must be a text and then %%, since the column %s is filled up with blanks", e.Column)
		}
	} else if strings.HasSuffix(e.Pattern.Text, " ") {
		return nil, refuse(ErrType, at, "for some engines such blanks mean nothing, and for others they do", "the pattern %s ends with a blank", e.Pattern)
	}
	e.Pattern.At = Position{}
	return e, nil
}

// column finds a column, and writes its name as it is printed: as the table has it, and in
// quotes only where it needs them.
func (b *binder) column(p *Path) (Type, error) {
	all := slices.Concat(b.table.Columns, b.table.PartitionKeys)
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.Name
	}
	if err := b.unasked(*p, names); err != nil {
		return Type{}, err
	}
	i, err := find(p.Names[0], p.At, names, "column")
	if err != nil {
		return Type{}, err
	}
	t := ParseType(all[i].Type)
	path := Path{Names: []Name{printed(names[i])}}
	if i >= len(b.table.Columns) && len(p.Names) > 1 {
		return t, refuse(ErrType, p.At, "", "%s is a partition key, and AWS allows no fields of those", names[i])
	}
	for _, n := range p.Names[1:] {
		if t.Kind != Struct {
			return t, refuse(ErrType, p.At, "", "%s is a %s, and has no field %s", path, t.Name, n)
		}
		names := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			names[i] = f.Name
		}
		if i, err = find(n, p.At, names, "field of "+path.String()); err != nil {
			return t, err
		}
		path.Names = append(path.Names, printed(names[i]))
		t = t.Fields[i].Type
	}
	switch t.Kind {
	case Other:
		return t, refuse(ErrType, p.At, "they can be on string, char, varchar, int, bigint, float, double, decimal and boolean",
			"row conditions cannot be on the column %s, of the type %s", path, short(t.Name))
	case Struct:
		return t, refuse(ErrType, p.At, "name one of its fields: "+path.String()+"."+printed(t.Fields[0].Name).String(), "the column %s is a struct", path)
	}
	*p = path
	b.columns[path.String()] = t
	return t, nil
}

// unasked refuses what looks like the name of a column and is not: the table's own name, a
// column of an earlier schema, and one that is a partition key, too.
func (b *binder) unasked(p Path, names []string) error {
	first := p.Names[0]
	means := func(name string) bool { return strings.EqualFold(name, first.Text) }
	if slices.ContainsFunc(names, means) {
		if slices.ContainsFunc(names[:len(b.table.Columns)], means) && slices.ContainsFunc(names[len(b.table.Columns):], means) {
			return refuse(ErrColumn, p.At, "", "%s is a column and a partition key of the table, and which is meant cannot be told", first)
		}
		return nil
	}
	switch {
	case slices.ContainsFunc(b.table.Past, means):
		return refuse(ErrColumn, p.At, "Iceberg leaves it in Glue; it was dropped, or has another name now", "%s is a column of an earlier schema", first)
	case len(p.Names) > 1 && b.table.Name != "" && (means(b.table.Name) || means(b.table.Database)):
		return refuse(ErrColumn, p.At, "the table is not named in a condition", "there is no column %s", first)
	}
	return nil
}

// find finds a name among some. One that differs by case alone must be the only one, and
// must be meant without quotes.
func find(n Name, at Position, names []string, what string) (int, error) {
	found := -1
	for i, name := range names {
		switch {
		case !strings.EqualFold(name, n.Text):
		case found >= 0:
			return -1, refuse(ErrColumn, at, "", "%s can be the %s %s or %s", n, what, names[found], name)
		default:
			found = i
		}
	}
	switch {
	case found < 0:
		return -1, refuse(ErrColumn, at, Meant(n.Text, names), "there is no %s %s", what, n)
	case n.Quoted && names[found] != n.Text, !n.Quoted && len(names[found]) != len(n.Text):
		return -1, refuse(ErrColumn, at, "", "there is no %s %s, its name is %s", what, n, names[found])
	}
	return found, nil
}

// printed is a name as conditions have it. One that is written without quotes is found by
// those who mind its case and by those who do not.
func printed(name string) Name {
	plain := name != "" && isLetter(name[0]) && leading(name, func(c byte) bool { return isLetter(c) || isDigit(c) }) == name
	return Name{name, !plain || keywords[strings.ToLower(name)]}
}

// Written is the name of a column as conditions have it, and as a [Row] names it: in quotes where
// it needs them.
func Written(column string) string { return printed(column).String() }

const (
	// listed is how many names an error lists, shown how many bytes of a type or a name. What
	// is longer is compared with nothing.
	listed = 8
	shown  = 60
)

func list(names []string) string {
	var some []string
	for _, n := range names[:min(len(names), listed)] {
		some = append(some, short(n))
	}
	if len(names) > listed {
		some = append(some, "…")
	}
	return strings.Join(some, ", ")
}

func short(s string) string {
	for i := range s {
		if i > shown {
			return s[:i] + "…"
		}
	}
	return s
}

// Meant says shortly what could have been meant by a name that is not among some: the nearest,
// or what there is.
func Meant(name string, names []string) string {
	switch near := nearest(name, names); {
	case near != "":
		return "is it " + near + "?"
	case len(names) == 0:
		return "there is none"
	}
	return "there is " + list(names)
}

// nearest is the name that was probably meant: the one with the fewest changes, if these
// are few for its length.
func nearest(s string, names []string) string {
	best, least := "", utf8.RuneCountInString(s)/3+1
	for _, name := range names {
		if len(s) > shown || len(name) > shown {
			continue
		}
		if d := distance(strings.ToLower(s), strings.ToLower(name), least); d < least {
			best, least = name, d
		}
	}
	return best
}

// distance is how many characters have to be put, taken or changed to make one text of
// another; or limit, if it is at least that.
func distance(a, b string, limit int) int {
	from, to := []rune(a), []rune(b)
	if max(len(from), len(to))-min(len(from), len(to)) >= limit {
		return limit
	}
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range from {
		before := row[0]
		row[0] = i + 1
		for j, q := range to {
			change := before
			if r != q {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(to)], limit)
}
