package expression_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/expression"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		expression string
		yes, no    []string
	}{
		{"", []string{"orders", "anything"}, nil},
		{"orders", []string{"orders", "ORDERS"}, []string{"orders_eu", "my_orders", "order"}},
		{"Orders-2024", []string{"orders-2024"}, []string{"orders-20245"}},
		{"orders.*", []string{"orders", "orders_eu", "Orders"}, []string{"my_orders"}},
		{"orders|routes", []string{"orders", "routes"}, []string{"orders_eu", "xroutes"}},
		{"^orders$", []string{"orders"}, []string{"orders_eu"}},
		{"[a-c]+", []string{"abc", "CAB"}, []string{"abcd"}},
		{"größe", []string{"größe", "Größe"}, []string{"groesse"}},
		{"ord?rs", []string{"ordrs", "orrs"}, []string{"orders"}},
		{"or.ers", []string{"orders", "or.ers"}, []string{"xorders"}},
	}
	for _, test := range tests {
		e, err := expression.Parse("TableNameRegex", test.expression)
		if err != nil {
			t.Errorf("Parse(%q): %v", test.expression, err)
			continue
		}
		for _, name := range test.yes {
			if !e.Match(name) {
				t.Errorf("%q does not match %q", test.expression, name)
			}
		}
		for _, name := range test.no {
			if e.Match(name) {
				t.Errorf("%q matches %q", test.expression, name)
			}
		}
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"Orders": "orders", "a_b-c": "a_b-c", "": "", "orders.*": "", "a|b": ""} {
		e, err := expression.Parse("x", text)
		if err != nil {
			t.Fatal(err)
		}
		if name, ok := e.Name(); name != want || ok != (want != "") {
			t.Errorf("Name of %q is %q, %v; want %q", text, name, ok, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	if _, err := expression.Parse("TableNameRegex", strings.Repeat("x", 256)); !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("256 characters: %v, want an invalid input", err)
	}
	// It may be the name of a table, and means no other one.
	for _, text := range []string{"orders(", "[a-", "a)|(b", "*orders", `\`, "(?P<x", "C++"} {
		e, err := expression.Parse("TableNameRegex", text)
		if err != nil || !errors.Is(e.Fault(), lakemesh.ErrInvalidInput) {
			t.Errorf("%q: fault %v, %v; want an invalid input", text, e.Fault(), err)
		}
		if _, plain := e.Name(); plain || !e.Match(strings.ToLower(text)) || e.Match("orders") || e.Match("a") || e.All() {
			t.Errorf("%q means something else than the table of that name", text)
		}
	}
	if _, err := expression.Parse("x", strings.Repeat("ä", 255)); err != nil {
		t.Errorf("255 characters are refused: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "orders", "orders_.*", "a|b", "a)(b", "(?i)x", `\Qa\E`, "a\\"} {
		f.Add(seed, "orders")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		e, err := expression.Parse("x", text)
		if err != nil {
			return
		}
		if !e.Match(name) || e.All() {
			return
		}
		if e.Fault() != nil {
			if !e.Names(name) {
				t.Errorf("%q matches %q", text, name)
			}
			return
		}
		// Whatever matches must match as a whole.
		if literal, ok := e.Name(); ok {
			if literal != strings.ToLower(name) {
				t.Errorf("%q matches %q", text, name)
			}
			return
		}
		whole, err := regexp.Compile("(?i:" + text + ")")
		if err != nil {
			t.Skip()
		}
		whole.Longest()
		if !whole.MatchString(name) {
			t.Errorf("%q matches %q only when it is anchored", text, name)
		}
	})
}

func TestLiteral(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, name, other string }{{"orders.v1", "Orders.v1", "orders_v1"}, {"A+b", "a+b", "aab"}, {".*", ".*", "x"}, {"c++", "c++", "c"}} {
		e, err := expression.Parse("x", c.text)
		if err != nil || !e.Names(c.name) || e.Names(c.other) {
			t.Errorf("%q: %v; it is the name of %q alone", c.text, err, c.name)
		}
		l := e.Literal()
		if name, ok := l.Name(); !ok || name != strings.ToLower(c.text) || !l.Match(c.name) || l.Match(c.other) || l.Fault() != nil || l.String() != c.text {
			t.Errorf("%q taken as a name is %q, %v", c.text, name, ok)
		}
	}
}

func TestSentinels(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"*": true, "all_tables": true, "ALL_TABLES": true, "All_Tables": true, "orders": false, "**": false, "all": false, "": false} {
		if expression.Sentinel(name) != want || (expression.RefuseSentinel("x", name) != nil) != want {
			t.Errorf("%q stands for all tables: %v", name, !want)
		}
	}
}
