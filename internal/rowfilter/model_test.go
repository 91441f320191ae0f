package rowfilter_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh/internal/rowfilter"
)

// small is a table of which the conditions below have few constants, so that all rows
// that differ can be listed.
var small = rowfilter.Table{Columns: []rowfilter.Column{
	{"n", "int"}, {"d", "decimal(3,1)"}, {"f", "double"}, {"g", "float"}, {"s", "string"}, {"v", "varchar(2)"}, {"b", "boolean"}, {"c", "char(3)"},
	{"t", "struct<x:bigint>"},
}}

// constants are what conditions compare each column with, and values what lies at these and between: for
// each two values of a column that a condition can tell apart, both are here.
var (
	constants = map[string][]string{
		"n": {"0", "1", "2147483647", "2", "-2147483648"},
		"d": {"0", "0.1", "99.9", "5.5", "-99.9"},
		"f": {"0", "1", "0.1"},
		"g": {"0", "1"},
		"s": {"'a'", "'ab'", "'b'"},
		"v": {"'a'", "'ab'", "'b'"},
		"b": {"TRUE", "FALSE"},
		"c": {"'a'", "'ab'"},
		"t": {"0", "10"},
	}
	patterns = []string{"''", "'%'", "'a%'", "'ab%'", "'%b'", "'_'", "'a_'", "'%a%'"}
	values   = map[string][]string{
		"n": {"-2147483648", "-1", "0", "1", "2", "3", "2147483647"},
		"d": {"-99.9", "-99.8", "0", "0.1", "0.2", "5.5", "7", "99.9"},
		"f": {"-1", "0", "0.05", "0.1", "0.5", "1", "2", "NaN", "Inf"},
		"g": {"-1", "0", "0.5", "1", "2", "NaN", "-Inf"},
		"s": {"", " ", "a", "a ", "aa", "ab", "ab0", "b", "ba", "c", "-"},
		"v": {"", "a", "a ", "aa", "ab", "ac", "b", "bb", "c", "A"},
		"b": {"true", "false"},
		"c": {"", "a", "a  ", "aa", "ab", "ab ", "aba", "b", "-"},
		"t": {"-1", "0", "5", "10", "11"},
	}
)

// column is how a condition names a column of the table.
func column(name string) string {
	if name == "t" {
		return "t.x"
	}
	return name
}

func isText(name string) bool { return name == "s" || name == "v" || name == "c" }

func typeOf(name string) rowfilter.Type {
	for _, c := range small.Columns {
		if c.Name == name {
			if t := rowfilter.ParseType(c.Type); t.Kind != rowfilter.Struct {
				return t
			}
			return rowfilter.ParseType("bigint")
		}
	}
	panic(name)
}

// condition draws the text of a condition on some columns.
func condition(t *rapid.T, columns []string, like bool, depth int) string {
	if depth > 0 && rapid.IntRange(0, 2).Draw(t, "inner") > 0 {
		var terms []string
		for range rapid.IntRange(1, 3).Draw(t, "terms") {
			terms = append(terms, "("+condition(t, columns, like, depth-1)+")")
		}
		text := strings.Join(terms, rapid.SampledFrom([]string{" AND ", " OR "}).Draw(t, "with"))
		if rapid.Bool().Draw(t, "not") {
			return "NOT (" + text + ")"
		}
		return text
	}
	name := rapid.SampledFrom(columns).Draw(t, "column")
	constant := func() string { return rapid.SampledFrom(constants[name]).Draw(t, "constant") }
	c, not := column(name), rapid.SampledFrom([]string{"", " NOT"}).Draw(t, "negated")
	shapes := []string{"compare", "compare", "in", "null"}
	if name != "b" {
		shapes = append(shapes, "between")
	}
	if like && isText(name) {
		shapes = append(shapes, "like", "like")
	}
	switch rapid.SampledFrom(shapes).Draw(t, "shape") {
	case "compare":
		ops := []string{"=", "<>", "!=", "<", "<=", ">", ">="}
		if name == "b" {
			ops = ops[:3]
		}
		return c + " " + rapid.SampledFrom(ops).Draw(t, "op") + constant()
	case "in":
		all := []string{}
		for range rapid.IntRange(1, 3).Draw(t, "values") {
			all = append(all, constant())
		}
		return c + not + " IN (" + strings.Join(all, ",") + ")"
	case "between":
		return c + not + " BETWEEN " + constant() + " AND " + constant()
	case "like":
		among := patterns
		if name == "c" {
			among = []string{"'%'", "'a%'", "'ab%'"}
		}
		return c + not + " LIKE " + rapid.SampledFrom(among).Draw(t, "pattern")
	}
	return c + " IS" + not + " NULL"
}

