package admin_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
)

func membersOf(t *testing.T, mesh *localmesh.Mesh, attribute string) []string {
	t.Helper()
	out, err := dynamodb.NewFromConfig(configOf(mesh, meshAccount)).GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String(lakemesh.DecisionsTable),
		ConsistentRead: aws.Bool(true), Key: map[string]types.AttributeValue{"Key": text("members")}})
	must(t, err)
	set, ok := out.Item[attribute].(*types.AttributeValueMemberSS)
	if !ok {
		return nil
	}
	return slices.Sorted(slices.Values(set.Value))
}

func TestEnablingRecordsTheAccountAsAMember(t *testing.T) {
	t.Parallel()
	mesh, a := bootstrapped(t)
	bootstrap(t, mesh, otherAccount, admin.Both)
	if got := membersOf(t, mesh, "Producers"); !slices.Equal(got, []string{producerAccount, otherAccount}) {
		t.Errorf("producers: %v", got)
	}
	if got := membersOf(t, mesh, "Consumers"); !slices.Equal(got, []string{otherAccount, consumerAccount}) {
		t.Errorf("consumers: %v", got)
	}
	// A member that is lost is recorded again, by a plan that has nothing else.
	_, err := dynamodb.NewFromConfig(configOf(mesh, meshAccount)).DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(lakemesh.DecisionsTable),
		Key: map[string]types.AttributeValue{"Key": text("members")}})
	must(t, err)
	status, err := a.Status(t.Context())
	must(t, err)
	if !strings.Contains(fmt.Sprint(status.Problems), "not recorded as members ("+producerAccount+", "+otherAccount+")") {
		t.Errorf("problems: %v", status.Problems)
	}
	for name, planned := range map[string]func() (*plan.Plan, error){
		"record account 111111111111 as a producer of the mesh": func() (*plan.Plan, error) {
			return a.PlanEnableAccountAsProducer(t.Context(), admin.EnableProducerInput{AccountID: producerAccount})
		},
		"record account 999999999999 as a consumer of the mesh": func() (*plan.Plan, error) {
			return a.PlanEnableAccountAsConsumer(t.Context(), admin.EnableConsumerInput{AccountID: consumerAccount})
		},
	} {
		p, err := planned()
		must(t, err)
		if len(p.Steps) != 1 || p.Steps[0].Summary != name || p.Steps[0].Kind != plan.Record {
			t.Errorf("plan:\n%s", p)
		}
	}
	_, err = a.UpgradeMesh(t.Context(), admin.UpgradeMeshInput{})
	must(t, err)
	if got := membersOf(t, mesh, "Producers"); !slices.Equal(got, []string{producerAccount, otherAccount}) {
		t.Errorf("producers: %v", got)
	}
}

func TestAMemberWithoutARoleIsAProblem(t *testing.T) {
	t.Parallel()
	mesh, a := initialized(t)
	_, err := dynamodb.NewFromConfig(configOf(mesh, meshAccount)).UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.DecisionsTable),
		Key: map[string]types.AttributeValue{"Key": text("members")}, UpdateExpression: aws.String("ADD Consumers :v"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":v": &types.AttributeValueMemberSS{Value: []string{consumerAccount}}}})
	must(t, err)
	status, err := a.Status(t.Context())
	must(t, err)
	if !strings.Contains(fmt.Sprint(status.Problems), "have no role in the mesh account (999999999999)") {
		t.Errorf("problems: %v", status.Problems)
	}
}

func TestEnablingInAMeshOfAnOlderVersionSaysWhatToDo(t *testing.T) {
	t.Parallel()
	mesh, a := initialized(t)
	meshtest.Before(mesh, func() { dropDecisions(t, mesh) })
	_, err := a.EnableAccountAsProducer(t.Context(), admin.EnableProducerInput{AccountID: producerAccount})
	if !errors.Is(err, lakemesh.ErrNotFound) || !strings.Contains(err.Error(), "admin.UpgradeMesh()") {
		t.Errorf("got %v", err)
	}
}

