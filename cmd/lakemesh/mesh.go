package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/plan"
)

func (a *app) meshCommand() *cobra.Command {
	return group("mesh", "Set the data mesh account up, look at it, and remove it", a.meshInit(), a.meshUpgrade(), a.meshOptIn(), a.meshStatus(), a.meshPicture(), a.meshDestroy())
}

// externalFlag lets engines that are not integrated with Lake Formation read.
const externalFlag = "allow-full-table-external-data-access"

func (a *app) meshInit() *cobra.Command {
	var in admin.InitializeMeshInput
	var roles roleFlags
	var external bool
	var sharing, ends string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make the mesh account's roles, settings and tables",
		Long: `Makes what the data mesh account needs: the roles DataMeshManager
and DataMeshAdminReadOnly, the data lake settings, the LF-tags, and the tables of
subscriptions and of decisions. It is safe to repeat: what is there stays.

Producers' roles may change shares only through Lake Formation, so that no producer
can change what another one shares. Should Lake Formation be refused by that, say
--sharing-calls direct, and bring the producers' roles up to date with "mesh upgrade".

With --end-schedules on, EventBridge Scheduler ends what is granted until a day, beside
"lakemesh expire": a group of schedules, and for each producer a role that can revoke and
nothing else, and a queue of what could not be ended. Bring producers that are enabled
already up to date with "mesh upgrade".`,
		Args: cobra.NoArgs,
	}
	cmd.RunE = a.do(func(ctx context.Context, _ []string) error {
		var err error
		if external := cmd.Flags().Lookup(externalFlag); external.Changed {
			in.AllowFullTableExternalDataAccess = new(external.Value.String() == "true")
		}
		if in.SharingCalls, err = admin.ParseSharingCalls(sharing); err != nil {
			return err
		}
		if in.EndSchedules, err = admin.ParseEndSchedules(ends); err != nil {
			return err
		}
		if in.Roles, err = roles.options(); err != nil {
			return err
		}
		mesh, err := a.admin(ctx, lakemesh.MeshIdentity)
		if err != nil {
			return err
		}
		both, err := a.holdsBoth(ctx)
		if err != nil {
			return err
		}
		return a.setUp(
			func() (*plan.Plan, error) { return mesh.PlanInitializeMeshAccount(ctx, in) },
			func() error {
				out, err := mesh.InitializeMeshAccount(ctx, in)
				if err != nil {
					return err
				}
				return a.show(out, func() {
					fmt.Fprint(a.out, renderFacts(
						fact{"manager", out.Manager.RoleARN}, fact{"read-only", out.ReadOnly.RoleARN},
						fact{"subscriptions", out.SubscriptionTracker.Table}, fact{"decisions", out.DecisionsTable}))
					a.next("%s", choose(both, "lakemesh account enable --account-type producer", "an administrator of each account: lakemesh account init --account-type producer"))
				})
			})
	})
	cmd.Flags().BoolVar(&external, externalFlag, false,
		"let query engines outside AWS read tables of which they may see every row and column; =false lets them no more (default: as it is)")
	cmd.Flags().Var(newChoice(&sharing, "", string(admin.ThroughServices), string(admin.Direct)), "sharing-calls",
		"who changes shares: through-services or direct (default: as it is; through-services in a new mesh)")
	must(cmd.RegisterFlagCompletionFunc("sharing-calls", cobra.FixedCompletions([]string{string(admin.ThroughServices), string(admin.Direct)}, cobra.ShellCompDirectiveNoFileComp)))
	cmd.Flags().Var(newChoice(&ends, "", string(admin.EndsScheduled), string(admin.EndsByOwners)), "end-schedules",
		"whether schedules end what is granted until a day: on or off (default: as it is; off in a new mesh)")
	must(cmd.RegisterFlagCompletionFunc("end-schedules", cobra.FixedCompletions([]string{string(admin.EndsScheduled), string(admin.EndsByOwners)}, cobra.ShellCompDirectiveNoFileComp)))
	roles.add(cmd)
	return cmd
}

func (a *app) meshUpgrade() *cobra.Command {
	var roles roleFlags
	cmd := &cobra.Command{
		Use:   "upgrade",
		Short: "Bring the mesh account and the roles of all enabled accounts up to date",
		Long: `Makes of the mesh account what this version makes of it, and of the roles that
enabled accounts have in it. "mesh status" tells whether that is needed, and --dry-run
shows what would be done. The roles in the accounts themselves are brought up to date
by their own administrators, with "account init".`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			var in admin.UpgradeMeshInput
			var err error
			if in.Roles, err = roles.options(); err != nil {
				return err
			}
			mesh, err := a.admin(ctx, lakemesh.MeshIdentity)
			if err != nil {
				return err
			}
			return a.setUp(
				func() (*plan.Plan, error) { return mesh.PlanUpgradeMesh(ctx, in) },
				func() error {
					out, err := mesh.UpgradeMesh(ctx, in)
					if err != nil {
						return err
					}
					a.warn(out.Warnings...)
					return a.show(out, func() {
						fmt.Fprint(a.out, renderFacts(fact{"producers", orNone(out.Producers)}, fact{"consumers", orNone(out.Consumers)}))
					})
				})
		}),
	}
	roles.add(cmd)
	return cmd
}

