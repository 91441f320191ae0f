package acceptance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// filter is a data cells filter of people.
func filter(name string, columns []string, rows string) *lftypes.DataCellsFilter {
	f := &lftypes.DataCellsFilter{TableCatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), TableName: aws.String(people), Name: aws.String(name),
		ColumnNames: columns, RowFilter: &lftypes.RowFilter{FilterExpression: aws.String(rows)}}
	if len(columns) == 0 {
		f.ColumnWildcard = &lftypes.ColumnWildcard{}
	}
	if rows == "" {
		f.RowFilter = &lftypes.RowFilter{AllRowsWildcard: &lftypes.AllRowsWildcard{}}
	}
	return f
}

// changeColumns changes the columns of people at its source, and brings the copy up to date.
func (w *world) changeColumns(change func([]types.Column) []types.Column) {
	w.t.Helper()
	client := w.Glue(producerAccount)
	out, err := client.GetTable(w.ctx(), &glue.GetTableInput{DatabaseName: aws.String(source), Name: aws.String(people)})
	w.must(err)
	in := meshtest.CSV(people, location(people))
	in.StorageDescriptor = out.Table.StorageDescriptor
	in.StorageDescriptor.Columns = change(in.StorageDescriptor.Columns)
	_, err = client.UpdateTable(w.ctx(), &glue.UpdateTableInput{DatabaseName: aws.String(source), TableInput: in})
	w.must(err)
	_, err = w.producer.SyncProducts(w.ctx(), producer.SyncInput{DatabaseName: product})
	w.must(err)
}

