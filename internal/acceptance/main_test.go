package acceptance_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/lakemesh/lakemesh/internal/meshtest"
)

// TestMain keeps the property test short unless its flags ask for more: each of
// its steps makes dozens of calls. -rapid.checks=100 takes about a minute.
func TestMain(m *testing.M) {
	flag.Parse()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range map[string]string{"rapid.checks": "3", "rapid.steps": "10"} {
		if given[name] {
			continue
		}
		if err := flag.Set(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	os.Exit(meshtest.Run(m))
}
