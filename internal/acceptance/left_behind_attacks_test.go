package acceptance_test

import (
	"maps"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/producer"
)

// asksFor asks for tables of the product, narrowed.
func (w *groups) asksFor(names []string, s lakemesh.Scope) string {
	w.t.Helper()
	out, err := w.consumer.RequestAccessToProduct(w.ctx(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product, Tables: names, RequestPermissions: []string{"SELECT", "DESCRIBE"}, Scope: s})
	w.must(err)
	return out.SubscriptionID
}

// What an owner grants a role itself is not what a past subscription left with it.
func TestImportingAGroupTakesNothingThatAnOwnerGrantedARoleItself(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"analyst", "self"} {
		for _, order := range []string{"direct after the end", "direct before the end"} {
			t.Run(name+", "+order, func(t *testing.T) {
				t.Parallel()
				w := newGroups(t)
				w.breaks = true
				role := self()
				if name == "analyst" {
					role = w.Reader(consumerAccount, "Analyst")
				}
				nobody := w.Reader(consumerAccount, "Nobody")
				id := w.request([]string{orders}, "SELECT", "DESCRIBE")
				w.approve(id)
				w.finalize(id, role)
				direct := w.asksFor([]string{orders}, lakemesh.Scope{Principals: []string{role}})
				give := func() {
					w.approve(direct)
					w.finalize(direct)
				}
				twin := w.asks("", "Flights")
				w.approve(twin)
				if order == "direct before the end" {
					give()
					w.end(id)
				} else {
					w.end(id)
					give()
				}
				w.reads(role, orders)
				out := w.finalize(twin, nobody)
				t.Log(out.Warnings)
				w.reads(role, orders)
				v, err := w.consumer.Verify(w.ctx(), consumer.VerifyInput{})
				w.must(err)
				for _, f := range v.Findings {
					t.Logf("%s %s %s %s: %s", f.Kind, f.Link, f.Principal, f.Resource, f.What)
				}
				v, err = w.producer.Verify(w.ctx(), producer.VerifyInput{})
				w.must(err)
				for _, f := range v.Findings {
					t.Logf("%s %s %s %s: %s", f.Kind, f.Link, f.Principal, f.Resource, f.What)
				}
			})
		}
	}
}

// The role that imports is shown what its owner granted it itself: that is no leftover.
func TestTheRoleThatImportsKeepsWhatItWasGrantedItself(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	w.breaks = true
	nobody := w.Reader(consumerAccount, "Nobody")
	id := w.request([]string{orders}, "SELECT", "DESCRIBE")
	w.approve(id)
	w.finalize(id)
	w.end(id)
	direct := w.asksFor([]string{orders}, lakemesh.Scope{Principals: []string{self()}})
	w.approve(direct)
	w.finalize(direct)
	w.reads(self(), orders)
	twin := w.asks("", "Flights")
	w.approve(twin)
	before := w.allGrants()
	out := w.finalize(twin, nobody)
	t.Log(out.Warnings)
	w.reads(self(), orders)
	for range 2 {
		p, err := w.consumer.PlanFinalizeSubscription(w.ctx(), consumer.FinalizeInput{SubscriptionID: twin, Principals: []string{nobody}})
		w.must(err)
		if !p.Empty() {
			t.Errorf("again: %s", p)
		}
		w.finalize(twin, nobody)
	}
	w.holds(self(), map[string]string{"database": "DESCRIBE / ", orders: "DESCRIBE, SELECT / "})
	_ = before
	w.end(direct)
	w.reads(self())
}

