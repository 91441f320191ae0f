package dialect

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// aggregates are the functions over the rows of a group.
var aggregates = strings.Fields(`count sum avg min max count_if bool_and bool_or every arbitrary any_value approx_distinct
	stddev stddev_samp stddev_pop variance var_samp var_pop max_by min_by approx_percentile array_agg geometric_mean`)

// windows are the functions that stand before OVER only.
var windowFunctions = strings.Fields(`row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value`)

// hasAggregate reports whether an expression has an aggregate of its own query.
func hasAggregate(e expression) bool {
	any := func(list ...expression) bool {
		return slices.ContainsFunc(list, func(e expression) bool { return e != nil && hasAggregate(e) })
	}
	switch e := e.(type) {
	case call:
		if e.over == nil && slices.Contains(aggregates, e.name) {
			return true
		}
		if w := e.over; w != nil {
			for _, o := range w.order {
				if any(o.value) {
					return true
				}
			}
			if any(w.partition...) {
				return true
			}
		}
		return any(e.args...)
	case unary:
		return any(e.of)
	case binary:
		return any(e.left, e.right)
	case between:
		return any(e.value, e.low, e.high)
	case inList:
		return any(append([]expression{e.value}, e.list...)...)
	case likeness:
		return any(e.value, e.pattern)
	case isNull:
		return any(e.value)
	case distinctFrom:
		return any(e.left, e.right)
	case cast:
		return any(e.value)
	case caseOf:
		return any(e.operand, e.other) || any(e.when...) || any(e.then...)
	case subscript:
		return any(e.value, e.index)
	case field:
		return any(e.value)
	case arrayOf:
		return any(e.values...)
	}
	return false
}

func (a *analyzer) call(c call, sc *scope) (typed, error) {
	if len(c.order) > 0 && (c.name != "array_agg" || c.over != nil) {
		return typed{}, c.lacking("ORDER BY within %s", c.name)
	}
	if c.over != nil {
		return a.over(c, sc)
	}
	if slices.Contains(windowFunctions, c.name) {
		return typed{}, c.fail(CodeSyntax, "Window function %s requires an OVER clause", c.name)
	}
	if slices.Contains(aggregates, c.name) {
		switch {
		case sc.mode == aggregate:
			return typed{}, c.fail("NESTED_AGGREGATION", "Cannot nest aggregations inside aggregation '%s'", c.name)
		case sc.mode != groups && sc.clause != "":
			return typed{}, c.fail("INVALID_WINDOW_REFERENCE", "%s clause cannot contain aggregations, window functions or grouping operations", sc.clause)
		case sc.mode != groups:
			return typed{}, c.fail(CodeAggregate, "an aggregation stands where none may")
		}
		return a.aggregate(c, sc)
	}
	if c.filter != nil || c.distinct || c.star {
		return typed{}, c.fail(CodeFunction, "Function '%s' is no aggregation", c.name)
	}
	if c.name == "try" {
		return a.try(c, sc)
	}
	args, err := a.each(c.args, sc)
	if err != nil {
		return typed{}, err
	}
	return a.scalarCall(c, args)
}

// try writes TRY, which is NULL where what stands in it fails for its values
// (https://trino.io/docs/current/functions/conditional.html#try).
func (a *analyzer) try(c call, sc *scope) (typed, error) {
	if len(c.args) != 1 || c.star || c.distinct {
		return typed{}, c.fail(CodeSyntax, "The 'try' function must have exactly one argument")
	}
	before := a.queries
	x, err := a.expression(c.args[0], sc)
	if err != nil {
		return x, err
	}
	if a.queries != before {
		return x, c.lacking("a subquery in TRY")
	}
	a.tries = true
	return typed{"lm_caught(lm_try(), " + x.sql + ")", x.t}, nil
}

