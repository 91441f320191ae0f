package admin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
)

func TestInitializeMeshAccountMakesRolesSettingsTagsAndTheTable(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	wantVersion := settingsOf(t, mesh, meshAccount).Parameters["CROSS_ACCOUNT_VERSION"]
	if wantVersion < "3" {
		wantVersion = "3"
	}
	a := adminOf(t, mesh, meshAccount)
	out, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{AllowFullTableExternalDataAccess: new(true)})
	must(t, err)

	text, err := json.Marshal(out)
	must(t, err)
	for _, want := range []string{`"Manager":{"RoleArn":"arn:aws:iam::555555555555:role/AwsDataMesh/DataMeshManager"}`,
		`"ReadOnly":{"RoleArn":"arn:aws:iam::555555555555:role/AwsDataMesh/DataMeshAdminReadOnly"}`,
		`"SubscriptionTracker":{"Table":"arn:aws:dynamodb:us-east-1:555555555555:table/AwsDataMeshSubscriptions","Stream":"arn:aws:dynamodb:`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the output %s lacks %s", text, want)
		}
	}

	settings := settingsOf(t, mesh, meshAccount)
	if got := administratorsOf(t, mesh, meshAccount); !cmp.Equal(got, []string{lakemesh.RoleARN(meshAccount, "DataMeshManager")}) {
		t.Errorf("administrators: %v", got)
	}
	if len(settings.CreateDatabaseDefaultPermissions) != 0 || len(settings.CreateTableDefaultPermissions) != 0 {
		t.Errorf("defaults: %v %v", settings.CreateDatabaseDefaultPermissions, settings.CreateTableDefaultPermissions)
	}
	if got := settings.Parameters["CROSS_ACCOUNT_VERSION"]; got != wantVersion {
		t.Errorf("cross-account version %s, want %s", got, wantVersion)
	}
	if !aws.ToBool(settings.AllowFullTableExternalDataAccess) {
		t.Error("full table access is not allowed")
	}

	table, err := dynamodb.NewFromConfig(configOf(mesh, meshAccount)).DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("AwsDataMeshSubscriptions")})
	must(t, err)
	if table.Table.TableStatus != dynamodbtypes.TableStatusActive || aws.ToString(table.Table.LatestStreamArn) != out.SubscriptionTracker.Stream {
		t.Errorf("table %s, stream %s", table.Table.TableStatus, aws.ToString(table.Table.LatestStreamArn))
	}
	if v := table.Table.StreamSpecification.StreamViewType; v != dynamodbtypes.StreamViewTypeNewAndOldImages {
		t.Errorf("stream of %s", v)
	}
	if mode := table.Table.BillingModeSummary; mode == nil || mode.BillingMode != dynamodbtypes.BillingModePayPerRequest {
		t.Errorf("billing %v", mode)
	}
	var indexes []string
	for _, i := range table.Table.GlobalSecondaryIndexes {
		keys := ""
		for _, k := range i.KeySchema {
			keys += " " + string(k.KeyType) + ":" + aws.ToString(k.AttributeName)
		}
		indexes = append(indexes, aws.ToString(i.IndexName)+keys+" "+string(i.Projection.ProjectionType))
	}
	slices.Sort(indexes)
	if diff := cmp.Diff([]string{"AwsDataMeshSubscriptions-Owner HASH:OwnerPrincipal RANGE:Status ALL", "AwsDataMeshSubscriptions-Subscriber HASH:SubscriberPrincipal ALL"}, indexes); diff != "" {
		t.Error(diff)
	}

	manager := lakeformation.NewFromConfig(as(t, mesh, meshAccount, out.Manager.RoleARN))
	for _, key := range []string{"domain", "dataproduct"} {
		tag, err := manager.GetLFTag(t.Context(), &lakeformation.GetLFTagInput{TagKey: aws.String(key)})
		must(t, err)
		if !cmp.Equal(tag.TagValues, []string{"none"}) {
			t.Errorf("LF-tag %s has %v", key, tag.TagValues)
		}
	}
	for _, role := range []string{"DataMeshManager", "DataMeshAdminReadOnly"} {
		got, err := iam.NewFromConfig(configOf(mesh, meshAccount)).GetRole(t.Context(), &iam.GetRoleInput{RoleName: &role})
		must(t, err)
		if len(got.Role.Tags) != 1 || *got.Role.Tags[0].Key != "Solution" || *got.Role.Tags[0].Value != "DataMeshUtils" {
			t.Errorf("tags of %s: %v", role, got.Role.Tags)
		}
	}
	users, err := iam.NewFromConfig(configOf(mesh, meshAccount)).ListUsers(t.Context(), &iam.ListUsersInput{})
	must(t, err)
	if len(users.Users) != 0 {
		t.Errorf("users were made: %v", users.Users)
	}
}

func TestInitializeMeshAccountAgainWritesNothing(t *testing.T) {
	t.Parallel()
	mesh, a := initialized(t)
	mesh.ResetCounts()
	_, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
	must(t, err)
	if w := writes(mesh); len(w) > 0 {
		t.Errorf("wrote %v", w)
	}
	p, err := a.PlanInitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
	must(t, err)
	if !p.Empty() || len(p.Warnings) > 0 {
		t.Errorf("the plan is not empty:\n%s", p)
	}
}

func TestPlanInitializeMeshAccountChangesNothing(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	a := adminOf(t, mesh, meshAccount)
	mesh.ResetCounts()
	p, err := a.PlanInitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
	must(t, err)
	if w := writes(mesh); len(w) > 0 {
		t.Errorf("planning wrote %v", w)
	}
	text := p.String()
	for _, want := range []string{"create role DataMeshManager", "create role DataMeshAdminReadOnly",
		"make DataMeshManager a data lake administrator", "create the subscription table", `create LF-tag domain with the value "none"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan lacks %q:\n%s", want, text)
		}
	}
}

func TestInitializeMeshAccountKeepsTheRestOfTheSettings(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, version, want string }{
		{"unset version", "", "3"}, {"lower version", "1", "3"}, {"same version", "3", "3"}, {"higher version", "5", "5"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			mesh := localmesh.Run(t, plainly())
			lake := lakeformation.NewFromConfig(configOf(mesh, meshAccount))
			before := settingsOf(t, mesh, meshAccount)
			me := types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(administrator(meshAccount))}
			before.DataLakeAdmins = []types.DataLakePrincipal{me}
			before.TrustedResourceOwners = []string{otherAccount}
			before.Parameters = map[string]string{"SET_CONTEXT": "TRUE"}
			if test.version != "" {
				before.Parameters["CROSS_ACCOUNT_VERSION"] = test.version
			}
			_, err := lake.PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &before})
			must(t, err)
			_, err = adminOf(t, mesh, meshAccount).InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
			must(t, err)
			after := settingsOf(t, mesh, meshAccount)
			if !cmp.Equal(after.TrustedResourceOwners, []string{otherAccount}) || after.Parameters["SET_CONTEXT"] != "TRUE" {
				t.Errorf("lost: %v %v", after.TrustedResourceOwners, after.Parameters)
			}
			if got := after.Parameters["CROSS_ACCOUNT_VERSION"]; got != test.want {
				t.Errorf("version %s, want %s", got, test.want)
			}
			want := []string{administrator(meshAccount), lakemesh.RoleARN(meshAccount, "DataMeshManager")}
			if diff := cmp.Diff(want, administratorsOf(t, mesh, meshAccount)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Lake Formation may give a parameter that it does not take back. What is ours is set
// all the same.
func TestSettingsAreWrittenWhereAParameterIsNotTakenBack(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t, localmesh.WithReadings(localmesh.Readings{SetContextRefused: true, FirstVersionOfSharing: true}))
	a := adminOf(t, mesh, meshAccount)
	_, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
	must(t, err)
	if got := settingsOf(t, mesh, meshAccount).Parameters["CROSS_ACCOUNT_VERSION"]; got != "3" {
		t.Errorf("version %s", got)
	}
	_, err = adminOf(t, mesh, producerAccount).InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{})
	must(t, err)
}

func TestConcurrentChangesOfTheSettingsAreAllKept(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	bothInputs := []func(*admin.Admin) error{
		func(a *admin.Admin) error {
			_, err := a.InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{})
			return err
		},
		func(a *admin.Admin) error {
			_, err := a.InitializeConsumerAccount(t.Context(), admin.InitializeConsumerInput{})
			return err
		},
	}
	var wg sync.WaitGroup
	for _, initialize := range bothInputs {
		wg.Go(func() { wantOK(t, "initialize", initialize(adminOf(t, mesh, otherAccount))) })
	}
	wg.Wait()
	got := administratorsOf(t, mesh, otherAccount)
	slices.Sort(got)
	want := []string{lakemesh.RoleARN(otherAccount, "DataMeshConsumer"), lakemesh.RoleARN(otherAccount, "DataMeshProducer")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCatalogPolicyIsCompletedOnlyWhereThereIsOne(t *testing.T) {
	t.Parallel()
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		mesh, _ := initialized(t)
		_, err := glue.NewFromConfig(configOf(mesh, meshAccount)).GetResourcePolicy(t.Context(), &glue.GetResourcePolicyInput{})
		if err == nil || !strings.Contains(err.Error(), "EntityNotFoundException") {
			t.Errorf("got %v, want no policy", err)
		}
	})
	t.Run("one of others", func(t *testing.T) {
		t.Parallel()
		mesh := localmesh.Run(t)
		client := glue.NewFromConfig(configOf(mesh, meshAccount))
		_, err := client.PutResourcePolicy(t.Context(), &glue.PutResourcePolicyInput{PolicyInJson: aws.String(`{"Version":"2012-10-17","Statement":[
			{"Sid":"Theirs","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::555555555555:root"},"Action":"glue:GetTables","Resource":"arn:aws:glue:us-east-1:555555555555:catalog"}]}`)})
		must(t, err)
		a := adminOf(t, mesh, meshAccount)
		for range 2 {
			_, err = a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
			must(t, err)
		}
		out, err := client.GetResourcePolicy(t.Context(), &glue.GetResourcePolicyInput{})
		must(t, err)
		d := decode(t, out.PolicyInJson)
		if len(d.Statement) != 2 || d.Statement[0].Sid != "Theirs" || fmt.Sprint(d.Statement[0].Action) != "glue:GetTables" {
			t.Fatalf("policy: %s", *out.PolicyInJson)
		}
		share := d.Statement[1]
		if fmt.Sprint(share.Principal) != "map[Service:ram.amazonaws.com]" || fmt.Sprint(share.Action) != "glue:ShareResource" {
			t.Errorf("policy: %s", *out.PolicyInJson)
		}
		want := []any{"arn:aws:glue:us-east-1:555555555555:catalog", "arn:aws:glue:us-east-1:555555555555:database/*", "arn:aws:glue:us-east-1:555555555555:table/*/*"}
		if diff := cmp.Diff(any(want), share.Resource); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRolesOfTheOriginalLibraryAreTakenOver(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	client := iam.NewFromConfig(configOf(mesh, meshAccount))
	meshtest.Before(mesh, func() {
		_, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("DataMeshAdminReadOnly"), Path: aws.String("/AwsDataMesh/"),
			AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111111111111:root","arn:aws:iam::999999999999:root"]},"Action":"sts:AssumeRole"}]}`)})
		must(t, err)
		_, err = client.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String("DataMeshAdminReadOnly"),
			PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
		must(t, err)
		_, err = client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("DataMeshManager"), Path: aws.String("/AwsDataMesh/")})
		must(t, err)
	})

	a := adminOf(t, mesh, meshAccount)
	p, err := a.PlanInitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
	must(t, err)
	if !slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.Contains(w, "AdministratorAccess") }) {
		t.Errorf("nobody is told of the attached policy: %v", p.Warnings)
	}
	_, err = a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
	must(t, err)

	trust := trustOf(t, mesh, meshAccount, "DataMeshAdminReadOnly")
	for _, statement := range trust.Statement {
		if fmt.Sprint(statement.Principal) != "map[AWS:arn:aws:iam::555555555555:root]" || statement.Condition["ArnLike"] == nil {
			t.Errorf("trust: %v", trust)
		}
	}
	attached, err := client.ListAttachedRolePolicies(t.Context(), &iam.ListAttachedRolePoliciesInput{RoleName: aws.String("DataMeshAdminReadOnly")})
	must(t, err)
	if len(attached.AttachedPolicies) != 1 {
		t.Errorf("attached: %v", attached.AttachedPolicies)
	}
	if _, err := client.GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("DataMeshManager")}); err != nil {
		t.Errorf("the user is gone: %v", err)
	}
}

