package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// errDrift ends a verification that found something.
var errDrift = errors.New("not everything is as it was decided")

func (a *app) verifyCommand() *cobra.Command {
	var in producer.VerifyInput
	var repair bool
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Compare what was decided with what is there, link by link",
		Long: `As the owner of products: walks from each subscription to what its consumer can read:
record, grant, resource share, registered location and its role, bucket policy, metadata
and partitions. It tells what is missing, what is too much, and what nobody decided, with
the command that repairs it. The exit code is 7 if there is anything of that.

With --repair it does what the owner may: it publishes again, and updates subscriptions to
what they say. What nobody decided is only shown.`,
		Example: `  lakemesh verify
  lakemesh verify --product sales-111111111111
  lakemesh verify --consumer 222222222222 --repair`,
		Args: cobra.NoArgs,
	}
	cmd.RunE = a.do(func(ctx context.Context, _ []string) error {
		p, err := a.producer(ctx)
		if err != nil {
			return err
		}
		v, err := p.Verify(ctx, in)
		if err != nil {
			return err
		}
		if !repair || v.Holds() {
			return a.showVerified(v)
		}
		return a.remove(
			func() (*plan.Plan, error) { return p.PlanRepair(ctx, v) },
			func() error {
				out, err := p.Repair(ctx, v)
				if out != nil {
					for _, done := range out.Done {
						a.say("done: %s", done)
					}
				}
				if err != nil {
					return err
				}
				if v, err = p.Verify(ctx, in); err != nil {
					return err
				}
				return a.showVerified(v)
			})
	})
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&in.Database, "product", "", "only this database of the mesh (default: all of the producer's)")
	f.StringVar(&in.Consumer, "consumer", "", "only what this account was granted")
	f.StringVar(&in.SubscriptionID, "subscription", "", "only this subscription")
	f.BoolVar(&repair, "repair", false, "repair what can be repaired by this account")
	must(cmd.RegisterFlagCompletionFunc("subscription", a.completeIDs(lakemesh.ProducerIdentity)))
	return cmd
}

// showVerified shows what was found; anything is an error of its own.
func (a *app) showVerified(v *producer.Verification) error {
	err := a.show(v, func() {
		if v.Holds() {
			a.say("nothing to repair: %d %s, %d %s and %d %s hold", v.Subscriptions, choose(v.Subscriptions == 1, "subscription", "subscriptions"),
				v.Grants, choose(v.Grants == 1, "grant", "grants"), v.Tables, choose(v.Tables == 1, "table", "tables"))
			return
		}
		rows := make([][]string, len(v.Findings))
		for i, f := range v.Findings {
			rows[i] = []string{string(f.Kind), string(f.Link), f.Resource, orDash(f.Principal), f.What, orDash(strings.Join(f.Subscriptions, ",")),
				string(f.Repairs), orDash(a.here(f.Command))}
		}
		a.printTable("findings", []string{"KIND", "LINK", "RESOURCE", "PRINCIPAL", "WHAT", "SUBSCRIPTIONS", "WHO REPAIRS", "COMMAND"}, rows)
	})
	for _, text := range v.Unverified {
		a.warn("not verified: " + text)
	}
	if err == nil && !v.Holds() {
		return fmt.Errorf("%w: %d %s", errDrift, len(v.Findings), choose(len(v.Findings) == 1, "finding", "findings"))
	}
	return err
}
