package acceptance_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// Who has a part of a table tries to have more of it, or to keep what was taken away.

// addsColumn gives the table of people another column, in the mesh, too.
func (w *world) addsColumn(name string) {
	w.t.Helper()
	w.Put(producerAccount, bucket, people+"/rows.csv", strings.Join(peopleRows, ",1000\n")+",1000\n")
	in := columnsOfPeople(name)
	_, err := w.Glue(producerAccount).UpdateTable(w.ctx(), &glue.UpdateTableInput{DatabaseName: aws.String(source), TableInput: in})
	w.must(err)
	_, err = w.producer.SyncProducts(w.ctx(), producer.SyncInput{DatabaseName: product})
	w.must(err)
}

// TestARepairShowsNoColumnThatNobodyDecidedOn has a repair mend something else of a
// subscription that leaves columns out, after its table got another column.
func TestARepairShowsNoColumnThatNobodyDecidedOn(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	meshtest.Without(t, w.Mesh.Mesh, "of filters nothing is answered about one principal, so where listings hide others the owner's records are believed, and a grant that was taken away is not missed",
		func(r localmesh.Readings) bool { return r.ListingsShowOwnRows })
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.asksAs(w.consumer, lakemesh.Scope{ExceptColumns: []string{"name", "country"}})
	w.approve(id)
	w.importsAs(w.consumer, id, analyst)
	w.addsColumn("salary")
	shown := "people amount,id TRUE"
	w.has(shown)
	// Somebody takes the grant itself away by hand.
	filter := access.OnFilter(meshAccount, product, people, access.FilterName(access.Scope{ExceptColumns: []string{"name", "country"}}))
	r, _ := permissions.Of(filter)
	_, err := w.ruling(meshAccount).RevokePermissions(w.ctx(), &lakeformation.RevokePermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(consumerAccount)},
		Resource:    &lftypes.Resource{DataCellsFilter: &lftypes.DataCellsFilterResource{TableCatalogId: aws.String(r.Account), DatabaseName: aws.String(r.Database), TableName: aws.String(r.Table), Name: aws.String(r.Filter)}},
		Permissions: []lftypes.Permission{lftypes.PermissionSelect}, PermissionsWithGrantOption: []lftypes.Permission{lftypes.PermissionSelect}})
	w.must(err)
	v, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(w.ctx(), producer.VerifyInput{}) })
	w.must(err)
	_, err = w.producer.Repair(w.ctx(), v)
	w.must(err)
	w.has(shown)
	w.importsAs(w.consumer, id, analyst)
	w.sees(analyst, "id=1 amount=10", "id=2 amount=200", "id=3 amount=300", "id=4 amount=5")
	// The owner looks at the subscription, and decides.
	w.must(w.producer.UpdateSubscriptionPermissions(w.ctx(), producer.UpdateInput{SubscriptionID: id}))
	w.has("people amount,id,salary TRUE")
}

// TestWhoMayAlterATableIsGivenNoPartOfIt is about a consumer that could give the columns that
// it must not read the names of those that it may.
func TestWhoMayAlterATableIsGivenNoPartOfIt(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	alters := w.request([]string{people}, "ALTER")
	w.approve(alters)
	part := w.asksAs(w.consumer, lakemesh.Scope{Columns: []string{"id"}})
	if err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: part}); !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), alters) {
		t.Errorf("a part for who may alter the table: %v; want it refused, with the subscription", err)
	}
	w.has()
	w.end(alters)
	w.approve(part)
	// The other way around the owner is told.
	alters = w.requestAs(w.consumer, []string{people}, "ALTER", "INSERT")
	p, err := w.producer.PlanApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: alters})
	w.must(err)
	if !slices.ContainsFunc(p.Warnings, func(text string) bool { return strings.Contains(text, part) }) {
		t.Errorf("the warnings are %q, and none names subscription %s", p.Warnings, part)
	}
}

// TestWhoIsLeavingKeepsNoOwnerFromNarrowing has a consumer say that it leaves, and the owner
// give it less.
func TestWhoIsLeavingKeepsNoOwnerFromNarrowing(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	id := w.asksAs(w.consumer, lakemesh.Scope{Columns: []string{"id", "name"}, Rows: "country = 'DE'"})
	w.approve(id)
	w.importsAs(w.consumer, id)
	w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id}))
	for name, in := range map[string]producer.ScopeInput{
		"all columns":    {Columns: []string{}},
		"other columns":  {Columns: []string{"amount"}},
		"all rows":       {Rows: aws.String("")},
		"other rows":     {Rows: aws.String("country = 'FR'")},
		"somebody else":  {Principals: []string{"arn:aws:iam::" + consumerAccount + ":role/Analyst"}},
		"all but a name": {ExceptColumns: []string{"name"}},
	} {
		if err := w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, Scope: in}); !errors.Is(err, lakemesh.ErrIllegalTransition) {
			t.Errorf("who has left is given %s: %v; want it refused", name, err)
		}
	}
	w.must(w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, Scope: producer.ScopeInput{Columns: []string{"id"}}}))
	w.has("people id country = 'DE'")
	w.end(id)
	w.has()
}

