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
	// An empty value can be a default, and is none to be typed.
	named := slices.DeleteFunc(slices.Sorted(slices.Values(c.legal)), func(l string) bool { return l == "" })
	return fmt.Errorf("one of %s is expected", strings.Join(named, ", "))
}

// digest is a flag that names a plan. An empty one would agree to any plan, and is what
// a variable has that was never set.
type digest struct{ value *string }

func (d digest) String() string { return *d.value }
func (d digest) Type() string   { return "string" }

func (d digest) Set(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("the digest that --dry-run has shown is expected")
	}
	*d.value = s
	return nil
}

// name is a flag that names somebody or something. An empty one would stand for the default,
// such as an administrator, and is what a variable has that was never set.
type name struct{ value *string }

// newName makes a name with a default.
func newName(value *string, otherwise string) name {
	*value = otherwise
	return name{value}
}

func (n name) String() string { return *n.value }
func (n name) Type() string   { return "string" }

func (n name) Set(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("a value is expected")
	}
	*n.value = s
	return nil
}

// list is a flag with several values: separated by commas, given several times, or
// as a JSON list. Commas inside brackets, such as those of an expression, do not
// separate.
type list struct {
	values *[]string
	// none accepts "none", "" and [] for an empty list that was given.
	none bool
	// said has nothing mean what "none" does but that word and []: a variable that was never
	// set shall not open what the flag narrows.
	said bool
}

func (l list) String() string { return strings.Join(*l.values, ",") }
func (l list) Type() string   { return "list" }

func (l list) Set(s string) error {
	s = strings.TrimSpace(s)
	if s == "" && l.said {
		return errors.New("a value is expected, or none")
	}
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
