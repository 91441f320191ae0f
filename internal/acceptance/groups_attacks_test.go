package acceptance_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// Somebody tries to have more of a group than was decided, to keep what was ended, and to stand
// in the way of others.

func (w *groups) administers() *admin.Admin {
	w.t.Helper()
	a, err := admin.New(w.ctx(), w.Options(meshAccount))
	w.must(err)
	return a
}

// saysOfGroup has another producer write that it gave the consumer a group of its own, whose
// tables are in databases.
func (w *groups) saysOfGroup(more item, databases ...string) string {
	w.t.Helper()
	held := lakemesh.NewPermissions(lakemesh.Select, lakemesh.Describe)
	words := tracker.Words{Group: lakemesh.Group{Domain: "bait"}, Requested: held, By: "me"}
	id := words.ID(otherProducer, consumerAccount)
	arns := make([]string, len(databases))
	for i, name := range databases {
		arns[i] = lakemesh.DatabaseARN(region, meshAccount, name)
	}
	all := item{"Status": str("Active"), "Domain": str("bait"), "RequestedGrants": list(held.Strings()...), "PermittedGrants": list(held.Strings()...), "GrantableGrants": list(held.Strings()...),
		"CreatedBy": str("me"), "CreationDate": str("2022-03-04 05:06:07"), "Digest": str(words.Digest()), "Unasked": &dynamotypes.AttributeValueMemberBOOL{Value: true},
		"Revision": &dynamotypes.AttributeValueMemberN{Value: "1"}, "Version": &dynamotypes.AttributeValueMemberN{Value: "1"}, "GrantedTableARNs": list(arns...)}
	maps.Copy(all, more)
	w.decides(id, all)
	w.decides(otherProducer+"-"+consumerAccount, item{"Active": &dynamotypes.AttributeValueMemberSS{Value: []string{id}}})
	w.decides(otherProducer+"-directory", item{"Subscribers": &dynamotypes.AttributeValueMemberSS{Value: []string{consumerAccount}}})
	return id
}

// decides writes an item of the decisions as the other producer's role in the mesh.
func (w *groups) decides(key string, values item) {
	w.t.Helper()
	in := &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.DecisionsTable), Key: item{"Key": str(key)}, ExpressionAttributeNames: map[string]string{}, ExpressionAttributeValues: item{}}
	var sets []string
	for name, v := range values {
		in.ExpressionAttributeNames["#"+name], in.ExpressionAttributeValues[":"+name] = name, v
		sets = append(sets, "#"+name+" = :"+name)
	}
	in.UpdateExpression = aws.String("SET " + strings.Join(sets, ", "))
	_, err := dynamodb.NewFromConfig(w.as(meshAccount, lakemesh.MeshProducerRole(otherProducer))).UpdateItem(w.ctx(), in)
	w.must(err)
}

// TestAGroupOfOneOwnerIsInNoDatabaseOfAnother has a producer say that tables of its group are in
// another one's database: the mesh's administrator neither takes that for a decision about it
// nor ends anything there by it.
func TestAGroupOfOneOwnerIsInNoDatabaseOfAnother(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	w.breaks = true
	w.secondProducer()
	// What its owner's role granted by hand.
	byHand := func() bool {
		return strings.Contains(w.grants(consumerAccount)["database"], "DESCRIBE")
	}
	_, err := lakeformation.NewFromConfig(w.meshProducer()).GrantPermissions(w.ctx(), &lakeformation.GrantPermissionsInput{
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(consumerAccount)}, Resource: onDatabase(meshAccount, product), Permissions: []lftypes.Permission{lftypes.PermissionDescribe}})
	w.must(err)
	if !w.inTheEnd(byHand) {
		t.Fatalf("nothing was granted: %v", w.grants(consumerAccount))
	}
	undecided := "undecided, grant, database " + product + ", " + consumerAccount
	finds := func(when string) {
		t.Helper()
		var lines []string
		if !w.inTheEnd(func() bool {
			v, err := w.administers().Verify(w.ctx(), admin.VerifyInput{})
			w.must(err)
			lines = said(v)
			return slices.Contains(lines, undecided)
		}) {
			t.Errorf("%s the administrator finds %q, want %q", when, lines, undecided)
		}
	}
	finds("before")
	for name, more := range map[string]item{"active": nil, "over": {"Until": str("2022-05-05 05:05:05")}} {
		id := w.saysOfGroup(more, product)
		finds(name)
		list, err := w.administers().AccessList(w.ctx(), admin.AccessListInput{})
		w.must(err)
		for _, e := range list.Entries {
			if e.Database == product && slices.Contains(e.Through, id) {
				t.Errorf("%s: %s of %s on %s is told to be there through what another owner says", name, e.Permissions, e.Principal, e.Database)
			}
		}
		_, err = w.administers().ExpireSubscriptions(w.ctx())
		w.must(err)
		if !byHand() {
			t.Errorf("%s: the end of another owner's group took away what is granted on %s: %v", name, product, w.grants(consumerAccount))
		}
	}
}

