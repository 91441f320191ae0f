package adversary_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/producer"
)

// These are the rows about what reports tell: lists of access, verifications and what they
// repair go by records, and each party writes some of these.

func aTruth(v bool) dynamotypes.AttributeValue {
	return &dynamotypes.AttributeValueMemberBOOL{Value: v}
}

// takenOver has the rival say that it took over what a consumer holds on a database, and
// returns the id.
func (s *scene) takenOver(database, subscriber string, tables []string, more attributes) string {
	s.t.Helper()
	held := lakemesh.NewPermissions(lakemesh.Select, lakemesh.Describe)
	words := tracker.Words{Database: database, Tables: tables, Requested: held, By: "me"}
	id := words.ID(rivalAccount, subscriber)
	all := attributes{"Status": aText("Active"), "DatabaseName": aText(database), "TableName": aList(tables...), "RequestedGrants": aList(held.Strings()...), "PermittedGrants": aList(held.Strings()...),
		"GrantableGrants": aList(held.Strings()...), "CreatedBy": aText("me"), "CreationDate": aText("2022-03-04 05:06:07"), "Digest": aText(words.Digest()), "Unasked": aTruth(true), "Revision": aNumber("1"), "Version": aNumber("1")}
	maps.Copy(all, more)
	s.must(s.write(s.rivalInMesh(), lakemesh.DecisionsTable, id, all))
	s.must(s.write(s.rivalInMesh(), lakemesh.DecisionsTable, rivalAccount+"-"+subscriber, attributes{"Active": aSet(id)}))
	s.must(s.write(s.rivalInMesh(), lakemesh.DecisionsTable, rivalAccount+"-directory", attributes{"Subscribers": aSet(subscriber)}))
	return id
}

// administers is the mesh's administrator.
func (s *scene) administers() *admin.Admin {
	s.t.Helper()
	a, err := admin.New(s.ctx(), s.Options(lakeAccount))
	s.must(err)
	return a
}

// onVictims are the entries of a list on the victim's product, of accounts.
func onVictims(list *access.List) []access.Entry {
	return slices.DeleteFunc(slices.Clone(list.Entries), func(e access.Entry) bool {
		return e.Database != rowProduct || e.Principal != e.Account || e.Account == victimAccount
	})
}

// A producer writes what it likes into its own decisions. Lists and verifications of others
// go on without what cannot be read.
func TestWhatAProducerWritesKeepsNobodyFromLookingAtAccess(t *testing.T) {
	t.Parallel()
	g := lived(t)
	for name, more := range map[string]attributes{
		"what it found":         {"Found": aList("x", "{", `{"Permissions":["SELECT"]}`)},
		"permissions":           {"PermittedGrants": aList("", "x y", "ALL", "\x1b[2J"), "GrantableGrants": aList("nothing")},
		"a claim":               {"Claim": &dynamotypes.AttributeValueMemberM{Value: attributes{"Action": aText("update"), "Permissions": aList("x"), "Grantable": aList("y")}}},
		"shares that are not":   {"RamShares": &dynamotypes.AttributeValueMemberM{Value: attributes{"x": &dynamotypes.AttributeValueMemberM{Value: attributes{"type": aText("Table"), "arn": aText("arn:aws:ram:us-east-1:" + lakeAccount + ":resource-share/0b1c2d3e-1111-2222-3333-444444444444")}}}}},
		"shares":                {"RamShares": &dynamotypes.AttributeValueMemberM{Value: attributes{"x": &dynamotypes.AttributeValueMemberM{Value: attributes{"type": aText("Table"), "arn": aText("x")}}}}},
		"a database of no name": {"DatabaseName": aText(" ")},
		"a name of all tables":  {"TableName": aList("*", "all_tables", "ALL_TABLES")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := g.play(t)
			s.takenOver(rowProduct, honestAccount, []string{rowOrders}, more)
			a := s.administers()
			_, err := a.AccessList(s.ctx(), admin.AccessListInput{})
			s.check("the administrator's list", err)
			_, err = a.Verify(s.ctx(), admin.VerifyInput{})
			s.check("the administrator's verification", err)
			now := time.Now()
			_, err = a.AccessList(s.ctx(), admin.AccessListInput{At: &now})
			s.check("the administrator's list of then", err)
			_, err = s.honest.AccessList(s.ctx(), consumer.AccessListInput{})
			s.check("the consumer's list", err)
			_, err = s.honest.Verify(s.ctx(), consumer.VerifyInput{})
			s.check("the consumer's verification", err)
		})
	}
}

