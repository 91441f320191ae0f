package home

import (
	"context"
	"crypto/rand"
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
	// Accounts are those that a mesh which is made now gets; a mesh that is there has to have
	// them already. Nil asks for none: a new mesh gets [DefaultAccounts].
	Accounts *Accounts
	// Region is one of the partition of AWS that a mesh which is made now is in; a mesh that
	// is there has to be in it already. Empty asks for none.
	Region string
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
	if err := known(o.Region); err != nil {
		return err
	}
	var options []localmesh.Option
	if o.ExposeToNetwork {
		options = append(options, localmesh.WithAnyHost())
	}
	if o.Log != nil {
		options = append(options, localmesh.WithLogger(o.Log))
	}
	mesh, err := h.open(append(options, in(o.Region)...)...)
	if err != nil {
		return h.elsewhere(err)
	}
	defer func() { err = errors.Join(err, mesh.Close()) }()
	if err := h.checkRegion(mesh.Region(), o.Region); err != nil {
		return err
	}
	file, err := h.ensureAccounts(ctx, mesh, o.Accounts)
	if err != nil {
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
	all := &clones{host: host(listener), token: self.Token, log: o.Log, exposed: o.ExposeToNetwork, running: map[string]func() error{}}
	defer func() { err = errors.Join(err, all.end()) }()
	web := newWebServer(control{self: self, mesh: mesh, dir: h.Dir, accounts: accountsOf(file), stop: stop, aws: mesh.Handler(), exposed: o.ExposeToNetwork, clones: all}, o.Log)
	return h.serve(ctx, web, listener, self, o.Ready)
}

func newWebServer(c control, log *slog.Logger) *http.Server {
	web := &http.Server{
		Handler:           c,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
	}
	if log != nil {
		web.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	}
	return web
}

// host is where a listener listens, without its port.
func host(listener net.Listener) string {
	name, _, _ := net.SplitHostPort(listener.Addr().String()) // a listener's own address has both
	return name
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

func (h Home) serverPath() string { return filepath.Join(h.Dir, serverFile) }

// ignoreClosed makes the answer of a server that was told to stop no error.
func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
