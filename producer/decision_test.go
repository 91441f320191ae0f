package producer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

func TestApprovalGrantsExactlyWhatWasDecided(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		requested, granted, grantable []string
		want                          string
	}{
		"all that was requested, grantable": {[]string{"SELECT", "DESCRIBE"}, nil, nil, "DESCRIBE, SELECT / DESCRIBE, SELECT"},
		"less than requested":               {[]string{"SELECT", "INSERT"}, []string{"SELECT"}, nil, "SELECT / SELECT"},
		"more than requested":               {[]string{"SELECT"}, []string{"SELECT", "INSERT"}, nil, "INSERT, SELECT / INSERT, SELECT"},
		"part of it grantable":              {[]string{"SELECT", "DESCRIBE"}, nil, []string{"SELECT"}, "DESCRIBE, SELECT / SELECT"},
		"none of it grantable":              {[]string{"SELECT", "DESCRIBE"}, nil, []string{}, "DESCRIBE, SELECT / "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.request(t, consumerAccount, []string{"orders"}, test.requested...)
			w.approve(t, producer.ApproveInput{RequestID: id, GrantPermissions: test.granted, GrantablePermissions: test.grantable})
			database := "DESCRIBE / DESCRIBE"
			if strings.HasSuffix(test.want, "/ ") {
				database = "DESCRIBE / "
			}
			w.holds(t, consumerAccount, map[string]string{"database": database, "orders": test.want})
			s := w.get(t, id)
			if s.Status != lakemesh.Active || s.Claim != nil || s.Tampered != "" {
				t.Errorf("the record is %s, claim %v, tampered %q", s.Status, s.Claim, s.Tampered)
			}
			if got := s.Permitted.String() + " / " + s.Grantable.String(); got != test.want {
				t.Errorf("the record says %q, want %q", got, test.want)
			}
			if len(s.TableARNs) != 1 || len(s.RAMShares) == 0 {
				t.Errorf("the record names tables %v and shares %v", s.TableARNs, s.RAMShares)
			}
		})
	}
}

func TestADenialGrantsNothingAndStoresNoPermittedGrants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	if err := w.producer.DenyAccessRequest(t.Context(), producer.DenyInput{RequestID: id, DecisionNotes: "not this quarter"}); err != nil {
		t.Fatal(err)
	}
	w.holds(t, consumerAccount, nil)
	s := w.get(t, id)
	if s.Status != lakemesh.Denied || s.Permitted != nil || s.Grantable != nil {
		t.Errorf("the record is %+v", s)
	}
	if !slices.Contains(s.Notes, "not this quarter") {
		t.Errorf("the notes are %v", s.Notes)
	}
	w.pending(t)
}

func TestEveryIllegalTransitionIsATypedErrorThatNamesTheState(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bring := map[lakemesh.Status]func(id string){
		lakemesh.Pending: func(string) {},
		lakemesh.Active:  func(id string) { w.approve(t, producer.ApproveInput{RequestID: id}) },
		lakemesh.Denied: func(id string) {
			if err := w.producer.DenyAccessRequest(t.Context(), producer.DenyInput{RequestID: id}); err != nil {
				t.Fatal(err)
			}
		},
		lakemesh.Deleted: func(id string) {
			w.approve(t, producer.ApproveInput{RequestID: id})
			if err := w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id}); err != nil {
				t.Fatal(err)
			}
		},
	}
	actions := map[lakemesh.Action]func(id string) error{
		lakemesh.ActionApprove: func(id string) error {
			return w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
		},
		lakemesh.ActionDeny: func(id string) error {
			return w.producer.DenyAccessRequest(t.Context(), producer.DenyInput{RequestID: id})
		},
		lakemesh.ActionUpdate: func(id string) error {
			return w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"DESCRIBE"}})
		},
		lakemesh.ActionDelete: func(id string) error {
			return w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id})
		},
	}
	for state, there := range bring {
		for action, do := range actions {
			// Each pair has a request of its own; what it asks for tells them apart.
			id := w.request(t, consumerAccount, []string{"customers"}, "SELECT")
			there(id)
			err := do(id)
			if slices.Contains(action.LegalFrom(), state) {
				if err != nil {
					t.Errorf("%s from %s: %v", action, state, err)
				}
			} else {
				var illegal *lakemesh.TransitionError
				if !errors.As(err, &illegal) || illegal.Found != state || !errors.Is(err, lakemesh.ErrIllegalTransition) {
					t.Errorf("%s from %s: %v, want an illegal transition that names %s", action, state, err, state)
				}
			}
			w.end(t, id)
		}
	}
	w.holds(t, consumerAccount, nil)
}