// TestWhatWasGrantedByHandOutlivesAGroup has the mesh's administrator end a group that is over,
// whose consumer was granted DESCRIBE on a database by hand before.
func TestWhatWasGrantedByHandOutlivesAGroup(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]lftypes.Permission{"with the grant option": {lftypes.PermissionDescribe}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ahead atomic.Int64
			now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
			w := newGroups(t, localmesh.WithClock(now))
			w.breaks = true
			w.reopen(now)
			_, err := lakeformation.NewFromConfig(w.meshProducer()).GrantPermissions(w.ctx(), &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(consumerAccount)},
				Resource: onDatabase(meshAccount, product), Permissions: []lftypes.Permission{lftypes.PermissionDescribe}, PermissionsWithGrantOption: options})
			w.must(err)
			w.inTheEnd(func() bool { return len(w.grants(consumerAccount)) > 0 })
			had := w.grants(consumerAccount)
			id := w.asks("", "flights")
			until := now().Add(2 * time.Hour).UTC().Truncate(time.Second)
			w.must(w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id, Until: &until}))
			ahead.Store(int64(3 * time.Hour))
			o := w.Options(meshAccount)
			o.Now = now
			a, err := admin.New(w.ctx(), o)
			w.must(err)
			_, err = a.ExpireSubscriptions(w.ctx())
			w.must(err)
			// The right to hand it on is its owner's to take back.
			if !w.inTheEnd(func() bool {
				return len(w.grants(consumerAccount)) == 1 && strings.HasPrefix(w.grants(consumerAccount)["database"], "DESCRIBE")
			}) {
				t.Errorf("after the end the account holds %v, want %v", w.grants(consumerAccount), had)
			}
		})
	}
}

// TestADecisionOnAGroupThatIsTakenBackLeavesNoDatabase stops a decision before it is recorded,
// has the only table of a database leave the group, and then takes it back, carries it on, or
// ends the subscription.
func TestADecisionOnAGroupThatIsTakenBackLeavesNoDatabase(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"aborted", "carried on", "published, and ended"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := newGroups(t)
			id := w.asks("", "flights")
			planned := w.Fail(localmesh.Fault{Service: "dynamodb", Operation: "TransactWriteItems", Nth: 2, Code: "AccessDeniedException", Message: "a planned fault", Status: 400})
			if err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id}); err == nil || planned.Hits() != 1 {
				t.Fatalf("an approval that was to fail gave %v", err)
			}
			if !w.inTheEnd(func() bool { return len(w.grants(consumerAccount)) == 1 }) {
				t.Fatalf("it stopped with %v", w.grants(consumerAccount))
			}
			w.offers(source, orders, "Transport", "Trips")
			switch how {
			case "aborted":
				w.must(w.producer.AbortDecision(t.Context(), producer.AbortInput{SubscriptionID: id}))
			case "carried on":
				w.approve(id)
				if has := w.grants(consumerAccount); has["database"] != "" {
					t.Errorf("it gives %v, and no table of the group is in %s", has, product)
				}
				w.end(id)
			default:
				w.approve(id)
				w.offers(source, orders, "Transport", "Flights")
				w.offers(source, orders, "Transport", "Trips")
				w.end(id)
			}
			w.holds(consumerAccount, nil)
		})
	}
}

