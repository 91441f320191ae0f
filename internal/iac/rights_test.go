package iac_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/localmesh/ready"
)

// limited opens an administrator who may do what an identity may, and makes nothing that
// templates make.
func limited(t *testing.T, m *ready.Mesh, account string, who lakemesh.Identity) *admin.Admin {
	t.Helper()
	all, err := admin.IdentityPolicies(lakemesh.PartitionAWS, ready.MeshAccount)
	if err != nil {
		t.Fatal(err)
	}
	var policy struct {
		Version   string
		Statement []map[string]any
	}
	if err := json.Unmarshal(all[who], &policy); err != nil {
		t.Fatal(err)
	}
	before := len(policy.Statement)
	policy.Statement = slices.DeleteFunc(policy.Statement, func(s map[string]any) bool {
		return slices.Contains([]string{"MakeRoles", "MakeTables", "MakeSchedules"}, s["Sid"].(string))
	})
	if len(policy.Statement) == before {
		t.Fatalf("%s makes nothing", who)
	}
	client, name := iam.NewFromConfig(m.Config(ready.Administrator(account))), aws.String("Limited")
	trust := iampolicy.New(iampolicy.Statement{Effect: iampolicy.Allow, Principal: iampolicy.AWSPrincipal("arn:aws:iam::" + account + ":root"), Actions: []string{"sts:AssumeRole"}})
	if _, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(trust.String())}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: name, PolicyName: name, PolicyDocument: aws.String(asJSON(t, policy))}); err != nil {
		t.Fatal(err)
	}
	options := m.Options(account)
	cfg := m.Config("arn:aws:iam::" + account + ":role/Limited")
	options.Config = &cfg
	a, err := admin.New(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Where templates made the frame, who sets up needs no right to make roles, tables and
// schedules.
func TestAfterTheTemplatesSetUpMakesNoRolesAndTables(t *testing.T) {
	t.Parallel()
	m := ready.On(t, localmesh.Run(t))
	s := setting{ends: admin.EndsScheduled}
	s.deployed(t, m)
	mesh := limited(t, m, ready.MeshAccount, lakemesh.MeshIdentity)
	producer, consumer := limited(t, m, ready.ProducerAccount, lakemesh.ProducerAdminIdentity), limited(t, m, ready.ConsumerAccount, lakemesh.ConsumerAdminIdentity)
	for _, err := range []error{
		second(mesh.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{EndSchedules: s.ends})),
		second(producer.InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{})),
		second(mesh.EnableAccountAsProducer(t.Context(), admin.EnableProducerInput{AccountID: ready.ProducerAccount})),
		second(consumer.InitializeConsumerAccount(t.Context(), admin.InitializeConsumerInput{})),
		second(mesh.EnableAccountAsConsumer(t.Context(), admin.EnableConsumerInput{AccountID: ready.ConsumerAccount})),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	live(t, m)
}

func second[T any](_ T, err error) error { return err }
