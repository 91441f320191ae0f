package consumer_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

func TestRowsCanBeReadFromImportUntilLeaving(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refused(self(), "orders")
	id := w.request("orders")
	w.refused(self(), "orders")
	w.approve(id)
	w.refused(self(), "orders")

	out := w.finalize(id)
	if out.SubscriptionID != id || out.DatabaseName != database || out.LinkDatabase != database || !slices.Equal(out.Tables, []string{"orders"}) ||
		!slices.Equal(out.Principals, []string{self()}) || !slices.Equal(out.Permissions, []string{"DESCRIBE", "SELECT"}) ||
		len(out.AcceptedShares) == 0 != w.mesh.Readings().SharingNeedsNoInvitation || len(out.Warnings) != 0 {
		t.Errorf("finalized: %+v", out)
	}
	w.reads(self(), "orders")
	w.refused(self(), "orders_eu")
	s, err := w.consumer.GetSubscription(t.Context(), id)
	w.must(err)
	if !s.Imported || s.History[len(s.History)-1].Action != lakemesh.ActionImport {
		t.Errorf("after import: %+v", s)
	}
	link, err := meshtest.Known(w.mesh.Mesh, func() (*glue.GetTablesOutput, error) {
		return glue.NewFromConfig(w.mesh.Config(self())).GetTables(t.Context(), &glue.GetTablesInput{DatabaseName: aws.String(database)})
	})
	w.must(err)
	if len(link.TableList) != 1 || aws.ToString(link.TableList[0].Name) != "orders" {
		t.Errorf("through the link: %v", link.TableList)
	}
	w.silent("a repetition", func() {
		if out := w.finalize(id); len(out.AcceptedShares) != 0 {
			t.Errorf("a repetition accepted %v", out.AcceptedShares)
		}
		p, err := w.consumer.PlanFinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id})
		if err != nil || !p.Empty() {
			t.Errorf("the plan of a repetition: %v, %v", p, err)
		}
	})

	w.silent("the plan of leaving", func() {
		p, err := w.consumer.PlanDeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id})
		if err != nil || p.Empty() {
			t.Errorf("the plan of leaving: %v, %v", p, err)
		}
	})
	w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id, Reason: "no need"}))
	w.refused(self(), "orders")
	s, err = w.consumer.GetSubscription(t.Context(), id)
	w.must(err)
	if !s.Leaving || s.Status != lakemesh.Active || s.Imported || !slices.Contains(s.Notes, "no need") || s.History[len(s.History)-1].Action != lakemesh.ActionLeave {
		t.Errorf("after leaving: %+v", s)
	}
	if _, err := glue.NewFromConfig(w.mesh.Config(self())).GetDatabase(t.Context(), &glue.GetDatabaseInput{Name: aws.String(database)}); err == nil {
		t.Error("the link is still there")
	}
	w.silent("leaving again", func() {
		w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id}))
	})
	if _, err := w.consumer.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id}); !errors.Is(err, lakemesh.ErrIllegalTransition) {
		t.Errorf("import after leaving: %v", err)
	}
}

