package iam

// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_manage-attach-detach.html

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func groupPolicyOperations() []engine.Operation {
	return []engine.Operation{
		write("PutGroupPolicy", "permission on the group's ARN; the document's form; 5,120 characters in all", putGroupPolicy),
		read("GetGroupPolicy", "permission on the group's ARN", getGroupPolicy),
		read("ListGroupPolicies", "permission on the group's ARN; pages", listGroupPolicies),
		write("DeleteGroupPolicy", "permission on the group's ARN", deleteGroupPolicy),
		write("AttachGroupPolicy", "permission on the group's ARN with iam:PolicyARN; the policy exists; 10 policies", attachGroupPolicy),
		write("DetachGroupPolicy", "permission on the group's ARN with iam:PolicyARN", detachGroupPolicy),
		read("ListAttachedGroupPolicies", "permission on the group's ARN; pages", listAttachedGroupPolicies),
	}
}

func groupHolder(g *state.Group) holder {
	return holder{kind: "group", name: g.Name, policies: &g.Permissions}
}

func putGroupPolicy(c *engine.Call, in *iam.PutGroupPolicyInput) (*iam.PutGroupPolicyOutput, error) {
	g, err := group(c, in.GroupName, nil)
	if err != nil {
		return nil, err
	}
	if err := groupHolder(&g).putInline(c, in.PolicyName, in.PolicyDocument); err != nil {
		return nil, err
	}
	return &iam.PutGroupPolicyOutput{}, putGroup(c, g)
}

func getGroupPolicy(c *engine.Call, in *iam.GetGroupPolicyInput) (*iam.GetGroupPolicyOutput, error) {
	g, err := group(c, in.GroupName, nil)
	if err != nil {
		return nil, err
	}
	document, err := groupHolder(&g).inline(in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iam.GetGroupPolicyOutput{PolicyDocument: encoded(document), PolicyName: in.PolicyName, GroupName: aws.String(g.Name)}, nil
}

func listGroupPolicies(c *engine.Call, in *iam.ListGroupPoliciesInput) (*iam.ListGroupPoliciesOutput, error) {
	g, err := group(c, in.GroupName, nil)
	if err != nil {
		return nil, err
	}
	p, err := groupHolder(&g).inlineNames(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListGroupPoliciesOutput{PolicyNames: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func deleteGroupPolicy(c *engine.Call, in *iam.DeleteGroupPolicyInput) (*iam.DeleteGroupPolicyOutput, error) {
	g, err := group(c, in.GroupName, nil)
	if err != nil {
		return nil, err
	}
	if err := groupHolder(&g).deleteInline(in.PolicyName); err != nil {
		return nil, err
	}
	return &iam.DeleteGroupPolicyOutput{}, putGroup(c, g)
}

func attachGroupPolicy(c *engine.Call, in *iam.AttachGroupPolicyInput) (*iam.AttachGroupPolicyOutput, error) {
	keys, err := policyKeys(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	g, err := group(c, in.GroupName, keys)
	if err != nil {
		return nil, err
	}
	if err := groupHolder(&g).attach(c, *in.PolicyArn); err != nil {
		return nil, err
	}
	return &iam.AttachGroupPolicyOutput{}, putGroup(c, g)
}

func detachGroupPolicy(c *engine.Call, in *iam.DetachGroupPolicyInput) (*iam.DetachGroupPolicyOutput, error) {
	keys, err := policyKeys(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	g, err := group(c, in.GroupName, keys)
	if err != nil {
		return nil, err
	}
	if err := groupHolder(&g).detach(*in.PolicyArn); err != nil {
		return nil, err
	}
	return &iam.DetachGroupPolicyOutput{}, putGroup(c, g)
}

func listAttachedGroupPolicies(c *engine.Call, in *iam.ListAttachedGroupPoliciesInput) (*iam.ListAttachedGroupPoliciesOutput, error) {
	g, err := group(c, in.GroupName, nil)
	if err != nil {
		return nil, err
	}
	p, err := groupHolder(&g).attached(in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedGroupPoliciesOutput{AttachedPolicies: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}
