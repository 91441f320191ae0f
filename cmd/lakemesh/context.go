package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/contexts"
)

// contextVariable is the environment variable that names the context to use.
const contextVariable = "LAKEMESH_CONTEXT"

func (a *app) contextCommand() *cobra.Command {
	cmd := group("context", "Keep what would be typed each time: mesh account, region, profile, side",
		a.contextSet(), a.contextUse(), a.contextList(), a.contextShow(), a.contextDelete())
	cmd.Long = `A context holds the mesh account, the region, the profile (or the credentials file) and
the side as which you work, so that no command needs these flags. What a command is
told by a flag goes before. Contexts are kept in contexts.yaml in the folder lakemesh
of $XDG_CONFIG_HOME, without any secret.

A context is not used with --local, nor while $CredentialsFile names a file, unless it
is named by --context or $` + contextVariable + `.`
	return cmd
}

func (a *app) contextSet() *cobra.Command {
	var c contexts.Context
	var use bool
	cmd := &cobra.Command{
		Use:   "set <name>",
		Short: "Make a context, or change what is named of one",
		Long: `Makes a context, or changes what is named of one; what is not named stays, and an empty
value takes it out. The first context is in use at once, another one with --use.`,
		Example: `  lakemesh context set prod --mesh-account 555555555555 --region eu-central-1 --profile producer --as producer
  lakemesh context set prod --profile ""`,
		Args: cobra.ExactArgs(1),
	}
	cmd.RunE = a.do(func(_ context.Context, args []string) error {
		if err := contexts.CheckName(args[0]); err != nil {
			return err
		}
		file, err := contexts.Read(contexts.Path())
		if err != nil {
			return err
		}
		named, there := file.Contexts[args[0]]
		changed := false
		for flag, field := range map[string]struct {
			to   *string
			from string
		}{
			"mesh-account": {&named.MeshAccount, a.flags.meshAccount}, "region": {&named.Region, a.flags.region},
			"profile": {&named.Profile, a.flags.profile}, "credentials-file": {&named.CredentialsFile, a.flags.credentialsFile},
			"as": {&named.As, c.As},
		} {
			if cmd.Flags().Changed(flag) {
				*field.to = field.from
				changed = true
			}
		}
		switch {
		case there && !changed && !use:
			return usageError{&lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "context " + args[0], Message: "nothing is named that is to change",
				Hint: "name it by flags (lakemesh context set --help), or use the context as it is: lakemesh context use " + args[0]}}
		case named == contexts.Context{}:
			hint := "name what it keeps: --mesh-account, --region, --profile, --credentials-file or --as"
			if there {
				hint = "if it is needed no more: lakemesh context delete " + args[0]
			}
			return usageError{&lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "context " + args[0], Message: "there would be nothing in it", Hint: hint}}
		}
		if err := named.Check(); err != nil {
			return err
		}
		file.Contexts[args[0]] = named
		if use || file.Current == "" {
			file.Current = args[0]
		}
		if err := file.Write(); err != nil {
			return err
		}
		a.warn(unknownRegion(named.Region))
		a.say("context %s is set%s", args[0], choose(file.Current == args[0], ", and in use", ""))
		return nil
	})
	cmd.Flags().Var(anySide{&c.As}, "as", "the side as which you work: producer, consumer or admin (the mesh's administrator, where a command has that); empty takes it from what there is")
	must(cmd.RegisterFlagCompletionFunc("as", cobra.FixedCompletions(contexts.Sides(), cobra.ShellCompDirectiveNoFileComp)))
	cmd.Flags().BoolVar(&use, "use", false, "use it from now on")
	cmd.ValidArgsFunction = completeContexts
	return cmd
}

// anySide is a flag for a side, which may be empty.
type anySide struct{ value *string }

func (s anySide) String() string { return *s.value }
func (s anySide) Type() string   { return "string" }

func (s anySide) Set(text string) error {
	if text != "" && !slices.Contains(contexts.Sides(), text) {
		return fmt.Errorf("one of %s is expected", strings.Join(contexts.Sides(), ", "))
	}
	*s.value = text
	return nil
}

func (a *app) contextUse() *cobra.Command {
	return &cobra.Command{
		Use:     "use <name>",
		Short:   "Use a context from now on; " + contexts.None + " uses no one",
		Example: "  lakemesh context use prod\n  lakemesh context use " + contexts.None,
		Args:    cobra.ExactArgs(1),
		RunE: a.do(func(_ context.Context, args []string) error {
			file, err := contexts.Read(contexts.Path())
			if err != nil {
				return err
			}
			if args[0] == contexts.None {
				file.Current = ""
			} else if _, err := file.Get(args[0]); err != nil {
				return err
			} else {
				file.Current = args[0]
			}
			if err := file.Write(); err != nil {
				return err
			}
			a.say("%s", choose(file.Current == "", "no context is in use", "context "+args[0]+" is in use"))
			return nil
		}),
		ValidArgsFunction: completeContexts,
	}
}

// namedContext is a context with its name, as it is shown.
type namedContext struct {
	Name             string `json:"Name"`
	Current          bool   `json:"Current"`
	contexts.Context `yaml:",inline"`
}

