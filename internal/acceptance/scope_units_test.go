package acceptance_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// unitWorld is a narrow world whose mesh account and consumers are in an organization; the
// consumers are in its unit "retail".
type unitWorld struct {
	*world
	org *meshtest.Organization
}

func newUnitWorld(t *testing.T, opts ...localmesh.Option) *unitWorld {
	t.Helper()
	w := &unitWorld{world: newNarrowWorld(t, opts...)}
	meshtest.Before(w.Mesh.Mesh, func() {
		w.org = w.Organization(consumerAccount, otherConsumer)
		w.org.Move(consumerAccount, w.org.Retail)
		w.org.Move(otherConsumer, w.org.Retail)
		w.AddConsumer(otherConsumer)
	})
	w.TrustEngines(consumerAccount, otherConsumer)
	return w
}

// allPeople are the rows of people as they are shown.
func allPeople() []string {
	names := strings.Split(peopleRows[0], ",")
	var all []string
	for _, line := range peopleRows[1:] {
		var words []string
		for i, value := range strings.Split(line, ",") {
			words = append(words, names[i]+"="+value)
		}
		all = append(all, strings.Join(words, " "))
	}
	return all
}

func TestAUnitIsGrantedAccess(t *testing.T) {
	t.Parallel()
	w := newUnitWorld(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	id, err := w.asks(lakemesh.Scope{Principals: []string{w.org.Lines}, Rows: "amount > 100"})
	w.must(err)
	w.approve(id)
	w.sees(analyst)
	w.finalize(id, analyst)
	w.sees(analyst, "id=2 name=Bob country=FR amount=200", "id=3 name=Cleo country=DE amount=300")
	w.end(id)
	w.sees(analyst)
	w.opens()
	if left := w.filters(); len(left) > 0 {
		t.Errorf("filters stay: %v", left)
	}
}

// Two accounts ask for the same unit. What both justify stands in one row of Lake Formation,
// and ends with the last of them.
func TestWhatAnotherConsumersSubscriptionGivesAUnitStays(t *testing.T) {
	t.Parallel()
	w := newUnitWorld(t)
	analyst, foreign := w.Reader(consumerAccount, "Analyst"), w.Reader(otherConsumer, "Analyst")
	other := w.openConsumer(otherConsumer)
	for name, s := range map[string]lakemesh.Scope{"whole": {}, "a part": {Rows: "amount > 100"}} {
		s.Principals = []string{w.org.Retail}
		rows := []string{"id=2 name=Bob country=FR amount=200", "id=3 name=Cleo country=DE amount=300"}
		if name == "whole" {
			rows = allPeople()
		}
		one := w.asksAs(w.consumer, s)
		two := w.asksAs(other, s)
		w.approve(one)
		w.finalize(one, analyst)
		w.approve(two)
		_, err := other.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: two, Principals: []string{foreign}})
		w.must(err)
		w.sees(analyst, rows...)
		w.sees(foreign, rows...)
		w.end(one)
		w.sees(foreign, rows...)
		w.opens(people)
		w.end(two)
		w.sees(foreign)
		w.sees(analyst)
		w.opens()
		if left := w.filters(); len(left) > 0 {
			t.Errorf("%s: filters stay: %v", name, left)
		}
	}
}

// An organization that the mesh account is not in, or a unit that there is not, is refused with
// what to do, and nothing is granted; what cannot be an ARN is refused to whoever names it.
func TestUnitsThatCannotBeGrantedToAreRefused(t *testing.T) {
	t.Parallel()
	w := newUnitWorld(t)
	strange := "arn:aws:organizations::333333333333:organization/o-strangers12"
	for name, test := range map[string]struct {
		principals []string
		// asked tells that a request can be made, and is refused when it is approved.
		asked bool
		says  string
	}{
		"another organization":  {[]string{strange}, true, w.org.ARN},
		"a unit of another":     {[]string{"arn:aws:organizations::333333333333:ou/o-strangers12/ou-abcd-12345678"}, true, w.org.ARN},
		"by another management": {[]string{strings.Replace(w.org.Lines, meshtest.Manager, "333333333333", 1)}, true, w.org.ARN},
		"a unit there is not":   {[]string{w.org.Lines[:strings.LastIndex(w.org.Lines, "/")] + "/ou-none-12345678"}, true, "does not know it"},
		"a root":                {[]string{"arn:aws:organizations::" + meshtest.Manager + ":root/o-abcdefghij/r-abcd"}, false, "is not the ARN of an organization"},
		"no id":                 {[]string{"arn:aws:organizations::" + meshtest.Manager + ":ou/"}, false, "is not the ARN of an organization"},
		"both kinds":            {[]string{w.org.Lines, "arn:aws:iam::" + consumerAccount + ":role/Analyst"}, false, "not named together"},
	} {
		id, err := w.asks(lakemesh.Scope{Principals: test.principals})
		if test.asked {
			w.must(err)
			err = w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
			if s := w.get(id); s.Claim != nil {
				w.must(w.producer.AbortDecision(t.Context(), producer.AbortInput{SubscriptionID: id}))
			}
			w.must(w.producer.DenyAccessRequest(t.Context(), producer.DenyInput{RequestID: id}))
		}
		if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v; want it refused and %q said", name, err, test.says)
		}
	}
	for _, principal := range []string{strange, w.org.Lines, w.org.ARN} {
		w.holds(principal, nil)
	}
}

