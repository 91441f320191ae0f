package localmesh

import (
	"fmt"
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

// FromEnvironment returns what [ConsistencyVariable] and [ReadingsVariable] ask of the
// meshes of tests.
func FromEnvironment() ([]Option, error) {
	var opts []Option
	if text := os.Getenv(ConsistencyVariable); text != "" {
		looks, err := strconv.Atoi(text)
		if err != nil || looks < 0 {
			return nil, fmt.Errorf("%s is %q, and not a number of looks", ConsistencyVariable, text)
		}
		opts = append(opts, WithEventualConsistency(looks))
	}
	if text := os.Getenv(ReadingsVariable); text != "" {
		r, err := ParseReadings(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ReadingsVariable, err)
		}
		opts = append(opts, WithReadings(r))
	}
	return opts, nil
}

// Run starts a mesh in memory for a test, and closes it when the test ends. A
// planned fault that was not reached fails the test.
func Run(t testing.TB, opts ...Option) *Mesh {
	t.Helper()
	asked, err := FromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	m := New(append(asked, opts...)...)
	m.closeAfter(t)
	return m
}

// RunClone is [Mesh.Clone] for a test: like the meshes of [Run], the clone goes by the
// environment, and is closed when the test ends.
func (m *Mesh) RunClone(t testing.TB, opts ...Option) *Mesh {
	t.Helper()
	asked, err := FromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	clone, err := m.Clone(append(asked, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	clone.closeAfter(t)
	return clone
}

func (m *Mesh) closeAfter(t testing.TB) {
	t.Cleanup(func() {
		for _, f := range m.PendingFaults() {
			t.Errorf("a planned fault was not reached: %s", f)
		}
		if err := m.Close(); err != nil {
			t.Errorf("close the local mesh: %v", err)
		}
	})
}
