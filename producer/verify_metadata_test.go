package producer_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/producer"
)

// described are the tables of the mesh's database that all of the mesh sees, and "" for the
// database itself.
func (w *world) described(t *testing.T) []string {
	t.Helper()
	reader := lakemesh.RoleARN(meshAccount, lakemesh.ReadOnlyRole)
	lake := &permissions.Lake{Client: lakeformation.NewFromConfig(w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole))), Account: meshAccount}
	var seen []string
	on := []permissions.Resource{permissions.Database(meshAccount, meshDatabase)}
	for _, table := range []string{"customers", "orders", "orders_eu"} {
		on = append(on, permissions.Table(meshAccount, meshDatabase, table))
	}
	held, err := lake.Observe(t.Context(), on...)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range on {
		if held.Of(reader, r).Permissions.Has(lakemesh.Describe) {
			seen = append(seen, r.Table)
		}
	}
	return seen
}

func (w *world) describes(t *testing.T, revoke bool, tables ...string) {
	t.Helper()
	client := lakeformation.NewFromConfig(w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole)))
	reader := &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.ReadOnlyRole))}
	for _, table := range tables {
		on := &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(meshDatabase), Name: &table}}
		if table == "" {
			on = &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String(meshDatabase)}}
		}
		var err error
		if revoke {
			_, err = client.RevokePermissions(t.Context(), &lakeformation.RevokePermissionsInput{Principal: reader, Resource: on, Permissions: []lftypes.Permission{lftypes.PermissionDescribe}})
		} else {
			_, err = client.GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{Principal: reader, Resource: on, Permissions: []lftypes.Permission{lftypes.PermissionDescribe}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever somebody does by hand to what all of the mesh sees is found, and repairing makes it
// as the owner said: nothing public becomes private by that, and nothing private public.
func TestMetadataIsAsItsOwnerSaid(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		private       string
		revoke, grant []string
		want          []string
	}{
		"nobody may look for the database":   {revoke: []string{""}, want: []string{"missing database"}},
		"a table cannot be seen":             {revoke: []string{"orders"}, want: []string{"missing orders"}},
		"the database and a table":           {revoke: []string{"", "customers"}, want: []string{"missing customers", "missing database"}},
		"beside a private table":             {private: "orders", revoke: []string{"", "customers"}, want: []string{"missing customers", "missing database"}},
		"a private table is shown":           {private: "orders", grant: []string{"orders"}, want: []string{"too much orders"}},
		"a private one shown, a public lost": {private: "orders_eu", grant: []string{"orders_eu"}, revoke: []string{"orders"}, want: []string{"missing orders", "too much orders_eu"}},
		"all as it was said":                 {private: "orders"},
		"all private, the database shown":    {private: ".*", grant: []string{""}, want: []string{"too much database"}},
		"all private, as it was said":        {private: ".*"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if test.private != "" {
				if _, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase, TableNameRegex: test.private, CreatePublicMetadata: aws.Bool(false)}); err != nil {
					t.Fatal(err)
				}
			}
			before := w.described(t)
			w.describes(t, true, test.revoke...)
			w.describes(t, false, test.grant...)
			var v *producer.Verification
			var found []string
			if !meshtest.Soon(w.mesh, func() bool {
				var err error
				if v, err = w.producer.Verify(t.Context(), producer.VerifyInput{}); err != nil {
					t.Fatal(err)
				}
				found = nil
				for _, f := range v.Findings {
					what, on, _ := strings.Cut(f.Resource, " ")
					if on = strings.TrimPrefix(on, meshDatabase+"."); what == "database" {
						on = what
					}
					if f.Link != chain.Metadata || f.Repairs != chain.Owner {
						on = "something else: " + f.Resource
					}
					found = append(found, string(f.Kind)+" "+on)
				}
				slices.Sort(found)
				return cmp.Equal(test.want, found)
			}) {
				t.Errorf("it finds %q, want %q", found, test.want)
			}
			if out, err := w.producer.Repair(t.Context(), v); err != nil {
				t.Errorf("repair: %v, %v", out, err)
			}
			var after []string
			if !meshtest.Soon(w.mesh, func() bool { after = w.described(t); return cmp.Equal(before, after) }) {
				t.Errorf("all of the mesh sees %q, and saw %q", after, before)
			}
			w.chainHolds(t)
		})
	}
}

// Tables of a database that a version of before published mark nothing: what it published as
// private stays so when its tables are published again to mend something.
func TestRepairingMakesNothingPublicThatNothingIsSaidOf(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		revoke []string
		want   []string
	}{
		"private":                    {[]string{"", "customers", "orders", "orders_eu"}, nil},
		"public, and the database's": {[]string{""}, []string{"", "customers", "orders", "orders_eu"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.unmark(t)
			w.describes(t, true, test.revoke...)
			// Something to mend: what publishing grants to the owner.
			client := lakeformation.NewFromConfig(w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole)))
			if _, err := client.RevokePermissions(t.Context(), &lakeformation.RevokePermissionsInput{
				Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(producerAccount)}, Permissions: []lftypes.Permission{lftypes.PermissionInsert}, PermissionsWithGrantOption: []lftypes.Permission{lftypes.PermissionInsert},
				Resource: &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(meshDatabase), Name: aws.String("orders")}}}); err != nil {
				t.Fatal(err)
			}
			v, err := w.producer.Verify(t.Context(), producer.VerifyInput{})
			if err != nil || len(v.Findings) == 0 {
				t.Fatalf("it finds %v, %v", v, err)
			}
			if _, err := w.producer.Repair(t.Context(), v); err != nil {
				t.Error(err)
			}
			var after []string
			if !meshtest.Soon(w.mesh, func() bool { after = w.described(t); return cmp.Equal(test.want, after) }) {
				t.Errorf("all of the mesh sees %q, want %q", after, test.want)
			}
		})
	}
}

// unmark makes the mesh's database one that a version of before published.
func (w *world) unmark(t *testing.T) {
	t.Helper()
	client := glue.NewFromConfig(w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount))))
	out, err := client.GetDatabase(t.Context(), &glue.GetDatabaseInput{Name: aws.String(meshDatabase)})
	if err != nil {
		t.Fatal(err)
	}
	d := out.Database
	said := len(d.Parameters)
	maps.DeleteFunc(d.Parameters, func(key, _ string) bool { return strings.HasSuffix(key, ".privacy") })
	if len(d.Parameters) == said {
		t.Fatalf("nothing is said of privacy: %v", d.Parameters)
	}
	if _, err := client.UpdateDatabase(t.Context(), &glue.UpdateDatabaseInput{Name: d.Name, DatabaseInput: &gluetypes.DatabaseInput{Name: d.Name, Description: d.Description, LocationUri: d.LocationUri, Parameters: d.Parameters, CreateTableDefaultPermissions: []gluetypes.PrincipalPermissions{}}}); err != nil {
		t.Fatal(err)
	}
}