func TestDeletingOneOfTwoSubscriptionsKeepsWhatTheOtherJustifies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.request(t, consumerAccount, []string{"orders", "customers"}, "SELECT", "INSERT")
	w.approve(t, producer.ApproveInput{RequestID: first})
	second := w.request(t, consumerAccount, []string{"orders"}, "SELECT", "DESCRIBE")
	w.approve(t, producer.ApproveInput{RequestID: second, GrantablePermissions: []string{}})
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE",
		"orders": "DESCRIBE, INSERT, SELECT / INSERT, SELECT", "customers": "INSERT, SELECT / INSERT, SELECT"})
	if err := w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: first, Reason: "over"}); err != nil {
		t.Fatal(err)
	}
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / ", "orders": "DESCRIBE, SELECT / "})
	if got := w.openPrefixes(t); !slices.Equal(got, []string{"orders/"}) {
		t.Errorf("open prefixes %v, want that of orders only", got)
	}
	if err := w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: second}); err != nil {
		t.Fatal(err)
	}
	w.holds(t, consumerAccount, nil)
	if got := w.openPrefixes(t); len(got) != 0 {
		t.Errorf("open prefixes %v, want none", got)
	}
}

func TestTwoConsumersOfOneTableDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	other := w.request(t, otherConsumer, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: one})
	w.approve(t, producer.ApproveInput{RequestID: other})
	if err := w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: one}); err != nil {
		t.Fatal(err)
	}
	w.holds(t, consumerAccount, nil)
	w.holds(t, otherConsumer, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})
	if got := w.openPrefixes(t); !slices.Equal(got, []string{"orders/"}) {
		t.Errorf("open prefixes %v, want orders, which the other consumer still reads", got)
	}
}

func TestAnUpdateGrantsWhatIsMissingAndRevokesTheRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT", "INSERT")
	w.approve(t, producer.ApproveInput{RequestID: id, DecisionNotes: "yes"})
	update := func(permissions ...string) {
		t.Helper()
		err := w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: permissions, Notes: strings.Join(permissions, "+")})
		if err != nil {
			t.Fatal(err)
		}
	}
	update("SELECT", "DESCRIBE")
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "DESCRIBE, SELECT / DESCRIBE, SELECT"})
	update("DESCRIBE")
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "DESCRIBE / DESCRIBE"})
	if got := w.openPrefixes(t); len(got) != 0 {
		t.Errorf("open prefixes %v, want none: DESCRIBE reads no data", got)
	}
	update("SELECT")
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})
	if got := w.openPrefixes(t); !slices.Equal(got, []string{"orders/"}) {
		t.Errorf("open prefixes %v, want orders", got)
	}
	s := w.get(t, id)
	var actions []string
	for _, e := range s.History {
		actions = append(actions, fmt.Sprintf("%s %s %s", e.Action, e.Permissions, e.Reason))
	}
	want := []string{"request INSERT, SELECT ", "approve INSERT, SELECT yes", "update DESCRIBE, SELECT SELECT+DESCRIBE", "update DESCRIBE DESCRIBE", "update SELECT SELECT"}
	if diff := cmp.Diff(want, actions); diff != "" {
		t.Errorf("history: %s", diff)
	}
}

func TestAnUpdateToWhatHoldsWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	w.mesh.ResetCounts()
	if err := w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT"}}); err != nil {
		t.Fatal(err)
	}
	if wrote := writes(w.mesh); len(wrote) > 0 {
		t.Errorf("wrote %v", wrote)
	}
}

func TestAWholeDatabaseSubscriptionCoversAllTablesAndEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request(t, consumerAccount, nil, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE",
		"customers": "SELECT / SELECT", "orders": "SELECT / SELECT", "orders_eu": "SELECT / SELECT"})
	if got := w.openPrefixes(t); !slices.Equal(got, []string{"customers/", "orders/", "orders_eu/"}) {
		t.Errorf("open prefixes %v, want all tables'", got)
	}
	single := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: single})
	if err := w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id}); err != nil {
		t.Fatal(err)
	}
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})
	if got := w.openPrefixes(t); !slices.Equal(got, []string{"orders/"}) {
		t.Errorf("open prefixes %v, want that of orders", got)
	}
}