// arrayAgg writes array_agg, which is NULL of no rows.
func (a *analyzer) arrayAgg(c call, args []typed, filter string, sc *scope) (typed, error) {
	if len(args) != 1 || c.star {
		return typed{}, c.fail(CodeFunction, "Unexpected parameters (%s) for function %s", types(args), c.name)
	}
	x := args[0]
	if x.t.Kind == Varbinary || x.t.Kind == Unknown {
		return x, c.lacking("array_agg(%s)", x.t)
	}
	value := x.sql
	if x.t.isNested() {
		value = "json(" + value + ")"
	}
	if c.distinct {
		value = "DISTINCT " + value
	}
	var by []string
	for _, s := range c.order {
		y, err := a.expression(s.value, sc)
		if err != nil {
			return y, err
		}
		if y.t.isNested() {
			return y, s.value.at().lacking("ORDER BY a value of type %s", y.t)
		}
		if c.distinct && y.sql != x.sql {
			return y, s.value.at().fail(CodeSyntax, "For aggregate function with DISTINCT, ORDER BY expressions must appear in arguments")
		}
		by = append(by, y.sql+direction(s))
	}
	if len(by) > 0 {
		value += " ORDER BY " + strings.Join(by, ", ")
	}
	return typed{"(CASE WHEN count(*)" + filter + " > 0 THEN json_group_array(" + value + ")" + filter + " END)", Type{Kind: Array, Of: []Type{x.t}}}, nil
}

// filterOf writes the FILTER of a call, empty if it has none.
func (a *analyzer) filterOf(c call, sc *scope) (string, error) {
	if c.filter == nil {
		return "", nil
	}
	x, err := a.condition(c.filter, sc, "FILTER")
	if err != nil {
		return "", err
	}
	return " FILTER (WHERE " + x + ")", nil
}

// aggregate writes an aggregate with its FILTER.
func (a *analyzer) aggregate(c call, sc *scope) (typed, error) {
	if sc.pushed != nil {
		probe := *sc
		probe.mode, probe.pushed = aggregate, nil
		x, ok := sc.pushed.aggregate(a, c, &probe)
		sc.pushed.failed = sc.pushed.failed || !ok
		return x, nil
	}
	inner := *sc
	inner.mode, inner.windows = aggregate, false
	filter, err := a.filterOf(c, &inner)
	if err != nil {
		return typed{}, err
	}
	args, err := a.each(c.args, &inner)
	if err != nil {
		return typed{}, err
	}
	if c.name == "array_agg" {
		return a.arrayAgg(c, args, filter, &inner)
	}
	return a.aggregateOf(c, args, filter)
}

