package rowfilter

import "strings"

// Fold writes the names that stand without quotes in lower case: of those case does not
// count. What is folded means the same, and is the same text for more of those who say the
// same.
func Fold(e Expr) Expr {
	switch e := e.(type) {
	case And:
		return And{foldAll(e.Terms)}
	case Or:
		return Or{foldAll(e.Terms)}
	case Not:
		return Not{Fold(e.Term)}
	case Compare:
		e.Column = e.Column.folded()
		return e
	case Between:
		e.Column = e.Column.folded()
		return e
	case In:
		e.Column = e.Column.folded()
		return e
	case Like:
		e.Column = e.Column.folded()
		return e
	case IsNull:
		e.Column = e.Column.folded()
		return e
	}
	return e
}

func foldAll(terms []Expr) []Expr {
	all := make([]Expr, len(terms))
	for i, t := range terms {
		all[i] = Fold(t)
	}
	return all
}

func (p Path) folded() Path {
	names := make([]Name, len(p.Names))
	for i, n := range p.Names {
		if !n.Quoted {
			n.Text = strings.ToLower(n.Text)
		}
		names[i] = n
	}
	p.Names = names
	return p
}
