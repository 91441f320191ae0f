package acceptance_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// late runs a test on meshes on which everything is known late, each with another
// course of it, and once on one that knows everything at once. Time in the test is
// not real, so that waiting costs none.
func late(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	const courses = 4
	for course := range courses {
		synctest.Test(t, func(t *testing.T) {
			test(t, newWorld(t, localmesh.WithEventualConsistency(2*course), localmesh.WithSeed(uint64(course)+1)))
		})
	}
}

// soon looks until something holds, as somebody does who knows that AWS may be late:
// for at most 100 seconds, which are simulated.
func (w *world) soon(what string, holds func() bool) {
	w.t.Helper()
	for range 100 {
		if holds() {
			return
		}
		time.Sleep(time.Second)
	}
	w.t.Errorf("%s: not after many looks", what)
}

func (w *world) soonReads(principal, table string) {
	w.t.Helper()
	w.soon(principal+" reads "+table, func() bool {
		rows, err := w.read(principal, table)
		return err == nil && rows == rowsOf(table)
	})
}

func (w *world) soonRefused(principal, table string) {
	w.t.Helper()
	w.soon(principal+" is refused "+table, func() bool { _, err := w.read(principal, table); return err != nil })
}

// The whole life of a product, each command right after the one before.
func TestTheWholeLifeWhenAWSIsLate(t *testing.T) {
	late(t, func(t *testing.T, w *world) {
		one := w.request([]string{orders}, "SELECT", "DESCRIBE")
		w.soonRefused(self(), orders)
		w.approve(one)
		if out := w.finalize(one); len(out.AcceptedShares) == 0 && !w.Readings().SharingNeedsNoInvitation {
			t.Error("the import does not tell which shares it accepted")
		}
		w.soonReads(self(), orders)
		w.soonRefused(self(), customers)

		// Another subscription goes through shares that there are.
		two := w.active(customers)
		w.soonReads(self(), customers)
		w.update(one, "SELECT", "DESCRIBE", "INSERT")
		w.finalize(one)
		w.soonReads(self(), orders)

		// An account that comes later waits for nobody.
		w.AddConsumer(otherConsumer)
		w.soon("the request of another account", func() bool {
			out, err := w.producer.ListPendingAccessRequests(t.Context())
			w.must(err)
			return len(out.Subscriptions) == 0
		})
		other := w.openConsumer(otherConsumer)
		three := w.requestAs(other, []string{orders}, "SELECT", "DESCRIBE")
		w.approve(three)
		_, err := other.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: three})
		w.must(err)
		w.soonReads(lakemesh.RoleARN(otherConsumer, lakemesh.ConsumerRole), orders)

		w.end(one)
		w.soonRefused(self(), orders)
		w.soonReads(lakemesh.RoleARN(otherConsumer, lakemesh.ConsumerRole), orders)
		w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: two, Reason: "done"}))
		w.soonRefused(self(), customers)
		w.soon("the departure to be settled", func() bool {
			_, err := w.producer.SettleDepartures(t.Context())
			w.must(err)
			return w.get(two).Status == lakemesh.Deleted
		})
		w.end(three)
		if got := w.grants(consumerAccount); len(got) > 0 {
			t.Errorf("account %s still holds %v", consumerAccount, got)
		}
	})
}

// What one subscription justifies is not taken with another, although the index of
// subscriptions does not show it yet.
func TestLeavingWhenTheIndexIsLate(t *testing.T) {
	late(t, func(t *testing.T, w *world) {
		one, two := w.active(orders, customers), w.active(orders)
		w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: one, Reason: "done"}))
		w.soonReads(self(), orders)
		w.soonRefused(self(), customers)
		w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: two, Reason: "done"}))
		w.soonRefused(self(), orders)
		w.leaves(producerAccount, hasLeft(one, consumerAccount), hasLeft(two, consumerAccount))
	})
}

// A subscription to a whole database covers what is published right after it was
// approved.
func TestExtendingWhenTheIndexIsLate(t *testing.T) {
	late(t, func(t *testing.T, w *world) {
		id := w.request(nil, "SELECT", "DESCRIBE")
		w.approve(id)
		w.Table(producerAccount, source, meshtest.CSV("returns", location("returns")))
		w.Put(producerAccount, bucket, "returns/rows.csv", rowsOf("returns"))
		w.publish(w.producer, source)
		// Where tables of other accounts are listed late an import may miss the newest one; the
		// next import hands it on.
		w.inTheEnd(func() bool {
			w.finalize(id)
			rows, err := w.read(self(), "returns")
			return err == nil && rows == rowsOf("returns")
		})
		w.soonReads(self(), "returns")
	})
}

// What another consumer needs of a folder stays open.
func TestClosingAFolderWhenTheIndexIsLate(t *testing.T) {
	late(t, func(t *testing.T, w *world) {
		// The same folder in a second product.
		w.Database(producerAccount, "copies")
		w.Table(producerAccount, "copies", meshtest.CSV(orders, location(orders)))
		_, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: "copies"})
		w.must(err)
		one := w.active(orders)
		out, err := w.consumer.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount,
			DatabaseName: "copies-" + producerAccount, Tables: []string{orders}, RequestPermissions: []string{"SELECT", "DESCRIBE"}})
		w.must(err)
		w.approve(out.SubscriptionID)
		w.end(one)
		if open := w.open(); !slices.Contains(open, orders+"/") {
			t.Errorf("open are %v, although another subscription needs %s", open, orders)
		}
	})
}

// Asking twice is asking once, although the index does not show the first request yet.
func TestAskingTwiceWhenTheIndexIsLate(t *testing.T) {
	late(t, func(t *testing.T, w *world) {
		first := w.request([]string{orders}, "SELECT", "DESCRIBE")
		if again := w.request([]string{orders}, "SELECT", "DESCRIBE"); again != first {
			t.Errorf("asked twice: %s and %s", first, again)
		}
		if other := w.request([]string{orders}, "DESCRIBE"); other == first {
			t.Error("another request is the same")
		}
		w.must(w.consumer.CancelAccessRequest(t.Context(), consumer.CancelInput{SubscriptionID: first}))
		seen := map[string]bool{first: true}
		for i := range 3 {
			next := w.request([]string{orders}, "SELECT", "DESCRIBE")
			if seen[next] {
				t.Errorf("request %d after one that was cancelled is %s again", i, next)
			}
			seen[next] = true
			w.must(w.consumer.CancelAccessRequest(t.Context(), consumer.CancelInput{SubscriptionID: next, Reason: fmt.Sprint(i)}))
		}
	})
}
