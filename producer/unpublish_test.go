package producer_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// left are the names of the tables of a database that the mesh's manager or an account's
// own administrator sees, or "gone".
func left(t *testing.T, mesh *localmesh.Mesh, account, database string) string {
	t.Helper()
	principal := lakemesh.RoleARN(account, lakemesh.ProducerRole)
	if account == meshAccount {
		principal = lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole)
	}
	client := glue.NewFromConfig(mesh.Config(principal))
	if _, err := client.GetDatabase(t.Context(), &glue.GetDatabaseInput{Name: aws.String(database)}); err != nil {
		return "gone"
	}
	out, err := client.GetTables(t.Context(), &glue.GetTablesInput{DatabaseName: aws.String(database)})
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, table := range out.TableList {
		names = append(names, aws.ToString(table.Name))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// grantsOn are the grants on the product and its tables, whoever holds them.
func (w *world) grantsOn(t *testing.T, tables ...string) []string {
	t.Helper()
	lake := &permissions.Lake{Client: lakeformation.NewFromConfig(w.manager()), Account: meshAccount}
	var found []string
	for _, kind := range []lftypes.DataLakeResourceType{lftypes.DataLakeResourceTypeTable, lftypes.DataLakeResourceTypeDatabase} {
		all, err := lake.ObserveKind(t.Context(), kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all.Entries() {
			if e.Resource.Database == meshDatabase && (e.Resource.Table == "" || slices.Contains(tables, e.Resource.Table)) {
				found = append(found, fmt.Sprint(e.Principal, " ", e.Permissions, " on ", e.Resource))
			}
		}
	}
	return found
}

func TestUnpublishTakesEverythingBackThatPublishingMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := producer.UnpublishInput{SourceDatabaseName: sourceDatabase}
	before := left(t, w.mesh, producerAccount, sourceDatabase)
	todo, err := w.producer.PlanUnpublishDataProducts(t.Context(), in)
	if err != nil || todo.Count(plan.DeleteTable) != 3 || todo.Count(plan.DeleteLink) != 3 || todo.Count(plan.DeleteDatabase) != 2 {
		t.Errorf("planned: %v\n%s", err, todo)
	}
	if result, err := todo.Apply(t.Context(), plan.Settings{}); !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("the plan by itself: %+v, %v", result, err)
	}
	w.mesh.ResetCounts()
	out, err := w.producer.UnpublishDataProducts(t.Context(), in)
	if err != nil || out.DatabaseName != meshDatabase || !slices.Equal(out.Tables, []string{"customers", "orders", "orders_eu"}) || len(out.Subscriptions) != 0 || len(out.Warnings) != 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	for account, database := range map[string]string{meshAccount: meshDatabase, producerAccount: meshDatabase} {
		if got := left(t, w.mesh, account, database); got != "gone" {
			t.Errorf("database %s of account %s still has %q", database, account, got)
		}
	}
	if got := left(t, w.mesh, producerAccount, sourceDatabase); got != before || before == "gone" {
		t.Errorf("of the originals %q is left", got)
	}
	if got := w.grantsOn(t, "orders", "orders_eu", "customers"); len(got) > 0 {
		t.Errorf("grants outlive their tables: %q", got)
	}

	// Again, nothing is there; and published again, nobody has what somebody had before.
	if _, err := w.producer.UnpublishDataProducts(t.Context(), in); !errors.Is(err, lakemesh.ErrNotFound) {
		t.Errorf("the second time: %v", err)
	}
	if _, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase}); err != nil {
		t.Fatal(err)
	}
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	w.holds(t, consumerAccount, map[string]string{"orders": "SELECT / SELECT", "database": "DESCRIBE / DESCRIBE"})
	w.holds(t, otherConsumer, map[string]string{})
}