// TestAFilterOfAConsumersOwnShowsNoMoreThanItWasLeft has a consumer with all of a table make
// filters of its own, and hand them on, before the owner narrows what it has.
func TestAFilterOfAConsumersOwnShowsNoMoreThanItWasLeft(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.request([]string{people}, "SELECT", "DESCRIBE")
	w.approve(id)
	w.importsAs(w.consumer, id, analyst)
	lake := w.ruling(consumerAccount)
	_, err := lake.CreateDataCellsFilter(w.ctx(), &lakeformation.CreateDataCellsFilterInput{
		TableData: &lftypes.DataCellsFilter{TableCatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), TableName: aws.String(people), Name: aws.String("kept"),
			ColumnWildcard: &lftypes.ColumnWildcard{}, RowFilter: &lftypes.RowFilter{AllRowsWildcard: &lftypes.AllRowsWildcard{}}}})
	w.must(err)
	w.must(meshtest.Try(w.Mesh.Mesh, func() error {
		_, err := lake.GrantPermissions(w.ctx(), &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(analyst)},
			Resource:    &lftypes.Resource{DataCellsFilter: &lftypes.DataCellsFilterResource{TableCatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), TableName: aws.String(people), Name: aws.String("kept")}},
			Permissions: []lftypes.Permission{lftypes.PermissionSelect}})
		return err
	}))
	w.must(w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, Scope: producer.ScopeInput{Columns: []string{"id"}}}))
	// What an account hands on shows no more than the account has, whoever made the filter. Of
	// what is revoked and what is granted either can come first: where nothing was held between
	// the two, what was handed on is gone.
	var rows []string
	if !w.inTheEnd(func() bool {
		_, rows, err = w.Query(w.ctx(), analyst, product, people)
		return err != nil || slices.Equal(rows, []string{"id=1", "id=2", "id=3", "id=4"})
	}) {
		t.Errorf("%s is shown %q; want no more than id", analyst, rows)
	}
	w.end(id)
	w.sees(analyst)
}

// TestANameInOtherCaseIsNoOtherDatabase has a consumer write the database in upper case, so that
// its subscription would not be found beside others.
func TestANameInOtherCaseIsNoOtherDatabase(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	records := tracker.New(tracker.Options{Config: w.meshConsumer(), MeshAccount: meshAccount, By: self()})
	_, words, err := records.PendingTwin(t.Context(), producerAccount, consumerAccount, tracker.Words{Database: strings.ToUpper(product), Tables: []string{people},
		Requested: lakemesh.NewPermissions(lakemesh.Select), Scope: lakemesh.Scope{Rows: "country = 'DE'"}})
	w.must(err)
	w.must(records.Request(t.Context(), producerAccount, consumerAccount, words))
	if err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: words.ID(producerAccount, consumerAccount)}); !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("approved: %v; want that there is no such table", err)
	}
	w.has()
}

// TestAnEndLeavesOthersWhoseDecisionIsUnfinishedTheirPlaces has one consumer's subscription
// end while a decision about another one's columns is unfinished, where listings show nothing
// of what others hold.
func TestAnEndLeavesOthersWhoseDecisionIsUnfinishedTheirPlaces(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t, localmesh.WithReadings(localmesh.Readings{ListingsShowOwnRows: true}))
	w.AddConsumer(otherConsumer)
	w.TrustEngines(otherConsumer)
	other := w.openConsumer(otherConsumer)
	mine := w.asksAs(w.consumer, lakemesh.Scope{Columns: []string{"id"}})
	w.approve(mine)
	theirs := w.asksAs(other, lakemesh.Scope{Columns: []string{"name"}})
	w.approve(theirs)
	w.opens(people)
	to := producer.UpdateInput{SubscriptionID: theirs, Scope: producer.ScopeInput{Columns: []string{"amount"}}}
	planned := w.Fail(localmesh.Fault{Service: "dynamodb", Operation: "TransactWriteItems", Nth: 2, Code: "AccessDeniedException", Message: "a planned fault", Status: 400})
	if err := w.producer.UpdateSubscriptionPermissions(w.ctx(), to); err == nil || planned.Hits() != 1 {
		t.Fatalf("a decision that was to fail gave %v", err)
	}
	w.opens(people)
	w.end(mine)
	w.opens(people)
	w.must(w.producer.UpdateSubscriptionPermissions(w.ctx(), to))
	w.opens(people)
	w.end(theirs)
	w.opens()
}

func columnsOfPeople(more string) *types.TableInput {
	in := csvOfPeople()
	in.StorageDescriptor.Columns = append(in.StorageDescriptor.Columns, types.Column{Name: aws.String(more), Type: aws.String("int")})
	return in
}
