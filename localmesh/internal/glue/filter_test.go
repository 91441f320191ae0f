package glue

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

var filterKeys = []state.Column{
	{Name: "region", Type: "string"},
	{Name: "Year", Type: "int"},
	{Name: "day", Type: "date"},
	{Name: "at", Type: "timestamp"},
	{Name: "price", Type: "decimal(10,2)"},
}

var filterValues = []string{"eu-west", "2024", "2024-02-29", "2024-02-29 12:30:00", "19.90"}

func TestFilterSelects(t *testing.T) {
	t.Parallel()
	tests := []struct {
		expression string
		want       bool
	}{
		{"region = 'eu-west'", true},
		{"REGION='eu-west'", true},
		{"region = 'EU-WEST'", false},
		{"region <> 'eu-west'", false},
		{"region != 'us'", true},
		{"region < > 'us'", true},
		{"region > 'eu'", true},
		{"'eu-west' = region", true},
		{"2023 < year", true},
		{"2024 < year", false},
		{"year = 2024", true},
		{"year = '2024'", true},
		{"region = 5", false},
		{"region in (5, 'eu-west', 6)", true},
		{"region > 5", true},
		{"price = 1.99e1", true},
		{"price < 3e10", true},
		{"price > 3E-10", true},
		{"price between 1.9E+1 and 2e1", true},
		{"at > '2024-02-29 12:29:59.999999999'", true},
		{"at < '2024-02-29 12:30:00.000000001'", true},
		{"at in ('2024-02-29 12:30:00.000')", true},
		{"(year) = (2024)", true},
		{"(2024) = ((year))", true},
		{"(year) = ((2023)) (OR) (((year))) = (2024)", true},
		{"((year) = ((2024)) (and) (region) = ('us'))", false},
		{"((year)) in ((2023), (('2024')))", true},
		{"(year) between ((2020)) (AND) (2030)", true},
		{"((region) like ('eu%'))", true},
		{"((region)) is not null", true},
		{"not ((year) = 2024)", false},
		{"not (year) = 2024", false},
		{"year >= 2024 and year <= 2024", true},
		{"year > = 2024", true},
		{"year > 300", true}, // as numbers, not as text
		{"year > -5", true},
		{"price = 19.9", true},
		{"price > 9", true},
		{"price < 100", true},
		{"day = '2024-02-29'", true},
		{"day > '2024-02-28' AND day < DATE '2024-03-01'", true},
		{"at >= '2024-02-29 00:00:00'", true},
		{"at = '2024-02-29 12:30:00'", true},
		{"at > timestamp '2024-02-29 12:30:00'", false},
		{"region in ('us', 'eu-west')", true},
		{"region in ('us')", false},
		{"region not in ('us')", true},
		{"year IN (1, 2, 2024)", true},
		{"year between 2020 and 2024", true},
		{"year between 2025 and 2020", false},
		{"year not between 2025 and 2026", true},
		{"day between '2024-01-01' and '2024-12-31' and region = 'eu-west'", true},
		{"region like 'eu%'", true},
		{"region like '%west'", true},
		{"region like 'e_-w%t'", true},
		{"region like 'eu'", false},
		{"region not like '%east'", true},
		{"region is null", false},
		{"region is not null", true},
		{"not region = 'us'", true},
		{"NOT (region = 'eu-west' OR year = 1)", false},
		{"region = 'us' or region = 'eu-west' and year = 2024", true},
		{"(region = 'us' or region = 'eu-west') and year = 2023", false},
		{"region = 'eu-west' or region = 'us' and year = 1", true},
		{"`region` = 'eu-west' and \"year\" = 2024", true},
		{"region = 'it''s'", false},
		{"((((year=2024))))", true},
	}
	for _, test := range tests {
		t.Run(test.expression, func(t *testing.T) {
			t.Parallel()
			f, err := parseFilter(test.expression, filterKeys)
			if err != nil {
				t.Fatalf("parseFilter: %v", err)
			}
			if got, err := f.matches(filterValues); got != test.want || err != nil {
				t.Errorf("matches = %v, %v, want %v", got, err, test.want)
			}
		})
	}
}

