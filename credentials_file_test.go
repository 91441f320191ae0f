package lakemesh_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lakemesh/lakemesh"
)

const secret = "vErYsEcReTvErYsEcReT"

func TestCredentialsFileIsWrittenAndReadBack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "credentials.json")
	want := &lakemesh.CredentialsFile{Region: "eu-central-1", Credentials: map[lakemesh.Identity]lakemesh.Credentials{
		lakemesh.MeshIdentity:     {AccountID: "555555555555", AccessKeyID: "AKIAMESH", SecretAccessKey: `a"quoted\secret`},
		lakemesh.ConsumerIdentity: {AccountID: "999999999999", AccessKeyID: "ASIACONS", SecretAccessKey: secret, SessionToken: "token"},
	}}
	if err := want.Write(path); err != nil {
		t.Fatal(err)
	}
	got, err := lakemesh.ReadCredentialsFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(lakemesh.CredentialsFile{})); d != "" {
		t.Errorf("read back differs:\n%s", d)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v, want 0600", info.Mode().Perm())
	}
	if _, err := got.Get(lakemesh.ProducerIdentity); !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), path) {
		t.Errorf("an identity that the file does not hold: got %v, want ErrInvalidInput that names the file", err)
	}
}

func TestTemplateThatWasFilledInPartlyIsRead(t *testing.T) {
	t.Parallel()
	f, err := lakemesh.ParseCredentialsFile("f", []byte("\xef\xbb\xbf"+`{"AWS_REGION": "us-east-1",
	  "Mesh": {"AccountId": "", "AccessKeyId": "", "SecretAccessKey": ""},
	  "Producer": {"AccountId": "111111111111", "AccessKeyId": "AKIA", "SecretAccessKey": "s"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Credentials) != 1 || f.Credentials[lakemesh.ProducerIdentity].AccountID != "111111111111" {
		t.Errorf("got %+v, want the producer alone", f.Credentials)
	}
}

func TestMalformedCredentialsFileIsExplainedWithoutTheSecret(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"line 1", "malformed JSON"}},
		{"no JSON", "AWS_REGION=us-east-1\nsecret=" + secret, []string{"line 1", "malformed JSON"}},
		{"cut off", "{\n\"Mesh\": {\n\"SecretAccessKey\": \"" + secret, []string{"line 3", "malformed JSON"}},
		{"missing comma", "{\n\"Mesh\": {\n\"SecretAccessKey\": \"" + secret + "\"\n\"AccountId\": \"1\"}}", []string{"line 4", "malformed JSON"}},
		{"trailing data", "{}\n{\"x\": \"" + secret + "\"}", []string{"line 2", "malformed JSON"}},
		{"a list", "[\"" + secret + "\"]", []string{"line 1", "an object is expected"}},
		{"null", "null", []string{"an object is expected"}},
		{"unknown key", "{\n\"Produser\": {}}", []string{"line 2", `"Produser"`, "ProducerAdmin"}},
		{"unknown key of an identity", "{\n\"Producer\": {\n\"SecretKey\": \"" + secret + "\"}}", []string{"line 3", `"Producer.SecretKey"`, "SecretAccessKey"}},
		{"region is a number", "{\n\"AWS_REGION\": 1}", []string{"line 2", `"AWS_REGION"`, "a string is expected"}},
		{"account is a number", "{\"Mesh\": {\n\"AccountId\": 555555555555}}", []string{"line 2", `"Mesh.AccountId"`, "a string is expected"}},
		{"identity is a string", "{\n\"Mesh\": \"" + secret + "\"}", []string{"line 2", `"Mesh"`, "an object is expected"}},
		{"secret is missing", "{\"Mesh\": {\n\"AccountId\": \"555555555555\", \"AccessKeyId\": \"AKIA\"}}", []string{"line 2", `"Mesh.SecretAccessKey"`, "missing"}},
		{"malformed account", "{\"Mesh\": {\n\"AccountId\": \"5555\", \"AccessKeyId\": \"AKIA\", \"SecretAccessKey\": \"" + secret + "\"}}", []string{"line 2", `"Mesh.AccountId"`, "twelve digits"}},
		{"twice", "{\"AWS_REGION\": \"a\",\n\"AWS_REGION\": \"b\"}", []string{"line 2", `"AWS_REGION"`, "twice"}},
		{"white space", "{\"Mesh\": {\n\"SecretAccessKey\": \" " + secret + "\"}}", []string{"line 2", `"Mesh.SecretAccessKey"`, "white space"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := lakemesh.ParseCredentialsFile("keys.json", []byte(test.text))
			if !errors.Is(err, lakemesh.ErrInvalidInput) {
				t.Fatalf("got %v, want ErrInvalidInput", err)
			}
			for _, want := range append(test.want, "keys.json") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), secret[:6]) {
				t.Errorf("%q tells the secret", err)
			}
		})
	}
}

func TestUnreadableCredentialsFileIsInvalidInput(t *testing.T) {
	t.Parallel()
	for _, path := range []string{filepath.Join(t.TempDir(), "none.json"), t.TempDir()} {
		if _, err := lakemesh.ReadCredentialsFile(path); !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want ErrInvalidInput that names the file", path, err)
		}
	}
}

func TestCredentialsOfTheCommandLineAreParsed(t *testing.T) {
	t.Parallel()
	c, err := lakemesh.ParseCredentials("--use-credentials",
		[]byte(`{"AccountId": "111111111111", "AccessKeyId": "AKIA", "SecretAccessKey": "`+secret+`", "SessionToken": "t"}`))
	if err != nil {
		t.Fatal(err)
	}
	if c.AccountID != "111111111111" || c.SecretAccessKey.Reveal() != secret || c.SessionToken.Reveal() != "t" {
		t.Error("the credentials were not read whole")
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", c, c, c), secret) {
		t.Error("printing the credentials tells the secret")
	}
	for _, text := range []string{`{}`, `{"AccountId": "111111111111"}`, `x`, `{"AccountId": "1", "AccessKeyId": "a", "SecretAccessKey": "` + secret + `"}`} {
		if _, err := lakemesh.ParseCredentials("--use-credentials", []byte(text)); !errors.Is(err, lakemesh.ErrInvalidInput) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v, want ErrInvalidInput without the secret", text, err)
		}
	}
}

func FuzzParseCredentialsFile(f *testing.F) {
	f.Add([]byte(`{"AWS_REGION": "us-east-1", "Mesh": {"AccountId": "555555555555", "AccessKeyId": "a", "SecretAccessKey": "b"}}`))
	f.Add([]byte(`{"Mesh": {`))
	f.Add([]byte("\xef\xbb\xbf{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := lakemesh.ParseCredentialsFile("f", data)
		if err != nil {
			if !errors.Is(err, lakemesh.ErrInvalidInput) {
				t.Fatalf("got %v, want ErrInvalidInput", err)
			}
			return
		}
		path := filepath.Join(t.TempDir(), "f")
		if err := file.Write(path); err != nil {
			t.Fatal(err)
		}
		back, err := lakemesh.ReadCredentialsFile(path)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if d := cmp.Diff(file, back, cmpopts.IgnoreUnexported(lakemesh.CredentialsFile{})); d != "" {
			t.Fatalf("read back differs:\n%s", d)
		}
	})
}
