package identity_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/smithy-go/logging"

	"github.com/lakemesh/lakemesh/internal/identity"
)

// A profile that opens a role asks STS for it where the profile, or the environment, says that
// AWS is.
func TestAProfilesRoleIsAskedForAtItsEndpoint(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.Form.Get("Action") != "AssumeRole" {
			t.Errorf("it is asked for %v, %v", r.Form, err)
		}
		asked++
		w.Header().Set("Content-Type", "text/xml")
		if _, err := w.Write([]byte(`<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser><Arn>arn:aws:sts::111111111111:assumed-role/Admin/x</Arn><AssumedRoleId>A:x</AssumedRoleId></AssumedRoleUser>` +
			`<Credentials><AccessKeyId>ASIAAAAAAAAAAAAAAAAA</AccessKeyId><SecretAccessKey>x</SecretAccessKey><SessionToken>x</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`)); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	const roles = `
[profile keys]
region = us-east-1
ENDPOINT
aws_access_key_id = AKIAAAAAAAAAAAAAAAAA
aws_secret_access_key = x
[profile role]
region = us-east-1
ENDPOINT
role_arn = arn:aws:iam::111111111111:role/Admin
source_profile = keys
`
	for name, test := range map[string]struct{ file, environment string }{
		"of the profile":     {"endpoint_url = " + server.URL, ""},
		"of the environment": {"", server.URL},
	} {
		t.Run(name, func(t *testing.T) {
			sharedFiles(t, strings.ReplaceAll(roles, "ENDPOINT", test.file))
			if test.environment != "" {
				t.Setenv("AWS_ENDPOINT_URL", test.environment)
			}
			before := asked
			cfg, err := identity.Load(t.Context(), identity.Source{Profile: "role"})
			if err != nil {
				t.Fatal(err)
			}
			keys, err := cfg.Credentials.Retrieve(t.Context())
			if err != nil || keys.AccessKeyID != "ASIAAAAAAAAAAAAAAAAA" || asked == before {
				t.Errorf("it opens %v, %v, asked %d times", keys.AccessKeyID, err, asked-before)
			}
		})
	}
}

// What the SDK has to say of itself goes into the log, and not between what a program says.
func TestTheSDKLogsWhereWeDo(t *testing.T) {
	sharedFiles(t, profiles)
	var log bytes.Buffer
	cfg, err := identity.Load(t.Context(), identity.Source{Profile: "frankfurt", Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Logger.Logf(logging.Warn, "failed to discard %d bytes", 7)
	if !strings.Contains(log.String(), "failed to discard 7 bytes") || !strings.Contains(log.String(), "level=DEBUG") {
		t.Errorf("it logs %q", log.String())
	}
}
