package iac_test

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/localmesh/ready"
	"github.com/lakemesh/lakemesh/plan"
)

// setting is how a mesh is set up.
type setting struct {
	name string
	ends admin.EndSchedules
	// calls are as in admin.
	calls admin.SharingCalls
	// settings tells that the members' stacks keep the data lake settings.
	settings bool
	// bounded tells that a permissions boundary bounds all roles.
	bounded bool
}

func settings() []setting {
	return []setting{
		{name: "by default"},
		{name: "with schedules, direct", ends: admin.EndsScheduled, calls: admin.Direct},
		{name: "with members' settings", settings: true},
		{name: "bounded", bounded: true},
		{name: "bounded, with schedules", ends: admin.EndsScheduled, bounded: true},
	}
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// members are the accounts with what they are.
var members = []struct {
	account string
	kind    admin.AccountType
}{{ready.ProducerAccount, admin.Producer}, {ready.ConsumerAccount, admin.Consumer}}

// part deploys a stack in an account.
func (s setting) part(t *testing.T, m *ready.Mesh, part admin.FramePart, account string, kind admin.AccountType) error {
	t.Helper()
	parameters, where := map[string]string{}, ready.MeshAccount
	if s.bounded {
		parameters["PermissionsBoundaryArn"] = "arn:aws:iam::" + ready.MeshAccount + ":policy/" + boundary
	}
	if part != admin.FrameMesh {
		parameters["AccountType"] = string(kind)
	}
	switch part {
	case admin.FrameMember:
		where = account
		if s.bounded {
			delete(parameters, "PermissionsBoundaryArn")
			parameters["PermissionsBoundaryName"] = boundary
		}
		parameters["MeshAccountId"], parameters["ManageDataLakeSettings"] = ready.MeshAccount, fmt.Sprint(s.settings)
	case admin.FrameMeshMember:
		parameters["AccountId"], parameters["SharingCalls"], parameters["EndSchedules"] = account, or(string(s.calls), "through-services"), or(string(s.ends), "off")
	case admin.FrameMesh:
		parameters["EndSchedules"] = or(string(s.ends), "off")
	}
	return newStack(t, part, where, lakemesh.DefaultRegion, parameters).deploy(m.Config(ready.Administrator(where)))
}

// deployed deploys all stacks in the order that IAM asks for.
func (s setting) deployed(t *testing.T, m *ready.Mesh) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.part(t, m, admin.FrameMesh, "", ""))
	for _, who := range members {
		must(s.part(t, m, admin.FrameMember, who.account, who.kind))
		must(s.part(t, m, admin.FrameMeshMember, who.account, who.kind))
	}
}

// initialized does what set-up does, and returns the plans of it.
func (s setting) initialized(t *testing.T, m *ready.Mesh) []*plan.Plan {
	t.Helper()
	ctx := t.Context()
	var plans []*plan.Plan
	do := func(p *plan.Plan, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		plans = append(plans, p)
		if _, err := p.Apply(ctx, plan.Settings{}); err != nil {
			t.Fatal(err)
		}
	}
	var roles admin.RoleOptions
	if s.bounded {
		roles.PermissionsBoundary = boundary
	}
	mesh := m.Admin(ready.MeshAccount)
	do(mesh.PlanInitializeMeshAccount(ctx, admin.InitializeMeshInput{SharingCalls: s.calls, EndSchedules: s.ends, Roles: roles}))
	producer, consumer := m.Admin(ready.ProducerAccount), m.Admin(ready.ConsumerAccount)
	do(producer.PlanInitializeProducerAccount(ctx, admin.InitializeProducerInput{Roles: roles}))
	do(mesh.PlanEnableAccountAsProducer(ctx, admin.EnableProducerInput{AccountID: ready.ProducerAccount, Roles: roles}))
	do(consumer.PlanInitializeConsumerAccount(ctx, admin.InitializeConsumerInput{Roles: roles}))
	do(mesh.PlanEnableAccountAsConsumer(ctx, admin.EnableConsumerInput{AccountID: ready.ConsumerAccount, Roles: roles}))
	return plans
}

// boundary is the name of the policy that bounds roles.
const boundary = "LakemeshBoundary"

// makeBoundaries makes the policy in every account: the one that lets the roles work.
func makeBoundaries(t *testing.T, m *ready.Mesh) {
	t.Helper()
	for _, account := range []string{ready.MeshAccount, ready.ProducerAccount, ready.ConsumerAccount} {
		_, err := iam.NewFromConfig(m.Config(ready.Administrator(account))).CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String(boundary), PolicyDocument: aws.String(string(admin.Boundary()))})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// snapshot is everything that templates and set-up make, as AWS shows it.
