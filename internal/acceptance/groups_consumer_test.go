package acceptance_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// flights asks for data product flights, has it approved and imports it.
func (w *groups) flights(principals ...string) string {
	w.t.Helper()
	id := w.asks("", "Flights")
	w.approve(id)
	w.finalize(id, principals...)
	return id
}

// links are the resource links of the consumer, by name: the databases that they lead to.
func (w *groups) links() map[string]string {
	w.t.Helper()
	out, err := w.Glue(consumerAccount).GetDatabases(w.ctx(), &glue.GetDatabasesInput{})
	w.must(err)
	links := map[string]string{}
	for _, d := range out.DatabaseList {
		if d.TargetDatabase != nil {
			links[aws.ToString(d.Name)] = aws.ToString(d.TargetDatabase.DatabaseName)
		}
	}
	return links
}

// queries checks that a role reads a table through a link.
func (w *groups) queries(role, link, table string) {
	w.t.Helper()
	var err error
	if !w.inTheEnd(func() bool { _, _, err = w.Query(w.ctx(), role, link, table); return err == nil }) {
		w.t.Errorf("%s reads %s.%s: %v", role, link, table, err)
	}
}

func (w *groups) linked(when string, want map[string]string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.links()); diff != "" {
		w.t.Errorf("%s the links are (-want +got):\n%s", when, diff)
	}
}

// bothLinks are the links that an import of flights makes.
func (w *groups) bothLinks() map[string]string {
	return map[string]string{w.inMesh(source): w.inMesh(source), w.inMesh(other): w.inMesh(other)}
}

func TestAGroupIsImportedOnceAndNoMore(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	analyst, colleague := w.Reader(consumerAccount, "Analyst"), w.Reader(consumerAccount, "Colleague")
	id := w.asks("", "Flights")
	w.approve(id)
	in := consumer.FinalizeInput{SubscriptionID: id, Principals: []string{analyst}}
	w.silent("a plan", func() {
		_, err := w.consumer.PlanFinalizeSubscription(w.ctx(), in)
		w.must(err)
	})
	first := w.finalize(id, analyst)
	w.linked("after the import", w.bothLinks())
	if diff := cmp.Diff(w.bothLinks(), first.Links); diff != "" || first.Group != (lakemesh.Group{DataProduct: "flights"}) {
		t.Errorf("the output says %v, %v", first.Group, first.Links)
	}
	w.silent("a repetition", func() {
		again := w.finalize(id, analyst)
		if !slices.Equal(again.Permissions, first.Permissions) || !slices.Equal(again.Principals, []string{analyst}) {
			t.Errorf("a repetition says %v for %v", again.Permissions, again.Principals)
		}
	})
	w.silent("the plan of a repetition", func() {
		p, err := w.consumer.PlanFinalizeSubscription(w.ctx(), in)
		w.must(err)
		if !p.Empty() {
			t.Errorf("a repetition plans %s", p)
		}
	})
	w.reads(analyst, orders, "buses")
	w.reads(colleague)
	w.finalize(id, colleague)
	w.reads(colleague, orders, "buses")
	s, err := w.consumer.GetSubscription(w.ctx(), id)
	w.must(err)
	if last := s.History[len(s.History)-1].Reason; !strings.Contains(last, colleague) {
		t.Errorf("whom it was handed on to last is said as %q", last)
	}
}

// A link that is there is used, whatever it is called; a name that is said is that of the one
// link that needs it.
func TestLinksOfAGroupAreNamed(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	w.Database(consumerAccount, w.inMesh(other))
	id := w.asks("", "Flights")
	w.approve(id)
	in := consumer.FinalizeInput{SubscriptionID: id, Principals: []string{analyst}}
	w.silent("a name that is taken", func() {
		_, err := w.consumer.FinalizeSubscription(w.ctx(), in)
		if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), w.inMesh(other)) {
			t.Errorf("where the name is taken: %v", err)
		}
	})
	named := in
	named.LinkDatabaseName = "our_stations"
	for range 2 {
		_, err := w.consumer.FinalizeSubscription(w.ctx(), named)
		w.must(err)
	}
	want := map[string]string{w.inMesh(source): w.inMesh(source), "our_stations": w.inMesh(other)}
	w.linked("named", want)
	w.silent("without the name", func() { w.finalize(id, analyst) })
	w.linked("again", want)
	w.silent("another name", func() {
		named.LinkDatabaseName = "yet_another"
		if _, err := w.consumer.FinalizeSubscription(w.ctx(), named); !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("a name that no link needs: %v", err)
		}
	})
	for database, table := range map[string]string{w.inMesh(source): orders, "our_stations": "buses"} {
		w.queries(analyst, database, table)
	}
	w.must(w.consumer.DeleteSubscription(w.ctx(), consumer.LeaveInput{SubscriptionID: id}))
	w.linked("after leaving", map[string]string{})
	w.reads(analyst)
	_, err := w.producer.SettleDepartures(w.ctx())
	w.must(err)
}

