package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/demo"
	"github.com/lakemesh/lakemesh/internal/home"
	"github.com/lakemesh/lakemesh/plan"
)

func TestErrorsBecomeExitCodes(t *testing.T) {
	t.Parallel()
	denied := &lakemesh.Error{Kind: lakemesh.ErrAccessDenied}
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("anything"), 1},
		{errNotConfirmed, 8},
		{&lakemesh.Error{Kind: lakemesh.ErrQuota}, 1},
		{usageError{errors.New("no such flag")}, 2},
		{lakemesh.Invalid("x", "y"), 2},
		{&lakemesh.Error{Kind: lakemesh.ErrWrongAccount}, 2},
		{fmt.Errorf("wrapped: %w", lakemesh.NotFound("table t", "1", "")), 3},
		{home.ErrNotRunning, 3},
		{&lakemesh.TransitionError{}, 4},
		{&lakemesh.ClaimedError{}, 4},
		{&lakemesh.Error{Kind: lakemesh.ErrTampered}, 4},
		{&lakemesh.Error{Kind: lakemesh.ErrChanged}, 4},
		{home.ErrBusy, 4},
		{denied, 5},
		{&demo.ExpectationError{Step: "read", Err: denied}, 1},
		{&lakemesh.PartialError{Failed: []lakemesh.StepError{{Step: "s", Err: denied}}}, 6},
	} {
		if got := exitCode(test.err); got != test.want {
			t.Errorf("%v: exit code %d, want %d", test.err, got, test.want)
		}
	}
}

func TestErrorIsToldWithItsHintOnALineOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		want string
	}{
		{&lakemesh.Error{Resource: "table t", Message: "not found", Hint: "publish it"}, "error: table t: not found\nhint:  publish it\n"},
		{fmt.Errorf("publish: %w", &lakemesh.Error{Resource: "table t", Message: "not found", Hint: "publish it"}), "error: publish: table t: not found\nhint:  publish it\n"},
		{errors.New("plain"), "error: plain\n"},
		{&lakemesh.PartialError{Op: "Approve", Done: 1, NotBegun: 2, Failed: []lakemesh.StepError{{Step: "grant", Err: errors.New("refused")}}},
			"error: Approve is partly done: 1 done, 1 failed, 2 not begun\n  failed: grant: refused\nhint:  run the same command again to complete it\n"},
	} {
		var errs bytes.Buffer
		a := newApp(streams{in: strings.NewReader(""), out: new(bytes.Buffer), err: &errs})
		a.begun = true
		a.report(context.Background(), "lakemesh", test.err)
		if d := cmp.Diff(test.want, errs.String()); d != "" {
			t.Error(d)
		}
	}
}

func TestRemovingAsksAtATerminalAndNotWithYes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, answer string
		asking, yes  bool
		done         bool
	}{
		{"yes", "y\n", true, false, true},
		{"no", "n\n", true, false, false},
		{"nothing", "", true, false, false},
		{"not asked", "n\n", true, true, true},
		{"no terminal", "y\n", false, false, false},
		{"no terminal, and yes", "n\n", false, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var errs bytes.Buffer
			a := newApp(streams{in: strings.NewReader(test.answer), out: new(bytes.Buffer), err: &errs})
			a.asking, a.flags.yes = test.asking, test.yes
			done := false
			err := a.remove(
				func() (*plan.Plan, error) {
					p := &plan.Plan{Operation: "Delete"}
					p.Add(plan.Step{Kind: plan.Revoke, Account: "1", Summary: "revoke everything"})
					return p, nil
				},
				func() error { done = true; return nil })
			if done != test.done || (err == nil) != test.done {
				t.Errorf("done is %v with error %v, want %v", done, err, test.done)
			}
			if asked := strings.Contains(errs.String(), "revoke everything"); asked != (test.asking && !test.yes) {
				t.Errorf("asked is %v: %q", asked, errs.String())
			}
		})
	}
}

