package kms

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// How long a key waits for its deletion, in days.
const (
	leastWait = 7
	mostWait  = 30
)

func invalidState(k state.KMSKey) error {
	if k.Deletion.IsZero() {
		return engine.Errorf("DisabledException", "%s is disabled.", k.ARN())
	}
	return engine.Errorf("KMSInvalidStateException", "%s is pending deletion.", k.ARN())
}

// usable refuses a key that cannot be used now
// (https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html).
func usable(k state.KMSKey) error {
	if k.Disabled || !k.Deletion.IsZero() {
		return invalidState(k)
	}
	return nil
}

func keyState(k state.KMSKey) types.KeyState {
	switch {
	case !k.Deletion.IsZero():
		return types.KeyStatePendingDeletion
	case k.Disabled:
		return types.KeyStateDisabled
	}
	return types.KeyStateEnabled
}

func put(c *engine.Call, k state.KMSKey) error {
	return state.KMSKeys.Put(c.Tx, k, k.Account, k.Region, k.ID)
}

func disableKey(c *engine.Call, in *kms.DisableKeyInput) (*kms.DisableKeyOutput, error) {
	return &kms.DisableKeyOutput{}, enable(c, in.KeyId, "kms:DisableKey", true)
}

func enableKey(c *engine.Call, in *kms.EnableKeyInput) (*kms.EnableKeyOutput, error) {
	return &kms.EnableKeyOutput{}, enable(c, in.KeyId, "kms:EnableKey", false)
}

func enable(c *engine.Call, id *string, action string, disabled bool) error {
	k, err := open(c, id, action, true)
	if err != nil {
		return err
	}
	if !k.Deletion.IsZero() {
		return invalidState(k)
	}
	k.Disabled = disabled
	return put(c, k)
}

func scheduleKeyDeletion(c *engine.Call, in *kms.ScheduleKeyDeletionInput) (*kms.ScheduleKeyDeletionOutput, error) {
	k, err := open(c, in.KeyId, "kms:ScheduleKeyDeletion", true)
	if err != nil {
		return nil, err
	}
	days := int32(mostWait)
	if in.PendingWindowInDays != nil {
		days = *in.PendingWindowInDays
	}
	if days < leastWait || days > mostWait {
		return nil, engine.Errorf("ValidationException", "1 validation error detected: Value at 'pendingWindowInDays' failed to satisfy constraint")
	}
	if !k.Deletion.IsZero() {
		return nil, invalidState(k)
	}
	k.Deletion = c.Now.Add(time.Duration(days) * 24 * time.Hour)
	return &kms.ScheduleKeyDeletionOutput{KeyId: aws.String(k.ARN()), KeyState: keyState(k), DeletionDate: aws.Time(k.Deletion), PendingWindowInDays: aws.Int32(days)}, put(c, k)
}

// cancelKeyDeletion keeps a key. It is disabled then.
func cancelKeyDeletion(c *engine.Call, in *kms.CancelKeyDeletionInput) (*kms.CancelKeyDeletionOutput, error) {
	k, err := open(c, in.KeyId, "kms:CancelKeyDeletion", true)
	if err != nil {
		return nil, err
	}
	if k.Deletion.IsZero() {
		return nil, engine.Errorf("KMSInvalidStateException", "%s is not pending deletion.", k.ARN())
	}
	k.Deletion, k.Disabled = time.Time{}, true
	return &kms.CancelKeyDeletionOutput{KeyId: aws.String(k.ARN())}, put(c, k)
}
