package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

func (a *app) productSync() *cobra.Command {
	var in producer.SyncInput
	var watch time.Duration
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Bring what is published up to date with its source",
		Long: `Brings definitions, the snapshots of Iceberg tables, partitions and LF-tags of what is
published up to date with its source. It publishes no other tables and grants nothing.
A copy that others have changed in the mesh is a conflict: it stays, and the command
fails when everything else is done.`,
		Example: `  lakemesh product sync
  lakemesh product sync --source-database-name aviation --table-name-regex weather
  lakemesh product sync --watch 5m`,
		Args: cobra.NoArgs,
	}
	cmd.RunE = a.do(func(ctx context.Context, _ []string) error {
		p, err := a.producer(ctx)
		if err != nil {
			return err
		}
		if !cmd.Flags().Changed("watch") || a.flags.dryRun {
			return a.write(
				func() (*plan.Plan, error) { return p.PlanSyncProducts(ctx, in) },
				func() error {
					out, err := p.SyncProducts(ctx, in)
					return a.showSynced(out, err)
				})
		}
		err = p.SyncProductsEvery(ctx, in, watch, func(out *producer.SyncOutput, err error) {
			if err := a.showSynced(out, err); err != nil && ctx.Err() == nil {
				a.warn(err.Error())
			}
		})
		if ctx.Err() != nil {
			// Whoever watches ends it.
			return nil
		}
		return err
	})
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&in.DatabaseName, "database-name", "", "only this database of the mesh (default: all of the producer's)")
	f.StringVar(&in.SourceDatabaseName, "source-database-name", "", "only what comes from this database of the producer")
	f.StringVar(&in.TableNameRegex, "table-name-regex", "", "a table's name, or a regular expression for whole names (default: all tables)")
	f.BoolVar(&in.Deep, "deep", false, "read the partitions of the copies, too, instead of trusting what was noted there")
	f.BoolVar(&in.Overwrite, "overwrite", false, "give up what others changed in the mesh since it was published, and take over columns that have moved")
	f.DurationVar(&watch, "watch", 0, "go on, and do it again whenever so much time has passed: 5m")
	must(cmd.RegisterFlagCompletionFunc("source-database-name", a.completeSourceDatabases))
	return cmd
}

// showSynced shows what was brought up to date, also where something else could not be.
func (a *app) showSynced(out *producer.SyncOutput, failed error) error {
	if out == nil {
		return failed
	}
	a.warn(out.Warnings...)
	err := a.show(out, func() {
		rows := make([][]string, len(out.Products))
		for i, p := range out.Products {
			rows[i] = []string{p.DatabaseName, p.SourceDatabaseName, fmt.Sprint(p.Tables), fmt.Sprint(p.Steps)}
		}
		a.printTable("products", []string{"DATABASE IN THE MESH", "SOURCE", "TABLES", "STEPS DONE"}, rows)
	})
	return errors.Join(failed, err)
}