func TestListFlagsTakeCommasRepetitionAndJSON(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		given []string
		none  bool
		want  []string
		fails bool
	}{
		{given: []string{"a,b", "c"}, want: []string{"a", "b", "c"}},
		{given: []string{" a , b "}, want: []string{"a", "b"}},
		{given: []string{`["a", "b,c"]`}, want: []string{"a", "b,c"}},
		{given: []string{`r.{1,9},[a,b]x,(c,d),\{,e`}, want: []string{"r.{1,9}", "[a,b]x", "(c,d)", `\{`, "e"}},
		{given: []string{"none"}, want: []string{"none"}},
		{given: []string{"none"}, none: true, want: []string{}},
		{given: []string{""}, none: true, want: []string{}},
		{given: []string{"[]"}, none: true, want: []string{}},
		{given: []string{""}, fails: true},
		{given: []string{"[]"}, fails: true},
		{given: []string{"a,,b"}, fails: true},
	} {
		var got []string
		var err error
		for _, g := range test.given {
			err = errors.Join(err, list{values: &got, none: test.none}.Set(g))
		}
		if test.fails {
			if err == nil {
				t.Errorf("%q: no error", test.given)
			}
			continue
		}
		if err != nil || !cmp.Equal(got, test.want) || (got == nil) != (test.want == nil) {
			t.Errorf("%q: got %#v and %v, want %#v", test.given, got, err, test.want)
		}
	}
}

func TestTruthValuesAreJoinedToTheirFlags(t *testing.T) {
	t.Parallel()
	got := joinBooleans([]string{"x", "--create_public_metadata", "False", "--domain", "true", "--create-public-metadata", "y"})
	want := []string{"x", "--create-public-metadata=false", "--domain", "true", "--create-public-metadata", "y"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestProgressIsALineOnATerminalAndLinesElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		s := newScreen(&b, true)
		s.begin("lakemesh product create")
		time.Sleep(900 * time.Millisecond)
		synctest.Wait()
		if b.Len() > 0 {
			t.Errorf("progress is shown before a second has passed: %q", b.String())
		}
		s.update(lakemesh.Progress{Operation: "CreateDataProducts", Step: "copy " + strings.Repeat("x", 200), Done: 3, Total: 9})
		time.Sleep(300 * time.Millisecond)
		synctest.Wait()
		if !strings.Contains(b.String(), "product create 3/9 copy xxx") || strings.Contains(b.String(), strings.Repeat("x", 80)) || strings.Contains(b.String(), "\n") {
			t.Errorf("progress is not one short line: %q", b.String())
		}
		fmt.Fprintln(s, "a warning")
		if !strings.HasSuffix(b.String(), "\r\x1b[2Ka warning\n") {
			t.Errorf("a warning is not above the line: %q", b.String())
		}
		s.done()
		length := b.Len()
		time.Sleep(time.Second)
		synctest.Wait()
		if b.Len() != length {
			t.Errorf("progress goes on after the end: %q", b.String()[length:])
		}

		b.Reset()
		s = newScreen(&b, false)
		s.begin("lakemesh product create")
		for i := range 30 {
			s.update(lakemesh.Progress{Operation: "CreateDataProducts", Step: "copy", Done: i, Total: 30})
			time.Sleep(100 * time.Millisecond)
		}
		s.done()
		if got := strings.Count(b.String(), "\n"); got != 2 || strings.ContainsAny(b.String(), "\r\x1b") {
			t.Errorf("%d plain lines in three seconds, want 2 without control characters: %q", got, b.String())
		}
	})
}

func TestLongLinesAreBrokenBetweenWords(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		line  string
		width int
		want  string
	}{
		{"a line", 0, "a line\n"},
		{"a line", 80, "a line\n"},
		{" 1 one two three four five", 16, " 1 one two three\n     four five\n"},
		{"     indented words go on", 16, "     indented\n     words go on\n"},
		{"the name arn:aws:iam::111111111111:role/Long-Name stays whole", 20, "the name\n     arn:aws:iam::111111111111:role/Long-Name\n     stays whole\n"},
		{"kept" + noBreak + "together is this" + noBreak + "pair", 20, "kept together is\n     this pair\n"},
	} {
		if got := hang(test.line, test.width); got != test.want {
			t.Errorf("%q at %d: got %q, want %q", test.line, test.width, got, test.want)
		}
	}
}

func TestRowsBecomeBlocksOnANarrowTerminal(t *testing.T) {
	t.Parallel()
	headers, rows := []string{"TABLE", "OWNER"}, [][]string{{"weather", "111111111111"}, {"routes", "222222222222"}}
	const table = "TABLE    OWNER\nweather  111111111111\nroutes   222222222222\n"
	const blocks = "table  weather\nowner  111111111111\n\ntable  routes\nowner  222222222222\n"
	for width, want := range map[int]string{0: table, 80: table, 21: table, 20: blocks} {
		if got := ansi.Strip(renderRows(headers, rows, width)); got != want {
			t.Errorf("width %d: got %q, want %q", width, got, want)
		}
	}
}
