package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/lakemesh/lakemesh/bench/internal/bound"
	"github.com/lakemesh/lakemesh/bench/internal/lab"
	"github.com/lakemesh/lakemesh/localmesh"
)

// target is what an operation is to reach.
type target struct {
	What string `json:"what"`
	Met  bool   `json:"met"`
	// Reached is what it reached.
	Reached string `json:"reached"`
}

// result is a row of the table.
type result struct {
	Row         string            `json:"row"`
	Calls       int               `json:"calls"`
	ByOperation []localmesh.Count `json:"byOperation"`
	Bound       bound.Bound       `json:"bound,omitempty"`
	Least       int               `json:"least,omitempty"`
	Ratio       float64           `json:"ratio,omitempty"`
	Seconds     float64           `json:"seconds"`
	PeakBytes   int64             `json:"peakBytes"`
	Allocations uint64            `json:"allocations"`
	Allocated   uint64            `json:"allocatedBytes"`
	Targets     []target          `json:"targets,omitempty"`
	// Failed is why the operation did not work.
	Failed string `json:"failed,omitempty"`
}

// tableReport is what -json writes.
type tableReport struct {
	Machine     machine  `json:"machine"`
	LatencyMS   int64    `json:"latencyMilliseconds"`
	Concurrency int      `json:"concurrency"`
	Rows        []result `json:"rows"`
}

// tabler makes the table.
type tabler struct {
	mesh        *lab.Mesh
	latency     time.Duration
	concurrency int
	rows        *regexp.Regexp
	short       bool
	out         io.Writer
	results     []result
}

// defaultConcurrency is the personas' default, which the times are held against.
const defaultConcurrency = 16