func snapshot(t *testing.T, m *ready.Mesh) map[string]any {
	t.Helper()
	return snapshotOf(t, m, ready.MeshAccount, ready.ProducerAccount, ready.ConsumerAccount)
}

func snapshotOf(t *testing.T, m *ready.Mesh, accounts ...string) map[string]any {
	t.Helper()
	ctx, all := t.Context(), map[string]any{}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, account := range accounts {
		cfg := m.Config(ready.Administrator(account))
		client := iam.NewFromConfig(cfg)
		listed, err := client.ListRoles(ctx, &iam.ListRolesInput{PathPrefix: aws.String(lakemesh.IAMPath)})
		must(err)
		for _, r := range listed.Roles {
			role, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: r.RoleName})
			must(err)
			trust, err := url.PathUnescape(*role.Role.AssumeRolePolicyDocument)
			must(err)
			tags := map[string]string{}
			for _, tag := range role.Role.Tags {
				tags[*tag.Key] = *tag.Value
			}
			facts := map[string]any{"path": *role.Role.Path, "description": *role.Role.Description, "trust": canonical(t, trust), "tags": tags, "boundary": role.Role.PermissionsBoundary,
				"session": aws.ToInt32(role.Role.MaxSessionDuration)}
			inline, err := client.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: r.RoleName})
			must(err)
			for _, name := range inline.PolicyNames {
				policy, err := client.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: r.RoleName, PolicyName: &name})
				must(err)
				text, err := url.PathUnescape(*policy.PolicyDocument)
				must(err)
				facts["policy "+name] = canonical(t, text)
			}
			attached, err := client.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: r.RoleName})
			must(err)
			facts["attached"] = len(attached.AttachedPolicies)
			all[account+" role "+*r.RoleName] = facts
		}
		lake, err := lakeformation.NewFromConfig(cfg).GetDataLakeSettings(ctx, &lakeformation.GetDataLakeSettingsInput{})
		must(err)
		all[account+" settings"] = lake.DataLakeSettings
	}
	cfg := m.Config(ready.Administrator(ready.MeshAccount))
	for _, name := range []string{lakemesh.SubscriptionsTable, lakemesh.DecisionsTable} {
		all["table "+name] = tableFacts(t, dynamodb.NewFromConfig(cfg), name)
	}
	groups, err := scheduler.NewFromConfig(cfg).ListScheduleGroups(ctx, &scheduler.ListScheduleGroupsInput{})
	must(err)
	for _, g := range groups.ScheduleGroups {
		all["group "+*g.Name] = g.State
	}
	queue, err := sqs.NewFromConfig(cfg).GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(lakemesh.EndingQueue(ready.ProducerAccount))})
	var none smithy.APIError
	if errors.As(err, &none) && none.ErrorCode() == "AWS.SimpleQueueService.NonExistentQueue" || errors.As(err, &none) && none.ErrorCode() == "QueueDoesNotExist" {
		return all
	}
	must(err)
	out, err := sqs.NewFromConfig(cfg).GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: queue.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{"Policy", "MessageRetentionPeriod", "VisibilityTimeout"}})
	must(err)
	out.Attributes["Policy"] = canonical(t, out.Attributes["Policy"])
	all["queue"] = out.Attributes
	return all
}

// tableFacts are a table's properties, tags and backups, and its items but for times.
func tableFacts(t *testing.T, client *dynamodb.Client, name string) map[string]any {
	t.Helper()
	ctx := t.Context()
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	d := out.Table
	slices.SortFunc(d.AttributeDefinitions, func(x, y dynamotypes.AttributeDefinition) int {
		return strings.Compare(*x.AttributeName, *y.AttributeName)
	})
	slices.SortFunc(d.GlobalSecondaryIndexes, func(x, y dynamotypes.GlobalSecondaryIndexDescription) int {
		return strings.Compare(*x.IndexName, *y.IndexName)
	})
	facts := map[string]any{"keys": d.KeySchema, "attributes": d.AttributeDefinitions, "billing": d.BillingModeSummary.BillingMode, "stream": d.StreamSpecification,
		"protected": aws.ToBool(d.DeletionProtectionEnabled), "encryption": fmt.Sprint(d.SSEDescription)}
	for _, i := range d.GlobalSecondaryIndexes {
		facts["index "+*i.IndexName] = []any{i.KeySchema, i.Projection}
	}
	tags, err := client.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: d.TableArn})
	if err != nil {
		t.Fatal(err)
	}
	facts["tags"] = tags.Tags
	backups, err := client.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	facts["recovery"] = backups.ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus
	items, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	facts["items"] = items.Items
	return facts
}

