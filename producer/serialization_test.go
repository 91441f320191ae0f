package producer_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// One program can make several decisions at once: each counts on what the others left.
func TestDeletionsOfOneProgramAtOnceLeaveNothing(t *testing.T) {
	t.Parallel()
	for round := range 10 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var ids []string
			for _, permissions := range [][]string{{"SELECT"}, {"SELECT", "DESCRIBE"}, {"SELECT", "INSERT"}} {
				id := w.request(t, consumerAccount, []string{"orders"}, permissions...)
				w.approve(t, producer.ApproveInput{RequestID: id})
				ids = append(ids, id)
			}
			var deletions sync.WaitGroup
			for _, id := range ids {
				deletions.Go(func() {
					if err := w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id}); err != nil {
						t.Error(err)
					}
				})
			}
			deletions.Wait()
			w.holds(t, consumerAccount, nil)
			for _, id := range ids {
				if s := w.get(t, id); s.Status != lakemesh.Deleted || s.HistoryFault != nil {
					t.Errorf("%s is %s, %v", id, s.Status, s.HistoryFault)
				}
			}
			if policy := w.bucketPolicy(t); policy != "" {
				t.Errorf("the bucket is open: %s", policy)
			}
		})
	}
}

// A decision that looks for longer than a lease lasts keeps it all the same, and another
// program that decides meanwhile waits.
func TestASlowDecisionKeepsItsLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var ids []string
		for _, permissions := range [][]string{{"SELECT"}, {"SELECT", "DESCRIBE"}} {
			id := w.request(t, consumerAccount, []string{"orders"}, permissions...)
			w.approve(t, producer.ApproveInput{RequestID: id})
			ids = append(ids, id)
		}
		options := w.accounts.Options(producerAccount)
		options.ClaimLease = 3 * time.Second
		var programs []*producer.Producer
		for range ids {
			p, err := producer.New(t.Context(), options)
			if err != nil {
				t.Fatal(err)
			}
			programs = append(programs, p)
		}
		// The decision takes longer than a lease lasts without a renewal.
		w.mesh.SetLatency(300 * time.Millisecond)
		var deletions sync.WaitGroup
		for n, id := range ids {
			deletions.Go(func() {
				for {
					err := programs[n].DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id})
					if errors.Is(err, lakemesh.ErrClaimed) {
						continue
					}
					if err != nil {
						t.Error(err)
					}
					return
				}
			})
		}
		deletions.Wait()
		w.mesh.SetLatency(0)
		w.holds(t, consumerAccount, nil)
	})
}

// A decision that cannot renew its lease stops, and the same one is carried on.
func TestADecisionThatCannotRenewItsLeaseStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
		options := w.accounts.Options(producerAccount)
		options.ClaimLease = 3 * time.Second
		p, err := producer.New(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		// Taking the lease is the first update; all that come after it fail, and the grant
		// is throttled for longer than a lease lasts.
		w.mesh.Fail(localmesh.Fault{Service: "dynamodb", Operation: "UpdateItem", Nth: 2, Times: 1000, Code: "InternalServerError", Status: 500})
		w.mesh.Fail(localmesh.Fault{Service: "lakeformation", Operation: "BatchGrantPermissions", Times: 1000, Code: "ConcurrentModificationException", Status: 400})
		err = p.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
		if !errors.Is(err, lakemesh.ErrClaimed) {
			t.Errorf("got %v, want claimed by another", err)
		}
		w.mesh.ClearFaults()
		w.holds(t, consumerAccount, nil)
		w.approve(t, producer.ApproveInput{RequestID: id})
		w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})
		if s := w.get(t, id); s.Status != lakemesh.Active || s.Claim != nil {
			t.Errorf("it is %s with %v", s.Status, s.Claim)
		}
	})
}

// Nothing is decided by comparing clocks.
func TestProgramsWhoseClocksDifferByAnHourGetAlong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := func(skew time.Duration) *producer.Producer {
		o := w.accounts.Options(producerAccount)
		cfg := w.mesh.Skewed(*o.Config, skew)
		o.Config, o.Now = &cfg, func() time.Time { return time.Now().Add(skew) }
		p, err := producer.New(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	programs := []*producer.Producer{at(time.Hour), at(-time.Hour), w.producer}
	var ids []string
	for _, permissions := range [][]string{{"SELECT"}, {"SELECT", "DESCRIBE"}, {"SELECT", "INSERT"}} {
		ids = append(ids, w.request(t, consumerAccount, []string{"orders"}, permissions...))
	}
	for _, decide := range []func(p *producer.Producer, id string) error{
		func(p *producer.Producer, id string) error {
			return p.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
		},
		func(p *producer.Producer, id string) error {
			return p.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id})
		},
	} {
		var decisions sync.WaitGroup
		for n, id := range ids {
			decisions.Go(func() {
				if err := decide(programs[n], id); err != nil {
					t.Error(err)
				}
			})
		}
		decisions.Wait()
	}
	w.holds(t, consumerAccount, nil)
	for _, id := range ids {
		if s := w.get(t, id); s.Status != lakemesh.Deleted || s.HistoryFault != nil {
			t.Errorf("%s is %s, %v", id, s.Status, s.HistoryFault)
		}
	}
}
