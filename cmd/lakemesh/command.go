package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

// do makes the body of a command: from here on, errors are not those of the parser,
// and progress is shown if it takes long.
func (a *app) do(body func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		a.begun = true
		a.screen.begin(cmd.CommandPath())
		defer a.screen.done()
		return body(cmd.Context(), args)
	}
}

// write does what an operation is to do, or with --dry-run shows its plan.
func (a *app) write(planned func() (*plan.Plan, error), do func() error) error {
	if !a.flags.dryRun {
		return do()
	}
	p, err := planned()
	if err != nil {
		return err
	}
	return a.showPlan(p)
}

// remove is write for an operation that removes something: at a terminal it shows
// the plan and asks first.
func (a *app) remove(planned func() (*plan.Plan, error), do func() error) error {
	if a.flags.dryRun || a.flags.yes || !a.asking {
		return a.write(planned, do)
	}
	p, err := planned()
	if err != nil {
		return err
	}
	a.screen.done()
	fmt.Fprint(a.err, renderPlan(p))
	if err := a.confirm("Do it?"); err != nil {
		return err
	}
	return do()
}

// noDryRun refuses --dry-run where there is no plan to show.
func (a *app) noDryRun(what string) error {
	if a.flags.dryRun {
		return usageError{lakemesh.Invalid("--dry-run", "%s has none", what)}
	}
	return nil
}

// subject is the subscription that a command is about: a flag, or the argument.
type subject struct{ id, flag string }

// add adds the flag, the same flag under another name that is not shown, and the
// argument.
func (s *subject) add(cmd *cobra.Command, flag, other string) {
	s.flag = flag
	cmd.Use += " [" + flag + "]"
	cmd.Args = cobra.MaximumNArgs(1)
	cmd.Flags().StringVar(&s.id, flag, "", "the request or subscription")
	cmd.Flags().StringVar(&s.id, other, "", "the request or subscription")
	must(cmd.Flags().MarkHidden(other))
}

func (s *subject) get(args []string) (string, error) {
	switch {
	case s.id == "" && len(args) == 0:
		return "", usageError{lakemesh.Invalid("--"+s.flag, "it is required, as the argument or as the flag")}
	case len(args) == 0:
		return s.id, nil
	case s.id != "" && s.id != args[0]:
		return "", usageError{lakemesh.Invalid("--"+s.flag, "both %s and %s are given", s.id, args[0])}
	}
	return args[0], nil
}

// addAs adds --as to a command that both sides have.
func addAs(cmd *cobra.Command, as *string, otherwise string) {
	cmd.Flags().Var(newChoice(as, "", "producer", "consumer"), "as", "who acts: producer or consumer (default: "+otherwise+", or the one that the credentials file holds)")
	must(cmd.RegisterFlagCompletionFunc("as", cobra.FixedCompletions([]string{"producer", "consumer"}, cobra.ShellCompDirectiveNoFileComp)))
}

// required marks flags without which a command is wrong usage.
func required(cmd *cobra.Command, flags ...string) {
	for _, f := range flags {
		must(cmd.MarkFlagRequired(f))
	}
}
