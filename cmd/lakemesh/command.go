package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
	return a.carry(deed{planned: planned, do: do})
}

// setUp is write for an operation that sets up, and by which a setting can become
// narrower than it was: then it asks as one that removes does, and else it does not.
func (a *app) setUp(planned func() (*plan.Plan, error), do func() error) error {
	return a.carry(deed{planned: planned, do: do, asks: takesAway, takes: takesAway})
}

// remove is write for an operation that removes something: at a terminal it shows
// the plan and asks first, and without one it wants --yes for what is taken away.
func (a *app) remove(planned func() (*plan.Plan, error), do func() error) error {
	return a.carry(deed{planned: planned, do: do, asks: anything, takes: takesAway})
}

// repair is remove for a repair: who gives --repair has said so.
func (a *app) repair(planned func() (*plan.Plan, error), do func() error) error {
	return a.carry(deed{planned: planned, do: do, asks: anything})
}

// deed is what a command is to do.
type deed struct {
	planned func() (*plan.Plan, error)
	do      func() error
	// asks reports whether a person is asked first; nil never asks.
	asks func(*plan.Plan) (bool, error)
	// takes reports whether something is taken away, to which somebody has to agree also
	// where nobody can be asked; nil takes nothing away.
	takes func(*plan.Plan) (bool, error)
	// agreed tells that somebody has agreed already, in the command itself.
	agreed bool
	// about tells a person what the plan is about, if the plan does not say all of it.
	about func() (string, error)
	// name is what a person types to agree, and what --confirm takes; empty asks for a yes.
	name string
	// expect is where do learns which plan was agreed to, if it can be told.
	expect *string
}

func always(*plan.Plan) (bool, error) { return true, nil }

func anything(p *plan.Plan) (bool, error) { return !p.Empty(), nil }

// takesAway reports whether a plan takes something away from somebody.
func takesAway(p *plan.Plan) (bool, error) {
	if slices.ContainsFunc(p.Steps, func(s *plan.Step) bool { return s.TakesAway }) {
		return true, nil
	}
	for _, kind := range []plan.Kind{plan.Revoke, plan.CloseBucket, plan.DeleteLink, plan.DeleteTable, plan.DeleteDatabase, plan.DeleteRole, plan.DeleteRecords,
		plan.Deregister, plan.DeleteTag, plan.DeleteCrawler, plan.DeleteGroup, plan.DeleteQueue} {
		if p.Count(kind) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// carry carries a deed out. With --dry-run it shows the plan instead; at a terminal it
// shows the plan and asks first, if the deed asks, and does what was shown or nothing.
// Where nobody can be asked it takes nothing away to which nobody has agreed: by --yes, by
// the name of what goes, or by the digest of the plan.
func (a *app) carry(d deed) error {
	asks := d.asks != nil && !d.agreed && !a.flags.yes && a.asking
	named := d.expect != nil && *d.expect != ""
	unasked := d.takes != nil && !d.agreed && !named && !a.flags.yes && !a.asking
	if !a.flags.dryRun && !asks && !unasked {
		return d.do()
	}
	p, err := d.planned()
	if err != nil {
		return err
	}
	if a.flags.dryRun {
		text, err := d.text(a, a.flags.output == "table", p)
		if err != nil {
			return err
		}
		return a.show(p, func() { fmt.Fprint(a.out, text) })
	}
	if unasked {
		if takes, err := d.takes(p); takes || err != nil {
			return errors.Join(err, d.unconfirmed(takes))
		}
	}
	if asks {
		if asks, err = d.asks(p); err != nil {
			return err
		}
	}
	if asks {
		text, err := d.text(a, true, p)
		if err != nil {
			return err
		}
		a.screen.done()
		fmt.Fprint(a.err, text)
		if d.expect != nil && p.Digest == "" {
			return &lakemesh.Error{Op: p.Operation, Kind: lakemesh.ErrChanged, Message: "the plan cannot be shown in full, so that nobody can agree to it",
				Hint: "to do it whatever it is: --yes"}
		}
		if err := a.agree(d.name); err != nil {
			return err
		}
	}
	if d.expect != nil {
		*d.expect = p.Digest
	}
	return d.do()
}

// unconfirmed says how to agree where nobody can be asked.
func (d deed) unconfirmed(takes bool) error {
	if !takes {
		return nil
	}
	hint := "look at it with --dry-run, then agree to it: --yes"
	if d.name != "" {
		hint += ", or --confirm " + quoted(d.name)
	}
	if d.expect != nil {
		hint += ", or --expect with the digest that --dry-run has shown"
	}
	return &lakemesh.Error{Message: "this takes something away, and nobody can be asked without a terminal; nothing was changed", Hint: hint, Err: errNotConfirmed}
}

// text is what people see of a plan. What it is about is read after the plan was made:
// where that has changed in between, the plan has another digest by now, and is not done.
func (d deed) text(a *app, people bool, p *plan.Plan) (string, error) {
	if d.about == nil || !people {
		return a.renderPlan(p), nil
	}
	about, err := d.about()
	return about + "\n" + a.renderPlan(p), err
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
		cmd.Flags().Lookup(f).Usage += " (required)"
	}
}
