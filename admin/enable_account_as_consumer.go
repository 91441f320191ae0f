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
	return &AccountOutput{lakemesh.RoleARN(a.mesh, lakemesh.MeshConsumerRole(in.AccountID))}, nil
}

// PlanEnableAccountAsConsumer says what [Admin.EnableAccountAsConsumer] would do.
func (a *Admin) PlanEnableAccountAsConsumer(ctx context.Context, in EnableConsumerInput) (*plan.Plan, error) {
	const op = "EnableAccountAsConsumer"
	if err := a.checkEnable(op, in.AccountID); err != nil {
		return nil, err
	}
	name := lakemesh.MeshConsumerRole(in.AccountID)
	found, legacyIDs, err := a.observeEnabled(ctx, op, name)
	if err != nil {
		return nil, err
	}
	want := role{
		name: name, description: "Acts in the data mesh for consumer " + in.AccountID,
		trust:            trustRole(lakemesh.RoleARN(in.AccountID, lakemesh.ConsumerRole)),
		policy:           meshConsumerPolicy(a.mesh, in.AccountID, legacyIDs),
		unknownPrincipal: fmt.Sprintf("initialize account %s as a consumer first", in.AccountID),
	}
	if err := a.checkRoleQuotas(ctx, []role{want}, []*foundRole{found}); err != nil {
		return nil, err
	}
	p := &plan.Plan{Operation: op}
	a.planRole(p, want, found)
	return p, nil
}
