package producer_test

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// endingWorld is a world in which the personas' time can be moved on.
type endingWorld struct {
	*world
	ahead atomic.Int64
}

func newEndingWorld(t *testing.T, opts ...localmesh.Option) *endingWorld {
	t.Helper()
	w := &endingWorld{world: newWorld(t, opts...)}
	now := func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }
	o := w.accounts.Options(producerAccount)
	o.Now = now
	var err error
	if w.producer, err = producer.New(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for account := range w.asking {
		o := w.accounts.Options(account)
		o.Now = now
		if w.asking[account], err = consumer.New(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *endingWorld) skip(d time.Duration) { w.ahead.Add(int64(d)) }

// in is a time from now on, in the personas' time, to the second.
func (w *endingWorld) in(d time.Duration) time.Time {
	return time.Now().Add(time.Duration(w.ahead.Load()) + d).UTC().Truncate(time.Second)
}

// until asks for tables with an end.
func (w *endingWorld) until(t *testing.T, until time.Time, tables []string, permissions ...string) string {
	t.Helper()
	out, err := w.asking[consumerAccount].RequestAccessToProduct(t.Context(), consumer.RequestInput{
		OwnerAccountID: producerAccount, DatabaseName: meshDatabase, Tables: tables, RequestPermissions: permissions, Until: until})
	if err != nil {
		t.Fatal(err)
	}
	return out.SubscriptionID
}

func (w *endingWorld) expire(t *testing.T, want ...string) {
	t.Helper()
	out, err := w.producer.ExpireSubscriptions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(out.Subscriptions, ",") != strings.Join(want, ",") {
		t.Errorf("ended %v, want %v", out.Subscriptions, want)
	}
}

func moment(t time.Time) *time.Time { return &t }

const day = 24 * time.Hour

func TestAnEndEndsWhatWasGranted(t *testing.T) {
	t.Parallel()
	w := newEndingWorld(t)
	end := w.in(90 * day)
	id := w.until(t, end, []string{"orders"}, "SELECT")
	if s := w.get(t, id); !s.RequestedUntil.Equal(end) || !s.Until.IsZero() {
		t.Errorf("asked for until %s, recorded %s and %s", end, s.RequestedUntil, s.Until)
	}
	w.approve(t, producer.ApproveInput{RequestID: id})
	if s := w.get(t, id); !s.Until.Equal(end) || s.Over || !s.History[len(s.History)-1].Until.Equal(end) {
		t.Errorf("approved until %s, recorded %+v", end, s)
	}
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})

	w.skip(90*day - time.Hour)
	w.expire(t)
	w.skip(2 * time.Hour)
	if s := w.get(t, id); !s.Over || s.Status != lakemesh.Active {
		t.Errorf("after its end it is %+v", s)
	}
	v, err := w.producer.Verify(t.Context(), producer.VerifyInput{})
	if err != nil {
		t.Fatal(err)
	}
	if !tooMuch(v, id, "orders") {
		t.Errorf("verify does not tell that it is over: %+v", v.Findings)
	}
	todo, err := w.producer.PlanExpireSubscriptions(t.Context())
	if err != nil || todo.Empty() {
		t.Errorf("planned is %v, %v", todo, err)
	}
	w.expire(t, id)
	w.holds(t, consumerAccount, nil)
	if open := w.openPrefixes(t); len(open) > 0 {
		t.Errorf("still open are %v", open)
	}
	if s := w.get(t, id); s.Status != lakemesh.Deleted || s.Over || !strings.Contains(s.Notes[0], lakemesh.FormatTime(end)) {
		t.Errorf("it ended as %+v", s)
	}
	w.expire(t)
}

// tooMuch reports whether a verification finds that a subscription which is over still
// grants a table.
func tooMuch(v *chain.Verification, id, table string) bool {
	for _, f := range v.Findings {
		if f.Kind == chain.TooMuch && strings.Contains(f.Resource, table) && len(f.Subscriptions) == 1 && f.Subscriptions[0] == id {
			return true
		}
	}
	return false
}

// TestWhatIsOverJustifiesNothing has two subscriptions to the same. One is over and not
// yet ended; the other's end takes away what both gave.
func TestWhatIsOverJustifiesNothing(t *testing.T) {
	t.Parallel()
	w := newEndingWorld(t)
	short := w.until(t, w.in(day), []string{"orders", "customers"}, "SELECT")
	long := w.until(t, w.in(9*day), []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: short})
	w.approve(t, producer.ApproveInput{RequestID: long})
	w.skip(2 * day)
	both := map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT", "customers": "SELECT / SELECT"}
	w.holds(t, consumerAccount, both)
	w.end(t, long)
	w.holds(t, consumerAccount, map[string]string{"customers": "SELECT / SELECT"})
	if open := w.openPrefixes(t); strings.Join(open, " ") != "customers/" {
		t.Errorf("open are %v", open)
	}
	w.expire(t, short)
	w.holds(t, consumerAccount, nil)
	if open := w.openPrefixes(t); len(open) > 0 {
		t.Errorf("still open are %v", open)
	}
}

