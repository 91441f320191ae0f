package consumer_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/producer"
)

func TestARequestMeansATableThatExistsByItsName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, table := range []string{"orders.v1", "orders_v1", "aab", "a+b", "c++"} {
		w.mesh.Table(producerAccount, "sales", meshtest.CSV(table, "s3://"+bucket+"/"+strings.NewReplacer(".", "-", "+", "-").Replace(table)+"/"))
	}
	w.publish(producer.CreateDataProductsInput{SourceDatabaseName: "sales"})
	for _, c := range []struct {
		text  string
		want  []string
		notes int
	}{
		{"orders.v1", []string{"orders.v1"}, 1}, {"Orders.V1", []string{"orders.v1"}, 2}, {"a+b", []string{"a+b"}, 1}, {"c++", []string{"c++"}, 0},
		{`orders.(v1)`, []string{"orders.v1", "orders_v1"}, 0}, {"a+b|x", []string{"aab"}, 0},
	} {
		in := consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: database, Tables: []string{c.text}, RequestPermissions: []string{"SELECT"}}
		todo, err := w.consumer.PlanRequestAccessToProduct(t.Context(), in)
		w.must(err)
		if len(todo.Warnings) != c.notes {
			t.Errorf("%q: the plan warns of %q, want %d", c.text, todo.Warnings, c.notes)
		}
		out, err := w.consumer.RequestAccessToProduct(t.Context(), in)
		w.must(err)
		s, err := w.consumer.GetSubscription(t.Context(), out.SubscriptionID)
		w.must(err)
		isName := len(c.want) == 1 && strings.EqualFold(c.want[0], c.text)
		if !slices.Equal(s.Tables, c.want) || isName != (len(s.Expressions) == 0) {
			t.Errorf("%q asks for %q, expressions %q; want %q", c.text, s.Tables, s.Expressions, c.want)
		}
	}
}

// Whoever can make tables in the mesh can give one a name that stands for all tables.
func TestATableThatIsNamedLikeAllTablesIsNeverGranted(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"*", "ALL_TABLES"} {
		w := newWorld(t)
		folded := strings.ToLower(name)
		manager := w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole))
		asProducer := glue.NewFromConfig(w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount))))
		odd := meshtest.CSV(name, "s3://"+bucket+"/odd/")
		odd.Owner = aws.String(producerAccount)
		_, err := asProducer.CreateTable(t.Context(), &glue.CreateTableInput{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(database), TableInput: odd})
		w.must(err)
		in := consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: database, Tables: []string{name}, RequestPermissions: []string{"SELECT"}}
		if _, err := w.consumer.RequestAccessToProduct(t.Context(), in); !errors.Is(err, lakemesh.ErrInvalidInput) && !errors.Is(err, lakemesh.ErrNotFound) {
			t.Errorf("%q was asked for: %v", name, err)
		}
		// A consumer writes the request by itself.
		mesh := w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.MeshConsumerRole(consumerAccount)))
		words := tracker.Words{Database: database, Tables: []string{folded}, Requested: lakemesh.NewPermissions(lakemesh.Select), By: "me"}
		w.must(tracker.New(tracker.Options{Config: mesh, MeshAccount: meshAccount, By: "me"}).Request(t.Context(), producerAccount, consumerAccount, words))
		err = w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: words.ID(producerAccount, consumerAccount)})
		if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), "all tables") {
			t.Errorf("%q was approved: %v", name, err)
		}
		lake := &permissions.Lake{Client: lakeformation.NewFromConfig(manager), Account: meshAccount}
		on := []permissions.Resource{permissions.Database(meshAccount, database), permissions.AllTables(meshAccount, database), permissions.Table(meshAccount, database, "orders")}
		held, err := lake.Observe(t.Context(), on...)
		w.must(err)
		for _, r := range on {
			if e := held.Of(consumerAccount, r); len(e.Permissions) > 0 {
				t.Errorf("%q: the consumer holds %s on %s", name, e.Permissions, r)
			}
		}
		w.refused(self(), "orders")
		// A whole database has all of its other tables.
		id := w.active()
		w.reads(self(), "orders")
		w.must(w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id}))
		w.refused(self(), "orders")
	}
}