// aggregateOf writes an aggregate of arguments. after is what stands behind each call.
func (a *analyzer) aggregateOf(c call, args []typed, after string) (typed, error) {
	distinct := ""
	if c.distinct {
		distinct = "DISTINCT "
	}
	need := func(n int) error {
		if len(args) != n || c.star {
			return c.fail(CodeFunction, "Unexpected parameters (%s) for function %s", types(args), c.name)
		}
		return nil
	}
	mismatch := c.fail(CodeFunction, "Unexpected parameters (%s) for function %s", types(args), c.name)
	bigint := Type{Kind: Bigint}
	switch c.name {
	case "count":
		if c.star || len(args) == 0 {
			return typed{"count(*)" + after, bigint}, nil
		}
		return typed{"count(" + distinct + args[0].sql + ")" + after, bigint}, need(1)
	case "approx_distinct":
		if len(args) == 2 {
			args = args[:1]
		}
		if err := need(1); err != nil {
			return typed{}, err
		}
		// Exactly, which is an approximation, too.
		return typed{"count(DISTINCT " + args[0].sql + ")" + after, bigint}, nil
	}
	if c.name == "max_by" || c.name == "min_by" || c.name == "approx_percentile" {
		if err := need(2); err != nil {
			return typed{}, err
		}
		if c.name == "approx_percentile" {
			if !args[0].t.isNumber() || !args[1].t.isNumber() || args[0].t.Kind == Decimal {
				return typed{}, c.lacking("approx_percentile(%s)", types(args))
			}
			return typed{"lm_percentile(" + args[0].sql + ", " + convert(args[1], Type{Kind: Double}) + ")" + after, args[0].t}, nil
		}
		return typed{"lm_" + c.name + "(" + args[0].sql + ", " + args[1].sql + ")" + after, args[0].t}, nil
	}
	if err := need(1); err != nil {
		return typed{}, err
	}
	x := args[0]
	if x.t.Kind == Unknown {
		x = typed{"NULL", Type{Kind: Bigint}}
	}
	if distinct != "" && c.name != "sum" && c.name != "avg" && c.name != "min" && c.name != "max" && c.name != "array_agg" {
		return x, c.lacking("%s(DISTINCT)", c.name)
	}
	switch c.name {
	case "sum":
		switch {
		case x.t.isInteger():
			return typed{"sum(" + distinct + x.sql + ")" + after, bigint}, nil
		case x.t.Kind == Real:
			return typed{"lm_real(sum(" + distinct + x.sql + ")" + after + ")", x.t}, nil
		case x.t.Kind == Double, x.t.Kind == DayInterval:
			return typed{"sum(" + distinct + x.sql + ")" + after, x.t}, nil
		case x.t.Kind == Decimal:
			return typed{"sum(" + distinct + x.sql + ")" + after, Type{Kind: Decimal, Precision: 38, Scale: x.t.Scale}}, nil
		}
		return x, mismatch
	case "avg":
		switch {
		case x.t.isInteger() || x.t.Kind == Double:
			return typed{"avg(" + distinct + x.sql + ")" + after, Type{Kind: Double}}, nil
		case x.t.Kind == Real:
			return typed{"lm_real(avg(" + distinct + x.sql + ")" + after + ")", x.t}, nil
		case x.t.Kind == Decimal:
			return typed{"lm_decimal_divide(sum(" + distinct + x.sql + ")" + after + ", nullif(count(" + distinct + x.sql + ")" + after + ", 0), 0)", x.t}, nil
		}
		return x, mismatch
	case "min", "max", "arbitrary", "any_value":
		if x.t.isNested() || x.t.Kind == Char {
			return x, c.lacking("%s(%s)", c.name, x.t)
		}
		function := c.name
		if function != "max" {
			function = "min" // Any value will do.
		}
		return typed{function + "(" + x.sql + ")" + after, x.t}, nil
	case "count_if":
		if x.t.Kind != Boolean {
			return x, mismatch
		}
		return typed{"count(CASE WHEN " + x.sql + " THEN 1 END)" + after, bigint}, nil
	case "bool_and", "every", "bool_or":
		if x.t.Kind != Boolean {
			return x, mismatch
		}
		return typed{map[bool]string{true: "max", false: "min"}[c.name == "bool_or"] + "(" + x.sql + ")" + after, x.t}, nil
	case "array_agg":
		return x, c.lacking("array_agg")
	}
	// Statistics.
	if !x.t.isNumber() {
		return x, mismatch
	}
	function := map[string]string{"stddev": "stddev_samp", "variance": "var_samp"}[c.name]
	if function == "" {
		function = c.name
	}
	return typed{"lm_" + function + "(" + convert(x, Type{Kind: Double}) + ")" + after, Type{Kind: Double}}, nil
}

func types(args []typed) string {
	var all []string
	for _, x := range args {
		all = append(all, x.t.String())
	}
	return strings.Join(all, ", ")
}

