package adversary_test

import (
	"testing"
	"time"
)

func TestHarnessUndisturbed(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for n, m := range life() {
		if err := m.do(t, s); err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		if err := s.state(party{}); err != nil {
			t.Fatalf("after %s: %v", m.name, err)
		}
		if err := s.lists(party{}); err != nil {
			t.Fatalf("after %s: %v", m.name, err)
		}
		for _, a := range append(adversaries(), party{}) {
			begin := time.Now()
			c, err := s.clone()
			if err != nil {
				t.Fatal(err)
			}
			cloned := time.Since(begin)
			if err := c.finale(a, "", func(c *stage) error { return c.publish(t, theOwner, latestTable) }); err != nil {
				t.Errorf("finale after %s against %s: %v", m.name, a, err)
			}
			t.Logf("%d %s %s: clone %v, finale %v, %d calls", n, m.name, a, cloned, time.Since(begin), c.wire.calls)
		}
	}
}
