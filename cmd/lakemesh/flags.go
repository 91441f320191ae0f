package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lakemesh/lakemesh"
)

// mayBeEmpty are the flags with a text of which an empty one is something to say. Of every
// other an empty text is refused: it is what a variable has that was never set, and would
// stand for everything ("" as an expression for tables) or for somebody else.
func mayBeEmpty() []string {
	return []string{"notes", "decision-notes", "reason", "expose-table-references-with-suffix", "create-public-metadata"}
}

// checkEmpty refuses flags with empty texts. A context is set with them: they take something
// out of it.
func checkEmpty(cmd *cobra.Command) error {
	if cmd.CommandPath() == "lakemesh context set" {
		return nil
	}
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if err == nil && f.Value.Type() == "string" && strings.TrimSpace(f.Value.String()) == "" && !slices.Contains(mayBeEmpty(), f.Name) {
			err = usageError{lakemesh.Invalid("--"+f.Name, "a value is expected; leave the flag out for its default")}
		}
	})
	return err
}

// nearFlag says of a flag that there is not which one may be meant.
func nearFlag(cmd *cobra.Command, err error) error {
	absent, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	if near := nearNames(cmd, absent.GetSpecifiedName()); len(near) > 0 {
		return &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Message: err.Error() + "; did you mean " + strings.Join(near, " or ") + "?", Err: err}
	}
	return err
}

// nearNames are the flags that a name could be a misspelling, or the beginning, of.
func nearNames(cmd *cobra.Command, name string) []string {
	// The parser finds names like another among commands.
	flags := &cobra.Command{Use: "flags", SuggestionsMinimumDistance: 2}
	add := func(f *pflag.Flag) {
		// Nobody is led to agree to something by a slip.
		if !f.Hidden && f.Name != "yes" {
			flags.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
		}
	}
	cmd.LocalFlags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	near := flags.SuggestionsFor(name)
	for i, n := range near {
		near[i] = "--" + n
	}
	slices.Sort(near)
	return slices.Compact(near)
}

// readers are the commands that write nothing. Every other has the flags of writing.
func readers() []string {
	return []string{
		"mesh status", "account status", "product list", "product get", "request list", "subscription list", "subscription get",
		"subscription watch", "access list", "explain", "local status", "local env", "context list", "context show", "context set", "context use", "context delete", "iac render", "version", "demo",
	}
}

// addWriteFlags gives the flags of writing to the commands that write.
func (a *app) addWriteFlags(root *cobra.Command) {
	for _, c := range leaves(root) {
		if c.Name() == "help" {
			continue
		}
		if name := strings.TrimPrefix(c.CommandPath(), root.Name()+" "); slices.Contains(readers(), name) {
			continue
		}
		c.Flags().BoolVar(&a.flags.dryRun, "dry-run", false, "show what would be done, and do nothing")
		c.Flags().BoolVarP(&a.flags.yes, "yes", "y", false, "agree to what is granted or removed, without being asked")
	}
}

// leaves are the commands that hold no others.
func leaves(c *cobra.Command) []*cobra.Command {
	if !c.HasSubCommands() {
		return []*cobra.Command{c}
	}
	var all []*cobra.Command
	for _, sub := range c.Commands() {
		all = append(all, leaves(sub)...)
	}
	return all
}