// Another owner says of its own past subscription that it was about a table of this one.
func TestAnotherOwnerSaysNothingOfWhatIsLeftBehind(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	w.breaks = true
	analyst := w.Reader(consumerAccount, "Analyst")
	second := w.secondProducer()
	req, err := w.consumer.RequestAccessToProduct(w.ctx(), consumer.RequestInput{OwnerAccountID: otherProducer, DatabaseName: source + "-" + otherProducer, Tables: []string{orders}, RequestPermissions: []string{"SELECT", "DESCRIBE"}})
	w.must(err)
	w.must(second.ApproveAccessRequest(w.ctx(), producer.ApproveInput{RequestID: req.SubscriptionID}))
	w.finalize(req.SubscriptionID, analyst)
	w.must(second.DeleteSubscription(w.ctx(), producer.DeleteInput{SubscriptionID: req.SubscriptionID, Reason: "x"}))
	twin := w.flights()
	onTable := &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(w.inMesh(source)), Name: aws.String(orders)}}
	w.must(w.gives(consumerAccount, analyst, onTable, lftypes.PermissionSelect))
	w.must(w.gives(consumerAccount, analyst, onDatabase(meshAccount, w.inMesh(source)), lftypes.PermissionDescribe))
	w.reads(analyst, orders)
	_, err = dynamodb.NewFromConfig(w.as(meshAccount, lakemesh.MeshProducerRole(otherProducer))).UpdateItem(w.ctx(), &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.DecisionsTable), Key: item{"Key": str(req.SubscriptionID)},
		UpdateExpression: aws.String("SET GrantedTableARNs = :a"), ExpressionAttributeValues: item{":a": list(lakemesh.TableARN(region, meshAccount, w.inMesh(source), orders))}})
	w.must(err)
	w.consumerFinds("after another owner says that its past subscription was on this table", "too much, resource link, link database sales-222222222222, ")
	w.finalize(twin)
	w.reads(analyst, orders)
}

// What a unit was granted, whoever asked for it, an administrator of a member hands on by hand:
// an import of a group takes nothing of that.
func TestImportingAGroupTakesNothingThatAUnitLetsHandOn(t *testing.T) {
	t.Parallel()
	w := newUnitWorld(t)
	w.breaks = true
	g := &groups{w.world}
	ctx := t.Context()
	_, err := w.producer.CreateDataProducts(ctx, producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: people, Domain: "Staff", DataProductName: "Staff"})
	w.must(err)
	analyst := w.Reader(consumerAccount, "Analyst")
	past := w.asksAs(w.consumer, lakemesh.Scope{})
	w.approve(past)
	w.finalize(past, analyst)
	w.end(past)
	other := w.openConsumer(otherConsumer)
	unit := w.asksAs(other, lakemesh.Scope{Principals: []string{w.org.Retail}})
	w.approve(unit)
	onTable := &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), Name: aws.String(people)}}
	w.must(g.gives(consumerAccount, analyst, onTable, lftypes.PermissionSelect))
	w.must(g.gives(consumerAccount, analyst, onDatabase(meshAccount, product), lftypes.PermissionDescribe))
	w.sees(analyst, allPeople()...)
	nobody := w.Reader(consumerAccount, "Nobody")
	twin := g.asks("", "Staff")
	w.approve(twin)
	out := w.finalize(twin, nobody)
	t.Log(out.Warnings)
	w.sees(analyst, allPeople()...)
	v, err := w.known(func() (*chain.Verification, error) { return w.consumer.Verify(w.ctx(), consumer.VerifyInput{}) })
	w.must(err)
	for _, f := range v.Findings {
		t.Logf("%s %s %s %s: %s", f.Kind, f.Link, f.Principal, f.Resource, f.What)
	}
}

