package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

// globalFlags are the flags of every command.
type globalFlags struct {
	context         string
	meshAccount     string
	region          string
	profile         string
	credentialsFile string
	useCredentials  string
	local           bool
	output          string
	logLevel        string
	concurrency     int
	dryRun          bool
	yes             bool
}

// defaultLogLevel is the level of logging if --log-level does not say.
const defaultLogLevel = "warn"

const longHelp = `lakemesh runs a data mesh on AWS. Producers publish tables as data products in a
central mesh account, consumers ask for access, producers decide, and lakemesh
makes exactly the grants that were decided.

  lakemesh demo                    see the whole life of a data product, here and now
  lakemesh local start             serve a local mesh for other AWS programs
  lakemesh --local mesh init       the same commands, on the local mesh

Who acts: with a credentials file, the identity that the command needs is taken
from it (Mesh, Producer, ProducerAdmin, Consumer or ConsumerAdmin); without one,
--use-credentials, --profile, or the AWS SDK's own environment.

Exit codes: 0 done, 1 failed, 2 wrong usage or input, 3 not found, 4 conflict or
illegal transition, 5 access denied, 6 partly done, 7 verify found something,
8 not confirmed: what takes something away wants --yes where nobody can be asked, 9 a
status found problems. With --output json errors are JSON on stderr.`

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "lakemesh",
		Short:         "Run a data mesh on AWS, or on a local mesh",
		Long:          longHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.begun = true
			return cmd.Help()
		},
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetGlobalNormalizationFunc(normalize)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		a.typed, a.typedElsewhere, a.command = typed(cmd.Flags()), typed(cmd.Flags(), "context"), cmd
		return checkEmpty(cmd)
	}
	root.SetFlagErrorFunc(nearFlag)
	root.Version = versionText()
	root.SetVersionTemplate("{{.Version}}\n")
	a.globalFlags(root.PersistentFlags())
	root.Flags().SortFlags = false
	root.SuggestionsMinimumDistance = 2
	must(root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json", "yaml"}, cobra.ShellCompDirectiveNoFileComp)))
	must(root.RegisterFlagCompletionFunc("log-level", cobra.FixedCompletions([]string{"debug", "info", "warn", "error"}, cobra.ShellCompDirectiveNoFileComp)))
	for _, name := range []string{"mesh-account", "profile", "use-credentials"} {
		must(root.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions))
	}
	must(root.RegisterFlagCompletionFunc("region", cobra.FixedCompletions(knownRegions(), cobra.ShellCompDirectiveNoFileComp)))
	root.MarkFlagsMutuallyExclusive("local", "profile")
	root.MarkFlagsMutuallyExclusive("use-credentials", "profile")
	must(root.RegisterFlagCompletionFunc("context", completeContexts))

	root.AddGroup(
		&cobra.Group{ID: "mesh", Title: "Data mesh:"},
		&cobra.Group{ID: "local", Title: "Local mesh:"},
		&cobra.Group{ID: "settings", Title: "Settings:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("mesh", a.meshCommand(), a.adoptCommand(), a.accountCommand(), a.productCommand(), a.requestCommand(), a.subscriptionCommand(), a.expireCommand(), a.accessCommand(), a.queryCommand(), a.verifyCommand(), a.explainCommand(), a.iacCommand())
	add("local", a.demoCommand(), a.localCommand())
	add("settings", a.contextCommand())
	root.AddCommand(a.versionCommand(), a.acceptanceCommand(), a.manCommand())
	root.AddCommand(a.originalCommands()...)
	root.SetHelpCommand(helpCommand(root))
	a.addWriteFlags(root)
	addExamples(root)
	a.fitHelp(root)
	return root
}

func (a *app) globalFlags(f *pflag.FlagSet) {
	f.SortFlags = false
	f.StringVar(&a.flags.context, "context", "", "the context to work in, or none (default: the one in use; see lakemesh context)")
	f.StringVar(&a.flags.meshAccount, "mesh-account", "", "the data mesh account (default: the context's, Mesh of the credentials file, $LAKEMESH_MESH_ACCOUNT)")
	f.StringVar(&a.flags.region, "region", "", "the region (default: that of the context, of the credentials file, of the AWS SDK: $AWS_REGION, then the profile's)")
	f.StringVar(&a.flags.profile, "profile", "", "a profile of the AWS SDK's shared files")
	f.StringVar(&a.flags.credentialsFile, "credentials-file", "", "JSON file with the identities' keys (default: $"+lakemesh.CredentialsFileVariable+")")
	f.StringVar(&a.flags.useCredentials, "use-credentials", "", `keys as JSON: {"AccountId", "AccessKeyId", "SecretAccessKey", "SessionToken"}`)
	f.BoolVar(&a.flags.local, "local", false, "work on the local mesh of $LAKEMESH_HOME (default ~/.lakemesh)")
	f.VarP(newChoice(&a.flags.output, "table", "json", "yaml"), "output", "o", "form of the result: table, json or yaml")
	f.Var(newChoice(&a.flags.logLevel, defaultLogLevel, "debug", "info", "error"), "log-level", "what is logged to stderr: debug, info, warn or error")
	f.IntVar(&a.flags.concurrency, "concurrency", plan.DefaultConcurrency, "how many calls may be under way at once")
}

// normalize lets flags be written with underscores, as the reference's parameters
// are, and under the names of the original's command line.
func normalize(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	name = strings.ReplaceAll(name, "_", "-")
	switch name {
	case "data-mesh-account-id":
		name = "mesh-account"
	case "region-name":
		name = "region"
	case "table-regex":
		name = "table-name-regex"
	case "type":
		name = "account-type"
	}
	return pflag.NormalizedName(name)
}

func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about a command",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return fmt.Errorf("there is no command %q", strings.Join(args, " "))
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

// group makes a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: noSuchCommand, RunE: func(cmd *cobra.Command, _ []string) error {
		return fmt.Errorf("%s what? One of: %s", cmd.CommandPath(), strings.Join(names(cmd), ", "))
	}}
	c.SuggestionsMinimumDistance = 2
	c.AddCommand(commands...)
	return c
}

// noSuchCommand refuses the name of a command that does not exist, and proposes
// those that it could be a misspelling of.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	proposal := ""
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		proposal = "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return fmt.Errorf("there is no command %q in %s%s", args[0], cmd.CommandPath(), proposal)
}

func names(c *cobra.Command) []string {
	var list []string
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			list = append(list, sub.Name())
		}
	}
	return list
}

// must ends the program on an error that only a mistake in the program can cause:
// a flag that does not exist.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
