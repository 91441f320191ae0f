package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
)

// ending is when access shall end, by the flags --until and --for.
type ending struct {
	// given tells that one of the flags was; then at is the end, or the zero time for
	// none.
	given bool
	at    time.Time
}

// addEnd adds the flags. Where there can have been an end before, none takes it away.
func (a *app) addEnd(cmd *cobra.Command, e *ending, none bool, otherwise string) {
	days := "when access ends: 2027-03-31 for all of that day, or a time such as 2027-03-31T18:00:00Z"
	if none {
		days += "; none for never"
	}
	cmd.Flags().Var(&untilFlag{end: e, none: none}, "until", days+" (default: "+otherwise+")")
	cmd.Flags().Var(&forFlag{end: e, now: a.time}, "for", "how long access lasts from now on: 90d or 12w for whole days, 36h or 30m to the second")
	cmd.MarkFlagsMutuallyExclusive("until", "for")
}

// named is the end that was named, or nil.
func (e *ending) named() *time.Time {
	if !e.given {
		return nil
	}
	return &e.at
}

// untilFlag names an end by its time.
type untilFlag struct {
	end  *ending
	none bool
	text string
}

func (f *untilFlag) String() string { return f.text }
func (f *untilFlag) Type() string   { return "time" }

func (f *untilFlag) Set(text string) error {
	at, err := time.Time{}, error(nil)
	if !f.none || !strings.EqualFold(text, "none") {
		at, err = parseTime(text)
		if _, _, span := parseSpan(text); err != nil && span == nil {
			return fmt.Errorf("%q is a span, and not when: --for %s", text, text)
		}
		if err != nil {
			return errors.New("a day such as 2027-03-31 is expected, or a time such as 2027-03-31T18:00:00Z")
		}
		if len(text) == len(time.DateOnly) {
			at = endOfDay(at)
		}
	}
	f.end.given, f.end.at, f.text = true, at, text
	return nil
}

// forFlag names an end by how far off it is.
type forFlag struct {
	end  *ending
	now  func() time.Time
	text string
}

func (f *forFlag) String() string { return f.text }
func (f *forFlag) Type() string   { return "duration" }

func (f *forFlag) Set(text string) error {
	d, whole, err := parseSpan(text)
	if err != nil {
		return err
	}
	at := f.now().UTC().Add(d)
	if whole {
		// Whoever asks twice on a day asks for the same.
		at = endOfDay(at)
	}
	f.end.given, f.end.at, f.text = true, at, text
	return nil
}

// endOfDay is the last second of a day in UTC.
func endOfDay(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 23, 59, 59, 0, time.UTC)
}

var daysPattern = regexp.MustCompile(`^([1-9][0-9]{0,4})([dw])$`)

// longestSpan is more than anybody means: about a hundred years.
const longestSpan = 100 * 366 * 24 * time.Hour

// parseSpan reads a span of time. whole tells that it is one of whole days.
func parseSpan(text string) (d time.Duration, whole bool, err error) {
	if m := daysPattern.FindStringSubmatch(text); m != nil {
		// Five digits always fit.
		n, _ := strconv.Atoi(m[1])
		if m[2] == "w" {
			n *= 7
		}
		d, whole = time.Duration(n)*24*time.Hour, true
	} else if d, err = time.ParseDuration(text); err != nil || d < time.Second {
		return 0, false, fmt.Errorf("a span such as 90d, 12w, 36h or 30m is expected, and not %q", text)
	}
	if d > longestSpan {
		return 0, false, fmt.Errorf("%q is longer than 100 years", text)
	}
	return d, whole, nil
}

// endText says when a subscription ends; empty if it does not.
func endText(s *lakemesh.Subscription) string {
	until := s.Until
	if s.Status == lakemesh.Pending {
		until = s.RequestedUntil
	}
	if until.IsZero() {
		return ""
	}
	return lakemesh.FormatTime(until)
}

// without takes a column out of a table in which every row has the same to say there.
func without(header []string, rows [][]string, column, same string) ([]string, [][]string) {
	n := slices.Index(header, column)
	if n < 0 || slices.ContainsFunc(rows, func(row []string) bool { return row[n] != same }) {
		return header, rows
	}
	for i := range rows {
		rows[i] = slices.Delete(rows[i], n, n+1)
	}
	return slices.Delete(header, n, n+1), rows
}

// endingWithin keeps what ends within a span from now on, what is over among it, the
// earliest end first.
func endingWithin(list []lakemesh.Subscription, now time.Time, span time.Duration) []lakemesh.Subscription {
	list = slices.DeleteFunc(list, func(s lakemesh.Subscription) bool {
		return s.Status != lakemesh.Active || s.Until.IsZero() || s.Until.After(now.Add(span))
	})
	slices.SortStableFunc(list, func(x, y lakemesh.Subscription) int { return x.Until.Compare(y.Until) })
	return list
}

// spanFlag is a span of time.
type spanFlag struct {
	span *time.Duration
	text string
}

func (f *spanFlag) String() string { return f.text }
func (f *spanFlag) Type() string   { return "duration" }

func (f *spanFlag) Set(text string) (err error) {
	*f.span, _, err = parseSpan(text)
	f.text = text
	return err
}
