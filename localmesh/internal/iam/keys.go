package iam

// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func accessKeyOperations() []engine.Operation {
	return []engine.Operation{
		write("CreateAccessKey", "permission on the user's ARN; two keys a user", createAccessKey),
		read("ListAccessKeys", "permission on the user's ARN; pages", listAccessKeys),
		write("UpdateAccessKey", "permission on the user's ARN; inactive keys are refused by every service", updateAccessKey),
		write("DeleteAccessKey", "permission on the user's ARN", deleteAccessKey),
	}
}

// keysOf returns the access keys of a user.
func keysOf(c *engine.Call, u state.User) ([]state.AccessKey, error) {
	var keys []state.AccessKey
	err := state.AccessKeys.Scan(c.Tx, nil, "", func(_ string, k state.AccessKey) bool {
		if k.Account == u.Account && strings.EqualFold(k.User, u.Name) {
			keys = append(keys, k)
		}
		return true
	})
	return keys, err
}

func keyStatus(k state.AccessKey) types.StatusType {
	if k.Active {
		return types.StatusTypeActive
	}
	return types.StatusTypeInactive
}

// keyUser finds the user that an operation on access keys is about.
func keyUser(c *engine.Call, name *string) (state.User, error) {
	name, err := callerName(c, name)
	if err != nil {
		return state.User{}, err
	}
	return user(c, name, nil)
}

func createAccessKey(c *engine.Call, in *iam.CreateAccessKeyInput) (*iam.CreateAccessKeyOutput, error) {
	u, err := keyUser(c, in.UserName)
	if err != nil {
		return nil, err
	}
	keys, err := keysOf(c, u)
	if err != nil {
		return nil, err
	}
	limit, err := quota(c, quotaKeysPerUser)
	if err != nil {
		return nil, err
	}
	if len(keys) >= limit {
		return nil, exceeded("AccessKeysPerUser", limit)
	}
	k := state.AccessKey{ID: c.Mesh.ID("AKIA", 16), Secret: c.Mesh.Secret(secretLength), Account: u.Account, User: u.Name, Active: true, Created: c.Now}
	if err := state.AccessKeys.Put(c.Tx, k, k.ID); err != nil {
		return nil, err
	}
	return &iam.CreateAccessKeyOutput{AccessKey: &types.AccessKey{
		AccessKeyId: aws.String(k.ID), SecretAccessKey: aws.String(k.Secret), Status: types.StatusTypeActive,
		UserName: aws.String(u.Name), CreateDate: aws.Time(k.Created),
	}}, nil
}

func listAccessKeys(c *engine.Call, in *iam.ListAccessKeysInput) (*iam.ListAccessKeysOutput, error) {
	u, err := keyUser(c, in.UserName)
	if err != nil {
		return nil, err
	}
	p, err := newPage[types.AccessKeyMetadata](in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	keys, err := keysOf(c, u)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if !p.add(k.ID, types.AccessKeyMetadata{AccessKeyId: aws.String(k.ID), Status: keyStatus(k), UserName: aws.String(u.Name), CreateDate: aws.Time(k.Created)}) {
			break
		}
	}
	return &iam.ListAccessKeysOutput{AccessKeyMetadata: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

// keyOf finds a key of a user.
func keyOf(c *engine.Call, u state.User, id *string) (state.AccessKey, error) {
	if id == nil {
		return state.AccessKey{}, mustNotBeNull("accessKeyId")
	}
	k, ok, err := state.AccessKeys.Get(c.Tx, *id)
	if err != nil {
		return k, err
	}
	if !ok || k.Account != u.Account || !strings.EqualFold(k.User, u.Name) {
		return k, noSuchEntity("The Access Key with id %s cannot be found.", *id)
	}
	return k, nil
}

func updateAccessKey(c *engine.Call, in *iam.UpdateAccessKeyInput) (*iam.UpdateAccessKeyOutput, error) {
	if in.Status != types.StatusTypeActive && in.Status != types.StatusTypeInactive {
		return nil, breaks("status", string(in.Status), "satisfy enum value set: [Active, Inactive]")
	}
	u, err := keyUser(c, in.UserName)
	if err != nil {
		return nil, err
	}
	k, err := keyOf(c, u, in.AccessKeyId)
	if err != nil {
		return nil, err
	}
	k.Active = in.Status == types.StatusTypeActive
	return &iam.UpdateAccessKeyOutput{}, state.AccessKeys.Put(c.Tx, k, k.ID)
}

func deleteAccessKey(c *engine.Call, in *iam.DeleteAccessKeyInput) (*iam.DeleteAccessKeyOutput, error) {
	u, err := keyUser(c, in.UserName)
	if err != nil {
		return nil, err
	}
	k, err := keyOf(c, u, in.AccessKeyId)
	if err != nil {
		return nil, err
	}
	return &iam.DeleteAccessKeyOutput{}, state.AccessKeys.Delete(c.Tx, k.ID)
}
