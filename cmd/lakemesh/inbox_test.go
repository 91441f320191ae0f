package main

import (
	"strings"
	"testing"
)

// lines is a terminal: each read gets a line, as it was typed.
type lines struct{ typed []string }

func (l *lines) Read(p []byte) (int, error) {
	if len(l.typed) == 0 {
		return copy(p, "\n"), nil
	}
	n := copy(p, l.typed[0]+"\n")
	l.typed = l.typed[1:]
	return n, nil
}

// walks is somebody who types lines in the inbox.
func walks(typed ...string) *person { return &person{answer: &lines{typed}} }

func TestTheInboxIsWalked(t *testing.T) {
	t.Parallel()
	m := newTerminalMesh(t)
	first := m.request("SELECT")
	second := m.request("DESCRIBE")
	third := m.request("SELECT,DESCRIBE")
	state := func(id string) string {
		out, _ := m.run(0, nil, "subscription", "get", id)
		return out
	}

	// Whoever goes away has decided nothing.
	_, errs := m.run(0, walks("q"), "request", "approve")
	m.want(errs, "^request 1 of 3$", `^asked by .*user/Consumer`, "^notes +please", "^request approve: ", `\[a\]pprove, \[n\]arrow, \[d\]eny, \[s\]kip, \[q\]uit:`, "approved 0, denied 0, skipped 0 of 3")
	for _, id := range []string{first, second, third} {
		m.want(state(id), "^status +Pending")
	}
	// A word that is none, and a condition that is none, are asked for again; they do not become
	// the answer to the next request.
	_, errs = m.run(0, walks("x", "n", "", "", "temp_max >", "", "s", "s", "s"), "request", "approve")
	m.want(errs, "a, n, d, s or q$", "error: --rows: ", "approved 0, denied 0, skipped 3 of 3")
	for _, id := range []string{first, second, third} {
		m.want(state(id), "^status +Pending")
	}

	// One is narrowed and approved, one denied with a note, one left. In which order they come is
	// not said.
	_, errs = m.run(0, walks("n", "", "", "", "2199-12-31", "a", "for a while", "d", "not now", ""), "request", "approve")
	m.want(errs, "until +2199-12-31 23:59:59", "approved 1, denied 1, skipped 1 of 3")
	var all strings.Builder
	for _, id := range []string{first, second, third} {
		all.WriteString(state(id))
	}
	m.want(all.String(), "^status +Active", "^until +2199-12-31 23:59:59", "for a while", "^status +Denied", "not now", "^status +Pending")
}

// Without a terminal, with a flag of one decision, or with --dry-run there is no walk.
func TestTheInboxIsForPeople(t *testing.T) {
	t.Parallel()
	m := newTerminalMesh(t)
	m.request("SELECT")
	_, errs := m.run(2, nil, "request", "approve")
	m.want(errs, "--request-id: it is required")
	m.run(2, walks("a"), "request", "approve", "--grant-permissions", "SELECT")
	m.run(2, walks("a"), "request", "approve", "--yes")
	m.run(2, walks("a"), "request", "approve", "--dry-run")
	out, _ := m.run(0, nil, "request", "list")
	m.want(out, "weather")
}
