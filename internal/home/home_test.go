package home

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh"
)

func config(t *testing.T, c *Connection, who lakemesh.Identity) aws.Config {
	t.Helper()
	keys, err := c.Credentials.Get(who)
	if err != nil {
		t.Fatal(err)
	}
	cfg := c.Config()
	cfg.Credentials = keys
	return cfg
}

func closing(t *testing.T, c *Connection) {
	t.Helper()
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestPeopleOfTheLocalMeshMayDoWhatTheirPlaceInTheFileSays(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c, err := InMemory(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	closing(t, c)
	for _, p := range people(c.Accounts()) {
		cfg := config(t, c, p.identity)
		who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil || aws.ToString(who.Arn) != userARN(c.mesh, p) {
			t.Errorf("%s is %v (%v), want %s", p.identity, who, err, userARN(c.mesh, p))
		}
		_, err = iam.NewFromConfig(cfg).ListRoles(ctx, &iam.ListRolesInput{})
		if (err == nil) != (p.role == "") {
			t.Errorf("%s lists roles: %v; only administrators may", p.identity, err)
		}
		_, err = s3.NewFromConfig(cfg).ListBuckets(ctx, &s3.ListBucketsInput{})
		if (err == nil) != (p.role == "") {
			t.Errorf("%s lists buckets: %v; only administrators may", p.identity, err)
		}
	}
}

func TestKeysStayTheSameUntilTheMeshIsAnother(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := Home{Dir: filepath.Join(t.TempDir(), "home")}
	key := func() string {
		c, err := h.Connect(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}()
		return c.Credentials.Credentials[lakemesh.ProducerIdentity].AccessKeyID
	}
	first := key()
	if second := key(); second != first {
		t.Errorf("the key changed from %s to %s", first, second)
	}
	if err := os.Remove(h.CredentialsPath()); err != nil {
		t.Fatal(err)
	}
	if again := key(); again != first {
		t.Errorf("with the file lost, the key changed from %s to %s", first, again)
	}
	if err := os.Remove(filepath.Join(h.Dir, storeFile)); err != nil {
		t.Fatalf("the store is not where it is thought to be: %v", err)
	}
	if other := key(); other == first {
		t.Error("a new mesh knows the old key")
	}
}

func TestResetRemovesTheMeshAndNothingElse(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := Home{Dir: t.TempDir()}
	mine := filepath.Join(h.Dir, "notes.txt")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := h.Connect(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Reset(); !errors.Is(err, ErrBusy) {
		t.Errorf("reset while it is open: got %v, want ErrBusy", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.Reset(); err != nil {
		t.Fatal(err)
	}
	if h.Exists() {
		t.Error("the mesh is still there")
	}
	if _, err := os.Stat(mine); err != nil {
		t.Errorf("somebody's own file is gone: %v", err)
	}
	if err := h.Reset(); err != nil {
		t.Errorf("reset of nothing: %v", err)
	}
}

func TestConnectWaitsForAnotherProcessAndSaysWhatFor(t *testing.T) {
	t.Parallel()
	h := Home{Dir: t.TempDir()}
	mesh, err := localmesh.Open(h.Dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	if _, err := h.Connect(ctx, ""); err == nil || !strings.Contains(err.Error(), h.Dir) {
		t.Errorf("got %v, want an error that names the folder", err)
	}
	closed := make(chan error, 1)
	time.AfterFunc(300*time.Millisecond, func() { closed <- mesh.Close() })
	c, err := h.Connect(context.Background(), "")
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	closing(t, c)
}

// serve starts the folder's server, and stops it when the test ends.
func serve(t *testing.T, h Home, o ServeOptions) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, served := make(chan string, 1), make(chan error, 1)
	o.Ready = func(url string) { ready <- url }
	go func() { served <- h.Serve(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
		if _, err := os.Stat(h.serverPath()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the server's file is left behind: %v", err)
		}
	})
	select {
	case url := <-ready:
		return url
	case err := <-served:
		served <- nil
		t.Fatalf("serve: %v", err)
	}
	return ""
}

func TestServerIsFoundUsedAndStopped(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := Home{Dir: t.TempDir()}
	url := serve(t, h, ServeOptions{Address: "127.0.0.1:0"})
	c, err := h.Connect(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	closing(t, c)
	if c.Endpoint() != url {
		t.Errorf("connected to %q, want %q", c.Endpoint(), url)
	}
	if _, err := sts.NewFromConfig(config(t, c, lakemesh.MeshIdentity)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Calls(ctx); err != nil || n != 1 {
		t.Errorf("%d calls (%v), want 1", n, err)
	}
	if err := h.Serve(ctx, ServeOptions{Address: "127.0.0.1:0"}); !errors.Is(err, ErrRunning) {
		t.Errorf("a second server: got %v, want ErrRunning", err)
	}
	if err := h.Reset(); !errors.Is(err, ErrRunning) {
		t.Errorf("reset under a server: got %v, want ErrRunning", err)
	}
	if err := h.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if s, err := h.Status(ctx); err != nil || s.Running {
		t.Errorf("after the stop: %+v, %v", s, err)
	}
	if err := h.Stop(ctx); !errors.Is(err, ErrNotRunning) {
		t.Errorf("a second stop: got %v, want ErrNotRunning", err)
	}
}

func TestServerThrottlesWhenAsked(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := Home{Dir: t.TempDir()}
	serve(t, h, ServeOptions{Address: "127.0.0.1:0", Rate: 1, Latency: time.Millisecond})
	c, err := h.Connect(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	closing(t, c)
	cfg := config(t, c, lakemesh.MeshIdentity)
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	throttled := false
	for range 3 {
		_, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		var api smithy.APIError
		throttled = throttled || errors.As(err, &api) && strings.Contains(api.ErrorCode(), "Throttling")
	}
	if !throttled {
		t.Error("three calls at once at a rate of one a second were not throttled")
	}
}

// Whoever has no token is a client of AWS's APIs, whatever the path.
func TestServerItselfAnswersOnlyToItsToken(t *testing.T) {
	t.Parallel()
	h := Home{Dir: t.TempDir()}
	url := serve(t, h, ServeOptions{Address: "127.0.0.1:0"})
	for _, test := range []struct {
		method, path, token string
	}{
		{http.MethodPost, stopPath, ""},
		{http.MethodPost, stopPath, "guessed"},
		{http.MethodGet, statusPath, ""},
	} {
		request, err := http.NewRequestWithContext(context.Background(), test.method, url+test.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if test.token != "" {
			request.Header.Set(tokenHeader, test.token)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil {
			t.Error(err)
		}
		if answer.StatusCode < 400 {
			t.Errorf("%s %s with token %q: %s", test.method, test.path, test.token, answer.Status)
		}
	}
	if s, err := h.Status(context.Background()); err != nil || !s.Running {
		t.Errorf("the server was stopped: %+v, %v", s, err)
	}
}

func TestOnlyLoopbackAddressesAreServed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		address string
		exposed bool
		ok      bool
	}{
		{"127.0.0.1:4577", false, true},
		{"localhost:0", false, true},
		{"[::1]:4577", false, true},
		{"127.1.2.3:1", false, true},
		{":4577", false, false},
		{"0.0.0.0:4577", false, false},
		{"[::]:4577", false, false},
		{"192.168.1.1:4577", false, false},
		{"localhost.example.com:4577", false, false},
		{"example.com:4577", false, false},
		{"127.0.0.1", false, false},
		{"", false, false},
		{"0.0.0.0:4577", true, true},
		{"nowhere", true, false},
	} {
		err := checkAddress(test.address, test.exposed)
		if (err == nil) != test.ok || err != nil && !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("%q, exposed %v: got %v, want ok %v", test.address, test.exposed, err, test.ok)
		}
	}
}

func TestFolderIsNamedByTheEnvironment(t *testing.T) {
	t.Setenv(Variable, "relative")
	h, err := Find()
	if err != nil || !filepath.IsAbs(h.Dir) || filepath.Base(h.Dir) != "relative" {
		t.Errorf("got %v, %v", h, err)
	}
	t.Setenv(Variable, "")
	t.Setenv("HOME", "/people/ann")
	t.Setenv("USERPROFILE", `C:\people\ann`)
	if h, err = Find(); err != nil || filepath.Base(h.Dir) != ".lakemesh" {
		t.Errorf("got %v, %v", h, err)
	}
}
