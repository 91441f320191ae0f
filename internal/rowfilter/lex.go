package rowfilter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLength is how many bytes a condition may have. The guide wants less than 2,048
// characters, the API at most 2,048 bytes; this is right for both.
//
// https://docs.aws.amazon.com/lake-formation/latest/dg/partiql-support.html
// https://docs.aws.amazon.com/lake-formation/latest/dg/aws-lake-formation-api-data-filter.html
const maxLength = 2047

type tokenKind int

const (
	end tokenKind = iota
	word
	quotedName
	text
	number
	symbol
)

// A token is a part of a text that has no parts.
type token struct {
	kind tokenKind
	// text is the word, the name or the string without quotes, the digits, or the symbol.
	text string
	at   Position
}

// is reports whether the token is a keyword, in whatever case.
func (t token) is(keyword string) bool { return t.kind == word && strings.EqualFold(t.text, keyword) }

// String tells what stands there, for errors.
func (t token) String() string {
	switch t.kind {
	case end:
		return "the end"
	case text:
		return Constant{Kind: Text, Text: t.text}.String()
	case quotedName:
		return `"` + t.text + `"`
	default:
		return t.text
	}
}

// A lexer reads tokens.
type lexer struct {
	text string
	at   Position
}

func (l *lexer) rest() string { return l.text[l.at.Byte:] }

// advance passes some bytes, which are whole characters.
func (l *lexer) advance(bytes int) {
	l.at.Character += utf8.RuneCountInString(l.rest()[:bytes])
	l.at.Byte += bytes
}

// lex reads all tokens; the last is the end.
func lex(s string) ([]token, error) {
	if len(s) > maxLength {
		return nil, refuse(ErrTooLong, Position{}, "", "it has %d bytes, and AWS takes less than %d", len(s), maxLength+1)
	}
	l := lexer{text: s, at: Position{Character: 1}}
	var tokens []token
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		if len(tokens) == 0 && (t.is("SELECT") || t.is("WHERE")) {
			// Such a column stands in double quotes, so that a query is meant.
			return nil, refuse(ErrSyntax, t.at, "a condition alone, as it stands behind WHERE: leave "+strings.ToUpper(t.text)+" out", "the keyword %s", strings.ToUpper(t.text))
		}
		tokens = append(tokens, t)
		if t.kind == end {
			return tokens, nil
		}
	}
}

func (l *lexer) next() (token, error) {
	l.advance(len(l.rest()) - len(strings.TrimLeft(l.rest(), " \t\r\n")))
	rest := l.rest()
	t := token{at: l.at}
	if rest == "" {
		return t, nil
	}
	for _, s := range foreign {
		if strings.HasPrefix(rest, s.text) {
			return t, refuse(ErrSyntax, l.at, s.hint, "%s is not allowed", s.text)
		}
	}
	switch c := rest[0]; {
	case c == '\'':
		return l.quoted(text, '\'')
	case c == '"':
		return l.quoted(quotedName, '"')
	case isLetter(c):
		t.kind, t.text = word, leading(rest, func(c byte) bool { return isLetter(c) || isDigit(c) })
	case isDigit(c) || c == '-':
		return l.number()
	default:
		for _, s := range []string{"<>", "!=", "<=", ">=", "<", ">", "=", "(", ")", ",", "."} {
			if strings.HasPrefix(rest, s) {
				t.kind, t.text = symbol, s
				break
			}
		}
		if t.kind != symbol {
			r, _ := utf8.DecodeRuneInString(rest)
			hint := ""
			switch {
			case alike(r):
				hint = "a quote is ' around a string and \" around a name"
			case unicode.In(r, unicode.L, unicode.M, unicode.N):
				hint = "a name with other letters than A to Z stands in double quotes"
				if name := l.around(); name != "" {
					hint += `: "` + name + `"`
				}
			}
			return t, refuse(ErrSyntax, l.at, hint, "%s is not allowed here", show(r))
		}
	}
	l.advance(len(t.text))
	return t, nil
}

// around is the name of letters of all languages in which the lexer stands.
func (l *lexer) around() string {
	part := func(r rune) bool { return r == '_' || unicode.In(r, unicode.L, unicode.M, unicode.N) }
	is := func(r rune) bool { return !part(r) }
	before := l.text[:l.at.Byte]
	before = before[strings.LastIndexFunc(before, is)+1:]
	after := l.rest()
	if end := strings.IndexFunc(after, is); end >= 0 {
		after = after[:end]
	}
	return short(before + after)
}

// foreign are signs that PartiQL knows and a row condition does not. They come first: a
// comment could hide from a reader what AWS reads, or the other way about.
var foreign = []struct{ text, hint string }{
	{"--", "there are no comments"},
	{"/*", "there are no comments"},
	{";", "there is one condition: leave it out"},
	{"`", "a name stands in double quotes, and a string in single ones"},
	{"==", "equality is ="},
	{"||", "alternatives are OR; strings cannot be joined"},
	{"&&", "AND"},
	{"+", "there is no arithmetic, and a number has no plus"},
	{"*", "there is no arithmetic"},
	{"/", "there is no arithmetic"},
	{"%", "there is no arithmetic"},
	{"[", "elements of arrays cannot be compared"},
	{"?", "there are no parameters"},
	{"$", "a name with $ stands in double quotes"},
}