// What a producer says about the product of another one justifies nothing there.
func TestAProducersWordJustifiesNothingOnTheProductOfAnother(t *testing.T) {
	t.Parallel()
	s := lived(t).play(t)
	a := s.administers()
	list, err := a.AccessList(s.ctx(), admin.AccessListInput{})
	s.must(err)
	before := onVictims(list)
	v, err := a.Verify(s.ctx(), admin.VerifyInput{})
	s.must(err)
	found := len(v.Findings)

	// Somebody grants by hand, and the rival says that it was a decision.
	s.grantOn(s.as(lakeAccount, lakemesh.MeshProducerRole(victimAccount)), rowProduct, honestAccount, rowCustomers)
	id := s.takenOver(rowProduct, honestAccount, []string{rowCustomers, rowOrders}, nil)

	list, err = a.AccessList(s.ctx(), admin.AccessListInput{})
	s.must(err)
	for _, e := range onVictims(list) {
		if slices.Contains(e.Through, id) {
			t.Errorf("%s of %s on %s is there through %v, which is the rival's", e.Permissions, e.Principal, e.Table, e.Through)
		}
	}
	if got := len(onVictims(list)); got != len(before)+1 {
		t.Errorf("there are %d entries, want %d and the one by hand:\n%+v", got, len(before), onVictims(list))
	}
	for _, e := range list.Entries {
		if e.Database == rowProduct && strings.Contains(e.Principal, victimAccount) && e.Origin == access.ByHand {
			t.Errorf("what the owner has of its own is told as granted by hand: %+v", e)
		}
	}
	v, err = a.Verify(s.ctx(), admin.VerifyInput{})
	s.must(err)
	byHand := false
	for _, f := range v.Findings {
		byHand = byHand || f.Database == rowProduct && f.Principal == honestAccount && slices.Contains(f.Tables, rowCustomers) && string(f.Kind) == "undecided" && string(f.Link) == "grant"
		if string(f.Kind) == "missing" && slices.Contains(f.Subscriptions, id) {
			t.Errorf("what the rival says is missing: %+v", f)
		}
	}
	if !byHand {
		t.Errorf("what was granted by hand is not found, of %d and before %d findings: %+v", len(v.Findings), found, v.Findings)
	}
	mine, err := s.honest.AccessList(s.ctx(), consumer.AccessListInput{})
	s.must(err)
	for _, e := range mine.Entries {
		if slices.Contains(e.Through, id) {
			t.Errorf("to the consumer, %s on %s is there through %v, which is the rival's", e.Permissions, e.Table, e.Through)
		}
	}
}

// A side tells in its history what it did itself. What it says of the other one's deeds is
// not true because it stands there.
func TestASidesHistoryTellsOfItsOwnDeedsOnly(t *testing.T) {
	t.Parallel()
	g := lived(t)
	t.Run("a consumer says that its subscription has ended", func(t *testing.T) {
		t.Parallel()
		s := g.play(t)
		id := s.ids["hostile active"]
		for _, action := range []string{"delete", "update", "deny", "abort", "cancel"} {
			s.tellsInHistory(s.hostileInMesh(), lakemesh.SubscriptionsTable, id, attributes{"Action": aText(action), "To": aText("Deleted"), "From": aText("Active"), "By": aText("arn:aws:iam::" + victimAccount + ":role/x")})
			at := time.Now().Add(time.Minute)
			list, err := s.victim.AccessList(s.ctx(), producer.AccessListInput{At: &at})
			s.must(err)
			if !slices.ContainsFunc(list.Entries, func(e access.Entry) bool { return e.Principal == hostileAccount && e.Table == rowOrders }) {
				t.Errorf("%s: the list of then has not what the consumer holds: %+v", action, list)
			}
			list, err = s.administers().AccessList(s.ctx(), admin.AccessListInput{At: &at})
			s.must(err)
			if !slices.ContainsFunc(list.Entries, func(e access.Entry) bool { return e.Principal == hostileAccount && e.Table == rowOrders }) {
				t.Errorf("%s: the administrator's list of then has not what the consumer holds: %+v", action, list)
			}
		}
	})
	t.Run("a consumer says that it was granted more", func(t *testing.T) {
		t.Parallel()
		s := g.play(t)
		id := s.ids["hostile active"]
		s.tellsInHistory(s.hostileInMesh(), lakemesh.SubscriptionsTable, id, attributes{"Action": aText("approve"), "To": aText("Active"), "Permissions": aList("ALL"), "Tables": aList(rowCustomers)})
		at := time.Now().Add(time.Minute)
		list, err := s.victim.AccessList(s.ctx(), producer.AccessListInput{At: &at})
		s.must(err)
		for _, e := range list.Entries {
			if e.Principal == hostileAccount && (e.Table == rowCustomers || e.Permissions.Has(lakemesh.All)) {
				t.Errorf("the list of then has what nobody decided: %+v", e)
			}
		}
	})
	t.Run("an owner says whom its consumer handed on to", func(t *testing.T) {
		t.Parallel()
		s := g.play(t)
		id := s.ids["honest active"]
		somebody := meshtest.Administrator(honestAccount)
		s.tellsInHistory(s.as(lakeAccount, lakemesh.MeshProducerRole(victimAccount)), lakemesh.DecisionsTable, id, attributes{"Action": aText("import"), "To": aText("Active"), "Reason": aText("handed on to " + somebody)})
		v, err := s.honest.Verify(s.ctx(), consumer.VerifyInput{})
		s.must(err)
		for _, f := range v.Findings {
			if f.Principal == somebody || strings.Contains(f.Command, somebody) {
				t.Errorf("it is to be handed on to somebody whom the owner chose: %+v", f)
			}
		}
		_, err = s.honest.Repair(s.ctx(), v)
		s.check("repair", err)
		again, err := s.honest.AccessList(s.ctx(), consumer.AccessListInput{})
		s.must(err)
		for _, e := range again.Entries {
			if e.Principal == somebody {
				t.Errorf("it was handed on to somebody whom the owner chose: %+v", e)
			}
		}
	})
}

