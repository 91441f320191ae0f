package acceptance_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// groups are products of a producer in two databases: "flights" of domain transport in both,
// "fares" of domain money in one.
type groups struct{ *world }

const other = "stations"

func newGroups(t *testing.T, opts ...localmesh.Option) *groups {
	t.Helper()
	w := &groups{newWorld(t, opts...)}
	w.Database(producerAccount, other)
	for _, table := range []string{"buses", "trains", "fares"} {
		w.Table(producerAccount, other, meshtest.CSV(table, location(table)))
		w.Put(producerAccount, bucket, table+"/rows.csv", rowsOf(table))
	}
	w.offers(source, orders, "Transport", "Flights")
	w.offers(other, "buses", "Transport", "Flights")
	w.offers(other, "fares", "Money", "Fares")
	return w
}

func (w *groups) offers(database, table, domain, product string) {
	w.t.Helper()
	_, err := w.producer.CreateDataProducts(w.t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: database, TableNameRegex: table, Domain: domain, DataProductName: product})
	w.must(err)
}

func (w *groups) asks(domain, dataProduct string) string {
	w.t.Helper()
	out, err := w.consumer.RequestAccessToProduct(w.t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, Domain: domain, DataProduct: dataProduct, RequestPermissions: []string{"SELECT", "DESCRIBE"}})
	w.must(err)
	return out.SubscriptionID
}

func (w *groups) inMesh(database string) string { return database + "-" + producerAccount }

// reads checks what a role can read, table by table of each database of the mesh.
func (w *groups) reads(role string, want ...string) {
	w.t.Helper()
	can := map[string]bool{}
	for _, name := range want {
		can[name] = true
	}
	for database, names := range map[string][]string{source: tables(), other: {"buses", "trains", "fares"}} {
		for _, table := range names {
			var err error
			if ok := w.inTheEnd(func() bool {
				_, _, err = w.Query(w.ctx(), role, w.inMesh(database), table)
				return (err == nil) == can[table]
			}); !ok {
				w.t.Errorf("%s reads %s.%s: %v; want %t", role, database, table, err, can[table])
			}
		}
	}
}

func TestASubscriptionToADataProductGrowsWithIt(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.asks("", "Flights")
	w.reads(analyst)
	w.approve(id)
	out := w.finalize(id, analyst)
	t.Log(out.Links, out.Permissions)
	w.reads(analyst, orders, "buses")
	w.offers(other, "trains", "Transport", "Flights")
	w.reads(analyst, orders, "buses", "trains")
	w.offers(other, "buses", "Transport", "Buses")
	w.reads(analyst, orders, "trains")
	w.end(id)
	w.reads(analyst)
}

func TestADomainIsAllOfItsProductsInAllDatabases(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.asks("Transport", "")
	w.approve(id)
	w.finalize(id, analyst)
	w.reads(analyst, orders, "buses")
	// A product of the domain, in a domain of another name.
	w.offers(other, "trains", "Transport", "Trains")
	w.offers(source, customers, "People", "Trains")
	w.reads(analyst, orders, "buses", "trains")
	w.must(w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"DESCRIBE"}}))
	w.finalize(id, analyst)
	w.reads(analyst)
	w.must(w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"DESCRIBE", "SELECT"}}))
	w.finalize(id, analyst)
	w.reads(analyst, orders, "buses", "trains")
	w.end(id)
	w.reads(analyst)
	w.opens()
}

func TestADomainAndADataProductAreBothAskedFor(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	w.offers(other, "trains", "Money", "Flights")
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.asks("transport", "flights")
	w.approve(id)
	w.finalize(id, analyst)
	w.reads(analyst, orders, "buses")
	w.end(id)
}

