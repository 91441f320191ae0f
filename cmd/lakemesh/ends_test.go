package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
)

func TestEndsAreReadAsTheyAreMeant(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2026, 11, 28, 18, 30, 0, 0, time.UTC) }
	for text, want := range map[string]string{
		"until 2027-03-31": "2027-03-31 23:59:59", "until 2027-03-31T18:00:00Z": "2027-03-31 18:00:00", "until 2027-03-31T18:00:00+02:00": "2027-03-31 16:00:00",
		"until 2027-03-31 18:00:00": "2027-03-31 18:00:00", "until none": "none", "until NONE": "none", "until": "", "until tomorrow": "", "until 31.3.2027": "",
		"until 2027-02-30": "", "until 0": "",
		"for 1d": "2026-11-29 23:59:59", "for 90d": "2027-02-26 23:59:59", "for 2w": "2026-12-12 23:59:59", "for 36h": "2026-11-30 06:30:00", "for 30m": "2026-11-28 19:00:00",
		"for 1h30m": "2026-11-28 20:00:00", "for 0d": "", "for -1d": "", "for -1h": "", "for 1y": "", "for 90": "", "for none": "", "for 99999w": "", "for 1ms": "", "for d": "", "for 1.5d": "",
	} {
		flag, value, _ := strings.Cut(text, " ")
		var e ending
		var err error
		if flag == "until" {
			err = (&untilFlag{end: &e, none: true}).Set(value)
		} else {
			err = (&forFlag{end: &e, now: now}).Set(value)
		}
		got := lakemesh.FormatTime(e.at)
		if e.given && e.at.IsZero() {
			got = "none"
		}
		if got != want || (err == nil) != (want != "") || e.given != (want != "") {
			t.Errorf("--%s is %q, want %q, %v", text, got, want, err)
		}
	}
	var e ending
	if err := (&untilFlag{end: &e}).Set("none"); err == nil {
		t.Error("none is taken where there is no end to take away")
	}
}

func TestWhatEndsSoonIsListedFirst(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 18, 30, 0, 0, time.UTC)
	in := func(id string, status lakemesh.Status, d time.Duration) lakemesh.Subscription {
		s := lakemesh.Subscription{ID: id, Status: status}
		if d != 0 {
			s.Until = now.Add(d)
		}
		return s
	}
	got := endingWithin([]lakemesh.Subscription{in("never", lakemesh.Active, 0), in("late", lakemesh.Active, 48*time.Hour), in("soon", lakemesh.Active, 24*time.Hour),
		in("over", lakemesh.Active, -time.Hour), in("ended", lakemesh.Deleted, time.Hour)}, now, 24*time.Hour)
	var ids []string
	for _, s := range got {
		ids = append(ids, s.ID)
	}
	if diff := cmp.Diff([]string{"over", "soon"}, ids); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
}

func TestAColumnThatSaysNothingIsLeftOut(t *testing.T) {
	t.Parallel()
	rows := func(until ...string) (all [][]string) {
		for _, u := range until {
			all = append(all, []string{"id", u, "owner"})
		}
		return all
	}
	header := func() []string { return []string{"SUBSCRIPTION", "UNTIL", "OWNER"} }
	if h, r := without(header(), rows("-", "2027"), "UNTIL", "-"); len(h) != 3 || len(r[0]) != 3 {
		t.Errorf("a column that says something is gone: %v, %v", h, r)
	}
	h, r := without(header(), rows("-", "-"), "UNTIL", "-")
	if diff := cmp.Diff([]any{[]string{"SUBSCRIPTION", "OWNER"}, [][]string{{"id", "owner"}, {"id", "owner"}}}, []any{h, r}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestHintsSayWhereForEveryCommand sees to it that a command which works on the mesh is
// told with the flags that say where, whichever it is.
func TestHintsSayWhereForEveryCommand(t *testing.T) {
	t.Parallel()
	a := newApp(streams{in: strings.NewReader(""), out: io.Discard, err: io.Discard})
	a.typed = " --local"
	for _, c := range a.root().Commands() {
		if c.GroupID != "mesh" {
			continue
		}
		if got := a.here("run lakemesh " + c.Name() + " now"); got != "run lakemesh --local "+c.Name()+" now" {
			t.Errorf("%s is told as %q", c.Name(), got)
		}
	}
}

func TestASpanThatIsNamedAsATimeSaysWhichFlagTakesIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"30d": "--for 30d", "2h": "--for 2h", "soon": "a day such as"} {
		if err := (&untilFlag{end: &ending{}}).Set(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
