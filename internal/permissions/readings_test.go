package permissions_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/localmesh"
)

// listing is the lake with the answers of ListPermissions changed.
func listing(mesh *localmesh.Mesh, l *permissions.Lake, change func(in *lakeformation.ListPermissionsInput, out *lakeformation.ListPermissionsOutput)) *permissions.Lake {
	cfg := meshtest.Answering(mesh.Config("arn:aws:iam::"+owner+":role/Admin"), func(_ string, in, out any) {
		if out, ok := out.(*lakeformation.ListPermissionsOutput); ok {
			change(in.(*lakeformation.ListPermissionsInput), out)
		}
	})
	return &permissions.Lake{Client: lakeformation.NewFromConfig(cfg), Account: l.Account, Patience: l.Patience}
}

// granted is a mesh with tables on which another account was granted.
func granted(t *testing.T, tables int) (*localmesh.Mesh, *permissions.Lake, []permissions.Entry) {
	t.Helper()
	var names []string
	for i := range tables {
		names = append(names, fmt.Sprintf("t%02d", i))
	}
	mesh, l := lakeIn(t, names...)
	var want []permissions.Entry
	for _, name := range names {
		want = append(want, permissions.Entry{Principal: "999999999999", Resource: permissions.Table(owner, "db", name),
			Permissions: set(lakemesh.Describe, lakemesh.Select), Grantable: set(lakemesh.Select)})
	}
	if err := apply(t, l, want, nil); err != nil {
		t.Fatal(err)
	}
	mesh.ResetCounts()
	return mesh, l, want
}

func resources(entries []permissions.Entry) (list []permissions.Resource) {
	for _, e := range entries {
		list = append(list, e.Resource)
	}
	return list
}

func TestObserveDoesNotDependOnAListingOfEverything(t *testing.T) {
	t.Parallel()
	mesh, l, want := granted(t, 12)
	// A listing without a resource shows this role nothing, or only its first tables.
	for _, shown := range []int{0, 30} {
		short := listing(mesh, l, func(in *lakeformation.ListPermissionsInput, out *lakeformation.ListPermissionsOutput) {
			if in.Resource == nil {
				out.PrincipalResourcePermissions = out.PrincipalResourcePermissions[:min(shown, len(out.PrincipalResourcePermissions))]
			}
		})
		have, err := short.Observe(t.Context(), resources(want)...)
		if err != nil {
			t.Fatal(err)
		}
		if missing := permissions.Missing(have, want); len(missing) > 0 {
			t.Errorf("of a listing that shows %d rows: missing %v", shown, missing)
		}
	}
	// Tables on which there is nothing cost no more than a look at a few of them.
	mesh.ResetCounts()
	var none []permissions.Resource
	for i := range 50 {
		none = append(none, permissions.Table(owner, "db", fmt.Sprintf("none%d", i)))
	}
	if _, err := l.Observe(t.Context(), none...); err != nil {
		t.Fatal(err)
	}
	if n := calls(mesh, "ListPermissions"); n > 5 {
		t.Errorf("%d calls about tables without grants", n)
	}
}

func TestConfirmAsksForWhatAPrincipalHoldsInEffect(t *testing.T) {
	t.Parallel()
	mesh, l, want := granted(t, 8)
	// Rows of other principals are shown to who asks for them.
	strict := listing(mesh, l, func(in *lakeformation.ListPermissionsInput, out *lakeformation.ListPermissionsOutput) {
		if in.Principal == nil {
			out.PrincipalResourcePermissions = slices.DeleteFunc(out.PrincipalResourcePermissions, func(r types.PrincipalResourcePermissions) bool {
				return aws.ToString(r.Principal.DataLakePrincipalIdentifier) == "999999999999"
			})
		}
	})
	have, err := strict.Observe(t.Context(), resources(want)...)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(permissions.Missing(have, want)); n != 8 {
		t.Fatalf("%d are missing", n)
	}
	if err := strict.Confirm(t.Context(), have, want); err != nil {
		t.Fatal(err)
	}
	if missing := permissions.Missing(have, want); len(missing) > 0 {
		t.Errorf("missing %v", missing)
	}
	// Nothing missing, nothing asked; what is really missing is asked for a few times.
	mesh.ResetCounts()
	if err := l.Confirm(t.Context(), have, want); err != nil || mesh.Calls() > 0 {
		t.Errorf("%v, %v", mesh.Counts(), err)
	}
	for i := range want {
		want[i].Principal = "888888888888"
	}
	if err := l.Confirm(t.Context(), have, want); err != nil || mesh.Calls() > 8 {
		t.Errorf("%v, %v", mesh.Counts(), err)
	}
}

