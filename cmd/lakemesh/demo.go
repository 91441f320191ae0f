package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh/internal/demo"
	"github.com/lakemesh/lakemesh/internal/home"
)

func (a *app) demoCommand() *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See the whole life of a data product, on real data and a local mesh",
		Long: `Starts a local mesh, sets three accounts up, publishes a data product, and shows how
a consumer is refused, asks, is approved, reads real rows, and is refused again.
Every step is checked; the demo fails if one does not turn out as it should. It
needs no network and no AWS account, and leaves nothing behind without --keep.`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) (err error) {
			var mesh *home.Connection
			defer func() {
				if mesh != nil {
					err = errors.Join(err, mesh.Close())
				}
			}()
			folder, err := home.Find()
			if err != nil {
				return err
			}
			people := a.flags.output == "table"
			o := demo.Options{
				Open: func(ctx context.Context) (*home.Connection, error) {
					var err error
					if keep {
						mesh, err = folder.Connect(ctx)
					} else {
						mesh, err = home.InMemory(ctx)
					}
					return mesh, err
				},
				Begin: func(s demo.Step) { a.screen.begin(s.Actor + ": " + s.Title) },
				End: func(s demo.Step) {
					if people {
						a.screen.done()
						fmt.Fprint(a.out, renderStep(s))
					}
				},
			}
			report, err := demo.Run(ctx, o)
			if err != nil {
				return err
			}
			return a.show(report, func() {
				fmt.Fprintf(a.out, "\n%s %d steps, %d calls, %s\n", good.Render("done:"), len(report.Steps), report.Calls, since(report.Time))
				if keep {
					a.say("the mesh is in %s; go on with: lakemesh --local product list", folder.Dir)
				}
			})
		}),
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "work on the local mesh of $LAKEMESH_HOME, and leave it there to go on with")
	return cmd
}

// detailIndent puts the lines below a step under its title.
const detailIndent = 35

// renderStep is a step for people: a line, and what there is to see below it.
func renderStep(s demo.Step) string {
	var b strings.Builder
	mark, result := good.Render("✓"), s.Result
	if s.Refused {
		mark, result = notice.Render("⊘"), "refused, as it should be: "+notice.Render(s.Result)
	}
	cost := fmt.Sprintf("%3d %s %8s", s.Calls, choose(s.Calls == 1, "call ", "calls"), since(s.Time))
	fmt.Fprintf(&b, "%2d %s %s %s  %s: %s\n", s.Number, mark, accent.Render(fmt.Sprintf("%-8s", s.Actor)), faint.Render(cost), bold.Render(s.Title), result)
	for _, line := range s.Detail {
		fmt.Fprintf(&b, "%s%s\n", strings.Repeat(" ", detailIndent), faint.Render(line))
	}
	return b.String()
}
