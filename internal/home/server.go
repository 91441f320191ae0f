package home

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/localmesh"
)

// Status is what a folder's local mesh is doing.
type Status struct {
	// Running tells whether its server is running.
	Running bool `json:"Running"`
	// Folder is where the mesh is.
	Folder string `json:"Folder"`
	// Address is the server's URL, PID its process, Started when it was started
	// (UTC), Calls the number of calls since then.
	Address string `json:"Address,omitempty"`
	PID     int    `json:"ProcessId,omitempty"`
	Started string `json:"Started,omitempty"`
	Calls   int    `json:"Calls"`
}

// server is what the server's file tells about it.
type server struct {
	Address string    `json:"Address"`
	PID     int       `json:"ProcessId"`
	Started time.Time `json:"Started"`
	// Token lets the reader of the file talk to the server itself.
	Token string `json:"Token"`
}

// answerTime is how long a server may take to tell that it is alive.
const answerTime = 3 * time.Second

// stopTime is how long a server may take to stop.
const stopTime = shutdownTime + 5*time.Second

func (h Home) writeServer(s *server) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("write the server's file: %w", err)
	}
	temporary := h.serverPath() + ".new"
	err = os.WriteFile(temporary, append(data, '\n'), 0o600)
	if err == nil {
		err = os.Rename(temporary, filepath.Clean(h.serverPath()))
	}
	if err != nil {
		return fmt.Errorf("write the server's file: %w", err)
	}
	return nil
}

// findServer returns the folder's server if it is alive, else [ErrNotRunning]. A
// file that was left behind by a killed server counts for nothing.
func (h Home) findServer(ctx context.Context) (*server, error) {
	data, err := os.ReadFile(h.serverPath())
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w in %s", ErrNotRunning, h.Dir)
	}
	if err != nil {
		return nil, fmt.Errorf("find the local mesh's server: %w", err)
	}
	s := new(server)
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("%w in %s: %s is damaged", ErrNotRunning, h.Dir, h.serverPath())
	}
	if _, err := s.status(ctx); err != nil {
		return nil, fmt.Errorf("%w in %s", ErrNotRunning, h.Dir)
	}
	return s, nil
}

func (s *server) status(ctx context.Context) (Status, error) {
	var status Status
	body, err := s.call(ctx, http.MethodGet, statusPath)
	if err == nil {
		err = json.Unmarshal(body, &status)
	}
	return status, err
}

func (s *server) call(ctx context.Context, method, path string) ([]byte, error) {
	return s.callAt(ctx, s.Address, method, path)
}

// callAt calls the server itself or one of its clones.
func (s *server) callAt(ctx context.Context, address, method, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, address+path, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask the local mesh's server: %w", err)
	}
	request.Header.Set(tokenHeader, s.Token)
	// A transport of its own keeps no connection open, and takes no proxy.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the local mesh's server: %w", err)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return nil, fmt.Errorf("ask the local mesh's server: %w", err)
	}
	if answer.StatusCode >= http.StatusMultipleChoices {
		return nil, &refusal{answer.StatusCode, strings.TrimSpace(string(body))}
	}
	return body, nil
}

// refusal is what a server answered instead of doing what it was asked.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("ask the local mesh's server: it answered %d: %s", r.status, r.text)
}

// Wait waits until the folder's server answers. A server that does not in time is a
// [*poll.TimeoutError] that wraps [ErrNotRunning].
func (h Home) Wait(ctx context.Context, patience time.Duration) error {
	return poll.Until(ctx, patience, "the local mesh's server in "+h.Dir, func(ctx context.Context) (bool, error) {
		_, err := h.findServer(ctx)
		if errors.Is(err, ErrNotRunning) {
			return false, poll.NotYet(err)
		}
		return err == nil, err
	})
}

