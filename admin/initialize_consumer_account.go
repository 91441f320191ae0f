package admin

import (
	"context"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

// InitializeConsumerInput says how a consumer's account is set up.
type InitializeConsumerInput struct{}

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
	return &AccountOutput{lakemesh.RoleARN(a.account, lakemesh.ConsumerRole)}, nil
}

// PlanInitializeConsumerAccount says what [Admin.InitializeConsumerAccount] would do.
func (a *Admin) PlanInitializeConsumerAccount(ctx context.Context, _ InitializeConsumerInput) (*plan.Plan, error) {
	const op = "InitializeConsumerAccount"
	if err := a.outsideMesh(op, "consumer"); err != nil {
		return nil, err
	}
	return a.planAccount(ctx, op, role{
		name: lakemesh.ConsumerRole, description: "Asks for data products and imports them into this account",
		trust: trustAccount(a.account), policy: consumerPolicy(a.mesh, a.account),
	})
}
