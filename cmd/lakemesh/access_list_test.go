package main

import "testing"

func TestACellOfCSVIsNoFormula(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{"": "", "orders": "orders", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "  =1": "'  =1", "a=b": "a=b",
		"\t=1": `\t=1`, "\r\n=1": `\r\n=1`, "\uff1d1": "'\uff1d1", "\u00a0@x": "'\u00a0@x", "\x1b[2J": `\u001b[2J`, "a\nb": `a\nb`} {
		if got := harmless(cell); got != want {
			t.Errorf("%q: %q, want %q", cell, got, want)
		}
	}
}
