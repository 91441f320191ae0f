package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// document puts what was measured into the documentation: of each report in its
// folder a table, between the marks <!-- name --> and <!-- end of name -->, and the
// pictures of the sweep. A report that is not there leaves its part as it is.
func document(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("document", flag.ContinueOnError)
	page := flags.String("page", "docs/performance.md", "the page to complete")
	folder := flags.String("reports", "docs/performance", "the folder of table.json, side-by-side.json, throttle.json and sweep.json")
	if err := flags.Parse(args); err != nil {
		return err
	}
	data, err := os.ReadFile(*page)
	if err != nil {
		return err
	}
	text := string(data)
	for _, part := range []struct {
		name  string
		write func([]byte) (string, error)
	}{
		{"table", asMarkdown(tableReport.markdown)}, {"side-by-side", asMarkdown(sideBySideReport.markdown)},
		{"throttle", asMarkdown(throttleReport.markdown)}, {"sweep", asMarkdown(sweepReport.markdown)},
	} {
		report, err := os.ReadFile(filepath.Join(*folder, part.name+".json"))
		if errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(out, "%s was not measured\n", part.name)
			continue
		}
		if err != nil {
			return err
		}
		markdown, err := part.write(report)
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		if text, err = between(text, part.name, markdown); err != nil {
			return fmt.Errorf("%s: %w", *page, err)
		}
	}
	const mode = 0o644
	return errors.Join(os.WriteFile(*page, []byte(text), mode), redraw(*folder))
}

// redraw draws the pictures of the sweep that was measured.
func redraw(folder string) error {
	data, err := os.ReadFile(filepath.Join(folder, "sweep.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var report sweepReport
	if err := json.Unmarshal(data, &report); err != nil {
		return err
	}
	return report.write(folder)
}

func asMarkdown[R any](markdown func(R) string) func([]byte) (string, error) {
	return func(data []byte) (string, error) {
		var report R
		if err := json.Unmarshal(data, &report); err != nil {
			return "", err
		}
		return markdown(report), nil
	}
}

// between replaces what stands between the marks.
func between(text, name, by string) (string, error) {
	before, rest, ok := strings.Cut(text, "<!-- "+name+" -->\n")
	if !ok {
		return "", fmt.Errorf("it has no mark <!-- %s -->", name)
	}
	_, after, ok := strings.Cut(rest, "<!-- end of "+name+" -->")
	if !ok {
		return "", fmt.Errorf("it has no mark <!-- end of %s -->", name)
	}
	return before + "<!-- " + name + " -->\n" + by + "<!-- end of " + name + " -->" + after, nil
}

func (r tableReport) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s; %d ms a call, concurrency %d.\n\n", r.Machine, r.LatencyMS, r.Concurrency)
	b.WriteString("| operation | calls | bound | ratio | time | memory | allocations | target: reached |\n|---|--:|--:|--:|--:|--:|--:|---|\n")
	for _, row := range r.Rows {
		if row.Failed != "" {
			fmt.Fprintf(&b, "| %s | | | | | | | failed: %s |\n", row.Row, row.Failed)
			continue
		}
		least, ratio := "", ""
		if row.Least > 0 {
			least, ratio = fmt.Sprint(row.Least), fmt.Sprintf("%.2f", row.Ratio)
		}
		var targets []string
		for _, t := range row.Targets {
			answer := "not met"
			if t.Met {
				answer = "met"
			}
			targets = append(targets, fmt.Sprintf("%s: %s, %s", t.What, t.Reached, answer))
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %.2f s | %d MB | %d | %s |\n", row.Row, row.Calls, least, ratio, row.Seconds,
			row.PeakBytes>>20, row.Allocations, strings.Join(targets, "<br>"))
	}
	b.WriteString("\n<details><summary>Calls by service and operation</summary>\n\n")
	for _, row := range r.Rows {
		if row.Calls > 0 {
			fmt.Fprintf(&b, "- %s: %s\n", row.Row, byService(row.ByOperation))
		}
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

func (r sideBySideReport) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d tables of %d partitions, %d ms a call, on %s.\n\n", r.Tables, r.Partitions, r.LatencyMS, r.Machine)
	b.WriteString("| round | first | original | lakemesh | ratio |\n|--:|---|--:|--:|--:|\n")
	for i, round := range r.Rounds {
		fmt.Fprintf(&b, "| %d | %s | %.1f s, %d calls | %.2f s, %d calls | %.0f |\n", i+1, round.First,
			round.Original.Seconds, round.Original.Calls, round.Lakemesh.Seconds, round.Lakemesh.Calls, round.Ratio)
	}
	fmt.Fprintf(&b, "\nThe median is %.0f times as fast, from %.0f to %.0f.\n", r.Median, r.Least, r.Most)
	return b.String()
}

func (r throttleReport) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d calls of an operation with a limit of %g calls a second, %d at once, on %s.\n\n", r.Calls, r.PerSecond, defaultConcurrency, r.Machine)
	b.WriteString("| | reached of the limit | errors to the caller | not begun in time | throttled attempts | time | another operation |\n|---|--:|--:|--:|--:|--:|--:|\n")
	for _, w := range r.Ways {
		const percent = 100
		fmt.Fprintf(&b, "| %s | %.0f %% | %d | %d | %d | %.1f s | %.0f calls/s |\n", w.Way, w.Reached*percent, w.Errors, w.Left, w.Throttled, w.Seconds, w.Other)
	}
	return b.String()
}

func (r sweepReport) markdown() string {
	return fmt.Sprintf("%d sizes, %d ms a call, concurrency %d, on %s.\n", len(r.Sizes), r.LatencyMS, r.Concurrency, r.Machine)
}