// over writes a window function.
func (a *analyzer) over(c call, sc *scope) (typed, error) {
	if !sc.windows {
		return typed{}, c.fail("INVALID_WINDOW_REFERENCE", "%s clause cannot contain aggregations, window functions or grouping operations", sc.clause)
	}
	inner := *sc
	inner.windows, inner.clause = false, "OVER"
	if c.distinct {
		return typed{}, c.lacking("DISTINCT before OVER")
	}
	after, err := a.filterOf(c, &inner)
	if err != nil {
		return typed{}, err
	}
	w, err := a.window(c.over, &inner)
	if err != nil {
		return typed{}, err
	}
	after += " OVER (" + w + ")"
	var args []typed
	for _, e := range c.args {
		x, err := a.expression(e, &inner)
		if err != nil {
			return x, err
		}
		args = append(args, x)
	}
	if slices.Contains(aggregates, c.name) {
		switch c.name {
		case "count", "sum", "avg", "min", "max", "count_if", "bool_and", "bool_or", "every":
			return a.aggregateOf(c, args, after)
		}
		return typed{}, c.lacking("%s before OVER", c.name)
	}
	if c.filter != nil {
		return typed{}, c.fail(CodeSyntax, "Filter clause is not allowed on a window function that is no aggregation")
	}
	return windowFunction(c, args, after)
}

func windowFunction(c call, args []typed, after string) (typed, error) {
	bigint := Type{Kind: Bigint}
	count := map[string][2]int{"row_number": {0, 0}, "rank": {0, 0}, "dense_rank": {0, 0}, "percent_rank": {0, 0}, "cume_dist": {0, 0}, "ntile": {1, 1},
		"lag": {1, 3}, "lead": {1, 3}, "first_value": {1, 1}, "last_value": {1, 1}, "nth_value": {2, 2}}
	n, ok := count[c.name]
	if !ok || c.star || len(args) < n[0] || len(args) > n[1] {
		return typed{}, c.fail(CodeFunction, "Unexpected parameters (%s) for function %s", types(args), c.name)
	}
	t := bigint
	switch c.name {
	case "percent_rank", "cume_dist":
		t = Type{Kind: Double}
	case "lag", "lead", "first_value", "last_value", "nth_value":
		t = args[0].t
	}
	var words []string
	for i, x := range args {
		switch {
		case i == 0 && c.name == "ntile", i == 1:
			if !x.t.isInteger() {
				return x, c.fail(CodeFunction, "Unexpected parameters (%s) for function %s", types(args), c.name)
			}
			words = append(words, x.sql)
		case i == 2:
			if both, ok := common(t, x.t); !ok || !both.equal(t) && !t.isText() {
				return x, c.fail(CodeFunction, "Unexpected parameters (%s) for function %s", types(args), c.name)
			}
			words = append(words, convert(x, t))
		default:
			words = append(words, x.sql)
		}
	}
	return typed{c.name + "(" + strings.Join(words, ", ") + ")" + after, t}, nil
}

func (a *analyzer) window(w *window, sc *scope) (string, error) {
	var parts []string
	if len(w.partition) > 0 {
		var by []string
		for _, e := range w.partition {
			x, err := a.expression(e, sc)
			if err != nil {
				return "", err
			}
			by = append(by, x.sql)
		}
		parts = append(parts, "PARTITION BY "+strings.Join(by, ", "))
	}
	if len(w.order) > 0 {
		var by []string
		for _, s := range w.order {
			x, err := a.expression(s.value, sc)
			if err != nil {
				return "", err
			}
			if x.t.isNested() {
				return "", s.value.at().lacking("ORDER BY a value of type %s", x.t)
			}
			by = append(by, x.sql+direction(s))
		}
		parts = append(parts, "ORDER BY "+strings.Join(by, ", "))
	}
	if f := w.frame; f != nil {
		var bounds []string
		for _, b := range []bound{f.start, f.end} {
			if b.value == nil {
				bounds = append(bounds, b.kind)
				continue
			}
			if f.unit == "RANGE" {
				return "", w.lacking("RANGE with a distance")
			}
			l, ok := b.value.(literal)
			if !ok || l.kind != "number" {
				return "", w.lacking("a frame whose distance is no number")
			}
			bounds = append(bounds, l.text+" "+b.kind)
		}
		parts = append(parts, fmt.Sprintf("%s BETWEEN %s AND %s", f.unit, bounds[0], bounds[1]))
	}
	return strings.Join(parts, " "), nil
}

