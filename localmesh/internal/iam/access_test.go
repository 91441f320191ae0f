package iam_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// Every operation asks for permission on the ARN of what it is about, with its
// path and with IAM's condition keys.
func TestWhatIsAskedOfTheCaller(t *testing.T) {
	t.Parallel()
	const (
		readOnly = "arn:aws:iam::aws:policy/ReadOnlyAccess"
		adminAll = "arn:aws:iam::aws:policy/AdministratorAccess"
	)
	reader := aws.String("Reader")
	statement := func(action, resource, condition string) string {
		if condition != "" {
			condition = `,"Condition":` + condition
		}
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%q,"Resource":%q%s}]}`, action, resource, condition)
	}
	getRole := func(t *testing.T, c *iam.Client) error {
		_, err := c.GetRole(t.Context(), &iam.GetRoleInput{RoleName: reader})
		return err
	}
	attach := func(arn string) func(*testing.T, *iam.Client) error {
		return func(t *testing.T, c *iam.Client) error {
			_, err := c.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: reader, PolicyArn: &arn})
			return err
		}
	}
	create := func(path string, boundary *string, tags ...types.Tag) func(*testing.T, *iam.Client) error {
		return func(t *testing.T, c *iam.Client) error {
			_, err := c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("New"), Path: &path, PermissionsBoundary: boundary, Tags: tags,
				AssumeRolePolicyDocument: aws.String(trustAccount)})
			return err
		}
	}
	for _, tt := range []struct {
		name, policy string
		call         func(*testing.T, *iam.Client) error
		code         string
	}{
		{"nothing", "", getRole, "AccessDenied"},
		{"the role", statement("iam:GetRole", "arn:aws:iam::111111111111:role/team/Reader", ""), getRole, ""},
		{"the role without its path", statement("iam:GetRole", "arn:aws:iam::111111111111:role/Reader", ""), getRole, "AccessDenied"},
		{"the role in another account", statement("iam:GetRole", "arn:aws:iam::222222222222:role/team/Reader", ""), getRole, "AccessDenied"},
		{"the path", statement("iam:Get*", "arn:aws:iam::*:role/team/*", ""), getRole, ""},
		{"another action", statement("iam:ListRoles", "*", ""), getRole, "AccessDenied"},
		{"a role that does not exist", statement("iam:GetRole", "arn:aws:iam::111111111111:role/team/*", ""), func(t *testing.T, c *iam.Client) error {
			_, err := c.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("Nobody")})
			return err
		}, "AccessDenied"},
		{"a role that does not exist, allowed", statement("iam:GetRole", "*", ""), func(t *testing.T, c *iam.Client) error {
			_, err := c.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("Nobody")})
			return err
		}, "NoSuchEntity"},
		{"attaching the policy that is named", statement("iam:AttachRolePolicy", "*", `{"ArnEquals":{"iam:PolicyARN":"`+readOnly+`"}}`), attach(readOnly), ""},
		{"attaching another policy", statement("iam:AttachRolePolicy", "*", `{"ArnEquals":{"iam:PolicyARN":"`+readOnly+`"}}`), attach(adminAll), "AccessDenied"},
		{"creating in the path", statement("iam:CreateRole", "arn:aws:iam::111111111111:role/team/*", ""), create("/team/", nil), ""},
		{"creating elsewhere", statement("iam:CreateRole", "arn:aws:iam::111111111111:role/team/*", ""), create("/", nil), "AccessDenied"},
		{"creating with the boundary", statement("iam:CreateRole", "*", `{"StringEquals":{"iam:PermissionsBoundary":"`+readOnly+`"}}`), create("/", aws.String(readOnly)), ""},
		{"creating without the boundary", statement("iam:CreateRole", "*", `{"StringEquals":{"iam:PermissionsBoundary":"`+readOnly+`"}}`), create("/", nil), "AccessDenied"},
		{"tags are a permission of their own", statement("iam:CreateRole", "*", ""), create("/", nil, types.Tag{Key: aws.String("a"), Value: aws.String("b")}), "AccessDenied"},
		{"with the tag", statement("iam:*Role", "*", `{"StringEquals":{"aws:RequestTag/a":"b"}}`), create("/", nil, types.Tag{Key: aws.String("a"), Value: aws.String("b")}), ""},
		{"with another tag", statement("iam:*Role", "*", `{"StringEquals":{"aws:RequestTag/a":"b"}}`), create("/", nil, types.Tag{Key: aws.String("a"), Value: aws.String("c")}), "AccessDenied"},
		{"the role's tag", statement("iam:GetRole", "*", `{"StringEquals":{"aws:ResourceTag/team":"data"}}`), getRole, ""},
		{"another tag of the role", statement("iam:GetRole", "*", `{"StringEquals":{"iam:ResourceTag/team":"sales"}}`), getRole, "AccessDenied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.role("Reader")
			w.must(w.TagRole(t.Context(), &iam.TagRoleInput{RoleName: reader, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("data")}}}))
			var policies []string
			if tt.policy != "" {
				policies = append(policies, tt.policy)
			}
			err := tt.call(t, w.as(w.role("Caller", policies...)))
			if tt.code == "" {
				succeeded(t, err)
			} else {
				refused(t, err, tt.code)
			}
		})
	}
}

// A permissions boundary takes away what the policies allow.
func TestBoundary(t *testing.T) {
	w := newWorld(t)
	arn := w.role("Caller", allow("iam:*", "*"))
	c := w.as(arn)
	w.must(c.ListRoles(t.Context(), &iam.ListRolesInput{}))
	boundary := w.policy("OnlyS3")
	w.must(w.PutRolePermissionsBoundary(t.Context(), &iam.PutRolePermissionsBoundaryInput{RoleName: aws.String("Caller"), PermissionsBoundary: &boundary}))
	_, err := c.ListRoles(t.Context(), &iam.ListRolesInput{})
	refused(t, err, "AccessDenied")
	mentions(t, err, "because no permissions boundary allows the iam:ListRoles action")
	_, err = w.DeletePolicy(t.Context(), &iam.DeletePolicyInput{PolicyArn: &boundary})
	refused(t, err, "DeleteConflict")
	w.must(w.DeleteRolePermissionsBoundary(t.Context(), &iam.DeleteRolePermissionsBoundaryInput{RoleName: aws.String("Caller")}))
	w.must(c.ListRoles(t.Context(), &iam.ListRolesInput{}))
	_, err = w.DeleteRolePermissionsBoundary(t.Context(), &iam.DeleteRolePermissionsBoundaryInput{RoleName: aws.String("Caller")})
	refused(t, err, "NoSuchEntity")
}

// The default version of a managed policy is what counts, from the next call on.
func TestVersionsOfAPolicy(t *testing.T) {
	w := newWorld(t)
	arn := w.policy("Rights")
	caller := w.as(w.role("Caller"))
	w.must(w.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String("Caller"), PolicyArn: &arn}))
	version := func(document string, isDefault bool) error {
		_, err := w.CreatePolicyVersion(t.Context(), &iam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: &document, SetAsDefault: isDefault})
		return err
	}
	succeeded(t, version(allow("iam:ListRoles", "*"), false))
	_, err := caller.ListRoles(t.Context(), &iam.ListRolesInput{})
	refused(t, err, "AccessDenied")
	w.must(w.SetDefaultPolicyVersion(t.Context(), &iam.SetDefaultPolicyVersionInput{PolicyArn: &arn, VersionId: aws.String("v2")}))
	w.must(caller.ListRoles(t.Context(), &iam.ListRolesInput{}))
	for range 3 {
		succeeded(t, version(allow("s3:*", "*"), false))
	}
	err = version(allow("s3:*", "*"), false)
	refused(t, err, "LimitExceeded")
	mentions(t, err, "up to 5 versions")
	_, err = w.DeletePolicyVersion(t.Context(), &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: aws.String("v2")})
	refused(t, err, "DeleteConflict")
	_, err = w.DeletePolicyVersion(t.Context(), &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: aws.String("v9")})
	refused(t, err, "NoSuchEntity")
	w.must(w.DeletePolicyVersion(t.Context(), &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: aws.String("v1")}))
	succeeded(t, version(allow("s3:*", "*"), true))
	_, err = caller.ListRoles(t.Context(), &iam.ListRolesInput{})
	refused(t, err, "AccessDenied")
	list, err := w.ListPolicyVersions(t.Context(), &iam.ListPolicyVersionsInput{PolicyArn: &arn})
	succeeded(t, err)
	if len(list.Versions) != 5 || *list.Versions[0].VersionId != "v6" || !list.Versions[0].IsDefaultVersion {
		t.Errorf("versions are %v", list.Versions)
	}
}

// A role of another account cannot be named: names are looked up in the caller's.
func TestOtherAccountsAreNotSeen(t *testing.T) {
	w := newWorld(t)
	w.role("Reader")
	arn := w.policy("Rights")
	theirs := w.as(admin(other))
	_, err := theirs.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("Reader")})
	refused(t, err, "NoSuchEntity")
	_, err = theirs.GetPolicy(t.Context(), &iam.GetPolicyInput{PolicyArn: &arn})
	refused(t, err, "AccessDenied")
	_, err = theirs.DeletePolicy(t.Context(), &iam.DeletePolicyInput{PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	if err == nil {
		t.Error("a policy of AWS was deleted")
	}
}
