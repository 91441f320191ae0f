// Command lakemesh-operate does the jobs of package operate: as a function of AWS
// Lambda, where AWS starts it, and once anywhere else:
//
//	lakemesh-operate verify -as consumer
//
// The mesh is in the environment, as all else that does not change from run to run:
//
//	LAKEMESH_MESH_ACCOUNT        the data mesh account
//	AWS_REGION                   where it works
//	LAKEMESH_LOG_LEVEL           debug, info (the default), warn or error
//	OTEL_EXPORTER_OTLP_ENDPOINT  where traces and metrics go, over OTLP and HTTP; none if it is not set
//
// Standard output gets one line of JSON a job, with its numbers, from which CloudWatch
// makes metrics; standard error gets the log, a line of JSON each. The exit codes are those
// of lakemesh: 0 done, 7 verify found something, others for what failed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/aws/aws-lambda-go/lambda"
	// In an image of nothing but this program there are no roots to trust.
	_ "golang.org/x/crypto/x509roots/fallback"

	"github.com/lakemesh/lakemesh/operate"
)

// version is that of the release, which tools/release writes into the program.
var version = "(devel)"

func main() { os.Exit(run()) }

// run is the function of Lambda where that calls, else one job, and returns the exit code.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		w, err := newWorker(ctx, os.Getenv, os.Stdout, os.Stderr)
		if err != nil {
			fmt.Fprintln(os.Stderr, "lakemesh-operate:", err)
			return 1
		}
		lambda.StartWithOptions(w.handle, lambda.WithContext(ctx))
		return 0
	}
	return once(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
}

// once does one job, and returns the exit code.
func once(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	var job operate.Job
	flags := flag.NewFlagSet("lakemesh-operate", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: lakemesh-operate sync|verify|expire|settle [flags]")
		flags.PrintDefaults()
	}
	flags.StringVar((*string)(&job.As), "as", "", "producer (the default), consumer or admin")
	flags.StringVar(&job.Database, "database", "", "sync, verify: only this database of the mesh")
	flags.StringVar(&job.SourceDatabase, "source-database", "", "sync: only what comes from this database of the producer")
	flags.StringVar(&job.Table, "table", "", "sync: only this table")
	if len(args) > 0 && args[0] == "version" {
		fmt.Fprintln(stdout, "lakemesh-operate", version)
		return 0
	}
	if len(args) == 0 {
		flags.Usage()
		return 2
	}
	job.Name = operate.Name(args[0])
	if err := flags.Parse(args[1:]); err != nil {
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "lakemesh-operate: what is %q?\n", flags.Arg(0))
		return 2
	}
	w, err := newWorker(ctx, getenv, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "lakemesh-operate:", err)
		return 2
	}
	result, err := w.do(ctx, job)
	if err != nil && result.Err == nil {
		fmt.Fprintln(stderr, "lakemesh-operate:", err)
		return 1
	}
	return result.ExitCode()
}
