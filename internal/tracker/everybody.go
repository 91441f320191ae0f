package tracker

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/lakemesh/lakemesh"
)

// Everybody returns the subscriptions of all owners on which anything was decided. It
// reads the whole table of decisions to find the owners, those among them that are not
// enabled any more: only the mesh's administrator may.
func (t *Tracker) Everybody(ctx context.Context) ([]*Record, error) {
	const suffix = "-directory"
	pages := dynamodb.NewScanPaginator(t.client, &dynamodb.ScanInput{
		TableName: aws.String(lakemesh.DecisionsTable), ConsistentRead: aws.Bool(true),
		ProjectionExpression: aws.String("#k"), ExpressionAttributeNames: map[string]string{"#k": keyAttribute},
	})
	var owners []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, t.explain("AccessList", "", err)
		}
		for _, i := range page.Items {
			if owner, ok := strings.CutSuffix(text(i, keyAttribute), suffix); ok && lakemesh.CheckAccountID("owner", owner) == nil {
				owners = append(owners, owner)
			}
		}
	}
	var all []*Record
	for _, owner := range compact(owners) {
		decided, err := t.directory(ctx, owner)
		if err != nil {
			return nil, err
		}
		if err := t.list(ctx, decided, nil, "", true, func(r *Record) bool {
			all = append(all, r)
			return true
		}); err != nil {
			return nil, err
		}
	}
	return all, nil
}
