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
	// removes tells that the operation takes something away, so that it is asked first.
	removes bool
	plan    func(context.Context, P) (*plan.Plan, error)
	do      func(context.Context, P) error
}

// changing makes the command, without the flags of its own.
func changing[P any](a *app, c change[P]) *cobra.Command {
	var id subject
	cmd := &cobra.Command{Use: c.use, Short: c.short, Long: c.long}
	cmd.RunE = a.do(func(ctx context.Context, args []string) error {
		var err error
		if *c.id, err = id.get(args); err != nil {
			return err
		}
		persona, err := c.open(ctx)
		if err != nil {
			return err
		}
		write := a.write
		if c.removes {
			write = a.remove
		}
		return write(
			func() (*plan.Plan, error) { return c.plan(ctx, persona) },
			func() error { return c.do(ctx, persona) })
	})
	id.add(cmd, c.flag, c.other)
	cmd.ValidArgsFunction = a.completeIDs(c.who, c.on...)
	return cmd
}
