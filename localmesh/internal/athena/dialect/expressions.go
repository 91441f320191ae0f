package dialect

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// typed is an expression as the engine reads it, with its type.
type typed struct {
	sql string
	t   Type
}

// expression writes an expression. Where rows are grouped it must be what they are grouped by, or
// consist of that and of aggregates.
func (a *analyzer) expression(e expression, sc *scope) (typed, error) {
	if sc.mode == groups && len(sc.keys) > 0 {
		probe := *sc
		probe.mode, probe.windows, probe.pushed = rows, false, nil
		if x, err := a.write(e, &probe); err == nil && sc.keys[x.sql] {
			if sc.pushed != nil {
				x.sql = sc.pushed.keys[x.sql]
			}
			return x, nil
		}
	}
	return a.write(e, sc)
}

func (a *analyzer) write(e expression, sc *scope) (typed, error) {
	if a.written++; a.written > maxWritten || a.ctx.Err() != nil {
		return typed{}, e.at().fail(CodeNotSupported, "a query that is this large is not in the local mesh")
	}
	switch e := e.(type) {
	case literal:
		return e.write()
	case column:
		return a.read(e.place, e.of, sc)
	case name:
		return a.name(e, sc)
	case unary:
		return a.unary(e, sc)
	case binary:
		return a.binary(e, sc)
	case between:
		return a.between(e, sc)
	case inList:
		return a.in(e, sc)
	case likeness:
		return a.like(e, sc)
	case isNull:
		x, err := a.expression(e.value, sc)
		return typed{"(" + x.sql + " IS " + not(e.not) + "NULL)", Type{Kind: Boolean}}, err
	case distinctFrom:
		x, y, err := a.two(e.left, e.right, sc)
		if err != nil {
			return typed{}, err
		}
		l, r, _, err := compared(e.place, "IS DISTINCT FROM", x, y)
		return typed{"(" + l + " IS " + not(!e.not) + r + ")", Type{Kind: Boolean}}, err
	case exists:
		o, err := a.query(e.query, sc, false)
		return typed{"EXISTS (" + o.whole() + ")", Type{Kind: Boolean}}, err
	case scalarQuery:
		return a.scalar(e, sc)
	case cast:
		return a.cast(e, sc)
	case caseOf:
		return a.caseOf(e, sc)
	case call:
		return a.call(e, sc)
	case subscript:
		return a.subscript(e, sc)
	case field:
		x, err := a.expression(e.value, sc)
		if err != nil {
			return x, err
		}
		return fieldOf(e.place, x, e.name)
	case arrayOf:
		return a.array(e, sc)
	}
	return typed{}, e.at().lacking("this expression")
}

func not(is bool) string {
	if is {
		return "NOT "
	}
	return ""
}

// quote writes a text for the engine.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func (l literal) write() (typed, error) {
	sign := ""
	if l.minus {
		sign = "-"
	}
	switch l.kind {
	case "null":
		return typed{"NULL", Type{}}, nil
	case "boolean":
		if l.text == "true" {
			return typed{"1", Type{Kind: Boolean}}, nil
		}
		return typed{"0", Type{Kind: Boolean}}, nil
	case "text":
		n := len([]rune(l.text))
		if n == 0 {
			return typed{"''", Type{Kind: Varchar}}, nil
		}
		return typed{quote(l.text), Type{Kind: Varchar, Precision: n}}, nil
	case "date", "timestamp":
		t := Type{Kind: Timestamp, Precision: 3}
		if l.kind == "date" {
			t = Type{Kind: Date}
		} else if _, after, ok := strings.Cut(l.text, "."); ok {
			t.Precision = max(3, min(6, len(after)))
		} else {
			t.Precision = 3
		}
		v, err := Cast(Type{Kind: Varchar}, t, l.text)
		if err != nil {
			return typed{}, l.fail("INVALID_LITERAL", "'%s' is not a valid %s literal", l.text, l.kind)
		}
		return typed{fmt.Sprint(v), t}, nil
	case "interval":
		return l.interval()
	}
	number := sign + l.text
	switch {
	case strings.ContainsAny(number, "eE"):
		f, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return typed{}, l.fail("INVALID_LITERAL", "Invalid numeric literal: %s", number)
		}
		return typed{double(f), Type{Kind: Double}}, nil
	case l.kind == "decimal" || strings.Contains(number, "."):
		return l.decimal(number)
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return typed{}, l.fail("INVALID_LITERAL", "Invalid numeric literal: %s", number)
	}
	if n > math.MaxInt32 || n < math.MinInt32 {
		return typed{number, Type{Kind: Bigint}}, nil
	}
	return typed{number, Type{Kind: Integer}}, nil
}

