package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/localmesh/ready"
)

// asProgram has the test's program be lakemesh-operate.
const asProgram = "LAKEMESH_OPERATE_IN_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program is lakemesh-operate in a process of its own, on a mesh that it reaches over HTTP.
func program(t *testing.T, m *ready.Mesh, account string, args ...string) (*exec.Cmd, *streams) {
	t.Helper()
	server := httptest.NewServer(m.Handler())
	t.Cleanup(server.Close)
	keys, err := m.Config(ready.Administrator(account)).Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &streams{}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Stdout, cmd.Stderr = &s.out, &s.err
	// Nothing of this machine's own AWS configuration, and no roots but those it brings.
	cmd.Env = []string{asProgram + "=1", "LAKEMESH_MESH_ACCOUNT=" + ready.MeshAccount, "AWS_REGION=us-east-1", "AWS_ENDPOINT_URL=" + server.URL, "HOME=" + t.TempDir(),
		"AWS_ACCESS_KEY_ID=" + keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + keys.SecretAccessKey, "AWS_SESSION_TOKEN=" + keys.SessionToken, "SSL_CERT_FILE=/nowhere", "SSL_CERT_DIR=/nowhere"}
	return cmd, s
}

func TestTheProgramDoesAJobAndExitsWithItsOutcome(t *testing.T) {
	t.Parallel()
	m := published(t)
	run := func(want int, args ...string) {
		t.Helper()
		cmd, s := program(t, m, ready.ProducerAccount, args...)
		err := cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != want {
			t.Errorf("%v: exit code %d (%v)\n%s", args, code, err, &s.err)
		}
		if strings.Count(s.out.String(), "\n") != 1 || !strings.Contains(s.out.String(), `"_aws":`) {
			t.Errorf("%v: %s", args, &s.out)
		}
	}
	run(0, "sync")
	run(0, "verify", "-as", "producer")
	m.Subscribe(ready.Subscription{Tables: []string{"airports"}})
	plant(t, m)
	run(7, "verify", "-database", product)
	// The account is the producer's, and no consumer's.
	run(5, "verify", "-as", "consumer")
}

// The function runs as Lambda runs it: it asks for events, and answers them
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
func TestTheProgramIsAFunctionOfLambda(t *testing.T) {
	t.Parallel()
	m := published(t)
	cmd, s := program(t, m, ready.ProducerAccount)
	events := []string{`{"job":"sync"}`, `{"job":"verify","as":"producer"}`, `{"job":"drop"}`}
	next := make(chan string, len(events))
	for _, e := range events {
		next <- e
	}
	answered := make(chan string, len(events))
	n := 0
	runtime := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/invocation/next") {
			select {
			case event := <-next:
				n++
				w.Header().Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprint(n))
				// In milliseconds; long after this test.
				w.Header().Set("Lambda-Runtime-Deadline-Ms", "4102444800000")
				w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:"+ready.ProducerAccount+":function:lakemesh")
				fmt.Fprint(w, event)
			case <-r.Context().Done():
			}
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			body = []byte(err.Error())
		}
		answered <- r.URL.Path[strings.LastIndex(r.URL.Path, "/invocation/"):] + " " + string(bytes.TrimSpace(body))
		w.WriteHeader(http.StatusAccepted)
	}))
	defer runtime.Close()
	cmd.Env = append(cmd.Env, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(runtime.URL, "http://"), "AWS_LAMBDA_FUNCTION_NAME=lakemesh")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for i, want := range []string{`/invocation/1/response {`, `/invocation/2/response {`, `/invocation/3/error {`} {
		select {
		case got := <-answered:
			if !strings.HasPrefix(got, want) || (i < 2 && !strings.Contains(got, `"outcome":"done"`)) {
				t.Errorf("%s: %s", events[i], got)
			}
		case err := <-ended:
			t.Fatalf("no answer to %s: it ended with %v: %s", events[i], err, &s.err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("it ended by itself")
	}
	if lines := strings.Count(s.out.String(), `"_aws":`); lines != 2 {
		t.Errorf("%d lines with numbers: %s", lines, &s.out)
	}
}
