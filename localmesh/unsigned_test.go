package localmesh_test

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/localmesh"
)

// A request that nobody signed, or whose signature cannot be read, is refused in the
// form of the service that it looks like.
func TestUnsignedRequestsAreRefusedInTheirServicesForm(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	const form, js = "application/x-www-form-urlencoded; charset=utf-8", "application/x-amz-json-1.1"
	for _, tt := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		code                     string
		xml                      bool
	}{
		{"STS", "POST", "/", "Action=GetCallerIdentity&Version=2011-06-15", []string{"Content-Type", form}, 403, "MissingAuthenticationToken", true},
		{"STS in an address", "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", "", nil, 403, "MissingAuthenticationToken", true},
		{"IAM", "POST", "/", "Action=ListUsers&Version=2010-05-08", []string{"Content-Type", form}, 403, "MissingAuthenticationToken", true},
		{"SAML", "POST", "/", "Action=AssumeRoleWithSAML&Version=2011-06-15&RoleArn=arn:aws:iam::111111111111:role/R", []string{"Content-Type", form}, 501, "NotImplemented", true},
		{"web identity", "POST", "/", "Action=AssumeRoleWithWebIdentity&Version=2011-06-15", []string{"Content-Type", form}, 501, "NotImplemented", true},
		{"web identity in an address", "GET", "/?Action=AssumeRoleWithWebIdentity&Version=2011-06-15", "", nil, 501, "NotImplemented", true},
		{"a form of nobody", "POST", "/", "Action=DescribeInstances&Version=2016-11-15", []string{"Content-Type", form}, 403, "MissingAuthenticationToken", true},
		{"Glue", "POST", "/", "{}", []string{"Content-Type", js, "X-Amz-Target", "AWSGlue.GetDatabases"}, 400, "MissingAuthenticationTokenException", false},
		{"KMS", "POST", "/", "{}", []string{"Content-Type", js, "X-Amz-Target", "TrentService.ListKeys"}, 400, "MissingAuthenticationTokenException", false},
		{"DynamoDB", "POST", "/", "{}", []string{"Content-Type", "application/x-amz-json-1.0", "X-Amz-Target", "DynamoDB_20120810.ListTables"}, 400, "MissingAuthenticationTokenException", false},
		{"Lake Formation", "POST", "/GetDataLakeSettings", "{}", []string{"Content-Type", "application/json"}, 403, "MissingAuthenticationTokenException", false},
		{"RAM", "POST", "/getresourceshares", "{}", []string{"Content-Type", "application/json"}, 403, "MissingAuthenticationTokenException", false},
		{"S3", "GET", "/bucket/key", "", nil, 404, "NoSuchBucket", true},
		{"S3 with a body", "PUT", "/bucket/key", "content", nil, 404, "NoSuchBucket", true},
		{"STS with another scheme", "POST", "/", "Action=GetCallerIdentity&Version=2011-06-15", []string{"Content-Type", form, "Authorization", "Bearer x"}, 400, "IncompleteSignature", true},
		{"Glue with another scheme", "POST", "/", "{}", []string{"Content-Type", js, "X-Amz-Target", "AWSGlue.GetDatabases", "Authorization", "Basic eDp5"}, 400, "IncompleteSignatureException", false},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, localmesh.Endpoint+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(tt.headers); i += 2 {
			r.Header.Set(tt.headers[i], tt.headers[i+1])
		}
		resp, err := mesh.Config(admin).HTTPClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != tt.status || !strings.Contains(resp.Header.Get("X-Amzn-Errortype")+string(text), tt.code) {
			t.Errorf("%s: %d %s, want %d %s", tt.name, resp.StatusCode, text, tt.status, tt.code)
		}
		var members map[string]any
		var element struct{ XMLName xml.Name }
		if tt.xml && xml.Unmarshal(text, &element) != nil || !tt.xml && json.Unmarshal(text, &members) != nil {
			t.Errorf("%s is not in its service's form: %s", tt.name, text)
		}
	}
}