// same compares what there is, whatever the SDK keeps beside.
func same(x, y map[string]any) string {
	return cmp.Diff(x, y, cmp.Exporter(func(reflect.Type) bool { return true }), cmp.FilterPath(func(p cmp.Path) bool {
		last := p.Last().String()
		return last == ".noSmithyDocumentSerde" || last == ".ResultMetadata"
	}, cmp.Ignore()))
}

// A mesh that was set up by templates is the one that "mesh init" and "account init" make, and
// set-up finds everything of it there.
func TestAMeshOfTheTemplatesIsTheMeshOfSetUp(t *testing.T) {
	t.Parallel()
	for _, s := range settings() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			set, templates := ready.On(t, localmesh.Run(t)), ready.On(t, localmesh.Run(t))
			makeBoundaries(t, set)
			makeBoundaries(t, templates)
			s.initialized(t, set)
			s.deployed(t, templates)
			for _, p := range s.initialized(t, templates) {
				for _, kind := range []plan.Kind{plan.CreateRole, plan.UpdateRole, plan.CreateRecords, plan.CreateGroup, plan.CreateQueue} {
					if p.Count(kind) > 0 {
						t.Errorf("%s has to make what the templates made: %v", p.Operation, p)
					}
				}
				if s.settings && strings.HasPrefix(p.Operation, "Initialize") && !strings.Contains(p.Operation, "Mesh") && !p.Empty() {
					t.Errorf("%s has something left to do: %v", p.Operation, p)
				}
			}
			if diff := same(snapshot(t, set), snapshot(t, templates)); diff != "" {
				t.Error(diff)
			}
			live(t, templates)
		})
	}
}

// live is a data product's life.
func live(t *testing.T, m *ready.Mesh) {
	t.Helper()
	m.Sample()
	database := m.Publish(ready.ProducerAccount, ready.SampleDatabase)
	analyst := m.Reader(ready.ConsumerAccount, "Analyst")
	id := m.Subscribe(ready.Subscription{Tables: []string{"airports"}, Readers: []string{analyst}})
	m.CanRead(analyst, database, "airports", "id=1 value=airports")
	m.Open(ready.ProducerAccount, ready.SampleBucket, "airports/")
	m.End(ready.ProducerAccount, id)
	m.CannotRead(analyst, database, "airports")
	m.Holds(ready.MeshAccount, ready.ConsumerAccount)
	m.Open(ready.ProducerAccount, ready.SampleBucket)
}

// IAM refuses to trust a role that is not there: the mesh account's half comes after the
// account's own.
func TestTheMeshsHalfOfAnAccountComesSecond(t *testing.T) {
	t.Parallel()
	m := ready.On(t, localmesh.Run(t))
	var s setting
	if err := s.part(t, m, admin.FrameMesh, "", ""); err != nil {
		t.Fatal(err)
	}
	for _, who := range members {
		err := s.part(t, m, admin.FrameMeshMember, who.account, who.kind)
		var refused smithy.APIError
		if !errors.As(err, &refused) || refused.ErrorCode() != "MalformedPolicyDocument" {
			t.Errorf("the mesh's half of %s before its own: %v", who.account, err)
		}
	}
}

// A StackSet that reaches the mesh account as well makes no role there, and nobody an
// administrator of the mesh.
func TestTheMeshAccountIsNoMemberOfItself(t *testing.T) {
	t.Parallel()
	m := ready.On(t, localmesh.Run(t))
	s := setting{settings: true}
	if err := s.part(t, m, admin.FrameMesh, "", ""); err != nil {
		t.Fatal(err)
	}
	before := snapshotOf(t, m, ready.MeshAccount)
	if err := s.part(t, m, admin.FrameMember, ready.MeshAccount, admin.Both); err != nil {
		t.Fatal(err)
	}
	if err := s.part(t, m, admin.FrameMeshMember, ready.MeshAccount, admin.Both); err == nil || !strings.Contains(err.Error(), "is another account than the mesh account") {
		t.Errorf("the mesh account's half of itself: %v", err)
	}
	if diff := same(before, snapshotOf(t, m, ready.MeshAccount)); diff != "" {
		t.Error(diff)
	}
}