// What is published in another database later is to be imported anew.
func TestAGroupThatComesIntoAnotherDatabaseIsImportedAgain(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	w.Database(producerAccount, "ports")
	w.Table(producerAccount, "ports", meshtest.CSV("ships", location("ships")))
	w.Put(producerAccount, bucket, "ships/rows.csv", rowsOf("ships"))
	id := w.flights(analyst)
	imported := func() bool {
		s, err := w.consumer.GetSubscription(w.ctx(), id)
		w.must(err)
		return s.Imported
	}
	if !imported() {
		t.Error("it is not imported")
	}
	w.offers(other, "trains", "Transport", "Flights")
	if !imported() {
		t.Error("a table in a database that is imported makes it count as not imported")
	}
	w.offers("ports", "ships", "Transport", "Flights")
	if imported() {
		t.Error("with a new database it counts as imported")
	}
	w.finalize(id, analyst)
	all := w.bothLinks()
	all[w.inMesh("ports")] = w.inMesh("ports")
	w.linked("after the second import", all)
	w.queries(analyst, w.inMesh("ports"), "ships")
}

// A record can still name a database that is gone. It is not waited for until the end.
func TestADatabaseOfAGroupThatIsGoneIsLeftOut(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	w.breaks = true
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.asks("", "Flights")
	w.approve(id)
	w.drops(other)
	out := w.finalize(id, analyst)
	if !slices.ContainsFunc(out.Warnings, func(s string) bool { return strings.Contains(s, w.inMesh(other)) }) {
		t.Errorf("it is not said that a database is gone: %q", out.Warnings)
	}
	w.linked("after the import", map[string]string{w.inMesh(source): w.inMesh(source)})
	w.reads(analyst, orders)
	w.silent("a repetition", func() { w.finalize(id, analyst) })
	w.drops(source)
	if _, err := w.consumer.FinalizeSubscription(w.ctx(), consumer.FinalizeInput{SubscriptionID: id}); !errors.Is(err, lakemesh.ErrNotFound) {
		t.Errorf("with all of it gone: %v", err)
	}
}

// drops takes a database out of the mesh, as its administrator by hand.
func (w *groups) drops(database string) {
	w.t.Helper()
	cfg := w.Config(meshtest.Administrator(meshAccount))
	w.lakeAdministrator(meshAccount)
	grant := func(on *lftypes.Resource) error {
		_, err := lakeformation.NewFromConfig(cfg).GrantPermissions(w.ctx(), &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(meshtest.Administrator(meshAccount))},
			Permissions: []lftypes.Permission{lftypes.PermissionDrop}, Resource: on})
		return err
	}
	client, name := glue.NewFromConfig(cfg), aws.String(w.inMesh(database))
	for _, table := range []string{"buses", "trains", "fares", orders, ordersEU, customers} {
		if grant(&lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: name, Name: aws.String(table)}}) != nil {
			continue
		}
		_, err := client.DeleteTable(w.ctx(), &glue.DeleteTableInput{DatabaseName: name, Name: aws.String(table)})
		w.must(err)
	}
	w.must(grant(&lftypes.Resource{Database: &lftypes.DatabaseResource{Name: name}}))
	_, err := client.DeleteDatabase(w.ctx(), &glue.DeleteDatabaseInput{Name: name})
	w.must(err)
}

func TestAGroupOfRolesIsImported(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	analyst, colleague := w.Reader(consumerAccount, "Analyst"), w.Reader(consumerAccount, "Colleague")
	req, err := w.consumer.RequestAccessToProduct(w.ctx(), consumer.RequestInput{OwnerAccountID: producerAccount, DataProduct: "flights", RequestPermissions: []string{"SELECT"}, Scope: lakemesh.Scope{Principals: []string{analyst}}})
	w.must(err)
	id := req.SubscriptionID
	w.approve(id)
	w.finalize(id)
	w.linked("after the import", w.bothLinks())
	w.silent("a repetition", func() { w.finalize(id) })
	w.reads(analyst, orders, "buses")
	w.reads(colleague)
	w.finds("the consumer", nil, func() (*chain.Verification, error) { return w.consumer.Verify(w.ctx(), consumer.VerifyInput{}) })
	w.must(w.consumer.DeleteSubscription(w.ctx(), consumer.LeaveInput{SubscriptionID: id}))
	w.linked("after leaving", map[string]string{})
	_, err = w.producer.SettleDepartures(w.ctx())
	w.must(err)
	w.reads(analyst)
}

