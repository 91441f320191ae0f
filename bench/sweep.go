package main

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/lakemesh/lakemesh/bench/internal/bound"
	"github.com/lakemesh/lakemesh/bench/internal/lab"
	"github.com/lakemesh/lakemesh/bench/internal/plot"
)

// swept is a size that was measured.
type swept struct {
	Tables     int     `json:"tables"`
	Partitions int     `json:"partitions"`
	Calls      int     `json:"calls"`
	Least      int     `json:"least"`
	Seconds    float64 `json:"seconds"`
	PeakBytes  int64   `json:"peakBytes"`
}

// sweepReport is what sweep.json holds.
type sweepReport struct {
	Machine     machine `json:"machine"`
	LatencyMS   int64   `json:"latencyMilliseconds"`
	Concurrency int     `json:"concurrency"`
	Sizes       []swept `json:"sizes"`
}

// sweep publishes databases of all sizes, and draws calls and time against size.
func sweep(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("sweep", flag.ContinueOnError)
	const defaultLargest = 200_000
	folder := flags.String("out", "docs/performance", "the folder to write to: sweep.csv, sweep.json, calls.svg, time.svg, memory.svg")
	latency := flags.Duration("latency", 30*time.Millisecond, "how long the mesh waits before it answers")
	largest := flags.Int("largest", defaultLargest, "leave out sizes with more partitions than this in all")
	if err := flags.Parse(args); err != nil {
		return err
	}
	const mode = 0o755
	if err := os.MkdirAll(*folder, mode); err != nil {
		return err
	}
	mesh, err := lab.StartMesh(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, mesh.Close()) }()
	report := sweepReport{Machine: thisMachine(), LatencyMS: latency.Milliseconds(), Concurrency: defaultConcurrency}
	fmt.Fprintf(out, "%s; %s a call, concurrency %d\n\n", report.Machine, latency, defaultConcurrency)
	t := &tabler{mesh: mesh, latency: *latency, concurrency: defaultConcurrency, out: out}
	for _, p := range []int{0, 10, 100, 1000} {
		for _, n := range []int{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000} {
			if n*p > *largest {
				continue
			}
			if err := t.begin(product(n, p)); err != nil {
				return err
			}
			m, err := mesh.Measure(ctx, lab.ProducerAccount, lab.Work{Persona: "producer", Do: "publish", Database: "bench"})
			if err != nil {
				return err
			}
			s := swept{Tables: n, Partitions: p, Calls: total(m.Counts), Least: bound.Publish(n, p).Calls(), Seconds: m.Took.Seconds(), PeakBytes: m.Peak}
			report.Sizes = append(report.Sizes, s)
			fmt.Fprintf(out, "N=%d P=%d: %d calls, %.2f s, %d MB\n", n, p, s.Calls, s.Seconds, s.PeakBytes>>20)
		}
	}
	return report.write(*folder)
}

func (r sweepReport) write(folder string) error {
	if err := writeJSON(filepath.Join(folder, "sweep.json"), r); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(folder, "sweep.csv"), r.writeCSV); err != nil {
		return err
	}
	what := fmt.Sprintf("publishing, %d ms a call, %d calls at once", r.LatencyMS, r.Concurrency)
	for name, chart := range map[string]plot.Chart{
		"calls.svg": {Title: "Calls of " + what, X: "tables", Y: "calls", Series: r.series("bound",
			func(s swept) float64 { return float64(s.Calls) }, func(s swept) float64 { return float64(s.Least) })},
		"time.svg": {Title: "Time of " + what, X: "tables", Y: "seconds", Series: r.series("",
			func(s swept) float64 { return s.Seconds }, nil)},
		"memory.svg": {Title: "Memory of " + what, X: "tables", Y: "megabytes at the most", Series: r.series("",
			func(s swept) float64 { return float64(s.PeakBytes) / (1 << 20) }, nil)},
	} {
		if err := writeFile(filepath.Join(folder, name), chart.WriteSVG); err != nil {
			return err
		}
	}
	return nil
}

// series are a curve for each number of partitions, and, if least is not nil, what
// it is held against.
func (r sweepReport) series(leastName string, of, least func(swept) float64) []plot.Series {
	var all []plot.Series
	var last *plot.Series
	partitions := -1
	for _, s := range r.Sizes {
		if s.Partitions != partitions {
			partitions = s.Partitions
			name := "no partitions"
			if partitions > 0 {
				name = strconv.Itoa(partitions) + " partitions each"
			}
			all = append(all, plot.Series{Name: name})
			if least != nil {
				all = append(all, plot.Series{Name: leastName, Dashed: true})
			}
		}
		last = &all[len(all)-1]
		if least != nil {
			last.Points = append(last.Points, plot.Point{X: float64(s.Tables), Y: least(s)})
			last = &all[len(all)-2]
		}
		last.Points = append(last.Points, plot.Point{X: float64(s.Tables), Y: of(s)})
	}
	return all
}

func (r sweepReport) writeCSV(to io.Writer) error {
	w := csv.NewWriter(to)
	lines := [][]string{{"tables", "partitions", "calls", "least", "seconds", "peak_bytes"}}
	for _, s := range r.Sizes {
		lines = append(lines, []string{strconv.Itoa(s.Tables), strconv.Itoa(s.Partitions), strconv.Itoa(s.Calls), strconv.Itoa(s.Least),
			strconv.FormatFloat(s.Seconds, 'f', 3, 64), strconv.FormatInt(s.PeakBytes, 10)})
	}
	return w.WriteAll(lines)
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