// Nor does a verification tell of it, or its repair take it.
func TestAVerificationTakesNothingThatAUnitLetsHandOn(t *testing.T) {
	t.Parallel()
	w := newUnitWorld(t)
	w.breaks = true
	g := &groups{w.world}
	ctx := t.Context()
	_, err := w.producer.CreateDataProducts(ctx, producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: people, Domain: "Staff", DataProductName: "Staff"})
	w.must(err)
	analyst := w.Reader(consumerAccount, "Analyst")
	nobody := w.Reader(consumerAccount, "Nobody")
	past := w.asksAs(w.consumer, lakemesh.Scope{})
	w.approve(past)
	w.finalize(past, analyst)
	w.end(past)
	twin := g.asks("", "Staff")
	w.approve(twin)
	w.finalize(twin, nobody)
	other := w.openConsumer(otherConsumer)
	unit := w.asksAs(other, lakemesh.Scope{Principals: []string{w.org.Retail}})
	w.approve(unit)
	onTable := &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), Name: aws.String(people)}}
	w.must(g.gives(consumerAccount, analyst, onTable, lftypes.PermissionSelect))
	w.must(g.gives(consumerAccount, analyst, onDatabase(meshAccount, product), lftypes.PermissionDescribe))
	w.sees(analyst, allPeople()...)
	v, err := w.known(func() (*chain.Verification, error) { return w.consumer.Verify(w.ctx(), consumer.VerifyInput{}) })
	w.must(err)
	for _, f := range v.Findings {
		t.Errorf("%s %s %s %s: %s", f.Kind, f.Link, f.Principal, f.Resource, f.What)
	}
	_, err = w.consumer.Repair(w.ctx(), v)
	w.must(err)
	w.sees(analyst, allPeople()...)
}

// A past subscription that never gave SELECT left none behind: what somebody handed on by hand
// stays.
func TestWhatAPastSubscriptionNeverGaveIsNotLeftByIt(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	w.breaks = true
	analyst, nobody := w.Reader(consumerAccount, "Analyst"), w.Reader(consumerAccount, "Nobody")
	id := w.request([]string{orders}, "DESCRIBE")
	w.approve(id)
	w.finalize(id, analyst)
	twin := w.asks("", "Flights")
	w.approve(twin)
	w.finalize(twin, nobody)
	onTable := &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(w.inMesh(source)), Name: aws.String(orders)}}
	w.must(w.gives(consumerAccount, analyst, onTable, lftypes.PermissionSelect))
	w.must(w.gives(consumerAccount, analyst, onDatabase(meshAccount, w.inMesh(source)), lftypes.PermissionDescribe))
	w.reads(analyst, orders)
	w.end(id)
	w.reads(analyst, orders)
	out := w.finalize(twin, nobody)
	t.Log(out.Warnings)
	w.reads(analyst, orders)
}

// What a version of before published without a mark, and without DESCRIBE for all of the mesh,
// stays private when another table of the database is published, or repaired.
func TestRepairingBesideAnUnmarkedTableMakesNothingPublic(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(w *world){
		"repaired": func(w *world) {
			w.revokesInMesh(producerAccount, orders, true, lftypes.PermissionInsert)
		},
		"repaired for a public database": func(w *world) {
			w.grantsInMesh(lakemesh.RoleARN(meshAccount, lakemesh.ReadOnlyRole), orders, lftypes.PermissionDescribe)
			w.revokesInMesh(producerAccount, orders, true, lftypes.PermissionInsert)
		},
		"published as private": func(w *world) {
			_, err := w.producer.CreateDataProducts(w.ctx(), producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: orders, CreatePublicMetadata: aws.Bool(false)})
			w.must(err)
		},
		"published as public": func(w *world) {
			_, err := w.producer.CreateDataProducts(w.ctx(), producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: orders, CreatePublicMetadata: aws.Bool(true)})
			w.must(err)
		},
		"synchronized": func(w *world) {
			_, err := w.producer.SyncProducts(w.ctx(), producer.SyncInput{DatabaseName: product, Deep: true})
			w.must(err)
		},
		"synchronized with a change": func(w *world) {
			in := meshtest.CSV(ordersEU, location(ordersEU))
			in.Parameters["x"] = "y"
			_, err := w.Glue(producerAccount).UpdateTable(w.ctx(), &glue.UpdateTableInput{DatabaseName: aws.String(source), TableInput: in})
			w.must(err)
			_, err = w.producer.SyncProducts(w.ctx(), producer.SyncInput{DatabaseName: product, Deep: true})
			w.must(err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.breaks = true
			w.unmarks()
			for _, table := range append(tables(), "") {
				w.revokesInMesh(lakemesh.RoleARN(meshAccount, lakemesh.ReadOnlyRole), table, false, lftypes.PermissionDescribe)
			}
			do(w)
			for range 2 {
				v, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(w.ctx(), producer.VerifyInput{}) })
				w.must(err)
				for _, f := range v.Findings {
					t.Logf("%s %s %s %s: %s", f.Kind, f.Link, f.Principal, f.Resource, f.What)
				}
				_, err = w.producer.Repair(w.ctx(), v)
				if err != nil {
					t.Log(err)
				}
			}
			held, err := w.lake().Observe(w.ctx(), permissions.Table(meshAccount, product, customers))
			w.must(err)
			if got := held.Of(lakemesh.RoleARN(meshAccount, lakemesh.ReadOnlyRole), permissions.Table(meshAccount, product, customers)).Permissions; len(got) > 0 {
				t.Errorf("all of the mesh holds %s on %s", got, customers)
			}
		})
	}
}

