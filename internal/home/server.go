package home

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/lakemesh/lakemesh/internal/poll"
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
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, s.Address+path, http.NoBody)
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
		return nil, fmt.Errorf("ask the local mesh's server: it answered %s", answer.Status)
	}
	return body, nil
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