func TestPublishingAnotherTableExtendsWholeDatabaseSubscriptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	whole := w.request(t, consumerAccount, nil, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: whole})
	w.approve(t, producer.ApproveInput{RequestID: w.request(t, otherConsumer, []string{"orders"}, "SELECT")})
	w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV("returns", "s3://"+bucket+"/returns/"))
	again := producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase}
	p, err := w.producer.PlanCreateDataProducts(t.Context(), again)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.String(), "extend the subscription of account "+consumerAccount) {
		t.Errorf("the plan does not tell of the extension:\n%s", p)
	}
	if _, err := w.producer.CreateDataProducts(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE",
		"customers": "SELECT / SELECT", "orders": "SELECT / SELECT", "orders_eu": "SELECT / SELECT", "returns": "SELECT / SELECT"})
	w.holds(t, otherConsumer, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})
	if got := w.openPrefixes(t); !slices.Contains(got, "returns/") {
		t.Errorf("open prefixes %v, want that of the new table, too", got)
	}
	w.mesh.ResetCounts()
	if _, err := w.producer.CreateDataProducts(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	if wrote := writes(w.mesh); len(wrote) > 0 {
		t.Errorf("publishing once more wrote %v", wrote)
	}
}

func TestAWholeDatabaseIsOneGrantWhereTheRoleMayGrantIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := lakeformation.NewFromConfig(w.manager()).GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{
		Principal:                  &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)))},
		Resource:                   &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(meshDatabase), TableWildcard: &lftypes.TableWildcard{}}},
		Permissions:                []lftypes.Permission{lftypes.PermissionSelect, lftypes.PermissionDescribe},
		PermissionsWithGrantOption: []lftypes.Permission{lftypes.PermissionSelect, lftypes.PermissionDescribe},
	})
	if err != nil {
		t.Fatal(err)
	}
	id := w.request(t, consumerAccount, nil, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "*": "SELECT / SELECT"})
	if got := w.openPrefixes(t); !slices.Equal(got, []string{"customers/", "orders/", "orders_eu/"}) {
		t.Errorf("open prefixes %v, want all tables'", got)
	}
	if err := w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id}); err != nil {
		t.Fatal(err)
	}
	w.holds(t, consumerAccount, nil)
	if got := w.openPrefixes(t); len(got) != 0 {
		t.Errorf("open prefixes %v", got)
	}
}

func TestAPlanChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT", "DESCRIBE")
	w.mesh.ResetCounts()
	p, err := w.producer.PlanApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
	if err != nil {
		t.Fatal(err)
	}
	if wrote := writes(w.mesh); len(wrote) > 0 {
		t.Errorf("a plan wrote %v", wrote)
	}
	if p.Count(plan.Grant) != 3 || p.Count(plan.OpenBucket) != 1 {
		t.Errorf("the plan is\n%s", p)
	}
	w.approve(t, producer.ApproveInput{RequestID: id})
	if p, err = w.producer.PlanDeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id}); err != nil {
		t.Fatal(err)
	}
	if p.Count(plan.Revoke) != 3 || p.Count(plan.CloseBucket) != 1 {
		t.Errorf("the plan is\n%s", p)
	}
}

func TestBadDecisionsAreRefusedBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	unknown := lakemesh.NewSubscriptionID(producerAccount, consumerAccount)
	foreign := lakemesh.NewSubscriptionID(otherConsumer, consumerAccount)
	w.mesh.ResetCounts()
	for name, test := range map[string]struct {
		err  error
		kind error
	}{
		"unknown permission":          {w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id, GrantPermissions: []string{"READ"}}), lakemesh.ErrInvalidInput},
		"grantable beyond granted":    {w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id, GrantPermissions: []string{"SELECT"}, GrantablePermissions: []string{"INSERT"}}), lakemesh.ErrInvalidInput},
		"unknown subscription":        {w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: unknown}), lakemesh.ErrNotFound},
		"somebody else's":             {w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: foreign}), lakemesh.ErrWrongAccount},
		"not an id":                   {w.producer.DenyAccessRequest(t.Context(), producer.DenyInput{RequestID: "x"}), lakemesh.ErrInvalidInput},
		"an update to nothing":        {w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{}}), lakemesh.ErrInvalidInput},
		"an abort without a decision": {w.producer.AbortDecision(t.Context(), producer.AbortInput{SubscriptionID: id}), lakemesh.ErrIllegalTransition},
	} {
		if !errors.Is(test.err, test.kind) {
			t.Errorf("%s: %v, want %v", name, test.err, test.kind)
		}
	}
	if wrote := writes(w.mesh); len(wrote) > 0 {
		t.Errorf("wrote %v", wrote)
	}
}