// clauses draws what a search has to try: alternatives that must fit each other.
func clauses(t *rapid.T, columns []string, with, within string) string {
	var all []string
	for range rapid.IntRange(2, 5).Draw(t, "clauses") {
		var one []string
		for range rapid.IntRange(1, 3).Draw(t, "alternatives") {
			one = append(one, "("+condition(t, columns, false, 0)+")")
		}
		all = append(all, "("+strings.Join(one, within)+")")
	}
	return strings.Join(all, with)
}

// some draws a few columns.
func some(t *rapid.T, of ...string) []string {
	return rapid.Permutation(of).Draw(t, "columns")[:rapid.IntRange(1, min(3, len(of))).Draw(t, "number of columns")]
}

// rows calls a function with each row of the values of some columns, NULL among them, until it returns false.
func rows(t interface{ Fatal(...any) }, columns []string, do func(rowfilter.Row, map[string]string) bool) {
	row, texts := rowfilter.Row{}, map[string]string{}
	var each func(int) bool
	each = func(i int) bool {
		if i == len(columns) {
			return do(row, texts)
		}
		name := columns[i]
		delete(row, column(name))
		delete(texts, name)
		if !each(i + 1) {
			return false
		}
		for _, text := range values[name] {
			v, err := rowfilter.ParseValue(typeOf(name), text)
			if err != nil {
				t.Fatal(err)
			}
			row[column(name)], texts[name] = v, text
			if !each(i + 1) {
				return false
			}
		}
		return true
	}
	each(0)
}

func read(t interface{ Fatalf(string, ...any) }, text string) *rowfilter.Condition {
	c, err := rowfilter.Read(text, small)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return c
}

