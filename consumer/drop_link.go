package consumer

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/plan"
)

// dropLink adds the steps that drop a link of a region to a database of the mesh; summary says it. mine is what this
// account's role holds on it: an administrator may not drop what it did not make until it
// grants itself DROP
// (https://docs.aws.amazon.com/lake-formation/latest/dg/implicit-permissions.html).
func (c *Consumer) dropLink(todo *plan.Plan, at linkPlace, batches *permissions.Batches, link, target, summary string, mine lakemesh.Permissions, after []*plan.Step) {
	after = slices.Clone(after)
	if !mine.Has(lakemesh.Drop) && !mine.Has(lakemesh.All) {
		after = append(after, at.said(c, batches.Grant(todo, permissions.Entry{Principal: c.partition.RoleARN(c.account, lakemesh.ConsumerRole),
			Resource: permissions.Database(c.account, link), Permissions: lakemesh.NewPermissions(lakemesh.Drop)}))...)
	}
	todo.Add(plan.Step{
		Kind: plan.DeleteLink, Account: c.account, Resource: "database " + link + at.elsewhere(c),
		Summary: summary + at.elsewhere(c),
		Run: func(ctx context.Context) error {
			// A name can be given to something else in the meantime.
			db, ok, err := at.own.database(ctx, link)
			if err != nil || !ok || !at.linksTo(c, db, target) {
				return err
			}
			_, err = at.own.Client.DeleteDatabase(ctx, &glue.DeleteDatabaseInput{CatalogId: aws.String(c.account), Name: aws.String(link)})
			if identity.IsNotFound(err) {
				return nil
			}
			return identity.Explain(todo.Operation, c.account, "database "+link+at.elsewhere(c), err)
		},
	}, after...)
}