func TestTableOfTheOriginalLibraryIsCompleted(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	client := dynamodb.NewFromConfig(configOf(mesh, meshAccount))
	name := aws.String("AwsDataMeshSubscriptions")
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: name, BillingMode: dynamodbtypes.BillingModePayPerRequest,
		KeySchema:            []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("SubscriptionId"), KeyType: dynamodbtypes.KeyTypeHash}},
		AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("SubscriptionId"), AttributeType: dynamodbtypes.ScalarAttributeTypeS}}})
	must(t, err)
	out, err := adminOf(t, mesh, meshAccount).InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
	must(t, err)
	table, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: name})
	must(t, err)
	if n := len(table.Table.GlobalSecondaryIndexes); n != 2 || out.SubscriptionTracker.Stream == "" {
		t.Errorf("%d indexes, stream %q", n, out.SubscriptionTracker.Stream)
	}
}

func TestATableOfAnotherKindIsRefusedBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	meshtest.Before(mesh, func() {
		_, err := dynamodb.NewFromConfig(configOf(mesh, meshAccount)).CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: aws.String("AwsDataMeshSubscriptions"), BillingMode: dynamodbtypes.BillingModePayPerRequest,
			KeySchema:            []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("Id"), KeyType: dynamodbtypes.KeyTypeHash}},
			AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("Id"), AttributeType: dynamodbtypes.ScalarAttributeTypeS}}})
		must(t, err)
	})
	a := adminOf(t, mesh, meshAccount)
	mesh.ResetCounts()
	if _, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{}); !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("got %v", err)
	}
	if w := writes(mesh); len(w) > 0 {
		t.Errorf("wrote %v", w)
	}
}

func TestAFailureAtAnyCallIsCompletedByTheSameCommand(t *testing.T) {
	t.Parallel()
	for _, moment := range []localmesh.Moment{localmesh.Before, localmesh.After} {
		struck := true
		for n := 1; struck; n++ {
			synctest.Test(t, func(t *testing.T) {
				mesh := localmesh.Run(t)
				a := adminOf(t, mesh, meshAccount)
				fault := mesh.Fail(localmesh.Fault{Nth: n, Moment: moment, Code: "AccessDeniedException", Message: "a planned fault", Status: 400})
				_, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
				struck = fault.Hits() > 0
				mesh.ClearFaults()
				if err != nil {
					if _, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{}); err != nil {
						t.Errorf("moment %d, call %d: not completed: %v", moment, n, err)
					}
				}
				p, err := a.PlanInitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
				if err != nil || !p.Empty() {
					t.Errorf("moment %d, call %d: %v, left to do:\n%s", moment, n, err, p)
				}
			})
		}
	}
}
