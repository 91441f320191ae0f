package localmesh_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh"
)

const admin = "arn:aws:iam::111111111111:role/Admin"

// code is AWS's error code, or the error's text if AWS did not answer.
func code(err error) string {
	var api smithy.APIError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &api):
		return api.ErrorCode()
	}
	return err.Error()
}

// overHTTP serves the mesh and returns a configuration that goes there.
func overHTTP(t *testing.T, mesh *localmesh.Mesh, principal string) aws.Config {
	t.Helper()
	server := httptest.NewServer(mesh.Handler())
	t.Cleanup(server.Close)
	cfg := mesh.Config(principal)
	cfg.HTTPClient, cfg.BaseEndpoint = server.Client(), aws.String(server.URL)
	return cfg
}

func TestTheSameHandlerAnswersOverHTTP(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	ctx := context.Background()
	cfg := overHTTP(t, mesh, admin)
	client := s3.NewFromConfig(cfg)
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("made-over-http")}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("made-over-http"), Key: aws.String("k"), Body: strings.NewReader("rows")}); err != nil {
		t.Fatal(err)
	}
	out, err := s3.NewFromConfig(mesh.Config(admin)).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("made-over-http"), Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(out.Body)
	if err != nil || string(body) != "rows" {
		t.Errorf("read %q in process, %v", body, err)
	}
}

func TestBadCredentialsAreRefusedInEachServicesOwnWords(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	ctx := context.Background()
	good, err := mesh.Config(admin).Credentials.Retrieve(ctx)
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(*aws.Credentials)) aws.Config {
		c := good
		change(&c)
		return mesh.ConfigWith(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil }))
	}
	for name, test := range map[string]struct {
		cfg           aws.Config
		sts, glue, s3 string
	}{
		"unknown key":   {with(func(c *aws.Credentials) { c.AccessKeyID = "AKIAUNKNOWNUNKNOWN12" }), "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"},
		"wrong secret":  {with(func(c *aws.Credentials) { c.SecretAccessKey += "x" }), "SignatureDoesNotMatch", "InvalidSignatureException", "SignatureDoesNotMatch"},
		"wrong token":   {with(func(c *aws.Credentials) { c.SessionToken += "x" }), "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"},
		"missing token": {with(func(c *aws.Credentials) { c.SessionToken = "" }), "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sts.NewFromConfig(test.cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
			if code(err) != test.sts {
				t.Errorf("sts: %v, want %s", err, test.sts)
			}
			_, err = glue.NewFromConfig(test.cfg).GetDatabases(ctx, &glue.GetDatabasesInput{})
			if code(err) != test.glue {
				t.Errorf("glue: %v, want %s", err, test.glue)
			}
			_, err = s3.NewFromConfig(test.cfg).ListBuckets(ctx, &s3.ListBucketsInput{})
			if code(err) != test.s3 {
				t.Errorf("s3: %v, want %s", err, test.s3)
			}
		})
	}
}

func TestASessionEndsByTheMeshsClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	mesh := localmesh.Run(t, localmesh.WithClock(func() time.Time { return now }))
	client := sts.NewFromConfig(mesh.Config(admin))
	ctx := context.Background()
	if _, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	if _, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); code(err) != "ExpiredToken" {
		t.Errorf("after an hour: %v, want ExpiredToken", err)
	}
}

