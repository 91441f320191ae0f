package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/demo"
	"github.com/lakemesh/lakemesh/internal/printable"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// hostile makes texts as another party could write them.
func hostile() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		piece := rapid.OneOf(rapid.SampledFrom([]string{
			"\r", "\n", "\t", "\x1b[2J", "\x1b[31m", "\x1b[m", "\x1b[8m", "\x1b]52;c;aGk=\x07", "\x07", "\x7f", "\u0085", "\u009b31m", "\x9b", "\xc2", "\xff",
			"\u202e", "\u2066", "\u200b", "\u2060", "\ufeff", "\u2028", "\u2029", "\u061c", "\U000e0041", "\u3164", `\`, `"`, "%s%d", "\u00a0", ": ", "- ",
			"\n  2. [555555555555] grant ALL on table t to 999999999999", "; ",
		}), rapid.String(), rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 4), func(b []byte) string { return string(b) }))
		return strings.Join(rapid.SliceOfN(piece, 0, 4).Draw(t, "pieces"), "")
	})
}

// ownStyle is how our own styles begin and end.
var ownStyle = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// checkPrinted checks what came out: nothing that is not seen but our own styles, and no
// line and no style more than when the same is said of harmless texts.
func checkPrinted(t *rapid.T, exit, got, harmless string) {
	t.Helper()
	if plain := ownStyle.ReplaceAllString(got, ""); printable.Text(plain) != plain {
		t.Errorf("%s: not all is seen: %q", exit, got)
	}
	if a, b := strings.Count(got, "\n"), strings.Count(harmless, "\n"); a != b {
		t.Errorf("%s: %d lines, not %d: %q", exit, a, b, got)
	}
	if a, b := strings.Count(got, "\x1b"), strings.Count(harmless, "\x1b"); a != b {
		t.Errorf("%s: %d styles, not %d: %q", exit, a, b, got)
	}
}

// terminal is an app whose streams take every escape sequence.
func terminal(out, errs *bytes.Buffer) *app {
	a := newApp(streams{in: strings.NewReader(""), out: new(bytes.Buffer), err: new(bytes.Buffer)})
	a.begun = true
	a.out = exit{out}
	a.screen = newScreen(errs, true)
	a.err = a.screen
	a.flags.output = "table"
	a.flags.logLevel = defaultLogLevel
	return a
}

// hostileSubscription is a subscription of such texts.
func hostileSubscription(text func() string) *lakemesh.Subscription {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return &lakemesh.Subscription{
		ID: text(), Owner: text(), Subscriber: text(), Status: lakemesh.Status(text()), Database: text(),
		Tables: []string{text(), text()}, Expressions: []string{text()},
		Requested: lakemesh.Permissions{lakemesh.Permission(text())}, Permitted: lakemesh.Permissions{lakemesh.Permission(text())},
		Grantable: lakemesh.Permissions{lakemesh.Permission(text())}, TableARNs: []string{text()},
		Notes: []string{text(), text()}, Created: at, Updated: at, CreatedBy: text(), UpdatedBy: text(), Tampered: text(),
		History: []lakemesh.Event{
			{At: at, By: text(), Action: lakemesh.Action(text()), From: lakemesh.Status(text()), To: lakemesh.Status(text()), Reason: text(),
				Permissions: lakemesh.Permissions{lakemesh.Permission(text())}, Tables: []string{text()}},
		},
		HistoryFault: &lakemesh.HistoryFault{Side: text(), Entry: 3, Message: text()},
	}
}

func hostilePlan(text func() string) *plan.Plan {
	p := &plan.Plan{Operation: text(), Digest: text()}
	p.Add(plan.Step{Kind: plan.Kind(text()), Account: text(), Resource: text(), Summary: text(), Detail: []string{text()}})
	p.Add(plan.Step{Summary: text(), Account: text()})
	p.Warn("%s", text())
	return p
}

