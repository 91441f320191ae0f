package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

func (a *app) productUnpublish() *cobra.Command {
	var in producer.UnpublishInput
	var n named
	cmd := &cobra.Command{
		Use:   "unpublish",
		Short: "Take published tables out of the mesh",
		Long: `Ends the grants on published tables, and removes them from the mesh's catalog and
the links to them from yours. Your own tables and the data stay. Subscriptions to
the tables keep them in the mesh, unless they are ended with it.

A subscription to a domain or a data product keeps nothing there. It goes on with what is
left, and without any table it stays: what is published into it later is read at once.
--end-subscriptions ends it if no table is left to it.`,
		Example: `  lakemesh product unpublish --source-database-name aviation --dry-run
  lakemesh product unpublish --source-database-name aviation --table-name-regex routes --end-subscriptions --reason "moved"`,
		Args: cobra.NoArgs,
	}
	cmd.RunE = a.do(func(ctx context.Context, _ []string) error {
		p, err := a.producer(ctx)
		if err != nil {
			return err
		}
		name := in.ExposeDataMeshDBName
		if name == "" {
			name = lakemesh.MeshDatabaseName(in.SourceDatabaseName, p.Account())
		}
		return n.carry(a, deed{
			name:    strings.ToLower(name),
			planned: func() (*plan.Plan, error) { return p.PlanUnpublishDataProducts(ctx, in) },
			do: func() error {
				out, err := p.UnpublishDataProducts(ctx, in)
				if err != nil {
					return err
				}
				a.warn(out.Warnings...)
				return a.show(out, func() {
					fmt.Fprint(a.out, line("%s of %s %s left the mesh, %s %s ended\n", counted(len(out.Tables), "table"), out.DatabaseName,
						choose(len(out.Tables) == 1, "has", "have"), counted(len(out.Subscriptions), "subscription"), was(len(out.Subscriptions))))
				})
			},
		})
	})
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&in.SourceDatabaseName, "source-database-name", "", "the database whose tables were published")
	f.StringVar(&in.TableNameRegex, "table-name-regex", "", "a table's name, or a regular expression for whole names (default: all tables)")
	f.StringVar(&in.ExposeDataMeshDBName, "expose-data-mesh-db-name", "", "the database's name in the mesh (default: <source database>-<producer account>)")
	f.BoolVar(&in.EndSubscriptions, "end-subscriptions", false, "end the subscriptions to the tables first, and those to a domain or a data product that have no other")
	f.StringVar(&in.Reason, "reason", "", "why, for those whose subscriptions end")
	n.add(f, "the name of the database in the mesh")
	required(cmd, "source-database-name")
	must(cmd.RegisterFlagCompletionFunc("source-database-name", a.completeSourceDatabases))
	return cmd
}
