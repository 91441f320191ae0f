package localmesh

import (
	"os"
	"strconv"
	"testing"
)

// ConsistencyVariable is the environment variable that makes the meshes of [Run]
// eventually consistent: how often a change is missed at most, as for
// [WithEventualConsistency], which goes before it. So tests can be run once more,
// as they are, against an AWS that is late.
const ConsistencyVariable = "LAKEMESH_EVENTUAL_CONSISTENCY"

// ReadingsVariable is the environment variable that chooses the [Readings] of the
// meshes of [Run], as [ParseReadings] reads them; [WithReadings] goes before it.
const ReadingsVariable = "LAKEMESH_READINGS"

// Run starts a mesh in memory for a test, and closes it when the test ends. A
// planned fault that was not reached fails the test.
func Run(t testing.TB, opts ...Option) *Mesh {
	t.Helper()
	if text := os.Getenv(ConsistencyVariable); text != "" {
		looks, err := strconv.Atoi(text)
		if err != nil || looks < 0 {
			t.Fatalf("%s is %q, and not a number of looks", ConsistencyVariable, text)
		}
		opts = append([]Option{WithEventualConsistency(looks)}, opts...)
	}
	if text := os.Getenv(ReadingsVariable); text != "" {
		r, err := ParseReadings(text)
		if err != nil {
			t.Fatalf("%s: %v", ReadingsVariable, err)
		}
		opts = append([]Option{WithReadings(r)}, opts...)
	}
	m := New(opts...)
	t.Cleanup(func() {
		for _, f := range m.PendingFaults() {
			t.Errorf("a planned fault was not reached: %s", f)
		}
		if err := m.Close(); err != nil {
			t.Errorf("close the local mesh: %v", err)
		}
	})
	return m
}
