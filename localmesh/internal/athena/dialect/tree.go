package dialect

// What a query consists of. The names are those of Trino's grammar
// (https://trino.io/docs/current/sql/select.html).

type query struct {
	place
	with   []named
	body   body
	order  []sortItem
	limit  expression // nil is none
	offset expression
}

type named struct {
	place
	name    string
	columns []string
	query   *query
}

// body is a selection, a set operation, VALUES, TABLE or a query in brackets.
type body interface{ at() place }

type selection struct {
	place
	distinct bool
	items    []selectItem
	from     relation // nil is none
	where    expression
	group    []expression
	having   expression
}

type setOperation struct {
	place
	operator    string // UNION, INTERSECT, EXCEPT
	all         bool
	left, right body
}

type values struct {
	place
	rows [][]expression
}

type bracketed struct {
	place
	query *query
}

func (p place) at() place { return p }

type selectItem struct {
	place
	// star is set for * and r.*, whose relation is in qualifier.
	star      bool
	qualifier []string
	value     expression
	alias     string
}

type sortItem struct {
	value      expression
	descending bool
	nullsFirst bool
}

// relation is what stands in FROM.
type relation interface{ at() place }

type tableName struct {
	place
	parts   []string
	alias   string
	columns []string
}

type derived struct {
	place
	query   *query
	alias   string
	columns []string
}

type join struct {
	place
	kind        string // CROSS, INNER, LEFT, RIGHT, FULL
	left, right relation
	on          expression
	using       []string
}

type unnest struct {
	place
	values     []expression
	ordinality bool
	alias      string
	columns    []string
}

type expression interface{ at() place }

type (
	literal struct {
		place
		kind  string // number, text, boolean, null, date, timestamp, decimal, double, interval
		text  string
		unit  string // of an interval
		minus bool
	}
	name struct {
		place
		parts []string
	}
	unary struct {
		place
		operator string
		of       expression
	}
	binary struct {
		place
		operator    string
		left, right expression
	}
	between struct {
		place
		value, low, high expression
		not              bool
	}
	inList struct {
		place
		value expression
		list  []expression
		query *query
		not   bool
	}
	likeness struct {
		place
		value, pattern, escape expression
		not                    bool
	}
	isNull struct {
		place
		value expression
		not   bool
	}
	distinctFrom struct {
		place
		left, right expression
		not         bool
	}
	exists struct {
		place
		query *query
	}
	scalarQuery struct {
		place
		query *query
	}
	cast struct {
		place
		value expression
		to    Type
		try   bool
	}
	caseOf struct {
		place
		operand expression
		when    []expression
		then    []expression
		other   expression
	}
	call struct {
		place
		name     string
		args     []expression
		star     bool
		distinct bool
		filter   expression
		over     *window
		order    []sortItem
	}
	subscript struct {
		place
		value, index expression
	}
	field struct {
		place
		value expression
		name  string
	}
	arrayOf struct {
		place
		values []expression
	}
)

type window struct {
	place
	partition []expression
	order     []sortItem
	frame     *frame
}

type frame struct {
	unit       string // ROWS, RANGE, GROUPS
	start, end bound
}

type bound struct {
	kind  string // as it stands in SQL
	value expression
}
