package main

import "testing"

func TestACellOfCSVIsNoFormula(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{"": "", "orders": "orders", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "  =1": "'  =1", "a=b": "a=b"} {
		if got := harmless(cell); got != want {
			t.Errorf("%q: %q, want %q", cell, got, want)
		}
	}
}