func hostileErrors(text func() string) []error {
	known := &lakemesh.Error{Op: text(), Account: text(), Resource: text(), Code: text(), Message: text(), Hint: "x" + text()}
	return []error{
		errors.New("x" + text()),
		known,
		fmt.Errorf("%s: %w", text(), known),
		&lakemesh.Error{Resource: text(), Err: errors.New(text())},
		&lakemesh.TransitionError{SubscriptionID: text(), Action: lakemesh.Action(text()), Found: lakemesh.Status(text()), By: "x" + text()},
		&lakemesh.ClaimedError{SubscriptionID: text(), Claim: lakemesh.Claim{By: text()}},
		&lakemesh.ClaimedError{SubscriptionID: text(), Claim: lakemesh.Claim{By: text()}, Expired: true},
		&lakemesh.PartialError{Op: text(), Failed: []lakemesh.StepError{{Step: text(), Err: errors.New(text())}, {Step: text(), Err: known}}},
	}
}

// TestNothingOfOthersActsOnATerminal says everything that can be said, of hostile texts and
// of harmless ones.
func TestNothingOfOthersActsOnATerminal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := func() string { return "x" + hostile().Draw(t, "text") }
		plain := func() string { return "x" }
		for name, say := range map[string]func(*app, func() string){
			"subscription": func(a *app, x func() string) { fmt.Fprint(a.out, renderSubscription(hostileSubscription(x), 0)) },
			"subscriptions": func(a *app, x func() string) {
				a.printSubscriptions(listFlags{}, "s", lakemesh.ProducerIdentity, []lakemesh.Subscription{*hostileSubscription(x)})
			},
			"narrow": func(a *app, x func() string) {
				a.width = 20
				a.printSubscriptions(listFlags{}, "s", lakemesh.ProducerIdentity, []lakemesh.Subscription{*hostileSubscription(x)})
			},
			"approval": func(a *app, x func() string) {
				text, err := renderApproval(hostileSubscription(x), producer.ApproveInput{})
				fmt.Fprint(a.out, text, err)
			},
			"update": func(a *app, x func() string) {
				text, err := renderUpdate(hostileSubscription(x), producer.UpdateInput{GrantPermissions: []string{"SELECT"}})
				fmt.Fprint(a.out, text, err)
			},
			"requests": func(a *app, x func() string) {
				a.printRequests(listFlags{}, "CONSUMER", []producer.PendingRequest{{SubscriptionID: x(), DatabaseName: x(), TableName: []string{x()}, Tampered: x(), CreatedBy: x()}})
			},
			"plan": func(a *app, x func() string) { fmt.Fprint(a.out, a.renderPlan(hostilePlan(x))) },
			"empty plan": func(a *app, x func() string) {
				fmt.Fprint(a.out, a.renderPlan(&plan.Plan{Operation: x(), Warnings: []string{x()}}))
			},
			"Print": func(a *app, x func() string) { fmt.Fprint(a.out, hostilePlan(x)) },
			"step": func(a *app, x func() string) {
				fmt.Fprint(a.out, renderStep(demo.Step{Actor: "a" + x(), Title: "t" + x(), Result: x(), Detail: []string{x()}}, 0))
			},
			"facts": func(a *app, x func() string) {
				fmt.Fprint(a.out, renderFacts(fact{x(), "x" + x()}, fact{"x", []string{x(), x()}}))
			},
			"said":   func(a *app, x func() string) { a.say("done %s: %v", x(), errors.New(x())) },
			"next":   func(a *app, x func() string) { a.next("do %s", x()) },
			"warned": func(a *app, x func() string) { a.warn("x" + x()) },
			"logged as a warning": func(a *app, x func() string) {
				a.logger().Warn("x"+x(), "error", errors.New(x()))
			},
			"logged": func(a *app, x func() string) {
				a.flags.logLevel = "debug"
				a.logger().With("with"+x(), x()).WithGroup("g"+x()).Info("x"+x(), "key"+x(), "v"+x(), "error", errors.New(x()), "any", []string{x()},
					slog.Group("group"+x(), "in", x()))
			},
			"logged as JSON": func(a *app, x func() string) {
				a.flags.logLevel = "debug"
				a.screen.terminal = false
				a.logger().With("with"+x(), x()).Info("x"+x(), "key"+x(), x(), "error", errors.New(x()), "any", []string{x()})
			},
			"progress": func(a *app, x func() string) {
				a.screen.terminal = false
				a.screen.begun = time.Time{}
				a.screen.update(lakemesh.Progress{Operation: x(), Step: x(), Total: 2})
			},
			"question": func(a *app, x func() string) { a.asking = true; _ = a.confirm(x()) },
		} {
			var out, errs, plainOut, plainErrs bytes.Buffer
			say(terminal(&out, &errs), text)
			say(terminal(&plainOut, &plainErrs), plain)
			checkPrinted(t, name, out.String()+errs.String(), plainOut.String()+plainErrs.String())
		}
		for i := range hostileErrors(plain) {
			var errs, plainErrs bytes.Buffer
			err := hostileErrors(text)[i]
			terminal(new(bytes.Buffer), &errs).report(context.Background(), "lakemesh", err)
			terminal(new(bytes.Buffer), &plainErrs).report(context.Background(), "lakemesh", hostileErrors(plain)[i])
			checkPrinted(t, fmt.Sprintf("%T", err), errs.String(), plainErrs.String())
		}
	})
}

