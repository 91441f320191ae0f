package admin

import (
	"context"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

// InitializeConsumerInput says how a consumer's account is set up.
type InitializeConsumerInput struct {
	// Roles is what the role gets besides.
	Roles RoleOptions
	// LinkRegions are regions besides the mesh's in which the account links to products:
	// its role becomes a data lake administrator there, too. Those that it has stay.
	LinkRegions []string
}

// InitializeConsumerAccount makes DataMeshConsumer in a consumer's account, and a
// data lake administrator of that account of it: only administrators see what
// another account shares with theirs.
func (a *Admin) InitializeConsumerAccount(ctx context.Context, in InitializeConsumerInput) (*AccountOutput, error) {
	p, err := a.PlanInitializeConsumerAccount(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := a.apply(ctx, p); err != nil {
		return nil, err
	}
	arn := a.partition.RoleARN(a.account, lakemesh.ConsumerRole)
	if p.Count(plan.CreateRole)+p.Count(plan.UpdateRole) > 0 {
		a.awaitRoles(ctx, arn)
	}
	return &AccountOutput{arn}, nil
}

// PlanInitializeConsumerAccount says what [Admin.InitializeConsumerAccount] would do.
func (a *Admin) PlanInitializeConsumerAccount(ctx context.Context, in InitializeConsumerInput) (*plan.Plan, error) {
	const op = "InitializeConsumerAccount"
	if err := a.outsideMesh(op, "consumer"); err != nil {
		return nil, err
	}
	var err error
	if in.Roles, err = in.Roles.in(a.partition, a.account); err != nil {
		return nil, err
	}
	found, err := a.observeRole(ctx, lakemesh.ConsumerRole)
	if err != nil {
		return nil, err
	}
	if in.LinkRegions, err = a.linkRegions(in.LinkRegions, found); err != nil {
		return nil, err
	}
	p, err := a.planAccount(ctx, op, found, a.ownConsumer(in))
	if err != nil {
		return nil, err
	}
	return p, a.planLinkRegions(ctx, p, in.LinkRegions)
}

// ownConsumer is a consumer's role in its own account.
func (a *Admin) ownConsumer(in InitializeConsumerInput) role {
	return role{
		name: lakemesh.ConsumerRole, description: "Asks for data products and imports them into this account",
		trust: trustAccount(a.partition, a.account), options: in.Roles, policy: consumerPolicy(a.partition, a.mesh, a.account, in.LinkRegions),
	}
}
