package rowfilter

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lakemesh/lakemesh/internal/printable"
)

// What can be wrong with a condition. An [*Error] wraps one of these.
var (
	// ErrSyntax: the text is not a condition.
	ErrSyntax = errors.New("not a row condition")
	// ErrTooLong: the text, or its normal form, is too long or too deep.
	ErrTooLong = errors.New("row condition too long")
	// ErrColumn: a column does not exist, or more than one could be meant.
	ErrColumn = errors.New("no such column")
	// ErrType: a constant or an operator does not go with the type of the column, or no condition can be on it.
	ErrType = errors.New("wrong type")
	// ErrTable: no row condition can be on this table.
	ErrTable = errors.New("not a table for row conditions")
)

// A Position is a place in the text of a condition. The zero value is none.
type Position struct {
	// Character counts characters, from 1.
	Character int
	// Byte counts bytes, from 0.
	Byte int
}

// An Error says what is wrong with a condition, and where.
type Error struct {
	// At is where in the text it is; zero when it is about the whole.
	At Position
	// Message says what is wrong, in one line.
	Message string
	// Hint says what to write instead, or is empty.
	Hint string
	// Kind is one of the errors of this package.
	Kind error
}

// Error says all of it in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("row condition")
	if e.At.Character > 0 {
		fmt.Fprintf(&b, ", at character %d", e.At.Character)
	}
	b.WriteString(": " + e.Message)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// Unwrap returns the error of this package that says what kind of problem it is.
func (e *Error) Unwrap() error { return e.Kind }

// refuse makes an error. Names of columns and types are texts of whoever made the table, who
// can be another party than the one that reads the error.
func refuse(kind error, at Position, hint, format string, args ...any) error {
	return &Error{At: at, Message: printable.Line(fmt.Sprintf(format, args...)), Hint: printable.Line(hint), Kind: kind}
}