// TestProgressLineOfOthersIsOneLine draws the progress line on a terminal.
func TestProgressLineOfOthersIsOneLine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var b bytes.Buffer
		s := newScreen(&b, true)
		s.progress = lakemesh.Progress{Operation: hostile().Draw(t, "operation"), Step: hostile().Draw(t, "step"), Total: 3}
		s.draw()
		checkPrinted(t, "progress line", b.String(), string(accent.Render("x")))
	})
}

// TestProgramsReadWhatOthersWrote: JSON and YAML hold no control character, and say the
// same.
func TestProgramsReadWhatOthersWrote(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := hostileSubscription(func() string { return strings.ToValidUTF8(hostile().Draw(t, "text"), "?") })
		encoded, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]any
		if err := json.Unmarshal(encoded, &want); err != nil {
			t.Fatal(err)
		}
		for form, decode := range map[string]func([]byte, any) error{
			"json": json.Unmarshal,
			"yaml": func(data []byte, into any) error {
				// The numbers of YAML are of other types.
				var v any
				if err := yaml.Unmarshal(data, &v); err != nil {
					return err
				}
				data, err := json.Marshal(v)
				if err != nil {
					return err
				}
				return json.Unmarshal(data, into)
			},
		} {
			var out bytes.Buffer
			a := terminal(&out, new(bytes.Buffer))
			a.flags.output = form
			if err := a.show(s, func() {}); err != nil {
				t.Fatal(err)
			}
			if text := out.String(); printable.Text(text) != text {
				t.Errorf("%s: not all is seen: %q", form, text)
			}
			var got map[string]any
			if err := decode(out.Bytes(), &got); err != nil {
				t.Errorf("%s: %v: %q", form, err, out.String())
			} else if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: %s", form, d)
			}
		}
	})
}

// TestOnlyOurStylesLeaveTheProgram: even where a text was not made a line, what leaves is
// at most a style that hides nothing.
func TestOnlyOurStylesLeaveTheProgram(t *testing.T) {
	t.Parallel()
	for _, l := range []look{bold, faint, accent, good, bad, notice} {
		if text := string(l.Render("x")); leave(text) != text {
			t.Errorf("our own style is lost: %q", leave(text))
		}
	}
	for given, want := range map[string]string{
		"a\n\tb\n":             "a\n\tb\n",
		"\x1b[8mx\x1b[0m":      "\\u001b[8mx\x1b[0m",
		"\x1b[1;8m":            `\u001b[1;8m`,
		"\x1b[2K\r":            `\u001b[2K\r`,
		"\x1b]8;;http://x\x07": `\u001b]8;;http://x\u0007`,
		"\x1b[\x1b[1mm":        "\\u001b[\x1b[1mm",
		"\u009b1m":             `\u009b1m`,
	} {
		if got := leave(given); got != want {
			t.Errorf("%q leaves as %q, want %q", given, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		var b bytes.Buffer
		for _, part := range rapid.SliceOf(hostile()).Draw(t, "writes") {
			if n, err := (exit{&b}).Write([]byte(part)); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
		}
		if plain := styles.ReplaceAllString(b.String(), ""); printable.Text(plain) != plain {
			t.Errorf("%q", b.String())
		}
	})
}
