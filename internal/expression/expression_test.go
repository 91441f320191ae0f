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
	for _, text := range []string{"orders(", "[a-", "a)|(b", "*orders", strings.Repeat("x", 256), `\`, "(?P<x"} {
		if _, err := expression.Parse("TableNameRegex", text); !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("Parse(%q) = %v, want an invalid input", text, err)
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
		// Whatever matches must match as a whole.
		if literal, ok := e.Name(); ok {
			if !strings.EqualFold(literal, name) {
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