// scalarCall writes a function of the values of one row.
func (a *analyzer) scalarCall(c call, args []typed) (typed, error) {
	if x, ok, err := a.special(c, args); ok || err != nil {
		return x, err
	}
	known := false
	for _, f := range functions[c.name] {
		known = true
		if sql, ok := f.apply(args); ok {
			return typed{sql, f.result(args)}, nil
		}
	}
	if known {
		return typed{}, c.fail(CodeFunction, "Unexpected parameters (%s) for function %s, or they are not in the local mesh", types(args), c.name)
	}
	return typed{}, c.fail(CodeFunction, "Function '%s' not registered, or it is not in the local mesh", c.name)
}

// special writes the functions whose types follow from their arguments'.
func (a *analyzer) special(c call, args []typed) (typed, bool, error) {
	wrong := func() (typed, bool, error) {
		return typed{}, true, c.fail(CodeFunction, "Unexpected parameters (%s) for function %s", types(args), c.name)
	}
	switch c.name {
	case "current_date", "now", "current_timestamp", "localtimestamp":
		if len(args) > 0 {
			return wrong()
		}
		now := rounded(a.session.Now.UnixMicro(), 3)
		switch c.name {
		case "current_date":
			return typed{fmt.Sprint(floorDivide(now, 86_400_000_000)), Type{Kind: Date}}, true, nil
		case "localtimestamp":
			return typed{fmt.Sprint(now), Type{Kind: Timestamp, Precision: 3}}, true, nil
		}
		return typed{fmt.Sprint(now), Type{Kind: TimestampTZ, Precision: 3}}, true, nil
	case "current_catalog", "current_schema":
		if len(args) > 0 {
			return wrong()
		}
		name := a.session.Database
		if c.name == "current_catalog" {
			name = "awsdatacatalog"
		}
		if name == "" {
			return typed{"NULL", Type{Kind: Varchar}}, true, nil
		}
		return typed{quote(name), Type{Kind: Varchar}}, true, nil
	case "coalesce", "greatest", "least":
		if len(args) < 1 || c.name == "coalesce" && len(args) < 2 {
			return wrong()
		}
		t, i, ok := folded(args)
		if !ok {
			return typed{}, true, c.fail(CodeMismatch, "All %s operands must be the same type or coercible to a common type. Cannot find common type between %s and %s", strings.ToUpper(c.name), t, args[i].t)
		}
		if c.name != "coalesce" && (t.isNested() || t.Kind == Char) {
			return typed{}, true, c.lacking("%s(%s)", c.name, t)
		}
		var words []string
		for _, x := range args {
			words = append(words, convert(x, t))
		}
		if len(words) == 1 {
			return typed{words[0], t}, true, nil
		}
		function := map[string]string{"coalesce": "coalesce", "greatest": "max", "least": "min"}[c.name]
		return typed{function + "(" + strings.Join(words, ", ") + ")", t}, true, nil
	case "nullif":
		if len(args) != 2 {
			return wrong()
		}
		l, r, _, err := compared(c.place, "=", args[0], args[1])
		return typed{"(CASE WHEN " + l + " = " + r + " THEN NULL ELSE " + args[0].sql + " END)", args[0].t}, true, err
	case "if":
		if len(args) != 2 && len(args) != 3 || args[0].t.Kind != Boolean {
			return wrong()
		}
		t := args[1].t
		if len(args) == 3 {
			var ok bool
			if t, ok = common(t, args[2].t); !ok {
				return wrong()
			}
			return typed{"(CASE WHEN " + args[0].sql + " THEN " + convert(args[1], t) + " ELSE " + convert(args[2], t) + " END)", t}, true, nil
		}
		return typed{"(CASE WHEN " + args[0].sql + " THEN " + args[1].sql + " END)", t}, true, nil
	case "concat":
		if len(args) < 2 {
			return wrong()
		}
		x := args[0]
		for _, y := range args[1:] {
			var err error
			if x, err = concatenated(c.place, x, y); err != nil {
				return x, true, err
			}
		}
		return x, true, nil
	case "concat_ws":
		if len(args) < 2 {
			return wrong()
		}
		var words []string
		for _, x := range args {
			if x.t.Kind != Varchar && x.t.Kind != Unknown {
				return wrong()
			}
			words = append(words, x.sql)
		}
		return typed{"lm_concat_ws(" + strings.Join(words, ", ") + ")", Type{Kind: Varchar}}, true, nil
	case "typeof":
		if len(args) != 1 {
			return wrong()
		}
		// The argument stays: it may be an aggregate, which makes one row of all.
		return typed{"lm_second(" + args[0].sql + ", " + quote(args[0].t.String()) + ")", Type{Kind: Varchar}}, true, nil
	case "mod":
		if len(args) != 2 {
			return wrong()
		}
		x, err := arithmetic(binary{place: c.place, operator: "%"}, args[0], args[1])
		return x, true, err
	case "date":
		if len(args) != 1 {
			return wrong()
		}
		if args[0].t.Kind == Date {
			return args[0], true, nil
		}
		if !args[0].t.isText() && !args[0].t.isMoment() {
			return wrong()
		}
		return typed{fmt.Sprintf("lm_cast(%s, %s, 'date')", args[0].sql, quote(args[0].t.String())), Type{Kind: Date}}, true, nil
	case "round", "truncate", "ceil", "ceiling", "floor", "abs", "sign":
		return rounding(c, args)
	case "cardinality":
		if len(args) != 1 || args[0].t.Kind != Array && args[0].t.Kind != Map {
			return wrong()
		}
		return typed{"json_array_length(" + args[0].sql + ")", Type{Kind: Bigint}}, true, nil
	case "element_at":
		if len(args) != 2 {
			return wrong()
		}
		if args[0].t.Kind == Array && args[1].t.isInteger() {
			return typed{"lm_element(" + args[0].sql + ", " + args[1].sql + ")", args[0].t.Of[0]}, true, nil
		}
		if args[0].t.Kind == Map {
			return typed{"lm_lookup(" + args[0].sql + ", " + convert(args[1], args[0].t.Of[0]) + ", 0)", args[0].t.Of[1]}, true, nil
		}
		return wrong()
	case "contains":
		if len(args) != 2 || args[0].t.Kind != Array {
			return wrong()
		}
		if t, ok := common(args[0].t.Of[0], args[1].t); !ok || t.isNested() || t.isFloat() {
			return wrong()
		}
		return typed{"lm_contains(" + args[0].sql + ", " + convert(args[1], args[0].t.Of[0]) + ")", Type{Kind: Boolean}}, true, nil
	case "array_join":
		if len(args) != 2 || args[0].t.Kind != Array || !args[0].t.Of[0].isText() || !args[1].t.isText() {
			return wrong()
		}
		return typed{"lm_array_join(" + args[0].sql + ", " + args[1].sql + ")", Type{Kind: Varchar}}, true, nil
	}
	return typed{}, false, nil
}

