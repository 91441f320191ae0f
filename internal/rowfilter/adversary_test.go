package rowfilter_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lakemesh/lakemesh/internal/printable"
	"github.com/lakemesh/lakemesh/internal/rowfilter"
)

// bearable is how long anything may take for what somebody else wrote, on a slow and busy machine.
const bearable = 20 * time.Second

// fill repeats a part of a condition until it just fits.
func fill(with string, part func(i int) string) string {
	var b strings.Builder
	for i := 0; ; i++ {
		p := part(i)
		if i > 0 {
			p = with + p
		}
		if b.Len()+len(p) > 1500 {
			return b.String()
		}
		b.WriteString(p)
	}
}

// Whatever somebody asks for, it does not keep others busy: the worst that fits is read and compared
// within bounds, and what is not decided says why.
func TestTheWorkIsBounded(t *testing.T) {
	t.Parallel()
	var columns []rowfilter.Column
	for i := range 40 {
		columns = append(columns, rowfilter.Column{Name: fmt.Sprintf("c%d", i), Type: "int"}, rowfilter.Column{Name: fmt.Sprintf("s%d", i), Type: "string"})
	}
	table := rowfilter.Table{Columns: columns}
	texts := map[string]string{
		// Pairs of choices that fit each other badly: the search would have to try a product.
		"choices": fill(" AND ", func(i int) string {
			return fmt.Sprintf("(c%d>%d OR c%d<%d)", i%40, i, (i*7+3)%40, i%9)
		}),
		"pigeons": fill(" AND ", func(i int) string {
			return fmt.Sprintf("(c%d<>%d OR c%d<>%d)", i%13, i%12, (i*5+1)%13, i%12)
		}),
		"constants": "s1 IN (" + fill(",", func(i int) string { return fmt.Sprintf("'%d'", i) })[:1400] + "')",
		"patterns":  fill(" OR ", func(i int) string { return fmt.Sprintf("s1 LIKE '%%%d%%'", i) }),
		"wildcards": "s1 LIKE '" + strings.Repeat("%_", 900) + "'",
		"stars":     "s1 LIKE '" + strings.Repeat("%a", 900) + "b'",
		"blank":     "s1 = '" + strings.Repeat("a", 1900) + "'",
		"six":       fill(" OR ", func(i int) string { return fmt.Sprintf("s1 LIKE '%%%d_%%' OR s1 = '%d'", i%6, i) }),
	}
	conditions := map[string]*rowfilter.Condition{}
	for name, text := range texts {
		c, err := rowfilter.Read(text, table)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		conditions[name] = c
	}
	for an, a := range conditions {
		for bn, b := range conditions {
			begin := time.Now()
			v := rowfilter.Narrower(a, b)
			if took := time.Since(begin); took > bearable {
				t.Errorf("%s, %s: %s", an, bn, took)
			} else if took > time.Second/2 {
				t.Logf("%s, %s: %s %s", an, bn, v.Answer, took)
			}
			if an == bn && v.Answer == rowfilter.No || v.Answer == rowfilter.Undecided && v.Why == "" {
				t.Errorf("%s, %s: %+v", an, bn, v)
			}
			if v.Answer == rowfilter.No && (eval(t, a, v.Row) != rowfilter.True || eval(t, b, v.Row) == rowfilter.True) {
				t.Errorf("%s, %s: %+v", an, bn, v.Row)
			}
		}
	}
	text := strings.Repeat("a", 40000)
	if got := eval(t, conditions["stars"], rowfilter.Row{"s1": rowfilter.TextValue(text)}); got != rowfilter.False {
		t.Error(got)
	}
}

