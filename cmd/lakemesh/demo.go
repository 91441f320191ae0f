package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh/internal/demo"
	"github.com/lakemesh/lakemesh/internal/home"
	"github.com/lakemesh/lakemesh/internal/printable"
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
			if err := a.noDryRun("the demo"); err != nil {
				return err
			}
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
			people, width := a.flags.output == "table", a.width
			o := demo.Options{
				Open: func(ctx context.Context) (*home.Connection, error) {
					var err error
					if keep {
						mesh, err = folder.Connect(ctx, a.flags.region)
					} else {
						mesh, err = home.InMemory(ctx, a.flags.region)
					}
					return mesh, err
				},
				Begin: func(s demo.Step) { a.screen.begin(s.Actor + ": " + s.Title) },
				End: func(s demo.Step) {
					if people {
						a.screen.done()
						fmt.Fprint(a.out, renderStep(s, width))
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

// hanging is how far the lines below a step's first are indented.
const hanging = 5

// renderStep is a step for people: a line, and what there is to see below it. Lines
// that are longer than the terminal is wide go on below, indented.
func renderStep(s demo.Step, width int) string {
	mark, result := good.Render("✓"), printable.Line(s.Result)
	if s.Refused {
		mark, result = notice.Render("⊘"), line("refused, as it should be: %s", notice.Render(s.Result))
	}
	var b strings.Builder
	b.WriteString(hang(fmt.Sprintf("%2d %s %s %s: %s %s", s.Number, mark, accent.Render(fmt.Sprintf("%-8s", s.Actor)), bold.Render(s.Title), result,
		faint.Render(strings.ReplaceAll(fmt.Sprintf("(%d %s, %s)", s.Calls, choose(s.Calls == 1, "call", "calls"), since(s.Time)), " ", noBreak))), width))
	for _, detail := range s.Detail {
		b.WriteString(hang(line("%s%s", strings.Repeat(" ", hanging), faint.Render(detail)), width))
	}
	return b.String()
}

// noBreak is a space at which no line is broken.
const noBreak = "\u00a0"

// hang breaks a line between words, and indents what goes on below; 0 is no width
// at all. Identifiers stay whole, so that they can be copied.
func hang(line string, width int) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Split(line, " ") {
		size := ansi.StringWidth(word)
		switch {
		case i == 0:
		case width > 2*hanging && column > hanging && column+1+size > width:
			b.WriteString("\n" + strings.Repeat(" ", hanging))
			column = hanging
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += size
	}
	return strings.ReplaceAll(b.String(), noBreak, " ") + "\n"
}
