package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/picture"
	"github.com/lakemesh/lakemesh/producer"
)

func (a *app) meshPicture() *cobra.Command {
	var as, form string
	var start picture.Start
	var unverified bool
	cmd := &cobra.Command{
		Use:   "picture",
		Short: "Draw this mesh: accounts, products, who holds what, and drift",
		Long: `Draws the mesh as it is now, as an SVG picture, which "> mesh.svg" behind the command
keeps in a file, or as a Mermaid flowchart, at a terminal unless --format says otherwise:
on the left who
publishes what, on the right who holds what of it. What was decided and is not so is drawn
in red, what is there by hand and was decided by nobody in dashes of amber, and requests
that wait in grey dots, for their owner and for who asked. It reads what "access list",
"verify" and "request list" read, and changes nothing.

A large mesh is drawn from one account or one product; what does not fit is counted.`,
		Example: `  lakemesh mesh picture
  lakemesh mesh picture --account 111111111111
  lakemesh mesh picture --product sales-111111111111 --format mermaid
  lakemesh mesh picture --as producer`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			if start.Limit < 1 {
				return usageError{lakemesh.Invalid("--limit", "a number above 0 is expected")}
			}
			as, err := a.draws(ctx, as)
			if err != nil {
				return err
			}
			seen, err := a.seen(ctx, as, !unverified)
			if err != nil {
				return err
			}
			mesh := picture.Of(*seen)
			view, err := mesh.From(start)
			if err != nil {
				return err
			}
			return a.show(mesh, func() {
				for _, n := range view.Notes {
					a.say("note: %s", n)
				}
				if a.width > 0 && !a.command.Flags().Changed("format") {
					// The text of an SVG picture says nothing to who reads it at a terminal.
					form = "mermaid"
					defer a.say("this is Mermaid; to keep a picture: %s > mesh.svg", a.here(a.again("")))
				}
				fmt.Fprint(a.out, choose(form == "mermaid", view.Mermaid(), view.SVG()))
			})
		}),
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.Var(newChoice(&form, "svg", "mermaid"), "format", "svg or mermaid (default: svg, at a terminal mermaid)")
	f.StringVar(&start.Account, "account", "", "start at this account: what it has published, and what it holds")
	f.StringVar(&start.Product, "product", "", "start at this database of the mesh: all who hold something of it")
	f.IntVar(&start.Limit, "limit", picture.DefaultLimit, "how many products and how many arrows are drawn; others are counted")
	f.BoolVar(&unverified, "no-verify", false, "do not look for drift, which takes most of the time")
	f.Var(newChoice(&as, "", "admin", "producer", "consumer"), "as", "who looks: admin (the mesh's, who sees all of it), producer or consumer (its own; default: admin with credentials of the mesh account, else the side that they are of)")
	must(cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"svg", "mermaid"}, cobra.ShellCompDirectiveNoFileComp)))
	must(cmd.RegisterFlagCompletionFunc("as", cobra.FixedCompletions([]string{"admin", "producer", "consumer"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// drawn are the words of a picture for what is said of a list.
var drawn = strings.NewReplacer(
	"grants by others' LF-tags name no product and are not in the list", "grants on LF-tags of other owners are not drawn, because they name no product of this account",
	"the list is of the databases", "drawn are the databases", "are not in it", "are not drawn")

// seen is what a party sees of the mesh: all of it as its administrator.
func (a *app) seen(ctx context.Context, as string, verify bool) (*picture.Seen, error) {
	seen := &picture.Seen{}
	who := map[string]lakemesh.Identity{"admin": lakemesh.MeshIdentity, "producer": lakemesh.ProducerIdentity, "consumer": lakemesh.ConsumerIdentity}[as]
	options, err := a.options(ctx, who)
	if err != nil {
		return nil, err
	}
	seen.Account, seen.Region = options.MeshAccountID, options.Region
	if seen.Region == "" && options.Config != nil {
		seen.Region = options.Config.Region
	}
	if as == "admin" {
		mesh, err := a.admin(ctx, lakemesh.MeshIdentity)
		if err != nil {
			return nil, err
		}
		status, err := mesh.Status(ctx)
		if err != nil {
			return nil, err
		}
		if status.Mesh != nil {
			seen.Producers, seen.Consumers = status.Mesh.Producers, status.Mesh.Consumers
		}
	}
	if seen.List, err = a.listAccess(ctx, as, access.ListFilter{}, nil); err != nil {
		return nil, err
	}
	for _, n := range seen.List.Notes {
		a.say("note: %s", a.here(drawn.Replace(n)))
	}
	if seen.Pending, seen.Asked, err = a.waiting(ctx, as); err != nil || !verify {
		return seen, err
	}
	party, err := a.verifies(ctx, as, producer.VerifyInput{})
	if err != nil {
		return nil, err
	}
	if seen.Verification, err = party.verify(ctx); err != nil {
		return nil, err
	}
	for _, text := range seen.Verification.Unverified {
		a.warn("not verified: " + text)
	}
	return seen, nil
}

// waiting are the requests that a party sees. There is a list of them for each of the two
// whom they are between, and none for the mesh's administrator.
func (a *app) waiting(ctx context.Context, as string) (list []lakemesh.Subscription, seen bool, err error) {
	switch as {
	case "producer":
		list, err = a.subscriptionsOf(ctx, lakemesh.ProducerIdentity, lakemesh.Pending)
	case "consumer":
		list, err = a.subscriptionsOf(ctx, lakemesh.ConsumerIdentity, lakemesh.Pending)
	default:
		return nil, false, nil
	}
	return list, true, err
}
