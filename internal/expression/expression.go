// Package expression tells which tables a table expression means. An expression is
// a table's name, or a regular expression for whole names. It is matched here, on
// names listed from Glue: how Glue's own expressions are anchored is not
// documented.
//
// # Errors
//
// What is no expression is a [github.com/lakemesh/lakemesh.ErrInvalidInput].
package expression

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/lakemesh/lakemesh"
)

// MaxLength is how long an expression, and a name, may be, in characters.
const MaxLength = 255

// plain are the characters of a name that mean themselves.
var plain = regexp.MustCompile(`^[\p{L}\p{N}_-]+$`)

// Expression is a compiled table expression. The zero value means every table.
type Expression struct {
	text    string
	pattern *regexp.Regexp
}

// Parse compiles an expression; parameter is what messages call it. An empty
// expression means every table. A text of letters, digits, _ and - is the name of
// one table, in any case. Everything else is a regular expression in Go's syntax
// that must match the whole of a name, in any case: "orders_.*".
func Parse(parameter, text string) (Expression, error) {
	if utf8.RuneCountInString(text) > MaxLength {
		return Expression{}, lakemesh.Invalid(parameter, "an expression has at most %d characters, and this has %d", MaxLength, utf8.RuneCountInString(text))
	}
	if text == "" || plain.MatchString(text) {
		return Expression{text: text}, nil
	}
	// Alone first: what closes the group that is put around it, as "a)|(b" does,
	// would not be anchored.
	_, err := regexp.Compile(text)
	var pattern *regexp.Regexp
	if err == nil {
		pattern, err = regexp.Compile(`(?i)\A(?:` + text + `)\z`)
	}
	if err != nil {
		return Expression{}, lakemesh.Invalid(parameter, "%q is neither a table's name nor a regular expression: %s", text,
			strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return Expression{text: text, pattern: pattern}, nil
}

// All tells whether the expression means every table.
func (e Expression) All() bool { return e.text == "" }

// Name is the one name that the expression means, folded; ok is false for a
// regular expression, and for one that means every table.
func (e Expression) Name() (name string, ok bool) {
	if e.pattern != nil || e.text == "" {
		return "", false
	}
	return strings.ToLower(e.text), true
}

// Match tells whether the expression means the table of that name.
func (e Expression) Match(name string) bool {
	switch {
	case e.All():
		return true
	case e.pattern != nil:
		return e.pattern.MatchString(name)
	}
	return strings.EqualFold(e.text, name)
}

// String is the expression as it was written.
func (e Expression) String() string { return e.text }
