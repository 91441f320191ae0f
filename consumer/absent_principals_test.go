package consumer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
)

// Whoever is handed access on has to be there: who is not is refused before anything is
// changed, and an explanation says so.
func TestPrincipalsThatAreNotThereAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	analyst := w.analyst()
	id := w.request("orders")
	w.approve(id)
	ctx := t.Context()
	for name, principal := range map[string]string{
		"a role that does not exist": "arn:aws:iam::" + consumerAccount + ":role/None",
		"a role without its path":    "arn:aws:iam::" + consumerAccount + ":role/Analyst",
		"a user that does not exist": "arn:aws:iam::" + consumerAccount + ":user/None",
		"a user that is a role":      "arn:aws:iam::" + consumerAccount + ":user/team/Analyst",
	} {
		in := consumer.FinalizeInput{SubscriptionID: id, Principals: []string{analyst, principal}}
		w.silent(name, func() {
			if _, err := w.consumer.PlanFinalizeSubscription(ctx, in); !errors.Is(err, lakemesh.ErrNotFound) || !strings.Contains(err.Error(), principal) {
				t.Errorf("%s is planned: %v", name, err)
			}
			if _, err := w.consumer.FinalizeSubscription(ctx, in); !errors.Is(err, lakemesh.ErrNotFound) || !strings.Contains(err.Error(), principal) {
				t.Errorf("%s: %v", name, err)
			}
		})
		asked := consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: database, Tables: []string{"orders"}, RequestPermissions: []string{"SELECT"}, Scope: lakemesh.Scope{Principals: []string{principal}}}
		w.silent("asking for "+name, func() {
			if _, err := w.consumer.RequestAccessToProduct(ctx, asked); !errors.Is(err, lakemesh.ErrNotFound) || !strings.Contains(err.Error(), principal) || !strings.Contains(err.Error(), "RequestAccessToProduct") {
				t.Errorf("%s is asked for: %v", name, err)
			}
		})
		e, err := w.consumer.Explain(ctx, consumer.ExplainInput{Database: database, Table: "orders", Principal: principal})
		w.must(err)
		if broken, ok := e.FirstBroken(); e.Verdict != consumer.VerdictCannot || !ok || broken.Link != "principal" || !strings.Contains(broken.What, "has no") || broken.Do != nil {
			t.Errorf("%s is explained as %s: %+v", name, e.Verdict, broken)
		}
	}
	meshtest.Before(w.mesh.Mesh, func() {
		_, err := iam.NewFromConfig(w.mesh.Config(meshtest.Administrator(consumerAccount))).CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("somebody")})
		w.must(err)
	})
	w.finalize(id, analyst, "arn:aws:iam::"+consumerAccount+":user/somebody", consumerAccount+":IAMPrincipals")
}
