package acceptance_test

import (
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/meshtest"
)

// Whoever asks again and again does not choose when an account is disabled.
func TestRequestsKeepNoAccountFromBeingDisabled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request(nil, "SELECT", "DESCRIBE")
	cfg := w.Config(meshtest.Administrator(meshAccount))
	o := w.Options(meshAccount)
	o.Config = &cfg
	m, err := admin.New(w.ctx(), o)
	w.must(err)
	out, err := m.DisableAccount(w.ctx(), admin.DisableInput{AccountID: consumerAccount, Type: admin.Consumer})
	w.must(err)
	if !strings.Contains(strings.Join(out.Warnings, "\n"), id) {
		t.Errorf("nothing is said of request %s: %q", id, out.Warnings)
	}
	// It has no roles any more to look with.
	delete(w.consumers, consumerAccount)
	if _, err := w.openProducer(producerAccount).ListPendingAccessRequests(w.ctx()); err != nil {
		t.Errorf("the owner lists its requests: %v", err)
	}
}
