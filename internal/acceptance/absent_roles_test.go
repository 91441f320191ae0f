package acceptance_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// A role that access was asked for may be gone when its owner approves. The owner is told soon,
// is told how to take the approval back, and can.
func TestApprovingForARoleThatIsGoneCanBeTakenBack(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	if w.Readings().AbsentPrincipalsAccepted {
		t.Skip("under this reading Lake Formation takes what is not there")
	}
	analyst := w.reader(consumerAccount, "Analyst")
	id, err := w.asks(lakemesh.Scope{Principals: []string{analyst}})
	w.must(err)
	users := iam.NewFromConfig(w.Config(meshtest.Administrator(consumerAccount)))
	for _, name := range w.policiesOf(users, "Analyst") {
		_, err := users.DeleteRolePolicy(w.ctx(), &iam.DeleteRolePolicyInput{RoleName: aws.String("Analyst"), PolicyName: aws.String(name)})
		w.must(err)
	}
	_, err = users.DeleteRole(w.ctx(), &iam.DeleteRoleInput{RoleName: aws.String("Analyst")})
	w.must(err)
	before := w.allGrants()

	begun := time.Now()
	err = w.producer.ApproveAccessRequest(w.ctx(), producer.ApproveInput{RequestID: id})
	if took := time.Since(begun); took > 40*time.Second {
		t.Errorf("it took %s", took)
	}
	var partial *lakemesh.PartialError
	if !errors.Is(err, lakemesh.ErrNotFound) || !errors.As(err, &partial) || partial.Passing() || partial.TakeBack == nil || !strings.Contains(err.Error(), analyst) {
		t.Fatalf("it is approved: %v", err)
	}
	if partial.TakeBack.Operation != "producer.AbortDecision" || !strings.Contains(partial.TakeBack.String(), id) {
		t.Errorf("it is said to be taken back by %s", partial.TakeBack)
	}
	w.must(w.producer.AbortDecision(w.ctx(), producer.AbortInput{SubscriptionID: id}))
	if s := w.get(id); s.Status != lakemesh.Pending || s.Claim != nil {
		t.Errorf("afterwards it is %s, claimed by %v", s.Status, s.Claim)
	}
	if !w.inTheEnd(func() bool { return w.allGrants() == before }) {
		t.Errorf("it is granted\n%s\nand was\n%s", w.allGrants(), before)
	}
}

func (w *world) policiesOf(client *iam.Client, role string) []string {
	w.t.Helper()
	out, err := client.ListRolePolicies(w.ctx(), &iam.ListRolePoliciesInput{RoleName: &role})
	w.must(err)
	return out.PolicyNames
}
