package acceptance_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

const people = "people"

// peopleRows are the rows of the table people.
var peopleRows = []string{"id,name,country,amount", "1,Ada,DE,10", "2,Bob,FR,200", "3,Cleo,DE,300", "4,Dan,,5"}

// newNarrowWorld is a world with a table of people, and engines that filter.
func newNarrowWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	in := meshtest.CSV(people, location(people))
	in.StorageDescriptor.Columns = []types.Column{{Name: aws.String("id"), Type: aws.String("bigint")}, {Name: aws.String("name"), Type: aws.String("string")},
		{Name: aws.String("country"), Type: aws.String("string")}, {Name: aws.String("amount"), Type: aws.String("int")}}
	w.Table(producerAccount, source, in)
	w.Put(producerAccount, bucket, people+"/rows.csv", strings.Join(peopleRows, "\n")+"\n")
	w.publish(w.producer, source)
	w.TrustEngines(consumerAccount)
	w.ResetCounts()
	return w
}

// asks makes a request for SELECT on people, narrowed.
func (w *world) asks(s lakemesh.Scope) (string, error) {
	out, err := w.consumer.RequestAccessToProduct(w.t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product,
		Tables: []string{people}, RequestPermissions: []string{"SELECT", "DESCRIBE"}, Scope: s})
	if err != nil {
		return "", err
	}
	return out.SubscriptionID, nil
}

// sees checks what a role is shown of people: each row as "id=1 name=Ada", or nothing at all.
func (w *world) sees(role string, want ...string) {
	w.t.Helper()
	var rows []string
	var err error
	w.inTheEnd(func() bool {
		_, rows, err = w.Query(w.ctx(), role, product, people)
		return len(want) == 0 && err != nil || len(want) > 0 && err == nil && slices.Equal(rows, want)
	})
	switch {
	case len(want) == 0 && err == nil:
		w.t.Errorf("%s is shown %q, and nothing should be", role, rows)
	case len(want) > 0 && err != nil:
		w.t.Errorf("%s is shown nothing: %v", role, err)
	case len(want) > 0:
		if diff := cmp.Diff(want, rows); diff != "" {
			w.t.Errorf("%s is shown other rows (-want +got):\n%s", role, diff)
		}
	}
}

func TestASubscriptionIsNarrowedToColumnsAndRows(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	id, err := w.asks(lakemesh.Scope{Columns: []string{"Name", "id", "country"}, Rows: "country = 'DE'"})
	w.must(err)
	w.sees(analyst)
	w.approve(id)
	w.sees(analyst)
	w.finalize(id, analyst)
	w.sees(analyst, "id=1 name=Ada country=DE", "id=3 name=Cleo country=DE")
	// The owner narrows it further.
	w.must(w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT", "DESCRIBE"},
		Scope: producer.ScopeInput{Columns: []string{"id"}}}))
	w.finalize(id, analyst)
	w.sees(analyst, "id=1", "id=3")
	s := w.get(id)
	if got := s.Scope.String(); got != "columns id; rows where country = 'DE'" || s.RequestedScope.String() != "columns country, id, name; rows where country = 'DE'" {
		t.Errorf("the record says %q, asked %q", got, s.RequestedScope)
	}
	w.end(id)
	w.sees(analyst)
	w.opens()
}

func TestAColumnIsExcluded(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	id, err := w.asks(lakemesh.Scope{ExceptColumns: []string{"name", "country"}})
	w.must(err)
	w.approve(id)
	w.finalize(id, analyst)
	w.sees(analyst, "id=1 amount=10", "id=2 amount=200", "id=3 amount=300", "id=4 amount=5")
	w.end(id)
	w.sees(analyst)
}

func TestARoleIsGrantedAccessItself(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	analyst, colleague := w.Reader(consumerAccount, "Analyst"), w.Reader(consumerAccount, "Colleague")
	id, err := w.asks(lakemesh.Scope{Principals: []string{analyst}, Rows: "amount > 100"})
	w.must(err)
	w.approve(id)
	w.sees(analyst)
	w.finalize(id)
	w.sees(analyst, "id=2 name=Bob country=FR amount=200", "id=3 name=Cleo country=DE amount=300")
	w.sees(colleague)
	w.sees(self())
	w.end(id)
	w.sees(analyst)
}

func TestWhatCannotBeNarrowedIsRefused(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	for name, s := range map[string]lakemesh.Scope{
		"an unknown column":            {Columns: []string{"id", "salary"}},
		"an unknown column, excluded":  {ExceptColumns: []string{"salary"}},
		"no column is left":            {ExceptColumns: []string{"id", "name", "country", "amount"}},
		"both":                         {Columns: []string{"id"}, ExceptColumns: []string{"name"}},
		"no condition":                 {Rows: "country ="},
		"a condition of another type":  {Rows: "amount = 'DE'"},
		"an unknown column, in rows":   {Rows: "salary > 1"},
		"a role of another account":    {Principals: []string{"arn:aws:iam::" + otherConsumer + ":role/Analyst"}},
		"an account as a principal":    {Principals: []string{consumerAccount}},
		"a column without a name":      {Columns: []string{" "}},
		"a role of the mesh's account": {Principals: []string{"arn:aws:iam::" + meshAccount + ":role/Admin"}},
	} {
		if id, err := w.asks(s); !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("%s: request %s, %v; want it refused", name, id, err)
		}
	}
}
