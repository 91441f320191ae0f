package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write what the command line prints into the goldens of the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lakemesh": checkedMain})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("LAKEMESH_HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			// The race detector lets a program sleep for a second before it exits
			// (https://go.dev/doc/articles/race_detector#Options), each of two hundred.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "scrub": scrub, "capture": capture, "await": await, "byhand": byHand, "over": over, "now": now, "opened": opened,
			"follow": follow, "profiles": profiles,
		},
	})
}

// exits runs lakemesh and checks its exit code: exits 3 subscription get ...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code argument...")
	}
	err := ts.Exec("lakemesh", args[1:]...)
	code := "0"
	if err != nil {
		code = regexp.MustCompile(`[0-9]+$`).FindString(err.Error())
	}
	if code != args[0] {
		ts.Fatalf("lakemesh %s: exit code %s, want %s (%v)", strings.Join(args[1:], " "), code, args[0], err)
	}
}

// What changes from run to run, and what stands for it in a golden.
var scrubbed = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\b([0-9]{12}-[0-9]{12})-[2-9A-HJ-NP-Za-km-z]{22}\b`), "$1-IDIDIDIDIDIDIDIDIDIDID"},
	{regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}`), "YYYY-MM-DD HH:MM:SS"},
	{regexp.MustCompile(`"Since": "[^"]*"`), `"Since": "TIME"`},
	{regexp.MustCompile(`\bdigest: [a-z2-7]{32}\b`), "digest: DIGEST"},
	{regexp.MustCompile(`stream/[0-9T:.-]+`), "stream/LABEL"},
	{regexp.MustCompile(`resource-share/[0-9a-f-]{36}`), "resource-share/UUID"},
	{regexp.MustCompile(`\b[0-9]+ (calls?|ms)\b`), "N $1"},
	{regexp.MustCompile(`\b[0-9]+\.[0-9]+ s\b`), "N ms"},
	{regexp.MustCompile(`(?m) [0-9]+[smhdwy]$`), " AGE"},
}

// scrub writes the last command's stdout into a file, without what changes from run
// to run: scrub file.
func scrub(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: scrub file")
	}
	text := ts.ReadFile("stdout")
	for _, s := range scrubbed {
		text = s.pattern.ReplaceAllString(text, s.with)
	}
	text = strings.ReplaceAll(text, ts.Getenv("WORK"), "$WORK")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// capture sets a variable to what a pattern finds in the last command's stdout, its
// first group if it has one: capture ID pattern.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture variable pattern")
	}
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if found == nil {
		ts.Fatalf("stdout does not match %s", args[1])
	}
	ts.Setenv(args[0], found[len(found)-1])
}

// await waits until a command line succeeds: await local env.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: await argument...")
	}
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if err = ts.Exec("lakemesh", args...); err == nil {
			return
		}
	}
	ts.Fatalf("lakemesh %s never succeeded: %v", fmt.Sprint(args), err)
}
