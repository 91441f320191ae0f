package interop

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/lakemesh/lakemesh"
)

// The accounts of a local mesh.
const (
	meshAccount     = "555555555555"
	producerAccount = "111111111111"
	consumerAccount = "999999999999"
	region          = "us-east-1"
)

// workshop is where the command line is built.
var workshop string

// build builds the command line when the first test needs it.
var build = sync.OnceValues(func() (string, error) {
	program := filepath.Join(workshop, "lakemesh")
	out, err := exec.Command("go", "build", "-o", program, "../cmd/lakemesh").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build lakemesh: %w\n%s", err, out)
	}
	return program, nil
})

func TestMain(m *testing.M) {
	os.Exit(inWorkshop(m))
}

func inWorkshop(m *testing.M) int {
	folder, err := os.MkdirTemp("", "lakemesh-interop-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := os.RemoveAll(folder); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	workshop = folder
	return m.Run()
}

// installed is the path of a program that ./install installs. The test is skipped
// if it is not there, and fails where CI=true.
func installed(t *testing.T, environment, program string) string {
	t.Helper()
	return filepath.Join(environmentOf(t, environment), "bin", program)
}

// environmentOf is the folder of what ./install installs under a name.
func environmentOf(t *testing.T, environment string) string {
	t.Helper()
	folder, ok := environmentIfThere(t, environment)
	if !ok {
		absent(t, "\""+environment+"\" is not installed: run interop/install")
	}
	return folder
}

// environmentIfThere is the folder of what is installed under a name, and whether it is.
func environmentIfThere(t *testing.T, environment string) (string, bool) {
	t.Helper()
	folder := os.Getenv("LAKEMESH_INTEROP")
	if folder == "" {
		cache := os.Getenv("XDG_CACHE_HOME")
		if cache == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				t.Fatal(err)
			}
			cache = filepath.Join(home, ".cache")
		}
		folder = filepath.Join(cache, "lakemesh-interop")
	}
	// The list of requirements is copied last.
	_, err := os.Stat(filepath.Join(folder, environment, "installed.txt"))
	return filepath.Join(folder, environment), err == nil
}

// absent skips a test whose program is not there, and fails it where CI=true.
func absent(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// mesh is a local mesh that a server of its own serves.
type mesh struct {
	*testing.T
	program string
	folder  string
	url     string
	keys    *lakemesh.CredentialsFile
}

// patience is how long the server may take to start and to stop.
const patience = 30 * time.Second

// start starts a server on a free port, on a mesh in a new folder.
func start(t *testing.T) *mesh {
	t.Helper()
	program, err := build()
	if err != nil {
		t.Fatal(err)
	}
	m := &mesh{T: t, program: program, folder: t.TempDir()}
	server := exec.Command(program, "local", "start", "--addr", "127.0.0.1:0")
	server.Env = m.environment("")
	var log bytes.Buffer
	server.Stderr = &log
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		giveUp := time.AfterFunc(patience, func() { _ = server.Process.Kill() })
		defer giveUp.Stop()
		if err := server.Wait(); err != nil {
			t.Errorf("local start: %v\n%s", err, log.Bytes())
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("local start printed no address: %v\n%s", err, log.Bytes())
	}
	m.url = strings.TrimSpace(line)
	if m.keys, err = lakemesh.ReadCredentialsFile(filepath.Join(m.folder, "credentials.json")); err != nil {
		t.Fatal(err)
	}
	return m
}

// environment is the environment of a program: nothing of AWS that this process
// has, the mesh's folder and, for an identity, what "local env" prints.
func (m *mesh) environment(identity lakemesh.Identity) []string {
	m.Helper()
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") && !strings.HasPrefix(v, "LAKEMESH_HOME=") && !strings.HasPrefix(v, lakemesh.CredentialsFileVariable+"=") {
			env = append(env, v)
		}
	}
	env = append(env, "LAKEMESH_HOME="+m.folder, "AWS_EC2_METADATA_DISABLED=true", "PYTHONDONTWRITEBYTECODE=1", "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
	if identity == "" {
		return env
	}
	keys := m.credentials(identity)
	return append(env, "AWS_ENDPOINT_URL="+m.url, "AWS_REGION="+region, "AWS_DEFAULT_REGION="+region,
		lakemesh.CredentialsFileVariable+"="+filepath.Join(m.folder, "credentials.json"),
		"AWS_ACCESS_KEY_ID="+keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+keys.SecretAccessKey.Reveal())
}

func (m *mesh) credentials(identity lakemesh.Identity) lakemesh.Credentials {
	m.Helper()
	keys, err := m.keys.Get(identity)
	if err != nil {
		m.Fatal(err)
	}
	return keys
}

// config is what our own SDK needs to look at the mesh as an identity.
func (m *mesh) config(identity lakemesh.Identity) aws.Config {
	m.Helper()
	return aws.Config{Region: region, BaseEndpoint: &m.url, HTTPClient: awshttp.NewBuildableClient(), Credentials: m.credentials(identity)}
}

// run runs a program to its end, which has to come within the limit. Its exit code
// is 0, or that of an *exec.ExitError.
func run(ctx context.Context, limit time.Duration, env []string, program string, args ...string) (stdout, stderr string, code int, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = env
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return out.String(), log.String(), exit.ExitCode(), nil
	}
	return out.String(), log.String(), 0, err
}
