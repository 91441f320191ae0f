package permissions_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
)

const owner = "555555555555"

// lakeIn is a mesh with an account that has a data lake administrator, who made a
// database with tables.
func lakeIn(t *testing.T, tables ...string) (*localmesh.Mesh, *permissions.Lake) {
	t.Helper()
	mesh := localmesh.Run(t)
	cfg := mesh.Config("arn:aws:iam::" + owner + ":role/Admin")
	client := lakeformation.NewFromConfig(cfg)
	if _, err := client.PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &types.DataLakeSettings{
		DataLakeAdmins: []types.DataLakePrincipal{{DataLakePrincipalIdentifier: aws.String("arn:aws:iam::" + owner + ":role/Admin")}},
		Parameters:     map[string]string{"CROSS_ACCOUNT_VERSION": "4"}}}); err != nil {
		t.Fatal(err)
	}
	catalog := glue.NewFromConfig(cfg)
	if _, err := catalog.CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("db"),
		CreateTableDefaultPermissions: []gluetypes.PrincipalPermissions{}}}); err != nil {
		t.Fatal(err)
	}
	for _, name := range tables {
		if _, err := catalog.CreateTable(t.Context(), &glue.CreateTableInput{DatabaseName: aws.String("db"), TableInput: &gluetypes.TableInput{Name: aws.String(name),
			StorageDescriptor: &gluetypes.StorageDescriptor{Columns: []gluetypes.Column{{Name: aws.String("id"), Type: aws.String("int")}}}}}); err != nil {
			t.Fatal(err)
		}
	}
	mesh.ResetCounts()
	return mesh, &permissions.Lake{Client: client, Account: owner, Patience: 2 * time.Second}
}

func calls(mesh *localmesh.Mesh, operation string) int {
	for _, c := range mesh.Counts() {
		if c.Operation == operation {
			return c.Calls
		}
	}
	return 0
}

func apply(t *testing.T, l *permissions.Lake, grant, revoke []permissions.Entry) error {
	t.Helper()
	todo := &plan.Plan{Operation: "test"}
	l.Batches().Change(todo, grant, revoke)
	_, err := todo.Apply(t.Context(), plan.Settings{})
	return err
}

func TestBatchesGrantAndRevoke(t *testing.T) {
	t.Parallel()
	mesh, l := lakeIn(t, "orders", "routes")
	all := set(lakemesh.Describe, lakemesh.Insert, lakemesh.Select)
	want := []permissions.Entry{
		{Principal: "999999999999", Resource: permissions.Database(owner, "db"), Permissions: set(lakemesh.Describe), Grantable: set(lakemesh.Describe)},
		{Principal: "999999999999", Resource: permissions.Table(owner, "db", "Orders"), Permissions: all, Grantable: set(lakemesh.Select)},
		{Principal: "999999999999", Resource: permissions.AllTables(owner, "db"), Permissions: set(lakemesh.Select, lakemesh.Describe), Grantable: set(lakemesh.Describe)},
	}
	if err := apply(t, l, want, nil); err != nil {
		t.Fatal(err)
	}
	if n := calls(mesh, "BatchGrantPermissions"); n != 1 {
		t.Errorf("%d batches for 5 entries", n)
	}
	on := []permissions.Resource{want[0].Resource, want[1].Resource, want[2].Resource}
	have, err := l.Observe(t.Context(), on...)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range want {
		if diff := cmp.Diff(w, have.Of(w.Principal, w.Resource)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", w.Resource, diff)
		}
		if len(have.Shares(w.Principal, w.Resource)) == 0 {
			t.Errorf("%s: no share carries it", w.Resource)
		}
	}
	// Narrow one grant option and one permission, and take the rest.
	want[1].Permissions, want[1].Grantable = set(lakemesh.Describe, lakemesh.Select), nil
	want[2].Permissions, want[2].Grantable = nil, nil
	grant, revoke := permissions.Difference(have, want)
	if err := apply(t, l, grant, revoke); err != nil {
		t.Fatal(err)
	}
	if have, err = l.Observe(t.Context(), on...); err != nil {
		t.Fatal(err)
	}
	for _, w := range want {
		if diff := cmp.Diff(w, have.Of(w.Principal, w.Resource)); diff != "" {
			t.Errorf("narrowed %s (-want +got):\n%s", w.Resource, diff)
		}
	}
	grant, revoke = permissions.Difference(have, want)
	if len(grant)+len(revoke) != 0 {
		t.Errorf("more to do: %v %v", grant, revoke)
	}
}

