package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

func (a *app) expireCommand() *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use:   "expire",
		Short: "End the subscriptions whose end has passed (producer; --as admin: of all owners)",
		Long: `Takes away what subscriptions gave whose end has passed, and records them as Deleted.
Lake Formation's grants have no end of their own, so run it on a schedule, as the producer:
access ends when it runs. Between its end and that run a subscription justifies nothing:
another decision on the same tables takes its grants away, and verify tells of it.
In a mesh that was made with --end-schedules on, EventBridge Scheduler takes the grants away
within a minute or two of the end, whoever runs this; the records still wait for it.
Those that end soon are listed by lakemesh subscription list --ending-within 30d.

As the mesh's administrator it revokes what is over of all owners, and tells which owners have
yet to record it: nobody else writes their records, and closes the prefixes of their buckets.`,
		Example: `  lakemesh expire --dry-run
  lakemesh expire
  lakemesh expire --as admin`,
		Args: cobra.NoArgs,
	}
	cmd.RunE = a.do(func(ctx context.Context, _ []string) error {
		as, err := a.looks(as)
		if err != nil {
			return err
		}
		if as == "admin" {
			return a.expireAll(ctx)
		}
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
	})
	cmd.Flags().Var(newChoice(&as, "", "producer", "admin"), "as", "whose side: producer or admin (default: that of the context, or producer)")
	must(cmd.RegisterFlagCompletionFunc("as", cobra.FixedCompletions([]string{"producer", "admin"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// expireAll revokes what is over of all owners.
func (a *app) expireAll(ctx context.Context) error {
	m, err := a.admin(ctx, lakemesh.MeshIdentity)
	if err != nil {
		return err
	}
	return a.carry(deed{
		planned: func() (*plan.Plan, error) { return m.PlanExpireSubscriptions(ctx) },
		do: func() error {
			out, err := m.ExpireSubscriptions(ctx)
			if out == nil {
				return err
			}
			return errors.Join(a.show(out, func() {
				for _, text := range out.Revoked {
					a.say("done: %s", text)
				}
				for _, owner := range slices.Sorted(maps.Keys(out.Unrecorded)) {
					a.say("account %s has yet to record as ended (lakemesh expire): %s", owner, strings.Join(out.Unrecorded[owner], ", "))
				}
				if len(out.Revoked)+len(out.Unrecorded) == 0 && err == nil {
					a.say("no subscription is over")
				}
			}), err)
		},
	})
}
