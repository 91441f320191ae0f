package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/home"
	"github.com/lakemesh/lakemesh/internal/identity"
)

// What goes where:
//
//   - stdout gets the result of a command and nothing else: a table, or with
//     --output json or yaml exactly the documented shape;
//   - stderr gets everything else: progress, confirmations, warnings, hints, logs,
//     errors;
//   - colour is used on a terminal only, and never with NO_COLOR;
//   - nothing is asked unless stdin and stderr are a terminal.

// streams are the standard streams of a run.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// app is one run of the command line.
type app struct {
	streams
	// screen is stderr with a progress line at its bottom.
	screen *screen
	// asking tells that a person can be asked.
	asking bool
	// written is stdout, and whether all of the result got there.
	written *kept
	// width is that of the terminal that stdout is, 0 if it is none.
	width int
	// errWidth is that of the terminal that stderr is, 0 if it is none.
	errWidth int
	flags    globalFlags

	// typed are the flags that say where the person works, as they were typed.
	typed string
	// typedElsewhere are those of them that are not of who typed them: all but the context.
	typedElsewhere string
	// acts is as whom the command works, once that is known.
	acts party
	// command is the one that was typed.
	command *cobra.Command
	// interrupted is closed when the person interrupts the program.
	interrupted <-chan struct{}
	// begun tells that a command has taken over from the parser of the command line.
	begun bool
	// local is the connection to the local mesh, once it is needed.
	local *home.Connection
	// file is the credentials file, once it is needed.
	file *lakemesh.CredentialsFile
	// opened is who asks, once it is needed.
	opened *identity.Identity
	// warned are the warnings that were told.
	warned sync.Map
	// clock tells the time; nil is the computer's.
	clock func() time.Time
}

// time is what time it is.
func (a *app) time() time.Time {
	if a.clock != nil {
		return a.clock()
	}
	return time.Now()
}

// run runs the command line and returns its exit code.
func run(args []string, s streams) int {
	// A second signal ends the program at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	a := newApp(s)
	a.interrupted = ctx.Done()
	root := a.root()
	root.SetArgs(joinBooleans(args))
	cmd, err := root.ExecuteContextC(ctx)
	a.screen.done()
	if a.local != nil {
		err = errors.Join(err, a.local.Close())
	}
	if a.written.err != nil && err == nil {
		err = fmt.Errorf("write the result: %w", a.written.err)
	}
	if a.flags.output == "table" && !a.begun {
		// The parser may have stopped before it came to the form of the result.
		a.flags.output = formIn(args)
	}
	return a.report(ctx, cmd.CommandPath(), err)
}

// formIn is the form of the result that the arguments name, as far as they can be told
// without being parsed.
func formIn(args []string) string {
	for i, arg := range args {
		value, inside := strings.CutPrefix(arg, "--output=")
		if !inside {
			value, inside = strings.CutPrefix(arg, "-o=")
		}
		if (arg == "-o" || arg == "--output") && i+1 < len(args) {
			value, inside = args[i+1], true
		}
		if value = strings.ToLower(value); inside && (value == "json" || value == "yaml") {
			return value
		}
	}
	return "table"
}

func newApp(s streams) *app {
	errTerminal := isTerminal(s.err)
	a := &app{asking: errTerminal && isTerminal(s.in)}
	a.in = s.in
	a.written = &kept{w: exit{colorprofile.NewWriter(s.out, os.Environ())}}
	a.out = a.written
	a.width, a.errWidth = widthOf(s.out), widthOf(s.err)
	a.screen = newScreen(colorprofile.NewWriter(s.err, os.Environ()), errTerminal)
	a.err = a.screen
	return a
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func widthOf(stream any) int {
	f, ok := stream.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		// It is no terminal.
		return 0
	}
	return width
}

// joinBooleans makes "--flag=false" of "--flag false" for the flags that take an
// explicit truth value in the original's command line.
func joinBooleans(args []string) []string {
	joined := make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		name := strings.ReplaceAll(args[i], "_", "-")
		if (name == "--create-public-metadata" || name == "--use-original-table-name") && i+1 < len(args) {
			if value := strings.ToLower(args[i+1]); value == "true" || value == "false" {
				joined = append(joined, name+"="+value)
				i++
				continue
			}
		}
		joined = append(joined, args[i])
	}
	return joined
}
