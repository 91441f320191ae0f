package admin_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
)

var tableNames = []string{"AwsDataMeshSubscriptions", "AwsDataMeshDecisions"}

// wantSafeTables fails unless both tables are there and cannot be lost.
func wantSafeTables(t *testing.T, mesh *localmesh.Mesh) {
	t.Helper()
	client := dynamodb.NewFromConfig(configOf(mesh, meshAccount))
	for _, name := range tableNames {
		out, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
		must(t, err)
		if !aws.ToBool(out.Table.DeletionProtectionEnabled) {
			t.Errorf("%s is not protected against deletion", name)
		}
		backups, err := client.DescribeContinuousBackups(t.Context(), &dynamodb.DescribeContinuousBackupsInput{TableName: &name})
		must(t, err)
		if s := backups.ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus; s != types.PointInTimeRecoveryStatusEnabled {
			t.Errorf("point-in-time recovery of %s is %s", name, s)
		}
		tags, err := client.ListTagsOfResource(t.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: out.Table.TableArn})
		must(t, err)
		if len(tags.Tags) != 1 || *tags.Tags[0].Key != "Solution" || *tags.Tags[0].Value != "DataMeshUtils" {
			t.Errorf("tags of %s: %v", name, tags.Tags)
		}
	}
}

func TestBothTablesAreSafe(t *testing.T) {
	t.Parallel()
	mesh, a := initialized(t)
	wantSafeTables(t, mesh)
	client := dynamodb.NewFromConfig(configOf(mesh, meshAccount))
	out, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &tableNames[1]})
	must(t, err)
	if k := out.Table.KeySchema; len(k) != 1 || *k[0].AttributeName != "Key" || len(out.Table.GlobalSecondaryIndexes) != 0 ||
		out.Table.BillingModeSummary.BillingMode != types.BillingModePayPerRequest {
		t.Errorf("decisions: %+v", out.Table)
	}
	status, err := a.Status(t.Context())
	must(t, err)
	if len(status.Mesh.Tables) != 2 {
		t.Fatalf("tables: %+v", status.Mesh.Tables)
	}
	for _, s := range status.Mesh.Tables {
		if !s.Active || !s.DeletionProtection || !s.PointInTimeRecovery || !s.OnDemand || s.EncryptionKey != "" {
			t.Errorf("status: %+v", s)
		}
	}
}

func TestAnExistingTableBecomesSafe(t *testing.T) {
	t.Parallel()
	mesh, a := initialized(t)
	client := dynamodb.NewFromConfig(configOf(mesh, meshAccount))
	meshtest.Before(mesh, func() {
		for _, name := range tableNames {
			_, err := client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &name, DeletionProtectionEnabled: aws.Bool(false)})
			must(t, err)
			_, err = client.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{TableName: &name,
				PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(false)}})
			must(t, err)
		}
	})
	status, err := a.Status(t.Context())
	must(t, err)
	for _, name := range tableNames {
		if !strings.Contains(fmt.Sprint(status.Problems), name+": deletion protection, point-in-time recovery") {
			t.Errorf("the status does not tell of %s: %v", name, status.Problems)
		}
	}
	p, err := a.PlanInitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
	must(t, err)
	if p.Count(plan.CreateRecords) != 2 || len(p.Steps) != 2 {
		t.Errorf("plan:\n%s", p)
	}
	_, err = a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
	must(t, err)
	wantSafeTables(t, mesh)
}

// What AWS answers about a table for a while after it was made, and while it is
// busy, is waited out.
func TestWhatATableIsNotYetIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]localmesh.Fault{
		"tags":              {Operation: "ListTagsOfResource", Code: "ResourceNotFoundException", Message: "Requested resource not found: ResourcArn: arn:x not found"},
		"backups":           {Operation: "DescribeContinuousBackups", Code: "TableNotFoundException"},
		"backups to be set": {Operation: "UpdateContinuousBackups", Code: "ContinuousBackupsUnavailableException"},
		"table in use":      {Operation: "CreateTable", Code: "ResourceInUseException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				mesh := localmesh.Run(t)
				a := adminOf(t, mesh, meshAccount)
				fault.Service, fault.Status, fault.Times = "dynamodb", 400, 5
				mesh.Fail(fault)
				_, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
				must(t, err)
				wantSafeTables(t, mesh)
			})
		})
	}
}

