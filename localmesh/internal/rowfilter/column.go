// Package rowfilter reads what data cells filters say of columns and rows: names of
// columns and of what is nested in them, and expressions that choose rows. The local
// mesh refuses with it what AWS refuses, and whoever plays a query engine in a test
// chooses rows with it as an engine does.
//
// https://docs.aws.amazon.com/lake-formation/latest/dg/data-filters-about.html
package rowfilter

import (
	"slices"
	"strings"
)

// Path names a column of a table, or with more than one part a field that is nested
// in one. The parts are folded, as names of the catalog are.
type Path []string

// ParsePath reads the name of a column, or of a nested field: its parts, each in
// double quotes, with dots between them. A column whose own name has this form cannot
// be told from a field, and is taken for one.
func ParsePath(name string) Path {
	var path Path
	for rest := name; strings.HasPrefix(rest, `"`); {
		part, after, ok := quoted(rest)
		if !ok || part == "" {
			break
		}
		path = append(path, strings.ToLower(part))
		if after == "" && len(path) > 1 {
			return path
		}
		if rest, ok = strings.CutPrefix(after, "."); !ok {
			break
		}
	}
	return Path{strings.ToLower(name)}
}

// quoted reads a text that begins with a quote; the quote doubled stands for itself.
func quoted(text string) (content, after string, ok bool) {
	quote := text[0]
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] != quote {
			b.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == quote {
			b.WriteByte(quote)
			i++
			continue
		}
		return b.String(), text[i+1:], true
	}
	return "", "", false
}

// String writes the path as [ParsePath] reads it.
func (p Path) String() string {
	if len(p) == 1 {
		return p[0]
	}
	parts := make([]string, len(p))
	for i, part := range p {
		parts[i] = `"` + strings.ReplaceAll(part, `"`, `""`) + `"`
	}
	return strings.Join(parts, ".")
}

// Covers reports whether q is p or nested in it.
func (p Path) Covers(q Path) bool { return len(p) <= len(q) && slices.Equal(p, q[:len(p)]) }

// Type is the type of a column. A struct has fields; of all others only the text
// counts.
type Type struct {
	// Text is the type as the catalog has it.
	Text   string
	Fields []Field
}

// Field is a field of a struct.
type Field struct {
	Name string
	Type Type
}

// ParseType reads a type as Hive writes it: struct<a:int,b:struct<c:string>>. What
// has no such form has no fields.
func ParseType(text string) Type {
	t := Type{Text: text}
	inner, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(text)), "struct<")
	if !ok || !strings.HasSuffix(inner, ">") {
		return t
	}
	trimmed := strings.TrimSpace(text)
	inner = trimmed[len("struct<") : len(trimmed)-1]
	depth, start := 0, 0
	var fields []Field
	add := func(field string) bool {
		name, typ, ok := strings.Cut(field, ":")
		fields = append(fields, Field{Name: strings.Trim(strings.TrimSpace(name), "`"), Type: ParseType(strings.TrimSpace(typ))})
		return ok
	}
	for i, c := range inner {
		switch c {
		case '<', '(':
			depth++
		case '>', ')':
			depth--
		case ',':
			if depth == 0 {
				if !add(inner[start:i]) {
					return t
				}
				start = i + 1
			}
		}
	}
	if depth != 0 || !add(inner[start:]) {
		return t
	}
	t.Fields = fields
	return t
}

// Find is the type of what lies below the type under these names.
func (t Type) Find(path Path) (Type, bool) {
	if len(path) == 0 {
		return t, true
	}
	for _, f := range t.Fields {
		if strings.EqualFold(f.Name, path[0]) {
			return f.Type.Find(path[1:])
		}
	}
	return Type{}, false
}

// Keep is the type of a column, which has the path at, with only those of its fields
// that the paths cover. It reports whether anything is left.
func (t Type) Keep(at Path, paths []Path) (Type, bool) {
	if slices.ContainsFunc(paths, func(p Path) bool { return p.Covers(at) }) {
		return t, true
	}
	if !slices.ContainsFunc(paths, at.Covers) {
		return t, false
	}
	kept := Type{}
	for _, f := range t.Fields {
		if left, ok := f.Type.Keep(append(slices.Clone(at), strings.ToLower(f.Name)), paths); ok {
			kept.Fields = append(kept.Fields, Field{f.Name, left})
		}
	}
	texts := make([]string, len(kept.Fields))
	for i, f := range kept.Fields {
		texts[i] = f.Name + ":" + f.Type.Text
	}
	kept.Text = "struct<" + strings.Join(texts, ",") + ">"
	return kept, len(kept.Fields) > 0
}

// Without are the paths at and below a column, which has the path at, that show all
// of it but what the excluded paths cover.
func (t Type) Without(at Path, excluded []Path) []Path {
	if slices.ContainsFunc(excluded, func(p Path) bool { return p.Covers(at) }) {
		return nil
	}
	if !slices.ContainsFunc(excluded, at.Covers) {
		return []Path{at}
	}
	var left []Path
	for _, f := range t.Fields {
		left = append(left, f.Type.Without(append(slices.Clone(at), strings.ToLower(f.Name)), excluded)...)
	}
	return left
}
