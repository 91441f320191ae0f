package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/home"
	"github.com/lakemesh/lakemesh/internal/proof"
)

// errDifferent ends an acceptance run that found AWS to differ from what lakemesh goes by.
var errDifferent = errors.New("AWS differs from what lakemesh goes by")

// acceptanceFlags are those of both commands.
type acceptanceFlags struct {
	profiles map[proof.Part]*string
	journals string
}

func (f *acceptanceFlags) add(cmd *cobra.Command, of string) {
	f.profiles = map[proof.Part]*string{}
	for _, part := range proof.Parts() {
		f.profiles[part] = cmd.Flags().String(string(part)+"-profile", "", fmt.Sprintf("profile of %s", strings.ReplaceAll(of, "ACCOUNT", string(part))))
		must(cmd.RegisterFlagCompletionFunc(string(part)+"-profile", cobra.NoFileCompletions))
	}
	cmd.Flags().StringVar(&f.journals, "journals", "", "folder of the runs' journals (default: acceptance in $"+home.Variable+", or in ~/.lakemesh)")
}

func (f *acceptanceFlags) options(a *app) (proof.Options, error) {
	o := proof.Options{Profiles: map[proof.Part]string{}, Region: a.flags.region, Folder: f.journals}
	for part, profile := range f.profiles {
		o.Profiles[part] = *profile
	}
	if o.Folder == "" {
		h, err := home.Find()
		if err != nil {
			return o, err
		}
		o.Folder = filepath.Join(h.Dir, "acceptance")
	}
	o.Tell = a.say
	if a.flags.local || a.flags.profile != "" || a.flags.useCredentials != "" {
		return o, usageError{lakemesh.Invalid("--local, --profile and --use-credentials", "the accounts are named by --mesh-profile, --producer-profile and --consumer-profile")}
	}
	return o, nil
}

func (a *app) acceptanceCommand() *cobra.Command {
	var f acceptanceFlags
	var notIn, alsoIn, only []string
	var skipLife bool
	var reports string
	cmd := &cobra.Command{
		Use:   "acceptance",
		Short: "Ask AWS, in three sandbox accounts, whether it does what lakemesh goes by",
		Long: `Lives the whole life of a data product in three sandbox accounts, and asks AWS about the
rules of docs/aws-rules.md one by one. It writes a report, as Markdown and as JSON, that says
rule by rule: the same, different (with what AWS said), or not tried (with the reason).

All that it makes has a name that begins with ` + proof.Prefix + ` and the run's id, but for the
mesh of the life, whose names are fixed: accounts that have one are refused, and so are
accounts that are used for other things (--also-in). Everything is removed at the end, and
data lake settings are put back. A run that was killed is cleaned up by
"lakemesh acceptance clean", from the journal that it kept on disk.

Each profile has to be an administrator of its account. --dry-run looks at the accounts and
says what would be made; nothing is changed by it.`,
		Example: `  lakemesh acceptance --mesh-profile sandbox-1 --producer-profile sandbox-2 --consumer-profile sandbox-3 --dry-run
  lakemesh acceptance --mesh-profile sandbox-1 --producer-profile sandbox-2 --consumer-profile sandbox-3 --only 9.3
  lakemesh acceptance clean`,
		Args: noSuchCommand,
	}
	cmd.RunE = a.do(func(ctx context.Context, _ []string) error {
		o, err := f.options(a)
		if err != nil {
			return err
		}
		o.NotIn, o.AlsoIn, o.Only, o.SkipLife = notIn, alsoIn, only, skipLife
		for _, part := range proof.Parts() {
			if o.Profiles[part] == "" {
				return usageError{lakemesh.Invalid(fmt.Sprintf("--%s-profile", part), "it is required")}
			}
		}
		outlook, err := proof.Look(ctx, o)
		if err != nil {
			return err
		}
		fmt.Fprint(a.err, a.outlookOf(outlook, o))
		if err := outlook.Refuse(ctx, o); err != nil {
			return err
		}
		if a.flags.dryRun {
			return nil
		}
		if !a.flags.yes && !a.asking {
			return &lakemesh.Error{Message: "this makes things in three accounts, and nobody can be asked without a terminal; nothing was changed",
				Hint: "look at it with --dry-run, then agree to it: --yes", Err: errNotConfirmed}
		}
		if err := a.agree(outlook.Accounts[0].ID); err != nil {
			return err
		}
		report, err := proof.Run(ctx, outlook, o)
		if report == nil {
			return err
		}
		report.Version = programVersion().Version
		path, written := report.Write(reports)
		if err := errors.Join(err, written); err != nil {
			return err
		}
		if err := a.show(report, func() { a.printAcceptance(report, path) }); err != nil {
			return err
		}
		if n := report.Differences(); n > 0 {
			return fmt.Errorf("%w: %s, in %s", errDifferent, counted(n, "difference"), path)
		}
		return nil
	})
	cmd.Flags().SortFlags = false
	f.add(cmd, "an administrator of the sandbox that is to be the ACCOUNT account (required)")
	cmd.Flags().Var(list{values: &notIn}, "not-in", "ids of accounts in which nothing may ever be made")
	cmd.Flags().Var(list{values: &alsoIn}, "also-in", "ids of accounts that may be used although something else is in them")
	cmd.Flags().Var(list{values: &only}, "only", "rules to ask about, or chapters, or life: 9.3.7,16,life (default: everything)")
	cmd.Flags().BoolVar(&skipLife, "skip-life", false, "leave the life of a product out, which makes a mesh with lakemesh's own names")
	cmd.Flags().StringVar(&reports, "reports", ".", "folder for the report")
	// It writes, and holds another command.
	cmd.Flags().BoolVar(&a.flags.dryRun, "dry-run", false, "look at the accounts, say what would be made, and do nothing")
	cmd.Flags().BoolVarP(&a.flags.yes, "yes", "y", false, "agree to it without being asked")
	cmd.AddCommand(a.acceptanceCleanCommand())
	return cmd
}