// policy are all tables with LF-tags of the producer's.
func policy(product string) *lftypes.Resource {
	return &lftypes.Resource{LFTagPolicy: &lftypes.LFTagPolicyResource{CatalogId: aws.String(meshAccount), ResourceType: lftypes.ResourceTypeTable,
		Expression: []lftypes.LFTag{{TagKey: aws.String(lakemesh.OwnerTag(lakemesh.ProductTag, producerAccount)), TagValues: []string{product}}}}}
}

func onDatabase(catalog, name string) *lftypes.Resource {
	return &lftypes.Resource{Database: &lftypes.DatabaseResource{CatalogId: aws.String(catalog), Name: aws.String(name)}}
}

// revokes takes permissions away by hand, as an account's data lake administrator.
func (w *groups) revokes(account, principal string, on *lftypes.Resource, permissions ...lftypes.Permission) {
	w.t.Helper()
	_, err := w.lakeAdministrator(account).RevokePermissions(w.ctx(), &lakeformation.RevokePermissionsInput{
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(principal)}, Resource: on, Permissions: permissions})
	w.must(err)
}

// gives grants by hand, as an account's data lake administrator.
func (w *groups) gives(account, principal string, on *lftypes.Resource, permissions ...lftypes.Permission) error {
	lake := w.lakeAdministrator(account)
	return meshtest.Try(w.Mesh.Mesh, func() error {
		_, err := lake.GrantPermissions(w.ctx(), &lakeformation.GrantPermissionsInput{
			Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(principal)}, Resource: on, Permissions: permissions})
		return err
	})
}

func (w *groups) consumerFinds(when string, want ...string) {
	w.t.Helper()
	w.finds(when+": the consumer", want, func() (*chain.Verification, error) { return w.consumer.Verify(w.ctx(), consumer.VerifyInput{}) })
}

// Each fault of what a consumer has of a group is found, and nothing else is; what it may mend
// it mends.
func TestAConsumersVerificationFindsTheFaultsOfAGroup(t *testing.T) {
	t.Parallel()
	const flights, link = "all tables with LF-tags dataproduct-" + producerAccount + "=flights", "link database "
	for name, test := range map[string]struct {
		plant func(w *groups, analyst string)
		want  func(w *groups, analyst string) []string
		// stays tells that it is not the consumer's to mend.
		stays bool
	}{
		"nothing": {func(*groups, string) {}, func(*groups, string) []string { return nil }, false},
		"the policy is revoked": {func(w *groups, _ string) {
			w.revokes(meshAccount, consumerAccount, policy("flights"), lftypes.PermissionSelect, lftypes.PermissionDescribe)
		}, func(_ *groups, _ string) []string {
			return []string{"missing, grant, " + flights + ", " + consumerAccount}
		}, true},
		"DESCRIBE on a database is revoked": {func(w *groups, _ string) {
			w.revokes(meshAccount, consumerAccount, onDatabase(meshAccount, w.inMesh(other)), lftypes.PermissionDescribe)
		}, func(w *groups, _ string) []string {
			return []string{"missing, share, database " + w.inMesh(other) + ", " + consumerAccount}
		}, true},
		"what was handed on by tags is revoked": {func(w *groups, analyst string) {
			w.revokes(consumerAccount, analyst, policy("flights"), lftypes.PermissionSelect)
		}, func(_ *groups, analyst string) []string {
			return []string{"missing, handed on, " + flights + ", " + analyst}
		}, false},
		"what was handed on of a database is revoked": {func(w *groups, analyst string) {
			w.revokes(consumerAccount, analyst, onDatabase(meshAccount, w.inMesh(other)), lftypes.PermissionDescribe)
		}, func(w *groups, analyst string) []string {
			return []string{"missing, handed on, database " + w.inMesh(other) + ", " + analyst}
		}, false},
		"a link is dropped": {func(w *groups, _ string) {
			w.must(w.gives(consumerAccount, meshtest.Administrator(consumerAccount), onDatabase(consumerAccount, w.inMesh(other)), lftypes.PermissionDrop))
			_, err := w.Glue(consumerAccount).DeleteDatabase(w.ctx(), &glue.DeleteDatabaseInput{Name: aws.String(w.inMesh(other))})
			w.must(err)
		}, func(w *groups, _ string) []string {
			return []string{"missing, resource link, database " + w.inMesh(other) + ", "}
		}, false},
		"DESCRIBE on a link is revoked": {func(w *groups, analyst string) {
			w.revokes(consumerAccount, analyst, onDatabase(consumerAccount, w.inMesh(source)), lftypes.PermissionDescribe)
		}, func(w *groups, analyst string) []string {
			return []string{"missing, handed on, " + link + w.inMesh(source) + ", " + analyst}
		}, false},
		"a table of it is handed on by name": {func(w *groups, _ string) {
			w.must(w.gives(consumerAccount, w.Reader(consumerAccount, "Colleague"), &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(w.inMesh(other)), Name: aws.String("buses")}}, lftypes.PermissionSelect))
		}, func(*groups, string) []string { return nil }, false},
		"somebody hands on what may be handed on": {func(w *groups, _ string) {
			w.must(w.gives(consumerAccount, w.Reader(consumerAccount, "Colleague"), policy("flights"), lftypes.PermissionSelect))
		}, func(*groups, string) []string { return nil }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newGroups(t)
			w.breaks = true
			analyst := w.Reader(consumerAccount, "Analyst")
			w.flights(analyst)
			w.consumerFinds("before")
			test.plant(w, analyst)
			want := test.want(w, analyst)
			w.consumerFinds("after it happened", want...)
			if !test.stays {
				want = nil
			}
			w.consumerRepairs(w.consumer)
			w.consumerFinds("after a repair", want...)
			if !test.stays {
				w.reads(analyst, orders, "buses")
			}
		})
	}
}

