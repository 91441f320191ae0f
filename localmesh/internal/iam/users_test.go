package iam_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestAccessKeys(t *testing.T) {
	w := newWorld(t)
	ann := aws.String("ann")
	w.must(w.CreateUser(t.Context(), &iam.CreateUserInput{UserName: ann}))
	key, err := w.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: ann})
	if err != nil {
		t.Fatal(err)
	}
	w.must(w.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: ann}))
	_, err = w.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: ann})
	refused(t, err, "LimitExceeded")
	with := func(id, secret string) aws.Config {
		return w.ConfigWith(credentials.NewStaticCredentialsProvider(id, secret, ""))
	}
	mine := with(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey)
	who, err := sts.NewFromConfig(mine).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	succeeded(t, err)
	if who == nil || *who.Arn != "arn:aws:iam::111111111111:user/ann" || !strings.HasPrefix(*who.UserId, "AIDA") {
		t.Errorf("caller is %v", who)
	}
	_, err = sts.NewFromConfig(with(*key.AccessKey.AccessKeyId, "wrong")).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	mentions(t, err, "SignatureDoesNotMatch")

	// A key shows its own user when no name is given, if the user may see it.
	_, err = iam.NewFromConfig(mine).GetUser(t.Context(), &iam.GetUserInput{})
	refused(t, err, "AccessDenied")
	w.must(w.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: ann, PolicyName: aws.String("self"), PolicyDocument: aws.String(allow("iam:GetUser", "arn:aws:iam::*:user/${aws:username}"))}))
	self, err := iam.NewFromConfig(mine).GetUser(t.Context(), &iam.GetUserInput{})
	succeeded(t, err)
	if self == nil || *self.User.UserName != "ann" {
		t.Errorf("user is %v", self)
	}
	_, err = w.GetUser(t.Context(), &iam.GetUserInput{})
	refused(t, err, "ValidationError")

	w.must(w.UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{UserName: ann, AccessKeyId: key.AccessKey.AccessKeyId, Status: types.StatusTypeInactive}))
	_, err = sts.NewFromConfig(mine).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	mentions(t, err, "InvalidClientTokenId")
	_, err = w.UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{UserName: ann, AccessKeyId: aws.String("AKIAAAAAAAAAAAAAAAAA"), Status: types.StatusTypeActive})
	refused(t, err, "NoSuchEntity")
	_, err = w.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: ann})
	refused(t, err, "DeleteConflict")
	keys, err := w.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: ann})
	succeeded(t, err)
	for _, k := range keys.AccessKeyMetadata {
		w.must(w.DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{UserName: ann, AccessKeyId: k.AccessKeyId}))
	}
	_, err = w.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: ann})
	refused(t, err, "DeleteConflict")
	w.must(w.DeleteUserPolicy(t.Context(), &iam.DeleteUserPolicyInput{UserName: ann, PolicyName: aws.String("self")}))
	w.must(w.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: ann}))
}

// Members of a group have its policies.
func TestGroups(t *testing.T) {
	w := newWorld(t)
	ann, team := aws.String("ann"), aws.String("Team")
	w.must(w.CreateUser(t.Context(), &iam.CreateUserInput{UserName: ann}))
	w.must(w.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: team}))
	_, err := w.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: aws.String("team")})
	refused(t, err, "EntityAlreadyExists")
	w.must(w.PutGroupPolicy(t.Context(), &iam.PutGroupPolicyInput{GroupName: team, PolicyName: aws.String("p"), PolicyDocument: aws.String(allow("iam:ListRoles", "*"))}))
	c := w.as("arn:aws:iam::111111111111:user/ann")
	_, err = c.ListRoles(t.Context(), &iam.ListRolesInput{})
	refused(t, err, "AccessDenied")
	_, err = w.AddUserToGroup(t.Context(), &iam.AddUserToGroupInput{UserName: aws.String("bob"), GroupName: team})
	refused(t, err, "NoSuchEntity")
	w.must(w.AddUserToGroup(t.Context(), &iam.AddUserToGroupInput{UserName: ann, GroupName: team}))
	w.must(w.AddUserToGroup(t.Context(), &iam.AddUserToGroupInput{UserName: ann, GroupName: team}))
	w.must(c.ListRoles(t.Context(), &iam.ListRolesInput{}))
	out, err := w.GetGroup(t.Context(), &iam.GetGroupInput{GroupName: team})
	succeeded(t, err)
	if len(out.Users) != 1 || *out.Users[0].UserName != "ann" {
		t.Errorf("users are %v", out.Users)
	}
	_, err = w.DeleteGroup(t.Context(), &iam.DeleteGroupInput{GroupName: team})
	refused(t, err, "DeleteConflict")
	w.must(w.RemoveUserFromGroup(t.Context(), &iam.RemoveUserFromGroupInput{UserName: ann, GroupName: team}))
	_, err = w.RemoveUserFromGroup(t.Context(), &iam.RemoveUserFromGroupInput{UserName: ann, GroupName: team})
	refused(t, err, "NoSuchEntity")
	_, err = c.ListRoles(t.Context(), &iam.ListRolesInput{})
	refused(t, err, "AccessDenied")
	for i := range 10 {
		name := aws.String(fmt.Sprintf("G%d", i))
		w.must(w.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: name}))
		w.must(w.AddUserToGroup(t.Context(), &iam.AddUserToGroupInput{UserName: ann, GroupName: name}))
	}
	_, err = w.AddUserToGroup(t.Context(), &iam.AddUserToGroupInput{UserName: ann, GroupName: team})
	refused(t, err, "LimitExceeded")
	groups, err := w.ListGroupsForUser(t.Context(), &iam.ListGroupsForUserInput{UserName: ann})
	succeeded(t, err)
	if len(groups.Groups) != 10 {
		t.Errorf("%d groups", len(groups.Groups))
	}
	for kind, limit := range map[string]int{"user": 2048, "group": 5120} {
		document := aws.String(allow("s3:GetObject", "arn:aws:s3:::b/"+strings.Repeat("x", limit)))
		if kind == "user" {
			_, err = w.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: ann, PolicyName: aws.String("big"), PolicyDocument: document})
		} else {
			_, err = w.PutGroupPolicy(t.Context(), &iam.PutGroupPolicyInput{GroupName: team, PolicyName: aws.String("big"), PolicyDocument: document})
		}
		refused(t, err, "LimitExceeded")
	}
}

