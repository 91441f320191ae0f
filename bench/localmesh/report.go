package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// result is what a measurement found.
type result interface{ print(io.Writer) }

// machine is where it was measured.
type machine struct {
	CPU   string    `json:"cpu"`
	Cores int       `json:"cores"`
	Load  string    `json:"load"`
	Go    string    `json:"go"`
	Time  time.Time `json:"time"`
}

// thisMachine describes the machine, with its load of the last minutes.
func thisMachine() machine {
	m := machine{CPU: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version(), Time: time.Now().UTC().Truncate(time.Second)}
	// Only Linux has these files, and elsewhere the report says less.
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load = strings.Join(strings.Fields(string(load))[:3], " ")
	}
	return m
}

func printMachine(w io.Writer) {
	m := thisMachine()
	fmt.Fprintf(w, "%s, %d cores, load %s, %s\n\n", m.CPU, m.Cores, m.Load, m.Go)
}

// printTable prints rows in columns, the first of which is text.
func printTable(w io.Writer, header []string, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range append([][]string{header}, rows...) {
		fmt.Fprintln(t, strings.Join(row, "\t")+"\t")
	}
	// The writer below has its own way to tell of errors.
	_ = t.Flush()
}

// quantile is the value below which the share q of the values lies.
func quantile[T ~int64 | ~float64](values []T, q float64) T {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d.Microseconds())/1000) }

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }
