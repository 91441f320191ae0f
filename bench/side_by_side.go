package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/lakemesh/lakemesh/bench/internal/lab"
	"github.com/lakemesh/lakemesh/localmesh"
)

// contender is what one program took in one round.
type contender struct {
	Seconds     float64           `json:"seconds"`
	Calls       int               `json:"calls"`
	ByOperation []localmesh.Count `json:"byOperation"`
}

func asContender(m lab.Measured) contender {
	return contender{Seconds: m.Took.Seconds(), Calls: total(m.Counts), ByOperation: m.Counts}
}

// round is one round of both.
type round struct {
	First    string    `json:"first"`
	Lakemesh contender `json:"lakemesh"`
	Original contender `json:"original"`
	// Ratio is how many times as long the original took.
	Ratio float64 `json:"ratio"`
}

// sideBySideReport is what -json writes.
type sideBySideReport struct {
	Machine    machine `json:"machine"`
	LatencyMS  int64   `json:"latencyMilliseconds"`
	Tables     int     `json:"tables"`
	Partitions int     `json:"partitions"`
	Rounds     []round `json:"rounds"`
	Median     float64 `json:"medianRatio"`
	Least      float64 `json:"leastRatio"`
	Most       float64 `json:"mostRatio"`
}

// sideBySide publishes the same with both programs on one local mesh, in turns:
// who begins changes with each round. Each has set up accounts of its own in it.
// Both personas are open when the time begins.
func sideBySide(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("side-by-side", flag.ContinueOnError)
	const defaultRounds, defaultTables, defaultPartitions = 5, 20, 100
	rounds := flags.Int("rounds", defaultRounds, "how many rounds")
	tables := flags.Int("tables", defaultTables, "how many tables are published")
	partitions := flags.Int("partitions", defaultPartitions, "how many partitions each of them has")
	latency := flags.Duration("latency", 30*time.Millisecond, "how long the mesh waits before it answers")
	file := flags.String("json", "", "write the rounds to this file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	python, err := lab.FindOriginal()
	if errors.Is(err, lab.ErrNotInstalled) {
		fmt.Fprintln(out, "nothing was measured:", err)
		return nil
	}
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "lakemesh-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	mesh, err := lab.StartMesh(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, mesh.Close()) }()
	b := beside{mesh: mesh, python: python, folder: folder, latency: *latency, tables: *tables, partitions: *partitions}
	if err := b.setUp(ctx); err != nil {
		return err
	}
	report := sideBySideReport{Machine: thisMachine(), LatencyMS: latency.Milliseconds(), Tables: *tables, Partitions: *partitions}
	fmt.Fprintf(out, "%s\n%d tables of %d partitions, %s a call\n\n", report.Machine, *tables, *partitions, latency)
	for i := range *rounds {
		r, err := b.round(ctx, i%2 == 0)
		if err != nil {
			return err
		}
		report.Rounds = append(report.Rounds, r)
		fmt.Fprintf(out, "round %d, %s first: original %.1f s, %d calls; lakemesh %.2f s, %d calls; %.0f times as fast\n",
			i+1, r.First, r.Original.Seconds, r.Original.Calls, r.Lakemesh.Seconds, r.Lakemesh.Calls, r.Ratio)
	}
	if len(report.Rounds) == 0 {
		return nil
	}
	var ratios []float64
	for _, r := range report.Rounds {
		ratios = append(ratios, r.Ratio)
	}
	slices.Sort(ratios)
	report.Median, report.Least, report.Most = median(ratios), ratios[0], ratios[len(ratios)-1]
	last := report.Rounds[len(report.Rounds)-1]
	fmt.Fprintf(out, "\noriginal: %s\nlakemesh: %s\n\nmedian %.0f times as fast, from %.0f to %.0f\n",
		byService(last.Original.ByOperation), byService(last.Lakemesh.ByOperation), report.Median, report.Least, report.Most)
	return writeJSON(*file, report)
}

// median is the median of sorted numbers.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// beside are both programs on one mesh.
type beside struct {
	mesh               *lab.Mesh
	python, folder     string
	latency            time.Duration
	tables, partitions int
}

func (b beside) setUp(ctx context.Context) (err error) {
	o, err := b.mesh.StartOriginal(ctx, b.python, b.folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	if err := o.SetUp(); err != nil {
		return err
	}
	if err := b.mesh.SetUpBeside(); err != nil {
		return err
	}
	return b.mesh.Keep()
}

func (b beside) round(ctx context.Context, originalFirst bool) (r round, err error) {
	if err := b.mesh.Fresh(); err != nil {
		return r, err
	}
	for _, account := range []string{lab.ProducerAccount, lab.OtherProducer} {
		if err := b.mesh.Load(lab.Product{Account: account, Database: "bench", Bucket: "bench-" + account, Tables: b.tables, Partitions: b.partitions}); err != nil {
			return r, err
		}
	}
	if err := b.mesh.SetLatency(b.latency); err != nil {
		return r, err
	}
	o, err := b.mesh.StartOriginal(ctx, b.python, b.folder)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	turns := []func() error{
		func() error {
			m, err := b.mesh.MeasureOriginal(o, "bench")
			r.Original = asContender(m)
			return err
		},
		func() error {
			m, err := b.mesh.Measure(ctx, lab.OtherProducer, lab.Work{Persona: "producer", Do: "publish", Database: "bench"})
			r.Lakemesh = asContender(m)
			return err
		},
	}
	r.First = "original"
	if !originalFirst {
		slices.Reverse(turns)
		r.First = "lakemesh"
	}
	for _, turn := range turns {
		if err := turn(); err != nil {
			return r, err
		}
	}
	r.Ratio = r.Original.Seconds / r.Lakemesh.Seconds
	return r, nil
}
