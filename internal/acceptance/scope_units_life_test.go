package acceptance_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/producer"
)

// warns checks that one of the warnings has each of the texts.
func warns(t *testing.T, when string, warnings []string, texts ...string) {
	t.Helper()
	if !slices.ContainsFunc(warnings, func(w string) bool {
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(w, text) })
	}) {
		t.Errorf("%s the warnings are %q, and none has %q", when, warnings, texts)
	}
}

// An owner that gives a unit what a role or an account asked for, or that ends what a unit has,
// is told how many that reaches.
func TestAnOwnerIsToldWhomAUnitReaches(t *testing.T) {
	t.Parallel()
	w := newUnitWorld(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	ctx := t.Context()
	for name, s := range map[string]lakemesh.Scope{analyst: {Principals: []string{analyst}}, "one account": {}} {
		id := w.asksAs(w.consumer, s)
		p, err := w.producer.PlanApproveAccessRequest(ctx, producer.ApproveInput{RequestID: id, Scope: producer.ScopeInput{Principals: []string{w.org.Lines}}})
		w.must(err)
		warns(t, "asked for by "+name, p.Warnings, "it gives access to every account of "+w.org.Lines, "asked for by "+name+" alone")
		warns(t, "asked for by "+name, p.Warnings, "every account of "+w.org.Lines+", also those that join later", "can hand it on")
		w.must(w.producer.DenyAccessRequest(ctx, producer.DenyInput{RequestID: id}))
	}
	// What is granted to a role cannot be handed on, and what is granted to a unit can.
	id := w.asksAs(w.consumer, lakemesh.Scope{Principals: []string{analyst}})
	w.approve(id)
	w.must(w.producer.UpdateSubscriptionPermissions(ctx, producer.UpdateInput{SubscriptionID: id, Scope: producer.ScopeInput{Principals: []string{w.org.Lines}}}))
	w.holds(w.org.Lines, map[string]string{"database": "DESCRIBE / DESCRIBE", people: "DESCRIBE, SELECT / DESCRIBE, SELECT"})
	w.holds(analyst, nil)
	// An account beside it is told of, on both sides.
	c := w.openConsumer(otherConsumer)
	other := w.asksAs(c, lakemesh.Scope{Columns: []string{"id"}})
	p, err := w.producer.PlanApproveAccessRequest(ctx, producer.ApproveInput{RequestID: other})
	w.must(err)
	warns(t, "a part of an account beside the whole of a unit", p.Warnings, "every account of "+w.org.Lines+" holds DESCRIBE, SELECT", "is united")
	w.approve(other)
	whole := w.asksAs(c, lakemesh.Scope{})
	w.approve(whole)
	p, err = w.producer.PlanDeleteSubscription(ctx, producer.DeleteInput{SubscriptionID: id})
	w.must(err)
	warns(t, "at the end of the unit's", p.Warnings, "every account of "+w.org.Lines+" loses what is revoked")
	warns(t, "at the end of the unit's", p.Warnings, "account "+otherConsumer+" holds DESCRIBE, SELECT", "is united")
	w.end(id)
	w.holds(w.org.Lines, nil)
	w.opens(people)
	w.end(whole)
	w.end(other)
	w.opens()
}

// What is granted to a unit by hand before a subscription gives the same stays when that ends.
func TestWhatAUnitWasGrantedByHandStays(t *testing.T) {
	t.Parallel()
	w := newUnitWorld(t)
	w.breaks = true
	lake := lakeformation.NewFromConfig(w.meshProducer())
	grant := func(on *lftypes.Resource, permissions ...lftypes.Permission) {
		t.Helper()
		_, err := lake.GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(w.org.Lines)},
			Resource: on, Permissions: permissions, PermissionsWithGrantOption: permissions})
		w.must(err)
	}
	table := &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(product), Name: aws.String(people)}}
	grant(table, lftypes.PermissionSelect)
	id := w.asksAs(w.consumer, lakemesh.Scope{Principals: []string{w.org.Lines}})
	p, err := w.producer.PlanApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
	w.must(err)
	warns(t, "over a grant by hand", p.Warnings, "every account of "+w.org.Lines+" holds SELECT", "which lakemesh did not grant")
	w.approve(id)
	w.holds(w.org.Lines, map[string]string{"database": "DESCRIBE / DESCRIBE", people: "DESCRIBE, SELECT / DESCRIBE, SELECT"})
	v, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(t.Context(), producer.VerifyInput{}) })
	w.must(err)
	for _, f := range v.Findings {
		t.Errorf("while it is active the owner is told %s %s %s: %s", f.Kind, f.Link, f.Resource, f.What)
	}
	// A by-hand grant that nobody decided is told of.
	grant(table, lftypes.PermissionInsert)
	v, err = w.known(func() (*chain.Verification, error) { return w.producer.Verify(t.Context(), producer.VerifyInput{}) })
	w.must(err)
	if len(v.Findings) != 1 || v.Findings[0].Kind != chain.Undecided || v.Findings[0].Principal != w.org.Lines || !strings.Contains(v.Findings[0].What, "INSERT") {
		t.Errorf("of a grant by hand the owner is told %+v", v.Findings)
	}
	w.end(id)
	w.holds(w.org.Lines, map[string]string{people: "INSERT, SELECT / INSERT, SELECT"})
}

