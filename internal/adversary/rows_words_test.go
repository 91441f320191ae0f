package adversary_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/producer"
)

// Row 4.
func TestNothingIsGrantedThatWasNotShown(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.ids["asked"] = s.ask(s.hostile, []string{rowOrders}, "DESCRIBE")
	g := s.keep()
	shown := map[string]func(s *scene) error{
		"listed": func(s *scene) error {
			out, err := s.victim.ListPendingAccessRequests(s.ctx())
			if err == nil && (len(out.Subscriptions) != 1 || !slices.Equal(out.Subscriptions[0].RequestedGrants, []string{"DESCRIBE"}) || out.Subscriptions[0].Tampered != "") {
				t.Errorf("listed is %+v", out.Subscriptions)
			}
			return err
		},
		"dry-run": func(s *scene) error {
			_, err := s.victim.PlanApproveAccessRequest(s.ctx(), producer.ApproveInput{RequestID: s.ids["asked"]})
			return err
		},
	}
	for name, rewritten := range map[string]attributes{
		"all on another table": {"RequestedGrants": aList("ALL"), "TableName": aList(rowCustomers)},
		"all":                  {"RequestedGrants": aList("ALL")},
		"more":                 {"RequestedGrants": aList("DESCRIBE", "SELECT")},
		"another table":        {"TableName": aList(rowCustomers)},
		"more tables":          {"TableName": aList(rowOrders, rowCustomers)},
		"the whole database":   {"TableName": nil},
		"another database":     {"DatabaseName": aText(lakemesh.MeshDatabaseName(rowSource, rivalAccount))},
		"expressions":          {"RequestedExpressions": aList(".*")},
		"somebody else's name": {"CreatedBy": aText("arn:aws:iam::" + honestAccount + ":role/Director")},
		"other notes":          {"Notes": aSet("as agreed with your director")},
		"asked before":         {"Asked": aText("1")},
	} {
		for how, show := range shown {
			if how == "dry-run" && !longRows() && name != "all on another table" {
				continue
			}
			t.Run(name+", after it was "+how, func(t *testing.T) {
				t.Parallel()
				s := g.play(t)
				s.must(show(s))
				s.must(s.write(s.hostileInMesh(), lakemesh.SubscriptionsTable, s.ids["asked"], rewritten))
				if err := s.approve(s.ids["asked"]); !errors.Is(err, lakemesh.ErrTampered) {
					t.Errorf("approve: %v, want tampered", err)
				}
				s.holds("after the approval", hostileAccount, nil)
				out, err := s.victim.ListPendingAccessRequests(s.ctx())
				if err != nil || len(out.Subscriptions) != 1 || out.Subscriptions[0].Tampered == "" {
					t.Errorf("listed is %+v, %v; want it as tampered", out, err)
				}
				s.check("deny", s.victim.DenyAccessRequest(s.ctx(), producer.DenyInput{RequestID: s.ids["asked"]}))
			})
		}
	}
}

// A plan that was shown binds the decision to everything that it depends on.
func TestAnApprovalOfWhatWasShownIsRefusedWhenAnythingElseWouldBeDone(t *testing.T) {
	t.Parallel()
	begin := newScene(t)
	begin.ids["whole"] = begin.ask(begin.honest, nil, "DESCRIBE")
	begin.ids["reads"] = begin.ask(begin.honest, []string{rowOrders}, "SELECT")
	begin.ids["one"] = begin.ask(begin.hostile, []string{rowOrders}, "SELECT", "DESCRIBE")
	g := begin.keep()
	for name, test := range map[string]struct {
		id     string
		change func(s *scene)
		want   error
	}{
		"nothing changed":             {"one", func(*scene) {}, nil},
		"nothing changed, all tables": {"whole", func(*scene) {}, nil},
		"the request was rewritten": {"one", func(s *scene) {
			s.must(s.write(s.hostileInMesh(), lakemesh.SubscriptionsTable, s.ids["one"], attributes{"TableName": aList(rowCustomers)}))
		}, lakemesh.ErrTampered},
		"the database has a table more": {"whole", func(s *scene) {
			s.Table(victimAccount, rowSource, meshtest.CSV("returns", "s3://"+rowBucket+"/returns/"))
			s.must(s.publish(s.victim, ""))
		}, lakemesh.ErrChanged},
		"it holds something by now": {"one", func(s *scene) {
			_, err := lakeformation.NewFromConfig(s.as(lakeAccount, lakemesh.MeshProducerRole(victimAccount))).GrantPermissions(s.ctx(), &lakeformation.GrantPermissionsInput{
				Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(hostileAccount)}, Permissions: []lftypes.Permission{lftypes.PermissionDescribe},
				PermissionsWithGrantOption: []lftypes.Permission{lftypes.PermissionDescribe},
				Resource:                   &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(rowProduct), Name: aws.String(rowOrders)}}})
			s.must(err)
		}, lakemesh.ErrChanged},
		"another approval opened its bucket": {"one", func(s *scene) { s.must(s.approve(s.ids["reads"])) }, lakemesh.ErrChanged},
		"another approval is none of its":    {"one", func(s *scene) { s.must(s.approve(s.ids["whole"])) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := g.play(t)
			id := s.ids[test.id]
			shown, err := s.victim.PlanApproveAccessRequest(s.ctx(), producer.ApproveInput{RequestID: id})
			s.must(err)
			test.change(s)
			if err := s.victim.ApproveAccessRequest(s.ctx(), producer.ApproveInput{RequestID: id, Expect: shown.Digest}); !errors.Is(err, test.want) {
				t.Errorf("approve as shown: %v, want %v", err, test.want)
			}
			if r, err := s.victim.GetSubscription(s.ctx(), id); err != nil || (test.want != nil) != (r.Status == lakemesh.Pending && r.Claim == nil) {
				t.Errorf("it is %+v, %v", r, err)
			}
		})
	}
}