func TestSubscriptionsKeepTheirTablesInTheMesh(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	waiting := w.request(t, otherConsumer, []string{"orders", "customers"}, "SELECT")
	all := producer.UnpublishInput{SourceDatabaseName: sourceDatabase, Reason: "moved"}
	for name, in := range map[string]producer.UnpublishInput{
		"all":    all,
		"orders": {SourceDatabaseName: sourceDatabase, TableNameRegex: "ord.*"},
	} {
		_, planned := w.producer.PlanUnpublishDataProducts(t.Context(), in)
		_, err := w.producer.UnpublishDataProducts(t.Context(), in)
		for _, err := range []error{planned, err} {
			if !errors.Is(err, lakemesh.ErrIllegalTransition) || !strings.Contains(err.Error(), id) {
				t.Errorf("%s: %v; want a refusal that names %s", name, err, id)
			}
		}
	}
	w.holds(t, consumerAccount, map[string]string{"orders": "SELECT / SELECT", "database": "DESCRIBE / DESCRIBE"})

	// What nobody subscribed to leaves by itself.
	out, err := w.producer.UnpublishDataProducts(t.Context(), producer.UnpublishInput{SourceDatabaseName: sourceDatabase, TableNameRegex: "customers"})
	if err != nil || !slices.Equal(out.Tables, []string{"customers"}) || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], waiting) {
		t.Fatalf("%+v, %v", out, err)
	}
	if got := left(t, w.mesh, meshAccount, meshDatabase); got != "orders orders_eu" {
		t.Errorf("in the mesh is %q", got)
	}
	if got := left(t, w.mesh, producerAccount, meshDatabase); got != "orders_eu_link orders_link" {
		t.Errorf("links: %q", got)
	}

	all.EndSubscriptions = true
	out, err = w.producer.UnpublishDataProducts(t.Context(), all)
	if err != nil || !slices.Equal(out.Subscriptions, []string{id}) {
		t.Fatalf("%+v, %v", out, err)
	}
	if s := w.get(t, id); s.Status != lakemesh.Deleted || !slices.Contains(s.Notes, "moved") {
		t.Errorf("it is %s with %q", s.Status, s.Notes)
	}
	if got := w.openPrefixes(t); len(got) > 0 {
		t.Errorf("open in the bucket: %q", got)
	}
	if got := w.grantsOn(t, "orders", "orders_eu", "customers"); len(got) > 0 {
		t.Errorf("grants: %q", got)
	}
}

// What the ended subscriptions give is theirs, and is revoked once: also what two of one
// account give, which the end of neither alone takes away.
func TestThePlanOfUnpublishingTakesAGrantAwayOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tables := range [][]string{{"orders"}, {"orders", "customers"}} {
		w.approve(t, producer.ApproveInput{RequestID: w.request(t, consumerAccount, tables, "SELECT")})
	}
	w.approve(t, producer.ApproveInput{RequestID: w.request(t, otherConsumer, []string{"orders"}, "SELECT", "INSERT")})
	in := producer.UnpublishInput{SourceDatabaseName: sourceDatabase, EndSubscriptions: true}
	todo, err := w.producer.PlanUnpublishDataProducts(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	revoked := map[string]string{}
	for _, s := range todo.Steps {
		if times[s.Account+s.Summary]++; times[s.Account+s.Summary] > 1 {
			t.Errorf("more than once: %s", s.Summary)
		}
		if e, ok := s.Detail.(permissions.Entry); ok && s.Kind == plan.Revoke {
			for _, one := range e.Permissions.Strings() {
				at := fmt.Sprint(one, " on ", e.Resource, " of ", e.Principal)
				if before := revoked[at]; before != "" {
					t.Errorf("%s is revoked by %q and %q", at, before, s.Summary)
				}
				revoked[at] = s.Summary
			}
		}
	}
	for _, at := range []string{"orders", "customers"} {
		if on := permissions.Table(meshAccount, meshDatabase, at); revoked[fmt.Sprint("SELECT on ", on, " of ", consumerAccount)] == "" {
			t.Errorf("SELECT on %s is not revoked:\n%s", on, todo)
		}
	}
	for _, warning := range todo.Warnings {
		if strings.Contains(warning, "no subscription gives") {
			t.Errorf("%s", warning)
		}
	}
	if _, err := w.producer.UnpublishDataProducts(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if got := w.grantsOn(t, "orders", "orders_eu", "customers"); len(got) > 0 {
		t.Errorf("grants outlive their tables: %q", got)
	}
}

// A subscription to the whole database has no tables of its own that could leave it.
func TestAWholeDatabaseSubscriptionKeepsSomeTablesFromLeaving(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request(t, consumerAccount, nil, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	for _, end := range []bool{false, true} {
		_, err := w.producer.UnpublishDataProducts(t.Context(), producer.UnpublishInput{SourceDatabaseName: sourceDatabase, TableNameRegex: "orders", EndSubscriptions: end})
		if !errors.Is(err, lakemesh.ErrIllegalTransition) {
			t.Errorf("ending them %t: %v", end, err)
		}
	}
	if s := w.get(t, id); s.Status != lakemesh.Active {
		t.Errorf("it is %s", s.Status)
	}
	if _, err := w.producer.UnpublishDataProducts(t.Context(), producer.UnpublishInput{SourceDatabaseName: sourceDatabase, EndSubscriptions: true}); err != nil {
		t.Fatal(err)
	}
	if s := w.get(t, id); s.Status != lakemesh.Deleted || left(t, w.mesh, meshAccount, meshDatabase) != "gone" {
		t.Errorf("it is %s", s.Status)
	}
}

func TestWhatIsNotLakemeshsIsNotUnpublished(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	meshtest.Without(t, w.mesh, "what others hold cannot be seen", func(r localmesh.Readings) bool { return r.ListingsShowOwnRows })
	role := w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)))
	grant := &permissions.Lake{Client: lakeformation.NewFromConfig(role), Account: meshAccount}
	todo := &plan.Plan{Operation: "by hand"}
	grant.Batches().Grant(todo, permissions.Entry{Principal: otherConsumer, Resource: permissions.Table(meshAccount, meshDatabase, "orders"), Permissions: lakemesh.NewPermissions(lakemesh.Select)})
	if _, err := todo.Apply(t.Context(), plan.Settings{}); err != nil {
		t.Fatal(err)
	}
	mine := glue.NewFromConfig(w.mesh.Config(meshtest.Administrator(producerAccount)))
	if _, err := mine.CreateTable(t.Context(), &glue.CreateTableInput{DatabaseName: aws.String(meshDatabase), TableInput: meshtest.CSV("notes", "s3://"+bucket+"/notes/")}); err != nil {
		t.Fatal(err)
	}
	out, err := w.producer.UnpublishDataProducts(t.Context(), producer.UnpublishInput{SourceDatabaseName: sourceDatabase})
	if err != nil || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], otherConsumer) {
		t.Fatalf("%+v, %v", out, err)
	}
	if got := left(t, w.mesh, producerAccount, meshDatabase); got != "notes" {
		t.Errorf("of the producer's own is left: %q", got)
	}
}

