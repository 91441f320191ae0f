package dialect

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Error is a query's, in Athena's form: a code, where, and what.
type Error struct {
	// Code is Athena's: "COLUMN_NOT_FOUND".
	Code string
	// Line and Column are from 1; 0 if the error has no place.
	Line, Column int
	Message      string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Code + ": " + e.Message
	}
	return fmt.Sprintf("%s: line %d:%d: %s", e.Code, e.Line, e.Column, e.Message)
}

// The codes of errors.
const (
	CodeSyntax       = "SYNTAX_ERROR"
	CodeNotSupported = "NOT_SUPPORTED"
	CodeColumn       = "COLUMN_NOT_FOUND"
	CodeTable        = "TABLE_NOT_FOUND"
	CodeSchema       = "SCHEMA_NOT_FOUND"
	CodeCatalog      = "CATALOG_NOT_FOUND"
	CodeMismatch     = "TYPE_MISMATCH"
	CodeFunction     = "FUNCTION_NOT_FOUND"
	CodeAggregate    = "EXPRESSION_NOT_AGGREGATE"
	CodeAmbiguous    = "AMBIGUOUS_NAME"
)

type place struct{ line, column int }

func (p place) fail(code, format string, args ...any) error {
	return &Error{Code: code, Line: p.line, Column: p.column, Message: fmt.Sprintf(format, args...)}
}

// lacking is the error for what Athena has and the local mesh has not.
func (p place) lacking(format string, args ...any) error {
	return p.fail(CodeNotSupported, "%s is not in the local mesh", fmt.Sprintf(format, args...))
}

type tokenKind int

const (
	end tokenKind = iota
	word
	quotedWord
	text
	number
	symbol
)

type token struct {
	kind tokenKind
	// text is the content: of words in lower case, of strings and quoted words without
	// quotation marks.
	text string
	place
}

// symbols are those of more than one character.
var symbols = []string{"<=", ">=", "<>", "!=", "||", "->", "=>"}

// scan takes a query apart.
func scan(query string) ([]token, error) {
	var all []token
	at := place{1, 1}
	rest := query
	advance := func(n int) {
		for _, r := range rest[:n] {
			if r == '\n' {
				at = place{at.line + 1, 1}
			} else {
				at.column++
			}
		}
		rest = rest[n:]
	}
	for rest != "" {
		r, size := utf8.DecodeRuneInString(rest)
		if r == 0 || r == utf8.RuneError && size == 1 {
			return nil, at.fail(CodeSyntax, "the query is not text")
		}
		switch {
		case unicode.IsSpace(r):
			advance(size)
		case strings.HasPrefix(rest, "--"):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			advance(n)
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest[2:], "*/")
			if n < 0 {
				return nil, at.fail(CodeSyntax, "a comment does not end")
			}
			advance(n + 4)
		case r == '\'' || r == '"':
			content, n, ok := quoted(rest, byte(r))
			if !ok {
				return nil, at.fail(CodeSyntax, "a quotation does not end")
			}
			kind := text
			if r == '"' {
				kind = quotedWord
				content = strings.ToLower(content)
			}
			all = append(all, token{kind, content, at})
			advance(n)
		case r == '`':
			return nil, at.fail(CodeSyntax, "backquoted identifiers are not supported; use double quotes to quote identifiers")
		case r >= '0' && r <= '9' || r == '.' && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9':
			n := numberLength(rest)
			if n < len(rest) && (isLetter(rune(rest[n]))) {
				return nil, at.fail(CodeSyntax, "identifiers must not start with a digit; surround the identifier with double quotes")
			}
			all = append(all, token{number, rest[:n], at})
			advance(n)
		case isLetter(r):
			n := strings.IndexFunc(rest, func(r rune) bool { return !isLetter(r) && (r < '0' || r > '9') && r != '@' && r != ':' })
			if n < 0 {
				n = len(rest)
			}
			all = append(all, token{word, strings.ToLower(rest[:n]), at})
			advance(n)
		default:
			s := string(r)
			for _, long := range symbols {
				if strings.HasPrefix(rest, long) {
					s = long
				}
			}
			if !strings.ContainsRune("+-*/%(),.;=<>!|[]?{}", r) {
				return nil, at.fail(CodeSyntax, "unexpected character %q", r)
			}
			all = append(all, token{symbol, s, at})
			advance(len(s))
		}
	}
	return append(all, token{kind: end, place: at}), nil
}

func isLetter(r rune) bool { return r == '_' || r < utf8.RuneSelf && unicode.IsLetter(r) }

// quoted reads a quotation, in which a doubled mark stands for one.
func quoted(s string, mark byte) (content string, length int, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != mark {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == mark {
			b.WriteByte(mark)
			i++
			continue
		}
		return b.String(), i + 1, true
	}
	return "", 0, false
}

func numberLength(s string) int {
	i := 0
	digits := func() {
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
	}
	digits()
	if i < len(s) && s[i] == '.' {
		i++
		digits()
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		before := i
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if i == len(s) || s[i] < '0' || s[i] > '9' {
			return before
		}
		digits()
	}
	return i
}
