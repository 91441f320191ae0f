package iam

// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func policyOperations() []engine.Operation {
	return []engine.Operation{
		write("CreatePolicy", "permission on the policy's ARN with tags; the document's form; 6,144 characters; quota of policies", createPolicy),
		read("GetPolicy", "permission on the policy's ARN", getPolicy),
		read("ListPolicies", "permission on *; scope, path; pages", listPolicies),
		write("DeletePolicy", "permission on the policy's ARN; DeleteConflict while it is attached or has further versions", deletePolicy),
		write("TagPolicy", "permission on the policy's ARN with tag keys; 50 tags", tagPolicy),
		write("UntagPolicy", "permission on the policy's ARN with tag keys", untagPolicy),
		read("ListPolicyTags", "permission on the policy's ARN; pages", listPolicyTags),
		read("ListEntitiesForPolicy", "permission on the policy's ARN; pages", listEntitiesForPolicy),
	}
}

func policyARN(account, path, name string) string {
	return fmt.Sprintf("arn:aws:iam::%s:policy%s%s", account, path, name)
}

// policy finds a customer's managed policy by its ARN and asks for permission on
// it. One of AWS's own, or of another account, is not the caller's to change.
func policy(c *engine.Call, arn *string, keys map[string][]string) (state.Policy, error) {
	var p state.Policy
	if _, err := policyKeys(arn); err != nil {
		return p, err
	}
	account, kind, name, ok := state.SplitPrincipalARN(*arn)
	var found bool
	all := map[string][]string{}
	if ok && kind == "policy" && account == c.Account() {
		var err error
		if p, found, err = state.GetPolicy(c.Tx, account, name); err != nil {
			return p, err
		}
		found = found && p.ARN() == *arn
		if found {
			resourceTags(all, p.Tags)
		}
	}
	for k, v := range keys {
		all[k] = v
	}
	if err := c.Authorize(authz.Question{Action: "iam:" + c.Operation, Resources: []string{*arn}, Keys: all}); err != nil {
		return p, err
	}
	switch {
	case ok && account != c.Account():
		return p, c.Denied("User: " + c.Caller.ARN + " is not authorized to perform: iam:" + c.Operation + " on resource: policy " + *arn)
	case !ok && !strings.HasPrefix(*arn, awsPolicies):
		return p, invalidInput("ARN %s is not valid.", *arn)
	case !found:
		return p, noSuchEntity("Policy %s was not found.", *arn)
	}
	return p, nil
}

// awsPolicies begins the ARNs of AWS's own managed policies.
const awsPolicies = "arn:aws:iam::aws:policy/"

func putPolicy(c *engine.Call, p state.Policy) error {
	return state.Policies.Put(c.Tx, p, p.Account, fold(p.Name))
}

// usage counts what uses managed policies in the caller's account.
type usage struct{ attached, boundaries map[string]int }

func usageOf(c *engine.Call) (usage, error) {
	u := usage{map[string]int{}, map[string]int{}}
	countIn := func(p state.Permissions) {
		for _, arn := range p.Attached {
			u.attached[arn]++
		}
		if p.Boundary != "" {
			u.boundaries[p.Boundary]++
		}
	}
	account := []string{c.Account()}
	if err := state.Roles.Scan(c.Tx, account, "", func(_ string, r state.Role) bool { countIn(r.Permissions); return true }); err != nil {
		return u, err
	}
	if err := state.Users.Scan(c.Tx, account, "", func(_ string, r state.User) bool { countIn(r.Permissions); return true }); err != nil {
		return u, err
	}
	return u, state.Groups.Scan(c.Tx, account, "", func(_ string, g state.Group) bool { countIn(g.Permissions); return true })
}

