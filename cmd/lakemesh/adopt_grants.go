package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

func (a *app) adoptGrants() *cobra.Command {
	var in producer.AdoptGrantsInput
	cmd := &cobra.Command{
		Use:   "grants",
		Short: "Make subscriptions of grants that were made by hand",
		Long: `As the owner of products: finds what consumers were granted on them by hand, and records
it as subscriptions. From then on it is listed, verified, updated and deleted like any
other. No access changes: what a subscription comes with and is not there is told, and
lakemesh verify --repair makes it. Grants that no subscription can say, such as those on
columns, by LF-tags or to a role, stay as they are and are told with the reason. Repeat it
whenever something was granted by hand. --dry-run shows what would be done.`,
		Example: `  lakemesh adopt grants --dry-run
  lakemesh adopt grants --consumer 999999999999
  lakemesh adopt grants --product aviation-111111111111 --table weather`,
		Args: cobra.NoArgs,
	}
	cmd.RunE = a.do(func(ctx context.Context, _ []string) error {
		p, err := a.producer(ctx)
		if err != nil {
			return err
		}
		return a.carry(deed{
			planned: func() (*plan.Plan, error) { return p.PlanAdoptGrants(ctx, in) },
			asks:    func(todo *plan.Plan) (bool, error) { return !todo.Empty(), nil },
			expect:  &in.Expect,
			do: func() error {
				out, err := p.AdoptGrants(ctx, in)
				if err != nil {
					return err
				}
				return a.show(out, func() { a.showAdopted(out) })
			},
		})
	})
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&in.Consumer, "consumer", "", "only what this account was granted")
	f.StringVar(&in.Database, "product", "", "only what is granted on this database of the mesh (default: all of the producer's)")
	f.StringVar(&in.Table, "table", "", "only what is granted on this table of the product")
	addExpect(cmd, &in.Expect)
	return cmd
}

// showAdopted tells a person what became a subscription, and what did not.
func (a *app) showAdopted(out *producer.AdoptGrantsOutput) {
	if len(out.Adopted) == 0 {
		a.say("nothing to take over: %d %s of consumers %s by subscriptions", out.Justified, choose(out.Justified == 1, "grant", "grants"),
			choose(out.Justified == 1, "is justified", "are justified"))
	}
	if len(out.Adopted) > 0 {
		rows := make([][]string, len(out.Adopted))
		for i, g := range out.Adopted {
			rows[i] = []string{g.SubscriptionID, g.Consumer, g.DatabaseName, orText(strings.Join(g.Tables, ","), "all tables"), strings.Join(g.Permissions, ","), orDash(strings.Join(g.Grantable, ","))}
		}
		a.printTable("adopted", []string{"SUBSCRIPTION", "CONSUMER", "DATABASE", "TABLES", "PERMISSIONS", "TO HAND ON"}, rows)
	}
	a.warn(out.Warnings...)
	if slices.ContainsFunc(out.Adopted, func(g producer.AdoptedGrants) bool { return len(g.Missing) > 0 }) {
		a.next("lakemesh verify --repair")
	}
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
