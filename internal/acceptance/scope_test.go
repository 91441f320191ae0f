package acceptance_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

const people = "people"

// peopleRows are the rows of the table people.
var peopleRows = []string{"id,name,country,amount", "1,Ada,DE,10", "2,Bob,FR,200", "3,Cleo,DE,300", "4,Dan,,5"}

// csvOfPeople is the table people.
func csvOfPeople() *types.TableInput {
	in := meshtest.CSV(people, location(people))
	in.StorageDescriptor.Columns = []types.Column{{Name: aws.String("id"), Type: aws.String("bigint")}, {Name: aws.String("name"), Type: aws.String("string")},
		{Name: aws.String("country"), Type: aws.String("string")}, {Name: aws.String("amount"), Type: aws.String("int")}}
	return in
}

// newNarrowWorld is a world with a table of people, and engines that filter.
func newNarrowWorld(t *testing.T, opts ...localmesh.Option) *world {
	t.Helper()
	w := worldOn(t, peoplePublished(t, opts...))
	w.producer, w.consumer = w.openProducer(producerAccount), w.openConsumer(consumerAccount)
	w.ResetCounts()
	return w
}

// peoplePublished is what narrow worlds begin with.
var peoplePublished = meshtest.Once(func(m *meshtest.Mesh) {
	offer(m)
	m.Publish(producerAccount, source)
	m.Table(producerAccount, source, csvOfPeople())
	m.Put(producerAccount, bucket, people+"/rows.csv", strings.Join(peopleRows, "\n")+"\n")
	m.Publish(producerAccount, source)
	m.TrustEngines(consumerAccount)
})

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

// ruling is the Lake Formation of an account as its administrator, who makes itself one of
// the data lake.
func (w *world) ruling(account string) *lakeformation.Client {
	w.t.Helper()
	client := lakeformation.NewFromConfig(w.Config(meshtest.Administrator(account)))
	out, err := client.GetDataLakeSettings(w.ctx(), &lakeformation.GetDataLakeSettingsInput{})
	w.must(err)
	is := func(p lftypes.DataLakePrincipal) bool {
		return aws.ToString(p.DataLakePrincipalIdentifier) == meshtest.Administrator(account)
	}
	if s := out.DataLakeSettings; !slices.ContainsFunc(s.DataLakeAdmins, is) {
		s.DataLakeAdmins = append(s.DataLakeAdmins, lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(meshtest.Administrator(account))})
		_, err = client.PutDataLakeSettings(w.ctx(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: s})
		w.must(err)
	}
	return client
}

// filters are the data cells filters of the mesh that its administrator sees.
func (w *world) filters() []string {
	w.t.Helper()
	var names []string
	out, err := w.ruling(meshAccount).ListDataCellsFilter(w.ctx(), &lakeformation.ListDataCellsFilterInput{})
	w.must(err)
	for _, f := range out.DataCellsFilters {
		names = append(names, aws.ToString(f.TableName)+" "+strings.Join(f.ColumnNames, ",")+" "+aws.ToString(f.RowFilter.FilterExpression))
	}
	slices.Sort(names)
	return names
}

// has checks which filters there are.
func (w *world) has(want ...string) {
	w.t.Helper()
	var got []string
	matches := func() bool {
		if got = w.filters(); !w.Readings().GrantedFiltersStay {
			return slices.Equal(got, want)
		}
		// One that a consumer has handed on stays, and nobody is granted it any more.
		return !slices.ContainsFunc(want, func(f string) bool { return !slices.Contains(got, f) })
	}
	if !w.inTheEnd(matches) {
		w.t.Errorf("there are the filters %q, want %q", got, want)
	}
}

