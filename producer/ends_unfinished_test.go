package producer_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// unrecorded leaves a decision claimed and carried out, and not recorded.
func (w *endingWorld) unrecorded(t *testing.T, decide func() error) {
	t.Helper()
	// The first transaction is the claim.
	w.accounts.Fail(localmesh.Fault{Service: "dynamodb", Operation: "TransactWriteItems", Nth: 2, Code: "AccessDeniedException", Status: 400})
	err := decide()
	if err == nil {
		t.Fatal("the decision was recorded")
	}
}

// A decision that was left unfinished, and whose end has passed, gives nothing any more once
// the owner has what is over ended; nobody has to carry it on or take it back first.
func TestWhatWasLeftUnfinishedEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		begin  func(t *testing.T, w *endingWorld) string
		status lakemesh.Status
	}{
		"an approval": {func(t *testing.T, w *endingWorld) string {
			id := w.until(t, w.in(day), []string{"orders"}, "SELECT")
			w.unrecorded(t, func() error {
				return w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
			})
			return id
		}, lakemesh.Pending},
		"an approval that was taken back": {func(t *testing.T, w *endingWorld) string {
			id := w.until(t, w.in(day), []string{"orders"}, "SELECT")
			w.unrecorded(t, func() error {
				return w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
			})
			w.accounts.Fail(localmesh.Fault{Service: "lakeformation", Operation: "BatchRevokePermissions", Code: "AccessDeniedException", Status: 400})
			if err := w.producer.AbortDecision(t.Context(), producer.AbortInput{SubscriptionID: id}); err == nil {
				t.Fatal("it was taken back")
			}
			return id
		}, lakemesh.Pending},
		"an update to a nearer end": {func(t *testing.T, w *endingWorld) string {
			id := w.until(t, w.in(9*day), []string{"orders"}, "SELECT")
			w.approve(t, producer.ApproveInput{RequestID: id})
			w.unrecorded(t, func() error {
				return w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT"}, Until: moment(w.in(day))})
			})
			return id
		}, lakemesh.Deleted},
		"an update before its end": {func(t *testing.T, w *endingWorld) string {
			id := w.until(t, w.in(day), []string{"orders"}, "SELECT")
			w.approve(t, producer.ApproveInput{RequestID: id})
			w.unrecorded(t, func() error {
				return w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT", "INSERT"}})
			})
			return id
		}, lakemesh.Deleted},
		"an update that was taken back": {func(t *testing.T, w *endingWorld) string {
			id := w.until(t, w.in(day), []string{"orders"}, "SELECT")
			w.approve(t, producer.ApproveInput{RequestID: id})
			w.unrecorded(t, func() error {
				return w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT", "INSERT"}})
			})
			w.unrecorded(t, func() error { return w.producer.AbortDecision(t.Context(), producer.AbortInput{SubscriptionID: id}) })
			return id
		}, lakemesh.Deleted},
		"a deletion": {func(t *testing.T, w *endingWorld) string {
			id := w.until(t, w.in(day), []string{"orders"}, "SELECT")
			w.approve(t, producer.ApproveInput{RequestID: id})
			w.skip(2 * day)
			w.unrecorded(t, func() error {
				return w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id})
			})
			return id
		}, lakemesh.Deleted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newEndingWorld(t)
			id := c.begin(t, w)
			w.skip(2 * day)
			todo, err := w.producer.PlanExpireSubscriptions(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if todo.Empty() && name != "a deletion" {
				t.Error("nothing is planned")
			}
			w.expire(t, id)
			w.holds(t, consumerAccount, nil)
			if open := w.openPrefixes(t); len(open) > 0 {
				t.Errorf("still open are %v", open)
			}
			if s := w.get(t, id); s.Status != c.status || s.Claim != nil {
				t.Errorf("it is %s, claimed by %v", s.Status, s.Claim)
			}
			w.expire(t)
		})
	}
}

