package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/home"
	"github.com/lakemesh/lakemesh/query"
)

// queryFlags say how and as whom Athena is asked.
type queryFlags struct {
	as, role, workGroup, output string
	limit                       int
}

func (f *queryFlags) add(cmd *cobra.Command, limit int) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&f.limit, "limit", limit, "how many rows are shown at most")
	flags.Var(newName(&f.workGroup, query.DefaultWorkGroup), "work-group", "the work group of Athena")
	flags.Var(newName(&f.output, ""), "output-location", "an S3 path for the results (default: the work group's)")
	flags.Var(newName(&f.role, ""), "role", "the ARN of a role that is assumed, and asks (default: who calls)")
	flags.Var(newChoice(&f.as, "", "producer", "consumer"), "as", "in whose account, as its administrator in the credentials file: producer or consumer (default: consumer)")
	must(cmd.RegisterFlagCompletionFunc("as", cobra.FixedCompletions([]string{"producer", "consumer"}, cobra.ShellCompDirectiveNoFileComp)))
	for _, name := range []string{"work-group", "output-location", "role"} {
		must(cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions))
	}
}

// querying opens Athena. The credentials file holds administrators, and those who may assume a
// role of the mesh and nothing else: the administrators ask, or assume the role that asks.
func (a *app) querying(ctx context.Context, f *queryFlags) (*query.Client, error) {
	who := lakemesh.ConsumerAdminIdentity
	if f.as == "producer" {
		who = lakemesh.ProducerAdminIdentity
	}
	o, err := a.options(ctx, who)
	if err != nil {
		return nil, err
	}
	if f.limit < 1 {
		return nil, usageError{lakemesh.Invalid("--limit", "at least 1 row is shown")}
	}
	c, err := query.New(ctx, o, f.role)
	if err != nil {
		return nil, err
	}
	if !a.flags.local || f.output != "" {
		return c, nil
	}
	location, err := c.Location(ctx, f.workGroup)
	if err != nil || location != "" {
		return c, err
	}
	// On the local mesh there is a bucket for whoever has none.
	cfg := o.Config.Copy()
	cfg.Credentials = o.Credentials
	cfg.Region = o.Region
	f.output, err = home.QueryResults(ctx, cfg, c.Account())
	return c, err
}

func (a *app) queryCommand() *cobra.Command {
	var f queryFlags
	var database string
	cmd := &cobra.Command{
		Use:   "query <SQL>",
		Short: "Ask Athena, as yourself or as a role",
		Long: `Runs a query with Amazon Athena, or with the Athena of the local mesh, and shows its
rows. What may be seen is for IAM and Lake Formation to say. The work group is checked
first; AWS charges for the bytes that are read, which are told at the end.

A statement that is no query, such as CREATE TABLE AS or DROP TABLE, wants --yes.`,
		Example: `  lakemesh query "SELECT * FROM links.weather LIMIT 10"
  lakemesh query "SELECT count(*) FROM weather" --database-name aviation --as producer
  lakemesh query "SELECT 1" --work-group analysts --role arn:aws:iam::222222222222:role/Analyst -o json`,
		Args: exactlyOne("a query, in quotation marks"),
	}
	cmd.RunE = a.do(func(ctx context.Context, args []string) error {
		if a.flags.dryRun {
			return usageError{lakemesh.Invalid("--dry-run", "a query changes nothing")}
		}
		if strings.TrimSpace(args[0]) == "" {
			return usageError{lakemesh.Invalid("query", "a query is expected")}
		}
		// EXPLAIN ANALYZE carries out what it explains.
		if word := firstWord(explaining.ReplaceAllString(args[0], "")); !slices.Contains(reads(), word) && !a.flags.yes {
			return &lakemesh.Error{Message: fmt.Sprintf("no query begins with %q: it may change something, which Athena does at once", word), Hint: "if that is meant: --yes", Err: errNotConfirmed}
		}
		c, err := a.querying(ctx, &f)
		if err != nil {
			return err
		}
		return a.unread(ctx, c, f.as, database+" "+args[0],
			a.answer(ctx, c, query.Input{SQL: args[0], Database: database, WorkGroup: f.workGroup, OutputLocation: f.output, Limit: f.limit}))
	})
	f.add(cmd, query.DefaultLimit)
	cmd.Flags().Var(newName(&database, ""), "database-name", "the database of tables that are named without one")
	must(cmd.RegisterFlagCompletionFunc("database-name", cobra.NoFileCompletions))
	return cmd
}