func describePolicy(p state.Policy, u usage) types.Policy {
	out := types.Policy{
		Arn: aws.String(p.ARN()), PolicyName: aws.String(p.Name), PolicyId: aws.String(p.ID), Path: aws.String(p.Path),
		CreateDate: aws.Time(p.Created), UpdateDate: aws.Time(p.Updated), DefaultVersionId: aws.String(p.Default), IsAttachable: true,
		AttachmentCount: aws.Int32(int32(u.attached[p.ARN()])), PermissionsBoundaryUsageCount: aws.Int32(int32(u.boundaries[p.ARN()])),
	}
	if p.Description != "" {
		out.Description = aws.String(p.Description)
	}
	return out
}

// readManaged checks the document of a managed policy.
func readManaged(c *engine.Call, text *string) error {
	if _, err := readDocument(text, iampolicy.IdentityBased); err != nil {
		return err
	}
	limit, err := quota(c, quotaPolicySize)
	if err != nil {
		return err
	}
	if iampolicy.Size(*text) > limit {
		return exceeded("PolicySize", limit)
	}
	return nil
}

func createPolicy(c *engine.Call, in *iam.CreatePolicyInput) (*iam.CreatePolicyOutput, error) {
	if err := checkName("policyName", in.PolicyName, maxPolicyName); err != nil {
		return nil, err
	}
	path, err := checkPath(in.Path)
	if err != nil {
		return nil, err
	}
	if err := checkDescription(in.Description); err != nil {
		return nil, err
	}
	tags, err := checkTags(in.Tags)
	if err != nil {
		return nil, err
	}
	keys := map[string][]string{}
	requestTags(keys, tags)
	q := authz.Question{Action: "iam:CreatePolicy", Resources: []string{policyARN(c.Account(), path, *in.PolicyName)}, Keys: keys}
	if err := c.Authorize(q); err != nil {
		return nil, err
	}
	if len(tags) > 0 {
		q.Action = "iam:TagPolicy"
		if err := c.Authorize(q); err != nil {
			return nil, err
		}
	}
	if err := readManaged(c, in.PolicyDocument); err != nil {
		return nil, err
	}
	if _, found, err := state.GetPolicy(c.Tx, c.Account(), *in.PolicyName); err != nil {
		return nil, err
	} else if found {
		return nil, alreadyExists("A policy called %s already exists. Duplicate names are not allowed.", *in.PolicyName)
	}
	if limit, err := quota(c, quotaPolicies); err != nil {
		return nil, err
	} else if count(c.Tx, state.Policies, c.Account()) >= limit {
		return nil, exceeded("PoliciesPerAccount", limit)
	}
	p := state.Policy{
		Account: c.Account(), Name: *in.PolicyName, Path: path, ID: c.Mesh.ID("ANPA", 17), Description: aws.ToString(in.Description),
		Created: c.Now, Updated: c.Now, Default: "v1", Next: 2, Tags: tags,
		Versions: []state.PolicyVersion{{ID: "v1", Document: *in.PolicyDocument, Created: c.Now}},
	}
	c.Changed("policy "+p.ARN(), nil)
	if err := putPolicy(c, p); err != nil {
		return nil, err
	}
	shown := describePolicy(p, usage{})
	shown.Tags = tagList(tags)
	// Only GetPolicy tells it (https://docs.aws.amazon.com/IAM/latest/APIReference/API_Policy.html).
	shown.Description = nil
	return &iam.CreatePolicyOutput{Policy: &shown}, nil
}

// describeAWS is one of AWS's own policies as IAM shows it.
func describeAWS(arn string, u usage) types.Policy {
	path, name := splitPolicyARN(arn)
	return types.Policy{
		Arn: aws.String(arn), PolicyName: aws.String(name), PolicyId: aws.String("ANPA" + strings.ToUpper(name)), Path: aws.String(path),
		DefaultVersionId: aws.String("v1"), IsAttachable: true,
		AttachmentCount: aws.Int32(int32(u.attached[arn])), PermissionsBoundaryUsageCount: aws.Int32(int32(u.boundaries[arn])),
	}
}

