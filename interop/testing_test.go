package interop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTheExampleOfTheDocumentation runs what docs/testing.md shows to those who test in Python.
func TestTheExampleOfTheDocumentation(t *testing.T) {
	t.Parallel()
	pytest := installed(t, "clients", "pytest")
	text, err := os.ReadFile("../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, found := strings.Cut(string(text), "```python\n")
	code, _, closed := strings.Cut(code, "```")
	if !found || !closed {
		t.Fatal("docs/testing.md has no example in Python")
	}
	m := start(t)
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "test_example.py"), []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	// As a user would: the environment is what the command prints.
	env := append(m.environment(""), "PATH="+filepath.Dir(m.program)+string(os.PathListSeparator)+os.Getenv("PATH"))
	const script = `eval "$(lakemesh local env --as arn:aws:iam::123456789012:role/Admin)" && exec "$0" -q -p no:cacheprovider "$1"`
	stdout, stderr, exit, err := run(t.Context(), 2*time.Minute, env, "bash", "-c", script, pytest, folder)
	if err != nil || exit != 0 || !strings.Contains(stdout, "2 passed") {
		t.Errorf("exit %d, %v:\n%s%s", exit, err, stdout, stderr)
	}
	// In a container of its own a program renews its keys by itself.
	const renewed = `eval "$(lakemesh local env --renewed --as arn:aws:iam::123456789012:role/Admin)" && exec "$0" -c 'import boto3; print(boto3.client("sts").get_caller_identity()["Account"])'`
	stdout, stderr, exit, err = run(t.Context(), 2*time.Minute, env, "bash", "-c", renewed, filepath.Join(filepath.Dir(pytest), "python"))
	if err != nil || exit != 0 || strings.TrimSpace(stdout) != "123456789012" {
		t.Errorf("exit %d, %v:\n%s%s", exit, err, stdout, stderr)
	}
}
