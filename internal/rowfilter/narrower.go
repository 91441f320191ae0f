package rowfilter

import "slices"

// An Answer is that of [Narrower].
type Answer int

// The answers.
const (
	// Undecided: neither was found out.
	Undecided Answer = iota
	// Yes: there is no such row.
	Yes
	// No: there is a row, and the verdict has it.
	No
)

// String is yes, no or undecided.
func (a Answer) String() string { return [...]string{"undecided", "yes", "no"}[a] }

// A Verdict is an answer, and what shows it.
type Verdict struct {
	Answer Answer
	// Row is one that the first condition lets through and the second does not, where the answer is No.
	Row Row
	// Why says why it is undecided.
	Why string
}

// maxSteps bounds the search for a row.
const maxSteps = 20000

// Narrower decides whether a lets through no row that b does not: whether it is as narrow as
// b, or narrower. Both must be on one table.
//
// Yes is certain, whatever values the columns hold, and under each reading that the package's overview
// names: NaN as the greatest value or as none, blanks at the end of a VARCHAR that mean nothing or
// something. No comes with a row on which [Condition.Eval] shows it.
//
// It is decided for comparisons, BETWEEN, IN and IS NULL in any combination, as long as it does not
// take too many cases. LIKE is decided where it follows from how patterns begin, end and
// contain each other, or where a row is found; what follows from how a pattern and an
// order go together ("country >= 'D'" and "country LIKE 'D%'") is Undecided.
func Narrower(a, b *Condition) Verdict {
	all := types{}
	for _, c := range []*Condition{a, b} {
		for name, t := range c.columns {
			if has, ok := all[name]; ok && !has.same(t) {
				return Verdict{Why: "the column " + name + " has another type in each"}
			}
			all[name] = t
		}
	}
	on, ok := axes(all, a.root, b.root)
	if !ok {
		return Verdict{Why: "a column is compared with too much"}
	}
	s := search{axes: on}
	found := s.solve(s.full(), []*goal{s.goal(a.root, isTrue), s.goal(b.root, isNotTrue)})
	switch {
	case found != nil && a.root.eval(found) == True && b.root.eval(found) != True:
		return Verdict{Answer: No, Row: found}
	case s.steps > maxSteps:
		return Verdict{Why: "there are too many cases"}
	case found != nil || s.doubt:
		return Verdict{Why: "no row was found, and it is not certain that there is none"}
	}
	return Verdict{Answer: Yes}
}

// A want is what an expression is wanted to be.
type want int

const (
	isTrue want = iota
	isFalse
	isNotTrue
	isNotFalse
)

func (w want) of(t Truth) bool {
	switch w {
	case isTrue:
		return t == True
	case isFalse:
		return t == False
	case isNotTrue:
		return t != True
	}
	return t != False
}

// A goal is what is wanted of a row: a value in one of some cells of an axis, all of
// several goals, or any of them.
type goal struct {
	axis  int
	cells cells
	all   []*goal
	any   []*goal
	kind  goalKind
}

type goalKind int

const (
	inCells goalKind = iota
	allOf
	anyOf
)

// cells is a set of cells of an axis.
type cells []uint64

func newCells(n int) cells { return make(cells, (n+63)/64) }

func (c cells) put(i int)      { c[i/64] |= 1 << (i % 64) }
func (c cells) has(i int) bool { return c[i/64]>>(i%64)&1 == 1 }

// with is what two sets have in common, and whether that is anything, and all of c.
func (c cells) with(o cells) (both cells, any, same bool) {
	both, same = make(cells, len(c)), true
	for i := range c {
		both[i] = c[i] & o[i]
		any = any || both[i] != 0
		same = same && both[i] == c[i]
	}
	return both, any, same
}

// A search looks for a row.
type search struct {
	axes  []*axis
	steps int
	// doubt tells that there may be a row, of which not all values are known.
	doubt bool
}

// full is every cell of every axis.
func (s *search) full() []cells {
	all := make([]cells, len(s.axes))
	for i, a := range s.axes {
		all[i] = newCells(len(a.cells))
		for j := range a.cells {
			all[i].put(j)
		}
	}
	return all
}

