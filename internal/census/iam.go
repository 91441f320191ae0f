package census

import (
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// iam counts roles, users, groups and managed policies, with their policies and tags.
func (c *census) iam() error {
	client := iam.NewFromConfig(c.config)
	roles := iam.NewListRolesPaginator(client, &iam.ListRolesInput{})
	for roles.HasMorePages() {
		page, err := roles.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, r := range page.Roles {
			if err := c.role(client, aws.ToString(r.RoleName)); err != nil {
				return err
			}
		}
	}
	users := iam.NewListUsersPaginator(client, &iam.ListUsersInput{})
	for users.HasMorePages() {
		page, err := users.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, u := range page.Users {
			if err := c.note("iam", "user", u); err != nil {
				return err
			}
		}
	}
	groups := iam.NewListGroupsPaginator(client, &iam.ListGroupsInput{})
	for groups.HasMorePages() {
		page, err := groups.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, g := range page.Groups {
			if err := c.note("iam", "group", g); err != nil {
				return err
			}
		}
	}
	policies := iam.NewListPoliciesPaginator(client, &iam.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal})
	for policies.HasMorePages() {
		page, err := policies.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, p := range page.Policies {
			if err := c.note("iam", "policy", p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *census) role(client *iam.Client, name string) error {
	out, err := client.GetRole(c.ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return err
	}
	out.Role.RoleLastUsed = nil
	if err := c.note("iam", "role "+name, out.Role); err != nil {
		return err
	}
	inline, err := client.ListRolePolicies(c.ctx, &iam.ListRolePoliciesInput{RoleName: &name})
	if err != nil {
		return err
	}
	for _, policy := range inline.PolicyNames {
		got, err := client.GetRolePolicy(c.ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: &policy})
		if err != nil {
			return err
		}
		document, err := url.PathUnescape(aws.ToString(got.PolicyDocument))
		if err != nil {
			return err
		}
		if err := c.note("iam", "policy "+policy+" of role "+name, document); err != nil {
			return err
		}
	}
	attached, err := client.ListAttachedRolePolicies(c.ctx, &iam.ListAttachedRolePoliciesInput{RoleName: &name})
	if err != nil {
		return err
	}
	for _, p := range attached.AttachedPolicies {
		if err := c.note("iam", "attachment to role "+name, p); err != nil {
			return err
		}
	}
	return nil
}
