package consumer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// verify is what is found once everything is known, each as "kind, link, resource,
// principal". Resource shares have no name that is known before.
func (w *world) verify(in consumer.VerifyInput, want []string) (*consumer.Verification, string) {
	w.t.Helper()
	want = append([]string{}, want...)
	slices.Sort(want)
	var v *consumer.Verification
	var diff string
	meshtest.Soon(w.mesh.Mesh, func() bool {
		var err error
		v, err = w.consumer.Verify(w.t.Context(), in)
		w.must(err)
		said := []string{}
		for _, f := range v.Findings {
			if strings.HasPrefix(f.Resource, "resource share ") {
				f.Resource = "a share"
			}
			said = append(said, fmt.Sprintf("%s, %s, %s, %s", f.Kind, f.Link, f.Resource, f.Principal))
		}
		slices.Sort(said)
		diff = cmp.Diff(want, slices.Compact(said))
		return diff == ""
	})
	return v, diff
}

func (w *world) chainHolds() {
	w.t.Helper()
	if v, diff := w.verify(consumer.VerifyInput{}, nil); diff != "" || len(v.Unverified) > 0 {
		w.t.Errorf("verify finds (-want +got):\n%s\nunverified %q", diff, v.Unverified)
	}
}

// lakeAdministrator is an account's administrator, made a data lake administrator.
func (w *world) lakeAdministrator(account string) *lakeformation.Client {
	w.t.Helper()
	client := lakeformation.NewFromConfig(w.mesh.Config(meshtest.Administrator(account)))
	out, err := client.GetDataLakeSettings(w.t.Context(), &lakeformation.GetDataLakeSettingsInput{})
	w.must(err)
	admin := lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(meshtest.Administrator(account))}
	if !slices.ContainsFunc(out.DataLakeSettings.DataLakeAdmins, func(p lftypes.DataLakePrincipal) bool {
		return *p.DataLakePrincipalIdentifier == *admin.DataLakePrincipalIdentifier
	}) {
		out.DataLakeSettings.DataLakeAdmins = append(out.DataLakeSettings.DataLakeAdmins, admin)
	}
	_, err = client.PutDataLakeSettings(w.t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: out.DataLakeSettings})
	w.must(err)
	return client
}

func meshTable(name string) *lftypes.Resource {
	return &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(database), Name: aws.String(name)}}
}

func databaseOf(account string) *lftypes.Resource {
	return &lftypes.Resource{Database: &lftypes.DatabaseResource{CatalogId: aws.String(account), Name: aws.String(database)}}
}

func (w *world) revokeByHand(account, principal string, on *lftypes.Resource, permissions ...lftypes.Permission) {
	w.t.Helper()
	_, err := w.lakeAdministrator(account).RevokePermissions(w.t.Context(), &lakeformation.RevokePermissionsInput{
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &principal}, Resource: on, Permissions: permissions})
	w.must(err)
}

func (w *world) grantByHand(account, principal string, on *lftypes.Resource, permission lftypes.Permission, grantable bool) {
	w.t.Helper()
	in := &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &principal}, Resource: on, Permissions: []lftypes.Permission{permission}}
	if grantable {
		in.PermissionsWithGrantOption = in.Permissions
	}
	lake := w.lakeAdministrator(account)
	w.must(meshtest.Try(w.mesh.Mesh, func() error {
		_, err := lake.GrantPermissions(w.t.Context(), in)
		return err
	}))
}

func (w *world) dropLink() {
	w.t.Helper()
	w.grantByHand(consumerAccount, meshtest.Administrator(consumerAccount), databaseOf(consumerAccount), lftypes.PermissionDrop, false)
	_, err := w.mesh.Glue(consumerAccount).DeleteDatabase(w.t.Context(), &glue.DeleteDatabaseInput{Name: aws.String(database)})
	w.must(err)
}

func (w *world) link(name, catalog, target string) {
	w.t.Helper()
	_, err := w.mesh.Glue(consumerAccount).CreateDatabase(w.t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: &name,
		TargetDatabase: &types.DatabaseIdentifier{CatalogId: &catalog, DatabaseName: &target}}})
	w.must(err)
}

func on(kind chain.Kind, link chain.Link, resource, principal string) string {
	return fmt.Sprintf("%s, %s, %s, %s", kind, link, resource, principal)
}

