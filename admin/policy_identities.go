package admin

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// AuditorIdentity is who looks at a mesh and changes nothing. It is none of a credentials
// file.
const AuditorIdentity lakemesh.Identity = "Auditor"

// Names of statements that templates make superfluous.
const (
	makeRoles     = "MakeRoles"
	makeTables    = "MakeTables"
	makeSchedules = "MakeSchedules"
)

// IdentityPolicies are what those have to be allowed who run lakemesh, by the names that they
// have in a credentials file, and the [AuditorIdentity]: as little as the commands need. Where
// templates make the frame, the statements MakeRoles, MakeTables and MakeSchedules can be left
// out. What takes a whole mesh or account apart needs more. The partition is that of the mesh's
// region.
func IdentityPolicies(p lakemesh.Partition, meshAccountID string) (map[lakemesh.Identity]json.RawMessage, error) {
	if err := lakemesh.CheckAccountID("MeshAccountID", meshAccountID); err != nil {
		return nil, err
	}
	out := map[lakemesh.Identity]json.RawMessage{}
	for who, d := range map[lakemesh.Identity]iampolicy.Document{
		lakemesh.MeshIdentity:          meshIdentityPolicy(p, meshAccountID),
		lakemesh.ProducerAdminIdentity: memberAdminPolicy(p, lakemesh.ProducerRole),
		lakemesh.ConsumerAdminIdentity: memberAdminPolicy(p, lakemesh.ConsumerRole),
		lakemesh.ProducerIdentity:      iampolicy.New(assume("ActAsTheProducer", anyAccounts(p, lakemesh.ProducerRole))),
		lakemesh.ConsumerIdentity:      iampolicy.New(assume("ActAsTheConsumer", anyAccounts(p, lakemesh.ConsumerRole))),
		AuditorIdentity:                auditorPolicy(p, meshAccountID),
	} {
		out[who] = json.RawMessage(d.String())
	}
	return out, nil
}

// anyAccounts is the ARN of a role in every account: a policy allows nothing in accounts that
// do not allow it, too.
func anyAccounts(p lakemesh.Partition, role string) string { return p.RoleARN("*", role) }

// lookUpRoles are the ARNs by which roles are looked up: of one that is not there, IAM knows
// the path no more than who asks.
func lookUpRoles(p lakemesh.Partition, account string, names ...string) []string {
	all := []string{p.RoleARN(account, "*")}
	for _, name := range names {
		all = append(all, p.ARN("iam", "", account, "role/"+name))
	}
	return all
}

// roleReads and roleWrites are how roles are observed and made.
func roleReads() []string {
	return []string{"iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"}
}

