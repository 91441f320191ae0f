package producer_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

func TestEachGrantIsListedWithWhatJustifiesItAndAllSidesAgree(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	meshtest.Without(t, w.mesh, "what others hold cannot be seen", func(r localmesh.Readings) bool { return r.ListingsShowOwnRows })
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	if _, err := w.asking[consumerAccount].FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id}); err != nil {
		t.Fatal(err)
	}
	// Somebody grants by hand: a table, and columns of one.
	lake := w.lakeAdministrator(t)
	grant := func(r *lftypes.Resource) {
		if _, err := lake.GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{Resource: r, Permissions: []lftypes.Permission{lftypes.PermissionSelect},
			Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(otherConsumer)}}); err != nil {
			t.Fatal(err)
		}
	}
	grant(&lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(meshDatabase), Name: aws.String("customers")}})
	grant(&lftypes.Resource{TableWithColumns: &lftypes.TableWithColumnsResource{DatabaseName: aws.String(meshDatabase), Name: aws.String("orders"), ColumnNames: []string{"id"}}})

	mine, err := w.producer.AccessList(t.Context(), producer.AccessListInput{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := admin.New(t.Context(), w.accounts.Options(meshAccount))
	if err != nil {
		t.Fatal(err)
	}
	all, err := a.AccessList(t.Context(), admin.AccessListInput{})
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := w.asking[consumerAccount].AccessList(t.Context(), consumer.AccessListInput{})
	if err != nil {
		t.Fatal(err)
	}
	find := func(l *access.List, account string, kind access.Kind, table string) *access.Entry {
		i := slices.IndexFunc(l.Entries, func(e access.Entry) bool {
			return e.Principal == account && e.Kind == kind && e.Table == table && e.Permissions.Has(lakemesh.Select)
		})
		if i < 0 {
			return nil
		}
		return &l.Entries[i]
	}
	for side, l := range map[string]*access.List{"owner": mine, "administrator": all, "consumer": theirs} {
		e := find(l, consumerAccount, access.KindTable, "orders")
		if e == nil || e.Origin != access.BySubscription || !slices.Equal(e.Through, []string{id}) || e.Since == nil {
			t.Errorf("%s: %+v in %+v", side, e, l)
		}
		if side == "consumer" {
			continue
		}
		for kind, table := range map[access.Kind]string{access.KindTable: "customers", access.KindColumns: "orders"} {
			if e := find(l, otherConsumer, kind, table); e == nil || e.Origin != access.ByHand {
				t.Errorf("%s: %s %s: %+v", side, kind, table, e)
			}
		}
	}
	between := time.Now()
	w.end(t, id)
	later := time.Now().Add(time.Hour)
	for side, list := range map[string]func(*time.Time) (*access.List, error){
		"owner": func(at *time.Time) (*access.List, error) {
			return w.producer.AccessList(t.Context(), producer.AccessListInput{At: at})
		},
		"administrator": func(at *time.Time) (*access.List, error) {
			return a.AccessList(t.Context(), admin.AccessListInput{At: at})
		},
		"consumer": func(at *time.Time) (*access.List, error) {
			return w.asking[consumerAccount].AccessList(t.Context(), consumer.AccessListInput{At: at})
		},
	} {
		if l, err := list(&later); !errors.Is(err, lakemesh.ErrInvalidInput) || l != nil {
			t.Errorf("%s, of what is yet to come: %+v, %v", side, l, err)
		}
	}
	for at, want := range map[time.Time]int{between: 1, between.Add(-24 * time.Hour): 0, time.Now(): 0} {
		l, err := w.producer.AccessList(t.Context(), producer.AccessListInput{At: &at, ListFilter: access.ListFilter{Table: "orders"}})
		if err != nil {
			t.Fatal(err)
		}
		if len(l.Entries) != want {
			t.Errorf("at %s: %+v, want %d", at, l.Entries, want)
		}
	}
}

// A product can be published under any name, and what was granted by hand before a
// subscription gave the same stays when that ends: a list shows both.
func TestAListShowsProductsOfAnyNameAndWhatWasThereBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	meshtest.Without(t, w.mesh, "what others hold cannot be seen", func(r localmesh.Readings) bool { return r.ListingsShowOwnRows })
	if _, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase, TableNameRegex: "customers", ExposeDataMeshDBName: "shop"}); err != nil {
		t.Fatal(err)
	}
	lake := w.lakeAdministrator(t)
	for database, table := range map[string]string{"shop": "customers", meshDatabase: "orders"} {
		if _, err := lake.GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{Permissions: []lftypes.Permission{lftypes.PermissionSelect},
			Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(consumerAccount)},
			Resource:  &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(database), Name: aws.String(table)}}}); err != nil {
			t.Fatal(err)
		}
	}
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	list, err := w.producer.AccessList(t.Context(), producer.AccessListInput{ListFilter: access.ListFilter{Principal: consumerAccount}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, e := range list.Entries {
		if e.Permissions.Has(lakemesh.Select) {
			got[e.Database+"."+e.Table+" "+string(e.Origin)] = true
		}
	}
	want := map[string]bool{"shop.customers by hand": true, meshDatabase + ".orders by hand": true, meshDatabase + ".orders subscription": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	// Another producer sees nothing of it.
	w.accounts.AddProducer(meshtest.OtherProducer)
	other, err := producer.New(t.Context(), w.accounts.Options(meshtest.OtherProducer))
	if err != nil {
		t.Fatal(err)
	}
	list, err = other.AccessList(t.Context(), producer.AccessListInput{})
	if err != nil || len(list.Entries) > 0 {
		t.Errorf("another producer is shown %+v, %v", list, err)
	}
}