func eval(t interface{ Fatal(...any) }, c *rowfilter.Condition, r rowfilter.Row) rowfilter.Truth {
	v, err := c.Eval(r)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// oracle evaluates what is written, before it is in normal form, in the plainest way. nil is UNKNOWN.
func oracle(e rowfilter.Expr, row map[string]string) *bool {
	is := func(b bool) *bool { return &b }
	negate := func(v *bool, not bool) *bool {
		if v == nil || !not {
			return v
		}
		return is(!*v)
	}
	switch e := e.(type) {
	case rowfilter.Not:
		return negate(oracle(e.Term, row), true)
	case rowfilter.And:
		all := is(true)
		for _, t := range e.Terms {
			switch v := oracle(t, row); {
			case v != nil && !*v:
				return v
			case v == nil:
				all = nil
			}
		}
		return all
	case rowfilter.Or:
		any := is(false)
		for _, t := range e.Terms {
			switch v := oracle(t, row); {
			case v != nil && *v:
				return v
			case v == nil:
				any = nil
			}
		}
		return any
	case rowfilter.IsNull:
		_, ok := row[e.Column.Names[0].Text]
		return is(ok == e.Not)
	case rowfilter.Compare:
		return compare(e.Column, e.Op, e.Value, row)
	case rowfilter.Between:
		return negate(oracle(rowfilter.And{Terms: []rowfilter.Expr{
			rowfilter.Compare{Column: e.Column, Op: rowfilter.GreaterOrEqual, Value: e.Low},
			rowfilter.Compare{Column: e.Column, Op: rowfilter.LessOrEqual, Value: e.High}}}, row), e.Not)
	case rowfilter.In:
		var terms []rowfilter.Expr
		for _, v := range e.Values {
			terms = append(terms, rowfilter.Compare{Column: e.Column, Op: rowfilter.Equal, Value: v})
		}
		return negate(oracle(rowfilter.Or{Terms: terms}, row), e.Not)
	case rowfilter.Like:
		v, ok := row[e.Column.Names[0].Text]
		if !ok {
			return nil
		}
		if e.Column.Names[0].Text == "c" {
			v = strings.TrimRight(v, " ")
		}
		return is(like(e.Pattern.Text, v) != e.Not)
	}
	return is(true)
}

func compare(p rowfilter.Path, op rowfilter.Op, c rowfilter.Constant, row map[string]string) *bool {
	name := p.Names[0].Text
	v, ok := row[name]
	if !ok {
		return nil
	}
	var less, equal bool
	switch {
	case isText(name):
		if name == "c" {
			v = strings.TrimRight(v, " ")
		}
		less, equal = v < c.Text, v == c.Text
	case name == "b":
		equal = strings.EqualFold(v, c.Text)
	default:
		a, _ := strconv.ParseFloat(v, 64)
		b, _ := strconv.ParseFloat(c.Text, 64)
		less, equal = a < b, a == b
		if math.IsNaN(a) {
			is := op == rowfilter.NotEqual
			return &is
		}
	}
	is := map[rowfilter.Op]bool{rowfilter.Equal: equal, rowfilter.NotEqual: !equal, rowfilter.Less: less, rowfilter.LessOrEqual: less || equal,
		rowfilter.Greater: !less && !equal, rowfilter.GreaterOrEqual: !less}[op]
	return &is
}

func like(pattern, text string) bool {
	if pattern == "" {
		return text == ""
	}
	if pattern[0] == '%' {
		return like(pattern[1:], text) || text != "" && like(pattern, text[1:])
	}
	return text != "" && (pattern[0] == '_' || pattern[0] == text[0]) && like(pattern[1:], text[1:])
}

// The normal form means what was written, and reading it again gives itself.
func TestTheNormalFormMeansWhatWasWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		columns := some(t, "n", "d", "f", "g", "s", "v", "b", "c", "t")
		text := condition(t, columns, true, 3)
		written, err := rowfilter.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := rowfilter.Parse(written.String()); err != nil || again.String() != written.String() {
			t.Fatalf("%s: printed as %s, and read again as %v, %v", text, written, again, err)
		}
		c := read(t, text)
		if again := read(t, c.String()); !again.Equal(c) || again.String() != c.String() {
			t.Fatalf("%s: read again as %s", c, again)
		}
		rows(t, columns, func(r rowfilter.Row, texts map[string]string) bool {
			want := rowfilter.Unknown
			if v := oracle(written, texts); v != nil {
				want = map[bool]rowfilter.Truth{true: rowfilter.True, false: rowfilter.False}[*v]
			}
			if got := eval(t, c, r); got != want {
				t.Fatalf("%s, as %s, of %s: %s, want %s", text, c, r, got, want)
			}
			return true
		})
	})
}