func TestFilterRefuses(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{
		"", " ", "region", "region =", "= 'eu'", "region 'eu'", "region == 'eu'", "region => 'eu'", "region = eu", "region = region",
		"region = 'eu", "region = 'eu' and", "region = 'eu' or or year = 1", "(region = 'eu'", "region = 'eu')", "region = 'eu';",
		"town = 'eu'", "year = 'soon'", "year = 1e9", "year = 2024.0", "year in (2.5)", "year in ('2e3')", "day = '2024-02-30'", "day = 20240229", "at = 'noon'", "year = ''", "at = '2024-02-29'", "at = '2024-02-29T12:30:00'", "at = '2024-02-29 12:30:00.'",
		"at = '2024-02-29 12:30:00.0123456789'", "at = '2024-02-30 00:00:00'", "price = '1e'", "price = 1e", "price = 1e1000", "price = '1.2.3'",
		"(year = (2024)", "(year) = 2024)", "year = (2024", "year = ()", "() = 2024", "year = 1 (or year = 2", "year = 1 (or) (and) year = 2", "(year)", "(or)",
		"price like '1%'", "day like '2%'", "at like '2%'",
		"region in ()", "region in ('eu'", "region in 'eu'", "region in ('eu',)", "year between 1", "year between 1 or 2",
		"region like 5", "year like '20%'", "region not = 'eu'", "region is 'eu'", "region is not", "year = 1 year = 2",
		"region = 'eu' -- comment", "year + 1 = 2", "1 = 1", "region = date '2024-01-01'", "year = " + strings.Repeat("9", 65), "\x00",
	} {
		if f, err := parseFilter(expression, filterKeys); err == nil {
			t.Errorf("parseFilter(%q) = %v, want an error", expression, f)
		}
	}
}

// A key of a type that is not compared can stand beside one that is.
func TestFilterRefusesKeysOfOtherTypesWhereTheyAreNamed(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{"double", "float", "boolean", "binary", "array<int>", ""} {
		keys := []state.Column{{Name: "region", Type: "string"}, {Name: "other", Type: typ}}
		for _, expression := range []string{"other = 1", "other in ('a')", "other is null", "other like '1'", "region = 'eu' or other between 1 and 2", "1 = other"} {
			_, err := parseFilter(expression, keys)
			if want := "Unknown type : '" + typ + "'"; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", expression, err, want)
			}
		}
		f, err := parseFilter("region = 'eu'", keys)
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := f.matches([]string{"eu", "x"}); !ok || err != nil {
			t.Errorf("beside a key of type %q: %v, %v", typ, ok, err)
		}
	}
}

// To the catalog the name of Hive's default partition is a text: NULL is not asked for.
func TestFilterOfNull(t *testing.T) {
	t.Parallel()
	keys := []state.Column{{Name: "year", Type: "int"}, {Name: "region", Type: "string"}}
	for expression, want := range map[string]bool{
		"year = 1": false, "year <> 1": false, "not year = 1": false, "year not in (1)": false,
		"year is null": false, "year is not null": true, "year = 1 or year is null": false, "not year is null": true,
		"region is null": false, "region is not null": true, "region = '" + nullPartition + "'": true, "region <> '" + nullPartition + "'": false,
		"region in ('a', '" + nullPartition + "')": true, "region <> 'a'": true, "not region = 'a'": true, "region like '%DEFAULT%'": true, "region < 'a'": true,
	} {
		f, err := parseFilter(expression, keys)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.matches([]string{nullPartition, nullPartition}); got != want || err != nil {
			t.Errorf("%s of NULL = %v, %v, want %v", expression, got, err, want)
		}
	}
	if _, err := parseFilter("year = '"+nullPartition+"'", keys); err == nil || !strings.Contains(err.Error(), "is not an integer") {
		t.Errorf("a number was compared with the name of the default partition: %v", err)
	}
}

