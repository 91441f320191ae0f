package localmesh_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh"
)

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func TestTheRequestsContextKeys(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 5, 6, 7, 8, 9, 0, time.UTC)
	base := localmesh.Run(t, localmesh.WithClock(func() time.Time { return now }))
	const caller = "arn:aws:iam::111111111111:role/Caller"
	c := iam.NewFromConfig(base.Config(admin))
	if _, err := c.CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: aws.String("Caller"), Tags: []iamtypes.Tag{{Key: aws.String("Team"), Value: aws.String("blue")}},
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}]}`),
	}); err != nil {
		t.Fatal(err)
	}
	for key, tests := range map[string]struct{ fulfilled, broken []string }{
		"aws:SourceIp": {
			[]string{`"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}`, `"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}`},
			[]string{`"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`, `"NotIpAddress":{"aws:SourceIp":"127.0.0.1"}`, `"Null":{"aws:SourceIp":"true"}`},
		},
		"aws:UserAgent": {
			[]string{`"StringLike":{"aws:UserAgent":"*app/lakemesh-test*"}`},
			[]string{`"StringLike":{"aws:UserAgent":"curl*"}`, `"StringNotLike":{"aws:UserAgent":"*app/lakemesh-test*"}`},
		},
		"aws:CurrentTime": {
			[]string{`"DateGreaterThan":{"aws:CurrentTime":"2030-05-06T07:08:08Z"},"DateLessThan":{"aws:CurrentTime":"2030-05-06T07:08:10Z"}`},
			[]string{`"DateGreaterThan":{"aws:CurrentTime":"2030-05-06T07:08:09Z"}`, `"DateLessThan":{"aws:CurrentTime":"2030-05-06T07:08:09Z"}`},
		},
		"aws:EpochTime": {
			[]string{fmt.Sprintf(`"NumericEquals":{"aws:EpochTime":"%d"}`, now.Unix()), fmt.Sprintf(`"DateEquals":{"aws:EpochTime":"%d"}`, now.Unix())},
			[]string{fmt.Sprintf(`"NumericLessThan":{"aws:EpochTime":"%d"}`, now.Unix())},
		},
		"aws:SecureTransport": {
			[]string{`"Bool":{"aws:SecureTransport":"false"}`},
			[]string{`"Bool":{"aws:SecureTransport":"true"}`},
		},
		"aws:RequestedRegion": {
			[]string{`"StringEquals":{"aws:RequestedRegion":"us-east-1"}`},
			[]string{`"StringEquals":{"aws:RequestedRegion":"eu-west-1"}`, `"StringNotEquals":{"aws:RequestedRegion":"us-east-1"}`},
		},
		"aws:PrincipalTag": {
			[]string{`"StringEquals":{"aws:PrincipalTag/Team":"blue"}`},
			[]string{`"StringEquals":{"aws:PrincipalTag/Team":"red"}`, `"StringEquals":{"aws:PrincipalTag/Other":"blue"}`},
		},
	} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			for _, condition := range tests.fulfilled {
				if err := callWith(t, base, caller, condition, nil); err != nil {
					t.Errorf("%s: %v", condition, err)
				}
			}
			for _, condition := range tests.broken {
				if err := callWith(t, base, caller, condition, nil); !denied(err) {
					t.Errorf("%s: got %v", condition, err)
				}
			}
		})
	}
	t.Run("over TLS", func(t *testing.T) {
		t.Parallel()
		for _, condition := range []string{`"Bool":{"aws:SecureTransport":"true"}`, `"IpAddress":{"aws:SourceIp":["127.0.0.1","::1"]}`} {
			if err := callWith(t, base, caller, condition, httptest.NewTLSServer); err != nil {
				t.Errorf("%s: %v", condition, err)
			}
			if err := callWith(t, base, caller, strings.NewReplacer("true", "false", "127.0.0.1", "10.0.0.1", "::1", "::2").Replace(condition), httptest.NewTLSServer); !denied(err) {
				t.Errorf("not %s: got %v", condition, err)
			}
		}
	})
}

func denied(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "AccessDeniedException"
}

// callWith makes a call as a principal whom a policy with the condition lets do
// it, on a clone of the mesh: in process, or through a server.
func callWith(t *testing.T, base *localmesh.Mesh, caller, condition string, serve func(http.Handler) *httptest.Server) error {
	t.Helper()
	mesh, err := base.Clone()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := mesh.Close(); err != nil {
			t.Error(err)
		}
	}()
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"glue:GetDatabases","Resource":"*","Condition":{` + condition + `}}]}`
	if _, err := iam.NewFromConfig(mesh.Config(admin)).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("Caller"), PolicyName: aws.String("p"), PolicyDocument: &policy}); err != nil {
		t.Fatal(err)
	}
	cfg := mesh.Config(caller)
	cfg.AppID = "lakemesh-test"
	if serve != nil {
		server := serve(mesh.Handler())
		defer server.Close()
		cfg.HTTPClient, cfg.BaseEndpoint = server.Client(), &server.URL
	}
	_, err = glue.NewFromConfig(cfg).GetDatabases(t.Context(), &glue.GetDatabasesInput{})
	return err
}