// TestAGrowingGroupThatWasStoppedLeavesNoDatabase stops the extension of a subscription to a
// database that the table has left when the subscription ends.
func TestAGrowingGroupThatWasStoppedLeavesNoDatabase(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	id := w.asks("Money", "")
	w.approve(id)
	planned := w.Fail(localmesh.Fault{Service: "dynamodb", Operation: "TransactWriteItems", Nth: 2, Code: "AccessDeniedException", Message: "a planned fault", Status: 400})
	if _, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: customers, Domain: "Money", DataProductName: "Fares"}); err == nil || planned.Hits() != 1 {
		t.Fatalf("a publication that was to fail gave %v", err)
	}
	if !w.inTheEnd(func() bool { return w.grants(consumerAccount)["database"] != "" }) {
		t.Fatalf("it stopped with %v", w.grants(consumerAccount))
	}
	w.offers(source, customers, "Other", "Fares")
	w.end(id)
	w.holds(consumerAccount, nil)
}

// TestOthersPoliciesMakeNoGroupHalfGiven has another producer grant an owner's role as many
// policies of its own as anybody can have, so that the role can not be granted another one:
// what was begun is taken back.
func TestOthersPoliciesMakeNoGroupHalfGiven(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	w.breaks = true
	w.secondProducer()
	w.fills(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)))
	id := w.asks("", "flights")
	if err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id}); err == nil || !strings.Contains(err.Error(), "at most 50") {
		t.Fatalf("approved: %v", err)
	}
	w.must(w.producer.AbortDecision(t.Context(), producer.AbortInput{SubscriptionID: id}))
	w.holds(consumerAccount, nil)
	w.opens()
	named := w.active(orders)
	w.end(named)
	w.opens()
}

// fills has the other producer grant somebody policies of its own until there is no room for
// another one.
func (w *groups) fills(who string) {
	w.t.Helper()
	lake := lakeformation.NewFromConfig(w.as(meshAccount, lakemesh.MeshProducerRole(otherProducer)))
	key := lakemesh.OwnerTag(lakemesh.DomainTag, otherProducer)
	values := make([]string, 50)
	for i := range values {
		values[i] = fmt.Sprintf("v%d", i)
	}
	_, err := lake.UpdateLFTag(w.ctx(), &lakeformation.UpdateLFTagInput{CatalogId: aws.String(meshAccount), TagKey: aws.String(key), TagValuesToAdd: values})
	w.must(err)
	granted := 0
	for _, v := range values {
		_, err = lake.GrantPermissions(w.ctx(), &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(who)}, Permissions: []lftypes.Permission{lftypes.PermissionSelect},
			Resource: &lftypes.Resource{LFTagPolicy: &lftypes.LFTagPolicyResource{CatalogId: aws.String(meshAccount), ResourceType: lftypes.ResourceTypeTable, Expression: []lftypes.LFTag{{TagKey: aws.String(key), TagValues: []string{v}}}}}})
		if err != nil {
			break
		}
		granted++
	}
	w.t.Logf("%d policies granted to %s: %v", granted, who, err)
}

// TestAnOwnersRoleHoldsNoPolicyThatNobodyHas ends subscriptions to groups: what the owner's role
// was granted beside them goes, too, so that it never has too many.
func TestAnOwnersRoleHoldsNoPolicyThatNobodyHas(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	mine := func() int {
		policies := map[string]bool{}
		out, err := w.lakeAdministrator(meshAccount).ListPermissions(w.ctx(), &lakeformation.ListPermissionsInput{ResourceType: lftypes.DataLakeResourceTypeLfTagPolicyTable})
		w.must(err)
		for _, p := range out.PrincipalResourcePermissions {
			if aws.ToString(p.Principal.DataLakePrincipalIdentifier) == lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)) {
				// Some readings list each permission by itself.
				for _, tag := range p.Resource.LFTagPolicy.Expression {
					policies[aws.ToString(tag.TagKey)] = true
				}
			}
		}
		return len(policies)
	}
	w.AddConsumer(otherConsumer)
	w.TrustEngines(otherConsumer)
	theirs, err := w.openConsumer(otherConsumer).RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DataProduct: "flights", RequestPermissions: []string{"SELECT"}})
	w.must(err)
	w.approve(theirs.SubscriptionID)
	ids := map[string]string{"product": w.asks("", "flights"), "domain": w.asks("transport", "")}
	w.approve(ids["product"])
	w.approve(ids["domain"])
	for _, step := range []struct {
		id   string
		left int
	}{{ids["product"], 2}, {ids["domain"], 1}, {theirs.SubscriptionID, 0}} {
		w.end(step.id)
		if !w.inTheEnd(func() bool { return mine() == step.left }) {
			t.Errorf("after %s ended it holds %d policies, want %d", step.id, mine(), step.left)
		}
		if step.left == 1 {
			w.opens("buses", orders)
		}
	}
	w.opens()
}

