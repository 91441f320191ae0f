package consumer_test

import (
	"testing"

	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
)

func TestPlansTellWhatIsDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	meshtest.Without(t, w.mesh.Mesh, "nobody is invited", func(r localmesh.Readings) bool { return r.SharingNeedsNoInvitation })
	one, all := w.request("orders"), w.request()
	w.approve(one)
	w.approve(all)
	w.mesh.ResetCounts()
	cases := []struct {
		id   string
		want map[plan.Kind]int
	}{
		{one, map[plan.Kind]int{plan.AcceptShare: 2, plan.AwaitShare: 1, plan.CreateLink: 1, plan.Grant: 4, plan.Record: 1}},
		{all, map[plan.Kind]int{plan.AcceptShare: 2, plan.AwaitShare: 1, plan.CreateLink: 1, plan.Grant: 1, plan.Record: 1}},
	}
	for _, c := range cases {
		p, err := meshtest.Known(w.mesh.Mesh, func() (*plan.Plan, error) {
			return w.consumer.PlanFinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: c.id})
		})
		w.must(err)
		total := 0
		for kind, n := range c.want {
			if p.Count(kind) != n {
				t.Errorf("%d steps of kind %s; want %d", p.Count(kind), kind, n)
			}
			total += n
		}
		if len(p.Steps) != total {
			t.Errorf("%d steps; want %d:\n%s", len(p.Steps), total, p)
		}
	}
	if wrote := w.mesh.Writes(); len(wrote) > 0 {
		t.Errorf("plans wrote %v", wrote)
	}
	w.finalize(all)
	for _, table := range productTables() {
		w.reads(self(), table)
	}
	w.finalize(one)
	p, err := w.consumer.PlanDeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: one})
	w.must(err)
	if len(p.Steps) != 1 || p.Count(plan.Record) != 1 {
		t.Errorf("leaving what another subscription justifies:\n%s", p)
	}
	p, err = w.consumer.PlanDeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: all})
	w.must(err)
	if p.Count(plan.Revoke) != 4 || p.Count(plan.DeleteLink) != 0 || p.Count(plan.Record) != 1 {
		t.Errorf("leaving the whole database but one table:\n%s", p)
	}
}
