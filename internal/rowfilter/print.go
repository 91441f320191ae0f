package rowfilter

import "strings"

// String prints TRUE.
func (All) String() string { return "TRUE" }

// String prints the terms, with AND between.
func (e And) String() string { return join(e.Terms, " AND ") }

// String prints the terms, with OR between.
func (e Or) String() string { return join(e.Terms, " OR ") }

// String prints NOT, and the term in parentheses.
func (e Not) String() string { return "NOT (" + e.Term.String() + ")" }

// String prints column, operator and constant.
func (e Compare) String() string {
	return e.Column.String() + " " + string(e.Op) + " " + e.Value.String()
}

// String prints column, BETWEEN and the constants.
func (e Between) String() string {
	return e.Column.String() + not(e.Not) + " BETWEEN " + e.Low.String() + " AND " + e.High.String()
}

// String prints column, IN and the constants.
func (e In) String() string {
	var values []string
	for _, v := range e.Values {
		values = append(values, v.String())
	}
	return e.Column.String() + not(e.Not) + " IN (" + strings.Join(values, ", ") + ")"
}

// String prints column, LIKE and the pattern.
func (e Like) String() string {
	return e.Column.String() + not(e.Not) + " LIKE " + e.Pattern.String()
}

// String prints column and IS NULL.
func (e IsNull) String() string { return e.Column.String() + " IS" + not(e.Not) + " NULL" }

func not(is bool) string {
	if is {
		return " NOT"
	}
	return ""
}

// join prints terms. Parentheses stand around those that have an AND or OR of their own, so that
// nobody who reads them has to know what binds closer.
func join(terms []Expr, with string) string {
	var parts []string
	for _, t := range terms {
		switch t.(type) {
		case And, Or, Between:
			parts = append(parts, "("+t.String()+")")
		default:
			parts = append(parts, t.String())
		}
	}
	return strings.Join(parts, with)
}

// String prints the names with dots between.
func (p Path) String() string {
	var names []string
	for _, n := range p.Names {
		names = append(names, n.String())
	}
	return strings.Join(names, ".")
}

// String prints the name, in quotes if they were there.
func (n Name) String() string {
	if n.Quoted {
		return `"` + n.Text + `"`
	}
	return n.Text
}

// String prints the constant as it stands in a condition.
func (c Constant) String() string {
	if c.Kind == Text {
		return "'" + strings.ReplaceAll(c.Text, "'", "''") + "'"
	}
	return c.Text
}
