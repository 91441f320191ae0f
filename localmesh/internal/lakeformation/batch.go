package lakeformation

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

// maxBatch bounds the entries of a batch. The API's model does not have the
// number, so no client checks it.
const maxBatch = 20

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_BatchGrantPermissions.html
func batchGrantPermissions(c *engine.Call, in *lakeformation.BatchGrantPermissionsInput) (*lakeformation.BatchGrantPermissionsOutput, error) {
	if err := c.Allow("lakeformation:BatchGrantPermissions"); err != nil {
		return nil, err
	}
	failures, err := batch(c, in.CatalogId, in.Entries, grant)
	return &lakeformation.BatchGrantPermissionsOutput{Failures: failures}, err
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_BatchRevokePermissions.html
func batchRevokePermissions(c *engine.Call, in *lakeformation.BatchRevokePermissionsInput) (*lakeformation.BatchRevokePermissionsOutput, error) {
	if err := c.Allow("lakeformation:BatchRevokePermissions"); err != nil {
		return nil, err
	}
	failures, err := batch(c, in.CatalogId, in.Entries, revoke)
	return &lakeformation.BatchRevokePermissionsOutput{Failures: failures}, err
}

// batch carries entries out one by one. An entry that fails is listed, and the
// others are done: the answer is a success in any case.
func batch(c *engine.Call, catalog *string, entries []types.BatchPermissionsRequestEntry, do func(*engine.Call, entry) error) ([]types.BatchPermissionsFailureEntry, error) {
	if len(entries) == 0 {
		return nil, invalid("Entries must be given.")
	}
	if len(entries) > maxBatch {
		return nil, invalid("A batch can have at most %d entries, not %d.", maxBatch, len(entries))
	}
	seen := map[string]bool{}
	for _, e := range entries {
		id := aws.ToString(e.Id)
		if id == "" || len(id) > 255 || seen[id] {
			return nil, invalid("Every entry needs an id of its own: %q", id)
		}
		seen[id] = true
	}
	var failures []types.BatchPermissionsFailureEntry
	for _, e := range entries {
		err := do(c, entry{
			catalog: catalog, principal: e.Principal, resource: e.Resource, condition: e.Condition,
			permissions: e.Permissions, grantable: e.PermissionsWithGrantOption,
		})
		if err == nil {
			continue
		}
		var refused *engine.APIError
		if !errors.As(err, &refused) {
			return nil, err
		}
		failures = append(failures, types.BatchPermissionsFailureEntry{
			RequestEntry: &e, Error: &types.ErrorDetail{ErrorCode: aws.String(refused.Code), ErrorMessage: aws.String(refused.Message)},
		})
	}
	return failures, nil
}
