package consumer_test

import (
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// byOwner has the owner carry out what the findings of the consumer's verification say that
// the owner does, and fails if any of them is still there.
func (w *world) byOwner(id string) {
	w.t.Helper()
	ctx := w.t.Context()
	theirs := func(f chain.Finding) bool {
		return f.Repairs == chain.Owner && (strings.HasSuffix(f.Command, " --repair") || strings.Contains(f.Command, " abort "))
	}
	v, err := w.consumer.Verify(ctx, consumer.VerifyInput{})
	w.must(err)
	for _, f := range v.Findings {
		switch {
		case !theirs(f):
		case strings.Contains(f.Command, " abort "):
			w.must(w.producer.AbortDecision(ctx, producer.AbortInput{SubscriptionID: id}))
		default:
			found, err := w.producer.Verify(ctx, producer.VerifyInput{SubscriptionID: id})
			w.must(err)
			if _, err := w.producer.Repair(ctx, found); err != nil {
				w.t.Errorf("%s: %v", f.Command, err)
			}
		}
	}
	if !meshtest.Soon(w.mesh.Mesh, func() bool {
		v, err = w.consumer.Verify(ctx, consumer.VerifyInput{})
		w.must(err)
		return !slices.ContainsFunc(v.Findings, theirs)
	}) {
		w.t.Errorf("after the owner's commands there is still %+v", v.Findings)
	}
}