// TestOthersPoliciesKeepNoPrefixOpen has another producer grant the owner's role and a consumer
// a policy on its own keys, before a subscription ends.
func TestOthersPoliciesKeepNoPrefixOpen(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	w.secondProducer()
	w.breaks = true
	key := lakemesh.OwnerTag(lakemesh.DomainTag, otherProducer)
	lake := lakeformation.NewFromConfig(w.as(meshAccount, lakemesh.MeshProducerRole(otherProducer)))
	for _, who := range []string{lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)), consumerAccount} {
		_, err := lake.GrantPermissions(w.ctx(), &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(who)}, Permissions: []lftypes.Permission{lftypes.PermissionSelect},
			Resource: &lftypes.Resource{LFTagPolicy: &lftypes.LFTagPolicyResource{CatalogId: aws.String(meshAccount), ResourceType: lftypes.ResourceTypeTable, Expression: []lftypes.LFTag{{TagKey: aws.String(key), TagValues: []string{"none"}}}}}})
		w.must(err)
	}
	id := w.active(orders)
	w.opens(orders)
	w.end(id)
	w.opens()
	grouped := w.asks("", "flights")
	w.approve(grouped)
	w.end(grouped)
	w.opens()
}

// TestARequestThatItsConsumerSpoiltKeepsNobodyFromPublishing has a consumer change everything of
// its request for a group that is active.
func TestARequestThatItsConsumerSpoiltKeepsNobodyFromPublishing(t *testing.T) {
	t.Parallel()
	for name, values := range map[string]item{
		"another domain":     {"Domain": str("money")},
		"a database":         {"DatabaseName": str(product)},
		"tables":             {"TableName": list(orders)},
		"nothing":            {"DataProduct": nil},
		"lists":              {"DataProduct": list("flights", "fares")},
		"parts":              {"Scope": str(`{"Columns":["id"]}`)},
		"that it has ended":  {"Status": str("Deleted")},
		"that it took back":  {"TakenBack": &dynamotypes.AttributeValueMemberBOOL{Value: true}},
		"that it is leaving": {"Leaving": &dynamotypes.AttributeValueMemberBOOL{Value: true}},
		"many notes":         {"Notes": list(strings.Repeat("x", 300_000))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newGroups(t)
			w.breaks = true
			id := w.asks("", "flights")
			w.approve(id)
			if err := w.set(w.meshConsumer(), id, values); err != nil {
				t.Skip(err)
			}
			before := time.Now()
			w.offers(other, "trains", "Transport", "Flights")
			w.offers(other, "buses", "Transport", "Buses")
			if d := time.Since(before); d > 30*time.Second {
				t.Errorf("publishing took %s", d)
			}
			_, err := w.producer.ExpireSubscriptions(t.Context())
			w.must(err)
			_, err = w.producer.SettleDepartures(t.Context())
			w.must(err)
			_, err = w.known(func() (*chain.Verification, error) { return w.producer.Verify(t.Context(), producer.VerifyInput{}) })
			w.must(err)
			if w.get(id).Status == lakemesh.Active {
				w.end(id)
			}
			w.holds(consumerAccount, nil)
			w.opens()
		})
	}
}

