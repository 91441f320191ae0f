package iam

// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_manage-attach-detach.html

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func rolePolicyOperations() []engine.Operation {
	return []engine.Operation{
		write("PutRolePolicy", "permission on the role's ARN with iam:PermissionsBoundary; the document's form; 10,240 characters in all", putRolePolicy),
		read("GetRolePolicy", "permission on the role's ARN", getRolePolicy),
		read("ListRolePolicies", "permission on the role's ARN; pages", listRolePolicies),
		write("DeleteRolePolicy", "permission on the role's ARN", deleteRolePolicy),
		write("AttachRolePolicy", "permission on the role's ARN with iam:PolicyARN; the policy exists; 10 policies", attachRolePolicy),
		write("DetachRolePolicy", "permission on the role's ARN with iam:PolicyARN", detachRolePolicy),
		read("ListAttachedRolePolicies", "permission on the role's ARN; pages", listAttachedRolePolicies),
	}
}

func roleHolder(r *state.Role) holder {
	return holder{kind: "role", name: r.Name, policies: &r.Permissions}
}

func putRolePolicy(c *engine.Call, in *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error) {
	r, err := changeableRole(c, in.RoleName, nil)
	if err != nil {
		return nil, err
	}
	before := r.Permissions
	if err := roleHolder(&r).putInline(c, in.PolicyName, in.PolicyDocument); err != nil {
		return nil, err
	}
	c.NewPolicies(r.ARN(), before)
	return &iam.PutRolePolicyOutput{}, putRole(c, r)
}

func getRolePolicy(c *engine.Call, in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, error) {
	r, err := role(c, in.RoleName, nil)
	if err != nil {
		return nil, err
	}
	document, err := roleHolder(&r).inline(in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iam.GetRolePolicyOutput{PolicyDocument: encoded(document), PolicyName: in.PolicyName, RoleName: aws.String(r.Name)}, nil
}

func listRolePolicies(c *engine.Call, in *iam.ListRolePoliciesInput) (*iam.ListRolePoliciesOutput, error) {
	r, err := role(c, in.RoleName, nil)
	if err != nil {
		return nil, err
	}
	p, err := roleHolder(&r).inlineNames(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListRolePoliciesOutput{PolicyNames: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func deleteRolePolicy(c *engine.Call, in *iam.DeleteRolePolicyInput) (*iam.DeleteRolePolicyOutput, error) {
	r, err := changeableRole(c, in.RoleName, nil)
	if err != nil {
		return nil, err
	}
	before := r.Permissions
	if err := roleHolder(&r).deleteInline(in.PolicyName); err != nil {
		return nil, err
	}
	c.NewPolicies(r.ARN(), before)
	return &iam.DeleteRolePolicyOutput{}, putRole(c, r)
}

func attachRolePolicy(c *engine.Call, in *iam.AttachRolePolicyInput) (*iam.AttachRolePolicyOutput, error) {
	keys, err := policyKeys(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	r, err := changeableRole(c, in.RoleName, keys)
	if err != nil {
		return nil, err
	}
	before := r.Permissions
	if err := roleHolder(&r).attach(c, *in.PolicyArn); err != nil {
		return nil, err
	}
	c.NewPolicies(r.ARN(), before)
	return &iam.AttachRolePolicyOutput{}, putRole(c, r)
}

func detachRolePolicy(c *engine.Call, in *iam.DetachRolePolicyInput) (*iam.DetachRolePolicyOutput, error) {
	keys, err := policyKeys(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	r, err := changeableRole(c, in.RoleName, keys)
	if err != nil {
		return nil, err
	}
	before := r.Permissions
	if err := roleHolder(&r).detach(*in.PolicyArn); err != nil {
		return nil, err
	}
	c.NewPolicies(r.ARN(), before)
	return &iam.DetachRolePolicyOutput{}, putRole(c, r)
}

func listAttachedRolePolicies(c *engine.Call, in *iam.ListAttachedRolePoliciesInput) (*iam.ListAttachedRolePoliciesOutput, error) {
	r, err := role(c, in.RoleName, nil)
	if err != nil {
		return nil, err
	}
	p, err := roleHolder(&r).attached(in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}
