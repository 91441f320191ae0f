package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

// change is a command by which a persona P changes one subscription.
type change[P any] struct {
	use, short, long string
	// flag names the subscription, as does other, which is not shown.
	flag, other string
	// id is where the operation's input names the subscription.
	id *string
	// who acts, on subscriptions in these states.
	who lakemesh.Identity
	on  []lakemesh.Status
	// open opens the persona.
	open func(context.Context) (P, error)
	// asks reports whether a person at the terminal is asked before the plan is carried
	// out; nil never asks.
	asks func(context.Context, P, *plan.Plan) (bool, error)
	// takes reports whether the plan takes something away from somebody; nil never does.
	takes func(context.Context, P, *plan.Plan) (bool, error)
	// about is what the plan is about, if it does not say all of it.
	about func(context.Context, P) (string, error)
	// expect is where the operation's input names the plan that was agreed to, if it can.
	expect *string
	plan   func(context.Context, P) (*plan.Plan, error)
	do     func(context.Context, P) error
}

// changing makes the command, without the flags of its own.
func changing[P any](a *app, c change[P]) *cobra.Command {
	var id subject
	cmd := &cobra.Command{Use: c.use, Short: c.short, Long: c.long}
	cmd.RunE = a.do(func(ctx context.Context, args []string) error {
		typed, err := id.get(args)
		if err != nil {
			return err
		}
		if *c.id, err = a.wholeID(ctx, typed, c.who); err != nil {
			return err
		}
		if c.who == lakemesh.ProducerIdentity {
			if err := a.wholeOrShown(typed, *c.id, c.expect); err != nil {
				return err
			}
		}
		if err := a.checkParty(ctx, *c.id, c.who); err != nil {
			return err
		}
		persona, err := c.open(ctx)
		if err != nil {
			return err
		}
		d := deed{
			planned: func() (*plan.Plan, error) { return c.plan(ctx, persona) },
			do:      func() error { return c.do(ctx, persona) },
			expect:  c.expect,
		}
		if c.asks != nil {
			d.asks = func(p *plan.Plan) (bool, error) { return c.asks(ctx, persona, p) }
		}
		if c.takes != nil {
			d.takes = func(p *plan.Plan) (bool, error) { return c.takes(ctx, persona, p) }
		}
		if c.about != nil {
			d.about = func() (string, error) { return c.about(ctx, persona) }
		}
		return a.carry(d)
	})
	id.add(cmd, c.flag, c.other)
	if c.expect != nil {
		addExpect(cmd, c.expect)
	}
	cmd.ValidArgsFunction = a.completeIDs(c.who, c.on...)
	return cmd
}

// alwaysAsk asks whatever the plan is.
func alwaysAsk[P any](context.Context, P, *plan.Plan) (bool, error) { return true, nil }

// addExpect adds the flag that names the plan which was looked at.
func addExpect(cmd *cobra.Command, expect *string) {
	cmd.Flags().Var(digest{expect}, "expect", "the digest of the plan that --dry-run has shown: another one is not done")
}
