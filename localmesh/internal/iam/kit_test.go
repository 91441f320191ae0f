package iam_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh"
)

const (
	account = "111111111111"
	other   = "222222222222"
)

// a world is a mesh with an administrator, whose client it is.
type world struct {
	*localmesh.Mesh
	*iam.Client
	t *testing.T
}

func admin(account string) string { return "arn:aws:iam::" + account + ":role/Admin" }

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	mesh := localmesh.Run(t)
	w := &world{Mesh: mesh, Client: iam.NewFromConfig(mesh.Config(admin(account))), t: t}
	// The account is opened by its first call.
	w.must(w.GetAccountSummary(t.Context(), &iam.GetAccountSummaryInput{}))
	return w
}

// must fails the test at an error.
func (w *world) must(_ any, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) as(principal string) *iam.Client { return iam.NewFromConfig(w.Config(principal)) }

const trustAccount = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"sts:AssumeRole"}]}`

// role makes a role in the path /team/, and returns its ARN.
func (w *world) role(name string, policy ...string) string {
	w.t.Helper()
	out, err := w.CreateRole(w.t.Context(), &iam.CreateRoleInput{RoleName: &name, Path: aws.String("/team/"), AssumeRolePolicyDocument: aws.String(trustAccount)})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range policy {
		w.must(w.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("p"), PolicyDocument: &p}))
	}
	return *out.Role.Arn
}

// policy makes a managed policy, and returns its ARN.
func (w *world) policy(name string) string {
	w.t.Helper()
	out, err := w.CreatePolicy(w.t.Context(), &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: aws.String(allow("s3:GetObject", "*"))})
	if err != nil {
		w.t.Fatal(err)
	}
	return *out.Policy.Arn
}

// allow is a document that allows an action on a resource.
func allow(action, resource string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}]}`
}

// refused checks that err is AWS's error of that code, and the status that goes
// with the code.
func refused(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || (api.ErrorCode() != code && api.ErrorCode() != code+"Exception") {
		t.Errorf("error is %v, want %s", err, code)
		return
	}
	status := map[string]int{"NoSuchEntity": 404, "EntityAlreadyExists": 409, "LimitExceeded": 409, "DeleteConflict": 409, "AccessDenied": 403}[code]
	if status == 0 {
		status = 400
	}
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() != status {
		t.Errorf("error is %v, want status %d", err, status)
	}
}

// mentions checks that an error's message has the text.
func mentions(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("error is %v, want one that says %q", err, text)
	}
}

func succeeded(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