// dropDecisions makes the mesh account one of an older version.
func dropDecisions(t *testing.T, mesh *localmesh.Mesh) {
	t.Helper()
	client := dynamodb.NewFromConfig(configOf(mesh, meshAccount))
	_, err := client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String(lakemesh.DecisionsTable), DeletionProtectionEnabled: aws.Bool(false)})
	must(t, err)
	_, err = client.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String(lakemesh.DecisionsTable)})
	must(t, err)
}

// age makes a role what an older version made of it.
func age(t *testing.T, mesh *localmesh.Mesh, role, trusted string) {
	t.Helper()
	client := iam.NewFromConfig(configOf(mesh, meshAccount))
	_, err := client.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String("lakemesh"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:PutItem","Resource":"*"}]}`)})
	must(t, err)
	_, err = client.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: &role,
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + trusted + `,"Action":"sts:AssumeRole"}]}`)})
	must(t, err)
}

func TestUpgradingBringsAllEnabledAccountsUpToDate(t *testing.T) {
	t.Parallel()
	mesh, a := bootstrapped(t)
	meshtest.Before(mesh, func() {
		bootstrap(t, mesh, otherAccount, admin.Both)
		dropDecisions(t, mesh)
		for _, id := range []string{producerAccount, otherAccount} {
			age(t, mesh, lakemesh.MeshProducerRole(id), `{"AWS":"`+lakemesh.RoleARN(id, "DataMeshProducer")+`"}`)
			age(t, mesh, lakemesh.DataAccessRole(id), `{"Service":"lakeformation.amazonaws.com"}`)
		}
		for _, id := range []string{consumerAccount, otherAccount} {
			age(t, mesh, lakemesh.MeshConsumerRole(id), `{"AWS":"`+lakemesh.RoleARN(id, "DataMeshConsumer")+`"}`)
		}
	})
	status, err := a.Status(t.Context())
	must(t, err)
	if len(status.Mesh.Outdated) != 6 || !strings.Contains(fmt.Sprint(status.Problems), "6 roles of accounts are not as this version makes them") {
		t.Errorf("outdated: %v, problems %v", status.Mesh.Outdated, status.Problems)
	}

	mesh.ResetCounts()
	p, err := a.PlanUpgradeMesh(t.Context(), admin.UpgradeMeshInput{})
	must(t, err)
	if w := writes(mesh); len(w) > 0 {
		t.Errorf("planning wrote %v", w)
	}
	if p.Count(plan.UpdateRole) != 6 || p.Count(plan.CreateRecords) != 1 || p.Count(plan.Record) != 4 || len(p.Steps) != 11 {
		t.Errorf("plan:\n%s", p)
	}
	out, err := a.UpgradeMesh(t.Context(), admin.UpgradeMeshInput{})
	must(t, err)
	if !slices.Equal(out.Producers, []string{producerAccount, otherAccount}) || !slices.Equal(out.Consumers, []string{otherAccount, consumerAccount}) {
		t.Errorf("%+v", out)
	}
	p, err = a.PlanUpgradeMesh(t.Context(), admin.UpgradeMeshInput{})
	must(t, err)
	if !p.Empty() {
		t.Errorf("left to do:\n%s", p)
	}
	must(t, meshtest.Try(mesh, func() error {
		status, err := a.Status(t.Context())
		if err == nil && len(status.Problems) > 0 {
			err = fmt.Errorf("problems: %v", status.Problems)
		}
		return err
	}))
	client := dynamodb.NewFromConfig(meshConsumer(t, mesh))
	wantOK(t, "a consumer writes", meshtest.Try(mesh, func() error { return update(t, client, ownRecord, "Notes", "x", "") }))
}

