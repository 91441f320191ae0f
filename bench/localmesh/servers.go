package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh"
)

// server is a server of AWS's services in a process of its own.
type server struct {
	name     string
	endpoint string
	account  string
	keys     aws.CredentialsProvider
	http     *http.Client
	cmd      *exec.Cmd
	ended    chan struct{}
}

// config is the configuration of a client of the server; all servers get the same
// kind of client.
func (s *server) config() aws.Config {
	return aws.Config{
		Region: "us-east-1", Credentials: s.keys, BaseEndpoint: aws.String(s.endpoint), HTTPClient: recorder{s.http},
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// stop ends the server's process, and waits for its end.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.ended:
		return nil
	case <-time.After(20 * time.Second):
		return s.cmd.Process.Kill()
	}
}

// begin starts a process; it is killed when the context ends.
func begin(ctx context.Context, cmd *exec.Cmd) (*server, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
	s := &server{cmd: cmd, ended: make(chan struct{}), http: &http.Client{Transport: transport}}
	go func() {
		_ = cmd.Wait() // It is ended from here: its status tells nothing.
		close(s.ended)
	}()
	context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() }) // It may have ended.
	return s, nil
}

// firstLine starts a process that prints one line once it serves, and reads it.
func firstLine(ctx context.Context, cmd *exec.Cmd) (*server, string, error) {
	// An own pipe, because that of cmd is closed when the process ends.
	r, w, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	cmd.Stdout = w
	s, err := begin(ctx, cmd)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, "", errors.Join(err, r.Close())
	}
	in := bufio.NewReader(r)
	line, err := in.ReadString('\n')
	if err != nil {
		return nil, "", fmt.Errorf("the server did not start: %w", errors.Join(err, s.stop()))
	}
	go func() { _, _ = io.Copy(io.Discard, in) }() // What it says after that is nobody's.
	return s, strings.TrimSpace(line), nil
}

// serveInMemory is the subcommand by which this program serves a mesh in memory.
const serveInMemory = "serve-in-memory"

// memoryAccount owns what is in the mesh in memory.
const memoryAccount = "111111111111"

// served is what that process prints: its address and the keys of an administrator.
type served struct{ Endpoint, AccessKey, SecretKey string }

// serve serves a mesh in memory until the context ends.
func serve(ctx context.Context) error {
	mesh := localmesh.New()
	cfg := mesh.Config("arn:aws:iam::" + memoryAccount + ":user/Admin")
	keys, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	line, err := json.Marshal(served{"http://" + listener.Addr().String(), keys.AccessKeyID, keys.SecretAccessKey})
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	web := &http.Server{Handler: mesh.Handler(), ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { _ = web.Close() })
	if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return mesh.Close()
}

// startMemory starts a server of a mesh in memory.
func startMemory(ctx context.Context) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s, line, err := firstLine(ctx, exec.Command(self, serveInMemory))
	if err != nil {
		return nil, err
	}
	var at served
	if err := json.Unmarshal([]byte(line), &at); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	s.name, s.endpoint, s.account = "local mesh in memory", at.Endpoint, memoryAccount
	s.keys = credentials.NewStaticCredentialsProvider(at.AccessKey, at.SecretKey, "")
	return s, nil
}

// build builds the command line into a folder, unless there is a program already, and
// returns the program's path.
func build(ctx context.Context, program, dir string) (string, error) {
	if program != "" {
		return program, nil
	}
	program = filepath.Join(dir, "lakemesh")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/lakemesh/lakemesh/cmd/lakemesh").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the command line: %w: %s", err, out)
	}
	return program, nil
}

// startFolder runs "lakemesh local start" on a folder.
func startFolder(ctx context.Context, program, dir string) (*server, error) {
	cmd := exec.Command(program, "local", "start", "--addr", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "LAKEMESH_HOME="+dir)
	s, line, err := firstLine(ctx, cmd)
	if err != nil {
		return nil, err
	}
	file, err := lakemesh.ReadCredentialsFile(filepath.Join(dir, "credentials.json"))
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	keys, err := file.Get(lakemesh.ProducerAdminIdentity)
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	s.name, s.endpoint, s.account = "local mesh in a folder", line, keys.AccountID
	s.keys = credentials.NewStaticCredentialsProvider(keys.AccessKeyID, keys.SecretAccessKey.Reveal(), "")
	return s, nil
}

// errNoMoto says that moto is not installed, and how it is.
var errNoMoto = errors.New("moto is not installed: bash interop/differential/install installs it")

// startMoto runs moto's server.
func startMoto(ctx context.Context) (*server, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "lakemesh-interop")
	if set := os.Getenv("LAKEMESH_INTEROP"); set != "" {
		dir = set
	}
	program := filepath.Join(dir, "moto", "bin", "moto_server")
	if _, err := os.Stat(program); errors.Is(err, os.ErrNotExist) {
		return nil, errNoMoto
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "-H", "127.0.0.1", "-p", strconv.Itoa(port))
	s, err := begin(ctx, cmd)
	if err != nil {
		return nil, err
	}
	s.name, s.endpoint, s.account = "moto", "http://127.0.0.1:"+strconv.Itoa(port), "123456789012"
	s.keys = credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "none", "")
	if err := s.awaitAnswer(ctx, time.Minute); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// awaitAnswer waits until the server answers HTTP.
func (s *server) awaitAnswer(ctx context.Context, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if conn, err := new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(s.endpoint, "http://")); err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", s.name, ctx.Err())
		case <-s.ended:
			return fmt.Errorf("%s has ended", s.name)
		case <-tick.C:
		}
	}
}

func freePort(ctx context.Context) (int, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
