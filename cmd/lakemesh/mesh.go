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
	return group("mesh", "Set the data mesh account up, and look at it", a.meshInit(), a.meshStatus())
}

func (a *app) meshInit() *cobra.Command {
	var in admin.InitializeMeshInput
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make the mesh account's roles, settings and subscription table",
		Long: `Makes what the data mesh account needs: the roles DataMeshManager
and DataMeshAdminReadOnly, the data lake settings, the LF-tags, and the table of
subscriptions. It is safe to repeat: what is there stays.`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			mesh, err := a.admin(ctx, lakemesh.MeshIdentity)
			if err != nil {
				return err
			}
			return a.write(
				func() (*plan.Plan, error) { return mesh.PlanInitializeMeshAccount(ctx, in) },
				func() error {
					out, err := mesh.InitializeMeshAccount(ctx, in)
					if err != nil {
						return err
					}
					return a.show(out, func() {
						fmt.Fprint(a.out, renderFacts(
							fact{"manager", out.Manager.RoleARN}, fact{"read-only", out.ReadOnly.RoleARN},
							fact{"subscriptions", out.SubscriptionTracker.Table}))
						a.next("lakemesh account enable --account-type producer")
					})
				})
		}),
	}
	cmd.Flags().BoolVar(&in.AllowFullTableExternalDataAccess, "allow-full-table-external-data-access", false,
		"let query engines outside AWS read tables of which they may see every row and column")
	cmd.Flags().BoolVar(&in.LegacySubscriptionIDs, "legacy-subscription-ids", false,
		"the mesh has records of the original library, whose ids name no accounts")
	return cmd
}

func (a *app) meshStatus() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Tell how the mesh account is set up, and what is wrong with it",
		Args:  cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			mesh, err := a.admin(ctx, lakemesh.MeshIdentity)
			if err != nil {
				return err
			}
			out, err := mesh.Status(ctx)
			if err != nil {
				return err
			}
			return a.show(out, func() { a.printStatus(out) })
		}),
	}
}

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
			fact{"cross-account version", m.CrossAccountVersion},
			fact{"default permissions", choose(m.DefaultPermissionsCleared, "cleared", "not cleared")},
			fact{"outside engines", choose(m.AllowFullTableExternalDataAccess, "may read whole tables", "may not read")},
			fact{"legacy ids", choose(m.LegacySubscriptionIDs, "allowed", "")},
			fact{"producers", orNone(m.Producers)}, fact{"consumers", orNone(m.Consumers)})
	}
	if s.Producer != nil {
		facts = append(facts, fact{"producer", roleText(*s.Producer)})
	}
	if s.Consumer != nil {
		facts = append(facts, fact{"consumer", roleText(*s.Consumer)})
	}
	facts = append(facts, fact{"data lake administrators", strings.Join(s.Administrators, "\n")})
	fmt.Fprint(a.out, renderFacts(facts...))
	for _, p := range s.Problems {
		fmt.Fprintf(a.out, "%s %s\n", notice.Render("problem:"), p)
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

func choose(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, "\n")
}
