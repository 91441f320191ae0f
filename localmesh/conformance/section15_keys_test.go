package conformance_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func (w *world) kms(principal string) *kms.Client { return kms.NewFromConfig(w.mesh.Config(principal)) }

// sealed is the owner's bucket that encrypts with a key of the owner's, and has an object.
type sealed struct {
	*world
	key string
}

const vault = "vault"

func newSealed(t *testing.T, named func(w *world, key string) string, bucketKey bool) *sealed {
	t.Helper()
	w := newWorld(t)
	out, err := w.kms(adminOf(owner)).CreateKey(w.ctx, &kms.CreateKeyInput{})
	w.must(err)
	s := &sealed{w, aws.ToString(out.KeyMetadata.Arn)}
	client := w.s3(adminOf(owner))
	w.must2(client.CreateBucket(w.ctx, &s3.CreateBucketInput{Bucket: aws.String(vault)}))
	name := s.key
	if named != nil {
		name = named(w, s.key)
	}
	w.must2(client.PutBucketEncryption(w.ctx, &s3.PutBucketEncryptionInput{Bucket: aws.String(vault), ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{
		Rules: []s3types.ServerSideEncryptionRule{{BucketKeyEnabled: &bucketKey, ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAwsKms, KMSMasterKeyID: &name}}}}}))
	w.must2(client.PutObject(w.ctx, &s3.PutObjectInput{Bucket: aws.String(vault), Key: aws.String("a/b"), Body: strings.NewReader("c")}))
	w.must2(client.PutBucketPolicy(w.ctx, &s3.PutBucketPolicyInput{Bucket: aws.String(vault), Policy: aws.String(policyOf(
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + recipient + `:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::` + vault + `/*"}`))}))
	return s
}

// lets gives the key the default statement and another.
func (s *sealed) lets(statement string) {
	s.Helper()
	s.must2(s.kms(adminOf(owner)).PutKeyPolicy(s.ctx, &kms.PutKeyPolicyInput{KeyId: &s.key, Policy: aws.String(policyOf(
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::`+owner+`:root"},"Action":"kms:*","Resource":"*"}`, statement))}))
}

func (s *sealed) reads(principal string) error {
	out, err := s.s3(principal).GetObject(s.ctx, &s3.GetObjectInput{Bucket: aws.String(vault), Key: aws.String("a/b")})
	if err == nil {
		_, err = io.Copy(io.Discard, out.Body)
	}
	return err
}

// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
func TestKeys(t *testing.T) {
	t.Parallel()
	allow := func(more string) string {
		return `{"Effect":"Allow","Principal":{"AWS":"` + adminOf(recipient) + `"},"Action":"kms:Decrypt","Resource":"*"` + more + `}`
	}
	for _, bucketKey := range []bool{false, true} {
		for context, want := range map[string]bool{"": true, vault: bucketKey, vault + "/*": !bucketKey, vault + "/a/*": !bucketKey, "other/*": false} {
			holds(t, "15.1", fmt.Sprintf("for %q, bucket key %t", context, bucketKey), func(t *testing.T) {
				s := newSealed(t, nil, bucketKey)
				if err := s.reads(adminOf(recipient)); err == nil {
					t.Error("it is read without the key's consent")
				}
				more := ""
				if context != "" {
					more = `,"Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"},"StringLike":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::` + context + `"}}`
				}
				s.lets(allow(more))
				if err := s.reads(adminOf(recipient)); (err == nil) != want {
					t.Errorf("reads: %v", err)
				}
			})
		}
	}
	holds(t, "15.2", "disabled, going to be deleted, kept", func(t *testing.T) {
		s := newSealed(t, nil, false)
		client := s.kms(adminOf(owner))
		is := func(state kmstypes.KeyState, usable bool) {
			t.Helper()
			out, err := client.DescribeKey(s.ctx, &kms.DescribeKeyInput{KeyId: &s.key})
			s.must(err)
			if err := s.reads(adminOf(owner)); out.KeyMetadata.KeyState != state || (err == nil) != usable {
				t.Errorf("it is %s, want %s; %v", out.KeyMetadata.KeyState, state, err)
			}
			_, err = client.GetKeyPolicy(s.ctx, &kms.GetKeyPolicyInput{KeyId: &s.key})
			s.must(err)
		}
		is(kmstypes.KeyStateEnabled, true)
		s.must2(client.DisableKey(s.ctx, &kms.DisableKeyInput{KeyId: &s.key}))
		is(kmstypes.KeyStateDisabled, false)
		s.must2(client.ScheduleKeyDeletion(s.ctx, &kms.ScheduleKeyDeletionInput{KeyId: &s.key, PendingWindowInDays: aws.Int32(7)}))
		is(kmstypes.KeyStatePendingDeletion, false)
		if _, err := client.EnableKey(s.ctx, &kms.EnableKeyInput{KeyId: &s.key}); err == nil {
			t.Error("what is going to be deleted was enabled")
		}
		s.must2(client.CancelKeyDeletion(s.ctx, &kms.CancelKeyDeletionInput{KeyId: &s.key}))
		is(kmstypes.KeyStateDisabled, false)
		s.must2(client.EnableKey(s.ctx, &kms.EnableKeyInput{KeyId: &s.key}))
		is(kmstypes.KeyStateEnabled, true)
	})
	holds(t, "15.3", "an alias", func(t *testing.T) {
		s := newSealed(t, func(w *world, key string) string {
			w.must2(w.kms(adminOf(owner)).CreateAlias(w.ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/vault"), TargetKeyId: &key}))
			return "alias/vault"
		}, false)
		out, err := s.kms(adminOf(owner)).DescribeKey(s.ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/vault")})
		s.must(err)
		if aws.ToString(out.KeyMetadata.Arn) != s.key {
			t.Errorf("behind the alias is %s", aws.ToString(out.KeyMetadata.Arn))
		}
		s.lets(allow(""))
		s.must(s.reads(adminOf(recipient)))
		if _, err := s.kms(adminOf(recipient)).DescribeKey(s.ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/vault")}); err == nil {
			t.Error("another account finds it by its name alone")
		}
		for _, name := range []string{"vault", "alias/aws/vault", "alias/vault", "alias/a b"} {
			if _, err := s.kms(adminOf(owner)).CreateAlias(s.ctx, &kms.CreateAliasInput{AliasName: aws.String(name), TargetKeyId: &s.key}); err == nil {
				t.Errorf("%q became an alias", name)
			}
		}
	})
	holds(t, "15.4", "who writes a policy can write it again", func(t *testing.T) {
		s := newSealed(t, nil, false)
		other := aws.String(policyOf(`{"Effect":"Allow","Principal":{"AWS":"` + adminOf(recipient) + `"},"Action":"kms:*","Resource":"*"}`))
		if _, err := s.kms(adminOf(owner)).PutKeyPolicy(s.ctx, &kms.PutKeyPolicyInput{KeyId: &s.key, Policy: other}); err == nil {
			t.Error("it locked itself out")
		}
		s.lets(`{"Effect":"Deny","Principal":"*","Action":"kms:PutKeyPolicy","Resource":"*","Condition":{"Bool":{"kms:BypassPolicyLockoutSafetyCheck":"true"}}}`)
		if _, err := s.kms(adminOf(owner)).PutKeyPolicy(s.ctx, &kms.PutKeyPolicyInput{KeyId: &s.key, Policy: other, BypassPolicyLockoutSafetyCheck: true}); err == nil {
			t.Error("it waived the check that the policy does not let it waive")
		}
		s.lets(allow(""))
	})
}
