package printable_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lakemesh/lakemesh/internal/printable"
)

func TestTextsOfOthersBecomeVisible(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, line string }{
		{"plain", "weather of São Paulo, 東京", "weather of São Paulo, 東京"},
		{"emoji with a selector", "☀️", "☀️"},
		{"an Arabic sign of a number", "\u0600", "\u0600"},
		{"escape", "\x1b[2J", `\u001b[2J`},
		{"OSC 52", "\x1b]52;c;aGk=\x07", `\u001b]52;c;aGk=\u0007`},
		{"delete", "\x7f", `\u007f`},
		{"C1", "a\u0080\u009bb\u0085", `a\u0080\u009bb\u0085`},
		{"raw bytes of C1", "\x9b31m", `\ufffd31m`},
		{"half a character", "a\xe2\x80", `a\ufffd\ufffd`},
		{"a surrogate", "\xed\xa0\x80", `\ufffd\ufffd\ufffd`},
		{"the replacement character itself", "\ufffd", "\ufffd"},
		{"carriage return", "a\rb", `a\rb`},
		{"newline and tab", "a\n\tb", `a\n\tb`},
		{"bidi", "\u202a\u202e\u2066\u2069\u200e\u200f\u061c", `\u202a\u202e\u2066\u2069\u200e\u200f\u061c`},
		{"zero width", "\u200b\u200c\u200d\u2060\ufeff\u00ad", `\u200b\u200c\u200d\u2060\ufeff\u00ad`},
		{"separators", "\u2028\u2029", `\u2028\u2029`},
		{"tags", "\U000e0000\U000e0041\U000e007f", `\udb40\udc00\udb40\udc41\udb40\udc7f`},
		{"selectors of variants that hide text", "\U000e0100", `\udb40\udd00`},
		{"fillers", "\u115f\u3164", `\u115f\u3164`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := printable.Line(test.text); got != test.line {
				t.Errorf("got %q, want %q", got, test.line)
			}
			if printable.Is(test.text) != (test.text == test.line) {
				t.Errorf("%q: Is says %v", test.text, printable.Is(test.text))
			}
		})
	}
	if got := printable.Text("a\n\tb\r\n"); got != "a\n\tb\\r\n" {
		t.Errorf("a text of several lines is %q", got)
	}
}

// Fuzz: whatever comes, a line holds nothing that is not seen, and a JSON text still
// means the same.
func Fuzz(f *testing.F) {
	for _, seed := range []string{"", "a\\", "\x1b]52;c;aGk=\x07", "\xff\u009b\u202e\U000e0041\r\n\t", `"\`, "\u2028\x7f\x80"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := printable.Line(s)
		if !printable.Is(line) || !utf8.ValidString(line) || strings.ContainsAny(line, "\x1b\r\n\t\x7f\u009b\u202e\u200b\u2028\ufeff\U000e0041") {
			t.Errorf("%q became %q", s, line)
		}
		encoded, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var before, after string
		if err := json.Unmarshal(encoded, &before); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(printable.Text(string(encoded))), &after); err != nil || after != before {
			t.Errorf("%q reads as %q (%v)", before, after, err)
		}
	})
}