// reads are the words that statements begin with which change nothing.
func reads() []string {
	return []string{"SELECT", "WITH", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC"}
}

// explaining is what stands before a statement that is explained and not carried out, or is.
var explaining = regexp.MustCompile(`(?is)^\s*EXPLAIN\s+(?:ANALYZE\s+(?:VERBOSE\s+)?)?(?:\([^)]*\)\s*)?`)

// beforeWords is what can stand before the first word of a statement: comments, brackets.
var beforeWords = regexp.MustCompile(`^(?:\s|\(|--[^\r\n]*(?:[\r\n]|$)|(?s:/\*.*?\*/))*`)

// firstWord is the word that a statement begins with, in capitals.
func firstWord(sql string) string {
	rest := sql[len(beforeWords.FindString(sql)):]
	end := strings.IndexFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) })
	if end >= 0 {
		rest = rest[:end]
	}
	return strings.ToUpper(rest)
}

func exactlyOne(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("one argument is expected: %s", what)
		}
		return nil
	}
}

// previewRows is how many rows a preview shows, and largest how large a table may be that is
// previewed without being asked for: Athena may read all of it for the first rows.
const (
	previewRows = 20
	largest     = 10 << 30
)

func (a *app) productPreview() *cobra.Command {
	var f queryFlags
	var database, table string
	cmd := &cobra.Command{
		Use:   "preview",
		Short: "Show the first rows of a table, as Athena shows them to you",
		Example: `  lakemesh product preview --database-name aviation-111111111111_link --table-name weather
  lakemesh product preview --database-name links --table-name weather --role arn:aws:iam::222222222222:role/Analyst`,
		Args: cobra.NoArgs,
	}
	cmd.RunE = a.do(func(ctx context.Context, _ []string) error {
		c, err := a.querying(ctx, &f)
		if err != nil {
			return err
		}
		t, err := c.Describe(ctx, database, table)
		if err != nil {
			return a.unread(ctx, c, f.as, database+" "+table, err)
		}
		if len(t.Columns) == 0 {
			return a.unread(ctx, c, f.as, database+" "+table, &lakemesh.Error{Op: "Preview", Account: c.Account(), Resource: "table " + database + "." + table, Kind: lakemesh.ErrAccessDenied,
				Message: "no column of it may be seen", Hint: "see what " + c.Caller() + " may read with access list and explain"})
		}
		if t.Size > largest && !a.flags.yes {
			return &lakemesh.Error{Op: "Preview", Account: c.Account(), Resource: "table " + database + "." + table, Message: fmt.Sprintf("it has %s, and Athena may read all of it, which AWS charges for", bytesOf(t.Size)),
				Hint: "to read it all the same: --yes", Err: errNotConfirmed}
		}
		in := query.Input{SQL: t.Select(f.limit), Database: database, WorkGroup: f.workGroup, OutputLocation: f.output, Limit: f.limit}
		if a.flags.dryRun {
			fmt.Fprintln(a.out, line("%s", in.SQL))
			return c.Check(ctx, in)
		}
		return a.unread(ctx, c, f.as, database+" "+table, a.answer(ctx, c, in))
	})
	f.add(cmd, previewRows)
	cmd.Flags().StringVar(&database, "database-name", "", "the database in your account: your own, or the link to what was imported")
	cmd.Flags().StringVar(&table, "table-name", "", "the table")
	required(cmd, "database-name", "table-name")
	return cmd
}

// answer runs a query and shows its rows.
func (a *app) answer(ctx context.Context, c *query.Client, in query.Input) error {
	out, err := c.Run(ctx, in)
	if err != nil {
		return err
	}
	err = a.show(out, func() {
		var heads []string
		for _, col := range out.Columns {
			heads = append(heads, strings.ToUpper(col.Name))
		}
		var rows [][]string
		for _, r := range out.Rows {
			row := make([]string, len(heads))
			for i := range row {
				switch {
				case i >= len(r):
				case r[i] == nil:
					row[i] = "NULL"
				default:
					row[i] = *r[i]
				}
			}
			rows = append(rows, row)
		}
		fmt.Fprint(a.out, renderRows(heads, rows, a.width))
	})
	if err != nil {
		return err
	}
	if a.flags.output == "table" {
		more := ""
		if out.Truncated {
			more = ", and more in " + out.OutputLocation
		}
		a.say("%d %s%s; %s read in %d ms", len(out.Rows), choose(len(out.Rows) == 1, "row", "rows"), more, bytesOf(out.ScannedBytes), out.Milliseconds)
	}
	return nil
}

// bytesOf writes a number of bytes for people.
func bytesOf(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d bytes", n)
	}
	size, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB", "PiB"} {
		if size /= 1024; size < 1024 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", size, unit)
}
