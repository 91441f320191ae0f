package main

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lakemesh/lakemesh"
)

// each visits every command that does something.
func each(t *testing.T, look func(c *cobra.Command)) {
	t.Helper()
	n := 0
	for _, c := range leaves(testRoot()) {
		if c.Name() == "completion" || c.HasParent() && c.Parent().Name() == "completion" {
			continue
		}
		n++
		look(c)
	}
	if n < 40 {
		t.Fatalf("%d commands; the tree was not walked", n)
	}
}

// An empty text is what a variable has that was never set. No flag takes it for everything,
// or for somebody else.
func TestNoFlagTakesNothingForAValue(t *testing.T) {
	t.Parallel()
	each(t, func(c *cobra.Command) {
		if c.CommandPath() == "lakemesh context set" {
			return
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if slices.Contains(mayBeEmpty(), f.Name) {
				return
			}
			fresh, _, err := testRoot().Find(strings.Fields(strings.TrimPrefix(c.CommandPath(), "lakemesh ")))
			if err != nil {
				t.Fatal(err)
			}
			if fresh.ParseFlags([]string{"--" + f.Name + "="}) == nil && checkEmpty(fresh) == nil {
				if value := fresh.Flags().Lookup(f.Name).Value; value.Type() != "list" || value.String() != "" {
					t.Errorf("%s takes --%s=", c.CommandPath(), f.Name)
				}
			}
		})
	})
}

// The flags of writing stand where something is written, and nowhere else.
func TestFlagsOfWritingStandWhereSomethingIsWritten(t *testing.T) {
	t.Parallel()
	var known []string
	each(t, func(c *cobra.Command) {
		name := strings.TrimPrefix(c.CommandPath(), "lakemesh ")
		known = append(known, name)
		for _, flag := range []string{"dry-run", "yes"} {
			if has := c.Flags().Lookup(flag) != nil; has == slices.Contains(readers(), name) {
				t.Errorf("%s has --%s: %t", name, flag, has)
			}
		}
	})
	for _, name := range readers() {
		if !slices.Contains(known, name) {
			t.Errorf("there is no command %s", name)
		}
	}
}

func TestRequiredFlagsAreMarked(t *testing.T) {
	t.Parallel()
	found := 0
	each(t, func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			_, required := f.Annotations[cobra.BashCompOneRequiredFlag]
			if required {
				found++
			}
			if required != strings.HasSuffix(f.Usage, "(required)") {
				t.Errorf("%s --%s: %s", c.CommandPath(), f.Name, f.Usage)
			}
		})
	})
	if found == 0 {
		t.Error("no flag is required")
	}
}

// Every command shows how it is typed, and what it shows can be.
func TestEveryCommandHasAnExampleThatCanBeTyped(t *testing.T) {
	t.Parallel()
	each(t, func(c *cobra.Command) {
		if c.Hidden || c.Name() == "help" {
			return
		}
		own := false
		for l := range strings.Lines(strings.ReplaceAll(c.Example, "\\\n", "")) {
			l = strings.TrimSpace(l)
			if m := evaluated.FindStringSubmatch(l); m != nil {
				l = m[1]
			}
			if !strings.HasPrefix(l, c.CommandPath()+" ") && l != c.CommandPath() {
				continue
			}
			own = true
			words, err := shellWords(l)
			if err != nil {
				t.Errorf("%s: %v", l, err)
				continue
			}
			root := testRoot()
			cmd, rest, err := root.Find(words[1:])
			if err == nil {
				err = cmd.ParseFlags(rest)
			}
			if err == nil {
				err = cmd.ValidateRequiredFlags()
			}
			if err == nil {
				err = cmd.ValidateArgs(cmd.Flags().Args())
			}
			if err != nil {
				t.Errorf("%s: %v", l, err)
			}
		}
		if !own {
			t.Errorf("%s has no example", c.CommandPath())
		}
	})
}

// evaluated is a command whose output a shell evaluates, or keeps.
var evaluated = regexp.MustCompile(`^(?:eval "|[a-z]+=)\$\((lakemesh .*)\)"?$`)

