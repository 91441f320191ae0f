package expr

import "strings"

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenWord
	tokenName
	tokenValue
	tokenNumber
	// tokenMark is an operator, a bracket, a comma or a dot.
	tokenMark
	// tokenStray is a character that no expression has.
	tokenStray
)

type token struct {
	kind       tokenKind
	text       string
	start, end int
}

func isLetter(c byte) bool   { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool    { return c >= '0' && c <= '9' }
func isWordByte(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' }

// lex cuts an expression into tokens, of which the last is tokenEnd.
func lex(text string) []token {
	tokens := make([]token, 0, len(text)/4+2)
	for i := 0; i < len(text); {
		c := text[i]
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			i++
			continue
		}
		kind, end := tokenStray, i+1
		switch {
		// A bare name does not begin with an underscore; a placeholder may.
		case isLetter(c):
			kind, end = tokenWord, wordEnd(text, i+1)
		case isDigit(c):
			kind, end = tokenNumber, i+1
			for end < len(text) && isDigit(text[end]) {
				end++
			}
		case (c == '#' || c == ':') && wordEnd(text, i+1) > i+1:
			kind, end = tokenName, wordEnd(text, i+1)
			if c == ':' {
				kind = tokenValue
			}
		case strings.HasPrefix(text[i:], "<>"), strings.HasPrefix(text[i:], "<="), strings.HasPrefix(text[i:], ">="):
			kind, end = tokenMark, i+2
		case strings.IndexByte("=<>()[],.+-", c) >= 0:
			kind = tokenMark
		}
		tokens = append(tokens, token{kind: kind, text: text[i:end], start: i, end: end})
		i = end
	}
	return append(tokens, token{kind: tokenEnd, text: "<EOF>", start: len(text), end: len(text)})
}

func wordEnd(text string, i int) int {
	for i < len(text) && isWordByte(text[i]) {
		i++
	}
	return i
}
