package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/lakemesh/lakemesh"
)

// Permissions are no names: what is left of "DESCRIBE,SELE…" says nothing.
func TestPermissionsAreNotCutInAWord(t *testing.T) {
	t.Parallel()
	rows := [][]string{{"a_short_one", "DESCRIBE,SELECT", "x"}, {"d", "SELECT", "x"}, {"d", "DESCRIBE", "x"}, {"d", "-", "x"}}
	got := ansi.Strip(renderFitted([]string{"DATABASE", accessColumn, "AGE"}, rows, 27))
	for _, want := range []string{"  SELECT +1  x", "  SELECT     x", "  DESCRIBE   x", "  -          x"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in:\n%s", want, got)
		}
	}
	if got := ansi.Strip(renderFitted([]string{"DATABASE", accessColumn, "AGE"}, rows, 100)); !strings.Contains(got, "DESCRIBE,SELECT") {
		t.Errorf("where there is room they stand whole:\n%s", got)
	}
	if rows[0][1] != "DESCRIBE,SELECT" {
		t.Errorf("the rows were changed: %v", rows)
	}
}

// Both sides list what they share in the same order, the newest last, and requests in the same
// columns.
func TestBothSidesListInTheSameOrder(t *testing.T) {
	t.Parallel()
	m := newTerminalMesh(t)
	var ids []string
	for i := range 4 {
		m.clock = func() time.Time { return time.Now().Add(time.Duration(i) * time.Hour) }
		ids = append(ids, m.request([]string{"SELECT", "DESCRIBE", "INSERT", "SELECT,DESCRIBE"}[i]))
	}
	m.clock = func() time.Time { return time.Now().Add(5 * time.Hour) }
	var heads []string
	for _, as := range []string{"producer", "consumer"} {
		for _, list := range []string{"request", "subscription"} {
			out, _ := m.run(0, nil, list, "list", "--as", as)
			lines := strings.Split(strings.TrimSpace(out), "\n")
			if len(lines) != 5 {
				t.Fatalf("%s list --as %s:\n%s", list, as, out)
			}
			for i, id := range ids {
				if !strings.HasPrefix(lines[i+1], shortID(id)) {
					t.Errorf("%s list --as %s is not in order:\n%s", list, as, out)
				}
			}
			heads = append(heads, strings.Join(strings.Fields(lines[0]), " "))
		}
	}
	if strings.Replace(heads[0], "CONSUMER", "OWNER", 1) != heads[2] || strings.Replace(heads[1], "CONSUMER", "OWNER", 1) != heads[3] {
		t.Errorf("the columns differ: %q", heads)
	}
	want := slices.Clone(ids)
	_, errs := m.run(0, walks("s", "s", "s", "s"), "request", "approve")
	at := -1
	for _, id := range want {
		if next := strings.Index(errs, "request      "+id); next < at {
			t.Errorf("the inbox is not in order:\n%s", errs)
		} else {
			at = next
		}
	}
}

// A text that is broken at the width of a terminal keeps what can be copied whole.
func TestAdviceIsBrokenBetweenWords(t *testing.T) {
	t.Parallel()
	var errs bytes.Buffer
	a := newApp(streams{in: strings.NewReader(""), out: io.Discard, err: &errs})
	a.begun, a.errWidth = true, 60
	const arn = "arn:aws:iam::111111111111:role/AwsDataMesh/DataMeshProducer"
	const command = "lakemesh subscription import 111111111111-999999999999-AAAAAAAAAAAAAAAAAAAAAB --principals " + arn
	a.report(t.Context(), "lakemesh", &lakemesh.Error{Resource: "role " + arn, Message: "it is not one that anybody here knows of, or ever did", Hint: "do as is said in the long text before it: " + command + ", or nothing"})
	for l := range strings.Lines(errs.String()) {
		l = strings.TrimSpace(strings.NewReplacer(command, "", arn, "").Replace(l))
		if ansi.StringWidth(l) > 60 {
			t.Errorf("a line of %d: %s", ansi.StringWidth(l), l)
		}
	}
	if !strings.Contains(errs.String(), command) || strings.Count(errs.String(), arn) != 2 {
		t.Errorf("it is broken:\n%s", errs.String())
	}
}

// Help is read in a terminal of 80 columns without a word that is broken; what can be copied
// may be wider.
func TestHelpFitsTheTerminal(t *testing.T) {
	t.Parallel()
	for _, width := range []int{80, 100} {
		var out bytes.Buffer
		a := newApp(streams{in: strings.NewReader(""), out: &out, err: io.Discard})
		a.width = width
		root := a.root()
		for _, c := range leaves(root) {
			out.Reset()
			if err := c.Help(); err != nil {
				t.Fatal(err)
			}
			for l := range strings.Lines(out.String()) {
				l = strings.TrimRight(l, "\n")
				if strings.Contains(l, `\n`) {
					t.Errorf("%s, a line that was broken before: %s", c.CommandPath(), l)
				}
				if ansi.StringWidth(l) > width && !strings.HasPrefix(l, "  lakemesh ") && !slices.ContainsFunc(strings.Fields(l), func(word string) bool { return len(word) > 50 }) {
					t.Errorf("%s, a line of %d: %s", c.CommandPath(), ansi.StringWidth(l), l)
				}
			}
		}
	}
}
