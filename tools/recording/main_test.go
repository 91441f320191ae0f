package main

import (
	"html"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The recording shows what its description says. Whether the description is what the program
// prints by now is a test of the command.
func TestTheRecordingShowsWhatItSays(t *testing.T) {
	t.Parallel()
	svg, err := os.ReadFile("../../docs/pictures/demo.svg")
	if err != nil {
		t.Fatal(err)
	}
	said := regexp.MustCompile(`(?s)<desc>(.*)</desc>`).FindStringSubmatch(string(svg))
	if said == nil {
		t.Fatal("the recording has no description")
	}
	if Record("lakemesh demo", html.UnescapeString(said[1])) != string(svg) {
		t.Error("make it anew: lakemesh demo | go run ./tools/recording > docs/pictures/demo.svg")
	}
}

func TestLinesFitTheTerminal(t *testing.T) {
	t.Parallel()
	long := " 1 ✓ mesh     " + strings.Repeat("some words ", 40) + "end"
	all := wrapped(long)
	var words []string
	for i, r := range all {
		if n := len([]rune(r.text)); n > columns {
			t.Errorf("a line has %d columns", n)
		}
		if r.step != (i == 0) {
			t.Errorf("line %d: a step begins: %t", i, r.step)
		}
		words = append(words, strings.Fields(r.text)...)
	}
	if strings.Join(words, " ") != strings.Join(strings.Fields(long), " ") {
		t.Errorf("words are lost: %q", words)
	}
}

func TestWhatIsPrintedStaysText(t *testing.T) {
	t.Parallel()
	svg := Record("x", "<script>alert(1)</script> & \x1b[31mred\x1b[0m\n")
	if strings.Contains(svg, "<script") || strings.Contains(svg, "\x1b[31m<") || !strings.Contains(svg, "&amp;\u00a0red") {
		t.Error(svg)
	}
}