// TestWordsForGroupsThatCannotBe are written by a consumer directly. None is approved, all are
// denied, and others are decided on beside them.
func TestWordsForGroupsThatCannotBe(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	good := w.asks("", "flights")
	held := lakemesh.NewPermissions(lakemesh.Select, lakemesh.Describe)
	for name, words := range map[string]tracker.Words{
		"upper case":       {Group: lakemesh.Group{DataProduct: "Flights"}},
		"none":             {Group: lakemesh.Group{DataProduct: "none"}},
		"any":              {Group: lakemesh.Group{DataProduct: "*"}},
		"spaces":           {Group: lakemesh.Group{DataProduct: " flights"}},
		"a database":       {Group: lakemesh.Group{DataProduct: "flights"}, Database: product},
		"tables":           {Group: lakemesh.Group{DataProduct: "flights"}, Tables: []string{orders}},
		"all tables":       {Group: lakemesh.Group{DataProduct: "flights"}, Whole: true, Database: product},
		"columns":          {Group: lakemesh.Group{DataProduct: "flights"}, Scope: lakemesh.Scope{Columns: []string{"id"}}},
		"rows":             {Group: lakemesh.Group{DataProduct: "flights"}, Scope: lakemesh.Scope{Rows: "id = 1"}},
		"another's role":   {Group: lakemesh.Group{DataProduct: "flights"}, Scope: lakemesh.Scope{Principals: []string{"arn:aws:iam::" + otherConsumer + ":role/x"}}},
		"that there isn't": {Group: lakemesh.Group{DataProduct: "fligths"}},
	} {
		words.Requested, words.By = held, self()
		id := words.ID(producerAccount, consumerAccount)
		values := item{"Status": str("Pending"), "OwnerPrincipal": str(producerAccount), "SubscriberPrincipal": str(consumerAccount), "DataProduct": str(words.Group.DataProduct), "RequestedGrants": list(held.Strings()...),
			"CreatedBy": str(self()), "CreationDate": str("2022-03-04 05:06:07")}
		if words.Database != "" {
			values["DatabaseName"] = str(words.Database)
		}
		if len(words.Tables) > 0 {
			values["TableName"] = list(words.Tables...)
		}
		if !words.Scope.IsZero() {
			encoded := map[string]string{"columns": `{"Columns":["id"]}`, "rows": `{"Rows":"id = 1"}`, "another's role": `{"Principals":["arn:aws:iam::` + otherConsumer + `:role/x"]}`}[name]
			values["Scope"] = str(encoded)
		}
		w.must(w.set(w.meshConsumer(), id, values))
		if err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id}); err == nil {
			t.Errorf("%s: it is approved: %v", name, w.grants(consumerAccount))
			w.end(id)
			continue
		}
		w.holds(consumerAccount, nil)
		w.must(w.producer.DenyAccessRequest(t.Context(), producer.DenyInput{RequestID: id}))
	}
	w.approve(good)
	w.end(good)
	w.holds(consumerAccount, nil)
}

// TestATableComesAndLeavesWhileItsGroupIsApproved has a publication run as a whole in the middle
// of an approval, or of an update, of a subscription to the group. It decides nothing before that
// is done: afterwards all that is of the group can be read, and nothing else is open.
func TestATableComesAndLeavesWhileItsGroupIsApproved(t *testing.T) {
	t.Parallel()
	for _, moment := range []string{"SearchTablesByLFTags", "UpdateItem", "TransactWriteItems", "BatchGrantPermissions", "PutBucketPolicy"} {
		t.Run(moment, func(t *testing.T) {
			t.Parallel()
			w := newGroups(t)
			analyst := w.Reader(consumerAccount, "Analyst")
			id := w.asks("", "flights")
			var begun atomic.Bool
			published := make(chan struct{})
			o := w.Options(producerAccount)
			cfg := meshtest.Answering(*o.Config, func(operation string, _, _ any) {
				if operation != moment || !begun.CompareAndSwap(false, true) {
					return
				}
				tagged := make(chan struct{})
				other, err := producer.New(w.ctx(), w.Options(producerAccount))
				w.must(err)
				go func() {
					defer close(published)
					for _, in := range []producer.CreateDataProductsInput{{SourceDatabaseName: source, TableNameRegex: orders, Domain: "Transport", DataProductName: "Trips"}, {SourceDatabaseName: "stations", TableNameRegex: "trains", Domain: "Transport", DataProductName: "Flights"}} {
						if _, err := other.CreateDataProducts(w.ctx(), in); err != nil {
							t.Errorf("publish %s: %v", in.TableNameRegex, err)
						}
					}
					close(tagged)
				}()
				select {
				case <-tagged:
				case <-time.After(3 * time.Second):
					// It waits for the decision.
				}
			})
			o.Config = &cfg
			p, err := producer.New(w.ctx(), o)
			w.must(err)
			begun.Store(false)
			w.must(p.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id}))
			if !begun.Load() {
				t.Fatal("nothing was published in between")
			}
			<-published
			w.finalize(id, analyst)
			w.reads(analyst, "buses", "trains")
			w.opens("buses", "trains")
			w.holds(consumerAccount, nil)
			w.end(id)
			w.opens()
		})
	}
}