// What two programs of an owner say at once of the privacy of two tables holds of both.
func TestTwoPublicationsAtOnceKeepBothPrivate(t *testing.T) {
	t.Parallel()
	for _, moment := range []string{"GetDatabase", "ListPermissions"} {
		t.Run(moment, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.breaks = true
			var begun atomic.Bool
			o := w.Options(producerAccount)
			cfg := meshtest.Answering(*o.Config, func(operation string, _, _ any) {
				if operation != moment || !begun.CompareAndSwap(false, true) {
					return
				}
				second, err := producer.New(w.ctx(), w.Options(producerAccount))
				w.must(err)
				_, err = second.CreateDataProducts(w.ctx(), producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: orders, CreatePublicMetadata: aws.Bool(false)})
				w.must(err)
			})
			o.Config = &cfg
			p, err := producer.New(w.ctx(), o)
			w.must(err)
			begun.Store(false)
			_, err = p.CreateDataProducts(w.ctx(), producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: customers, CreatePublicMetadata: aws.Bool(false)})
			w.must(err)
			if !begun.Load() {
				t.Fatal("not begun")
			}
			v, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(w.ctx(), producer.VerifyInput{}) })
			w.must(err)
			for _, f := range v.Findings {
				t.Logf("%s %s %s %s: %s", f.Kind, f.Link, f.Principal, f.Resource, f.What)
			}
			_, err = w.producer.Repair(w.ctx(), v)
			w.must(err)
			for _, table := range []string{orders, customers} {
				held, err := w.lake().Observe(w.ctx(), permissions.Table(meshAccount, product, table))
				w.must(err)
				if got := held.Of(lakemesh.RoleARN(meshAccount, lakemesh.ReadOnlyRole), permissions.Table(meshAccount, product, table)).Permissions; len(got) > 0 {
					t.Errorf("all of the mesh holds %s on %s", got, table)
				}
			}
		})
	}
}

