package home

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Clone is a copy of a served mesh, in memory, at an address of its own.
type Clone struct {
	// Address is its URL.
	Address string `json:"Address"`
}

// maxClones bounds how many clones one server has at a time: whoever forgets to end them is
// told so, before memory is.
const maxClones = 100

var errTooManyClones = fmt.Errorf("there are %d clones already: end those that are not needed any more", maxClones)

// clones are the clones that a server serves beside its own mesh.
type clones struct {
	host    string
	token   string
	exposed bool
	log     *slog.Logger

	mu      sync.Mutex
	running map[string]func() error // by address: ends it
	ending  sync.WaitGroup          // those that were told to end
}

// add serves a clone of a mesh as it is now.
func (c *clones) add(ctx context.Context, of control) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.running) >= maxClones {
		return "", errTooManyClones
	}
	mesh, err := of.mesh.Clone()
	if err != nil {
		return "", err
	}
	listener, err := new(net.ListenConfig).Listen(context.WithoutCancel(ctx), "tcp", net.JoinHostPort(c.host, "0"))
	if err != nil {
		return "", errors.Join(fmt.Errorf("serve a clone: %w", err), mesh.Close())
	}
	self := &server{Address: "http://" + listener.Addr().String(), PID: of.self.PID, Started: time.Now().UTC().Truncate(time.Second), Token: c.token}
	served := make(chan error, 1)
	var web *http.Server
	end := func() error {
		deadline, cancel := context.WithTimeout(context.Background(), shutdownTime)
		defer cancel()
		return errors.Join(web.Shutdown(deadline), ignoreClosed(<-served), mesh.Close())
	}
	web = newWebServer(control{self: self, mesh: mesh, dir: of.dir, accounts: of.accounts, aws: mesh.Handler(), exposed: c.exposed, clones: c, stop: func() { c.remove(self.Address) }}, c.log)
	go func() { served <- web.Serve(listener) }()
	c.running[self.Address] = end
	return self.Address, nil
}

// remove ends a clone once what is under way there is answered, this call among it.
func (c *clones) remove(address string) {
	c.mu.Lock()
	end := c.running[address]
	delete(c.running, address)
	c.mu.Unlock()
	if end == nil {
		return
	}
	c.ending.Go(func() {
		if err := end(); err != nil && c.log != nil {
			c.log.Warn("a clone was not ended in order", "address", address, "error", err)
		}
	})
}

// end ends all clones.
func (c *clones) end() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for address, end := range c.running {
		errs = append(errs, end())
		delete(c.running, address)
	}
	c.ending.Wait()
	return errors.Join(errs...)
}