// What falls out of the unit's grants and shares by other means is found by its owner and the
// administrator, and mended.
func TestWhatFellOutOfAUnitsGrantsIsMended(t *testing.T) {
	t.Parallel()
	w := newUnitWorld(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.asksAs(w.consumer, lakemesh.Scope{Principals: []string{w.org.Lines, w.org.Retail}})
	w.approve(id)
	w.finalize(id, analyst)
	lake := lakeformation.NewFromConfig(w.meshProducer())
	found := func(when string, want int) *chain.Verification {
		t.Helper()
		v, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(t.Context(), producer.VerifyInput{}) })
		w.must(err)
		a, err := admin.New(t.Context(), w.Options(meshAccount))
		w.must(err)
		all, err := w.known(func() (*chain.Verification, error) { return a.Verify(t.Context(), admin.VerifyInput{}) })
		w.must(err)
		for name, findings := range map[string][]chain.Finding{"owner": v.Findings, "administrator": all.Findings} {
			if len(findings) != want || want > 0 && (findings[0].Kind != chain.Missing || findings[0].Principal != w.org.Lines) {
				t.Errorf("%s the %s is told %+v", when, name, findings)
			}
		}
		return v
	}
	found("while all of it is there", 0)
	_, err := lake.RevokePermissions(t.Context(), &lakeformation.RevokePermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(w.org.Lines)},
		Resource: &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(product), Name: aws.String(people)}}, Permissions: []lftypes.Permission{lftypes.PermissionSelect},
		PermissionsWithGrantOption: []lftypes.Permission{lftypes.PermissionSelect}})
	w.must(err)
	v := found("when a grant is gone", 1)
	_, err = w.producer.Repair(t.Context(), v)
	w.must(err)
	found("when it was mended", 0)
	w.holds(w.org.Lines, map[string]string{"database": "DESCRIBE / DESCRIBE", people: "DESCRIBE, SELECT / DESCRIBE, SELECT"})
	w.importsAs(w.consumer, id, analyst)
	w.sees(analyst, allPeople()...)
}

// explainsTo asks the owner and a consumer together.
func (w *unitWorld) explainsTo(c *consumer.Consumer, principal string) *chain.Explanation {
	w.t.Helper()
	q := chain.Question{Database: product, Table: people, Principal: principal}
	owner, err := w.producer.Explain(w.ctx(), q)
	w.must(err)
	receiver, err := c.Explain(w.ctx(), q)
	w.must(err)
	return chain.Together(owner, receiver)
}

