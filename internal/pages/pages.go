// Package pages reads the documentation of the repository: its headings with their anchors,
// its links, and its blocks of commands. The site is made of it, and tests hold it against
// what the program really does.
package pages

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// Page is a page of the documentation.
type Page struct {
	// Path is where it is, from the root of the repository, with slashes.
	Path  string
	Title string
	// Anchors are those of its headings, as forges make them.
	Anchors []string
	Links   []Link
	Blocks  []Block
	// Codes are the texts in backquotes that stand in its sentences.
	Codes []string

	source []byte
	node   ast.Node
}

// Link is a link of a page, or a picture in it.
type Link struct {
	To      string
	Picture bool
}

// Block is a block of code.
type Block struct {
	// Language is what stands behind the fence; a block without a fence has none.
	Language string
	Text     string
	// Line is where it begins.
	Line int
}

// Markdown is what reads and writes pages.
func Markdown() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
}

// Read reads the page at a path of the repository.
func Read(root, at string) (*Page, error) {
	source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(at)))
	if err != nil {
		return nil, err
	}
	p := &Page{Path: at, source: source, Title: path.Base(at)}
	context := parser.NewContext(parser.WithIDs(&anchors{}))
	p.node = Markdown().Parser().Parse(text.NewReader(source), parser.WithContext(context))
	titled := false
	err = ast.Walk(p.node, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			if id, ok := n.AttributeString("id"); ok {
				p.Anchors = append(p.Anchors, string(id.([]byte)))
			}
			if !titled {
				p.Title, titled = words(n, source), true
			}
		case *ast.Link:
			p.Links = append(p.Links, Link{string(n.Destination), false})
		case *ast.Image:
			p.Links = append(p.Links, Link{string(n.Destination), true})
		case *ast.CodeSpan:
			p.Codes = append(p.Codes, words(n, source))
		case *ast.FencedCodeBlock:
			p.block(string(n.Language(source)), n.Lines())
		case *ast.CodeBlock:
			p.block("", n.Lines())
		}
		return ast.WalkContinue, nil
	})
	return p, err
}

func (p *Page) block(language string, lines *text.Segments) {
	if lines.Len() == 0 {
		return
	}
	p.Blocks = append(p.Blocks, Block{language, string(lines.Value(p.source)), 1 + bytes.Count(p.source[:lines.At(0).Start], []byte("\n"))})
}

// words are the texts in a node.
func words(n ast.Node, source []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.Write(c.Segment.Value(source))
			if c.SoftLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(c.Value)
		default:
			b.WriteString(words(c, source))
		}
	}
	return b.String()
}

// HTML is the page's text as HTML, with its links led through a function.
func (p *Page) HTML(lead func(Link) string) (string, error) {
	err := ast.Walk(p.node, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if l, ok := n.(*ast.Link); ok && entering {
			l.Destination = []byte(lead(Link{string(l.Destination), false}))
		}
		if i, ok := n.(*ast.Image); ok && entering {
			i.Destination = []byte(lead(Link{string(i.Destination), true}))
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = Markdown().Renderer().Render(&b, p.source, p.node)
	return b.String(), err
}

// anchors makes the ids of headings as forges do: lower case, spaces as dashes, without
// punctuation, numbered where they repeat.
type anchors struct{ taken map[string]bool }

// Generate makes the id of a heading.
func (a *anchors) Generate(value []byte, _ ast.NodeKind) []byte {
	var b strings.Builder
	for _, r := range strings.ToLower(string(value)) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			b.WriteRune(r)
		case r == ' ':
			b.WriteByte('-')
		}
	}
	id := b.String()
	for n := 1; a.taken[id]; n++ {
		id = fmt.Sprintf("%s-%d", b.String(), n)
	}
	a.Put([]byte(id))
	return []byte(id)
}

// Put notes an id that is taken.
func (a *anchors) Put(value []byte) {
	if a.taken == nil {
		a.taken = map[string]bool{}
	}
	a.taken[string(value)] = true
}

// All reads the pages that a user reads: those of the root that are named, and all of docs.
func All(root string) ([]*Page, error) {
	paths := []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md"}
	if _, err := os.Stat(filepath.Join(root, "SECURITY.md")); err == nil {
		paths = append(paths, "SECURITY.md")
	}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(file, ".md") {
			at, err := filepath.Rel(root, file)
			if err != nil {
				return err
			}
			paths = append(paths, filepath.ToSlash(at))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var all []*Page
	for _, at := range paths {
		p, err := Read(root, at)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// Target is where a link of a page leads: a path of the repository and an anchor. It is
// false for what is elsewhere.
func (p *Page) Target(link string) (at, anchor string, ok bool) {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "" || u.Host != "" {
		return "", "", false
	}
	if u.Path == "" {
		return p.Path, u.Fragment, true
	}
	return path.Join(path.Dir(p.Path), u.Path), u.Fragment, true
}

// Broken are the links of pages that lead nowhere.
func Broken(root string, all []*Page) []string {
	of := map[string]*Page{}
	for _, p := range all {
		of[p.Path] = p
	}
	var broken []string
	for _, p := range all {
		for _, l := range p.Links {
			at, anchor, ok := p.Target(l.To)
			if !ok {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(at))); err != nil {
				broken = append(broken, p.Path+": "+l.To+" is not there")
				continue
			}
			if anchor == "" {
				continue
			}
			if of[at] == nil {
				// A page that is not part of the site, of a folder of code.
				other, err := Read(root, at)
				if err != nil {
					broken = append(broken, p.Path+": "+l.To+" has no anchors")
					continue
				}
				of[at] = other
			}
			if !slices.Contains(of[at].Anchors, anchor) {
				broken = append(broken, p.Path+": "+at+" has no heading for #"+anchor)
			}
		}
	}
	return broken
}
