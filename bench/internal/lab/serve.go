package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/localmesh"
)

// MeshCommand and WorkCommand are the arguments with which this program is started
// again, as a mesh and as a worker.
const (
	MeshCommand = "mesh-process"
	WorkCommand = "work-process"
)

// server is the mesh's process.
type server struct {
	url string

	mu       sync.RWMutex
	original *localmesh.Mesh // what Fresh goes back to
	mesh     *localmesh.Mesh
	handler  http.Handler
	latency  time.Duration

	watch watch
}

// Serve is the mesh's process. It ends with its input.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &server{url: "http://" + listener.Addr().String()}
	const headerTimeout = 10 * time.Second
	web := &http.Server{Handler: s, ReadHeaderTimeout: headerTimeout}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	encoder := json.NewEncoder(out)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return err
		}
		r, err := s.obey(ctx, o)
		if err != nil {
			r.Error = err.Error()
		}
		if err := encoder.Encode(r); err != nil {
			return err
		}
	}
	if err := errors.Join(lines.Err(), web.Close()); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (s *server) obey(ctx context.Context, o order) (report, error) {
	mesh := s.current()
	switch o.Do {
	case "bare", "set up":
		mesh = localmesh.New()
		prepare := makePeople
		if o.Do == "set up" {
			prepare = func(ctx context.Context, mesh *localmesh.Mesh) error {
				return setUp(ctx, mesh, MeshAccount, ProducerAccount)
			}
		}
		if err := prepare(ctx, mesh); err != nil {
			return report{}, err
		}
		s.original = mesh
		return report{URL: s.url}, s.fresh()
	case "fresh":
		return report{}, s.fresh()
	case "keep":
		s.original = mesh
		return report{}, s.fresh()
	case "set up beside":
		return report{}, setUp(ctx, mesh, OtherMesh, OtherProducer)
	case "latency":
		s.latency = o.Latency
		mesh.SetLatency(o.Latency)
		return report{}, nil
	case "limit":
		mesh.SetRate("glue", o.Operation, o.Rate)
		s.watch.begin(o.Operation)
		return report{}, nil
	case "traffic":
		return report{Traffic: s.watch.traffic()}, nil
	case "reset":
		mesh.ResetCounts()
		return report{}, nil
	case "counts":
		return report{Counts: mesh.Counts()}, nil
	case "keys":
		keys, err := mesh.Config(o.Principal).Credentials.Retrieve(ctx)
		return report{Keys: Keys{keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken}}, err
	case "policy":
		out, err := identity.S3(mesh.Config(Administrator(o.Product.Account))).GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: aws.String(o.Product.Bucket)})
		if awserr.Is(err, "NoSuchBucketPolicy") {
			return report{}, nil
		}
		if err != nil {
			return report{}, err
		}
		return report{Bytes: len(aws.ToString(out.Policy))}, nil
	case "load":
		return report{}, s.undelayed(mesh, func() error { return o.Product.load(ctx, mesh) })
	case "subscribe":
		return report{}, s.undelayed(mesh, func() error { return o.Subscriptions.Make(ctx, mesh, Administrator, MeshAccount, ProducerAccount) })
	case "records":
		var r report
		return r, s.undelayed(mesh, func() (err error) {
			err = o.Records.load(ctx, mesh)
			return err
		})
	}
	return report{}, fmt.Errorf("nobody knows how to %q", o.Do)
}

func (s *server) current() *localmesh.Mesh {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.mesh
}

// fresh begins with a copy of the original.
func (s *server) fresh() error {
	mesh, err := s.original.Clone()
	if err != nil {
		return err
	}
	mesh.SetLatency(s.latency)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mesh, s.handler = mesh, mesh.Handler()
	return nil
}

// undelayed does what is not measured.
func (s *server) undelayed(mesh *localmesh.Mesh, do func() error) error {
	mesh.SetLatency(0)
	defer mesh.SetLatency(s.latency)
	return do()
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	h := s.handler
	s.mu.RUnlock()
	s.watch.serve(h, w, r)
}

// setUp makes a mesh account, a producer and a consumer.
func setUp(ctx context.Context, mesh *localmesh.Mesh, central, producer string) error {
	options := func(account string) lakemesh.Options {
		cfg := mesh.Config(Administrator(account))
		return lakemesh.Options{MeshAccountID: central, Config: &cfg}
	}
	a, err := admin.New(ctx, options(central))
	if err != nil {
		return err
	}
	if _, err := a.InitializeMeshAccount(ctx, admin.InitializeMeshInput{AllowFullTableExternalDataAccess: new(true)}); err != nil {
		return err
	}
	for account, kind := range map[string]admin.AccountType{producer: admin.Producer, ConsumerAccount: admin.Consumer} {
		if _, err := admin.BootstrapAccount(ctx, admin.BootstrapInput{Type: kind, Mesh: options(central), Account: options(account)}); err != nil {
			return err
		}
	}
	return nil
}

// watch watches the traffic of one operation.
type watch struct {
	mu          sync.Mutex
	operation   string
	first, last time.Time
	seen        Traffic
}

func (w *watch) begin(operation string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.operation, w.first, w.last, w.seen = operation, time.Time{}, time.Time{}, Traffic{}
}

func (w *watch) traffic() Traffic {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.seen
	t.Lasted = w.last.Sub(w.first)
	return t
}

func (w *watch) serve(h http.Handler, to http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	watched := w.operation != "" && strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+w.operation)
	w.mu.Unlock()
	if !watched {
		h.ServeHTTP(to, r)
		return
	}
	// The limit is applied when a call comes, not when it is answered.
	came := time.Now()
	status := &statusWriter{ResponseWriter: to}
	h.ServeHTTP(status, r)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.first.IsZero() || came.Before(w.first) {
		w.first = came
	}
	if came.After(w.last) {
		w.last = came
	}
	if status.code >= http.StatusBadRequest {
		w.seen.Throttled++
	} else {
		w.seen.Admitted++
	}
}

// statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter
	code int
}

func (s *statusWriter) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}
