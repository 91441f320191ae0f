package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/printable"
	"github.com/lakemesh/lakemesh/producer"
)

// A list fits a terminal of 80 columns: ids are as short as they can be told apart, several
// names are the first and a count, times are ages. --wide shows all of it.

// listWidth is how wide a list is where there is no terminal.
const listWidth = 80

// listRows is how many rows a list has on a terminal, unless --limit says otherwise: what
// is above has scrolled away.
const listRows = 50

// listFlags are the flags of a list.
type listFlags struct {
	wide  bool
	limit int
}

func (f *listFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.wide, "wide", false, "whole ids, all names, and every column, however wide")
	cmd.Flags().IntVar(&f.limit, "limit", -1, fmt.Sprintf("show so many; 0 for all (default: %d on a terminal, else all)", listRows))
}

// listing is a list for people, as it is shown and as it is shown whole.
type listing struct {
	// what it is a list of: "subscriptions".
	what                 string
	headers, wideHeaders []string
	rows, wideRows       [][]string
	// in is where the list was looked for; empty if that is clear.
	in string
	// note says what a mark in the rows stands for.
	note string
}

// printListing prints a list, or says that there is nothing to print. What is cut is said,
// with how to see it.
func (a *app) printListing(f listFlags, l listing) {
	headers, rows := l.headers, l.rows
	if f.wide {
		headers, rows = l.wideHeaders, l.wideRows
	}
	if len(rows) == 0 {
		a.say("no %s%s", l.what, l.in)
		return
	}
	limit := f.limit
	if limit < 0 {
		limit = 0
		if a.width > 0 {
			limit = listRows
		}
	}
	all := len(rows)
	if limit > 0 && all > limit {
		rows = rows[:limit]
	}
	if f.wide {
		fmt.Fprint(a.out, renderTable(headers, rows))
	} else {
		width := a.width
		if width == 0 {
			width = listWidth
		}
		fmt.Fprint(a.out, renderFitted(headers, rows, width))
		if l.note != "" {
			a.say("%s", l.note)
		}
	}
	if len(rows) < all {
		a.say("%d of %d %s are shown; all of them: --limit 0", len(rows), all, l.what)
	}
}

// A name that does not fit is cut down to what can be read, and where that is not enough to
// leastCell.
const (
	readable  = 12
	leastCell = 8
)

// accessColumn is the column of permissions. They are no names: where they do not fit, the first
// and a count stand for them.
const accessColumn = "ACCESS"

// canBeCut are the columns of names, which can be cut. Ids, accounts, states and times say
// something else when they are cut.
func canBeCut() []string {
	return []string{"DATABASE", "TABLE", "TABLES", "DOMAIN", "PRODUCT"}
}

// renderFitted is renderTable, with the widest columns of names cut until it fits.
func renderFitted(headers []string, rows [][]string, width int) string {
	widths := make([]int, len(headers))
	for i, h := range headers {
		widths[i] = ansi.StringWidth(h)
		for _, row := range rows {
			widths[i] = max(widths[i], ansi.StringWidth(printable.Line(row[i])))
		}
	}
	total := func() int {
		sum := 2 * (len(widths) - 1)
		for _, w := range widths {
			sum += w
		}
		return sum
	}
	narrow := func(least int) {
		for total() > width {
			widest := -1
			for i, header := range headers {
				if slices.Contains(canBeCut(), header) && (widest < 0 || widths[i] > widths[widest]) {
					widest = i
				}
			}
			if widest < 0 || widths[widest] <= least {
				return
			}
			widths[widest]--
		}
	}
	narrow(readable)
	if i := slices.Index(headers, accessColumn); i >= 0 && total() > width {
		rows = slices.Clone(rows)
		widths[i] = ansi.StringWidth(headers[i])
		for j, row := range rows {
			rows[j] = slices.Clone(row)
			rows[j][i] = shortAccess(row[i])
			widths[i] = max(widths[i], ansi.StringWidth(printable.Line(rows[j][i])))
		}
	}
	narrow(leastCell)
	cut := make([][]string, len(rows))
	for i, row := range rows {
		cut[i] = make([]string, len(row))
		for j, cell := range row {
			cut[i][j] = ansi.Truncate(printable.Line(cell), widths[j], "…")
		}
	}
	return renderTable(headers, cut)
}

// firstOf are names as a list shows them: the first, and how many more there are.
func firstOf(names []string, none string) string {
	switch len(names) {
	case 0:
		return none
	case 1:
		return names[0]
	}
	return fmt.Sprintf("%s +%d", names[0], len(names)-1)
}

// permissionsText are permissions as a list shows them, those that read first.
func permissionsText(permissions []string) string {
	if len(permissions) < 3 {
		return orDash(strings.Join(permissions, ","))
	}
	if i := slices.Index(permissions, string(lakemesh.Select)); i > 0 {
		permissions = append([]string{string(lakemesh.Select)}, slices.Delete(slices.Clone(permissions), i, i+1)...)
	}
	return firstOf(permissions, "-")
}

// shortAccess is what stands for permissions where all of them do not fit.
func shortAccess(text string) string {
	permissions := strings.Split(text, ",")
	if i := slices.Index(permissions, string(lakemesh.Select)); i > 0 {
		permissions[0], permissions[i] = permissions[i], permissions[0]
	}
	return firstOf(permissions, text)
}

// inOrder sorts subscriptions as every list has them: the newest last, next to where the
// next command is typed.
func inOrder(list []lakemesh.Subscription) {
	slices.SortStableFunc(list, func(a, b lakemesh.Subscription) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
	})
}

// requestsInOrder is inOrder for requests.
func requestsInOrder(list []producer.PendingRequest) {
	slices.SortStableFunc(list, func(a, b producer.PendingRequest) int {
		return cmp.Or(strings.Compare(a.CreationDate, b.CreationDate), strings.Compare(a.SubscriptionID, b.SubscriptionID))
	})
}

// age is how long ago something was: 40s, 12m, 5h, 3d, 8w or 2y.
func age(then, now time.Time) string {
	if then.IsZero() {
		return "-"
	}
	const day = 24 * time.Hour
	switch d := max(now.Sub(then), 0); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 2*day:
		return fmt.Sprintf("%dh", int(d.Hours()))
	case d < 8*7*day:
		return fmt.Sprintf("%dd", int(d/day))
	case d < 2*365*day:
		return fmt.Sprintf("%dw", int(d/(7*day)))
	default:
		return fmt.Sprintf("%dy", int(d/(365*day)))
	}
}

// ageOf is the age of a time as records have it.
func (a *app) ageOf(text string) string {
	then, err := time.ParseInLocation(lakemesh.TimeFormat, text, time.UTC)
	if err != nil {
		return orDash(text)
	}
	return age(then, a.time())
}

// dayOf is the day of an end.
func dayOf(until time.Time) string {
	if until.IsZero() {
		return orDash("")
	}
	return until.UTC().Format(time.DateOnly)
}