// While sharing within the organization is off nothing is granted, and what to do is said.
func TestWithoutSharingInTheOrganizationNothingIsGranted(t *testing.T) {
	t.Parallel()
	w := newUnitWorld(t)
	w.breaks = true
	analyst := w.Reader(consumerAccount, "Analyst")
	before := w.asksAs(w.consumer, lakemesh.Scope{Principals: []string{w.org.Lines}})
	w.approve(before)
	w.finalize(before, analyst)
	w.org.EndSharing()
	id, err := w.asks(lakemesh.Scope{Principals: []string{w.org.ARN}})
	w.must(err)
	err = w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
	if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), "enable-sharing-with-aws-organization") {
		t.Errorf("approved without sharing: %v", err)
	}
	w.must(w.producer.AbortDecision(t.Context(), producer.AbortInput{SubscriptionID: id}))
	w.sees(analyst)
	// It is taken away all the same, so that it does not come back with the sharing.
	w.end(before)
	w.holds(w.org.Lines, nil)
}

// told are the findings of a consumer's verification.
func (w *unitWorld) told(c *consumer.Consumer) (all []string) {
	w.t.Helper()
	w.must(meshtest.Try(w.Mesh.Mesh, func() error {
		v, err := c.Verify(w.ctx(), consumer.VerifyInput{})
		all = nil
		if err == nil {
			for _, f := range v.Findings {
				all = append(all, string(f.Kind)+" "+string(f.Link)+" "+f.Resource+": "+f.What)
			}
			for _, u := range v.Unverified {
				all = append(all, "unsure: "+u)
			}
		}
		return err
	}))
	return all
}

// A member of the unit that has asked for nothing links and hands on by hand. Its verification
// finds nothing wrong with that; and one that asks for the same unit imports as the first.
func TestAMemberOfAUnitWorksByHandOrAsksForTheSame(t *testing.T) {
	t.Parallel()
	w := newUnitWorld(t)
	foreign := w.Reader(otherConsumer, "Analyst")
	other := w.openConsumer(otherConsumer)
	first, err := w.asks(lakemesh.Scope{Principals: []string{w.org.Lines}})
	w.must(err)
	w.approve(first)
	w.finalize(first)

	lake, people := w.ruling(otherConsumer), &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), Name: aws.String(people)}}
	_, err = w.Glue(otherConsumer).CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String(product),
		TargetDatabase: &types.DatabaseIdentifier{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product)}}})
	w.must(err)
	grant := func(on *lftypes.Resource, permissions ...lftypes.Permission) {
		t.Helper()
		w.must(meshtest.Try(w.Mesh.Mesh, func() error {
			_, err := lake.GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(foreign)},
				Resource: on, Permissions: permissions})
			return err
		}))
	}
	grant(people, lftypes.PermissionSelect, lftypes.PermissionDescribe)
	grant(&lftypes.Resource{Database: &lftypes.DatabaseResource{CatalogId: aws.String(meshAccount), Name: aws.String(product)}}, lftypes.PermissionDescribe)
	grant(&lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String(product)}}, lftypes.PermissionDescribe)
	w.sees(foreign, allPeople()...)
	if told := w.told(other); len(told) > 0 {
		t.Errorf("a member that works by hand is told %q", told)
	}
	// It cannot import what another asked for.
	if _, err := other.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: first}); err == nil {
		t.Error("a member imports another's subscription")
	}
	second := w.asksAs(other, lakemesh.Scope{Principals: []string{w.org.Lines}})
	p, err := w.producer.PlanApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: second})
	w.must(err)
	if n := p.Count(plan.Grant); n > 0 {
		t.Errorf("the second grants %d things that are granted", n)
	}
	w.approve(second)
	w.importsAs(other, second, foreign)
	w.sees(foreign, allPeople()...)
	if told := w.told(other); len(told) > 0 {
		t.Errorf("a member with a subscription is told %q", told)
	}
}

// Who leaves the organization loses access at once, and is told why.
func TestWhoLeavesTheOrganizationLosesAccess(t *testing.T) {
	t.Parallel()
	w := newUnitWorld(t)
	w.breaks = true
	analyst := w.Reader(consumerAccount, "Analyst")
	id, err := w.asks(lakemesh.Scope{Principals: []string{w.org.Lines}, Rows: "amount > 100"})
	w.must(err)
	w.approve(id)
	w.finalize(id, analyst)
	w.sees(analyst, "id=2 name=Bob country=FR amount=200", "id=3 name=Cleo country=DE amount=300")
	w.org.Leave(consumerAccount)
	w.sees(analyst)
	told := w.told(w.consumer)
	if len(told) == 0 || !strings.Contains(told[0], "it is not in that, or has left it") {
		t.Errorf("the consumer is told %q", told)
	}
	_, err = w.consumer.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id})
	if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "every account of "+w.org.Lines) {
		t.Errorf("it imports: %v", err)
	}
	v, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(t.Context(), producer.VerifyInput{}) })
	w.must(err)
	for _, f := range v.Findings {
		t.Errorf("the owner is told %s %s %s: %s", f.Kind, f.Link, f.Resource, f.What)
	}
	w.end(id)
	w.opens()
}
