// Package differential compares the local mesh with servers that somebody else
// wrote: the same calls go through the same SDK clients to both, and the answers
// must be equal, except for the differences that are listed here with a reason.
//
// The servers are installed by the script install beside this file, or are found
// in the folder that LAKEMESH_INTEROP names. Without them the tests are skipped,
// except in CI. LAKEMESH_LONG=1 makes the longer form of the run; -rapid.seed
// makes other requests than the usual ones.
package differential

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// usualSeed makes the generated requests the same on every run that names no
// other seed.
const usualSeed = "20120810"

func TestMain(m *testing.M) {
	flag.Parse()
	checks, seeded := "150", false
	if long() {
		checks = "800"
	}
	flag.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "rapid.seed":
			seeded = true
		case "rapid.checks":
			checks = f.Value.String()
		}
	})
	if err := flag.Set("rapid.checks", checks); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	// A seed is enough to make a failure again.
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if !seeded {
		if err := flag.Set("rapid.seed", usualSeed); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	os.Exit(m.Run())
}

// long tells whether the longer form of the run is wanted.
func long() bool { return os.Getenv("LAKEMESH_LONG") == "1" }

// installed is the folder of a server. The test ends here if it is not there.
func installed(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("LAKEMESH_INTEROP")
	if root == "" {
		cache := os.Getenv("XDG_CACHE_HOME")
		if cache == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				t.Fatal(err)
			}
			cache = filepath.Join(home, ".cache")
		}
		root = filepath.Join(cache, "lakemesh-interop")
	}
	dir := filepath.Join(root, name)
	if _, err := os.Stat(filepath.Join(dir, ".installed")); err != nil {
		message := fmt.Sprintf("%s is not installed in %s: run interop/differential/install", name, dir)
		if os.Getenv("CI") != "" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	return dir
}

// startDynamoDBLocal starts DynamoDB Local until the test ends.
func startDynamoDBLocal(t *testing.T) aws.Config {
	t.Helper()
	lib := filepath.Join(installed(t, "dynamodb-local"), "lib")
	cmd := exec.CommandContext(t.Context(), "java", "-Xmx1g", "-XX:TieredStopAtLevel=1", "-Djava.library.path="+lib, "-cp", filepath.Join(lib, "*"),
		filepath.Join("testdata", "LoopbackServer.java"))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stdin.Close(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // It ends by itself, or is ended with the test: its status tells nothing.
	})
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if port, ok := strings.CutPrefix(lines.Text(), "port "); ok {
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			return foreign("http://127.0.0.1:"+port, http.DefaultClient)
		}
	}
	t.Fatalf("DynamoDB Local did not start:\n%s", stderr.String())
	return aws.Config{}
}

// startMoto starts moto's server until the test ends.
func startMoto(t *testing.T) (endpoint string) {
	t.Helper()
	dir := installed(t, "moto")
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "bin", "moto_server"), "-H", "127.0.0.1", "-p", strconv.Itoa(port))
	cmd.Env = append(os.Environ(), "MOTO_IAM_LOAD_MANAGED_POLICIES=true")
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // It is ended with the test: its status tells nothing.
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // It may have ended by itself.
		<-ended
	})
	endpoint = fmt.Sprintf("http://127.0.0.1:%d", port)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if answers(ctx, endpoint+"/moto-api/data.json") {
			return endpoint
		}
		select {
		case <-ended:
			t.Fatalf("moto's server ended:\n%s", output.String())
		case <-ctx.Done():
			t.Fatal("moto's server does not answer")
		case <-tick.C:
		}
	}
}

func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close() // Nothing was read of it.
	return resp.StatusCode == http.StatusOK
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

// foreign is the configuration of clients of a server that checks no signature.
func foreign(endpoint string, client aws.HTTPClient) aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(endpoint), HTTPClient: client,
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials("AKIAIOSFODNN7EXAMPLE"),
	}
}

func credentials(id string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: id, SecretAccessKey: "none"}, nil
	})
}