// TestADatabaseThatComesIsLinkedByImportingAgain publishes the first table of a database into
// a product that was subscribed to before.
func TestADatabaseThatComesIsLinkedByImportingAgain(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.asks("", "fares")
	w.approve(id)
	w.finalize(id, analyst)
	w.reads(analyst, "fares")
	if s := w.get(id); !s.Imported || len(s.TableARNs) != 1 {
		t.Errorf("imported %t, of %v", s.Imported, s.TableARNs)
	}
	w.offers(source, customers, "Money", "Fares")
	if s := w.get(id); s.Imported || len(s.TableARNs) != 2 {
		t.Errorf("imported %t, of %v; want that it is to be imported again, of two databases", s.Imported, s.TableARNs)
	}
	out := w.finalize(id, analyst)
	if len(out.Links) != 2 {
		t.Errorf("links %v", out.Links)
	}
	w.reads(analyst, "fares", customers)
	// The last table of a database leaves, and with it the right to see the database.
	w.offers(source, customers, "Money", "None")
	w.reads(analyst, "fares")
	if s := w.get(id); len(s.TableARNs) != 1 {
		t.Errorf("it still names %v", s.TableARNs)
	}
	w.left[consumerAccount] = nil
	w.end(id)
	w.opens()
}

// TestWhatIsUnpublishedLeavesItsGroup takes the only table of a database out of the mesh.
func TestWhatIsUnpublishedLeavesItsGroup(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	w.offers(source, customers, "Money", "Fares")
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.asks("", "fares")
	w.approve(id)
	w.finalize(id, analyst)
	w.reads(analyst, "fares", customers)
	_, err := w.producer.UnpublishDataProducts(t.Context(), producer.UnpublishInput{SourceDatabaseName: other, TableNameRegex: "fares"})
	w.must(err)
	w.reads(analyst, customers)
	if s := w.get(id); len(s.TableARNs) != 1 {
		t.Errorf("it still names %v", s.TableARNs)
	}
	w.end(id)
	w.opens()
}

// TestOneByOneAndByGroupAreUnited ends subscriptions that overlap in either order.
func TestOneByOneAndByGroupAreUnited(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"group", "named", "whole"} {
		t.Run(first+" ends first", func(t *testing.T) {
			t.Parallel()
			w := newGroups(t)
			analyst := w.Reader(consumerAccount, "Analyst")
			ids := map[string]string{"group": w.asks("", "flights"), "named": w.request([]string{orders, customers}, "SELECT"), "whole": w.request(nil, "SELECT")}
			for _, id := range ids {
				w.approve(id)
				w.finalize(id, analyst)
			}
			w.reads(analyst, orders, customers, ordersEU, "buses")
			w.end(ids[first])
			switch first {
			case "group":
				w.reads(analyst, orders, customers, ordersEU)
				w.end(ids["whole"])
				w.reads(analyst, orders, customers)
				w.end(ids["named"])
			case "named":
				w.reads(analyst, orders, customers, ordersEU, "buses")
				w.end(ids["whole"])
				w.reads(analyst, orders, "buses")
				w.end(ids["group"])
			case "whole":
				w.reads(analyst, orders, customers, "buses")
				w.end(ids["group"])
				w.reads(analyst, orders, customers)
				w.end(ids["named"])
			}
			w.reads(analyst)
			w.opens()
		})
	}
}

// TestAPartBesideItsGroupIsRefused has an account ask for a part of what it has by a group, and
// the other way around.
func TestAPartBesideItsGroupIsRefused(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	grouped := w.asks("", "flights")
	w.approve(grouped)
	part := func(table string) string {
		out, err := w.consumer.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product, Tables: []string{table},
			RequestPermissions: []string{"SELECT"}, Scope: lakemesh.Scope{Columns: []string{"id"}}})
		w.must(err)
		return out.SubscriptionID
	}
	inside, outside := part(orders), part(customers)
	err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: inside})
	if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), grouped) {
		t.Errorf("a part of what the account has by a group: %v; want it refused, with the subscription", err)
	}
	w.approve(outside)
	w.end(grouped)
	w.approve(inside)
	again := w.asks("", "flights")
	todo, err := w.producer.PlanApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: again})
	w.must(err)
	if !slices.ContainsFunc(todo.Warnings, func(text string) bool { return strings.Contains(text, inside) }) {
		t.Errorf("the warnings are %q, and none names subscription %s", todo.Warnings, inside)
	}
	w.breaks = true
}

