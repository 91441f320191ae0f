package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/printable"
	"github.com/lakemesh/lakemesh/producer"
)

func (a *app) accessCommand() *cobra.Command {
	return group("access", "See who can read what, and why", a.accessList())
}

func (a *app) accessList() *cobra.Command {
	var f access.ListFilter
	var as, by, when string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List who holds what, through which subscription or by hand",
		Example: `  lakemesh access list
  lakemesh access list --by consumer --output csv
  lakemesh access list --principal 222222222222 --at 2026-01-31`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			var at *time.Time
			if when != "" {
				t, err := parseTime(when)
				if err != nil {
					return err
				}
				at = &t
			}
			list, err := a.listAccess(ctx, as, f, at)
			if err != nil {
				return err
			}
			access.SortEntries(list.Entries, by)
			if a.flags.output == "csv" {
				a.screen.done()
				a.warn(list.Notes...)
				return a.accessCSV(list.Entries)
			}
			return a.show(list, func() {
				fmt.Fprint(a.out, renderAccess(list.Entries, by, a.width))
				for _, n := range list.Notes {
					a.say("note: %s", a.here(n))
				}
			})
		}),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.Database, "database-name", "", "only this database of the mesh")
	flags.StringVar(&f.Table, "table-name", "", "only this table, and what may be on it")
	flags.StringVar(&f.Principal, "principal", "", "only this principal, or this account and everybody of it")
	flags.Var(newChoice(&by, "table", "consumer", "principal"), "by", "in the order of: table, consumer or principal")
	flags.StringVar(&when, "at", "", "as it was justified at this time: a date (2026-01-31, its first moment in UTC), a time in UTC (\"2026-01-31 12:00:00\"), or RFC 3339 (2026-01-31T12:00:00+01:00)")
	// It has a form more than other results have.
	flags.VarP(newChoice(&a.flags.output, "table", "json", "yaml", "csv"), "output", "o", "form of the result: table, json, yaml, or csv for a spreadsheet")
	must(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json", "yaml", "csv"}, cobra.ShellCompDirectiveNoFileComp)))
	flags.Var(newChoice(&as, "", "producer", "consumer", "admin"), "as", "who asks: producer, consumer or admin (default: producer, or the one that the credentials file holds)")
	return cmd
}

func (a *app) listAccess(ctx context.Context, as string, f access.ListFilter, at *time.Time) (*access.List, error) {
	as, err := a.looks(as)
	if err != nil {
		return nil, err
	}
	if as == "admin" {
		m, err := a.admin(ctx, lakemesh.MeshIdentity)
		if err != nil {
			return nil, err
		}
		return m.AccessList(ctx, admin.AccessListInput{ListFilter: f, At: at})
	}
	side, err := a.side(ctx, as, lakemesh.ProducerIdentity)
	if err != nil {
		return nil, err
	}
	if side == lakemesh.ConsumerIdentity {
		c, err := a.consumer(ctx)
		if err != nil {
			return nil, err
		}
		return c.AccessList(ctx, consumer.AccessListInput{ListFilter: f, At: at})
	}
	p, err := a.producer(ctx)
	if err != nil {
		return nil, err
	}
	return p.AccessList(ctx, producer.AccessListInput{ListFilter: f, At: at})
}

// parseTime reads a time in UTC: a day, a time as records have it, or RFC 3339.
func parseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, lakemesh.TimeFormat, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, lakemesh.Invalid("--at", "%q is neither a date (2026-01-31), nor a time in UTC (2026-01-31 12:00:00), nor RFC 3339 (2026-01-31T12:00:00Z)", text)
}

// renderAccess is a block for each line of the list, so that ARNs and ids stay whole on
// 80 columns as far as they are not longer themselves.
func renderAccess(entries []access.Entry, by string, width int) string {
	if len(entries) == 0 {
		return "no access\n"
	}
	var b strings.Builder
	last := ""
	for _, e := range entries {
		head, second := accessOn(e), e.Principal
		switch by {
		case "principal":
			head, second = second, head
		case "consumer":
			head, second = orDash(e.Account), head+" to "+e.Principal
		}
		if head != last {
			fmt.Fprintln(&b, printable.Line(head))
			last = head
		}
		held := strings.Join(e.Permissions.Strings(), ",")
		if len(e.Grantable) > 0 {
			held += ", may hand on " + strings.Join(e.Grantable.Strings(), ",")
		}
		fmt.Fprintf(&b, "%s\n%s\n", hung("  "+printable.Line(second), len("  "), width), hung("    "+printable.Line(held), len("    "), width))
		if len(e.Through) == 0 {
			fmt.Fprintf(&b, "    %s\n", e.Origin)
		}
		for _, id := range e.Through {
			fmt.Fprintf(&b, "    through %s\n", printable.Line(id))
		}
		if e.Until != nil {
			fmt.Fprintf(&b, "    until %s\n", lakemesh.FormatTime(*e.Until))
		}
	}
	return b.String()
}

// accessOn names what a grant is on.
func accessOn(e access.Entry) string {
	name := e.Database
	if e.Table != "" {
		name += "." + e.Table
	}
	switch e.Kind {
	case access.KindTable:
		return name
	case access.KindColumns:
		return name + " columns " + strings.Join(e.Columns, ",")
	case access.KindFilter:
		if s := (lakemesh.Scope{Columns: e.Columns, ExceptColumns: e.ExceptColumns, Rows: e.Rows}); !s.IsZero() {
			return name + " " + s.String()
		}
		return name + " filter " + e.Filter
	case access.KindTaggedTables, access.KindTaggedDatabases:
		return string(e.Kind) + " " + e.Tags.String()
	case access.KindAllTables:
		return name + ".* (all tables)"
	}
	return strings.TrimSpace(string(e.Kind) + " " + name)
}

// accessCSV writes a line for each entry.
func (a *app) accessCSV(entries []access.Entry) error {
	w := csv.NewWriter(a.out)
	rows := [][]string{{"Principal", "Account", "Kind", "Database", "Table", "Columns", "ExceptColumns", "Rows", "Filter", "Tags", "Permissions", "Grantable", "Origin", "Through", "Since", "Until"}}
	stamp := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return lakemesh.FormatTime(*t)
	}
	for _, e := range entries {
		rows = append(rows, []string{e.Principal, e.Account, string(e.Kind), e.Database, e.Table, strings.Join(e.Columns, " "), strings.Join(e.ExceptColumns, " "), e.Rows, e.Filter, e.Tags.String(),
			strings.Join(e.Permissions.Strings(), " "), strings.Join(e.Grantable.Strings(), " "), string(e.Origin), strings.Join(e.Through, " "), stamp(e.Since), stamp(e.Until)})
	}
	for _, row := range rows {
		for i, cell := range row {
			row[i] = harmless(cell)
		}
		if err := w.Write(row); err != nil {
			return fmt.Errorf("write the result: %w", err)
		}
	}
	w.Flush()
	return w.Error()
}

// harmless is a cell that a spreadsheet does not take for a formula
// (https://owasp.org/www-community/attacks/CSV_Injection), nor in the wide forms of the
// same characters. What begins a formula behind a space does so, too; a tab, a carriage
// return and whatever else is not seen is escaped.
func harmless(cell string) string {
	cell = printable.Line(cell)
	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(cell, unicode.IsSpace))
	if strings.ContainsRune("=+-@\uff1d\uff0b\uff0d\uff20", first) {
		return "'" + cell
	}
	return cell
}
