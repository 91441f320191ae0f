package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

func (a *app) meshOptIn() *cobra.Command {
	return &cobra.Command{
		Use:   "opt-in",
		Short: "Opt the mesh's members in to products in hybrid access mode",
		Long: `Where an owner published tables with --hybrid, IAMAllowedPrincipals keeps what it holds on
them in the mesh account, and what lakemesh grants counts only for who was opted in. Lake
Formation lets data lake administrators alone opt in. This opts in, on the databases of such
tables, the owner's account, all consumers of the mesh, roles that owners granted something
directly, and the roles of the mesh that IAM would let change what is not theirs.

An opt-in gives nobody anything: with one and no grant nobody reads. Run it after a product
was published with --hybrid, after an account was enabled, and after an approval for roles;
or by a schedule. What it made before and nothing asks for any more it takes back; what
others opted in stays.`,
		Example: `  lakemesh mesh opt-in --dry-run
  lakemesh mesh opt-in`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			m, err := a.admin(ctx, lakemesh.MeshIdentity)
			if err != nil {
				return err
			}
			return a.carry(deed{
				planned: func() (*plan.Plan, error) { return m.PlanOptIn(ctx) },
				do: func() error {
					out, err := m.OptIn(ctx)
					if out == nil {
						return err
					}
					return errors.Join(a.show(out, func() {
						for _, text := range append(out.OptedIn, out.OptedOut...) {
							a.say("done: %s", text)
						}
						for _, name := range out.Unknown {
							a.say("not there, or not known yet: %s", name)
						}
						if len(out.OptedIn)+len(out.OptedOut)+len(out.Unknown) == 0 && err == nil {
							a.say("everybody is opted in who has to be")
						}
					}), err)
				},
			})
		}),
	}
}
