package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh/plan"
)

func (a *app) expireCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "expire",
		Short: "End the subscriptions whose end has passed (producer)",
		Long: `Takes away what subscriptions gave whose end has passed, and records them as Deleted.
Lake Formation's grants have no end of their own, so run it on a schedule, as the producer:
access ends when it runs. Between its end and that run a subscription justifies nothing:
another decision on the same tables takes its grants away, and verify tells of it.
Those that end soon are listed by lakemesh subscription list --ending-within 30d.`,
		Example: `  lakemesh expire --dry-run
  lakemesh expire`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			p, err := a.producer(ctx)
			if err != nil {
				return err
			}
			return a.carry(deed{
				planned: func() (*plan.Plan, error) { return p.PlanExpireSubscriptions(ctx) },
				do: func() error {
					out, err := p.ExpireSubscriptions(ctx)
					if out == nil {
						return err
					}
					return errors.Join(a.show(out, func() {
						for _, id := range out.Subscriptions {
							a.say("ended %s", id)
						}
						if len(out.Subscriptions) == 0 && err == nil {
							a.say("no subscription is over")
						}
					}), err)
				},
			})
		}),
	}
}