func table(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("table", flag.ContinueOnError)
	rows := flags.String("rows", "", "measure the rows whose names match this regular expression")
	short := flags.Bool("short", false, "leave out what takes minutes")
	latency := flags.Duration("latency", 30*time.Millisecond, "how long the mesh waits before it answers")
	concurrency := flags.Int("concurrency", defaultConcurrency, "the personas' setting")
	file := flags.String("json", "", "write the table to this file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	wanted, err := regexp.Compile(*rows)
	if err != nil {
		return fmt.Errorf("-rows: %w", err)
	}
	report := tableReport{Machine: thisMachine(), LatencyMS: latency.Milliseconds(), Concurrency: *concurrency}
	fmt.Fprintf(out, "%s; %s a call, concurrency %d\n\n", report.Machine, latency, *concurrency)
	mesh, err := lab.StartMesh(ctx, false)
	if err != nil {
		return err
	}
	t := &tabler{mesh: mesh, latency: *latency, concurrency: *concurrency, rows: wanted, short: *short, out: out}
	err = t.all(ctx)
	report.Rows = t.results
	t.print()
	return errors.Join(err, mesh.Close(), writeJSON(*file, report))
}

func (t *tabler) wants(row string) bool { return t.rows.MatchString(row) }

func (t *tabler) all(ctx context.Context) error {
	for _, part := range []func(context.Context) error{t.opening, t.publishing, t.decisions, t.oneBucket, t.pending, t.verifying, t.throttled, t.large} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// begin takes the mesh back to its start, with these tables in the producer's
// account.
func (t *tabler) begin(p lab.Product) error {
	if err := t.mesh.Fresh(); err != nil {
		return err
	}
	if err := t.mesh.SetLatency(t.latency); err != nil {
		return err
	}
	if p.Tables == 0 {
		return nil
	}
	return t.mesh.Load(p)
}

func product(tables, partitions int) lab.Product {
	return lab.Product{Account: lab.ProducerAccount, Database: "bench", Bucket: "bench-data", Tables: tables, Partitions: partitions}
}

// published is the name of the product's database in the mesh.
const published = "bench-" + lab.ProducerAccount

// row notes what was measured. least may be nil.
func (t *tabler) row(name string, m lab.Measured, least bound.Bound, targets ...target) {
	r := result{Row: name, Calls: total(m.Counts), ByOperation: m.Counts, Bound: least, Least: least.Calls(), Seconds: m.Took.Seconds(),
		PeakBytes: m.Peak, Allocations: m.Allocations, Allocated: m.Allocated, Targets: targets}
	if r.Least > 0 {
		r.Ratio = float64(r.Calls) / float64(r.Least)
	}
	t.add(r)
}

// add notes a row, and tells of it at once: some take minutes.
func (t *tabler) add(r result) {
	t.results = append(t.results, r)
	fmt.Fprintf(t.out, "%s: %d calls, %.2f s\n    %s\n", r.Row, r.Calls, r.Seconds, byService(r.ByOperation))
	if r.Failed != "" {
		fmt.Fprintln(t.out, "    failed:", r.Failed)
	}
}

// failed notes that an operation did not work.
func (t *tabler) failed(name string, err error) {
	t.add(result{Row: name, Failed: err.Error(), Targets: []target{{What: "works", Reached: "failed"}}})
}

// withinBound is the target of calls.
func withinBound(calls int, least bound.Bound) target {
	const most = 1.1
	ratio := float64(calls) / float64(least.Calls())
	return target{"calls at most 1.1 of the bound", ratio <= most, fmt.Sprintf("%.2f", ratio)}
}

// inTime is the target of time: calls cannot take less than the latency, so many
// at once.
func (t *tabler) inTime(m lab.Measured) target {
	const most = 1.5
	least := float64(total(m.Counts)) * t.latency.Seconds() / float64(t.concurrency)
	ratio := m.Took.Seconds() / least
	return target{"at most 1.5 of calls * latency / concurrency", ratio <= most, fmt.Sprintf("%.2f", ratio)}
}

func (t *tabler) opening(ctx context.Context) error {
	for _, persona := range []struct{ name, account string }{{"producer", lab.ProducerAccount}, {"consumer", lab.ConsumerAccount}} {
		name := "open a " + persona.name
		if !t.wants(name) {
			continue
		}
		if err := t.begin(lab.Product{}); err != nil {
			return err
		}
		m, err := t.mesh.Measure(ctx, persona.account, lab.Work{Persona: persona.name})
		if err != nil {
			return err
		}
		m.Counts, m.Took = m.Opening, m.OpeningTook
		const hops = 2
		least := bound.Open(hops)
		t.row(name, m, least, target{"1 GetCallerIdentity, 1 AssumeRole a hop", total(m.Counts) <= least.Calls(), fmt.Sprint(total(m.Counts), " calls")})
	}
	return nil
}

func (t *tabler) publishing(ctx context.Context) error {
	for _, n := range []int{1, 20, 200, 2000} {
		for _, p := range []int{0, 100, 1000} {
			name, again := fmt.Sprintf("publish N=%d P=%d", n, p), fmt.Sprintf("publish again N=%d P=%d", n, p)
			const longest = 50_000
			if t.short && n*max(p, 10) > longest || !t.wants(name) && !t.wants(again) {
				continue
			}
			if err := t.publish(ctx, name, again, n, p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tabler) publish(ctx context.Context, name, again string, n, p int) error {
	if err := t.begin(product(n, p)); err != nil {
		return err
	}
	w := lab.Work{Persona: "producer", Do: "publish", Database: "bench", Concurrency: t.concurrency}
	m, err := t.mesh.Measure(ctx, lab.ProducerAccount, w)
	if err != nil {
		t.failed(name, err)
		return nil
	}
	if t.wants(name) {
		least := bound.Publish(n, p)
		targets := []target{withinBound(total(m.Counts), least)}
		if n == 200 && p == 100 {
			targets = append(targets, t.inTime(m))
		}
		t.row(name, m, least, targets...)
	}
	if !t.wants(again) {
		return nil
	}
	if m, err = t.mesh.Measure(ctx, lab.ProducerAccount, w); err != nil {
		t.failed(again, err)
		return nil
	}
	least := bound.Again(n, p)
	t.row(again, m, least, target{"no writing call", writes(m.Counts) == 0, fmt.Sprint(writes(m.Counts), " writing calls")},
		withinBound(total(m.Counts), least))
	return nil
}

func (t *tabler) decisions(ctx context.Context) error {
	for _, n := range []int{1, 50, 500, 5000} {
		if t.short && n > 500 {
			continue
		}
		names := map[string]string{}
		wanted := false
		for _, do := range []string{"approve", "update", "delete"} {
			names[do] = fmt.Sprintf("%s, %d tables", do, n)
			wanted = wanted || t.wants(names[do])
		}
		if !wanted {
			continue
		}
		if err := t.decide(ctx, n, names); err != nil {
			return err
		}
	}
	return nil
}

// tablesPerBucket is how many tables have their data in one bucket where it is
// opened: a bucket's policy has 20 KB, and the prefix of each table is in it twice
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html).
const tablesPerBucket = 250

// decide publishes one table more than is asked for, so that there is something in
// the database that the decision must leave alone.
func (t *tabler) decide(ctx context.Context, n int, names map[string]string) error {
	of := product(n, 0)
	of.Other, of.PerBucket = true, tablesPerBucket
	if err := t.begin(of); err != nil {
		return err
	}
	if err := t.mesh.SetLatency(0); err != nil {
		return err
	}
	if _, err := t.mesh.Measure(ctx, lab.ProducerAccount, lab.Work{Persona: "producer", Do: "publish", Database: "bench"}); err != nil {
		return fmt.Errorf("publish %d tables: %w", n+1, err)
	}
	requested, err := t.mesh.Measure(ctx, lab.ConsumerAccount, lab.Work{Persona: "consumer", Do: "request", Database: published, Tables: lab.TableNames})
	if err != nil {
		return fmt.Errorf("request %d tables: %w", n, err)
	}
	if err := t.mesh.SetLatency(t.latency); err != nil {
		return err
	}
	for _, step := range []struct {
		do    string
		least bound.Bound
	}{{"approve", bound.Approve(n, n+1, of.Buckets())}, {"update", bound.Update(n, n+1, of.Buckets())}, {"delete", bound.Delete(n, n+1, of.Buckets())}} {
		m, err := t.mesh.Measure(ctx, lab.ProducerAccount, lab.Work{Persona: "producer", Do: step.do, Subscription: requested.Answer, Concurrency: t.concurrency})
		if err != nil {
			t.failed(names[step.do], err)
			return nil
		}
		if t.wants(names[step.do]) {
			t.row(names[step.do], m, step.least, withinBound(total(m.Counts), step.least))
		}
	}
	return nil
}

// oneBucket decides on a whole database whose tables' data is all in one bucket, whose
// policy has no room for their folders one by one.
func (t *tabler) oneBucket(ctx context.Context) error {
	const tables, folders, most = 5000, 100, 20 * 1024
	names := map[string]string{}
	wanted := false
	for _, do := range []string{"approve", "update", "delete"} {
		names[do] = fmt.Sprintf("%s, a whole database of %d tables in one bucket", do, tables)
		wanted = wanted || t.wants(names[do])
	}
	if !wanted || t.short {
		return nil
	}
	of := product(tables, 0)
	of.Folders = folders
	if err := t.begin(of); err != nil {
		return err
	}
	if err := t.mesh.SetLatency(0); err != nil {
		return err
	}
	if _, err := t.mesh.Measure(ctx, lab.ProducerAccount, lab.Work{Persona: "producer", Do: "publish", Database: "bench"}); err != nil {
		return fmt.Errorf("publish %d tables: %w", tables, err)
	}
	requested, err := t.mesh.Measure(ctx, lab.ConsumerAccount, lab.Work{Persona: "consumer", Do: "request", Database: published})
	if err != nil {
		return fmt.Errorf("request a whole database: %w", err)
	}
	if err := t.mesh.SetLatency(t.latency); err != nil {
		return err
	}
	for _, step := range []struct {
		do    string
		least bound.Bound
	}{{"approve", bound.Approve(tables, tables, 1)}, {"update", bound.Update(tables, tables, 1)}, {"delete", bound.Delete(tables, tables, 1)}} {
		m, err := t.mesh.Measure(ctx, lab.ProducerAccount, lab.Work{Persona: "producer", Do: step.do, Subscription: requested.Answer, Concurrency: t.concurrency})
		if err != nil {
			t.failed(names[step.do], err)
			return nil
		}
		bytes, err := t.mesh.PolicyBytes(of)
		if err != nil {
			return err
		}
		if t.wants(names[step.do]) {
			t.row(names[step.do], m, step.least, withinBound(total(m.Counts), step.least),
				target{fmt.Sprintf("a policy of at most %d bytes", most), bytes <= most && (bytes == 0) == (step.do == "delete"), fmt.Sprint(bytes, " bytes")})
		}
	}
	return nil
}

func (t *tabler) pending(ctx context.Context) error {
	const name = "list 1,000 pending among 100,000"
	const all, mine, consumers = 100_000, 1000, 100
	if !t.wants(name) {
		return nil
	}
	if err := t.begin(lab.Product{}); err != nil {
		return err
	}
	if err := t.mesh.LoadRecords(lab.Records{All: all, Pending: mine, Consumers: consumers}); err != nil {
		return err
	}
	m, err := t.mesh.Measure(ctx, lab.ProducerAccount, lab.Work{Persona: "producer", Do: "pending"})
	if err != nil {
		t.failed(name, err)
		return nil
	}
	// The account that the bench asks with is enabled, too.
	least := bound.ListPending(mine, consumers+1)
	only := !slices.ContainsFunc(m.Counts, func(c localmesh.Count) bool { return c.Operation != "GetItem" && c.Operation != "BatchGetItem" })
	t.row(name, m, least, target{"reads by key only", only, byService(m.Counts)},
		target{"all of them", m.Answer == "1000 requests", m.Answer}, withinBound(total(m.Counts), least))
	return nil
}

// verifying compares everything of an owner with what was decided, when all of it holds.
func (t *tabler) verifying(ctx context.Context) error {
	const most = 300 << 20
	for _, size := range []bound.Verified{{Tables: 1000, Subscriptions: 100, Consumers: 10, Each: 2}, {Tables: 10_000, Subscriptions: 1000, Consumers: 100, Each: 2}} {
		name := fmt.Sprintf("verify %d tables, %d subscriptions, %d consumers", size.Tables, size.Subscriptions, size.Consumers)
		if !t.wants(name) || t.short && size.Tables > 1000 {
			continue
		}
		of := product(size.Tables, 0)
		of.PerBucket = tablesPerBucket
		size.Buckets = of.Buckets()
		if err := t.begin(of); err != nil {
			return err
		}
		if err := t.mesh.SetLatency(0); err != nil {
			return err
		}
		if _, err := t.mesh.Measure(ctx, lab.ProducerAccount, lab.Work{Persona: "producer", Do: "publish", Database: "bench"}); err != nil {
			return fmt.Errorf("publish %d tables: %w", size.Tables, err)
		}
		if err := t.mesh.Subscribe(lab.Subscriptions{Database: "bench", All: size.Subscriptions, Consumers: size.Consumers, Each: size.Each, Tables: size.Tables}); err != nil {
			return fmt.Errorf("make %d subscriptions: %w", size.Subscriptions, err)
		}
		if err := t.mesh.SetLatency(t.latency); err != nil {
			return err
		}
		m, err := t.mesh.Measure(ctx, lab.ProducerAccount, lab.Work{Persona: "producer", Do: "verify", Concurrency: t.concurrency})
		if err != nil {
			t.failed(name, err)
			return nil
		}
		least, all := bound.Verify(size), fmt.Sprintf("0 findings on %d subscriptions and %d tables", size.Subscriptions, size.Tables)
		t.row(name, m, least, withinBound(total(m.Counts), least), target{"all of it holds", m.Answer == all, m.Answer},
			target{"no writing call", writes(m.Counts) == 0, fmt.Sprint(writes(m.Counts), " writing calls")},
			target{"at most 300 MB", m.Peak <= most, fmt.Sprintf("%d MB", m.Peak>>20)})
	}
	return nil
}

func (t *tabler) throttled(ctx context.Context) error {
	// One identity calls it, and has enough to call it for from its first call to its
	// last.
	const name = "publish N=50 P=1000, BatchCreatePartition at 20 calls/s"
	const tables, partitions, perSecond = 50, 1000, 20
	if !t.wants(name) {
		return nil
	}
	if err := t.begin(product(tables, partitions)); err != nil {
		return err
	}
	if err := t.mesh.Limit("BatchCreatePartition", perSecond); err != nil {
		return err
	}
	m, err := t.mesh.Measure(ctx, lab.ProducerAccount, lab.Work{Persona: "producer", Do: "publish", Database: "bench", Concurrency: t.concurrency})
	if err != nil {
		t.failed(name, err)
		return nil
	}
	traffic, err := t.mesh.Traffic()
	if err != nil {
		return err
	}
	const least = 0.9
	share := reached(traffic, perSecond)
	t.row(name, m, nil, target{"90 % of what the limit allows, no error", share >= least, fmt.Sprintf("%.0f %%, %d throttled", share*100, traffic.Throttled)})
	return nil
}

// reached is the share of what a limit allows that was made use of. The limit
// begins with a second's worth.
func reached(traffic lab.Traffic, perSecond float64) float64 {
	return float64(traffic.Admitted) / (perSecond + perSecond*traffic.Lasted.Seconds())
}

func (t *tabler) large(ctx context.Context) error {
	const name = "publish N=10000 P=100"
	const tables, partitions = 10_000, 100
	if t.short || !t.wants(name) {
		return nil
	}
	var before float64
	for _, n := range []int{tables / 4, tables / 2, tables} {
		if err := t.begin(product(n, partitions)); err != nil {
			return err
		}
		row := fmt.Sprintf("publish N=%d P=%d", n, partitions)
		m, err := t.mesh.Measure(ctx, lab.ProducerAccount, lab.Work{Persona: "producer", Do: "publish", Database: "bench", Concurrency: t.concurrency})
		if err != nil {
			t.failed(row, err)
			return nil
		}
		var targets []target
		if before > 0 {
			const least, most = 1.8, 2.2
			growth := m.Took.Seconds() / before
			targets = append(targets, target{"twice the tables take 1.8 to 2.2 times as long", growth >= least && growth <= most, fmt.Sprintf("%.2f", growth)})
		}
		if n == tables {
			const most = 300 << 20
			targets = append(targets, target{"at most 300 MB", m.Peak <= most, fmt.Sprintf("%d MB", m.Peak>>20)})
		}
		t.row(row, m, bound.Publish(n, partitions), targets...)
		before = m.Took.Seconds()
	}
	return nil
}

// print prints the table.
func (t *tabler) print() {
	fmt.Fprintln(t.out)
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "operation\tcalls\tbound\tratio\ttime\tpeak\tallocations\ttarget\treached\tmet")
	met, all := 0, 0
	for _, r := range t.results {
		line := fmt.Sprintf("%s\t%d\t", r.Row, r.Calls)
		if r.Least > 0 {
			line += fmt.Sprintf("%d\t%.2f\t", r.Least, r.Ratio)
		} else {
			line += "\t\t"
		}
		line += fmt.Sprintf("%.2f s\t%d MB\t%d (%d MB)", r.Seconds, r.PeakBytes>>20, r.Allocations, r.Allocated>>20)
		if len(r.Targets) == 0 {
			fmt.Fprintln(w, line+"\t\t\t")
		}
		for i, target := range r.Targets {
			if i > 0 {
				line = strings.Repeat("\t", 6)
			}
			all++
			answer := "no"
			if target.Met {
				met++
				answer = "yes"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", line, target.What, target.Reached, answer)
		}
	}
	if err := w.Flush(); err != nil {
		return
	}
	fmt.Fprintf(t.out, "\n%d of %d targets met\n", met, all)
}