// Yes is never said when a row exists that a lets through and b does not, and No never
// without such a row. Without LIKE one of both is always said.
func TestNarrower(t *testing.T) {
	t.Parallel()
	answers := map[rowfilter.Answer]int{}
	for _, with := range []bool{false, true} {
		rapid.Check(t, func(t *rapid.T) {
			columns := some(t, "n", "d", "f", "g", "s", "v", "b", "c", "t")
			if with {
				columns = some(t, "s", "v", "c", "n")
			}
			a, b := read(t, condition(t, columns, with, 3)), read(t, condition(t, columns, with, 3))
			if rapid.Bool().Draw(t, "narrowed") {
				var err error
				if a, err = a.And(b); err != nil {
					t.Fatal(err)
				}
			}
			if other := read(t, condition(t, columns, with, 0)).String(); a.String() != "TRUE" && b.String() != "TRUE" && rapid.Bool().Draw(t, "both widened") {
				a, b = read(t, "("+a.String()+") OR "+other), read(t, "("+b.String()+") OR "+other)
			}
			var found rowfilter.Row
			rows(t, columns, func(r rowfilter.Row, _ map[string]string) bool {
				if eval(t, a, r) == rowfilter.True && eval(t, b, r) != rowfilter.True {
					found = r
				}
				return found == nil
			})
			v := rowfilter.Narrower(a, b)
			answers[v.Answer]++
			switch v.Answer {
			case rowfilter.Yes:
				if found != nil {
					t.Fatalf("%s is narrower than %s, and not for %s", a, b, found)
				}
			case rowfilter.No:
				if eval(t, a, v.Row) != rowfilter.True || eval(t, b, v.Row) == rowfilter.True {
					t.Fatalf("%s is not narrower than %s for %s", a, b, v.Row)
				}
				if found == nil && !with {
					t.Fatalf("%s and %s: the test knows no such row as %s", a, b, v.Row)
				}
			default:
				if !with {
					t.Fatalf("%s and %s: %s", a, b, v.Why)
				}
			}
		})
	}
	t.Log(answers)
}

// simple are all simple conditions on a column, and their negations.
func simple(name string, with []string) []string {
	c := column(name)
	all := []string{c + " IS NULL"}
	few := constants[name][:min(3, len(constants[name]))]
	for i, x := range few {
		for _, op := range []string{"=", "<>", "<", "<=", ">", ">="} {
			if name != "b" || op == "=" || op == "<>" {
				all = append(all, c+" "+op+" "+x)
			}
		}
		for _, y := range few[i:] {
			all = append(all, c+" IN ("+x+", "+y+")")
			if name != "b" {
				all = append(all, c+" BETWEEN "+x+" AND "+y)
			}
		}
	}
	for _, p := range with {
		all = append(all, c+" LIKE "+p)
	}
	for _, one := range all {
		all = append(all, "NOT ("+one+")")
	}
	return append(all, "TRUE", c+" <> "+constants[name][0]+" OR "+c+" IS NULL", c+" IS NULL AND "+c+" IS NOT NULL")
}

// answers compares all conditions with each other, and with what the rows show. It counts
// what is not decided.
func answers(t *testing.T, name string, texts []string) int {
	var conditions []*rowfilter.Condition
	seen := map[string]bool{}
	for _, text := range texts {
		if c := read(t, text); !seen[c.String()] {
			seen[c.String()] = true
			conditions = append(conditions, c)
		}
	}
	through := map[*rowfilter.Condition][]bool{}
	rows(t, []string{name}, func(r rowfilter.Row, _ map[string]string) bool {
		for _, c := range conditions {
			through[c] = append(through[c], eval(t, c, r) == rowfilter.True)
		}
		return true
	})
	open := 0
	for _, a := range conditions {
		for _, b := range conditions {
			want := rowfilter.Yes
			for i, is := range through[a] {
				if is && !through[b][i] {
					want = rowfilter.No
				}
			}
			switch v := rowfilter.Narrower(a, b); {
			case v.Answer == rowfilter.Undecided:
				open++
			case v.Answer == rowfilter.No && (eval(t, a, v.Row) != rowfilter.True || eval(t, b, v.Row) == rowfilter.True):
				t.Errorf("%s is not narrower than %s for %s", a, b, v.Row)
			case v.Answer == rowfilter.Yes && want == rowfilter.No, v.Answer != want && !strings.Contains(a.String()+b.String(), "LIKE"):
				t.Errorf("%s narrower than %s: %s %s, want %s", a, b, v.Answer, v.Row, want)
			}
		}
	}
	return open
}

