package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/printable"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// errDrift ends a verification that found something.
var errDrift = errors.New("not everything is as it was decided")

// verified is a party's verification, with its repair.
type verified struct {
	verify func(ctx context.Context) (*chain.Verification, error)
	plan   func(ctx context.Context, v *chain.Verification) (*plan.Plan, error)
	repair func(ctx context.Context, v *chain.Verification) (*chain.Repaired, error)
}

func (a *app) verifyCommand() *cobra.Command {
	var in producer.VerifyInput
	var repair, wide bool
	var as string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Compare what was decided with what is there, link by link",
		Long: `As the owner of products: walks from each subscription to what its consumer can read:
record, grant, resource share, registered location and its role, bucket policy, metadata
and partitions. As a consumer: invitations, what of the mesh it sees, resource links, and
what was handed on. As the mesh's administrator: the mesh account and its members, and of
all products grants, records, shares and locations. It tells what is missing, what is too
much, and what nobody decided, with the command that repairs it. The exit code is 7 if
there is anything of that.

With --repair it does what the party may: an owner publishes again, and updates
subscriptions to what they say; a consumer imports again, and removes what it has left and
links that lead nowhere; the administrator brings the mesh up to date. What nobody decided
is only shown.`,
		Example: `  lakemesh verify
  lakemesh verify --as consumer
  lakemesh verify --as admin
  lakemesh verify --product sales-111111111111
  lakemesh verify --consumer 222222222222 --repair`,
		Args: cobra.NoArgs,
	}
	cmd.RunE = a.do(func(ctx context.Context, _ []string) error {
		party, err := a.verifies(ctx, as, in)
		if err != nil {
			return err
		}
		v, err := party.verify(ctx)
		if err != nil {
			return err
		}
		if !repair || v.Holds() {
			return a.showVerified(v, wide)
		}
		return a.repair(
			func() (*plan.Plan, error) { return party.plan(ctx, v) },
			func() error {
				out, err := party.repair(ctx, v)
				if out != nil {
					for _, done := range out.Done {
						a.say("done: %s", done)
					}
				}
				if err != nil {
					return err
				}
				if v, err = party.verify(ctx); err != nil {
					return err
				}
				return a.showVerified(v, wide)
			})
	})
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&in.Database, "product", "", "only this database of the mesh (default: all that the party has to do with)")
	f.StringVar(&in.Consumer, "consumer", "", "only what this account was granted")
	f.StringVar(&in.SubscriptionID, "subscription", "", "only this subscription")
	f.BoolVar(&repair, "repair", false, "repair what can be repaired by this account")
	f.BoolVar(&wide, "wide", false, "each finding in one line of a table, however wide")
	f.Var(newChoice(&as, "", "producer", "consumer", "admin"), "as", "who verifies: producer, consumer or admin (default: producer, or the one that the credentials file holds)")
	must(cmd.RegisterFlagCompletionFunc("subscription", a.completeIDs(lakemesh.ProducerIdentity)))
	return cmd
}

// verifies is the party that verifies.
func (a *app) verifies(ctx context.Context, as string, in producer.VerifyInput) (*verified, error) {
	as, err := a.looks(as)
	if err != nil {
		return nil, err
	}
	if as == "admin" {
		m, err := a.admin(ctx, lakemesh.MeshIdentity)
		if err != nil {
			return nil, err
		}
		of := admin.VerifyInput{Database: in.Database, Consumer: in.Consumer, SubscriptionID: in.SubscriptionID}
		return &verified{func(ctx context.Context) (*chain.Verification, error) { return m.Verify(ctx, of) }, m.PlanRepair, m.Repair}, nil
	}
	side, err := a.side(ctx, as, lakemesh.ProducerIdentity)
	if err != nil {
		return nil, err
	}
	if side == lakemesh.ConsumerIdentity {
		if in.Consumer != "" {
			return nil, usageError{lakemesh.Invalid("--consumer", "a consumer verifies its own side alone: leave it out")}
		}
		c, err := a.consumer(ctx)
		if err != nil {
			return nil, err
		}
		of := consumer.VerifyInput{Database: in.Database, SubscriptionID: in.SubscriptionID}
		return &verified{func(ctx context.Context) (*chain.Verification, error) { return c.Verify(ctx, of) }, c.PlanRepair, c.Repair}, nil
	}
	p, err := a.producer(ctx)
	if err != nil {
		return nil, err
	}
	return &verified{func(ctx context.Context) (*chain.Verification, error) { return p.Verify(ctx, in) }, p.PlanRepair, p.Repair}, nil
}

