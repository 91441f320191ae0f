package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
)

// inLibrary looks at the source of everything but the command line and its tests.
func inLibrary(t *testing.T, look func(at token.Position, n ast.Node)) {
	t.Helper()
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
			if n != nil {
				look(set.Position(n.Pos()), n)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// namedCalls are the calls that the library names as what to do, with the names of the
// arguments that it gives them.
func namedCalls(t *testing.T) []lakemesh.Call {
	t.Helper()
	var calls []lakemesh.Call
	inLibrary(t, func(at token.Position, n ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return
		}
		if to, ok := call.Fun.(*ast.SelectorExpr); !ok || to.Sel.Name != "Do" || len(call.Args) == 0 {
			return
		} else if of, ok := to.X.(*ast.Ident); !ok || of.Name != "lakemesh" {
			return
		}
		named := lakemesh.Call{}
		for i, a := range call.Args {
			if i > 0 && i%2 == 0 {
				continue
			}
			l, ok := a.(*ast.BasicLit)
			if !ok || l.Kind != token.STRING {
				t.Errorf("%s: the operation, or the name of an argument, is no literal", at)
				return
			}
			word, err := strconv.Unquote(l.Value)
			if err != nil {
				t.Error(err)
			}
			if i == 0 {
				named.Operation = word
			} else {
				named.Arguments = append(named.Arguments, lakemesh.Argument{Name: word, Value: "true"})
			}
		}
		calls = append(calls, named)
	})
	return calls
}

func testRoot() *cobra.Command {
	return newApp(streams{in: strings.NewReader(""), out: &bytes.Buffer{}, err: &bytes.Buffer{}}).root()
}

// typeIt finds out whether a command can be typed as it is said: all of its flags are
// there, with values that they take, and everything that it requires.
func typeIt(said string) error {
	words, err := shellWords(strings.TrimPrefix(said, "lakemesh "))
	if err != nil {
		return err
	}
	cmd, rest, err := testRoot().Find(words)
	if err != nil {
		return err
	}
	cmd.InitDefaultHelpFlag()
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if help := cmd.Flags().Lookup("help"); help != nil && help.Changed {
		return nil
	}
	if cmd.HasSubCommands() && cmd.Name() != "acceptance" {
		return fmt.Errorf("%s is no command but a group", cmd.CommandPath())
	}
	if err := cmd.ValidateRequiredFlags(); err != nil {
		return err
	}
	args := cmd.Flags().Args()
	if subscription := strings.HasSuffix(cmd.Use, " [subscription-id]") || strings.HasSuffix(cmd.Use, " [request-id]"); subscription && len(args) == 0 {
		return fmt.Errorf("it wants its argument: %s", cmd.Use)
	}
	return cmd.ValidateArgs(args)
}

func TestEveryOperationThatAnErrorNamesHasItsCommand(t *testing.T) {
	t.Parallel()
	calls := namedCalls(t)
	if len(calls) < 10 {
		t.Fatalf("found %d calls that errors name; the source was not read", len(calls))
	}
	for _, c := range calls {
		said := command(c)
		if !strings.HasPrefix(said, "lakemesh ") {
			t.Errorf("%s has no command", c)
		} else if err := typeIt(said); err != nil {
			t.Errorf("%s: %s cannot be typed: %v", c, said, err)
		}
	}
	for _, o := range operations() {
		if !slices.ContainsFunc(calls, func(c lakemesh.Call) bool { return c.Operation == o.name }) {
			t.Errorf("no error names %s", o.name)
		}
		method := runtime.FuncForPC(reflect.ValueOf(o.method).Pointer()).Name()
		pkg, of, _ := strings.Cut(o.name, ".")
		if !strings.HasSuffix(method, ")."+of) || !strings.Contains(method, "/"+pkg+".") {
			t.Errorf("%s is said to be %s", o.name, method)
		}
		// Also where nothing is known it can be typed.
		if said := command(lakemesh.Do(o.name)); typeIt(said) != nil {
			t.Errorf("%s cannot be typed: %v", said, typeIt(said))
		}
	}
}

// Where the library spells a command itself, there is that command, and it has the flags.
func TestEveryCommandThatATextSpellsIsThere(t *testing.T) {
	t.Parallel()
	spelled := regexp.MustCompile(`\blakemesh ((?:mesh|account|product|request|subscription|access|verify|explain|adopt)\b[^"();,]*)`)
	n := 0
	inLibrary(t, func(at token.Position, node ast.Node) {
		l, ok := node.(*ast.BasicLit)
		if !ok || l.Kind != token.STRING {
			return
		}
		for _, found := range spelled.FindAllStringSubmatch(l.Value, -1) {
			words := strings.Fields(found[1])
			cmd, _, err := testRoot().Find(words)
			if err != nil || cmd.HasSubCommands() {
				t.Errorf("%s: there is no command %q: %v", at, found[1], err)
				continue
			}
			n++
			for _, word := range words {
				if flag, ok := strings.CutPrefix(strings.TrimRight(word, "`.:'"), "--"); ok && cmd.Flags().Lookup(flag) == nil && cmd.InheritedFlags().Lookup(flag) == nil {
					t.Errorf("%s: %s has no flag --%s", at, cmd.CommandPath(), flag)
				}
			}
		}
	})
	if n == 0 {
		t.Error("no command was found; the source was not read")
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

// Somebody else has neither the context nor the profile of who is told what to do.
func TestCommandsForSomebodyElseSayNothingOfWhoIsTold(t *testing.T) {
	t.Parallel()
	commandsOf := partyCommands()
	for _, mine := range []party{ofProducer, ofConsumer, ofMesh, ofAccount} {
		a := &app{typed: " --context mine --region eu-west-1", typedElsewhere: " --region eu-west-1", acts: mine}
		for of, list := range commandsOf {
			for _, said := range list {
				want := "do it: lakemesh" + choose(of == mine, a.typed, a.typedElsewhere) + " " + said + " x, then lakemesh demo"
				if got := a.here("do it: lakemesh " + said + " x, then lakemesh demo"); got != want {
					t.Errorf("%s: %s, want %s", mine, got, want)
				}
			}
		}
		for _, of := range []party{ofProducer, ofConsumer, ofMesh} {
			want := "lakemesh" + choose(of == mine, a.typed, a.typedElsewhere) + " explain --as " + string(of)
			if got := a.here("lakemesh explain --as " + string(of)); got != want {
				t.Errorf("%s: %s, want %s", mine, got, want)
			}
		}
		// What all have is for whoever is told it.
		if got, want := a.here("lakemesh subscription list"), "lakemesh"+a.typed+" subscription list"; got != want {
			t.Errorf("%s: %s, want %s", mine, got, want)
		}
	}
	// Nothing is known of who works before anything was opened.
	if got := (&app{typed: " --context mine"}).here("lakemesh request approve x"); got != "lakemesh --context mine request approve x" {
		t.Error(got)
	}
}

func TestCommandsForTheSameAdministratorKeepTheProfile(t *testing.T) {
	t.Parallel()
	a := &app{acts: ofAccount, flags: globalFlags{profile: "own"}}
	for said, want := range map[string]string{
		"run lakemesh account init --account-type producer --buckets b": "run lakemesh --profile own account init --account-type producer --buckets b",
		"run lakemesh account clear --profile own":                      "run lakemesh account clear --profile own",
		"run lakemesh account enable":                                   "run lakemesh account enable",
	} {
		if got := a.here(said); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Each command that has a party is there.
func TestTheCommandsOfPartiesAreThere(t *testing.T) {
	t.Parallel()
	for _, list := range partyCommands() {
		for _, said := range list {
			if cmd, rest, err := testRoot().Find(strings.Fields(said)); err != nil || cmd.HasSubCommands() || len(rest) > 0 {
				t.Errorf("%s: %v", said, err)
			}
		}
	}
}
