package sts_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

func TestFederatedUsers(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	users := iam.NewFromConfig(w.Config(admin(home)))
	for _, name := range []string{"ann", "bob"} {
		_, err := users.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
		succeeded(t, err)
	}
	_, err := users.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("ann"), PolicyName: aws.String("p"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket","iam:ListUsers","sts:AssumeRole"],"Resource":"*"},
		{"Effect":"Allow","Action":"sts:GetFederationToken","Resource":"arn:aws:sts::111111111111:federated-user/team-*"}]}`)})
	succeeded(t, err)
	lake := s3.NewFromConfig(w.Config(admin(home)))
	_, err = lake.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("lake")})
	succeeded(t, err)
	_, err = lake.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String("k"), Body: strings.NewReader("rows")})
	succeeded(t, err)
	ann, bob := w.as("arn:aws:iam::111111111111:user/ann"), w.as("arn:aws:iam::111111111111:user/bob")

	for name, in := range map[string]*sts.GetFederationTokenInput{
		"a short name":       {Name: aws.String("x")},
		"a long name":        {Name: aws.String("team-" + strings.Repeat("x", 28))},
		"a name with spaces": {Name: aws.String("team a")},
		"a short session":    {Name: aws.String("team-a"), DurationSeconds: aws.Int32(899)},
		"a long session":     {Name: aws.String("team-a"), DurationSeconds: aws.Int32(129601)},
	} {
		if _, err := ann.GetFederationToken(ctx, in); err == nil || !strings.Contains(err.Error(), "ValidationError") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = ann.GetFederationToken(ctx, &sts.GetFederationTokenInput{Name: aws.String("other")})
	refused(t, err, "AccessDenied", 403)
	_, err = bob.GetFederationToken(ctx, &sts.GetFederationTokenInput{Name: aws.String("team-a")})
	refused(t, err, "AccessDenied", 403)
	_, err = ann.GetFederationToken(ctx, &sts.GetFederationTokenInput{Name: aws.String("team-a"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
	refused(t, err, "AccessDenied", 403)
	_, err = w.as(admin(home)).GetFederationToken(ctx, &sts.GetFederationTokenInput{Name: aws.String("team-a")})
	refused(t, err, "AccessDenied", 403)
	_, err = w.as(root(home)).GetFederationToken(ctx, &sts.GetFederationTokenInput{Name: aws.String("team-a")})
	refused(t, err, "AccessDenied", 403)
	_, err = ann.GetFederationToken(ctx, &sts.GetFederationTokenInput{Name: aws.String("team-a"), Policy: aws.String("{")})
	refused(t, err, "MalformedPolicyDocument", 400)

	get := func(in *sts.GetFederationTokenInput) aws.Config {
		t.Helper()
		out, err := ann.GetFederationToken(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		if *out.FederatedUser.Arn != "arn:aws:sts::111111111111:federated-user/"+*in.Name {
			t.Errorf("it is %s", *out.FederatedUser.Arn)
		}
		return w.with(out.Credentials)
	}
	read := func(cfg aws.Config) error {
		_, err := s3.NewFromConfig(cfg).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("lake"), Key: aws.String("k")})
		return err
	}
	list := func(cfg aws.Config) error {
		_, err := s3.NewFromConfig(cfg).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("lake")})
		return err
	}
	write := func(cfg aws.Config) error {
		_, err := s3.NewFromConfig(cfg).PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String("n")})
		return err
	}
	// With a policy: what both the user and the policy allow.
	narrow := get(&sts.GetFederationTokenInput{Name: aws.String("team-a"), Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"}]}`)})
	succeeded(t, read(narrow))
	refused(t, list(narrow), "AccessDenied", 403)
	refused(t, write(narrow), "AccessDenied", 403)
	// Without one: nothing, but what a policy of a resource allows it by its own name.
	bare := get(&sts.GetFederationTokenInput{Name: aws.String("team-b")})
	refused(t, read(bare), "AccessDenied", 403)
	who, err := sts.NewFromConfig(bare).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	succeeded(t, err)
	if *who.Arn != "arn:aws:sts::111111111111:federated-user/team-b" || *who.UserId != "111111111111:team-b" {
		t.Errorf("it is %s, %s", *who.Arn, *who.UserId)
	}
	_, err = lake.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String("lake"), Policy: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::111111111111:federated-user/team-b"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/*"}]}`)})
	succeeded(t, err)
	succeeded(t, read(bare))
	// It has no place in IAM, and takes no other role or session.
	_, err = iam.NewFromConfig(narrow).ListUsers(ctx, &iam.ListUsersInput{})
	refused(t, err, "InvalidClientTokenId", 403)
	_, err = sts.NewFromConfig(narrow).GetFederationToken(ctx, &sts.GetFederationTokenInput{Name: aws.String("team-c")})
	refused(t, err, "AccessDenied", 403)
	_, err = w.assume(sts.NewFromConfig(narrow), w.role(home, "Target", "", trusts(root(home))))
	refused(t, err, "AccessDenied", 403)
	// It ends with its user.
	_, err = users.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: aws.String("ann"), PolicyName: aws.String("p")})
	succeeded(t, err)
	refused(t, read(narrow), "AccessDenied", 403)
}
