package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// fitHelp breaks the help of all commands between words, on a terminal that is narrower than
// what is written here. What is indented, such as examples, stays as it is.
func (a *app) fitHelp(root *cobra.Command) {
	if a.width == 0 {
		return
	}
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", a.width)))
	fit(root, a.width)
}

func fit(cmd *cobra.Command, width int) {
	cmd.Long = reflowed(cmd.Long, width)
	for _, c := range cmd.Commands() {
		fit(c, width)
	}
}

// reflowed is a text whose paragraphs are as wide as a terminal. Those that hold an indented
// line keep their lines.
func reflowed(text string, width int) string {
	paragraphs := strings.Split(text, "\n\n")
	for i, p := range paragraphs {
		if !strings.HasPrefix(p, " ") && !strings.Contains(p, "\n ") {
			paragraphs[i] = wrapped(strings.ReplaceAll(p, "\n", " "), width, "")
		}
	}
	return strings.Join(paragraphs, "\n\n")
}
