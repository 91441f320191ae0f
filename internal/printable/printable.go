// Package printable makes texts that somebody else wrote safe for a terminal, a log and
// a line. What a terminal obeys, and what a reader does not see, becomes a visible
// escape, such as \u001b. The escapes are those of JSON, so that a JSON text stays one
// and means the same.
package printable

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Line is a text that stands in a row of a table, a step of a plan, an error or any
// other line: it cannot begin another line. Line of a Line is the same.
func Line(s string) string { return escape(s, hidden) }

// Text is a text of several lines: it keeps newlines and tabs.
func Text(s string) string {
	return escape(s, func(r rune) bool { return r != '\n' && r != '\t' && hidden(r) })
}

// Is reports whether a text is safe in a line as it is.
func Is(s string) bool { return Line(s) == s }

func escape(s string, bad func(rune) bool) string {
	var b strings.Builder
	// kept is where the part begins that is not yet written.
	kept := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if invalid := r == utf8.RuneError && size == 1; invalid || bad(r) {
			b.WriteString(s[kept:i])
			write(&b, r)
			kept = i + size
		}
		i += size
	}
	if kept == 0 {
		return s
	}
	b.WriteString(s[kept:])
	return b.String()
}

// write writes a character as JSON escapes it.
func write(b *strings.Builder, r rune) {
	switch r {
	case '\n':
		b.WriteString(`\n`)
	case '\r':
		b.WriteString(`\r`)
	case '\t':
		b.WriteString(`\t`)
	default:
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(b, `\u%04x`, unit)
		}
	}
}

// The plane of tags and of selectors of variants
// (https://www.unicode.org/charts/PDF/UE0000.pdf): nothing of it is seen, and a text can be
// hidden in it.
const (
	firstTag = 0xE0000
	lastTag  = 0xE0FFF
)

// hidden reports whether a character does something else than to be seen: controls (C0,
// DEL, C1), the format characters (bidirectional text, zero width, tags), line and
// paragraph separators, and what Unicode says is to be ignored by default. The few format
// characters that are seen, such as the Arabic sign of a number, are none of them.
func hidden(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return r < ' ' || r == 0x7F
	case r >= firstTag && r <= lastTag:
		return true
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point)
}