// rounding writes the functions on one number that keep its type.
func rounding(c call, args []typed) (typed, bool, error) {
	wrong := c.fail(CodeFunction, "Unexpected parameters (%s) for function %s", types(args), c.name)
	digits := "0"
	if len(args) == 2 && (c.name == "round" || c.name == "truncate") && args[1].t.isInteger() {
		digits = args[1].sql
	} else if len(args) != 1 {
		return typed{}, true, wrong
	}
	x := args[0]
	if !x.t.isNumber() {
		return x, true, wrong
	}
	name := c.name
	if name == "ceiling" {
		name = "ceil"
	}
	switch {
	case name == "abs":
		return typed{"abs(" + x.sql + ")", x.t}, true, nil
	case name == "sign" && x.t.Kind == Decimal:
		return typed{"sign(" + x.sql + ")", Type{Kind: Decimal, Precision: 1}}, true, nil
	case name == "sign" && x.t.isInteger():
		return typed{"sign(" + x.sql + ")", x.t}, true, nil
	case name == "sign":
		return typed{"CAST(sign(" + x.sql + ") AS REAL)", x.t}, true, nil
	case x.t.isInteger() && digits == "0":
		return x, true, nil
	case x.t.isInteger():
		return x, true, c.lacking("%s of a whole number to digits", name)
	case x.t.Kind == Decimal:
		if len(args) == 2 {
			return typed{fmt.Sprintf("lm_decimal_%s(%s, %d, %s, 0)", name, x.sql, x.t.Scale, digits), x.t}, true, nil
		}
		t := Type{Kind: Decimal, Precision: min(38, max(1, x.t.Precision-x.t.Scale+min(1, x.t.Scale)))}
		return typed{fmt.Sprintf("lm_decimal_%s(%s, %d, 0, 1)", name, x.sql, x.t.Scale), t}, true, nil
	}
	return float(x.t, "lm_"+name+"("+x.sql+", "+digits+")"), true, nil
}