func TestATableThatLeftTheMeshCannotBeApproved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request(t, consumerAccount, []string{"orders", "customers"}, "SELECT")
	w.dropMeshTable(t, "customers")
	err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
	if !errors.Is(err, lakemesh.ErrNotFound) || !strings.Contains(err.Error(), "customers") {
		t.Errorf("got %v, want not found and the table's name", err)
	}
	w.holds(t, consumerAccount, nil)
	if s := w.get(t, id); s.Status != lakemesh.Pending || s.Claim != nil {
		t.Errorf("the record is %s with claim %v", s.Status, s.Claim)
	}
}

func TestOfSeveralDecidersExactlyOneGetsThrough(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 5 {
		id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
		var mu sync.Mutex
		var won []string
		var wg sync.WaitGroup
		decide := func(name string, do func(*producer.Producer) error) {
			p := w.openProducer(t)
			wg.Go(func() {
				err := do(p)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won = append(won, name)
				case !errors.Is(err, lakemesh.ErrClaimed) && !errors.Is(err, lakemesh.ErrIllegalTransition):
					t.Errorf("%s lost with %v, want a conflict", name, err)
				}
			})
		}
		ctx := context.Background()
		for i := range 2 {
			decide(fmt.Sprint("approve ", i), func(p *producer.Producer) error {
				return p.ApproveAccessRequest(ctx, producer.ApproveInput{RequestID: id})
			})
			decide(fmt.Sprint("deny ", i), func(p *producer.Producer) error {
				return p.DenyAccessRequest(ctx, producer.DenyInput{RequestID: id})
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Errorf("%v got through, want exactly one", won)
		}
		s := w.get(t, id)
		want := map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"}
		if s.Status == lakemesh.Denied {
			want = nil
		}
		w.holds(t, consumerAccount, want)
		w.end(t, id)
	}
}

func TestTwoDeletionsOnOneTableLeaveNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ids []string
	for _, permission := range []string{"SELECT", "DESCRIBE", "INSERT"} {
		id := w.request(t, consumerAccount, []string{"orders"}, permission, "SELECT")
		w.approve(t, producer.ApproveInput{RequestID: id})
		ids = append(ids, id)
	}
	var wg sync.WaitGroup
	for _, id := range ids {
		p := w.openProducer(t)
		wg.Go(func() {
			if err := p.DeleteSubscription(context.Background(), producer.DeleteInput{SubscriptionID: id}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.holds(t, consumerAccount, nil)
	if got := w.openPrefixes(t); len(got) != 0 {
		t.Errorf("open prefixes %v", got)
	}
}

func TestAFailureAtAnyCallOfAnApprovalIsCompletedByTheSameCommand(t *testing.T) {
	t.Parallel()
	// Count the calls of an approval without a fault.
	w := newWorld(t)
	w.mesh.ResetCounts()
	w.approve(t, producer.ApproveInput{RequestID: w.request(t, consumerAccount, []string{"orders"}, "SELECT")})
	w.mesh.ResetCounts()
	id := w.request(t, otherConsumer, []string{"orders"}, "SELECT")
	w.mesh.ResetCounts()
	w.approve(t, producer.ApproveInput{RequestID: id})
	calls := w.mesh.Calls()
	if calls < 10 {
		t.Fatalf("an approval took %d calls", calls)
	}
	for _, moment := range []localmesh.Moment{localmesh.Before, localmesh.After} {
		for n := 1; n <= calls; n += 3 {
			t.Run(fmt.Sprintf("moment %d call %d", moment, n), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
				fault := localmesh.Fault{Nth: n, Times: 1, Moment: moment, Code: "AccessDenied", Message: "a planned fault", Status: 403}
				w.mesh.Fail(fault)
				err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
				w.mesh.ClearFaults()
				if s := w.get(t, id); s.Status == lakemesh.Active {
					w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})
				} else if err == nil {
					t.Errorf("no error, but the record is %s", s.Status)
				}
				err = w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
				if err != nil && !errors.Is(err, lakemesh.ErrIllegalTransition) {
					t.Fatalf("the same command again: %v", err)
				}
				s := w.get(t, id)
				if s.Status != lakemesh.Active || s.Claim != nil {
					t.Errorf("the record is %s with claim %v", s.Status, s.Claim)
				}
				w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})
				if got := w.openPrefixes(t); !slices.Equal(got, []string{"orders/"}) {
					t.Errorf("open prefixes %v", got)
				}
			})
		}
	}
}

