package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/plan"
)

func (a *app) subscriptionTidy() *cobra.Command {
	var in consumer.RemoveDeadLinksInput
	cmd := &cobra.Command{
		Use:   "tidy",
		Short: "Remove links that lead nowhere since their owner ended the subscription",
		Long: `As the consumer: removes the account's resource links to databases of the mesh of which
it has no subscription any more and that it does not see.`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			c, err := a.consumer(ctx)
			if err != nil {
				return err
			}
			return a.remove(
				func() (*plan.Plan, error) { return c.PlanRemoveDeadLinks(ctx, in) },
				func() error { return c.RemoveDeadLinks(ctx, in) })
		}),
	}
	cmd.Flags().StringVar(&in.DatabaseName, "database-name", "", "only links to this database of the mesh")
	return cmd
}
