package localmesh_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/lakemesh/lakemesh/localmesh"
)

// oneCallEach is a call of each service, made again and again by one client.
func oneCallEach(t *testing.T, cfg aws.Config) map[string]func() error {
	t.Helper()
	ctx := t.Context()
	stsClient, iamClient, glueClient, lakeClient := sts.NewFromConfig(cfg), iam.NewFromConfig(cfg), glue.NewFromConfig(cfg), lakeformation.NewFromConfig(cfg)
	ramClient, s3Client, dynamoClient := ram.NewFromConfig(cfg), s3.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg)
	return map[string]func() error{
		"sts":  func() error { return second(stsClient.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})) },
		"iam":  func() error { return second(iamClient.ListRoles(ctx, &iam.ListRolesInput{})) },
		"glue": func() error { return second(glueClient.GetDatabases(ctx, &glue.GetDatabasesInput{})) },
		"lakeformation": func() error {
			return second(lakeClient.GetDataLakeSettings(ctx, &lakeformation.GetDataLakeSettingsInput{}))
		},
		"ram":      func() error { return second(ramClient.ListPermissions(ctx, &ram.ListPermissionsInput{})) },
		"s3":       func() error { return second(s3Client.ListBuckets(ctx, &s3.ListBucketsInput{})) },
		"dynamodb": func() error { return second(dynamoClient.ListTables(ctx, &dynamodb.ListTablesInput{})) },
	}
}

func TestClientsWithAWrongClockGetThrough(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		mesh := localmesh.Run(t)
		cfg := mesh.Skewed(mesh.Config(admin), by)
		cfg.Retryer = func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		}
		for service, call := range oneCallEach(t, cfg) {
			t.Run(fmt.Sprint(service, by), func(t *testing.T) {
				t.Parallel()
				calls := func() int {
					for _, c := range mesh.Counts() {
						if c.Service == service {
							return c.Calls
						}
					}
					return 0
				}
				for _, want := range []int{2, 3} {
					if err := call(); err != nil {
						t.Fatal(err)
					}
					// The client learns the difference with its first call, and remembers it.
					if got := calls(); got != want {
						t.Errorf("%d calls, want %d", got, want)
					}
				}
			})
		}
	}
}

func TestAWrongClockIsRefusedWithTheTime(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	cfg := mesh.Skewed(mesh.Config(admin), time.Hour)
	cfg.RetryMaxAttempts = 1
	for service, call := range oneCallEach(t, cfg) {
		err := call()
		want := "InvalidSignatureException"
		switch service {
		case "s3":
			want = "RequestTimeTooSkewed"
		case "sts", "iam":
			want = "SignatureDoesNotMatch"
		}
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != want {
			t.Errorf("%s: got %v, want %s", service, err, want)
		}
		var response *smithyhttp.ResponseError
		if !errors.As(err, &response) {
			t.Fatalf("%s: %v", service, err)
		}
		told, err := http.ParseTime(response.Response.Header.Get("Date"))
		if err != nil || time.Since(told) < 59*time.Minute || time.Since(told) > 61*time.Minute {
			t.Errorf("%s: the mesh says that it is %v, %v", service, told, err)
		}
	}
}
