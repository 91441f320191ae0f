package lakeformation_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatIsOnlyImpliedDoesNotBackWhatWasHandedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	analyst := w.person(recipient, "Analyst")
	w.must(w.grant(adminOf(owner), recipient, table("orders"), "SELECT DESCRIBE | SELECT DESCRIBE"))
	w.accept(recipient)
	w.must(w.grant(adminOf(recipient), analyst, table("orders"), "SELECT DESCRIBE"))
	// The account may not hand DESCRIBE on any more, nor revoke it: what it had handed
	// on would stay for good.
	w.must(w.revoke(adminOf(owner), recipient, table("orders"), "DESCRIBE"))
	if diff := cmp.Diff([]string{"Analyst:columns/orders/*-:SELECT"}, w.ownRows(analyst)); diff != "" {
		t.Error(diff)
	}
	w.must(w.sees(analyst, "orders"))
	w.must(w.revoke(adminOf(recipient), analyst, table("orders"), "SELECT"))
	w.refused(w.sees(analyst, "orders"), "AccessDeniedException")
}
