package s3_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/lakemesh/lakemesh/localmesh"
)

const (
	owner = "111111111111"
	other = "222222222222"
)

func admin(account string) string { return "arn:aws:iam::" + account + ":role/Admin" }

// a world is a mesh with the bucket "lake" of the owner's account in it, and an
// administrator in each of two accounts.
type world struct {
	*localmesh.Mesh
	t *testing.T
	// owner and other are clients of the two administrators.
	owner, other *s3.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	w := &world{Mesh: localmesh.Run(t), t: t}
	w.owner, w.other = w.as(admin(owner)), w.as(admin(other))
	if _, err := w.owner.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("lake")}); err != nil {
		t.Fatal(err)
	}
	// The second account is opened by its first call.
	if _, err := w.other.ListBuckets(t.Context(), &s3.ListBucketsInput{}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) as(principal string) *s3.Client { return s3.NewFromConfig(w.Config(principal)) }

// role makes a role in an account with one inline policy, and returns its ARN.
func (w *world) role(account, name, policy string) string {
	w.t.Helper()
	c := iam.NewFromConfig(w.Config(admin(account)))
	made, err := c.CreateRole(w.t.Context(), &iam.CreateRoleInput{RoleName: &name, Path: aws.String("/team/"),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"sts:AssumeRole"}}`)})
	if err != nil {
		w.t.Fatal(err)
	}
	if policy != "" {
		if _, err := c.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("p"), PolicyDocument: &policy}); err != nil {
			w.t.Fatal(err)
		}
	}
	return *made.Role.Arn
}

func (w *world) policy(statements ...string) {
	w.t.Helper()
	if err := w.putPolicy(w.owner, statements...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) putPolicy(c *s3.Client, statements ...string) error {
	_, err := c.PutBucketPolicy(w.t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("lake"), Policy: aws.String(document(statements...))})
	return err
}

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func (w *world) put(key, content string) {
	w.t.Helper()
	_, err := w.owner.PutObject(w.t.Context(), &s3.PutObjectInput{Bucket: aws.String("lake"), Key: &key, Body: strings.NewReader(content)})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) get(c *s3.Client, key string) (string, error) {
	w.t.Helper()
	out, err := c.GetObject(w.t.Context(), &s3.GetObjectInput{Bucket: aws.String("lake"), Key: &key})
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, out.Body); err != nil {
		return "", err
	}
	return b.String(), out.Body.Close()
}

// refused checks that err is AWS's error of that code and HTTP status.
func refused(t *testing.T, err error, code string, status int) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("error is %v, want %s", err, code)
		return
	}
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() != status {
		t.Errorf("error is %v, want status %d", err, status)
	}
}

func succeeded(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// header adds a header to a request.
func header(name, value string) func(*s3.Options) {
	return s3.WithAPIOptions(smithyhttp.SetHeaderValue(name, value))
}