func TestATableThatIsBusyIsChangedLater(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"ResourceInUseException", "LimitExceededException"} {
		synctest.Test(t, func(t *testing.T) {
			mesh, a := initialized(t)
			client := dynamodb.NewFromConfig(configOf(mesh, meshAccount))
			meshtest.Before(mesh, func() {
				_, err := client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &tableNames[1], DeletionProtectionEnabled: aws.Bool(false)})
				must(t, err)
			})
			// More often than the SDK tries.
			mesh.Fail(localmesh.Fault{Service: "dynamodb", Operation: "UpdateTable", Code: code, Status: 400, Times: 20})
			_, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
			must(t, err)
			wantSafeTables(t, mesh)
		})
	}
}

// DescribeTable shows a table for a while that is being deleted: it is no table of
// the mesh, and a new one is made when it is gone.
func TestATableThatIsBeingDeletedIsMadeAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mesh, _ := initialized(t)
		o := optionsWith(t, mesh, meshAccount, &rewriting{operation: "DescribeTable", times: 6, old: `"TableStatus":"ACTIVE"`, new: `"TableStatus":"DELETING"`})
		a, err := admin.New(t.Context(), o)
		must(t, err)
		p, err := a.PlanInitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
		must(t, err)
		if !strings.Contains(p.String(), "once the one of that name is gone that is being deleted") {
			t.Errorf("plan:\n%s", p)
		}
		_, err = a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
		must(t, err)
		wantSafeTables(t, mesh)
	})
}

func TestAProvisionedTableGetsProvisionedIndexes(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	client := dynamodb.NewFromConfig(configOf(mesh, meshAccount))
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: &tableNames[0], BillingMode: types.BillingModeProvisioned,
		ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(7), WriteCapacityUnits: aws.Int64(3)},
		KeySchema:             []types.KeySchemaElement{{AttributeName: aws.String("SubscriptionId"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions:  []types.AttributeDefinition{{AttributeName: aws.String("SubscriptionId"), AttributeType: types.ScalarAttributeTypeS}}})
	must(t, err)
	a := adminOf(t, mesh, meshAccount)
	_, err = a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
	must(t, err)
	out, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &tableNames[0]})
	must(t, err)
	if n := len(out.Table.GlobalSecondaryIndexes); n != 2 {
		t.Fatalf("%d indexes", n)
	}
	for _, i := range out.Table.GlobalSecondaryIndexes {
		if aws.ToInt64(i.ProvisionedThroughput.ReadCapacityUnits) != 7 || aws.ToInt64(i.ProvisionedThroughput.WriteCapacityUnits) != 3 {
			t.Errorf("%s: %+v", *i.IndexName, i.ProvisionedThroughput)
		}
	}
	wantSafeTables(t, mesh)
	status, err := a.Status(t.Context())
	must(t, err)
	if status.Mesh.Tables[0].OnDemand || !strings.Contains(fmt.Sprint(status.Problems), "provisioned with 7 reads and 3 writes") {
		t.Errorf("status: %+v %v", status.Mesh.Tables, status.Problems)
	}
}

func TestTheStatusTellsOfACustomersKey(t *testing.T) {
	t.Parallel()
	mesh, _ := initialized(t)
	const key = "arn:aws:kms:us-east-1:555555555555:key/1234abcd"
	o := optionsWith(t, mesh, meshAccount, &rewriting{operation: "DescribeTable", old: `"TableStatus":"ACTIVE"`,
		new: `"SSEDescription":{"Status":"ENABLED","SSEType":"KMS","KMSMasterKeyArn":"` + key + `"},"TableStatus":"ACTIVE"`})
	a, err := admin.New(t.Context(), o)
	must(t, err)
	status, err := a.Status(t.Context())
	must(t, err)
	if status.Mesh.Tables[1].EncryptionKey != key || !strings.Contains(fmt.Sprint(status.Problems), "kms:Decrypt") {
		t.Errorf("%+v %v", status.Mesh.Tables, status.Problems)
	}
}

// Nothing about a table is asked for that is not known before it is active.
func TestTagsAreAskedForWhenATableIsActive(t *testing.T) {
	t.Parallel()
	mesh, _ := initialized(t)
	o := optionsWith(t, mesh, meshAccount, &rewriting{operation: "DescribeTable", old: `"TableStatus":"ACTIVE"`, new: `"TableStatus":"CREATING"`})
	a, err := admin.New(t.Context(), o)
	must(t, err)
	mesh.ResetCounts()
	p, err := a.PlanInitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
	must(t, err)
	for _, c := range mesh.Counts() {
		if c.Operation == "ListTagsOfResource" || c.Operation == "DescribeContinuousBackups" {
			t.Errorf("%s was called", c.Operation)
		}
	}
	if !strings.Contains(p.String(), "wait for the decision table "+lakemesh.DecisionsTable) {
		t.Errorf("plan:\n%s", p)
	}
}