func TestAConsumersVerificationFindsNothingInEveryLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.chainHolds()
	id := w.request("orders")
	w.chainHolds()
	w.approve(id)
	w.finalize(id, w.analyst())
	w.chainHolds()
	whole := w.active()
	w.chainHolds()
	renamed := w.request("customers")
	w.approve(renamed)
	if _, err := w.consumer.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: renamed, LinkDatabaseName: "bought", Principals: []string{}}); err != nil {
		t.Fatal(err)
	}
	w.chainHolds()
	w.must(w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"DESCRIBE"}}))
	w.chainHolds()
	w.must(w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT", "DESCRIBE"}}))
	w.finalize(id, w.analystAgain())
	w.chainHolds()
	w.must(w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: whole}))
	w.chainHolds()
	w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id}))
	w.chainHolds()
	w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: renamed}))
	w.chainHolds()
	_, err := w.producer.SettleDepartures(t.Context())
	w.must(err)
	w.chainHolds()
}

func (w *world) analystAgain() string { return analystARN }

func TestAConsumersVerificationFindsEveryFaultAndNothingElse(t *testing.T) {
	t.Parallel()
	const table, customers, mesh, link = "table " + database + ".orders", "table " + database + ".customers", "database " + database, "link database " + database
	stays := func(lines ...string) []string { return lines }
	for name, test := range map[string]struct {
		// principals are whom the table is handed on to; nil for the role DataMeshConsumer.
		principals []string
		// waits leaves the subscription without an import.
		waits bool
		plant func(w *world, id string)
		want  []string
		// stays is what a repair by the consumer leaves.
		stays []string
	}{
		"it was not imported": {waits: true, plant: func(w *world, _ string) {
			meshtest.Without(w.t, w.mesh.Mesh, "there are no invitations", func(r localmesh.Readings) bool { return r.SharingNeedsNoInvitation })
		}, want: []string{on(chain.Missing, chain.HandedOn, "the subscription", "")}},
		"SELECT of the account is revoked by hand": {plant: func(w *world, _ string) {
			w.revokeByHand(meshAccount, consumerAccount, meshTable("orders"), lftypes.PermissionSelect)
		}, want: []string{on(chain.Missing, chain.Grant, table, consumerAccount)}, stays: stays(on(chain.Missing, chain.Grant, table, consumerAccount))},
		"the right to hand SELECT on is revoked by hand": {plant: func(w *world, _ string) {
			w.revokeByHand(meshAccount, consumerAccount, meshTable("orders"), lftypes.PermissionSelect)
			w.grantByHand(meshAccount, consumerAccount, meshTable("orders"), lftypes.PermissionSelect, false)
		}, want: []string{on(chain.Missing, chain.Grant, table, consumerAccount)}, stays: stays(on(chain.Missing, chain.Grant, table, consumerAccount))},
		"the link is dropped": {plant: func(w *world, _ string) { w.dropLink() },
			want: []string{on(chain.Missing, chain.ResourceLink, mesh, "")}},
		"the link leads to another catalog": {plant: func(w *world, _ string) { w.dropLink(); w.link(database, "333333333333", database) },
			want:  []string{on(chain.Missing, chain.ResourceLink, mesh, "")},
			stays: stays(on(chain.Missing, chain.ResourceLink, mesh, ""))},
		"the link leads to another database": {plant: func(w *world, _ string) { w.dropLink(); w.link(database, meshAccount, "elsewhere") },
			want: []string{on(chain.Missing, chain.ResourceLink, mesh, ""), on(chain.TooMuch, chain.ResourceLink, link, "")},
			// The name is free then, so that the next repair imports again.
			stays: stays(on(chain.Missing, chain.ResourceLink, mesh, ""))},
		"a database has the link's name": {plant: func(w *world, _ string) { w.dropLink(); w.mesh.Database(consumerAccount, database) },
			want:  []string{on(chain.Missing, chain.ResourceLink, mesh, "")},
			stays: stays(on(chain.Missing, chain.ResourceLink, mesh, ""))},
		"a link of that name leads elsewhere, and another one there": {plant: func(w *world, _ string) {
			w.dropLink()
			w.link(database, "333333333333", database)
			w.link("bought", meshAccount, database)
			w.grantByHand(consumerAccount, self(), &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String("bought")}}, lftypes.PermissionDescribe, false)
		}, want: []string{on(chain.Undecided, chain.ResourceLink, mesh, "")}, stays: stays(on(chain.Undecided, chain.ResourceLink, mesh, ""))},
		"what was handed on is revoked": {plant: func(w *world, _ string) {
			w.revokeByHand(consumerAccount, self(), meshTable("orders"), lftypes.PermissionSelect)
		}, want: []string{on(chain.Missing, chain.HandedOn, table, self())}},
		"what was handed on to somebody else is revoked": {principals: []string{analystARN}, plant: func(w *world, _ string) {
			w.revokeByHand(consumerAccount, analystARN, meshTable("orders"), lftypes.PermissionSelect)
		}, want: []string{on(chain.Missing, chain.HandedOn, table, analystARN)}},
		"DESCRIBE on the link is revoked": {principals: []string{analystARN}, plant: func(w *world, _ string) {
			w.revokeByHand(consumerAccount, analystARN, databaseOf(consumerAccount), lftypes.PermissionDescribe)
		}, want: []string{on(chain.Missing, chain.HandedOn, link, analystARN)}},
		"DESCRIBE on the database is revoked": {principals: []string{analystARN}, plant: func(w *world, _ string) {
			w.revokeByHand(consumerAccount, analystARN, databaseOf(meshAccount), lftypes.PermissionDescribe)
		}, want: []string{on(chain.Missing, chain.HandedOn, mesh, analystARN)}},
		"the account is taken out of the share": {plant: func(w *world, id string) {
			s, err := w.producer.GetSubscription(w.t.Context(), id)
			w.must(err)
			for _, share := range s.RAMShares {
				_, err := ram.NewFromConfig(w.mesh.Config(meshtest.Administrator(meshAccount))).DisassociateResourceShare(w.t.Context(),
					&ram.DisassociateResourceShareInput{ResourceShareArn: aws.String(share.ARN), Principals: []string{consumerAccount}})
				w.must(err)
			}
		}, want: []string{on(chain.Missing, chain.Share, mesh, consumerAccount)}, stays: stays(on(chain.Missing, chain.Share, mesh, consumerAccount))},
		"the table is dropped from the mesh": {plant: func(w *world, _ string) {
			w.grantByHand(meshAccount, meshtest.Administrator(meshAccount), meshTable("orders"), lftypes.PermissionDrop, false)
			_, err := w.mesh.Glue(meshAccount).DeleteTable(w.t.Context(),
				&glue.DeleteTableInput{DatabaseName: aws.String(database), Name: aws.String("orders")})
			w.must(err)
		}, want: []string{on(chain.Missing, chain.Share, table, consumerAccount)}, stays: stays(on(chain.Missing, chain.Share, table, consumerAccount))},
		"the subscription has ended": {principals: []string{analystARN}, plant: func(w *world, id string) {
			w.must(w.producer.DeleteSubscription(w.t.Context(), producer.DeleteInput{SubscriptionID: id}))
		}, want: []string{on(chain.TooMuch, chain.ResourceLink, link, "")}},
		"leaving was left unfinished": {principals: []string{analystARN}, plant: func(w *world, id string) {
			w.mesh.Fail(localmesh.Fault{Service: "lakeformation", Operation: "BatchRevokePermissions", Nth: 1, Code: "AccessDeniedException", Message: "a planned fault", Status: 400})
			if w.consumer.DeleteSubscription(w.t.Context(), consumer.LeaveInput{SubscriptionID: id}) == nil {
				w.t.Error("leaving did not fail")
			}
		}, want: []string{on(chain.TooMuch, chain.ResourceLink, link, ""), on(chain.TooMuch, chain.HandedOn, mesh, analystARN),
			on(chain.TooMuch, chain.HandedOn, link, analystARN), on(chain.TooMuch, chain.HandedOn, table, analystARN)}},
		"the account was granted more": {plant: func(w *world, _ string) {
			w.grantByHand(meshAccount, consumerAccount, meshTable("orders"), lftypes.PermissionInsert, false)
		}, want: []string{on(chain.Undecided, chain.Grant, table, consumerAccount)}, stays: stays(on(chain.Undecided, chain.Grant, table, consumerAccount))},
		"the account was granted another table, and hands it on": {principals: []string{analystARN}, plant: func(w *world, _ string) {
			w.grantByHand(meshAccount, consumerAccount, meshTable("customers"), lftypes.PermissionSelect, true)
			w.grantByHand(consumerAccount, analystARN, meshTable("customers"), lftypes.PermissionSelect, false)
		}, want: []string{on(chain.Undecided, chain.Grant, customers, consumerAccount), on(chain.Undecided, chain.HandedOn, customers, analystARN)},
			stays: stays(on(chain.Undecided, chain.Grant, customers, consumerAccount), on(chain.Undecided, chain.HandedOn, customers, analystARN))},
		"somebody hands on what may be handed on": {principals: []string{}, plant: func(w *world, _ string) {
			w.grantByHand(consumerAccount, analystARN, meshTable("orders"), lftypes.PermissionSelect, false)
		}},
		"a decision was left unfinished": {plant: func(w *world, id string) {
			w.mesh.Fail(localmesh.Fault{Service: "dynamodb", Operation: "TransactWriteItems", Nth: 2, Code: "AccessDeniedException", Message: "a planned fault", Status: 400})
			if w.producer.UpdateSubscriptionPermissions(w.t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT", "DESCRIBE", "INSERT"}}) == nil {
				w.t.Error("the update did not fail")
			}
		}, want: []string{"missing, record, the subscription, " + consumerAccount}, stays: stays("missing, record, the subscription, " + consumerAccount)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.analyst()
			id := w.request("orders")
			w.approve(id)
			if !test.waits {
				if _, err := w.consumer.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id, Principals: test.principals}); err != nil {
					t.Fatal(err)
				}
				w.chainHolds()
			}
			test.plant(w, id)
			named := func(lines []string) (all []string) {
				for _, l := range lines {
					all = append(all, strings.ReplaceAll(l, "the subscription", "subscription "+id))
				}
				return all
			}
			w.silent("verify", func() {
				if _, diff := w.verify(consumer.VerifyInput{}, named(test.want)); diff != "" {
					t.Errorf("found (-want +got):\n%s", diff)
				}
			})
			v, _ := w.verify(consumer.VerifyInput{}, named(test.want))
			for _, f := range v.Findings {
				if f.Repairs == "" || f.Account == "" || f.What == "" || f.Command == "" && (f.Mends.By != "" || f.ByHand == "") {
					t.Errorf("a finding that does not say what to do: %+v", f)
				}
			}
			w.silent("the plan of a repair", func() {
				if _, err := w.consumer.PlanRepair(t.Context(), v); err != nil {
					t.Errorf("plan of the repair: %v", err)
				}
			})
			if _, err := w.consumer.Repair(t.Context(), v); err != nil {
				t.Errorf("repair: %v", err)
			}
			if _, diff := w.verify(consumer.VerifyInput{}, named(test.stays)); diff != "" {
				t.Errorf("found after a repair (-want +got):\n%s", diff)
			}
			w.byOwner(id)
		})
	}
}

func TestAConsumersVerificationIsNarrowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	orders, customers := w.active("orders"), w.active("customers")
	w.revokeByHand(consumerAccount, self(), meshTable("orders"), lftypes.PermissionSelect)
	lost := []string{on(chain.Missing, chain.HandedOn, "table "+database+".orders", self())}
	for name, test := range map[string]struct {
		in   consumer.VerifyInput
		want []string
	}{
		"everything":      {consumer.VerifyInput{}, lost},
		"the product":     {consumer.VerifyInput{Database: strings.ToUpper(database)}, lost},
		"another product": {consumer.VerifyInput{Database: "another"}, nil},
		"a subscription":  {consumer.VerifyInput{SubscriptionID: orders}, lost},
		"another one":     {consumer.VerifyInput{SubscriptionID: customers}, nil},
	} {
		if _, diff := w.verify(test.in, test.want); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, err := w.consumer.Verify(t.Context(), consumer.VerifyInput{SubscriptionID: lakemesh.NewSubscriptionID(producerAccount, otherAccount)}); err == nil {
		t.Error("it verified another's subscription")
	}
}