// A value that is not of its key's type is refused where it is looked at, in other
// words than such a literal.
func TestFilterRefusesValuesOfOtherTypes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ typ, value, literal, words string }{
		{"int", "null", "0", `For input string: "null" is not an integer.`},
		{"bigint", "", "0", `For input string: "" is not an integer.`},
		{"smallint", "1.5", "0", `For input string: "1.5" is not an integer.`},
		{"tinyint", "1e3", "0", `For input string: "1e3" is not an integer.`},
		{"decimal(10,2)", "null", "0", "null is not a decimal."},
		{"date", "2024-02-30", "'2024-01-01'", "2024-02-30 is not a date."},
		{"timestamp", "2024-02-29", "'2024-01-01 00:00:00'", "Timestamp format must be yyyy-mm-dd hh:mm:ss[.fffffffff] 2024-02-29 is not a timestamp."},
	} {
		keys := []state.Column{{Name: "k", Type: test.typ}, {Name: "region", Type: "string"}}
		for expression, refused := range map[string]bool{
			"k >= " + test.literal: true, "not k = " + test.literal: true, "k in (" + test.literal + ")": true, "k between " + test.literal + " and " + test.literal: true,
			"region = 'eu' and k = " + test.literal: true, "region = 'us' or k = " + test.literal: true,
			"region = 'us' and k = " + test.literal: false, "region = 'eu' or k = " + test.literal: false, "region = 'eu'": false, "k is null": false,
		} {
			f, err := parseFilter(expression, keys)
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.matches([]string{test.value, "eu"})
			if (err != nil) != refused {
				t.Errorf("%s of %s: %v", expression, test.value, err)
			}
			if err != nil && (!strings.Contains(err.Error(), "InvalidStateException") || !strings.Contains(err.Error(), test.words)) {
				t.Errorf("%s: %v, want %s", expression, err, test.words)
			}
		}
		if _, err := parseFilter("k = '"+test.value+"'", keys); err == nil || !strings.Contains(err.Error(), "InvalidInputException") || !strings.Contains(err.Error(), test.words) {
			t.Errorf("the literal: %v, want %s", err, test.words)
		}
	}
}

func TestFilterNeverSelectsPartitionsOfOtherShape(t *testing.T) {
	t.Parallel()
	f, err := parseFilter("region = 'eu-west' or year = 2024", filterKeys)
	if err != nil {
		t.Fatal(err)
	}
	for _, values := range [][]string{nil, {}, {"eu-west"}, append(filterValues, "more")} {
		if ok, err := f.matches(values); ok || err != nil {
			t.Errorf("%q was selected, %v", values, err)
		}
	}
}

func TestLikeAgreesWithItsDefinition(t *testing.T) {
	t.Parallel()
	var naive func(p, s []rune) bool
	naive = func(p, s []rune) bool {
		switch {
		case len(p) == 0:
			return len(s) == 0
		case p[0] == '%':
			return naive(p[1:], s) || len(s) > 0 && naive(p, s[1:])
		case len(s) == 0:
			return false
		}
		return (p[0] == '_' || p[0] == s[0]) && naive(p[1:], s[1:])
	}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.StringOfN(rapid.RuneFrom([]rune("ab%_é")), 0, 8, -1).Draw(t, "pattern")
		s := rapid.StringOfN(rapid.RuneFrom([]rune("ab%_é")), 0, 8, -1).Draw(t, "text")
		if got, want := like(p, s), naive([]rune(p), []rune(s)); got != want {
			t.Fatalf("like(%q, %q) = %v, want %v", p, s, got, want)
		}
	})
}

// A condition and its opposite never both hold, and for a value that is there one
// of them does.
func TestFilterNotIsTheOpposite(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		op := rapid.SampledFrom([]string{"=", "<>", "<", "<=", ">", ">="}).Draw(t, "op")
		literal := rapid.StringMatching(`'[a-c]{0,3}'`).Draw(t, "literal")
		value := rapid.StringMatching(`[a-c]{0,3}`).Draw(t, "value")
		keys := []state.Column{{Name: "k", Type: "string"}}
		f, err := parseFilter("k "+op+literal, keys)
		if err != nil {
			t.Fatal(err)
		}
		opposite, err := parseFilter("not (k "+op+literal+")", keys)
		if err != nil {
			t.Fatal(err)
		}
		selected, _ := f.matches([]string{value})
		if other, _ := opposite.matches([]string{value}); selected == other {
			t.Fatalf("k %s %s and its opposite agree on %q", op, literal, value)
		}
	})
}

func FuzzParseFilter(f *testing.F) {
	for _, seed := range []string{"region = 'eu'", "year in (1,2) and not day between '2024-01-01' and '2024-02-01'", "region like '%'", "((", "'", "a is not null"} {
		f.Add(seed, "eu", "2024")
	}
	keys := []state.Column{{Name: "region", Type: "string"}, {Name: "year", Type: "int"}}
	f.Fuzz(func(t *testing.T, expression, region, year string) {
		if len(expression) > maxExpression {
			return
		}
		parsed, err := parseFilter(expression, keys)
		if err != nil {
			return
		}
		_, _ = parsed.matches([]string{region, year})
	})
}

