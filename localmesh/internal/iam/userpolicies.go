package iam

// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_manage-attach-detach.html

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func userPolicyOperations() []engine.Operation {
	return []engine.Operation{
		write("PutUserPolicy", "permission on the user's ARN with iam:PermissionsBoundary; the document's form; 2,048 characters in all", putUserPolicy),
		read("GetUserPolicy", "permission on the user's ARN", getUserPolicy),
		read("ListUserPolicies", "permission on the user's ARN; pages", listUserPolicies),
		write("DeleteUserPolicy", "permission on the user's ARN", deleteUserPolicy),
		write("AttachUserPolicy", "permission on the user's ARN with iam:PolicyARN; the policy exists; 10 policies", attachUserPolicy),
		write("DetachUserPolicy", "permission on the user's ARN with iam:PolicyARN", detachUserPolicy),
		read("ListAttachedUserPolicies", "permission on the user's ARN; pages", listAttachedUserPolicies),
	}
}

func userHolder(u *state.User) holder {
	return holder{kind: "user", name: u.Name, policies: &u.Permissions}
}

func putUserPolicy(c *engine.Call, in *iam.PutUserPolicyInput) (*iam.PutUserPolicyOutput, error) {
	u, err := user(c, in.UserName, nil)
	if err != nil {
		return nil, err
	}
	before := u.Permissions
	if err := userHolder(&u).putInline(c, in.PolicyName, in.PolicyDocument); err != nil {
		return nil, err
	}
	c.NewPolicies(u.ARN(), before)
	return &iam.PutUserPolicyOutput{}, putUser(c, u)
}

func getUserPolicy(c *engine.Call, in *iam.GetUserPolicyInput) (*iam.GetUserPolicyOutput, error) {
	u, err := user(c, in.UserName, nil)
	if err != nil {
		return nil, err
	}
	document, err := userHolder(&u).inline(in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iam.GetUserPolicyOutput{PolicyDocument: encoded(document), PolicyName: in.PolicyName, UserName: aws.String(u.Name)}, nil
}

func listUserPolicies(c *engine.Call, in *iam.ListUserPoliciesInput) (*iam.ListUserPoliciesOutput, error) {
	u, err := user(c, in.UserName, nil)
	if err != nil {
		return nil, err
	}
	p, err := userHolder(&u).inlineNames(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListUserPoliciesOutput{PolicyNames: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func deleteUserPolicy(c *engine.Call, in *iam.DeleteUserPolicyInput) (*iam.DeleteUserPolicyOutput, error) {
	u, err := user(c, in.UserName, nil)
	if err != nil {
		return nil, err
	}
	before := u.Permissions
	if err := userHolder(&u).deleteInline(in.PolicyName); err != nil {
		return nil, err
	}
	c.NewPolicies(u.ARN(), before)
	return &iam.DeleteUserPolicyOutput{}, putUser(c, u)
}

func attachUserPolicy(c *engine.Call, in *iam.AttachUserPolicyInput) (*iam.AttachUserPolicyOutput, error) {
	keys, err := policyKeys(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	u, err := user(c, in.UserName, keys)
	if err != nil {
		return nil, err
	}
	before := u.Permissions
	if err := userHolder(&u).attach(c, *in.PolicyArn); err != nil {
		return nil, err
	}
	c.NewPolicies(u.ARN(), before)
	return &iam.AttachUserPolicyOutput{}, putUser(c, u)
}

func detachUserPolicy(c *engine.Call, in *iam.DetachUserPolicyInput) (*iam.DetachUserPolicyOutput, error) {
	keys, err := policyKeys(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	u, err := user(c, in.UserName, keys)
	if err != nil {
		return nil, err
	}
	before := u.Permissions
	if err := userHolder(&u).detach(*in.PolicyArn); err != nil {
		return nil, err
	}
	c.NewPolicies(u.ARN(), before)
	return &iam.DetachUserPolicyOutput{}, putUser(c, u)
}

func listAttachedUserPolicies(c *engine.Call, in *iam.ListAttachedUserPoliciesInput) (*iam.ListAttachedUserPoliciesOutput, error) {
	u, err := user(c, in.UserName, nil)
	if err != nil {
		return nil, err
	}
	p, err := userHolder(&u).attached(in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedUserPoliciesOutput{AttachedPolicies: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}
