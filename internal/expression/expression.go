// Package expression tells which tables a table expression means. An expression is
// a table's name, or a regular expression for whole names. A name that exists is that
// name, also where it would be a regular expression: a text is one only where no table
// has it for its name. It is matched here, on names listed from Glue: how Glue's own
// expressions are anchored is not documented.
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
	// broken is why a text is no regular expression; it may be a name all the same.
	broken error
}

// Parse compiles an expression; parameter is what messages call it. An empty
// expression means every table. A text of letters, digits, _ and - is the name of
// one table, in any case. Everything else may be the name of a table, which its
// listing shows ([Expression.Names]); if none has it, it is a regular expression in
// Go's syntax that must match the whole of a name, in any case: "orders_.*".
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
		err = lakemesh.Invalid(parameter, "%q is neither a table's name nor a regular expression: %s", text,
			strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return Expression{text: text, pattern: pattern, broken: err}, nil
}

// All reports whether the expression means every table.
func (e Expression) All() bool { return e.text == "" }

// Name is the one name that the expression means, folded; ok is false for what may be
// a regular expression, and for one that means every table.
func (e Expression) Name() (name string, ok bool) {
	if e.pattern != nil || e.broken != nil || e.text == "" {
		return "", false
	}
	return strings.ToLower(e.text), true
}

// Names reports whether the text of the expression is that name. Where a table has it,
// the expression is [Expression.Literal].
func (e Expression) Names(name string) bool {
	// As Glue folds names, which takes fewer letters for the same than EqualFold.
	mine, theirs := strings.ToLower(e.text), strings.ToLower(name)
	return e.text != "" && mine == theirs
}

// Literal is the expression that means the table of that name alone.
func (e Expression) Literal() Expression { return Expression{text: e.text} }

// Fault is why the text is no regular expression, for when no table has that name; nil
// if it is one, or a plain name.
func (e Expression) Fault() error { return e.broken }

// Match reports whether the expression means the table of that name.
func (e Expression) Match(name string) bool {
	switch {
	case e.All():
		return true
	case e.pattern != nil:
		return e.pattern.MatchString(name)
	}
	return e.Names(name)
}

// String is the expression as it was written.
func (e Expression) String() string { return e.text }