// A repair does nothing that nobody of the account asked for: what an owner says that it
// took over is not imported by one.
func TestARepairImportsNothingThatNobodyAskedFor(t *testing.T) {
	t.Parallel()
	s := lived(t).play(t)
	product := lakemesh.MeshDatabaseName(rowSource, rivalAccount)
	s.grantOn(s.rivalInMesh(), product, honestAccount, rowOrders)
	id := s.takenOver(product, honestAccount, []string{rowOrders}, nil)
	v, err := s.honest.Verify(s.ctx(), consumer.VerifyInput{})
	s.must(err)
	_, err = s.honest.Repair(s.ctx(), v)
	s.check("repair", err)
	r, err := s.honest.GetSubscription(s.ctx(), id)
	s.must(err)
	if r.Imported {
		t.Errorf("it was imported: %+v", r)
	}
	if _, ok := s.links(honestAccount)[product]; ok {
		t.Errorf("links are %v", s.links(honestAccount))
	}
	if got := s.links(honestAccount); len(got) == 0 {
		t.Error("no link is there at all")
	}
}

// Nobody else chooses when the mesh's administrator takes an account out of the mesh.
func TestNobodyKeepsAnAccountInTheMesh(t *testing.T) {
	t.Parallel()
	t.Run("a consumer, by what an owner says", func(t *testing.T) {
		t.Parallel()
		for name, more := range map[string]attributes{"taken over": nil, "being decided": {"Claim": &dynamotypes.AttributeValueMemberM{Value: attributes{"Action": aText("approve"), "Holder": aText("x")}}},
			"asked for": {"Unasked": nil}, "of the original": {"Unasked": nil, "AdoptedFrom": aText(lakemesh.NewShortID())}} {
			s := newScene(t)
			product := lakemesh.MeshDatabaseName(rowSource, rivalAccount)
			id := s.takenOver(product, hostileAccount, []string{rowOrders}, more)
			s.try(s.rivalInMesh(), lakemesh.SubscriptionsTable, id, attributes{"Status": aText("Active")})
			_, err := s.administers().DisableAccount(s.ctx(), admin.DisableInput{AccountID: hostileAccount, Type: admin.Consumer})
			s.check(name, err)
		}
	})
	t.Run("a producer, by what another one grants it", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		product := lakemesh.MeshDatabaseName(rowSource, rivalAccount)
		s.grantOn(s.rivalInMesh(), product, lakemesh.RoleARN(lakeAccount, lakemesh.MeshProducerRole(victimAccount)), rowOrders, lftypes.PermissionAll)
		s.grantOn(s.rivalInMesh(), product, lakemesh.RoleARN(lakeAccount, lakemesh.MeshProducerRole(victimAccount)), rowCustomers, lftypes.PermissionDrop)
		s.must(s.grantDatabase(s.rivalInMesh(), product, lakemesh.RoleARN(lakeAccount, lakemesh.MeshProducerRole(victimAccount)), lftypes.PermissionAll))
		_, err := s.victim.UnpublishDataProducts(s.ctx(), producer.UnpublishInput{SourceDatabaseName: rowSource})
		s.must(err)
		_, err = s.administers().DisableAccount(s.ctx(), admin.DisableInput{AccountID: victimAccount, Type: admin.Producer})
		s.check("disable", err)
	})
}

// A producer counts in its ledgers what it never wrote. Who reads the ledgers of all looks
// for no more than is there.
func TestEndedSubscriptionsThatWereNeverWrittenAreNotLookedFor(t *testing.T) {
	t.Parallel()
	s := lived(t).play(t)
	a := s.administers()
	count := func() int {
		s.ResetCounts()
		at := time.Now()
		_, err := a.AccessList(s.ctx(), admin.AccessListInput{At: &at})
		s.must(err)
		return s.Count("dynamodb:BatchGetItem")
	}
	before := count()
	var subscribers []string
	for n := range 40 {
		subscriber := fmt.Sprintf("4%011d", n)
		subscribers = append(subscribers, subscriber)
		s.must(s.write(s.rivalInMesh(), lakemesh.DecisionsTable, rivalAccount+"-"+subscriber, attributes{"Ended": aNumber("2000000000")}))
	}
	s.must(s.write(s.rivalInMesh(), lakemesh.DecisionsTable, rivalAccount+"-directory", attributes{"Subscribers": aSet(subscribers...)}))
	if after := count(); after > before+20 {
		t.Errorf("it took %d calls, and before %d", after, before)
	}
}