func (l *lexer) number() (token, error) {
	t := token{kind: number, at: l.at}
	rest := l.rest()
	digits := strings.TrimPrefix(rest, "-")
	whole := leading(digits, isDigit)
	if whole == "" {
		return t, refuse(ErrSyntax, l.at, "there is no arithmetic; a negative number is -5", "- without a number")
	}
	t.text = rest[:len(rest)-len(digits)] + whole
	if after := digits[len(whole):]; strings.HasPrefix(after, ".") {
		fraction := leading(after[1:], isDigit)
		if fraction == "" {
			return t, refuse(ErrSyntax, l.at, "write "+t.text, "a number that ends with a point")
		}
		t.text += "." + fraction
	}
	if after := rest[len(t.text):]; after != "" && (isLetter(after[0]) || after[0] == '.') {
		return t, refuse(ErrSyntax, l.at, "digits, and digits after a point; a name that begins with a digit stands in double quotes",
			"%s is not a number", t.text+leading(after, func(c byte) bool { return isLetter(c) || isDigit(c) || c == '.' }))
	}
	l.advance(len(t.text))
	return t, nil
}

// quoted reads a string or a name in quotes, in which a quote is doubled.
func (l *lexer) quoted(kind tokenKind, quote byte) (token, error) {
	t := token{kind: kind, at: l.at}
	l.advance(1)
	begin := l.at
	var b strings.Builder
	for {
		if l.rest() == "" {
			hint := ""
			if kind == text {
				hint = "an apostrophe within a string is doubled: 'O''Brien'"
			}
			return t, refuse(ErrSyntax, t.at, hint, "the quote is never closed")
		}
		r, size := utf8.DecodeRuneInString(l.rest())
		if r == utf8.RuneError && size == 1 {
			return t, refuse(ErrSyntax, l.at, "", "not a character of UTF-8")
		}
		if r == rune(quote) {
			l.advance(1)
			if !strings.HasPrefix(l.rest(), string(quote)) {
				break
			}
		} else if !isSeen(r) || alike(r) {
			return t, refuse(ErrSyntax, l.at, "people would read something else than AWS", "%s is not allowed in quotes", show(r))
		} else if b.Len() == 0 && unicode.IsMark(r) {
			return t, refuse(ErrSyntax, l.at, "", "%s changes how the quote before it looks", show(r))
		}
		b.WriteRune(r)
		l.advance(size)
	}
	t.text = b.String()
	if kind == quotedName {
		return t, name(t)
	}
	return t, apostrophes(t, begin)
}

// name refuses names in quotes that somebody could take for something else. A dot could
// be one between a column and its field.
func name(t token) error {
	switch {
	case strings.Contains(t.text, "."):
		return refuse(ErrSyntax, t.at, `a field of a struct is "a"."b"; a string stands in single quotes`, "%s is a name with a dot in it, which could be taken for one between a column and its field", t)
	case t.text == "" || strings.ContainsAny(t.text, `"'`) || strings.TrimSpace(t.text) != t.text:
		return refuse(ErrSyntax, t.at, "strings stand in single quotes", "a name in double quotes that is empty, or has quotes or blanks beside it in it")
	}
	return nil
}

// apostrophes refuses strings with apostrophes that look like several strings: in
// name = 'x” OR country = ”y' there is one string, and people see two conditions.
func apostrophes(t token, begin Position) error {
	if !strings.Contains(t.text, "'") {
		return nil
	}
	const hint = "an apostrophe may stand between two letters of a string of words"
	plain := func(r rune) bool { return unicode.In(r, unicode.L, unicode.M, unicode.N) }
	runes := []rune(t.text)
	for i, r := range runes {
		switch {
		case r == '\'' && (i == 0 || i == len(runes)-1 || !plain(runes[i-1]) || !plain(runes[i+1])),
			r != '\'' && !plain(r) && !strings.ContainsRune(" -.%_", r):
			return refuse(ErrSyntax, begin, hint, "a string with an apostrophe that could be taken for more than a string")
		}
	}
	for _, w := range strings.FieldsFunc(t.text, func(r rune) bool { return !plain(r) }) {
		if keywords[strings.ToLower(w)] {
			return refuse(ErrSyntax, begin, hint, "a string with an apostrophe and the keyword %s could be taken for more than a string", strings.ToUpper(w))
		}
	}
	return nil
}

// isSeen reports whether a character is seen as what it is: neither a control or format
// character, nor unassigned, nor a blank that is no space.
func isSeen(r rune) bool {
	return unicode.IsPrint(r) && r != brailleBlank && r != utf8.RuneError &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

const brailleBlank = '\u2800'

// alike reports whether a character looks like a quote. They are those that Unicode says
// are confused with ' and " (https://www.unicode.org/Public/security/latest/confusables.txt).
func alike(r rune) bool {
	return strings.ContainsRune("\u00b4\u02b9\u02ba\u02bb\u02bc\u02bd\u02be\u02c8\u02ca\u02cb\u02dd\u02ee\u02f4\u02f6\u0374\u0384\u055a\u055d\u05f3\u05f4\u07f4\u07f5"+
		"\u144a\u16cc\u1fbd\u1fbf\u1fef\u1ffd\u1ffe\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2032\u2033\u2034\u2035\u2036\u2037\u2057\u275b\u275c\u275d\u275e\u301d\u301e\u301f\u3003\ua78b\ua78c\uff02\uff07\uff40", r)
}

func show(r rune) string {
	if isSeen(r) && r < utf8.RuneSelf {
		return string(r)
	}
	return "the character " + codePoint(r)
}

func codePoint(r rune) string {
	const digits = "0123456789ABCDEF"
	s := ""
	for v := uint32(r); v > 0 || len(s) < 4; v >>= 4 {
		s = string(digits[v&0xF]) + s
	}
	return "U+" + s
}

func isLetter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func leading(s string, of func(byte) bool) string {
	n := 0
	for n < len(s) && of(s[n]) {
		n++
	}
	return s[:n]
}
