package catalog

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"

	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/plan"
)

// mostRemoved is how many tables one BatchDeleteTable takes
// (https://docs.aws.amazon.com/glue/latest/webapi/API_BatchDeleteTable.html).
const mostRemoved = 100

// Removal removes tables of a database, or resource links but not their targets, many
// at a time. A step names its table as its detail. One that does not exist is fine.
func (c *Catalog) Removal(database string) *plan.Batch {
	return &plan.Batch{Max: mostRemoved, Run: func(ctx context.Context, steps []*plan.Step) []error {
		errs := make([]error, len(steps))
		names := make([]string, len(steps))
		at := map[string]int{}
		for n, s := range steps {
			names[n], _ = s.Detail.(string)
			at[names[n]] = n
		}
		out, err := c.Client.BatchDeleteTable(ctx, &glue.BatchDeleteTableInput{CatalogId: c.id(), DatabaseName: aws.String(database), TablesToDelete: names})
		if err != nil {
			for n := range errs {
				errs[n] = fmt.Errorf("remove table %s.%s: %w", database, names[n], err)
			}
			return errs
		}
		for _, e := range out.Errors {
			detail := awserr.New("", "Glue does not say why")
			if d := e.ErrorDetail; d != nil {
				detail = awserr.New(aws.ToString(d.ErrorCode), aws.ToString(d.ErrorMessage))
			}
			if n, ok := at[aws.ToString(e.TableName)]; ok && !awserr.NotFound(detail) {
				errs[n] = fmt.Errorf("remove table %s.%s: %w", database, names[n], detail)
			}
		}
		return errs
	}}
}

// DeleteDatabase deletes a database with all that is in it. One that does not exist is
// fine.
func (c *Catalog) DeleteDatabase(ctx context.Context, name string) error {
	_, err := c.Client.DeleteDatabase(ctx, &glue.DeleteDatabaseInput{CatalogId: c.id(), Name: aws.String(name)})
	if err != nil && !awserr.NotFound(err) {
		return fmt.Errorf("delete database %s: %w", name, err)
	}
	return nil
}
