package admin_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/localmesh"
)

// Between looking at many accounts and doing them others work there, too.

func prepared(t *testing.T, mesh *localmesh.Mesh, in admin.BootstrapInput) *admin.Enrolment {
	t.Helper()
	in.Mesh, in.Account = optionsOf(mesh, meshAccount), optionsOf(mesh, otherAccount)
	e, err := admin.PrepareAccount(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func lakeAdministrators(t *testing.T, mesh *localmesh.Mesh, account string) []string {
	t.Helper()
	out, err := lakeformation.NewFromConfig(configOf(mesh, account)).GetDataLakeSettings(t.Context(), &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, a := range out.DataLakeSettings.DataLakeAdmins {
		all = append(all, aws.ToString(a.DataLakePrincipalIdentifier))
	}
	return all
}

func parametersOf(t *testing.T, client *lakeformation.Client) map[string]string {
	t.Helper()
	out, err := client.GetDataLakeSettings(t.Context(), &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		t.Fatal(err)
	}
	// What Lake Formation tells of itself it may not take back (rule 8.15).
	delete(out.DataLakeSettings.Parameters, "SET_CONTEXT")
	return out.DataLakeSettings.Parameters
}

// Tools that replace the list of administrators are common
// (https://github.com/aws-solutions-library-samples/data-lakes-on-aws/pull/219): what they
// wrote since is kept, and what they took away is not put back, but for the one that is needed.
func TestSettingsThatOthersReplaceMeanwhileStay(t *testing.T) {
	t.Parallel()
	mesh, _ := initialized(t)
	e := prepared(t, mesh, admin.BootstrapInput{Type: admin.Both})
	client := lakeformation.NewFromConfig(configOf(mesh, otherAccount))
	_, err := client.PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &lftypes.DataLakeSettings{
		// No account returns to a lower version of sharing.
		Parameters:                       parametersOf(t, client),
		DataLakeAdmins:                   []lftypes.DataLakePrincipal{{DataLakePrincipalIdentifier: aws.String(administrator(otherAccount))}},
		CreateTableDefaultPermissions:    []lftypes.PrincipalPermissions{},
		CreateDatabaseDefaultPermissions: []lftypes.PrincipalPermissions{},
		TrustedResourceOwners:            []string{"333333333333"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{administrator(otherAccount), lakemesh.RoleARN(otherAccount, lakemesh.ConsumerRole), lakemesh.RoleARN(otherAccount, lakemesh.ProducerRole)}
	got := lakeAdministrators(t, mesh, otherAccount)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("administrators are %v", got)
	}
	out, err := client.GetDataLakeSettings(t.Context(), &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if s := out.DataLakeSettings; len(s.CreateTableDefaultPermissions) > 0 || !slices.Equal(s.TrustedResourceOwners, []string{"333333333333"}) {
		t.Errorf("the settings are %+v", s)
	}
}

// A role that somebody else changes meanwhile is not written over: what it was given would be
// lost without having been shown. Looking again does it.
func TestARoleThatOthersChangeMeanwhileIsNotWrittenOver(t *testing.T) {
	t.Parallel()
	mesh, _ := initialized(t)
	if _, err := prepared(t, mesh, admin.BootstrapInput{Type: admin.Producer, Buckets: []string{"flights"}}).Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := prepared(t, mesh, admin.BootstrapInput{Type: admin.Producer, Buckets: []string{"weather"}, Add: true})
	if _, err := prepared(t, mesh, admin.BootstrapInput{Type: admin.Producer, Buckets: []string{"routes"}, Add: true}).Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Do(t.Context()); !errors.Is(err, lakemesh.ErrChanged) {
		t.Fatalf("%v", err)
	}
	if got := producersBuckets(t, mesh); got != "flights routes" {
		t.Errorf("it keeps the policies of %s", got)
	}
	if _, err := prepared(t, mesh, admin.BootstrapInput{Type: admin.Producer, Buckets: []string{"weather"}, Add: true}).Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := producersBuckets(t, mesh); got != "flights routes weather" {
		t.Errorf("it keeps the policies of %s", got)
	}
	// Two that want the same do not stand in each other's way.
	one, two := prepared(t, mesh, admin.BootstrapInput{Type: admin.Producer, Buckets: []string{"fares"}}), prepared(t, mesh, admin.BootstrapInput{Type: admin.Producer, Buckets: []string{"fares"}})
	for _, e := range []*admin.Enrolment{one, two} {
		if _, err := e.Do(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// producersBuckets are the buckets whose policies the account's producer keeps.
func producersBuckets(t *testing.T, mesh *localmesh.Mesh) string {
	t.Helper()
	s, err := adminOf(t, mesh, otherAccount).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(s.Producer.Buckets)
	return strings.Join(s.Producer.Buckets, " ")
}

// An account of which a half was made, or a part of one, is completed, and what was made is
// as it is to be.
func TestHalfEnrolledAccountsAreCompleted(t *testing.T) {
	t.Parallel()
	for name, undo := range map[string]func(t *testing.T, mesh *localmesh.Mesh){
		"the own half alone": func(t *testing.T, mesh *localmesh.Mesh) {
			client := iam.NewFromConfig(configOf(mesh, meshAccount))
			name := lakemesh.MeshProducerRole(otherAccount)
			if _, err := client.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: aws.String("lakemesh")}); err != nil {
				t.Fatal(err)
			}
			if _, err := client.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: &name}); err != nil {
				t.Fatal(err)
			}
		},
		"a role without its policy": func(t *testing.T, mesh *localmesh.Mesh) {
			client := iam.NewFromConfig(configOf(mesh, otherAccount))
			if _, err := client.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String(lakemesh.ProducerRole), PolicyName: aws.String("lakemesh")}); err != nil {
				t.Fatal(err)
			}
		},
		"no administrator": func(t *testing.T, mesh *localmesh.Mesh) {
			client := lakeformation.NewFromConfig(configOf(mesh, otherAccount))
			if _, err := client.PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &lftypes.DataLakeSettings{Parameters: parametersOf(t, client)}}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mesh, _ := initialized(t)
			in := admin.BootstrapInput{Type: admin.Producer, Buckets: []string{"flights"}}
			if _, err := prepared(t, mesh, in).Do(t.Context()); err != nil {
				t.Fatal(err)
			}
			undo(t, mesh)
			e := prepared(t, mesh, in)
			if e.Plan().Empty() {
				t.Fatal("nothing is to be done")
			}
			if _, err := e.Do(t.Context()); err != nil {
				t.Fatal(err)
			}
			if p := prepared(t, mesh, in).Plan(); !p.Empty() {
				t.Errorf("%s", p)
			}
			if got := producersBuckets(t, mesh); got != "flights" {
				t.Errorf("it keeps the policies of %s", got)
			}
		})
	}
}

