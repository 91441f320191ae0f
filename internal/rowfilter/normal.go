package rowfilter

import (
	"slices"
	"strings"
)

// normal is the normal form of a typed expression, or of its negation. NOT goes down to the
// comparisons, where it turns them round, which is right in three-valued logic as well. It
// stays before comparisons of FLOAT and DOUBLE that ask for the greater: NaN is neither less
// than 5 nor at least 5 for Athena.
func (t types) normal(e Expr, negated bool) Expr {
	switch e := e.(type) {
	case Not:
		return t.normal(e.Term, !negated)
	case And:
		return t.terms(e.Terms, negated, negated)
	case Or:
		return t.terms(e.Terms, !negated, negated)
	case Between:
		both := []Expr{Compare{e.Column, GreaterOrEqual, e.Low}, Compare{e.Column, LessOrEqual, e.High}}
		negated = negated != e.Not
		return t.terms(both, negated, negated)
	case Compare:
		switch {
		case !negated:
			return e
		case e.Op.ordered() && t[e.Column.String()].isFloat():
			return Not{e}
		}
		return Compare{e.Column, e.Op.inverse(), e.Value}
	case In:
		return t.in(e.Column, e.Not != negated, e.Values)
	case Like:
		e.Not = e.Not != negated
		return e
	case IsNull:
		e.Not = e.Not != negated
		return e
	}
	return e
}

// terms is the normal form of terms, each negated or not, with OR or AND between.
func (t types) terms(terms []Expr, or, negated bool) Expr {
	var flat []Expr
	for _, term := range terms {
		n := t.normal(term, negated)
		switch n := n.(type) {
		case And:
			if !or {
				flat = append(flat, n.Terms...)
				continue
			}
		case Or:
			if or {
				flat = append(flat, n.Terms...)
				continue
			}
		}
		flat = append(flat, n)
	}
	flat = t.merge(flat, or)
	slices.SortFunc(flat, func(a, b Expr) int { return strings.Compare(a.String(), b.String()) })
	flat = slices.CompactFunc(flat, func(a, b Expr) bool { return a.String() == b.String() })
	switch {
	case len(flat) == 1:
		return flat[0]
	case or:
		return Or{flat}
	}
	return And{flat}
}

// merge makes one IN of the equalities of a column that stand between ORs, and one NOT IN
// of the inequalities between ANDs.
func (t types) merge(terms []Expr, or bool) []Expr {
	var rest []Expr
	var columns []Path
	values := map[string][]Constant{}
	for _, term := range terms {
		column, v, is := equalities(term, or)
		if !is {
			rest = append(rest, term)
			continue
		}
		name := column.String()
		if _, ok := values[name]; !ok {
			columns = append(columns, column)
		}
		values[name] = append(values[name], v...)
	}
	for _, c := range columns {
		rest = append(rest, t.in(c, !or, values[c.String()]))
	}
	return rest
}

// equalities are the values that a term says a column equals, or does not equal.
func equalities(e Expr, equal bool) (Path, []Constant, bool) {
	switch e := e.(type) {
	case Compare:
		return e.Column, []Constant{e.Value}, !e.Op.ordered() && (e.Op == Equal) == equal
	case In:
		return e.Column, e.Values, e.Not != equal
	}
	return Path{}, nil, false
}

// in is IN with its values in order, each once; of one value it is a comparison.
func (t types) in(column Path, negated bool, constants []Constant) Expr {
	typ := t[column.String()]
	constants = slices.Clone(constants)
	slices.SortFunc(constants, func(a, b Constant) int { return typ.compare(typ.value(a), typ.value(b)) })
	constants = slices.CompactFunc(constants, func(a, b Constant) bool { return a.Text == b.Text })
	switch {
	case len(constants) > 1:
		return In{column, negated, constants}
	case negated:
		return Compare{column, NotEqual, constants[0]}
	}
	return Compare{column, Equal, constants[0]}
}

// value is the value of a constant that was typed before.
func (t Type) value(c Constant) Value {
	_, v, _ := t.constant("", c)
	return v
}