// What the account does not hold it cannot hand on. That is said, and the rest is imported.
func TestAGroupThatSomebodyRevokedByHandIsSaidNotToBeHeld(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	w.breaks = true
	analyst, colleague := w.Reader(consumerAccount, "Analyst"), w.Reader(consumerAccount, "Colleague")
	id := w.flights(analyst)
	w.revokes(meshAccount, consumerAccount, policy("flights"), lftypes.PermissionSelect, lftypes.PermissionDescribe)
	w.reads(analyst)
	for _, who := range []string{analyst, colleague} {
		_, err := w.consumer.FinalizeSubscription(w.ctx(), consumer.FinalizeInput{SubscriptionID: id, Principals: []string{who}})
		if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "lakemesh verify --subscription "+id+" --repair") {
			t.Errorf("an import for %s: %v", who, err)
		}
	}
	v, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(w.ctx(), producer.VerifyInput{}) })
	w.must(err)
	_, err = w.producer.Repair(w.ctx(), v)
	w.must(err)
	w.finalize(id, analyst, colleague)
	w.reads(analyst, orders, "buses")
	w.reads(colleague, orders, "buses")
	w.consumerFinds("in the end")
}

// A group, a table of it and a whole database of it, held by one account: ending one, by
// whichever side, leaves exactly what the others give.
func TestSubscriptionsBesideAGroupKeepWhatTheyGive(t *testing.T) {
	t.Parallel()
	type given struct{ group, table, whole bool }
	for name, end := range map[string]func(w *groups, id string){
		"the owner ends it": func(w *groups, id string) { w.end(id) },
		"the consumer leaves it": func(w *groups, id string) {
			w.must(w.consumer.DeleteSubscription(w.ctx(), consumer.LeaveInput{SubscriptionID: id}))
			_, err := w.producer.SettleDepartures(w.ctx())
			w.must(err)
		},
	} {
		for _, order := range [][]string{{"group", "table", "whole"}, {"table", "whole", "group"}, {"whole", "group", "table"}} {
			t.Run(name+": "+strings.Join(order, ", "), func(t *testing.T) {
				t.Parallel()
				w := newGroups(t)
				analyst := w.Reader(consumerAccount, "Analyst")
				ids := map[string]string{"table": w.request([]string{orders}, "SELECT"), "whole": w.request(nil, "SELECT"), "group": w.asks("", "Flights")}
				has := given{true, true, true}
				for _, which := range []string{"table", "group", "whole"} {
					w.approve(ids[which])
					w.finalize(ids[which], analyst)
				}
				check := func(when string) {
					t.Helper()
					var want []string
					if has.table || has.group {
						want = append(want, orders)
					}
					if has.whole {
						want = tables()
					}
					links := map[string]string{}
					if len(want) > 0 {
						links[w.inMesh(source)] = w.inMesh(source)
					}
					if has.group {
						want, links[w.inMesh(other)] = append(want, "buses"), w.inMesh(other)
					}
					w.reads(analyst, want...)
					w.must(w.consumer.RemoveDeadLinks(w.ctx(), consumer.RemoveDeadLinksInput{}))
					w.linked(when, links)
					w.consumerFinds(when)
				}
				check("with all three")
				for _, which := range order {
					end(w, ids[which])
					switch which {
					case "group":
						has.group = false
					case "table":
						has.table = false
					default:
						has.whole = false
					}
					check("after " + which + " ended")
				}
			})
		}
	}
}