// showVerified shows what was found; anything is an error of its own.
func (a *app) showVerified(v *chain.Verification, wide bool) error {
	err := a.show(v, func() {
		if v.Holds() {
			a.say("nothing to repair: %d %s, %d %s and %d %s hold", v.Subscriptions, choose(v.Subscriptions == 1, "subscription", "subscriptions"),
				v.Grants, choose(v.Grants == 1, "grant", "grants"), v.Tables, choose(v.Tables == 1, "table", "tables"))
			return
		}
		if !wide {
			fmt.Fprint(a.out, a.renderFindings(v.Findings))
			return
		}
		rows := make([][]string, len(v.Findings))
		for i, f := range v.Findings {
			rows[i] = []string{string(f.Kind), string(f.Link), f.Resource, orDash(f.Principal), f.What, orDash(strings.Join(f.Subscriptions, ",")),
				string(f.Repairs), a.remedy(f)}
		}
		fmt.Fprint(a.out, renderTable([]string{"KIND", "LINK", "RESOURCE", "PRINCIPAL", "WHAT", "SUBSCRIPTIONS", "WHO REPAIRS", "HOW"}, rows))
	})
	for _, text := range v.Unverified {
		a.warn("not verified: " + text)
	}
	if err == nil && !v.Holds() {
		return fmt.Errorf("%w: %d %s", errDrift, len(v.Findings), choose(len(v.Findings) == 1, "finding", "findings"))
	}
	return err
}

// remedy is how a finding is mended: the command, or what to do by hand.
func (a *app) remedy(f chain.Finding) string {
	if f.Command == "" && f.ByHand != "" {
		return "by hand: " + a.hereFor(f.Repairs, f.ByHand)
	}
	return orDash(a.hereFor(f.Repairs, f.Command))
}

// renderFindings are findings for people, some lines each: what is wrong with what, in
// words, for whom and by which subscriptions, and who mends it and how. ARNs are as people
// call what they name; a command stands in a line of its own, uncut, to be copied.
func (a *app) renderFindings(findings []chain.Finding) string {
	width := explained
	if a.width > 0 {
		width = min(width, a.width)
	}
	const indent = "  "
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s %s: %s\n", bold.Render(string(f.Kind)), bold.Render(string(f.Link)), wrapped(f.Resource, width-len(f.Kind)-len(f.Link)-3, indent))
		about := []string{f.What}
		if f.Principal != "" {
			about = append(about, "for "+f.Principal)
		}
		for _, text := range about {
			fmt.Fprintf(&b, "%s%s\n", indent, wrapped(briefly(text), width-len(indent), indent))
		}
		for i, id := range f.Subscriptions {
			if i == shownSubscriptions {
				fmt.Fprintf(&b, "%sand by %s more\n", indent, counted(len(f.Subscriptions)-i, "subscription"))
				break
			}
			fmt.Fprintf(&b, "%s%s\n", indent, wrapped("by subscription "+id, width-len(indent), indent))
		}
		if f.Command == "" {
			fmt.Fprintf(&b, "%s%s\n", indent, wrapped(string(f.Repairs)+", by hand: "+a.hereFor(f.Repairs, f.ByHand), width-len(indent), indent))
			continue
		}
		fmt.Fprintf(&b, "%s%s:\n%s%s\n", indent, accent.Render(string(f.Repairs)), indent+indent, printable.Line(a.hereFor(f.Repairs, f.Command)))
	}
	return b.String()
}

// shownSubscriptions is how many subscriptions of one finding people are shown.
const shownSubscriptions = 3