func TestNameMatcher(t *testing.T) {
	t.Parallel()
	tests := []struct {
		expression string
		matching   []string
		others     []string
	}{
		{"", []string{"orders"}, nil},
		{"orders", []string{"orders"}, []string{"order", "orders_eu", "old_orders"}},
		{"orders*", []string{"orders", "orders_eu"}, []string{"order", "old_orders"}},
		{"abc*", []string{"abc", "abc_one"}, []string{"xabc_two", "three_abc"}},
		{"*abc", []string{"abc", "three_abc"}, []string{"abc_one", "xabc_two"}},
		{"*abc*", []string{"abc", "abc_one", "xabc_two", "three_abc"}, []string{"ab"}},
		{"*catch*is*", []string{"test_catchthis123", "fakecatchthisfake"}, []string{"catch"}},
		{`\w+catchthis\w+`, []string{"test_catchthis123"}, []string{"catchthis", "catchthis1"}},
		{"trailing*.*", []string{"trailingtest.", "trailing"}, []string{"xtrailing"}},
		{"*", []string{"", "x"}, nil},
		{"^orders$", []string{"orders"}, []string{"orders_eu", "old_orders"}},
		{".*eu", []string{"eu", "orders_eu"}, []string{"us"}},
		{`^a\d*$`, []string{"a", "a12"}, []string{"ab"}},
		{"^(ab)*$", []string{"", "abab"}, []string{"aba"}},
		{"^[xy]*$", []string{"xyx"}, []string{"z"}},
		{"a|b", []string{"a", "b"}, []string{"c", "ab", "ba"}},
	}
	for _, test := range tests {
		matches, err := nameMatcher("expression", &test.expression)
		if err != nil {
			t.Errorf("nameMatcher(%q): %v", test.expression, err)
			continue
		}
		for _, name := range test.matching {
			if !matches(name) {
				t.Errorf("%q does not match %q", test.expression, name)
			}
		}
		for _, name := range test.others {
			if matches(name) {
				t.Errorf("%q matches %q", test.expression, name)
			}
		}
	}
	for _, bad := range []string{"(", "[a", "a)(b", strings.Repeat("a", maxExpression+1), "a\nb"} {
		if _, err := nameMatcher("expression", &bad); err == nil {
			t.Errorf("nameMatcher(%.20q) was taken", bad)
		}
	}
}

func TestWhatIsSelectedLiesWithinTheSpan(t *testing.T) {
	t.Parallel()
	keys := []state.Column{{Name: "a", Type: "string"}, {Name: "b", Type: "string"}}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching("[a-c]{0,2}")
		var condition func(depth int) string
		condition = func(depth int) string {
			if depth > 0 && rapid.Bool().Draw(t, "nested") {
				left, right := condition(depth-1), condition(depth-1)
				return rapid.SampledFrom([]string{"(" + left + ") AND (" + right + ")", "(" + left + ") OR (" + right + ")", "NOT (" + left + ")"}).Draw(t, "of")
			}
			key := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key")
			x, y := "'"+text.Draw(t, "x")+"'", "'"+text.Draw(t, "y")+"'"
			return key + " " + rapid.SampledFrom([]string{"= " + x, "<> " + x, "< " + x, "<= " + x, "> " + x, ">= " + x, "BETWEEN " + x + " AND " + y,
				"NOT BETWEEN " + x + " AND " + y, "IN (" + x + ", " + y + ")", "LIKE '" + "a%'"}).Draw(t, "is")
		}
		expression := condition(3)
		f, err := parseFilter(expression, keys)
		if err != nil {
			t.Fatalf("%s: %v", expression, err)
		}
		s := f.span()
		for range 20 {
			values := []string{text.Draw(t, "a"), text.Draw(t, "b")}
			outside := values[0] < s.low || s.bounded && values[0] > s.high
			if selected, err := f.matches(values); err != nil || outside && selected {
				t.Fatalf("%s selects %q outside of %+v", expression, values, s)
			}
		}
	})
}