// The producer's role may remove databases of links with the usual names alone.
func TestADatabaseOfLinksWithAnotherNameIsLeftEmpty(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, ExposeDataMeshDBName: "flights"})
	out, err := m.open().UnpublishDataProducts(t.Context(), producer.UnpublishInput{SourceDatabaseName: meshtest.SampleDatabase, ExposeDataMeshDBName: "flights"})
	if err != nil || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "flights") {
		t.Fatalf("%+v, %v", out, err)
	}
	if got := m.tableNames(m.ownGlue(), publisherID, "flights"); len(got) > 0 {
		t.Errorf("the links %q are left", got)
	}
}

func TestWhatWasMigratedIsNotUnpublished(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	const db = meshtest.SampleDatabase
	m.migrate(producer.MigrateInput{SourceDatabaseName: db, TableNameRegex: "routes"})
	_, err := m.open().UnpublishDataProducts(t.Context(), producer.UnpublishInput{SourceDatabaseName: db, ExposeDataMeshDBName: db})
	if !errors.Is(err, lakemesh.ErrIllegalTransition) || !strings.Contains(err.Error(), "routes") {
		t.Errorf("%v", err)
	}
	m.noWrites("a refusal")
}

// The new rights of a producer's role are for its own tables alone.
func TestAProducerRemovesNothingOfAnother(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.publish(m.tag())
	m.otherRole()
	client := glue.NewFromConfig(m.Config(lakemesh.RoleARN(theMesh, lakemesh.MeshProducerRole(meshtest.OtherProducer))))
	out, err := client.BatchDeleteTable(t.Context(), &glue.BatchDeleteTableInput{CatalogId: aws.String(theMesh), DatabaseName: aws.String(published), TablesToDelete: []string{"routes"}})
	if err == nil && len(out.Errors) == 0 {
		t.Error("another producer removed a table")
	}
	if _, err := client.DeleteDatabase(t.Context(), &glue.DeleteDatabaseInput{CatalogId: aws.String(theMesh), Name: aws.String(published)}); err == nil {
		t.Error("another producer removed the database")
	}
	m.stands()
}

// A call that fails leaves a state that the same operation completes.
func TestUnpublishingAgainCompletesWhateverFailed(t *testing.T) {
	t.Parallel()
	for n := 1; n < 200; n++ {
		w := newWorld(t)
		in := producer.UnpublishInput{SourceDatabaseName: sourceDatabase}
		fault := w.mesh.Fail(localmesh.Fault{Nth: n, Code: "InvalidInputException", Message: "planned", Status: 400})
		_, err := w.producer.UnpublishDataProducts(t.Context(), in)
		if fault.Hits() == 0 {
			w.mesh.ClearFaults()
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		if err != nil {
			if _, err := w.producer.UnpublishDataProducts(t.Context(), in); err != nil && !errors.Is(err, lakemesh.ErrNotFound) {
				t.Fatalf("after call %d failed: %v", n, err)
			}
		}
		for _, account := range []string{meshAccount, producerAccount} {
			if got := left(t, w.mesh, account, meshDatabase); got != "gone" {
				t.Fatalf("after call %d failed, account %s has %q", n, account, got)
			}
		}
		if got := w.grantsOn(t, "orders", "orders_eu", "customers"); len(got) > 0 {
			t.Fatalf("after call %d failed, granted is %q", n, got)
		}
	}
	t.Fatal("it does not end")
}