func roleWrites() []string {
	return []string{"iam:CreateRole", "iam:TagRole", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:PutRolePermissionsBoundary"}
}

// meshIdentityPolicy is for who sets the mesh account up and administers it: mesh init,
// upgrade and status, account enable and disable, verify, expire, access list and explain.
func meshIdentityPolicy(p lakemesh.Partition, mesh string) iampolicy.Document {
	tables := []string{subscriptionsARN(p, mesh), decisionsARN(p, mesh)}
	return iampolicy.New(
		allow("LookAtRoles", append([]string{"iam:GetRole"}, roleReads()...), lookUpRoles(p, mesh, "DataMesh*"), nil),
		allow("CountRoles", []string{"iam:GetAccountSummary", "iam:ListRoles"}, anything, nil),
		allow(makeRoles, roleWrites(), []string{p.RoleARN(mesh, "*")}, nil),
		allow("RemoveRoles", []string{"iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:DeleteRole"}, []string{p.RoleARN(mesh, "DataMeshAdminProducer-*"),
			p.RoleARN(mesh, "DataMeshAdminConsumer-*"), p.RoleARN(mesh, "DataMeshDataAccess-*"), p.RoleARN(mesh, "DataMeshEnding-*")}, nil),
		allow("LookAtTables", []string{"dynamodb:DescribeTable", "dynamodb:ListTagsOfResource", "dynamodb:DescribeContinuousBackups"}, tables, nil),
		allow(makeTables, []string{"dynamodb:CreateTable", "dynamodb:UpdateTable", "dynamodb:TagResource", "dynamodb:UpdateContinuousBackups"}, tables, nil),
		allow("ReadRecords", append(itemReads(), "dynamodb:Scan"), tables, nil),
		allow("KeepMembers", []string{"dynamodb:UpdateItem"}, []string{decisionsARN(p, mesh)}, nil),
		allow("KeepSettings", []string{lookAtSettings, "lakeformation:PutDataLakeSettings", "glue:GetResourcePolicy", "glue:PutResourcePolicy"}, anything, nil),
		allow("RemoveLocations", []string{"lakeformation:DeregisterResource"}, anything, nil),
		allow("LookAtSchedules", []string{"scheduler:GetScheduleGroup", "scheduler:ListSchedules", "sqs:GetQueueUrl", "sqs:GetQueueAttributes"}, anything, nil),
		allow(makeSchedules, []string{"scheduler:CreateScheduleGroup", "sqs:CreateQueue", "sqs:SetQueueAttributes"}, anything, nil),
		allow("RemoveSchedules", []string{"sqs:DeleteQueue"}, anything, nil),
		assume("ActAsTheManager", p.RoleARN(mesh, lakemesh.ManagerRole)),
	)
}

// memberAdminPolicy is for who sets an account up: account init and status.
func memberAdminPolicy(p lakemesh.Partition, role string) iampolicy.Document {
	return iampolicy.New(
		allow("LookAtRoles", append([]string{"iam:GetRole"}, roleReads()...), lookUpRoles(p, "*", "DataMesh*"), nil),
		allow("CountRoles", []string{"iam:GetAccountSummary"}, anything, nil),
		allow(makeRoles, roleWrites(), []string{anyAccounts(p, role)}, nil),
		allow("KeepSettings", []string{lookAtSettings, "lakeformation:PutDataLakeSettings"}, anything, nil),
		assume("TryTheRole", anyAccounts(p, role)),
	)
}

// auditorPolicy is for who looks at the set-up and the records. What is granted only a data
// lake administrator is shown, who could grant as well.
func auditorPolicy(p lakemesh.Partition, mesh string) iampolicy.Document {
	tables := []string{subscriptionsARN(p, mesh), decisionsARN(p, mesh)}
	return iampolicy.New(
		allow("LookAtRoles", append([]string{"iam:GetRole"}, roleReads()...), lookUpRoles(p, mesh, "DataMesh*"), nil),
		allow("ListRoles", []string{"iam:ListRoles"}, anything, nil),
		allow("LookAtTables", []string{"dynamodb:DescribeTable", "dynamodb:ListTagsOfResource", "dynamodb:DescribeContinuousBackups"}, tables, nil),
		allow("ReadRecords", []string{"dynamodb:GetItem", "dynamodb:Scan"}, tables, nil),
		allow("LookAtSettings", []string{lookAtSettings, "glue:GetResourcePolicy"}, anything, nil),
	)
}

// Boundary is a permissions boundary for the mesh's roles, in every account: all actions that
// their policies have, on anything. A boundary gives no right; narrower ones work as long as
// they let the roles do what they are for. The same list is what service control policies have
// to let through.
func Boundary() json.RawMessage {
	const mesh, member = "000000000000", "111111111111"
	// Only the actions count, which are the same in each partition.
	p := lakemesh.PartitionOf(lakemesh.DefaultRegion)
	a := &Admin{account: member, mesh: mesh, region: lakemesh.DefaultRegion, partition: p}
	key := []string{p.ARN("kms", lakemesh.DefaultRegion, member, "key/1")}
	roles := append(a.meshRoles(), a.meshProducer(member, members{sharing: Direct, ending: EndsScheduled}), a.endingRole(member, Direct), a.dataAccess(member, key), a.meshConsumer(member),
		a.ownProducer(InitializeProducerInput{CrawlerRoleARN: p.ARN("iam", "", member, "role/x"), KeyPolicies: key}), a.ownConsumer(InitializeConsumerInput{LinkRegions: []string{"eu-west-1"}}))
	var actions []string
	for _, r := range roles {
		for _, s := range r.policy.Statements {
			actions = append(actions, s.Actions...)
		}
	}
	slices.SortFunc(actions, func(x, y string) int { return strings.Compare(strings.ToLower(x), strings.ToLower(y)) })
	return json.RawMessage(iampolicy.New(allow("WhatTheMeshsRolesDo", slices.Compact(actions), anything, nil)).String())
}
