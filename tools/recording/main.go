// Command recording makes a recording of a terminal of what a command prints, as an SVG
// picture that moves:
//
//	lakemesh demo | go run ./tools/recording -title "lakemesh demo" > docs/pictures/demo.svg
//
// All of the text is in the picture's description, for those who do not see it, and for the
// test that compares it with what the command prints by now.
package main

import (
	"flag"
	"fmt"
	"html"
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

func main() {
	title := flag.String("title", "lakemesh demo", "the command that was run")
	flag.Parse()
	text, err := io.ReadAll(os.Stdin)
	if err == nil {
		_, err = os.Stdout.WriteString(Record(*title, string(text)))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "recording:", err)
		os.Exit(1)
	}
}

// Measures of the terminal: letters, and pixels.
const (
	columns    = 104
	rows       = 28
	letter     = 7.8
	lineHeight = 18
	margin     = 16
	bar        = 34
	// seconds is for how long a step is seen before the next one, and the last one longer.
	seconds = 1.1
	last    = 6.0
)

// row is a line of the terminal.
type row struct {
	text   string
	colour string
	// step says that a step of the demo begins here.
	step bool
}

// Record draws a recording of what a command prints.
func Record(title, text string) string {
	text = ansi.Strip(text)
	all := []row{{text: "$ " + title, colour: "#7ee787"}}
	for line := range strings.Lines(text) {
		all = append(all, wrapped(strings.TrimRight(line, "\n"))...)
	}
	// seen is how many rows are there at each moment.
	seen := []int{1}
	for i, r := range all {
		if r.step && i > 1 {
			seen = append(seen, i)
		}
	}
	seen = append(seen, len(all))
	whole := float64(len(seen)-1)*seconds + last

	width, height := float64(columns)*letter+2*margin, float64(bar+rows*lineHeight+margin)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img" font-family="ui-monospace, SFMono-Regular, Menlo, 'DejaVu Sans Mono', 'Liberation Mono', monospace" font-size="12.5">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n<desc>%s</desc>\n", html.EscapeString(title), html.EscapeString(text))
	// It begins with its end: who shows no motion shows that.
	b.WriteString("<style>\n.t{white-space:pre}\n@media (prefers-reduced-motion: no-preference){\n")
	fmt.Fprintf(&b, "#s{animation:s %.1fs step-end %.1fs infinite}#c{animation:c %.1fs step-end %.1fs infinite}\n", whole, last/2-whole, whole, last/2-whole)
	for _, k := range []struct {
		name string
		at   func(int) float64
	}{{"s", func(n int) float64 { return -float64(max(0, n-rows)) * lineHeight }}, {"c", func(n int) float64 { return float64(n) * lineHeight }}} {
		fmt.Fprintf(&b, "@keyframes %s{", k.name)
		for i, n := range seen {
			fmt.Fprintf(&b, "%.2f%%{transform:translateY(%.0fpx)}", float64(i)*seconds/whole*100, k.at(n))
		}
		b.WriteString("}\n")
	}
	b.WriteString("}\n</style>\n")
	fmt.Fprintf(&b, `<rect width="%.0f" height="%.0f" rx="8" fill="#0d1117"/><circle cx="18" cy="17" r="5" fill="#ff5f57"/><circle cx="36" cy="17" r="5" fill="#febc2e"/><circle cx="54" cy="17" r="5" fill="#28c840"/>`+"\n", width, height)
	fmt.Fprintf(&b, `<clipPath id="w"><rect y="%d" width="%.0f" height="%d"/></clipPath>`+"\n", bar, width, rows*lineHeight)
	b.WriteString(`<g clip-path="url(#w)"><g id="s">` + "\n")
	for i, r := range all {
		if r.text != "" {
			fmt.Fprintf(&b, `<text class="t" x="%d" y="%d" fill="%s">%s</text>`+"\n", margin, bar+13+i*lineHeight, r.colour, spaced(r.text))
		}
	}
	// The cover hides what is not printed yet. Without motion it hides nothing.
	fmt.Fprintf(&b, `</g></g><g clip-path="url(#w)"><g id="c" transform="translate(0 %d)"><rect y="%d" width="%.0f" height="%d" fill="#0d1117"/></g></g>`+"\n", rows*lineHeight, bar, width, rows*lineHeight)
	b.WriteString("</svg>\n")
	return b.String()
}

// spaced keeps spaces where one stands beside another: they are layout.
func spaced(text string) string {
	return html.EscapeString(strings.ReplaceAll(text, " ", "\u00a0"))
}

// wrapped is a line as a terminal of this width shows it, as the command itself would: what
// goes on below is indented.
func wrapped(line string) []row {
	const hanging = 5
	colour, step := "#8b949e", false
	switch {
	case strings.HasPrefix(strings.TrimLeft(line, " 0123456789"), "✓"):
		colour, step = "#e6edf3", true
	case strings.HasPrefix(strings.TrimLeft(line, " 0123456789"), "⊘"):
		colour, step = "#f0b72f", true
	case strings.HasPrefix(line, "done:"):
		colour, step = "#7ee787", true
	}
	indent := len(line) - len(strings.TrimLeft(line, " "))
	current := line[:indent]
	fresh := true
	var out []row
	for w := range strings.SplitSeq(line[indent:], " ") {
		switch {
		case fresh:
			current += w
		case ansi.StringWidth(current)+1+ansi.StringWidth(w) > columns:
			out = append(out, row{current, colour, step && len(out) == 0})
			current = strings.Repeat(" ", hanging) + w
		default:
			current += " " + w
		}
		fresh = false
	}
	return append(out, row{current, colour, step && len(out) == 0})
}
