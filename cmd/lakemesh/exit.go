package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/lakemesh/lakemesh/internal/printable"
)

// Much of what is shown was written by somebody else: a consumer writes names and notes
// which its approver reads. Two things keep such a text from acting on a terminal, and
// from looking like a line of ours:
//
//   - whatever makes a line takes the texts in it through [printable.Line], and only then
//     gives it a style: renderTable, renderFacts, line, the looks of style.go;
//   - stdout and stderr take what is written through exit, which lets newlines, tabs and
//     our own styles pass and nothing else that is not seen.

// exit is the last that everything passes which is written to stdout or stderr.
type exit struct{ w io.Writer }

// kept is a writer that keeps its first error: most of what is printed is not looked at when
// it is, and a result that could not be written is a failure all the same.
type kept struct {
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (k *kept) Write(p []byte) (int, error) {
	n, err := k.w.Write(p)
	if err != nil && k.err == nil {
		k.err = err
	}
	return n, err
}

// Write implements io.Writer. Each call stands alone: a character, or a style, that is
// begun in one and ended in the next is not let through.
func (e exit) Write(p []byte) (int, error) {
	if _, err := io.WriteString(e.w, leave(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// styles are the sequences of style.go, and those of the log: bold, faint and the colours
// of letters. They hide nothing, and move nothing.
var styles = regexp.MustCompile(`\x1b\[(?:(?:[0-2]|22|3[1-6]|9[1-6])(?:;(?:[0-2]|22|3[1-6]|9[1-6]))*)?m`)

// leave is a text as it leaves the program.
func leave(text string) string {
	var b strings.Builder
	from := 0
	for _, at := range styles.FindAllStringIndex(text, -1) {
		b.WriteString(printable.Text(text[from:at[0]]))
		b.WriteString(text[at[0]:at[1]])
		from = at[1]
	}
	b.WriteString(printable.Text(text[from:]))
	return b.String()
}

// line formats a line. What is a text in it cannot begin another one, and has no style
// but that of a look.
func line(format string, args ...any) string {
	safe := make([]any, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case styled:
			safe[i] = arg
		case string:
			safe[i] = printable.Line(arg)
		case error:
			safe[i] = printable.Line(arg.Error())
		case fmt.Stringer:
			safe[i] = printable.Line(arg.String())
		default:
			safe[i] = arg
		}
	}
	return fmt.Sprintf(format, safe...)
}

// eachLine makes every text a line.
func eachLine(texts []string) []string {
	safe := make([]string, len(texts))
	for i, text := range texts {
		safe[i] = printable.Line(text)
	}
	return safe
}
