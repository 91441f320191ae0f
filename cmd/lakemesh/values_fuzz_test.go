package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// FuzzList reads lists of the command line: no value is lost, made up or empty.
func FuzzList(f *testing.F) {
	for _, seed := range []string{"a,b", `["a","b,c"]`, `r.{1,9},[a,b]x,(c,d),\{,e`, "none", "", "[]", "[", ",", `\`, `["a"`, "a,,b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var values []string
		if err := (list{values: &values, none: true}).Set(text); err != nil {
			return
		}
		if values == nil {
			t.Errorf("%q was accepted and is nothing", text)
		}
		var parsed []string
		if json.Unmarshal([]byte(strings.TrimSpace(text)), &parsed) == nil && parsed != nil {
			if !slices.Equal(values, parsed) {
				t.Errorf("%q is %q", text, values)
			}
			return
		}
		for _, v := range values {
			if strings.TrimSpace(v) == "" || !strings.Contains(text, v) {
				t.Errorf("%q has the value %q", text, v)
			}
		}
	})
}

// FuzzJoinBooleans joins flags: whatever comes, no argument is lost.
func FuzzJoinBooleans(f *testing.F) {
	f.Add("--create_public_metadata false x")
	f.Add("--use-original-table-name TRUE --use-original-table-name")
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, " ")
		joined := strings.Join(joinBooleans(args), " ")
		normal := func(s string) string {
			return strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(s, "=", " "), "_", "-"))
		}
		if normal(joined) != normal(line) {
			t.Errorf("%q became %q", line, joined)
		}
	})
}
