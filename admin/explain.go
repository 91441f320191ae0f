package admin

import (
	"context"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/producer"
)

// ExplainInput is what is asked.
type ExplainInput = chain.Question

// Explanation is why somebody can, or cannot, do something with a table.
type Explanation = chain.Explanation

// Explain tells why a principal can, or cannot, do something with a table of the mesh, as
// far as an administrator of the mesh account sees it: what was decided, who holds what,
// how it is shared, how the location is registered and what the role that reads there may
// do. Unlike an owner it is shown what others hold on all tables of a database. It changes
// nothing.
//
// The bucket's policy, its key and the table's source the owner alone sees, resource links
// and what was handed on the consumer: the answer is at best that it cannot be told. It is
// done by an administrator of the mesh account; elsewhere it is a
// [lakemesh.ErrWrongAccount]. It fails like the producer's, and is a
// [lakemesh.ErrAccessDenied] if the mesh's manager is no data lake administrator.
func (a *Admin) Explain(ctx context.Context, in ExplainInput) (*Explanation, error) {
	const op = "Explain"
	if err := a.inMesh(op); err != nil {
		return nil, err
	}
	if err := a.seesGrants(ctx, op); err != nil {
		return nil, err
	}
	manager, err := a.caller.Lazy(a.partition.RoleARN(a.mesh, lakemesh.ManagerRole))
	if err != nil {
		return nil, err
	}
	return producer.ExplainOnMesh(ctx, producer.MeshSide{Caller: a.caller, Manager: manager, Records: a.records(), Log: a.log}, in)
}