// Keys are the keys of any principal of the served mesh: a session of a role, or the access key
// of a user or a root. The first principal of an account is made on the way, and administers it.
// One that does not exist in an account that does is a [lakemesh.ErrNotFound].
func (h Home) Keys(ctx context.Context, principal string) (lakemesh.Credentials, error) {
	s, err := h.findServer(ctx)
	if err != nil {
		return lakemesh.Credentials{}, err
	}
	body, err := s.call(ctx, http.MethodGet, credentialsPath+"?as="+url.QueryEscape(principal))
	if refused := (*refusal)(nil); errors.As(err, &refused) && refused.status == http.StatusNotFound {
		return lakemesh.Credentials{}, &lakemesh.Error{Kind: lakemesh.ErrNotFound, Resource: "principal " + principal, Message: refused.text, Err: err}
	}
	if err != nil {
		return lakemesh.Credentials{}, err
	}
	var keys struct{ AccessKeyId, SecretAccessKey, Token string } //nolint:revive // the wire's names
	if err := json.Unmarshal(body, &keys); err != nil {
		return lakemesh.Credentials{}, fmt.Errorf("read the keys of %s: %w", principal, err)
	}
	account := ""
	if parts := strings.Split(principal, ":"); len(parts) > 4 {
		account = parts[4]
	}
	return lakemesh.Credentials{AccountID: account, AccessKeyID: keys.AccessKeyId, SecretAccessKey: lakemesh.Secret(keys.SecretAccessKey),
		SessionToken: lakemesh.Secret(keys.Token)}, nil
}

// KeysEndpoint is where the SDKs find the keys of a principal by themselves, and go for new ones
// when they end, and the token that they have to show.
func (h Home) KeysEndpoint(ctx context.Context, principal string) (address string, token lakemesh.Secret, err error) {
	s, err := h.findServer(ctx)
	if err != nil {
		return "", "", err
	}
	return s.Address + credentialsPath + "?as=" + url.QueryEscape(principal), lakemesh.Secret(s.Token), nil
}

// Clone has the folder's server serve a clone of its mesh as it is now, in memory and at an
// address of its own. It lives until [Home.EndClone], or until the server stops.
func (h Home) Clone(ctx context.Context) (Clone, error) {
	var made Clone
	s, err := h.findServer(ctx)
	if err != nil {
		return made, err
	}
	body, err := s.call(ctx, http.MethodPost, clonesPath)
	if refused := (*refusal)(nil); errors.As(err, &refused) && refused.status == http.StatusTooManyRequests {
		return made, &lakemesh.Error{Kind: lakemesh.ErrConflict, Resource: "local mesh of " + h.Dir, Message: refused.text, Err: err,
			Hint: "lakemesh local clone --end ADDRESS ends one"}
	}
	if err != nil {
		return made, err
	}
	if err := json.Unmarshal(body, &made); err != nil {
		return made, fmt.Errorf("clone the local mesh: %w", err)
	}
	return made, nil
}

// EndClone ends a clone of the folder's server, by its address. An address at which there is
// none is a [lakemesh.ErrNotFound].
func (h Home) EndClone(ctx context.Context, address string) error {
	s, err := h.findServer(ctx)
	if err != nil {
		return err
	}
	address = strings.TrimSuffix(address, "/")
	if address == s.Address {
		return lakemesh.Invalid("--end", "%s is the server itself: lakemesh local stop stops it", address)
	}
	if u, err := url.Parse(address); err != nil || u.Scheme != "http" || !localmesh.IsLoopback(u.Host) {
		return lakemesh.Invalid("--end", "%q is not the address of a clone, such as http://127.0.0.1:45999", address)
	}
	if _, err := s.callAt(ctx, address, http.MethodPost, stopPath); err != nil {
		return &lakemesh.Error{Kind: lakemesh.ErrNotFound, Resource: "clone " + address, Message: "the server of " + h.Dir + " has none there", Err: err}
	}
	return nil
}

// Status tells whether the folder's server is running.
func (h Home) Status(ctx context.Context) (Status, error) {
	s, err := h.findServer(ctx)
	if errors.Is(err, ErrNotRunning) {
		return Status{Folder: h.Dir}, nil
	}
	if err != nil {
		return Status{}, err
	}
	return s.status(ctx)
}

// Stop stops the folder's server and waits until it has let go of the folder. It
// fails with [ErrNotRunning] if there is none.
func (h Home) Stop(ctx context.Context) error {
	s, err := h.findServer(ctx)
	if err != nil {
		return err
	}
	if _, err := s.call(ctx, http.MethodPost, stopPath); err != nil {
		return err
	}
	return poll.Until(ctx, stopTime, "the local mesh's server to stop", func(context.Context) (bool, error) {
		mesh, err := h.open()
		switch {
		case errors.Is(err, ErrRunning), errors.Is(err, ErrBusy):
			return false, nil
		case err != nil:
			return false, err
		}
		return true, mesh.Close()
	})
}