func (l literal) decimal(number string) (typed, error) {
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(number, "-"), ".")
	if strings.Trim(whole+fraction, "0123456789") != "" || whole+fraction == "" {
		return typed{}, l.fail("INVALID_LITERAL", "Invalid numeric literal: %s", number)
	}
	whole = strings.TrimLeft(whole, "0")
	digits := whole + fraction
	if len(digits) > 18 {
		return typed{}, l.lacking("a decimal of more than 18 digits")
	}
	unscaled, err := strconv.ParseInt("0"+digits, 10, 64)
	if strings.HasPrefix(number, "-") {
		unscaled = -unscaled
	}
	return typed{fmt.Sprint(unscaled), Type{Kind: Decimal, Precision: max(1, len(digits)), Scale: len(fraction)}}, err
}

func (l literal) interval() (typed, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(l.text, "+"), 10, 32)
	if err != nil {
		return typed{}, l.lacking("the interval '%s'", l.text)
	}
	if l.minus {
		n = -n
	}
	switch l.unit {
	case "year":
		return typed{fmt.Sprint(12 * n), Type{Kind: YearInterval}}, nil
	case "month":
		return typed{fmt.Sprint(n), Type{Kind: YearInterval}}, nil
	}
	unit := map[string]time.Duration{"second": time.Second, "minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[l.unit]
	return typed{fmt.Sprint(n * unit.Microseconds()), Type{Kind: DayInterval}}, nil
}

