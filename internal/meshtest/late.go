package meshtest

import (
	"testing"

	"github.com/lakemesh/lakemesh/localmesh"
)

// Looks is how often a test looks before it takes what it sees for the end of the
// matter: once on a mesh that knows everything at once. On one that is late, each
// thing that a look depends on can be missed as often as the mesh lets it.
func Looks(m *localmesh.Mesh) int {
	const things = 24
	return 1 + things*m.EventualConsistency()
}

// Soon tells whether something comes to hold. It needs no time, because the local
// mesh counts looks and not seconds.
func Soon(m *localmesh.Mesh, holds func() bool) bool {
	for range Looks(m) {
		if holds() {
			return true
		}
	}
	return false
}

// Try makes a call until it succeeds, and returns the last error.
func Try(m *localmesh.Mesh, call func() error) error {
	var err error
	Soon(m, func() bool { err = call(); return err == nil })
	return err
}

// Known is what a look gives that misses nothing any more: others are made before
// it, as many as can miss a change.
func Known[T any](m *localmesh.Mesh, look func() (T, error)) (T, error) {
	for range m.EventualConsistency() {
		if early, err := look(); err != nil {
			return early, err
		}
	}
	return look()
}

// Before does what was done long before the test begins: everybody knows of it.
func Before(m *localmesh.Mesh, do func()) {
	looks := m.EventualConsistency()
	m.SetEventualConsistency(0)
	defer m.SetEventualConsistency(looks)
	do()
}

// Prompt skips a test, on a mesh that is late, that is about what a mesh does
// which knows everything at once: the exact number of calls, for example.
func Prompt(t testing.TB, m *localmesh.Mesh, why string) {
	t.Helper()
	if m.EventualConsistency() > 0 {
		t.Skipf("only where changes are known at once: %s", why)
	}
}

// Without skips a test that is about the other reading of AWS than the one that is on:
// one in which a call is made, or an account is invited, that the reading does without.
func Without(t testing.TB, m *localmesh.Mesh, why string, readings func(localmesh.Readings) bool) {
	t.Helper()
	if readings(m.Readings()) {
		t.Skipf("not under readings %s: %s", m.Readings(), why)
	}
}
