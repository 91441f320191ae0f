package producer

import (
	"context"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/plan"
)

// planBuckets plans the changes of bucket policies.
func (p *Producer) planBuckets(ctx context.Context, todo *plan.Plan, wanted []storage.Access, after ...*plan.Step) error {
	if len(wanted) == 0 {
		return nil
	}
	buckets := storage.Buckets{Client: p.own.s3, Account: p.account}
	changes, err := buckets.Prepare(ctx, wanted...)
	if err != nil {
		return err
	}
	for _, c := range changes {
		buckets.Step(todo, c, after...)
	}
	return nil
}

// readsForAnother tells whether a role is the data access role of another producer
// of the mesh. Any producer can register any location, if only with its own role.
func (p *Producer) readsForAnother(role string) bool {
	return strings.HasPrefix(role, lakemesh.RoleARN(p.meshAccount, lakemesh.DataAccessRole(""))) && role != p.dataAccessRole()
}
