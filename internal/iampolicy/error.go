package iampolicy

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong with a document. An [*Error] wraps one of these.
var (
	ErrSyntax              = errors.New("not valid JSON")
	ErrUnknownElement      = errors.New("unknown element")
	ErrMissingElement      = errors.New("missing element")
	ErrDuplicateElement    = errors.New("element given twice")
	ErrConflictingElements = errors.New("elements exclude each other")
	ErrMisplacedElement    = errors.New("element not allowed in this kind of policy")
	ErrInvalidValue        = errors.New("invalid value")
	ErrDuplicateSID        = errors.New("statement id used twice")
)

// An Error says what is wrong with a document, and where.
type Error struct {
	// Statement is the index of the statement, or -1 when it is about the document as a whole.
	Statement int
	// SID is the id of the statement, where it has one.
	SID string
	// Element is the element, such as "Effect" or "Condition.StringEquals.aws:username".
	Element string
	// Detail says more, for people.
	Detail string
	// Err is one of the errors of this package.
	Err error
}

// Error says where in the document the problem is, and what it is.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("policy document")
	if e.Statement >= 0 {
		fmt.Fprintf(&b, ": statement %d", e.Statement)
		if e.SID != "" {
			fmt.Fprintf(&b, " (%q)", e.SID)
		}
	}
	if e.Element != "" {
		b.WriteString(": ")
		b.WriteString(e.Element)
	}
	b.WriteString(": ")
	b.WriteString(e.Err.Error())
	if e.Detail != "" {
		b.WriteString(": ")
		b.WriteString(e.Detail)
	}
	return b.String()
}

// Unwrap returns the error of this package that says what kind of problem it is.
func (e *Error) Unwrap() error { return e.Err }