// double writes a number of type DOUBLE.
func double(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if math.IsInf(f, 0) {
		return strings.TrimPrefix(strings.Replace(s, "Inf", "9e999", 1), "+")
	}
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

func power(n int) string { return "1" + strings.Repeat("0", n) }

// convert writes a value as one of a type that [common] has found.
func convert(x typed, to Type) string {
	switch {
	case x.t.Kind == Unknown || x.t.equal(to):
	case to.Kind == Decimal && x.t.Kind == Decimal:
		if to.Scale > x.t.Scale {
			return "(" + x.sql + " * " + power(to.Scale-x.t.Scale) + ")"
		}
	case to.Kind == Decimal && to.Scale > 0:
		return "(" + x.sql + " * " + power(to.Scale) + ")"
	case to.Kind == Decimal:
	case to.isFloat() && x.t.Kind == Decimal:
		return fmt.Sprintf("(CAST(%s AS REAL) / %s.0)", x.sql, power(x.t.Scale))
	case to.Kind == Real && x.t.isInteger():
		return "lm_real(" + x.sql + ")"
	case to.isFloat() && x.t.isInteger():
		return "CAST(" + x.sql + " AS REAL)"
	case x.t.Kind == Date && to.isMoment():
		return "(" + x.sql + " * 86400000000)"
	}
	return x.sql
}

// each writes expressions.
func (a *analyzer) each(list []expression, sc *scope) ([]typed, error) {
	var all []typed
	for _, e := range list {
		x, err := a.expression(e, sc)
		if err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return all, nil
}

func (a *analyzer) two(left, right expression, sc *scope) (x, y typed, err error) {
	if x, err = a.expression(left, sc); err != nil {
		return x, y, err
	}
	y, err = a.expression(right, sc)
	return x, y, err
}

// compared are two values as they can be compared.
func compared(at place, operator string, x, y typed) (l, r string, t Type, err error) {
	t, ok := common(x.t, y.t)
	if !ok {
		return "", "", t, at.fail(CodeMismatch, "Cannot apply operator: %s %s %s", x.t, operator, y.t)
	}
	if t.Kind == Char {
		return "", "", t, at.lacking("comparing values of type CHAR")
	}
	if t.isNested() && (t.Kind == Map || strings.ContainsAny(operator, "<>")) {
		return "", "", t, at.lacking("comparing values of type %s", t)
	}
	return convert(x, t), convert(y, t), t, nil
}

// name finds a column, or a field in one.
func (a *analyzer) name(n name, sc *scope) (typed, error) {
	for s := sc; s != nil; s = s.parent {
		c, used, err := s.find(n)
		if err != nil {
			return typed{}, err
		}
		if used == 0 {
			continue
		}
		x, err := a.read(n.place, c, s)
		for _, part := range n.parts[used:] {
			if err != nil {
				break
			}
			x, err = fieldOf(n.place, x, part)
		}
		return x, err
	}
	return typed{}, n.fail(CodeColumn, "Column '%s' cannot be resolved or requester is not authorized to access requested resources", strings.Join(n.parts, "."))
}

// find looks a name up in one scope. used is how many of its parts are the column's name.
func (sc *scope) find(n name) (c placedColumn, used int, err error) {
	for qualifiers := min(len(n.parts)-1, 3); qualifiers >= 0; qualifiers-- {
		found := 0
		for _, r := range sc.relations {
			if qualifiers > 0 && !r.named(withoutCatalog(n.parts[:qualifiers])) {
				continue
			}
			for _, candidate := range r.columns {
				if candidate.Name == n.parts[qualifiers] && (qualifiers > 0 || !candidate.merged) {
					c = candidate
					found++
				}
			}
		}
		if found > 1 {
			return c, 0, n.fail(CodeAmbiguous, "Column '%s' is ambiguous", strings.Join(n.parts, "."))
		}
		if found == 1 {
			return c, qualifiers + 1, nil
		}
	}
	return c, 0, nil
}

// withoutCatalog are the database and the table of what names a table.
func withoutCatalog(parts []string) []string {
	if len(parts) == 3 && parts[0] == "awsdatacatalog" {
		return parts[1:]
	}
	return parts
}

// read reads a column where that is allowed.
func (a *analyzer) read(at place, c placedColumn, sc *scope) (typed, error) {
	if c.Fault != nil {
		return typed{}, at.fail(CodeNotSupported, "Column '%s': %v", c.Name, c.Fault)
	}
	if sc.mode == groups && !sc.keys[c.sql] {
		return typed{}, at.fail(CodeAggregate, "'%s' must be an aggregate expression or appear in GROUP BY clause", c.Name)
	}
	if sc.pushed != nil {
		// A subquery asks for what is grouped by.
		return typed{sc.pushed.keys[c.sql], c.Type}, nil
	}
	c.use()
	a.weight += 1 + c.weight
	return typed{c.sql, c.Type}, nil
}

func fieldOf(at place, x typed, n string) (typed, error) {
	if x.t.Kind != Row {
		return x, at.fail(CodeMismatch, "Expression is not of type ROW")
	}
	for i, name := range x.t.Names {
		if strings.EqualFold(name, n) {
			return typed{fmt.Sprintf("json_extract(%s, '$[%d]')", x.sql, i), x.t.Of[i]}, nil
		}
	}
	return x, at.fail(CodeColumn, "Column '%s' cannot be resolved or requester is not authorized to access requested resources", n)
}

func (a *analyzer) unary(u unary, sc *scope) (typed, error) {
	x, err := a.expression(u.of, sc)
	if err != nil {
		return x, err
	}
	if u.operator == "NOT" {
		if x.t.Kind != Boolean && x.t.Kind != Unknown {
			return x, u.fail(CodeMismatch, "Value of logical NOT expression must evaluate to a boolean (actual: %s)", x.t)
		}
		return typed{"(NOT " + x.sql + ")", Type{Kind: Boolean}}, nil
	}
	if !x.t.isNumber() && x.t.Kind != DayInterval && x.t.Kind != YearInterval {
		return x, u.fail(CodeMismatch, "Cannot negate %s", x.t)
	}
	return typed{"(- " + x.sql + ")", x.t}, nil
}

func (a *analyzer) binary(b binary, sc *scope) (typed, error) {
	x, y, err := a.two(b.left, b.right, sc)
	if err != nil {
		return x, err
	}
	boolean := Type{Kind: Boolean}
	switch b.operator {
	case "AND", "OR":
		for _, side := range []typed{x, y} {
			if side.t.Kind != Boolean && side.t.Kind != Unknown {
				return x, b.fail(CodeMismatch, "Logical expression term must evaluate to a boolean (actual: %s)", side.t)
			}
		}
		return typed{"(" + x.sql + " " + b.operator + " " + y.sql + ")", boolean}, nil
	case "||":
		return concatenated(b.place, x, y)
	case "+", "-", "*", "/", "%":
		return arithmetic(b, x, y)
	}
	operator := b.operator
	if operator == "!=" {
		operator = "<>"
	}
	l, r, _, err := compared(b.place, operator, x, y)
	return typed{"(" + l + " " + operator + " " + r + ")", boolean}, err
}

func concatenated(at place, x, y typed) (typed, error) {
	for _, side := range []typed{x, y} {
		if !side.t.isText() && side.t.Kind != Unknown {
			if side.t.Kind == Array {
				return x, at.lacking("joining arrays")
			}
			return x, at.fail(CodeMismatch, "Cannot apply operator: %s || %s", x.t, y.t)
		}
	}
	return typed{"(" + x.sql + " || " + y.sql + ")", Type{Kind: Varchar}}, nil
}

// arithmetic writes + - * / %, with the types of Trino
// (https://trino.io/docs/current/functions/decimal.html).
func arithmetic(b binary, x, y typed) (typed, error) {
	op := b.operator
	if t, ok, err := calendar(b, x, y); ok || err != nil {
		return t, err
	}
	if !x.t.isNumber() && x.t.Kind != Unknown || !y.t.isNumber() && y.t.Kind != Unknown {
		return x, b.fail(CodeMismatch, "Cannot apply operator: %s %s %s", x.t, op, y.t)
	}
	t, _ := common(x.t, y.t)
	if t.Kind == Decimal {
		return decimals(b, x, y)
	}
	l, r := convert(x, t), convert(y, t)
	switch {
	case t.isFloat() && op == "/":
		// The engine's division by zero is NULL.
		return float(t, "lm_divide("+l+", "+r+")"), nil
	case t.isFloat() && op == "%":
		return float(t, "lm_modulus("+l+", "+r+")"), nil
	case t.isFloat():
		return float(t, "("+l+" "+op+" "+r+")"), nil
	case op == "/" || op == "%":
		if n, err := strconv.ParseInt(r, 10, 64); err == nil && n > 0 {
			return typed{"(" + l + " " + op + " " + r + ")", t}, nil
		}
		return typed{map[string]string{"/": "lm_quotient", "%": "lm_remainder"}[op] + "(" + l + ", " + r + ")", t}, nil
	}
	if _, low, high, ok := Bounds(t); ok && t.Kind != Bigint {
		// A result that its type does not hold is an error.
		return typed{fmt.Sprintf("lm_within((%s %s %s), %d, %d)", l, op, r, low, high), t}, nil
	}
	return typed{"lm_whole(" + l + " " + op + " " + r + ")", t}, nil
}

func float(t Type, sql string) typed {
	if t.Kind == Real {
		sql = "lm_real(" + sql + ")"
	}
	return typed{sql, t}
}

// calendar writes what moments and intervals do with each other.
func calendar(b binary, x, y typed) (typed, bool, error) {
	op := b.operator
	interval := func(t Type) bool { return t.Kind == DayInterval || t.Kind == YearInterval }
	switch {
	case op == "+" && interval(x.t) && y.t.isMoment():
		x, y = y, x
		fallthrough
	case (op == "+" || op == "-") && x.t.isMoment() && interval(y.t):
		n := y.sql
		if op == "-" {
			n = "(- " + n + ")"
		}
		if y.t.Kind == YearInterval {
			if x.t.Kind == Date {
				return typed{"lm_months_date(" + x.sql + ", " + n + ")", x.t}, true, nil
			}
			return typed{"lm_months(" + x.sql + ", " + n + ")", x.t}, true, nil
		}
		if x.t.Kind == Date {
			return typed{"lm_days(" + x.sql + ", " + n + ")", x.t}, true, nil
		}
		return typed{"(" + x.sql + " + " + n + ")", x.t}, true, nil
	case op == "-" && x.t.isMoment() && y.t.isMoment():
		t, _ := common(x.t, y.t)
		l, r := convert(x, t), convert(y, t)
		if t.Kind == Date {
			return typed{"((" + l + " - " + r + ") * 86400000000)", Type{Kind: DayInterval}}, true, nil
		}
		return typed{"(" + l + " - " + r + ")", Type{Kind: DayInterval}}, true, nil
	case (op == "+" || op == "-") && interval(x.t) && x.t.Kind == y.t.Kind:
		return typed{"(" + x.sql + " " + op + " " + y.sql + ")", x.t}, true, nil
	case interval(x.t) || interval(y.t):
		return x, false, b.lacking("%s %s %s", x.t, op, y.t)
	}
	return typed{}, false, nil
}

// decimals writes arithmetic of decimals, which the engine has as whole numbers.
func decimals(b binary, x, y typed) (typed, error) {
	l, r := x.t.asDecimal(), y.t.asDecimal()
	if x.t.Kind == Unknown || y.t.Kind == Unknown {
		return typed{"(" + x.sql + " + " + y.sql + ")", Type{Kind: Decimal, Precision: 38}}, nil
	}
	scale := max(l.Scale, r.Scale)
	t := Type{Kind: Decimal, Precision: min(38, scale+max(l.Precision-l.Scale, r.Precision-r.Scale)+1), Scale: scale}
	same := func(x typed) string { return convert(x, Type{Kind: Decimal, Precision: 38, Scale: scale}) }
	switch b.operator {
	case "+", "-":
		return typed{"lm_exact(" + same(x) + " " + b.operator + " " + same(y) + ")", t}, nil
	case "*":
		t = Type{Kind: Decimal, Precision: min(38, l.Precision+r.Precision), Scale: l.Scale + r.Scale}
		if t.Scale > 38 {
			return x, b.fail(CodeMismatch, "DECIMAL scale must be in range [0, precision (38)]: %d", t.Scale)
		}
		return typed{"lm_exact(" + x.sql + " * " + y.sql + ")", t}, nil
	case "/":
		t.Precision = min(38, l.Precision+r.Scale+max(0, r.Scale-l.Scale))
		return typed{fmt.Sprintf("lm_decimal_divide(%s, %s, %d)", x.sql, y.sql, scale+r.Scale-l.Scale), t}, nil
	}
	t.Precision = min(l.Precision-l.Scale, r.Precision-r.Scale) + scale
	return typed{"lm_remainder(" + same(x) + ", " + same(y) + ")", t}, nil
}

func (a *analyzer) between(b between, sc *scope) (typed, error) {
	low := binary{b.place, ">=", b.value, b.low}
	high := binary{b.place, "<=", b.value, b.high}
	x, err := a.write(binary{b.place, "AND", low, high}, sc)
	if err == nil && b.not {
		x.sql = "(NOT " + x.sql + ")"
	}
	return x, err
}

func (a *analyzer) in(e inList, sc *scope) (typed, error) {
	x, err := a.expression(e.value, sc)
	if err != nil {
		return x, err
	}
	boolean := Type{Kind: Boolean}
	if e.query != nil {
		o, err := a.query(e.query, sc, false)
		if err != nil {
			return x, err
		}
		if len(o.columns) != 1 {
			return x, e.fail(CodeMismatch, "Multiple columns returned by subquery are not yet supported. Found %d", len(o.columns))
		}
		l, r, _, err := compared(e.place, "IN", x, typed{"c0", o.columns[0].Type})
		return typed{"(" + l + " " + not(e.not) + "IN (SELECT " + r + " FROM (" + o.whole() + ")))", boolean}, err
	}
	list, err := a.each(e.list, sc)
	if err != nil {
		return x, err
	}
	t, i, ok := folded(append([]typed{x}, list...))
	if !ok {
		return x, e.fail(CodeMismatch, "IN value and list items must be the same type or coercible to a common type. Cannot find common type between %s and %s", t, list[i-1].t)
	}
	if t.isNested() || t.Kind == Char {
		return x, e.lacking("IN with values of type %s", t)
	}
	var words []string
	for _, y := range list {
		words = append(words, convert(y, t))
	}
	return typed{"(" + convert(x, t) + " " + not(e.not) + "IN (" + strings.Join(words, ", ") + "))", boolean}, nil
}

func (a *analyzer) like(e likeness, sc *scope) (typed, error) {
	x, y, err := a.two(e.value, e.pattern, sc)
	if err != nil {
		return x, err
	}
	for _, side := range []typed{x, y} {
		if side.t.Kind != Varchar && side.t.Kind != Unknown {
			if side.t.Kind == Char {
				return x, e.lacking("LIKE on a value of type CHAR")
			}
			return x, e.fail(CodeMismatch, "Left side of LIKE expression must evaluate to a varchar (actual: %s)", side.t)
		}
	}
	sql := "(" + x.sql + " " + not(e.not) + "LIKE " + y.sql
	if e.escape != nil {
		l, ok := e.escape.(literal)
		if !ok || l.kind != "text" || len([]rune(l.text)) != 1 {
			return x, e.lacking("an ESCAPE that is not one character")
		}
		sql += " ESCAPE " + quote(l.text)
	}
	return typed{sql + ")", Type{Kind: Boolean}}, nil
}

// scalar writes a query as a value. The engine takes the first of several rows; Athena fails.
func (a *analyzer) scalar(e scalarQuery, sc *scope) (typed, error) {
	o, err := a.query(e.query, sc, false)
	if err != nil {
		return typed{}, err
	}
	if len(o.columns) != 1 {
		return typed{}, e.lacking("a subquery of %d columns as a value", len(o.columns))
	}
	return typed{"(SELECT lm_single(count(*), max(c0)) FROM (SELECT c0 FROM (" + o.whole() + ") LIMIT 2))", o.columns[0].Type}, nil
}

func (a *analyzer) cast(c cast, sc *scope) (typed, error) {
	x, err := a.expression(c.value, sc)
	if err != nil {
		return x, err
	}
	if x.t.Kind == Unknown {
		return typed{"NULL", c.to}, nil
	}
	if x.t.equal(c.to) {
		return x, nil
	}
	if !castable(x.t, c.to) {
		if x.t.isNested() || x.t.Kind == Varbinary || c.to.Kind == Varbinary || x.t.Kind >= DayInterval {
			return x, c.lacking("a cast from %s to %s", x.t, c.to)
		}
		return x, c.fail(CodeMismatch, "Cannot cast %s to %s", x.t, c.to)
	}
	if _, ok := common(x.t, c.to); ok && widens(x.t, c.to) {
		return typed{convert(x, c.to), c.to}, nil
	}
	function := "lm_cast"
	if c.try {
		function = "lm_try_cast"
	}
	return typed{fmt.Sprintf("%s(%s, %s, %s)", function, x.sql, quote(x.t.String()), quote(c.to.String())), c.to}, nil
}

// widens reports whether a conversion cannot fail and needs no function.
func widens(from, to Type) bool {
	switch {
	case from.isInteger() && to.isInteger():
		return from.Kind <= to.Kind
	case from.isInteger() && to.Kind == Double, from.Kind == Decimal && to.Kind == Double, from.Kind == Real && to.Kind == Double:
		return true
	case from.Kind == Date && to.Kind == Timestamp:
		return true
	case from.Kind == Varchar && to.Kind == Varchar:
		return to.Precision == 0 || from.Precision > 0 && from.Precision <= to.Precision
	}
	return false
}

func (a *analyzer) caseOf(c caseOf, sc *scope) (typed, error) {
	of := c.then[:len(c.then):len(c.then)]
	if c.other != nil {
		of = append(of, c.other)
	}
	results, err := a.each(of, sc)
	if err != nil {
		return typed{}, err
	}
	t, i, ok := folded(results)
	if !ok {
		return typed{}, of[i].at().fail(CodeMismatch, "All CASE results must be the same type or coercible to a common type. Cannot find common type between %s and %s", t, results[i].t)
	}
	sql := "CASE"
	for i, w := range c.when {
		var when string
		var err error
		if c.operand != nil {
			var x typed
			x, err = a.write(binary{w.at(), "=", c.operand, w}, sc)
			when = x.sql
		} else {
			when, err = a.condition(w, sc, "CASE WHEN")
		}
		if err != nil {
			return typed{}, err
		}
		sql += " WHEN " + when + " THEN " + convert(results[i], t)
	}
	if c.other != nil {
		sql += " ELSE " + convert(results[len(results)-1], t)
	}
	return typed{"(" + sql + " END)", t}, nil
}

func (a *analyzer) subscript(e subscript, sc *scope) (typed, error) {
	x, i, err := a.two(e.value, e.index, sc)
	if err != nil {
		return x, err
	}
	switch {
	case x.t.Kind == Array && i.t.isInteger():
		return typed{"lm_subscript(" + x.sql + ", " + i.sql + ")", x.t.Of[0]}, nil
	case x.t.Kind == Map:
		if _, ok := common(x.t.Of[0], i.t); ok {
			return typed{"lm_lookup(" + x.sql + ", " + convert(i, x.t.Of[0]) + ", 1)", x.t.Of[1]}, nil
		}
	}
	return x, e.fail(CodeMismatch, "Cannot apply operator: %s[%s]", x.t, i.t)
}

func (a *analyzer) array(e arrayOf, sc *scope) (typed, error) {
	all, err := a.each(e.values, sc)
	if err != nil {
		return typed{}, err
	}
	t, i, ok := folded(all)
	if !ok {
		return typed{}, e.values[i].at().fail(CodeMismatch, "All ARRAY elements must be the same type: %s, %s", t, all[i].t)
	}
	var words []string
	for _, x := range all {
		sql := convert(x, t)
		if t.isNested() {
			sql = "json(" + sql + ")"
		}
		words = append(words, sql)
	}
	return typed{"json_array(" + strings.Join(words, ", ") + ")", Type{Kind: Array, Of: []Type{t}}}, nil
}
