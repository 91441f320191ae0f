package kms

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// maxPolicy is the size of a key policy
// (https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html).
const maxPolicy = 32 * 1024

// policyName is the only name that a key policy has.
const policyName = "default"

func malformed(message string) error {
	return engine.Errorf("MalformedPolicyDocumentException", "%s", message)
}

func notFound(arn string) error {
	return engine.Errorf("NotFoundException", "Key '%s' does not exist", arn)
}

// find reads a key by its ARN or that of an alias, or by its id or an alias in the
// caller's account. arn is its ARN also where there is none.
func find(c *engine.Call, id string) (_ state.KMSKey, arn string, ok bool, err error) {
	account, region := c.Account(), c.Region
	if parts := strings.SplitN(id, ":", 6); len(parts) == 6 && parts[0] == "arn" && parts[1] == "aws" && parts[2] == "kms" {
		region, account, id = parts[3], parts[4], strings.TrimPrefix(parts[5], "key/")
	}
	if strings.HasPrefix(id, "alias/") {
		a, ok, err := state.KMSAliases.Get(c.Tx, account, region, id)
		if err != nil || !ok {
			return state.KMSKey{}, aliasARN(state.KMSAlias{Name: id, Account: account, Region: region}), false, err
		}
		id = a.Key
	}
	k, ok, err := state.KMSKeys.Get(c.Tx, account, region, id)
	return k, state.KMSKey{ID: id, Account: account, Region: region}.ARN(), ok, err
}

// question asks for an action on a key. The key's policy has to allow in its own account,
// too (https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html).
func question(c *engine.Call, k state.KMSKey, action string) authz.Question {
	keys := map[string][]string{"kms:CallerAccount": {c.Account()}}
	for key, value := range k.Tags {
		keys["aws:ResourceTag/"+key] = []string{value}
	}
	return authz.Question{Action: action, Resources: []string{k.ARN()}, ResourcePolicy: k.Policy, ResourcePolicyName: "policy of key " + k.ARN(),
		ResourceAccount: k.Account, ResourceRequired: true, Keys: keys}
}

// open finds a key and asks for permission on it.
func open(c *engine.Call, id *string, action string, ownOnly bool) (state.KMSKey, error) {
	return openWith(c, id, action, ownOnly, nil)
}

// openWith does what open does, with condition keys of the request.
func openWith(c *engine.Call, id *string, action string, ownOnly bool, keys map[string][]string) (state.KMSKey, error) {
	if aws.ToString(id) == "" {
		c.Authorized()
		return state.KMSKey{}, engine.Errorf("ValidationException", "1 validation error detected: Value at 'keyId' failed to satisfy constraint: Member must not be null")
	}
	k, arn, ok, err := find(c, *id)
	if err != nil {
		return k, err
	}
	if !ok {
		if err := c.Authorize(authz.Question{Action: action, Resources: []string{arn}, IdentityOnly: true}); err != nil {
			return k, err
		}
		return k, notFound(arn)
	}
	q := question(c, k, action)
	maps.Copy(q.Keys, keys)
	if err := c.Authorize(q); err != nil {
		return k, err
	}
	if ownOnly && k.Account != c.Account() {
		return k, c.Denied("User: " + c.Caller.ARN + " is not authorized to perform: " + action + " on resource: " + arn)
	}
	return k, nil
}

func metadata(k state.KMSKey) *types.KeyMetadata {
	return &types.KeyMetadata{KeyId: aws.String(k.ID), Arn: aws.String(k.ARN()), AWSAccountId: aws.String(k.Account), CreationDate: aws.Time(k.Created),
		Description: aws.String(k.Description), Enabled: usable(k) == nil, KeyManager: types.KeyManagerTypeCustomer, KeyState: keyState(k), DeletionDate: deletion(k),
		KeyUsage: types.KeyUsageTypeEncryptDecrypt, KeySpec: types.KeySpecSymmetricDefault, Origin: types.OriginTypeAwsKms,
		EncryptionAlgorithms: []types.EncryptionAlgorithmSpec{types.EncryptionAlgorithmSpecSymmetricDefault}}
}

func deletion(k state.KMSKey) *time.Time {
	if k.Deletion.IsZero() {
		return nil
	}
	return &k.Deletion
}

func createKey(c *engine.Call, in *kms.CreateKeyInput) (*kms.CreateKeyOutput, error) {
	// CreateKey and, for its tags, TagResource name no key that could be meant.
	if err := c.Authorize(authz.Question{Action: "kms:CreateKey", Resources: []string{"*"}, IdentityOnly: true, Keys: requestTags(in.Tags)}); err != nil {
		return nil, err
	}
	if len(in.Tags) > 0 {
		if err := c.Authorize(authz.Question{Action: "kms:TagResource", Resources: []string{"*"}, IdentityOnly: true, Keys: requestTags(in.Tags)}); err != nil {
			return nil, err
		}
	}
	if in.KeySpec != "" && in.KeySpec != types.KeySpecSymmetricDefault || in.KeyUsage != "" && in.KeyUsage != types.KeyUsageTypeEncryptDecrypt {
		return nil, engine.Errorf("UnsupportedOperationException", "the local mesh has symmetric keys for encryption only")
	}
	k := state.KMSKey{ID: c.Mesh.UUID(), Account: c.Account(), Region: c.Region, Description: aws.ToString(in.Description), Created: c.Now}
	var err error
	if k.Tags, err = tagged(nil, in.Tags); err != nil {
		return nil, err
	}
	policy := aws.ToString(in.Policy)
	if policy == "" {
		policy = fmt.Sprintf(`{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"kms:*","Resource":"*"}]}`, k.Account)
	}
	if err := write(c, k, policy, in.BypassPolicyLockoutSafetyCheck); err != nil {
		return nil, err
	}
	return &kms.CreateKeyOutput{KeyMetadata: metadata(k)}, nil
}