// What was handed on of a group ends with the account's, and what its owner takes away of a
// group is taken back from nobody by hand.
func TestWhatIsLeftOfAGroupIsTidied(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.flights(analyst)
	w.offers(other, "buses", "Transport", "Buses")
	w.reads(analyst, orders)
	w.consumerRepairs(w.consumer)
	w.linked("after its last table left", map[string]string{w.inMesh(source): w.inMesh(source)})
	w.finalize(id, analyst)
	w.offers(other, "buses", "Transport", "Flights")
	w.finalize(id, analyst)
	w.linked("after it came back", w.bothLinks())
	w.reads(analyst, orders, "buses")
	w.end(id)
	w.consumerRepairs(w.consumer)
	w.linked("after the end", map[string]string{})
}

func TestARequestForAGroupIsTakenBackAndExtended(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	id := w.asks("transport", "Flights")
	w.must(w.consumer.CancelAccessRequest(w.ctx(), consumer.CancelInput{SubscriptionID: id}))
	in := consumer.RequestInput{OwnerAccountID: producerAccount, Domain: "Transport", DataProduct: "Flights", RequestPermissions: []string{"SELECT"}, Until: time.Now().Add(24 * time.Hour)}
	req, err := w.consumer.RequestAccessToProduct(w.ctx(), in)
	w.must(err)
	w.approve(req.SubscriptionID)
	w.finalize(req.SubscriptionID)
	more, err := w.consumer.RequestExtension(w.ctx(), consumer.ExtensionInput{SubscriptionID: req.SubscriptionID, Until: time.Now().Add(72 * time.Hour)})
	w.must(err)
	want := lakemesh.Group{Domain: "transport", DataProduct: "flights"}
	s, err := w.consumer.GetSubscription(w.ctx(), more.SubscriptionID)
	w.must(err)
	if s.Group != want || s.Database != "" || len(s.Tables) > 0 || more.Group != want {
		t.Errorf("more time is asked for %v, %q, %v", s.Group, s.Database, s.Tables)
	}
	w.approve(more.SubscriptionID)
	w.end(req.SubscriptionID)
	w.finalize(more.SubscriptionID)
	w.reads(self(), orders, "buses")
	all := w.used(w.consumer, consumer.ListInput{Statuses: consumer.AllStatuses()})
	for _, s := range all {
		if s.Group != want {
			t.Errorf("the list says of %s that it is on %q", s.ID, s.Group)
		}
	}
}

