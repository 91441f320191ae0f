package conformance_test

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// rulesFile lists the rules of AWS, a row of a table each: its number, what AWS
// does, where that is written, and whether the local mesh holds it.
const rulesFile = "../../docs/aws-rules.md"

// holds runs the test of a rule of docs/aws-rules.md: number is the rule's, as in
// "1.3.6", and what says which of its consequences is looked at. A rule may have
// several tests.
func holds(t *testing.T, number, what string, test func(t *testing.T)) {
	t.Helper()
	t.Run(number+" "+what, func(t *testing.T) {
		t.Parallel()
		test(t)
	})
}

// rulePattern is a row: "| 1.3.6 | what | source | held |".
var rulePattern = regexp.MustCompile(`^\| ([0-9]+(?:\.[0-9]+)+) \| (.+) \| (.+) \| (.+) \|$`)

// rule is a row of the document.
type rule struct{ what, source, held string }

// TestEveryRuleIsHeldByATest compares the document with the tests: a rule that it
// says is enforced has a test, and one that is not says why.
func TestEveryRuleIsHeldByATest(t *testing.T) {
	t.Parallel()
	rules := readRules(t)
	tested := testedRules(t)
	for number, r := range rules {
		switch {
		case r.held == "yes" && tested[number] == "":
			t.Errorf("rule %s is said to be held, and no test names it", number)
		case r.held != "yes" && !strings.HasPrefix(r.held, "no: ") && !strings.HasPrefix(r.held, "in part: "):
			t.Errorf("rule %s: %q is neither \"yes\", \"in part: ...\" nor \"no: ...\"", number, r.held)
		case strings.HasPrefix(r.held, "in part: ") && tested[number] == "":
			t.Errorf("rule %s is said to be held in part, and no test names it", number)
		case strings.HasPrefix(r.held, "no: ") && tested[number] != "":
			t.Errorf("rule %s is said not to be held, and %s tests it", number, tested[number])
		}
	}
	for number, where := range tested {
		if _, ok := rules[number]; !ok {
			t.Errorf("%s tests rule %s, which %s does not have", where, number, rulesFile)
		}
	}
}

func readRules(t *testing.T) map[string]rule {
	f, err := os.Open(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rules := map[string]rule{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if m := rulePattern.FindStringSubmatch(lines.Text()); m != nil {
			if _, twice := rules[m[1]]; twice {
				t.Errorf("%s has rule %s twice", rulesFile, m[1])
			}
			rules[m[1]] = rule{what: m[2], source: m[3], held: m[4]}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(rules) == 0 {
		t.Fatalf("%s has no rules", rulesFile)
	}
	return rules
}

// testedRules are the rules that calls of holds name, and where.
func testedRules(t *testing.T) map[string]string {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	tested := map[string]string{}
	set := token.NewFileSet()
	for _, name := range files {
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			if f, ok := call.Fun.(*ast.Ident); !ok || f.Name != "holds" {
				return true
			}
			number, ok := call.Args[1].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: the rule's number is to be written out", set.Position(call.Pos()))
				return true
			}
			s, err := strconv.Unquote(number.Value)
			if err != nil {
				t.Error(err)
			}
			tested[s] = set.Position(call.Pos()).String()
			return true
		})
	}
	return tested
}