func describeKey(c *engine.Call, in *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
	k, err := open(c, in.KeyId, "kms:DescribeKey", false)
	if err != nil {
		return nil, err
	}
	return &kms.DescribeKeyOutput{KeyMetadata: metadata(k)}, nil
}

func getKeyPolicy(c *engine.Call, in *kms.GetKeyPolicyInput) (*kms.GetKeyPolicyOutput, error) {
	k, err := open(c, in.KeyId, "kms:GetKeyPolicy", true)
	if err != nil {
		return nil, err
	}
	if name := aws.ToString(in.PolicyName); name != "" && name != policyName {
		return nil, engine.Errorf("NotFoundException", "No such policy exists")
	}
	text, err := authz.ShowPrincipals(c.Tx, k.Policy, k.Principals)
	if err != nil {
		return nil, err
	}
	return &kms.GetKeyPolicyOutput{Policy: &text, PolicyName: aws.String(policyName)}, nil
}

func putKeyPolicy(c *engine.Call, in *kms.PutKeyPolicyInput) (*kms.PutKeyPolicyOutput, error) {
	k, err := openWith(c, in.KeyId, "kms:PutKeyPolicy", true, map[string][]string{"kms:BypassPolicyLockoutSafetyCheck": {strconv.FormatBool(in.BypassPolicyLockoutSafetyCheck)}})
	if err != nil {
		return nil, err
	}
	if name := aws.ToString(in.PolicyName); name != "" && name != policyName {
		return nil, engine.Errorf("NotFoundException", "No such policy exists")
	}
	if err := write(c, k, aws.ToString(in.Policy), in.BypassPolicyLockoutSafetyCheck); err != nil {
		return nil, err
	}
	return &kms.PutKeyPolicyOutput{}, nil
}

// write checks a key policy and keeps it.
func write(c *engine.Call, k state.KMSKey, policy string, bypass bool) error {
	if len(policy) > maxPolicy {
		return engine.Errorf("LimitExceededException", "The policy document is too large")
	}
	d, err := iampolicy.Parse([]byte(policy))
	if err == nil {
		err = d.Validate(iampolicy.ResourceBased)
	}
	if err != nil {
		return malformed(err.Error())
	}
	k.Principals, err = authz.HoldPrincipals(c.Tx, d, c.Unknown)
	var unknown *authz.PrincipalError
	if errors.As(err, &unknown) {
		return malformed("Policy contains a statement with one or more invalid principals.")
	}
	if err != nil {
		return err
	}
	k.Policy = d.String()
	if !bypass {
		q := question(c, k, "kms:PutKeyPolicy")
		q.Keys["kms:BypassPolicyLockoutSafetyCheck"] = []string{"false"}
		allowed, err := c.Decide(q)
		if err != nil {
			return err
		}
		if !allowed.Allowed {
			return malformed("The new key policy will not allow you to update the key policy in the future.")
		}
	}
	return state.KMSKeys.Put(c.Tx, k, k.Account, k.Region, k.ID)
}

// ErrNoKey is the error of a key that does not exist.
var ErrNoKey = errors.New("the key does not exist")

// Managed reports whether a name is that of the key that AWS manages for S3.
func Managed(key string) bool { return key == "" || strings.HasSuffix(key, "alias/aws/s3") }

// ErrUnusable is the error of a key that is disabled or going to be deleted.
var ErrUnusable = errors.New("the key cannot be used")

// Resolve is the ARN of the key that a caller names to S3. An alias without an account is
// of the caller's
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html).
func Resolve(c *engine.Call, key string) (string, error) {
	if Managed(key) {
		return key, nil
	}
	_, arn, ok, err := find(c, key)
	if err == nil && !ok {
		err = ErrNoKey
	}
	return arn, err
}

// ForS3 decides whether the caller may use a key through S3, for a bucket's object. owner
// is the bucket's account. The key that AWS manages lets everybody of its account
// through, and nobody else
// (https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html).
func ForS3(c *engine.Call, owner, key, action, resource string) (authz.Decision, error) {
	if Managed(key) {
		if c.Account() == owner {
			return authz.Decision{Allowed: true}, nil
		}
		return authz.Decision{Reason: fmt.Sprintf("User: %s is not authorized to perform: %s on the resource associated with this ciphertext because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access", c.Caller.ARN, action)}, nil
	}
	k, _, ok, err := find(c, key)
	if err != nil {
		return authz.Decision{}, err
	}
	if !ok {
		return authz.Decision{}, ErrNoKey
	}
	if usable(k) != nil {
		return authz.Decision{}, fmt.Errorf("%w: %w", ErrUnusable, usable(k))
	}
	q := question(c, k, action)
	q.Keys["kms:ViaService"] = []string{lakemesh.S3Service(c.Region)}
	q.Keys["kms:EncryptionContext:aws:s3:arn"] = []string{resource}
	q.Keys["kms:EncryptionContextKeys"] = []string{"aws:s3:arn"}
	q.Forwarded = true
	return c.Decide(q)
}
