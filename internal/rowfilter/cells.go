package rowfilter

import (
	"math"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"
)

// An axis has all values of a column, in cells: no test of the conditions tells one value
// of a cell from another. There are a finite number, so that what is asked of all rows can
// be answered by looking at cells.
type axis struct {
	column string
	typ    Type
	// constants are those that the column is compared with, in order, each once.
	constants []Value
	patterns  []*pattern
	cells     []cell
}

// A cell is some values.
type cell struct {
	null, nan bool
	// place is 2i+1 for what equals constant i, and 2i for what lies before it and behind the one before.
	place int
	// matched has bit j set where pattern j matches.
	matched uint
	// witness is a value of the cell, where one is known.
	witness Value
	known   bool
}

const (
	// maxCells and maxPatterns are how many of them a column may have, before the answer is Undecided.
	maxCells    = 4096
	maxPatterns = 6
)

// axes are those of all columns of conditions, or false if one has too many cells.
func axes(columns types, roots ...node) ([]*axis, bool) {
	byColumn := map[string]*axis{}
	var all []*axis
	var visit func(node)
	visit = func(n node) {
		for _, t := range n.terms {
			visit(t)
		}
		if n.op != testOf {
			return
		}
		a := byColumn[n.test.column]
		if a == nil {
			a = &axis{column: n.test.column, typ: columns[n.test.column]}
			byColumn[n.test.column] = a
			all = append(all, a)
		}
		a.constants = append(a.constants, n.test.values...)
		if p := n.test.pattern; n.test.kind == matches && !slices.ContainsFunc(a.patterns, func(q *pattern) bool { return p.text == q.text }) {
			a.patterns = append(a.patterns, p)
		}
	}
	for _, n := range roots {
		visit(n)
	}
	for _, a := range all {
		if !a.fill() {
			return nil, false
		}
	}
	return all, true
}

// fill makes the cells.
func (a *axis) fill() bool {
	if a.typ.Kind == Bool {
		a.constants = []Value{BoolValue(false), BoolValue(true)}
	}
	slices.SortFunc(a.constants, a.typ.compare)
	a.constants = slices.CompactFunc(a.constants, func(v, w Value) bool { return a.typ.compare(v, w) == 0 })
	if len(a.patterns) > maxPatterns || len(a.constants) > maxCells {
		return false
	}
	ways := a.ways()
	for place := range 2*len(a.constants) + 1 {
		if !a.isEmpty(place) {
			a.put(place, ways)
		}
		if len(a.cells) > maxCells {
			return false
		}
	}
	a.witnesses()
	if a.typ.isFloat() {
		// For Athena nothing but <> is true of NaN. For Redshift and Spark it is the greatest
		// value of all, and so in the last cell
		// (https://spark.apache.org/docs/latest/sql-ref-datatypes.html#nan-semantics).
		a.cells = append(a.cells, cell{nan: true, witness: FloatValue(math.NaN()), known: true})
	}
	a.cells = append(a.cells, cell{null: true, known: true})
	return true
}

// ways are the sets of patterns that a string may match, apart from those of which it
// is clear that nothing matches just these.
func (a *axis) ways() []uint {
	has := func(way uint, i int) bool { return way>>i&1 == 1 }
	var ways []uint
	anything := newPattern("%")
	for way := range uint(1) << len(a.patterns) {
		possible := true
		for i, p := range a.patterns {
			if anything.within(p) && !has(way, i) {
				possible = false
			}
			for j, q := range a.patterns {
				if i != j && has(way, i) && (!has(way, j) && p.within(q) || has(way, j) && p.apart(q)) {
					possible = false
				}
			}
		}
		if possible {
			ways = append(ways, way)
		}
	}
	return ways
}

// put adds the cells of a place. Of what equals a constant it is known what patterns say, if
// blanks behind it make no difference.
func (a *axis) put(place int, ways []uint) {
	if place%2 == 0 {
		for _, way := range ways {
			a.cells = append(a.cells, cell{place: place, matched: way})
		}
		return
	}
	v := a.constants[place/2]
	var matched, sure uint
	for i, p := range a.patterns {
		is, certain := p.sureAbout(v.text)
		if is {
			matched |= 1 << i
		}
		if certain || a.typ.Kind == Char {
			sure |= 1 << i
		}
	}
	for way := range uint(1) << len(a.patterns) {
		if (way^matched)&sure == 0 {
			a.cells = append(a.cells, cell{place: place, matched: way, witness: v, known: way == matched})
		}
	}
}

// isEmpty reports whether it is certain that no value lies at a place: between 4 and 5 of an INT.
func (a *axis) isEmpty(place int) bool {
	i := place / 2
	switch {
	case place%2 == 1:
		return false
	case a.typ.Kind == Bool:
		return true
	case a.typ.isText() || a.typ.isFloat():
		return false
	}
	least, most, unit := a.typ.bounds()
	from, to := new(big.Rat).Sub(least, unit), new(big.Rat).Add(most, unit)
	if i > 0 {
		from = a.constants[i-1].number
	}
	if i < len(a.constants) {
		to = a.constants[i].number
	}
	return new(big.Rat).Sub(to, from).Cmp(unit) <= 0
}