// TestVerifyFindsTheFaultsOfNarrowedSubscriptions plants one fault at a time, and has the owner
// repair it.
func TestVerifyFindsTheFaultsOfNarrowedSubscriptions(t *testing.T) {
	t.Parallel()
	cells := lakemesh.Scope{Columns: []string{"id", "name"}, Rows: "amount > 100"}
	table := &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(product), Name: aws.String(people)}}
	const onTable = "table " + product + "." + people
	type fault struct {
		scope lakemesh.Scope
		plant func(w *world, filter string)
		// want are the findings, with FILTER for the filter; words is what one of them says.
		want  []string
		words string
		// stays tells that the owner's repair mends nothing of it.
		stays bool
	}
	changed := func(columns []string, rows string) func(*world, string) {
		return func(w *world, name string) {
			_, err := w.lakeAdministrator(meshAccount).UpdateDataCellsFilter(w.ctx(), &lakeformation.UpdateDataCellsFilterInput{TableData: filter(name, columns, rows)})
			w.must(err)
		}
	}
	granted := func(on *lftypes.Resource, permission lftypes.Permission) func(*world, string) {
		return func(w *world, _ string) {
			_, err := w.lakeAdministrator(meshAccount).GrantPermissions(w.ctx(), &lakeformation.GrantPermissionsInput{
				Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(consumerAccount)}, Permissions: []lftypes.Permission{permission}, Resource: on})
			w.must(err)
		}
	}
	for name, f := range map[string]fault{
		"it shows all columns":        {cells, changed(nil, "amount > 100"), []string{"too much, filter, FILTER, "}, "columns country, amount", false},
		"it shows another column":     {cells, changed([]string{"id", "name", "country"}, "amount > 100"), []string{"too much, filter, FILTER, "}, "columns country", false},
		"it lacks a column":           {cells, changed([]string{"id"}, "amount > 100"), []string{"missing, filter, FILTER, "}, "columns name", false},
		"it shows all rows":           {cells, changed([]string{"id", "name"}, ""), []string{"too much, filter, FILTER, "}, "rows where TRUE", false},
		"it shows fewer rows":         {cells, changed([]string{"id", "name"}, "amount > 250"), []string{"missing, filter, FILTER, "}, "amount > 250", false},
		"it shows other rows":         {cells, changed([]string{"id", "name"}, "amount < 250"), []string{"missing, filter, FILTER, ", "too much, filter, FILTER, "}, "amount < 250", false},
		"all columns but one, openly": {lakemesh.Scope{ExceptColumns: []string{"name"}}, changed(nil, ""), []string{"too much, filter, FILTER, "}, "columns name", false},
		"all of the table besides":    {cells, granted(table, lftypes.PermissionSelect), []string{"undecided, grant, " + onTable + ", " + consumerAccount}, "worth nothing", true},
		"its grant is revoked": {cells, func(w *world, name string) {
			_, err := w.lakeAdministrator(meshAccount).RevokePermissions(w.ctx(), &lakeformation.RevokePermissionsInput{
				Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(consumerAccount)}, Permissions: []lftypes.Permission{lftypes.PermissionSelect},
				PermissionsWithGrantOption: []lftypes.Permission{lftypes.PermissionSelect},
				Resource:                   &lftypes.Resource{DataCellsFilter: &lftypes.DataCellsFilterResource{TableCatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), TableName: aws.String(people), Name: aws.String(name)}}})
			w.must(err)
		}, []string{"missing, grant, FILTER, " + consumerAccount}, "lacks SELECT", false},
		"it is deleted": {cells, func(w *world, name string) {
			_, err := w.lakeAdministrator(meshAccount).DeleteDataCellsFilter(w.ctx(), &lakeformation.DeleteDataCellsFilterInput{
				TableCatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), TableName: aws.String(people), Name: aws.String(name)})
			w.must(err)
		}, []string{"missing, filter, FILTER, ", "missing, grant, FILTER, " + consumerAccount}, "no such filter", false},
		"one that nobody uses": {cells, func(w *world, _ string) {
			_, err := lakeformation.NewFromConfig(w.meshProducer()).CreateDataCellsFilter(w.ctx(), &lakeformation.CreateDataCellsFilterInput{TableData: filter("lakemesh-left", []string{"id"}, "")})
			w.must(err)
		}, []string{"too much, filter, filter lakemesh-left of table " + product + "." + people + ", "}, "columns id of all rows", false},
		"an excluded column has another name": {lakemesh.Scope{ExceptColumns: []string{"name"}}, func(w *world, _ string) {
			w.changeColumns(func(all []types.Column) []types.Column { all[1].Name = aws.String("full_name"); return all })
		}, []string{"missing, metadata, " + onTable + ", "}, "no column name", true},
		"an included column is gone": {cells, func(w *world, _ string) {
			w.changeColumns(func(all []types.Column) []types.Column { all[1].Name = aws.String("full_name"); return all })
		}, []string{"missing, metadata, " + onTable + ", "}, "no column name", true},
		"a new column beside an exclusion": {lakemesh.Scope{ExceptColumns: []string{"name"}}, func(w *world, _ string) {
			w.changeColumns(func(all []types.Column) []types.Column {
				return append(all, types.Column{Name: aws.String("email"), Type: aws.String("string")})
			})
		}, []string{"undecided, filter, FILTER, "}, "columns email", true},
		"a condition that does not fit": {cells, func(w *world, _ string) {
			w.changeColumns(func(all []types.Column) []types.Column { all[3].Type = aws.String("string"); return all })
		}, []string{"missing, filter, FILTER, "}, "does not fit", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newNarrowWorld(t)
			w.breaks = true
			meshtest.Without(t, w.Mesh.Mesh, "what others hold cannot be seen", func(r localmesh.Readings) bool { return r.ListingsShowOwnRows })
			id := w.asksAs(w.consumer, f.scope)
			w.approve(id)
			s := w.get(id)
			carries := chain.FilterOf(s.Scope)
			f.plant(w, carries)
			want := slices.Clone(f.want)
			for i := range want {
				want[i] = strings.ReplaceAll(want[i], "FILTER", "filter "+carries+" of table "+product+"."+people)
			}
			var words []string
			verify := func() (*chain.Verification, error) {
				v, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(w.ctx(), producer.VerifyInput{}) })
				words = nil
				if v != nil {
					for _, g := range v.Findings {
						words = append(words, g.What)
						if g.Command == "" && g.ByHand == "" {
							t.Errorf("nothing says what to do about: %s", g.What)
						}
					}
				}
				return v, err
			}
			w.finds("the owner", want, verify)
			if all := strings.Join(words, "\n"); !strings.Contains(all, f.words) {
				t.Errorf("the owner is told %q, want %q in it", all, f.words)
			}
			a, err := admin.New(w.ctx(), w.Options(meshAccount))
			w.must(err)
			w.finds("the administrator", want, func() (*chain.Verification, error) { return a.Verify(w.ctx(), admin.VerifyInput{}) })
			v, err := w.producer.Verify(w.ctx(), producer.VerifyInput{})
			w.must(err)
			_, err = w.producer.Repair(w.ctx(), v)
			w.must(err)
			if !f.stays {
				want = nil
			}
			w.finds("the owner, after its repair", want, verify)
			if diff := cmp.Diff(s.Scope, w.get(id).Scope); diff != "" {
				t.Errorf("the repair changed what was decided (-before +after):\n%s", diff)
			}
		})
	}
}

// TestAPlaceThatIsReadInPartIsOpenedAgain has somebody close the prefix of a table of which a
// part was granted.
func TestAPlaceThatIsReadInPartIsOpenedAgain(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.asksAs(w.consumer, lakemesh.Scope{Columns: []string{"id"}})
	w.approve(id)
	w.importsAs(w.consumer, id, analyst)
	_, err := w.S3(producerAccount).DeleteBucketPolicy(w.ctx(), &s3.DeleteBucketPolicyInput{Bucket: aws.String(bucket)})
	w.must(err)
	w.sees(analyst)
	v, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(t.Context(), producer.VerifyInput{}) })
	w.must(err)
	if !slices.ContainsFunc(v.Findings, func(f producer.Finding) bool {
		return f.Link == chain.BucketPolicy && slices.Contains(f.Subscriptions, id)
	}) {
		t.Errorf("found are %v, and none says that subscription %s reads there", v.Findings, id)
	}
	_, err = w.producer.Repair(t.Context(), v)
	w.must(err)
	w.sees(analyst, "id=1", "id=2", "id=3", "id=4")
}
