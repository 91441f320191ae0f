package interop

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lakemesh/lakemesh"
)

// Programs that write and read lakes, each by itself on a mesh of its own. What is expected
// stands in the scripts, which end with "done"; each of them is refused something, too.
func TestProgramsOfLakes(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("python/lake/*_lake.py")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("there are no scripts: %v", err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), "_lake.py"), func(t *testing.T) {
			t.Parallel()
			python := installed(t, "lake", "python")
			m := start(t)
			m.done(m.environment(lakemesh.ProducerAdminIdentity), python, script)
		})
	}
}

// Spark with Iceberg.
func TestSpark(t *testing.T) {
	t.Parallel()
	python := installed(t, "spark", "python")
	jars := filepath.Join(environmentOf(t, "spark-jars"), "lib")
	m := start(t)
	m.done(append(m.environment(lakemesh.ProducerAdminIdentity), "LAKEMESH_JARS="+jars, "SPARK_LOCAL_IP=127.0.0.1"), python, "python/spark/iceberg_spark.py")
}

// The AWS SDK for JavaScript.
func TestJavaScript(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		absent(t, "Node.js is not installed, which the SDK for JavaScript runs on and interop/install does not bring")
	}
	folder := environmentOf(t, "javascript")
	script, err := os.ReadFile("javascript/mesh.js")
	if err != nil {
		t.Fatal(err)
	}
	// Modules are looked for from where the script is.
	own := t.TempDir()
	if err := os.WriteFile(filepath.Join(own, "mesh.mjs"), script, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(folder, "node_modules"), filepath.Join(own, "node_modules")); err != nil {
		t.Fatal(err)
	}
	m := start(t)
	m.done(m.environment(lakemesh.ProducerAdminIdentity), node, filepath.Join(own, "mesh.mjs"))
}

// done runs a program that says "done" when all was as it expects.
func (m *mesh) done(env []string, program string, args ...string) {
	m.Helper()
	const limit = 3 * time.Minute
	stdout, stderr, code, err := run(m.Context(), limit, env, program, args...)
	if err != nil || code != 0 || !strings.HasSuffix(strings.TrimSpace(stdout), "done") {
		m.Errorf("%s: exit code %d, %v\n%s%s", filepath.Base(args[0]), code, err, stdout, stderr)
	}
}
