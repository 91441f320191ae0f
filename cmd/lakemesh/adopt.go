package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

func (a *app) adoptCommand() *cobra.Command {
	return group("adopt", "Take over what was made by other means", a.adoptRecords(), a.adoptGrants())
}

func (a *app) adoptRecords() *cobra.Command {
	return &cobra.Command{
		Use:   "records",
		Short: "Take over the records of a mesh that aws-data-mesh-utils made",
		Long: `Gives each record of the original library an id that names its accounts, and a
decision that its owner alone can write. The old record stays; repeat the command to
bring old records up to date for those who still read them. No access changes: a record
that says that it is active is adopted only if its consumer really holds what it says.
--dry-run shows what would be done.`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			mesh, err := a.admin(ctx, lakemesh.MeshIdentity)
			if err != nil {
				return err
			}
			return a.write(
				func() (*plan.Plan, error) { return mesh.PlanAdoptRecords(ctx) },
				func() error {
					out, err := mesh.AdoptRecords(ctx)
					if err != nil {
						return err
					}
					a.warn(out.Warnings...)
					return a.show(out, func() {
						fmt.Fprintf(a.out, "%s adopted, %d %s before\n", counted(len(out.Adopted), "record"), len(out.Known), was(len(out.Known)))
						for _, id := range slices.Sorted(maps.Keys(out.Adopted)) {
							fmt.Fprintf(a.out, "  %s  is now  %s\n", id, out.Adopted[id])
						}
					})
				})
		}),
	}
}