func TestEachStateAllowsItsOwnOperations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	finalize := func(id string) error {
		_, err := w.consumer.FinalizeSubscription(ctx, consumer.FinalizeInput{SubscriptionID: id})
		return err
	}
	leave := func(id string) error {
		return w.consumer.DeleteSubscription(ctx, consumer.LeaveInput{SubscriptionID: id})
	}
	cancel := func(id string) error {
		return w.consumer.CancelAccessRequest(ctx, consumer.CancelInput{SubscriptionID: id})
	}
	pending, active, denied, cancelled := w.request("orders"), w.active("customers"), w.request("orders_eu"), w.request()
	w.must(w.producer.DenyAccessRequest(ctx, producer.DenyInput{RequestID: denied, DecisionNotes: "no"}))
	w.silent("the plan of a cancellation", func() {
		p, err := w.consumer.PlanCancelAccessRequest(ctx, consumer.CancelInput{SubscriptionID: cancelled})
		if err != nil || len(p.Steps) != 1 {
			t.Errorf("plan of a cancellation: %v, %v", p, err)
		}
	})
	w.must(w.consumer.CancelAccessRequest(ctx, consumer.CancelInput{SubscriptionID: cancelled, Reason: "a mistake"}))
	s, err := w.consumer.GetSubscription(ctx, cancelled)
	w.must(err)
	if s.Status != lakemesh.Deleted || !slices.Contains(s.Notes, "a mistake") || len(s.History) != 2 || s.History[1].Action != lakemesh.ActionCancel {
		t.Errorf("after a cancellation: %+v", s)
	}
	cases := []struct {
		name  string
		do    func(string) error
		id    string
		found lakemesh.Status
		hint  string
	}{
		{"import pending", finalize, pending, lakemesh.Pending, "wait until the owner"},
		{"import denied", finalize, denied, lakemesh.Denied, "refused"},
		{"import cancelled", finalize, cancelled, lakemesh.Deleted, "new request"},
		{"leave pending", leave, pending, lakemesh.Pending, "consumer.CancelAccessRequest(SubscriptionID: "},
		{"leave denied", leave, denied, lakemesh.Denied, "refused"},
		{"leave cancelled", leave, cancelled, lakemesh.Deleted, "new request"},
		{"cancel active", cancel, active, lakemesh.Active, "consumer.DeleteSubscription(SubscriptionID: "},
		{"cancel denied", cancel, denied, lakemesh.Denied, "refused"},
		{"cancel twice", cancel, cancelled, lakemesh.Deleted, "new request"},
	}
	for _, c := range cases {
		w.silent(c.name, func() {
			err := c.do(c.id)
			illegal, ok := errors.AsType[*lakemesh.TransitionError](err)
			if !ok || illegal.Found != c.found || !strings.Contains(err.Error(), c.hint) {
				t.Errorf("%s: %v; want a transition error from %s with %q", c.name, err, c.found, c.hint)
			}
		})
	}
}

func TestSubscriptionsOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.active("orders")
	w.mesh.AddConsumer(otherAccount)
	other := w.open(otherAccount)
	ctx := t.Context()
	for name, c := range map[string]struct {
		id   string
		kind error
	}{
		"another's":  {id, lakemesh.ErrWrongAccount},
		"unknown":    {lakemesh.NewSubscriptionID(producerAccount, otherAccount), lakemesh.ErrNotFound},
		"malformed":  {"orders", lakemesh.ErrInvalidInput},
		"other half": {producerAccount + "-" + otherAccount, lakemesh.ErrInvalidInput},
	} {
		w.silent(name, func() {
			for op, err := range map[string]error{
				"get":      second(other.GetSubscription(ctx, c.id)),
				"finalize": second(other.FinalizeSubscription(ctx, consumer.FinalizeInput{SubscriptionID: c.id})),
				"leave":    other.DeleteSubscription(ctx, consumer.LeaveInput{SubscriptionID: c.id}),
				"cancel":   other.CancelAccessRequest(ctx, consumer.CancelInput{SubscriptionID: c.id}),
			} {
				if !errors.Is(err, c.kind) {
					t.Errorf("%s of %s id: %v; want %v", op, name, err, c.kind)
				}
			}
		})
	}
	list, err := other.ListProductAccess(ctx, consumer.ListInput{Statuses: consumer.AllStatuses()})
	if err != nil || len(list.Subscriptions) != 0 {
		t.Errorf("another's list: %v, %v", list, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestAccessIsHandedOnToNamedPrincipals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	analyst := w.analyst()
	id := w.request("orders")
	w.approve(id)
	ctx := t.Context()
	for name, principal := range map[string]string{
		"another account's role": "arn:aws:iam::" + producerAccount + ":role/Analyst",
		"a session":              "arn:aws:sts::" + consumerAccount + ":assumed-role/Analyst/me",
		"a name":                 "Analyst",
		"an account":             producerAccount,
		"a long name":            "arn:aws:iam::" + consumerAccount + ":role/" + strings.Repeat("x", 255),
	} {
		w.silent(name, func() {
			_, err := w.consumer.FinalizeSubscription(ctx, consumer.FinalizeInput{SubscriptionID: id, Principals: []string{analyst, principal}})
			if !errors.Is(err, lakemesh.ErrInvalidInput) {
				t.Errorf("%s: %v; want invalid input", name, err)
			}
		})
	}

	out, err := w.consumer.FinalizeSubscription(ctx, consumer.FinalizeInput{SubscriptionID: id, Principals: []string{}})
	w.must(err)
	if len(out.Principals) != 0 || len(out.Permissions) != 0 || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "nobody was given access") {
		t.Errorf("for nobody: %+v", out)
	}
	w.refused(self(), "orders")
	w.refused(analyst, "orders")

	w.finalize(id, analyst)
	w.reads(analyst, "orders")
	w.refused(self(), "orders")
	err = meshtest.Try(w.mesh.Mesh, func() error {
		_, err := glue.NewFromConfig(w.mesh.Config(analyst)).GetTable(ctx, &glue.GetTableInput{DatabaseName: aws.String(database), Name: aws.String("orders")})
		return err
	})
	if err != nil {
		t.Errorf("the analyst through the link: %v", err)
	}
	w.silent("a repetition", func() { w.finalize(id, analyst) })
	w.finalize(id)
	w.reads(self(), "orders")
	// The history says who was given access, each time that somebody was.
	s, err := w.consumer.GetSubscription(ctx, id)
	w.must(err)
	var handed []string
	for _, e := range s.History {
		if e.Action == lakemesh.ActionImport {
			handed = append(handed, e.Reason)
		}
	}
	if want := []string{"", "handed on to " + analyst, "handed on to " + self()}; !slices.Equal(handed, want) {
		t.Errorf("the history of imports says %q, want %q", handed, want)
	}

	w.must(w.consumer.DeleteSubscription(ctx, consumer.LeaveInput{SubscriptionID: id}))
	w.refused(analyst, "orders")
	w.refused(self(), "orders")
}

func TestEverybodyOfTheAccountCanBeNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	analyst := w.analyst()
	id := w.request("orders")
	w.approve(id)
	w.finalize(id, consumerAccount+":IAMPrincipals")
	w.reads(analyst, "orders")
	w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id}))
	w.refused(analyst, "orders")
}

func TestWhatMayNotBeHandedOnIsNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request("orders")
	w.must(w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id, GrantablePermissions: []string{}}))
	out := w.finalize(id)
	if len(out.Principals) != 0 || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "hand none of it on") {
		t.Errorf("finalized: %+v", out)
	}
	w.refused(self(), "orders")
	w.silent("a repetition", func() { w.finalize(id) })
}

func TestLinkNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request("orders")
	w.approve(id)
	ctx := t.Context()
	own := glue.NewFromConfig(w.mesh.Config(self()))
	_, err := own.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String(database)}})
	w.must(err)
	_, err = own.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("elsewhere"),
		TargetDatabase: &gluetypes.DatabaseIdentifier{CatalogId: aws.String(meshAccount), DatabaseName: aws.String("other")}}})
	w.must(err)
	for name, says := range map[string]string{"": "a database of your own", "Elsewhere": "a link to database other", "a/b": "without slashes"} {
		w.silent("a taken name", func() {
			_, err := w.consumer.FinalizeSubscription(ctx, consumer.FinalizeInput{SubscriptionID: id, LinkDatabaseName: name})
			if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), says) {
				t.Errorf("name %q: %v; want invalid input with %q", name, err, says)
			}
		})
	}
	out, err := w.consumer.FinalizeSubscription(ctx, consumer.FinalizeInput{SubscriptionID: id, LinkDatabaseName: "Sales"})
	w.must(err)
	if out.LinkDatabase != "sales" {
		t.Errorf("link %q; want it folded", out.LinkDatabase)
	}
	if _, err := own.GetTable(ctx, &glue.GetTableInput{DatabaseName: aws.String("sales"), Name: aws.String("orders")}); err != nil {
		t.Errorf("through the link: %v", err)
	}
	w.must(w.consumer.DeleteSubscription(ctx, consumer.LeaveInput{SubscriptionID: id}))
	if _, err := own.GetDatabase(ctx, &glue.GetDatabaseInput{Name: aws.String("sales")}); err == nil {
		t.Error("the link is still there")
	}
	for _, kept := range []string{database, "elsewhere"} {
		if _, err := own.GetDatabase(ctx, &glue.GetDatabaseInput{Name: aws.String(kept)}); err != nil {
			t.Errorf("%s, which is no link to the product, is gone: %v", kept, err)
		}
	}
}