// A consumer's administrator hands on the very policy that the account was granted, and nothing
// else by tags; what it hands on is worth no more than what the account has.
func TestWhatAnAdministratorCanHandOnOfAGroup(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	w.breaks = true
	expression := func(pairs ...string) *lftypes.Resource {
		p := &lftypes.LFTagPolicyResource{CatalogId: aws.String(meshAccount), ResourceType: lftypes.ResourceTypeTable}
		for i := 0; i < len(pairs); i += 2 {
			p.Expression = append(p.Expression, lftypes.LFTag{TagKey: aws.String(pairs[i]), TagValues: strings.Split(pairs[i+1], ",")})
		}
		return &lftypes.Resource{LFTagPolicy: p}
	}
	domain, product := lakemesh.OwnerTag(lakemesh.DomainTag, producerAccount), lakemesh.OwnerTag(lakemesh.ProductTag, producerAccount)
	id := w.asks("Transport", "")
	w.approve(id)
	w.finalize(id)
	databases := expression(domain, "transport")
	databases.LFTagPolicy.ResourceType = lftypes.ResourceTypeDatabase
	for name, on := range map[string]*lftypes.Resource{
		"narrower":          expression(domain, "transport", product, "flights"),
		"wider":             expression(domain, "transport,money"),
		"all values":        expression(domain, "*"),
		"another value":     expression(domain, "money"),
		"another key":       expression(product, "flights"),
		"a shared key":      expression(lakemesh.DomainTag, "transport"),
		"on databases":      databases,
		"a table by name":   {Table: &lftypes.TableResource{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(w.inMesh(other)), Name: aws.String("fares")}},
		"all of a database": {Table: &lftypes.TableResource{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(w.inMesh(source)), TableWildcard: &lftypes.TableWildcard{}}},
	} {
		analyst := w.Reader(consumerAccount, "Analyst"+strings.ReplaceAll(name, " ", ""))
		if err := w.gives(consumerAccount, analyst, on, lftypes.PermissionSelect); err == nil {
			t.Errorf("%s: an administrator of the consumer hands it on", name)
		}
		w.reads(analyst)
	}
	analyst := w.Reader(consumerAccount, "Analyst")
	same := expression(domain, "transport")
	if err := w.gives(consumerAccount, analyst, same, lftypes.PermissionAlter); err == nil {
		t.Error("more than the account may hand on is handed on")
	}
	w.must(w.gives(consumerAccount, analyst, same, lftypes.PermissionSelect))
	w.must(w.gives(consumerAccount, analyst, onDatabase(meshAccount, w.inMesh(other)), lftypes.PermissionDescribe))
	w.must(w.gives(consumerAccount, analyst, onDatabase(consumerAccount, w.inMesh(other)), lftypes.PermissionDescribe))
	w.queries(analyst, w.inMesh(other), "buses")
	if _, _, err := w.Query(w.ctx(), analyst, w.inMesh(other), "fares"); err == nil {
		t.Error("it reads what is of another domain")
	}
	// Without the right to hand it on, the account does not.
	w.must(w.producer.UpdateSubscriptionPermissions(w.ctx(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT", "DESCRIBE"}, GrantablePermissions: []string{}}))
	if err := w.gives(consumerAccount, w.Reader(consumerAccount, "Colleague"), same, lftypes.PermissionSelect); err == nil {
		t.Error("it hands on what it may not")
	}
}

// What an account has through a group is explained by both sides, link by link.
func TestAccessThroughAGroupIsExplained(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	w.breaks = true
	analyst := w.Reader(consumerAccount, "Analyst")
	explains := func(when, principal, database, table string, verdict chain.Verdict, broken chain.Link, text string) {
		t.Helper()
		var is string
		if !w.inTheEnd(func() bool {
			q := chain.Question{Database: w.inMesh(database), Table: table, Principal: principal}
			c, err := w.consumer.Explain(w.ctx(), q)
			if err != nil {
				is = err.Error()
				return false
			}
			p, err := w.producer.Explain(w.ctx(), q)
			w.must(err)
			e := chain.Together(p, c)
			step, _ := e.FirstBroken()
			is = string(e.Verdict) + " by " + string(step.Link) + ": " + step.What
			if step.Link == "" {
				step = stepOf(e, chain.ThroughAccount, chain.Record)
				is += step.What
			}
			return e.Verdict == verdict && (broken == "" || step.Link == broken) && strings.Contains(step.What, text)
		}) {
			t.Errorf("%s: %s and %s.%s: %s; want %s by %q with %q", when, principal, database, table, is, verdict, broken, text)
		}
	}
	id := w.asks("", "Flights")
	explains("before it is approved", analyst, other, "buses", chain.Cannot, chain.Record, "request "+id+" is pending")
	w.approve(id)
	explains("before the import", analyst, other, "buses", chain.Cannot, "", "")
	w.finalize(id, []string{}...)
	explains("not handed on to it", analyst, other, "buses", chain.Cannot, "", "")
	w.finalize(id, analyst)
	explains("in order", analyst, other, "buses", chain.Can, "", "subscription "+id+" is active")
	explains("in order", analyst, source, orders, chain.Can, "", "subscription "+id+" is active")
	explains("in order", consumerAccount, source, orders, chain.Can, "", "subscription "+id+" is active")
	explains("in no group", analyst, other, "fares", chain.Cannot, chain.Record, "it is not in data product flights")
	w.offers(other, "buses", "Transport", "Buses")
	explains("out of the group", analyst, other, "buses", chain.Cannot, chain.Record, "it is not in data product flights")
	w.offers(other, "buses", "Transport", "Flights")
	w.finalize(id, analyst)
	explains("in it again", analyst, other, "buses", chain.Can, "", "")
	w.must(w.gives(consumerAccount, meshtest.Administrator(consumerAccount), onDatabase(consumerAccount, w.inMesh(other)), lftypes.PermissionDrop))
	_, err := w.Glue(consumerAccount).DeleteDatabase(w.ctx(), &glue.DeleteDatabaseInput{Name: aws.String(w.inMesh(other))})
	w.must(err)
	explains("without its link", analyst, other, "buses", chain.Cannot, chain.ResourceLink, "has no resource link")
	explains("beside that link", analyst, source, orders, chain.Can, "", "")
	w.finalize(id, analyst)
	w.revokes(consumerAccount, analyst, policy("flights"), lftypes.PermissionSelect, lftypes.PermissionDescribe)
	explains("not handed on any more", analyst, other, "buses", chain.Cannot, chain.HandedOn, "has not handed it on")
	w.finalize(id, analyst)
	w.revokes(meshAccount, consumerAccount, policy("flights"), lftypes.PermissionSelect, lftypes.PermissionDescribe)
	explains("without the policy", analyst, other, "buses", chain.Cannot, chain.Grant, "")
}

// The list of what a consumer holds has what it holds by a group.
func TestAConsumersAccessListHasGroups(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.flights(analyst)
	list, err := w.consumer.AccessList(w.ctx(), consumer.AccessListInput{})
	w.must(err)
	held := map[string]int{}
	for _, e := range list.Entries {
		if !slices.Equal(e.Through, []string{id}) {
			t.Errorf("%s holds %s on %s %s%v through %v", e.Principal, e.Permissions, e.Kind, e.Database, e.Tags, e.Through)
		}
		held[string(e.Kind)+" "+e.Principal]++
	}
	want := map[string]int{"database " + consumerAccount: 2, "database " + analyst: 2, "tagged tables " + consumerAccount: 1, "tagged tables " + analyst: 1}
	if diff := cmp.Diff(want, held); diff != "" {
		t.Errorf("it is listed (-want +got):\n%s", diff)
	}
	for _, note := range list.Notes {
		if strings.Contains(note, "cannot be read") {
			t.Error(note)
		}
	}
}

// Where links are in another region, each database of a group has one there.
func TestAGroupIsLinkedInAnotherRegion(t *testing.T) {
	t.Parallel()
	const far = "eu-central-1"
	w := newGroups(t)
	a, err := admin.New(w.ctx(), w.Options(consumerAccount))
	w.must(err)
	meshtest.Before(w.Mesh.Mesh, func() {
		_, err := a.InitializeConsumerAccount(w.ctx(), admin.InitializeConsumerInput{LinkRegions: []string{far}})
		w.must(err)
	})
	w.consumer = w.openConsumer(consumerAccount)
	there := func() []string {
		cfg := w.Config(self())
		cfg.Region = far
		out, err := glue.NewFromConfig(cfg).GetDatabases(w.ctx(), &glue.GetDatabasesInput{})
		w.must(err)
		names := []string{}
		for _, d := range out.DatabaseList {
			names = append(names, aws.ToString(d.Name))
		}
		return names
	}
	has := func(when string, want ...string) {
		t.Helper()
		if !w.inTheEnd(func() bool { return slices.Equal(there(), want) }) {
			t.Errorf("%s the links in %s are %q, want %q", when, far, there(), want)
		}
	}
	id := w.asks("", "Flights")
	w.approve(id)
	out, err := w.consumer.FinalizeSubscription(w.ctx(), consumer.FinalizeInput{SubscriptionID: id, LinkRegion: far})
	w.must(err)
	if len(out.Links) != 2 || !slices.Equal(out.LinkRegions, []string{far}) {
		t.Errorf("the output says %v in %v", out.Links, out.LinkRegions)
	}
	has("after the import", w.inMesh(source), w.inMesh(other))
	w.linked("at home", map[string]string{})
	w.consumerFinds("after the import")
	meshtest.Prompt(t, w.Mesh.Mesh, "links of other regions are listed late")
	w.silent("a repetition", func() { w.finalize(id) })
	w.must(w.consumer.DeleteSubscription(w.ctx(), consumer.LeaveInput{SubscriptionID: id}))
	has("after leaving")
	_, err = w.producer.SettleDepartures(w.ctx())
	w.must(err)
}

// Where a group has no table there is nothing to import; once there is one there is.
func TestAGroupWithoutTablesIsImportedWhenItHasOne(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	id := w.asks("Money", "")
	w.offers(other, "fares", "Transport", "Fares")
	w.approve(id)
	w.silent("an import", func() {
		if _, err := w.consumer.FinalizeSubscription(w.ctx(), consumer.FinalizeInput{SubscriptionID: id}); !errors.Is(err, lakemesh.ErrNotFound) {
			t.Errorf("an import without tables: %v", err)
		}
	})
	w.consumerFinds("without tables")
	w.offers(other, "trains", "Money", "Trains")
	w.finalize(id)
	w.reads(self(), "trains")
	w.linked("with a table", map[string]string{w.inMesh(other): w.inMesh(other)})
}

// In which databases a group is its owner says alone. What it says of another's it cannot have
// linked, nor taken away.
func TestAnOwnerCannotSayThatItsGroupIsInAnothersDatabase(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	w.breaks = true
	w.active(orders)
	second := w.secondProducer()
	_, err := second.CreateDataProducts(w.ctx(), producer.CreateDataProductsInput{SourceDatabaseName: source, Domain: "Bait", DataProductName: "Bait"})
	w.must(err)
	req, err := w.consumer.RequestAccessToProduct(w.ctx(), consumer.RequestInput{OwnerAccountID: otherProducer, Domain: "Bait", RequestPermissions: []string{"SELECT"}})
	w.must(err)
	id := req.SubscriptionID
	w.must(second.ApproveAccessRequest(w.ctx(), producer.ApproveInput{RequestID: id}))
	w.finalize(id)
	_, err = dynamodb.NewFromConfig(w.as(meshAccount, lakemesh.MeshProducerRole(otherProducer))).UpdateItem(w.ctx(), &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.DecisionsTable), Key: item{"Key": str(id)},
		UpdateExpression: aws.String("SET GrantedTableARNs = :a"), ExpressionAttributeValues: item{":a": list(lakemesh.DatabaseARN(region, meshAccount, w.inMesh(source)), lakemesh.DatabaseARN(region, meshAccount, source+"-"+otherProducer))}})
	w.must(err)
	if _, err := w.consumer.FinalizeSubscription(w.ctx(), consumer.FinalizeInput{SubscriptionID: id}); !errors.Is(err, lakemesh.ErrTampered) {
		t.Errorf("importing it: %v", err)
	}
	v, err := w.known(func() (*chain.Verification, error) { return w.consumer.Verify(w.ctx(), consumer.VerifyInput{}) })
	w.must(err)
	if want := "undecided, record, subscription " + id + ", " + consumerAccount; !slices.Contains(said(v), want) {
		t.Errorf("a verification finds %q, want %q", said(v), want)
	}
	w.must(w.consumer.DeleteSubscription(w.ctx(), consumer.LeaveInput{SubscriptionID: id}))
	w.linked("after leaving", map[string]string{w.inMesh(source): w.inMesh(source)})
	w.reads(self(), orders)
}

// A link to another owner's database that nobody but this account made stays, whatever an owner
// says of its group.
func TestLeavingAGroupTakesNoLinkToAnothersDatabase(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	w.breaks = true
	second := w.secondProducer()
	_, err := second.CreateDataProducts(w.ctx(), producer.CreateDataProductsInput{SourceDatabaseName: source, Domain: "Bait", DataProductName: "Bait"})
	w.must(err)
	req, err := w.consumer.RequestAccessToProduct(w.ctx(), consumer.RequestInput{OwnerAccountID: otherProducer, Domain: "Bait", RequestPermissions: []string{"SELECT"}})
	w.must(err)
	id := req.SubscriptionID
	w.must(second.ApproveAccessRequest(w.ctx(), producer.ApproveInput{RequestID: id}))
	w.finalize(id)
	// A subscription of another made the link, and has ended since: the link was kept by hand.
	kept := w.active(orders)
	w.end(kept)
	link := w.inMesh(source)
	if w.links()[link] == "" {
		_, err = w.Glue(consumerAccount).CreateDatabase(w.ctx(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: &link,
			TargetDatabase: &gluetypes.DatabaseIdentifier{CatalogId: aws.String(meshAccount), DatabaseName: &link, Region: aws.String(region)}}})
		w.must(err)
	}
	_, err = dynamodb.NewFromConfig(w.as(meshAccount, lakemesh.MeshProducerRole(otherProducer))).UpdateItem(w.ctx(), &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.DecisionsTable), Key: item{"Key": str(id)},
		UpdateExpression: aws.String("SET GrantedTableARNs = :a"), ExpressionAttributeValues: item{":a": list(lakemesh.DatabaseARN(region, meshAccount, link), lakemesh.DatabaseARN(region, meshAccount, source+"-"+otherProducer))}})
	w.must(err)
	w.must(w.consumer.DeleteSubscription(w.ctx(), consumer.LeaveInput{SubscriptionID: id}))
	w.linked("after leaving", map[string]string{link: link})
}

// What was handed on of a group ends with its own subscription, also where another group is
// subscribed to.
func TestAGroupJustifiesNothingOfAnother(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.flights(analyst)
	fares := w.asks("", "Fares")
	w.approve(fares)
	w.finalize(fares, analyst)
	w.reads(analyst, orders, "buses", "fares")
	w.must(w.consumer.DeleteSubscription(w.ctx(), consumer.LeaveInput{SubscriptionID: id}))
	w.reads(analyst, "fares")
	_, err := w.producer.SettleDepartures(w.ctx())
	w.must(err)
	w.reads(analyst, "fares")
	w.linked("after leaving", map[string]string{w.inMesh(other): w.inMesh(other)})
}
