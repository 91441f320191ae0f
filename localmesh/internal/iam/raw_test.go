package iam_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/iam"
	"github.com/lakemesh/lakemesh/localmesh/internal/sts"
)

// The SDK checks requests before it sends them; other clients do not. Whatever
// is missing or senseless is answered with an error of the service.
func TestRequestsThatTheSDKWouldNotSend(t *testing.T) {
	w := newWorld(t)
	w.role("Reader")
	arn := w.policy("Rights")
	w.must(w.CreateUser(t.Context(), &awsiam.CreateUserInput{UserName: aws.String("ann")}))
	w.must(w.CreateGroup(t.Context(), &awsiam.CreateGroupInput{GroupName: aws.String("Team")}))
	names := url.Values{"RoleName": {"Reader"}, "UserName": {"ann"}, "GroupName": {"Team"}, "PolicyArn": {arn}, "RoleArn": {"arn:aws:iam::111111111111:role/team/Reader"}}
	senseless := url.Values{}
	for _, name := range []string{"RoleName", "UserName", "GroupName", "PolicyArn", "PolicyName", "PolicyDocument", "AssumeRolePolicyDocument", "Path", "PathPrefix",
		"Marker", "PermissionsBoundary", "Description", "Scope", "VersionId", "AccessKeyId", "Status", "AWSServiceName", "DeletionTaskId", "PolicySourceArn",
		"CallerArn", "ResourcePolicy", "RoleArn", "RoleSessionName", "Policy", "ExternalId", "SourceIdentity", "CustomSuffix", "EntityFilter",
		"Tags.member.1.Key", "TagKeys.member.1", "TransitiveTagKeys.member.1", "ActionNames.member.1", "ResourceArns.member.1", "PolicyInputList.member.1",
		"PolicyArns.member.1.arn", "ContextEntries.member.1.ContextKeyName"} {
		senseless.Set(name, "\x00 ::/é")
	}
	for _, service := range []engine.Service{iam.Service(), sts.Service()} {
		for _, op := range service.Operations {
			for kind, form := range map[string]url.Values{"nothing": {}, "names only": names, "senseless": senseless} {
				status, body := post(t, w.Mesh, service.Name, op.Name, form)
				if status >= 500 || strings.Contains(body, "InternalFailure") {
					t.Errorf("%s:%s with %s: %d %s", service.Name, op.Name, kind, status, body)
				}
			}
		}
	}
}

// post sends an operation by hand.
func post(t *testing.T, mesh *localmesh.Mesh, service, operation string, form url.Values) (status int, body string) {
	t.Helper()
	all := url.Values{"Action": {operation}, "Version": {"2010-05-08"}}
	for k, v := range form {
		all[k] = v
	}
	cfg := mesh.Config(admin(account))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, localmesh.Endpoint+"/", strings.NewReader(all.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	c, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte(all.Encode()))
	if err := v4.NewSigner().SignHTTP(t.Context(), c, r, hex.EncodeToString(hash[:]), service, "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	resp, err := cfg.HTTPClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}