// outlookOf says where and what a run is going to make.
func (a *app) outlookOf(out *proof.Outlook, o proof.Options) string {
	var b strings.Builder
	rows := make([][]string, len(out.Accounts))
	for i, account := range out.Accounts {
		rows[i] = []string{account.ID, strings.Join(account.Aliases, " "), string(account.Part), account.Region, account.Caller}
	}
	b.WriteString(renderTable([]string{"ACCOUNT", "NAME", "PART", "REGION", "WHO ACTS"}, rows))
	if endpoint := out.Accounts[0].Endpoint; endpoint != "" {
		b.WriteString(line("\nCalls go to %s, which is not AWS.\n", endpoint))
	}
	for _, account := range out.Accounts {
		for _, reason := range out.Busy[account.ID] {
			b.WriteString(line("%s is used for something else: %s\n", account.ID, reason))
		}
	}
	b.WriteString("\n" + proof.Outline(o) + "\n")
	return b.String()
}

func (a *app) printAcceptance(r *proof.Report, path string) {
	lived := "not lived"
	if len(r.Life) > 0 {
		lived = fmt.Sprintf("%d steps", len(r.Life))
	}
	fmt.Fprint(a.out, renderFacts(fact{"life", lived}, fact{"rules the same", fmt.Sprint(r.Count(proof.Same))}, fact{"different", fmt.Sprint(r.Count(proof.Different))},
		fact{"not tried", fmt.Sprint(r.Count(proof.NotTried))}, fact{"report", path}))
}

func (a *app) acceptanceCleanCommand() *cobra.Command {
	var f acceptanceFlags
	var though bool
	cmd := &cobra.Command{
		Use:   "clean",
		Short: "Remove what acceptance runs left that were killed",
		Long: `Removes what runs left that were killed, or that could not remove everything: all that their
journals have, the last thing first, and then what else has the run's name. It opens the
accounts with the profiles of the run, or with others of the same accounts. It is safe to
repeat, and refuses a run whose process is still there.`,
		Example: `  lakemesh acceptance clean --dry-run
  lakemesh acceptance clean
  lakemesh acceptance clean --mesh-profile sandbox-1-new`,
		Args: cobra.NoArgs,
	}
	cmd.RunE = a.do(func(ctx context.Context, _ []string) error {
		o, err := f.options(a)
		if err != nil {
			return err
		}
		journals, err := proof.Journals(o.Folder)
		if err != nil {
			return err
		}
		if len(journals) == 0 {
			a.say("no run has left anything: no journal of %s is open", o.Folder)
			return nil
		}
		for _, j := range journals {
			if a.flags.dryRun {
				for _, t := range j.Things() {
					fmt.Fprintln(a.out, line("%s %s", j.Header.Run, t.String()))
				}
				continue
			}
			a.say("run %s, begun %s UTC: %s to remove", j.Header.Run, j.Header.Begun.Format("2006-01-02 15:04"), counted(len(j.Things()), "thing"))
			if err := proof.Clean(ctx, j, o, though); err != nil {
				return err
			}
			a.say("run %s has left nothing", j.Header.Run)
		}
		return nil
	})
	cmd.Flags().SortFlags = false
	f.add(cmd, "the ACCOUNT account (default: the run's)")
	cmd.Flags().BoolVar(&though, "though-running", false, "clean up also where the run's process seems to be there")
	return cmd
}
