package admin

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/glue"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/poll"
)

// awaitRoles waits until roles that were made a moment ago open one from the other,
// and until the policies of each are known, so that a persona can be opened and can
// work at once. AWS refuses both for up to a minute, in the words that it has for
// what will never be allowed. An administrator whom a policy keeps from opening them
// cannot see that, and need not.
func (a *Admin) awaitRoles(ctx context.Context, roles ...string) {
	err := poll.Until(ctx, identity.Propagation, "the new roles to be usable", func(ctx context.Context) (bool, error) {
		from := a.caller.Once()
		for i, role := range roles {
			next, err := from.Assume(ctx, role)
			if err != nil {
				if i == 0 && identity.IsOwnDenial(err) {
					return false, err
				}
				return false, notYetIfDenied(err)
			}
			if err := a.tryRole(ctx, role, next); err != nil {
				return false, notYetIfDenied(err)
			}
			from = next
		}
		return true, nil
	})
	if err != nil {
		a.log.WarnContext(ctx, "could not see whether the new roles are usable", "account", a.account, "error", err)
	}
}

func notYetIfDenied(err error) error {
	if identity.IsAccessDenied(err) {
		return poll.NotYet(err)
	}
	return err
}

// tryRole makes a call that the role's policy allows and that changes nothing.
func (a *Admin) tryRole(ctx context.Context, arn string, as *identity.Identity) error {
	switch arn {
	case a.partition.RoleARN(a.account, lakemesh.ProducerRole), a.partition.RoleARN(a.account, lakemesh.ConsumerRole):
		_, err := glue.NewFromConfig(as.Config).GetDatabases(ctx, &glue.GetDatabasesInput{MaxResults: aws.Int32(1)})
		return err
	case a.partition.RoleARN(a.mesh, lakemesh.MeshProducerRole(a.account)), a.partition.RoleARN(a.mesh, lakemesh.MeshConsumerRole(a.account)):
		_, err := dynamodb.NewFromConfig(as.Config).GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(lakemesh.DecisionsTable), Key: memberItem()})
		return err
	}
	return nil
}
