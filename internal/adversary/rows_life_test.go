package adversary_test

import (
	"errors"
	"slices"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// unharmed lives the victim's and the honest consumer's lives on a scene that was [lived], and
// attacks before each step; with often also before every call. Whatever the attack
// is, the victim sees everything, decides, narrows, ends and publishes, and nobody
// holds what was not decided.
func (s *scene) unharmed(attack func(), often bool) {
	s.t.Helper()
	if often {
		s.between.do = attack
		defer func() { s.between.do = nil }()
	}
	for _, step := range []struct {
		name string
		do   func(name string)
	}{
		{"list what is pending", s.seesRequests},
		{"list the subscriptions", s.seesSubscriptions},
		{"get a subscription", s.seesOne},
		{"approve", s.approves},
		{"deny", s.denies},
		{"update", s.narrows},
		{"abort", s.aborts},
		{"settle", s.settles},
		{"the honest consumer's actions", s.honestly},
		{"publish again", s.publishes},
		{"delete", s.deletes},
	} {
		attack()
		step.do(step.name)
	}
}

func (s *scene) seesRequests(name string) {
	out, err := s.victim.ListPendingAccessRequests(s.ctx())
	if err != nil {
		s.t.Errorf("%s: %v", name, err)
		return
	}
	for _, want := range []string{"honest pending", "honest mistake"} {
		if !slices.ContainsFunc(out.Subscriptions, func(r producer.PendingRequest) bool { return r.SubscriptionID == s.ids[want] && r.Tampered == "" }) {
			s.t.Errorf("%s: %s is not in %+v", name, want, out.Subscriptions)
		}
	}
	for _, r := range out.Subscriptions {
		if r.OwnerPrincipal != victimAccount {
			s.t.Errorf("%s: another owner's %+v", name, r)
		}
	}
}

func (s *scene) seesSubscriptions(name string) {
	out, err := s.victim.ListSubscriptions(s.ctx(), producer.ListSubscriptionsInput{Status: lakemesh.Active})
	if err != nil {
		s.t.Errorf("%s: %v", name, err)
		return
	}
	want := []string{s.ids["hostile active"], s.ids["honest active"], s.ids["honest leaving"]}
	var got []string
	for _, r := range out.Subscriptions {
		got = append(got, r.ID)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		s.t.Errorf("%s: active are %v, want %v", name, got, want)
	}
	all, err := s.victim.ListSubscriptions(s.ctx(), producer.ListSubscriptionsInput{})
	if err != nil {
		s.t.Errorf("%s: %v", name, err)
		return
	}
	for _, r := range all.Subscriptions {
		if r.Status == lakemesh.Active && !slices.Contains(want, r.ID) {
			s.t.Errorf("%s: among all is %s, which is Active", name, r.ID)
		}
	}
	for _, id := range want {
		if !slices.ContainsFunc(all.Subscriptions, func(r lakemesh.Subscription) bool { return r.ID == id && r.Status == lakemesh.Active }) {
			s.t.Errorf("%s: %s is not among all", name, id)
		}
	}
}

func (s *scene) seesOne(name string) {
	r, err := s.victim.GetSubscription(s.ctx(), s.ids["hostile active"])
	switch {
	case err != nil:
		s.t.Errorf("%s: %v", name, err)
	case r.Status != lakemesh.Active || r.Database != rowProduct || !slices.Equal(r.Tables, []string{rowOrders}) || r.Permitted.String() != "DESCRIBE, SELECT":
		s.t.Errorf("%s: %s of %s on %s.%v", name, r.Status, r.Permitted, r.Database, r.Tables)
	}
}

// halfDone is what the hostile consumer holds in one that was [lived].
func halfDone() map[string]string {
	return map[string]string{rowOrders: "DESCRIBE, SELECT", rowOrdersEU: "SELECT"}
}

func (s *scene) approves(name string) {
	s.check(name+" the honest consumer's request", s.approve(s.ids["honest pending"]))
	s.check(name+" for the honest consumer to import", s.finalize(s.honest, s.ids["honest pending"]))
	s.reads(name, honestAccount, rowOrders, rowCustomers)
	// The hostile consumer's is approved as it was made, or not at all.
	id, want := s.ids["hostile pending"], halfDone()
	switch err := s.approve(id); {
	case err == nil:
		want[rowCustomers] = "DESCRIBE"
		s.holds(name, hostileAccount, want)
		s.check(name+" and end it", s.end(id))
		delete(want, rowCustomers)
	case !errors.Is(err, lakemesh.ErrTampered) && !errors.Is(err, lakemesh.ErrIllegalTransition) && !errors.Is(err, lakemesh.ErrNotFound):
		s.t.Errorf("%s: %v", name, err)
	}
	s.holds(name, hostileAccount, want)
}

func (s *scene) denies(name string) {
	s.check(name+" the honest consumer's request", s.victim.DenyAccessRequest(s.ctx(), producer.DenyInput{RequestID: s.ids["honest mistake"], DecisionNotes: "no"}))
	// The hostile consumer's may be ended, or taken back by it.
	id := s.ids["hostile pending"]
	if err := s.victim.DenyAccessRequest(s.ctx(), producer.DenyInput{RequestID: id}); err != nil && !errors.Is(err, lakemesh.ErrIllegalTransition) {
		s.t.Errorf("%s: %v", name, err)
	}
	if r, err := s.victim.GetSubscription(s.ctx(), id); err != nil || r.Status != lakemesh.Denied && r.Status != lakemesh.Deleted {
		s.t.Errorf("%s: it is %+v, %v", name, r, err)
	}
}

func (s *scene) narrows(name string) {
	id := s.ids["hostile active"]
	want := halfDone()
	want[rowOrders] = "DESCRIBE"
	s.check(name, s.update(id, "DESCRIBE"))
	s.holds(name, hostileAccount, want)
	s.refused(name, hostileAccount, rowOrders)
	s.reads(name, honestAccount, rowOrders)
}

func (s *scene) aborts(name string) {
	s.check(name, s.victim.AbortDecision(s.ctx(), producer.AbortInput{SubscriptionID: s.ids["hostile half"], Reason: "no"}))
	s.holds(name, hostileAccount, map[string]string{rowOrders: "DESCRIBE"})
}

func (s *scene) settles(name string) {
	out, err := s.victim.SettleDepartures(s.ctx())
	s.check(name, err)
	if out != nil && !slices.Contains(out.Subscriptions, s.ids["honest leaving"]) {
		s.t.Errorf("%s: settled %v", name, out.Subscriptions)
	}
	s.holds(name, honestAccount, map[string]string{rowOrders: "DESCRIBE, SELECT", rowCustomers: "SELECT"})
}

// honestly does what a consumer does.
func (s *scene) honestly(name string) {
	out, err := s.honest.ListProductAccess(s.ctx(), consumer.ListInput{Statuses: consumer.AllStatuses()})
	s.check(name+": list", err)
	if out != nil {
		want := []string{s.ids["honest active"], s.ids["honest pending"], s.ids["honest mistake"], s.ids["honest leaving"]}
		var got []string
		for _, r := range out.Subscriptions {
			switch {
			case r.Owner == victimAccount:
				got = append(got, r.ID)
			case r.Tampered == "":
				s.t.Errorf("%s: it lists %s of account %s as a good one: %s on %s", name, r.ID, r.Owner, r.Status, r.Database)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			s.t.Errorf("%s: it lists %v of the victim, want %v", name, got, want)
		}
	}
	s.check(name+": import again", s.finalize(s.honest, s.ids["honest active"]))
	id := s.ask(s.honest, []string{rowOrdersEU}, "DESCRIBE")
	s.check(name+": cancel", s.honest.CancelAccessRequest(s.ctx(), consumer.CancelInput{SubscriptionID: id}))
	s.check(name+": leave", s.honest.DeleteSubscription(s.ctx(), consumer.LeaveInput{SubscriptionID: s.ids["honest pending"]}))
	s.refused(name, honestAccount, rowCustomers)
	s.reads(name, honestAccount, rowOrders)
}

func (s *scene) publishes(name string) {
	s.Table(victimAccount, rowSource, meshtest.CSV("returns", "s3://"+rowBucket+"/returns/"))
	s.check(name, s.publish(s.victim, ""))
	s.check(name+": the rival", s.publish(s.rival, ""))
	s.holds(name, hostileAccount, map[string]string{rowOrders: "DESCRIBE"})
	s.reads(name, honestAccount, rowOrders)
}

func (s *scene) deletes(name string) {
	id := s.ids["hostile active"]
	s.check(name, s.end(id))
	s.holds(name, hostileAccount, nil)
	s.refused(name, hostileAccount, rowOrders, rowOrdersEU, rowCustomers)
	s.reads(name, honestAccount, rowOrders)
	if r, err := s.victim.GetSubscription(s.ctx(), id); err != nil || r.Status != lakemesh.Deleted {
		s.t.Errorf("%s: it is %+v, %v", name, r, err)
	}
}
