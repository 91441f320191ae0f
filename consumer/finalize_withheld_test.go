package consumer_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// What was taken from the account by hand it can neither use nor hand on: its verification
// finds it, an import says it, and after the owner's repair everything is there again.
func TestWhatIsNotHeldIsNotHandedOn(t *testing.T) {
	t.Parallel()
	for name, tables := range map[string][]string{"one table": {"orders"}, "two tables": {"orders", "customers"}, "a whole database": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.active(tables...)
			said := "table " + database + ".orders"
			w.revokeByHand(meshAccount, consumerAccount, meshTable("orders"), lftypes.PermissionSelect)
			w.refused(self(), "orders")
			want := []string{"missing, grant, " + said + ", " + consumerAccount}
			v, diff := w.verify(consumer.VerifyInput{}, want)
			if diff != "" {
				t.Fatalf("found (-want +got):\n%s", diff)
			}
			if f := v.Findings[0]; f.Repairs != chain.Owner || !strings.Contains(f.Command, id) || !strings.Contains(f.What, "SELECT") {
				t.Errorf("it says %+v", f)
			}
			w.silent("the plan of an import", func() {
				p, err := w.consumer.PlanFinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id})
				if err != nil || !strings.Contains(strings.Join(p.Warnings, "\n"), "cannot hand on SELECT") {
					t.Errorf("the plan says %+v, %v", p, err)
				}
			})
			out, err := w.consumer.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id})
			if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "account "+producerAccount) || !strings.Contains(err.Error(), id+" --repair") {
				t.Errorf("import: %v; want that the owner has to give it again", err)
			}
			if out == nil || !slices.Equal(out.Permissions, []string{"DESCRIBE"}) {
				t.Errorf("it says that it gave %+v", out)
			}
			owners, err := w.producer.Verify(t.Context(), producer.VerifyInput{SubscriptionID: id})
			w.must(err)
			_, err = w.producer.Repair(t.Context(), owners)
			w.must(err)
			meshtest.Soon(w.mesh.Mesh, func() bool {
				out, err = w.consumer.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id})
				return err == nil
			})
			if err != nil || !slices.Equal(out.Permissions, []string{"DESCRIBE", "SELECT"}) {
				t.Errorf("import after the repair: %+v, %v", out, err)
			}
			w.reads(self(), "orders")
			w.chainHolds()
		})
	}
}

// What is taken away before the first import is not waited for without end, and is said.
func TestAFirstImportSaysWhatIsNotHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active("customers")
	id := w.request("orders")
	w.approve(id)
	w.revokeByHand(meshAccount, consumerAccount, meshTable("orders"), lftypes.PermissionSelect)
	out, err := w.consumer.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id})
	if err == nil || !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "--repair") {
		t.Errorf("import: %+v, %v", out, err)
	}
	w.refused(self(), "orders")
}

func TestWhoStillHoldsAccessIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	analyst, id := w.analyst(), w.request("orders")
	w.approve(id)
	w.finalize(id, analyst)
	for name, test := range map[string]struct {
		principals []string
		want       string
	}{
		"nobody":  {[]string{}, "these still hold it: " + analyst},
		"default": {nil, "these still hold access from before: " + analyst},
	} {
		var said string
		if !meshtest.Soon(w.mesh.Mesh, func() bool {
			p, err := w.consumer.PlanFinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id, Principals: test.principals})
			w.must(err)
			said = strings.Join(p.Warnings, "\n")
			return strings.Contains(said, test.want) && !strings.Contains(said, "only data lake administrators")
		}) {
			t.Errorf("%s: it says %q, want %q", name, said, test.want)
		}
	}
}

// Where the account's role may not look whether there is a principal, as one that an older
// version set up, Lake Formation tells of it, and late: who was handed access on until then
// is said, and stands in the history.
func TestAPrincipalThatDoesNotExist(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	analyst, id := w.analyst(), w.request("orders")
	w.approve(id)
	nobody := "arn:aws:iam::" + consumerAccount + ":role/Nobody"
	in := consumer.FinalizeInput{SubscriptionID: id, Principals: []string{analyst, nobody}}
	w.mayNotLookAtRoles()
	p, err := w.consumer.PlanFinalizeSubscription(t.Context(), in)
	if err != nil || !strings.Contains(strings.Join(p.Warnings, "\n"), nobody) {
		t.Errorf("the plan says %v, %v", p, err)
	}
	begun := time.Now()
	_, err = w.consumer.FinalizeSubscription(t.Context(), in)
	// A principal that may be new is waited for; what nobody looked at, shortly.
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
	if !errors.Is(err, lakemesh.ErrNotFound) || !strings.Contains(err.Error(), "access was handed on to "+analyst+", and not, or not all of it, to "+nobody) {
		t.Errorf("import: %v", err)
	}
	w.reads(analyst, "orders")
	s, err := w.consumer.GetSubscription(t.Context(), id)
	w.must(err)
	if last := s.History[len(s.History)-1]; last.Action != lakemesh.ActionImport || last.Reason != "handed on to "+analyst {
		t.Errorf("the history says %+v", last)
	}
	w.chainHolds()
}

func TestEverybodyOfTheAccountIsNotByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request("orders")
	w.approve(id)
	everybody := consumerAccount + ":IAMPrincipals"
	w.finalize(id, everybody)
	w.chainHolds()
	lists := map[string]func(context.Context) (*access.List, error){
		"consumer": func(ctx context.Context) (*access.List, error) {
			return w.consumer.AccessList(ctx, consumer.AccessListInput{})
		},
		"owner": func(ctx context.Context) (*access.List, error) {
			return w.producer.AccessList(ctx, producer.AccessListInput{})
		},
	}
	for name, list := range lists {
		var of []access.Entry
		if !meshtest.Soon(w.mesh.Mesh, func() bool {
			all, err := list(t.Context())
			w.must(err)
			of = slices.DeleteFunc(all.Entries, func(e access.Entry) bool { return e.Principal != everybody })
			return !slices.ContainsFunc(of, func(e access.Entry) bool { return !slices.Equal(e.Through, []string{id}) }) && (len(of) > 0 || name == "owner")
		}) {
			t.Errorf("%s: it lists %+v", name, of)
		}
	}
	v, err := w.producer.Verify(t.Context(), producer.VerifyInput{})
	if err != nil || slices.ContainsFunc(v.Findings, func(f chain.Finding) bool { return f.Principal == everybody }) {
		t.Errorf("the owner's verification: %+v, %v", v, err)
	}
}

// mayNotLookAtRoles takes from the account's role what an older version did not give it.
func (w *world) mayNotLookAtRoles() {
	meshtest.Before(w.mesh.Mesh, func() {
		_, err := iam.NewFromConfig(w.mesh.Config(meshtest.Administrator(consumerAccount))).PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{
			RoleName: aws.String(lakemesh.ConsumerRole), PolicyName: aws.String("older"),
			PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":["iam:GetRole","iam:GetUser"],"Resource":"*"}}`)})
		w.must(err)
	})
}
