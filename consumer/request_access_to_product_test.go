package consumer_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
)

func TestBadRequestsAreRefusedBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: database, Tables: []string{"orders"}, RequestPermissions: []string{"SELECT"}}
	cases := []struct {
		name   string
		change func(*consumer.RequestInput)
		kind   error
		says   string
	}{
		{"malformed owner", func(in *consumer.RequestInput) { in.OwnerAccountID = "1111" }, lakemesh.ErrInvalidInput, "twelve digits"},
		{"own account as owner", func(in *consumer.RequestInput) { in.OwnerAccountID = consumerAccount }, lakemesh.ErrInvalidInput, "your own"},
		{"mesh as owner", func(in *consumer.RequestInput) { in.OwnerAccountID = meshAccount }, lakemesh.ErrInvalidInput, "the mesh itself"},
		{"no database", func(in *consumer.RequestInput) { in.DatabaseName = "" }, lakemesh.ErrInvalidInput, "1 to 255"},
		{"long database", func(in *consumer.RequestInput) { in.DatabaseName = strings.Repeat("d", 256) }, lakemesh.ErrInvalidInput, "1 to 255"},
		{"no permissions", func(in *consumer.RequestInput) { in.RequestPermissions = nil }, lakemesh.ErrInvalidInput, "DESCRIBE"},
		{"unknown permission", func(in *consumer.RequestInput) { in.RequestPermissions = []string{"SELECT", "READ"} }, lakemesh.ErrInvalidInput, `"READ"`},
		{"permission on databases", func(in *consumer.RequestInput) { in.RequestPermissions = []string{"CREATE_TABLE"} }, lakemesh.ErrInvalidInput, "INSERT"},
		{"empty table", func(in *consumer.RequestInput) { in.Tables = []string{""} }, lakemesh.ErrInvalidInput, "empty name"},
		{"expression that does not compile", func(in *consumer.RequestInput) { in.Tables = []string{"orders_(eu"} }, lakemesh.ErrInvalidInput, "orders_(eu"},
		{"long expression", func(in *consumer.RequestInput) { in.Tables = []string{strings.Repeat("x", 256)} }, lakemesh.ErrInvalidInput, "255"},
		{"unknown database", func(in *consumer.RequestInput) { in.DatabaseName = "sale-" + producerAccount }, lakemesh.ErrNotFound, "consumer.ListProducts()"},
		{"unknown table", func(in *consumer.RequestInput) { in.Tables = []string{"orders", "order"} }, lakemesh.ErrNotFound, ".order"},
		{"expression that matches a part of a name only", func(in *consumer.RequestInput) { in.Tables = []string{"rders.*"} }, lakemesh.ErrNotFound, "rders.*"},
		{"another owner's table", func(in *consumer.RequestInput) { in.OwnerAccountID = "222222222222" }, lakemesh.ErrWrongAccount, producerAccount},
		{"another owner's database", func(in *consumer.RequestInput) { in.OwnerAccountID, in.Tables = "222222222222", nil }, lakemesh.ErrWrongAccount, producerAccount},
	}
	for _, c := range cases {
		in := good
		c.change(&in)
		w.silent(c.name, func() {
			_, err := w.consumer.RequestAccessToProduct(t.Context(), in)
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v; want %v with %q", c.name, err, c.kind, c.says)
			}
		})
	}
	if list := w.list(consumer.ListInput{Statuses: consumer.AllStatuses()}); len(list) != 0 {
		t.Errorf("refused requests left records: %v", list)
	}
}

func TestRequestsAreResolvedAndRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cases := []struct {
		name        string
		tables      []string
		want        []string
		expressions []string
		json        string
	}{
		{"one name, not its near ones", []string{"Orders"}, []string{"orders"}, nil, `{"Type":"TABLE","TableName":["orders"],"SubscriptionId":"ID"}`},
		{"an expression", []string{"orders.*"}, []string{"orders", "orders_eu"}, []string{"orders.*"},
			`{"Type":"TABLE","TableName":["orders","orders_eu"],"SubscriptionId":"ID"}`},
		{"an expression and a name that overlap", []string{"orders_..", "customers", "orders_eu"}, []string{"customers", "orders_eu"},
			[]string{"orders_..", "customers", "orders_eu"}, `{"Type":"TABLE","TableName":["customers","orders_eu"],"SubscriptionId":"ID"}`},
		{"the whole database", nil, nil, nil, `{"Type":"DATABASE","DatabaseName":"` + database + `","SubscriptionId":"ID"}`},
	}
	for _, c := range cases {
		in := consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: database, Tables: c.tables,
			RequestPermissions: []string{"select", "DESCRIBE"}, Notes: c.name}
		w.silent("the plan of "+c.name, func() {
			p, err := w.consumer.PlanRequestAccessToProduct(t.Context(), in)
			if err != nil || len(p.Steps) != 1 {
				t.Errorf("%s: plan %v, %v; want one step", c.name, p, err)
			}
		})
		out, err := w.consumer.RequestAccessToProduct(t.Context(), in)
		w.must(err)
		text, err := json.Marshal(out)
		w.must(err)
		if got := strings.Replace(string(text), out.SubscriptionID, "ID", 1); got != c.json {
			t.Errorf("%s: %s; want %s", c.name, got, c.json)
		}
		s, err := w.consumer.GetSubscription(t.Context(), out.SubscriptionID)
		w.must(err)
		if s.Status != lakemesh.Pending || s.Owner != producerAccount || s.Subscriber != consumerAccount || s.Database != database ||
			!slices.Equal(s.Tables, c.want) || !slices.Equal(s.Expressions, c.expressions) || s.Requested.String() != "DESCRIBE, SELECT" ||
			!slices.Equal(s.Notes, []string{c.name}) || s.CreatedBy == "" || s.Created.IsZero() {
			t.Errorf("%s: recorded %+v", c.name, s)
		}
		if len(s.History) != 1 || s.History[0].Action != lakemesh.ActionRequest || s.History[0].To != lakemesh.Pending {
			t.Errorf("%s: history %+v", c.name, s.History)
		}
		w.silent("asking again for "+c.name, func() {
			again, err := w.consumer.RequestAccessToProduct(t.Context(), in)
			w.must(err)
			if again.SubscriptionID != out.SubscriptionID {
				t.Errorf("%s: asking again made %s beside %s", c.name, again.SubscriptionID, out.SubscriptionID)
			}
		})
	}
}

func TestOtherPermissionsAreAnotherRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.request("orders")
	out, err := w.consumer.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: database,
		Tables: []string{"orders"}, RequestPermissions: []string{"SELECT", "INSERT"}})
	w.must(err)
	if out.SubscriptionID == first {
		t.Error("a request for other permissions returned the first one")
	}
}
