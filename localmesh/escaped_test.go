package localmesh_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh"
)

// escapings are ways in which a client may write a document: the same values, and other
// characters.
func escapings() map[string]func(string) string {
	chosen := func(escape func(i int, c rune) bool, form string) func(string) string {
		return func(document string) string {
			var all strings.Builder
			for i, c := range document {
				if strings.ContainsRune(`{}[]",`, c) || c == ':' && document[i-1] == '"' || !escape(i, c) {
					all.WriteRune(c)
				} else {
					fmt.Fprintf(&all, form, c)
				}
			}
			return all.String()
		}
	}
	return map[string]func(string) string{
		"plain":             func(s string) string { return s },
		"colons":            chosen(func(_ int, c rune) bool { return c == ':' }, `\u%04x`),
		"colons, upper":     chosen(func(_ int, c rune) bool { return c == ':' }, `\u%04X`),
		"every second":      chosen(func(i int, _ rune) bool { return i%2 == 0 }, `\u%04x`),
		"every third":       chosen(func(i int, _ rune) bool { return i%3 == 0 }, `\u%04X`),
		"all":               chosen(func(int, rune) bool { return true }, `\u%04x`),
		"letters of names":  chosen(func(_ int, c rune) bool { return c == 'a' || c == 'w' }, `\u%04x`),
		"hyphens and slash": chosen(func(_ int, c rune) bool { return c == '-' || c == '/' }, `\u%04x`),
	}
}

// values are those of a document.
func values(t *testing.T, document string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(document), &v); err != nil {
		t.Fatalf("%v in %s", err, document)
	}
	return v
}

// A document says the same however its characters are written: names in it are those of the
// mesh's partition, in what decides and in what is shown.
func TestDocumentsSayTheSameHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	const account = "111111111111"
	for _, region := range []string{"us-east-1", "cn-north-1", "us-gov-west-1"} {
		p := lakemesh.PartitionOf(region)
		for name, write := range escapings() {
			t.Run(region+", "+name, func(t *testing.T) {
				t.Parallel()
				m := localmesh.Run(t, localmesh.WithRegion(region))
				cfg := m.Config(p.ARN("iam", "", account, "user/Admin"))
				roles, keys, buckets := iam.NewFromConfig(cfg), kms.NewFromConfig(cfg), s3.NewFromConfig(cfg)
				// Who may open the role is said by its trust, and what the role may open by its policy.
				trust := func(who string) string {
					return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + p.ARN("iam", "", account, who) + `"},"Action":"sts:AssumeRole"}]}`
				}
				policy := func(on string) string {
					return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":["` + on + `","` + on + `/*"]}]}`
				}
				makes := func(role, trusts, may string) {
					t.Helper()
					if _, err := roles.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &role, AssumeRolePolicyDocument: aws.String(write(trusts))}); err != nil {
						t.Fatal(err)
					}
					if _, err := roles.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String("may"), PolicyDocument: aws.String(write(may))}); err != nil {
						t.Fatal(err)
					}
					out, err := roles.GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: &role, PolicyName: aws.String("may")})
					if err != nil {
						t.Fatal(err)
					}
					shown, err := url.PathUnescape(*out.PolicyDocument)
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(values(t, may), values(t, shown)); diff != "" {
						t.Errorf("the policy of %s is shown as another one: %s", role, diff)
					}
				}
				makes("First", trust("user/Admin"), policy(p.ARN("iam", "", account, "role/Second")))
				makes("Second", trust("role/First"), policy(p.BucketARN("lake")))
				second := p.ARN("iam", "", account, "role/Second")
				first := m.Config(p.ARN("iam", "", account, "role/First"))
				if _, err := sts.NewFromConfig(first).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &second, RoleSessionName: aws.String("session")}); err != nil {
					t.Errorf("the one role cannot open the other: %v", err)
				}

				// A bucket's policy shuts one role out.
				in := &s3.CreateBucketInput{Bucket: aws.String("lake")}
				if region != "us-east-1" {
					in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(region)}
				}
				if _, err := buckets.CreateBucket(t.Context(), in); err != nil {
					t.Fatal(err)
				}
				deny := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"` + second + `"},"Action":"s3:ListBucket","Resource":"` + p.BucketARN("lake") + `"}]}`
				if _, err := buckets.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("lake"), Policy: aws.String(write(deny))}); err != nil {
					t.Fatal(err)
				}
				if _, err := s3.NewFromConfig(m.Config(second)).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("lake")}); err == nil {
					t.Error("the policy of the bucket shuts nobody out")
				}
				shown, err := buckets.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("lake")})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(values(t, deny), values(t, *shown.Policy)); diff != "" {
					t.Errorf("the policy of the bucket is shown as another one: %s", diff)
				}

				// A key's policy is a document in a document.
				say := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + p.Root(account) + `"},"Action":"kms:*","Resource":"*"},{"Effect":"Allow","Principal":{"AWS":"` + second + `"},"Action":"kms:DescribeKey","Resource":"*"}]}`
				key, err := keys.CreateKey(t.Context(), &kms.CreateKeyInput{Policy: aws.String(write(say))})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := kms.NewFromConfig(m.Config(second)).DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: key.KeyMetadata.Arn}); err != nil {
					t.Errorf("the key's policy lets nobody look: %v", err)
				}
				is, err := keys.GetKeyPolicy(t.Context(), &kms.GetKeyPolicyInput{KeyId: key.KeyMetadata.KeyId})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(values(t, say), values(t, *is.Policy)); diff != "" {
					t.Errorf("the policy of the key is shown as another one: %s", diff)
				}
			})
		}
	}
}

// What only looks like an escape is what it was when it is read again.
func TestTextsThatLookLikeEscapesStay(t *testing.T) {
	t.Parallel()
	p := lakemesh.PartitionOf("cn-north-1")
	m := localmesh.Run(t, localmesh.WithRegion("cn-north-1"))
	client := glue.NewFromConfig(m.Config(p.ARN("iam", "", "111111111111", "user/Admin")))
	for i, text := range []string{`arn\u003aaws\u003as3`, `arn\\u003aaws-cn\\u003as3`, `\u0061rn:aws:s3:::lake`, `u003a arn:aws-cn:s3:::lake arn:aws:s3:::lake`, `C:\u00e4rn\u0000`} {
		name := fmt.Sprint("d", i)
		if _, err := client.CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: &name, Description: &text}}); err != nil {
			t.Fatal(err)
		}
		out, err := client.GetDatabase(t.Context(), &glue.GetDatabaseInput{Name: &name})
		if err != nil {
			t.Fatal(err)
		}
		if *out.Database.Description != text {
			t.Errorf("%q is read as %q", text, *out.Database.Description)
		}
	}
}
