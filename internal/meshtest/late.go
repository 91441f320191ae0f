package meshtest

import (
	"testing"

	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/localmesh/ready"
)

// Late is a mesh that may be eventually consistent.
type Late interface {
	EventualConsistency() int
	SetEventualConsistency(looks int)
	Readings() localmesh.Readings
}

// Looks is that of [ready.Looks].
func Looks(m Late) int { return ready.Looks(m) }

// Soon is that of [ready.Soon].
func Soon(m Late, holds func() bool) bool { return ready.Soon(m, holds) }

// Try makes a call until it succeeds, and returns the last error.
func Try(m Late, call func() error) error {
	var err error
	Soon(m, func() bool { err = call(); return err == nil })
	return err
}

// Known is what a look gives that misses nothing any more: others are made before
// it, as many as can miss a change.
func Known[T any](m Late, look func() (T, error)) (T, error) {
	for range m.EventualConsistency() {
		if early, err := look(); err != nil {
			return early, err
		}
	}
	return look()
}

// Before does what was done long before the test begins: everybody knows of it.
func Before(m Late, do func()) {
	looks := m.EventualConsistency()
	m.SetEventualConsistency(0)
	defer m.SetEventualConsistency(looks)
	do()
}

// Prompt skips a test, on a mesh that is late, that is about what a mesh does
// which knows everything at once: the exact number of calls, for example.
func Prompt(t testing.TB, m Late, why string) {
	t.Helper()
	if m.EventualConsistency() > 0 {
		t.Skipf("only where changes are known at once: %s", why)
	}
}

// Without skips a test that is about the other reading of AWS than the one that is on:
// one in which a call is made, or an account is invited, that the reading does without.
func Without(t testing.TB, m Late, why string, readings func(localmesh.Readings) bool) {
	t.Helper()
	if readings(m.Readings()) {
		t.Skipf("not under readings %s: %s", m.Readings(), why)
	}
}