// goal is what is wanted of the cells, for an expression to be what is wanted of it.
func (s *search) goal(n node, w want) *goal {
	switch n.op {
	case testOf:
		i := slices.IndexFunc(s.axes, func(a *axis) bool { return a.column == n.test.column })
		a := s.axes[i]
		g := &goal{axis: i, cells: newCells(len(a.cells))}
		for j, c := range a.cells {
			if w.of(a.truth(n.test, c)) {
				g.cells.put(j)
			}
		}
		return g
	case notOf:
		return s.goal(n.terms[0], [...]want{isTrue: isFalse, isFalse: isTrue, isNotTrue: isNotFalse, isNotFalse: isNotTrue}[w])
	case allRows:
		if w.of(True) {
			return &goal{kind: allOf}
		}
		return &goal{kind: anyOf}
	}
	var terms []*goal
	for _, t := range n.terms {
		terms = append(terms, s.goal(t, w))
	}
	// AND is true where all are, and false where any is.
	if (n.op == andOf) == (w == isTrue || w == isNotFalse) {
		return &goal{kind: allOf, all: terms}
	}
	return &goal{kind: anyOf, any: united(terms)}
}

// united makes one goal of those on one axis, of which any will do.
func united(terms []*goal) []*goal {
	var out []*goal
	byAxis := map[int]*goal{}
	for _, t := range terms {
		if t.kind != inCells {
			out = append(out, t)
			continue
		}
		g := byAxis[t.axis]
		if g == nil {
			g = &goal{axis: t.axis, cells: make(cells, len(t.cells))}
			byAxis[t.axis] = g
			out = append(out, g)
		}
		for i := range t.cells {
			g.cells[i] |= t.cells[i]
		}
	}
	return out
}

// solve looks for a row in the cells that are left, for which all goals are reached.
func (s *search) solve(left []cells, goals []*goal) Row {
	left = slices.Clone(left)
	var choices []*goal
	for len(goals) > 0 {
		if s.steps++; s.steps > maxSteps {
			return nil
		}
		g := goals[len(goals)-1]
		goals = goals[:len(goals)-1]
		switch g.kind {
		case allOf:
			goals = append(slices.Clip(goals), g.all...)
		case anyOf:
			choices = append(choices, g)
		case inCells:
			both, any, _ := left[g.axis].with(g.cells)
			if !any {
				return nil
			}
			left[g.axis] = both
		}
	}
	open := s.open(left, choices)
	if open == nil {
		return s.row(left)
	}
	for _, g := range open[0] {
		next := []*goal{g}
		for _, o := range open[1:] {
			next = append(next, &goal{kind: anyOf, any: o})
		}
		if row := s.solve(left, next); row != nil || s.steps > maxSteps {
			return row
		}
	}
	return nil
}

// open is what is left to choose, the choice among the fewest first: without choices that
// are made already, and without what cannot be chosen. It is nil when all are made.
func (s *search) open(left []cells, choices []*goal) [][]*goal {
	var open [][]*goal
	for _, c := range choices {
		var among []*goal
		made := false
		for _, g := range c.any {
			s.steps++
			if g.kind != inCells {
				among = append(among, g)
				continue
			}
			_, any, same := left[g.axis].with(g.cells)
			if made = made || same; any {
				among = append(among, g)
			}
		}
		if !made {
			open = append(open, among)
		}
	}
	slices.SortStableFunc(open, func(a, b []*goal) int { return len(a) - len(b) })
	return open
}

// row is a row of the cells that are left, if a value of each axis is known.
func (s *search) row(left []cells) Row {
	row := Row{}
	for i, a := range s.axes {
		known := false
		for j, c := range a.cells {
			if known = left[i].has(j) && c.known; known {
				if !c.witness.IsNull() {
					row[a.column] = c.witness
				}
				break
			}
		}
		if !known {
			s.doubt = true
			return nil
		}
	}
	return row
}