func TestEqualSubscriptionsShareAFilterAndTheLastTakesItAway(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	w.AddConsumer(otherConsumer)
	w.TrustEngines(otherConsumer)
	other := w.openConsumer(otherConsumer)
	analyst, foreign := w.Reader(consumerAccount, "Analyst"), w.Reader(otherConsumer, "Analyst")
	german := lakemesh.Scope{Rows: "country = 'DE'"}
	one, err := w.asks(german)
	w.must(err)
	w.approve(one)
	w.finalize(one, analyst)
	out, err := other.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product,
		Tables: []string{people}, RequestPermissions: []string{"SELECT"}, Scope: lakemesh.Scope{Rows: "(COUNTRY = 'DE')"}})
	w.must(err)
	two := out.SubscriptionID
	w.approve(two)
	_, err = other.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: two, Principals: []string{foreign}})
	w.must(err)
	w.has("people  country = 'DE'")
	w.sees(foreign, "id=1 name=Ada country=DE amount=10", "id=3 name=Cleo country=DE amount=300")
	w.end(one)
	w.has("people  country = 'DE'")
	w.sees(analyst)
	w.sees(foreign, "id=1 name=Ada country=DE amount=10", "id=3 name=Cleo country=DE amount=300")
	// What is narrowed further has a filter of its own, and leaves none behind.
	w.must(w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: two, Scope: producer.ScopeInput{Rows: aws.String("amount < 100")}}))
	w.has("people  amount < 100")
	w.end(two)
	w.has()
	w.sees(foreign)
}

func TestAPartBesideTheWholeIsRefused(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	whole := w.request([]string{people}, "SELECT", "DESCRIBE")
	w.approve(whole)
	part, err := w.asks(lakemesh.Scope{Columns: []string{"id"}})
	w.must(err)
	if err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: part}); !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), whole) {
		t.Errorf("a part beside the whole: %v; want it refused, with the subscription that gives the whole", err)
	}
	if s := w.get(part); s.Status != lakemesh.Pending || s.Claim != nil {
		t.Errorf("the refused request is %s, claim %v", s.Status, s.Claim)
	}
	w.has()
	// Narrowed, the first takes the whole away.
	w.must(w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: whole, Scope: producer.ScopeInput{Columns: []string{"name"}}}))
	w.approve(part)
	w.finalize(whole, analyst)
	w.finalize(part, analyst)
	w.sees(analyst, "id=1 name=Ada", "id=2 name=Bob", "id=3 name=Cleo", "id=4 name=Dan")
	w.end(whole)
	w.sees(analyst, "id=1", "id=2", "id=3", "id=4")
	w.end(part)
	w.sees(analyst)
	w.has()
}

func TestAFilterThatSomebodyElseMadeIsNotUsed(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	w.AddConsumer(otherConsumer)
	other := w.openConsumer(otherConsumer)
	whole := w.requestAs(other, []string{people}, "SELECT")
	w.approve(whole)
	_, err := other.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: whole})
	w.must(err)
	// Who may hand the table on makes a filter of the name that the victim's would have.
	name := access.FilterName(access.Scope{Columns: []string{"id"}})
	_, err = w.ruling(otherConsumer).CreateDataCellsFilter(t.Context(), &lakeformation.CreateDataCellsFilterInput{
		TableData: &lftypes.DataCellsFilter{TableCatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), TableName: aws.String(people), Name: aws.String(name),
			ColumnWildcard: &lftypes.ColumnWildcard{}, RowFilter: &lftypes.RowFilter{AllRowsWildcard: &lftypes.AllRowsWildcard{}}}})
	w.must(err)
	part, err := w.asks(lakemesh.Scope{Columns: []string{"id"}})
	w.must(err)
	if err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: part}); !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "somebody else made a filter") {
		t.Errorf("approved by a filter that somebody else made: %v", err)
	}
	w.holds(consumerAccount, nil)
	if w.get(part).Claim != nil {
		w.must(w.producer.AbortDecision(t.Context(), producer.AbortInput{SubscriptionID: part}))
	}
	// Said otherwise it has another name.
	analyst := w.Reader(consumerAccount, "Analyst")
	w.must(w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: part, Scope: producer.ScopeInput{ExceptColumns: []string{"name", "country", "amount"}}}))
	w.finalize(part, analyst)
	w.sees(analyst, "id=1", "id=2", "id=3", "id=4")
	w.end(part)
	w.sees(analyst)
}
