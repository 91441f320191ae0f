package localmesh

import "testing"

// Run starts a mesh in memory for a test, and closes it when the test ends. A
// planned fault that was not reached fails the test.
func Run(t testing.TB, opts ...Option) *Mesh {
	t.Helper()
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