func TestGrantsAreComparedInOneForm(t *testing.T) {
	t.Parallel()
	mesh, l, want := granted(t, 1)
	describe, selecting := types.PermissionDescribe, types.PermissionSelect
	table := &types.TableResource{CatalogId: aws.String(owner), DatabaseName: aws.String("DB"), Name: aws.String("T00")}
	columns := &types.TableWithColumnsResource{CatalogId: aws.String(owner), DatabaseName: aws.String("db"), Name: aws.String("t00"), ColumnWildcard: &types.ColumnWildcard{}}
	account := &types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String("999999999999")}
	row := func(p *types.DataLakePrincipal, r types.Resource, grantable bool, list ...types.Permission) types.PrincipalResourcePermissions {
		out := types.PrincipalResourcePermissions{Principal: p, Resource: &r, Permissions: list}
		if grantable {
			out.PermissionsWithGrantOption = list
		}
		return out
	}
	for name, rows := range map[string][]types.PrincipalResourcePermissions{
		"a row each":        {row(account, types.Resource{Table: table}, false, describe), row(account, types.Resource{TableWithColumns: columns}, true, selecting)},
		"one row":           {{Principal: account, Resource: &types.Resource{Table: table}, Permissions: []types.Permission{describe, selecting}, PermissionsWithGrantOption: []types.Permission{selecting}}},
		"SELECT twice":      {row(account, types.Resource{Table: table}, false, selecting, describe), row(account, types.Resource{TableWithColumns: columns}, true, selecting)},
		"ALL":               {row(account, types.Resource{Table: table}, true, types.PermissionAll)},
		"without a catalog": {row(account, types.Resource{Table: &types.TableResource{DatabaseName: table.DatabaseName, Name: table.Name}}, true, describe, selecting)},
		"the account's root": {row(&types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String("arn:aws:iam::999999999999:root")},
			types.Resource{Table: table}, true, describe, selecting)},
	} {
		changed := listing(mesh, l, func(_ *lakeformation.ListPermissionsInput, out *lakeformation.ListPermissionsOutput) {
			out.PrincipalResourcePermissions = rows
		})
		have, err := changed.Observe(t.Context(), want[0].Resource)
		if err != nil {
			t.Fatal(err)
		}
		if missing := permissions.Missing(have, want); len(missing) > 0 {
			t.Errorf("%s: missing %v", name, missing)
		}
	}
	// A recipient lists what is granted on the catalog of the owner.
	recipient := &permissions.Lake{Client: listing(mesh, l, func(_ *lakeformation.ListPermissionsInput, out *lakeformation.ListPermissionsOutput) {
		out.PrincipalResourcePermissions = []types.PrincipalResourcePermissions{
			row(account, types.Resource{Table: &types.TableResource{DatabaseName: table.DatabaseName, Name: table.Name}}, true, describe, selecting)}
	}).Client, Account: "999999999999"}
	have, err := recipient.Observe(t.Context(), want[0].Resource)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(set(lakemesh.Describe, lakemesh.Select), have.Of("999999999999", want[0].Resource).Permissions); diff != "" {
		t.Errorf("as the recipient sees it (-want +got):\n%s", diff)
	}
}

// Lake Formation shares with the rights of who grants. Which of them is missing has to be
// told, whether it answers for the call or for an entry of it.
func TestTheDeniedActionIsNamed(t *testing.T) {
	t.Parallel()
	mesh, l, want := granted(t, 1)
	mesh.Fail(localmesh.Fault{Service: "lakeformation", Operation: "BatchGrantPermissions", Code: "AccessDeniedException", Status: 400,
		Message: "User: arn:aws:sts::" + owner + ":assumed-role/Admin/s is not authorized to perform: ram:AssociateResourceShare on resource: arn:aws:ram:us-east-1:" + owner + ":resource-share/x because no identity-based policy allows it"})
	err := apply(t, l, want, nil)
	if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "lacks ram:AssociateResourceShare") {
		t.Errorf("%v", err)
	}
	// An entry that is refused in a batch that is answered.
	cfg := meshtest.Answering(mesh.Config("arn:aws:iam::"+owner+":role/Admin"), func(_ string, in, out any) {
		if out, ok := out.(*lakeformation.BatchGrantPermissionsOutput); ok {
			entry := in.(*lakeformation.BatchGrantPermissionsInput).Entries[0]
			out.Failures = []types.BatchPermissionsFailureEntry{{RequestEntry: &entry, Error: &types.ErrorDetail{ErrorCode: aws.String("AccessDeniedException"),
				ErrorMessage: aws.String("not authorized to perform: ram:CreateResourceShare")}}}
		}
	})
	err = apply(t, &permissions.Lake{Client: lakeformation.NewFromConfig(cfg), Account: owner, Patience: l.Patience}, want, nil)
	if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "lacks ram:CreateResourceShare") {
		t.Errorf("%v", err)
	}
}