// function is one way to call a function: the kinds of its arguments, the type of its result,
// and how it is written.
type function struct {
	args []Kind
	to   Type
	// same is set where the result has the type of the last argument.
	same bool
	sql  string
}

func (f function) result(args []typed) Type {
	if f.same {
		return args[len(args)-1].t
	}
	return f.to
}

// apply writes a call, if the arguments fit without being cast.
func (f function) apply(args []typed) (string, bool) {
	if len(args) != len(f.args) {
		return "", false
	}
	words := make([]any, len(args))
	for i, x := range args {
		to := Type{Kind: f.args[i]}
		switch {
		case x.t.Kind == Unknown:
		case to.Kind == Varchar && x.t.Kind == Varchar:
		case to.Kind == Bigint && x.t.isInteger():
		case to.Kind == Double && x.t.isNumber():
		case to.Kind == Timestamp && (x.t.Kind == Date && !f.same || x.t.Kind == Timestamp || x.t.Kind == TimestampTZ):
		case to.Kind == x.t.Kind && !x.t.isNested():
		default:
			return "", false
		}
		words[i] = convert(x, to)
	}
	return fmt.Sprintf(f.sql, words...), true
}

// functions are those whose types are always the same
// (https://docs.aws.amazon.com/athena/latest/ug/functions-env3.html).
var functions = functionTable()

