package tracker

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh"
)

func TestOneDecisionOfAnOwnerAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		// Two programs, each with several decisions at once.
		programs := []*Tracker{w.tracker(Options{}), w.tracker(Options{})}
		var mu sync.Mutex
		var at, most, done int
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				program := programs[n%2]
				lease, kept, err := program.Acquire(t.Context(), owner, "subscription "+string(rune('a'+n)), lakemesh.ActionDelete)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				at++
				most = max(most, at)
				mu.Unlock()
				// Longer than a lease lasts without a renewal.
				select {
				case <-time.After(2 * DefaultLease):
				case <-kept.Done():
					t.Errorf("decision %d lost its lease: %v", n, context.Cause(kept))
				}
				mu.Lock()
				at--
				done++
				mu.Unlock()
				if err := lease.Release(kept); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if most != 1 || done != 8 {
			t.Errorf("%d of 8 decisions were made, up to %d at once", done, most)
		}
	})
}

func TestALeaseOfADeadProgramIsTakenOverAfterItsLength(t *testing.T) {
	t.Parallel()
	for name, skew := range map[string]time.Duration{"the same clock": 0, "an hour ahead": time.Hour, "an hour behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				dead := w.tracker(Options{By: "the dead", Now: func() time.Time { return time.Now().Add(skew) }})
				lease, _, err := dead.Acquire(t.Context(), owner, "x", lakemesh.ActionApprove)
				w.must(err)
				// It gives no sign of life any more, and does not give the lease back.
				lease.cancel(nil)
				<-lease.done
				begun := time.Now()
				heir, kept, err := w.tracker(Options{}).Acquire(t.Context(), owner, "x", lakemesh.ActionDelete)
				w.must(err)
				if took := time.Since(begun); took < DefaultLease || took > 2*DefaultLease {
					t.Errorf("it was taken over after %s", took)
				}
				// The dead cannot write any more.
				if err := lease.transact(t.Context(), inDecisions(ledgerKey(owner, subscriber))); err == nil {
					t.Error("a program without the lease wrote")
				}
				w.must(heir.Release(kept))
			})
		})
	}
}

func TestSomebodyAliveOnTheSameSubscriptionIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		lease, kept, err := w.tracker(Options{By: "anna"}).Acquire(t.Context(), owner, "x", lakemesh.ActionApprove)
		w.must(err)
		begun := time.Now()
		_, _, err = w.tracker(Options{}).Acquire(t.Context(), owner, "x", lakemesh.ActionDelete)
		var claimed *lakemesh.ClaimedError
		if !errors.As(err, &claimed) || claimed.Expired || claimed.Claim.By != "anna" || claimed.Claim.Action != lakemesh.ActionApprove {
			t.Errorf("got %v", err)
		}
		if took := time.Since(begun); took > DefaultLease/2 {
			t.Errorf("it took %s", took)
		}
		w.must(lease.Release(kept))
	})
}

func TestWorkStopsWhenTheLeaseCannotBeRenewed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		lease, kept, err := w.tracker(Options{}).Acquire(t.Context(), owner, "x", lakemesh.ActionApprove)
		w.must(err)
		w.mesh.Fail(localmesh.Fault{Service: "dynamodb", Operation: "UpdateItem", Code: "InternalServerError", Status: 500, Times: 1000})
		begun := time.Now()
		<-kept.Done()
		if took := time.Since(begun); took >= DefaultLease || !errors.Is(context.Cause(kept), ErrLeaseLost) {
			t.Errorf("work stopped after %s: %v", took, context.Cause(kept))
		}
		w.mesh.ClearFaults()
		w.must(lease.Release(kept))
	})
}

func TestAHolderThatWasOvertakenCannotRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	slow := w.tracker(Options{By: "slow"})
	r := w.request(w.tracker(Options{}), "", "orders")
	lease, kept, err := slow.Acquire(t.Context(), owner, r.ID, lakemesh.ActionApprove)
	w.must(err)
	held, err := lease.Claim(kept, r, Ledger{}, lakemesh.Claim{Action: lakemesh.ActionApprove, Permissions: r.Requested}, nil, true)
	w.must(err)
	// Somebody else's, by whatever way.
	i := w.item(lakemesh.DecisionsTable, leaseKey(owner))
	i[attrHolder] = str("another")
	w.put(lakemesh.DecisionsTable, i)
	err = held.Finish(kept, Outcome{Status: lakemesh.Active, Permitted: r.Requested})
	if !errors.Is(err, lakemesh.ErrClaimed) {
		t.Errorf("got %v, want claimed by another", err)
	}
	if now := w.get(slow, r.ID); now.Status != lakemesh.Pending || now.Claim == nil {
		t.Errorf("it is %+v", now)
	}
	w.must(lease.Release(kept))
	if i := w.item(lakemesh.DecisionsTable, leaseKey(owner)); text(i, attrHolder) != "another" {
		t.Error("the lease of another was given back")
	}
}

// Whoever looks while another is at work sees a state in between, also if the other ends
// without a record: its lease is given back, or runs out.
func TestALookWhileAnotherIsAtWorkIsNotUndisturbed(t *testing.T) {
	t.Parallel()
	for name, ends := range map[string]func(context.Context, *Lease) error{
		"it gives up": func(ctx context.Context, l *Lease) error { return l.Release(ctx) },
		"it is killed": func(_ context.Context, l *Lease) error {
			l.cancel(errors.New("killed"))
			<-l.done
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				one, other := w.tracker(Options{}), w.tracker(Options{})
				id := w.request(one, "please", "orders").ID
				before, err := other.Load(t.Context(), id)
				w.must(err)
				at, _, err := one.Acquire(t.Context(), owner, "something else", lakemesh.ActionUpdate)
				w.must(err)
				during, err := other.Load(t.Context(), id)
				w.must(err)
				w.must(ends(t.Context(), at))
				after, err := other.Load(t.Context(), id)
				w.must(err)
				lease, kept, err := other.Acquire(t.Context(), owner, id, lakemesh.ActionApprove)
				w.must(err)
				if lease.Undisturbed(before) || lease.Undisturbed(during) {
					t.Errorf("undisturbed since before %t, since it was at work %t", lease.Undisturbed(before), lease.Undisturbed(during))
				}
				if gaveUp := name == "it gives up"; lease.Undisturbed(after) != gaveUp {
					t.Errorf("undisturbed since it had ended: %t", lease.Undisturbed(after))
				}
				w.must(lease.Release(kept))
			})
		})
	}
}