// The digest of a decision's plan also tells apart what is granted.
func TestADigestThatWasShownIsOfOneDecision(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	id := s.ask(s.hostile, []string{rowOrders}, "SELECT", "DESCRIBE")
	less := producer.ApproveInput{RequestID: id, GrantPermissions: []string{"DESCRIBE"}}
	shown, err := s.victim.PlanApproveAccessRequest(s.ctx(), less)
	s.must(err)
	for name, in := range map[string]producer.ApproveInput{
		"all of it":                 {RequestID: id},
		"to be handed on by nobody": {RequestID: id, GrantPermissions: less.GrantPermissions, GrantablePermissions: []string{}},
	} {
		in.Expect = shown.Digest
		if err := s.victim.ApproveAccessRequest(s.ctx(), in); !errors.Is(err, lakemesh.ErrChanged) {
			t.Errorf("%s: %v, want changed", name, err)
		}
	}
	s.holds("after what was refused", hostileAccount, nil)
	less.Expect = shown.Digest
	s.must(s.victim.ApproveAccessRequest(s.ctx(), less))
	s.holds("in the end", hostileAccount, map[string]string{rowOrders: "DESCRIBE"})
}

// Row 5: what cannot be read is refused, and never the whole database.
func TestTablesThatCannotBeReadAreNotTheWholeDatabase(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.ids["asked"] = s.ask(s.hostile, []string{rowOrders}, "SELECT", "DESCRIBE")
	s.ids["all"] = s.ask(s.hostile, nil, "SELECT", "DESCRIBE")
	s.ids["active"] = s.active(s.hostile, rowCustomers)
	g := s.keep()
	values := otherKinds()
	maps.Copy(values, map[string]dynamotypes.AttributeValue{
		"bytes that unpack to nothing":  packedNames([]string{}),
		"bytes that unpack to no list":  gzipped(`{"a":1}`),
		"bytes that unpack to null":     gzipped(`null`),
		"bytes that unpack to numbers":  gzipped(`[1,2]`),
		"bytes that unpack to too much": gzipped(`["` + strings.Repeat("a", 32<<20) + `"]`),
		"bytes that end early":          &dynamotypes.AttributeValueMemberB{Value: []byte{0x1f, 0x8b, 8, 0}},
		// Another name than was asked for: one that is the same says the same.
		"a string":                         aText(rowOrdersEU),
		"an empty name":                    aList(""),
		"a name and a number":              &dynamotypes.AttributeValueMemberL{Value: []dynamotypes.AttributeValue{aText(rowOrders), aNumber("1")}},
		"an expression":                    aList(".*"),
		"a wildcard":                       aList("*"),
		"names with a wildcard among them": aList(rowOrders, "*"),
	})
	for n, name := range slices.Sorted(maps.Keys(values)) {
		if !longRows() && n%2 == 1 && name != "a number" {
			continue
		}
		value := values[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := g.play(t)
			held := map[string]string{rowCustomers: "DESCRIBE, SELECT"}
			var all []string
			for _, id := range []string{"asked", "all", "active"} {
				s.must(s.write(s.hostileInMesh(), lakemesh.SubscriptionsTable, s.ids[id], attributes{"TableName": value}))
			}
			// One that was never anything else, and whose id is that of a request for everything.
			words := tracker.Words{Database: rowProduct, Whole: true, Requested: lakemesh.NewPermissions(lakemesh.Select), By: "me"}
			made := words.ID(victimAccount, hostileAccount)
			s.must(s.write(s.hostileInMesh(), lakemesh.SubscriptionsTable, made, attributes{"DatabaseName": aText(rowProduct), "RequestedGrants": aList("SELECT"),
				"CreatedBy": aText("me"), "Status": aText("Pending"), "OwnerPrincipal": aText(victimAccount), "SubscriberPrincipal": aText(hostileAccount), "TableName": value}))
			all = append(all, s.ids["asked"], s.ids["all"], made)
			for _, id := range all {
				if err := s.approve(id); err == nil {
					t.Errorf("%s was approved", id)
				}
			}
			s.holds("after the approvals", hostileAccount, held)
			out, err := s.victim.ListPendingAccessRequests(s.ctx())
			s.check("list what is pending", err)
			if out != nil {
				for _, r := range out.Subscriptions {
					if r.Tampered == "" {
						t.Errorf("listed as good: %+v", r)
					}
				}
			}
			if r, err := s.victim.GetSubscription(s.ctx(), s.ids["active"]); err != nil || r.WholeDatabase() || !slices.Equal(r.Tables, []string{rowCustomers}) {
				t.Errorf("the active one is read as %+v, %v", r, err)
			}
			// What is published next is nobody's.
			s.Table(victimAccount, rowSource, meshtest.CSV("returns", "s3://"+rowBucket+"/returns/"))
			s.check("publish again", s.publish(s.victim, ""))
			s.holds("after the publication", hostileAccount, held)
			for _, id := range all {
				s.check("deny", s.victim.DenyAccessRequest(s.ctx(), producer.DenyInput{RequestID: id}))
			}
			s.check("end", s.end(s.ids["active"]))
			s.holds("in the end", hostileAccount, nil)
		})
	}
}

