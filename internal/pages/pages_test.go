package pages

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	all, err := All(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range Broken(root, all) {
		t.Error(b)
	}
}

func TestEveryPageIsReached(t *testing.T) {
	t.Parallel()
	all, err := All(root)
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]*Page{}
	for _, p := range all {
		of[p.Path] = p
	}
	reached := map[string]bool{}
	var walk func(p *Page)
	walk = func(p *Page) {
		if p == nil || reached[p.Path] {
			return
		}
		reached[p.Path] = true
		for _, l := range p.Links {
			if at, _, ok := p.Target(l.To); ok {
				walk(of[at])
			}
		}
	}
	walk(of["README.md"])
	for at := range of {
		if !reached[at] {
			t.Errorf("no link leads from the README to %s", at)
		}
	}
}

// write makes a page to be read.
func write(t *testing.T, text string) (string, *Page) {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "page.md"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Read(folder, "page.md")
	if err != nil {
		t.Fatal(err)
	}
	return folder, p
}

func TestBrokenLinksAreFound(t *testing.T) {
	t.Parallel()
	folder, p := write(t, "# One `two`, three\n\n[a](#one-two-three) [b](#nope) [c](gone.md) ![d](gone.svg) [e](page.md#one-two-three) [f](https://example.com/gone)\n")
	want := []string{"page.md: page.md has no heading for #nope", "page.md: gone.md is not there", "page.md: gone.svg is not there"}
	if got := Broken(folder, []*Page{p}); !slices.Equal(got, want) {
		t.Errorf("found is %q", got)
	}
}

func TestCommandLinesAreFound(t *testing.T) {
	t.Parallel()
	_, p := write(t, "    $ lakemesh verify --product x \\\n        --repair          says something\n    id=$(lakemesh --local request list -o json | head -n 1)\n\n"+
		"```sh\nlakemesh query \"SELECT f(x) FROM t; --\" --as producer # said\n```\n\n```json\nlakemesh no command\n```\n")
	var got [][]string
	for _, b := range p.Blocks {
		for _, l := range b.Lines() {
			got = append(got, Calls(l)...)
		}
	}
	want := [][]string{{"verify", "--product", "x", "--repair"}, {"--local", "request", "list", "-o", "json"}, {"query", "SELECT f(x) FROM t; --", "--as", "producer"}}
	if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("found is %q", got)
	}
}

func TestWhatRuns(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"lakemesh --local mesh init\n":                                   true,
		"id=$(lakemesh --local request list -o json | head -n 1)\n":      true,
		"lakemesh demo\n":                                                true,
		"lakemesh mesh init\n":                                           false,
		"lakemesh --local subscription get <id>\n":                       false,
		"lakemesh --local mesh init\naws s3 ls\n":                        false,
		"# nothing to run\n":                                             false,
		"lakemesh --local mesh init\n\n# and\nlakemesh --local verify\n": true,
	} {
		if got := (Block{Language: "sh", Text: text}).Runs(); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// What a page says to run of the repository is there, and what it shows as JSON is JSON.
func TestBlocksAreWhatTheySay(t *testing.T) {
	t.Parallel()
	all, err := All(root)
	if err != nil {
		t.Fatal(err)
	}
	ours := regexp.MustCompile(`(?:go (?:run|test|install)(?: -[a-z]+)*|bash) (\.[./a-zA-Z_-]*)`)
	for _, p := range all {
		for _, b := range p.Blocks {
			if b.Language == "json" && !json.Valid([]byte(b.Text)) {
				t.Errorf("%s:%d: it is no JSON", p.Path, b.Line)
			}
			for _, m := range ours.FindAllStringSubmatch(b.Text, -1) {
				if _, err := os.Stat(filepath.Join(root, strings.TrimSuffix(m[1], "/..."))); err != nil {
					t.Errorf("%s:%d: %s is not there", p.Path, b.Line, m[1])
				}
			}
		}
	}
}
