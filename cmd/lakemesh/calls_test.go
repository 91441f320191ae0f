package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh"
)

// namedCalls are the operations that the library names as what to do, with the names of
// the arguments that it gives them.
func namedCalls(t *testing.T) map[string][]string {
	t.Helper()
	calls := map[string][]string{}
	set := token.NewFileSet()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "cmd" {
			return filepath.SkipDir
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if to, ok := call.Fun.(*ast.SelectorExpr); !ok || to.Sel.Name != "Do" || len(call.Args) == 0 {
				return true
			} else if of, ok := to.X.(*ast.Ident); !ok || of.Name != "lakemesh" {
				return true
			}
			var words []string
			for i, a := range call.Args {
				if l, ok := a.(*ast.BasicLit); ok && l.Kind == token.STRING {
					word, err := strconv.Unquote(l.Value)
					if err != nil {
						t.Error(err)
					}
					words = append(words, word)
				} else if i%2 == 0 && i > 0 {
					words = append(words, "")
				} else if i%2 == 1 {
					t.Errorf("%s: the name of an argument is no literal", set.Position(a.Pos()))
				} else if i == 0 {
					t.Errorf("%s: the operation is no literal", set.Position(a.Pos()))
				}
			}
			if len(words) == 0 {
				return true
			}
			for i := 1; i < len(words); i += 2 {
				calls[words[0]] = append(calls[words[0]], words[i])
			}
			if calls[words[0]] == nil {
				calls[words[0]] = []string{}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return calls
}

func TestEveryOperationThatAnErrorNamesHasItsCommand(t *testing.T) {
	t.Parallel()
	calls := namedCalls(t)
	if len(calls) < 10 {
		t.Fatalf("found %d operations that errors name; the source was not read", len(calls))
	}
	root := newApp(streams{in: strings.NewReader(""), out: &bytes.Buffer{}, err: &bytes.Buffer{}}).root()
	for name, arguments := range calls {
		i := slices.IndexFunc(operations(), func(o operation) bool { return o.name == name })
		if i < 0 {
			t.Errorf("%s has no command", name)
			continue
		}
		cmd, rest, err := root.Find(strings.Fields(operations()[i].command))
		if err != nil || cmd == root {
			t.Errorf("%s: there is no command %q: %v", name, operations()[i].command, err)
			continue
		}
		for _, word := range rest {
			if flag, ok := strings.CutPrefix(word, "--"); ok && cmd.Flags().Lookup(flag) == nil {
				t.Errorf("%s: %s has no flag %s", name, cmd.CommandPath(), word)
			}
		}
		for _, a := range arguments {
			if a != operations()[i].argument && cmd.Flags().Lookup(flagOf(name, a)) == nil {
				t.Errorf("%s: %s has no flag --%s", name, cmd.CommandPath(), flagOf(name, a))
			}
		}
	}
	for _, o := range operations() {
		if _, ok := calls[o.name]; !ok {
			t.Errorf("no error names %s", o.name)
		}
		method := runtime.FuncForPC(reflect.ValueOf(o.method).Pointer()).Name()
		pkg, of, _ := strings.Cut(o.name, ".")
		if !strings.HasSuffix(method, ")."+of) || !strings.Contains(method, "/"+pkg+".") {
			t.Errorf("%s is said to be %s", o.name, method)
		}
	}
}

func TestCallsAreSaidAsCommands(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		call lakemesh.Call
		want string
	}{
		{lakemesh.Do("producer.DeleteSubscription", "SubscriptionID", "a-b"), "lakemesh subscription delete a-b"},
		{lakemesh.Do("consumer.ListProducts", "DatabaseName", "sales orders"), "lakemesh product list --database-name 'sales orders'"},
		{lakemesh.Do("consumer.ListProducts", "DatabaseName", "it's\x1b]52;"), `lakemesh product list --database-name 'it'\''s\u001b]52;'`},
		{lakemesh.Do("admin.EnableAccountAsProducer", "AccountID", "111111111111"), "lakemesh account enable --account-type producer 111111111111"},
		{lakemesh.Do("other.Operation", "Name", "x"), `other.Operation(Name: "x")`},
	} {
		if got := command(tc.call); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.call, got, tc.want)
		}
	}
}

func TestCallsInTextsAreSaidAsCommands(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"made by " + lakemesh.Do("admin.EnableAccountAsProducer", "AccountID", "111111111111").String() + ", then": "made by lakemesh account enable --account-type producer 111111111111, then",
		"list: " + lakemesh.Do("consumer.ListProducts", "DatabaseName", `a "b" (c), d: "e"`).String():              `list: lakemesh product list --database-name 'a "b" (c), d: "e"'`,
		lakemesh.Do("admin.UpgradeMesh").String() + " or " + lakemesh.Do("other.Operation").String():               "lakemesh mesh upgrade or other.Operation()",
		"admin.UpgradeMesh(not a call": "admin.UpgradeMesh(not a call",
	} {
		if got := commands(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestFlagsOfParameters(t *testing.T) {
	t.Parallel()
	for parameter, want := range map[string]string{
		"DatabaseName": "database-name", "ExposeDataMeshDBName": "expose-data-mesh-db-name", "SubscriptionID": "subscription-id", "KMSKeys": "kms-keys",
	} {
		if got := flagName(parameter); got != want {
			t.Errorf("%s: %s, want %s", parameter, got, want)
		}
	}
}

func TestCommandsInTextsKeepWhereThePersonWorks(t *testing.T) {
	t.Parallel()
	a := &app{typed: " --local --mesh-account 999999999999"}
	got := a.here("publish it again: lakemesh product create, then lakemesh verify")
	want := "publish it again: lakemesh --local --mesh-account 999999999999 product create, then lakemesh --local --mesh-account 999999999999 verify"
	if got != want {
		t.Errorf("%s", got)
	}
	if got := a.here("lakemesh local start, lakemesh demo"); got != "lakemesh local start, lakemesh demo" {
		t.Errorf("%s", got)
	}
}
