package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

func (a *app) productRestore() *cobra.Command {
	var in producer.RestoreInput
	var n named
	cmd := &cobra.Command{
		Use:   "restore",
		Short: "Undo product migrate: make migrated tables again in your own catalog",
		Long: `Makes tables again in your own catalog, in the place of the links to the mesh, with
the definition and the partitions that the mesh has now. The tables stay published:
"product unpublish" takes them out of the mesh. Subscriptions that only read go on;
one that may change a table has to be narrowed or ended first. It is safe to repeat,
and completes what was left halfway.`,
		Example: `  lakemesh product restore --source-database-name aviation --dry-run
  lakemesh product restore --source-database-name aviation --table-name-regex routes`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			p, err := a.producer(ctx)
			if err != nil {
				return err
			}
			return n.carry(a, deed{
				name:    strings.ToLower(in.SourceDatabaseName),
				planned: func() (*plan.Plan, error) { return p.PlanRestoreTables(ctx, in) },
				do: func() error {
					out, err := p.RestoreTables(ctx, in)
					if err != nil {
						return err
					}
					a.warn(out.Warnings...)
					return a.show(out, func() {
						fmt.Fprint(a.out, restoredLine(out))
					})
				},
			})
		}),
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&in.SourceDatabaseName, "source-database-name", "", "the database whose tables were migrated")
	f.StringVar(&in.TableNameRegex, "table-name-regex", "", "a table's name, or a regular expression for whole names (default: all tables that were migrated)")
	n.add(f, "the database's name")
	required(cmd, "source-database-name")
	must(cmd.RegisterFlagCompletionFunc("source-database-name", a.completeSourceDatabases))
	return cmd
}

func restoredLine(out *producer.RestoreOutput) string {
	if len(out.Tables) == 0 {
		return line("nothing to restore: what was asked for of %s is in your own catalog already\n", out.DatabaseName)
	}
	return line("%s of %s %s in your own catalog again\n", counted(len(out.Tables), "table"), out.DatabaseName, choose(len(out.Tables) == 1, "is", "are"))
}
