package acceptance_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// Whoever makes a role again that was granted access has what the first one had. That is
// told, until the owner has looked at the subscription again.
func TestARoleThatWasMadeAgainIsNoticed(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	w := newNarrowWorld(t, localmesh.WithClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }))
	w.breaks = true
	analyst := w.Reader(consumerAccount, "Analyst")
	id, err := w.asks(lakemesh.Scope{Principals: []string{analyst}})
	w.must(err)
	w.approve(id)
	w.finalize(id)
	told := func() (kinds []string) {
		v, err := w.known(func() (*chain.Verification, error) { return w.consumer.Verify(w.ctx(), consumer.VerifyInput{}) })
		w.must(err)
		for _, f := range v.Findings {
			if f.Link == chain.Principal && f.Principal == analyst {
				kinds = append(kinds, string(f.Kind)+": "+f.What)
			}
		}
		return kinds
	}
	tells := func(when, want string) {
		t.Helper()
		var got []string
		if !w.inTheEnd(func() bool {
			got = told()
			return want == "" && len(got) == 0 || want != "" && len(got) == 1 && strings.HasPrefix(got[0], want)
		}) {
			t.Errorf("%s it is told %q, want %q", when, got, want)
		}
	}
	tells("while it is the one that was decided on", "")
	client := iam.NewFromConfig(w.Config(meshtest.Administrator(consumerAccount)))
	_, err = client.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String("Analyst"), PolicyName: aws.String("query")})
	w.must(err)
	_, err = client.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("Analyst")})
	w.must(err)
	tells("while there is none", "missing: account "+consumerAccount+" has no role Analyst")
	ahead.Store(int64(3 * time.Minute))
	w.Reader(consumerAccount, "Analyst")
	tells("after it was made again", "undecided: it was made on ")
	// The owner looks at it, with a clock that goes with AWS's.
	options := w.Options(producerAccount)
	options.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	p, err := producer.New(t.Context(), options)
	w.must(err)
	w.must(p.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, Notes: "the role is the right one"}))
	tells("after the owner looked at it", "")
}
