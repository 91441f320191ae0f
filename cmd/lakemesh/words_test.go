package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// humps counts the capitals that begin a part of a name.
func humps(name string) int {
	n := 0
	for i, r := range name {
		if unicode.IsUpper(r) && (i == 0 || !unicode.IsUpper(rune(name[i-1]))) {
			n++
		}
	}
	return n
}

// Every parameter whose name is no word of English is told as its flag.
func TestParametersAreToldAsFlags(t *testing.T) {
	t.Parallel()
	found := 0
	for _, o := range operations() {
		method := reflect.TypeOf(o.method)
		for i := 2; i < method.NumIn(); i++ {
			in := method.In(i)
			if in.Kind() != reflect.Struct {
				continue
			}
			for field := range in.Fields() {
				if humps(field.Name) < 2 || strings.HasSuffix(field.Name, "ID") && field.Name != "AccountID" && field.Name != "OwnerAccountID" {
					continue
				}
				found++
				if said := ownWords("see " + field.Name); strings.Contains(said, field.Name) && testRoot().Flags().Lookup(flagName(field.Name)) != nil {
					t.Errorf("%s: %s is told as %q", o.name, field.Name, said)
				}
				if flag := flagName(field.Name); parameterFlags()[field.Name] == "" && hasFlag(flag) {
					t.Errorf("%s: %s has the flag --%s and is not told as it", o.name, field.Name, flag)
				}
			}
		}
	}
	if found < 15 {
		t.Fatalf("%d parameters were looked at", found)
	}
	for name, flag := range parameterFlags() {
		if !hasFlag(flag) {
			t.Errorf("%s is told as --%s, which no command has", name, flag)
		}
	}
}

func hasFlag(name string) bool {
	for _, c := range leaves(testRoot()) {
		if c.Flags().Lookup(name) != nil || c.InheritedFlags().Lookup(name) != nil {
			return true
		}
	}
	return false
}

// Every operation that a plan or an error is headed with is told as its command.
func TestOperationsAreToldAsCommands(t *testing.T) {
	t.Parallel()
	found := 0
	inLibrary(t, func(at token.Position, n ast.Node) {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Names) != 1 || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "op") || strings.Contains(at.Filename, "localmesh") {
			return
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			return
		}
		name, err := strconv.Unquote(literal.Value)
		if err != nil || !strings.Contains(at.Filename, "admin/") && !strings.Contains(at.Filename, "producer/") && !strings.Contains(at.Filename, "consumer/") {
			return
		}
		found++
		if humps(name) > 1 && ownWords(name+": nothing to do") == name+": nothing to do" {
			t.Errorf("%s: %s is told as it is", at, name)
		}
	})
	if found < 5 {
		t.Fatalf("%d operations were found", found)
	}
	for name, command := range commandNames() {
		if err := typeGroup(command); err != nil {
			t.Errorf("%s is told as %q: %v", name, command, err)
		}
	}
}

func typeGroup(command string) error {
	_, rest, err := testRoot().Find(strings.Fields(command))
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%v is left", rest)
	}
	return err
}

// What looks like a name of ours in what AWS says stays.
func TestNamesOfAWSStay(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"not authorized to perform: lakeformation:GrantPermissions on *", "lakeformation.GrantPermissions", "BatchGrantPermissions failed",
		"arn:aws:iam::111111111111:role/OptIn", "s3://lake/TableName/",
	} {
		if got := ownWords(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	if got := ownWords("choose another name with ExposeDataMeshDBName (--expose-data-mesh-db-name)"); got != "choose another name with --expose-data-mesh-db-name" {
		t.Errorf("got %q", got)
	}
}

// What a statement begins with is found behind what hides it.
func TestTheFirstWordOfAStatement(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		"select 1": "SELECT", " (SELECT 1)": "SELECT", "-- SELECT\nDROP TABLE t": "DROP", "/* SELECT */insert into t": "INSERT", "/* a */ -- b\n ((WITH x AS": "WITH",
		"-- x\rDROP VIEW v /*\nSELECT */": "DROP", "": "", "123": "", "/* SELECT": "",
	} {
		if got := firstWord(sql); got != want {
			t.Errorf("%q begins with %q, want %q", sql, got, want)
		}
	}
}