// TestWhatAGroupCannotBe is refused before anything changes.
func TestWhatAGroupCannotBe(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	for name, in := range map[string]consumer.RequestInput{
		"with a database":    {DataProduct: "flights", DatabaseName: product},
		"with tables":        {DataProduct: "flights", Tables: []string{orders}},
		"what has none":      {DataProduct: "none"},
		"any":                {Domain: "*"},
		"a part":             {Domain: "Transport", Scope: lakemesh.Scope{Columns: []string{"id"}}},
		"rows":               {Domain: "Transport", Scope: lakemesh.Scope{Rows: "id = 1"}},
		"too long":           {Domain: strings.Repeat("x", 51)},
		"a control":          {Domain: "a\nb"},
		"that there is not":  {DataProduct: "fligths"},
		"not in that domain": {Domain: "money", DataProduct: "flights"},
	} {
		in.OwnerAccountID, in.RequestPermissions = producerAccount, []string{"SELECT"}
		if out, err := w.consumer.RequestAccessToProduct(t.Context(), in); !errors.Is(err, lakemesh.ErrInvalidInput) && !errors.Is(err, lakemesh.ErrNotFound) {
			t.Errorf("%s: %v, %v; want it refused", name, out, err)
		}
	}
	id := w.asks("transport", "")
	for name, s := range map[string]producer.ScopeInput{"columns": {Columns: []string{"id"}}, "all but some": {ExceptColumns: []string{"id"}}, "rows": {Rows: aws.String("id = 1")}} {
		if err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id, Scope: s}); !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("%s of a domain: %v; want it refused", name, err)
		}
	}
}

// TestASubscriptionToAGroupEndsByItself has an end come that nobody carries out but the
// schedules of the mesh.
func TestASubscriptionToAGroupEndsByItself(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	w := newGroups(t, localmesh.WithClock(now))
	w.ScheduleEnds()
	w.reopen(now)
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.asks("", "flights")
	until := now().Add(2 * time.Hour).UTC().Truncate(time.Second)
	w.must(w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id, Until: &until}))
	w.finalize(id, analyst)
	w.reads(analyst, orders, "buses")
	if n := len(w.Schedules()); n == 0 {
		t.Error("nothing is scheduled")
	}
	ahead.Store(int64(3 * time.Hour))
	w.must(w.RunDue(t.Context()))
	w.reopen(now)
	w.reads(analyst)
	_, err := w.producer.ExpireSubscriptions(t.Context())
	w.must(err)
	w.opens()
	if s := w.get(id); s.Status != lakemesh.Deleted {
		t.Errorf("it is %s", s.Status)
	}
}

// reopen opens the personas anew, with another clock.
func (w *groups) reopen(now func() time.Time) {
	w.t.Helper()
	o := w.Options(producerAccount)
	o.Now = now
	var err error
	w.producer, err = producer.New(w.t.Context(), o)
	w.must(err)
	w.producers[producerAccount] = w.producer
	o = w.Options(consumerAccount)
	o.Now = now
	w.consumer, err = consumer.New(w.t.Context(), o)
	w.must(err)
	w.consumers[consumerAccount] = w.consumer
}

// TestAGroupIsForARoleAlone grants a product to a role of the consumer's account itself.
func TestAGroupIsForARoleAlone(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	analyst, colleague := w.Reader(consumerAccount, "Analyst"), w.Reader(consumerAccount, "Colleague")
	out, err := w.consumer.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DataProduct: "flights", RequestPermissions: []string{"SELECT", "DESCRIBE"},
		Scope: lakemesh.Scope{Principals: []string{analyst}}})
	w.must(err)
	w.approve(out.SubscriptionID)
	w.finalize(out.SubscriptionID)
	w.reads(analyst, orders, "buses")
	w.reads(colleague)
	w.offers(other, "trains", "Transport", "Flights")
	w.reads(analyst, orders, "buses", "trains")
	w.reads(colleague)
	w.end(out.SubscriptionID)
	w.reads(analyst)
	w.opens()
}

