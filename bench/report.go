package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh"
)

// machine is what times and memory depend on.
type machine struct {
	Date  string `json:"date"`
	OS    string `json:"os"`
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
	Go    string `json:"go"`
	// Load is the load of the last minute when the measuring began, where the
	// system tells.
	Load string `json:"load,omitempty"`
}

func thisMachine() machine {
	m := machine{Date: time.Now().UTC().Format(time.DateOnly), OS: runtime.GOOS + "/" + runtime.GOARCH, CPU: "unknown",
		Cores: runtime.NumCPU(), Go: runtime.Version()}
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
		_ = f.Close() // it was only read
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(load), " ")
	}
	return m
}

func (m machine) String() string {
	s := fmt.Sprintf("%s, %s, %s, %d cores, %s", m.Date, m.OS, m.CPU, m.Cores, m.Go)
	if m.Load != "" {
		s += ", load " + m.Load + " at the start"
	}
	return s
}

// writeJSON writes a report where a flag says; nowhere if it says nothing.
func writeJSON(path string, report any) error {
	if path == "" {
		return nil
	}
	data, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	const mode = 0o644
	return os.WriteFile(path, append(data, '\n'), mode)
}

func total(counts []localmesh.Count) int {
	n := 0
	for _, c := range counts {
		n += c.Calls
	}
	return n
}

// byService says which operations were called how often.
func byService(counts []localmesh.Count) string {
	var b strings.Builder
	for i, c := range counts {
		switch {
		case i == 0:
			fmt.Fprintf(&b, "%s:", c.Service)
		case c.Service != counts[i-1].Service:
			fmt.Fprintf(&b, "; %s:", c.Service)
		default:
			b.WriteString(",")
		}
		fmt.Fprintf(&b, " %s %d", c.Operation, c.Calls)
	}
	return b.String()
}

// writes counts the calls that may change something.
func writes(counts []localmesh.Count) int {
	n := 0
	for _, c := range counts {
		if !slices.ContainsFunc([]string{"Get", "List", "Describe", "Search", "Query", "Scan", "BatchGet", "TransactGet", "Simulate", "Head", "AssumeRole"},
			func(reading string) bool { return strings.HasPrefix(c.Operation, reading) }) {
			n += c.Calls
		}
	}
	return n
}
