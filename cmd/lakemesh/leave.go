package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/plan"
)

// named is what takes something away that is confirmed by its name: typed at the terminal,
// or given with --confirm by a program.
type named struct{ confirm string }

func (n *named) add(f *pflag.FlagSet, what string) {
	f.StringVar(&n.confirm, "confirm", "", "confirm with "+what+", instead of typing it")
}

// carry is carry for what is confirmed by its name.
func (n *named) carry(a *app, d deed) error {
	d.asks, d.takes = always, always
	if n.confirm != "" {
		if n.confirm != d.name {
			return usageError{lakemesh.Invalid("--confirm", "%q is not %s; nothing was changed", n.confirm, d.name)}
		}
		d.agreed = true
	}
	return a.carry(d)
}

// leaveFlags are what disabling and clearing an account have in common.
type leaveFlags struct {
	accountType string
	named       named
}

func (f *leaveFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.accountType, "account-type", "", "what the account stops being: producer, consumer or both")
	f.named.add(flags, "the account's id")
	must(cmd.RegisterFlagCompletionFunc("account-type", cobra.FixedCompletions([]string{"producer", "consumer", "both"}, cobra.ShellCompDirectiveNoFileComp)))
	required(cmd, "account-type")
}

func (a *app) showRemoved(out *admin.DisableOutput) error {
	a.warn(out.Warnings...)
	return a.show(out, func() {
		if len(out.Removed) == 0 {
			fmt.Fprint(a.out, line("nothing to remove: account %s has nothing of it any more\n", out.AccountID))
			return
		}
		fmt.Fprint(a.out, line("%s of account %s %s removed\n", counted(len(out.Removed), "thing"), out.AccountID, was(len(out.Removed))))
	})
}

func (a *app) accountDisable() *cobra.Command {
	var f leaveFlags
	var accountID string
	cmd := &cobra.Command{
		Use:   "disable [account-id]",
		Short: "Undo account enable: the account is no producer, or no consumer, any more",
		Long: `Takes away what "account enable" made for an account: its roles in both places, what
they hold, its registered locations and LF-tags in the mesh account, and that it is
recorded as a member. Its tables, its data and what others made stay.

With an account id only the mesh account's half is done; the account's own
administrator does the other one with "account clear". It is refused while the
account has products or subscriptions: the error says what ends them. It is safe
to repeat.`,
		Example: `  lakemesh account disable --account-type producer --dry-run
  lakemesh account disable 111111111111 --account-type producer`,
		Args: cobra.MaximumNArgs(1),
		RunE: a.do(func(ctx context.Context, args []string) error {
			t, err := admin.ParseAccountType(f.accountType)
			if err != nil {
				return err
			}
			if accountID, err = accountArgument(accountID, args); err != nil {
				return err
			}
			if accountID == "" {
				return a.retire(ctx, t, f)
			}
			mesh, err := a.admin(ctx, lakemesh.MeshIdentity)
			if err != nil {
				return err
			}
			in := admin.DisableInput{AccountID: accountID, Type: t}
			return f.named.carry(a, deed{
				name:    accountID,
				planned: func() (*plan.Plan, error) { return mesh.PlanDisableAccount(ctx, in) },
				do: func() error {
					out, err := mesh.DisableAccount(ctx, in)
					if err != nil {
						return err
					}
					return a.showRemoved(out)
				},
			})
		}),
	}
	f.add(cmd)
	cmd.Flags().StringVar(&accountID, "account-id", "", "do the mesh account's half only, for this account")
	return cmd
}

// retire takes an account's both halves away.
func (a *app) retire(ctx context.Context, t admin.AccountType, f leaveFlags) error {
	if err := a.needsBoth(ctx, "account disable", "run \"account disable --account-id\" in the mesh account and then \"account clear\" in the account"); err != nil {
		return err
	}
	in := admin.RetireInput{Type: t}
	var err error
	if in.Mesh, err = a.options(ctx, lakemesh.MeshIdentity); err != nil {
		return err
	}
	who := administratorOf(t)
	if in.Account, err = a.options(ctx, who); err != nil {
		return err
	}
	account, err := a.admin(ctx, who)
	if err != nil {
		return err
	}
	return f.named.carry(a, deed{
		name:    account.Account(),
		planned: func() (*plan.Plan, error) { return admin.PlanRetireAccount(ctx, in) },
		do: func() error {
			out, err := admin.RetireAccount(ctx, in)
			if err != nil {
				return err
			}
			return a.showRemoved(out)
		},
	})
}

func (a *app) accountClear() *cobra.Command {
	var f leaveFlags
	cmd := &cobra.Command{
		Use:   "clear",
		Short: "Undo account init: the account's own half of disabling it, as its administrator",
		Long: `Takes away what "account init" made in an account: its role, what that holds in the
account's own Lake Formation, and what is still open in its buckets. It is refused
while the account is enabled in the mesh, and is safe to repeat.`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			t, err := admin.ParseAccountType(f.accountType)
			if err != nil {
				return err
			}
			account, err := a.admin(ctx, administratorOf(t))
			if err != nil {
				return err
			}
			in := admin.ClearInput{Type: t}
			return f.named.carry(a, deed{
				name:    account.Account(),
				planned: func() (*plan.Plan, error) { return account.PlanClearAccount(ctx, in) },
				do: func() error {
					out, err := account.ClearAccount(ctx, in)
					if err != nil {
						return err
					}
					return a.showRemoved(out)
				},
			})
		}),
	}
	f.add(cmd)
	return cmd
}

func (a *app) meshDestroy() *cobra.Command {
	var in admin.DestroyMeshInput
	var n named
	cmd := &cobra.Command{
		Use:   "destroy",
		Short: "Undo mesh init: remove the mesh, and nothing but the mesh",
		Long: `Takes away what "mesh init" made in the mesh account: its roles, LF-tags, the
statement in the catalog's policy and the tables of records, with their protection;
and puts the data lake settings back as they were, as far as that was recorded.
Databases, tables and data stay, and everything that the mesh did not make.

It is refused while accounts are enabled or a subscription is active, and where nobody
can type the account's id, unless --confirm or --yes is given. With the tables goes the
record of who was allowed what: --keep-records keeps them. It is safe to repeat.`,
		Example: `  lakemesh mesh destroy --dry-run
  lakemesh mesh destroy --confirm 555555555555`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			mesh, err := a.admin(ctx, lakemesh.MeshIdentity)
			if err != nil {
				return err
			}
			return n.carry(a, deed{
				name:    mesh.Account(),
				planned: func() (*plan.Plan, error) { return mesh.PlanDestroyMesh(ctx, in) },
				do: func() error {
					// Whoever is here has agreed, in one way or the other.
					in.Confirm = mesh.Account()
					out, err := mesh.DestroyMesh(ctx, in)
					if err != nil {
						return err
					}
					a.warn(out.Warnings...)
					return a.show(out, func() {
						if len(out.Removed) == 0 {
							fmt.Fprint(a.out, line("nothing to remove: account %s has nothing of the mesh any more\n", mesh.Account()))
							return
						}
						fmt.Fprint(a.out, line("the mesh is gone: %s %s removed\n", counted(len(out.Removed), "thing"), was(len(out.Removed))))
					})
				},
			})
		}),
	}
	cmd.Flags().SortFlags = false
	n.add(cmd.Flags(), "the mesh account's id")
	cmd.Flags().BoolVar(&in.KeepRecords, "keep-records", false, "keep the tables of requests and decisions")
	return cmd
}