// TestVerifyFindsTheFaultsOfGroups plants one fault at a time, and has the owner repair it.
func TestVerifyFindsTheFaultsOfGroups(t *testing.T) {
	t.Parallel()
	flights := &lftypes.Resource{LFTagPolicy: &lftypes.LFTagPolicyResource{CatalogId: aws.String(meshAccount), ResourceType: lftypes.ResourceTypeTable,
		Expression: []lftypes.LFTag{{TagKey: aws.String(lakemesh.OwnerTag(lakemesh.ProductTag, producerAccount)), TagValues: []string{"flights"}}}}}
	revoked := func(w *groups, on *lftypes.Resource, perms ...lftypes.Permission) {
		_, err := w.lakeAdministrator(meshAccount).RevokePermissions(w.ctx(), &lakeformation.RevokePermissionsInput{Permissions: perms, PermissionsWithGrantOption: perms,
			Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(consumerAccount)}, Resource: on})
		w.must(err)
	}
	for name, f := range map[string]struct {
		plant func(w *groups)
		want  string
		// reads is what can be read before the repair.
		reads []string
	}{
		"the policy is revoked": {func(w *groups) { revoked(w, flights, lftypes.PermissionSelect, lftypes.PermissionDescribe) }, "missing, grant", nil},
		"a database is revoked": {func(w *groups) {
			revoked(w, &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String(product)}}, lftypes.PermissionDescribe)
		}, "missing, grant", []string{orders, "buses"}},
		"a table is tagged by hand": {func(w *groups) {
			_, err := w.lakeAdministrator(meshAccount).AddLFTagsToResource(w.ctx(), &lakeformation.AddLFTagsToResourceInput{
				Resource: &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(w.inMesh(other)), Name: aws.String("fares")}},
				LFTags:   []lftypes.LFTagPair{{TagKey: aws.String(lakemesh.OwnerTag(lakemesh.ProductTag, producerAccount)), TagValues: []string{"flights"}}}})
			w.must(err)
		}, "missing, bucket policy", []string{orders, "buses"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newGroups(t)
			analyst := w.Reader(consumerAccount, "Analyst")
			id := w.asks("", "flights")
			w.approve(id)
			w.finalize(id, analyst)
			w.reads(analyst, orders, "buses")
			f.plant(w)
			var found []string
			if !w.inTheEnd(func() bool {
				v, err := w.producer.Verify(t.Context(), producer.VerifyInput{})
				w.must(err)
				found = nil
				for _, one := range v.Findings {
					found = append(found, fmt.Sprintf("%s, %s, %s", one.Kind, one.Link, one.Resource))
				}
				return slices.ContainsFunc(found, func(text string) bool { return strings.HasPrefix(text, f.want) })
			}) {
				t.Errorf("found are %q, and none is %s", found, f.want)
			}
			v, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(t.Context(), producer.VerifyInput{}) })
			w.must(err)
			_, err = w.producer.Repair(t.Context(), v)
			w.must(err)
			w.finalize(id, analyst)
			if name == "a table is tagged by hand" {
				w.reads(analyst, orders, "buses", "fares")
				w.offers(other, "fares", "Money", "Fares")
			}
			w.reads(analyst, orders, "buses")
			w.end(id)
			w.reads(analyst)
			w.opens()
		})
	}
}

// TestAMeshOfALowVersionSharesNoGroup has a mesh that shares nothing by LF-tags.
func TestAMeshOfALowVersionSharesNoGroup(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	meshtest.Without(t, w.Mesh.Mesh, "the fifth version cannot be lowered", func(r localmesh.Readings) bool { return r.FifthVersionOfSharing })
	version := func(v string) {
		out, err := w.meshLake().GetDataLakeSettings(w.ctx(), &lakeformation.GetDataLakeSettingsInput{})
		w.must(err)
		out.DataLakeSettings.Parameters["CROSS_ACCOUNT_VERSION"] = v
		_, err = w.meshLake().PutDataLakeSettings(w.ctx(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: out.DataLakeSettings})
		w.must(err)
	}
	id := w.asks("", "flights")
	version("2")
	err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
	if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), "cross-account version is 2") {
		t.Errorf("approved in a mesh of version 2: %v; want it refused before anything changes", err)
	}
	if s := w.get(id); s.Status != lakemesh.Pending || s.Claim != nil {
		t.Errorf("it is %s, claimed %v", s.Status, s.Claim)
	}
	version("3")
	w.approve(id)
	w.end(id)
}