// One account whose own role is gone, or that fails, keeps no other from being
// brought up to date.
func TestUpgradingGoesOnWithoutAnAccountThatCannotBe(t *testing.T) {
	t.Parallel()
	mesh, a := bootstrapped(t)
	bootstrap(t, mesh, otherAccount, admin.Producer)
	meshtest.Before(mesh, func() {
		for _, id := range []string{producerAccount, otherAccount} {
			age(t, mesh, lakemesh.MeshProducerRole(id), `{"AWS":"`+lakemesh.RoleARN(id, "DataMeshProducer")+`"}`)
		}
		client := iam.NewFromConfig(configOf(mesh, producerAccount))
		_, err := client.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String("DataMeshProducer"), PolicyName: aws.String("lakemesh")})
		must(t, err)
		_, err = client.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("DataMeshProducer")})
		must(t, err)
	})
	out, err := a.UpgradeMesh(t.Context(), admin.UpgradeMeshInput{})
	must(t, err)
	if !slices.Equal(out.Producers, []string{otherAccount}) || !strings.Contains(fmt.Sprint(out.Warnings), lakemesh.MeshProducerRole(producerAccount)+" is left as it is") {
		t.Errorf("%+v", out)
	}

	age(t, mesh, lakemesh.MeshProducerRole(otherAccount), `{"AWS":"`+lakemesh.RoleARN(otherAccount, "DataMeshProducer")+`"}`)
	age(t, mesh, lakemesh.MeshConsumerRole(consumerAccount), `{"AWS":"`+lakemesh.RoleARN(consumerAccount, "DataMeshConsumer")+`"}`)
	mesh.Fail(localmesh.Fault{Service: "iam", Operation: "UpdateAssumeRolePolicy", Code: "AccessDenied", Message: "a planned fault", Status: 403})
	_, err = a.UpgradeMesh(t.Context(), admin.UpgradeMeshInput{})
	var partial *lakemesh.PartialError
	if !errors.As(err, &partial) || len(partial.Failed) != 1 {
		t.Fatalf("got %v", err)
	}
	p, err := a.PlanUpgradeMesh(t.Context(), admin.UpgradeMeshInput{})
	must(t, err)
	if p.Count(plan.UpdateRole) != 1 {
		t.Errorf("left to do:\n%s", p)
	}
}

func TestUpgradingIsForAMeshThatWasInitialized(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	if _, err := adminOf(t, mesh, meshAccount).UpgradeMesh(t.Context(), admin.UpgradeMeshInput{}); !errors.Is(err, lakemesh.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := adminOf(t, mesh, producerAccount).UpgradeMesh(t.Context(), admin.UpgradeMeshInput{}); !errors.Is(err, lakemesh.ErrWrongAccount) {
		t.Errorf("got %v", err)
	}
}

// A producer changes shares and the catalog's policy through Lake Formation alone,
// unless the mesh's administrator chose otherwise.
func TestProducersChangeSharesThroughServicesUnlessChosenOtherwise(t *testing.T) {
	t.Parallel()
	mesh, a := bootstrapped(t)
	try := func() (create, policy error) {
		cfg := meshProducer(t, mesh)
		_, create = ram.NewFromConfig(cfg).CreateResourceShare(t.Context(), &ram.CreateResourceShareInput{Name: aws.String("LakeFormation-mine")})
		_, policy = glue.NewFromConfig(cfg).PutResourcePolicy(t.Context(), &glue.PutResourcePolicyInput{PolicyInJson: aws.String(`{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"glue:GetTables","Resource":"arn:aws:glue:us-east-1:555555555555:catalog"}]}`)})
		return create, policy
	}
	create, policy := try()
	wantDenied(t, "create a share directly", create)
	wantDenied(t, "replace the catalog's policy directly", policy)

	p, err := a.PlanInitializeMeshAccount(t.Context(), admin.InitializeMeshInput{SharingCalls: admin.Direct})
	must(t, err)
	if len(p.Steps) != 1 || len(p.Warnings) != 2 {
		t.Errorf("plan:\n%s", p)
	}
	_, err = a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{SharingCalls: admin.Direct})
	must(t, err)
	status, err := a.Status(t.Context())
	must(t, err)
	if status.Mesh.SharingCalls != admin.Direct || !slices.Equal(status.Mesh.Outdated, []string{lakemesh.MeshProducerRole(producerAccount)}) {
		t.Errorf("%+v", status.Mesh)
	}
	_, err = a.UpgradeMesh(t.Context(), admin.UpgradeMeshInput{})
	must(t, err)
	must(t, meshtest.Try(mesh, func() error { create, policy := try(); return errors.Join(create, policy) }))

	// It is remembered, and can be taken back.
	for _, calls := range []admin.SharingCalls{"", admin.Direct} {
		p, err = a.PlanInitializeMeshAccount(t.Context(), admin.InitializeMeshInput{SharingCalls: calls})
		must(t, err)
		if p.Count(plan.Record) > 0 {
			t.Errorf("%q:\n%s", calls, p)
		}
	}
	_, err = a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{SharingCalls: admin.ThroughServices})
	must(t, err)
	p, err = a.PlanEnableAccountAsProducer(t.Context(), admin.EnableProducerInput{AccountID: producerAccount})
	must(t, err)
	if p.Count(plan.UpdateRole) != 1 {
		t.Errorf("plan:\n%s", p)
	}
	if _, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{SharingCalls: "sometimes"}); !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("got %v", err)
	}
}