func TestASessionOfADeletedRoleIsWorthNothing(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	ctx := context.Background()
	client := iam.NewFromConfig(mesh.Config(admin))
	trust := aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}]}`)
	create := func() {
		t.Helper()
		if _, err := client.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("R"), AssumeRolePolicyDocument: trust}); err != nil {
			t.Fatal(err)
		}
	}
	create()
	role := sts.NewFromConfig(mesh.Config("arn:aws:iam::111111111111:role/R"))
	if _, err := role.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String("R")}); err != nil {
		t.Fatal(err)
	}
	create()
	if _, err := role.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); code(err) != "InvalidClientTokenId" {
		t.Errorf("after the role was deleted and made again: %v, want InvalidClientTokenId", err)
	}
}

func TestAnOperationThatIsNotThereSaysSo(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	_, err := glue.NewFromConfig(mesh.Config(admin)).GetMLTransforms(context.Background(), &glue.GetMLTransformsInput{})
	if code(err) != "NotImplemented" || !strings.Contains(err.Error(), "GetMLTransforms") || !strings.Contains(err.Error(), "501") {
		t.Errorf("got %v, want NotImplemented with status 501 and the operation's name", err)
	}
}

func TestThrottlingIsAnsweredAndCounted(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	mesh.SetRate("glue", "GetDatabases", 1)
	cfg := mesh.Config(admin)
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	client := glue.NewFromConfig(cfg)
	var throttled int
	for range 5 {
		if _, err := client.GetDatabases(context.Background(), &glue.GetDatabasesInput{}); code(err) == "ThrottlingException" {
			throttled++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if throttled < 3 {
		t.Errorf("%d of 5 calls throttled at one a second", throttled)
	}
	for _, c := range mesh.Counts() {
		if c.Service == "glue" && c.Calls != 5 {
			t.Errorf("%d calls counted, want 5", c.Calls)
		}
	}
	mesh.SetRate("glue", "GetDatabases", 0)
	if _, err := client.GetDatabases(context.Background(), &glue.GetDatabasesInput{}); err != nil {
		t.Errorf("after the limit was lifted: %v", err)
	}
}

func TestTheDelayEndsWithTheCallersContext(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	cfg := mesh.Config(admin)
	cfg.Retryer = func() aws.Retryer { return retry.AddWithMaxAttempts(retry.NewStandard(), 1) }
	client := sts.NewFromConfig(cfg)
	if _, err := client.GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{}); err != nil {
		t.Fatal(err)
	}
	mesh.SetLatency(time.Hour)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's end", err)
	}
}

func TestOnlyLoopbackNamesAreAnswered(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	for host, want := range map[string]int{
		"127.0.0.1:4577": http.StatusForbidden, "localhost": http.StatusForbidden, "bucket.localhost:1": http.StatusForbidden, "[::1]:9": http.StatusForbidden,
		"evil.example": http.StatusMisdirectedRequest, "10.0.0.1": http.StatusMisdirectedRequest, "localhost.evil.example": http.StatusMisdirectedRequest,
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("Action=GetCallerIdentity"))
		r.Host = host
		w := httptest.NewRecorder()
		mesh.Handler().ServeHTTP(w, r)
		// A loopback name gets as far as the missing signature.
		if w.Code != want {
			t.Errorf("%s: status %d, want %d", host, w.Code, want)
		}
	}
}

func TestAFolderKeepsWhatWasAnswered(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx := context.Background()
	mesh, err := localmesh.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s3.NewFromConfig(mesh.Config(admin)).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("kept")}); err != nil {
		t.Fatal(err)
	}
	if _, err := localmesh.Open(dir); !errors.Is(err, localmesh.ErrLocked) {
		t.Errorf("a second mesh on the folder: %v, want ErrLocked", err)
	}
	if err := mesh.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := localmesh.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	if _, err := s3.NewFromConfig(again.Config(admin)).HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String("kept")}); err != nil {
		t.Errorf("the bucket is gone: %v", err)
	}
}

func TestASeededMeshRepeatsItself(t *testing.T) {
	t.Parallel()
	key := func() string {
		mesh := localmesh.Run(t, localmesh.WithSeed(7))
		c, err := mesh.Config("arn:aws:iam::111111111111:root").Credentials.Retrieve(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return c.AccessKeyID
	}
	if a, b := key(), key(); a != b {
		t.Errorf("keys %s and %s of the same seed differ", a, b)
	}
}