func TestObserveListsManyTablesAtOnce(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 12 {
		names = append(names, fmt.Sprintf("t%02d", i))
	}
	mesh, l := lakeIn(t, names...)
	var want []permissions.Entry
	var on []permissions.Resource
	for _, name := range names {
		table := permissions.Table(owner, "db", name)
		on = append(on, table)
		want = append(want, permissions.Entry{Principal: "999999999999", Resource: table, Permissions: set(lakemesh.Select, lakemesh.Describe)})
	}
	if err := apply(t, l, want, nil); err != nil {
		t.Fatal(err)
	}
	if n := calls(mesh, "BatchGrantPermissions"); n != 2 {
		t.Errorf("%d batches for 24 entries", n)
	}
	mesh.ResetCounts()
	have, err := l.Observe(t.Context(), append(on, permissions.Table(owner, "db", "missing"))...)
	if err != nil {
		t.Fatal(err)
	}
	if missing := permissions.Missing(have, want); len(missing) != 0 {
		t.Errorf("not seen: %v", missing)
	}
	// One listing of all, and a look at the one table that it has nothing of.
	if n := calls(mesh, "ListPermissions"); n != 2 {
		t.Errorf("%d listings", n)
	}
}

func TestBatchesTellWhichEntriesFailed(t *testing.T) {
	t.Parallel()
	_, l := lakeIn(t, "orders")
	sel := set(lakemesh.Select)
	good := permissions.Entry{Principal: "999999999999", Resource: permissions.Table(owner, "db", "orders"), Permissions: sel}
	err := apply(t, l, []permissions.Entry{
		good,
		{Principal: "999999999999", Resource: permissions.Table(owner, "db", "trains"), Permissions: sel},
		{Principal: "999999999999", Resource: permissions.Database(owner, "db"), Permissions: set(lakemesh.Drop)},
	}, nil)
	partial, ok := errors.AsType[*lakemesh.PartialError](err)
	if !ok || partial.Done != 1 || len(partial.Failed) != 2 {
		t.Fatalf("%v", err)
	}
	if !strings.Contains(err.Error(), "trains") {
		t.Errorf("it does not name what failed: %v", err)
	}
	have, err := l.Observe(t.Context(), good.Resource)
	if err != nil || !have.Of(good.Principal, good.Resource).Permissions.Equal(sel) {
		t.Errorf("what could be granted was not: %v", err)
	}
}

func TestRevokingWhatIsNotGrantedIsFine(t *testing.T) {
	t.Parallel()
	_, l := lakeIn(t, "orders")
	for _, table := range []string{"orders", "gone"} {
		e := permissions.Entry{Principal: "999999999999", Resource: permissions.Table(owner, "db", table), Permissions: set(lakemesh.Select, lakemesh.Describe), Grantable: set(lakemesh.Select)}
		if err := apply(t, l, nil, []permissions.Entry{e}); err != nil {
			t.Errorf("%s: %v", table, err)
		}
	}
}

func TestGrantsOnWhatIAMOpensSayHowToClearIt(t *testing.T) {
	t.Parallel()
	_, l := lakeIn(t, "orders")
	table := permissions.Table(owner, "db", "orders")
	if err := apply(t, l, []permissions.Entry{{Principal: permissions.AllowedByIAM, Resource: table, Permissions: set(lakemesh.All)}}, nil); err != nil {
		t.Fatal(err)
	}
	err := apply(t, l, []permissions.Entry{{Principal: "999999999999", Resource: table, Permissions: set(lakemesh.Select)}}, nil)
	if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "revoke all that it holds from IAM_ALLOWED_PRINCIPALS") {
		t.Errorf("%v", err)
	}
}

func TestGrantsToUnknownPrincipalsAreRetriedAndThenExplained(t *testing.T) {
	t.Parallel()
	mesh, l := lakeIn(t, "orders")
	l.Patience = 200 * time.Millisecond
	role := "arn:aws:iam::" + owner + ":role/Missing"
	err := apply(t, l, []permissions.Entry{{Principal: role, Resource: permissions.Table(owner, "db", "orders"), Permissions: set(lakemesh.Describe)}}, nil)
	if !errors.Is(err, lakemesh.ErrNotFound) || !strings.Contains(err.Error(), role) {
		t.Errorf("%v", err)
	}
	if n := calls(mesh, "BatchGrantPermissions"); n < 2 {
		t.Errorf("it was tried %d times", n)
	}
}