// Whoever may alter a table keeps its owner from nothing, and what it did is found.
func TestWhoMayAlterATableBlocksNobody(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(in *gluetypes.TableInput){
		"a link": func(in *gluetypes.TableInput) {
			in.TargetTable = &gluetypes.TableIdentifier{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), Name: aws.String(customers)}
		},
		"a link to itself": func(in *gluetypes.TableInput) {
			in.TargetTable = &gluetypes.TableIdentifier{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), Name: aws.String(orders)}
		},
		"a view": func(in *gluetypes.TableInput) {
			in.TableType, in.ViewOriginalText, in.ViewExpandedText = aws.String("VIRTUAL_VIEW"), aws.String("/* Presto View */"), aws.String("x")
		},
		"nothing": func(in *gluetypes.TableInput) {
			*in = gluetypes.TableInput{Name: in.Name}
		},
		"many parameters": func(in *gluetypes.TableInput) {
			in.Parameters = map[string]string{"a": strings.Repeat("x", 400_000)}
		},
		"marks of its owner": func(in *gluetypes.TableInput) {
			in.Parameters = map[string]string{"lakemesh.private.*": producerAccount, "lakemesh.privacy": producerAccount, "lakemesh.from." + source: otherProducer}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.breaks = true
			id := w.request([]string{orders}, "ALTER", "DESCRIBE")
			w.approve(id)
			admin := meshtest.Administrator(consumerAccount)
			w.finalize(id, admin)
			client := glue.NewFromConfig(w.Config(admin))
			out, err := client.GetTable(w.ctx(), &glue.GetTableInput{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), Name: aws.String(orders)})
			w.must(err)
			in := gluetypes.TableInput{Name: out.Table.Name, Parameters: out.Table.Parameters, StorageDescriptor: out.Table.StorageDescriptor, PartitionKeys: out.Table.PartitionKeys, TableType: out.Table.TableType, Owner: out.Table.Owner}
			change(&in)
			_, err = client.UpdateTable(w.ctx(), &glue.UpdateTableInput{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), TableInput: &in})
			if in.TargetTable != nil {
				// No table becomes a link, so that there is nothing to find.
				if !awserr.Is(err, "InvalidInputException") {
					t.Errorf("a table is made a link: %v", err)
				}
				return
			}
			w.must(err)
			v, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(w.ctx(), producer.VerifyInput{}) })
			w.must(err)
			for _, f := range v.Findings {
				t.Logf("%s %s %s %s: %s; %s", f.Kind, f.Link, f.Principal, f.Resource, f.What, f.Command)
			}
			t.Log(v.Unverified)
			if len(v.Findings) == 0 {
				t.Errorf("nothing is found")
			}
			_, err = w.producer.Repair(w.ctx(), v)
			t.Log("repair", err)
			more := w.request([]string{customers}, "SELECT", "DESCRIBE")
			w.approve(more)
			_, err = w.producer.SyncProducts(w.ctx(), producer.SyncInput{DatabaseName: product, Overwrite: true})
			t.Log("sync", err)
			_, err = w.producer.CreateDataProducts(w.ctx(), producer.CreateDataProductsInput{SourceDatabaseName: source, Overwrite: true})
			t.Log("publish", err)
			w.end(id)
			w.end(more)
			w.holds(consumerAccount, nil)
			w.opens()
			w.publish(w.producer, source)
			v, err = w.known(func() (*chain.Verification, error) { return w.producer.Verify(w.ctx(), producer.VerifyInput{}) })
			w.must(err)
			for _, f := range v.Findings {
				t.Errorf("after all %s %s %s %s: %s; %s", f.Kind, f.Link, f.Principal, f.Resource, f.What, f.Command)
			}
		})
	}
}

// inMeshOn is a table of the product, or its database.
func (w *world) inMeshOn(table string) *lftypes.Resource {
	if table == "" {
		return &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String(product)}}
	}
	return &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(product), Name: &table}}
}

// revokesInMesh takes away by hand, as the mesh's administrator.
func (w *world) revokesInMesh(who, table string, option bool, which ...lftypes.Permission) {
	w.t.Helper()
	in := &lakeformation.RevokePermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &who}, Resource: w.inMeshOn(table), Permissions: which}
	if option {
		in.PermissionsWithGrantOption = which
	}
	_, err := lakeformation.NewFromConfig(w.manager()).RevokePermissions(w.ctx(), in)
	w.must(err)
}

