package admin

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/plan"
)

// observeOurRole reads a role that is to be removed. A role of the name at another path
// is somebody else's, and there is none of ours then: names are unique in an account. One
// of our name and path without our tag may be somebody else's, and is refused: who makes a
// role of the mesh tags it.
func (a *Admin) observeOurRole(ctx context.Context, op, name string) (*foundRole, error) {
	found, err := a.findRole(ctx, name)
	if err != nil {
		return nil, err
	}
	switch {
	case !found.exists, found.arn != a.partition.RoleARN(a.account, name):
		return &foundRole{}, nil
	case found.tags[lakemesh.SolutionTag] != lakemesh.SolutionValue:
		return nil, &lakemesh.Error{Op: op, Account: a.account, Resource: "role " + name, Kind: lakemesh.ErrConflict,
			Message: fmt.Sprintf("it has not the tag %s=%s, by which roles of the mesh are known, and may be somebody else's", lakemesh.SolutionTag, lakemesh.SolutionValue),
			Hint:    "if it is somebody else's, rename or remove it yourself; if it is the mesh's, give it the tag, in the mesh account or in its own",
			Do:      []lakemesh.Call{lakemesh.Do("admin.UpgradeMesh"), lakemesh.Do("admin.InitializeProducerAccount"), lakemesh.Do("admin.InitializeConsumerAccount")}}
	}
	return found, nil
}

// planRoleRemoval adds the step that removes a role with its policies, or returns nil if
// there is none.
func (a *Admin) planRoleRemoval(p *plan.Plan, name string, found *foundRole, after ...*plan.Step) *plan.Step {
	if !found.exists {
		return nil
	}
	if len(found.foreign) > 0 {
		p.Warn("role %s also has %s: what is attached is detached and stays, what is inline goes with the role", name, strings.Join(found.foreign, ", "))
	}
	return p.Add(plan.Step{Kind: plan.DeleteRole, Account: a.account, Resource: "role " + found.arn, Summary: "remove role " + name,
		Run: func(ctx context.Context) error { return a.removeRole(ctx, name) }}, after...)
}

// removeRole removes a role: first what it may do, then what keeps IAM from deleting it,
// then itself. Whatever is gone already is fine.
func (a *Admin) removeRole(ctx context.Context, name string) error {
	gone, err := a.removeInline(ctx, name, inlinePolicy)
	if err != nil || gone {
		return err
	}
	// Listed to the end first: a list from which something goes while it is read may skip
	// something else.
	var others []string
	inline := iam.NewListRolePoliciesPaginator(a.iam, &iam.ListRolePoliciesInput{RoleName: &name})
	for inline.HasMorePages() {
		page, err := inline.NextPage(ctx)
		if err != nil {
			return a.removal("ListRolePolicies", name, err)
		}
		others = append(others, page.PolicyNames...)
	}
	for _, policy := range others {
		if _, err := a.removeInline(ctx, name, policy); err != nil {
			return err
		}
	}
	var attachments []*string
	attached := iam.NewListAttachedRolePoliciesPaginator(a.iam, &iam.ListAttachedRolePoliciesInput{RoleName: &name})
	for attached.HasMorePages() {
		page, err := attached.NextPage(ctx)
		if err != nil {
			return a.removal("ListAttachedRolePolicies", name, err)
		}
		for _, policy := range page.AttachedPolicies {
			attachments = append(attachments, policy.PolicyArn)
		}
	}
	for _, arn := range attachments {
		_, err := a.iam.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &name, PolicyArn: arn})
		if err := a.removal("DetachRolePolicy", name, err); err != nil {
			return err
		}
	}
	_, err = a.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name})
	if identity.HasCode(err, "DeleteConflict", "DeleteConflictException") {
		return &lakemesh.Error{Op: "DeleteRole", Account: a.account, Resource: "role " + name, Kind: lakemesh.ErrConflict, Code: "DeleteConflict", Err: err,
			Message: "something is still attached to it, which was not made by lakemesh", Hint: "an instance profile, most likely: take the role out of it, and run the same command again"}
	}
	return a.removal("DeleteRole", name, err)
}

// removeInline removes an inline policy, and reports whether the role itself is gone.
func (a *Admin) removeInline(ctx context.Context, name, policy string) (gone bool, err error) {
	_, err = a.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: aws.String(policy)})
	if err == nil || !identity.IsNotFound(err) {
		return false, a.removal("DeleteRolePolicy", name, err)
	}
	// IAM has one code for a policy and for a role that is not there.
	_, err = a.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if identity.IsNotFound(err) {
		return true, nil
	}
	return false, a.removal("GetRole", name, err)
}

// removal words an error of a call that removes something; what is not there is none.
func (a *Admin) removal(op, name string, err error) error {
	if err == nil || identity.IsNotFound(err) {
		return nil
	}
	return identity.Explain(op, a.account, "role "+name, err)
}