func (a *app) contextList() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the contexts",
		Example: "  lakemesh context list",
		Args:    cobra.NoArgs,
		RunE: a.do(func(context.Context, []string) error {
			file, err := contexts.Read(contexts.Path())
			if err != nil {
				return err
			}
			list := []namedContext{}
			var rows [][]string
			for _, name := range slices.Sorted(maps.Keys(file.Contexts)) {
				c := file.Contexts[name]
				list = append(list, namedContext{name, name == file.Current, c})
				rows = append(rows, []string{choose(name == file.Current, "*", ""), name, orDash(c.MeshAccount), orDash(c.Region), orDash(c.Profile + c.CredentialsFile), orDash(c.As)})
			}
			return a.show(list, func() {
				a.printTable("contexts", []string{"", "CONTEXT", "MESH ACCOUNT", "REGION", "PROFILE", "AS"}, rows)
			})
		}),
	}
}

func (a *app) contextShow() *cobra.Command {
	return &cobra.Command{
		Use:     "show [name]",
		Short:   "Show a context, the one in use if none is named",
		Example: "  lakemesh context show",
		Args:    cobra.MaximumNArgs(1),
		RunE: a.do(func(_ context.Context, args []string) error {
			file, err := contexts.Read(contexts.Path())
			if err != nil {
				return err
			}
			name := file.Current
			if len(args) > 0 {
				name = args[0]
			} else if typed := namedContextOf(a.flags.context); typed != "" {
				name = typed
			}
			if name == "" || name == contexts.None {
				a.say("no context is in use")
				return a.show(nil, func() {})
			}
			c, err := file.Get(name)
			if err != nil {
				return err
			}
			return a.show(namedContext{name, name == file.Current, c}, func() {
				fmt.Fprint(a.out, renderFacts(fact{"context", name}, fact{"mesh account", c.MeshAccount}, fact{"region", c.Region}, fact{"profile", c.Profile},
					fact{"credentials file", c.CredentialsFile}, fact{"as", c.As}))
			})
		}),
		ValidArgsFunction: completeContexts,
	}
}

func (a *app) contextDelete() *cobra.Command {
	return &cobra.Command{
		Use:     "delete <name>",
		Short:   "Forget a context; nothing changes in the mesh",
		Example: "  lakemesh context delete prod",
		Args:    cobra.ExactArgs(1),
		RunE: a.do(func(_ context.Context, args []string) error {
			file, err := contexts.Read(contexts.Path())
			if err != nil {
				return err
			}
			if _, err := file.Get(args[0]); err != nil {
				return err
			}
			delete(file.Contexts, args[0])
			used := file.Current == args[0]
			if used {
				file.Current = ""
			}
			if err := file.Write(); err != nil {
				return err
			}
			a.say("context %s is forgotten", args[0])
			if !used {
				return nil
			}
			others := slices.Sorted(maps.Keys(file.Contexts))
			if len(others) == 0 {
				a.say("there is no other")
				return nil
			}
			a.say("none is in use now, of: %s", strings.Join(others, ", "))
			a.next("lakemesh context use %s", others[0])
			return nil
		}),
		ValidArgsFunction: completeContexts,
	}
}

func completeContexts(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	file, err := contexts.Read(contexts.Path())
	if err != nil {
		// A completion cannot tell an error.
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return slices.Sorted(maps.Keys(file.Contexts)), cobra.ShellCompDirectiveNoFileComp
}

// namedContextOf is the context that was named for this command: by the flag, then by the
// environment.
func namedContextOf(flag string) string {
	if flag != "" {
		return flag
	}
	return os.Getenv(contextVariable)
}

// warnOfVariable tells that a credentials file of the environment goes before a context that is
// named, or in use.
func (a *app) warnOfVariable() {
	file, err := contexts.Read(contexts.Path())
	if err != nil {
		// Whoever named one is told of it where it is looked at.
		return
	}
	named := namedContextOf(a.flags.context)
	c, ok := file.Contexts[cmp.Or(named, file.Current)]
	if !ok || named != "" && c.Profile == "" && c.CredentialsFile == "" {
		return
	}
	a.warn(fmt.Sprintf("the keys are those of $%s, and not those of context %s, which is %s; unset the variable to work as the context says",
		lakemesh.CredentialsFileVariable, cmp.Or(named, file.Current), choose(named == "", "in use", "named")))
}

// inContext is the context that the command works in. One that is in use, and was not named
// for this command, gives way to the local mesh and to a credentials file of the environment,
// which belong to another mesh.
func (a *app) inContext() (contexts.Context, error) {
	named := namedContextOf(a.flags.context)
	switch {
	case a.flags.local && a.flags.context != "" && named != contexts.None:
		return contexts.Context{}, usageError{lakemesh.Invalid("--context", "the local mesh has none: leave it or --local out")}
	case named == contexts.None, a.flags.local, named == "" && os.Getenv(lakemesh.CredentialsFileVariable) != "":
		return contexts.Context{}, nil
	}
	file, err := contexts.Read(contexts.Path())
	if err != nil {
		return contexts.Context{}, err
	}
	if named == "" {
		named = file.Current
	}
	if named == "" {
		return contexts.Context{}, nil
	}
	return file.Get(named)
}
