package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/glue"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/bench/internal/lab"
	"github.com/lakemesh/lakemesh/internal/identity"
)

// limited is what one way of retrying made of a rate limit.
type limited struct {
	Way string `json:"way"`
	// Reached is the share of what the limit allows that was made use of.
	Reached float64 `json:"reached"`
	// Done calls, and those whose error reached the caller; what was left when
	// patience ended is neither.
	Done   int `json:"done"`
	Errors int `json:"errors"`
	Left   int `json:"left"`
	// Throttled are the attempts that were throttled.
	Throttled int     `json:"throttled"`
	Seconds   float64 `json:"seconds"`
	// Other is how many calls a second another operation of the same client made
	// meanwhile, which has no limit.
	Other float64 `json:"otherPerSecond"`
}

// throttleReport is what -json writes.
type throttleReport struct {
	Machine   machine   `json:"machine"`
	PerSecond float64   `json:"perSecond"`
	Calls     int       `json:"calls"`
	Ways      []limited `json:"ways"`
}

// throttle compares what our limiter and the SDK's modes make of a rate limit:
// calls of one operation, as many at once as the personas make, beside a few of an
// operation without a limit.
func throttle(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("throttle", flag.ContinueOnError)
	const defaultRate, defaultCalls = 20, 600
	rate := flags.Float64("rate", defaultRate, "calls a second that the operation takes")
	calls := flags.Int("calls", defaultCalls, "how many calls are made")
	latency := flags.Duration("latency", 30*time.Millisecond, "how long the mesh waits before it answers")
	patience := flags.Duration("patience", 2*time.Minute, "how long each way may take")
	file := flags.String("json", "", "write the comparison to this file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	mesh, err := lab.StartMesh(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, mesh.Close()) }()
	report := throttleReport{Machine: thisMachine(), PerSecond: *rate, Calls: *calls}
	fmt.Fprintf(out, "%s\n%d calls of an operation with a limit of %g calls/s, %s a call, %d at once\n\n", report.Machine, *calls, *rate, latency, defaultConcurrency)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "way\treached\tdone\terrors\tnot begun\tthrottled\ttime\tanother operation")
	for _, way := range ways() {
		c := contest{mesh: mesh, rate: *rate, calls: *calls, latency: *latency, patience: *patience}
		l, err := c.run(ctx, way)
		if err != nil {
			return err
		}
		report.Ways = append(report.Ways, l)
		fmt.Fprintf(w, "%s\t%.0f %%\t%d\t%d\t%d\t%d\t%.1f s\t%.0f calls/s\n", l.Way, l.Reached*100, l.Done, l.Errors, l.Left, l.Throttled, l.Seconds, l.Other)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return writeJSON(*file, report)
}

// way is a way of retrying.
type way struct {
	name string
	open func(context.Context, aws.Config) (aws.Config, error)
}

func ways() []way {
	with := func(retryer func() aws.Retryer) func(context.Context, aws.Config) (aws.Config, error) {
		return func(_ context.Context, cfg aws.Config) (aws.Config, error) {
			cfg.Retryer = retryer
			return cfg, nil
		}
	}
	return []way{
		{"lakemesh", func(ctx context.Context, cfg aws.Config) (aws.Config, error) {
			id, err := identity.Open(ctx, lakemesh.Options{MeshAccountID: lab.MeshAccount, Config: &cfg})
			if err != nil {
				return aws.Config{}, err
			}
			return id.Config, nil
		}},
		{"SDK, standard mode", with(func() aws.Retryer { return retry.NewStandard() })},
		{"SDK, adaptive mode", with(func() aws.Retryer { return retry.NewAdaptiveMode() })},
		{fmt.Sprintf("SDK, adaptive mode, %d attempts", identity.MaxAttempts), with(func() aws.Retryer {
			return retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
				o.StandardOptions = append(o.StandardOptions, func(s *retry.StandardOptions) { s.MaxAttempts = identity.MaxAttempts })
			})
		})},
	}
}

// contest is what each way is put to.
type contest struct {
	mesh              *lab.Mesh
	rate              float64
	calls             int
	latency, patience time.Duration
}

// others is how many calls of the other operation are under way at once.
const others = 2

func (c contest) run(ctx context.Context, w way) (limited, error) {
	l := limited{Way: w.name}
	if err := errors.Join(c.mesh.Fresh(), c.mesh.SetLatency(c.latency)); err != nil {
		return l, err
	}
	keys, err := c.mesh.Keys(lab.Administrator(lab.ProducerAccount))
	if err != nil {
		return l, err
	}
	cfg, err := w.open(ctx, lab.Config(c.mesh.URL, keys))
	if err != nil {
		return l, err
	}
	if err := c.mesh.Limit("GetDatabases", c.rate); err != nil {
		return l, err
	}
	client := glue.NewFromConfig(cfg)
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	beside, stop := context.WithCancel(ctx)
	var other atomic.Int64
	var background sync.WaitGroup
	for range others {
		background.Go(func() {
			for beside.Err() == nil {
				if _, err := client.GetCrawlers(beside, &glue.GetCrawlersInput{}); err == nil {
					other.Add(1)
				}
			}
		})
	}
	var taken, done, failed atomic.Int64
	var workers sync.WaitGroup
	begun := time.Now()
	for range defaultConcurrency {
		workers.Go(func() {
			for ctx.Err() == nil && taken.Add(1) <= int64(c.calls) {
				switch _, err := client.GetDatabases(ctx, &glue.GetDatabasesInput{}); {
				case err == nil:
					done.Add(1)
				case ctx.Err() == nil:
					failed.Add(1)
				}
			}
		})
	}
	workers.Wait()
	took := time.Since(begun)
	stop()
	background.Wait()
	traffic, err := c.mesh.Traffic()
	l.Reached, l.Throttled, l.Seconds = reached(traffic, c.rate), traffic.Throttled, took.Seconds()
	l.Done, l.Errors = int(done.Load()), int(failed.Load())
	l.Left = c.calls - l.Done - l.Errors
	l.Other = float64(other.Load()) / took.Seconds()
	return l, err
}
