package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// keysInStore are the keys and tokens in the records of the local mesh's store.
var keysInStore = regexp.MustCompile(`"(?:Secret|Token)":"([A-Za-z0-9]{16,})"`)

// TestNoCommandTellsASecret runs the life of a product by commands, good ones and
// bad ones, at the most talkative level. It sets the environment of the process, so
// that it runs alone.
func TestNoCommandTellsASecret(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("LAKEMESH_HOME", filepath.Join(dir, "home"))
	t.Setenv("HOME", dir)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	broken := filepath.Join(dir, "broken.json")
	if err := os.WriteFile(broken, []byte(`{"Mesh": {"AccountId": "555555555555", "AccessKeyId": "AKIA", "SecretAccessKey": "a-secret-in-a-broken-file",,}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	const inArgument = "a-secret-in-an-argument"
	var said, id = bytes.Buffer{}, ""
	command := func(want int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "$ID", id)
		}
		all := append([]string{"--log-level", "debug"}, args...)
		code := run(all, streams{in: strings.NewReader(""), out: &out, err: &errs})
		if code != want {
			t.Errorf("%v: exit code %d, want %d\n%s", args, code, want, errs.String())
		}
		said.Write(out.Bytes())
		said.Write(errs.Bytes())
		return out.String()
	}
	request := func(args ...string) {
		t.Helper()
		out := command(0, append([]string{"--local", "request", "create", "--owner-account-id", "111111111111", "--database-name", "aviation-111111111111",
			"--request-permissions", "SELECT", "--output", "json"}, args...)...)
		found := regexp.MustCompile(`"SubscriptionId": "(.*)"`).FindStringSubmatch(out)
		if found == nil {
			t.Fatalf("no id in %s", out)
		}
		id = found[1]
	}
	create := []string{"--local", "product", "create", "--source-database-name", "aviation", "--domain", "transport", "--data-product-name", "us-aviation"}
	command(0, "--local", "mesh", "init")
	command(0, "--local", "account", "enable", "--account-type", "producer", "-o", "yaml")
	command(0, "--local", "account", "enable", "--account-type", "consumer")
	command(0, "--local", "mesh", "status", "-o", "json")
	command(0, "local", "load")
	command(0, append(create, "--dry-run", "-o", "json")...)
	command(0, create...)
	command(0, "--local", "product", "list")
	request("--tables", "weather")
	command(0, "--local", "request", "approve", "$ID", "--dry-run")
	command(0, "--local", "request", "approve", "$ID")
	command(0, "--local", "subscription", "import", "$ID", "-o", "json")
	command(0, "--local", "subscription", "get", "$ID", "-o", "yaml")
	command(0, "--local", "subscription", "update", "$ID", "--grant-permissions", "DESCRIBE", "--yes")
	command(0, "--local", "subscription", "delete", "$ID", "--as", "consumer", "--yes")
	command(0, "--local", "subscription", "settle", "-o", "json")
	command(4, "--local", "subscription", "abort", "$ID")
	request()
	command(0, "--local", "request", "cancel", "$ID")
	command(4, "--local", "request", "deny", "$ID")
	command(0, "--local", "product", "migrate", "--source-database-name", "aviation", "--table-name-regex", "routes", "--yes")
	command(0, "local", "status", "-o", "json")
	command(2, "--credentials-file", broken, "mesh", "status")
	command(2, "--local", "product", "list", "--use-credentials", `{"AccountId": "1", "AccessKeyId": "AKIA", "SecretAccessKey": "`+inArgument+`"}`)
	command(5, "--local", "product", "list", "--use-credentials", `{"AccountId": "999999999999", "AccessKeyId": "AKIAAKIAAKIAAKIAAKIA", "SecretAccessKey": "`+inArgument+`"}`)
	command(2, "--local", "product", "list", "--use-credentials", `{"SecretAccessKey": "`+inArgument+`",,}`)

	secrets := map[string]bool{inArgument: true, "a-secret-in-a-broken-file": true}
	for _, name := range []string{"mesh.db", "credentials.json"} {
		files, err := filepath.Glob(filepath.Join(dir, "home", "*", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range append(files, filepath.Join(dir, "home", name)) {
			data, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			for _, found := range keysInStore.FindAllSubmatch(data, -1) {
				secrets[string(found[1])] = true
			}
			for _, found := range regexp.MustCompile(`"SecretAccessKey": *"([^"]+)"`).FindAllSubmatch(data, -1) {
				secrets[string(found[1])] = true
			}
		}
	}
	const fewest = 20
	if len(secrets) < fewest || !strings.Contains(said.String(), "BatchGrantPermissions") {
		t.Errorf("%d secrets, %d bytes said", len(secrets), said.Len())
	}
	text := said.String()
	for secret := range secrets {
		if before, _, found := strings.Cut(text, secret); found {
			t.Errorf("a secret was told after: %s", before[max(0, len(before)-300):])
		}
	}
	if strings.Contains(text, "AWS4-HMAC") {
		t.Error("a signature was told")
	}
	t.Logf("%d secrets, %d bytes said", len(secrets), len(text))
}