func functionTable() map[string][]function {
	all := map[string][]function{}
	kinds := map[byte]Kind{'s': Varchar, 'i': Bigint, 'f': Double, 'd': Date, 't': Timestamp, 'b': Boolean, 'x': Varbinary}
	results := map[byte]Type{'s': {Kind: Varchar}, 'i': {Kind: Bigint}, 'f': {Kind: Double}, 'd': {Kind: Date}, 't': {Kind: Timestamp, Precision: 3},
		'z': {Kind: TimestampTZ, Precision: 3}, 'b': {Kind: Boolean}, 'x': {Kind: Varbinary}, 'n': {Kind: Integer}, 'a': {Kind: Array, Of: []Type{{Kind: Varchar}}}}
	add := func(names, args, result, sql string) {
		f := function{sql: sql, same: result == "="}
		for i := range len(args) {
			f.args = append(f.args, kinds[args[i]])
		}
		if !f.same {
			f.to = results[result[0]]
		}
		for n := range strings.FieldsSeq(names) {
			all[n] = append(all[n], f)
		}
	}
	// Texts.
	add("upper", "s", "s", "lm_upper(%s)")
	add("lower", "s", "s", "lm_lower(%s)")
	add("length char_length character_length", "s", "i", "length(%s)")
	add("reverse", "s", "s", "lm_reverse(%s)")
	for _, trim := range []string{"trim", "ltrim", "rtrim"} {
		add(trim, "s", "s", "lm_"+trim+"(%s, ' ')")
		add(trim, "ss", "s", "lm_"+trim+"(%s, %s)")
	}
	add("substr substring", "si", "s", "lm_substr(%s, %s, NULL)")
	add("substr substring", "sii", "s", "lm_substr_length(%s, %s, %s)")
	add("replace", "ss", "s", "lm_replace(%s, %s, '')")
	add("replace", "sss", "s", "lm_replace(%s, %s, %s)")
	add("split_part", "ssi", "s", "lm_split_part(%s, %s, %s)")
	add("split", "ss", "a", "lm_split(%s, %s)")
	add("strpos", "ss", "i", "lm_strpos(%s, %s)")
	add("starts_with", "ss", "b", "lm_starts_with(%s, %s)")
	add("lpad", "sis", "s", "lm_lpad(%s, %s, %s)")
	add("rpad", "sis", "s", "lm_rpad(%s, %s, %s)")
	add("translate", "sss", "s", "lm_translate(%s, %s, %s)")
	add("chr", "i", "s", "lm_chr(%s)")
	add("codepoint", "s", "n", "unicode(%s)")
	add("regexp_like", "ss", "b", "lm_regexp_like(%s, %s)")
	add("regexp_extract", "ss", "s", "lm_regexp_extract(%s, %s, 0)")
	add("regexp_extract", "ssi", "s", "lm_regexp_extract(%s, %s, %s)")
	add("regexp_replace", "ss", "s", "lm_regexp_replace(%s, %s, '')")
	add("regexp_replace", "sss", "s", "lm_regexp_replace(%s, %s, %s)")
	add("json_extract_scalar", "ss", "s", "lm_json_extract_scalar(%s, %s)")
	add("to_utf8", "s", "x", "CAST(%s AS BLOB)")
	add("from_utf8", "x", "s", "lm_from_utf8(%s)")
	add("to_hex", "x", "s", "hex(%s)")
	for _, hash := range []string{"md5", "sha1", "sha256", "sha512"} {
		add(hash, "x", "x", "lm_"+hash+"(%s)")
	}
	// Numbers.
	for _, f := range []string{"sqrt", "exp", "ln", "log2", "log10", "cbrt", "sin", "cos", "tan", "asin", "acos", "atan", "radians", "degrees"} {
		add(f, "f", "f", "lm_math('"+f+"', %s)")
	}
	add("power pow", "ff", "f", "lm_power(%s, %s)")
	add("log", "ff", "f", "lm_log(%s, %s)")
	add("pi", "", "f", "3.141592653589793")
	add("e", "", "f", "2.718281828459045")
	add("is_nan", "f", "b", "(%s IS NULL AND NULL)")
	// Moments.
	for _, part := range []string{"year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond", "day_of_week", "day_of_year"} {
		add(part, "t", "i", "lm_part('"+part+"', %s)")
	}
	for alias, part := range map[string]string{"week_of_year": "week", "day_of_month": "day", "dow": "day_of_week", "doy": "day_of_year"} {
		add(alias, "t", "i", "lm_part('"+part+"', %s)")
	}
	add("date_trunc", "sd", "=", "lm_trunc_date(%s, %s)")
	add("date_trunc", "st", "=", "lm_trunc(%s, %s)")
	add("date_add", "sid", "=", "lm_add_date(%s, %s, %s)")
	add("date_add", "sit", "=", "lm_add(%s, %s, %s)")
	add("date_diff", "stt", "i", "lm_diff(%s, %s, %s)")
	add("last_day_of_month", "t", "d", "lm_last_day(%s)")
	add("date_format", "ts", "s", "lm_date_format(%s, %s)")
	add("date_parse", "ss", "t", "lm_date_parse(%s, %s)")
	add("format_datetime", "ts", "s", "lm_format_datetime(%s, %s)")
	add("from_unixtime", "f", "z", "lm_from_unixtime(%s)")
	add("to_unixtime", "t", "f", "(%s / 1000000.0)")
	add("from_iso8601_date", "s", "d", "lm_iso_date(%s)")
	add("from_iso8601_timestamp", "s", "z", "lm_iso_timestamp(%s)")
	add("to_iso8601", "d", "s", "lm_cast(%s, 'date', 'varchar')")
	return all
}

// Clock is the moment of a value of TIMESTAMP.
func Clock(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
