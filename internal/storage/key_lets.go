package storage

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// KeyRead is what a role does with a key when it reads an object of a bucket from S3.
type KeyRead struct {
	// Key is the key's ARN, Role the role.
	Key, Role string
	// Bucket is the bucket, and BucketKey whether it has a key of its own, so that KMS is told
	// the bucket and not the object
	// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html).
	Bucket    string
	BucketKey bool
}

// keys are the condition keys of the call that S3 makes for the role whose values are
// known. Those that describe the principal follow from it.
func (r KeyRead) keys() map[string][]string {
	about := bucketARN(r.Key, r.Bucket)
	if !r.BucketKey {
		about = objectARN(r.Key, r.Bucket, probe)
	}
	return map[string][]string{"kms:ViaService": {s3Of(r.Key)}, "kms:CallerAccount": {accountOf(r.Role)}, "aws:ResourceAccount": {accountOf(r.Key)},
		objectContext: {about}, "kms:EncryptionContextKeys": {"aws:s3:arn"}, "kms:EncryptionAlgorithm": {"SYMMETRIC_DEFAULT"}}
}

// objectContext is the condition key of what S3 tells KMS about: the object or its bucket
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html).
const objectContext = "kms:EncryptionContext:aws:s3:arn"

// s3Of is S3 as KMS names who calls it, in a key's region.
func s3Of(key string) string {
	region := ""
	if parts := strings.Split(key, ":"); len(parts) == 6 {
		region = parts[3]
	}
	return lakemesh.S3Service(region)
}

// KeyLets evaluates the policy of a key for a role that decrypts with it what it reads from
// S3, by IAM's rules. The role's own policies and grants of KMS are not looked at.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
func KeyLets(policy string, r KeyRead) (Letting, error) {
	return keyAllows(policy, keyUse{key: r.Key, role: r.Role, action: "kms:Decrypt", does: "to decrypt", keys: r.keys()})
}

// KeyWritable evaluates the policy of a key for a role that writes that policy. The role's
// own policies are not looked at.
func KeyWritable(policy, key, role string) (Letting, error) {
	return keyAllows(policy, keyUse{key: key, role: role, action: "kms:PutKeyPolicy", does: "to write it",
		keys: map[string][]string{"kms:CallerAccount": {accountOf(role)}, "aws:ResourceAccount": {accountOf(key)}, "kms:BypassPolicyLockoutSafetyCheck": {"false"}}})
}

// keyUse is one call on a key.
type keyUse struct {
	key, role, action string
	// does says the action in words.
	does string
	keys map[string][]string
}

func keyAllows(policy string, u keyUse) (Letting, error) {
	d, err := parse(policy)
	if err != nil {
		return Letting{}, fmt.Errorf("the policy of key %s: %w", u.key, err)
	}
	version := iampolicy.Version2008
	if d.variables() {
		version = withVariables
	}
	var l Letting
	var by []string
	for _, raw := range d.statements {
		if ineffective(raw) {
			continue
		}
		s, err := readStatement(raw, version)
		if err != nil {
			// What it lets or denies nobody here can tell.
			l.Perhaps = true
			l.Denied = append(l.Denied, Denied{Role: u.role, Text: fmt.Sprintf("the policy of key %s has a statement that cannot be evaluated (%s)", u.key, named(raw))})
			continue
		}
		known, depends := u.conditions(s.Conditions)
		s.Conditions = known
		r := reading{role: u.role}
		decision := iampolicy.Evaluate(iampolicy.Request{Action: u.action, Resource: u.key, Principal: r.principal(), Keys: u.keys},
			iampolicy.Policies{Identity: everything, ResourceAccount: accountOf(u.key), ResourceRequired: true, Resource: &iampolicy.Named{Name: u.key,
				Document: &iampolicy.Document{Version: version, Statements: []iampolicy.Statement{s}}}})
		switch {
		case decision.Effect == iampolicy.ExplicitDeny:
			l.Denied = append(l.Denied, Denied{Role: u.role, Certain: !depends, Text: fmt.Sprintf("the policy of key %s denies %s %s (%s)", u.key, u.role, u.does, named(raw))})
		case decision.Allowed && depends:
			l.Perhaps = true
			by = append(by, named(raw))
		case decision.Allowed:
			l.Open = true
			by = append(by, named(raw))
		}
	}
	l.By = strings.Join(by, ", ")
	return l, nil
}

// ineffective reports whether a statement of a key's policy says nothing of what or of which
// resource it is about. KMS takes such statements, and they have no effect
// (https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html).
func ineffective(raw json.RawMessage) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return false
	}
	return members["Action"] == nil && members["NotAction"] == nil || members["Resource"] == nil && members["NotResource"] == nil
}

// conditions are the conditions whose keys are known, and whether there are others.
func (u keyUse) conditions(all iampolicy.Conditions) (known iampolicy.Conditions, depends bool) {
	keys := map[string]bool{"aws:principalarn": true, "aws:principalaccount": true, "aws:principaltype": true, "aws:principalisawsservice": true}
	for name := range maps.Keys(u.keys) {
		keys[strings.ToLower(name)] = true
	}
	known = iampolicy.Conditions{}
	for operator, on := range all {
		for name, values := range on {
			if raw, err := json.Marshal(values); err != nil || !keys[strings.ToLower(name)] || strings.Contains(string(raw), "${") {
				depends = true
				continue
			}
			if known[operator] == nil {
				known[operator] = map[string][]string{}
			}
			known[operator][name] = values
		}
	}
	return known, depends
}
