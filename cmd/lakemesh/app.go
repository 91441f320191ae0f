package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/charmbracelet/colorprofile"
	"golang.org/x/term"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/home"
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
	// width is that of the terminal that stdout is, 0 if it is none.
	width int
	flags globalFlags

	// typed are the flags that say where the person works, as they were typed.
	typed string
	// interrupted is closed when the person interrupts the program.
	interrupted <-chan struct{}
	// begun tells that a command has taken over from the parser of the command line.
	begun bool
	// local is the connection to the local mesh, once it is needed.
	local *home.Connection
	// file is the credentials file, once it is needed.
	file *lakemesh.CredentialsFile
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
	return a.report(ctx, cmd.CommandPath(), err)
}

func newApp(s streams) *app {
	errTerminal := isTerminal(s.err)
	a := &app{asking: errTerminal && isTerminal(s.in)}
	a.in = s.in
	a.out = exit{colorprofile.NewWriter(s.out, os.Environ())}
	a.width = widthOf(s.out)
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
