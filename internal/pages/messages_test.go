package pages

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// sentences are all texts in the source of the program, without tests.
func sentences(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "tools" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".." && d.Name() != ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if text, err := strconv.Unquote(l.Value); err == nil {
					all.WriteString(text + "\n")
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// Every message on the page of messages is one that the program prints: each part of it
// stands in the source.
func TestMessagesAreThoseOfTheProgram(t *testing.T) {
	t.Parallel()
	p, err := Read(root, "docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	said := sentences(t)
	headings := regexp.MustCompile("(?m)^### `(.*)`$").FindAllStringSubmatch(string(p.source), -1)
	if len(headings) < 20 {
		t.Fatalf("only %d messages are found", len(headings))
	}
	for _, m := range headings {
		if missing := absent(said, m[1]); missing != "" {
			t.Errorf("nothing prints %q, which %q has", missing, m[1])
		}
	}
}

// absent is a part of a message that no text has; the parts stand between names, which are
// written as dots.
func absent(said, message string) string {
	for _, part := range strings.Split(message, "…") {
		// What stands between two names alone, such as ":", says nothing.
		if part = strings.Trim(part, " ()"); len(part) > 3 && !strings.Contains(said, part) {
			return part
		}
	}
	return ""
}

func TestMessagesThatNobodyPrintsAreFound(t *testing.T) {
	t.Parallel()
	if absent("it is %s, and ours\n", "it is …, and theirs") != ", and theirs" || absent("it is %s, and ours\n", "it is …, and ours") != "" {
		t.Error("a message is taken for another one")
	}
}