func getPolicy(c *engine.Call, in *iam.GetPolicyInput) (*iam.GetPolicyOutput, error) {
	if _, err := policyKeys(in.PolicyArn); err != nil {
		return nil, err
	}
	u, err := usageOf(c)
	if err != nil {
		return nil, err
	}
	if _, ok := authz.AWSManaged(*in.PolicyArn); ok {
		if err := c.Allow("iam:GetPolicy", *in.PolicyArn); err != nil {
			return nil, err
		}
		shown := describeAWS(*in.PolicyArn, u)
		return &iam.GetPolicyOutput{Policy: &shown}, nil
	}
	p, err := policy(c, in.PolicyArn, nil)
	if err != nil {
		return nil, err
	}
	shown := describePolicy(p, u)
	shown.Tags = tagList(p.Tags)
	return &iam.GetPolicyOutput{Policy: &shown}, nil
}

func listPolicies(c *engine.Call, in *iam.ListPoliciesInput) (*iam.ListPoliciesOutput, error) {
	prefix, err := checkPathPrefix(in.PathPrefix)
	if err != nil {
		return nil, err
	}
	switch in.Scope {
	case "", types.PolicyScopeTypeAll, types.PolicyScopeTypeAws, types.PolicyScopeTypeLocal:
	default:
		return nil, breaks("scope", string(in.Scope), "satisfy enum value set: [All, AWS, Local]")
	}
	page, err := newPage[types.Policy](in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	if err := c.Allow("iam:ListPolicies"); err != nil {
		return nil, err
	}
	u, err := usageOf(c)
	if err != nil {
		return nil, err
	}
	wanted := func(p types.Policy) bool {
		used := *p.AttachmentCount
		switch in.PolicyUsageFilter {
		case types.PolicyUsageTypePermissionsBoundary:
			used = *p.PermissionsBoundaryUsageCount
		case types.PolicyUsageTypePermissionsPolicy:
		default:
			used += *p.PermissionsBoundaryUsageCount
		}
		return strings.HasPrefix(*p.Path, prefix) && (!in.OnlyAttached || used > 0)
	}
	var all []types.Policy
	if in.Scope != types.PolicyScopeTypeLocal {
		for _, arn := range authz.AWSManagedARNs() {
			all = append(all, describeAWS(arn, u))
		}
	}
	if in.Scope != types.PolicyScopeTypeAws {
		if err := state.Policies.Scan(c.Tx, []string{c.Account()}, "", func(_ string, p state.Policy) bool {
			all = append(all, describePolicy(p, u))
			return true
		}); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b types.Policy) int { return strings.Compare(*a.Arn, *b.Arn) })
	for _, p := range all {
		if wanted(p) && !page.add(*p.Arn, p) {
			break
		}
	}
	return &iam.ListPoliciesOutput{Policies: page.Items, IsTruncated: page.Truncated, Marker: page.Marker}, nil
}

func deletePolicy(c *engine.Call, in *iam.DeletePolicyInput) (*iam.DeletePolicyOutput, error) {
	p, err := policy(c, in.PolicyArn, nil)
	if err != nil {
		return nil, err
	}
	u, err := usageOf(c)
	if err != nil {
		return nil, err
	}
	if u.attached[p.ARN()]+u.boundaries[p.ARN()] > 0 {
		return nil, deleteConflict("Cannot delete a policy attached to entities.")
	}
	if len(p.Versions) > 1 {
		return nil, deleteConflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
	}
	return &iam.DeletePolicyOutput{}, state.Policies.Delete(c.Tx, p.Account, fold(p.Name))
}

func tagPolicy(c *engine.Call, in *iam.TagPolicyInput) (*iam.TagPolicyOutput, error) {
	tags, err := checkTags(in.Tags)
	if err != nil {
		return nil, err
	}
	keys := map[string][]string{}
	requestTags(keys, tags)
	p, err := policy(c, in.PolicyArn, keys)
	if err != nil {
		return nil, err
	}
	if p.Tags, err = addTags(p.Tags, tags); err != nil {
		return nil, err
	}
	return &iam.TagPolicyOutput{}, putPolicy(c, p)
}