func TestLeavingKeepsWhatOtherSubscriptionsJustify(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	both, one := w.active("orders", "customers"), w.active("orders")
	w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: both}))
	w.reads(self(), "orders")
	w.refused(self(), "customers")
	if _, err := glue.NewFromConfig(w.mesh.Config(self())).GetTable(t.Context(), &glue.GetTableInput{DatabaseName: aws.String(database), Name: aws.String("orders")}); err != nil {
		t.Errorf("the link is gone: %v", err)
	}
	settled := meshtest.Soon(w.mesh.Mesh, func() bool {
		out, err := w.producer.SettleDepartures(t.Context())
		w.must(err)
		return slices.Contains(out.Subscriptions, both)
	})
	if !settled {
		t.Errorf("the departure from %s was not settled", both)
	}
	w.finalize(one)
	w.reads(self(), "orders")
	w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: one}))
	w.refused(self(), "orders")
}

func TestWholeDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, all := w.active("orders"), w.active()
	for _, table := range productTables() {
		w.reads(self(), table)
	}
	w.silent("a repetition", func() { w.finalize(all) })
	w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: all}))
	w.reads(self(), "orders")
	w.refused(self(), "orders_eu")
	w.refused(self(), "customers")
	w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: one}))
	w.refused(self(), "orders")
}

func TestImportAfterTheOwnerChangedPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.active("orders")
	ctx := t.Context()
	w.must(w.producer.UpdateSubscriptionPermissions(ctx, producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"DESCRIBE"}}))
	w.refused(self(), "orders")
	out := w.finalize(id)
	if !slices.Equal(out.Permissions, []string{"DESCRIBE"}) {
		t.Errorf("narrowed: %+v", out)
	}
	w.refused(self(), "orders")
	w.must(w.producer.UpdateSubscriptionPermissions(ctx, producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT", "DESCRIBE"}}))
	w.refused(self(), "orders")
	w.finalize(id)
	w.reads(self(), "orders")
	w.silent("a repetition", func() { w.finalize(id) })
}

func TestAConsumerCannotApproveItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request("orders")
	records := dynamodb.NewFromConfig(w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.MeshConsumerRole(consumerAccount))))
	_, err := records.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.SubscriptionsTable),
		Key:              map[string]dynamotypes.AttributeValue{"SubscriptionId": &dynamotypes.AttributeValueMemberS{Value: id}},
		UpdateExpression: aws.String("SET #s = :s"), ExpressionAttributeNames: map[string]string{"#s": "Status"},
		ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{":s": &dynamotypes.AttributeValueMemberS{Value: "Active"}}})
	w.must(err)
	if _, err := w.consumer.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id}); !errors.Is(err, lakemesh.ErrIllegalTransition) {
		t.Errorf("import of a record that nobody approved: %v; want ErrIllegalTransition", err)
	}
	if s, err := w.consumer.GetSubscription(t.Context(), id); err != nil || s.Status != lakemesh.Pending || s.Tampered == "" {
		t.Errorf("it is shown as %+v, %v", s, err)
	}
	w.refused(self(), "orders")
}

func TestAnExpiredInvitationIsAClearError(t *testing.T) {
	t.Parallel()
	ahead := &clock{}
	w := newWorld(t, localmesh.WithClock(ahead.now))
	meshtest.Without(t, w.mesh.Mesh, "no invitation expires", func(r localmesh.Readings) bool { return r.SharingNeedsNoInvitation })
	id := w.request("orders")
	w.approve(id)
	ahead.skip(24 * time.Hour)
	late := w.open(consumerAccount)
	w.silent("an expired invitation", func() {
		_, err := late.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id})
		if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "expired") {
			t.Errorf("an expired invitation: %v", err)
		}
	})
}
