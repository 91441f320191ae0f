package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Who runs "go install github.com/lakemesh/lakemesh/cmd/lakemesh@latest" gets the newest
// tag, and a program that says so. The module's file is made of what is committed, as the
// module proxy makes it of a tag; the other modules come out of the cache. Go refuses a
// go.mod that replaces something.
func TestTheNewestTagIsInstalled(t *testing.T) {
	if testing.Short() {
		t.Skip("building takes a minute")
	}
	t.Parallel()
	const module, version = "github.com/lakemesh/lakemesh", "v0.9.1"
	root := clone(t)
	work := t.TempDir()
	command := func(env []string, name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir, cmd.Env = root, append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	proxy := filepath.Join(work, "proxy", filepath.FromSlash(module), "@v")
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(proxy, "list"), []byte("v0.9.0\n"+version+"\n"))
	write(t, filepath.Join(proxy, version+".info"), []byte(`{"Version":"`+version+`","Time":"2020-01-02T03:04:05Z"}`))
	write(t, filepath.Join(proxy, version+".mod"), mod)
	// Modules inside a module are none of its files.
	args := []string{"archive", "--format=zip", "--prefix=" + module + "@" + version + "/", "-o", filepath.Join(proxy, version+".zip"), "HEAD", "."}
	for file := range strings.FieldsSeq(command(nil, "git", "ls-files", "*/go.mod")) {
		args = append(args, ":(exclude)"+filepath.ToSlash(filepath.Dir(file)))
	}
	command(nil, "git", args...)

	cache := strings.TrimSpace(command(nil, "go", "env", "GOMODCACHE"))
	bin, modules := filepath.Join(work, "bin"), filepath.Join(work, "modules")
	env := []string{"GOPROXY=file://" + filepath.ToSlash(filepath.Join(work, "proxy")) + ",file://" + filepath.ToSlash(filepath.Join(cache, "cache", "download")),
		// The sums of a module that was made a moment ago are in no database.
		"GOSUMDB=off", "GONOSUMDB=", "GOPRIVATE=", "GONOPROXY=",
		// With -trimpath what a release has compiled is not compiled again.
		"GOFLAGS=-mod=mod -trimpath -modcacherw", "GOWORK=off", "CGO_ENABLED=0", "GOMODCACHE=" + modules, "GOPATH=" + filepath.Join(work, "path"), "GOBIN=" + bin}
	command(env, "go", "install", "-ldflags=-s -w", module+"/cmd/lakemesh@latest")
	exe := filepath.Join(bin, "lakemesh")
	if runtime.GOOS == "windows" {
		exe += ".exe"
	}
	if out := output(t, exe, "version"); !strings.HasPrefix(out, "lakemesh "+version+" ") || strings.Contains(out, "modified") {
		t.Errorf("version: %s", out)
	}
}
