// Command site makes a web site of the documentation: go run ./tools/site -out FOLDER. It
// fails if a link of a page leads nowhere. What it makes are plain pages without scripts,
// which can be opened from a folder as well as from a server.
package main

import (
	"bytes"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/internal/pages"
)

//go:embed page.html
var layout string

//go:embed site.css
var style []byte

func main() {
	out := flag.String("out", "", "the folder that the site is written into")
	source := flag.String("source", "https://github.com/lakemesh/lakemesh/blob/main/", "where links to what is no page lead: files of the repository")
	flag.Parse()
	if err := run(".", *out, *source); err != nil {
		fmt.Fprintln(os.Stderr, "site:", err)
		os.Exit(1)
	}
}

// chapter is a part of the contents.
type chapter struct {
	Name  string
	Pages []entry
	// Open says that its pages are seen at once: it is short, or the page is one of them.
	Open bool
}

// short is how many pages of a chapter are seen at once.
const short = 12

// entry is a page in the contents.
type entry struct {
	Title, To string
	Here      bool
}

// chapters are the pages in the order in which they are read; others come behind.
var chapters = []struct {
	name  string
	paths []string
}{
	{"Begin", []string{"README.md", "docs/week.md", "docs/glossary.md"}},
	{"Use", []string{"docs/cli.md", "docs/pictures.md", "docs/querying.md", "docs/sync.md", "docs/explain.md", "docs/verify.md", "docs/audit.md", "docs/troubleshooting.md"}},
	{"Recipes", []string{"docs/recipes/*"}},
	{"Set up and operate", []string{"docs/set-up-on-aws.md", "docs/iac.md", "docs/operate.md", "docs/kms.md", "docs/upgrade.md", "docs/acceptance.md", "docs/leaving.md", "docs/support.md"}},
	{"Come from elsewhere", []string{"docs/migration.md", "docs/adopt.md"}},
	{"Understand", []string{"docs/how-it-works.md", "docs/security.md", "docs/limits.md", "docs/performance.md"}},
	{"Decisions", []string{"docs/decisions/README.md", "docs/decisions/*"}},
	{"The local mesh", []string{"docs/testing.md", "docs/local-mesh.md", "docs/aws-rules.md"}},
	{"The project", []string{"CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs/*"}},
}

func run(root, out, source string) error {
	if out == "" {
		return errors.New("-out is required")
	}
	all, err := pages.All(root)
	if err != nil {
		return err
	}
	if broken := pages.Broken(root, all); len(broken) > 0 {
		return fmt.Errorf("links lead nowhere:\n%s", strings.Join(broken, "\n"))
	}
	page, err := template.New("page").Parse(layout)
	if err != nil {
		return err
	}
	if err := write(out, "site.css", style); err != nil {
		return err
	}
	s := site{root: root, out: out, source: source, pages: map[string]*pages.Page{}}
	for _, p := range all {
		s.pages[p.Path] = p
	}
	order := s.contents(all)
	for _, p := range all {
		if err := s.page(page, p, order); err != nil {
			return fmt.Errorf("%s: %w", p.Path, err)
		}
	}
	return nil
}

// site is what is being made.
type site struct {
	root, out, source string
	pages             map[string]*pages.Page
}

// contents are the chapters with the pages that there are, each page once.
func (s site) contents(all []*pages.Page) [][]*pages.Page {
	order := make([][]*pages.Page, len(chapters))
	taken := map[string]bool{}
	for i, c := range chapters {
		for _, pattern := range c.paths {
			for _, p := range all {
				if ok, err := path.Match(pattern, p.Path); err == nil && ok && !taken[p.Path] {
					taken[p.Path] = true
					order[i] = append(order[i], p)
				}
			}
		}
	}
	for _, p := range all {
		if !taken[p.Path] {
			order[len(order)-1] = append(order[len(order)-1], p)
		}
	}
	return order
}

// file is where a page is written.
func file(at string) string {
	if at == "README.md" {
		return "index.html"
	}
	return strings.TrimSuffix(at, ".md") + ".html"
}

// relative leads from one file of the site to another.
func relative(from, to string) string {
	rel, err := filepath.Rel(filepath.Dir(filepath.FromSlash(from)), filepath.FromSlash(to))
	if err != nil {
		return to
	}
	return filepath.ToSlash(rel)
}

func (s site) page(layout *template.Template, p *pages.Page, order [][]*pages.Page) error {
	here := file(p.Path)
	var contents []chapter
	for i, list := range order {
		c := chapter{Name: chapters[i].name}
		for _, other := range list {
			c.Open = c.Open || other == p || len(list) <= short
			c.Pages = append(c.Pages, entry{other.Title, relative(here, file(other.Path)), other == p})
		}
		if len(c.Pages) > 0 {
			contents = append(contents, c)
		}
	}
	var pictures []string
	text, err := p.HTML(func(l pages.Link) string {
		at, anchor, ok := p.Target(l.To)
		switch {
		case !ok:
			return l.To
		case l.Picture:
			pictures = append(pictures, at)
			return relative(here, at)
		}
		to := s.source + at
		if s.pages[at] != nil {
			to = relative(here, file(at))
		} else if strings.HasSuffix(at, ".svg") {
			pictures = append(pictures, at)
			to = relative(here, at)
		}
		if anchor != "" {
			to += "#" + url.PathEscape(anchor)
		}
		return to
	})
	if err != nil {
		return err
	}
	for _, at := range slices.Compact(slices.Sorted(slices.Values(pictures))) {
		content, err := os.ReadFile(filepath.Join(s.root, filepath.FromSlash(at)))
		if err != nil {
			return err
		}
		if err := write(s.out, at, content); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	err = layout.Execute(&b, map[string]any{"Title": p.Title, "Contents": contents, "Style": relative(here, "site.css"),
		// The text is what the renderer made of our own pages; it lets no HTML of a page through.
		"Text": template.HTML(text)}) //nolint:gosec // see above
	if err != nil {
		return err
	}
	return write(s.out, here, b.Bytes())
}

func write(out, at string, content []byte) error {
	to := filepath.Join(out, filepath.FromSlash(at))
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600)
}
