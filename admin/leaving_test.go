package admin_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lakeformationtypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
)

// retire ends a producer's and a consumer's part in a mesh.
func retire(t *testing.T, mesh *localmesh.Mesh, accounts map[string]admin.AccountType) {
	t.Helper()
	for account, kind := range accounts {
		_, err := admin.RetireAccount(t.Context(), admin.RetireInput{Type: kind, Mesh: optionsOf(mesh, meshAccount), Account: optionsOf(mesh, account)})
		must(t, err)
	}
}

func TestDisablingIsForAccountsOfTheMesh(t *testing.T) {
	t.Parallel()
	mesh, a := bootstrapped(t)
	for name, in := range map[string]admin.DisableInput{
		"no account":       {Type: admin.Producer},
		"no type":          {AccountID: producerAccount},
		"the mesh account": {AccountID: meshAccount, Type: admin.Producer},
	} {
		if _, err := a.DisableAccount(t.Context(), in); !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := adminOf(t, mesh, producerAccount).DisableAccount(t.Context(), admin.DisableInput{AccountID: producerAccount, Type: admin.Producer}); !errors.Is(err, lakemesh.ErrWrongAccount) {
		t.Errorf("outside of the mesh account: %v", err)
	}
	if _, err := a.ClearAccount(t.Context(), admin.ClearInput{Type: admin.Producer}); !errors.Is(err, lakemesh.ErrWrongAccount) {
		t.Errorf("clearing the mesh account: %v", err)
	}
	p, err := a.PlanDisableAccount(t.Context(), admin.DisableInput{AccountID: otherAccount, Type: admin.Both})
	if err != nil || !p.Empty() {
		t.Errorf("an account that is not enabled: %v, %v", p, err)
	}
}

// changing are the calls since the last reset that change something.
func changing(mesh *localmesh.Mesh) []string {
	return slices.DeleteFunc(writes(mesh), func(call string) bool { return strings.Contains(call, ":Search") || strings.Contains(call, ":Scan") })
}

func TestPlansOfTheWayBackChangeNothing(t *testing.T) {
	t.Parallel()
	mesh, a := bootstrapped(t)
	mesh.ResetCounts()
	p, err := a.PlanDisableAccount(t.Context(), admin.DisableInput{AccountID: producerAccount, Type: admin.Producer})
	if err != nil || p.Count(plan.DeleteRole) != 2 || p.Count(plan.DeleteTag) != 2 || p.Count(plan.Record) != 1 {
		t.Errorf("disabling: %v\n%s", err, p)
	}
	p, err = admin.PlanRetireAccount(t.Context(), admin.RetireInput{Type: admin.Consumer, Mesh: optionsOf(mesh, meshAccount), Account: optionsOf(mesh, consumerAccount)})
	if err != nil || p.Count(plan.DeleteRole) != 2 || p.Count(plan.PutSettings) != 1 {
		t.Errorf("retiring: %v\n%s", err, p)
	}
	if got := changing(mesh); len(got) > 0 {
		t.Errorf("planning writes %q", got)
	}
}

// An account that is both stays the one when it stops being the other.
func TestAnAccountStopsBeingTheOneAndStaysTheOther(t *testing.T) {
	t.Parallel()
	mesh, a := initialized(t)
	meshtest.Before(mesh, func() { bootstrap(t, mesh, producerAccount, admin.Both) })
	retire(t, mesh, map[string]admin.AccountType{producerAccount: admin.Producer})
	if got := membersOf(t, mesh, "Consumers"); !slices.Equal(got, []string{producerAccount}) {
		t.Errorf("consumers are %q", got)
	}
	if got := membersOf(t, mesh, "Producers"); len(got) > 0 {
		t.Errorf("producers are %q", got)
	}
	if got := administratorsOf(t, mesh, producerAccount); !slices.Equal(got, []string{lakemesh.RoleARN(producerAccount, lakemesh.ConsumerRole)}) {
		t.Errorf("administrators are %q", got)
	}
	if _, err := assume(t.Context(), configOf(mesh, producerAccount), lakemesh.RoleARN(producerAccount, lakemesh.ConsumerRole), lakemesh.RoleARN(meshAccount, lakemesh.MeshConsumerRole(producerAccount))); err != nil {
		t.Errorf("as a consumer: %v", err)
	}
	if _, err := a.DestroyMesh(t.Context(), admin.DestroyMeshInput{Confirm: meshAccount}); !errors.Is(err, lakemesh.ErrIllegalTransition) {
		t.Errorf("destroying a mesh with a consumer: %v", err)
	}
	bootstrap(t, mesh, producerAccount, admin.Producer)
	p, err := admin.PlanBootstrapAccount(t.Context(), admin.BootstrapInput{Type: admin.Both, Mesh: optionsOf(mesh, meshAccount), Account: optionsOf(mesh, producerAccount)})
	if err != nil || !p.Empty() {
		t.Errorf("enabled again: %v\n%s", err, p)
	}
}

// A role of our name that is not tagged as ours, and one at another path, are not ours.
func TestWhatIsNotExactlyOursIsNotRemoved(t *testing.T) {
	t.Parallel()
	mesh, a := bootstrapped(t)
	client := iam.NewFromConfig(configOf(mesh, meshAccount))
	name := lakemesh.MeshConsumerRole(consumerAccount)
	_, err := client.UntagRole(t.Context(), &iam.UntagRoleInput{RoleName: &name, TagKeys: []string{lakemesh.SolutionTag}})
	must(t, err)
	in := admin.DisableInput{AccountID: consumerAccount, Type: admin.Consumer}
	if _, err := a.DisableAccount(t.Context(), in); !errors.Is(err, lakemesh.ErrConflict) {
		t.Errorf("a role without our tag: %v", err)
	}
	_, err = client.TagRole(t.Context(), &iam.TagRoleInput{RoleName: &name, Tags: []iamtypes.Tag{{Key: aws.String(lakemesh.SolutionTag), Value: aws.String(lakemesh.SolutionValue)}}})
	must(t, err)
	// What others attached stays, without the role.
	policy, err := client.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("theirs"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}`)})
	must(t, err)
	must(t, meshtest.Try(mesh, func() error {
		_, err := client.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: policy.Policy.Arn})
		return err
	}))
	out, err := a.DisableAccount(t.Context(), in)
	if err != nil || !strings.Contains(strings.Join(out.Warnings, "\n"), "theirs") {
		t.Errorf("with a policy of others: %+v, %v", out, err)
	}
	if _, err := client.GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name}); !identity.IsNotFound(err) {
		t.Errorf("the role: %v", err)
	}
	_, err = client.GetPolicy(t.Context(), &iam.GetPolicyInput{PolicyArn: policy.Policy.Arn})
	wantOK(t, "read the policy of others", err)
	// At another path it is another's, and there is none of ours.
	_, err = client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	must(t, err)
	p, err := a.PlanDisableAccount(t.Context(), in)
	if err != nil || !p.Empty() {
		t.Errorf("a role at another path: %v\n%s", err, p)
	}
}

// An LF-tag that others use stays, and is told.
func TestAnAccountsTagStaysWhereOthersUseIt(t *testing.T) {
	t.Parallel()
	mesh, a := bootstrapped(t, plainly())
	key := lakemesh.OwnerTag(lakemesh.DomainTag, producerAccount)
	lake := lakeformation.NewFromConfig(mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole)))
	_, err := lake.GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{Principal: &lakeformationtypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(administrator(meshAccount))},
		Resource: &lakeformationtypes.Resource{LFTagPolicy: &lakeformationtypes.LFTagPolicyResource{ResourceType: lakeformationtypes.ResourceTypeTable,
			Expression: []lakeformationtypes.LFTag{{TagKey: &key, TagValues: []string{"none"}}}}}, Permissions: []lakeformationtypes.Permission{lakeformationtypes.PermissionSelect}})
	must(t, err)
	out, err := a.DisableAccount(t.Context(), admin.DisableInput{AccountID: producerAccount, Type: admin.Producer})
	if err != nil || !strings.Contains(strings.Join(out.Warnings, "\n"), "LF-tag "+key+" stays") {
		t.Errorf("disabled: %+v, %v", out, err)
	}
	if _, err := lake.GetLFTag(t.Context(), &lakeformation.GetLFTagInput{TagKey: &key}); err != nil {
		t.Errorf("the tag that others use: %v", err)
	}
	other := lakemesh.OwnerTag(lakemesh.ProductTag, producerAccount)
	if _, err := lake.GetLFTag(t.Context(), &lakeformation.GetLFTagInput{TagKey: &other}); !identity.IsNotFound(err) {
		t.Errorf("the tag that nobody uses: %v", err)
	}
}

// putSettings puts data lake settings of the mesh account.
func putSettings(t *testing.T, mesh *localmesh.Mesh, change func(*lakeformationtypes.DataLakeSettings)) {
	t.Helper()
	s := settingsOf(t, mesh, meshAccount)
	change(&s)
	_, err := lakeformation.NewFromConfig(configOf(mesh, meshAccount)).PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &s})
	must(t, err)
}

func TestDestroyingPutsSettingsBack(t *testing.T) {
	t.Parallel()
	own := []lakeformationtypes.PrincipalPermissions{{Principal: &lakeformationtypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String("IAM_ALLOWED_PRINCIPALS")}, Permissions: []lakeformationtypes.Permission{lakeformationtypes.PermissionAll}}}
	for name, c := range map[string]struct {
		before, since func(*lakeformationtypes.DataLakeSettings)
		// kept tells what stays as it was set since.
		kept func(want *lakeformationtypes.DataLakeSettings)
	}{
		"as they were": {before: func(s *lakeformationtypes.DataLakeSettings) {
			s.CreateTableDefaultPermissions = own
			s.Parameters = map[string]string{"CROSS_ACCOUNT_VERSION": "2"}
		}},
		"without a version": {before: func(s *lakeformationtypes.DataLakeSettings) { s.Parameters = map[string]string{} }},
		"what was set since stays": {
			before: func(s *lakeformationtypes.DataLakeSettings) {
				s.Parameters = map[string]string{"CROSS_ACCOUNT_VERSION": "1"}
			},
			since: func(s *lakeformationtypes.DataLakeSettings) {
				s.Parameters = map[string]string{"CROSS_ACCOUNT_VERSION": "4"}
			},
			kept: func(want *lakeformationtypes.DataLakeSettings) {
				want.Parameters["CROSS_ACCOUNT_VERSION"] = "4"
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mesh := localmesh.Run(t, plainly())
			a := adminOf(t, mesh, meshAccount)
			putSettings(t, mesh, c.before)
			want := settingsOf(t, mesh, meshAccount)
			_, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{AllowFullTableExternalDataAccess: new(true)})
			must(t, err)
			if c.since != nil {
				putSettings(t, mesh, c.since)
			}
			// Doing it again records nothing else.
			_, err = a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{AllowFullTableExternalDataAccess: new(true)})
			must(t, err)
			_, err = a.DestroyMesh(t.Context(), admin.DestroyMeshInput{Confirm: meshAccount})
			must(t, err)
			if c.kept != nil {
				c.kept(&want)
			}
			got := settingsOf(t, mesh, meshAccount)
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(lakeformationtypes.DataLakeSettings{}, lakeformationtypes.PrincipalPermissions{}, lakeformationtypes.DataLakePrincipal{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("before (-), and after (+):\n%s", diff)
			}
		})
	}
}

// Of a mesh that recorded nothing of the time before, what is not known stays, and is told.
func TestDestroyingAMeshOfAnOlderVersion(t *testing.T) {
	t.Parallel()
	mesh, a := initialized(t)
	client := dynamodb.NewFromConfig(configOf(mesh, meshAccount))
	_, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(lakemesh.DecisionsTable), Key: map[string]types.AttributeValue{"Key": &types.AttributeValueMemberS{Value: "members"}}})
	must(t, err)
	out, err := a.DestroyMesh(t.Context(), admin.DestroyMeshInput{Confirm: meshAccount})
	must(t, err)
	said := strings.Join(out.Warnings, "\n")
	for _, what := range []string{"default permissions on new databases and tables stay cleared", "LF-tag domain stays", "LF-tag dataproduct stays"} {
		if !strings.Contains(said, what) {
			t.Errorf("not told: %s\n%s", what, said)
		}
	}
	if got := settingsOf(t, mesh, meshAccount); len(got.CreateTableDefaultPermissions) > 0 || len(got.DataLakeAdmins) > 0 {
		t.Errorf("settings %+v", got)
	}
}

// An LF-tag of the account's own that is named like the mesh's is not the mesh's.
func TestDestroyingLeavesATagThatWasThereBefore(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t, plainly())
	a := adminOf(t, mesh, meshAccount)
	putSettings(t, mesh, func(s *lakeformationtypes.DataLakeSettings) {
		s.DataLakeAdmins = []lakeformationtypes.DataLakePrincipal{{DataLakePrincipalIdentifier: aws.String(administrator(meshAccount))}}
	})
	lake := lakeformation.NewFromConfig(configOf(mesh, meshAccount))
	_, err := lake.CreateLFTag(t.Context(), &lakeformation.CreateLFTagInput{TagKey: aws.String(lakemesh.DomainTag), TagValues: []string{"none", "finance"}})
	must(t, err)
	_, err = a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
	must(t, err)
	_, err = a.DestroyMesh(t.Context(), admin.DestroyMeshInput{Confirm: meshAccount})
	must(t, err)
	if _, err := lake.GetLFTag(t.Context(), &lakeformation.GetLFTagInput{TagKey: aws.String(lakemesh.DomainTag)}); err != nil {
		t.Errorf("the account's own tag: %v", err)
	}
	if _, err := lake.GetLFTag(t.Context(), &lakeformation.GetLFTagInput{TagKey: aws.String(lakemesh.ProductTag)}); !identity.IsNotFound(err) {
		t.Errorf("the mesh's tag: %v", err)
	}
}

func TestDestroyingKeepsRecordsIfAsked(t *testing.T) {
	t.Parallel()
	mesh, a := initialized(t)
	_, err := a.DestroyMesh(t.Context(), admin.DestroyMeshInput{Confirm: meshAccount, KeepRecords: true})
	must(t, err)
	client := dynamodb.NewFromConfig(configOf(mesh, meshAccount))
	for _, name := range []string{lakemesh.SubscriptionsTable, lakemesh.DecisionsTable} {
		out, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil || !aws.ToBool(out.Table.DeletionProtectionEnabled) {
			t.Errorf("table %s: %+v, %v", name, out, err)
		}
	}
	// What was there before is none of the next mesh's business.
	if got := membersOf(t, mesh, "MadeTags"); len(got) > 0 {
		t.Errorf("it still says that the mesh made %q", got)
	}
	_, err = adminOf(t, mesh, meshAccount).InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
	wantOK(t, "initialize the mesh again", err)
}

// A table of the mesh's name without its tag is not removed.
func TestDestroyingLeavesATableThatIsNotKnownToBeOurs(t *testing.T) {
	t.Parallel()
	mesh, a := initialized(t)
	client := dynamodb.NewFromConfig(configOf(mesh, meshAccount))
	out, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String(lakemesh.SubscriptionsTable)})
	must(t, err)
	_, err = client.UntagResource(t.Context(), &dynamodb.UntagResourceInput{ResourceArn: out.Table.TableArn, TagKeys: []string{lakemesh.SolutionTag}})
	must(t, err)
	mesh.ResetCounts()
	if _, err := a.DestroyMesh(t.Context(), admin.DestroyMeshInput{Confirm: meshAccount}); !errors.Is(err, lakemesh.ErrConflict) {
		t.Errorf("destroyed: %v", err)
	}
	if got := changing(mesh); len(got) > 0 {
		t.Errorf("a refusal writes %q", got)
	}
}

// An account that does something while it is being disabled is not disabled over its head.
func TestWhatBeginsWhileAnAccountIsDisabledIsSeen(t *testing.T) {
	t.Parallel()
	mesh, a := bootstrapped(t, plainly())
	held := lakeformation.NewFromConfig(mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole)))
	p, err := a.PlanDisableAccount(t.Context(), admin.DisableInput{AccountID: producerAccount, Type: admin.Producer})
	must(t, err)
	// Between the plan and its first step the producer makes a database.
	m := meshtest.On(t, mesh)
	role := lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount))
	makeDatabase(t, m, role, "fresh")
	_, err = p.Apply(t.Context(), plan.Settings{})
	if !errors.Is(err, lakemesh.ErrIllegalTransition) || !strings.Contains(err.Error(), "fresh") {
		t.Errorf("applied: %v", err)
	}
	if _, err := iam.NewFromConfig(configOf(mesh, meshAccount)).GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(lakemesh.MeshProducerRole(producerAccount))}); err != nil {
		t.Errorf("the role: %v", err)
	}
	_, err = held.GetLFTag(t.Context(), &lakeformation.GetLFTagInput{TagKey: aws.String(lakemesh.OwnerTag(lakemesh.DomainTag, producerAccount))})
	wantOK(t, "read the producer's tag", err)
}

func makeDatabase(t *testing.T, m *meshtest.Mesh, role, name string) {
	t.Helper()
	_, err := glue.NewFromConfig(m.Config(role)).CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: &name}})
	must(t, err)
}

// What somebody granted by hand stays, and the plans say so, with whose the share is.
func TestThePlansOfTheWayBackNameWhatWasGrantedByHand(t *testing.T) {
	t.Parallel()
	mesh, a := bootstrapped(t)
	meshtest.Before(mesh, func() {
		_, err := glue.NewFromConfig(mesh.Config(meshtest.Administrator(meshAccount))).CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("plain")}})
		must(t, err)
		lake := lakeformation.NewFromConfig(mesh.Config(meshtest.Administrator(meshAccount)))
		settings, err := lake.GetDataLakeSettings(t.Context(), &lakeformation.GetDataLakeSettingsInput{})
		must(t, err)
		settings.DataLakeSettings.DataLakeAdmins = append(settings.DataLakeSettings.DataLakeAdmins, lakeformationtypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(meshtest.Administrator(meshAccount))})
		_, err = lake.PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: settings.DataLakeSettings})
		must(t, err)
		_, err = lake.GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{
			Principal:   &lakeformationtypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(consumerAccount)},
			Resource:    &lakeformationtypes.Resource{Table: &lakeformationtypes.TableResource{DatabaseName: aws.String("plain"), TableWildcard: &lakeformationtypes.TableWildcard{}}},
			Permissions: []lakeformationtypes.Permission{lakeformationtypes.PermissionSelect}})
		must(t, err)
	})
	said := func(p *plan.Plan, err error, parts ...string) {
		t.Helper()
		must(t, err)
		for _, part := range parts {
			if !slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.Contains(w, "granted by hand") && strings.Contains(w, part) }) {
				t.Errorf("%q is not told: %q", part, p.Warnings)
			}
		}
	}
	p, err := a.PlanDisableAccount(t.Context(), admin.DisableInput{AccountID: consumerAccount, Type: admin.Consumer})
	said(p, err, consumerAccount, "SELECT", "plain")
	p, err = a.PlanDisableAccount(t.Context(), admin.DisableInput{AccountID: producerAccount, Type: admin.Producer})
	must(t, err)
	if slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.Contains(w, "granted by hand") }) {
		t.Errorf("told of another account: %q", p.Warnings)
	}
	retire(t, mesh, map[string]admin.AccountType{producerAccount: admin.Producer, consumerAccount: admin.Consumer})
	p, err = a.PlanDestroyMesh(t.Context(), admin.DestroyMeshInput{})
	said(p, err, consumerAccount, "SELECT", "plain", "resource share")
}
