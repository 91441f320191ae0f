package identity_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
)

// sharedFiles has the SDK read these shared files alone. It sets the environment, so that its
// tests run one after the other.
func sharedFiles(t *testing.T, config string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": path, "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(t.TempDir(), "none"), "AWS_EC2_METADATA_DISABLED": "true", "HOME": t.TempDir(),
		"AWS_PROFILE": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "",
	} {
		t.Setenv(name, value)
	}
}

const profiles = `
[profile frankfurt]
region = eu-central-1
aws_access_key_id = AKIAAAAAAAAAAAAAAAAA
aws_secret_access_key = x
[profile nowhere]
aws_access_key_id = AKIAAAAAAAAAAAAAAAAA
aws_secret_access_key = x
[profile sso]
region = eu-central-1
sso_session = company
sso_account_id = 111111111111
sso_role_name = Admin
[sso-session company]
sso_region = eu-central-1
sso_start_url = https://example.com/start
[profile process]
region = eu-central-1
credential_process = sh -c "echo it is locked >&2; exit 3"
[profile mfa]
region = eu-central-1
role_arn = arn:aws:iam::111111111111:role/Admin
source_profile = nowhere
mfa_serial = arn:aws:iam::111111111111:mfa/me
`

func TestTheRegionComesFromWhereItIsExpected(t *testing.T) {
	sharedFiles(t, profiles)
	for _, test := range []struct{ option, environment, profile, want string }{
		{"", "", "frankfurt", "eu-central-1"},
		{"", "eu-west-1", "frankfurt", "eu-west-1"},
		{"ap-south-1", "eu-west-1", "frankfurt", "ap-south-1"},
		{"", "eu-west-1", "", "eu-west-1"},
		{"", "", "nowhere", ""},
	} {
		t.Setenv("AWS_REGION", test.environment)
		t.Setenv("AWS_PROFILE", test.profile)
		for _, s := range []identity.Source{{Region: test.option}, {Region: test.option, Profile: test.profile}} {
			cfg, err := identity.Load(t.Context(), s)
			if err != nil || cfg.Region != test.want {
				t.Errorf("%+v: region %q (%v)", test, cfg.Region, err)
			}
		}
	}
}

// What keeps somebody from signing in is told with what to do about it.
func TestFailingCredentialsTellTheirCause(t *testing.T) {
	sharedFiles(t, profiles)
	for profile, want := range map[string][]string{
		"sso":     {"nobody is signed in", "aws sso login --profile sso"},
		"process": {"credential_process of profile process failed", "exit status 3"},
		"mfa":     {"profile mfa", "MFA device", "export-credentials --format env --profile mfa"},
		"absent":  {"profile absent", "no such profile", "aws configure list-profiles"},
	} {
		t.Setenv("AWS_PROFILE", profile)
		_, err := identity.OpenProducer(t.Context(), lakemesh.Options{MeshAccountID: "555555555555"})
		if known, ok := errors.AsType[*lakemesh.Error](err); !ok || known.Kind == nil {
			t.Errorf("%s: %v", profile, err)
			continue
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q is not in %v", profile, part, err)
			}
		}
	}
}

// Somebody at a terminal is asked for the code.
func TestAnMFACodeIsAskedFor(t *testing.T) {
	sharedFiles(t, profiles)
	asked := errors.New("asked")
	cfg, err := identity.Load(t.Context(), identity.Source{Profile: "mfa", MFACode: func() (string, error) { return "", asked }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cfg.Credentials.Retrieve(context.WithoutCancel(t.Context())); !errors.Is(err, asked) {
		t.Errorf("got %v", err)
	}
}
