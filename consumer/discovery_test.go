package consumer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lakeformation"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

func TestListProductAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	list := func(statuses ...lakemesh.Status) []lakemesh.Subscription {
		t.Helper()
		return w.list(consumer.ListInput{Statuses: statuses})
	}
	if text, err := json.Marshal(consumer.ListOutput{Subscriptions: list()}); err != nil || string(text) != `{"Subscriptions":[]}` {
		t.Errorf("no subscriptions: %s, %v", text, err)
	}
	active := w.active("orders")
	for i := range 5 {
		_, err := w.consumer.RequestAccessToProduct(ctx, consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: database,
			Tables: []string{"customers"}, RequestPermissions: [][]string{{"SELECT"}, {"INSERT"}, {"DELETE"}, {"ALTER"}, {"DROP"}}[i],
			Notes: fmt.Sprint(i, strings.Repeat("n", 8_000))})
		w.must(err)
	}
	if got := list(); len(got) != 1 || got[0].ID != active || got[0].Status != lakemesh.Active || got[0].Owner != producerAccount || len(got[0].Permitted) == 0 {
		t.Errorf("active: %+v", got)
	}
	if got := list(lakemesh.Pending); len(got) != 5 {
		t.Errorf("%d pending; want 5", len(got))
	}
	if got := list(consumer.AllStatuses()...); len(got) != 6 {
		t.Errorf("%d in all; want 6", len(got))
	}
	if _, err := w.consumer.ListProductAccess(ctx, consumer.ListInput{Statuses: []lakemesh.Status{"Open"}}); !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("an unknown state: %v", err)
	}
}

func TestGetTableInfo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	info, err := w.consumer.GetTableInfo(ctx, consumer.TableInfoInput{DatabaseName: database, TableName: "orders"})
	w.must(err)
	info.CreateTime, info.UpdateTime = "", ""
	text, err := json.Marshal(info)
	w.must(err)
	want := `{"DatabaseName":"` + database + `","TableName":"orders","Owner":"` + producerAccount + `","Description":"the table orders","Visibility":"PUBLIC",` +
		`"TableType":"EXTERNAL_TABLE","Location":"s3://sales-data/orders/",`
	if !strings.HasPrefix(string(text), want) || !strings.Contains(string(text), `"PartitionKeys":[]`) {
		t.Errorf("%s; want it to begin with %s", text, want)
	}
	w.active("orders")
	info, err = w.consumer.GetTableInfo(ctx, consumer.TableInfoInput{DatabaseName: database, TableName: "orders"})
	w.must(err)
	if info.Visibility != consumer.SeenAsShared || len(info.Columns) != 2 || info.Columns[0] != (consumer.Column{Name: "id", Type: "bigint", Comment: "key"}) {
		t.Errorf("as shared: %+v", info)
	}
	for _, in := range []consumer.TableInfoInput{{DatabaseName: database, TableName: "order"}, {DatabaseName: "nothing", TableName: "orders"}} {
		if _, err := w.consumer.GetTableInfo(ctx, in); !errors.Is(err, lakemesh.ErrNotFound) {
			t.Errorf("%+v: %v; want ErrNotFound", in, err)
		}
	}
	for _, in := range []consumer.TableInfoInput{{DatabaseName: database}, {TableName: "orders"}} {
		if _, err := w.consumer.GetTableInfo(ctx, in); !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("%+v: %v; want ErrInvalidInput", in, err)
		}
	}
}

func TestListProducts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.publish(producer.CreateDataProductsInput{SourceDatabaseName: "sales", TableNameRegex: "orders", Domain: "Retail", DataProductName: "orders"})
	names := func(in consumer.ListProductsInput) string {
		t.Helper()
		out, err := w.consumer.ListProducts(ctx, in)
		w.must(err)
		var all []string
		for _, p := range out.Products {
			if p.Owner != producerAccount || p.Location != "s3://sales-data/"+p.TableName+"/" || p.DatabaseName != database {
				t.Errorf("product %+v", p)
			}
			all = append(all, strings.TrimSuffix(p.TableName+":"+p.Domain+":"+p.DataProductName, "::"))
		}
		return strings.Join(all, " ")
	}
	for want, in := range map[string]consumer.ListProductsInput{
		"customers orders:retail:orders orders_eu": {},
		"orders:retail:orders":                     {Domain: "Retail", DatabaseName: database},
		"":                                         {DataProductName: "other"},
	} {
		if got := names(in); got != want {
			t.Errorf("%+v: %q; want %q", in, got, want)
		}
	}
	if _, err := w.consumer.ListProducts(ctx, consumer.ListProductsInput{DatabaseName: "nothing"}); !errors.Is(err, lakemesh.ErrNotFound) {
		t.Errorf("unknown database: %v", err)
	}
}

// Producers share the keys domain and dataproduct, and each has keys of its own; what
// counts of a product is its owner's word.
func TestListProductsBelievesTheOwnersLFTags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	meshtest.Before(w.mesh.Mesh, func() { w.mesh.AddProducer(meshtest.OtherProducer) })
	w.publish(producer.CreateDataProductsInput{SourceDatabaseName: "sales", TableNameRegex: "orders", Domain: "Retail"})
	manager := &permissions.Lake{Client: lakeformation.NewFromConfig(w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole))), Account: meshAccount}
	other := &permissions.Lake{Client: lakeformation.NewFromConfig(w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(meshtest.OtherProducer)))), Account: meshAccount}
	foreign := "dataproduct-" + meshtest.OtherProducer
	w.must(other.AddTagValues(t.Context(), "domain", "planted"))
	w.must(other.AddTagValues(t.Context(), "dataproduct", "planted"))
	w.must(other.AddTagValues(t.Context(), foreign, "planted"))
	show := &plan.Plan{Operation: "test"}
	other.Batches().Grant(show, permissions.Entry{Principal: lakemesh.RoleARN(meshAccount, lakemesh.ReadOnlyRole), Resource: permissions.Tag(meshAccount, foreign),
		Permissions: lakemesh.NewPermissions(lakemesh.Describe)})
	_, err := show.Apply(t.Context(), plan.Settings{})
	w.must(err)
	for table, tags := range map[string]map[string]string{
		"orders":    {"domain": "planted", "dataproduct": "planted", foreign: "planted"},
		"customers": {"domain": "planted"},
	} {
		failed, err := manager.AssignTags(t.Context(), permissions.Table(meshAccount, database, table), tags)
		w.must(err)
		if len(failed) > 0 {
			t.Fatal(failed)
		}
	}
	found := func(in consumer.ListProductsInput) (list []string) {
		t.Helper()
		out, err := w.consumer.ListProducts(t.Context(), in)
		w.must(err)
		for _, p := range out.Products {
			list = append(list, p.TableName+":"+p.Domain+":"+p.DataProductName)
		}
		return list
	}
	// customers was published by the original library: all that there is of it are the
	// shared keys.
	if got := found(consumer.ListProductsInput{}); !slices.Equal(got, []string{"customers:planted:", "orders:retail:", "orders_eu::"}) {
		t.Errorf("%q", got)
	}
	if got := found(consumer.ListProductsInput{Domain: "planted"}); !slices.Equal(got, []string{"customers:planted:"}) {
		t.Errorf("in the planted domain: %q", got)
	}
}