// Lake Formation shares with the rights of whoever grants. Its calls may be marked
// as those of a service, or not: one of the two choices of the administrator is right.
func TestGrantsAreSharedUnderBothReadings(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		unmarked bool
		calls    admin.SharingCalls
		shares   bool
	}{{false, admin.ThroughServices, true}, {false, admin.Direct, true}, {true, admin.ThroughServices, false}, {true, admin.Direct, true}} {
		mesh, a := initialized(t, localmesh.WithReadings(localmesh.Readings{ForwardedCallsUnmarked: test.unmarked}))
		meshtest.Before(mesh, func() {
			_, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{SharingCalls: test.calls})
			must(t, err)
			bootstrap(t, mesh, producerAccount, admin.Producer)
		})
		cfg := meshProducer(t, mesh)
		_, err := glue.NewFromConfig(cfg).CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("flights")}})
		must(t, err)
		_, err = lakeformation.NewFromConfig(cfg).GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{
			Principal:   &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(consumerAccount)},
			Resource:    &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String("flights")}},
			Permissions: []lftypes.Permission{lftypes.PermissionDescribe}})
		if test.shares {
			wantOK(t, fmt.Sprintf("grant, calls unmarked %t, %s", test.unmarked, test.calls), err)
		} else {
			wantDenied(t, fmt.Sprintf("grant, calls unmarked %t, %s", test.unmarked, test.calls), err)
		}
	}
}

// A location is registered with a producer's own data access role, whether Lake
// Formation wants the role to trust Glue or not, and no other account's services
// open it.
func TestDataAccessRolesServeTheMeshAccountAlone(t *testing.T) {
	t.Parallel()
	for _, glueToo := range []bool{false, true} {
		mesh, _ := bootstrapped(t, localmesh.WithReadings(localmesh.Readings{LocationRolesTrustGlue: glueToo}))
		_, err := lakeformation.NewFromConfig(meshProducer(t, mesh)).RegisterResource(t.Context(), &lakeformation.RegisterResourceInput{
			ResourceArn: aws.String("arn:aws:s3:::flights/live"), WithPrivilegedAccess: true,
			RoleArn: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount)))})
		wantOK(t, "register", err)
		for _, statement := range trustOf(t, mesh, meshAccount, lakemesh.DataAccessRole(producerAccount)).Statement {
			text := fmt.Sprint(statement.Condition)
			if !strings.Contains(text, "aws:SourceAccount:"+meshAccount) {
				t.Errorf("%v is trusted under %s", statement.Principal, text)
			}
		}
	}
}

// Roles are of all regions: who forgot --region would get records in a region without a mesh.
func TestUpgradingInARegionWithoutAMeshMakesNone(t *testing.T) {
	t.Parallel()
	mesh, _ := initialized(t)
	o := optionsOf(mesh, meshAccount)
	o.Config.Region = "eu-central-1"
	a, err := admin.New(t.Context(), o)
	must(t, err)
	mesh.ResetCounts()
	if _, err := a.UpgradeMesh(t.Context(), admin.UpgradeMeshInput{}); !errors.Is(err, lakemesh.ErrNotFound) || !strings.Contains(fmt.Sprint(err), "eu-central-1") {
		t.Errorf("got %v", err)
	}
	if w := writes(mesh); len(w) > 0 {
		t.Errorf("it writes: %v", w)
	}
}