// TestAnEndTakesNothingThatAnotherJustifies ends the shorter of two.
func TestAnEndTakesNothingThatAnotherJustifies(t *testing.T) {
	t.Parallel()
	w := newEndingWorld(t)
	short := w.until(t, w.in(day), nil, "SELECT", "DESCRIBE")
	w.approve(t, producer.ApproveInput{RequestID: short})
	out, err := w.asking[consumerAccount].RequestExtension(t.Context(), consumer.ExtensionInput{SubscriptionID: short, Until: w.in(9 * day)})
	if err != nil {
		t.Fatal(err)
	}
	w.approve(t, producer.ApproveInput{RequestID: out.SubscriptionID})
	held := map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "DESCRIBE, SELECT / DESCRIBE, SELECT", "orders_eu": "DESCRIBE, SELECT / DESCRIBE, SELECT",
		"customers": "DESCRIBE, SELECT / DESCRIBE, SELECT"}
	w.holds(t, consumerAccount, held)
	w.skip(2 * day)
	w.expire(t, short)
	w.holds(t, consumerAccount, held)
	w.skip(8 * day)
	w.expire(t, out.SubscriptionID)
	w.holds(t, consumerAccount, nil)
}

func TestAnEndIsMovedByItsOwner(t *testing.T) {
	t.Parallel()
	w := newEndingWorld(t)
	id := w.until(t, w.in(day), []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id, Until: moment(w.in(5 * day))})
	first := w.in(5 * day)
	update := func(until *time.Time, permissions ...string) error {
		return w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: permissions, Until: until})
	}
	expect := func(end time.Time, err error) {
		t.Helper()
		if s := w.get(t, id); err != nil || s.Until.Sub(end).Abs() > time.Minute || end.IsZero() != s.Until.IsZero() {
			t.Errorf("it ends at %s, want %s, %v", s.Until, end, err)
		}
	}
	expect(first, nil)
	// What is not said stays.
	expect(first, update(nil, "SELECT", "DESCRIBE"))
	expect(w.in(7*day), update(moment(w.in(7*day)), "SELECT"))
	expect(time.Time{}, update(&time.Time{}, "SELECT"))
	w.skip(30 * day)
	w.expire(t)
	if err := update(moment(w.in(-time.Hour)), "SELECT"); !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("an end that has passed is taken: %v", err)
	}
	expect(w.in(2*day), update(moment(w.in(2*day)), "SELECT"))
	w.skip(3 * day)
	// Nobody gets more by being updated without a word about the end.
	if err := update(nil, "SELECT", "INSERT"); !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("what is over is updated: %v", err)
	}
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})
	expect(w.in(2*day), update(moment(w.in(2*day)), "SELECT"))
	w.expire(t)
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})
}

func TestAnEndThatHasPassedIsRefused(t *testing.T) {
	t.Parallel()
	w := newEndingWorld(t)
	_, err := w.asking[consumerAccount].RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: meshDatabase,
		RequestPermissions: []string{"SELECT"}, Until: w.in(-time.Minute)})
	if !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("a request: %v", err)
	}
	id := w.until(t, w.in(day), []string{"orders"}, "SELECT")
	w.skip(2 * day)
	if err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id}); !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("an approval of what has passed: %v", err)
	}
	w.holds(t, consumerAccount, nil)
	w.approve(t, producer.ApproveInput{RequestID: id, Until: moment(w.in(day))})
	w.skip(2 * day)
	if _, err := w.asking[consumerAccount].FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id}); !errors.Is(err, lakemesh.ErrIllegalTransition) {
		t.Errorf("an import of what is over: %v", err)
	}
}

// TestPublishingDoesNotExtendWhatIsOver publishes a table into a database to which a
// subscription is over.
func TestPublishingDoesNotExtendWhatIsOver(t *testing.T) {
	t.Parallel()
	w := newEndingWorld(t)
	id := w.until(t, w.in(day), nil, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	before := w.get(t, id)
	w.skip(2 * day)
	w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV("refunds", "s3://"+bucket+"/refunds/"))
	if _, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase}); err != nil {
		t.Fatal(err)
	}
	if after := w.get(t, id); len(after.History) != len(before.History) {
		t.Errorf("a decision was made on it: %+v", after.History)
	}
	for _, prefix := range w.openPrefixes(t) {
		if strings.Contains(prefix, "refunds") {
			t.Errorf("%s was opened", prefix)
		}
	}
}

