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

func TestAnswersInTheInboxAreCheckedAtOnce(t *testing.T) {
	t.Parallel()
	m := newTerminalMesh(t)
	id := m.request("SELECT,DESCRIBE")
	// A word that is none is asked for again, without the request before it.
	_, errs := m.run(0, walks("x", "q"), "request", "approve")
	m.want(errs, "q.uit: a, n, d, s or q\n\\[a\\]pprove")
	// An answer that is none is told at once, above the same question, and leaves nothing. What
	// holds stands in the question.
	_, errs = m.run(0, walks("n",
		"READ", "SELECT",
		"nonsense", "location,date",
		"temp_max >", "temp_max > 30",
		"tomorrow", "2020-01-01", "30d",
		"n", "", "none", "", "none", "s"), "request", "approve")
	m.want(errs,
		`permissions, .* \(Enter keeps: .*\): error: .*READ`, `permissions, .*\): only these columns`,
		`only these columns.* \(Enter keeps: all of them\): error: .*nonsense`, `only these columns.*: only rows`,
		`only rows .* \(Enter keeps: all of them\): error: --rows: `, `only rows .*: until`,
		`until.* \(Enter keeps: no end\): error: --until: .*30d`, `^until.* \(Enter keeps: no end\): error: .*2020`,
		`^of only +columns date, location.*rows where temp_max > 30`, `^until +20.. .*23:59:59$|^until +\d{4}-\d\d-\d\d 23:59:59$`,
		`permissions, .* \(Enter keeps: SELECT\): only these columns.* \(Enter keeps: date,location\): only rows .* \(Enter keeps: temp_max > 30\): until.* \(Enter keeps: \d{4}-\d\d-\d\d 23:59:59\): *$`,
		"approved 0, denied 0, skipped 1 of 1")
	out, _ := m.run(0, nil, "subscription", "get", id)
	m.want(out, "^status +Pending")
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
