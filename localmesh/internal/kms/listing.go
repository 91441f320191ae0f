package kms

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// paged is a page of a listing, and the marker of the next one.
func paged[T any](all []T, marker *string, limit *int32, usual, most int32) ([]T, *string, error) {
	size := usual
	if limit != nil {
		size = *limit
	}
	if size < 1 || size > most {
		return nil, nil, engine.Errorf("ValidationException", "1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value between 1 and %d", size, most)
	}
	from := 0
	if marker != nil {
		n, err := strconv.Atoi(*marker)
		if err != nil || n < 0 {
			return nil, nil, engine.Errorf("InvalidMarkerException", "The marker is invalid.")
		}
		from = min(n, len(all))
	}
	to := min(from+int(size), len(all))
	page := append([]T{}, all[from:to]...)
	if to == len(all) {
		return page, nil, nil
	}
	return page, aws.String(strconv.Itoa(to)), nil
}

func listKeys(c *engine.Call, in *kms.ListKeysInput) (*kms.ListKeysOutput, error) {
	if err := c.Allow("kms:ListKeys"); err != nil {
		return nil, err
	}
	var all []types.KeyListEntry
	err := state.KMSKeys.Scan(c.Tx, []string{c.Account(), c.Region}, "", func(_ string, k state.KMSKey) bool {
		all = append(all, types.KeyListEntry{KeyId: aws.String(k.ID), KeyArn: aws.String(k.ARN())})
		return true
	})
	if err != nil {
		return nil, err
	}
	const usual, most = 100, 1000
	page, next, err := paged(all, in.Marker, in.Limit, usual, most)
	return &kms.ListKeysOutput{Keys: page, NextMarker: next, Truncated: next != nil}, err
}

func listKeyPolicies(c *engine.Call, in *kms.ListKeyPoliciesInput) (*kms.ListKeyPoliciesOutput, error) {
	if _, err := open(c, in.KeyId, "kms:ListKeyPolicies", true); err != nil {
		return nil, err
	}
	const most = 1000
	page, next, err := paged([]string{policyName}, in.Marker, in.Limit, 100, most)
	return &kms.ListKeyPoliciesOutput{PolicyNames: page, NextMarker: next, Truncated: next != nil}, err
}