// witnesses finds values for the cells between the constants.
func (a *axis) witnesses() {
	empty := map[[2]uint]int{}
	for i, c := range a.cells {
		if c.place%2 == 0 {
			empty[[2]uint{uint(c.place), c.matched}] = i
		}
	}
	for _, v := range a.candidates() {
		if len(empty) == 0 {
			return
		}
		place, ok := a.placeOf(v)
		if !ok || place%2 == 1 {
			continue
		}
		var matched uint
		for i, p := range a.patterns {
			if p.matches(v.text) {
				matched |= 1 << i
			}
		}
		at := [2]uint{uint(place), matched}
		if i, ok := empty[at]; ok {
			a.cells[i].witness, a.cells[i].known = v, true
			delete(empty, at)
		}
	}
}

// placeOf is where a value lies, if it is one of the column's type.
func (a *axis) placeOf(v Value) (int, bool) {
	valid := true
	switch v.kind {
	case textValue:
		valid = !strings.HasSuffix(v.text, " ") && (a.typ.Length == 0 || utf8.RuneCountInString(v.text) <= a.typ.Length)
	case numberValue:
		valid = a.typ.fits(v.number)
	case floatValue:
		valid = !math.IsInf(v.float, 0) && (a.typ.Kind != Float || float64(float32(v.float)) == v.float)
	}
	if !valid {
		return 0, false
	}
	i, found := slices.BinarySearchFunc(a.constants, v, a.typ.compare)
	if found {
		return 2*i + 1, true
	}
	return 2 * i, true
}

// candidates are values that may lie between the constants.
func (a *axis) candidates() []Value {
	switch {
	case a.typ.Kind == Bool:
		return nil
	case a.typ.isFloat():
		return a.floats()
	case a.typ.isNumber():
		return a.numbers()
	}
	return a.texts()
}

func (a *axis) numbers() []Value {
	_, _, unit := a.typ.bounds()
	all := []Value{IntValue(0)}
	for _, c := range a.constants {
		for _, r := range []*big.Rat{new(big.Rat).Sub(c.number, unit), new(big.Rat).Add(c.number, unit)} {
			all = append(all, Value{kind: numberValue, number: r})
		}
	}
	return all
}

func (a *axis) floats() []Value {
	all := []Value{FloatValue(0)}
	for i, c := range a.constants {
		f := c.float
		all = append(all, FloatValue(f-1), FloatValue(f+1))
		if i > 0 {
			before := a.constants[i-1].float
			all = append(all, FloatValue(before/2+f/2), FloatValue(float64(float32(before/2+f/2))))
		}
		all = append(all, FloatValue(math.Nextafter(f, math.Inf(-1))), FloatValue(math.Nextafter(f, math.Inf(1))),
			FloatValue(float64(math.Nextafter32(float32(f), float32(math.Inf(-1))))), FloatValue(float64(math.Nextafter32(float32(f), float32(math.Inf(1))))))
	}
	return all
}

// texts are strings near the constants, and such as the patterns match.
func (a *axis) texts() []Value {
	all := []string{"", "-", "a", "z", "0"}
	for _, c := range a.constants {
		all = append(all, c.text+"0", c.text+"a", c.text+"~", c.text+"!", c.text+" 0")
		if r, size := utf8.DecodeLastRuneInString(c.text); size > 0 {
			head := c.text[:len(c.text)-size]
			all = append(all, head, head+string(r+1), head+string(r-1), head+string(r-1)+"~", head+string(r+1)+"0")
		}
	}
	var parts []string
	for _, p := range a.patterns {
		parts = append(parts, p.examples()...)
	}
	all = append(all, parts...)
	for _, p := range parts {
		for _, q := range parts {
			all = append(all, p+q)
		}
	}
	values := make([]Value, 0, len(all))
	for _, s := range all {
		if strings.IndexFunc(s, func(r rune) bool { return !isSeen(r) }) < 0 {
			values = append(values, TextValue(s))
		}
	}
	return values
}

// examples are strings that the pattern matches.
func (p *pattern) examples() []string {
	if len(p.runes) > manyCharacters {
		return []string{strings.NewReplacer("%", "", "_", "a").Replace(p.text)}
	}
	var all []string
	for _, any := range []string{"", "-", "a", "0"} {
		for _, one := range []string{"-", "a", "0"} {
			all = append(all, strings.NewReplacer("%", any, "_", one).Replace(p.text))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// truth is what a test says of a cell.
func (a *axis) truth(t test, c cell) Truth {
	switch {
	case t.kind == isNull:
		return truth(c.null != t.negated)
	case c.null:
		return Unknown
	case t.kind == matches:
		i := slices.IndexFunc(a.patterns, func(p *pattern) bool { return p.text == t.pattern.text })
		return truth((c.matched>>i&1 == 1) != t.negated)
	case t.kind == equals:
		return truth((!c.nan && c.place%2 == 1 && t.has(a.constants[c.place/2])) != t.negated)
	case c.nan:
		return truth(t.op == NotEqual)
	}
	i, _ := slices.BinarySearchFunc(a.constants, t.values[0], a.typ.compare)
	return truth(t.op.holds(c.place - 2*i - 1))
}

// has reports whether a value is one of those that the test lists, which are in order.
func (t test) has(v Value) bool {
	_, found := slices.BinarySearchFunc(t.values, v, t.typ.compare)
	return found
}
