package identity_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/localmesh"
)

// The hint begins with what AWS denied and why, and then says whose policy it is.
func TestExplainQuotesWhatWasDeniedAndWhy(t *testing.T) {
	t.Parallel()
	const start = "User: arn:aws:sts::1:assumed-role/R/s is not authorized to perform: "
	for _, test := range []struct{ message, quote, says string }{
		{start + "glue:GetTable on resource: arn:x because no identity-based policy allows the glue:GetTable action",
			"AWS denied glue:GetTable because no identity-based policy allows the glue:GetTable action; ", "admin.UpgradeMesh()"},
		{start + "iam:PassRole on resource: arn:x because no permissions boundary allows the iam:PassRole action",
			"AWS denied iam:PassRole because no permissions boundary allows", "the permissions boundary of the role or user must allow it"},
		{start + "iam:CreateRole on resource: arn:x with an explicit deny in a service control policy", "AWS denied iam:CreateRole with an explicit deny in a service control policy; ",
			"a policy of the organization"},
		{start + "sts:AssumeRole on resource: arn:x because no service control policy allows the sts:AssumeRole action", "AWS denied sts:AssumeRole because no service control policy", "a policy of the organization"},
		{start + "s3:PutBucketPolicy on resource: arn:x with an explicit deny in a resource control policy", "AWS denied s3:PutBucketPolicy with an explicit deny", "the organization that the resource is in"},
		{start + "dynamodb:GetItem on resource: arn:x because no VPC endpoint policy allows the dynamodb:GetItem action", "AWS denied dynamodb:GetItem because no VPC endpoint policy", "the VPC endpoint"},
		{start + "dynamodb:GetItem on resource: arn:x because no session policy allows the dynamodb:GetItem action", "AWS denied dynamodb:GetItem because no session policy", "without a session policy"},
		{start + "kms:Decrypt on resource: arn:x because no identity-based policy allows the kms:Decrypt action", "AWS denied kms:Decrypt because", "encrypted with a KMS key"},
		{start + "glue:GetTable on resource: arn:x", "AWS denied glue:GetTable; ", "the caller's IAM policy does not allow it"},
		{"Access denied", "the caller's IAM policy does not allow it", ""},
	} {
		err := identity.Explain("CreateTable", "1", "table a.b", apiError("AccessDeniedException", test.message))
		known, ok := errors.AsType[*lakemesh.Error](err)
		if !ok || !strings.HasPrefix(known.Hint, test.quote) || !strings.Contains(known.HintIn(lakemesh.Call.String), test.says) {
			t.Errorf("%s:\n  got %v", test.message, known)
		}
	}
}

// A hop that a bound around the caller forbids is not tried again, and the hint does
// not speak of roles that must be made.
func TestAHopThatABoundForbidsIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, reason := range []string{"because no service control policy allows the sts:AssumeRole action", "with an explicit deny in a service control policy",
			"because no permissions boundary allows the sts:AssumeRole action", "because no VPC endpoint policy allows the sts:AssumeRole action"} {
			mesh := world(t)
			fault := mesh.Fail(localmesh.Fault{Service: "sts", Operation: "AssumeRole", Code: "AccessDenied", Status: 403, Times: 100,
				Message: "User: arn:aws:iam::1:user/u is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/R " + reason})
			o := options(mesh, "arn:aws:iam::111111111111:role/Admin")
			o.RoleWait = 0
			begun := time.Now()
			_, err := identity.OpenProducer(t.Context(), o)
			if waited := time.Since(begun); waited > time.Second || fault.Hits() != 1 {
				t.Errorf("%s: waited %s, tried %d times", reason, waited, fault.Hits())
			}
			if known, ok := errors.AsType[*lakemesh.Error](err); !ok || !strings.Contains(known.Hint, reason) || strings.Contains(known.Hint, "account init") {
				t.Errorf("%s: %v", reason, err)
			}
			mesh.ClearFaults()
		}
	})
}

// What a session hands on is asked for at every hop, and the error says that it is
// that.
func TestASessionThatHandsOnTagsIsExplained(t *testing.T) {
	t.Parallel()
	mesh := world(t, localmesh.WithReadings(localmesh.Readings{}))
	cfg := mesh.Config("arn:aws:iam::111111111111:role/Admin")
	trust(t, mesh, producerAccount, "DataMeshProducer", "arn:aws:iam::"+producerAccount+":root")
	makeRole(t, mesh, producerAccount, "Pod", "arn:aws:iam::"+producerAccount+":root", lakemesh.RoleARN(producerAccount, "*"))
	// The pod's own role may be tagged.
	_, err := iam.NewFromConfig(cfg).UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("Pod"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`)})
	must(t, err)
	out, err := sts.NewFromConfig(cfg).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(lakemesh.RoleARN(producerAccount, "Pod")), RoleSessionName: aws.String("pod"),
		Tags: []types.Tag{{Key: aws.String("kubernetes-namespace"), Value: aws.String("default")}}, TransitiveTagKeys: []string{"kubernetes-namespace"}})
	must(t, err)
	c := out.Credentials
	cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken}, nil
	})
	_, err = identity.OpenProducer(t.Context(), lakemesh.Options{MeshAccountID: meshAccount, Config: &cfg, RoleWait: -1})
	if known, ok := errors.AsType[*lakemesh.Error](err); !ok || !strings.HasPrefix(known.Hint, "AWS denied sts:TagSession") || !slices.ContainsFunc(known.Do, func(c lakemesh.Call) bool { return c.Operation == "admin.InitializeProducerAccount" }) {
		t.Errorf("got %v", err)
	}
}