// A role of a member account is explained by its unit. Whether its account is in it the owner
// does not guess.
func TestAMembersRoleIsExplainedByItsUnit(t *testing.T) {
	t.Parallel()
	w := newUnitWorld(t)
	foreign := w.Reader(otherConsumer, "Analyst")
	other := w.openConsumer(otherConsumer)
	first := w.asksAs(w.consumer, lakemesh.Scope{Principals: []string{w.org.Lines}})
	w.approve(first)
	w.finalize(first)
	q := chain.Question{Database: product, Table: people, Principal: foreign}
	owner, err := w.producer.Explain(t.Context(), q)
	w.must(err)
	in := stepOf(owner, chain.ThroughUnits, chain.Invitation)
	if owner.Verdict != chain.Untold || in.State != chain.NotSeen || in.Sees != chain.Consumer || !strings.Contains(in.What, "is in "+w.org.Lines) {
		t.Errorf("the owner says %s; %s", owner.Verdict, chainOf(owner))
	}
	if s := stepOf(owner, chain.ThroughUnits, chain.Record); s.State != chain.Holds || !strings.Contains(s.What, first) {
		t.Errorf("why is %+v", s)
	}
	says := func(when string, want chain.Verdict, broken chain.Link) {
		t.Helper()
		var e *chain.Explanation
		if !w.inTheEnd(func() bool {
			e = w.explainsTo(other, foreign)
			step := stepOf(e, chain.ThroughUnits, broken)
			return e.Verdict == want && (broken == "" || step.State == chain.Broken)
		}) {
			t.Errorf("%s it is said %s, want %s; %s", when, e.Verdict, want, chainOf(e))
		}
	}
	says("before anything is handed on", chain.Cannot, chain.HandedOn)
	second := w.asksAs(other, lakemesh.Scope{Principals: []string{w.org.Lines}})
	w.approve(second)
	w.importsAs(other, second, foreign)
	says("when it is handed on", chain.Can, "")
	w.org.Move(otherConsumer, w.org.ARN)
	says("when its account has moved out", chain.Cannot, chain.Invitation)
	w.sees(foreign)
	w.org.Move(otherConsumer, w.org.Retail)
	w.importsAs(other, second, foreign)
	w.end(second)
	says("when another account's subscription stays", chain.Can, "")
}

// Each end of a subscription of several to one unit ends what it alone gives.
func TestTheEndsOfTwoSubscriptionsToAUnit(t *testing.T) {
	t.Parallel()
	w := newUnitWorld(t)
	var ahead time.Duration
	now := func() time.Time { return time.Now().Add(ahead) }
	options := w.Options(producerAccount)
	options.Now = now
	var err error
	w.producer, err = producer.New(t.Context(), options)
	w.must(err)
	w.producers[producerAccount] = w.producer
	foreign := w.Reader(otherConsumer, "Analyst")
	other := w.openConsumer(otherConsumer)
	ask := func(c *consumer.Consumer, until time.Time) string {
		t.Helper()
		out, err := c.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product, Tables: []string{people},
			RequestPermissions: []string{"SELECT", "DESCRIBE"}, Scope: lakemesh.Scope{Principals: []string{w.org.Retail}}, Until: until})
		w.must(err)
		w.approve(out.SubscriptionID)
		return out.SubscriptionID
	}
	short := ask(w.consumer, now().Add(time.Hour))
	long := ask(other, time.Time{})
	w.importsAs(other, long, foreign)
	list, err := w.producer.AccessList(t.Context(), producer.AccessListInput{ListFilter: access.ListFilter{Table: people, Principal: w.org.Retail}})
	w.must(err)
	if len(list.Entries) != 1 || !slices.Equal(list.Entries[0].Through, slices.Sorted(slices.Values([]string{short, long}))) || list.Entries[0].Until != nil {
		t.Errorf("listed is %+v", list.Entries)
	}
	mine, err := other.AccessList(t.Context(), consumer.AccessListInput{ListFilter: access.ListFilter{Table: people, Principal: otherConsumer}})
	w.must(err)
	if !slices.ContainsFunc(mine.Entries, func(e access.Entry) bool {
		return e.Principal == w.org.Retail && slices.Equal(e.Through, []string{long})
	}) ||
		!slices.ContainsFunc(mine.Entries, func(e access.Entry) bool { return e.Principal == foreign && slices.Equal(e.Through, []string{long}) }) {
		t.Errorf("the member lists %+v", mine.Entries)
	}
	ahead = 2 * time.Hour
	out, err := w.producer.ExpireSubscriptions(t.Context())
	w.must(err)
	if !slices.Equal(out.Subscriptions, []string{short}) {
		t.Errorf("ended are %v", out.Subscriptions)
	}
	w.sees(foreign, allPeople()...)
	w.end(long)
	w.sees(foreign)
	w.opens()
}

