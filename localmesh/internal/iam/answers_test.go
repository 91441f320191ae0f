package iam_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// Members that AWS leaves out are not there, and those that it has are.
func TestMembersOfAnswers(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.role("R")
	role, err := w.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("R")})
	w.must(role, err)
	if role.Role.Tags != nil || role.Role.RoleLastUsed == nil || role.Role.RoleLastUsed.LastUsedDate != nil {
		t.Errorf("tags are %v, last used is %v", role.Role.Tags, role.Role.RoleLastUsed)
	}
	listed, err := w.ListRoles(ctx, &iam.ListRolesInput{PathPrefix: aws.String("/team/")})
	w.must(listed, err)
	if len(listed.Roles) != 1 || listed.Roles[0].RoleLastUsed != nil || listed.Roles[0].Tags != nil {
		t.Errorf("listed: %+v", listed.Roles)
	}
	tags, err := w.ListRoleTags(ctx, &iam.ListRoleTagsInput{RoleName: aws.String("R")})
	w.must(tags, err)
	if tags.Tags == nil {
		t.Error("a listing of tags has no member")
	}
	w.must(w.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("ann")}))
	user, err := w.GetUser(ctx, &iam.GetUserInput{UserName: aws.String("ann")})
	w.must(user, err)
	if user.User.Tags != nil {
		t.Errorf("tags are %v", user.User.Tags)
	}
	const document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	made, err := w.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("P"), Description: aws.String("what it is for"), PolicyDocument: aws.String(document)})
	w.must(made, err)
	if made.Policy.Description != nil || made.Policy.Tags != nil {
		t.Errorf("made: %+v", made.Policy)
	}
	got, err := w.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: made.Policy.Arn})
	w.must(got, err)
	if aws.ToString(got.Policy.Description) != "what it is for" {
		t.Errorf("got: %+v", got.Policy)
	}
	// With tags they are there.
	w.must(w.TagRole(ctx, &iam.TagRoleInput{RoleName: aws.String("R"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}))
	role, err = w.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("R")})
	w.must(role, err)
	if len(role.Role.Tags) != 1 {
		t.Errorf("tags are %v", role.Role.Tags)
	}
}

func TestInstanceProfilesOfARole(t *testing.T) {
	w := newWorld(t)
	w.role("R")
	out, err := w.ListInstanceProfilesForRole(t.Context(), &iam.ListInstanceProfilesForRoleInput{RoleName: aws.String("R")})
	w.must(out, err)
	if out.InstanceProfiles == nil || len(out.InstanceProfiles) != 0 || out.IsTruncated {
		t.Errorf("profiles are %v", out.InstanceProfiles)
	}
	_, err = w.ListInstanceProfilesForRole(t.Context(), &iam.ListInstanceProfilesForRoleInput{RoleName: aws.String("none")})
	if err == nil || !strings.Contains(err.Error(), "NoSuchEntity") {
		t.Errorf("of no role: %v", err)
	}
	_, err = w.as(w.role("Weak")).ListInstanceProfilesForRole(t.Context(), &iam.ListInstanceProfilesForRoleInput{RoleName: aws.String("R")})
	if err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("without permission: %v", err)
	}
}

// A trust policy is about the actions of assuming a role, and no others.
func TestActionsOfTrustPolicies(t *testing.T) {
	w := newWorld(t)
	for action, ok := range map[string]bool{
		"sts:AssumeRole": true, "STS:assumerole": true, "sts:AssumeRoleWithSAML": true, "sts:AssumeRoleWithWebIdentity": true, "sts:TagSession": true,
		"sts:SetSourceIdentity": true, "sts:SetContext": true, "sts:AssumeRole*": true, "sts:*": true,
		"sts:BadAssumeRole": false, "sts:GetCallerIdentity": false, "sts:AssumeRoles": false, "s3:GetObject": false, "sts:Get*": false, "sts": false,
	} {
		name := "R" + strings.NewReplacer(":", "", "*", "-", "R", "_").Replace(action)
		_, err := w.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"` + action + `"}]}`)})
		if ok && err != nil || !ok && (err == nil || !strings.Contains(err.Error(), "MalformedPolicyDocument")) {
			t.Errorf("%s: %v", action, err)
		}
	}
}
