package producer

import (
	"context"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/plan"
)

// planBuckets plans the changes of bucket policies.
func (p *Producer) planBuckets(ctx context.Context, todo *plan.Plan, wanted storage.Wanted, after ...*plan.Step) error {
	buckets := p.ownBuckets()
	changes, err := buckets.PrepareAll(ctx, wanted)
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

// ownBuckets are the producer's buckets.
func (p *Producer) ownBuckets() storage.Buckets {
	return storage.Buckets{Client: p.own.s3, Account: p.account}
}
