package kms

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

// How often a key's material is replaced, in days
// (https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html).
const (
	leastRotation = 90
	mostRotation  = 2560
	usualRotation = 365
)

// enableKeyRotation and its sibling keep the setting; nothing is encrypted, so nothing rotates.
func enableKeyRotation(c *engine.Call, in *kms.EnableKeyRotationInput) (*kms.EnableKeyRotationOutput, error) {
	days := int32(usualRotation)
	if in.RotationPeriodInDays != nil {
		days = *in.RotationPeriodInDays
	}
	return &kms.EnableKeyRotationOutput{}, rotate(c, in.KeyId, "kms:EnableKeyRotation", days)
}

func disableKeyRotation(c *engine.Call, in *kms.DisableKeyRotationInput) (*kms.DisableKeyRotationOutput, error) {
	return &kms.DisableKeyRotationOutput{}, rotate(c, in.KeyId, "kms:DisableKeyRotation", 0)
}

// rotate sets how often a key's material is replaced; 0 is never.
func rotate(c *engine.Call, id *string, action string, days int32) error {
	k, err := open(c, id, action, true)
	if err != nil {
		return err
	}
	if err := usable(k); err != nil {
		return err
	}
	if days != 0 && (days < leastRotation || days > mostRotation) {
		return engine.Errorf("ValidationException", "1 validation error detected: Value '%d' at 'rotationPeriodInDays' failed to satisfy constraint: Member must have value between %d and %d",
			days, leastRotation, mostRotation)
	}
	k.Rotated = days != 0
	if k.Rotated {
		k.RotationDays = days
	}
	return put(c, k)
}

func getKeyRotationStatus(c *engine.Call, in *kms.GetKeyRotationStatusInput) (*kms.GetKeyRotationStatusOutput, error) {
	k, err := open(c, in.KeyId, "kms:GetKeyRotationStatus", false)
	if err != nil {
		return nil, err
	}
	if !k.Deletion.IsZero() {
		return nil, invalidState(k)
	}
	out := &kms.GetKeyRotationStatusOutput{KeyId: aws.String(k.ARN()), KeyRotationEnabled: k.Rotated}
	if k.Rotated {
		out.RotationPeriodInDays = aws.Int32(k.RotationDays)
		out.NextRotationDate = aws.Time(k.Created.Add(time.Duration(k.RotationDays) * 24 * time.Hour))
	}
	return out, nil
}
