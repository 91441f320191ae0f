package contexts_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/contexts"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lakemesh", "contexts.yaml")
	f, err := contexts.Read(path)
	if err != nil || len(f.Contexts) != 0 {
		t.Fatalf("a file that is not there: %v, %v", f, err)
	}
	want := map[string]contexts.Context{"prod": {MeshAccount: "012345678901", Region: "eu-central-1", Profile: "a b: c", As: "producer"}, "empty": {}}
	f.Current, f.Contexts = "prod", want
	if err := f.Write(); err != nil {
		t.Fatal(err)
	}
	back, err := contexts.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, back.Contexts); d != "" || back.Current != "prod" {
		t.Errorf("%s%s", back.Current, d)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others can read it: %v, %v", info.Mode(), err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("%d files are left (%v)", len(left), err)
	}
}

func TestABadFileIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no YAML":            "current: [",
		"an unknown key":     "contexts: {a: {mesh: x}}",
		"an account":         "contexts: {a: {mesh-account: \"12\"}}",
		"a region":           "contexts: {a: {region: nowhere}}",
		"a side":             "contexts: {a: {as: both}}",
		"two ways to act":    "contexts: {a: {profile: p, credentials-file: f}}",
		"a name":             "contexts: {\"a b\": {}}",
		"the name of no one": "contexts: {none: {}}",
	} {
		path := filepath.Join(t.TempDir(), "contexts.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := contexts.Read(path)
		if !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("%s: %v", name, err)
		}
		// People read it in one line.
		if err != nil && strings.Contains(err.Error(), `\n`) {
			t.Errorf("%s has lines in it: %v", name, err)
		}
	}
}
