package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// choice is a flag with a few legal values, in any case.
type choice struct {
	value *string
	legal []string
}

// newChoice makes a choice whose first legal value is the default.
func newChoice(value *string, legal ...string) *choice {
	*value = legal[0]
	return &choice{value, legal}
}

func (c *choice) String() string { return *c.value }
func (c *choice) Type() string   { return "string" }

func (c *choice) Set(s string) error {
	for _, l := range c.legal {
		if strings.EqualFold(l, s) {
			*c.value = l
			return nil
		}
	}
	return fmt.Errorf("one of %s is expected", strings.Join(slices.Sorted(slices.Values(c.legal)), ", "))
}

// list is a flag with several values: separated by commas, given several times, or
// as a JSON list. Commas inside brackets, such as those of an expression, do not
// separate.
type list struct {
	values *[]string
	// none accepts "none", "" and [] for an empty list that was given.
	none bool
}

func (l list) String() string { return strings.Join(*l.values, ",") }
func (l list) Type() string   { return "list" }

func (l list) Set(s string) error {
	s = strings.TrimSpace(s)
	if empty := s == "" || s == "[]" || l.none && strings.EqualFold(s, "none"); empty {
		if !l.none {
			return errors.New("a value is expected")
		}
		if *l.values == nil {
			*l.values = []string{}
		}
		return nil
	}
	var parsed []string
	if strings.HasPrefix(s, "[") && json.Unmarshal([]byte(s), &parsed) == nil {
		*l.values = append(*l.values, parsed...)
		return nil
	}
	for _, v := range splitList(s) {
		if v = strings.TrimSpace(v); v == "" {
			return fmt.Errorf("%q has an empty value", s)
		}
		*l.values = append(*l.values, v)
	}
	return nil
}

func splitList(s string) []string {
	var parts []string
	depth, begin, escaped := 0, 0, false
	for i := range len(s) {
		switch c := s[i]; {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case strings.IndexByte(")]}", c) >= 0:
			depth--
		case c == ',' && depth <= 0:
			parts = append(parts, s[begin:i])
			begin = i + 1
		}
	}
	return append(parts, s[begin:])
}