func TestNarrowerDecidesAllSimpleConditions(t *testing.T) {
	t.Parallel()
	for name := range constants {
		if open := answers(t, name, simple(name, nil)); open != 0 {
			t.Errorf("%s: %d are undecided", name, open)
		}
	}
}

func TestNarrowerWithPatternsIsRight(t *testing.T) {
	t.Parallel()
	for name, with := range map[string][]string{"s": patterns, "v": patterns, "c": {"'%'", "'a%'", "'ab%'"}} {
		t.Logf("%s: %d are undecided", name, answers(t, name, simple(name, with)))
	}
}

func TestNarrowerTriesAllWaysToChoose(t *testing.T) {
	t.Parallel()
	answers := map[rowfilter.Answer]int{}
	for range 2 {
		rapid.Check(t, func(t *rapid.T) {
			columns := []string{"n", "s", "b"}
			a, b := read(t, clauses(t, columns, " AND ", " OR ")), read(t, clauses(t, columns, " OR ", " AND "))
			if rapid.Bool().Draw(t, "the other way about") {
				b = read(t, clauses(t, columns, " AND ", " OR "))
			}
			want := rowfilter.Yes
			rows(t, columns, func(r rowfilter.Row, _ map[string]string) bool {
				if eval(t, a, r) == rowfilter.True && eval(t, b, r) != rowfilter.True {
					want = rowfilter.No
				}
				return want == rowfilter.Yes
			})
			v := rowfilter.Narrower(a, b)
			answers[v.Answer]++
			if v.Answer != want || v.Answer == rowfilter.No && (eval(t, a, v.Row) != rowfilter.True || eval(t, b, v.Row) == rowfilter.True) {
				t.Fatalf("%s narrower than %s: %s %s %s, want %s", a, b, v.Answer, v.Row, v.Why, want)
			}
		})
	}
	t.Log(answers)
}

func TestAnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		columns := some(t, "n", "f", "s", "b", "c", "t")
		a, b := read(t, condition(t, columns, true, 2)), read(t, condition(t, columns, true, 2))
		both, err := a.And(b)
		if err != nil {
			t.Fatal(err)
		}
		if other, err := b.And(a); err != nil || !other.Equal(both) {
			t.Fatalf("%s, and the other way about %s, %v", both, other, err)
		}
		if again := read(t, both.String()); !again.Equal(both) {
			t.Fatalf("%s: read again as %s", both, again)
		}
		rows(t, columns, func(r rowfilter.Row, _ map[string]string) bool {
			if got, want := eval(t, both, r), min(eval(t, a, r), eval(t, b, r)); got != want {
				t.Fatalf("%s of %s: %s, want %s", both, r, got, want)
			}
			return true
		})
		if v := rowfilter.Narrower(both, a); v.Answer == rowfilter.No {
			t.Fatalf("%s is wider than %s: %s", both, a, v.Row)
		}
	})
}

func TestAndRefuses(t *testing.T) {
	t.Parallel()
	all, one := read(t, "TRUE"), read(t, "n = 1")
	for _, pair := range [][2]*rowfilter.Condition{{all, one}, {one, all}, {one, one}} {
		if both, err := pair[0].And(pair[1]); err != nil || !both.Equal(one) {
			t.Errorf("%v, %v", both, err)
		}
	}
	other, err := rowfilter.Read("n = 'a'", rowfilter.Table{Columns: []rowfilter.Column{{"n", "string"}}})
	if err != nil {
		t.Fatal(err)
	}
	if both, err := one.And(other); err == nil {
		t.Errorf("%s of two tables", both)
	}
	if v := rowfilter.Narrower(one, other); v.Answer != rowfilter.Undecided {
		t.Errorf("%+v of two tables", v)
	}
	var list []string
	for i := range 300 {
		list = append(list, fmt.Sprint(1000+i))
	}
	long := read(t, "n IN ("+strings.Join(list, ",")+")")
	if both, err := long.And(read(t, "NOT "+long.String())); err == nil {
		t.Errorf("%d bytes", len(both.String()))
	}
}
