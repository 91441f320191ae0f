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
			planned := func() (*plan.Plan, error) { return c.PlanRemoveDeadLinks(ctx, in) }
			return a.remove(planned, func() error {
				todo, err := planned()
				if err != nil {
					return err
				}
				if todo.Empty() {
					a.say("nothing to tidy: no link of the account leads nowhere")
					return nil
				}
				if err := c.RemoveDeadLinks(ctx, in); err != nil {
					return err
				}
				a.say("%s %s removed", counted(todo.Count(plan.DeleteLink), "link"), was(todo.Count(plan.DeleteLink)))
				return nil
			})
		}),
	}
	cmd.Flags().StringVar(&in.DatabaseName, "database-name", "", "only links to this database of the mesh")
	cmd.Flags().StringVar(&in.LinkRegion, "link-region", "", "look in this region, too (default: the mesh's, and those in which subscriptions were linked)")
	return cmd
}