func TestManagedPolicies(t *testing.T) {
	w := newWorld(t)
	arn := w.policy("Rights")
	_, err := w.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("RIGHTS"), PolicyDocument: aws.String(allow("s3:*", "*"))})
	refused(t, err, "EntityAlreadyExists")
	_, err = w.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("Big"), PolicyDocument: aws.String(allow("s3:*", "arn:aws:s3:::b/"+strings.Repeat("x", 6144)))})
	refused(t, err, "LimitExceeded")
	mentions(t, err, "PolicySize: 6144")
	_, err = w.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("Bad"), PolicyDocument: aws.String(`{"Statement":[]}`)})
	refused(t, err, "MalformedPolicyDocument")
	_, err = w.GetPolicy(t.Context(), &iam.GetPolicyInput{PolicyArn: aws.String("arn:aws:iam::111111111111:policy/team/Rights")})
	refused(t, err, "NoSuchEntity")
	out, err := w.GetPolicy(t.Context(), &iam.GetPolicyInput{PolicyArn: &arn})
	succeeded(t, err)
	if *out.Policy.AttachmentCount != 0 || *out.Policy.DefaultVersionId != "v1" {
		t.Errorf("policy is %+v", out.Policy)
	}
	var local, all []string
	for _, scope := range []types.PolicyScopeType{types.PolicyScopeTypeLocal, types.PolicyScopeTypeAll} {
		pages := iam.NewListPoliciesPaginator(w.Client, &iam.ListPoliciesInput{Scope: scope, MaxItems: aws.Int32(5)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page.Policies {
				all = append(all, *p.PolicyName)
				if scope == types.PolicyScopeTypeLocal {
					local = append(local, *p.PolicyName)
				}
			}
		}
	}
	if !slices.Equal(local, []string{"Rights"}) || !slices.Contains(all, "AdministratorAccess") {
		t.Errorf("policies are %v and %v", local, all)
	}
	attached, err := w.ListPolicies(t.Context(), &iam.ListPoliciesInput{OnlyAttached: true})
	succeeded(t, err)
	if len(attached.Policies) != 1 || *attached.Policies[0].PolicyName != "AdministratorAccess" {
		t.Errorf("attached are %v", attached.Policies)
	}
}

func TestSimulation(t *testing.T) {
	w := newWorld(t)
	arn := w.role("Caller", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:Delete*","Resource":"*"}]}`)
	out, err := w.SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &arn,
		ActionNames: []string{"s3:GetObject", "s3:DeleteObject", "glue:GetTable"}, ResourceArns: []string{"arn:aws:s3:::b/k"}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range out.EvaluationResults {
		got = append(got, *r.EvalActionName+" "+string(r.EvalDecision))
	}
	if want := []string{"s3:GetObject allowed", "s3:DeleteObject explicitDeny", "glue:GetTable implicitDeny"}; !slices.Equal(got, want) {
		t.Errorf("results are %v, want %v", got, want)
	}
	_, err = w.SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String(arn + "x"), ActionNames: []string{"s3:GetObject"}})
	refused(t, err, "NoSuchEntity")
	custom, err := w.SimulateCustomPolicy(t.Context(), &iam.SimulateCustomPolicyInput{ActionNames: []string{"s3:GetObject"}, PolicyInputList: []string{
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}]}`}})
	succeeded(t, err)
	if d := custom.EvaluationResults[0].EvalDecision; d != types.PolicyEvaluationDecisionTypeImplicitDeny {
		t.Errorf("decision is %s", d)
	}
}
