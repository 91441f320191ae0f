package expr

import (
	"fmt"
	"strings"
)

// The kinds of tokens that only statements have. Those of expressions stand for
// the same here: a word, a mark, the end.
const (
	tokenQuoted    tokenKind = 100 + iota // "name"
	tokenText                             // 'text'
	tokenLiteral                          // a number
	tokenParameter                        // ?
)

const notWellFormed = "Statement wasn't well formed, can't be processed: "

func malformed(what string) error { return refuse("%s%s", notWellFormed, what) }

// statementMarks are the marks of statements, those before of which others are the beginning.
var statementMarks = []string{"<<", ">>", "<=", ">=", "<>", "!=", "=", "<", ">", "(", ")", "[", "]", "{", "}", ",", ".", ":", "*", "+", "-", "/", "%", "||", ";"}

// lexStatement cuts a statement into tokens, of which the last is tokenEnd. What
// cannot be read at all is refused without a word on it.
func lexStatement(text string) ([]token, error) {
	var tokens []token
	for i := 0; ; {
		next, err := skipBlank(text, i)
		if err != nil {
			return nil, err
		}
		if i = next; i == len(text) {
			return append(tokens, token{tokenEnd, "", i, i}), nil
		}
		t, err := lexToken(text, i)
		if err != nil {
			return nil, err
		}
		tokens, i = append(tokens, t), t.end
	}
}

// skipBlank passes over spaces and comments.
func skipBlank(text string, i int) (int, error) {
	for i < len(text) {
		switch rest := text[i:]; {
		case strings.ContainsRune(" \t\r\n", rune(rest[0])):
			i++
		case strings.HasPrefix(rest, "--"):
			if length := strings.IndexByte(rest, '\n'); length >= 0 {
				i += length
			} else {
				i = len(text)
			}
		case strings.HasPrefix(rest, "/*"):
			length := strings.Index(rest[2:], "*/")
			if length < 0 {
				return i, malformed("")
			}
			i += length + 4
		default:
			return i, nil
		}
	}
	return i, nil
}

func lexToken(text string, i int) (token, error) {
	c := text[i]
	switch {
	case c == '\'' || c == '"':
		return lexQuoted(text, i)
	case c == '?':
		return token{tokenParameter, "?", i, i + 1}, nil
	case isDigit(c) || c == '.' && i+1 < len(text) && isDigit(text[i+1]):
		return lexNumber(text, i), nil
	case isLetter(c) || c == '_' || c == '$':
		end := i + 1
		for end < len(text) && (isWordByte(text[end]) || text[end] == '$') {
			end++
		}
		return token{tokenWord, text[i:end], i, end}, nil
	}
	for _, mark := range statementMarks {
		if strings.HasPrefix(text[i:], mark) {
			return token{tokenMark, mark, i, i + len(mark)}, nil
		}
	}
	return token{}, malformed("")
}

// lexQuoted reads a text or a quoted name, in which the quote is written twice.
func lexQuoted(text string, start int) (token, error) {
	quote := text[start]
	kind := tokenText
	if quote == '"' {
		kind = tokenQuoted
	}
	var b strings.Builder
	for i := start + 1; i < len(text); i++ {
		if text[i] != quote {
			b.WriteByte(text[i])
			continue
		}
		if i+1 == len(text) || text[i+1] != quote {
			return token{kind, b.String(), start, i + 1}, nil
		}
		b.WriteByte(quote)
		i++
	}
	return token{}, malformed("")
}

func lexNumber(text string, start int) token {
	i := start
	digits := func() {
		for i < len(text) && isDigit(text[i]) {
			i++
		}
	}
	digits()
	if i < len(text) && text[i] == '.' {
		i++
		digits()
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		mantissa := i
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		if power := i; power < len(text) && isDigit(text[power]) {
			digits()
		} else {
			i = mantissa
		}
	}
	return token{tokenLiteral, text[start:i], start, i}
}

// place says where a token stands, as line:column:length, in characters from 1 on.
func place(text string, t token) string {
	before := text[:t.start]
	line := strings.Count(before, "\n") + 1
	column := len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1
	return fmt.Sprintf("%d:%d:%d", line, column, len([]rune(text[t.start:t.end])))
}
