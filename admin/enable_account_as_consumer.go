package admin

import (
	"context"
	"fmt"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

// EnableConsumerInput says which account becomes a consumer.
type EnableConsumerInput struct {
	// AccountID is the consumer's account. It must have been initialized.
	AccountID string
	// Roles is what the role gets besides.
	Roles RoleOptions
}

// EnableAccountAsConsumer lets an account ask for data products: it makes the
// account's role in the mesh account, which trusts DataMeshConsumer of that account
// and nobody else.
func (a *Admin) EnableAccountAsConsumer(ctx context.Context, in EnableConsumerInput) (*AccountOutput, error) {
	p, err := a.PlanEnableAccountAsConsumer(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := a.apply(ctx, p); err != nil {
		return nil, err
	}
	return &AccountOutput{a.partition.RoleARN(a.mesh, lakemesh.MeshConsumerRole(in.AccountID))}, nil
}

// PlanEnableAccountAsConsumer says what [Admin.EnableAccountAsConsumer] would do.
func (a *Admin) PlanEnableAccountAsConsumer(ctx context.Context, in EnableConsumerInput) (*plan.Plan, error) {
	return a.planEnableConsumer(ctx, in, false)
}

// planEnableConsumer plans the mesh account's half. fresh says that the account's own
// role is made by the same plan.
func (a *Admin) planEnableConsumer(ctx context.Context, in EnableConsumerInput, fresh bool) (*plan.Plan, error) {
	const op = "EnableAccountAsConsumer"
	if err := a.checkEnable(op, in.AccountID); err != nil {
		return nil, err
	}
	var err error
	if in.Roles, err = in.Roles.in(a.partition, a.mesh); err != nil {
		return nil, err
	}
	mesh, err := a.observeEnabling(ctx, op)
	if err != nil {
		return nil, err
	}
	return a.planConsumer(ctx, op, in, mesh, fresh)
}

// planConsumer plans what a consumer has in the mesh account, which has the members
// given.
func (a *Admin) planConsumer(ctx context.Context, op string, in EnableConsumerInput, mesh members, fresh bool) (*plan.Plan, error) {
	want := a.meshConsumer(in.AccountID)
	want.options, want.newPrincipal = in.Roles, fresh
	found, err := a.observeRole(ctx, want.name)
	if err != nil {
		return nil, err
	}
	if err := a.checkRoleQuotas(ctx, []role{want}, []*foundRole{found}); err != nil {
		return nil, err
	}
	p := &plan.Plan{Operation: op}
	step := a.planRole(p, want, found)
	a.planMember(p, mesh, Consumer, in.AccountID, step)
	return p, nil
}

// meshConsumer is a consumer's role in the mesh account.
func (a *Admin) meshConsumer(account string) role {
	return role{
		name: lakemesh.MeshConsumerRole(account), description: "Acts in the data mesh for consumer " + account,
		trust: trustRole(a.partition.RoleARN(account, lakemesh.ConsumerRole)), policy: meshConsumerPolicy(a.partition, a.mesh, account),
		unknownPrincipal: fmt.Sprintf("initialize account %s as a consumer first", account),
	}
}
