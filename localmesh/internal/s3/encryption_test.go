package s3_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// key makes a key in the owner's account with a policy; empty stands for the default.
func (w *world) key(policy string) string {
	w.t.Helper()
	in := &kms.CreateKeyInput{}
	if policy != "" {
		in.Policy = &policy
	}
	out, err := kms.NewFromConfig(w.Config(admin(owner))).CreateKey(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	return *out.KeyMetadata.Arn
}

// encrypted makes the key the bucket's default; an empty one is that which AWS manages.
func (w *world) encrypted(key string) {
	w.t.Helper()
	by := &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms}
	if key != "" {
		by.KMSMasterKeyID = &key
	}
	if _, err := w.owner.PutBucketEncryption(w.t.Context(), &s3.PutBucketEncryptionInput{Bucket: aws.String("lake"),
		ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: by, BucketKeyEnabled: aws.Bool(true)}}}}); err != nil {
		w.t.Fatal(err)
	}
}

const (
	ownerRoot = `{"Sid":"Account","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + owner + `:root"},"Action":"kms:*","Resource":"*"}`
	mayRead   = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`
	mayUse    = `{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}}`
	mayUseRDS = `{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"rds.us-east-1.amazonaws.com"}}}`
)

// Who may read an object may not read it yet, if it is encrypted with a key of KMS.
func TestReadingTakesTheKeyToo(t *testing.T) {
	names := func(arn, rest string) string {
		return `{"Effect":"Allow","Principal":{"AWS":"` + arn + `"},"Action":"kms:Decrypt","Resource":"*"` + rest + `}`
	}
	const viaS3 = `,"Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}`
	for name, c := range map[string]struct {
		account string
		// policy is the reader's, key the key policy beside the account's statement.
		policy []string
		key    func(reader string) string
		// alone leaves the account's statement but for its administrator out.
		alone   bool
		managed bool
		want    bool
	}{
		"own account, allowed":                        {account: owner, policy: []string{mayRead, mayUse}, want: true},
		"own account, no right on the key":            {account: owner, policy: []string{mayRead}},
		"own account, right through another service":  {account: owner, policy: []string{mayRead, mayUseRDS}},
		"own account, named by the key alone":         {account: owner, policy: []string{mayRead}, key: func(r string) string { return names(r, viaS3) }, want: true},
		"own account, a key that leaves it to nobody": {account: owner, policy: []string{mayRead, mayUse}, alone: true},
		"another account, both allow":                 {account: other, policy: []string{mayRead, mayUse}, key: func(r string) string { return names(r, viaS3) }, want: true},
		"another account, the key alone":              {account: other, policy: []string{mayRead}, key: func(r string) string { return names(r, "") }},
		"another account, the role alone":             {account: other, policy: []string{mayRead, mayUse}},
		"another account, the key names the account":  {account: other, policy: []string{mayRead, mayUse}, key: func(string) string { return names("arn:aws:iam::"+other+":root", "") }, want: true},
		"the key that AWS manages, own account":       {account: owner, policy: []string{mayRead}, managed: true, want: true},
		"the key that AWS manages, another account":   {account: other, policy: []string{mayRead, mayUse}, managed: true},
		"another account, the key denies the role":    {account: other, policy: []string{mayRead, mayUse}, key: func(r string) string { return names(r, "") + "," + strings.Replace(names(r, ""), "Allow", "Deny", 1) }},
		"another account, by the context of the bucket": {account: other, policy: []string{mayRead, mayUse}, key: func(r string) string {
			return names(r, `,"Condition":{"StringEquals":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::lake"}}`)
		}, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			reader := w.role(c.account, "Reader", document(c.policy...))
			w.policy(`{"Effect":"Allow","Principal":{"AWS":"` + reader + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/*"}`)
			if c.managed {
				w.encrypted("")
			} else {
				statements := []string{ownerRoot}
				if c.alone {
					statements = []string{strings.Replace(ownerRoot, ":root", ":role/Admin", 1)}
				}
				if c.key != nil {
					statements = append(statements, c.key(reader))
				}
				w.encrypted(w.key(document(statements...)))
			}
			w.put("k", "rows")
			got, err := w.get(w.as(reader), "k")
			if c.want {
				if err != nil || got != "rows" {
					t.Errorf("read %q, %v", got, err)
				}
				return
			}
			refused(t, err, "AccessDenied", 403)
			var api smithy.APIError
			if !errors.As(err, &api) || !strings.Contains(api.ErrorMessage(), "kms:Decrypt") {
				t.Errorf("the refusal does not tell that it is the key: %v", err)
			}
		})
	}
}

func TestEncryptionOfABucket(t *testing.T) {
	w := newWorld(t)
	shows := func(want types.ServerSideEncryption, key string) {
		t.Helper()
		out, err := w.owner.GetBucketEncryption(t.Context(), &s3.GetBucketEncryptionInput{Bucket: aws.String("lake")})
		if err != nil {
			t.Fatal(err)
		}
		if by := out.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault; by.SSEAlgorithm != want || aws.ToString(by.KMSMasterKeyID) != key {
			t.Errorf("the bucket's default is %s %q, want %s %q", by.SSEAlgorithm, aws.ToString(by.KMSMasterKeyID), want, key)
		}
	}
	shows(types.ServerSideEncryptionAes256, "")
	w.put("before", "rows")
	key := w.key("")
	w.encrypted(key)
	shows(types.ServerSideEncryptionAwsKms, key)
	w.put("after", "rows")
	writer := w.role(owner, "Writer", document(`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`))
	_, err := w.as(writer).PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String("x"), Body: strings.NewReader("x")})
	refused(t, err, "AccessDenied", 403)
	_, err = w.as(writer).PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String("x"), Body: strings.NewReader("x"), ServerSideEncryption: types.ServerSideEncryptionAes256})
	succeeded(t, err)
	_, err = w.as(writer).CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String("lake"), Key: aws.String("y"), CopySource: aws.String("lake/after"), ServerSideEncryption: types.ServerSideEncryptionAes256})
	refused(t, err, "AccessDenied", 403)
	_, err = w.as(writer).CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String("lake"), Key: aws.String("z")})
	refused(t, err, "AccessDenied", 403)
	if got, err := w.get(w.as(writer), "before"); err != nil || got != "rows" {
		t.Errorf("what was there before is not under the key: %q, %v", got, err)
	}
	if head, err := w.owner.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("lake"), Key: aws.String("after")}); err != nil || head.ServerSideEncryption != types.ServerSideEncryptionAwsKms || aws.ToString(head.SSEKMSKeyId) != key {
		t.Errorf("the object says %v, %v", head, err)
	}
	_, err = w.owner.DeleteBucketEncryption(t.Context(), &s3.DeleteBucketEncryptionInput{Bucket: aws.String("lake")})
	succeeded(t, err)
	shows(types.ServerSideEncryptionAes256, "")
	w.encrypted("arn:aws:kms:us-east-1:" + owner + ":key/none")
	_, err = w.owner.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String("n"), Body: strings.NewReader("x")})
	refused(t, err, "KMS.NotFoundException", 400)
	_, err = w.as(w.role(other, "Foreign", document(`{"Effect":"Allow","Action":"*","Resource":"*"}`))).GetBucketEncryption(t.Context(), &s3.GetBucketEncryptionInput{Bucket: aws.String("lake")})
	refused(t, err, "AccessDenied", 403)
}

func TestKeyPolicies(t *testing.T) {
	w := newWorld(t)
	key := w.key("")
	client, foreign := kms.NewFromConfig(w.Config(admin(owner))), kms.NewFromConfig(w.Config(admin(other)))
	put := func(policy string) error {
		_, err := client.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: &key, Policy: &policy})
		return err
	}
	reader := w.role(other, "Reader", "")
	mine := `{"Sid":"Read","Effect":"Allow","Principal":{"AWS":"` + reader + `"},"Action":["kms:Decrypt","kms:DescribeKey"],"Resource":"*"}`
	succeeded(t, put(document(ownerRoot, mine)))
	out, err := client.GetKeyPolicy(t.Context(), &kms.GetKeyPolicyInput{KeyId: &key})
	if err != nil || !strings.Contains(aws.ToString(out.Policy), reader) {
		t.Errorf("the policy is %s, %v", aws.ToString(out.Policy), err)
	}
	refused(t, put(document(mine)), "MalformedPolicyDocumentException", 400)
	refused(t, put(document(ownerRoot, strings.Replace(mine, "Reader", "Nobody", 1))), "MalformedPolicyDocumentException", 400)
	refused(t, put("{"), "MalformedPolicyDocumentException", 400)
	_, err = foreign.GetKeyPolicy(t.Context(), &kms.GetKeyPolicyInput{KeyId: &key})
	refused(t, err, "AccessDeniedException", 400)
	_, err = foreign.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: &key, Policy: aws.String(document(ownerRoot))})
	refused(t, err, "AccessDeniedException", 400)
	_, err = foreign.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key})
	refused(t, err, "AccessDeniedException", 400)
	if described, err := client.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key}); err != nil || *described.KeyMetadata.Arn != key {
		t.Errorf("described %v, %v", described, err)
	}
	_, err = client.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: aws.String("none")})
	refused(t, err, "NotFoundException", 400)
}