// A consumer writes with its own role what lakemesh would not: another organization, or a unit
// beside a role of its own. Nobody grants that.
func TestRawRequestsForUnitsGrantNothing(t *testing.T) {
	t.Parallel()
	w := newUnitWorld(t)
	for name, principals := range map[string][]string{
		"another organization":  {"arn:aws:organizations::333333333333:organization/o-strangers12"},
		"a unit beside a role":  {"arn:aws:iam::" + consumerAccount + ":role/Analyst", w.org.Lines},
		"no organization":       {"arn:aws:organizations::" + meshtest.Manager + ":root/x"},
		"with a wildcard":       {w.org.ARN[:len(w.org.ARN)-1] + "*"},
		"a role elsewhere":      {"arn:aws:iam::" + otherConsumer + ":role/Analyst"},
		"a policy of the units": {"arn:aws:organizations::" + meshtest.Manager + ":ou/o-x/ou-y:" + w.org.Lines},
	} {
		records := tracker.New(tracker.Options{Config: w.meshConsumer(), MeshAccount: meshAccount, By: self()})
		_, words, err := records.PendingTwin(t.Context(), producerAccount, consumerAccount, tracker.Words{Database: product, Tables: []string{people},
			Requested: lakemesh.NewPermissions(lakemesh.Select), Scope: lakemesh.Scope{Principals: principals}})
		w.must(err)
		if err := records.Request(t.Context(), producerAccount, consumerAccount, words); err != nil {
			continue
		}
		id := words.ID(producerAccount, consumerAccount)
		if err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id}); !errors.Is(err, lakemesh.ErrInvalidInput) && !errors.Is(err, lakemesh.ErrTampered) {
			t.Errorf("%s: approved: %v", name, err)
		}
		for _, p := range principals {
			w.holds(p, nil)
		}
	}
	w.has()
}

// Whoever asked for a unit and leaves is told that others lose access as well, and they do unless
// another subscription gives it.
func TestLeavingWhatAUnitWasGranted(t *testing.T) {
	t.Parallel()
	w := newUnitWorld(t)
	analyst, foreign := w.Reader(consumerAccount, "Analyst"), w.Reader(otherConsumer, "Analyst")
	other := w.openConsumer(otherConsumer)
	var ids []string
	for _, c := range []*consumer.Consumer{w.consumer, other} {
		ids = append(ids, w.asksAs(c, lakemesh.Scope{Principals: []string{w.org.Retail}}))
		w.approve(ids[len(ids)-1])
	}
	w.finalize(ids[0], analyst)
	w.importsAs(other, ids[1], foreign)
	for i, c := range []*consumer.Consumer{w.consumer, other} {
		p, err := c.PlanDeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: ids[i]})
		w.must(err)
		warns(t, "of a departure", p.Warnings, "every account of "+w.org.Retail, "lose")
		w.must(c.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: ids[i]}))
		_, err = w.producer.SettleDepartures(t.Context())
		w.must(err)
		if i == 0 {
			w.sees(foreign, allPeople()...)
			w.sees(analyst)
			w.opens(people)
		}
	}
	w.sees(foreign)
	w.holds(w.org.Retail, nil)
	w.opens()
}