// TestAConsumerCannotMoveAnEnd writes other ends into a request, with its own role.
func TestAConsumerCannotMoveAnEnd(t *testing.T) {
	t.Parallel()
	w := newEndingWorld(t)
	end := w.in(day)
	id := w.until(t, end, []string{"orders"}, "SELECT")
	client := dynamodb.NewFromConfig(w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.MeshConsumerRole(consumerAccount))))
	write := func(value types.AttributeValue) {
		t.Helper()
		in := &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.SubscriptionsTable), Key: map[string]types.AttributeValue{"SubscriptionId": &types.AttributeValueMemberS{Value: id}},
			UpdateExpression: aws.String("REMOVE #u"), ExpressionAttributeNames: map[string]string{"#u": "Until"}}
		if value != nil {
			in.UpdateExpression, in.ExpressionAttributeValues = aws.String("SET #u = :u"), map[string]types.AttributeValue{":u": value}
		}
		if _, err := client.UpdateItem(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	values := []types.AttributeValue{nil, &types.AttributeValueMemberS{Value: lakemesh.FormatTime(end.Add(day))}, &types.AttributeValueMemberS{Value: "never"},
		&types.AttributeValueMemberN{Value: "0"}, &types.AttributeValueMemberNULL{Value: true}, &types.AttributeValueMemberS{Value: end.Format(time.RFC3339)}}
	for n, value := range values {
		write(value)
		if err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id}); !errors.Is(err, lakemesh.ErrTampered) {
			t.Errorf("%d: approved, or %v", n, err)
		}
	}
	w.holds(t, consumerAccount, nil)
	write(&types.AttributeValueMemberS{Value: lakemesh.FormatTime(end)})
	w.approve(t, producer.ApproveInput{RequestID: id})
	for n, value := range values {
		write(value)
		if s := w.get(t, id); !s.Until.Equal(end) {
			t.Errorf("%d: it ends at %s now", n, s.Until)
		}
	}
	w.skip(2 * day)
	w.expire(t, id)
	w.holds(t, consumerAccount, nil)
}

// TestADecisionThatGrantsNothingIsPlannedAllTheSame ends what another subscription justifies,
// and moves an end: nothing is revoked or granted, and the plan is not empty.
func TestADecisionThatGrantsNothingIsPlannedAllTheSame(t *testing.T) {
	t.Parallel()
	w := newEndingWorld(t)
	meshtest.Prompt(t, w.mesh, "what was granted before is not granted again")
	short := w.until(t, w.in(day), []string{"orders"}, "SELECT")
	long := w.until(t, w.in(9*day), []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: short})
	recorded := func(todo *plan.Plan, err error) {
		t.Helper()
		if err != nil || len(todo.Steps) != 1 || todo.Steps[0].Kind != plan.Record || !strings.Contains(todo.Steps[0].Summary, "record subscription ") {
			t.Errorf("planned is %v, %v", todo, err)
		}
	}
	recorded(w.producer.PlanApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: long}))
	w.approve(t, producer.ApproveInput{RequestID: long})
	recorded(w.producer.PlanUpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: long, GrantPermissions: []string{"SELECT"}, Until: moment(w.in(8 * day))}))
	w.skip(2 * day)
	recorded(w.producer.PlanExpireSubscriptions(t.Context()))
}

// TestAVerificationOfOneSubscriptionFindsWhatBlocksIt narrows to what is left to IAM, which
// names no subscription.
func TestAVerificationOfOneSubscriptionFindsWhatBlocksIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	allSeen(t, w)
	meshtest.Prompt(t, w.mesh, "what was granted by hand is seen")
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	other := w.request(t, consumerAccount, []string{"customers"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: other})
	w.grantByHand(t, permissions.AllowedByIAM, tableOf("orders"), sel)
	blocked := func(in producer.VerifyInput) bool {
		v, err := w.producer.Verify(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(v.Findings, func(f chain.Finding) bool { return f.Principal == permissions.AllowedByIAM })
	}
	for what, in := range map[string]producer.VerifyInput{"the subscription": {SubscriptionID: id}, "the consumer": {Consumer: consumerAccount}, "the product": {Database: meshDatabase}} {
		if !blocked(in) {
			t.Errorf("a verification of %s does not find it", what)
		}
	}
	if blocked(producer.VerifyInput{SubscriptionID: other}) {
		t.Error("a verification of a subscription to another table finds it")
	}
}

// TestAVerificationOfOneConsumerFindsWhatIsGrantedByHand narrows to an account that has no
// subscription.
func TestAVerificationOfOneConsumerFindsWhatIsGrantedByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	allSeen(t, w)
	meshtest.Prompt(t, w.mesh, "what was granted by hand is seen")
	const stranger = "777777777777"
	w.grantByHand(t, stranger, tableOf("orders"), sel)
	for _, in := range []producer.VerifyInput{{Consumer: stranger}, {Consumer: stranger, Database: meshDatabase}} {
		v, err := w.producer.Verify(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Findings) == 0 || v.Findings[0].Principal != stranger {
			t.Errorf("of %+v it finds %+v", in, v.Findings)
		}
	}
}