func (a *app) meshStatus() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Tell how the mesh account is set up, and what is wrong with it",
		Long: `Tells how the mesh account is set up, and what is wrong with it. With problems the exit
code is 9, so that it is a check of the mesh's health.`,
		Example: `  lakemesh mesh status
  lakemesh mesh status --output json`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			mesh, err := a.admin(ctx, lakemesh.MeshIdentity)
			if err != nil {
				return err
			}
			if mesh.Account() != mesh.MeshAccount() {
				return &lakemesh.Error{Kind: lakemesh.ErrWrongAccount, Account: mesh.Account(), Resource: "credentials",
					Message: "this looks at the mesh account, " + mesh.MeshAccount(), Hint: "use credentials of an administrator of account " + mesh.MeshAccount() + ", correct --mesh-account if that is not the mesh account, or see how your own account is set up: lakemesh account status"}
			}
			out, err := mesh.Status(ctx)
			if err != nil {
				return err
			}
			return a.showStatus(out)
		}),
	}
}

// showStatus shows how an account is set up. Problems are an error of their own, so that
// the command is a check.
func (a *app) showStatus(s *admin.StatusOutput) error {
	if err := a.show(s, func() { a.printStatus(s) }); err != nil || len(s.Problems) == 0 {
		return err
	}
	if noMesh(s) {
		// Everything is missing, for one reason.
		return problemsError(1)
	}
	return problemsError(len(s.Problems))
}

// noMesh reports whether the mesh account is one that was never set up, or that is none any more.
func noMesh(s *admin.StatusOutput) bool {
	return s.Mesh != nil && !s.Mesh.Manager.Exists && !s.Mesh.ReadOnly.Exists && s.Mesh.SubscriptionTracker == nil
}

// initializeAgain begins the problems that one command mends.
const initializeAgain = "the mesh account must be initialized again, to "

func (a *app) printStatus(s *admin.StatusOutput) {
	facts := []fact{{"account", s.AccountID}, {"mesh account", s.MeshAccountID}, {"region", s.Region}}
	if m := s.Mesh; m != nil {
		table := "missing"
		if m.SubscriptionTracker != nil {
			table = m.SubscriptionTracker.Table
		}
		facts = append(facts,
			fact{"manager", roleText(m.Manager)}, fact{"read-only", roleText(m.ReadOnly)},
			fact{"subscriptions", table},
			fact{"tables", tableText(m.Tables)},
			fact{"cross-account version", m.CrossAccountVersion},
			fact{"default permissions", choose(m.DefaultPermissionsCleared, "cleared", "not cleared")},
			fact{"outside engines", choose(m.AllowFullTableExternalDataAccess, "may read whole tables", "may not read")},
			fact{"access ends", choose(m.EndSchedules == admin.EndsScheduled, "by schedules, and by lakemesh expire", "by lakemesh expire")},
			fact{"shares are changed", choose(m.SharingCalls == admin.Direct, "by producers' roles directly, too", "through Lake Formation alone")},
			fact{"producers", orNone(m.Producers)}, fact{"consumers", orNone(m.Consumers)})
	}
	if s.Producer != nil {
		facts = append(facts, fact{"producer", roleText(*s.Producer)}, fact{"may write the policies of", bucketText(s.Producer.Buckets)})
	}
	if s.Consumer != nil {
		facts = append(facts, fact{"consumer", roleText(*s.Consumer)}, fact{"links in regions", strings.Join(s.Consumer.LinkRegions, ", ")})
	}
	facts = append(facts, fact{"roles that open", hopText(s.Hops)}, fact{"data lake administrators", s.Administrators})
	fmt.Fprint(a.out, renderFactsIn(a.width, facts...))
	for _, w := range s.Warnings {
		fmt.Fprintln(a.out, line("%s %s", notice.Render("warning:"), a.here(w)))
	}
	if noMesh(s) {
		fmt.Fprintln(a.out, hung(line("%s account %s is not set up as a mesh account: %s; if another account is the mesh account, correct --mesh-account",
			notice.Render("problem:"), s.AccountID, a.here("lakemesh mesh init"+a.sameProfile())), len("problem: "), a.width))
		return
	}
	var again []string
	for _, p := range s.Problems {
		if what, ok := strings.CutPrefix(p, initializeAgain); ok {
			again = append(again, what)
			continue
		}
		fmt.Fprintln(a.out, hung(line("%s %s", notice.Render("problem:"), a.here(p)), len("problem: "), a.width))
	}
	if len(again) > 0 {
		fmt.Fprintln(a.out, line("%s the mesh account must be initialized again: %s", notice.Render("problem:"), a.here("lakemesh mesh init"+a.sameProfile())))
		for _, what := range again {
			fmt.Fprintln(a.out, hung(line("  - %s", what), len("  - "), a.width))
		}
	}
	if len(s.Problems) == 0 {
		fmt.Fprintln(a.out, good.Render("no problems found"))
	}
}

func roleText(r admin.RoleStatus) string {
	if !r.Exists {
		return "missing (" + r.RoleARN + ")"
	}
	return r.RoleARN
}

// tableText says of each table whether it can be lost.
func tableText(tables []admin.TableStatus) []string {
	lines := make([]string, len(tables))
	for i, t := range tables {
		lines[i] = fmt.Sprintf("%s: %s, deletion protection %s, point-in-time recovery %s", t.Table[strings.LastIndexByte(t.Table, '/')+1:],
			choose(t.OnDemand, "on demand", "provisioned"), choose(t.DeletionProtection, "on", "off"), choose(t.PointInTimeRecovery, "on", "off"))
	}
	return lines
}

func bucketText(buckets []string) []string {
	if len(buckets) == 1 && buckets[0] == "*" {
		return []string{"every bucket of the account"}
	}
	return buckets
}

func hopText(hops []admin.HopStatus) []string {
	lines := make([]string, len(hops))
	for i, h := range hops {
		lines[i] = choose(h.Problem == "", "yes  ", "no   ") + h.RoleARN
	}
	return lines
}

func choose(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

func orNone(list []string) []string {
	if len(list) == 0 {
		return []string{"none"}
	}
	return list
}
