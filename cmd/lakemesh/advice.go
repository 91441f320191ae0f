package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/lakemesh/lakemesh/internal/printable"
)

// advise tells a person a text on stderr, behind a word of its kind. On a terminal it is broken
// between words, and what is to be copied stays whole: ARNs, and commands.
func (a *app) advise(kind styled, text string) {
	text = printable.Line(a.here(text))
	column := ansi.StringWidth(string(kind))
	if a.errWidth > column {
		text = spelledOut.ReplaceAllStringFunc(text, func(command string) string { return strings.ReplaceAll(command, " ", joint) })
		text = strings.ReplaceAll(wrapped(text, a.errWidth-column, strings.Repeat(" ", column)), joint, " ")
	}
	fmt.Fprintln(a.err, string(kind)+text)
}

// spelledOut is a command in a sentence: from the program's name to where the sentence goes on.
var spelledOut = regexp.MustCompile(`\blakemesh (?:--|[a-z])(?:'[^']*'|[^',;()"]|,[^ ])*`)

// joint stands for the spaces of a command while a text is broken at spaces.
const joint = "\u2420"