func TestBatchesSurviveConcurrentModification(t *testing.T) {
	t.Parallel()
	mesh, l := lakeIn(t, "orders")
	mesh.Fail(localmesh.Fault{Operation: "BatchGrantPermissions", Times: 2, Code: "ConcurrentModificationException", Status: 400})
	e := permissions.Entry{Principal: "999999999999", Resource: permissions.Table(owner, "db", "orders"), Permissions: set(lakemesh.Select)}
	if err := apply(t, l, []permissions.Entry{e}, nil); err != nil {
		t.Fatal(err)
	}
	if n := calls(mesh, "BatchGrantPermissions"); n != 3 {
		t.Errorf("%d calls", n)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	mesh, l := lakeIn(t, "orders", "routes")
	if _, ok, err := l.TagValues(t.Context(), "Domain"); ok || err != nil {
		t.Errorf("a tag that does not exist: %v, %v", ok, err)
	}
	if err := l.AddTagValues(t.Context(), "Domain", "Transport"); !awserr.NotFound(err) {
		t.Errorf("add a value to a tag that does not exist: %v", err)
	}
	for range 2 {
		if err := l.CreateTag(t.Context(), "Domain", "Transport"); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.AddTagValues(t.Context(), "Domain", "TRANSPORT", "sales"); err != nil {
		t.Fatal(err)
	}
	values, ok, err := l.TagValues(t.Context(), "DOMAIN")
	if err != nil || !ok || !slices.Equal(values, []string{"sales", "transport"}) {
		t.Errorf("values %q, %v, %v", values, ok, err)
	}
	if err := l.CreateTag(t.Context(), "level", "gold"); err != nil {
		t.Fatal(err)
	}
	table := permissions.Table(owner, "db", "orders")
	mesh.ResetCounts()
	if failed, err := l.AssignTags(t.Context(), table, map[string]string{"Domain": "Sales", "level": "gold"}); err != nil || len(failed) > 0 {
		t.Fatal(failed, err)
	}
	if n := calls(mesh, "AddLFTagsToResource"); n != 1 {
		t.Errorf("%d calls for two tags", n)
	}
	want := map[string]string{"domain": "sales", "level": "gold"}
	got, err := l.TableTags(t.Context(), "db", "orders")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("tags (-want +got):\n%s%v", diff, err)
	}
	for found, err := range l.TablesWithTags(t.Context(), map[string]string{"DOMAIN": "Sales"}) {
		if err != nil || found.Table != table || !cmp.Equal(found.Tags, want) {
			t.Errorf("found %+v, %v", found, err)
		}
	}
	failed, err := l.AssignTags(t.Context(), table, map[string]string{"domain": "transport", "level": "unknown"})
	if err != nil || len(failed) != 1 || failed["level"] == nil {
		t.Errorf("a value that does not exist: %v, %v", failed, err)
	}
	all, err := l.Tags(t.Context())
	if diff := cmp.Diff(map[string][]string{"domain": {"sales", "transport"}, "level": {"gold"}}, all); diff != "" || err != nil {
		t.Errorf("all tags (-want +got):\n%s%v", diff, err)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	locations := []permissions.RegisteredLocation{{ARN: "arn:aws:s3:::lake"}, {ARN: "arn:aws:s3:::lake/a/b"}, {ARN: "arn:aws:s3:::lake/a"}, {ARN: "arn:aws:s3:::other/x"}}
	for arn, want := range map[string]string{
		"arn:aws:s3:::lake/a/b/c": "arn:aws:s3:::lake/a/b",
		"arn:aws:s3:::lake/a/b/":  "arn:aws:s3:::lake/a/b",
		"arn:aws:s3:::lake/a/bc":  "arn:aws:s3:::lake/a",
		"arn:aws:s3:::lake/z":     "arn:aws:s3:::lake",
		"arn:aws:s3:::lake":       "arn:aws:s3:::lake",
		"arn:aws:s3:::lakes/z":    "",
		"arn:aws:s3:::other":      "",
	} {
		if got, ok := permissions.Nearest(locations, arn); got.ARN != want || ok != (want != "") {
			t.Errorf("nearest of %s is %q, want %q", arn, got.ARN, want)
		}
	}
}