// grantsInMesh grants by hand, as the mesh's administrator.
func (w *world) grantsInMesh(who, table string, which ...lftypes.Permission) {
	w.t.Helper()
	_, err := lakeformation.NewFromConfig(w.manager()).GrantPermissions(w.ctx(), &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &who}, Resource: w.inMeshOn(table), Permissions: which})
	w.must(err)
}

// unmarks makes the database as a version of before left it, which marked no private tables.
func (w *world) unmarks() {
	w.t.Helper()
	client := glue.NewFromConfig(w.meshProducer())
	out, err := client.GetDatabase(w.ctx(), &glue.GetDatabaseInput{Name: aws.String(product)})
	w.must(err)
	all := maps.Clone(out.Database.Parameters)
	maps.DeleteFunc(all, func(k, _ string) bool { return strings.Contains(k, "privacy") || strings.Contains(k, ".private.") })
	_, err = client.UpdateDatabase(w.ctx(), &glue.UpdateDatabaseInput{Name: aws.String(product), DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String(product), Description: out.Database.Description, LocationUri: out.Database.LocationUri, Parameters: all, CreateTableDefaultPermissions: []gluetypes.PrincipalPermissions{}}})
	w.must(err)
}

// Whoever was handed SELECT by a subscription that gives DESCRIBE alone now reads no more, where a
// group gives the account the table and was imported for nobody.
func TestWhatANarrowedSubscriptionHandedOnIsTakenBackBesideAGroup(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	w.breaks = true
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.request([]string{orders}, "SELECT", "DESCRIBE")
	w.approve(id)
	w.finalize(id, analyst)
	twin := w.asks("", "Flights")
	w.approve(twin)
	w.update(id, "DESCRIBE")
	w.finalize(twin, []string{}...)
	w.finalize(id, analyst)
	w.reads(analyst)
	v, err := w.consumer.Verify(w.ctx(), consumer.VerifyInput{})
	w.must(err)
	for _, f := range v.Findings {
		t.Logf("%s %s %s %s: %s", f.Kind, f.Link, f.Principal, f.Resource, f.What)
	}
}

// What one import of an account hands on by name another one at the same time does not take back.
func TestImportsAtOnceTakeNothingFromEachOther(t *testing.T) {
	t.Parallel()
	for _, moment := range []string{"BatchGetItem", "ListPermissions", "BatchGrantPermissions"} {
		t.Run(moment, func(t *testing.T) {
			t.Parallel()
			w := newGroups(t)
			w.breaks = true
			analyst := w.Reader(consumerAccount, "Analyst")
			nobody := w.Reader(consumerAccount, "Nobody")
			id := w.request([]string{orders}, "SELECT", "DESCRIBE")
			w.approve(id)
			w.finalize(id, analyst)
			twin := w.asks("", "Flights")
			w.approve(twin)
			w.end(id)
			again := w.request([]string{orders}, "SELECT", "DESCRIBE")
			var begun, armed atomic.Bool
			o := w.Options(consumerAccount)
			cfg := meshtest.Answering(*o.Config, func(operation string, _, _ any) {
				if operation != moment || !armed.Load() || !begun.CompareAndSwap(false, true) {
					return
				}
				w.approve(again)
				w.finalize(again, analyst)
			})
			o.Config = &cfg
			c, err := consumer.New(w.ctx(), o)
			w.must(err)
			armed.Store(true)
			out, err := c.FinalizeSubscription(w.ctx(), consumer.FinalizeInput{SubscriptionID: twin, Principals: []string{nobody}})
			if err != nil {
				t.Log(err)
			} else {
				t.Log(out.Warnings)
			}
			if !begun.Load() {
				t.Fatal("not begun")
			}
			w.reads(analyst, orders)
			v, err := w.consumer.Verify(w.ctx(), consumer.VerifyInput{})
			w.must(err)
			for _, f := range v.Findings {
				t.Logf("%s %s %s %s: %s", f.Kind, f.Link, f.Principal, f.Resource, f.What)
			}
		})
	}
}
