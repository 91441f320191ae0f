package proof

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh"
)

// The embedded rules are those of the document, and each of them is asked about or has a reason why
// not.
func TestRules(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../docs/aws-rules.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, m := range regexp.MustCompile(`(?m)^\| ([0-9]+(?:\.[0-9]+)+) \| (.+) \| (.+) \| (.+) \|$`).FindAllStringSubmatch(string(document), -1) {
		want.WriteString(m[1] + "\t" + m[2] + "\n")
	}
	if rulesText != want.String() {
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile("rules.txt", []byte(want.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		t.Error("rules.txt is not of today: run UPDATE=1 go test -run TestRules ./internal/proof")
	}
	asked := map[string]string{}
	names := map[string]bool{}
	for _, c := range Checks() {
		if names[c.Name] {
			t.Errorf("two checks are called %q", c.Name)
		}
		names[c.Name] = true
		for _, rule := range c.Rules {
			asked[rule] = c.Name
		}
	}
	known := map[string]bool{}
	yet := 0
	for _, rule := range Rules() {
		known[rule.Number] = true
		reason := untried(rule.Number)
		if asked[rule.Number] == "" && reason == "" {
			t.Errorf("no check asks about rule %s, and nothing says why", rule.Number)
		}
		if asked[rule.Number] == "" && reason == notYet {
			yet++
			t.Logf("not yet: %s %s", rule.Number, rule.What)
		}
		if _, exact := reasons()[rule.Number]; exact && asked[rule.Number] != "" {
			t.Errorf("rule %s has a reason why nothing asks about it, and %q does", rule.Number, asked[rule.Number])
		}
	}
	for rule, name := range asked {
		if !known[rule] {
			t.Errorf("%q asks about rule %s, which there is not", name, rule)
		}
	}
	for number := range reasons() {
		if !known[number] && !slices.ContainsFunc(Rules(), func(r Rule) bool { return strings.HasSuffix(number, ".") && strings.HasPrefix(r.Number, number) }) {
			t.Errorf("there is a reason for rule %s, which there is not", number)
		}
	}
	t.Logf("%d rules, %d asked about, %d not yet", len(known), len(asked), yet)
}

func TestRulesAreInTheirOrder(t *testing.T) {
	t.Parallel()
	got := []string{"1.10", "10.1", "1.2", "1.2.1", "2"}
	slices.SortFunc(got, compareRules)
	if !slices.Equal(got, []string{"1.2", "1.2.1", "1.10", "2", "10.1"}) {
		t.Error(got)
	}
}

// What there is no rule of is refused before any account is opened.
func TestOnlyRulesThatThereAre(t *testing.T) {
	t.Parallel()
	for _, only := range []string{"foo", "99.9", "1.5x", ""} {
		if _, err := Look(t.Context(), Options{Only: []string{only}}); !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("%q: %v", only, err)
		}
	}
	for _, only := range []string{"life", "1.5", "9.", "16", "8.20"} {
		if err := (Options{Only: []string{only}}).checkOnly(); err != nil {
			t.Errorf("%q: %v", only, err)
		}
	}
}
