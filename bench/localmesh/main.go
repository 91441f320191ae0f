// Command localmesh measures the local mesh as a server: how many calls a second
// it answers beside moto's server, how fast it starts and what it holds at rest,
// how long queries take beside DuckDB, and how it does on a folder with many partitions.
//
//	go run ./bench/localmesh calls  [-rounds 5] [-each 500ms] [-clients 4]
//	go run ./bench/localmesh start  [-rounds 10]
//	go run ./bench/localmesh query  [-rows 1000000] [-python program]
//	go run ./bench/localmesh folder [-tables 1000] [-partitions 1000] [-rate 200] [-for 60s] [-dir folder]
//
// Each prints a table, and writes what it found as JSON with -json file. What is
// measured runs in processes of its own. Other load on the machine shows in times,
// and much less in the ratio of rounds that alternate.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	if err := interruptible(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "localmesh:", err)
		os.Exit(1)
	}
}

func interruptible(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return run(ctx, args)
}

var errUsage = errors.New("what is to be measured: calls, start, query or folder")

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	into := flags.String("json", "", "write what was found to this file")
	program := flags.String("program", "", "measure this build of the command line, instead of building it")
	var measure func() (result, error)
	switch args[0] {
	case "calls":
		var o callsOptions
		flags.IntVar(&o.rounds, "rounds", 5, "rounds of each call and server")
		flags.DurationVar(&o.each, "each", 500*time.Millisecond, "how long a round is")
		flags.IntVar(&o.clients, "clients", 4, "calls at the same time")
		measure = func() (result, error) { return measureCalls(ctx, *program, o) }
	case "start":
		rounds := flags.Int("rounds", 10, "how often the server is started")
		measure = func() (result, error) { return measureStart(ctx, *program, *rounds) }
	case "query":
		rows := flags.Int("rows", 1_000_000, "rows of the table")
		python := flags.String("python", "python3", "a Python that has DuckDB, such as that of the environment \"lake\" of interop/install")
		measure = func() (result, error) { return measureQueries(ctx, *python, *rows) }
	case "folder":
		var o folderOptions
		flags.IntVar(&o.tables, "tables", 1000, "tables in the folder")
		flags.IntVar(&o.partitions, "partitions", 1000, "partitions a table")
		flags.IntVar(&o.records, "records", 100_000, "records in a DynamoDB table with an index")
		flags.IntVar(&o.rate, "rate", 200, "calls a second")
		flags.DurationVar(&o.duration, "for", time.Minute, "how long the load lasts")
		flags.StringVar(&o.dir, "dir", "", "the folder, which is kept; one that is filled already is not filled again")
		measure = func() (result, error) { return measureFolder(ctx, *program, o) }
	case serveInMemory:
		return serve(ctx)
	default:
		return errUsage
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	r, err := measure()
	if err != nil {
		return err
	}
	r.print(os.Stdout)
	if *into == "" {
		return nil
	}
	data, err := json.MarshalIndent(struct {
		Machine machine `json:"machine"`
		Result  result  `json:"result"`
	}{thisMachine(), r}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(*into, append(data, '\n'), 0o600)
}
