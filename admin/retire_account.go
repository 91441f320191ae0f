package admin

import (
	"context"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

// RetireInput says which account stops being what.
type RetireInput struct {
	// Type is what it stops being.
	Type AccountType
	// Mesh opens an administrator of the mesh account, Account one of the account.
	// Account.MeshAccountID may be empty.
	Mesh, Account lakemesh.Options
}

// RetireAccount undoes [BootstrapAccount]: it disables an account in the mesh account and
// clears its own half, as [Admin.DisableAccount] and [Admin.ClearAccount] do. It is refused
// as these are before anything changes in either account, and is safe to repeat.
func RetireAccount(ctx context.Context, in RetireInput) (*DisableOutput, error) {
	r, err := openRetirement(ctx, in)
	if err != nil {
		return nil, err
	}
	// The buckets first: of a role that is gone their policies show an id that nobody knows.
	return r.own.carryOut(ctx, r.own.account, r.own.closing, r.mesh, r.own.rest)
}

// PlanRetireAccount says what [RetireAccount] would do.
func PlanRetireAccount(ctx context.Context, in RetireInput) (*plan.Plan, error) {
	r, err := openRetirement(ctx, in)
	if err != nil {
		return nil, err
	}
	whole := &plan.Plan{Operation: "RetireAccount"}
	whole.Append(r.own.closing)
	whole.Append(r.mesh, r.own.closing.Steps...)
	whole.Append(r.own.rest, whole.Steps...)
	return whole, nil
}

// retirement are the plans of both halves.
type retirement struct {
	own  *clearing
	mesh *plan.Plan
}

func openRetirement(ctx context.Context, in RetireInput) (*retirement, error) {
	b, err := openBootstrap(ctx, BootstrapInput{Type: in.Type, Mesh: in.Mesh, Account: in.Account})
	if err != nil {
		return nil, err
	}
	r := &retirement{}
	if r.mesh, err = b.mesh.PlanDisableAccount(ctx, DisableInput{AccountID: b.account.account, Type: in.Type}); err != nil {
		return nil, err
	}
	r.own, err = b.account.clearing(ctx, ClearInput{Type: in.Type})
	return r, err
}
