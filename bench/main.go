// Command bench measures lakemesh on the local mesh: what it calls, how long it
// takes, what memory it needs.
//
//	go run ./bench table          every operation against what it needs at least
//	go run ./bench side-by-side   publishing, beside the original library
//	go run ./bench sweep          publishing in all sizes, as curves
//	go run ./bench throttle       what our limiter and the SDK's modes make of a rate limit
//	go run ./bench document       what was measured, put into docs/performance.md
//
// Each of the first four prints what it measured and writes it as JSON where -json
// says; sweep writes a folder. Counts are
// exact and the same everywhere; times and memory are those of the machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/lakemesh/lakemesh/bench/internal/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: go run ./bench table|side-by-side|sweep|throttle|document [flags]; -h after each tells its flags")

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errUsage
	}
	switch name, rest := args[0], args[1:]; name {
	case "table":
		return table(ctx, rest, out)
	case "side-by-side":
		return sideBySide(ctx, rest, out)
	case "sweep":
		return sweep(ctx, rest, out)
	case "throttle":
		return throttle(ctx, rest, out)
	case "document":
		return document(rest, out)
	// The benchmark's own processes.
	case lab.MeshCommand:
		return lab.Serve(context.WithoutCancel(ctx), os.Stdin, os.Stdout)
	case lab.WorkCommand:
		return lab.DoWork(ctx, os.Stdin, os.Stdout)
	}
	return errUsage
}
