package home

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh"
)

// DefaultAddress is where the server listens if nothing else is said.
const DefaultAddress = "127.0.0.1:4577"

// Limits of the server. A client that sends or reads slower than this is cut off.
const (
	headerTimeout  = 10 * time.Second
	requestTimeout = 5 * time.Minute
	idleTimeout    = 2 * time.Minute
	shutdownTime   = 10 * time.Second
	maxHeaderBytes = 64 << 10
)

// ServeOptions say how the mesh is served.
type ServeOptions struct {
	// Address is host:port; empty means [DefaultAddress]. Port 0 takes a free one.
	Address string
	// ExposeToNetwork accepts addresses that other machines can reach.
	ExposeToNetwork bool
	// Latency makes each call take longer.
	Latency time.Duration
	// Rate limits each API to that many calls a second; 0 means no limit.
	Rate float64
	// EventualConsistency lets others miss each change up to that many times that they
	// look; 0 makes it known at once.
	EventualConsistency int
	// Log is told of each call at debug level; nil means nobody is.
	Log *slog.Logger
	// Ready is called with the server's URL once it answers.
	Ready func(url string)
}

// Serve serves the folder's mesh until the context ends or [Home.Stop] is called.
// What was begun by then is answered.
func (h Home) Serve(ctx context.Context, o ServeOptions) (err error) {
	if o.Address == "" {
		o.Address = DefaultAddress
	}
	if err := checkAddress(o.Address, o.ExposeToNetwork); err != nil {
		return err
	}
	var options []localmesh.Option
	if o.ExposeToNetwork {
		options = append(options, localmesh.WithAnyHost())
	}
	if o.Log != nil {
		options = append(options, localmesh.WithLogger(o.Log))
	}
	mesh, err := h.open(options...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, mesh.Close()) }()
	if _, err := h.ensureAccounts(ctx, mesh); err != nil {
		return err
	}
	mesh.ResetCounts()
	mesh.SetLatency(o.Latency)
	mesh.SetRate("", "", o.Rate)
	mesh.SetEventualConsistency(o.EventualConsistency)

	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Address)
	if err != nil {
		return &lakemesh.Error{Resource: "address " + o.Address, Message: "cannot listen there: " + err.Error(), Err: err,
			Hint: "choose another one with --addr; port 0 takes a free one"}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	self := &server{Address: "http://" + listener.Addr().String(), PID: os.Getpid(), Started: time.Now().UTC().Truncate(time.Second),
		Token: rand.Text()}
	web := &http.Server{
		Handler:           control{self: self, mesh: mesh, dir: h.Dir, stop: stop, aws: mesh.Handler()},
		ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
	}
	if o.Log != nil {
		web.ErrorLog = slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn)
	}
	return h.serve(ctx, web, listener, self, o.Ready)
}

func (h Home) serve(ctx context.Context, s *http.Server, listener net.Listener, self *server, ready func(string)) error {
	if err := h.writeServer(self); err != nil {
		return errors.Join(err, listener.Close())
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	if ready != nil {
		ready(self.Address)
	}
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
		// The context has ended, and what is under way gets time of its own.
		deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		// Serve answers http.ErrServerClosed once it was told to stop.
		err = errors.Join(s.Shutdown(deadline), ignoreClosed(<-served))
	}
	return errors.Join(err, ignoreMissing(os.Remove(h.serverPath())))
}

// checkAddress refuses an address that other machines could reach, unless that is
// wanted.
func checkAddress(address string, exposed bool) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return lakemesh.Invalid("--addr", "%q is not an address: host:port, such as %s", address, DefaultAddress)
	}
	ip := net.ParseIP(host)
	if exposed || strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback() {
		return nil
	}
	return &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "--addr",
		Message: fmt.Sprintf("%q can be reached by other machines", address),
		Hint:    "use " + DefaultAddress + "; --expose-to-network accepts it if that is what you want"}
}

// control answers what is asked of the server itself, and hands everything else to
// the mesh. Only who can read the server's file has its token, so a page in a
// browser cannot reach it.
type control struct {
	self *server
	mesh *localmesh.Mesh
	dir  string
	stop func()
	aws  http.Handler
}

// The server's own paths and the header with its token. No bucket can be called
// like that.
const (
	statusPath  = "/_lakemesh/status"
	stopPath    = "/_lakemesh/stop"
	tokenHeader = "Lakemesh-Token"
)

func (c control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := r.Header.Get(tokenHeader)
	if token == "" {
		c.aws.ServeHTTP(w, r)
		return
	}
	if subtle.ConstantTimeCompare([]byte(token), []byte(c.self.Token)) != 1 {
		http.Error(w, "this is another server", http.StatusForbidden)
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "GET " + statusPath:
		w.Header().Set("Content-Type", "application/json")
		// A client that went away needs no answer.
		_ = json.NewEncoder(w).Encode(Status{Running: true, Folder: c.dir, Address: c.self.Address, PID: c.self.PID,
			Started: c.self.Started.Format(lakemesh.TimeFormat), Calls: c.mesh.Calls()})
	case "POST " + stopPath:
		w.WriteHeader(http.StatusNoContent)
		c.stop()
	default:
		http.NotFound(w, r)
	}
}

func (h Home) serverPath() string { return filepath.Join(h.Dir, serverFile) }

// ignoreClosed makes the answer of a server that was told to stop no error.
func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