func TestAnUnfinishedApprovalCanBeAborted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	// The grants are made, and then the bucket's policy cannot be written.
	w.mesh.Fail(localmesh.Fault{Service: "s3", Operation: "PutBucketPolicy", Code: "AccessDenied", Status: 403})
	err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
	if !errors.Is(err, lakemesh.ErrPartial) {
		t.Fatalf("got %v, want a partial failure", err)
	}
	s := w.get(t, id)
	if s.Status != lakemesh.Pending || s.Claim == nil || s.Claim.Action != lakemesh.ActionApprove {
		t.Fatalf("the record is %s with claim %v", s.Status, s.Claim)
	}
	err = w.producer.DenyAccessRequest(t.Context(), producer.DenyInput{RequestID: id})
	if !errors.Is(err, lakemesh.ErrClaimed) {
		t.Errorf("a denial of a claimed request: %v, want claimed", err)
	}
	if err := w.producer.AbortDecision(t.Context(), producer.AbortInput{SubscriptionID: id, Reason: "wrong bucket"}); err != nil {
		t.Fatal(err)
	}
	w.holds(t, consumerAccount, nil)
	if s := w.get(t, id); s.Status != lakemesh.Pending || s.Claim != nil {
		t.Errorf("after the abort the record is %s with claim %v", s.Status, s.Claim)
	}
	if err := w.producer.DenyAccessRequest(t.Context(), producer.DenyInput{RequestID: id}); err != nil {
		t.Errorf("a denial after the abort: %v", err)
	}
}

func TestAConsumerThatWritesActiveItselfIsNotBelieved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	forged := w.request(t, consumerAccount, []string{"customers"}, "SELECT")
	client := dynamodb.NewFromConfig(w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.MeshConsumerRole(consumerAccount))))
	_, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String(lakemesh.SubscriptionsTable), Key: map[string]ddbtypes.AttributeValue{"SubscriptionId": &ddbtypes.AttributeValueMemberS{Value: forged}},
		UpdateExpression: aws.String("SET #s = :s"), ExpressionAttributeNames: map[string]string{"#s": "Status"},
		ExpressionAttributeValues: map[string]ddbtypes.AttributeValue{":s": &ddbtypes.AttributeValueMemberS{Value: "Active"}},
	})
	if err != nil {
		t.Fatalf("IAM cannot keep a consumer from this write, but it failed: %v", err)
	}
	s := w.get(t, forged)
	if s.Status == lakemesh.Active || s.Tampered == "" {
		t.Errorf("the forged record counts as %s, tampered %q", s.Status, s.Tampered)
	}
	real := w.request(t, consumerAccount, []string{"customers"}, "SELECT", "INSERT")
	w.approve(t, producer.ApproveInput{RequestID: real})
	if err := w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: real}); err != nil {
		t.Fatal(err)
	}
	// A forged subscription justifies nothing. Its words are what they were: it can be
	// decided on like any other request.
	w.holds(t, consumerAccount, nil)
	if err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: forged}); err != nil {
		t.Errorf("approving it: %v", err)
	}
	w.holds(t, consumerAccount, map[string]string{"customers": "SELECT / SELECT", "database": "DESCRIBE / DESCRIBE"})
}

func TestListsAreWholeAtEveryPageSize(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pending(t)
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	pending := w.listPending(t)
	if len(pending) != 1 {
		t.Fatalf("%d pending", len(pending))
	}
	got := pending[0]
	if got.SubscriptionID != id || got.Status != lakemesh.Pending || got.OwnerPrincipal != producerAccount || got.SubscriberPrincipal != consumerAccount ||
		got.DatabaseName != meshDatabase || !slices.Equal(got.TableName, []string{"orders"}) || !slices.Equal(got.RequestedGrants, []string{"SELECT"}) ||
		len(got.CreationDate) != len("2026-01-02 03:04:05") || got.CreatedBy == "" {
		t.Errorf("got %+v", got)
	}
	for i := range 7 {
		out, err := w.asking[consumerAccount].RequestAccessToProduct(t.Context(), consumer.RequestInput{
			OwnerAccountID: producerAccount, DatabaseName: meshDatabase, Tables: []string{"customers"},
			RequestPermissions: lakemesh.Permissions(lakemesh.TablePermissions()[:i+1]).Strings(), Notes: strings.Repeat("x", 8_000)})
		if err != nil {
			t.Fatal(err)
		}
		if out.SubscriptionID == id {
			t.Error("another request got the same id")
		}
	}
	if pending = w.listPending(t); len(pending) != 8 {
		t.Errorf("%d pending, want 8", len(pending))
	}
}