// shellWords are the words of a line as a shell takes them, without anything but quotes.
func shellWords(text string) ([]string, error) {
	var words []string
	var b strings.Builder
	quote, in := rune(0), false
	for _, r := range text {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			b.WriteRune(r)
		case r == '\'' || r == '"':
			quote, in = r, true
		case r == ' ':
			if in {
				words = append(words, b.String())
			}
			b.Reset()
			in = false
		default:
			in = true
			b.WriteRune(r)
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote is not closed")
	}
	if in {
		words = append(words, b.String())
	}
	return words, nil
}

// Lists fit 80 columns, however many tables and whatever names there are; nothing that tells
// one from another is cut.
func TestListsFitEightyColumns(t *testing.T) {
	t.Parallel()
	many := make([]string, 1500)
	for i := range many {
		many[i] = strings.Repeat("table_", 10)
	}
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	var list []lakemesh.Subscription
	for _, status := range []lakemesh.Status{lakemesh.Pending, lakemesh.Active, lakemesh.Deleted} {
		list = append(list, lakemesh.Subscription{ID: lakemesh.NewSubscriptionID("111111111111", "999999999999"), Status: status, Owner: "111111111111", Subscriber: "999999999999",
			Database: strings.Repeat("database_", 9), Tables: many, Requested: lakemesh.TablePermissions(), Permitted: lakemesh.TablePermissions(),
			Until: now.AddDate(1, 0, 0), RequestedUntil: now.AddDate(1, 0, 0), Created: now.AddDate(0, -1, 0)})
	}
	var out bytes.Buffer
	a := newApp(streams{in: strings.NewReader(""), out: &out, err: io.Discard})
	a.clock = func() time.Time { return now }
	a.printSubscriptions(listFlags{limit: -1}, "subscriptions", lakemesh.ProducerIdentity, list)
	text := ansi.Strip(out.String())
	for l := range strings.Lines(text) {
		if n := ansi.StringWidth(strings.TrimRight(l, "\n")); n > 80 {
			t.Errorf("a line of %d: %s", n, l)
		}
	}
	for _, s := range list {
		if !strings.Contains(text, shortID(s.ID)+"  "+string(s.Status)) || !strings.Contains(text, s.Subscriber) || !strings.Contains(text, "31d") {
			t.Errorf("%s is not told in:\n%s", s.ID, text)
		}
	}

	out.Reset()
	a.width = 80
	long := make([]lakemesh.Subscription, 120)
	for i := range long {
		long[i] = list[1]
		long[i].ID = lakemesh.NewSubscriptionID("111111111111", "999999999999")
	}
	var errs bytes.Buffer
	a.err = &errs
	a.printSubscriptions(listFlags{limit: -1}, "subscriptions", lakemesh.ProducerIdentity, long)
	if n := strings.Count(out.String(), "\n"); n != listRows+1 || !strings.Contains(errs.String(), "50 of 120 subscriptions are shown") {
		t.Errorf("%d lines are shown: %s", n, errs.String())
	}
}

func TestShortIDsAreToldApart(t *testing.T) {
	t.Parallel()
	const one, two = "111111111111-999999999999-AAAAAAAAAAAAAAAAAAAAAB", "111111111111-999999999999-AAAAAAAAAAAAAAAAAAAAAC"
	if short := shortIDs([]string{one, two, one}); short[0] == short[1] || short[0] != short[2] {
		t.Errorf("short ids are %v", short)
	}
	const elsewhere = "111111111111-888888888888-AAAAAAAAAAAAAAAAAAAAAB"
	if short := shortIDs([]string{one, elsewhere}); short[0] == short[1] {
		t.Errorf("short ids are %v", short)
	}
}

func TestAges(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{-time.Hour: "0s", 59 * time.Second: "59s", time.Minute: "1m", 47 * time.Hour: "47h", 48 * time.Hour: "2d",
		60 * 24 * time.Hour: "8w", 800 * 24 * time.Hour: "2y"} {
		if got := age(now.Add(-d), now); got != want {
			t.Errorf("%s ago: %s, want %s", d, got, want)
		}
	}
	if age(time.Time{}, now) != "-" {
		t.Error("no time has an age")
	}
}