// Row 7: a record of the original library, whose id names no accounts.
func TestARecordWhoseIDNamesNoAccountsGrantsNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	id := lakemesh.NewShortID()
	record := attributes{"OwnerPrincipal": aText(victimAccount), "SubscriberPrincipal": aText(honestAccount), "Status": aText("Active"), "DatabaseName": aText(rowProduct),
		"RequestedGrants": aList("SELECT"), "PermittedGrants": aList("SELECT", "DESCRIBE"), "GrantableGrants": aList("SELECT"), "CreationDate": aText("2022-03-04 05:06:07"), "CreatedBy": aText("somebody")}
	administrator := s.Config(meshtest.Administrator(lakeAccount))
	s.must(s.write(administrator, lakemesh.SubscriptionsTable, id, record))
	publish := func(table string) {
		s.Table(victimAccount, rowSource, meshtest.CSV(table, "s3://"+rowBucket+"/"+table+"/"))
		s.check("publish again", s.publish(s.victim, ""))
		s.holds("after the publication of "+table, hostileAccount, nil)
		s.holds("after the publication of "+table, honestAccount, nil)
	}
	// With the rights of its role, and as it would be if it had had more.
	for _, cfg := range []aws.Config{s.hostileInMesh(), s.rivalInMesh()} {
		s.try(cfg, lakemesh.SubscriptionsTable, id, attributes{"SubscriberPrincipal": aText(hostileAccount)})
		s.try(cfg, lakemesh.SubscriptionsTable, lakemesh.NewShortID(), record)
	}
	publish("returns")
	s.must(s.write(administrator, lakemesh.SubscriptionsTable, id, attributes{"SubscriberPrincipal": aText(hostileAccount)}))
	publish("refunds")
	for name, err := range map[string]error{
		"update": s.update(id, "SELECT"), "end": s.end(id), "approve": s.approve(id),
		"import": s.finalize(s.hostile, id), "leave": s.hostile.DeleteSubscription(s.ctx(), consumer.LeaveInput{SubscriptionID: id}),
	} {
		if err == nil {
			t.Errorf("%s was done on a record whose id names no accounts", name)
		}
	}
	for _, status := range []lakemesh.Status{lakemesh.Active, lakemesh.Pending, ""} {
		out, err := s.victim.ListSubscriptions(s.ctx(), producer.ListSubscriptionsInput{Status: status})
		if err != nil || len(out.Subscriptions) > 0 {
			t.Errorf("the victim lists %+v, %v", out, err)
		}
	}
	s.holds("in the end", hostileAccount, nil)
}