// Credentials of another account than was said are refused before anything is looked at.
func TestAnotherAccountThanWasSaidIsRefused(t *testing.T) {
	t.Parallel()
	mesh, _ := initialized(t)
	in := admin.BootstrapInput{Type: admin.Producer, AccountID: "333333333333", Mesh: optionsOf(mesh, meshAccount), Account: optionsOf(mesh, otherAccount)}
	if _, err := admin.PrepareAccount(t.Context(), in); !errors.Is(err, lakemesh.ErrWrongAccount) {
		t.Errorf("%v", err)
	}
	in.MeshAlone, in.Buckets = true, []string{"flights"}
	if _, err := admin.PrepareAccount(t.Context(), in); !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("%v", err)
	}
	in.AccountID, in.Buckets = "", nil
	if _, err := admin.PrepareAccount(t.Context(), in); !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("%v", err)
	}
}

// A role that may write every bucket, and is to get some more, is as wide as before: whoever named
// buckets hears of it.
func TestBucketsThatAreAddedToAllOfThemNarrowNothing(t *testing.T) {
	t.Parallel()
	mesh, _ := initialized(t)
	e := prepared(t, mesh, admin.BootstrapInput{Type: admin.Producer})
	if _, err := e.Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, add := range []bool{true, false} {
		said := strings.Join(prepared(t, mesh, admin.BootstrapInput{Type: admin.Producer, Add: add, Buckets: []string{"flights"}}).Plan().Warnings, "\n")
		if told := strings.Contains(said, "every bucket of account "+otherAccount+", and stays so"); told != add {
			t.Errorf("adding is %t, and it says %q", add, said)
		}
	}
}