// Six that each need one of five places of their own: nobody finds out quickly that it
// cannot be. What was not tried to the end is not said to be so.
func TestWhatTakesTooLongIsUndecided(t *testing.T) {
	t.Parallel()
	var columns []rowfilter.Column
	var apart, placed []string
	for i := range 6 {
		a := string(rune('a' + i))
		columns = append(columns, rowfilter.Column{Name: a, Type: "int"})
		placed = append(placed, a+" NOT IN (1, 2, 3, 4, 5) OR "+a+" IS NULL")
		for j := range i {
			for place := range 5 {
				apart = append(apart, fmt.Sprintf("(%s<>%d OR %c<>%d)", a, place+1, 'a'+j, place+1))
			}
		}
	}
	read := func(text string) *rowfilter.Condition {
		c, err := rowfilter.Read(text, rowfilter.Table{Columns: columns})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if v := rowfilter.Narrower(read(strings.Join(apart, " AND ")), read(strings.Join(placed, " OR "))); v.Answer != rowfilter.Undecided || v.Why != "there are too many cases" {
		t.Errorf("%+v", v)
	}
}

func TestDeepStructs(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("struct<a:", 10000) + "int" + strings.Repeat(">", 10000)
	_, err := rowfilter.Read("c.a.a.a.a = 1", rowfilter.Table{Columns: []rowfilter.Column{{"c", deep}}})
	if !errors.Is(err, rowfilter.ErrType) || len(err.Error()) > 300 {
		t.Error(err)
	}
}

// Whoever made the table wrote the names and types that errors list.
func TestErrorsAreSafeForATerminal(t *testing.T) {
	t.Parallel()
	const hostile = "a\x1b[2Jb\n\u202e"
	table := rowfilter.Table{Columns: []rowfilter.Column{{"id", "int" + hostile}, {"idx" + hostile, "int"}, {"s", "struct<" + hostile + ":int>"}}}
	for _, text := range []string{"id = 1", "idz = 1", "other = 1", "s = 1", "s.x = 1"} {
		if _, err := rowfilter.Read(text, table); err == nil || !printable.Is(err.Error()) {
			t.Errorf("%s: %q", text, err)
		}
	}
	if _, err := rowfilter.ParseValue(rowfilter.ParseType("int"), hostile); err == nil || !printable.Is(err.Error()) {
		t.Errorf("%q", err)
	}
}

// What a pattern and equal strings say of each other holds for engines to which
// blanks at the end of a string mean nothing, and for those to which they do.
func TestBlanksAtTheEndAreInDoubt(t *testing.T) {
	t.Parallel()
	for pair, want := range map[[2]string]rowfilter.Answer{
		{"s = 'a'", "s LIKE 'a%'"}:                      rowfilter.Yes,
		{"s = 'a'", "s LIKE 'a'"}:                       rowfilter.Undecided,
		{"s = 'a'", "s NOT LIKE 'a_'"}:                  rowfilter.Undecided,
		{"s = 'a'", "s NOT LIKE 'b%'"}:                  rowfilter.Yes,
		{"s = 'a'", "s NOT LIKE 'a %'"}:                 rowfilter.Undecided,
		{"c = 'a'", "c LIKE 'a%'"}:                      rowfilter.Yes,
		{"s LIKE 'ab%'", "s LIKE 'a%'"}:                 rowfilter.Yes,
		{"s LIKE 'a%'", "s LIKE 'ab%'"}:                 rowfilter.No,
		{"s LIKE 'a_'", "s LIKE 'a%'"}:                  rowfilter.Yes,
		{"s LIKE 'a%'", "s LIKE 'a_'"}:                  rowfilter.No,
		{"s LIKE '%'", "s IS NOT NULL"}:                 rowfilter.Yes,
		{"s IS NOT NULL", "s LIKE '%'"}:                 rowfilter.Yes,
		{"s LIKE 'a%'", "s NOT LIKE 'b%'"}:              rowfilter.Yes,
		{"s LIKE '%a'", "s NOT LIKE '%b'"}:              rowfilter.Yes,
		{"s LIKE '%a'", "s NOT LIKE 'b%'"}:              rowfilter.No,
		{"s LIKE 'a%' AND s LIKE '%b'", "s LIKE '%b%'"}: rowfilter.Yes,
		{"s LIKE 'a%'", "s LIKE '%b'"}:                  rowfilter.No,
		{"s LIKE 'a%'", "s >= 'a'"}:                     rowfilter.Undecided,
		{"s LIKE 'a%'", "n = 1"}:                        rowfilter.No,
		{"s LIKE '_'", "s LIKE '%a%'"}:                  rowfilter.No,
		{"s LIKE 'a_b'", "s LIKE 'a%b'"}:                rowfilter.Yes,
		{"s LIKE 'a%b'", "s LIKE 'a_b'"}:                rowfilter.No,
		{"s LIKE '__'", "s LIKE '_'"}:                   rowfilter.No,
		{"s LIKE '_a'", "s LIKE '__'"}:                  rowfilter.Yes,
		{"s IN ('a', 'b')", "s <> 'c'"}:                 rowfilter.Yes,
		{"n > 4", "n >= 5"}:                             rowfilter.Yes,
		{"n > 4", "n >= 6"}:                             rowfilter.No,
		{"n > 2147483646", "n = 2147483647"}:            rowfilter.Yes,
		{"n < -2147483648", "s = 'x'"}:                  rowfilter.Yes,
		{"d > 0.1", "d >= 0.2"}:                         rowfilter.Yes,
		{"d > 0.1", "d >= 0.3"}:                         rowfilter.No,
		{"f > 1", "NOT (f <= 1)"}:                       rowfilter.Yes,
		{"NOT (f <= 1)", "f > 1"}:                       rowfilter.No,
		{"n = 1", "TRUE"}:                               rowfilter.Yes,
		{"TRUE", "n = 1 OR n <> 1"}:                     rowfilter.No,
		{"TRUE", "n = 1 OR n <> 1 OR n IS NULL"}:        rowfilter.Yes,
		{"n = 1 AND s = 'a'", "n = 1 OR s = 'b'"}:       rowfilter.Yes,
		{"n IN (1, 2) AND (s = 'a' OR b = TRUE)", "(n = 1 OR n = 2) AND (b <> FALSE OR s = 'a')"}: rowfilter.Yes,
	} {
		if v := rowfilter.Narrower(read(t, pair[0]), read(t, pair[1])); v.Answer != want {
			t.Errorf("%s narrower than %s: %s %s %s, want %s", pair[0], pair[1], v.Answer, v.Row, v.Why, want)
		}
	}
}