func untagPolicy(c *engine.Call, in *iam.UntagPolicyInput) (*iam.UntagPolicyOutput, error) {
	p, err := policy(c, in.PolicyArn, map[string][]string{"aws:TagKeys": in.TagKeys})
	if err != nil {
		return nil, err
	}
	p.Tags = removeTags(p.Tags, in.TagKeys)
	return &iam.UntagPolicyOutput{}, putPolicy(c, p)
}

func listPolicyTags(c *engine.Call, in *iam.ListPolicyTagsInput) (*iam.ListPolicyTagsOutput, error) {
	p, err := policy(c, in.PolicyArn, nil)
	if err != nil {
		return nil, err
	}
	page, err := pageOfTags(p.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListPolicyTagsOutput{Tags: page.Items, IsTruncated: page.Truncated, Marker: page.Marker}, nil
}

// listEntitiesForPolicy pages over groups, roles and users, in this order.
func listEntitiesForPolicy(c *engine.Call, in *iam.ListEntitiesForPolicyInput) (*iam.ListEntitiesForPolicyOutput, error) {
	if _, err := policyKeys(in.PolicyArn); err != nil {
		return nil, err
	}
	if _, ok := authz.AWSManaged(*in.PolicyArn); ok {
		if err := c.Allow("iam:ListEntitiesForPolicy", *in.PolicyArn); err != nil {
			return nil, err
		}
	} else if _, err := policy(c, in.PolicyArn, nil); err != nil {
		return nil, err
	}
	page, err := newPage[struct{}](in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iam.ListEntitiesForPolicyOutput{PolicyGroups: []types.PolicyGroup{}, PolicyRoles: []types.PolicyRole{}, PolicyUsers: []types.PolicyUser{}}
	uses := func(p state.Permissions) bool {
		if in.PolicyUsageFilter == types.PolicyUsageTypePermissionsBoundary {
			return p.Boundary == *in.PolicyArn
		}
		return slices.Contains(p.Attached, *in.PolicyArn)
	}
	// take adds an entity of a kind that is asked for, and tells whether to go on.
	take := func(kind types.EntityType, key string, p state.Permissions, add func()) bool {
		if !uses(p) || (in.EntityFilter != "" && in.EntityFilter != kind) {
			return true
		}
		n := len(page.Items)
		more := page.add(string(kind)+key, struct{}{})
		if len(page.Items) > n {
			add()
		}
		return more
	}
	account := []string{c.Account()}
	if err := state.Groups.Scan(c.Tx, account, "", func(key string, g state.Group) bool {
		return take(types.EntityTypeGroup, key, g.Permissions, func() {
			out.PolicyGroups = append(out.PolicyGroups, types.PolicyGroup{GroupName: aws.String(g.Name), GroupId: aws.String(g.ID)})
		})
	}); err != nil {
		return nil, err
	}
	if err := state.Roles.Scan(c.Tx, account, "", func(key string, r state.Role) bool {
		return take(types.EntityTypeRole, key, r.Permissions, func() {
			out.PolicyRoles = append(out.PolicyRoles, types.PolicyRole{RoleName: aws.String(r.Name), RoleId: aws.String(r.ID)})
		})
	}); err != nil {
		return nil, err
	}
	if err := state.Users.Scan(c.Tx, account, "", func(key string, u state.User) bool {
		return take(types.EntityTypeUser, key, u.Permissions, func() {
			out.PolicyUsers = append(out.PolicyUsers, types.PolicyUser{UserName: aws.String(u.Name), UserId: aws.String(u.ID)})
		})
	}); err != nil {
		return nil, err
	}
	out.IsTruncated, out.Marker = page.Truncated, page.Marker
	return out, nil
}