// Whoever moves an end, and is stopped half way, has decided that it is a later one: what is
// to go on is not ended instead.
func TestAnEndThatIsBeingMovedIsNotCarriedOut(t *testing.T) {
	t.Parallel()
	w := newEndingWorld(t)
	id := w.until(t, w.in(day), []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	in := producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT"}, Until: moment(w.in(9 * day))}
	w.unrecorded(t, func() error { return w.producer.UpdateSubscriptionPermissions(t.Context(), in) })
	w.skip(2 * day)
	if out, err := w.producer.ExpireSubscriptions(t.Context()); !errors.Is(err, lakemesh.ErrClaimed) || len(out.Subscriptions) > 0 {
		t.Errorf("ended %v, %v", out, err)
	}
	if err := w.producer.UpdateSubscriptionPermissions(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	w.expire(t)
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})
}

// More time is asked for what was given, also where that was less than was asked for.
func TestAnExtensionAsksForWhatWasGiven(t *testing.T) {
	t.Parallel()
	w := newEndingWorld(t)
	extend := func(id string) (*consumer.RequestOutput, error) {
		return w.asking[consumerAccount].RequestExtension(t.Context(), consumer.ExtensionInput{SubscriptionID: id, Until: w.in(30 * day)})
	}
	id := w.until(t, w.in(day), []string{"orders"}, "SELECT", "INSERT", "ALTER")
	w.approve(t, producer.ApproveInput{RequestID: id, GrantPermissions: []string{"SELECT"}})
	w.skip(2 * day)
	w.expire(t, id)
	out, err := extend(id)
	if err != nil {
		t.Fatal(err)
	}
	if s := w.get(t, out.SubscriptionID); strings.Join(s.Requested.Strings(), ",") != "SELECT" {
		t.Errorf("it asks for %s", s.Requested)
	}
	never := w.until(t, w.in(day), []string{"customers"}, "SELECT")
	if err := w.asking[consumerAccount].CancelAccessRequest(t.Context(), consumer.CancelInput{SubscriptionID: never}); err != nil {
		t.Fatal(err)
	}
	if _, err := extend(never); !errors.Is(err, lakemesh.ErrIllegalTransition) {
		t.Errorf("of what was never granted more time is asked for: %v", err)
	}
}

// What a consumer has left does not get more time.
func TestWhatWasLeftGetsNoMoreTime(t *testing.T) {
	t.Parallel()
	w := newEndingWorld(t)
	id := w.until(t, w.in(day), []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	if err := w.asking[consumerAccount].DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id}); err != nil {
		t.Fatal(err)
	}
	for _, until := range []time.Time{{}, w.in(9 * day)} {
		err := w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT"}, Until: &until})
		if !errors.Is(err, lakemesh.ErrIllegalTransition) {
			t.Errorf("until %s: %v", until, err)
		}
	}
	if err := w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT"}, Until: moment(w.in(day / 2))}); err != nil {
		t.Errorf("a nearer end: %v", err)
	}
	w.skip(2 * day)
	out, err := w.producer.SettleDepartures(t.Context())
	if err != nil || len(out.Subscriptions) != 1 {
		t.Errorf("settled %v, %v", out, err)
	}
	w.expire(t)
	w.holds(t, consumerAccount, nil)
}

// Grants of what is over and not yet ended are not what somebody made by hand: taking
// grants over makes no subscription without an end of them.
func TestWhatIsOverIsNotTakenOver(t *testing.T) {
	t.Parallel()
	w := newEndingWorld(t)
	id := w.until(t, w.in(day), []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	half := w.until(t, w.in(day), []string{"customers"}, "SELECT")
	w.unrecorded(t, func() error {
		return w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: half})
	})
	w.skip(2 * day)
	out, err := w.producer.AdoptGrants(t.Context(), producer.AdoptGrantsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Adopted) > 0 {
		t.Errorf("taken over: %+v", out.Adopted)
	}
	if out, err := w.producer.ExpireSubscriptions(t.Context()); err != nil || len(out.Subscriptions) != 2 {
		t.Errorf("ended %v, %v", out, err)
	}
	w.holds(t, consumerAccount, nil)
}
