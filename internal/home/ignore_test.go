package home

import (
	"os"
	"path/filepath"
	"testing"
)

// The folder of a mesh stays out of a repository; a folder that holds other things keeps its
// own rules of what is ignored.
func TestTheFolderStaysOutOfVersionControl(t *testing.T) {
	t.Parallel()
	read := func(dir string) string {
		text, err := os.ReadFile(filepath.Join(dir, ignoreFile))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return string(text)
	}
	connect := func(dir string) {
		c, err := Home{Dir: dir}.Connect(t.Context(), "")
		if err == nil {
			err = c.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	own := filepath.Join(t.TempDir(), "mesh")
	connect(own)
	if read(own) != "*\n" {
		t.Errorf("ignored is %q", read(own))
	}
	if err := (Home{Dir: own}).Reset(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(own); !os.IsNotExist(err) {
		t.Errorf("something is left: %v", err)
	}

	for _, rules := range []string{"", "*.log\n", "*\n"} {
		shared := t.TempDir()
		if err := os.WriteFile(filepath.Join(shared, "code.go"), []byte("package x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if rules != "" {
			if err := os.WriteFile(filepath.Join(shared, ignoreFile), []byte(rules), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		connect(shared)
		if read(shared) != rules {
			t.Errorf("rules %q became %q", rules, read(shared))
		}
		if err := (Home{Dir: shared}).Reset(); err != nil {
			t.Fatal(err)
		}
		if read(shared) != rules {
			t.Errorf("a reset made %q of rules %q", read(shared), rules)
		}
	}
}

// A damaged mesh cannot be used, and can be removed.
func TestADamagedMeshCanBeReset(t *testing.T) {
	t.Parallel()
	h := Home{Dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(h.Dir, storeFile), []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Connect(t.Context(), ""); err == nil {
		t.Fatal("garbage is taken for a mesh")
	}
	if err := h.Reset(); err != nil {
		t.Fatal(err)
	}
	if h.Exists() {
		t.Error("it is still there")
	}
}
