package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh"
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

// Who types q at the note, as at the question before it, goes back to the request.
func TestQAtTheNoteIsNoNote(t *testing.T) {
	t.Parallel()
	m := newTerminalMesh(t)
	id := m.request("SELECT")
	for _, decision := range []string{"a", "d"} {
		_, errs := m.run(0, walks(decision, "q", "q"), "request", "approve")
		m.want(errs, `note \(Enter: none, q: back to the request\): `, "approved 0, denied 0, skipped 0 of 1")
		out, _ := m.run(0, nil, "subscription", "get", id)
		m.want(out, "^status +Pending")
	}
	_, errs := m.run(0, walks("a", "Q", "a", "quarterly"), "request", "approve")
	m.want(errs, "approved 1, denied 0, skipped 0 of 1")
	out, _ := m.run(0, nil, "subscription", "get", id)
	m.want(out, "^status +Active", "quarterly")
}

// interrupts is somebody who types lines, and interrupts then.
type interrupts struct {
	lines
	interrupt func()
	gone      <-chan struct{}
}

func (l *interrupts) Read(p []byte) (int, error) {
	if len(l.typed) == 0 {
		l.interrupt()
		<-l.gone
		return 0, nil
	}
	return l.lines.Read(p)
}

func TestWhoInterruptsTheInboxIsToldWhatWasBegun(t *testing.T) {
	t.Parallel()
	m := newTerminalMesh(t)
	ids := []string{m.request("SELECT"), m.request("DESCRIBE")}
	walk := func(typed ...string) (int, string) {
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		var stderr bytes.Buffer
		gone := make(chan struct{})
		defer close(gone)
		a := newApp(streams{in: &interrupts{lines{typed}, interrupt, gone}, out: &bytes.Buffer{}, err: &stderr})
		a.local, a.asking, a.interrupted = m.mesh, true, ctx.Done()
		root := a.root()
		root.SetArgs([]string{"--local", "request", "approve"})
		err := root.ExecuteContext(ctx)
		a.screen.done()
		return a.report(ctx, "lakemesh", err), stderr.String()
	}
	for _, typed := range [][]string{{}, {"a"}, {"d"}, {"n"}} {
		code, errs := walk(typed...)
		if code != exitUnconfirmed || strings.Contains(errs, "begun") {
			t.Errorf("%q: exit code %d: %s", typed, code, errs)
		}
	}
	for _, id := range ids {
		out, _ := m.run(0, nil, "subscription", "get", id)
		m.want(out, "^status +Pending")
	}
	code, errs := walk("d", "not now", "a")
	if code != exitFailed || strings.Contains(errs, "begun") {
		t.Errorf("exit code %d: %s", code, errs)
	}
	m.want(errs, "the walk was ended; approved 0, denied 1, skipped 0 of 2", "^hint: .*what was decided stays")
}

func TestWhatWasLeftUnfinishedIsFinishedByACommand(t *testing.T) {
	t.Parallel()
	for _, action := range []lakemesh.Action{lakemesh.ActionApprove, lakemesh.ActionDeny, lakemesh.ActionUpdate, lakemesh.ActionDelete} {
		_, hint := explain(fmt.Errorf("request deny: %w", &lakemesh.ClaimedError{SubscriptionID: "a-b", Wanted: lakemesh.ActionDeny, Claim: lakemesh.Claim{Action: action, By: "x"}, Expired: true}))
		if !strings.Contains(hint, "lakemesh subscription abort a-b") || len(untypableIn("hint: "+hint+"\n")) > 0 {
			t.Errorf("%s: %q", action, hint)
		}
	}
	_, hint := explain(&lakemesh.ClaimedError{SubscriptionID: "a-b", Claim: lakemesh.Claim{Action: lakemesh.ActionApprove}})
	if hint != "" {
		t.Errorf("while it is carried out: %q", hint)
	}
}

// The text of an SVG picture is nothing for a terminal.
func TestAPictureAtATerminalIsText(t *testing.T) {
	t.Parallel()
	m := newTerminalMesh(t)
	draw := func(width int, flags ...string) (string, string) {
		var stdout, stderr bytes.Buffer
		a := newApp(streams{in: strings.NewReader(""), out: &stdout, err: &stderr})
		a.local, a.width = m.mesh, width
		root := a.root()
		root.SetArgs(append([]string{"--local", "mesh", "picture", "--limit", "5"}, flags...))
		if err := root.ExecuteContext(t.Context()); err != nil {
			t.Fatal(errors.Join(err, errors.New(stderr.String())))
		}
		a.screen.done()
		return stdout.String(), stderr.String()
	}
	out, errs := draw(80)
	m.want(out, "^flowchart LR")
	m.want(errs, "to keep a picture: lakemesh --local mesh picture --limit 5 > mesh.svg$")
	for _, test := range []struct {
		width int
		flags []string
	}{{0, nil}, {80, []string{"--format", "svg"}}} {
		out, errs = draw(test.width, test.flags...)
		m.want(out, "^<svg ")
		if strings.Contains(errs, "to keep") {
			t.Error(errs)
		}
	}
}
